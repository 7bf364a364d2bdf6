"""grokscope report: the page, or the figures, of one run or several."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True)
class Report:
    """Write one self-contained page about one run, or several compared.

    Example: grokscope report runs/x+y-p97 --figures figures
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Run folders."""
    out: Path | None = None
    """The page; by default RUN/report.html, or report.html for several runs."""
    figures: Path | None = None
    """Write every figure as SVG and PNG into this folder instead of the page."""

    def run(self) -> None:
        """Write and say where."""
        from grokscope.errors import UsageError
        from grokscope.report import write_figures, write_report

        if not self.runs:
            raise UsageError("no run to report", allowed="one run folder or several",
                             next_step="grokscope runs DIR lists them")  # fmt: skip
        if self.figures is None:
            print(write_report(self.runs, self.out))
            return
        for path in write_figures(self.runs, self.figures):
            print(path)
