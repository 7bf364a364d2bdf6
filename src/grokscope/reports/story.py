"""The page of one run in the order of its story: memorised, the circuit forms, cleaned up, how."""

import dataclasses
import shlex
from collections.abc import Sequence
from typing import Final

import numpy as np

from grokscope.disk.names import slug
from grokscope.explanation.sentences import joined_by_and
from grokscope.measures import MEASURES
from grokscope.reports import facts
from grokscope.reports.algorithm import Found, algorithm_in_a_clause, network_sections, verdicts_of
from grokscope.reports.explained import Explained, read_all_explained
from grokscope.reports.figures import progress_figures, read_network
from grokscope.reports.figures.over_time import accuracy, loss, norms
from grokscope.reports.finding import finding, milestone, of_the_task, warnings_of
from grokscope.reports.moments import (
    END,
    FITTING,
    MEASURES_HEADER,
    SHOWN,
    START,
    Timeline,
    changes,
    fitting,
    measure_rows,
    middle_and_range,
    norm_rows,
    step_row,
    timeline_of,
)
from grokscope.reports.record import RunRecord
from grokscope.reports.section import Section, Sentence, Story, Table
from grokscope.rounding import share_in_percent


def run_story(record: RunRecord) -> Story:
    """Return the page of one run, of whatever came of it."""
    network, found = read_network(record), read_all_explained(record)
    learned = network_sections(record, network, found)
    trained = _trained(record, found) if record.curves else _not_trained(record)
    figures = [accuracy(record)] if record.curves else learned[0].figures[:1]
    if not record.curves:
        learned[0] = dataclasses.replace(learned[0], figures=learned[0].figures[1:])
    return Story(
        title=f"{record.operation} modulo {record.p}",
        finding=finding(record, algorithm_in_a_clause(record, found)),
        warnings=warnings_of(record),
        figures=figures,
        sections=[*trained, *learned, *_closing(record)],
    )


def detailed_sections(record: RunRecord, number: int, runs: int) -> list[Section]:
    """Return what a comparison shows of one of its runs: the finding, the algorithm, the evidence.

    **Arguments:** the run; which it is, from 1; how many there are.
    """
    network, found = read_network(record), read_all_explained(record)
    first = Section(
        f"run-{number}",
        record.label,
        [
            Sentence(finding(record, algorithm_in_a_clause(record, found))),
            *warnings_of(record),
        ],
        facts=facts.run_facts(record),
    )
    own = f"{number}-{slug(record.operation)}"
    learned = [
        dataclasses.replace(
            section,
            id=f"run-{number}-{section.id}",
            listed=False,
            title=f"{section.title}: {record.label}",
            figures=[dataclasses.replace(f, name=f"{f.name}-{own}") for f in section.figures],
        )
        for section in network_sections(record, network, found, runs)
    ]
    return [first, *learned]


def _not_trained(record: RunRecord) -> list[Section]:
    """Return what stands for the training of a network without curves."""
    if record.folder.manifest.imported is None:
        return []
    text = (
        "Nothing is known of its training: the file held weights and no curves, so that when it"
        " memorised and grokked cannot be said. A run that grokscope trains has all of it:"
    )
    expression = record.task.expressions[0].canonical
    command = f"grokscope train {shlex.quote(expression)} --p {record.p}"
    return [Section("training", "Training", [Sentence(text, command=command)])]


def _trained(record: RunRecord, found: Found) -> list[Section]:
    timeline = timeline_of(record)
    return [
        _memorised(record, timeline),
        _forming(record, timeline, found),
        _cleaned_up(record, timeline),
    ]


def _memorised(record: RunRecord, timeline: Timeline) -> Section:
    told = milestone(record, "memorised", "memorised the training pairs")
    if "memorised" in timeline.steps:
        train, test = (
            timeline.median(record.curves.get((f"{side}_loss", None), {}), "memorised")
            for side in ("train", "test")
        )
        right = timeline.median(record.curves.get(("test_accuracy", None), {}), "memorised")
        if not np.isnan([train, test, right]).any():
            text = (
                f"At that evaluation{timeline.words} the train loss is {train:.2g} and the test"
                f" loss {test:.2g} nats, and test accuracy is {share_in_percent(right)}."
            )
            told.append(Sentence(text))
    return Section("memorised", "Memorised", [*told, *of_the_task(record)], figures=[loss(record)])


def _forming(record: RunRecord, timeline: Timeline, found: Found) -> Section:
    told = milestone(record, "grokked", "grokked")
    title = "After memorising" if "memorised" in timeline.steps else "The measures"
    first, last = ("memorised" if "memorised" in timeline.steps else START), END
    if "grokked" in timeline.steps:
        last = "grokked"
        title = "The circuit forms" if _has_circuit(found) else "Until grokking"
        told += _interval(timeline)
    else:
        told += _train_on(record)
    told += _changes(record, timeline, first, last)
    if first != START:
        told += _changes(record, timeline, START, first)
    caption = "Measures at the moments" + (f", {timeline.whose}" if timeline.whose else "")
    header = ["measure", *timeline.steps, *MEASURES_HEADER]
    rows = [[*step_row(timeline), "", ""], *measure_rows(record, timeline)]
    table = Table(caption, header, rows)
    return Section("circuit", title, told, [table], figures=progress_figures(record))


