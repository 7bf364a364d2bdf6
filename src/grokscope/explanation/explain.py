"""From a network and the structures of its operation to an explanation."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Int8, Int32

from grokscope.errors import UsageError
from grokscope.explanation.analyses import (
    quick_analyses,
    run_analyses,
    supporting_claims,
    verdict_ablations,
)
from grokscope.explanation.circuit import (
    HAS_STRUCTURE,
    Circuit,
    Effort,
    blank_claim,
    find_circuit,
    grokked_claim,
    keys_claim,
)
from grokscope.explanation.families import families
from grokscope.explanation.in_basis import NetworkInBasis, characters_at
from grokscope.explanation.keys import Keys, find_keys, is_blank
from grokscope.explanation.network import Network
from grokscope.explanation.result import (
    Analyses,
    Control,
    Explanation,
    RunnerUp,
    StructureFound,
    TableFinding,
    key_rows,
)
from grokscope.explanation.verdict import (
    MATRICES,
    Claim,
    ClaimId,
    Claims,
    Place,
    levels_of,
    verdict,
)
from grokscope.fourier.basis import Basis, same_characters
from grokscope.fourier.characters import Characters, Table
from grokscope.fourier.spectrum import spectrum
from grokscope.measures import gini
from grokscope.progress import doing
from grokscope.tasks import Task, parse
from grokscope.tasks.structure import Search, Structure, structure_of

MOST_STRUCTURES: Final = 3
"""Structures of one operation that are compared."""
_OF_A_NETWORK: Final = (
    ClaimId.GROKKED,
    ClaimId.EMBEDDING_KEEP,
    ClaimId.LOGITS_KEEP,
    ClaimId.BOTH_KEPT,
)
"""Claims that a table alone cannot show."""


def structures_by(by: str | None, own: Search, p: int) -> tuple[Search, Control | None]:
    """Return the structures to explain by, and what an explanation by them is a control of.

    **Arguments:**

    - `by`: the operation whose structures are used; None for the network's own.
    - `own`: structures of the operation that was trained.
    - `p`: the modulus.

    **Returns:** no control where both operations have the same answers.

    **Raises:** `UsageError` where `by` is no operation, or none with a structure.
    """
    if by is None:
        return own, None
    expression = parse(by)
    search = structure_of(Task((expression,), p))
    if not search.structures:
        raise UsageError(
            "this operation has no structure to explain by",
            got=by,
            allowed='one that has, for example "x*y"',
        )
    pairs = [(a, b) for a in own.structures for b in search.structures]
    if any(np.array_equal(a.labels(), b.labels()) for a, b in pairs):
        return search, None
    same = any(same_characters(a, b) for a, b in pairs)
    return search, Control(expression.canonical, same)


def explain_network(
    network: Network,
    labels: Int32[np.ndarray, "p p"],
    search: Search,
    *,
    operation: str,
    kind: Int8[np.ndarray, "pair"] | None = None,
    grokked: bool | None = None,
    seed: int | None = None,
    step: int | None = None,
    control: Control | None = None,
    effort: Effort | None = None,
    thorough: bool = True,
) -> Explanation:
    """Say which algorithm a network found, with causal evidence.

    Every structure of the operation is tried, and the one that explains most is reported.

    **Arguments:**

    - `network`: the network; `of_model` makes one of ours.
    - `labels`: the operation's answers at [x, y].
    - `search`: the structures to explain it by, found in the operation's table or forced.
    - `operation`: its text.
    - `kind`: the side of each pair, as in `Split.kind`.
    - `grokked`: whether it had grokked; None where it is not known.
    - `seed`, `step`: of the checkpoint.
    - `control`: what `structures_by` says.
    - `effort`: how often nulls and controls are drawn.
    - `thorough`: whether to run the analyses that the verdict does not need.
    """
    facts: dict[str, Any] = {"operation": operation, "p": len(labels), "seed": seed, "step": step}
    facts["control"] = control
    in_bases = [
        NetworkInBasis(network, labels, Basis(structure), kind)
        for structure in search.structures[:MOST_STRUCTURES]
    ]
    if not in_bases:
        return _unexplained(facts, search, grokked)
    if broken := in_bases[0].not_finite:
        return _broken(facts, search, grokked, broken)
    doing("finding keys above permuted tables")
    circuits = []
    for one in in_bases:
        tried = [other.basis for other in in_bases if other is not one]
        circuits.append(find_circuit(one, grokked=grokked, tried=tried, effort=effort))
    doing("keeping and removing keys")
    best, *others = sorted(circuits, key=lambda circuit: circuit.score, reverse=True)
    return _explained(facts, best, others, thorough)


def explain_table(
    table: Table,
    search: Search,
    *,
    operation: str,
    place: Place = Place.EMBEDDING,
    name: str | None = None,
    control: Control | None = None,
    effort: Effort | None = None,
) -> Explanation:
    """Say which key frequencies a table alone holds; nothing causal can be said of it.

    So it is never "not explained": whether answers come from its frequencies was not tested.

    **Arguments:** one row per residue (or answer); structures; text of the operation; whether its
    rows are residues, as in W_E, or answers, as in W_L; what it is called, by default W_E or W_L;
    what `structures_by` says; numbers of draws.
    """
    facts: dict[str, Any] = {"operation": operation, "p": len(table), "seed": None, "step": None}
    facts["control"] = control
    best = search.best
    if best is None:
        return dataclasses.replace(_unexplained(facts, search, None), verdict="not decided")
    if not np.isfinite(table).all():
        return _broken(facts, search, None, name or MATRICES[place])
    characters = characters_at(Basis(best), place)
    doing(f"finding keys of {name or MATRICES[place]} above permuted tables")
    blank = is_blank(table, characters)
    table = np.zeros_like(table) if blank else table  # what is left is rounding
    keys = find_keys(table, characters, draws=(effort or Effort()).null_draws)
    tables = {one: TableFinding() for one in Place}
    tables[place] = table_finding(table, characters, keys, basis_in_words(best, place))
    not_shown = (
        Claim(id=key, statement=f"{key}: a table alone cannot show it", verdict="not testable")
        for key in _OF_A_NETWORK
    )
    held = blank_claim(place, name) if blank else keys_claim(place, keys, characters.n, name)
    claims = Claims([HAS_STRUCTURE, held, *not_shown])
    grouped = families(keys.frequencies, characters.n)
    return Explanation(
        **facts,
        verdict="not decided",
        structure=StructureFound.of(best),
        embedding=tables[Place.EMBEDDING],
        neuron_logit_map=tables[Place.LOGITS],
        families=tuple(grouped),
        claims=claims,
        keys=key_rows(tables[Place.EMBEDDING], tables[Place.LOGITS], grouped, characters.n),
    )


def table_finding(table: Table, characters: Characters, keys: Keys, basis: str) -> TableFinding:
    """Return what is reported of one table, of its part beyond P₀."""
    centred = characters.centred(np.asarray(table, np.float64))
    found = spectrum(centred, characters)
    shares = found.joint**2 / (np.sum(centred**2) or 1.0)
    concentration = float(gini(found))
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
    structure = best.network.basis.structure
    tables = {
        place: table_finding(table, characters, best.keys[place], basis_in_words(structure, place))
        for place, (table, characters) in best.network.matrices.items()
    }
    named = {
        place: dataclasses.replace(table, name=name)
        for place, table in tables.items()
        if (name := best.network.names[place]) != MATRICES[place]
    }
    embedding, neuron_logit_map = ((tables | named).get(p, TableFinding()) for p in Place)
    more = run_analyses(best) if thorough else quick_analyses(best)
    further = [] if more is None else supporting_claims(best, more)
    asked = (claim for claim in further if thorough or claim.value is not None)
    claims = Claims([*best.claims.values(), *asked])
    more = more or Analyses(ablations=verdict_ablations(best))
    return Explanation(
        **facts,
        verdict=verdict(claims, best.not_needed),
        levels=levels_of(claims, best.not_needed),
        structure=StructureFound.of(structure),
        runner_up=_runner_up(others),
        embedding=embedding,
        neuron_logit_map=neuron_logit_map,
        families=tuple(best.families),
        **vars(more),
        claims=claims,
        keys=key_rows(embedding, neuron_logit_map, best.families, best.n),
    )


def _runner_up(others: Sequence[Circuit]) -> RunnerUp | None:
    if not others:
        return None
    other = others[0]
    words = other.network.basis.structure.words
    return RunnerUp(words, other.verdict, other.frequencies, other.survival)


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
