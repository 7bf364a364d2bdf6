"""grokscope reproduce: a table or figure of the paper, made again."""

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from grokscope.cli.sweep import EngineOptions
from grokscope.cli.terminal import count_in_words
from grokscope.disk.atomic import path_for_shell
from grokscope.errors import UsageError

if TYPE_CHECKING:
    from grokscope.paper.experiment import Request
    from grokscope.paper.hours import Campaign

_NAME_WIDTH = 13
_LEAST_PRIORITY = 19


@dataclass(frozen=True)
class Reproduce:
    """Make a table or figure of the paper again, and show the paper's numbers beside ours.

    Trains what is missing, as a sweep that can be interrupted and extended. Adds the results to
    those that are kept, also from other machines, and writes a page; what is kept is never trained
    again.

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
    """A reduced version, labelled as such; those of all experiments take two cores half an hour."""
    out: Annotated[Path, "DIR"] = Path("sweeps/paper")
    """Where runs and pages go; experiments share the runs that they have in common."""
    results: Annotated[Path | None, "DIR"] = None
    """Where results are kept and added to; by default OUT/summary."""
    known: Annotated[tuple[Path, ...], "DIR …"] = ()
    """More results that are kept elsewhere, such as those of the project; only read."""
    runs: Annotated[tuple[Path, ...], "DIR …"] = ()
    """More folders of runs; those that fit are taken over, or without training shown."""
    where: EngineOptions = field(default_factory=EngineOptions)
    train: bool = True
    """Train what is missing; otherwise the page shows what is there."""
    hours: Annotated[float | None, "H"] = None
    """Train for so long, then save and stop."""
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
        from grokscope.paper.experiment import experiments

        if self.list:
            print("\n".join(f"{key:<{_NAME_WIDTH}}{title}" for key, title in experiments().items()))
            return
        if not self.name:
            raise UsageError(
                "nothing to reproduce", next_step="grokscope reproduce --list shows all names"
            )
        from grokscope.disk.atomic import names_in
        from grokscope.paper.experiment import Request
        from grokscope.paper.hours import Campaign
        from grokscope.progress import showing

        if self.nice:
            os.nice(_LEAST_PRIORITY)
        request = Request(self.only, self.seeds, self.fractions, self.p, self.steps, self.small)
        folder = self.results or self.out / "summary"
        for place in (*self.runs, *self.known):
            names_in(place)
        campaign = Campaign(self.out, folder, self.runs, _warn, self.known)
        with showing(quiet=True) if self.quiet else contextlib.nullcontext():
            self._reproduce(campaign, request, folder)

    def _reproduce(self, campaign: "Campaign", request: "Request", folder: Path) -> None:
        from grokscope.cli.sweep_view import show_sweep
        from grokscope.paper.hours import reproduce

        if self.dry_run:
            self._tell(campaign, request)
            return
        trains = self.train and not self.page
        if trains and self.small and not self.quiet:
            self._tell(campaign, request, _warn)
        pages = reproduce(
            self.name,
            request,
            campaign,
            self.where.make() if trains else None,
            functools.partial(show_sweep, quiet=self.quiet),
            page=self.page,
            hours=self.hours,
            lock=self.lock,
        )
        print(f"results: {path_for_shell(folder)}")
        for page in pages:
            print(f"page: {path_for_shell(page)}")

    def _tell(
        self, campaign: "Campaign", request: "Request", say: Callable[[str], None] = print
    ) -> None:
        """Say how many runs there are left to train, and how long each part takes, and all."""
        from grokscope.paper.hours import parts_of
        from grokscope.progress import doing, in_words, showing
        from grokscope.sweeps.estimate import estimate

        with showing():
            doing("looking for what is done")
            left = list(campaign.left(parts_of(self.name, request)))
            jobs = [job for _, _, some in left for job in some]
            time = estimate(jobs, self.where.make().slots) if jobs else None
        for part, n, own in left:
            words = f"{count_in_words(n, 'run')}, {len(own):,} left to train"
            if len(left) == 1:
                say(f"{part.name}: {words}")
            elif time is not None and own:
                say(f"{part.name}{part.request.words}: {words}, at most {in_words(time.of(own))}")
        if not left:
            say(f"{self.name}: no training; labels of every split are counted")
        elif len(left) > 1 and not jobs:
            say(f"{self.name}: nothing is left to train")
        if time is not None:
            workers = count_in_words(time.workers, "worker")
            time_in_words = in_words(time.seconds)
            say(f"at most {time_in_words} with {workers}, if every run takes all its steps")


def _warn(line: str) -> None:
    print(line, file=sys.stderr)
