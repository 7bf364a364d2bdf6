"""grokscope explore: the interactive pages of runs, in a browser."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from grokscope.errors import UsageError

_USUAL: Final = Path("runs")


@dataclass(frozen=True)
class Explore:
    """Look at runs in motion, in a browser: the table of runs, one slider over the snapshots that
    drives every figure, the claims with a bench for ablations, and any pair to try.

    Serves on this machine alone, with a token in the address, until Ctrl-C; nothing is loaded from
    elsewhere. --html writes the slider and the linked figures of one run as a single file that
    opens without grokscope.

    Example: grokscope explore runs/times --html times.html
    """

    runs: Annotated[Path | None, "DIR"] = None
    """A folder of runs, or one run; by default runs."""
    html: Annotated[Path | None, "FILE"] = None
    """Write one page of at most 10 MB about a run instead of serving."""
    seed: int | None = None
    """Seed of the page; left out, the first that has not diverged."""
    operation: int = 0
    """Operation of the page, of a mixture, from 0."""
    claims: bool = True
    """Explain every snapshot for the page, seconds for each; what is explained already is kept."""
    port: int | None = None
    """Port of the server; left out, a free one."""
    browse: bool = True
    """Open the address in a browser."""

    def run(self) -> None:
        """Serve, or write and say where."""
        from grokscope.explorer.explore import explore, folder_to_explore, run_to_write

        place = _USUAL if self.runs is None else self.runs
        if self.html is None:
            folder_to_explore(place)
            self._refuse_options_of_the_page()
        else:
            run_to_write(place)
            self._check_file(self.html)
        page = explore(
            place,
            html=self.html,
            seed=self.seed,
            operation=self.operation,
            claims=self.claims,
            port=self.port,
            browse=self.browse,
            say=_say,
        )
        if page is not None:
            from grokscope.disk.atomic import relative_path

            print(relative_path(page))

    def _check_file(self, html: Path) -> None:
        if html.is_dir():
            raise UsageError(
                "--html is a folder",
                got=str(html),
                allowed="the name of a file",
                next_step=f"for example {html / 'run.html'}",
            )

    def _refuse_options_of_the_page(self) -> None:
        """Raise `UsageError` for what only a page has: served, it is chosen there."""
        for name, value, usual in (("--seed", self.seed, None), ("--operation", self.operation, 0)):
            if value != usual:
                raise UsageError(f"{name} is for --html", next_step="served, choose it in the page")


def _say(line: str) -> None:
    if not line.startswith("http"):
        print(line, file=sys.stderr, flush=True)
        return
    print(f"Open {line}", flush=True)
    print("Ctrl-C ends it.", flush=True)
