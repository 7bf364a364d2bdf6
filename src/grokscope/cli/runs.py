"""grokscope runs: what lies in a folder of runs."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import tyro
from tyro.conf import arg

from grokscope.errors import RunFolderError, printable

if TYPE_CHECKING:
    from grokscope.runs.query import RunSummary


_WIDTH_OF_FILES: Final = 200


@dataclass(frozen=True)
class Runs:
    """List the runs in a folder: what was trained, how far it got, and its last measures.

    Several seeds are averaged; damaged runs are listed with the reason.

    Example: grokscope runs runs --json
    """

    folder: Annotated[Path, tyro.conf.Positional, arg(metavar="DIR")] = Path("runs")
    """A folder of run folders."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON document."""

    def run(self) -> None:
        """List and print."""
        from grokscope.runs.query import list_runs

        if not self.folder.exists():
            raise RunFolderError("there is no such folder of runs", got=str(self.folder),
                                 next_step='grokscope train "x + y" makes one')  # fmt: skip
        found = list_runs(self.folder)
        if self.json:
            print(json.dumps([self._document(run) for run in found]))
        else:
            _show(found, self.folder)

    def _document(self, run: "RunSummary") -> dict[str, Any]:
        from grokscope.runs.atomic import from_here

        path = str(run.path) if self.folder.is_absolute() else from_here(run.path)
        return {**dataclasses.asdict(run), "path": path}


def _show(found: "list[RunSummary]", folder: Path) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not found:
        hint = ""
        if (folder / "manifest.json").exists():
            hint = "; it is a run itself: see grokscope report --help"
        print(f"no runs in {printable(str(folder))}{hint}")
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_FILES)
    table = Table("run", "operation", "r", "seeds", "state", "step", "grokked at",
                  "train, test,\nunleaked", "FFS of\nW_E, W_L", "FCR of\nW_E, W_L", "age",
                  box=box.SIMPLE, pad_edge=False)  # fmt: skip
    for run in found:
        name = printable(run.path.name)
        if run.error is not None:
            console.print(f"{name}: {run.error}", markup=False, highlight=False, soft_wrap=True)
            continue
        grokked = " ".join("–" if at is None else str(at) for at in run.grokked_at.values())
        accuracies = (run.train_accuracy, run.test_accuracy, run.unleaked_accuracy)
        table.add_row(
            escape(name), escape(_operation(run)),
            f"{run.train_fraction:g}", " ".join(map(str, run.seeds)), run.state,
            _number(run.step, "{}"), grokked,
            " ".join(_number(a, "{:.1%}") for a in accuracies), _pair(run.ffs), _pair(run.fcr),
            _age(run.age),
        )  # fmt: skip
    if table.row_count:
        console.print(table)


def _operation(run: "RunSummary") -> str:
    """Return what was trained, and in a second line what it took over."""
    taken = f"\n{printable(run.transfer)}" if run.transfer else ""
    return f"{printable(run.operation)} mod {run.p}{_noise(run)}{taken}"


def _noise(run: "RunSummary") -> str:
    return f", label noise {run.label_noise:g}" if run.label_noise else ""


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _pair(values: dict[str, float]) -> str:
    return " ".join(_number(values.get(matrix), "{:.2f}") for matrix in ("W_E", "W_L"))


def _age(seconds: float | None) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds is not None and seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return _number(seconds, "{:.0f} s")
