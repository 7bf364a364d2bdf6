"""Several runs side by side: in what they differ, and which key frequencies they share."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any, Final, NamedTuple

from grokscope.disk.atomic import relative_path
from grokscope.disk.manifest import (
    LAST_SETTING,
    all_settings,
    differing,
    setting_in_words,
    settings_in_words,
    sort_key,
    value_in_words,
)
from grokscope.explanation.result import Explanation
from grokscope.explanation.sentences import joined_by_and
from grokscope.explanation.store import kept_explanations
from grokscope.reports.record import RunRecord

RUN: Final = "run"
"""Stands among the settings for the name of the folder, where settings tell runs not apart."""
_MOST_PANELS: Final = 6
_NAMED: Final = 4
"""Operations or moduli that a title names."""


class TrainedNetwork(NamedTuple):
    """One seed of one run."""

    record: RunRecord
    seed: int
    settings: dict[str, Any]
    """Every setting, with its own seed."""
    explanations: list[Explanation]
    """What is kept, one per operation; none where it was not explained."""

    @property
    def operations(self) -> list[str]:
        """What it computes: one operation, or several of a mixture."""
        return [expression.canonical for expression in self.record.task.expressions]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Some runs, two or more."""

    records: Sequence[RunRecord]

    @cached_property
    def networks(self) -> list[TrainedNetwork]:
        """Every seed of every run, by what differs."""
        found = [
            TrainedNetwork(
                record,
                seed,
                all_settings(record.folder.manifest) | {LAST_SETTING: seed},
                kept_explanations(record.folder, seed),
            )
            for record in self.records
            for seed in record.seeds
        ]
        if len({repr(network.settings) for network in found}) < len(found):
            folders = [relative_path(network.record.folder.path) for network in found]
            for network, folder in zip(found, folders, strict=True):
                network.settings[RUN] = Path(folder).name if _tell(folders) else folder
        names = differing([network.settings for network in found])
        return sorted(found, key=lambda one: [sort_key(one.settings.get(name)) for name in names])

    @cached_property
    def names(self) -> list[str]:
        """The settings that differ between the networks."""
        return differing([network.settings for network in self.networks])

    @cached_property
    def axes(self) -> list[str]:
        """Those besides the seed; of settings that tell the same networks apart, the first."""
        told: dict[tuple[int, ...], str] = {}
        for name in self.names:
            if name != LAST_SETTING:
                values = [value_in_words(network.settings.get(name)) for network in self.networks]
                told.setdefault(tuple(values.index(value) for value in values), name)
        return list(told.values())

    @cached_property
    def panel(self) -> str | None:
        """The setting by which figures are parted into panels, if any."""
        if len(self.axes) < 2:
            return None
        few = [name for name in self.axes if len(self.values(name)) <= _MOST_PANELS]
        first = [name for name in few if name == "operation"]
        fewest = sorted(few, key=lambda name: len(self.values(name)))
        return next(iter([*first, *fewest]), None)

    @cached_property
    def swept(self) -> str | None:
        """The setting that colours tell; None where the runs differ in none."""
        rest = [name for name in self.axes if name != self.panel]
        most = sorted(rest, key=lambda name: -len(self.values(name)))
        return next(iter([*most, *(name for name in self.names if name == LAST_SETTING)]), None)

    @cached_property
    def grouped_by(self) -> list[str]:
        """The settings by which networks are counted together: never those of two operations."""
        what = [name for name in ("operation", "p") if name in self.axes]
        return [name for name in dict.fromkeys([self.panel, *what, self.swept]) if name]

    def groups(self, networks: Sequence[TrainedNetwork]) -> dict[tuple[str, ...], list[int]]:
        """Return the places of some networks by their values of `grouped_by`, in order."""
        found: dict[tuple[str, ...], list[int]] = {}
        for i, network in enumerate(networks):
            values = tuple(self.value(network, name) for name in self.grouped_by)
            found.setdefault(values, []).append(i)
        orders = [self.values(name) for name in self.grouped_by]
        places = [dict(zip(order, range(len(order)), strict=True)) for order in orders]
        return dict(
            sorted(
                found.items(),
                key=lambda item: [at[value] for at, value in zip(places, item[0], strict=True)],
            )
        )

    def values(self, name: str | None) -> list[str]:
        """Return the different values of a setting as text, in order."""
        if name is None:
            return [""]
        found = {value_in_words(n.settings.get(name)): n.settings.get(name) for n in self.networks}
        return sorted(found, key=lambda text: sort_key(found[text]))

    def is_number(self, name: str | None) -> bool:
        """Whether all values of a setting are numbers."""
        values = [n.settings.get(name or "") for n in self.networks]
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)

    def value(self, network: TrainedNetwork, name: str | None) -> str:
        """Return a network's value of a setting as text."""
        return "" if name is None else value_in_words(network.settings.get(name))

    def label(self, network: TrainedNetwork) -> str:
        """Return what tells a network from the others."""
        return settings_in_words(network.settings, self.names) or network.record.label

    def heading(self, name: str | None, value: str) -> str:
        """Return a value with its setting, as the title of a panel; "" without a setting."""
        if name is None or name == "operation":
            return value
        return f"{setting_in_words(name)} {value}"

    @property
    def same(self) -> str:
        """What the runs compute: `x + y modulo 31`, `x + y and x*y modulo 59`."""
        operations, moduli = self.values("operation"), self.values("p")
        if len(operations) > 1:  # a mixture is one of them
            operations = [f"({name})" if ", " in name else name for name in operations]
        return f"{_named(operations, 'operations')} modulo {_named(moduli, 'moduli')}"


