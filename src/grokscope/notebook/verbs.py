"""The verbs of the command line for Python, under the same names."""

import contextlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from grokscope.config.arguments import plain_arguments
from grokscope.config.run import RunConfig, configure
from grokscope.disk.atomic import names_in, path_of
from grokscope.disk.listing import RunSummary, list_runs, no_folder_error, paths_of
from grokscope.disk.sweep_folder import SweepFolder
from grokscope.errors import UsageError
from grokscope.notebook.run import Run
from grokscope.notebook.shown import ShowsTable, Table
from grokscope.rounding import share_in_percent
from grokscope.runner.progress import Callbacks
from grokscope.spelling import in_python

_UNKNOWN: Final = "–"


@plain_arguments
def load_run(path: Any) -> Run:
    """Return the run in a folder.

        >>> gs.load_run("runs/x-y-p23").operation
        'x*y'

    **Arguments:** its path, or anything that has one, such as a line of `gs.runs()`.

    **Raises:** `RunFolderError` where no run lies there, or it is damaged.
    """
    return Run(path)


@plain_arguments
def train(
    *expressions: str,
    preset: str = "paper",
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Callbacks | None = None,
    quiet: bool = False,
    lock: bool = True,
    source: Any = None,
    **settings: Any,
) -> Run:
    """Train an operation, or a mixture of several, and return the run.

    It can be interrupted: what was trained is saved, and `gs.load_run(path).resume()` goes on.

        >>> gs.train("x*y", out="runs/again", quiet=True, **TINY).status
        'undecided'

    **Arguments:**

    - `expressions`: operations in x and y, for instance `"x^2 + y^2"`.
    - `preset`: where the settings start from, a key of `grokscope.config.run.PRESETS`.
    - `out`: run folder; by default `runs/NAME` with a name made from the operation.
    - `resume`: go on with the run of the same settings in `out`.
    - `callbacks`: a `gs.Callbacks` that is told how it goes; without one, standard error or the
      notebook has a line with the step and the test accuracy.
    - `quiet`: show nothing but warnings.
    - `lock`: False trains also where the file system has no locks; then nothing else may write
      there.
    - `source`: a trained run to take weights over from, as the setting `load` says:
      `source=run, load=("embedding",), freeze=("embedding",)`.
    - `settings`: any setting of the command line, `p=59, seeds=(0, 1), steps=20_000`.

    **Returns:** the run, with one result per seed.

    **Raises:** `UsageError`, `DiskError`, `DivergedError`, `RunInterruptedError`.
    """
    if source is not None:
        settings["source"] = source
    config = configure(expressions, preset, **settings)
    return train_config(config, out, resume=resume, callbacks=callbacks, quiet=quiet, lock=lock)


def train_config(config: RunConfig, out: str | Path | None, **options: Any) -> Run:
    """Train a configuration; the options are those of `train`."""
    from grokscope.runner.train import train_in_view  # with JAX, which gs.sweep does without

    return Run(train_in_view(config, out, **options))


@plain_arguments
def report(
    runs: Any, out: str | Path | None = None, *, figures: str | Path | None = None
) -> Path | list[Path]:
    """Write a page about one run, or one that compares several; or their figures as files.

        >>> gs.report("runs/x-y-p23").name
        'report.html'

    **Arguments:**

    - `runs`: runs or sweeps, as their paths or as other verbs return them, one or a list.
    - `out`: the page; by default `report.html` in the folder of a single run or sweep, and in the
      current folder for several.
    - `figures`: a folder: write every figure as SVG and PNG there instead of the page.

    **Returns:** the page, or the files of the figures.

    **Raises:** `UsageError` when a folder is not a run or is damaged; `DiskError`.
    """
    from grokscope.reports import write_figures, write_report

    if out is not None and figures is not None:
        raise UsageError("--out names the page, and --figures writes none", next_step="say one")
    return write_report(runs, out) if figures is None else write_figures(runs, figures)


class Runs(ShowsTable, list[RunSummary]):
    """The runs of some folders, one line each; `gs.load_run(runs[0])` opens one."""

    def shown(self) -> Table:
        """Return the table that is shown."""
        header = ("run", "operation", "p", "state", "step", "grokked at", "test", "verdict")
        n = len(self)
        return Table(f"{n} run{'' if n == 1 else 's'}", header, [_line(run) for run in self])


