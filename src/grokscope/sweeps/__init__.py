"""Many runs from one description: a sweep, its jobs, and the folder that they fill."""
