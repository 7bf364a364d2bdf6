"""The parts of an explanation beyond the verdict."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from grokscope.explanation.ablation import EditableTable, frequency_losses, repair_logits
from grokscope.explanation.circuit import Circuit
from grokscope.explanation.clock_or_pizza import clock_or_pizza
from grokscope.explanation.findings import (
    Ablations,
    BySide,
    ClosedForms,
    FamilyScores,
    KeyShape,
    LogitFinding,
    NeuronFinding,
    Outcomes,
)
from grokscope.explanation.formulas import clock_formula, ellipse_formula, key_shapes
from grokscope.explanation.logits import keep_sums, logit_modes, table_a4, trigonometric_losses
from grokscope.explanation.neuron_ablation import ablate_neurons, keep_everywhere
from grokscope.explanation.neurons import attention_findings, neuron_frequencies
from grokscope.explanation.patching import patch_coordinate
from grokscope.explanation.result import Analyses
from grokscope.explanation.verdict import AblationScores, Claim, ClaimId, Place, judge
from grokscope.fourier.characters import keep
from grokscope.progress import doing

_MODES: Final = 12
"""Modes of the logits that are listed."""
_LEAST_SHAPE: Final = 0.05
"""Amplitude in the logits, as a share of the largest key's, under which a shape says nothing."""


def run_analyses(circuit: Circuit) -> Analyses | None:
    """Run every analysis that the verdict does not need; None where there is nothing to analyse."""
    if not circuit.frequencies or not circuit.testable:
        return None
    found: dict[str, Any] = {}
    for name, (words, analysis) in _ANALYSES.items():
        doing(words)
        found[name] = analysis(circuit)
    return Analyses(**found)


def verdict_ablations(circuit: Circuit) -> Ablations:
    """Return what the verdict needs: A of every edit of W_E and of the logits."""
    network = circuit.network
    embedding, logits = circuit.ablations.get(Place.EMBEDDING), circuit.ablations[Place.LOGITS]
    both = circuit.both_kept
    return Ablations(
        full=network.full.accuracy.all,
        chance=network.chance,
        embedding=AblationScores() if embedding is None else embedding.scores(network),
        logits=logits.scores(network),
        both_keep=None if both is None else network.scaled(both),
        outcomes=Outcomes(
            full=network.full,
            both_keep=both,
            embedding_keep=embedding and embedding.keep,
            embedding_remove=embedding and embedding.remove,
            logits_keep=logits.keep,
            logits_remove=logits.remove,
        ),
    )


_SUPPORTING: Final = {
    ClaimId.PATCHING: (
        "with u(x) shifted to u + d in the keys, it answers g(u + d + v): share",
        0.9,
    ),
    ClaimId.NEURONS_KEEP: ("with only the keys' blocks its neurons answer: A", 0.98),
    ClaimId.SUMS_KEEP: ("what the logits need of the pair is in the keys' waves of u + v: A", 0.98),
    ClaimId.CLOCK_FORMULA: ("one amplitude per key gives its answers", 0.98),
    ClaimId.ELLIPSE_FORMULA: ("the nearest answer on the keys' ellipses is its answer", 0.98),
    ClaimId.CIRCLES: (
        "the keys in the logits are circles, not standing waves; harmonics, and keys under a"
        " twentieth of the largest, aside",
        1.0,
    ),
}
"""Claims that the verdict does not need: in words, and the least value."""


def supporting_claims(circuit: Circuit, found: Analyses) -> list[Claim]:
    """Return claims that say more about the algorithm; the verdict does not need them."""
    patching, forms = found.ablations.patching, found.closed_form
    shapes = found.logits.key_shapes
    least = _LEAST_SHAPE * max((shape.major for shape in shapes), default=0.0)
    own = [s for s in shapes if not s.forced and s.harmonic_of is None and s.major >= least]
    values = {
        ClaimId.PATCHING: patching and patching.moved,
        ClaimId.NEURONS_KEEP: found.ablations.neurons.keep,
        ClaimId.SUMS_KEEP: found.ablations.sums_keep,
        ClaimId.CLOCK_FORMULA: forms.agreement,
        ClaimId.ELLIPSE_FORMULA: forms.ellipse and forms.ellipse.agreement,
        ClaimId.CIRCLES: sum(s.shape == "circle" for s in own) / len(own) if own else None,
    }
    counted = dict.fromkeys(values, int(circuit.network.defined.sum()))
    counted |= {ClaimId.PATCHING: patching.pairs if patching else 0, ClaimId.CIRCLES: len(own)}
    return [
        Claim(
            id=key,
            statement=f"{words} (≥ {least:g})",
            value=value,
            n=counted[key],
            verdict=judge(value is not None and value >= least, testable=value is not None),
        )
        for (key, (words, least)), value in zip(_SUPPORTING.items(), values.values(), strict=True)
    ]


