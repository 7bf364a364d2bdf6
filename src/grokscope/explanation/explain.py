"""From a network and the structures of its operation to an explanation."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int8, Int32

from grokscope.explanation import analyses
from grokscope.explanation.circuit import (
    MATRICES,
    Circuit,
    Effort,
    find_circuit,
    keys_claim,
    spectrum_of,
)
from grokscope.explanation.keys import Keys, families, find_keys
from grokscope.explanation.network import Subject
from grokscope.explanation.pairs import not_finite
from grokscope.explanation.result import Explanation, TableFinding, key_rows
from grokscope.explanation.verdict import FINITE, Claim, verdict
from grokscope.fourier.basis import Matched
from grokscope.fourier.characters import Characters
from grokscope.fourier.spectrum import Spectrum
from grokscope.measures import gini_of
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
    task: int = 0,
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
    - `task`: which operation of a mixture, from 0.
    - `grokked`: whether it had grokked; None where it is not known.
    - `seed`, `step`: of the checkpoint.
    - `effort`: how often nulls and controls are drawn.
    - `thorough`: whether to run the analyses that the verdict does not need.
    """
    facts: dict[str, Any] = {"operation": operation, "p": len(labels), "seed": seed, "step": step}
    subjects = [
        Subject(model, labels, Matched(structure), kind, task)
        for structure in search.structures[:MOST_STRUCTURES]
    ]
    if not subjects:
        return _unexplained(facts, search, grokked)
    if broken := not_finite(model) or subjects[0].not_finite:
        return _broken(facts, search, grokked, broken)
    doing("finding keys above permuted tables")
    bases = [(s.matched.embedding, s.matched.readout) for s in subjects]
    circuits = [
        find_circuit(
            subject, grokked=grokked, tried=[b for b in bases if b is not own], effort=effort
        )
        for subject, own in zip(subjects, bases, strict=True)
    ]
    doing("keeping and removing keys")
    ranked = sorted(circuits, key=lambda circuit: circuit.score, reverse=True)
    return _explained(facts, ranked[0], ranked[1:], thorough)


def explain_table(
    table: Float[np.ndarray, "p column"],
    search: Search,
    *,
    operation: str,
    place: str = "embedding",
    name: str | None = None,
    effort: Effort | None = None,
) -> Explanation:
    """Say which key frequencies a table alone holds; nothing causal can be said of it.

    **Arguments:** one row per residue (or answer); structures; text of the operation; whether it
    is an `embedding` or a `readout`; what it is called, by default W_E or W_L; numbers of draws.
    """
    facts: dict[str, Any] = {"operation": operation, "p": len(table), "seed": None, "step": None}
    best = search.best
    if best is None:
        return _unexplained(facts, search, None)
    if not np.isfinite(table).all():
        return _broken(facts, search, None, name or MATRICES[place])
    matched = Matched(best)
    characters = matched.embedding if place == "embedding" else matched.readout
    keys = find_keys(table, characters, draws=(effort or Effort()).null_draws)
    found = finding(table, characters, keys, basis_in_words(best, place))
    claims = (
        Claim("structure", "the operation is addition in a cyclic group", None, "holds"),
        keys_claim(place, keys, characters.n, name),
        *(
            Claim(name, f"{name}: a table alone cannot show it", None, "not testable")
            for name in ("grokked", "embedding keep", "readout keep", "both kept")
        ),
    )
    blank = _unexplained(facts, search, None)
    tables = {"embedding": blank.embedding, "readout": blank.readout, place: found}
    grouped = families(keys.frequencies, characters.n)
    rows = key_rows(**tables, families=grouped, n=characters.n)
    return dataclasses.replace(
        blank,
        keys=rows,
        families=tuple(grouped),
        structure=best.to_json(),
        claims=claims,
        verdict=verdict(claims),
        **{place: found},
    )


