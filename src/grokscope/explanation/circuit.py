"""What one structure explains of a network: keys of both matrices, families, causal tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.explanation import ablation
from grokscope.explanation.ablation import Ablation
from grokscope.explanation.keys import (
    Keys,
    confirm_keys,
    families,
    find_keys,
    harmonics,
    harmonics_of,
    with_ghosts,
)
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.null import DRAWS
from grokscope.explanation.outcome import Outcome
from grokscope.explanation.verdict import (
    BOTH_KEPT,
    EDIT_CLAIMS,
    KEYS_CLAIMS,
    VERDICTS,
    Claim,
    ClaimId,
    Claims,
    Edit,
    Place,
    Verdict,
    ablation_claims,
    verdict,
)
from grokscope.fourier.characters import Characters
from grokscope.measures.spectral import LARGEST_UNTESTABLE

MATRICES: Final = {Place.EMBEDDING: "W_E", Place.LOGITS: "W_L"}
"""The matrix of a network whose keys are those of a place; a table of somebody's file has a name
of its own."""
LEAST_ROOM = 0.1
"""Accuracy over chance on new pairs under which A means nothing, and nothing is to be explained.

A network that answers by chance, but always the same for the same sum, strays from chance by
1/n (a standard deviation): 0.03 for n = 31.
"""


@dataclass(frozen=True)
class Effort:
    """How often controls are drawn."""

    null_draws: int = DRAWS
    control_draws: int = ablation.DRAWS


@dataclass(frozen=True, eq=False)
class Circuit:
    """A structure's keys in a network, and what keeping and removing them does.

    **Arguments:**

    - `network`: the network and the structure.
    - `grokked`: whether it had grokked; None where it is not known.
    - `embedding_keys`, `logit_map_keys`: keys of the two tables.
    - `effort`: numbers of draws.
    """

    network: NetworkInBasis
    grokked: bool | None
    embedding_keys: Keys
    logit_map_keys: Keys
    effort: Effort = Effort()

    @property
    def n(self) -> int:
        """Order of the group."""
        return self.network.basis.n

    @property
    def keys(self) -> dict[Place, Keys]:
        """Keys of the table of each place."""
        return {Place.EMBEDDING: self.embedding_keys, Place.LOGITS: self.logit_map_keys}

    @cached_property
    def families(self) -> list[tuple[int, ...]]:
        """Families of all keys; those of a saturated table are left out."""
        trusted = [keys for keys in self.keys.values() if not keys.saturated]
        chosen = trusted or [self.logit_map_keys]
        return families(list(dict.fromkeys(k for keys in chosen for k in keys.frequencies)), self.n)

    @cached_property
    def frequencies(self) -> tuple[int, ...]:
        """All members of all families."""
        return tuple(k for family in self.families for k in family)

    @property
    def read_frequencies(self) -> tuple[int, ...]:
        """Those of W_L, or all where it has none: what shapes and formulas are made of."""
        return self.logit_map_keys.frequencies or self.frequencies

    @cached_property
    def harmonics(self) -> dict[int, int]:
        """Keys that are doubles or halves of another one, with that one."""
        both = self.keys.values()
        of_E, of_L = (() if keys.saturated else keys.frequencies for keys in both)
        return harmonics_of(of_E, of_L, [keys.pointed_at for keys in both], self.n)

    @cached_property
    def of_embedding(self) -> Ablation:
        """Tests on W_E."""
        return ablation.ablate_embedding(
            self.network,
            self.frequencies,
            outside=self.embedding_keys.saturated,
            draws=self.effort.control_draws,
        )

    @cached_property
    def of_logits(self) -> Ablation:
        """Tests on the class axis of the logits."""
        return ablation.ablate_logits(
            self.network,
            self.frequencies,
            outside=self.logit_map_keys.saturated,
            draws=self.effort.control_draws,
        )

    @cached_property
    def both_kept(self) -> Outcome:
        """Only the keys left, in W_E and along the class axis."""
        sides = (self.network.basis.inputs, self.network.basis.answers)
        kept = [
            tuple(range(1, characters.n_frequencies + 1)) if keys.saturated else self.frequencies
            for characters, keys in zip(sides, self.keys.values(), strict=True)
        ]
        return ablation.keep_both(self.network, *kept)

    @property
    def testable(self) -> bool:
        """Whether the group has enough frequencies, and untrained pairs are answered.

        What only memorised can hold nearly all frequencies, so that keeping them keeps it.
        """
        return self.n > LARGEST_UNTESTABLE and self._new_pairs.holds

    @cached_property
    def _new_pairs(self) -> Claim:
        """Without it there is no algorithm beyond the pairs that were learned by heart."""
        known = self.network.full.accuracy
        side, accuracy = next(
            (name, value)
            for name, value in (
                ("unleaked", known.unleaked),
                ("test", known.test),
                ("all", known.all),
            )
            if value is not None
        )
        room = accuracy - self.network.chance
        which = "pairs" if side == "all" else "pairs that it was not trained on"
        return Claim(
            id=ClaimId.NEW_PAIRS,
            statement=f"it answers {which}: accuracy over guessing ≥ {LEAST_ROOM:g}",
            value=room,
            verdict="holds" if room >= LEAST_ROOM else "fails",
            n=int(self.network.sides[side].sum()),
        )

    @cached_property
    def claims(self) -> Claims:
        """The claims that the verdict needs, in reading order."""
        return Claims(
            [
                grokked_claim(self.grokked),
                HAS_STRUCTURE,
                self._new_pairs,
                keys_claim(Place.EMBEDDING, self.embedding_keys, self.n),
                keys_claim(Place.LOGITS, self.logit_map_keys, self.n),
                self._agree(),
                self._sparse(),
                *self._ablation(Place.EMBEDDING, self.embedding_keys, self.of_embedding),
                *self._ablation(Place.LOGITS, self.logit_map_keys, self.of_logits),
                self._both(),
            ]
        )

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict on this structure."""
        return verdict(self.claims, self._not_needed())

    @property
    def survival(self) -> float | None:
        """A with the keys alone in both places; −1 without keys."""
        return self.network.scaled(self.both_kept) if self.frequencies else -1.0

    @property
    def score(self) -> tuple[int, float]:
        """Rank among several structures: the verdict, then how much survives with keys alone."""
        rank = len(VERDICTS) - 1 - VERDICTS.index(self.verdict)
        return rank, -1.0 if self.survival is None else self.survival

    def _not_needed(self) -> list[ClaimId]:
        """Claims that a saturated table cannot fulfil: its keys are judged at the other place.

        Where both are saturated nothing shows which frequencies are used, and all is needed.
        """
        saturated = [place for place, keys in self.keys.items() if keys.saturated]
        if len(saturated) != 1:
            return []
        edits = EDIT_CLAIMS[saturated[0]]
        return [
            ClaimId.FAMILIES_AGREE,
            KEYS_CLAIMS[saturated[0]],
            edits[Edit.CONTROL],
            edits[Edit.KEEP_OTHERS],
        ]

    def _agree(self) -> Claim:
        """Every family with a key of its own in one matrix has a member in the other."""
        found = [set(keys.frequencies) for keys in self.keys.values()]
        shared = [f for f in self.families if all(set(f) & keys for keys in found)]
        share = len(shared) / len(self.families) if self.families else 0.0
        verdict = "holds" if share == 1 else "fails"
        if self.n <= LARGEST_UNTESTABLE or any(keys.saturated for keys in self.keys.values()):
            verdict = "not testable"
        return Claim(
            id=ClaimId.FAMILIES_AGREE,
            statement="W_E and W_L hold the same families of keys (share)",
            value=share,
            verdict=verdict,
            n=len(self.families),
        )

    def _sparse(self) -> Claim:
        total = self.network.basis.inputs.n_frequencies
        share = len(self.frequencies) / total if total else 0.0
        verdict = "holds" if 0 < share <= 0.5 else "fails"
        if self.n <= LARGEST_UNTESTABLE:
            verdict = "not testable"
        return Claim(
            id=ClaimId.SPARSE,
            statement="the keys are at most half of all frequencies (share)",
            value=share,
            verdict=verdict,
            n=total,
        )

    def _ablation(self, place: Place, keys: Keys, found: Ablation) -> list[Claim]:
        judged = self.testable and bool(self.frequencies or keys.saturated)
        return ablation_claims(place, found.scores(self.network), len(found.control), judged=judged)

    def _both(self) -> Claim:
        value = self.network.scaled(self.both_kept)
        judged = self.testable and bool(self.frequencies)
        return Claim(
            id=ClaimId.BOTH_KEPT,
            statement=f"with only the keys in both, it answers: {BOTH_KEPT}",
            value=value,
            verdict=BOTH_KEPT.judge(value) if judged else "not testable",
        )


