"""Several runs side by side: in what they differ, and by which setting to colour and part them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from grokscope.report.record import RunRecord
from grokscope.runs.atomic import from_here
from grokscope.runs.differences import LAST, all_settings, called, differing, order, said, shown
from grokscope.runs.explanations import kept

RUN: Final = "run"
"""Stands among the settings for the name of the folder, where settings tell runs not apart."""
_MOST_PANELS: Final = 6


class Network(NamedTuple):
    """One seed of one run."""

    record: RunRecord
    seed: int
    settings: dict[str, Any]
    """Every setting, with its own seed."""
    documents: list[dict[str, Any]]
    """What is kept of its explanation, one per operation; none where it was not explained."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Some runs, two or more."""

    records: Sequence[RunRecord]

    @cached_property
    def networks(self) -> list[Network]:
        """Every seed of every run, by what differs."""
        found = [
            Network(record, seed, all_settings(record.folder.manifest) | {LAST: seed},
                    kept(record.folder, seed))
            for record in self.records for seed in record.seeds
        ]  # fmt: skip
        if len({repr(network.settings) for network in found}) < len(found):
            folders = [from_here(network.record.folder.path) for network in found]
            for network, folder in zip(found, folders, strict=True):
                network.settings[RUN] = Path(folder).name if _tell(folders) else folder
        names = differing([network.settings for network in found])
        return sorted(found, key=lambda one: [order(one.settings.get(name)) for name in names])

    @cached_property
    def names(self) -> list[str]:
        """The settings that differ between the networks."""
        return differing([network.settings for network in self.networks])

    @cached_property
    def axes(self) -> list[str]:
        """Those besides the seed; of settings that tell the same networks apart, the first."""
        told: dict[tuple[int, ...], str] = {}
        for name in self.names:
            if name != LAST:
                values = [shown(network.settings.get(name)) for network in self.networks]
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
        return next(iter([*most, *(name for name in self.names if name == LAST)]), None)

    def values(self, name: str | None) -> list[str]:
        """Return the different values of a setting as text, in order."""
        if name is None:
            return [""]
        found = {shown(n.settings.get(name)): n.settings.get(name) for n in self.networks}
        return sorted(found, key=lambda text: order(found[text]))

    def is_number(self, name: str | None) -> bool:
        """Whether all values of a setting are numbers."""
        values = [n.settings.get(name or "") for n in self.networks]
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)

    def value(self, network: Network, name: str | None) -> str:
        """Return a network's value of a setting as text."""
        return "" if name is None else shown(network.settings.get(name))

    def label(self, network: Network) -> str:
        """Return what tells a network from the others."""
        return said(network.settings, self.names) or network.record.label

    def heading(self, name: str | None, value: str) -> str:
        """Return a value with its setting, as the title of a panel; "" without a setting."""
        if name is None or name == "operation":
            return value
        return f"{called(name)} {value}"

    @property
    def same(self) -> str:
        """What all runs compute: `x + y modulo 31`; of several operations, how many."""
        settings = [network.settings for network in self.networks]
        operations = {one["operation"] for one in settings}
        moduli = {one["p"] for one in settings}
        what = operations.pop() if len(operations) == 1 else f"{len(operations)} operations"
        return f"{what} modulo {moduli.pop()}" if len(moduli) == 1 else what


def _tell(folders: Sequence[str]) -> bool:
    """Whether the names of different folders are different."""
    return len({Path(folder).name for folder in folders}) == len(set(folders))


def outcome(network: Network) -> str:
    """Return how a network ended: grokked, undecided, diverged, or what its run does."""
    results = network.record.folder.manifest.results
    result = next((r for r in results if r.get("seed") == network.seed), {})
    if result.get("status") == "diverged":
        return "diverged"
    if network.record.moments[network.seed].grokked is not None:
        return "grokked"
    return "undecided" if network.record.finished else network.record.status


def keys_of(document: dict[str, Any], place: str = "embedding") -> list[int]:
    """Return the key frequencies of W_E, or of W_L with `readout`."""
    return list(document[place]["key_frequencies"])
