"""grokscope reproduce: a table or figure of the paper, made again."""

import functools
import math
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from grokscope.cli.sweep import EngineOptions
from grokscope.cli.terminal import count_in_words
from grokscope.disk.atomic import path_for_shell
from grokscope.errors import UsageError

if TYPE_CHECKING:
    from grokscope.paper.experiment import Experiment, Request
    from grokscope.paper.hours import Part
    from grokscope.paper.plan import Plan
    from grokscope.paper.store import CellResult

_NAME_WIDTH = 13
_LEAST_PRIORITY = 19


@dataclass(frozen=True)
class Reproduce:
    """Make a table or figure of the paper again, and show the paper's numbers beside ours.

    Trains what is missing, as a sweep that can be interrupted and extended; done runs are never
    trained again. Adds the results to what is kept of other runs and machines, and writes a page.

    Example: grokscope reproduce table-a5 --only "x + y" "x*y" --fractions 0.5 --p 59 --steps 3000
    """

    name: Annotated[str, "NAME"] = ""
    """One of the names that --list shows, or `all`: those that tell most first."""
    list: bool = False
    """Show all names, and what they are."""
    only: Annotated[tuple[str, ...], "OPERATION …"] = ()
    """Only these operations; of mixtures those that hold one of them."""
    seeds: Annotated[tuple[int, ...], "SEED …"] = ()
    """Other seeds."""
    fractions: Annotated[tuple[float, ...], "R …"] = ()
    """Other training fractions."""
    p: Annotated[int | None, "P"] = None
    """Another modulus."""
    steps: Annotated[int | None, "N"] = None
    """Maximum of steps, but for runs to take weights from; left out, 300,000 as in the paper."""
    small: bool = False
    """A reduced version, labelled as such: all experiments together take two cores half an hour."""
    out: Annotated[Path, "DIR"] = Path("sweeps/paper")
    """Where runs and pages go; experiments share the runs that they have in common."""
    results: Annotated[Path | None, "DIR"] = None
    """Where results are kept and added to; by default OUT/summary."""
    runs: Annotated[tuple[Path, ...], "DIR …"] = ()
    """More folders of runs; those that fit are taken over, or without training shown."""
    where: EngineOptions = field(default_factory=EngineOptions)
    train: bool = True
    """Train what is missing; otherwise the page shows what is there."""
    hours: Annotated[float | None, "H"] = None
    """Train for so long, then save and stop; what is kept in --results is not trained again."""
    nice: bool = False
    """Give way to whatever else the machine does."""
    page: bool = False
    """Only write the page, from kept results alone; without other options of all there is."""
    lock: bool = True
    """Lock it, so that nobody else writes there; without, train also where there are no locks."""
    dry_run: bool = False
    """Say how many runs there are, how many are left and for how long, and train nothing."""
    quiet: bool = False
    """Show nothing while training."""

    def run(self) -> None:
        """List, or run and say where the page lies."""
        from grokscope.paper.experiment import experiments, load_experiment

        if self.list:
            print("\n".join(f"{key:<{_NAME_WIDTH}}{title}" for key, title in experiments().items()))
            return
        if not self.name:
            raise UsageError(
                "nothing to reproduce", next_step="grokscope reproduce --list shows all names"
            )
        from grokscope.paper.experiment import Request
        from grokscope.paper.hours import ALL, Part, parts_in_order
        from grokscope.paper.plan import plan
        from grokscope.paper.run import keep_and_show

        if self.nice:
            os.nice(_LEAST_PRIORITY)
        request = Request(self.only, self.seeds, self.fractions, self.p, self.steps, self.small)
        if self.name == ALL:
            self._refuse_parts_of_all(request)
            self._campaign(parts_in_order(self.steps))
            return
        experiment = request.apply(load_experiment(self.name))
        if self.hours is not None:
            self._campaign([Part(self.name, request)])
            return
        planned = None if experiment.kind == "labels" else plan(experiment, self.out)
        if self.dry_run:
            self._tell(planned)
            return
        found = {} if self.page else self._found(experiment, request, planned)
        folder = self.results or self.out / "summary"
        shown = None if self.page and request == Request() else request
        page = keep_and_show(experiment, shown, planned, found, folder, self.out, _warn)
        print(f"results: {path_for_shell(folder / f'{self.name}.csv')}")
        print(f"page: {path_for_shell(page)}")

    def _refuse_parts_of_all(self, request: "Request") -> None:
        """Raise `UsageError` for options that only one experiment can have."""
        from grokscope.paper.experiment import Request

        if request != Request(steps=self.steps) or self.runs:
            raise UsageError(
                "all experiments together have an order of their own",
                got=request.words.strip() or "--runs",
                allowed="--steps, --hours, --nice, --page, --dry-run, --out and --results",
                next_step="name one experiment to choose its parts",
            )

    def _campaign(self, parts: "Iterable[Part]") -> None:
        """Train parts of experiments until all is known or the time is up, and write the pages."""
        from grokscope.cli.sweep_view import show_sweep
        from grokscope.paper.experiment import experiments
        from grokscope.paper.hours import ALL, Campaign

        folder = self.results or self.out / "summary"
        campaign = Campaign(self.out, folder, _warn)
        if self.dry_run:
            for part, n in campaign.left(parts):
                print(f"{part.name}{part.request.words}: {count_in_words(n, 'run')} left to train")
            return
        if not self.page and self.train:
            hours = math.inf if self.hours is None else self.hours
            show = functools.partial(show_sweep, quiet=self.quiet)
            campaign.train(parts, self.where.make(), show, hours=hours, lock=self.lock)
        if self.name == ALL and not self.page:
            campaign.share()
        for name in experiments() if self.name == ALL else [self.name]:
            if (page := campaign.write_page(name)) is not None:
                print(f"page: {path_for_shell(page)}")

    def _found(
        self, experiment: "Experiment", request: "Request", planned: "Plan | None"
    ) -> "dict[str, CellResult]":
        """Train what is missing, and return what there is."""
        from grokscope.disk.atomic import names_in
        from grokscope.paper.run import count_labels, failed_jobs, summarise

        if planned is None:
            return count_labels(experiment, request)
        for folder in self.runs:
            names_in(folder)
        if self.train:
            self._train(planned)
        for name, error in failed_jobs(planned, self.out).items():
            _warn(f"failed: {name}: {error}")
        return summarise(experiment, planned, [self.out, *self.runs], _warn)

    def _train(self, planned: "Plan") -> None:
        """Train what is missing, in view."""
        from grokscope.cli.sweep_view import show_sweep
        from grokscope.paper.run import train_experiment

        if self.small and not self.quiet:
            self._tell(planned, _warn)
        engine = self.where.make()
        show = functools.partial(show_sweep, quiet=self.quiet)
        train_experiment(planned, self.out, engine, show, self.runs, lock=self.lock)

    def _tell(self, planned: "Plan | None", say: Callable[[str], None] = print) -> None:
        """Say how many runs there are, how many are left to train, and how long that takes."""
        from grokscope.paper.run import jobs_left
        from grokscope.progress import in_words
        from grokscope.sweeps.estimate import estimate

        if planned is None:
            say(f"{self.name}: no training; labels of every split are counted")
            return
        jobs = []
        for name, rest in jobs_left(planned, self.out, self.runs).items():
            aim = " to take weights from" if name == "sources" else ""
            n = len(planned.specs[name].points)
            say(f"{self.name}: {count_in_words(n, 'run')}{aim}, {len(rest):,} left to train")
            jobs += rest
        if jobs:
            time = estimate(jobs, self.where.make().slots, lambda _: None)
            workers = count_in_words(time.workers, "worker")
            time_in_words = in_words(time.seconds)
            say(f"at most {time_in_words} with {workers}, if every run takes all its steps")


def _warn(line: str) -> None:
    print(line, file=sys.stderr)
