"""The chapter "Which algorithm": an explanation as what the page's template shows."""

from collections.abc import Mapping
from typing import Any

from grokscope.inspection.sentences import (
    VERDICTS,
    algorithm,
    frequencies,
    headline,
    number,
    one_sentence,
    sentences,
)
from grokscope.report.explained import Explained
from grokscope.report.finding import Sentence

UNKNOWN = "–"


def chapter(found: Explained | str, figures: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return the words of a run's chapter, with the words of its figures.

    **Arguments:** the explanation or why there is none; None for figures that do not fit on the
    page.
    """
    words = {"figures": figures or [], "left_out": figures is None}
    if isinstance(found, str):
        blank = {"headline": "", "sentences": [], "claims": [], "needed": 0,
                 "outdated": False}  # fmt: skip
        return words | blank | {"why_not": found}
    document = found.document
    return words | {
        "why_not": "",
        "outdated": found.is_outdated,
        "headline": headline(document),
        "sentences": [
            *sentences(document),
            *_joining(document),
            *_runner_up(document["runner_up"]),
        ],
        "claims": [_claim(claim) for claim in document["claims"]],
        "needed": sum(claim["decisive"] for claim in document["claims"]),
    }


def in_short(found: Explained | str) -> Sentence:
    """Return the verdict as one sentence for the top of the page."""
    if isinstance(found, str):
        return Sentence(f"Which algorithm it found cannot be said: {found}.")
    return Sentence(one_sentence(found.document))


def _claim(claim: Mapping[str, Any]) -> dict[str, str]:
    n = claim["n"]
    return {
        "name": claim["name"],
        "statement": claim["statement"],
        "value": UNKNOWN if claim["value"] is None else number(claim["value"], 3),
        "control": UNKNOWN if claim["control"] is None else number(claim["control"], 3),
        "n": UNKNOWN if n is None else f"{n:,}",
        "verdict": claim["verdict"],
    }


def _joining(document: Mapping[str, Any]) -> list[str]:
    joined = algorithm(document)
    return [f"How it joins x and y (clock or pizza): {joined}."] if joined else []


def _runner_up(other: Mapping[str, Any] | None) -> list[str]:
    if other is None:
        return []
    keys = frequencies(other["key_frequencies"]) or "none"
    verdict = VERDICTS[other["verdict"]]
    return [f"Another structure, {other['words']}, was tried: {verdict}, keys {keys}."]