def _has_circuit(found: Found) -> bool:
    return any(
        isinstance(one, Explained) and one.explanation.verdict in ("explained", "partly")
        for one in found
    )


_MOMENTS: Final = {
    START: "the first evaluation",
    "memorised": "memorising",
    "grokked": "grokking",
    END: "the last evaluation",
}


def _changes(record: RunRecord, timeline: Timeline, first: str, last: str) -> list[Sentence]:
    """Say per basis which measures changed from one moment to another."""
    where = f"From {_MOMENTS[first]} to {_MOMENTS[last]}{timeline.words}"
    clauses = changes(record, timeline, first, last)
    return [Sentence(f"{where}, {clause}.") for clause in clauses]


def _interval(timeline: Timeline) -> list[Sentence]:
    """Say how many steps lie between memorising and grokking."""
    if "memorised" not in timeline.steps:
        return []
    between = timeline.between("memorised", "grokked")
    if min(between) <= 0:
        n = sum(steps <= 0 for steps in between)
        who = f"{n} of {len(between)} seeds" if len(between) > 1 else "It"
        return [Sentence(f"{who} grokked no later than it memorised.")]
    return [Sentence(f"Steps between the two moments: {middle_and_range(between)}.")]


def _train_on(record: RunRecord) -> list[Sentence]:
    """Return how an undecided run is trained on; nothing where that is not what it lacks."""
    schedule = record.config.schedule
    if record.status != "undecided" or record.last_step < schedule.steps:
        return []
    command = f"grokscope train --resume --out {record.typed} --steps {2 * schedule.steps}"
    return [Sentence("That is undecided, not impossible. To train on:", command=command)]


def _cleaned_up(record: RunRecord, timeline: Timeline) -> Section:
    table = Table(
        "L2 norms at the moments" + (f", {timeline.whose}" if timeline.whose else ""),
        ["matrix", *timeline.steps],
        [step_row(timeline), *norm_rows(record, timeline)],
    )
    if "grokked" not in timeline.steps:
        told = [Sentence("It has not grokked, so that no clean-up after it could be measured.")]
        return Section("norms", "The weights", told, [table], figures=[norms(record)])
    after = timeline.between("grokked", END)
    told = [
        Sentence(f"Steps from grokking to the last evaluation: {middle_and_range(after)}."),
        *_changes(record, timeline, "grokked", END),
    ]
    falls, rises = _norm_changes(record, timeline)
    told += [Sentence(f"{text}.") for text in (falls, rises) if text]
    title = "Cleaned up" if falls and not rises else "After grokking"
    return Section("cleaned", title, [*told, *_stopped(record)], [table], figures=[norms(record)])


def _norm_changes(record: RunRecord, timeline: Timeline) -> tuple[str, str]:
    """Say which norms fell after grokking, and which rose, by at least a percent."""
    fell, rose = [], []
    for matrix in record.matrices:
        curves = record.curves["l2_norm", matrix]
        before, after = timeline.median(curves, "grokked"), timeline.median(curves, END)
        share = after / before - 1 if before else 0.0
        if abs(share) >= 0.01:
            (rose if share > 0 else fell).append(f"{matrix} by {abs(share):.0%}")
    return (
        f"The norm fell of {joined_by_and(fell)}" if fell else "",
        f"The norm rose of {joined_by_and(rose)}" if rose else "",
    )


def _stopped(record: RunRecord) -> list[Sentence]:
    """Say that training ended soon after grokking where it was set to."""
    schedule = record.config.schedule
    if not schedule.stop or record.status != "grokked":
        return []
    text = (
        f"Training was set to stop {schedule.stop_margin:,} steps after reaching"
        f" {share_in_percent(schedule.stop_accuracy, 0)} test accuracy; what comes later is seen"
        " with"
    )
    return [Sentence(text, command="grokscope train … --stop-margin N")]


def _closing(record: RunRecord) -> list[Section]:
    """Return the seeds one by one, the settings, and what the measures are."""
    seeds = []
    if record.curves:
        verdicts = verdicts_of(record) if len(record.seeds) > 1 else {}
        table = Table(
            "Each seed at its last evaluation",
            facts.seed_header(record, verdicts),
            facts.seed_rows(record, verdicts),
        )
        seeds = [Section("seeds", "Seeds", tables=[table])]
    settings = Section("settings", "Settings", facts=facts.run_facts(record))
    return [*seeds, settings, measures_section([record])]


def measures_section(records: Sequence[RunRecord]) -> Section:
    """Return what the measures on a page are, with those of a basis that fits."""
    fits = FITTING if any(fitting(record) for record in records) else ()
    shown = [MEASURES[key] for key in MEASURES if key in {*SHOWN, *fits}]
    etas = ", ".join(f"{eta:g}" for eta in sorted({record.config.eta for record in records}))
    told = [
        (
            m.symbol,
            f"{m.name}, {m.range}; {m.direction}{f'; η = {etas}' if m.uses_eta else ''}."
            f" Source: {m.source}.",
        )
        for m in shown
    ]
    told.append(
        (
            "memorised, grokked",
            "train, test accuracy of 99% or more at this evaluation and at each of the next five.",
        )
    )
    return Section("measures", "Measures", facts=told)
