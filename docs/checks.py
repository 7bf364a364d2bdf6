"""Checks of what the paper claims, each on the runs that can tell; `docs.findings` shows them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from docs.evidence import MEASURES, Check, Evidence, Row, check_each, fell, grokked

from grokscope.paper.agreement import PAPER_P, Claims, State, Tally, cell_state
from grokscope.paper.experiment import load_experiment, operations_of
from grokscope.paper.tables import PaperCell, operation_key, table_a5
from grokscope.reports.moments import SMALLEST_CHANGE

ADD, SUBTRACT, MULTIPLY = (operation_key(text) for text in ("x + y", "x - y", "x*y"))
ELEMENTARY: Final = (ADD, SUBTRACT, MULTIPLY)
POWERS: Final = tuple(operation_key(f"x^{n} + y^{n}") for n in range(2, 8))
OF_SUMS: Final = tuple(operation_key(f"(x + y)^{n}") for n in range(2, 8))
CROSS: Final = operations_of(["cross_degree_n"])
LINEAR: Final = operations_of(["linear"])
DEGREE_1: Final = tuple(operation_key(text) for text in ("x*y + y", "x*y - y"))
RANDOM: Final = "random embedding, frozen"
PARTS: Final = "PG-"
FRACTIONS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

BIASED: Final = 0.9
"""Share of frequencies at which one of cosine and sine is larger, from which it is a bias."""
MUCH_WORSE: Final = 10.0
"""Loss of the key part over that of the whole, from which the keys alone are called bad."""
LOST: Final = 0.1
"""Loss in nats without a frequency, from which a network is said to depend on it."""
LINE: Final = 0.25
"""Ratio b/a of a key in the logits, under which its shape is a line rather than a circle."""
Explained = Sequence[Mapping[str, str]]


def some_fall(row: Row) -> bool:
    """Whether one of the four measures fell."""
    return any(fell(row, name) for name in MEASURES)


def falls_where_it_groks(e: Evidence) -> Check:
    """Check that some measure fell in every run that grokked."""
    return _each("some measure falls where it grokked", filter(grokked, e.scratch()), some_fall)


def grokked_nowhere(row: Row) -> bool:
    """Whether neither a run nor the paper's at its place grokked."""
    paper = _in_table_a5(row)
    return paper is not None and not paper.grokked and not grokked(row)


def falls_only_there(e: Evidence) -> Check:
    """Check that no measure fell in runs that grokked neither here nor in the paper."""
    rows = filter(grokked_nowhere, e.scratch())
    return _each("none falls where nothing grokked", rows, lambda row: not some_fall(row))


def _each(what: str, rows: Iterable[Row], holds: Callable[[Row], bool | None]) -> Check:
    return check_each(what, [(holds(row), row["p"]) for row in rows])


def _in_table_a5(row: Row) -> PaperCell | None:
    known = table_a5().get(row["operation"]) if row["p"] == PAPER_P else None
    return None if known is None else known.cells.get(row["train_fraction"])


def as_table_a5(e: Evidence, operations: Sequence[str]) -> Check:
    """Check that settings grokked where the paper's Table A.5 says so, and nowhere else."""
    told = _cells(e.scratch(*operations), _in_table_a5)
    return check_each("settings as in Table A.5", told, len(operations) * len(FRACTIONS))


def as_table_1(e: Evidence, start: str, operations: Sequence[str]) -> Check:
    """Check that settings grokked on frozen parts where the paper's Table 1 says so."""
    claims = Claims(load_experiment("table-1"), "table_1")
    rows = [r for r in e.rows if r["start"] == start and r["operation"] in operations]
    told = _cells(rows, claims.cell)
    return check_each(f"settings on {start}", told, len(operations) * len(FRACTIONS))


def as_figure(e: Evidence, name: str, *operations: str) -> Check:
    """Check the statements that an experiment has of some operations or mixtures."""
    views = load_experiment(name).views
    said = next(view.options["paper"] for view in views if "paper" in view.options)
    claims = Claims(load_experiment(name), said)
    rows = [row for row in e.rows if row["operation"] in operations]
    # a statement that names no operation is about all of them
    about = [one for one in said if one.get("operation", operations[0]) in operations]
    return check_each("settings as the paper says", _cells(rows, claims.cell), len(about))


def _cells(
    rows: Iterable[Row], paper: Callable[[Row], PaperCell | None]
) -> list[tuple[bool | None, int]]:
    """Return, per setting that the paper speaks of, whether ours ended as there."""
    settings: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if paper(row) is not None:
            place = (row["operation"], row["start"], row["p"], row["train_fraction"])
            settings.setdefault(place, []).append(row)
    return [(_agrees(some, paper(some[0])), some[0]["p"]) for some in settings.values()]


