"""grokscope reproduce: a table or figure of the paper, made again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import arg

from grokscope.errors import UsageError

_FLAG = tyro.conf.FlagCreatePairsOff
_NAME_WIDTH = 13


@dataclass(frozen=True)
class Reproduce:
    """Make a table or figure of the paper again, and show the paper's numbers beside ours.

    Trains what is missing, as a sweep that can be interrupted and extended; done runs are never
    trained again. Writes a page, and the results as small CSV files.

    Example: grokscope reproduce table-a5 --only "x + y" "x*y" --fractions 0.3 0.5 --seeds 0
    """

    name: Annotated[str, tyro.conf.Positional, arg(metavar="NAME", help_behavior_hint="")] = ""
    """One of the names that --list shows."""
    list: Annotated[bool, _FLAG] = False
    """Show all names, and what they are."""
    only: Annotated[tuple[str, ...], arg(metavar="OPERATION …", help_behavior_hint="")] = ()
    """Only these operations; of mixtures those that hold one of them."""
    seeds: Annotated[tuple[int, ...], arg(metavar="SEED …", help_behavior_hint="")] = ()
    """Only these seeds."""
    fractions: Annotated[tuple[float, ...], arg(metavar="R …", help_behavior_hint="")] = ()
    """Only these training fractions."""
    p: Annotated[int | None, arg(help_behavior_hint="")] = None
    """Another modulus."""
    steps: Annotated[int | None, arg(help_behavior_hint="")] = None
    """Maximum of steps; the paper went up to 300,000."""
    small: Annotated[bool, _FLAG] = False
    """A reduced version for a laptop, labelled as such."""
    out: Annotated[Path, arg(metavar="DIR", help_behavior_hint="")] = Path("sweeps/paper")
    """Where runs and page go; experiments share the runs that they have in common."""
    results: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Where the CSV files and their manifest go; by default OUT/summary."""

    def run(self) -> None:
        """List, or run and say where the page lies."""
        from grokscope.paper.experiment import experiments, load

        if self.list:
            print("\n".join(f"{key:<{_NAME_WIDTH}}{title}" for key, title in experiments().items()))
            return
        if not self.name:
            raise UsageError("nothing to reproduce",
                             next_step="grokscope reproduce --list shows all names")  # fmt: skip
        from grokscope.paper.request import Request

        request = Request(self.only, self.seeds, self.fractions, self.p, self.steps, self.small)
        experiment = request.apply(load(self.name))

        from grokscope.experiments.paper.counting import count_labels
        from grokscope.paper.results import write_results

        results = count_labels(experiment, request)
        for path in write_results(self.results or self.out / "summary", self.name, results):
            print(path)

        from grokscope.report.paper.page import write_paper_page

        print(f"page: {write_paper_page(experiment, results, self.out)}")
