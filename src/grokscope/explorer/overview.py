"""What all snapshots of a network share: curves, moments, coordinates, keys, and claims."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from jaxtyping import Int

from grokscope.disk.curves import Curve
from grokscope.explanation.sentences import VERDICTS_IN_WORDS
from grokscope.explorer.claims import ClaimsOverTime
from grokscope.explorer.packing import rounded
from grokscope.explorer.snapshot import LARGEST_MODULUS
from grokscope.explorer.subject import Subject
from grokscope.measures import MEASURES
from grokscope.measures.grokking import thin
from grokscope.measures.registry import MATCHED
from grokscope.reports.record import SIDES
from grokscope.tasks import TRAIN

_BUCKETS: Final = 200


def overview(subject: Subject, claims: ClaimsOverTime | None) -> dict[str, Any]:
    """Return it as JSON can hold it.

    **Arguments:** whose network; its claims over time, where they are known.
    """
    record = subject.record
    moments = record.moments_of(record.name_in_rows(subject.number) if record.task_curves else None)
    return {
        "title": subject.title,
        "lead": _lead(subject),
        "status": record.status,
        "operation": subject.operation,
        "p": subject.p,
        "seed": subject.seed,
        "steps": subject.steps,
        "curves": curves_of(subject),
        "measures": measures_of(subject),
        "moments": moments[subject.seed]._asdict(),
        "basis": _basis(subject),
        "keys": list(subject.keys),
        "claims": None if claims is None else claims.to_json(),
        "labels": subject.labels.ravel().tolist(),
        "trained": None if subject.kind is None else np.flatnonzero(subject.kind == TRAIN).tolist(),
        "all_neurons": len(subject.strongest_neurons) if subject.p <= LARGEST_MODULUS else 0,
    }


def _lead(subject: Subject) -> str:
    """Return the run, its state, and the verdict where it is known."""
    known = subject.explanation
    verdict = "" if known is None else f"; {VERDICTS_IN_WORDS[known.verdict]}"
    return f"{subject.record.folder.path.name}: {subject.record.status}{verdict}"


def curves_of(subject: Subject) -> dict[str, dict[str, list[Any]]]:
    """Return accuracies and losses by name; of a mixture those of the operation."""
    record = subject.record
    operation = record.name_in_rows(subject.number)
    known = record.task_curves.get(operation or "", record.curves)
    found = {
        f"{side} {what}": known.get((f"{side}_{what}", None), {}).get(subject.seed)
        for what in ("accuracy", "loss")
        for side in SIDES
    }
    if not record.n_leaked:
        found = {name: of for name, of in found.items() if not name.startswith("unleaked")}
    return {name: _thinned(curve) for name, curve in found.items() if curve is not None}


def measures_of(subject: Subject) -> list[dict[str, Any]]:
    """Return the measures of W_E and W_L in both bases."""
    record = subject.record
    bases = {"additive": record.curves, MATCHED: record.matched_curves(subject.number)}
    return [
        {
            "key": key,
            "symbol": measure.symbol,
            "name": measure.name,
            "direction": measure.direction,
            "matrix": matrix,
            "basis": basis,
            **_thinned(curves[key, matrix][subject.seed]),
        }
        for key, measure in MEASURES.items()
        for basis, curves in bases.items()
        for matrix in ("W_E", "W_L")
        if subject.seed in curves.get((key, matrix), {})
    ]


def _thinned(curve: Curve) -> dict[str, list[Any]]:
    kept = thin(curve.values, _BUCKETS)
    return {"steps": curve.steps[kept].tolist(), "values": rounded(curve.values[kept])}


def _basis(subject: Subject) -> dict[str, Any]:
    """Return the coordinates that order residues, and what they are in words."""
    known, used = subject.structure, subject.basis.structure
    return {
        "known": known is not None,
        "name": subject.basis_of_keys,
        "words": "no structure is known of this operation" if known is None else known.words,
        "n": used.n,
        "u": used.u.tolist(),
        "v": used.v.tolist(),
        "u_text": used.u_text,
        "v_text": used.v_text,
        "g_text": used.g_text,
        "of_answers": [_first(np.flatnonzero(used.g == c)) for c in range(subject.p)],
    }


def _first(sums: Int[np.ndarray, "n"]) -> int:
    """Return the least sum that leads to an answer, −1 where none does."""
    return int(sums[0]) if len(sums) else -1


def comparison(subjects: Sequence[Subject], names: Sequence[str]) -> dict[str, Any]:
    """Return the curves of several networks, for a page that shows them on one axis.

    **Arguments:** the networks; what each is called.
    """
    found = [{"name": n, "curves": _all_curves(s)} for n, s in zip(names, subjects, strict=True)]
    titles = {
        f"{m['symbol']} {m['matrix']} {m['basis']}": f"{m['symbol']} of {m['matrix']}, {m['basis']}"
        for subject in subjects
        for m in measures_of(subject)
    }
    return {
        "title": f"{len(subjects)} runs on one axis",
        "lead": "The first seed of each run.",
        "runs": found,
        "measures": list(titles.items()),
    }


def _all_curves(subject: Subject) -> dict[str, dict[str, list[Any]]]:
    measures = {
        f"{m['symbol']} {m['matrix']} {m['basis']}": {"steps": m["steps"], "values": m["values"]}
        for m in measures_of(subject)
    }
    return curves_of(subject) | measures
