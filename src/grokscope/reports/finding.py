"""What came of a run: the finding in one sentence, and what limits it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from grokscope.explanation.sentences import joined_by_and
from grokscope.measures import high_since
from grokscope.reports.moments import middle_and_range
from grokscope.reports.record import RunRecord
from grokscope.reports.section import Sentence
from grokscope.rounding import share_in_percent
from grokscope.tasks import one_sided

_SIDES: Final = {"memorised": "train", "grokked": "test"}
"""The pairs on which a moment is reached."""


def finding(record: RunRecord, algorithm: str) -> str:
    """Return the finding in one sentence: the operation, when it memorised and grokked, and how.

    **Arguments:** the run; which algorithm it found, in a clause.
    """
    imported = record.folder.manifest.imported
    n = len(record.seeds)
    who = f", {n} seeds" if n > 1 else f", seed {record.seeds[0]}"
    what = f"{record.operation} modulo {record.p}"
    if imported is not None:
        answers = share_in_percent(imported["accuracy"])
        return f"{what}, trained elsewhere: it answers {answers} of all pairs; {algorithm}."
    if not record.curves:
        return f"{what}{who}: nothing has been evaluated yet."
    reached = [_reached(record, name) for name in ("memorised", "grokked")]
    return f"{what}{who}: {', '.join(reached)}; {algorithm}."


def _reached(record: RunRecord, moment: str) -> str:
    """Return when the seeds reached a moment, in a clause."""
    steps = [at for m in record.moments.values() if (at := getattr(m, moment)) is not None]
    several = len(record.seeds) > 1
    if not steps:
        side = _SIDES[moment]
        waiting = any(_high_since(record, seed, side) is not None for seed in record.seeds)
        what = f"yet confirmed as {moment}" if waiting else moment
        return f"{'none' if several else 'not'} {what} by step {record.last_step:,}"
    who = f"{len(steps)} of {len(record.seeds)} " if len(steps) < len(record.seeds) else ""
    return f"{who}{moment} at step {middle_and_range(steps)}"


def warnings_of(record: RunRecord) -> list[Sentence]:
    """Return what limits a finding: unfinished, diverged, leaked pairs, one side that is idle."""
    if record.folder.manifest.imported is not None:
        found = []
    elif not record.curves:
        text = "Nothing has been evaluated yet, so there are no curves."
        found = [Sentence(text, True, _train_on(record))]
    else:
        found = [*_unfinished(record), *_diverged(record), *_leaks(record)]
    return [*found, *(Sentence(f"{text}.", warning=True) for text in one_sided(record.task))]


def _train_on(record: RunRecord) -> str:
    return f"grokscope train --resume --out {record.typed}"


def _unfinished(record: RunRecord) -> list[Sentence]:
    if record.finished:
        return []
    running = record.status == "running"
    doing = "Still training" if running else f"Not finished: {record.status}"
    text = f"{doing}; the last saved evaluation is at step {record.last_step:,}."
    return [Sentence(text, True, "" if running else _train_on(record))]


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


def _leaks(record: RunRecord) -> list[Sentence]:
    if not record.n_leaked or record.split is None:
        return []
    n_test = record.split.counts["test"]
    unleaked = [value for value in final_values(record, "unleaked_accuracy") if value == value]
    result = (
        f"On the unleaked ones the final accuracy is {spread_in_percent(unleaked)}."
        if unleaked
        else "No test pair is unleaked, so nothing here shows generalisation."
    )
    text = (
        f"{record.n_leaked:,} of {n_test:,} test pairs ({record.n_leaked / n_test:.0%}, seed"
        f" {record.seeds[0]}) are leaked: the"
        f" operation is symmetric and their transpose was trained, so x∘y = y∘x suffices to answer"
        f" them. {result}"
    )
    return [Sentence(text, warning=True)]


def milestone(record: RunRecord, moment: str, words: str) -> list[Sentence]:
    """Return when the seeds reached a moment, and how far the others are.

    **Arguments:** the run; `memorised` or `grokked`; the same as what a seed did.
    """
    steps = {seed: getattr(m, moment) for seed, m in record.moments.items()}
    reached = [step for step in steps.values() if step is not None]
    late = [seed for seed, step in steps.items() if step is None]
    side = _SIDES[moment]
    if not reached:
        waiting = any(_high_since(record, seed, side) is not None for seed in late)
        has = "is confirmed to have" if waiting else "has"
        said = f"No seed {has} {words} by step {record.last_step:,}."
    elif len(steps) == 1:
        said = f"Seed {record.seeds[0]} {words} at step {reached[0]:,}."
    else:
        said = f"{len(reached)} of {len(steps)} seeds {words}, at step {middle_and_range(reached)}."
    return [Sentence(" ".join([said, *_late(record, late, side)]))]


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


def final_values(record: RunRecord, measure: str) -> list[float]:
    """Return the last value of every seed that has one, nan where it is undefined."""
    return [float(curve.values[-1]) for curve in record.curves.get((measure, None), {}).values()]


def spread_in_percent(values: Sequence[float]) -> str:
    """Return shares as their mean and range in percent."""
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return "undefined"
    middle, low, high = (share_in_percent(float(f(known))) for f in (np.mean, np.min, np.max))
    return middle if low == high else f"{middle} (mean; {low} to {high})"


def of_the_task(record: RunRecord) -> list[Sentence]:
    """Return what is particular about the task: a mixture, and pairs without an answer."""
    found = []
    if record.task.n_tasks > 1:
        pairs = "the same pairs" if record.config.task.shared_split else "pairs of its own each"
        found.append(f"A mixture of {record.task.n_tasks} operations, trained on {pairs}.")
        found += [_of_operation(record, name) for name in record.task_curves]
    undefined = int((~record.task.defined).sum())
    if undefined:
        found.append(
            f"{undefined:,} of {record.p**2:,} pairs have no answer (a division by a residue"
            " without inverse) and neither train nor test."
        )
    return [Sentence(text) for text in found]


def _of_operation(record: RunRecord, operation: str) -> str:
    """Say when each seed grokked one operation of a mixture."""
    steps = [moments.grokked for moments in record.moments_of(operation).values()]
    known = [step for step in steps if step is not None]
    if not known:
        return f"{operation} was not grokked by step {record.last_step:,}."
    who = f" by {len(known)} of {len(steps)} seeds" if len(steps) > 1 else ""
    return f"{operation} was grokked{who} at step {middle_and_range(known)}."
