"""grokscope explore and gs.explore: serve the explorer, or write one page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from grokscope.config.arguments import plain_arguments
from grokscope.disk.atomic import (
    absolute_path,
    names_in,
    path_for_shell,
    path_in_words,
    path_of,
)
from grokscope.disk.folder import MANIFEST_NAME
from grokscope.disk.listing import RunSummary, list_runs, no_folder_error
from grokscope.errors import UsageError


def folder_to_explore(place: Any) -> Path:
    """Return the folder of runs, or the run; raises `RunFolderError` where it is not there."""
    folder = absolute_path(path_of(place))
    if not folder.exists():
        raise no_folder_error(place)
    names_in(folder)
    return folder


def holds_runs(folder: Path) -> bool:
    """Whether a folder is a run, or there is one in it or below it."""
    return MANIFEST_NAME in names_in(folder) or bool(list_runs(folder, RunSummary))


def no_runs(folder: Path) -> str:
    """Return the line that says what to do about a folder without runs."""
    command = f'grokscope train "x + y" --out {path_for_shell(folder / "plus")}'
    return f"no runs in {path_in_words(folder)} yet; {command} makes one, and the page shows it"


def run_to_write(place: Any) -> Path:
    """Return the run that a page is about; raises `UsageError` for a folder that is none."""
    folder = folder_to_explore(place)
    if MANIFEST_NAME not in names_in(folder):
        raise UsageError(
            "a page is about one run", got=str(place), next_step="name the folder of a run"
        )
    return folder


@plain_arguments
def explore(
    runs: Any = "runs",
    *,
    html: str | Path | None = None,
    seed: int | None = None,
    operation: int = 0,
    claims: bool = True,
    port: int | None = None,
    browse: bool = True,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Serve the explorer of runs on this machine until it is interrupted, or write one page.

        >>> gs.explore("runs/x-y-p23", html="page.html", claims=False)
        PosixPath('page.html')

    **Arguments:**

    - `runs`: a folder of runs, a run, or what `gs.train` and `gs.sweep` return.
    - `html`: write the page of a single run into this file instead of serving.
    - `seed`, `operation`: of the page: which network, by default the first.
    - `claims`: of the page: explain every snapshot where that was not done yet.
    - `port`: of the server, by default a free one.
    - `browse`: open it in a browser.
    - `say`: is told the address once it answers, and before if there are no runs yet.

    **Returns:** the page; None of a server that was interrupted.

    **Raises:** `UsageError` for a folder that is not there, a taken port, and where marimo is not
    installed; `DiskError`.
    """
    if html is not None:
        from grokscope.explorer.page import write_page

        return write_page(
            run_to_write(runs), Path(html), seed=seed, operation=operation, claims=claims
        )
    from grokscope.explorer.server import serve

    folder = folder_to_explore(runs)
    if not holds_runs(folder):
        say(no_runs(folder))
    serve(folder, port, say, browse=browse)
    return None
