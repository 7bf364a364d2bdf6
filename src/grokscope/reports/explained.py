"""A run's explanation, read or made, and the chapter that tells it."""

from dataclasses import dataclass
from typing import Any

from grokscope.errors import UsageError
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import SavedNetwork
from grokscope.explanation.result import Explanation, RunnerUp
from grokscope.explanation.sentences import (
    VERDICTS_IN_WORDS,
    algorithm_in_words,
    frequencies_in_words,
    headline,
    not_finite_in_words,
    number_in_words,
    one_sentence,
    sentences,
)
from grokscope.explanation.store import read_or_explain, structure_explained
from grokscope.explanation.verdict import Claim
from grokscope.fourier.basis import Basis
from grokscope.reports.finding import Sentence
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


UNKNOWN = "–"


def explanation_section(
    found: Explained | str, figures: list[dict[str, Any]] | None
) -> dict[str, Any]:
    """Return the words of a run's chapter, with the words of its figures.

    **Arguments:** the explanation or why there is none; None for figures that do not fit on the
    page.
    """
    words = {"figures": figures or [], "left_out": figures is None}
    if isinstance(found, str):
        blank = {"headline": "", "sentences": [], "claims": [], "needed": 0, "outdated": False}
        return words | blank | {"why_not": found}
    explanation = found.explanation
    return words | {
        "why_not": "",
        "outdated": found.is_outdated,
        "headline": headline(explanation),
        "sentences": [
            *sentences(explanation),
            *_joining(explanation),
            *_runner_up(explanation.runner_up),
        ],
        "claims": [_claim(claim) for claim in explanation.claims.values()],
        "needed": sum(claim.decisive for claim in explanation.claims.values()),
    }


def verdict_sentence(found: Explained | str) -> Sentence:
    """Return the verdict as one sentence for the top of the page."""
    if isinstance(found, str):
        return Sentence(f"Which algorithm it found cannot be said: {found}.")
    return Sentence(one_sentence(found.explanation))


def _claim(claim: Claim) -> dict[str, str]:
    return {
        "name": claim.id,
        "statement": claim.statement,
        "value": UNKNOWN if claim.value is None else number_in_words(claim.value, 3),
        "control": UNKNOWN if claim.control is None else number_in_words(claim.control, 3),
        "n": UNKNOWN if claim.n is None else f"{claim.n:,}",
        "verdict": claim.verdict,
    }


def _joining(found: Explanation) -> list[str]:
    joined = algorithm_in_words(found)
    return [f"How it joins x and y (clock or pizza): {joined}."] if joined else []


def _runner_up(other: RunnerUp | None) -> list[str]:
    if other is None:
        return []
    keys = frequencies_in_words(other.keys) or "none"
    verdict = VERDICTS_IN_WORDS[other.verdict]
    return [f"Another structure, {other.words}, was tried: {verdict}, keys {keys}."]
