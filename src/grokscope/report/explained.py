"""A run's explanation, read or made, with the structure that it rests on."""

from dataclasses import dataclass
from typing import Any

from grokscope.circuits.matched import Matched
from grokscope.circuits.subject import Subject
from grokscope.errors import UsageError
from grokscope.inspection.network import Network
from grokscope.inspection.sentences import not_finite
from grokscope.inspection.store import explained, structure_explained
from grokscope.report.record import RunRecord
from grokscope.tasks.structure import Structure


@dataclass(frozen=True, eq=False)
class Explained:
    """The explanation of a run's shown seed and one of its operations."""

    document: dict[str, Any]
    """As in `explanation.json`."""
    structure: Structure | None
    """What it rests on; None where none was found, or this version does not find it any more."""
    number: int = 0
    """Which operation of a mixture, from 0."""

    @property
    def is_outdated(self) -> bool:
        """Whether it rests on a structure that this version does not find."""
        return self.structure is None and self.document["structure"]["n"] is not None

    @property
    def n(self) -> int:
        """Order of the group, 0 without a structure."""
        return 0 if self.structure is None else self.structure.n


def read_explanations(record: RunRecord) -> list[Explained | str]:
    """Return the explanation of each operation of a run; see `read_explanation`."""
    return [read_explanation(record, number) for number in range(record.task.n_tasks)]


def read_explanation(record: RunRecord, number: int = 0) -> Explained | str:
    """Return the explanation of an operation of a run, or one line that says why there is none.

    It is read where it lies in the folder; where it does not it takes up to a minute.
    """
    try:
        documents = explained(record.folder, record.shown_seed)
    except UsageError as error:
        return str(error)
    document = documents[number]
    if reason := not_finite(document):
        return reason
    used = structure_explained(document, record.task, number, record.shown_seed)
    return Explained(document, used, number)


def subject_of(record: RunRecord, network: Network, found: Explained) -> Subject | None:
    """Return the network with the structure of one of its operations; None without a structure."""
    if found.structure is None:
        return None
    labels = record.task.labels(record.shown_seed)[found.number].reshape(record.p, record.p)
    return Subject(network.model, labels, Matched(found.structure), task=found.number)
