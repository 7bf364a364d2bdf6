"""The paper's experiments as data: what to run, how to read it, and what the paper found."""
