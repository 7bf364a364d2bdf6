"""The report's figures of one run, of any seed and step."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from grokscope.config.arguments import plain_arguments
from grokscope.errors import UsageError
from grokscope.explanation.of_run import SavedNetwork, load_network
from grokscope.numerics import computing
from grokscope.reports.explained import Explained, read_explained
from grokscope.reports.figures import over_pairs
from grokscope.reports.figures.circles import circles
from grokscope.reports.figures.figure import Figure
from grokscope.reports.figures.over_time import (
    accuracy,
    loss,
    norms,
    progress,
    progress_in_two_bases,
)
from grokscope.reports.figures.spectra import spectra
from grokscope.reports.record import RunRecord, read_runs

if TYPE_CHECKING:
    from grokscope.notebook.run import Run

Basis = Literal["additive", "matched"]


class Plots:
    """Figures of one run; each is interactive in a notebook, and `figure.save("a.svg")` writes it.

        >>> run.plot.accuracy().title
        'Accuracy on training and test pairs'

    **Arguments:**

    - `run`: the run.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._record: RunRecord = read_runs([run.path])[0]

    def accuracy(self) -> Figure:
        """Draw train, test and unleaked accuracy over training."""
        return accuracy(self._evaluated)

    def loss(self) -> Figure:
        """Draw the losses over training, on a logarithmic axis."""
        return loss(self._evaluated)

    @plain_arguments
    def measures(self, basis: Basis = "additive", operation: int | str = 0) -> Figure:
        """Draw FFS and FCR of W_E and W_L over training.

        **Arguments:**

        - `basis`: `matched` draws the basis that fits the operation beside the additive one.
        - `operation`: which one of a mixture, by its text or its number.
        """
        number = self._record.task.number_of(operation)
        if basis == "matched":
            return progress_in_two_bases(self._record, number)
        return progress(self._evaluated)

    def norms(self) -> Figure:
        """Draw the norms of the weights over training."""
        return norms(self._evaluated)

    @plain_arguments
    def spectrum(
        self,
        matrix: str | None = None,
        *,
        step: int | None = None,
        seed: int | None = None,
        basis: Basis = "additive",
    ) -> Figure:
        """Draw the norm of each frequency.

        **Arguments:**

        - `matrix`: `W_E` or `W_L`; by default both.
        - `step`: a step at which spectra were recorded; by default all, with a slider.
        - `seed`: by default the first that has not diverged.
        - `basis`: `additive`, or `matched`, the one that fits the operation.
        """
        found = self._explained() if basis == "matched" else None
        return spectra(self._record, self._seed(seed), 1, found, matrix=matrix, step=step)

    @plain_arguments
    def circles(
        self, *, step: int | None = None, seed: int | None = None, basis: Basis = "additive"
    ) -> Figure:
        """Draw the residues in the planes of the strongest frequencies of W_E.

        **Arguments:**

        - `step`: a checkpoint; by default the last.
        - `seed`, `basis`: as for `spectrum`; `matched` draws the key frequencies.
        """
        found = self._explained() if basis == "matched" else None
        return circles(self._network(seed, step), found)

    @plain_arguments
    def attention(self, *, step: int | None = None, seed: int | None = None) -> Figure:
        """Draw how much each head attends from y to x, over all pairs; as for `circles`."""
        return self._of_network(over_pairs.attention, seed, step)

    @plain_arguments
    def neurons(self, *, step: int | None = None, seed: int | None = None) -> Figure:
        """Draw the activations of the strongest neurons, over all pairs; as for `circles`."""
        return self._of_network(over_pairs.neurons, seed, step)

    @plain_arguments
    def logits(self, *, step: int | None = None, seed: int | None = None) -> Figure:
        """Draw the logits in the Fourier basis of x and y; as for `circles`."""
        return self._of_network(over_pairs.modes, seed, step)

    def __repr__(self) -> str:
        names = [name for name in vars(Plots) if not name.startswith("_")]
        return f"figures of {self._run.operation} mod {self._run.p}: {', '.join(names)}"

    @property
    def _evaluated(self) -> RunRecord:
        if not self._record.curves:
            raise UsageError("nothing has been evaluated yet", got=str(self._run.path))
        return self._record

    def _seed(self, seed: int | None) -> int:
        if seed is not None and seed not in self._record.seeds:
            known = " ".join(map(str, self._record.seeds))
            raise UsageError("the run has no such seed", got=seed, allowed=known)
        return self._record.shown_seed if seed is None else seed

    def _network(self, seed: int | None, step: int | None) -> SavedNetwork:
        return load_network(self._record.folder, self._seed(seed), step)

    @computing()
    def _of_network(
        self, draw: Callable[[SavedNetwork, int], Figure], seed: int | None, step: int | None
    ) -> Figure:
        return draw(self._network(seed, step), self._record.p)

    def _explained(self) -> Explained:
        found = read_explained(self._record)
        if isinstance(found, str):
            raise UsageError("there is no basis that fits", got=found)
        return found