HAS_STRUCTURE: Final = Claim(
    id=ClaimId.STRUCTURE,
    statement="the operation is addition in a cyclic group",
    verdict="holds",
)


def grokked_claim(grokked: bool | None) -> Claim:
    """Return the claim that a network had grokked; None where it is not known."""
    verdict = "not testable" if grokked is None else ("holds" if grokked else "fails")
    return Claim(id=ClaimId.GROKKED, statement="it had grokked", verdict=verdict)


def keys_claim(place: Place, keys: Keys, n: int, name: str | None = None) -> Claim:
    """Return the claim that a table has keys; `name` is what it is called, by default W_E or W_L.

    It is not testable where the table is saturated, or the group Z_n has one frequency.
    """
    count = len(keys.frequencies)
    verdict = "holds" if count else "fails"
    if keys.saturated or n <= LARGEST_UNTESTABLE:
        verdict = "not testable"
    return Claim(
        id=KEYS_CLAIMS[place],
        statement=f"{name or MATRICES[place]} has key frequencies above its permutation null"
        f" ({count}: share of the energy in all of them)",
        value=keys.energy,
        control=keys.null_energy,
        n=keys.draws,
        verdict=verdict,
    )


def find_circuit(
    network: NetworkInBasis,
    *,
    grokked: bool | None = None,
    tried: Sequence[tuple[Characters, Characters]] = (),
    effort: Effort | None = None,
) -> Circuit:
    """Return the keys of a network in the basis of its structure, with the tests to run on them.

    **Arguments:**

    - `network`: the network and the structure.
    - `grokked`: whether it had grokked; None where it is not known.
    - `tried`: bases of W_E and W_L of other structures that were tried; they raise the null.
    - `effort`: numbers of draws.
    """
    effort = effort or Effort()
    basis = network.basis
    sides = [(network.embedding, basis.inputs), (network.neuron_logit_map, basis.answers)]
    others = list(zip(*tried, strict=True)) or [(), ()]
    keys = [
        find_keys(table, characters, other, effort.null_draws)
        for (table, characters), other in zip(sides, others, strict=True)
    ]
    found = {k for side in keys if not side.saturated for k in side.frequencies}
    candidates = found | harmonics(found, basis.n)
    embedding_keys, logit_map_keys = (
        confirm_keys(table, characters, side, candidates)
        for (table, characters), side in zip(sides, keys, strict=True)
    )
    embedding_keys = with_ghosts(embedding_keys, logit_map_keys.frequencies)
    return Circuit(network, grokked, embedding_keys, logit_map_keys, effort)


def spectrum_of(
    table: Float[np.ndarray, "p column"], characters: Characters
) -> Float[np.ndarray, "freq"]:
    """Return the share of each frequency in a table's energy beyond P₀, all its parts together."""
    centred = characters.centred(np.asarray(table, np.float64))
    total = float(np.sum(centred**2)) or 1.0
    return np.array(
        [
            np.sum((characters.span([k]).T @ centred) ** 2) / total
            for k in range(1, characters.n_frequencies + 1)
        ]
    )
