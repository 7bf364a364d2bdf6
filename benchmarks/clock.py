"""Taking turns, so that what slows the machine for a while slows everything compared alike."""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Spread:
    """Repeated measurements of one number."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The number to report."""
        return statistics.median(self.values)

    def times(self, factor: float) -> "Spread":
        """Return the same measurements in another unit."""
        return Spread([value * factor for value in self.values])

    def inverse(self) -> "Spread":
        """Return how often each measurement fits into one."""
        return Spread([1 / value for value in self.values])

    def over(self, other: "Spread") -> "Spread":
        """Return the ratios within each round."""
        return Spread([a / b for a, b in zip(self.values, other.values, strict=True)])

    def minus(self, other: "Spread") -> "Spread":
        """Return the differences within each round."""
        return Spread([a - b for a, b in zip(self.values, other.values, strict=True)])

    def text(self, unit: str = "") -> str:
        """Return `median unit (min–max)`."""
        low, high = min(self.values), max(self.values)
        return f"{_three_digits(self.median)}{unit} ({_three_digits(low)}–{_three_digits(high)})"


def least(spreads: Sequence[Spread]) -> Spread:
    """Return the smallest within each round."""
    return Spread([min(values) for values in zip(*(s.values for s in spreads), strict=True)])


def total(spreads: Sequence[Spread]) -> Spread:
    """Return the sums within each round."""
    return Spread([sum(values) for values in zip(*(s.values for s in spreads), strict=True)])


def take_turns(work: Mapping[Key, Callable[[], Any]], repeats: int) -> dict[Key, Spread]:
    """Return the seconds of every turn, A B A B …, after one of each that does not count."""
    for turn in work.values():
        turn()
    rounds = [{name: seconds(turn) for name, turn in work.items()} for _ in range(repeats)]
    return {name: Spread([times[name] for times in rounds]) for name in work}


def seconds(work: Callable[[], Any]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
