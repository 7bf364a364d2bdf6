"""Where the last position looks, and what it moves from there."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Array, Float

from grokscope.errors import UsageError
from grokscope.explanation.findings import HeadFinding
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.neurons import block_shares, dominant_frequencies
from grokscope.explanation.pairs import over_pairs
from grokscope.fourier.characters import Characters
from grokscope.models import MLP, Model


def attention_patterns(
    model: Model, layer: int = -1, operation_index: int = 0
) -> Float[np.ndarray, "head pos p p"]:
    """Return how much each head, at the last position, attends to x, op and y.

    **Arguments:**

    - `model`: a transformer.
    - `layer`: which block, the last by default.
    - `operation_index`: which operation of a mixture, from 0.

    **Returns:** weights from 0 to 1 at [head, position, x, y]; those of the three positions
    x, op, y sum to 1. What a head looking from y gives to x is `[head, 0]`.

    **Raises:** `UsageError` for a network without attention and for a block that does not exist.
    """
    if isinstance(model, MLP):
        raise UsageError("an MLP has no attention", allowed="transformers")
    n_layers = len(model.blocks)
    if not -n_layers <= layer < n_layers:
        raise UsageError("no such block", got=layer, allowed=f"0 to {n_layers - 1}")
    name = f"blocks.{layer % n_layers}.pattern"

    def read(_: Array, activations: dict[str, Array]) -> Array:
        return activations[name][:, :, -1]

    blocks = list(over_pairs(model, read, operation_index))
    return np.moveaxis(np.concatenate(blocks), (2, 3), (0, 1))


def mean_attention(patterns: Float[np.ndarray, "head pos p p"]) -> Float[np.ndarray, "head pos"]:
    """Return the mean over all pairs of what each head gives to each position."""
    return patterns.mean(axis=(2, 3))


def attention_findings(
    network: NetworkInBasis, frequencies: Sequence[int]
) -> tuple[HeadFinding, ...]:
    """Return, per head of the last block, where it looks and what it moves from position x.

    The OV circuit is the direct path from the embedding: what earlier blocks add is left out.

    **Arguments:** the network and its structure; the key frequencies.

    **Returns:** one finding per head, none for an MLP.
    """
    model = network.model
    if isinstance(model, MLP):
        return ()
    patterns = attention_patterns(model, operation_index=network.operation_index)
    over = patterns[:, :, network.defined].astype(np.float64)
    shares = block_shares(network, np.moveaxis(patterns[:, 0], 0, 2))
    block, characters = model.blocks[-1], network.basis.inputs
    findings = []
    for head, (mean, deviation) in enumerate(zip(over.mean(axis=2), over.std(axis=2), strict=True)):
        circuit = np.asarray(block.W_V[head], np.float64) @ np.asarray(block.W_O[head], np.float64)
        # W_E·W_V·W_O, a table over residues
        moved = characters.centred(network.embedding @ circuit)
        best = int(dominant_frequencies(shares[head : head + 1])[0])
        share = float(shares[head].max(initial=0))
        findings.append(
            HeadFinding(
                head=head,
                mean=_three(mean),
                deviation=_three(deviation),
                frequency=best if share > 0 else 0,
                share=share,
                moved=float(np.linalg.norm(moved)),
                in_keys=_held(characters, frequencies, moved),
                in_keys_of_x=_held(_of_x(characters), frequencies, moved),
            )
        )
    return tuple(findings)


def _three(values: Float[np.ndarray, "pos"]) -> tuple[float, float, float]:
    x, op, y = values.tolist()
    return x, op, y


def _of_x(characters: Characters) -> Characters:
    """The characters of u alone."""
    return Characters(characters.n, characters.inside, characters.parts[:1])


def _held(
    characters: Characters, frequencies: Sequence[int], table: Float[np.ndarray, "p d_model"]
) -> float:
    """Share of some frequencies in the energy of a centred table."""
    energy = float(np.sum(table**2))
    held = float(np.sum((characters.span(frequencies).T @ table) ** 2))
    return held / energy if energy > 0 else 0.0
