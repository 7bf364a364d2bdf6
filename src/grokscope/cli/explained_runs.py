"""Many explained networks, one line each as soon as it is known."""

from typing import Any, Final

from grokscope.cli.columns import fitting, width_of_output
from grokscope.errors import printable
from grokscope.inspection.rows import in_words
from grokscope.inspection.sentences import VERDICTS, frequencies
from grokscope.runs.differences import called, differing, shown
from grokscope.runs.selection import Selection
from grokscope.runs.sweep_index import rows_of, settings_in

_GAP: Final = "  "
_NUMBER: Final = len("grokked at")
_VERDICT: Final = max(map(len, VERDICTS.values()))


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
            name: max(map(len, [called(name), *(shown(one.get(name)) for one in trained)]))
            for name in self._names
        }
        heads = [called(name).ljust(self._widths[name]) for name in self._names] or ["run"]
        self._print([*heads, "step".rjust(_NUMBER), "grokked at", "verdict".ljust(_VERDICT),
                     "keys of W_E"])  # fmt: skip

    def hear(self, rows: list[dict[str, Any]]) -> None:
        """Print the lines of some networks."""
        for row in [] if self._quiet else rows:
            heads = [shown(row.get(n)).ljust(self._widths[n]) for n in self._names]
            if row.get("p") is None or not heads:
                heads = [row["name"]]
            if row.get("why_not"):
                self._print([*heads, in_words(row)])
                continue
            of = row.get("mixture_operation")
            verdict = in_words(row).ljust(_VERDICT) + (f"{_GAP}{of}:" if of else "")
            steps = [_step(row["explained_step"]), _step(row["grokked_at"])]
            self._print([*heads, *steps, verdict, frequencies(row["W_E_keys"]) or "none"])

    def _print(self, cells: list[str]) -> None:
        line = printable(_GAP.join(cells)).rstrip()
        print(line if self._width is None else fitting(line, self._width), flush=True)


def _step(value: int | None) -> str:
    return ("–" if value is None else f"{value:,}").rjust(_NUMBER)
