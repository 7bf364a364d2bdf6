"""Fourier analysis of tables whose rows are the elements of a cyclic group."""