def _named(names: Sequence[str], what: str) -> str:
    """Return some names, of many the first ones: `x + y, x*y, x/y and 7 other operations`."""
    if len(names) <= _NAMED:
        return joined_by_and(names)
    first = _NAMED - 1
    return f"{', '.join(names[:first])} and {len(names) - first} other {what}"


def _tell(folders: Sequence[str]) -> bool:
    """Whether the names of different folders are different."""
    return len({Path(folder).name for folder in folders}) == len(set(folders))


def outcome_of(network: TrainedNetwork) -> str:
    """Return how a network ended: grokked, undecided, diverged, or what its run does."""
    results = network.record.folder.manifest.results
    result = next((r for r in results if r.get("seed") == network.seed), {})
    if result.get("status") == "diverged":
        return "diverged"
    if network.record.moments[network.seed].grokked is not None:
        return "grokked"
    return "undecided" if network.record.finished else network.record.status


class Shared(NamedTuple):
    """Pairs of networks that differ in one setting, and nothing else."""

    name: str
    share: float
    """Shared keys over all keys of both (Jaccard), the mean over the pairs."""
    chance: float
    """The same for keys drawn at random, as many."""
    n: int


def shared_keys(compared: Comparison) -> list[Shared]:
    """Return, for each setting that differs, how alike the keys of W_E are."""
    known = [n for n in compared.networks if len(n.explanations) == 1 and _keys(n)]
    found = []
    for name in compared.names:
        pairs = [
            (_keys(a), _keys(b), n)
            for a, b in combinations(known, 2)
            if (n := _group(a)) == _group(b) and _differ_only_in(name, a, b, compared.names)
        ]
        if pairs:
            share = sum(jaccard(a, b) for a, b, _ in pairs) / len(pairs)
            chance = sum(expected(len(a), len(b), n // 2) for a, b, n in pairs) / len(pairs)
            found.append(Shared(name, share, chance, len(pairs)))
    return found


def jaccard(a: Collection[int], b: Collection[int]) -> float:
    """Return the share of common members among all members of two sets."""
    return len(set(a) & set(b)) / len(set(a) | set(b))


def expected(a: int, b: int, n: int) -> float:
    """Return the mean of `jaccard` over random sets of these sizes among `n` frequencies."""
    # P(common = i) = C(a, i)·C(n − a, b − i) / C(n, b)
    ways = {i: math.comb(a, i) * math.comb(n - a, b - i) for i in range(min(a, b) + 1)}
    return sum(w * i / (a + b - i) for i, w in ways.items()) / math.comb(n, b)


def _keys(network: TrainedNetwork) -> set[int]:
    return set(network.explanations[0].embedding.keys) if network.explanations else set()


def _group(network: TrainedNetwork) -> int:
    return network.explanations[0].structure.n or 0


def _differ_only_in(name: str, a: TrainedNetwork, b: TrainedNetwork, names: Sequence[str]) -> bool:
    return all((a.settings.get(n) != b.settings.get(n)) == (n == name) for n in names)
