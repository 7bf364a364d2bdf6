"""grokscope explain: which algorithm a network found, on what evidence."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from grokscope.cli.terminal import report_skipped
from grokscope.config.run import RunConfig
from grokscope.errors import (
    AFTER_DIVERGENCE,
    DivergedError,
    GrokscopeError,
    UsageError,
    printable,
)

if TYPE_CHECKING:
    from grokscope.disk.listing import Selection
    from grokscope.explanation.result import Explanation


@dataclass(frozen=True)
class Explain:
    """Read out the algorithm that a network found, in the basis that fits its operation.

    Takes the folder of a run, or a file with an embedding, a readout or a whole checkpoint
    (.npy, .npz, .safetensors, .pt, .pth, .bin, .ckpt, .pkl) and --operation. Several runs, or a
    sweep, have a line each, and a table in the sweep. What a run's explanation.json keeps of the
    same weights is read, not made again. The exit code is 0 whatever the verdict.

    Example: grokscope explain runs/times
    """

    targets: Annotated[tuple[Path, ...], "RUN …"]
    """Run folders or sweeps, or one file with tables."""
    out: Annotated[Path | None, "DIR"] = None
    """Several: folder of the table, explanations.parquet and .csv; by default the sweep."""
    step: int | None = None
    """Which checkpoint of the run; by default the last."""
    seeds: tuple[int, ...] | None = None
    """Which seeds of the run; by default all."""
    operation: str | None = None
    """For a file: the operation that the network was trained on."""
    p: int | None = None
    """For a file: the modulus; left out, what the file says."""
    axis: int | None = None
    """For a file: which axis holds the residues, 0 or 1, where the lengths do not say it."""
    table: Annotated[tuple[str, ...], "NAME …"] = ()
    """For a file: names of the tables that are meant; left out, all."""
    by: str | None = None
    """Explain by the structure of another operation, as a control."""
    over_time: bool = False
    """Explain every checkpoint, and show when each claim becomes true."""
    fresh: bool = False
    """Explain anew also what explanation.json keeps of a last checkpoint."""
    json: bool = False
    """Print one JSON document: an object for one network, a list for several."""

    @property
    def target(self) -> Path:
        """The run or file, where there is one."""
        return self.targets[0]

    def run(self) -> None:
        """Explain and print."""
        self._check()
        selection = self._selection()
        if selection is not None and not selection.is_one_run:
            self._many(selection)
        elif self.target.is_file():
            self._show(self._file())
        elif self.over_time:
            self._show_over_time()
        else:
            self._show(self._run())

    def _check(self) -> None:
        """Raise `UsageError` for wrong words before JAX is loaded, which takes a while."""
        from grokscope.disk.tables import is_file, require_tables
        from grokscope.tasks import Task, parse

        if self.by is not None:
            Task((parse(self.by),), self.p or 97)
        files = [path for path in self.targets if is_file(path, self.operation)]
        if files and len(self.targets) > 1:
            raise UsageError(
                "a file is explained alone",
                got=str(files[0]),
                next_step="name run folders, sweeps, or one file",
            )
        if files:
            require_tables(files[0])
            if self.operation is None:
                raise UsageError(
                    "a file needs --operation",
                    got=str(self.target),
                    allowed='for example --operation "x*y"',
                )
            for name in ("step", "seeds", "over_time", "out", "fresh"):
                if getattr(self, name) not in (None, False):
                    raise UsageError(
                        f"--{name.replace('_', '-')} needs a run, not a file", got=str(self.target)
                    )
            parse(self.operation)
            return
        for name in ("operation", "p", "axis", "table"):
            if getattr(self, name) not in (None, ()):
                raise UsageError(f"--{name} is for files; a run knows it", next_step="leave it out")
        if self.over_time and self.step is not None:
            raise UsageError("--over-time explains every checkpoint", next_step="leave --step out")

    def _selection(self) -> "Selection | None":
        """Return the runs that are named; None for a file."""
        from grokscope.disk.folder import RunFolder
        from grokscope.disk.listing import select

        if self.target.is_file():
            return None
        found = select(self.targets)
        if found.is_one_run:
            RunFolder.open(self.target)
        for name in ("over_time",) if not found.is_one_run else ("out",):
            if getattr(self, name):
                kind = "one run" if name == "over_time" else "several runs"
                raise UsageError(
                    f"--{name.replace('_', '-')} is for {kind}", next_step="leave it out"
                )
        if self.out is not None and self.out.is_file():
            raise UsageError("--out is a file", got=str(self.out), allowed="a folder")
        return found

    def _many(self, selection: "Selection") -> None:
        """Explain many runs, a line each, and keep the table."""
        from grokscope.cli.explanation_view import Lines
        from grokscope.sweeps.explain_many import explain_many

        plain = self.step is None and self.by is None
        lines = Lines(selection, quiet=self.json)
        found = explain_many(
            selection,
            seeds=self.seeds,
            keep=plain,
            fresh=self.fresh,
            hear=lines.hear,
            warn=_warn,
            step=self.step,
            by=self.by,
        )
        if self.json:
            rows = [
                {k: None if v != v else v for k, v in row.items()}  # JSON has no nan
                for row in found.table.to_pylist()
            ]
            print(json.dumps(rows, allow_nan=False))
        out = self.out or (selection.sweep if plain and self.seeds is None else None)
        if out is not None:
            table, _ = found.write(out)
            print(f"table: {table} and .csv", file=sys.stderr)
        elif not self.json:
            print("no table is written; --out DIR keeps one", file=sys.stderr)
        if not found:
            raise GrokscopeError("no network could be explained")

    def _run(self) -> "list[Explanation]":
        from grokscope.disk.folder import RunFolder
        from grokscope.explanation.of_run import chosen_seeds, explain_networks
        from grokscope.explanation.store import read_or_explain
        from grokscope.progress import showing

        if self.step is not None or self.by is not None:
            return explain_networks(self.target, seeds=self.seeds, step=self.step, by=self.by)
        folder = RunFolder.open(self.target)
        seeds = chosen_seeds(RunConfig.from_json(folder.manifest.config), self.seeds)
        with showing():
            return [
                e for seed in seeds for e in read_or_explain(folder, seed, _warn, fresh=self.fresh)
            ]

    def _file(self) -> "list[Explanation]":
        from grokscope.explanation.of_file import explain_file

        return explain_file(
            self.target,
            self.operation or "",
            p=self.p,
            axis=self.axis,
            tables=self.table,
            by=self.by,
            skipped=report_skipped,
        )

    def _show(self, found: "list[Explanation]") -> None:
        found = _readable(found)
        if self.json:
            documents = [explanation.to_json() for explanation in found]
            print(json.dumps(documents[0] if len(documents) == 1 else documents))
            return
        from grokscope.cli.explanation_view import print_explanation

        for i, explanation in enumerate(found):
            print(end="\n" if i else "")
            print_explanation(explanation)

    def _show_over_time(self) -> None:
        from grokscope.explanation.over_time import timelines

        found = list(timelines(self.target, seeds=self.seeds, by=self.by))
        if self.json:
            documents = [timeline.to_json() for timeline in found]
            print(json.dumps(documents[0] if len(documents) == 1 else documents))
            return
        from grokscope.cli.explanation_view import print_timeline

        for timeline in found:
            print_timeline(timeline)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)


def _readable(found: "list[Explanation]") -> "list[Explanation]":
    """Return what can be read out, and say on standard error what cannot.

    **Raises:** `DivergedError` where nothing can.
    """
    from grokscope.explanation.sentences import not_finite_in_words, subject_in_words

    told = [(e, not_finite_in_words(e)) for e in found]
    lines = [f"{subject_in_words(e)}: {reason}" for e, reason in told if reason]
    if lines and len(lines) == len(found):
        raise DivergedError("; ".join(lines), next_step=AFTER_DIVERGENCE)
    for line in lines:
        print(f"left out: {printable(line)}", file=sys.stderr)
    return [e for e, reason in told if not reason]
