"""An explanation, as its JSON document has it, told in sentences and as the row of a table."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from grokscope.disk.residues import axis_in_words, taken_in_words
from grokscope.explanation.circuit import LARGEST_UNTESTABLE, MATRICES
from grokscope.explanation.keys import double
from grokscope.explanation.verdict import FINITE, NEW_PAIRS

Document = Mapping[str, Any]

VERDICTS: Final = {
    "explained": "explained",
    "partly": "partly explained",
    "not decided": "not decided",
    "not explained": "not explained",
}
_ROLES: Final = {
    "embedding": "read as an embedding",
    "readout": "read as a readout",
    None: "a table whose name does not say of what, its residues read as x",
}
NOT_TESTABLE: Final = "not testable"
_GOOD: Final = 0.98
"""Agreement from which a formula stands for the network."""


def share_in_words(value: float | None) -> str:
    """Return a share in percent with two digits at most, never rounded up to 100%."""
    if value is None:
        return NOT_TESTABLE
    text = f"{100 * min(value, 0.9999):.2f}" if value < 1 else "100"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def number_in_words(value: float | None, digits: int = 2) -> str:
    """Return A, or another number near 1, with a few digits; never rounded up to 1."""
    if value is None:
        return NOT_TESTABLE
    largest = 1 - 10**-digits
    text = f"{largest if largest < value < 1 else value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def headline(document: Document) -> str:
    """Return what was looked at and the verdict: `x*y mod 97, seed 0, step 6,700: explained`."""
    parts = [] if document["table"] is None else [document["table"]["name"]]
    parts.append(f"{document['operation']} mod {document['p']}")
    if document["seed"] is not None:
        parts.append(f"seed {document['seed']}")
    if document["step"] is not None:
        parts.append(f"step {document['step']:,}")
    if document["by"] is not None:
        parts.append(f"a control, read by {document['by']['operation']}")
    return f"{', '.join(parts)}: {VERDICTS[document['verdict']]}"


def sentences(document: Document) -> list[str]:
    """Return what the network found: the structure, its keys, their shape, a formula.

    What limits all of it comes first: that it is a control, and that nothing is there to explain.
    """
    first = [_table(document), control_in_words(document), _by_heart(document)]
    if broken := not_finite_in_words(document):
        return [f"Nothing can be read out: {broken}."]
    n = document["structure"]["n"]
    if n is None:
        searched = document["structure"]["words"]
        told = [f"{searched}.", "Without a structure there is no basis to look for keys in."]
    else:
        told = [_structure(document)]
        if n > LARGEST_UNTESTABLE:
            told += [_keys(document, "embedding"), _keys(document, "readout")]
        told += [*_shapes(document), *_formula(document), _not_decided(document)]
    return [text for text in [*first, *told] if text]


def one_sentence(document: Document) -> str:
    """Return the verdict with what it rests on, for the top of a report."""
    if broken := not_finite_in_words(document):
        return f"Which algorithm it found cannot be said: {broken}."
    if by_heart := _by_heart(document):
        return f"Not explained. {by_heart}"
    verdict = f"The algorithm is {VERDICTS[document['verdict']]}"
    words = document["structure"]["words"]
    if document["structure"]["n"] is None:
        return f"{verdict}: {words}."
    families = len(document["families"])
    held = f"{families} {'family' if families == 1 else 'families'} of key frequencies"
    text = f"{verdict}: {words}, on {held}" if families else f"{verdict}: {words}, no keys found"
    lacking = [claim["name"] for claim in failed_claims(document)]
    return f"{text}; not shown: {', '.join(lacking)}." if lacking else f"{text}."


def control_in_words(document: Document) -> str:
    """Return that an explanation is a control, and what it should find; "" if it is none."""
    by = document["by"]
    if by is None:
        return ""
    expected = (
        f"{by['operation']} lays residues out by the same characters, so that W_E cannot tell"
        " the two apart."
        if by["same_characters"]
        else "Nothing should be found."
    )
    return (
        f"This is a control: the network was trained on {document['operation']} and is read here"
        f" by the structure of {by['operation']}. {expected}"
    )


def _table(document: Document) -> str:
    """Say what was read of a table alone, and what it was taken for; "" for a network."""
    table = document["table"]
    if table is None:
        return ""
    taken = taken_in_words(document["p"], table["axis"], table["length"])
    return f"{table['name']}, {_ROLES[table['role']]}: {taken}."


def algorithm_in_words(document: Document) -> str:
    """Return how circles of x and y are joined, with the numbers that say so; "" if unknown."""
    found = document["algorithm"]
    names = ("gradient_symmetricity", "distance_irrelevance", "circularity")
    known = [
        f"{n.replace('_', ' ')} {number_in_words(found[n])}"
        for n in names
        if found.get(n) is not None
    ]
    kind = f"{found['kind']}: " if found.get("kind") else ""
    return f"{kind}{', '.join(known)}" if known else ""


def failed_claims(document: Document) -> list[Document]:
    """Return the claims that the verdict needed and that do not hold."""
    return [c for c in document["claims"] if c["decisive"] and c["verdict"] != "holds"]


def own_and_harmonics(document: Document, place: str) -> tuple[list[int], list[int]]:
    """Part the keys of a table, the strongest first, into those of their own and harmonics."""
    keys = document[place]["key_frequencies"]
    known = harmonics_of_document(document)
    return [k for k in keys if k not in known], [k for k in keys if k in known]


def harmonics_of_document(document: Document) -> dict[int, int]:
    """Return the keys that are doubles or halves of another one, with that one."""
    rows = document["keys"]
    return {r["frequency"]: r["harmonic_of"] for r in rows if r["harmonic_of"] is not None}


def harmonic_in_words(k: int, of: int, n: int) -> str:
    """Return what a harmonic is of its key: `double of 13` or `half of 41`."""
    return f"{'double' if double(of, n) == k else 'half'} of {of}"


def frequencies_in_words(keys: Sequence[int]) -> str:
    """Return frequencies as text."""
    return " ".join(map(str, keys))


def is_additive(document: Document) -> bool:
    """Whether the coordinates are x and y themselves, so that the basis that fits is additive."""
    structure = document["structure"]
    return structure["n"] == document["p"] and structure["u"] == "x"


def not_finite_in_words(document: Document) -> str:
    """Return in a clause what of a network is not finite, so that nothing can be read out."""
    claim = _failing(document, FINITE)
    if claim is None:
        return ""
    what = claim["statement"].removesuffix(" is finite")
    return f"{what} holds numbers that are not finite, as after training has diverged"


def _failing(document: Document, name: str) -> Document | None:
    """Return the claim of this name where it fails."""
    found = (c for c in document["claims"] if c["name"] == name and c["verdict"] == "fails")
    return next(found, None)


def _by_heart(document: Document) -> str:
    """Say that a network answers nothing new, so that there is nothing to explain."""
    claim = _failing(document, NEW_PAIRS)
    if claim is None:
        return ""
    return (
        "It answers pairs that it was not trained on hardly better than guessing (accuracy"
        f" {claim['value']:+.3f} beside it): it knows pairs by heart at most, so there is no"
        " algorithm to read out yet."
    )


def _not_decided(document: Document) -> str:
    """Say why what did not fail is not explained either."""
    if document["verdict"] != "not decided":
        return ""
    if document["structure"]["n"] <= LARGEST_UNTESTABLE:
        group = document["structure"]["group"]
        return f"It is not decided: {group} has one frequency, and no other to compare it with."
    if document["causal"]["full"] is None:
        return (
            "It is not decided: a table alone shows which frequencies it holds; whether answers"
            " come from them takes the whole network."
        )
    lacking = ", ".join(claim["name"] for claim in failed_claims(document))
    return f"It is not decided: nothing failed, but this cannot be tested here: {lacking}."


def _structure(document: Document) -> str:
    structure = document["structure"]
    u, v, g = structure["u"], structure["v"], structure["g"]
    if any("table" in text for text in (u, v, g)) or g == "s":
        return f"{structure['words']}."
    total = f"{u} + {v}".replace("+ -", "- ")
    return f"{structure['words']}: the answer is {g}, s = {total} in {structure['group']}."


def _keys(document: Document, place: str) -> str:
    table, found = document["table"], document[place]
    matrix = MATRICES[place] if table is None else table["name"]
    if found["basis"] is None:
        return ""
    if found["saturated"]:
        return (
            f"{matrix} is saturated: its keys fill over half of what the coordinate can tell"
            " apart, so this table cannot show which it uses."
        )
    keys = found["key_frequencies"]
    if not keys:
        return f"{matrix} has no key frequency above its permutation null{_is_p_right(document)}."
    own, others = own_and_harmonics(document, place)
    does = "lays the residues out by" if place == "embedding" else "reads the answers at"
    of = found["basis"].removeprefix("characters of ") if place == "embedding" else ""
    text = f"{matrix} {does} {_plural(len(own), 'frequency')}{f' of {of}' if of else ''}"
    text += f": {frequencies_in_words(own)}"
    parents, n = harmonics_of_document(document), document["structure"]["n"]
    doubles = [k for k in others if double(parents[k], n) == k]
    halves = [k for k in others if k not in doubles]
    words = [
        f"the {one if len(found) == 1 else many} {frequencies_in_words(found)}"
        for one, many, found in (("double", "doubles", doubles), ("half", "halves", halves))
        if found
    ]
    if words:
        text += f", with {' and '.join(words)}"
    return f"{text}; {share_in_words(found['energy_in_keys'])} of its energy" + (
        "."
        if found["null_energy"] is None
        else f" (permuted tables: {share_in_words(found['null_energy'])})."
    )


def _is_p_right(document: Document) -> str:
    """Ask where a table had more entries than residues: under another p it may have keys."""
    table = document["table"]
    if table is None or not table["left_out"]:
        return ""
    return (
        f" mod {document['p']}; is p right? It has {axis_in_words(table['axis'], table['length'])}"
    )


def _shapes(document: Document) -> list[str]:
    shapes: dict[str, list[int]] = {}
    all_keys = document["logits"]["key_shapes"]
    for key in (key for key in all_keys if key.get("harmonic_of") is None):
        shape = "forced" if key.get("forced") else key["shape"]
        shapes.setdefault(shape, []).append(key["frequency"])
    if not shapes:
        return []
    small = _small_harmonics(all_keys)
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
    found = [
        f"In the logits the keys are {_and(told)}; a line is a standing wave, cos θ_s·cos θ_c."
    ]
    return [*found, *small, *_bias(document["causal"])]


def _small_harmonics(keys: Sequence[Document]) -> list[str]:
    """Say how large the harmonics in the logits are beside the largest key."""
    aside = [key for key in keys if key.get("harmonic_of") is not None]
    if not aside:
        return []
    named = frequencies_in_words([key["frequency"] for key in aside])
    largest, beside = (max(key["major"] for key in found) for found in (aside, keys))
    word = "harmonic" if len(aside) == 1 else "harmonics"
    size = f"{'an amplitude' if len(aside) == 1 else 'amplitudes'} of"
    most = "" if len(aside) == 1 else " at most"
    return [
        f"Beside them the {word} {named}, {size}{most} {largest:.2g}; the largest key has"
        f" {beside:.3g}."
    ]


def _bias(causal: Document) -> list[str]:
    """Say whether the predicted bias makes up for what the class axis loses with its keys alone."""
    kept = causal["readout"]["keep"]
    predicted, permuted = (causal.get(f"readout_with_{b}_bias") for b in ("predicted", "permuted"))
    if predicted is None or kept is None or kept >= _GOOD:
        return []
    return [
        "Answers off a circle have unequal norms and need the bias −½|z(c)|²: the class axis with"
        f" only its keys answers A = {number_in_words(kept)}, with the predicted bias"
        f" {number_in_words(predicted)}, with the same in a random order"
        f" {number_in_words(permuted)}."
    ]


def _formula(document: Document) -> list[str]:
    clock = document["closed_form"]
    ellipse = clock.get("ellipse")
    if clock["agreement"] is None:
        return []
    simple = f"{_plural(clock['numbers'], 'number')}, one amplitude per key,"
    agreement = share_in_words(clock["agreement"])
    if clock["agreement"] >= _GOOD or not ellipse:
        return [f"A formula with {simple} gives {agreement} of its answers."]
    return [
        f"A formula with {simple} gives {agreement} of its answers; the nearest"
        f" answer on the keys' ellipses, {_plural(ellipse['numbers'], 'number')},"
        f" {share_in_words(ellipse['agreement'])}."
    ]


def _plural(count: int, word: str) -> str:
    first, _, rest = word.partition(" ")
    many = {"frequency": "frequencies"}.get(first, f"{first}s")
    return f"{count} {word}" if count == 1 else f"{count} {many} {rest}".rstrip()


def _and(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


_TABLES: Final = {"W_E": "embedding", "W_L": "readout"}
_PLACES: Final = {"W_E": "embedding", "neurons": "neurons", "class_axis": "readout"}
_TESTS: Final = ("keep", "remove", "control", "keep_others")

COLUMNS: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("mixture_operation", pa.string()),
    ("explained_step", pa.int64()),
    ("verdict", pa.string()),
    ("fails", pa.string()),
    ("group", pa.string()),
    *(
        (f"{table}_{what}", pa.list_(kind))
        for table in _TABLES
        for what, kind in (("keys", pa.int64()), ("shares", pa.float64()))
    ),
    *((f"A_{place}_{test}", pa.float64()) for place in _PLACES for test in _TESTS),
    ("A_both_keep", pa.float64()),
    ("why_not", pa.string()),
)
"""What a row has beside those of `rows_of`: the operation of a mixture; the step; the verdict, and
the claims that it lacks; the group; the keys of W_E and W_L, each with its share of the table's
energy; A of every ablation; why there is no explanation."""


def row_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of one explanation."""
    if reason := not_finite_in_words(document):
        return {"explained_step": document["step"], "why_not": reason}
    causal = document["causal"]
    row: dict[str, Any] = {
        "explained_step": document["step"],
        "verdict": document["verdict"],
        "fails": ", ".join(
            c["name"] for c in document["claims"] if c["decisive"] and c["verdict"] == "fails"
        ),
        "group": document["structure"]["group"],
        "A_both_keep": causal.get("both_keep"),
    }
    for table, place in _TABLES.items():
        keys, spectrum = document[place]["key_frequencies"], document[place]["spectrum"]
        row[f"{table}_keys"] = list(keys)
        row[f"{table}_shares"] = [spectrum[k - 1] for k in keys] if spectrum else []
    for name, place in _PLACES.items():
        row |= {f"A_{name}_{test}": (causal.get(place) or {}).get(test) for test in _TESTS}
    return row


def row_in_words(row: Mapping[str, Any]) -> str:
    """Return the verdict of a row in words, or why there is none."""
    return row.get("why_not") or VERDICTS.get(row.get("verdict") or "", "not explained yet")
