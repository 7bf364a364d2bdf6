"""Which algorithm a run's network found, and the evidence: sections of its page."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from grokscope.explanation.of_run import SavedNetwork
from grokscope.explanation.result import Explanation, RunnerUp
from grokscope.explanation.sentences import (
    VERDICTS_IN_WORDS,
    algorithm_in_words,
    frequencies_in_words,
    headline,
    joined_by_and,
    number_in_words,
    one_sentence,
    sentences,
)
from grokscope.explanation.store import kept_explanations
from grokscope.explanation.verdict import Claim
from grokscope.reports.explained import Explained
from grokscope.reports.figures import (
    evidence_figures,
    network_figures,
    operation_figures,
)
from grokscope.reports.moments import UNKNOWN
from grokscope.reports.record import RunRecord
from grokscope.reports.section import Claims, Section, Sentence

Found = Sequence[Explained | str]
"""Per operation of a run its explanation, or why there is none."""


def verdicts_of(record: RunRecord) -> dict[int, list[Explanation]]:
    """Return what is kept of each seed that was explained at its last checkpoint."""
    kept = {seed: kept_explanations(record.folder, seed) for seed in record.seeds}
    return {seed: found for seed, found in kept.items() if found}


def algorithm_in_a_clause(record: RunRecord, found: Found) -> str:
    """Return the verdicts for the sentence at the top of a page."""
    told = [_clause(record, explained, number) for number, explained in enumerate(found)]
    others = verdicts_of(record)
    if len(others) > 1 and len(found) == 1:
        told.insert(0, _counted(others))
    return "; ".join(told)


def _clause(record: RunRecord, found: Explained | str, number: int) -> str:
    whose = []
    if record.task.n_tasks > 1:
        whose.append(f" for {record.task.expressions[number].canonical}")
    if len(record.seeds) > 1:
        whose.append(f" of seed {record.shown_seed}")
    if isinstance(found, str):
        return f"the algorithm{''.join(whose)} is not known"
    text = one_sentence(found.explanation, "".join(whose))
    return f"{text[0].lower()}{text[1:]}".removesuffix(".")


def _counted(kept: Mapping[int, Sequence[Explanation]]) -> str:
    """Return how many networks have which verdict, of a run with one operation."""
    verdicts = Counter(VERDICTS_IN_WORDS[found.verdict] for (found, *_) in kept.values())
    counts = joined_by_and([f"{n} {verdict}" for verdict, n in verdicts.most_common()])
    return f"of {len(kept)} networks {counts}"


def network_sections(
    record: RunRecord, network: SavedNetwork | str, found: Found, runs: int = 1
) -> list[Section]:
    """Return what the shown network has learned: per operation its algorithm and the evidence.

    **Arguments:** the run; its network or why there is none; its explanations or why there are
    none; how many runs share the page.
    """
    several = record.task.n_tasks > 1
    sections = []
    for number, explained in enumerate(found):
        of = f": {record.task.expressions[number].canonical}" if several else ""
        sections += _of_operation(record, network, explained, runs, (number, of))
    plain = network_figures(record, network, runs, found)
    if several:
        text = f"{_shown(record, network)} Attention and neurons are those of the first operation."
        rest = Section("network", "The network in the additive basis", [Sentence(text)])
        return [*sections, _with(rest, plain)]
    return [_with(sections[0], plain), *sections[1:]]


def _with(section: Section, figures: Sequence) -> Section:
    return dataclasses.replace(section, figures=[*section.figures, *figures])


def _of_operation(
    record: RunRecord,
    network: SavedNetwork | str,
    found: Explained | str,
    runs: int,
    which: tuple[int, str],
) -> list[Section]:
    number, of = which
    ids = [f"{name}-{number + 1}" if of else name for name in ("algorithm", "evidence")]
    shown = Sentence(_shown(record, network), warning=isinstance(network, str))
    if isinstance(found, str):
        missing = Sentence(f"It cannot be said: {found}.", True, _what_explains(record))
        return [Section(ids[0], f"Algorithm{of}", list(dict.fromkeys([missing, shown])))]
    explanation = found.explanation
    algorithm = Section(
        ids[0],
        f"Algorithm{of}",
        [Sentence(f"{headline(explanation)}."), *_told(record, found), *_others(record), shown],
        figures=operation_figures(record, network, found, runs),
    )
    evidence = Section(
        ids[1],
        f"Evidence{of}",
        claims=Claims(
            claims_told(explanation), sum(c.decisive for c in explanation.claims.values())
        ),
        figures=evidence_figures(found),
    )
    return [algorithm, evidence]


def _shown(record: RunRecord, network: SavedNetwork | str) -> str:
    """Say whose weights the figures show, or why there are none."""
    if isinstance(network, str):
        return f"Weights cannot be shown: {network}."
    if record.folder.manifest.imported is not None:
        return "The figures show the imported weights."
    which = ""
    if len(record.seeds) > 1:
        first = record.shown_seed == record.seeds[0]
        which = f", the first of {len(record.seeds)}{'' if first else ' that has not diverged'}"
    at = f"at its last checkpoint, step {network.step:,}"
    return f"The figures show seed {network.seed}{which}, {at}."


def _what_explains(record: RunRecord) -> str:
    """Return the command that leads to a network to explain, where one can still come."""
    if record.finished or record.folder.checkpoint_steps(record.shown_seed):
        return ""
    return f"grokscope train --resume --out {record.typed}"


def _others(record: RunRecord) -> list[Sentence]:
    """Say how the other seeds were explained, or what explains them."""
    if len(record.seeds) == 1:
        return []
    kept = verdicts_of(record)
    if len(kept) < len(record.seeds):
        text = f"An explanation is kept of {len(kept)} of {len(record.seeds)} seeds; of all by"
        return [Sentence(text, command=f"grokscope explain {record.typed}")]
    return [Sentence("The verdict on each seed stands in the table of seeds.")]


_OUTDATED: Final = (
    "Without figures in the basis that fits: this version does not find the structure that"
    " explanation.json rests on; it is made anew with"
)


def _told(record: RunRecord, found: Explained) -> list[Sentence]:
    explanation = found.explanation
    told = [*sentences(explanation)]
    if joined := algorithm_in_words(explanation):
        told.append(f"How it joins x and y (clock or pizza): {joined}.")
    if explanation.runner_up is not None:
        told.append(_runner_up(explanation.runner_up))
    if not found.is_outdated:
        return list(map(Sentence, told))
    outdated = Sentence(
        _OUTDATED, warning=True, command=f"grokscope explain {record.typed} --fresh"
    )
    return [*map(Sentence, told), outdated]


def _runner_up(other: RunnerUp) -> str:
    keys = frequencies_in_words(other.keys) or "none"
    verdict = VERDICTS_IN_WORDS[other.verdict]
    return f"Another structure, {other.words}, was tried: {verdict}, keys {keys}."


def claims_told(found: Explanation) -> list[dict[str, str]]:
    """Return every claim as texts: `name`, `statement`, `value`, `control`, `n`, `verdict`."""
    return [_claim(claim) for claim in found.claims.values()]


def _claim(claim: Claim) -> dict[str, str]:
    return {
        "name": claim.id,
        "statement": claim.statement,
        "value": UNKNOWN if claim.value is None else number_in_words(claim.value, 3),
        "control": UNKNOWN if claim.control is None else number_in_words(claim.control, 3),
        "n": UNKNOWN if claim.n is None else f"{claim.n:,}",
        "verdict": claim.verdict,
    }
