"""When each claim became true: the claims at every snapshot, made once and kept in the folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grokscope.disk.explanations import CLAIMS_NAME, read_current_documents, write_documents
from grokscope.errors import DiskError, RunFolderError
from grokscope.explanation.document import from_plain, to_plain
from grokscope.explanation.of_run import case_of
from grokscope.explanation.over_time import EFFORT
from grokscope.explorer.subject import Subject


@dataclass(frozen=True)
class ClaimHistory:
    """One claim over training.

    **Arguments:**

    - `name`: its identity.
    - `statement`: in words, with the bound.
    - `verdicts`: at each step `holds`, `fails` or `not testable`, `` where it was not made.
    """

    name: str
    statement: str
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class ClaimsOverTime:
    """The claims of one seed and operation at some checkpoints.

    **Arguments:**

    - `operation`, `seed`: whose.
    - `steps`: of the checkpoints.
    - `verdicts`: the verdict on the network at each step.
    - `claims`: every claim, in reading order.
    """

    operation: str
    seed: int
    steps: tuple[int, ...]
    verdicts: tuple[str, ...]
    claims: tuple[ClaimHistory, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers."""
        return to_plain(self)


def kept_claims(subject: Subject) -> ClaimsOverTime | None:
    """Return what the folder keeps of today's checkpoints; None where that is nothing."""
    return next((kept for kept in _kept(subject) if _is_of(kept, subject)), None)


def claims_over_time(
    subject: Subject, told: Callable[[int, int], object] = lambda _done, _all: None
) -> ClaimsOverTime:
    """Explain every snapshot after the start, and keep the claims in the folder if it allows.

    Nulls and controls are drawn less often than for a single network.

    **Arguments:** whose; `told` hears how many snapshots are explained, and of how many.

    **Raises:** `RunFolderError` for a checkpoint that cannot be read.
    """
    record, steps = subject.record, [step for step in subject.steps if step > 0]
    case = case_of(record.folder, record.config, record.task, subject.seed, subject.number, None)
    found = []
    for done, step in enumerate(steps):
        told(done, len(steps))
        found.append(case.explain(step, EFFORT, thorough=False))
    told(len(steps), len(steps))
    statements = {c.id: c.statement for explained in found for c in explained.claims.values()}
    history = tuple(
        ClaimHistory(
            str(name),
            statement,
            tuple(e.claims[name].verdict if name in e.claims else "" for e in found),
        )
        for name, statement in statements.items()
    )
    verdicts = tuple(explained.verdict for explained in found)
    made = ClaimsOverTime(subject.operation, subject.seed, tuple(steps), verdicts, history)
    _keep(subject, made)
    return made


def _keep(subject: Subject, made: ClaimsOverTime) -> None:
    others = [
        kept
        for kept in _kept(subject)
        if (kept.operation, kept.seed) != (made.operation, made.seed)
    ]
    documents = [kept.to_json() for kept in [*others, made]]
    try:
        write_documents(subject.record.folder, documents, CLAIMS_NAME)
    except (DiskError, RunFolderError):
        return  # the folder is somebody else's to write: it is computed again next time


def _kept(subject: Subject) -> list[ClaimsOverTime]:
    documents = read_current_documents(subject.record.folder, CLAIMS_NAME)
    try:
        return [from_plain(ClaimsOverTime, document) for document in documents]
    except ValueError:
        return []


def _is_of(kept: ClaimsOverTime, subject: Subject) -> bool:
    steps = tuple(step for step in subject.steps if step > 0)
    mine = (subject.operation, subject.seed, steps)
    return (kept.operation, kept.seed, kept.steps) == mine