def _line(run: RunSummary) -> list[str]:
    grokked = " ".join(_number(at) for at in run.grokked_at.values()) or _UNKNOWN
    test = _UNKNOWN if run.test_accuracy is None else share_in_percent(run.test_accuracy)
    verdicts = ", ".join(dict.fromkeys(found["verdict"] for found in run.explained)) or _UNKNOWN
    state = run.state if run.error is None else f"damaged: {in_python(run.error)}"
    numbers = [_number(run.p), state, _number(run.step), grokked, test, verdicts]
    return [run.path.name, run.operation, *numbers]


def _number(value: int | None) -> str:
    return _UNKNOWN if value is None else f"{value:,}"


@plain_arguments
def runs(folder: Any = None) -> Runs:
    """List the runs in a folder and in its sweeps, by default in `runs` and `sweeps`.

        >>> [run.operation for run in gs.runs("runs")][:1]
        ['x*y']

    **Raises:** `RunFolderError` when a folder that is named is not there or cannot be read.
    """
    if folder is not None and not path_of(folder).exists():
        raise no_folder_error(folder)
    folders = [Path("runs"), Path("sweeps")] if folder is None else [folder]
    return Runs(run for each in folders for run in list_runs(each))


class Sweep(ShowsTable):
    """A trained sweep: `runs` are its runs, `index()` a row for each, `failures` the errors."""

    def __init__(self, path: Any) -> None:
        self.folder = SweepFolder.open(getattr(path, "path", path))

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.folder.path

    @property
    def runs(self) -> Runs:
        """Its runs, in the order of the settings that differ."""
        return runs(self.path)

    @property
    def failures(self) -> dict[str, str]:
        """The errors of the runs that failed, by name."""
        return {name: in_python(line) for name, line in self.folder.failures.items()}

    def index(self) -> Any:
        """Return one row per run and seed, with the settings that differ, as a pyarrow table."""
        return self.folder.index()

    def shown(self) -> Table:
        """Return the table that is shown: the index."""
        rows = self.index().to_pylist()
        names = [n for n in self.index().column_names if any(row[n] is not None for row in rows)]
        cells = [[_cell(row[name]) for name in names] for row in rows]
        title = f"{self.path.name}: {len(rows)} runs, {len(self.failures)} failed"
        return Table(title, [name.replace("_", " ") for name in names], cells)


def _cell(value: Any) -> str:
    if value is None:
        return _UNKNOWN
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@plain_arguments
def sweep(
    spec: Any,
    out: str | Path | None = None,
    *,
    engine: str = "local",
    workers: int | None = None,
    batch_size: int | None = None,
    merge: Any = (),
    lock: bool = True,
    **settings: Any,
) -> Sweep:
    """Train every run of a sweep that is not done yet.

        >>> axes = {"operation": ["x*y"], "seed": [0]}
        >>> found = gs.sweep({"axes": axes, "fixed": TINY}, "sweeps/tiny", merge="runs")
        >>> [run.operation for run in found.runs]
        ['x*y']

    **Arguments:**

    - `spec`: a TOML file, the folder of a sweep, what `gs.sweep` returned, or a dictionary:
      `{"axes": {"operation": ["x + y", "x*y"], "seed": range(3)}, "fixed": {"p": 59}}`.
    - `out`: the folder; by default `sweeps/NAME`, with the name of the file.
    - `engine`, `workers`: where runs train, `local` or `ray`, and how many processes (local).
    - `batch_size`: how many runs train side by side in one process.
    - `merge`: folders whose finished runs of the same configurations are copied first.
    - `lock`: False trains also where the file system has no locks; then nothing else may write
      there.
    - `settings`: of the engine, `engine="ray", address="auto", storage="s3://…"`.

    **Raises:** `UsageError`, `DiskError`, `RunInterruptedError`.
    """
    from grokscope.sweeps.engines.engine import make_engine
    from grokscope.sweeps.spec import Spec
    from grokscope.sweeps.sweep import read_spec, run_sweep

    if isinstance(spec, Mapping):
        read, folder = Spec.from_dict(spec), None
    else:
        read, folder = read_spec(spec)
    target = folder if out is None else path_of(out)
    if target is None:
        raise UsageError("a sweep from Python needs out", next_step='for example out="sweeps/mine"')
    if workers is not None:
        settings["workers"] = workers
    return Sweep(
        run_sweep(
            read,
            target,
            engine=make_engine(engine, **settings),
            batch_size=batch_size,
            merge=paths_of(merge),
            lock=lock,
        ).path
    )


