"""From a network and the structures of its operation to an explanation."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int8, Int32

from grokscope.explanation.analyses import analyses, supporting_claims, verdict_ablations
from grokscope.explanation.circuit import (
    HAS_STRUCTURE,
    MATRICES,
    Circuit,
    Effort,
    find_circuit,
    grokked_claim,
    keys_claim,
    spectrum_of,
)
from grokscope.explanation.findings import RunnerUp, StructureFound, TableFinding, key_rows
from grokscope.explanation.keys import Keys, families, find_keys
from grokscope.explanation.network import NetworkInBasis
from grokscope.explanation.pairs import not_finite
from grokscope.explanation.result import Analyses, Explanation
from grokscope.explanation.verdict import Claim, ClaimId, Claims, Place, verdict
from grokscope.fourier.basis import Basis
from grokscope.fourier.characters import Characters
from grokscope.fourier.spectrum import Spectrum
from grokscope.measures import gini
from grokscope.models import Model
from grokscope.progress import doing
from grokscope.tasks.structure import Search, Structure

MOST_STRUCTURES: Final = 3
"""Structures of one operation that are compared."""


def explain_network(
    model: Model,
    labels: Int32[np.ndarray, "p p"],
    search: Search,
    *,
    operation: str,
    kind: Int8[np.ndarray, "pair"] | None = None,
    operation_index: int = 0,
    grokked: bool | None = None,
    seed: int | None = None,
    step: int | None = None,
    effort: Effort | None = None,
    thorough: bool = True,
) -> Explanation:
    """Say which algorithm a network found, with causal evidence.

    Every structure of the operation is tried, and the one that explains most is reported.

    **Arguments:**

    - `model`: the network.
    - `labels`: the operation's answers at [x, y].
    - `search`: the structures to explain it by, found in the operation's table or forced.
    - `operation`: its text.
    - `kind`: the side of each pair, as in `Split.kind`.
    - `operation_index`: which operation of a mixture, from 0.
    - `grokked`: whether it had grokked; None where it is not known.
    - `seed`, `step`: of the checkpoint.
    - `effort`: how often nulls and controls are drawn.
    - `thorough`: whether to run the analyses that the verdict does not need.
    """
    facts: dict[str, Any] = {"operation": operation, "p": len(labels), "seed": seed, "step": step}
    networks = [
        NetworkInBasis(model, labels, Basis(structure), kind, operation_index)
        for structure in search.structures[:MOST_STRUCTURES]
    ]
    if not networks:
        return _unexplained(facts, search, grokked)
    if broken := not_finite(model) or networks[0].not_finite:
        return _broken(facts, search, grokked, broken)
    doing("finding keys above permuted tables")
    bases = [(one.basis.inputs, one.basis.answers) for one in networks]
    circuits = [
        find_circuit(
            network, grokked=grokked, tried=[b for b in bases if b is not own], effort=effort
        )
        for network, own in zip(networks, bases, strict=True)
    ]
    doing("keeping and removing keys")
    ranked = sorted(circuits, key=lambda circuit: circuit.score, reverse=True)
    return _explained(facts, ranked[0], ranked[1:], thorough)


def explain_table(
    table: Float[np.ndarray, "p column"],
    search: Search,
    *,
    operation: str,
    place: Place = Place.EMBEDDING,
    name: str | None = None,
    effort: Effort | None = None,
) -> Explanation:
    """Say which key frequencies a table alone holds; nothing causal can be said of it.

    **Arguments:** one row per residue (or answer); structures; text of the operation; whether its
    rows are residues, as in W_E, or answers, as in W_L; what it is called, by default W_E or W_L;
    numbers of draws.
    """
    facts: dict[str, Any] = {"operation": operation, "p": len(table), "seed": None, "step": None}
    best = search.best
    if best is None:
        return _unexplained(facts, search, None)
    if not np.isfinite(table).all():
        return _broken(facts, search, None, name or MATRICES[place])
    basis = Basis(best)
    characters = basis.inputs if place is Place.EMBEDDING else basis.answers
    keys = find_keys(table, characters, draws=(effort or Effort()).null_draws)
    found, nothing = finding(table, characters, keys, basis_in_words(best, place)), TableFinding()
    tables = (found, nothing) if place is Place.EMBEDDING else (nothing, found)
    not_shown = (
        ClaimId.GROKKED,
        ClaimId.EMBEDDING_KEEP,
        ClaimId.LOGITS_KEEP,
        ClaimId.BOTH_KEPT,
    )
    claims = Claims(
        [
            HAS_STRUCTURE,
            keys_claim(place, keys, characters.n, name),
            *(
                Claim(
                    id=key,
                    statement=f"{key}: a table alone cannot show it",
                    verdict="not testable",
                )
                for key in not_shown
            ),
        ]
    )
    grouped = families(keys.frequencies, characters.n)
    return Explanation(
        **facts,
        verdict=verdict(claims),
        structure=StructureFound.of(best),
        embedding=tables[0],
        neuron_logit_map=tables[1],
        families=tuple(grouped),
        claims=claims,
        keys=key_rows(*tables, grouped, characters.n),
    )


def finding(
    table: Float[np.ndarray, "p column"], characters: Characters, keys: Keys, basis: str
) -> TableFinding:
    """Return what is reported of one table."""
    shares = spectrum_of(table, characters)
    joint = np.sqrt(shares)
    concentration = float(gini(Spectrum.of_norms(joint, 0 * joint, characters.n)))
    return TableFinding(
        basis=basis,
        keys=keys.frequencies,
        pointed_at=keys.pointed_at,
        ghosts=keys.ghosts,
        energy_in_keys=keys.energy,
        null_energy=keys.null_energy,
        gini=concentration if np.isfinite(concentration) else None,
        spectrum=tuple(float(s) for s in shares),
        saturated=keys.saturated,
    )


def basis_in_words(structure: Structure, place: Place) -> str:
    """Return which characters a table is seen in: `characters of x^2 in Z_97`."""
    if place is Place.LOGITS:
        return f"characters of s in Z_{structure.n}, pushed through c = {structure.g_text}"
    same = structure.relation in ("same", "negated")
    of = structure.u_text if same else f"{structure.u_text} and {structure.v_text}"
    return f"characters of {of} in Z_{structure.n}"


def _explained(
    facts: dict[str, Any], best: Circuit, others: Sequence[Circuit], thorough: bool
) -> Explanation:
    network, structure = best.network, best.network.basis.structure
    embedding, neuron_logit_map = (
        finding(table, characters, keys, basis_in_words(structure, place))
        for table, characters, keys, place in (
            (network.embedding, network.basis.inputs, best.embedding_keys, Place.EMBEDDING),
            (network.neuron_logit_map, network.basis.answers, best.logit_map_keys, Place.LOGITS),
        )
    )
    more = analyses(best) if thorough else None
    claims = [] if more is None else supporting_claims(best, more)
    more = more or Analyses(ablations=verdict_ablations(best))
    return Explanation(
        **facts,
        verdict=best.verdict,
        structure=StructureFound.of(structure),
        runner_up=_runner_up(others),
        embedding=embedding,
        neuron_logit_map=neuron_logit_map,
        families=tuple(best.families),
        **vars(more),
        claims=Claims([*best.claims.values(), *claims]),
        keys=key_rows(embedding, neuron_logit_map, best.families, best.n),
    )


def _runner_up(others: Sequence[Circuit]) -> RunnerUp | None:
    if not others:
        return None
    words = others[0].network.basis.structure.words
    return RunnerUp(words, others[0].verdict, others[0].frequencies, others[0].survival)


def _broken(facts: dict[str, Any], search: Search, grokked: bool | None, what: str) -> Explanation:
    """What can be said of a network with a matrix, or logits, that are not finite."""
    blank = _unexplained(facts, search, grokked)
    finite = Claim(id=ClaimId.FINITE, statement=f"{what} is finite", verdict="fails")
    known = search.best
    structure = blank.structure if known is None else StructureFound.of(known)
    claims = Claims([grokked_claim(grokked), finite])
    return dataclasses.replace(blank, structure=structure, claims=claims)


def _unexplained(facts: dict[str, Any], search: Search, grokked: bool | None) -> Explanation:
    """What can be said where no structure was found."""
    structure = Claim(id=ClaimId.STRUCTURE, statement=search.sentence, verdict="fails")
    return Explanation(
        **facts,
        verdict="not explained",
        structure=StructureFound(words=search.sentence),
        claims=Claims([grokked_claim(grokked), structure]),
    )