def finding(
    table: Float[np.ndarray, "p column"], characters: Characters, keys: Keys, basis: str
) -> TableFinding:
    """Return what is reported of one table."""
    shares = spectrum_of(table, characters)
    joint = np.sqrt(shares)
    gini = float(gini_of(Spectrum(joint, 0 * joint), characters.n))
    return TableFinding(
        basis=basis,
        key_frequencies=keys.frequencies,
        pointed_at=keys.pointed_at,
        ghosts=keys.ghosts,
        energy_in_keys=keys.energy,
        null_energy=keys.null_energy,
        gini=gini,
        spectrum=tuple(float(s) for s in shares),
        saturated=keys.saturated,
    )


def basis_in_words(structure: Structure, place: str) -> str:
    """Return which characters a table is seen in: `characters of x^2 in Z_97`."""
    if place == "readout":
        return f"characters of s in Z_{structure.n}, pushed through c = {structure.g_text}"
    same = structure.relation in ("same", "negated")
    of = structure.u_text if same else f"{structure.u_text} and {structure.v_text}"
    return f"characters of {of} in Z_{structure.n}"


def _explained(
    facts: dict[str, Any], best: Circuit, others: Sequence[Circuit], thorough: bool
) -> Explanation:
    subject, structure = best.subject, best.subject.matched.structure
    found = [
        finding(table, characters, keys, basis_in_words(structure, place))
        for table, characters, keys, place in (
            (subject.embedding, subject.matched.embedding, best.embedding, "embedding"),
            (subject.readout, subject.matched.readout, best.readout, "readout"),
        )
    ]
    more = analyses.analyses(best) if thorough else analyses.blank()
    claims = [*best.claims, *analyses.supporting_claims(best, more)] if thorough else best.claims
    return Explanation(
        **facts,
        verdict=best.verdict,
        structure=structure.to_json(),
        runner_up=_runner_up(others),
        embedding=found[0],
        readout=found[1],
        families=tuple(best.families),
        causal=analyses.causal_section(best, more),
        logits=more["logits"],
        neurons=more["neurons"],
        attention=more["attention"],
        algorithm=more["algorithm"],
        closed_form=more["closed_form"],
        claims=tuple(claims),
        keys=key_rows(found[0], found[1], best.families, best.n),
    )


def _runner_up(others: Sequence[Circuit]) -> dict[str, Any] | None:
    if not others:
        return None
    structure = others[0].subject.matched.structure
    return {
        "words": structure.words,
        "verdict": others[0].verdict,
        "key_frequencies": list(others[0].frequencies),
        "both_keep": others[0].score[1],
    }


def _broken(facts: dict[str, Any], search: Search, grokked: bool | None, what: str) -> Explanation:
    """What can be said of a network with a matrix, or logits, that are not finite."""
    blank = _unexplained(facts, search, grokked)
    claims = (blank.claims[0], Claim(FINITE, f"{what} is finite", None, "fails"))
    known = search.best
    structure = blank.structure if known is None else known.to_json()
    return dataclasses.replace(blank, structure=structure, claims=claims)


def _unexplained(facts: dict[str, Any], search: Search, grokked: bool | None) -> Explanation:
    """What can be said where no structure was found."""
    names = ("family", "group", "n", "u", "v", "g", "words", "relation", "characters")
    blank = analyses.blank()
    known = "not testable" if grokked is None else ("holds" if grokked else "fails")
    claims = (
        Claim("grokked", "it had grokked", None, known),
        Claim("structure", search.sentence, None, "fails"),
    )
    return Explanation(
        **facts,
        verdict="not explained",
        structure=dict.fromkeys(names) | {"words": search.sentence},
        runner_up=None,
        embedding=TableFinding(),
        readout=TableFinding(),
        families=(),
        causal=analyses.blank_causal(),
        logits=blank["logits"],
        neurons=blank["neurons"],
        attention=blank["attention"],
        algorithm=blank["algorithm"],
        closed_form=blank["closed_form"],
        claims=claims,
    )
