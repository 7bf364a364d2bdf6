"""Write docs/findings.md, each claim of the paper with one word: `make reproduction`.

The prose stands in findings.md.j2. The numbers come from results/ and from the data that other
pages of the docs were made of; the words come from the rule of `docs.evidence`.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from docs import checks
from docs.evidence import (
    MEASURES,
    NAMES,
    Check,
    Evidence,
    Row,
    Word,
    fell,
    grokked,
    read_evidence,
    word_of,
)
from jinja2 import Environment, StrictUndefined

from grokscope.paper.experiment import load_experiment
from grokscope.paper.labels import label_cells, separations
from grokscope.paper.results import shown_results
from grokscope.paper.store import read_cells
from grokscope.paper.tables import operation_key, table_1, table_a5
from grokscope.reports.moments import SMALLEST_CHANGE

FOLDER: Final = Path(__file__).parent
RESULTS: Final = FOLDER.parent / "results"
TEMPLATE: Final = FOLDER / "findings.md.j2"
TABLES: Final = {FOLDER / "progress_numbers.md": 97, FOLDER / "matched_numbers.md": 59}
EXPLAINED: Final = FOLDER / "explained.csv"
_SIGNIFICANT: Final = 0.05
_LABELS: Final = "figure-a23"
_SYMMETRIC: Final = operation_key("x^2 + x*y + y^2")
_PLATEAUS: Final = ("(x + y)^3, x^3 + x*y", "(x + y)^3, x^3 + x*y^2 + y")
_SPED_UP: Final = ("x + y, x*y + y", "x^2 + y^2, x^2 + x*y + y^2, (x + y)^2")


@dataclass(frozen=True)
class Claim:
    """What can be said of one claim: the one word, and what was seen."""

    word: Word
    seen: str

    @classmethod
    def of(cls, *found: Check) -> "Claim":
        """Return what checks say, by the rule."""
        return cls(word_of(found), "; ".join(map(str, found)))


def page(results: Path = RESULTS) -> str:
    """Return the page."""
    evidence = read_evidence(results, TABLES)
    explained = list(csv.DictReader(EXPLAINED.read_text("utf-8").splitlines()))
    found = claims(evidence, explained) | {"13c": _labels(results)}
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["cell"] = in_markdown
    text = environment.from_string(TEMPLATE.read_text("utf-8"))
    counts = {word: sum(one.word is word for one in found.values()) for word in Word}
    return text.render(c=found, counts=counts, **values(evidence, explained)) + "\n"


def in_markdown(text: str) -> str:
    """Return a text with asterisks and bars that are shown as they are."""
    return text.replace("*", r"\*").replace("|", r"\|")


def claims(e: Evidence, explained: checks.Explained) -> dict[str, Claim]:
    """Return every claim about runs, by the number that the page gives it."""
    checked = _measured(e) | _compared(e, explained) | _trained(e)
    return {name: Claim.of(*found) for name, found in checked.items()}


def _measured(e: Evidence) -> dict[str, list[Check]]:
    """Return claims of what falls and what stays."""
    add, subtract, multiply = checks.ELEMENTARY
    linear = checks.DEGREE_1[0]
    mixed = operation_key("x*y + x + y")
    return {
        "0a": [checks.falls_where_it_groks(e)],
        "0b": [checks.falls_only_there(e)],
        "1a": [
            e.falls("FFS of W_E falls", "ffs_W_E", add),
            e.falls("FFS of W_L falls", "ffs_W_L", add),
        ],
        "1b": [
            e.stays("FCR of W_E stays", "fcr_W_E", add),
            e.stays("FCR of W_L stays", "fcr_W_L", add),
        ],
        "2a": [e.falls("FFS of W_E falls", "ffs_W_E", subtract)],
        "3a": [
            e.stays("FFS of W_E stays", "ffs_W_E", multiply),
            e.stays("FFS of W_L stays", "ffs_W_L", multiply),
        ],
        "3b": [
            e.falls("FCR of W_E falls", "fcr_W_E", multiply),
            e.falls("FCR of W_L falls", "fcr_W_L", multiply),
        ],
        "4": [
            e.falls("FFS of W_E falls", "ffs_W_E", linear),
            e.falls("FCR of W_E falls", "fcr_W_E", linear),
        ],
        "5a": [e.stays("FFS of W_E stays", "ffs_W_E", *checks.POWERS)],
        "5b": [e.falls("FFS of W_L falls", "ffs_W_L", *checks.POWERS)],
        "6a": [e.falls("FFS of W_E falls", "ffs_W_E", *checks.OF_SUMS)],
        "6b": [e.stays("FFS of W_L stays", "ffs_W_L", *checks.OF_SUMS)],
        "6c": [e.falls("FCR of W_E falls, n even", "fcr_W_E", *checks.OF_SUMS[::2])],
        "8a": [
            e.stays("FFS of W_E stays", "ffs_W_E", mixed),
            e.stays("FFS of W_L stays", "ffs_W_L", mixed),
        ],
        "9b": [checks.no_pattern(e)],
    }


def _compared(e: Evidence, explained: checks.Explained) -> dict[str, list[Check]]:
    """Return claims of spectra, losses and shapes."""
    return {
        "2b": checks.lines_and_circles(explained),
        "2c": checks.keys_alone(e),
        "2d": checks.dependent_frequencies(e),
        "2e": [checks.slower(e)],
        "3c": [checks.biased(e, "cosines", checks.MULTIPLY)],
        "7": [checks.characters_of_both(explained)],
        "8b": [checks.biased(e, "neither", operation_key("x*y + x + y"))],
        "13a": [checks.whatever_eta(e)],
        "13b": [checks.whatever_fraction(e)],
    }


def _trained(e: Evidence) -> dict[str, list[Check]]:
    """Return claims of what groks."""
    every = tuple(table_1())
    of_sums = [op for op in checks.OF_SUMS if op in every]
    return {
        "9a": [checks.as_table_a5(e, checks.CROSS)],
        "9c": [checks.as_table_a5(e, tuple(table_a5()))],
        "10a": [checks.as_table_1(e, "PG-E x + y", (*checks.LINEAR, *of_sums))],
        "10b": [checks.as_table_1(e, "PG-T x*y", (*checks.LINEAR, *checks.DEGREE_1))],
        "10c": [checks.as_table_1(e, start, every) for start in ("PG-E x*y", "PG-T x - y")],
        "10d": checks.helped_by_parts(e),
        "11": [checks.on_random_embedding(e)],
        "12a": [checks.as_figure(e, "figure-10", ", ".join(checks.ELEMENTARY))],
        "12b": [checks.sped_up(e, *_SPED_UP)],
        "12c": [checks.as_figure(e, "figure-11", *_PLATEAUS)],
        "13d": checks.other_moduli(e),
        "13e": [checks.as_figure(e, "figure-a22", operation_key("x^3 + x*y"))],
    }


def _labels(results: Path) -> Claim:
    """Return what the label statistics say, which are of splits and not of runs."""
    experiment = load_experiment(_LABELS)
    rows = shown_results(experiment, read_cells(results, _LABELS), ()).rows
    found, settings = separations(rows), len(label_cells(experiment))
    whole = min(1.0, min((s.p_value for s in found), default=1.0) * len(found))
    seen = (
        f"{len(rows)} of {settings} settings counted; of {len(found)} comparisons the clearest has"
        f" p = {whole:.2g} after correction"
    )
    return Claim(labels_word(whole, complete=len(rows) == settings), seen)


def labels_word(p_value: float, *, complete: bool) -> Word:
    """Return the word for "nothing in the labels tells what groks": of tests, not of runs."""
    if not complete:
        return Word.UNDECIDED
    return Word.REPRODUCED if p_value > _SIGNIFICANT else Word.NOT_REPRODUCED


def values(e: Evidence, explained: checks.Explained) -> dict[str, Any]:
    """Return what the template names: numbers of its prose, and rows of its tables."""
    return {
        "word": Word,
        "measure": measure_of(e),
        "parity": list(_parities(e, explained)),
        "later": list(_ratios(e)),
        "readouts": [*_readouts(e, checks.SUBTRACT), *_readouts(e, checks.ADD)],
        "unmoved": [
            _setting(row) for row in e.scratch() if grokked(row) and not checks.some_fall(row)
        ],
        "alarms": list(_alarms(e)),
        "symmetric": list(_outcomes(e.scratch(_SYMMETRIC))),
        "even": [
            f"{100 * shares['W_E']:.0f}% ({_setting(row)})"
            for row, shares in checks.larger_cosines(e, _SYMMETRIC)
        ],
        "powers": [(op, e.of(op)[0]) for op in checks.POWERS if e.of(op)],
        "sums": [(op, e.of(op)[0]) for op in checks.OF_SUMS if e.of(op)],
        "mixtures": list(_parts(e)),
        "etas": _etas(e),
        "runs": len(e.rows),
        "networks": len(explained),
    }


def measure_of(e: Evidence) -> Callable[[str, str], str]:
    """Return what writes a measure of an operation, at the paper's modulus where it is known."""

    def measure(operation: str, name: str) -> str:
        found = e.of(operation_key(operation))
        return f"{found[0].end(name)} ({found[0].words})" if found else "not known"

    return measure


