"""What one structure explains of a network: keys of both matrices, families, causal tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from grokscope.explanation.ablation import DRAWS as CONTROL_DRAWS
from grokscope.explanation.ablation import (
    Ablation,
    EditableTable,
    ablate,
    keep_both,
    keep_directions,
)
from grokscope.explanation.families import families, harmonics, harmonics_of
from grokscope.explanation.findings import Outcome, median_outcome
from grokscope.explanation.in_basis import NetworkInBasis, characters_at
from grokscope.explanation.keys import DRAWS as NULL_DRAWS
from grokscope.explanation.keys import NO_KEYS, Keys, confirm_keys, find_keys, with_ghosts
from grokscope.explanation.verdict import (
    BOTH_KEPT,
    EDIT_CLAIMS,
    KEYS_CLAIMS,
    MATRICES,
    VERDICTS,
    AblationScores,
    Claim,
    ClaimId,
    Claims,
    Edit,
    Place,
    Verdict,
    ablation_claims,
    judge,
    verdict,
)
from grokscope.fourier.basis import Basis
from grokscope.measures.grokking import GROKKED
from grokscope.measures.spectral import LARGEST_UNTESTABLE

MOST_KEYS: Final = 0.5
"""Share of all frequencies that may be keys, harmonics not counted."""
MOST_OF_DIRECTIONS: Final = 0.5
"""A that as many random directions may keep."""
LEAST_OVER_CHANCE: Final = 0.1
"""Accuracy over chance on new pairs under which A means nothing, and nothing is to be explained.

