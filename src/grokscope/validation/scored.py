"""Explanations of networks beside what is known of them, one row per network."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from grokscope.config.validate import did_you_mean
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import list_runs, no_folder_error
from grokscope.errors import UsageError
from grokscope.explanation.document import Shown
from grokscope.explanation.explain import explain_network
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.result import Explanation
from grokscope.explanation.verdict import VERDICTS, Level, Verdict
from grokscope.numerics import computing
from grokscope.progress import part_of, showing
from grokscope.tasks import Task, parse
from grokscope.tasks.structure import structure_of
from grokscope.tasks.structure.field import is_prime
from grokscope.validation.planted import SMALLEST, Known, Planted, planted

KNOWN: Final = "known.json"
"""What is known of a network, beside the manifest of its folder."""
_NUMBERS: Final = ("gradient_symmetricity", "distance_irrelevance", "circularity")


@dataclass(frozen=True)
class Scored(Shown):
    """What was found in one network, and what is known of it."""

    SHOWN: ClassVar = ("right", "precision", "recall")

    name: str
    operation: str
    p: int
    known: Known
    verdict: Verdict
    levels: tuple[Level, ...]
    keys: tuple[int, ...]
    """Those of their own; harmonics belong to them. Without keys, where neuron by neuron explains,
    the frequencies of the neurons."""
    gradient_symmetricity: float | None
    distance_irrelevance: float | None
    circularity: float | None

    @property
    def right(self) -> bool:
        """Whether the verdict is one of those that are right."""
        return self.verdict in self.known.verdicts

    @property
    def precision(self) -> float | None:
        """Share of the keys found that are keys; None where none was found, or none is known."""
        return self._share(self.keys)

    @property
    def recall(self) -> float | None:
        """Share of the known keys that were found."""
        return self._share(self.known.keys or ())

    def _share(self, of: Sequence[int]) -> float | None:
        if self.known.keys is None or not of:
            return None
        return len(set(self.keys) & set(self.known.keys)) / len(of)


def score(name: str, known: Known, found: Explanation) -> Scored:
    """Return the row of a network that was explained."""
    keys = [key.frequency for key in found.keys if key.harmonic_of is None]
    if Level.NEURONS in found.levels and not keys:
        keys = sorted(found.neurons.clusters)
    return Scored(
        name=name,
        operation=found.operation,
        p=found.p,
        known=known,
        verdict=found.verdict,
        levels=found.levels,
        keys=tuple(keys),
        **{number: getattr(found.algorithm, number) for number in _NUMBERS},
    )


@showing()
def validate(
    folder: Any = None, *, p: int = 59, seed: int = 0, only: Sequence[str] = ()
) -> list[Scored]:
    """Explain networks whose answers are known.

    **Arguments:**

    - `folder`: runs with a `known.json` beside their manifest; by default networks are made by
      formula.
    - `p`, `seed`: of those made by formula: a prime from 29 on, and what draws them.
    - `only`: names of the networks to explain, as they stand in the table; by default all.

    **Raises:** `UsageError` for another p or name, and where no folder says what is known.
    """
    if folder is None:
        if p < SMALLEST or not is_prime(p):
            raise UsageError("p is not usable", got=p, allowed=f"a prime from {SMALLEST} on")
        networks = _chosen(only, {network.name: network for network in planted(p, seed)})
        return list(_of_formulas(networks))
    return list(_of_folders(Path(folder), only))


T = TypeVar("T")


def _chosen(only: Sequence[str], known: Mapping[str, T]) -> list[T]:
    for name in only:
        if name not in known:
            raise UsageError(
                "no such network",
                got=name,
                allowed=", ".join(known),
                next_step=did_you_mean(name, known),
            )
    return [one for name, one in known.items() if not only or name in only]


def _of_formulas(networks: Sequence[Planted]) -> Iterator[Scored]:
    for network in networks:
        with part_of(network.name):
            yield score(network.name, network.known, explain_planted(network))


@computing()
def explain_planted(network: Planted) -> Explanation:
    """Explain a network made by formula, as if it had grokked where that is not known."""
    task = Task((parse(network.operation),), network.p)
    return explain_network(
        network.network,
        task.labels(0)[0].reshape(task.p, task.p),
        structure_of(task),
        operation=network.operation,
        kind=network.kind,
        grokked=None if network.kind is None else True,
    )


def _of_folders(folder: Path, only: Sequence[str]) -> Iterator[Scored]:
    if not folder.exists():
        raise no_folder_error(folder)
    found = [RunFolder.open(run.path) for run in list_runs(folder) if run.error is None]
    asked = [run for run in found if (run.path / KNOWN).is_file()]
    if not asked:
        raise UsageError(
            f"no run here says what is known of it, in {KNOWN}",
            got=str(folder),
            next_step=f'for example {{"verdicts": ["explained"], "keys": [3, 8]}} in RUN/{KNOWN}',
        )
    for run in _chosen(only, {run.path.name: run for run in asked}):
        with part_of(run.path.name):
            for explanation in explain_networks(run):
                yield score(run.path.name, read_known(run.path / KNOWN), explanation)


def read_known(path: Path) -> Known:
    """Read what is known of a network; raises `UsageError` for a file that does not say so."""
    try:
        document = json.loads(path.read_text())
        document.pop("source", None)
        lists = {name: tuple(document[name]) for name in ("verdicts", "keys") if name in document}
        known = Known(**document | lists)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} does not say what is known of a network", got=error) from None
    wrong = set(known.verdicts) - set(VERDICTS)
    if wrong:
        raise UsageError(
            f"{path} says what nobody knows",
            got=", ".join(sorted(map(str, wrong))),
            allowed=", ".join(VERDICTS),
        )
    return known