def _setting(row: Row) -> str:
    return f"{row['operation']} mod {row['p']}, r = {row['train_fraction']:g}, seed {row['seed']}"


def _parities(e: Evidence, explained: checks.Explained) -> Iterator[dict[str, Any]]:
    """Yield, per network of x*y, its keys in W_L, how many are even, and the larger cosines."""
    of_seed = {
        (int(row["p"]), float(row["train_fraction"]), int(row["seed"])): row["keys_W_L"].split()
        for row in explained
        if operation_key(row["operation"]) == checks.MULTIPLY
    }
    for row, shares in checks.larger_cosines(e, checks.MULTIPLY):
        if not grokked(row):
            continue
        keys = of_seed.get((row["p"], row["train_fraction"], row["seed"]), [])
        even = sum(int(key) % 2 == 0 for key in keys)
        yield {
            "setting": _setting(row),
            "keys": " ".join(keys),
            "even": f"{even} of {len(keys)}" if keys else "not explained",
            "bias": checks.bias(shares),
            **{matrix: f"{100 * share:.0f}%" for matrix, share in shares.items()},
        }


def _ratios(e: Evidence) -> Iterator[dict[str, str]]:
    """Yield by how much later x - y grokked than x + y, where all runs of both did."""
    for g in e.of(checks.SUBTRACT):
        place = (g.p, g.fraction)
        both = [
            [r for r in e.scratch(op) if (r["p"], r["train_fraction"]) == place]
            for op in (checks.SUBTRACT, checks.ADD)
        ]
        if all(rows and all(map(grokked, rows)) for rows in both):
            later, sooner = (median(row["grokked_at"] for row in rows) for rows in both)
            n = " and ".join(str(len(rows)) for rows in both)
            yield {
                "later": f"{later:,.0f}",
                "sooner": f"{sooner:,.0f}",
                "ratio": f"{later / sooner:.1f}",
                "place": f"p = {g.p}, r = {g.fraction:g}, n = {n}",
            }