class Timelines(ShowsTable, list[Any]):
    """When each claim became true, per seed and operation; see `Timeline`."""

    def shown(self) -> Table:
        """Return the table that is shown: a line per claim."""
        header = ("claim", "operation", "seed", "holds since", "after grokking")
        rows = [
            [m.statement, line.operation, str(line.seed), _number(m.since), _number(m.relative)]
            for line in self
            for m in line.moments
        ]
        return Table("when each claim became true", header, rows)


@plain_arguments
def over_time(run: Any, *, seeds: Sequence[int] | None = None, by: str | None = None) -> Timelines:
    """Explain the checkpoints of a run one after the other, and say when each claim became true.

        >>> gs.over_time("runs/x-y-p23", seeds=[0])[0].operation
        'x*y'

    **Arguments:**

    - `run`: the run, or its path.
    - `seeds`: which seeds; by default all.
    - `by`: the operation whose structure is used, as a control; by default its own.
    """
    from grokscope.explanation.over_time import timelines

    folder = getattr(run, "folder", run)
    return Timelines(timelines(folder, seeds=None if seeds is None else tuple(seeds), by=by))


class Validation(ShowsTable, list[Any]):
    """Found against known, a line per network; see `Scored`."""

    def shown(self) -> Table:
        """Return the table that is shown."""
        from grokscope.validation.table import HEADER, in_words, title

        return Table(title(self), HEADER, [in_words(scored) for scored in self])


@plain_arguments
def validate(
    folder: Any = None, *, p: int = 59, seed: int = 0, only: Sequence[str] = ()
) -> Validation:
    """Explain networks whose answers are known, and say what was found beside what is known.

        >>> found = gs.validate(p=29, only=["clock"])
        >>> found[0].name, found[0].verdict
        ('clock', 'explained')

    **Arguments:**

    - `folder`: imported runs with a `known.json` beside their manifest; by default the networks are
      made by formula.
    - `p`, `seed`: of networks made by formula: a prime from 29 on, and what draws them.
    - `only`: names of the networks to explain, as they stand in the table; by default all.

    **Raises:** `UsageError` for another p or name, and where no folder says what is known.
    """
    from grokscope.validation.scored import validate as score_all

    return Validation(score_all(folder, p=p, seed=seed, only=only))


@plain_arguments
def reproduce(
    name: str,
    *,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    fractions: Sequence[float] = (),
    p: int | None = None,
    steps: int | None = None,
    small: bool = False,
    out: str | Path = Path("sweeps/paper"),
    runs: Any = (),
    results: str | Path | None = None,
    known: Any = (),
    engine: str = "local",
    workers: int | None = None,
    train: bool = True,
    hours: float | None = None,
    page: bool = False,
) -> Path:
    """Make a table or figure of the paper again, and return the page with its numbers beside ours.

        >>> gs.reproduce("figure-a23", only=["x + y"], seeds=[0], p=11).suffix
        '.html'

    **Arguments:**

    - `name`: as `grokscope reproduce --list` shows them, for instance `table-a5`; or `all`.
    - `only`, `seeds`, `fractions`, `p`, `steps`, `small`: which part of it, as on the command line.
    - `out`: where runs and pages go.
    - `runs`: more folders of runs; those that fit are taken over.
    - `results`: where results are kept and added to; by default `out`/summary.
    - `known`: more folders of results that are kept elsewhere; only read.
    - `engine`, `workers`: as for `gs.sweep`.
    - `train`: False shows what is there.
    - `hours`: train for so long, then save; what is kept or known is not trained again.
    - `page`: only writes the page, from kept results alone.

    **Returns:** the page; of `all` the folder with all pages.

    **Raises:** `UsageError`, `DiskError`, `RunInterruptedError` after saving.
    """
    from grokscope.paper.experiment import Request
    from grokscope.paper.hours import ALL, Campaign
    from grokscope.paper.hours import reproduce as pages_of
    from grokscope.sweeps.engines.engine import make_engine
    from grokscope.sweeps.sweep import SweepCallbacks

    out, more, read = Path(out), paths_of(runs), paths_of(known)
    for path in (*more, *read):
        names_in(path)
    folder = out / "summary" if results is None else Path(results)
    pages = pages_of(
        name,
        Request(tuple(only), tuple(seeds), tuple(fractions), p, steps, small),
        Campaign(out, folder, more, warnings.warn, read),
        make_engine(engine, **{} if workers is None else {"workers": workers}) if train else None,
        lambda: contextlib.nullcontext(SweepCallbacks()),
        page=page,
        hours=hours,
    )
    return out if name == ALL else pages[0]
