"""A run's explanation, read or made."""

from dataclasses import dataclass

from grokscope.errors import UsageError
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import SavedNetwork
from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import not_finite_in_words
from grokscope.explanation.store import read_or_explain, structure_explained
from grokscope.fourier.basis import Basis
from grokscope.reports.record import RunRecord
from grokscope.tasks.structure import Structure


@dataclass(frozen=True, eq=False)
class Explained:
    """The explanation of a run's shown seed and one of its operations."""

    explanation: Explanation
    structure: Structure | None
    """What it rests on; None where none was found, or this version does not find it any more."""
    number: int = 0
    """Which operation of a mixture, from 0."""

    @property
    def is_outdated(self) -> bool:
        """Whether it rests on a structure that this version does not find."""
        return self.structure is None and self.explanation.structure.n is not None

    @property
    def n(self) -> int:
        """Order of the group, 0 without a structure."""
        return 0 if self.structure is None else self.structure.n


def read_all_explained(record: RunRecord) -> list[Explained | str]:
    """Return the explanation of each operation of a run; see `read_explanation`."""
    return [read_explained(record, number) for number in range(record.task.n_tasks)]


def read_explained(record: RunRecord, number: int = 0) -> Explained | str:
    """Return the explanation of an operation of a run, or one line that says why there is none.

    It is read where it lies in the folder; where it does not it takes up to a minute.
    """
    try:
        explanation = read_or_explain(record.folder, record.shown_seed)[number]
    except UsageError as error:
        return error.line
    if reason := not_finite_in_words(explanation):
        return reason
    used = structure_explained(explanation, record.task, number, record.shown_seed)
    return Explained(explanation, used, number)


def network_in_basis(
    record: RunRecord, network: SavedNetwork, found: Explained
) -> NetworkInBasis | None:
    """Return the network with the structure of one of its operations; None without a structure."""
    if found.structure is None:
        return None
    labels = record.task.labels(record.shown_seed)[found.number].reshape(record.p, record.p)
    return NetworkInBasis(of_model(network.model, found.number), labels, Basis(found.structure))
