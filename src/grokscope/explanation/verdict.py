"""Claims with their numbers, and the verdict that follows from which of them hold."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final, Literal, get_args

from grokscope.explanation.document import Listed, Shown, named

Holds = Literal["holds", "fails", "not testable"]
Verdict = Literal["explained", "partly", "not decided", "not explained"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
"""From the strongest to the weakest."""


def judge(is_so: bool, *, testable: bool = True) -> Holds:
    """Return the verdict on a claim that is so or not, if it can be tested at all."""
    if not testable:
        return "not testable"
    return "holds" if is_so else "fails"


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
        return judge(low and high)


class Place(StrEnum):
    """Where frequencies are kept and removed."""

    EMBEDDING = "embedding"
    """W_E."""
    LOGITS = "readout"
    """The class axis of the logits; its keys are those of W_L."""


class Edit(StrEnum):
    """What is done with the frequencies of a place: its name, in two words, the claim, its bound.

    **Arguments:**

    - `words`: the head of a column.
    - `statement`: what is claimed of the place after it.
    - `bound`: what A must be after it, in W_E and along the class axis of the logits.
    """

    KEEP = "keep", "keys kept", "with only the keys {place} answers", Bound(at_least=0.98)
    """Only the keys are left."""
    REMOVE = (
        "remove",
        "keys removed",
        "without the keys {place} does not answer",
        Bound(at_most=0.05),
    )
    """The keys are taken out."""
    CONTROL = (
        "control",
        "others removed",
        "without as many other frequencies {place} still answers",
        Bound(at_least=0.8),
    )
    """As many other frequencies are taken out."""
    KEEP_OTHERS = (
        "keep_others",
        "others kept",
        "with only as many other frequencies {place} does not answer",
        Bound(at_most=0.2),
    )
    """Only as many other frequencies are left."""

    words: str
    statement: str
    bound: Bound

    def __new__(cls, value: str, words: str, statement: str, bound: Bound) -> "Edit":
        edit = str.__new__(cls, value)
        edit._value_, edit.words, edit.statement, edit.bound = value, words, statement, bound
        return edit


class ClaimId(StrEnum):
    """Every claim that an explanation can make, by its name in reports and in JSON.

        >>> net.explain().claims[gs.ClaimId.STRUCTURE].verdict
        'holds'

    Claims on W_E and on the class axis of the logits come in fours, one for each `Edit`.
    """

    GROKKED = "grokked"
    STRUCTURE = "structure"
    FINITE = "finite"
    NEW_PAIRS = "new pairs"
    EMBEDDING_KEYS = "embedding keys"
    NEURON_LOGIT_MAP_KEYS = "readout keys"
    FAMILIES_AGREE = "families agree"
    SPARSE = "sparse"
    EMBEDDING_KEEP = "embedding keep"
    EMBEDDING_REMOVE = "embedding remove"
    EMBEDDING_CONTROL = "embedding control"
    EMBEDDING_KEEP_OTHERS = "embedding keep others"
    LOGITS_KEEP = "readout keep"
    LOGITS_REMOVE = "readout remove"
    LOGITS_CONTROL = "readout control"
    LOGITS_KEEP_OTHERS = "readout keep others"
    BOTH_KEPT = "both kept"
    PATCHING = "patching"
    NEURONS_KEEP = "neurons keep"
    SUMS_KEEP = "sums keep"
    CLOCK_FORMULA = "clock formula"
    ELLIPSE_FORMULA = "ellipse formula"
    ELLIPSE_LOGITS = "ellipse logits"
    ELLIPSE_BIAS = "ellipse bias"
    TURNING = "turning"
    CIRCLES = "circles"
    REBUILT = "rebuilt"

    @property
    def decisive(self) -> bool:
        """Whether an explanation by keys needs it; see `Level` for the others."""
        return self not in _SUPPORTING


KEYS_CLAIMS: Final = {
    Place.EMBEDDING: ClaimId.EMBEDDING_KEYS,
    Place.LOGITS: ClaimId.NEURON_LOGIT_MAP_KEYS,
}
"""That the table of a place has keys: W_E, or W_L."""
EDIT_CLAIMS: Final = {
    place: {edit: ClaimId(f"{place} {edit}".replace("_", " ")) for edit in Edit} for place in Place
}
"""What an edit of a place does to the answers."""
MATRICES: Final = {Place.EMBEDDING: "W_E", Place.LOGITS: "W_L"}
"""The matrix of a network whose keys are those of a place; a table of somebody's file has a name
of its own."""
_SUPPORTING: Final = frozenset(
    {
        ClaimId.PATCHING,
        ClaimId.NEURONS_KEEP,
        ClaimId.SUMS_KEEP,
        ClaimId.CLOCK_FORMULA,
        ClaimId.ELLIPSE_FORMULA,
        ClaimId.ELLIPSE_LOGITS,
        ClaimId.ELLIPSE_BIAS,
        ClaimId.TURNING,
        ClaimId.CIRCLES,
        ClaimId.REBUILT,
    }
)


class Level(StrEnum):
    """On what a network is explained; each level has claims of its own, and any one suffices."""

    KEYS = "by keys"
    """The key frequencies of both matrices carry the answers, and nothing else does."""
    ELLIPSE = "ellipse code"
    """The nearest answer on the keys' ellipses is its answer, also when x is turned."""
    NEURONS = "neuron by neuron"
    """What is rebuilt from a frequency, phases and amplitudes per neuron gives its answers."""


