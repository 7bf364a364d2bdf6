"""Claims with their numbers, and the verdict that follows from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

Holds = Literal["holds", "fails", "not testable"]
Verdict = Literal["explained", "partly", "not decided", "not explained"]
Place = Literal["embedding", "readout"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
"""From the strongest to the weakest."""
NEW_PAIRS: Final = "new pairs"
"""Name of the claim that a network answers what it was not trained on."""
FINITE: Final = "finite"
"""Name of the claim that is left of a network whose numbers are not."""


@dataclass(frozen=True)
class Claim:
    """A statement with the number that decides it.

    **Arguments:**

    - `name`: short and the same for every network: `embedding keep`.
    - `statement`: in words, with the bound.
    - `value`: the number; None where there is none.
    - `verdict`: whether it holds.
    - `control`: the number of the null or the control that belongs to it.
    - `n`: draws of the control, or pairs that were counted.
    - `decisive`: whether `explained` needs it.
    """

    name: str
    statement: str
    value: float | None
    verdict: Holds
    control: float | None = None
    n: int | None = None
    decisive: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the fields, null for what is not known."""
        return {
            "name": self.name,
            "statement": self.statement,
            "value": self.value,
            "control": self.control,
            "n": self.n,
            "verdict": self.verdict,
            "decisive": self.decisive,
        }


@dataclass(frozen=True)
class Bound:
    """What a value of A must be: at least, or at most."""

    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        if self.at_least is not None:
            return f"A ≥ {self.at_least:g}"
        return f"A ≤ {self.at_most:g}"

    def judge(self, value: float | None) -> Holds:
        """Return whether a value is within; `not testable` for none and nan."""
        if value is None or math.isnan(value):
            return "not testable"
        low = self.at_least is None or value >= self.at_least
        high = self.at_most is None or value <= self.at_most
        return "holds" if low and high else "fails"


BOUNDS: Final[dict[str, Bound]] = {
    "keep": Bound(at_least=0.98),
    "remove": Bound(at_most=0.05),
    "control": Bound(at_least=0.8),
    "keep_others": Bound(at_most=0.2),
}
"""For W_E and for the class axis of the logits."""
BOTH_KEPT: Final = Bound(at_least=0.95)

_TESTS: Final = {
    "keep": "with only the keys {place} answers",
    "remove": "without the keys {place} does not answer",
    "control": "without as many other frequencies {place} still answers",
    "keep_others": "with only as many other frequencies {place} does not answer",
}
_PLACES: Final[dict[str, str]] = {
    "embedding": "W_E",
    "readout": "the class axis of the logits",
}


def ablation_claims(
    place: Place, scaled: dict[str, float | None], draws: int, *, judged: bool = True
) -> list[Claim]:
    """Return the four claims about one place.

    **Arguments:**

    - `place`: `embedding` or `readout`.
    - `scaled`: A by test, as `Ablation.scaled` gives it.
    - `draws`: number of controls.
    - `judged`: whether the keys of this place can be judged at all; a table that is saturated
      says nothing with its readout, and controls may not exist.
    """
    return [
        Claim(
            name=f"{place} {test.replace('_', ' ')}",
            statement=f"{words.format(place=_PLACES[place])}: {BOUNDS[test]}",
            value=scaled[test],
            verdict=BOUNDS[test].judge(scaled[test]) if judged else "not testable",
            n=draws if test in ("control", "keep_others") else None,
        )
        for test, words in _TESTS.items()
    ]


def verdict(claims: Sequence[Claim], not_needed: Sequence[str] = ()) -> Verdict:
    """Return `explained` when all decisive claims hold, `partly` when one matrix passes.

    Of the rest, what was tested and failed is `not explained`. Where nothing failed, but something
    that is needed could not be tested, it is `not decided`. Whoever changes these rules counts
    up `grokscope.disk.explanations.RULES`.

    **Arguments:**

    - `claims`: of one network.
    - `not_needed`: names of decisive claims that this network cannot be asked to fulfil.
    """
    named = {claim.name: claim for claim in claims}
    if named["structure"].verdict != "holds":
        return "not explained"
    needed = [c for c in claims if c.decisive and c.name not in not_needed]
    if all(claim.verdict == "holds" for claim in needed):
        return "explained"
    passes = {
        place: all(c.verdict == "holds" for c in needed if c.name.startswith(f"{place} "))
        for place in _PLACES
        if any(c.name.startswith(f"{place} ") for c in needed)
    }
    if any(passes.values()):
        return "partly"
    return "not explained" if any(c.verdict == "fails" for c in needed) else "not decided"


def failed_claims(claims: Sequence[Claim]) -> list[Claim]:
    """Return the decisive claims that do not hold."""
    return [claim for claim in claims if claim.decisive and claim.verdict != "holds"]