def _agrees(rows: Sequence[Row], paper: PaperCell | None) -> bool | None:
    told = {State.AGREES: True, State.DIFFERS: False, State.ONE_STEP: False}
    state = cell_state(
        None if paper is None else paper.grokked, Tally.of(r["status"] for r in rows)
    )
    return told.get(state)


def lines_and_circles(explained: Explained) -> list[Check]:
    """Check that some keys of x - y are lines in the logits, and none of x + y."""
    return [
        check_each("some key of x - y is a line", _shapes(explained, SUBTRACT, lines=True)),
        check_each("none of x + y", _shapes(explained, ADD, lines=False)),
    ]


def _shapes(explained: Explained, operation: str, *, lines: bool) -> list[tuple[bool, int]]:
    rows = [r for r in explained if operation_key(r["operation"]) == operation]
    return [((min(ratios(row)) < LINE) == lines, int(row["p"])) for row in rows]


def ratios(row: Mapping[str, str]) -> list[float]:
    """Return b/a of every key in the logits."""
    return [float(shape.split(":")[1]) for shape in row["shapes"].split()]


def keys_alone(e: Evidence) -> list[Check]:
    """Check that the key part of the logits is bad for x - y and good for x + y, as Table A.4."""
    found = {
        op: [(row["p"], key / whole >= MUCH_WORSE) for row, key, whole in losses(e, op)]
        for op in (SUBTRACT, ADD)
    }
    return [
        check_each("keys alone are bad for x - y", [(bad, p) for p, bad in found[SUBTRACT]]),
        check_each("good for x + y", [(not bad, p) for p, bad in found[ADD]]),
    ]


def losses(e: Evidence, operation: str) -> list[tuple[Row, float, float]]:
    """Return each run with its training loss from the key part, and from the whole."""
    found = []
    for row, lines in e.series("losses", operation):
        loss = {line["part"]: line["loss"] for line in lines if line["side"] == "train"}
        found.append((row, loss["restricted_loss"], loss["train_loss"]))
    return found


def dependent_frequencies(e: Evidence) -> list[Check]:
    """Check that x - y depends on frequencies that are no keys, and x + y does not."""
    found = {
        op: [(row["p"], loss > LOST) for row, loss in largest_losses(e, op)]
        for op in (SUBTRACT, ADD)
    }
    return [
        check_each("x - y depends on others", [(lost, p) for p, lost in found[SUBTRACT]]),
        check_each("x + y does not", [(not lost, p) for p, lost in found[ADD]]),
    ]


def largest_losses(e: Evidence, operation: str) -> list[tuple[Row, float]]:
    """Return each run with its largest loss without a frequency of the answers that is no key."""
    return [
        (row, max(one["loss"] for one in lines if one["place"] == "class axis" and not one["key"]))
        for row, lines in e.series("frequencies", operation)
    ]


def slower(e: Evidence) -> Check:
    """Check that x - y groks later than every run of x + y at the same p and r."""
    told = []
    for row in e.scratch(SUBTRACT):
        place = (row["p"], row["train_fraction"])
        others = [r for r in e.scratch(ADD) if (r["p"], r["train_fraction"]) == place]
        if others and all(map(grokked, others)):
            told.append((_later(row, max(r["grokked_at"] for r in others)), row["p"]))
    return check_each("x - y later than x + y", told)


def _later(row: Row, step: int) -> bool | None:
    """Whether a run grokked after a step; None where it is undecided before."""
    if grokked(row):
        return row["grokked_at"] > step
    return True if row["steps"] > step else None


def biased(e: Evidence, to: str, operation: str) -> Check:
    """Check to what both tables are biased: to cosines, to sines or to neither."""
    found = larger_cosines(e, operation)
    told = [(bias(shares) == to, row["p"]) for row, shares in found if grokked(row)]
    return check_each(f"W_E and W_L are biased to {to}", told)


def bias(shares: Mapping[str, float]) -> str:
    """Say of two tables, by the share of frequencies with larger cosines, what both favour."""
    if min(shares.values()) >= BIASED:
        return "cosines"
    return "sines" if 1 - max(shares.values()) >= BIASED else "neither"


def larger_cosines(e: Evidence, operation: str) -> list[tuple[Row, dict[str, float]]]:
    """Return each run with the share of frequencies at which the cosine is larger, by table."""
    found = []
    for row, lines in e.series("spectra", operation):
        shares = {}
        for matrix in ("W_E", "W_L"):
            larger = [one["cos"] > one["sin"] for one in lines if one["matrix"] == matrix]
            shares[matrix] = sum(larger) / len(larger)
        found.append((row, shares))
    return found


