"""The search: all families on one table, each find proved on all labels and kept once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from jaxtyping import Bool, Int

from grokscope.config.arguments import plain_arguments
from grokscope.tasks.structure.candidates import (
    Candidate,
    Representative,
    readout_of,
    representative_of,
)
from grokscope.tasks.structure.composed import composed
from grokscope.tasks.structure.field import is_prime
from grokscope.tasks.structure.forms import read_readout, structure_in_words
from grokscope.tasks.structure.result import Family, Structure
from grokscope.tasks.structure.separable import linear_form, multiplicative, separable

if TYPE_CHECKING:
    from grokscope.tasks.expression import Expression
    from grokscope.tasks.task import Task

Dependence = Literal["x and y", "x", "y", "nothing"]

_FAMILIES: Final[dict[Family, Callable[[Int[np.ndarray, "p p"]], Iterator[Candidate]]]] = {
    "separable": separable,
    "linear form": linear_form,
    "multiplicative": multiplicative,
    "composed": composed,
}

_LONGEST_FACTORS: Final = 200


@dataclass(frozen=True, eq=False, repr=False)
class Search:
    """What was found on one table of labels.

    **Arguments:**

    - `structures`: best first; those that differ by an automorphism are one.
    - `searched`: the families that were searched, in words.
    - `refused`: the families that were not, with the reason.
    - `depends_on`: which operands the label depends on.
    - `factors`: the operation's polynomial as a product over GF(p); None where it is not a
      polynomial, p is composite, or its degree is too high.
    - `operation`: its canonical text, or `the table`.
    - `p`: the modulus.
    - `defined`: number of pairs that have a label.
    """

    structures: tuple[Structure, ...]
    searched: tuple[str, ...]
    refused: tuple[str, ...]
    depends_on: Dependence
    factors: str | None
    operation: str = "the table"
    p: int = 0
    defined: int = 0

    @property
    def best(self) -> Structure | None:
        """The first structure, or None where there is none."""
        return self.structures[0] if self.structures else None

    @property
    def sentence(self) -> str:
        """What the operation is, in one sentence without its period."""
        if self.best is not None:
            return self.best.words
        if self.depends_on != "x and y":
            return _one_sided(self.operation, self.depends_on)
        families = ", ".join(text.partition(":")[0] for text in self.searched)
        line = f"{self.operation} mod {self.p}: none found in {families}"
        if self.factors is None or len(self.factors) > _LONGEST_FACTORS:
            return line
        return f"{line}; over GF({self.p}) it is {self.factors}"

    def __repr__(self) -> str:
        return f"{self.sentence}."

    def to_json(self) -> dict[str, Any]:
        """Return everything as texts and numbers."""
        return {
            "sentence": self.sentence,
            "depends_on": self.depends_on,
            "structures": [structure.to_json() for structure in self.structures],
            "searched": list(self.searched),
            "refused": list(self.refused),
            "factors": self.factors,
        }


def find_structures(
    labels: Int[np.ndarray, "p p"],
    defined: Bool[np.ndarray, "p p"],
    expression: "Expression | None" = None,
) -> Search:
    """Return every structure f(x, y) = g(u(x) + v(y)) that the searched families hold.

    **Arguments:**

    - `labels`: f(x, y) at `[x, y]`, 0 … p−1 where defined.
    - `defined`: where f is defined.
    - `expression`: how it was typed; it gives the name and the factors, never the structures.
    """
    p = len(labels)
    values = np.where(defined, labels, -1).astype(np.int64)
    depends_on = _dependence(values)
    searched, refused = _families(p) if depends_on == "x and y" else ((), ())
    name = "the table" if expression is None else expression.canonical
    found = _all_structures(values, name) if depends_on == "x and y" else []
    return Search(
        tuple(found),
        searched,
        refused,
        depends_on,
        _factors(expression, p),
        name,
        p,
        int((values >= 0).sum()),
    )


def structure_of(task: "Task", index: int = 0, seed: int = 0) -> Search:
    """Return the structures of one of a task's operations.

    **Arguments:**

    - `task`: the operation, or the mixture.
    - `index`: which operation of the mixture.
    - `seed`: draws the table of `random`.
    """
    shape = (task.p, task.p)
    labels = task.labels(seed)[index].reshape(shape)
    return find_structures(labels, task.defined.reshape(shape), task.expressions[index])


@plain_arguments
def structure(expression: str, p: int = 97) -> Search:
    """Return the structures of an operation.

        >>> gs.structure("x*y", p=23)
        x*y is multiplication mod 23.

    **Arguments:**

    - `expression`: for instance `x^2 + y^2`; `random` is the table of seed 0.
    - `p`: the modulus, 2 to 1009.

    **Raises:** `UsageError` for a text that is no operation, or a modulus that is not usable.
    """
    from grokscope.config.run import TaskConfig
    from grokscope.tasks.task import Task

    return structure_of(Task.from_config(TaskConfig((expression,), p)))


def one_sided(task: "Task", seed: int = 0) -> list[str]:
    """Return a sentence for each operation whose answers do not depend on both x and y."""
    shape = (task.p, task.p)
    values = np.where(task.defined, task.labels(seed), -1).reshape(-1, *shape)
    found = [_dependence(table) for table in values]
    return [
        _one_sided(expression.canonical, depends_on)
        for expression, depends_on in zip(task.expressions, found, strict=True)
        if depends_on != "x and y"
    ]


def _one_sided(operation: str, depends_on: str) -> str:
    says = "is constant" if depends_on == "nothing" else f"depends on {depends_on} alone"
    return f"{operation} {says}, so that x and y need not be combined to learn it"


def _factors(expression: "Expression | None", p: int) -> str | None:
    if expression is None:
        return None
    from grokscope.tasks.structure.factors import factors

    return factors(expression, p)


def _dependence(values: Int[np.ndarray, "p p"]) -> Dependence:
    on_y, on_x = (
        bool(((table != table.max(1, keepdims=True)) & (table >= 0)).any())
        for table in (values, values.T)
    )
    names: dict[tuple[bool, bool], Dependence] = {
        (True, True): "x and y",
        (True, False): "x",
        (False, True): "y",
        (False, False): "nothing",
    }
    return names[on_x, on_y]


def _families(p: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is searched for this modulus and what is not, in words."""
    searched = ["separable: u(x) + v(y)", "linear form: functions of x + λ·y"]
    free = "composed: functions of u(x) + y and of x + v(y)"
    if not is_prime(p):
        refused = f"multiplicative, and composed products and sums of powers: {p} is not prime"
        return (*searched, free), (refused,)
    if p == 2:
        return (*searched, free), ("multiplicative: mod 2 its group has one element",)
    product = "multiplicative: c + a(x)·b(y)"
    forms = "u(x)·(y+t), (x+s)·v(y), (x+s)^m·(y+t)^k and (x+s)^m + λ·(y+t)^k"
    limits = "where a power is one-to-one its shift is 0"
    return (*searched, product, f"{free}, of {forms} ({limits})"), ()


