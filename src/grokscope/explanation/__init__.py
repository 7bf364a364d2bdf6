"""Which algorithm a network found, read from its weights and activations, with causal evidence."""
