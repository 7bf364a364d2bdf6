"""What a run shows, in sentences with its numbers: outcomes, and the falls of the measures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from grokscope.disk.curves import Curve
from grokscope.explanation.sentences import joined_by_and
from grokscope.measures import MEASURES, TABLES, high_since
from grokscope.reports.figures.over_time import FITTING, SHOWN
from grokscope.reports.record import RunRecord
from grokscope.rounding import share_in_percent
from grokscope.tasks import one_sided
from grokscope.tasks.structure import structure_of

FITS = "basis that fits"
ADDITIVE = "additive basis"


class Fall(NamedTuple):
    """One measure of one table in one basis."""

    key: str
    table: str
    curves: Mapping[int, Curve]
    """Per seed that has it defined somewhere."""

    @property
    def name(self) -> str:
        """The measure and its table in words."""
        return f"{MEASURES[self.key].symbol} of {self.table}"

    @property
    def ends(self) -> tuple[float, float]:
        """First and last value, medians over the seeds; raises where no seed has it."""
        ends = [c.values[~np.isnan(c.values)][[0, -1]] for c in self.curves.values()]
        first, last = np.median(ends, axis=0)
        return float(first), float(last)


class RecordedBasis(NamedTuple):
    """What was recorded in one basis."""

    name: str
    """Empty where there is no other, and it need not be said."""
    falls: tuple[Fall, ...]


def recorded_bases(record: RunRecord) -> list[RecordedBasis]:
    """Return the bases of a run: those that fit its operations, then the additive one.

    Where the additive one is what fits, or nothing else was recorded, it stands alone.
    """
    fits = list(_fitting(record))
    name = ADDITIVE if fits else ""
    falls = [Fall(k, t, _defined(record.curves.get((k, t), {}))) for k in SHOWN for t in TABLES]
    return [*fits, RecordedBasis(name, tuple(falls))]


def fitting(record: RunRecord) -> list[int]:
    """Return the operations of a run that have rows in another basis than the additive one."""
    return [
        number
        for number in range(record.task.n_tasks)
        if record.matched_curves(number) and not _is_additive(record, number)
    ]


def _fitting(record: RunRecord) -> Iterator[RecordedBasis]:
    for number in fitting(record):
        expression, curves = record.task.expressions[number], record.matched_curves(number)
        of = f" {expression.canonical}" if record.task.n_tasks > 1 else ""
        found = [
            Fall(key, table, _defined(curves[key, table]))
            for key in FITTING
            for table in TABLES
            if (key, table) in curves
        ]
        yield RecordedBasis(f"{FITS}{of}", tuple(found))


def _is_additive(record: RunRecord, number: int) -> bool:
    """Whether the coordinates are x and y themselves."""
    best = structure_of(record.task, number).best
    return best is not None and best.n == record.p and best.u_text == "x"


def _defined(curves: Mapping[int, Curve]) -> dict[int, Curve]:
    return {seed: c for seed, c in curves.items() if not np.isnan(c.values).all()}


SMALLEST_FALL = 0.1


@dataclass(frozen=True)
class Sentence:
    """One sentence; a warning stands out."""

    text: str
    warning: bool = False


def finding(record: RunRecord, algorithms: Sequence[Sentence] = ()) -> list[Sentence]:
    """Return what is to be said about a run, the most important first.

    **Arguments:** the run; which algorithm it found, in a sentence for each operation.
    """
    if not record.curves:
        return [
            Sentence("Nothing has been evaluated yet, so there is nothing to show.", warning=True),
            *_about_the_task(record),
        ]
    return [
        *_unfinished(record),
        *_diverged(record),
        Sentence(_milestone(record, "memorised", "memorised the training pairs")),
        Sentence(_milestone(record, "grokked", "grokked")),
        Sentence(_final_accuracies(record)),
        *algorithms,
        *_leaks(record),
        *_measures(record),
        *_about_the_task(record),
    ]


def final_values(record: RunRecord, measure: str, matrix: str | None = None) -> list[float]:
    """Return the last value of every seed that has one, nan where it is undefined."""
    curves = record.curves.get((measure, matrix), {})
    return [float(curve.values[-1]) for curve in curves.values()]


def _unfinished(record: RunRecord) -> list[Sentence]:
    if record.finished:
        return []
    doing = "Still training" if record.status == "running" else f"Not finished: {record.status}"
    text = f"{doing}; the last saved evaluation is at step {record.last_step:,}."
    return [Sentence(text, warning=True)]


def _diverged(record: RunRecord) -> list[Sentence]:
    results = record.folder.manifest.results
    broken = [r for r in results if r.get("status") == "diverged"]
    if not broken:
        return []
    where = joined_by_and([f"seed {r['seed']} at step {r['diverged_at']:,}" for r in broken])
    text = (
        f"Training diverged ({where}): the loss was no longer finite, and the weights stood still"
        " from there. What follows describes a broken network."
    )
    return [Sentence(text, warning=True)]


def _milestone(record: RunRecord, moment: str, words: str) -> str:
    steps = {seed: getattr(m, moment) for seed, m in record.moments.items()}
    reached = sorted(step for step in steps.values() if step is not None)
    late = [seed for seed, step in steps.items() if step is None]
    side = "train" if moment == "memorised" else "test"
    if not reached:
        waiting = any(_high_since(record, seed, side) is not None for seed in late)
        has = "is confirmed to have" if waiting else "has"
        said = f"No seed {has} {words} by step {record.last_step:,}."
    elif len(steps) == 1:
        said = f"Seed {record.seeds[0]} {words} at step {reached[0]:,}."
    else:
        said = f"{len(reached)} of {len(steps)} seeds {words}, at step {_middle(reached)}."
    return " ".join([said, *_late(record, late, side)])


def _middle(steps: Sequence[int]) -> str:
    """Median and range of some steps."""
    if steps[0] == steps[-1]:
        return f"{steps[0]:,}"
    return f"{np.median(steps):,.0f} (median; {steps[0]:,} to {steps[-1]:,})"


def _late(record: RunRecord, seeds: Sequence[int], side: str) -> list[str]:
    """Say how far the seeds are that did not reach a moment, one sentence per kind of them."""
    curves = record.curves.get((f"{side}_accuracy", None), {})
    kinds: dict[str, list[str]] = {}
    for seed in seeds:
        if seed not in curves:
            kinds.setdefault("Without an evaluation", []).append(f"seed {seed}")
            continue
        at, accuracy = int(curves[seed].steps[-1]), share_in_percent(float(curves[seed].values[-1]))
        since = _high_since(record, seed, side)
        kind = f"{_state(record, seed)} at {at:,} steps"
        if since is not None:
            kind = f"At 99% since step {since:,}, not yet confirmed by five more evaluations"
        kinds.setdefault(kind, []).append(f"seed {seed} ({side} accuracy {accuracy})")
    return [f"{kind}: {joined_by_and(names)}." for kind, names in kinds.items()]


def _high_since(record: RunRecord, seed: int, side: str) -> int | None:
    """Return since when a seed that goes on has the accuracy that is still to be confirmed."""
    curve = record.curves.get((f"{side}_accuracy", None), {}).get(seed)
    if curve is None or _state(record, seed) == "Diverged":
        return None
    return high_since(curve.steps.tolist(), curve.values.tolist())


def _state(record: RunRecord, seed: int) -> str:
    """`Undecided`, `Diverged`, or `Not yet` where training can go on."""
    results = record.folder.manifest.results
    if any(r.get("seed") == seed and r.get("status") == "diverged" for r in results):
        return "Diverged"
    return "Undecided" if record.finished else "Not yet"


def _final_accuracies(record: RunRecord) -> str:
    train, test = (final_values(record, f"{side}_accuracy") for side in ("train", "test"))
    accuracies = (
        f"train accuracy is {spread_in_percent(train)} and test accuracy {spread_in_percent(test)}"
    )
    return f"At the last evaluation {accuracies}."


def spread_in_percent(values: Sequence[float]) -> str:
    """Return shares as their mean and range in percent."""
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return "undefined"
    middle, low, high = (share_in_percent(float(f(known))) for f in (np.mean, np.min, np.max))
    return middle if low == high else f"{middle} (mean; {low} to {high})"


def _leaks(record: RunRecord) -> list[Sentence]:
    if not record.n_leaked or record.split is None:
        return []
    n_test = record.split.counts["test"]
    unleaked = final_values(record, "unleaked_accuracy")
    known = [value for value in unleaked if not np.isnan(value)]
    result = (
        f"On the unleaked ones the final accuracy is {spread_in_percent(known)}."
        if known
        else "No test pair is unleaked, so nothing here shows generalisation."
    )
    text = (
        f"{record.n_leaked:,} of {n_test:,} test pairs ({record.n_leaked / n_test:.0%}, seed"
        f" {record.seeds[0]}) are leaked: the"
        f" operation is symmetric and their transpose was trained, so x∘y = y∘x suffices to answer"
        f" them. {result}"
    )
    return [Sentence(text, warning=True)]


def _measures(record: RunRecord) -> list[Sentence]:
    medians = " (medians over the seeds)" if len(record.seeds) > 1 else ""
    said = [(basis.name, _of_basis(basis)) for basis in recorded_bases(record)]
    return [
        Sentence(f"{f'In the {name}: ' if name else ''}{text[:-1]}{medians}.")
        for name, text in said
        if text
    ]


def _of_basis(basis: RecordedBasis) -> str:
    """Say which measures fell in a basis, and which did not; nothing where none is defined."""
    changes = [(_change(fall), fall.ends) for fall in basis.falls if fall.curves]
    fell = [text for text, (start, end) in changes if start - end >= SMALLEST_FALL]
    rest = [text for text, (start, end) in changes if start - end < SMALLEST_FALL]
    sentences = []
    if fell:
        beginning = f"{'from' if basis.name else 'From'} the first to the last evaluation"
        sentences.append(f"{beginning} {joined_by_and(fell)}.")
    if rest:
        amount = f"did not fall by {SMALLEST_FALL:g} or more"
        others = "The others" if fell else "the measures" if basis.name else "The measures"
        sentences.append(f"{others} {amount}: {joined_by_and(rest)}.")
    return " ".join(sentences)


def _change(fall: Fall) -> str:
    start, end = fall.ends
    if f"{start:.2f}" == f"{end:.2f}":
        return f"{fall.name} stayed at {end:.2f}"
    verb = "fell" if start - end >= SMALLEST_FALL else "went"
    return f"{fall.name} {verb} from {start:.2f} to {end:.2f}"


def _of_task(record: RunRecord, operation: str) -> str:
    """Say when each seed grokked one operation of a mixture."""
    steps = [moments.grokked for moments in record.moments_of(operation).values()]
    known = sorted(step for step in steps if step is not None)
    if not known:
        return f"{operation} was not grokked by step {record.last_step:,}."
    who = f" by {len(known)} of {len(steps)} seeds" if len(steps) > 1 else ""
    return f"{operation} was grokked{who} at step {_middle(known)}."


def _about_the_task(record: RunRecord) -> list[Sentence]:
    found = [Sentence(f"{text}.", warning=True) for text in one_sided(record.task)]
    return [*found, *map(Sentence, _facts_of_the_task(record))]


def _facts_of_the_task(record: RunRecord) -> list[str]:
    found = []
    if record.task.n_tasks > 1:
        pairs = "the same pairs" if record.config.task.shared_split else "pairs of its own each"
        found.append(f"A mixture of {record.task.n_tasks} operations, trained on {pairs}.")
        found += [_of_task(record, name) for name in record.task_curves]
    undefined = int((~record.task.defined).sum())
    if undefined:
        found.append(
            f"{undefined:,} of {record.p**2:,} pairs have no answer (a division by a residue"
            " without inverse) and neither train nor test."
        )
    return found
