"""grokscope report: the page, or the figures, of one run or several."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from grokscope.errors import UsageError


@dataclass(frozen=True)
class Report:
    """Write one self-contained page about one run, or several compared.

    A comparison begins with what differs between the runs, lays their curves over one another, and
    shows grokking, measures and key frequencies against it.

    Example: grokscope report runs/times --figures figures
    """

    runs: Annotated[tuple[Path, ...], "RUN …"]
    """Run folders or sweeps."""
    out: Annotated[Path | None, "FILE"] = None
    """The page; by default report.html in the run or sweep, or here for several."""
    figures: Annotated[Path | None, "DIR"] = None
    """Write every figure as SVG and PNG into this folder instead of the page."""

    def run(self) -> None:
        """Write and say where."""
        self._check()
        from grokscope.disk.atomic import relative_path
        from grokscope.reports import write_figures, write_report

        if self.figures is None:
            print(relative_path(write_report(self.runs, self.out)))
            return
        for path in write_figures(self.runs, self.figures):
            print(path)

    def _check(self) -> None:
        """Raise `UsageError` for wrong paths before the report is loaded, which takes a while."""
        from grokscope.disk.folder import RunFolder
        from grokscope.disk.listing import select

        if select(self.runs).is_one_run:
            RunFolder.open(self.runs[0])
        if self.out is not None and self.out.is_dir():
            raise UsageError(
                "--out is a folder",
                got=str(self.out),
                allowed="the name of a file",
                next_step=f"for example {self.out / 'report.html'}",
            )
        if self.figures is not None and self.out is not None:
            raise UsageError("--out names the page, and --figures writes none", next_step="say one")
        if self.figures is not None and self.figures.is_file():
            raise UsageError("--figures is a file", got=str(self.figures), allowed="a folder")