def _ablations(circuit: Circuit) -> Ablations:
    """All of `Ablations`."""
    network, frequencies = circuit.network, circuit.frequencies
    draws = circuit.effort.control_draws
    repair = repair_logits(network, frequencies, circuit.read_frequencies, draws)
    tables = {place: EditableTable.at(network, place) for place in circuit.keys}
    known, neurons, everywhere = network.network, AblationScores(), None
    if known.written_of is not None:
        neurons = ablate_neurons(network, frequencies, draws=draws).scores(network)
    if known.written_of is not None and Place.EMBEDDING in tables:
        kept = keep(network.basis.inputs, frequencies, network.embedding)
        everywhere = network.scaled(keep_everywhere(network, kept, frequencies))
    moves = Place.EMBEDDING in tables and known.x_alone

    def without(place: Place, family: tuple[int, ...]) -> float | None:
        table = tables.get(place)
        return None if table is None else network.scaled(table.score_without(family))

    return dataclasses.replace(
        verdict_ablations(circuit),
        neurons=neurons,
        all_keep=everywhere,
        sums_keep=network.scaled(keep_sums(network, frequencies)),
        logits_with_predicted_bias=network.scaled(repair.predicted),
        logits_with_permuted_bias=network.scaled(repair.permuted),
        patching=patch_coordinate(network, frequencies) if moves else None,
        families=tuple(
            FamilyScores(family, *(without(place, family) for place in Place))
            for family in circuit.families
        ),
    )


def _logits(circuit: Circuit) -> LogitFinding:
    network, frequencies = circuit.network, circuit.frequencies
    losses = frequency_losses(network, frequencies)
    table = table_a4(network, frequencies)
    trigonometric, rest = trigonometric_losses(network, frequencies)
    return LogitFinding(
        restricted_loss=_on_test(table.restricted_loss),
        trigonometric_loss=_on_test(trigonometric.loss),
        excluded_loss=rest.loss.all if rest.loss.train is None else rest.loss.train,
        table_a4=table,
        modes=logit_modes(network).strongest(_MODES),
        dependent_in_embedding=losses.dependent_in_embedding,
        dependent_in_logits=losses.dependent_in_logits,
        key_shapes=tuple(
            KeyShape(s.frequency, s.major, s.minor, s.forced, circuit.harmonics.get(s.frequency))
            for s in key_shapes(network, circuit.read_frequencies)
        ),
    )


def _neurons(circuit: Circuit) -> NeuronFinding:
    known = circuit.network.network.neurons_of is not None
    return neuron_frequencies(circuit.network).summary if known else NeuronFinding()


def _on_test(loss: BySide) -> float:
    """The loss on test pairs, or on all pairs where there is no split."""
    return loss.all if loss.test is None else loss.test


def _closed_form(circuit: Circuit) -> ClosedForms:
    network, read = circuit.network, circuit.read_frequencies
    return ClosedForms(
        **dataclasses.asdict(clock_formula(network, read)),
        ellipse=ellipse_formula(network, read),
        ellipse_without_bias=ellipse_formula(network, read, bias=False),
    )


_ANALYSES: Final[dict[str, tuple[str, Callable[[Circuit], Any]]]] = {
    "logits": ("reading the logits", _logits),
    "neurons": ("reading the neurons", _neurons),
    "attention": ("reading the attention", lambda c: attention_findings(c.network, c.frequencies)),
    "algorithm": ("telling clock from pizza", lambda c: clock_or_pizza(c.network, c.frequencies)),
    "closed_form": ("fitting the formula", _closed_form),
    "ablations": ("patching, and ablating neurons and families", _ablations),
}
"""Fields of `Analyses`: how each is made, in words, and by what."""