def _all_structures(values: Int[np.ndarray, "p p"], name: str) -> list[Structure]:
    found: dict[tuple[int, bytes, bytes], Structure] = {}
    for family, search in _FAMILIES.items():
        if family == "multiplicative" and not is_prime(len(values)):
            continue
        for candidate in search(values):
            one = representative_of(values, candidate)
            if one is None or (one.n, one.u.tobytes(), one.v.tobytes()) in found:
                continue
            proved = _proved(values, one, family, name)
            if proved is not None:
                found[one.n, one.u.tobytes(), one.v.tobytes()] = proved
    return sorted(found.values(), key=_has_a_table)


def _has_a_table(one: Structure) -> bool:
    return any("table" in text for text in (one.u_text, one.v_text, one.g_text))


def _proved(
    values: Int[np.ndarray, "p p"], one: Representative, family: Family, name: str
) -> Structure | None:
    """Return the structure if it gives every label, and one label outside its group; else None."""
    g = readout_of(values, one.u, one.v, one.n)
    if g is None:
        return None
    inside = (one.u >= 0)[:, None] & (one.v >= 0) & (values >= 0)
    rest = values[~inside & (values >= 0)]
    if len(np.unique(rest)) > 1:
        return None
    zero = int(rest[0]) if len(rest) else None
    text = read_readout(g, len(values), zero)
    result = Structure(
        family,
        one.n,
        one.u,
        one.v,
        g,
        one.u_form.text("x"),
        one.v_form.text("y"),
        text.text,
        structure_in_words(name, one.u_form, one.v_form, text),
        int(inside.sum()),
        len(rest),
        zero,
    )
    if not np.array_equal(result.labels()[inside], values[inside]):
        return None
    return result
