"""The parts of an explanation beyond the verdict, as plain dictionaries of numbers."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from grokscope.explanation.ablation import (
    ablate_neurons,
    dose_response,
    keep_everywhere,
    repair_readout,
)
from grokscope.explanation.attention import attention_summary
from grokscope.explanation.circuit import Circuit
from grokscope.explanation.clock_or_pizza import clock_or_pizza
from grokscope.explanation.frequency_losses import frequency_losses
from grokscope.explanation.key_shapes import key_shapes
from grokscope.explanation.logit_waves import (
    ClosedForm,
    clock_formula,
    ellipse_formula,
    logit_modes,
)
from grokscope.explanation.logits import ROWS, keep_sums, table_a4, trigonometric_losses
from grokscope.explanation.network import Outcome
from grokscope.explanation.neurons import neuron_frequencies
from grokscope.explanation.patching import patch_coordinate
from grokscope.explanation.verdict import Claim
from grokscope.fourier.characters import keep
from grokscope.progress import doing

Section = dict[str, Any]
_TESTS: Final = ("keep", "remove", "control", "keep_others")
_MODES: Final = 12
"""Modes of the logits that are listed."""


def analyses(circuit: Circuit) -> Section:
    """Run every analysis that the verdict does not need."""
    if not circuit.frequencies or not circuit.testable:
        return blank()
    found: Section = {}
    for name, section in _ANALYSES.items():
        doing(_NAMES.get(name, f"reading the {name}"))
        found[name] = section(circuit)
    return found


def blank() -> Section:
    """Return the same fields with nothing in them."""
    return {
        "logits": dict.fromkeys(("variance_explained", "restricted_loss", "excluded_loss"))
        | {
            "trigonometric_loss": None,
            "table_a4": None,
            "key_shapes": [],
            "modes": [],
            "dependent_in_embedding": [],
            "dependent_in_readout": [],
        },
        "neurons": dict.fromkeys(
            ("share_above_85", "n_active", "fsd", "phase_agreement", "second_harmonic")
        )
        | {"clusters": {}},
        "attention": (),
        "algorithm": dict.fromkeys(
            (
                "gradient_symmetricity",
                "plain_symmetricity",
                "distance_irrelevance",
                "circularity",
                "kind",
            )
        ),
        "closed_form": dict.fromkeys(
            (
                "agreement",
                "accuracy",
                "variance_explained",
                "numbers",
                "ellipse",
                "ellipse_without_bias",
            )
        ),
        "causal": {},
    }


def blank_causal() -> Section:
    """Return the causal fields with nothing in them."""
    return {
        "full": None,
        "chance": None,
        "embedding": dict.fromkeys(_TESTS),
        "readout": dict.fromkeys(_TESTS),
        "both_keep": None,
        "neurons": dict.fromkeys(_TESTS),
        "all_keep": None,
        "sums_keep": None,
        "readout_with_predicted_bias": None,
        "readout_with_permuted_bias": None,
        "families": [],
        "patching": None,
        "outcomes": {},
    }


def causal_section(circuit: Circuit, more: Mapping[str, Any]) -> Section:
    """Return A of every test, accuracy of the whole network and chance, and outcomes by side."""
    subject = circuit.subject
    places = {"embedding": circuit.of_embedding, "readout": circuit.of_readout}
    outcomes = {"full": subject.full, "both_keep": circuit.both_kept}
    for place, ablation in places.items():
        outcomes |= {f"{place}_keep": ablation.keep, f"{place}_remove": ablation.remove}
    return blank_causal() | {
        "full": subject.full.accuracy.get("all"),
        "chance": subject.chance,
        "embedding": places["embedding"].scaled(subject),
        "readout": places["readout"].scaled(subject),
        "both_keep": subject.scaled(circuit.both_kept),
        "outcomes": {name: _outcome(outcome) for name, outcome in outcomes.items()},
        **more["causal"],
    }


def supporting_claims(circuit: Circuit, more: Mapping[str, Any]) -> list[Claim]:
    """Return claims that say more about the algorithm; the verdict does not need them."""
    if not more["causal"]:
        return []
    subject, closed = circuit.subject, more["closed_form"]
    pairs = int(subject.defined.sum())

    def claim(name: str, words: str, value: float | None, least: float, n: int = pairs) -> Claim:
        verdict = "not testable" if value is None else ("holds" if value >= least else "fails")
        return Claim(name, f"{words} (≥ {least:g})", value, verdict, n=n, decisive=False)

    shapes = more["logits"]["key_shapes"]
    own = [s for s in shapes if not s["forced"] and s["harmonic_of"] is None]
    round_keys = [s["shape"] == "circle" for s in own]
    share = sum(round_keys) / len(round_keys) if round_keys else None
    return [
        claim(
            "patching",
            "with u(x) shifted to u + d in the keys, it answers g(u + d + v): share",
            more["causal"]["patching"]["moved"],
            0.9,
            more["causal"]["patching"]["pairs"],
        ),
        claim(
            "neurons keep",
            "with only the keys' blocks its neurons answer: A",
            more["causal"]["neurons"]["keep"],
            0.98,
        ),
        claim(
            "sums keep",
            "what the logits need of the pair is in the keys' waves of u + v: A",
            more["causal"]["sums_keep"],
            0.98,
        ),
        claim(
            "clock formula", "one amplitude per key gives its answers", closed["agreement"], 0.98
        ),
        claim(
            "ellipse formula",
            "the nearest answer on the keys' ellipses is its answer",
            closed["ellipse"]["agreement"],
            0.98,
        ),
        claim(
            "circles",
            "the keys in the logits, harmonics aside, are circles, not standing waves",
            share,
            1.0,
            len(round_keys),
        ),
    ]


def _more_causal(circuit: Circuit) -> Section:
    subject, frequencies = circuit.subject, circuit.frequencies
    neurons = ablate_neurons(subject, frequencies, draws=circuit.effort.control_draws)
    kept = keep(subject.matched.embedding, frequencies, subject.embedding)
    responses = dose_response(subject, circuit.families)
    repair = repair_readout(
        subject,
        frequencies,
        circuit.readout.frequencies or frequencies,
        circuit.effort.control_draws,
    )
    return {
        "neurons": neurons.scaled(subject),
        "all_keep": subject.scaled(keep_everywhere(subject, kept, frequencies)),
        "sums_keep": subject.scaled(keep_sums(subject, frequencies)),
        "readout_with_predicted_bias": subject.scaled(repair.predicted),
        "readout_with_permuted_bias": subject.scaled(repair.permuted),
        "patching": _patching(circuit),
        "families": [
            {
                "family": list(family),
                "without_in_embedding": subject.scaled(of_embedding),
                "without_in_readout": subject.scaled(of_readout),
            }
            for family, of_embedding, of_readout in zip(
                circuit.families, responses["embedding"], responses["readout"], strict=True
            )
        ],
    }


def _patching(circuit: Circuit) -> Section:
    found = patch_coordinate(circuit.subject, circuit.frequencies)
    return {
        "shifts": found.shifts,
        "pairs": found.pairs,
        "moved": found.moved,
        "stayed": found.stayed,
        "moved_off_residues": found.moved_beyond,
        "control": found.control_stayed,
        "control_size": found.control_size,
    }


def _neurons(circuit: Circuit) -> Section:
    found = neuron_frequencies(circuit.subject)
    active = found.active
    return {
        "share_above_85": found.share_above_85,
        "n_active": found.n_active,
        "fsd": found.sparsity_density,
        "phase_agreement": found.phase_agreement,
        "second_harmonic": float(np.mean(found.second_harmonic[active])) if any(active) else None,
        "clusters": found.clusters,
    }


def _logits(circuit: Circuit) -> Section:
    subject, frequencies = circuit.subject, circuit.frequencies
    losses = frequency_losses(subject, frequencies)
    table = table_a4(subject, frequencies)
    trigonometric, rest = trigonometric_losses(subject, frequencies)
    shown = circuit.readout.frequencies or frequencies
    return {
        "variance_explained": clock_formula(subject, shown).variance_explained,
        "restricted_loss": _one(table["restricted_loss"], "test"),
        "trigonometric_loss": _one(trigonometric, "test"),
        "excluded_loss": _one(rest, "train"),
        "table_a4": {row: table[row].loss for row in ROWS},
        "modes": [mode._asdict() for mode in logit_modes(subject).strongest(_MODES)],
        "dependent_in_embedding": losses.dependent_in_embedding,
        "dependent_in_readout": losses.dependent_in_readout,
        "key_shapes": [
            {
                "frequency": s.frequency,
                "major": s.major,
                "minor": s.minor,
                "roundness": s.roundness,
                "shape": s.shape,
                "forced": s.forced,
                "harmonic_of": circuit.harmonics.get(s.frequency),
            }
            for s in key_shapes(subject, shown)
        ],
    }


def _closed_form(circuit: Circuit) -> Section:
    shown = circuit.readout.frequencies or circuit.frequencies
    forms = {
        "ellipse": ellipse_formula(circuit.subject, shown),
        "ellipse_without_bias": ellipse_formula(circuit.subject, shown, bias=False),
    }
    return _form(clock_formula(circuit.subject, shown)) | {k: _form(f) for k, f in forms.items()}


def _form(form: ClosedForm) -> Section:
    return {
        "agreement": form.agreement,
        "accuracy": form.accuracy,
        "variance_explained": form.variance_explained,
        "numbers": form.numbers,
    }


def _one(outcome: Outcome, side: str) -> float:
    """The loss on one side, or on all pairs where there is no split."""
    return outcome.loss.get(side, outcome.loss["all"])


def _outcome(outcome: Outcome) -> Section:
    return {"accuracy": outcome.accuracy, "loss": outcome.loss}


_ANALYSES: Final[dict[str, Callable[[Circuit], Any]]] = {
    "logits": _logits,
    "neurons": _neurons,
    "attention": lambda c: tuple(
        dataclasses.asdict(head) for head in attention_summary(c.subject, c.frequencies)
    ),
    "algorithm": lambda c: dataclasses.asdict(clock_or_pizza(c.subject, c.frequencies)),
    "closed_form": _closed_form,
    "causal": _more_causal,
}
"""What each section of `analyses` is made by, in order."""
_NAMES: Final = {
    "algorithm": "telling clock from pizza",
    "closed_form": "fitting the formula",
    "causal": "patching, and ablating neurons and families",
}
"""How a section is made, in words, where its name does not say it."""
