"""What a network has learned, read from its weights and activations."""

from grokscope.circuits.attention import attention_patterns, mean_attention
from grokscope.circuits.embedding import circle, frequency_shares, in_plane, strongest_frequencies
from grokscope.circuits.logits import logits_over_pairs, mode_norms
from grokscope.circuits.neurons import neuron_activations, neuron_strengths, strongest_neurons

__all__ = [
    "attention_patterns",
    "circle",
    "frequency_shares",
    "in_plane",
    "logits_over_pairs",
    "mean_attention",
    "mode_norms",
    "neuron_activations",
    "neuron_strengths",
    "strongest_frequencies",
    "strongest_neurons",
]
