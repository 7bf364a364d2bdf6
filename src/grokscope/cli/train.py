"""grokscope train: from an expression to a run folder with its report."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from grokscope.config.run import RunConfig, configure
from grokscope.errors import AFTER_DIVERGENCE, DivergedError, UsageError

if TYPE_CHECKING:
    from grokscope.disk.manifest import Manifest


@dataclass(frozen=True)
class Train:
    """Train an operation mod p to grokking, measured as it happens, and write the report.

    The run is kept in a folder that can be resumed after any interruption. Training stops when
    test accuracy has grokked plus a margin, or at --steps.

    Example: grokscope train "x*y" --preset quick --seeds 0 1 2 --out runs/times
    """

    expressions: Annotated[tuple[str, ...], "OPERATION …"] = ()
    """The operation in x and y, for instance "x^2 + x*y + y^2"; several are a mixture."""
    out: Annotated[Path | None, "DIR"] = None
    """Run folder; by default runs/NAME with a name made from the operation."""
    preset: str = "paper"
    """Where the other settings start from: paper, or quick (a small network mod 59)."""
    resume: bool = False
    """Go on with the run in --out; the manifest knows the rest. --steps may be raised."""
    report: bool = True
    """Write report.html when training ends."""
    lock: bool = True
    """Lock it, so that nobody else writes there; without, train also where there are no locks."""
    quiet: bool = False
    """Show nothing but warnings while training."""
    json: bool = False
    """Print the result as one JSON document."""
    config: RunConfig = field(default_factory=RunConfig)

    @classmethod
    def starting(cls, given: Mapping[str, Any]) -> "Train":
        """Return the defaults: those of the preset, or when resuming, those of the run."""
        out, preset = given.get("out"), given.get("preset", "paper")
        if given.get("resume") and out is not None and (out / "manifest.json").exists():
            from grokscope.disk.folder import RunFolder

            return cls(config=RunConfig.from_json(RunFolder.open(out).manifest.config))
        return cls(config=configure(("x + y",), preset))

    def run(self) -> None:
        """Train, report, and say how it ended."""
        from grokscope.runner.check import check

        config, out = self._config(), self.out
        checked = check(config)
        if self.resume and out is not None:
            from grokscope.runner.opening import refuse_fewer_steps

            refuse_fewer_steps(config, out)
        if self.resume and out is not None and self._is_finished(out, config):
            if self.report and not (out / "report.html").exists():
                self._write_report(out)
            self._name_next(out)
            return

        from grokscope.cli.training_view import show_training
        from grokscope.runner.loop import train_checked
        from grokscope.runner.train import run_folder

        with run_folder(checked, out) as path:
            try:
                with show_training(quiet=self.quiet) as callbacks:
                    train_checked(
                        checked, path, resume=self.resume, callbacks=callbacks, lock=self.lock
                    )
            except DivergedError:
                self._conclude(path)
                raise
            self._conclude(path)
            self._name_next(path)

    def _config(self) -> RunConfig:
        """Return the configuration; raises `UsageError` where there is nothing to train."""
        if self.expressions:
            return self.config
        if not self.resume:
            raise UsageError(
                "no operation to train",
                allowed='an expression in x and y, for example grokscope train "x + y"',
                next_step="to go on with a run: grokscope train --resume --out DIR",
            )
        if self.out is None:
            raise UsageError(
                "--resume needs --out",
                allowed="the folder of a run",
                next_step="grokscope runs DIR lists them",
            )
        from grokscope.disk.folder import RunFolder

        RunFolder.open(self.out)
        return self.config

    def _is_finished(self, out: Path, config: RunConfig) -> bool:
        """Whether the run in `out` has ended and no more steps are asked for; then say so."""
        from grokscope.disk.folder import MANIFEST_NAME, RunFolder
        from grokscope.runner.identity import first_difference

        if not (out / MANIFEST_NAME).exists():
            return False
        manifest = RunFolder.open(out).manifest
        more = config.schedule.steps > manifest.config["schedule"]["steps"]
        ended = manifest.status in ("grokked", "diverged")
        if not ended and (manifest.status != "undecided" or more):
            return False
        if first_difference(config, manifest) is not None:
            return False  # which the training refuses, naming the setting
        self._tell(out, manifest)
        if manifest.status == "diverged":
            raise DivergedError("this run diverged", next_step=AFTER_DIVERGENCE)
        print(f"this run is finished; {_next_step(manifest)}", file=sys.stderr)
        return True

    def _conclude(self, out: Path) -> None:
        """Tell how the run in `out` ended, and write its report."""
        from grokscope.disk.folder import RunFolder

        self._tell(out, RunFolder.open(out).manifest)
        if self.report:
            self._write_report(out)

    def _write_report(self, out: Path) -> None:
        from grokscope.disk.atomic import relative_path
        from grokscope.progress import showing
        from grokscope.reports import write_report

        with showing(quiet=self.quiet):
            page = write_report([out])
        print(f"report: {relative_path(page)}", file=sys.stderr if self.json else sys.stdout)

    def _name_next(self, out: Path) -> None:
        """Say which two commands lead on from a run that has ended."""
        from grokscope.cli.command_line import program
        from grokscope.disk.atomic import path_for_shell

        if not (self.json or self.quiet):
            print(f"next: {program()} explain {path_for_shell(out)}", file=sys.stderr)
            print(
                f"then: {program()} report {path_for_shell(out)}  # with the explanation",
                file=sys.stderr,
            )

    def _tell(self, out: Path, manifest: "Manifest") -> None:
        """Print how every seed ended and where the run lies."""
        if self.json:
            print(json.dumps({"run": str(out), "results": manifest.results}))
            return
        for result in manifest.results:
            print(_sentence(manifest, result, _unconfirmed(out, result["seed"])))
        print(f"run: {out}")


def _next_step(manifest: "Manifest") -> str:
    """Return what shows more of a run that is finished."""
    if manifest.status == "grokked":
        return "to see more of it, train anew with --no-stop or a larger --stop-margin"
    undecided = [result for result in manifest.results if result["status"] == "undecided"]
    if all(_stopped(manifest, result) for result in undecided):
        return "to train longer, train anew with a higher --stop-accuracy"
    return "to train on, raise --steps"


def _stopped(manifest: "Manifest", result: dict[str, Any]) -> bool:
    """Whether an undecided seed reached a stop accuracy below that of grokking."""
    return result["steps"] < manifest.config["schedule"]["steps"]


def _unconfirmed(out: Path, seed: int) -> str:
    """Say since when a seed has a test accuracy that five more evaluations have yet to confirm."""
    from grokscope.disk.folder import RunFolder
    from grokscope.measures import high_since

    rows = sorted(
        (row["step"], row["value"])
        for row in RunFolder.open(out).metrics().to_pylist()
        if (row["seed"], row["measure"], row["operation"]) == (seed, "test_accuracy", None)
    )
    since = high_since([step for step, _ in rows], [value for _, value in rows])
    return (
        ""
        if since is None
        else (
            f", test accuracy at 99% since step {since}, not yet confirmed by five more evaluations"
        )
    )


def _sentence(manifest: "Manifest", result: dict[str, Any], unconfirmed: str = "") -> str:
    """Return how one seed ended, in words; `unconfirmed` is said of one that is undecided."""
    start = f"{manifest.operation} mod {manifest.config['task']['p']}, seed {result['seed']}:"
    if result["status"] == "grokked":
        memorised = f"memorised at step {result['memorised_at']}, "
        memorised = memorised if result["memorised_at"] is not None else ""
        return f"{start} {memorised}grokked at step {result['grokked_at']}"
    if result["status"] == "diverged":
        return f"{start} diverged at step {result['diverged_at']}"
    ended = f"{start} undecided at {result['steps']} steps{unconfirmed}"
    if _stopped(manifest, result):
        # more steps would end at the same accuracy again
        stop = f"--stop-accuracy {manifest.config['schedule']['stop_accuracy']:g}"
        return f"{ended}, stopped by {stop}; a new run with a higher one trains longer"
    return f"{ended}; --resume --steps N trains on"
