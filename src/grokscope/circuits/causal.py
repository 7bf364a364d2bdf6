"""Keep the key frequencies, or remove them, and see what the network still answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.circuits.subject import Outcome, Subject, median_outcome
from grokscope.spectra.characters import Characters
from grokscope.spectra.projection import keep, project, remove, remove_others

DRAWS: Final = 20
_ROUND_OFF: Final = 1e-5
"""Share of a table's largest entry beyond P₀ under which an entry is round-off."""

Table = Float[np.ndarray, "p column"]
Run = Callable[[Table], Float[np.ndarray, "p p class"]]
"""An edited table → the logits that it leads to."""


@dataclass(frozen=True)
class Ablation:
    """What remains when frequencies of one place are kept or removed."""

    keep: Outcome
    """Only the keys, the constant and undefined rows are left."""
    remove: Outcome
    """The keys are taken out."""
    control: tuple[Outcome, ...]
    """As many other frequencies, beyond the keys, are taken out; one entry per draw."""
    keep_others: tuple[Outcome, ...]
    """Only as many other frequencies are left; one entry per draw."""
    outside: bool = False
    """Whether the keys fill over half of what the coordinate can tell apart: then all of it is
    kept, and the controls are directions outside."""

    def scaled(self, subject: Subject) -> dict[str, float | None]:
        """Return A of each, the medians of the draws; None where no draw is possible."""
        found = {"keep": subject.scaled(self.keep), "remove": subject.scaled(self.remove)}
        draws = {"control": self.control, "keep_others": self.keep_others}
        return found | {
            name: subject.scaled(median_outcome(outcomes)) if outcomes else None
            for name, outcomes in draws.items()
        }


def ablate_embedding(
    subject: Subject, frequencies: Sequence[int], *, outside: bool = False, draws: int = DRAWS
) -> Ablation:
    """Keep, remove and control frequencies of W_E; see `ablate`."""
    characters = subject.matched.embedding
    return ablate(subject, characters, subject.embedding, subject.run, frequencies,
                  outside=outside, draws=draws)  # fmt: skip


def ablate_readout(
    subject: Subject, frequencies: Sequence[int], *, outside: bool = False, draws: int = DRAWS
) -> Ablation:
    """Keep, remove and control frequencies along the class axis of the logits; see `ablate`."""
    table, run = class_axis(subject.logits)
    return ablate(subject, subject.matched.readout, table, run, frequencies,
                  outside=outside, draws=draws)  # fmt: skip


def class_axis(logits: Float[np.ndarray, "p p class"]) -> tuple[Table, Run]:
    """Return the logits as a table with one row per answer, and what turns it back."""
    table = logits.reshape(-1, logits.shape[2]).T
    return table, lambda edited: edited.T.reshape(logits.shape)


def ablate(
    subject: Subject,
    characters: Characters,
    table: Table,
    run: Run,
    frequencies: Sequence[int],
    *,
    outside: bool = False,
    draws: int = DRAWS,
) -> Ablation:
    """Return the outcomes of keeping and removing frequencies of a table, with controls.

    **Arguments:**

    - `subject`: the network and what is right.
    - `characters`: the basis of the table.
    - `table`: one row per residue or answer.
    - `run`: leads an edited table to logits.
    - `frequencies`: the keys, families included.
    - `outside`: keep or remove everything that the coordinate can tell apart, with controls
      outside; for keys that fill over half of it.
    - `draws`: number of controls of either kind.
    """

    smallest = float(_ROUND_OFF * np.abs(characters.centred(table)).max(initial=0))

    def score(edited: Table) -> Outcome:
        return subject.score(run(_without_round_off(characters, edited, smallest)))

    if outside:
        return _ablate_outside(characters, table, score, draws)
    rng = np.random.default_rng(0)
    others = [_draw(rng, characters, frequencies) for _ in range(draws)]
    others = [drawn for drawn in others if drawn]
    return Ablation(
        keep=score(keep(characters, frequencies, table)),
        remove=score(remove(characters, frequencies, table)),
        control=tuple(
            score(remove_others(characters, frequencies, drawn, table)) for drawn in others
        ),
        keep_others=tuple(score(keep(characters, drawn, table)) for drawn in others),
    )


def _without_round_off(characters: Characters, table: Table, smallest: float) -> Table:
    """Return the table with what is too small beyond P₀ set to 0.

    Accuracy has no scale: without this the digits that float32 rounded, which depend on the
    residue, would answer where nothing else is left.
    """
    free = project(characters.free, table)
    beyond = table - free
    return free + np.where(np.abs(beyond) > smallest, beyond, 0.0)


def _draw(
    rng: np.random.Generator, characters: Characters, frequencies: Sequence[int]
) -> list[int]:
    """As many other frequencies as there are keys, or all others where they are fewer."""
    others = np.setdiff1d(np.arange(1, characters.n_frequencies + 1), frequencies)
    return rng.permutation(others)[: len(frequencies)].tolist()


def _ablate_outside(
    characters: Characters, table: Table, score: Callable[[Table], Outcome], draws: int
) -> Ablation:
    """Keep or remove all functions of the coordinate; controls are directions that are none."""
    every = range(1, characters.n_frequencies + 1)
    known = characters.basis(every)
    rng = np.random.default_rng(0)
    controls = []
    room = len(table) - known.shape[1]
    for _ in range(draws if room else 0):
        random = rng.normal(size=(len(table), min(room, characters.dimensions)))
        basis, _ = np.linalg.qr(random - project(known, random))
        controls.append(basis)
    return Ablation(
        keep=score(keep(characters, every, table)),
        remove=score(remove(characters, every, table)),
        control=tuple(score(table - project(basis, table)) for basis in controls),
        keep_others=tuple(
            score(project(np.concatenate([characters.free, basis], axis=1), table))
            for basis in controls
        ),
        outside=True,
    )


def keep_both(
    subject: Subject,
    embedding: Sequence[int],
    readout: Sequence[int],
) -> Outcome:
    """Keep frequencies of W_E and, of the logits that it leads to, of the class axis."""
    kept = keep(subject.matched.embedding, embedding, subject.embedding)
    table, run = class_axis(subject.run(kept))
    return subject.score(run(keep(subject.matched.readout, readout, table)))


def dose_response(subject: Subject, families: Sequence[Sequence[int]]) -> dict[str, list[Outcome]]:
    """Remove one family at a time, from W_E (`embedding`) and from the class axis (`readout`)."""
    matched = subject.matched
    table, run = class_axis(subject.logits)
    return {
        "embedding": [
            subject.score(subject.run(remove(matched.embedding, family, subject.embedding)))
            for family in families
        ],
        "readout": [
            subject.score(run(remove(matched.readout, family, table))) for family in families
        ],
    }
