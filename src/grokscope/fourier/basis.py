"""The basis that fits an operation: characters on its inputs, and on its answers."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from grokscope.config.arguments import known_arguments
from grokscope.errors import UsageError
from grokscope.fourier.characters import Characters, Planes, pulled_back, pushed_forward
from grokscope.tasks.structure import Structure, structure


@dataclass(frozen=True, eq=False)
class Basis:
    """The basis that fits an operation f(x, y) = g(u(x) + v(y)).

    **Arguments:**

    - `structure`: u, v, g and the group Z_n.
    """

    structure: Structure

    @property
    def n(self) -> int:
        """Order of the group."""
        return self.structure.n

    @property
    def p(self) -> int:
        """Number of residues."""
        return len(self.structure.u)

    @cached_property
    def x(self) -> Characters:
        """Characters of u, on the residues x."""
        return pulled_back([self.structure.u], self.n)

    @cached_property
    def y(self) -> Characters:
        """Characters of v, on the residues y."""
        return pulled_back([self.structure.v], self.n)

    @cached_property
    def inputs(self) -> Characters:
        """Characters pulled back through u and v, on the rows of W_E."""
        return pulled_back([self.structure.u, self.structure.v], self.n)

    @cached_property
    def answers(self) -> Characters:
        """Characters pushed forward through g, on the rows of W_L and the answers."""
        return pushed_forward(self.structure.g, self.p)

    @property
    def planes(self) -> Planes:
        """What each frequency spans on the rows of W_E."""
        return self.inputs.planes

    @cached_property
    def sums(self) -> Int[np.ndarray, "p p"]:
        """u(x) + v(y) in Z_n at [x, y], −1 where one of them is undefined."""
        u, v = self.structure.u[:, None], self.structure.v[None]
        return np.where((u >= 0) & (v >= 0), (u + v) % self.n, -1)

    @cached_property
    def labels(self) -> Int[np.ndarray, "p p"]:
        """g(u(x) + v(y)), −1 where undefined."""
        return np.where(self.sums >= 0, self.structure.g[self.sums], -1)

    @cached_property
    def defined(self) -> Bool[np.ndarray, "p p"]:
        """Pairs at which the structure says the answer."""
        return self.labels >= 0

    def __repr__(self) -> str:
        s = self.structure
        return (
            f"{s.words}: the {self.inputs.n_frequencies} frequencies of {s.group}, in"
            f" u(x) = {s.u_text}, v(y) = {s.v_text} and, on the answers, g(s) = {s.g_text}"
        )


@known_arguments
def basis(operation: str, p: int = 97) -> Basis:
    """Return the basis that fits an operation: the characters of the group that it is addition in.

        >>> import grokscope as gs
        >>> gs.basis("x*y", p=7)  # doctest: +NORMALIZE_WHITESPACE
        x*y is multiplication mod 7: the 3 frequencies of Z_6, in u(x) = log(x), v(y) = log(y)
        and, on the answers, g(s) = 3^s

    **Arguments:**

    - `operation`: for instance `x*y` or `x^2 + y^2`.
    - `p`: the modulus, 2 to 1009.

    **Returns:** a `Basis`; `.x` and `.y` are its characters on either input, `.inputs` those of
    both, for the rows of W_E, and `.answers` those of the answers, for the rows of W_L.

    **Raises:** `UsageError` for a text that is no operation, a modulus that is not usable, and an
    operation whose group is not known.
    """
    best = structure(operation, p).best
    if best is None:
        raise UsageError(
            "an operation has no basis of its own",
            got=f"{operation} mod {p}",
            allowed="operations with a known structure, as x*y or x^2 + y^2",
            next_step=f'see what was searched with gs.structure("{operation}", p={p})',
        )
    return Basis(best)


def same_characters(a: Structure, b: Structure) -> bool:
    """Return whether two structures lay residues out by the same characters.

    So it is for x + y and x - y, and for 2x + 2y: with u also −u and, c being a unit of Z_n, c·u
    have the characters of u.
    """
    return a.n == b.n and any(
        _equal_up_to_sign(c * a.u, b.u, a.u, a.n) and _equal_up_to_sign(c * a.v, b.v, a.v, a.n)
        for c in range(1, a.n)
        if math.gcd(c, a.n) == 1
    )


def _equal_up_to_sign(
    u: Int[np.ndarray, "p"], other: Int[np.ndarray, "p"], known: Int[np.ndarray, "p"], n: int
) -> bool:
    """Whether u = ±other mod n wherever `known` and `other` are defined, which must be together."""
    inside = known >= 0
    if not np.array_equal(inside, other >= 0):
        return False
    first, second = u[inside] % n, other[inside] % n
    return np.array_equal(first, second) or np.array_equal(-first % n, second)
