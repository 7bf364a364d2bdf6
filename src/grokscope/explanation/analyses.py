"""The parts of an explanation beyond the verdict."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from grokscope.explanation.ablation import (
    EditableTable,
    frequency_losses,
    repair_logits,
)
from grokscope.explanation.circuit import Circuit
from grokscope.explanation.clock_or_pizza import clock_or_pizza
from grokscope.explanation.ellipse import bias_like, ellipse_formula, logits_like, turn_coordinate
from grokscope.explanation.findings import (
    Ablations,
    BySide,
    ClosedForms,
    FamilyScores,
    KeyShape,
    Likeness,
    LogitFinding,
    NeuronFinding,
    Outcomes,
)
from grokscope.explanation.formulas import clock_formula, key_shapes
from grokscope.explanation.logits import keep_sums, logit_modes, table_a4, trigonometric_losses
from grokscope.explanation.neuron_ablation import ablate_neurons, keep_everywhere
from grokscope.explanation.neurons import attention_findings, neuron_frequencies
from grokscope.explanation.patching import patch_coordinate
from grokscope.explanation.rebuilt import rebuild
from grokscope.explanation.result import Analyses
from grokscope.explanation.sufficient import smallest_set
from grokscope.explanation.verdict import AblationScores, Claim, ClaimId, Place, judge
from grokscope.fourier.characters import keep
from grokscope.progress import doing

_ENOUGH: Final = 0.98
"""Agreement from which a formula stands for the network."""
_MODES: Final = 12
"""Modes of the logits that are listed."""
_LEAST_SHAPE: Final = 0.05
"""Amplitude in the logits, as a share of the largest key's, under which a shape says nothing."""


def run_analyses(circuit: Circuit) -> Analyses | None:
    """Run every analysis beyond those of the keys; None where there is nothing to analyse."""
    if not circuit.frequencies or not circuit.testable:
        return _without_keys(circuit)
    found: dict[str, Any] = {}
    for name, (words, analysis) in _ANALYSES.items():
        doing(words)
        found[name] = analysis(circuit)
    return Analyses(**found)


def quick_analyses(circuit: Circuit) -> Analyses | None:
    """Run what the levels beside the keys need; None where there is nothing to analyse.

    Turning x takes as long as all else, and is left out where the verdict does not ask for it.
    """
    if not circuit.frequencies or not circuit.testable:
        return _without_keys(circuit)
    network, frequencies, read = circuit.network, circuit.frequencies, circuit.read_frequencies
    forms = _closed_form(circuit)
    ablations = verdict_ablations(circuit)
    is_ellipse = forms.ellipse is not None and forms.ellipse.agreement >= _ENOUGH
    if circuit.verdict != "explained" and is_ellipse:
        ablations = dataclasses.replace(
            ablations,
            sums_keep=network.scaled(keep_sums(network, frequencies)),
            turning=turn_coordinate(network, frequencies, read) if _moves(circuit) else None,
        )
    return Analyses(
        ablations=ablations,
        logits=LogitFinding(key_shapes=_shapes(circuit)),
        neurons=_neurons(circuit),
        closed_form=forms,
    )


def _without_keys(circuit: Circuit) -> Analyses | None:
    """Return what is said of the neurons alone, which may use all frequencies alike."""
    if not circuit.testable or circuit.network.network.neurons_of is None:
        return None
    return Analyses(ablations=verdict_ablations(circuit), neurons=_neurons(circuit))


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


class _Needs(NamedTuple):
    """What a claim says, the least value, and the most that its null or control may be."""

    words: str
    least: float
    most: float | None = None


_SUPPORTING: Final = {
    ClaimId.PATCHING: _Needs(
        "with u(x) shifted to u + d in the keys, it answers g(u + d + v): share", 0.9
    ),
    ClaimId.NEURONS_KEEP: _Needs("with only the keys' blocks its neurons answer: A", 0.98),
    ClaimId.SUMS_KEEP: _Needs(
        "what the logits need of the pair is in the keys' waves of u + v: A", 0.98
    ),
    ClaimId.CLOCK_FORMULA: _Needs("one amplitude per key gives its answers", 0.98),
    ClaimId.ELLIPSE_FORMULA: _Needs(
        "the nearest answer on the keys' ellipses is its answer", _ENOUGH
    ),
    ClaimId.ELLIPSE_LOGITS: _Needs(
        "the logits of the nearest answer on the keys' ellipses are its logits: correlation",
        0.85,
        0.5,
    ),
    ClaimId.ELLIPSE_BIAS: _Needs(
        "its answers have the bias −½|z(c)|² that the keys' ellipses predict: correlation",
        0.5,
        0.5,
    ),
    ClaimId.TURNING: _Needs(
        "with u(x) turned by parts of a residue in the keys, its logits move as those of the"
        " ellipses: correlation",
        0.8,
        0.2,
    ),
    ClaimId.CIRCLES: _Needs(
        "the keys in the logits are circles, not standing waves; harmonics, and keys under a"
        " twentieth of the largest, aside",
        1.0,
    ),
    ClaimId.REBUILT: _Needs(
        "with a frequency, phases and amplitudes of every neuron and nothing else it answers: A",
        0.9,
        0.2,
    ),
}
"""Claims beyond those of the keys."""


