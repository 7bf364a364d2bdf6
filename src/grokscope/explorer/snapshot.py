"""The numbers of one snapshot: spectra, circles, maps over pairs, and neurons as points."""

import dataclasses
from dataclasses import dataclass
from typing import Final

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.logits import centred_over_answers, mode_pair_norms
from grokscope.explanation.neurons import neuron_frequencies
from grokscope.explanation.pairs import (
    PAIRS_PER_BLOCK,
    attention_layers,
    in_blocks,
    last_hidden,
    not_finite,
    positions_of,
    read_at,
)
from grokscope.explorer.subject import Subject
from grokscope.fourier.characters import Characters, Table, additive_characters
from grokscope.fourier.spectrum import ADDITIVE, circle_of, spectrum
from grokscope.measures.registry import MATCHED
from grokscope.models import AnyModel
from grokscope.numerics import computing

LARGEST_MODULUS: Final = 257
"""Of larger moduli nothing is shown that needs all p² pairs."""
MOST_HEADS: Final = 8


@dataclass(frozen=True, eq=False)
class NeuronPoints:
    """Every neuron of the last hidden layer as a point.

    **Arguments:**

    - `frequency`: that holds most of its variance.
    - `phase`: φ of cos(ku + φ) in radians; nan where it has none.
    - `amplitude`: how much it moves the logits, as a share of the strongest neuron.
    - `share`: of the frequency in its variance.
    """

    frequency: Int[np.ndarray, "d_mlp"]
    phase: Float[np.ndarray, "d_mlp"]
    amplitude: Float[np.ndarray, "d_mlp"]
    share: Float[np.ndarray, "d_mlp"]