_ANYWAY: Final = frozenset({ClaimId.GROKKED, ClaimId.STRUCTURE, ClaimId.NEW_PAIRS})
_NEEDED: Final = {
    Level.KEYS: frozenset(ClaimId) - _SUPPORTING - {ClaimId.FINITE},
    Level.ELLIPSE: _ANYWAY
    | {KEYS_CLAIMS[Place.EMBEDDING], ClaimId.SPARSE, *EDIT_CLAIMS[Place.EMBEDDING].values()}
    | {ClaimId.SUMS_KEEP, ClaimId.ELLIPSE_FORMULA, ClaimId.ELLIPSE_LOGITS}
    | {ClaimId.ELLIPSE_BIAS, ClaimId.TURNING},
    Level.NEURONS: _ANYWAY | {ClaimId.REBUILT},
}
"""Claims that each level needs."""


@dataclass(frozen=True, kw_only=True)
class Claim(Shown):
    """A statement with the number that decides it.

    **Arguments:**

    - `id`: which claim it is.
    - `statement`: in words, with the bound.
    - `value`: the number; None where there is none.
    - `control`: the number of the null or the control that belongs to it.
    - `n`: draws of the control, or pairs that were counted.
    - `verdict`: whether it holds.
    """

    SHOWN: ClassVar = ("decisive",)

    id: ClaimId = field(metadata=named("name"))
    statement: str
    value: float | None = None
    control: float | None = None
    n: int | None = None
    verdict: Holds

    @property
    def decisive(self) -> bool:
        """Whether the verdict asks for it."""
        return self.id.decisive

    @property
    def holds(self) -> bool:
        """Whether it is shown."""
        return self.verdict == "holds"

    @property
    def fails(self) -> bool:
        """Whether it was tested and is not so."""
        return self.verdict == "fails"


class Claims(Listed, Mapping[ClaimId, Claim]):
    """Claims by identity, in reading order: `claims[ClaimId.EMBEDDING_KEEP].value`."""

    ITEM: ClassVar = Claim

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        self._claims = {claim.id: claim for claim in claims}

    def __getitem__(self, key: ClaimId) -> Claim:
        return self._claims[key]

    def __iter__(self) -> Iterator[ClaimId]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)

    def __repr__(self) -> str:
        return f"<{len(self)} claims, {sum(claim.holds for claim in self.values())} hold>"

    @property
    def missing(self) -> list[Claim]:
        """Those that `explained` needs and that do not hold."""
        return [claim for claim in self.values() if claim.decisive and not claim.holds]

    def fails(self, key: ClaimId) -> bool:
        """Return whether a claim was made, tested, and is not so."""
        return key in self._claims and self._claims[key].fails


