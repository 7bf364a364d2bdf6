"""An explanation as one page of a terminal, and many of them, one line each."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from grokscope.cli.terminal import columns, fitting, width_of_output
from grokscope.disk.listing import Selection
from grokscope.disk.manifest import differing, setting_in_words, value_in_words
from grokscope.disk.sweep_folder import rows_of, settings_in
from grokscope.errors import printable
from grokscope.explanation.over_time import Timeline
from grokscope.explanation.page import page_of
from grokscope.explanation.rendering import WIDTH, as_text, names_and_texts, rendered, table_of
from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import NOT_TESTABLE, VERDICTS_IN_WORDS, frequencies_in_words
from grokscope.explanation.store import row_in_words

NARROWEST: Final = 60
"""Columns under which a terminal breaks the lines itself: tables would lose their numbers."""


def print_explanation(found: Explanation) -> None:
    """Print the page of one explanation."""
    print(as_text(page_of(found), _console()))


def print_timeline(found: Timeline) -> None:
    """Print when each claim of one seed and operation became true."""
    grokked = "not grokked" if found.grokked_at is None else f"grokked at step {found.grokked_at:,}"
    if found.control is not None:
        grokked += f"; a control, read by the structure of {found.control.operation}"
    title = f"{found.operation}, seed {found.seed}: {grokked}"
    rows = [
        (
            str(moment.claim),
            "not at the end" if moment.since is None else f"{moment.since:,}",
            "–" if moment.relative is None else f"{moment.relative:+,}",
        )
        for moment in found.moments
    ]
    table = table_of(("claim", "holds from step", "to grokking"), rows)
    verdict = names_and_texts((("verdict", _stretches(found.explanations)),))
    heading = Text(printable(title), style="bold")
    print(rendered([heading, Text(), table, Text(), verdict], _console()))


def _console() -> Console:
    """Return a console 60 to 100 columns wide."""
    return Console(width=min(WIDTH, max(columns() or WIDTH, NARROWEST)))


def _stretches(found: Sequence[Explanation]) -> str:
    """Return from which step on which verdict was given."""
    said, last = [], None
    for explanation in found:
        if explanation.verdict != last and explanation.step is not None:
            last = explanation.verdict
            said.append(f"{VERDICTS_IN_WORDS[last]} from step {explanation.step:,}")
    return ", ".join(said) or NOT_TESTABLE


_GAP: Final = "  "
_NUMBER: Final = len("grokked at")
_VERDICT: Final = max(map(len, VERDICTS_IN_WORDS.values()))


class Lines:
    """Prints a line per network; what differs between the runs comes first.

    **Arguments:** the runs; whether to print nothing.
    """

    def __init__(self, selection: Selection, *, quiet: bool) -> None:
        self._quiet = quiet
        if quiet:
            return
        self._width = width_of_output()
        rows = [row for path, error in selection.runs.items() for row in rows_of(path, error)]
        trained = [settings_in(row) for row in rows if row.get("p") is not None]
        self._names = differing(trained)
        self._widths = {
            name: max(
                map(
                    len,
                    [setting_in_words(name), *(value_in_words(one.get(name)) for one in trained)],
                )
            )
            for name in self._names
        }
        heads = [setting_in_words(name).ljust(self._widths[name]) for name in self._names] or [
            "run"
        ]
        self._print(
            [*heads, "step".rjust(_NUMBER), "grokked at", "verdict".ljust(_VERDICT), "keys of W_E"]
        )

    def hear(self, rows: list[dict[str, Any]]) -> None:
        """Print the lines of some networks."""
        for row in [] if self._quiet else rows:
            heads = [value_in_words(row.get(n)).ljust(self._widths[n]) for n in self._names]
            if row.get("p") is None or not heads:
                heads = [row["name"]]
            if row.get("why_not"):
                self._print([*heads, row_in_words(row)])
                continue
            of = row.get("mixture_operation")
            verdict = row_in_words(row).ljust(_VERDICT) + (f"{_GAP}{of}:" if of else "")
            steps = [_step(row["explained_step"]), _step(row["grokked_at"])]
            self._print([*heads, *steps, verdict, frequencies_in_words(row["W_E_keys"]) or "none"])

    def _print(self, cells: list[str]) -> None:
        line = printable(_GAP.join(cells)).rstrip()
        print(line if self._width is None else fitting(line, self._width), flush=True)


def _step(value: int | None) -> str:
    return ("–" if value is None else f"{value:,}").rjust(_NUMBER)
