"""grokscope sweep: many runs from one description."""

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from grokscope.cli.terminal import count_in_words
from grokscope.errors import GrokscopeError, UsageError

if TYPE_CHECKING:
    from grokscope.sweeps.engines.engine import Engine
    from grokscope.sweeps.estimate import Estimate
    from grokscope.sweeps.spec import Spec
    from grokscope.sweeps.states import States
    from grokscope.sweeps.sweep import Plan


_OF_ENGINES: Final = {
    "local": ("workers",),
    "ray": ("address", "cpus", "gpus", "retries", "storage"),
}


@dataclass(frozen=True)
class EngineOptions:
    """Where runs train."""

    engine: Literal["local", "ray"] = "local"
    """Where: in processes of this machine, or as tasks of a Ray cluster (docs/cluster.md)."""
    workers: Annotated[int | None, "N"] = None
    """Local: processes at a time; left out, one per core, or one per GPU."""
    address: Annotated[str | None, "HOST:PORT"] = None
    """Ray: your cluster, or `auto` on one of its machines; left out, one starts on this machine."""
    cpus: Annotated[int | None, "N"] = None
    """Ray: cores of a worker, and its threads; left out, 1 as with the engine local."""
    gpus: Annotated[float | None, "N"] = None
    """Ray: number of GPUs of a worker, 0.5 to share one; left out, none."""
    retries: Annotated[int | None, "N"] = None
    """Ray: times that a batch may lose its worker or node; left out, 3, and -1 has no limit."""
    storage: Annotated[str | None, "URL"] = None
    """Ray: where runs are kept, s3://… for instance; left out, the folder, which nodes share."""

    def make(self) -> "Engine":
        """Return the engine; raises `UsageError` where an option belongs to another."""
        from grokscope.sweeps.engines.engine import make_engine

        for other, names in _OF_ENGINES.items():
            for name in names:
                if other != self.engine and getattr(self, name) is not None:
                    raise UsageError(
                        f"--{name} belongs to --engine {other}", got=f"--engine {self.engine}"
                    )
        given = {name: getattr(self, name) for name in _OF_ENGINES[self.engine]}
        settings: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
        return make_engine(self.engine, **settings)


