"""Where the runs of a sweep are trained: engines behind one small interface."""