A network that answers by chance, but always the same for the same sum, strays from chance by
1/n (a standard deviation): 0.03 for n = 31.
"""


@dataclass(frozen=True)
class Effort:
    """How often controls are drawn."""

    null_draws: int = NULL_DRAWS
    control_draws: int = CONTROL_DRAWS


@dataclass(frozen=True, eq=False)
class Circuit:
    """A structure's keys in a network, and what keeping and removing them does.

    **Arguments:**

    - `network`: the network and the structure.
    - `grokked`: whether it had grokked; None where it is not known.
    - `keys`: those of W_E, where the network has one, and of W_L, by their places.
    - `effort`: numbers of draws.
    """

    network: NetworkInBasis
    grokked: bool | None
    keys: Mapping[Place, Keys]
    effort: Effort = Effort()

    @property
    def n(self) -> int:
        """Order of the group."""
        return self.network.basis.n

    @cached_property
    def families(self) -> list[tuple[int, ...]]:
        """Families of all keys; those of a saturated table are left out."""
        trusted = [keys for keys in self.keys.values() if not keys.saturated]
        chosen = trusted or [self.keys[Place.LOGITS]]
        return families(list(dict.fromkeys(k for keys in chosen for k in keys.frequencies)), self.n)

    @cached_property
    def frequencies(self) -> tuple[int, ...]:
        """All members of all families."""
        return tuple(k for family in self.families for k in family)

    @property
    def read_frequencies(self) -> tuple[int, ...]:
        """Those of W_L, or all where it has none: what shapes and formulas are made of."""
        return self.keys[Place.LOGITS].frequencies or self.frequencies

    @cached_property
    def harmonics(self) -> dict[int, int]:
        """Keys that are doubles or halves of another one, with that one."""
        both = [self.keys.get(place, NO_KEYS) for place in Place]
        of_E, of_L = (() if keys.saturated else keys.frequencies for keys in both)
        return harmonics_of(of_E, of_L, [keys.pointed_at for keys in both], self.n)

    @property
    def groups(self) -> dict[int, tuple[int, ...]]:
        """Keys of their own, each with itself and its harmonics."""
        own = [k for k in self.frequencies if k not in self.harmonics]
        return {k: (k, *(j for j, of in self.harmonics.items() if of == k)) for k in own}

    @cached_property
    def ablations(self) -> dict[Place, Ablation]:
        """Tests on W_E and on the class axis of the logits."""
        draws = self.effort.control_draws
        return {
            place: ablate(
                EditableTable.at(self.network, place),
                self.frequencies,
                outside=keys.saturated,
                draws=draws,
            )
            for place, keys in self.keys.items()
        }

    @cached_property
    def directions_kept(self) -> float | None:
        """A with as many random directions of W_E as its keys have, the median of the draws.

        None where W_E has no keys that can be counted. Along the class axis the largest logit
        survives most projections, so that nothing would be shown there.
        """
        keys = self.keys.get(Place.EMBEDDING)
        if keys is None or keys.saturated:
            return None
        table = EditableTable.at(self.network, Place.EMBEDDING)
        outcomes = keep_directions(table, self.frequencies, self.effort.control_draws)
        return self.network.scaled(median_outcome(outcomes)) if outcomes else None

    @cached_property
    def both_kept(self) -> Outcome | None:
        """Only the keys left, in W_E and along the class axis; None without a W_E."""
        if Place.EMBEDDING not in self.keys:
            return None
        every = range(1, self.n // 2 + 1)
        kept = (every if keys.saturated else self.frequencies for keys in self.keys.values())
        return keep_both(self.network, *kept)

    @property
    def testable(self) -> bool:
        """Whether the group has enough frequencies, and untrained pairs are answered.

        What only memorised can hold nearly all frequencies, so that keeping them keeps it.
        """
        return self.n > LARGEST_UNTESTABLE and self._new_pairs.holds

    @cached_property
    def claims(self) -> Claims:
        """The claims that the verdict needs, in reading order."""
        return Claims(
            [
                self._grokked(),
                HAS_STRUCTURE,
                self._new_pairs,
                *map(self._keys, Place),
                self._agree(),
                self._sparse(),
                *(claim for place in Place for claim in self._ablation(place)),
                self._both(),
            ]
        )

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on this structure by its keys; further levels need further claims."""
        return verdict(self.claims, self.not_needed)

    @property
    def survival(self) -> float | None:
        """A with the keys alone in all places; −1 without keys."""
        kept = self.both_kept or self.ablations[Place.LOGITS].keep
        return self.network.scaled(kept) if self.frequencies else -1.0

    @property
    def score(self) -> tuple[int, float]:
        """Rank among several structures: the verdict, then how much survives with keys alone."""
        rank = len(VERDICTS) - 1 - VERDICTS.index(self.verdict)
        return rank, -1.0 if self.survival is None else self.survival

    @cached_property
    def not_needed(self) -> list[ClaimId]:
        """Claims that a saturated table cannot fulfil: its keys are judged at the other place.

        Where both are saturated nothing shows which frequencies are used, and all is needed.
        """
        saturated = [place for place, keys in self.keys.items() if keys.saturated]
        if len(saturated) != 1:
            return []
        edits = EDIT_CLAIMS[saturated[0]]
        controls = [edits[Edit.CONTROL], edits[Edit.KEEP_OTHERS]]
        return [ClaimId.FAMILIES_AGREE, KEYS_CLAIMS[saturated[0]], *controls]

    @cached_property
    def _new_pairs(self) -> Claim:
        """Without it there is no algorithm beyond the pairs that were learned by heart."""
        known = self.network.full.accuracy
        side = next(s for s in ("unleaked", "test", "all") if getattr(known, s) is not None)
        room = getattr(known, side) - self.network.chance
        which = "pairs" if side == "all" else "pairs that it was not trained on"
        return Claim(
            id=ClaimId.NEW_PAIRS,
            statement=f"it answers {which}: accuracy over guessing ≥ {LEAST_OVER_CHANCE:g}",
            value=room,
            verdict=judge(room >= LEAST_OVER_CHANCE),
            n=int(self.network.sides[side].sum()),
        )

    def _grokked(self) -> Claim:
        """That it had grokked, or where its training is not known, that it answers like one."""
        if self.grokked is not None:
            return grokked_claim(self.grokked)
        known = self.network.full.accuracy
        value = known.all if known.test is None else known.test
        which = "all pairs" if known.test is None else "the pairs that it was not trained on"
        return Claim(
            id=ClaimId.GROKKED,
            statement=f"it answers {GROKKED:.0%} of {which}; its training is not known",
            value=value,
            verdict=judge(value >= GROKKED),
        )

    def _keys(self, place: Place) -> Claim:
        """The claim that a place has keys, not testable where the network has no such matrix."""
        keys = self.keys.get(place)
        if keys is not None:
            return keys_claim(place, keys, self.n, self.network.names[place])
        statement = f"{MATRICES[place]} has key frequencies: the network has no {MATRICES[place]}"
        return Claim(id=KEYS_CLAIMS[place], statement=statement, verdict="not testable")

    def _agree(self) -> Claim:
        """Every family with a key of its own in one matrix has a member in the other."""
        both = len(self.keys) == len(Place)
        found = [set(keys.frequencies) for keys in self.keys.values()]
        shared = [f for f in self.families if all(set(f) & keys for keys in found)]
        share = len(shared) / len(self.families) if self.families else 0.0
        saturated = any(keys.saturated for keys in self.keys.values())
        return Claim(
            id=ClaimId.FAMILIES_AGREE,
            statement="W_E and W_L hold the same families of keys (share)",
            value=share if both else None,
            verdict=judge(
                share == 1, testable=both and self.n > LARGEST_UNTESTABLE and not saturated
            ),
            n=len(self.families),
        )

    def _sparse(self) -> Claim:
        """What keeps nearly everything keeps the answers; the keys must be few, or it says nothing.

        Harmonics count with their keys, since neurons make them, where as many random directions
        show that all together are not nearly everything.
        """
        total = self.network.basis.inputs.n_frequencies
        control = self.directions_kept
        counted = self.frequencies if control is None else self.groups
        share = len(counted) / total if total else 0.0
        few = 0 < share <= MOST_KEYS and (control is None or control <= MOST_OF_DIRECTIONS)
        words = "the keys are" if control is None else "the keys, harmonics counted as theirs, are"
        bound = f"; as many random directions keep A ≤ {MOST_OF_DIRECTIONS:g}"
        null = "" if control is None else bound
        return Claim(
            id=ClaimId.SPARSE,
            statement=f"{words} at most half of all frequencies (share){null}",
            value=share,
            control=control,
            verdict=judge(few, testable=self.n > LARGEST_UNTESTABLE),
            n=total,
        )

    def _ablation(self, place: Place) -> list[Claim]:
        if place not in self.keys:
            return ablation_claims(place, AblationScores(), 0, judged=False)
        found, saturated = self.ablations[place], self.keys[place].saturated
        judged = self.testable and bool(self.frequencies or saturated)
        return ablation_claims(place, found.scores(self.network), len(found.control), judged=judged)

    def _both(self) -> Claim:
        value = None if self.both_kept is None else self.network.scaled(self.both_kept)
        judged = self.testable and bool(self.frequencies)
        return Claim(
            id=ClaimId.BOTH_KEPT,
            statement=f"with only the keys in both, it answers: {BOTH_KEPT}",
            value=value,
            verdict=BOTH_KEPT.judge(value) if judged else "not testable",
        )


