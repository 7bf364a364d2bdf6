"""What is told of an explanation: its headline, sentences, tables and facts, as a page of texts."""

from typing import Final

from grokscope.explanation.findings import (
    Ablations,
    HeadFinding,
    KeyShape,
    NeuronFinding,
    Patching,
    Rebuilt,
    SmallestSet,
    TableA4,
    Turning,
)
from grokscope.explanation.rendering import Grid, Page
from grokscope.explanation.result import Explanation, Key
from grokscope.explanation.sentences import (
    NOT_TESTABLE,
    VERDICTS_IN_WORDS,
    algorithm_in_words,
    frequencies_in_words,
    harmonic_in_words,
    headline,
    named_table,
    number_in_words,
    sentences,
    share_in_words,
)
from grokscope.explanation.verdict import Claim, Edit, Place
from grokscope.rounding import share_in_percent

MOST_FAMILIES: Final = 10
PLACES_IN_WORDS: Final = {"embedding": "W_E", "neurons": "neurons", "logits": "class axis"}
"""Fields of `Ablations` → what was edited."""
_UNKNOWN: Final = "–"


def page_of(found: Explanation) -> Page:
    """Return the page of an explanation."""
    grids = (_families(found), _ablations(found.ablations), _losses(found.logits.table_a4))
    return Page(
        headline=headline(found),
        verdict=found.verdict,
        sentences=tuple(sentences(found)),
        grids=tuple(grid for grid in grids if grid is not None),
        facts=(*_facts(found), *_open_ends(found)),
    )


def _families(found: Explanation) -> Grid | None:
    if not found.families:
        return None
    keys = {key.frequency: key for key in found.keys}
    shapes = {key.frequency: key for key in found.logits.key_shapes}
    scores = {one.family: one for one in found.ablations.families}
    headers = [f"of {name}" for name in _tables(found)]
    headers += ["in the logits", "b/a", "a"] if shapes else []
    headers += ["A, W_E without", "class axis without"] if scores else []
    rows = []
    for family in found.families[:MOST_FAMILIES]:
        for k in sorted(family, key=lambda k: keys[k].harmonic_of is not None):
            cells = [_key(keys[k], found.structure.n or 0), *_shares(found, keys[k])]
            cells += _shape(shapes.get(k)) if shapes else []
            without = scores.pop(family, None)  # once per family
            if without is not None:
                in_embedding = without.without_in_embedding, without.loss_without_in_embedding
                in_logits = without.without_in_logits, without.loss_without_in_logits
                cells += [_with_loss(*in_embedding), _with_loss(*in_logits)]
            rows.append(tuple(cells))
    if len(found.families) > MOST_FAMILIES:
        rows.append((f"and {len(found.families) - MOST_FAMILIES} more families",))
    title = "key frequencies by family, harmonics indented; without a family: A (loss, nats)"
    return Grid(title, ("key", *headers), tuple(rows))


def _with_loss(scaled: float | None, loss: float | None) -> str:
    """Return A with the loss behind it, which older explanations do not have."""
    return number_in_words(scaled) + ("" if loss is None else f" ({loss:.1e})")


def _tables(found: Explanation) -> list[str]:
    """Return whose shares are shown: of W_E and W_L, or what stands for them, or a table alone."""
    return ["it"] if found.table is not None else [named_table(found, place) for place in Place]


def _shares(found: Explanation, key: Key) -> list[str]:
    shares = [key.share_of_embedding, key.share_of_neuron_logit_map]
    if found.table is not None:
        shares = shares[1:] if found.table.role is Place.LOGITS else shares[:1]
    return [_UNKNOWN if share is None else share_in_percent(share, 2) for share in shares]


def _key(key: Key, n: int) -> str:
    """Return a key's number, for a harmonic indented and with the key that it belongs to."""
    k, of = key.frequency, key.harmonic_of
    return str(k) if of is None else f"  {k}, {harmonic_in_words(k, of, n)}"


def _shape(key: KeyShape | None) -> list[str]:
    """Return shape, roundness and amplitude of a key in the logits."""
    if key is None:
        return [_UNKNOWN] * 3
    return [key.shape, f"{key.roundness:.2f}", f"{key.major:.2f}"]


def _ablations(found: Ablations) -> Grid | None:
    if found.full is None:
        return None
    rows = []
    for field, name in PLACES_IN_WORDS.items():
        scores = [getattr(found, field).of(edit) for edit in Edit]
        if field != "neurons" or any(score is not None for score in scores):
            rows.append((name, *map(number_in_words, scores)))
    rows.append(("both", number_in_words(found.both_keep)))
    title = "what is left: A = 1 like the whole network, 0 like guessing"
    return Grid(title, ("place", *(edit.words for edit in Edit)), tuple(rows))


