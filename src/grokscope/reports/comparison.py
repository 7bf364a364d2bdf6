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
from grokscope.reports.figures.ended import ended_figure
from grokscope.reports.figures.figure import Figure
from grokscope.reports.figures.several_runs import chosen_keys_figure, overlaid_figures
from grokscope.reports.finding import Sentence
from grokscope.reports.html import Charts
from grokscope.rounding import share_in_percent

UNKNOWN: Final = "–"
MOST_ROWS: Final = 200
"""Rows of the table of all networks."""
DETAILED: Final = 3
"""Runs up to which each has its own figures below the comparison."""


def comparison_values(compared: Comparison, charts: Charts, out: Path) -> dict[str, Any]:
    """Return what the template shows of a comparison, adding its figures to the charts.

    **Arguments:** the runs; the charts of the page; its file, from which links begin.
    """
    ended = [ended_figure(compared)] if compared.networks else []
    return {
        "title": comparison_title(compared),
        "in_short": comparison_in_short(compared),
        "header": _header(compared),
        "rows": [_row(compared, network, out) for network in compared.networks[:MOST_ROWS]],
        "rows_left_out": max(0, len(compared.networks) - MOST_ROWS),
        "by_value": _by_value(compared),
        "by_title": f"By {joined_by_and([setting_in_words(n) for n in compared.grouped_by])}",
        "by_header": [
            *(setting_in_words(name) for name in compared.grouped_by),
            "networks",
            "grokked",
            "at step (median; range)",
            "verdicts",
            "keys of W_E (mean; range)",
        ],
        "shared": [_shared(found) for found in shared_keys(compared)],
        "over_time": _fitting(charts, overlaid_figures(compared)),
        "ended": _fitting(charts, ended),
        "keys": _fitting(charts, [chosen_keys_figure(compared)]),
    }


def comparison_figures(compared: Comparison) -> list[Figure]:
    """Return all figures of a comparison."""
    return [*overlaid_figures(compared), ended_figure(compared), chosen_keys_figure(compared)]


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


def comparison_in_short(compared: Comparison) -> list[Sentence]:
    """Return what came of the runs, in sentences."""
    n = len(compared.networks)
    runs = len(compared.records)
    of_runs = f" of {runs} runs" if n != runs else ""
    telling = [setting_in_words(name) for name in compared.names if name != RUN]
    differ = f"differ in {joined_by_and(telling)}" if telling else "have the same settings"
    what = "networks" if of_runs else "runs"
    states = Counter(outcome_of(network) for network in compared.networks)
    verdicts = Counter(
        VERDICTS_IN_WORDS[e.verdict] for x in compared.networks for e in x.explanations
    )
    said = [
        Sentence(f"{n} {what}{of_runs}, which {differ}: {_counts(states)}."),
        *([Sentence(f"Which algorithm: {_counts(verdicts)}.")] if verdicts else []),
    ]
    lacking = sum(not network.explanations for network in compared.networks)
    if lacking:
        said.append(
            Sentence(
                f"{lacking} of {n} networks have not been explained at their last"
                " checkpoint: grokscope explain adds their verdicts and keys.",
                warning=True,
            )
        )
    return said


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in found.most_common())


def _header(compared: Comparison) -> list[str]:
    settings = [setting_in_words(name) for name in compared.names] or ["run"]
    return [*settings, "state", "steps", "grokked at", "test accuracy", "verdict", "keys of W_E"]


def _row(compared: Comparison, network: TrainedNetwork, out: Path) -> dict[str, Any]:
    """Return the cells of a network, and the address of its run's own page where there is one."""
    settings = [value_in_words(network.settings.get(name)) for name in compared.names]
    curve = network.record.curves.get(("test_accuracy", None), {}).get(network.seed)
    grokked = network.record.moments[network.seed].grokked
    rows = [row_of(found) for found in network.explanations]
    page = network.record.folder.path / "report.html"
    same = page.resolve() == out.resolve()
    return {
        "cells": [
            *(settings or [network.record.folder.path.name]),
            outcome_of(network),
            UNKNOWN if curve is None else f"{int(curve.steps[-1]):,}",
            UNKNOWN if grokked is None else f"{grokked:,}",
            UNKNOWN if curve is None else share_in_percent(curve.values[-1]),
            _join(
                [VERDICTS_IN_WORDS.get(row.get("verdict", ""), row.get("why_not")) for row in rows]
            ),
            _join([frequencies_in_words(row.get("W_E_keys", [])) or "none" for row in rows]),
        ],
        "page": os.path.relpath(page, out.parent) if page.exists() and not same else "",
    }


def _join(texts: Sequence[str | None]) -> str:
    return " · ".join(text or UNKNOWN for text in texts) or UNKNOWN


def _by_value(compared: Comparison) -> list[list[str]]:
    """Return what came of the networks, per value of the setting that was swept.

    Operations are never counted together.
    """
    if compared.swept in (None, LAST_SETTING, RUN):
        return []
    rows = []
    for values, places in compared.groups(compared.networks).items():
        own = [compared.networks[i] for i in places]
        steps = [s for n in own if (s := n.record.moments[n.seed].grokked) is not None]
        keys = [len(e.embedding.keys) for n in own for e in n.explanations]
        verdicts = Counter(VERDICTS_IN_WORDS[e.verdict] for n in own for e in n.explanations)
        rows.append(
            [
                *values,
                str(len(own)),
                f"{len(steps)} of {len(own)}",
                _spread(steps, "{:,.0f}"),
                _counts(verdicts) or UNKNOWN,
                _spread(keys, "{:.1f}", np.mean),
            ]
        )
    return rows


def _spread(values: Sequence[int], form: str, middle: Any = np.median) -> str:
    if not values:
        return UNKNOWN
    ends = f"{min(values):,} to {max(values):,}" if min(values) < max(values) else "all"
    return f"{form.format(middle(values))} ({ends})"


def _shared(found: Shared) -> str:
    pairs = "1 pair" if found.n == 1 else f"{found.n} pairs"
    return (
        f"Two networks that differ in {setting_in_words(found.name)} alone share"
        f" {found.share:.0%} of the keys of W_E that either has (Jaccard index, mean of {pairs};"
        f" as many keys at random: {found.chance:.0%})."
    )


def _fitting(charts: Charts, found: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the figures that fit on the page; one that does not says so."""
    words = []
    for figure in found:
        shown_words = charts.add([figure])
        words += shown_words or [
            {
                "title": figure.title,
                "caption": "",
                "number": None,
                "missing": "Left out to keep the page small; compare fewer runs to see it.",
            }
        ]
    return words