def characters_of_both(explained: Explained) -> Check:
    """Check that x^2 - y is explained by characters of x^2 and of y."""
    rows = [r for r in explained if r["operation"] == "x^2 - y"]
    told = [(r["verdict"] == "explained" and "x^2 and -y" in r["basis"], int(r["p"])) for r in rows]
    return check_each("x^2 - y holds characters of x^2 and of y", told)


def no_pattern(e: Evidence) -> Check:
    """Check that no measure falls for operations without structure, grokked or not."""
    rows = e.scratch(*CROSS)
    return _each("no measure falls", rows, lambda row: not some_fall(row))


def helped_by_parts(e: Evidence) -> list[Check]:
    """Check that frozen parts of its own help an operation, and of the others some do."""
    own, others = [], []
    for whole in e.scratch(*ELEMENTARY):
        helped: dict[bool, set[bool | None]] = {True: set(), False: set()}
        for row in e.rows:
            if _seeded(row) == _seeded(whole) and str(row["start"]).startswith(PARTS):
                is_own = str(row["start"]).endswith(f" {row['operation']}")
                helped[is_own].add(helps(row, whole))
        own += [(one, whole["p"]) for one in helped[True]]
        if {True, False} <= helped[False]:
            others.append((True, whole["p"]))
        elif True not in helped[False] and False in helped[False] and None not in helped[False]:
            others.append((False, whole["p"]))
    return [
        check_each("its own parts help", own),
        check_each("some of another help, some not", others),
    ]


def _seeded(row: Row) -> tuple[Any, ...]:
    return row["operation"], row["p"], row["train_fraction"], row["seed"]


def helps(row: Row, whole: Row) -> bool | None:
    """Whether a run on frozen parts grokked sooner than from scratch; None where it is unknown."""
    if not grokked(whole):
        return None
    later = _later(row, whole["grokked_at"])
    return None if later is None else not later


def on_random_embedding(e: Evidence) -> Check:
    """Check that operations grok on a frozen random embedding; undecided runs cannot tell."""
    rows = [row for row in e.rows if row["start"] == RANDOM]
    return check_each("groks", [(grokked(r) or None, r["p"]) for r in rows])


def sped_up(e: Evidence, *mixtures: str) -> Check:
    """Check that no operation of a mixture groks later than alone."""
    told = []
    for cell in e.cells.values():
        whole = cell.rows[0]
        if whole["operation"] in mixtures:
            told.append((_none_later(e, cell.rows[1:]), whole["p"]))
    return check_each("none later than alone", told)


def _none_later(e: Evidence, parts: Iterable[Row]) -> bool | None:
    later = set()
    for part in parts:
        place = (part["task"], part["p"], part["train_fraction"], part["seed"])
        for alone in e.scratch(part["task"]):
            if _seeded(alone) == place and grokked(alone):
                later.add(_later(part, alone["grokked_at"]))
    if True in later:
        return False
    return None if None in later or not later else True


def whatever_eta(e: Evidence) -> Check:
    """Check that at every η FFS of both tables falls for x + y and x - y, and not for x*y."""
    told = []
    for operation in ELEMENTARY:
        for row, lines in e.series("etas", operation):
            falls = {fall >= SMALLEST_CHANGE for fall in eta_falls(lines).values()}
            told.append((falls == {operation != MULTIPLY}, row["p"]))
    return check_each("the same at every η", told)


def eta_falls(lines: Iterable[Row]) -> dict[tuple[str, float], float]:
    """Return by how much FFS falls, by table and η."""
    curves: dict[tuple[str, float], list[tuple[int, float]]] = {}
    for line in lines:
        curves.setdefault((line["matrix"], line["eta"]), []).append((line["step"], line["value"]))
    return {key: min(points)[1] - max(points)[1] for key, points in curves.items()}


def whatever_fraction(e: Evidence) -> Check:
    """Check that at every r FFS of W_E falls for x + y and stays for x*y."""
    told = []
    for operation in (ADD, MULTIPLY):
        for g in e.of(operation):
            k = g.fell["ffs_W_E"] if operation == ADD else g.n - g.fell["ffs_W_E"]
            told += [(True, g.p)] * k + [(False, g.p)] * (g.n - k)
    known = [g for g in e.of(ADD, MULTIPLY) if g.p == PAPER_P]
    settings = len(told) + 2 * len(FRACTIONS) - len(known)
    return check_each("FFS of W_E the same at every r", told, settings)


def other_moduli(e: Evidence) -> list[Check]:
    """Check that the elementary operations grok modulo 59 and 113 at r = 0.5."""
    return [
        check_each(
            f"elementary operations grok mod {p}",
            [
                (grokked(row) or None, p)
                for row in e.scratch(*ELEMENTARY)
                if row["p"] == p and row["train_fraction"] == 0.5
            ],
            papers=(p,),
        )
        for p in (59, 113)
    ]
