"""Pages of the paper's experiments, drawn from results alone."""
