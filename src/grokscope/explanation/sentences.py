"""An explanation told in sentences."""

from collections.abc import Sequence
from typing import Final

from grokscope.axes import axis_in_words, taken_in_words
from grokscope.explanation.families import double
from grokscope.explanation.findings import Ablations, KeyShape
from grokscope.explanation.result import Explanation, TableFinding
from grokscope.explanation.verdict import MATRICES, ClaimId, Level, Place
from grokscope.measures.spectral import LARGEST_UNTESTABLE
from grokscope.rounding import share_in_digits, share_in_percent

VERDICTS_IN_WORDS: Final = {
    "explained": "explained",
    "partly": "partly explained",
    "not decided": "not decided",
    "not explained": "not explained",
}
_ROLES: Final = {
    Place.EMBEDDING: "read as an embedding",
    Place.LOGITS: "read as a readout",
    None: "a table whose name does not say of what, its residues read as x",
}
NOT_TESTABLE: Final = "not testable"
_GOOD: Final = 0.98
"""Agreement from which a formula stands for the network."""


def share_in_words(value: float | None) -> str:
    """Return a share in percent with two digits at most, more where it would look like 100%."""
    if value is None:
        return NOT_TESTABLE
    text = share_in_percent(value, 2).removesuffix("%")
    return f"{text.rstrip('0').rstrip('.')}%"


def number_in_words(value: float | None, digits: int = 2) -> str:
    """Return A, or another number near 1, with a few digits, more where it would look like 1."""
    if value is None:
        return NOT_TESTABLE
    text = share_in_digits(value, digits)
    return text.removeprefix("-") if float(text) == 0 else text


def headline(found: Explanation) -> str:
    """Return what was looked at and the verdict: `x*y mod 97: explained (clock, by keys)`."""
    return f"{subject_in_words(found)}: {verdict_in_words(found)}"


def verdict_in_words(found: Explanation) -> str:
    """Return the verdict with the algorithm and the levels: `explained (clock, by keys)`."""
    words = VERDICTS_IN_WORDS[found.verdict]
    kind = found.algorithm.kind
    named = {Level.KEYS: f"{kind}, {Level.KEYS}"} if kind in ("clock", "pizza") else {}
    levels = [named.get(level, level.value) for level in found.levels]
    return f"{words} ({'; '.join(levels)})" if levels else words


def subject_in_words(found: Explanation) -> str:
    """Return what was looked at: `x*y mod 97, seed 0, step 6,700`."""
    parts = [] if found.table is None else [found.table.name]
    parts.append(f"{found.operation} mod {found.p}")
    if found.seed is not None:
        parts.append(f"seed {found.seed}")
    if found.step is not None:
        parts.append(f"step {found.step:,}")
    if found.control is not None:
        parts.append(f"a control, read by {found.control.operation}")
    return ", ".join(parts)


def sentences(found: Explanation) -> list[str]:
    """Return what the network found: the structure, its keys, their shape, a formula.

    What limits all of it comes first: that it is a control, and that nothing is there to explain.
    """
    first = [_table(found), control_in_words(found), _by_heart(found)]
    if broken := not_finite_in_words(found):
        return [f"Nothing can be read out: {broken}."]
    n = found.structure.n
    if n is None:
        told = [
            f"{found.structure.words}.",
            "Without a structure there is no basis to look for keys in.",
        ]
    else:
        told = [_structure(found)]
        if n > LARGEST_UNTESTABLE:
            told += [_keys(found, place) for place in Place]
        told += [*_shapes(found), *_formula(found), _not_decided(found)]
    return [text for text in [*first, *told] if text]


def one_sentence(found: Explanation, of: str = "") -> str:
    """Return the verdict with what it rests on, for the top of a report.

    **Arguments:** the explanation; whose it is where that must be said, as in ` of seed 3`.
    """
    if broken := not_finite_in_words(found):
        return f"The algorithm{of} cannot be read out: {broken}."
    if by_heart := _by_heart(found):
        return f"The algorithm{of} is not explained: {by_heart[0].lower()}{by_heart[1:]}"
    text = f"The algorithm{of} is {verdict_in_words(found)}: {found.structure.words}"
    if found.structure.n is None:
        return f"{text}."
    families = len(found.families)
    held = f"on {families} {'family' if families == 1 else 'families'} of key frequencies"
    text = f"{text}, {held if families else 'no keys found'}"
    missing = ", ".join(claim.id for claim in found.claims.missing)
    shown = found.verdict == "explained" or not missing
    return f"{text}." if shown else f"{text}; not shown: {missing}."


def control_in_words(found: Explanation) -> str:
    """Return that an explanation is a control, and what it should find; "" if it is none."""
    by = found.control
    if by is None:
        return ""
    expected = (
        f"{by.operation} lays residues out by the same characters, so that W_E cannot tell"
        " the two apart."
        if by.same_characters
        else "Nothing should be found."
    )
    return (
        f"This is a control: the network was trained on {found.operation} and is read here"
        f" by the structure of {by.operation}. {expected}"
    )