HAS_STRUCTURE: Final = Claim(
    id=ClaimId.STRUCTURE, statement="the operation is addition in a cyclic group", verdict="holds"
)


def grokked_claim(grokked: bool | None) -> Claim:
    """Return the claim that a network had grokked; None where it is not known."""
    verdict = judge(bool(grokked), testable=grokked is not None)
    return Claim(id=ClaimId.GROKKED, statement="it had grokked", verdict=verdict)


def blank_claim(place: Place, name: str | None = None) -> Claim:
    """Return that a table has nothing to test; `name` is what it is called."""
    statement = f"{name or MATRICES[place]} holds nothing to test: all its rows are alike"
    return Claim(id=KEYS_CLAIMS[place], statement=statement, verdict="not testable")


def keys_claim(place: Place, keys: Keys, n: int, name: str | None = None) -> Claim:
    """Return the claim that a table has keys; `name` is what it is called, by default W_E or W_L.

    It is not testable where the table is saturated, or the group Z_n has one frequency.
    """
    count = len(keys.frequencies)
    return Claim(
        id=KEYS_CLAIMS[place],
        statement=f"{name or MATRICES[place]} has key frequencies above its permutation null"
        f" ({count}: share of the energy in all of them)",
        value=keys.energy,
        control=keys.null_energy,
        n=keys.draws,
        verdict=judge(count > 0, testable=n > LARGEST_UNTESTABLE and not keys.saturated),
    )


def find_circuit(
    network: NetworkInBasis,
    *,
    grokked: bool | None = None,
    tried: Sequence[Basis] = (),
    effort: Effort | None = None,
) -> Circuit:
    """Return the keys of a network in the basis of its structure, with the tests to run on them.

    **Arguments:**

    - `network`: the network and the structure.
    - `grokked`: whether it had grokked; None where it is not known.
    - `tried`: bases of other structures that were tried; they raise the null.
    - `effort`: numbers of draws.
    """
    effort = effort or Effort()
    own: dict[Place, Keys] = {}
    for place, (table, characters) in network.matrices.items():
        others = [characters_at(basis, place) for basis in tried]
        own[place] = find_keys(table, characters, others, effort.null_draws)
    found = {k for keys in own.values() if not keys.saturated for k in keys.frequencies}
    candidates = found | harmonics(found, network.basis.n)
    confirmed = {
        place: confirm_keys(table, characters, own[place], candidates)
        for place, (table, characters) in network.matrices.items()
    }
    if Place.EMBEDDING in confirmed:
        real = confirmed[Place.LOGITS].frequencies
        confirmed[Place.EMBEDDING] = with_ghosts(confirmed[Place.EMBEDDING], real)
    return Circuit(network, grokked, confirmed, effort)