def _readouts(e: Evidence, operation: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the losses of each network: keys alone, all, without a frequency that is no key."""
    lost = {row["cell"]: loss for row, loss in checks.largest_losses(e, operation)}
    for row, alone, whole in checks.losses(e, operation):
        without = f"{lost[row['cell']]:.2g}" if row["cell"] in lost else "not known"
        yield _setting(row), f"{alone:.2g}", f"{whole:.2g}", without


def _alarms(e: Evidence) -> Iterator[str]:
    """Yield the runs that grokked neither here nor in the paper, with what fell all the same."""
    for row in filter(checks.grokked_nowhere, e.scratch()):
        fallen = [name for name in MEASURES if fell(row, name)]
        if fallen:
            words = ", ".join(f"{NAMES[n]} to {row[n]:.2f}" for n in fallen)
            yield f"{_setting(row)}, {row['steps']:,} steps: {words}"


def _outcomes(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield a line per setting: accuracy, unleaked accuracy and FCR of W_E, with their ranges."""
    settings: dict[tuple[int, float], list[Row]] = {}
    for row in rows:
        settings.setdefault((row["p"], row["train_fraction"]), []).append(row)
    for (p, r), some in sorted(settings.items()):
        columns = ("best_test_accuracy", "unleaked_accuracy", "fcr_W_E")
        numbers = {name: _range([row[name] for row in some]) for name in columns}
        yield {"p": p, "r": r, "n": len(some), "steps": max(r["steps"] for r in some), **numbers}


def _range(numbers: Sequence[float]) -> str:
    texts = [f"{number:.3f}" for number in (median(numbers), min(numbers), max(numbers))]
    return f"{texts[0]} ({texts[1]} to {texts[2]})" if len(numbers) > 1 else texts[0]


def _parts(e: Evidence) -> Iterator[dict[str, str]]:
    """Yield the operations of mixtures beside the same operation alone."""
    for cell in e.cells.values():
        for part in cell.rows[1:]:
            place = (part["p"], part["train_fraction"], part["seed"])
            alone = [
                row
                for row in e.scratch(part["task"])
                if (row["p"], row["train_fraction"], row["seed"]) == place
            ]
            yield {
                "mixture": part["operation"],
                "part": part["task"],
                "place": f"p = {place[0]}, r = {place[1]:g}, seed {place[2]}",
                "mixed": _end(part),
                "alone": _end(alone[0]) if alone else "not run",
            }


def _end(row: Row) -> str:
    """Say at which step a run grokked, or how far it is, on all test pairs and on unleaked ones."""
    if grokked(row):
        return f"grokked at {row['grokked_at']:,}"
    best, unleaked = 100 * row["best_test_accuracy"], 100 * row["unleaked_accuracy"]
    return f"{best:.0f}% at {row['steps']:,} (unleaked {unleaked:.0f}%)"


def _etas(e: Evidence) -> list[float]:
    """Return the η at which FFS falls as the paper's does in every run and both tables."""
    wrong, tried = set(), set()
    for operation in checks.ELEMENTARY:
        for _, lines in e.series("etas", operation):
            for (_, eta), fall in checks.eta_falls(lines).items():
                tried.add(eta)
                if (fall >= SMALLEST_CHANGE) != (operation != checks.MULTIPLY):
                    wrong.add(eta)
    return sorted(tried - wrong)


def main() -> None:
    """Write the page."""
    (FOLDER / "findings.md").write_text(page())
    print("docs/findings.md")


if __name__ == "__main__":
    main()
