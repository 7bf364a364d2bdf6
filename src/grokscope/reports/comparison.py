"""What a page about several runs says before each of them: what differs, and what came of it."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from grokscope.disk.manifest import LAST_SETTING, setting_in_words, value_in_words
from grokscope.explanation.sentences import VERDICTS_IN_WORDS, frequencies_in_words, joined_by_and
from grokscope.explanation.store import row_of
from grokscope.reports.compared import (
    RUN,
    Comparison,
    Shared,
    TrainedNetwork,
    outcome_of,
    shared_keys,
)
from grokscope.reports.facts import run_facts
from grokscope.reports.figures.ended import ended_figure, measures_at_the_end
from grokscope.reports.figures.several_runs import chosen_keys_figure, overlaid_figures
from grokscope.reports.moments import UNKNOWN, middle_and_range
from grokscope.reports.record import RunRecord
from grokscope.reports.section import Link, Section, Sentence, Story, Table
from grokscope.reports.story import detailed_sections, measures_section
from grokscope.rounding import share_in_percent

MOST_ROWS: Final = 200
"""Rows of the table of all networks."""
DETAILED: Final = 3
"""Runs up to which each has its own figures below the comparison."""


def comparison_story(compared: Comparison, out: Path, left_out: Sequence[str] = ()) -> Story:
    """Return the page of several runs.

    **Arguments:** the runs; the page's file, from which links begin; runs that could not be read,
    with the reason.
    """
    records = compared.records
    shared = [Sentence(_shared(found)) for found in shared_keys(compared)]
    chosen = [chosen_keys_figure(compared)]
    sections = [
        _what_it_changes(compared),
        _each_network(compared, out),
        Section("training", "Over training", figures=overlaid_figures(compared)),
        Section("ended", "The measures at the end", figures=measures_at_the_end(compared)),
        Section("frequencies", "Which frequencies", shared, figures=chosen),
        *_run_by_run(records),
        Section("settings", f"Settings of {records[0].label}", facts=run_facts(records[0])),
        measures_section(records),
    ]
    unread = [Sentence(f"Left out: {line}", warning=True) for line in left_out]
    return Story(
        title=comparison_title(compared),
        finding=comparison_finding(compared),
        warnings=[*unread, *_not_explained(compared)],
        figures=[ended_figure(compared)] if compared.networks else [],
        sections=sections,
    )


def _run_by_run(records: Sequence[RunRecord]) -> list[Section]:
    if len(records) > DETAILED:
        text = (
            f"The figures of each network are left out on a page of more than {DETAILED} runs; one"
            " of them is shown by"
        )
        command = f"grokscope report {records[0].typed}"
        return [Section("runs", "Each run", [Sentence(text, command=command)])]
    n = len(records)
    return [s for i, record in enumerate(records, 1) for s in detailed_sections(record, i, n)]


def comparison_title(compared: Comparison) -> str:
    """Return what is compared: `x + y modulo 31: weight decay 0.1 to 2, seed 0 to 2`."""
    told = [
        _range(compared, name) for name in compared.names if name not in ("operation", "p", RUN)
    ]
    return f"{compared.same}: {', '.join(told)}" if told else f"{compared.same}, compared"


def _range(compared: Comparison, name: str) -> str:
    values = compared.values(name)
    if len(values) <= 4:
        text = f"{', '.join(values[:-1])} and {values[-1]}"
    else:
        numbers = compared.is_number(name)
        text = f"{values[0]} to {values[-1]}" if numbers else f"{len(values)} values"
    return f"{setting_in_words(name)} {text}"


_MOST_NAMED: Final = 4
"""Values of what differs that the finding tells one by one."""


def comparison_finding(compared: Comparison) -> str:
    """Return in one sentence what differs between the runs and what that changes."""
    n, runs = len(compared.networks), len(compared.records)
    of_runs = f" of {runs} runs" if n != runs else ""
    telling = [setting_in_words(name) for name in compared.names if name != RUN]
    differ = f"differ in {joined_by_and(telling)}" if telling else "have the same settings"
    what = "networks" if of_runs else "runs"
    return f"{n} {what}{of_runs} of {compared.same} {differ}: {_what_came(compared)}."


def _what_came(compared: Comparison) -> str:
    """Say how many grokked and when, per value of what differs, or for all together."""
    groups = compared.groups(compared.networks)
    if not _counts_by_value(compared) or len(groups) > _MOST_NAMED:
        return _outcome(compared.networks)
    told = [
        f"{_value(compared, values)} {_outcome([compared.networks[i] for i in places])}"
        for values, places in groups.items()
    ]
    return "; ".join(told)


def _counts_by_value(compared: Comparison) -> bool:
    """Whether the runs differ in more than seeds and folders."""
    return compared.swept not in (None, LAST_SETTING, RUN)


def _value(compared: Comparison, values: Sequence[str]) -> str:
    named = [compared.heading(n, v) for n, v in zip(compared.grouped_by, values, strict=True)]
    return f"with {joined_by_and(named)}"


def _outcome(networks: Sequence[TrainedNetwork]) -> str:
    """Return how some networks ended: `1 of 2 grokked at step 600, 1 undecided`."""
    states = Counter(outcome_of(network) for network in networks)
    told = f"{states.pop('grokked', 0)} of {len(networks)} grokked"
    if steps := _grokked_at(networks):
        told += f" at step {middle_and_range(steps)}"
    return f"{told}, {_counts(states)}" if states else told


def _grokked_at(networks: Sequence[TrainedNetwork]) -> list[int]:
    return [s for n in networks if (s := n.record.moments[n.seed].grokked) is not None]


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in found.most_common())


def _not_explained(compared: Comparison) -> list[Sentence]:
    lacking = [network.record for network in compared.networks if not network.explanations]
    if not lacking:
        return []
    text = (
        f"{len(lacking)} of {len(compared.networks)} networks have not been explained at their last"
        " checkpoint; their verdicts and keys are added by"
    )
    runs = list(dict.fromkeys(record.typed for record in lacking))
    more = " …" if len(runs) > DETAILED else ""
    command = f"grokscope explain {' '.join(runs[:DETAILED])}{more}"
    return [Sentence(text, warning=True, command=command)]


def _what_it_changes(compared: Comparison) -> Section:
    """Return what came of the networks per value of what differs, with their verdicts."""
    states = Counter(outcome_of(network) for network in compared.networks)
    verdicts = Counter(
        VERDICTS_IN_WORDS[e.verdict] for x in compared.networks for e in x.explanations
    )
    told = [Sentence(f"Of {len(compared.networks)} networks: {_counts(states)}.")]
    if verdicts:
        told.append(Sentence(f"Verdicts: {_counts(verdicts)}."))
    by = [setting_in_words(name) for name in compared.grouped_by]
    columns = ["networks", "grokked", "at step", "verdicts", "keys of W_E (mean; range)"]
    rows = _by_value(compared)
    tables = [Table(f"By {joined_by_and(by)}", [*by, *columns], rows)] if rows else []
    return Section("changes", "What it changes", told, tables)


def _by_value(compared: Comparison) -> list[list[str]]:
    """Return what came of the networks, per value of the setting that was swept.

    Operations are never counted together.
    """
    if not _counts_by_value(compared):
        return []
    rows = []
    for values, places in compared.groups(compared.networks).items():
        own = [compared.networks[i] for i in places]
        steps = _grokked_at(own)
        keys = [len(e.embedding.keys) for n in own for e in n.explanations]
        verdicts = Counter(VERDICTS_IN_WORDS[e.verdict] for n in own for e in n.explanations)
        rows.append(
            [
                *values,
                str(len(own)),
                f"{len(steps)} of {len(own)}",
                middle_and_range(steps) if steps else UNKNOWN,
                _counts(verdicts) or UNKNOWN,
                _mean_and_range(keys) if keys else UNKNOWN,
            ]
        )
    return rows


def _mean_and_range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    ends = f"{low:,} to {high:,}" if low < high else "all"
    return f"{np.mean(counts):.1f} ({ends})"


def _each_network(compared: Comparison, out: Path) -> Section:
    """Return the table of all networks, with links to the pages of their runs."""
    shown = compared.networks[:MOST_ROWS]
    pages = [_page(network, out) for network in shown]
    linked = any(pages)
    rows = [
        [*_row(compared, network), *([page or UNKNOWN] if linked else [])]
        for network, page in zip(shown, pages, strict=True)
    ]
    settings = [setting_in_words(name) for name in compared.names] or ["run"]
    header = [*settings, "state", "steps", "grokked at", "test accuracy", "verdict", "keys of W_E"]
    caption = "The settings that differ, and where each stands at its last evaluation"
    hidden = len(compared.networks) - len(shown)
    text = f"{hidden} more are left out here; a table of all is written by"
    told = [Sentence(text, command="grokscope explain RUN … --out FILE")] if hidden else []
    table = Table(caption, [*header, *(["page"] if linked else [])], rows)
    return Section("networks", "Each network", told, [table])


def _row(compared: Comparison, network: TrainedNetwork) -> list[str]:
    settings = [value_in_words(network.settings.get(name)) for name in compared.names]
    curve = network.record.curves.get(("test_accuracy", None), {}).get(network.seed)
    grokked = network.record.moments[network.seed].grokked
    rows: list[dict[str, Any]] = [row_of(found) for found in network.explanations]
    return [
        *(settings or [network.record.folder.path.name]),
        outcome_of(network),
        UNKNOWN if curve is None else f"{int(curve.steps[-1]):,}",
        UNKNOWN if grokked is None else f"{grokked:,}",
        UNKNOWN if curve is None else share_in_percent(curve.values[-1]),
        _join([VERDICTS_IN_WORDS.get(row.get("verdict", ""), row.get("why_not")) for row in rows]),
        _join([frequencies_in_words(row.get("W_E_keys", [])) or "none" for row in rows]),
    ]


def _page(network: TrainedNetwork, out: Path) -> Link | None:
    """Return the link to the page of a network's run, where there is one."""
    page = network.record.folder.path / "report.html"
    if not page.exists() or page.resolve() == out.resolve():
        return None
    return Link("report", os.path.relpath(page, out.parent))


def _join(texts: Sequence[str | None]) -> str:
    return " · ".join(text or UNKNOWN for text in texts) or UNKNOWN


def _shared(found: Shared) -> str:
    pairs = "1 pair" if found.n == 1 else f"{found.n} pairs"
    return (
        f"Two networks that differ in {setting_in_words(found.name)} alone share"
        f" {found.share:.0%} of the keys of W_E that either has (Jaccard index, mean of {pairs};"
        f" as many keys at random: {found.chance:.0%})."
    )
