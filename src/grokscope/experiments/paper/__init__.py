"""The paper's experiments, run: sweeps for those that train, counting for those that do not."""