def supporting_claims(circuit: Circuit, found: Analyses) -> list[Claim]:
    """Return claims that say more about the algorithm, among them those of further levels."""
    patching, turning = found.ablations.patching, found.ablations.turning
    forms, rebuilt = found.closed_form, found.neurons.rebuilt
    round_, n_keys = _round(found)
    permuted = None
    if rebuilt is not None:
        permuted = max(_known(rebuilt.phases_permuted), _known(rebuilt.columns_permuted))
    values: dict[ClaimId, tuple[float | None, float | None]] = {
        ClaimId.PATCHING: (patching and patching.moved, None),
        ClaimId.NEURONS_KEEP: (found.ablations.neurons.keep, None),
        ClaimId.SUMS_KEEP: (found.ablations.sums_keep, None),
        ClaimId.CLOCK_FORMULA: (forms.agreement, None),
        ClaimId.ELLIPSE_FORMULA: (forms.ellipse and forms.ellipse.agreement, None),
        ClaimId.ELLIPSE_LOGITS: _likeness(forms.ellipse_logits),
        ClaimId.ELLIPSE_BIAS: _likeness(forms.ellipse_bias),
        ClaimId.TURNING: (turning and turning.correlation, turning and turning.control),
        ClaimId.CIRCLES: (round_, None),
        ClaimId.REBUILT: (rebuilt and rebuilt.keep, permuted),
    }
    counted = dict.fromkeys(values, int(circuit.network.defined.sum()))
    counted |= {ClaimId.PATCHING: patching.pairs if patching else 0, ClaimId.CIRCLES: n_keys}
    # on circles no answer needs a bias
    asked = (key for key in _SUPPORTING if key is not ClaimId.ELLIPSE_BIAS or round_ != 1)
    return [_claim(key, *values[key], counted[key]) for key in asked]


def _likeness(found: Likeness | None) -> tuple[float | None, float | None]:
    return (None, None) if found is None else (found.value, found.null)


def _known(value: float | None) -> float:
    return 0.0 if value is None else value


def _claim(key: ClaimId, value: float | None, control: float | None, n: int) -> Claim:
    """Judge a value, and its null or control, by what the claim needs."""
    words, least, most = _SUPPORTING[key]
    statement = f"{words} (≥ {least:g}"
    statement += ")" if most is None else f"; null or control ≤ {most:g})"
    known = value is not None
    below = most is None or control is None or control <= most
    return Claim(
        id=key,
        statement=statement,
        value=value,
        control=control,
        n=n,
        verdict=judge(known and value >= least and below, testable=known),
    )


def _round(found: Analyses) -> tuple[float | None, int]:
    """Share of the keys that are circles, and how many keys there are."""
    shapes = found.logits.key_shapes
    least = _LEAST_SHAPE * max((shape.major for shape in shapes), default=0.0)
    own = [s for s in shapes if not s.forced and s.harmonic_of is None and s.major >= least]
    return (sum(s.shape == "circle" for s in own) / len(own) if own else None), len(own)


def _ablations(circuit: Circuit) -> Ablations:
    """All of `Ablations`."""
    network, frequencies = circuit.network, circuit.frequencies
    draws = circuit.effort.control_draws
    read = circuit.read_frequencies
    repair = repair_logits(network, frequencies, read, draws)
    tables = {place: EditableTable.at(network, place) for place in circuit.keys}
    known, neurons, everywhere = network.network, AblationScores(), None
    if known.written_of is not None:
        neurons = ablate_neurons(network, frequencies, draws=draws).scores(network)
    embedded = Place.EMBEDDING in tables
    if known.written_of is not None and embedded:
        kept = keep(network.basis.inputs, frequencies, network.embedding)
        everywhere = network.scaled(keep_everywhere(network, kept, frequencies))
    moves = _moves(circuit)

    def without(family: tuple[int, ...]) -> FamilyScores:
        found = {place: table.score_without(family) for place, table in tables.items()}
        return FamilyScores(
            family,
            *(network.scaled(found[p]) if p in found else None for p in Place),
            *(found[p].loss.all if p in found else None for p in Place),
        )

    return dataclasses.replace(
        verdict_ablations(circuit),
        neurons=neurons,
        all_keep=everywhere,
        sums_keep=network.scaled(keep_sums(network, frequencies)),
        logits_with_predicted_bias=network.scaled(repair.predicted),
        logits_with_permuted_bias=network.scaled(repair.permuted),
        patching=patch_coordinate(network, frequencies) if moves else None,
        turning=turn_coordinate(network, frequencies, read) if moves else None,
        smallest_set=smallest_set(network, circuit.groups, embedded=embedded),
        families=tuple(map(without, circuit.families)),
    )


def _moves(circuit: Circuit) -> bool:
    """Whether the rows for x can be changed alone."""
    return Place.EMBEDDING in circuit.keys and circuit.network.network.x_alone


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
        key_shapes=_shapes(circuit),
    )


def _shapes(circuit: Circuit) -> tuple[KeyShape, ...]:
    return tuple(
        KeyShape(s.frequency, s.major, s.minor, s.forced, circuit.harmonics.get(s.frequency))
        for s in key_shapes(circuit.network, circuit.read_frequencies)
    )


def _neurons(circuit: Circuit) -> NeuronFinding:
    network = circuit.network
    if network.network.neurons_of is None:
        return NeuronFinding()
    found = neuron_frequencies(network).summary
    if network.neuron_logit_map is None:
        return found
    return dataclasses.replace(found, rebuilt=rebuild(network, circuit.effort.control_draws))


def _on_test(loss: BySide) -> float:
    """The loss on test pairs, or on all pairs where there is no split."""
    return loss.all if loss.test is None else loss.test


def _closed_form(circuit: Circuit) -> ClosedForms:
    network, read = circuit.network, circuit.read_frequencies
    return ClosedForms(
        **dataclasses.asdict(clock_formula(network, read)),
        ellipse=ellipse_formula(network, read),
        ellipse_logits=logits_like(network, read) if read else None,
        ellipse_bias=bias_like(network, read) if read else None,
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
