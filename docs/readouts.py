"""Does the best readout of a code that is not round look like the network's? `make readouts`.

For every network, the waves that its keys make of the sum are taken without noise, with the
amplitudes read from its logits, and a linear readout with a bias for each answer is fitted to
them by softmax regression with a small penalty. Nothing of the network's readout enters. Then both
readouts are compared outside the keys' characters of the answer.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from docs.explained import CASES, FOLDER

from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.explanation.circuit import Effort, find_circuit
from grokscope.explanation.formulas import FittedShape, key_shapes
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import case_of, load_network
from grokscope.explanation.verdict import Place
from grokscope.fourier.basis import Basis
from grokscope.tasks import Task

SHOWN: Final = ("p97-add", "p97-mul", "p97-sub", "p97-sq2", "p59-sub", "p59-sq2")
PENALTY: Final = 1e-5
STEPS: Final = 1000
SHUFFLES: Final = 5


class Comparison(NamedTuple):
    """One network's readout beside the best one."""

    name: str
    seed: int
    outside_ideal: float
    """Share of the fitted readout's energy outside the keys' characters of the answer."""
    outside_network: float
    correlation: float
    """Of the two readouts outside the keys, over all sums and answers."""
    control: float
    """The same, the largest of several fits with the amplitudes shuffled among the keys."""
    keep_ideal: float
    """Accuracy of the fitted readout when only the keys' characters of the answer are kept."""
    keep_network: float


def compare(name: str, network: NetworkInBasis, seed: int) -> Comparison:
    """Fit the best readout of a network's own code and compare."""
    circuit = find_circuit(network, effort=Effort(null_draws=1000))
    keys = circuit.keys[Place.LOGITS].frequencies
    shapes = key_shapes(network, keys)
    inside = network.basis.answers.inside
    kept = network.basis.answers.basis(circuit.frequencies)[inside]
    sums = network.sum_logits
    ideal = best_readout(network, code(sums.waves(keys), shapes))
    rng = np.random.default_rng(0)
    shuffled = []
    for _ in range(SHUFFLES):
        order = rng.permutation(len(shapes))
        other = [
            replace(shapes[i], frequency=s.frequency) for s, i in zip(shapes, order, strict=True)
        ]
        fitted = best_readout(network, code(sums.waves(keys), other))
        shuffled.append(correlation(beyond(fitted, kept), beyond(sums.mean, kept)))
    return Comparison(
        name,
        seed,
        energy_outside(ideal, kept),
        energy_outside(sums.mean, kept),
        correlation(beyond(ideal, kept), beyond(sums.mean, kept)),
        max(shuffled),
        accuracy(network, ideal @ kept @ kept.T),
        accuracy(network, sums.mean @ kept @ kept.T),
    )


def code(waves: np.ndarray, shapes: Sequence[FittedShape]) -> np.ndarray:
    """Return the point of every sum: the waves of each key along its axes, scaled as in it."""
    columns = []
    for i, shape in enumerate(shapes):
        axes, amplitudes, _ = np.linalg.svd(shape.block)
        columns.append(waves[:, 2 * i : 2 * i + 2] @ axes * np.sqrt(amplitudes))
    return np.concatenate(columns, axis=1)


def best_readout(network: NetworkInBasis, points: np.ndarray) -> np.ndarray:
    """Return the logits, at [sum, answer], of the fitted readout of a code."""
    answers = np.flatnonzero(network.basis.answers.inside)
    labels = jnp.asarray(np.searchsorted(answers, network.basis.structure.g))
    inputs = jnp.asarray(points, jnp.float32)

    def loss(weights: dict[str, jax.Array]) -> jax.Array:
        logits = inputs @ weights["W"] + weights["b"][None]
        fit = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        return fit + PENALTY * (jnp.sum(weights["W"] ** 2) + jnp.sum(weights["b"] ** 2))

    solver = optax.lbfgs()
    gradient = optax.value_and_grad_from_state(loss)

    @jax.jit
    def solve(weights: dict[str, jax.Array]) -> dict[str, jax.Array]:
        def step(carry: tuple, _: None) -> tuple[tuple, None]:
            weights, state = carry
            value, slope = gradient(weights, state=state)
            updates, state = solver.update(
                slope, state, weights, value=value, grad=slope, value_fn=loss
            )
            return (optax.apply_updates(weights, updates), state), None

        (weights, _), _ = jax.lax.scan(step, (weights, solver.init(weights)), length=STEPS)
        return weights

    start = {"W": jnp.zeros((points.shape[1], len(answers))), "b": jnp.zeros(len(answers))}
    fitted = solve(start)
    logits = np.asarray(inputs @ fitted["W"] + fitted["b"][None], np.float64)
    return logits - logits.mean(axis=1, keepdims=True)


def beyond(logits: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return what is outside the kept functions of the answer."""
    return logits - logits @ kept @ kept.T


def energy_outside(logits: np.ndarray, kept: np.ndarray) -> float:
    """Return its share of the energy."""
    return float(np.sum(beyond(logits, kept) ** 2) / np.sum(logits**2))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two arrays; 0 where one of them is round-off."""
    if min(np.std(a), np.std(b)) < 1e-6:
        return 0.0
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def accuracy(network: NetworkInBasis, logits: np.ndarray) -> float:
    """Return the share of defined pairs that logits per sum answer rightly."""
    answers = np.flatnonzero(network.basis.answers.inside)
    said = answers[np.argmax(logits, axis=1)][network.basis.sums[network.defined]]
    return float(np.mean(said == network.labels[network.defined]))


def networks(runs: Path) -> list[tuple[str, NetworkInBasis, int]]:
    """Return the last network of every seed of the runs that are shown."""
    found = []
    for case in (case for case in CASES if case.name in SHOWN):
        folder = RunFolder.open(runs / case.name)
        config = RunConfig.from_json(folder.manifest.config)
        task = Task.from_config(config.task)
        for seed in case.seeds:
            known = case_of(folder, config, task, seed, 0, None)
            structure = known.search.best
            assert structure is not None, case.expression
            labels = task.labels(seed)[0].reshape(task.p, task.p)
            model = load_network(folder, seed).model
            network = NetworkInBasis(of_model(model), labels, Basis(structure), known.kind)
            found.append((f"{case.expression}, {case.p}", network, seed))
    return found


def table(found: Sequence[Comparison]) -> list[str]:
    """Return the table of all comparisons."""
    header = (
        "| operation, p, seed | energy outside the keys: best readout | the network's | correlation"
        " of the two outside | with shuffled amplitudes | accuracy with the keys kept: best readout"
        " | the network's |"
    )
    rows = [
        f"| {c.name}, {c.seed} | {c.outside_ideal:.3f} | {c.outside_network:.3f} |"
        f" {c.correlation:.2f} | {c.control:.2f} | {c.keep_ideal:.3f} | {c.keep_network:.3f} |"
        for c in found
    ]
    return [header, "|---|---|---|---|---|---|---|", *rows]


def main() -> None:
    """Compare the readouts of the explained runs and write docs/readouts_numbers.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/explained"))
    found = []
    for name, network, seed in networks(parser.parse_args().runs):
        found.append(compare(name, network, seed))
        print(found[-1], flush=True)
    header = "<!-- Written by `make readouts` from the runs of `make explained`. -->"
    (FOLDER / "readouts_numbers.md").write_text("\n".join([header, "", *table(found), ""]))


if __name__ == "__main__":
    main()
