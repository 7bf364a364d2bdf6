"""How much work a measurement does."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Effort:
    """Sizes of a measurement."""

    repeats: int
    """Rounds; in each, everything that is compared takes its turn."""
    commands: int
    """Rounds of the command line."""
    sweeps: int
    """Rounds of sweeps, which take minutes."""
    chunk: int
    """Training steps per turn."""
    stretch: int
    """Training steps per turn where evaluating and saving are measured."""


FULL: Final = Effort(repeats=7, commands=7, sweeps=3, chunk=50, stretch=1000)
QUICK: Final = Effort(repeats=2, commands=2, sweeps=1, chunk=10, stretch=100)