def _table(found: Explanation) -> str:
    """Say what was read of a table alone, and what it was taken for; "" for a network."""
    table = found.table
    if table is None:
        return ""
    taken = taken_in_words(found.p, table.axis, table.length)
    return f"{table.name}, {_ROLES[table.role]}: {taken}."


def algorithm_in_words(found: Explanation) -> str:
    """Return how circles of x and y are joined, with the numbers that say so; "" if unknown."""
    joined = found.algorithm
    known = [
        f"{name} {number_in_words(value)}"
        for name, value in (
            ("gradient symmetricity", joined.gradient_symmetricity),
            ("distance irrelevance", joined.distance_irrelevance),
            ("circularity", joined.circularity),
        )
        if value is not None
    ]
    kind = f"{joined.kind}: " if joined.kind else ""
    return f"{kind}{', '.join(known)}" if known else ""


def own_and_harmonics(found: Explanation, table: TableFinding) -> tuple[list[int], list[int]]:
    """Part the keys of W_E or W_L, the strongest first, into those of their own and harmonics."""
    known = harmonics_of_explanation(found)
    return [k for k in table.keys if k not in known], [k for k in table.keys if k in known]


def harmonics_of_explanation(found: Explanation) -> dict[int, int]:
    """Return the keys that are doubles or halves of another one, with that one."""
    return {key.frequency: key.harmonic_of for key in found.keys if key.harmonic_of is not None}


def harmonic_in_words(k: int, of: int, n: int) -> str:
    """Return what a harmonic is of its key: `double of 13` or `half of 41`."""
    return f"{'double' if double(of, n) == k else 'half'} of {of}"


def frequencies_in_words(keys: Sequence[int]) -> str:
    """Return frequencies as text."""
    return " ".join(map(str, keys))


def is_additive(found: Explanation) -> bool:
    """Whether the coordinates are x and y themselves, so that the basis that fits is additive."""
    return found.structure.n == found.p and found.structure.u == "x"


def not_finite_in_words(found: Explanation) -> str:
    """Return in a clause what of a network is not finite, so that nothing can be read out."""
    if not found.claims.fails(ClaimId.FINITE):
        return ""
    what = found.claims[ClaimId.FINITE].statement.removesuffix(" is finite")
    return f"{what} holds numbers that are not finite, as after training has diverged"


def _by_heart(found: Explanation) -> str:
    """Say that a network answers nothing new, so that there is nothing to explain."""
    if not found.claims.fails(ClaimId.NEW_PAIRS):
        return ""
    return (
        "It answers pairs that it was not trained on hardly better than guessing (accuracy"
        f" {found.claims[ClaimId.NEW_PAIRS].value:+.3f} beside it): it knows pairs by heart at"
        " most, so there is no algorithm to read out yet."
    )


def _not_decided(found: Explanation) -> str:
    """Say why what did not fail is not explained either."""
    structure = found.structure
    if found.verdict != "not decided":
        return ""
    if structure.n is not None and structure.n <= LARGEST_UNTESTABLE:
        return (
            f"It is not decided: {structure.group} has one frequency, and no other to compare it"
            " with."
        )
    if found.ablations.full is None:
        tables = [t for t in (found.embedding, found.neuron_logit_map) if t.spectrum]
        if tables and not any(any(table.spectrum) for table in tables):
            return "It is not decided: there is nothing in it to test."
        return (
            "It is not decided: a table alone shows which frequencies it holds; whether answers"
            " come from them takes the whole network."
        )
    missing = ", ".join(claim.id for claim in found.claims.missing)
    return f"It is not decided: nothing failed, but this cannot be tested here: {missing}."


def _structure(found: Explanation) -> str:
    structure = found.structure
    texts = [structure.u or "", structure.v or "", structure.g or ""]
    if any("table" in text for text in texts) or structure.g == "s":
        return f"{structure.words}."
    total = f"{structure.u} + {structure.v}".replace("+ -", "- ")
    return f"{structure.words}: the answer is {structure.g}, s = {total} in {structure.group}."


def _keys(found: Explanation, place: Place) -> str:
    table = found.embedding if place is Place.EMBEDDING else found.neuron_logit_map
    named = named_table(found, place)
    # a tensor is called as in its file, also where a sentence begins
    matrix = found.table.name if found.table is not None else f"{named[0].upper()}{named[1:]}"
    if table.basis is None:
        return ""
    if table.saturated:
        return (
            f"{matrix} is saturated: its keys fill over half of what the coordinate can tell"
            " apart, so this table cannot show which it uses."
        )
    if table.spectrum and not any(table.spectrum):
        return f"{matrix} holds nothing to test: all its rows are alike."
    if not table.keys:
        return f"{matrix} has no key frequency above its permutation null{_is_p_right(found)}."
    own, _ = own_and_harmonics(found, table)
    if place is Place.EMBEDDING:
        of = table.basis.removeprefix("characters of ")
        does = f"lays the residues out by {_plural(len(own), 'frequency')} of {of}"
    else:
        does = f"reads the answers at {_plural(len(own), 'frequency')}"
    text = f"{matrix} {does}: {frequencies_in_words(own)}{_harmonics(found, table)}"
    text += f"; {share_in_words(table.energy_in_keys)} of its energy"
    if table.null_energy is not None:
        text += f" (permuted tables: {share_in_words(table.null_energy)})"
    return f"{text}."


