"""grokscope runs: what lies in a folder of runs."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from grokscope.errors import printable

if TYPE_CHECKING:
    from grokscope.disk.listing import RunSummary

_USUAL: Final = (Path("runs"), Path("sweeps"))


@dataclass(frozen=True)
class Runs:
    """List the runs in a folder and in its sweeps, a line each: what differs between them, how
    far each got, and what explain found.

    Several seeds are averaged; damaged runs are listed with the reason. Lines that are longer than
    the terminal lose columns; in a pipe or a file they are whole.

    Example: grokscope runs runs --wide
    """

    folder: Annotated[Path | None, "DIR"] = None
    """A folder of run folders or sweeps; by default runs and sweeps."""
    wide: bool = False
    """Show every column, however long the lines are."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        """List and print."""
        from grokscope.disk.listing import list_runs, no_folder_error
        from grokscope.progress import doing, showing

        asked = _USUAL if self.folder is None else (self.folder,)
        folders = [folder for folder in asked if folder.exists()]
        if not folders:
            raise no_folder_error(asked[0])
        with showing():
            doing("reading the runs")
            found = [run for folder in folders for run in list_runs(folder)]
        if self.json:
            print(json.dumps([self._document(run) for run in found]))
        elif found:
            self._show(found)
        else:
            hint = ""
            if (folders[0] / "manifest.json").exists():
                hint = "; it is a run itself: see grokscope report --help"
            print(f"no runs in {printable(str(folders[0]))}{hint}")

    def _show(self, found: "Sequence[RunSummary]") -> None:
        from grokscope.cli.runs_view import table_of_runs
        from grokscope.cli.terminal import width_of_output

        for line in table_of_runs(found, None if self.wide else width_of_output()):
            print(line)

    def _document(self, run: "RunSummary") -> dict[str, Any]:
        from grokscope.disk.atomic import relative_path

        absolute = self.folder is not None and self.folder.is_absolute()
        path = str(run.path) if absolute else relative_path(run.path)
        return {**dataclasses.asdict(run), "path": path}