BOTH_KEPT: Final = Bound(at_least=0.95)
_PLACES_IN_WORDS: Final = {Place.EMBEDDING: "W_E", Place.LOGITS: "the class axis of the logits"}


@dataclass(frozen=True)
class AblationScores:
    """A after each edit of one place: 1 like the whole network, 0 like guessing.

    None where it cannot be said: no keys, no other frequencies, a network at chance.
    """

    keep: float | None = None
    """Only the keys are left."""
    remove: float | None = None
    """The keys are taken out."""
    control: float | None = None
    """As many other frequencies are taken out: the median of random draws."""
    keep_others: float | None = None
    """Only as many other frequencies are left: the median of random draws."""

    def of(self, edit: Edit) -> float | None:
        """Return A after one edit."""
        return getattr(self, edit.value)


def ablation_claims(
    place: Place, scores: AblationScores, draws: int, *, judged: bool = True
) -> list[Claim]:
    """Return the four claims about one place.

    **Arguments:**

    - `place`: W_E or the logits.
    - `scores`: A after each edit.
    - `draws`: number of controls.
    - `judged`: whether the keys of this place can be judged at all; a table that is saturated
      says nothing with its keys, and controls may not exist.
    """
    return [
        Claim(
            id=EDIT_CLAIMS[place][edit],
            statement=f"{edit.statement.format(place=_PLACES_IN_WORDS[place])}: {edit.bound}",
            value=scores.of(edit),
            n=draws if edit in (Edit.CONTROL, Edit.KEEP_OTHERS) else None,
            verdict=edit.bound.judge(scores.of(edit)) if judged else "not testable",
        )
        for edit in Edit
    ]


def levels_of(claims: Claims, not_needed: Collection[ClaimId] = ()) -> tuple[Level, ...]:
    """Return the levels on which a network is explained: those all of whose claims hold.

    A code all of whose keys are circles is a clock or a pizza, and no ellipse code.

    **Arguments:** as for `verdict`.
    """
    held = {key for key, claim in claims.items() if claim.holds}
    asked = [level for level in Level if level is not Level.ELLIPSE or ClaimId.CIRCLES not in held]
    return tuple(level for level in asked if _NEEDED[level] - set(not_needed) <= held)


def verdict(claims: Claims, not_needed: Collection[ClaimId] = ()) -> Verdict:
    """Return `explained` when all claims of a level hold, `partly` when one place passes.

    Of the rest, what was tested and failed is `not explained`. Where nothing failed, but something
    that is needed could not be tested, it is `not decided`. Whoever changes these rules counts
    up `grokscope.disk.explanations.RULES`.

    **Arguments:**

    - `claims`: of one network.
    - `not_needed`: decisive claims that this network cannot be asked to fulfil.
    """
    if not claims[ClaimId.STRUCTURE].holds:
        return "not explained"
    if levels_of(claims, not_needed):
        return "explained"
    needed = {key: c for key, c in claims.items() if c.decisive and key not in not_needed}
    if any(_passes(place, needed) for place in Place):
        return "partly"
    return "not explained" if any(claim.fails for claim in needed.values()) else "not decided"


def _passes(place: Place, needed: Mapping[ClaimId, Claim]) -> bool:
    """Whether all that is asked of one place, at least one claim, holds."""
    own = {KEYS_CLAIMS[place], *EDIT_CLAIMS[place].values()} & needed.keys()
    return bool(own) and all(needed[key].holds for key in own)