@dataclass(frozen=True, eq=False)
class OverPairs:
    """What all p² pairs show of a network.

    **Arguments:**

    - `logits`: at [x, y, answer], without their mean over the answers.
    - `neurons`: of the last hidden layer, where the answer is read, at [x, y, neuron].
    - `attention`: the weight on x of each head of the last block; None without attention.
    """

    logits: Float[np.ndarray, "p p class"]
    neurons: Float[np.ndarray, "p p d_mlp"]
    attention: Float[np.ndarray, "head p p"] | None

    @property
    def answers(self) -> Int[np.ndarray, "p p"]:
        """The answer with the largest logit."""
        return self.logits.argmax(axis=2)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What is shown of one network at one step; made by `take_snapshot`.

    **Arguments:**

    - `step`: of the checkpoint.
    - `broken`: which weights are not finite; then nothing else is there.
    - `spectra`: by matrix and basis, the share of each frequency in the squared norm.
    - `circles`: by basis, where each residue lies in the plane of each frequency of W_E.
    - `pairs`: what needs all pairs; None for a large modulus.
    - `norms`: by `logits` or `neurons` and by basis, the norm of each product of two modes.
    - `points`: the neurons; None for a large modulus.
    - `accuracy`: by side of the pairs.
    """

    step: int
    broken: str = ""
    spectra: dict[str, dict[str, Float[np.ndarray, "freq"]]] = dataclasses.field(
        default_factory=dict
    )
    circles: dict[str, Float[np.ndarray, "freq p 2"]] = dataclasses.field(default_factory=dict)
    pairs: OverPairs | None = None
    norms: dict[str, dict[str, Float[np.ndarray, "mode mode"]]] = dataclasses.field(
        default_factory=dict
    )
    points: NeuronPoints | None = None
    accuracy: dict[str, float] = dataclasses.field(default_factory=dict)


@computing()
def take_snapshot(subject: Subject, step: int) -> Snapshot:
    """Compute what is shown of a network at a checkpoint; raises `RunFolderError`."""
    model = subject.network(step).model
    if broken := not_finite(model):
        return Snapshot(step, broken)
    network = subject.in_basis(model)
    tables = {"W_E": network.embedding, "W_L": np.asarray(model.neuron_logit_map, np.float64)}
    whole = Snapshot(step, spectra=_spectra(subject, tables), circles=_circles(subject, tables))
    if subject.p > LARGEST_MODULUS:
        return whole
    pairs = over_all_pairs(model, subject.number)
    if not np.isfinite(pairs.logits).all():
        return Snapshot(step, "the table of logits")
    known = dataclasses.replace(
        network.network, logits_of=lambda _: pairs.logits, neurons_of=lambda _: pairs.neurons
    )
    network = dataclasses.replace(network, network=known)
    return dataclasses.replace(
        whole,
        pairs=pairs,
        norms=_norms(subject, pairs),
        points=_points(network),
        accuracy=_accuracy(subject, pairs),
    )


def _bases(subject: Subject) -> dict[str, tuple[Characters, Characters]]:
    """Return characters on the rows of W_E and of W_L; matched only where that is another basis."""
    additive = additive_characters(subject.p)
    found = {ADDITIVE: (additive, additive)}
    if subject.basis_of_keys == MATCHED:
        found[MATCHED] = (subject.basis.inputs, subject.basis.answers)
    return found


def _spectra(
    subject: Subject, tables: dict[str, Table]
) -> dict[str, dict[str, Float[np.ndarray, "freq"]]]:
    return {
        matrix: {
            name: np.nan_to_num(spectrum(table, characters[place]).shares)
            for name, characters in _bases(subject).items()
        }
        for place, (matrix, table) in enumerate(tables.items())
    }


def _circles(
    subject: Subject, tables: dict[str, Table]
) -> dict[str, Float[np.ndarray, "freq p 2"]]:
    return {
        name: np.stack([circle_of(tables["W_E"], k, of_x) for k in range(1, 1 + of_x.n // 2)])
        for name, (of_x, _) in _bases(subject).items()
    }


def over_all_pairs(model: AnyModel, number: int) -> OverPairs:
    """Run a network on all pairs once.

    **Arguments:** the network; which operation of a mixture, from 0.
    """
    p, width = model.p, model.neuron_logit_map.shape[1]
    found = np.concatenate(
        list(in_blocks(model, model.inputs(number).tokens, _read, PAIRS_PER_BLOCK))
    ).reshape(p, p, -1)
    heads = min(MOST_HEADS, found.shape[2] - width - p) if attention_layers(model) else 0
    logits, neurons, attention = np.split(found, [p, p + width], axis=2)
    shown = np.moveaxis(attention[:, :, :heads], 2, 0) if heads else None
    return OverPairs(centred_over_answers(logits), neurons, shown)


def _read(model: AnyModel, tokens: Int[Array, "pair pos"]) -> Float[Array, "pair column"]:
    """Return logits, neurons and attention to x side by side; one program for all snapshots."""
    logits, activations = model.trace(tokens)
    parts = [logits[:, : model.p], last_hidden(model)(logits, activations)]
    if blocks := attention_layers(model):
        to_x = activations[f"blocks.{blocks - 1}.pattern"][..., positions_of(model).index("x")]
        at = read_at(model)
        parts.append(to_x.mean(axis=2) if at is None else to_x[:, :, at])
    return jnp.concatenate(parts, axis=1)


def _norms(
    subject: Subject, pairs: OverPairs
) -> dict[str, dict[str, Float[np.ndarray, "mode mode"]]]:
    modes = {ADDITIVE: (_modes(additive_characters(subject.p), 0),) * 2}
    if subject.basis_of_keys == MATCHED:
        inputs = subject.basis.inputs
        modes[MATCHED] = (_modes(inputs, 0), _modes(inputs, -1))
    values = {"logits": pairs.logits, "neurons": pairs.neurons}
    return {
        what: {basis: mode_pair_norms(of, *both) for basis, both in modes.items()}
        for what, of in values.items()
    }


def _modes(characters: Characters, part: int) -> Float[np.ndarray, "p mode"]:
    """Return the constant, then cosine and sine of every frequency, as columns of norm 1."""
    inside = characters.inside
    constant = inside / np.sqrt(max(1, inside.sum()))
    waves = np.moveaxis(characters.parts[part], 0, 1).reshape(len(inside), -1)
    return np.concatenate([constant[:, None], waves], axis=1).astype(np.float32)


def _points(network: NetworkInBasis) -> NeuronPoints:
    found = neuron_frequencies(network)
    largest = found.strengths.max(initial=0)
    return NeuronPoints(
        frequency=found.dominant,
        phase=found.phases[:, 0],
        amplitude=found.strengths / (largest or 1.0),
        share=found.best_share,
    )


def _accuracy(subject: Subject, pairs: OverPairs) -> dict[str, float]:
    right = pairs.answers == subject.labels
    return {name: float(right[side].mean()) for name, side in subject.sides.items()}
