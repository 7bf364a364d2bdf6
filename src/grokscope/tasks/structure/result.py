"""A structure: a cyclic group, the two coordinates that are added in it, and the readout."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Int

from grokscope.tasks.structure.field import units

Family = Literal["separable", "linear form", "multiplicative", "composed"]
Relation = Literal["same", "negated", "scaled", "different"]


@dataclass(frozen=True, eq=False, repr=False)
class Structure:
    """f(x, y) = g(u(x) + v(y)) with addition in Z_n.

    **Arguments:**

    - `family`: the search that finds it first.
    - `n`: order of the cyclic group.
    - `u`: the coordinate of x, 0 … n−1, and −1 where it is undefined.
    - `v`: the coordinate of y, likewise.
    - `g`: the label of each sum, −1 where no pair has that sum.
    - `u_text`: u as text, for instance `x^2`, `2*log(x + 1)` or `a table`; log is the discrete
      logarithm to the smallest primitive root modulo p.
    - `v_text`: v as text.
    - `g_text`: g as text, for instance `s + 3`, `5^s - 1` or `a table of 97 labels`.
    - `words`: one sentence without its period.
    - `proved`: number of pairs whose label was recomputed as g(u + v) and found equal.
    - `outside`: number of other defined pairs: those at which u or v is undefined.
    - `zero`: the label that all pairs outside have; None where there are none.
    """

    family: Family
    n: int
    u: Int[np.ndarray, "p"]
    v: Int[np.ndarray, "p"]
    g: Int[np.ndarray, "n"]
    u_text: str
    v_text: str
    g_text: str
    words: str
    proved: int = 0
    outside: int = 0
    zero: int | None = None

    @property
    def p(self) -> int:
        """The modulus."""
        return len(self.u)

    @property
    def group(self) -> str:
        """The group as text: `Z_97`."""
        return f"Z_{self.n}"

    @cached_property
    def scale(self) -> int | None:
        """The unit λ of Z_n with v = λ·u + a constant, or None where there is none."""
        known = self.u >= 0
        if not np.array_equal(known, self.v >= 0):
            return None
        du, dv = ((w[known] - w[known][0]) % self.n for w in (self.u, self.v))
        return next((a for a in units(self.n) if np.array_equal(a * du % self.n, dv)), None)

    @property
    def relation(self) -> Relation:
        """How v follows from u, up to a constant: v = u, v = −u, v = λ·u, or not at all."""
        if self.scale is None:
            return "different"
        names: dict[int, Relation] = {self.n - 1: "negated", 1: "same"}
        return names.get(self.scale, "scaled")

    @property
    def characters(self) -> int:
        """Distinct characters per key frequency that one embedding must carry for u and v.

        A character and its conjugate span the same plane, so that v = −u needs no second one.
        """
        return 1 if self.relation in ("same", "negated") else 2

    def labels(self) -> Int[np.ndarray, "p p"]:
        """Return g(u(x) + v(y)), and −1 where u, v or g is undefined."""
        known = (self.u >= 0)[:, None] & (self.v >= 0)
        return np.where(known, self.g[(self.u[:, None] + self.v) % self.n], -1)

    def __repr__(self) -> str:
        return f"{self.words}."

    def to_json(self) -> dict[str, Any]:
        """Return the structure as texts and numbers."""
        return {
            "family": self.family,
            "group": self.group,
            "n": self.n,
            "u": self.u_text,
            "v": self.v_text,
            "g": self.g_text,
            "words": self.words,
            "relation": self.relation,
            "characters": self.characters,
        }
