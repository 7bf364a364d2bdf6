"""A run's explanation, read or made, with the structure that it rests on."""

from dataclasses import dataclass
from typing import Any

from grokscope.circuits.matched import Matched
from grokscope.circuits.subject import Subject
from grokscope.errors import UsageError
from grokscope.inspection.network import Network
from grokscope.inspection.sentences import not_finite
from grokscope.inspection.store import explained
from grokscope.report.record import RunRecord
from grokscope.tasks.structure import Structure, structure_of


@dataclass(frozen=True, eq=False)
class Explained:
    """The explanation of a run's first seed and first operation."""

    document: dict[str, Any]
    """As in `explanation.json`."""
    structure: Structure | None
    """What it rests on; None where none was found, or this version does not find it any more."""

    @property
    def is_outdated(self) -> bool:
        """Whether it rests on a structure that this version does not find."""
        return self.structure is None and self.document["structure"]["n"] is not None

    @property
    def n(self) -> int:
        """Order of the group, 0 without a structure."""
        return 0 if self.structure is None else self.structure.n


def read_explanation(record: RunRecord) -> Explained | str:
    """Return the explanation of a run, or one line that says why there is none.

    It is read where it lies in the folder; where it does not it takes up to a minute.
    """
    try:
        document = explained(record.folder, record.shown_seed)[0]
    except UsageError as error:
        return str(error)
    if reason := not_finite(document):
        return reason
    structures = structure_of(record.task, 0, record.shown_seed).structures
    known = document["structure"]
    same = [s for s in structures if all(s.to_json()[x] == known[x] for x in ("n", "u", "v", "g"))]
    return Explained(document, same[0] if same else None)


def subject_of(record: RunRecord, network: Network, structure: Structure) -> Subject:
    """Return the network of a run's first operation with a structure, for figures."""
    labels = record.task.labels(record.shown_seed)[0].reshape(record.p, record.p)
    return Subject(network.model, labels, Matched(structure))