@dataclass(frozen=True)
class Sweep:
    """Train many runs, from a description of axes, into one folder of ordinary runs.

    The description is TOML: [axes] with lists or ranges of settings, [fixed] with those that all
    runs share; see docs/sweeps.md. Killed at any time and repeated, it goes on; runs that are
    done are never trained again. Values may be added to the axes later.

    Example: grokscope sweep examples/sweeps/fractions.toml --dry-run
    """

    spec: Annotated[Path, "SPEC.toml"]
    """The description, or the folder of a sweep, to go on with it."""
    out: Annotated[Path | None, "DIR"] = None
    """Folder of the sweep; by default sweeps/NAME with the name of the description."""
    where: EngineOptions = field(default_factory=EngineOptions)
    batch_size: Annotated[int | None, "N"] = None
    """Runs side by side in one process; left out, 1 on a core, what fits on a GPU."""
    merge: Annotated[tuple[Path, ...], "DIR …"] = ()
    """Sweeps or folders of runs whose ended runs of equal configurations are copied first."""
    train: bool = True
    """Train what is not done; without it only --merge and the index are made."""
    dry_run: bool = False
    """Train nothing: say how many runs there are, and how long they may take."""
    resume: bool = False
    """Go on with a sweep that exists; without it a sweep does so, too, or begins."""
    lock: bool = True
    """Lock it, so that nobody else writes there; without, train also where there are no locks."""
    quiet: bool = False
    """Show nothing while training."""
    json: bool = False
    """Print the result as one JSON document."""

    def run(self) -> None:
        """Train, or say what would be trained."""
        from grokscope.sweeps.sweep import read_spec

        if self.batch_size is not None and self.batch_size < 1:
            raise UsageError("--batch-size is not usable", got=self.batch_size, allowed="1 or more")
        spec, folder = read_spec(self.spec)
        out = self.out or folder
        if self.resume:
            from grokscope.disk.sweep_folder import SweepFolder

            SweepFolder.open(out)
        if self.dry_run:
            self._plan(spec, out)
        else:
            self._train(spec, out)

    def _train(self, spec: "Spec", out: Path) -> None:
        from grokscope.cli.sweep_view import show_sweep
        from grokscope.sweeps.states import States
        from grokscope.sweeps.sweep import run_sweep

        engine = self.where.make()
        with show_sweep(quiet=self.quiet) as callbacks:
            sweep = run_sweep(
                spec,
                out,
                engine=engine,
                batch_size=self.batch_size,
                merge=self.merge,
                train=self.train,
                lock=self.lock,
                callbacks=callbacks,
            )
        self._conclude(States(spec.points, sweep.path), out)

    def _conclude(self, states: "States", out: Path) -> None:
        """Say how the runs of the description stand; raise where one failed."""
        failed = {name: s.error for name, s in states.now.items() if s.status == "failed"}
        if self.json:
            counts = dict(sorted(states.counts.items()))
            document = {"sweep": str(out), "runs": len(states.points), "counts": counts}
            print(json.dumps(document | {"failed": failed}))
        else:
            print(f"{count_in_words(len(states.points), 'run')}: {_in_words(states.counts)}")
            print(f"sweep: {out}")
        for name, error in failed.items():
            print(f"failed: {name}: {error}", file=sys.stderr)
        if failed:
            raise GrokscopeError(
                f"{len(failed)} of {count_in_words(len(states.points), 'run')} failed",
                next_step="the same command tries them again",
            )

    def _plan(self, spec: "Spec", out: Path) -> None:
        """Say what is done, what is left, and how long that takes at most."""
        from grokscope.cli.sweep_view import merge_in_lines
        from grokscope.progress import doing, showing
        from grokscope.sweeps.estimate import estimate
        from grokscope.sweeps.sweep import plan

        engine = self.where.make()
        with showing(quiet=self.quiet):
            doing("looking for what is done")
            found = plan(spec, out, self.merge)
            left = found.left
            measured = estimate(left, engine.slots) if left else None
        for source, merged in {} if self.quiet else found.merged.items():
            for line in merge_in_lines(source, merged, "to be taken over"):
                print(line, file=sys.stderr)
        if self.json:
            print(json.dumps(_document(spec, out, found, measured)))
            return
        n = len(found.states.points)
        print(f"{count_in_words(n, 'run')}: {n - len(left)} done, {len(left)} to do")
        for axis in spec.axes:
            print(f"  {axis.name}: {count_in_words(len(axis), 'value')}")
        if spec.n_excluded:
            print(f"  excluded: {count_in_words(spec.n_excluded, 'combination')}")
        for line in [] if measured is None else _time(measured):
            print(line)


def _time(measured: "Estimate") -> list[str]:
    """Return what was measured and what follows from it."""
    from grokscope.progress import in_words
    from grokscope.sweeps.estimate import shape_in_words

    lines = [
        f"{'measured' if shape.measured else 'scaled to'} {shape_in_words(shape.config)}: "
        f"{1000 * shape.times.per_step:.1f} ms per step, {shape.times.beginning:.1f} s to begin; "
        f"{count_in_words(len(shape.steps), 'run')}"
        for shape in measured.shapes
    ]
    total = (
        f"at most {in_words(measured.seconds)} with {count_in_words(measured.workers, 'worker')}"
    )
    return [*lines, f"{total}, if every run takes all its steps"]


def _document(
    spec: "Spec", out: Path, found: "Plan", measured: "Estimate | None"
) -> dict[str, Any]:
    n = len(found.states.points)
    shapes = (
        []
        if measured is None
        else [
            {
                "p": s.config.task.p,
                "train_fraction": s.config.task.train_fraction,
                "runs": len(s.steps),
                "seconds_per_step": s.times.per_step,
                "seconds_to_start": s.starting,
                "measured": s.measured,
            }
            for s in measured.shapes
        ]
    )
    return {
        "sweep": str(out),
        "runs": n,
        "done": n - len(found.left),
        "left": len(found.left),
        "axes": {axis.name: len(axis) for axis in spec.axes},
        "excluded": spec.n_excluded,
        "measured": shapes,
        "workers": None if measured is None else measured.workers,
        "seconds_at_most": 0.0 if measured is None else measured.seconds,
    }


def _in_words(counts: Counter[str]) -> str:
    order = ("grokked", "undecided", "diverged", "failed", "running", "waiting")
    return ", ".join(f"{counts[status]} {status}" for status in order if counts[status])