def named_table(found: Explanation, place: Place) -> str:
    """Return what a table of a network is called: W_E or W_L, or what stands for it."""
    table = found.embedding if place is Place.EMBEDDING else found.neuron_logit_map
    return table.name or MATRICES[place]


def _harmonics(found: Explanation, table: TableFinding) -> str:
    """Name the doubles and halves among the keys of a table: `, with the double 6`."""
    parents, n = harmonics_of_explanation(found), found.structure.n or 0
    _, others = own_and_harmonics(found, table)
    doubles = [k for k in others if double(parents[k], n) == k]
    halves = [k for k in others if k not in doubles]
    words = [
        f"the {one if len(keys) == 1 else many} {frequencies_in_words(keys)}"
        for one, many, keys in (("double", "doubles", doubles), ("half", "halves", halves))
        if keys
    ]
    return f", with {' and '.join(words)}" if words else ""


def _is_p_right(found: Explanation) -> str:
    """Ask where a table had more entries than residues: under another p it may have keys."""
    table = found.table
    if table is None or not table.left_out:
        return ""
    return f" mod {found.p}; is p right? It has {axis_in_words(table.axis, table.length)}"


def _shapes(found: Explanation) -> list[str]:
    shapes: dict[str, list[int]] = {}
    for key in found.logits.key_shapes:
        if key.harmonic_of is None:
            shapes.setdefault("forced" if key.forced else key.shape, []).append(key.frequency)
    if not shapes:
        return []
    small = _small_harmonics(found.logits.key_shapes)
    if list(shapes) == ["circle"]:
        return ["In the logits every key is a circle, cos(θ_s − θ_c).", *small]
    words = {
        "circle": "circle",
        "ellipse": "ellipse",
        "line": "line",
        "forced": "line that the operation forces",
    }
    told = [
        f"{_plural(len(shapes[shape]), word)} ({frequencies_in_words(shapes[shape])})"
        for shape, word in words.items()
        if shape in shapes
    ]
    kinds = joined_by_and(told)
    line = f"In the logits the keys are {kinds}; a line is a standing wave, cos θ_s·cos θ_c."
    return [line, *small, *_bias(found.ablations)]


def _small_harmonics(keys: Sequence[KeyShape]) -> list[str]:
    """Say how large the harmonics in the logits are beside the largest key."""
    aside = [key for key in keys if key.harmonic_of is not None]
    if not aside:
        return []
    named = frequencies_in_words([key.frequency for key in aside])
    largest, beside = (max(key.major for key in some) for some in (aside, keys))
    one = len(aside) == 1
    size = "an amplitude of" if one else "amplitudes of at most"
    return [
        f"Beside them the {'harmonic' if one else 'harmonics'} {named}, {size} {largest:.2g}; the"
        f" largest key has {beside:.3g}."
    ]


def _bias(found: Ablations) -> list[str]:
    """Say whether the predicted bias makes up for what the class axis loses with its keys alone."""
    kept, predicted = found.logits.keep, found.logits_with_predicted_bias
    if predicted is None or kept is None or kept >= _GOOD:
        return []
    return [
        "Answers off a circle have unequal norms and need the bias −½|z(c)|²: the class axis with"
        f" only its keys answers A = {number_in_words(kept)}, with the predicted bias"
        f" {number_in_words(predicted)}, with the same in a random order"
        f" {number_in_words(found.logits_with_permuted_bias)}."
    ]


def _formula(found: Explanation) -> list[str]:
    clock = found.closed_form
    if clock.agreement is None or clock.numbers is None:
        return []
    agreement = share_in_words(clock.agreement)
    text = (
        f"A formula with {_plural(clock.numbers, 'number')}, one amplitude per key, gives"
        f" {agreement} of its answers"
    )
    ellipse = clock.ellipse
    if clock.agreement >= _GOOD or ellipse is None or ellipse.numbers is None:
        return [f"{text}."]
    return [
        f"{text}; the nearest answer on the keys' ellipses,"
        f" {_plural(ellipse.numbers, 'number')}, {share_in_words(ellipse.agreement)}."
    ]


def _plural(count: int, word: str) -> str:
    first, _, rest = word.partition(" ")
    many = {"frequency": "frequencies"}.get(first, f"{first}s")
    return f"{count} {word}" if count == 1 else f"{count} {many} {rest}".rstrip()


def joined_by_and(texts: Sequence[str]) -> str:
    """Return texts as a list in a sentence: `a, b and c`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
