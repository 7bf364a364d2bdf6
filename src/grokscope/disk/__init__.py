"""The run folder: the only code that touches the disk. A reader never sees half a file."""