def _losses(found: TableA4 | None) -> Grid | None:
    if found is None:
        return None
    parts = {
        "whole network": found.train_loss,
        "keys": found.restricted_loss,
        "other": found.ablation_a,
        "rest": found.ablation_b,
        "keys + other": found.ablation_c,
        "keys + rest": found.ablation_d,
        "other + rest": found.ablation_e,
    }
    losses = tuple(f"{loss.all:.1e}" for loss in parts.values())
    title = "loss of the parts of the logits, nats, all pairs (Table A.4)"
    return Grid(title, tuple(parts), (losses,), names=False)


def _facts(found: Explanation) -> list[tuple[str, str]]:
    told = [
        ("patching", _patching(found.ablations.patching)),
        ("turning", _turning(found.ablations.turning)),
        ("fewest keys", _fewest(found.ablations.smallest_set)),
        ("neurons", _neurons(found.neurons)),
        ("rebuilt", _rebuilt(found.neurons.rebuilt)),
        ("attention", _attention(found.attention)),
        ("algorithm", algorithm_in_words(found)),
    ]
    return [(name, text) for name, text in told if text]


def _patching(found: Patching | None) -> str:
    if found is None:
        return ""
    told = {
        "u(x) + d written into the keys moves the answer by d": found.moved,
        "leaves it": found.stayed,
        "moves it where no residue has u + d": found.moved_off_residues,
        "the same in as many other frequencies leaves it": found.control_stayed,
    }
    return "; ".join(
        f"{text}: {share_in_words(value)}" for text, value in told.items() if value is not None
    )


def _turning(found: Turning | None) -> str:
    if found is None:
        return ""
    text = (
        "u(x) turned by parts of a residue in the keys moves the logits like those of the ellipses:"
        f" correlation {number_in_words(found.correlation)}, the same answer at"
        f" {share_in_words(found.agreement)} of the pairs"
    )
    aside = "" if found.control is None else f"; other frequencies turned: {found.control:.2f}"
    return f"{text}{aside}"


def _fewest(found: SmallestSet | None) -> str:
    if found is None:
        return ""
    keys, kept, both = found.keys, number_in_words(found.sums_keep), found.both_keep
    text = f"{frequencies_in_words(keys)}: A = {kept} with their waves of u + v alone in the logits"
    return text if both is None else f"{text}, {number_in_words(both)} with them alone in both"


def _rebuilt(found: Rebuilt | None) -> str:
    if found is None:
        return ""
    shapes = ", ".join(f"{count} {name}" for name, count in found.waveforms.items())
    return (
        f"from frequency, phases, amplitudes and waveform of each neuron ({shapes}): A ="
        f" {number_in_words(found.keep)}; with φ_out = φ_x + φ_y {number_in_words(found.by_law)};"
        f" φ_out permuted {number_in_words(found.phases_permuted)}, columns of W_L permuted"
        f" {number_in_words(found.columns_permuted)}"
    )


def _neurons(found: NeuronFinding) -> str:
    told = []
    if found.share_above_85 is not None:
        share = share_in_words(found.share_above_85)
        told.append(f"{share} have one frequency for over 85% of their variance")
    numbers = {
        "FSD": found.fsd,
        "agreement of phases": found.phase_agreement,
        "second harmonic": found.second_harmonic,
    }
    told += [f"{text} {value:.2f}" for text, value in numbers.items() if value is not None]
    return ", ".join(told)


def _attention(heads: tuple[HeadFinding, ...]) -> str:
    looks = [f"{head.mean[0]:.2f}±{head.deviation[0]:.2f}" for head in heads]
    return f"on x, mean±deviation over the pairs: {', '.join(looks)}" if looks else ""


def _open_ends(found: Explanation) -> list[tuple[str, str]]:
    """The claims that do not hold, always by name, and the runner-up."""
    claims = [claim for claim in found.claims.values() if not claim.holds]
    rows = []
    for decisive, title in ((True, "fails"), (False, "also fails")):
        for claim in claims:
            if claim.fails and claim.decisive is decisive:
                rows.append((title, _claim(claim)))
                title = ""
    untestable = [claim.id for claim in claims if not claim.fails]
    if untestable:
        rows.append((NOT_TESTABLE, ", ".join(untestable)))
    other = found.runner_up
    if other is not None:
        keys = frequencies_in_words(other.keys) or "none"
        rows.append(
            ("runner-up", f"{other.words}: {VERDICTS_IN_WORDS[other.verdict]}, keys {keys}")
        )
    return rows


def _claim(claim: Claim) -> str:
    value = "" if claim.value is None else f" {number_in_words(claim.value, 3)}"
    return f"{claim.id}{value}: {claim.statement}"
