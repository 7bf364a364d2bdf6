"""grokscope structure: which group an operation is addition in."""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from grokscope.errors import printable

if TYPE_CHECKING:
    from grokscope.tasks.structure import Search
    from grokscope.tasks.structure import Structure as Found

_LINE_WIDTH: Final = 98
_NAME_WIDTH: Final = 12
_RELATIONS: Final = {
    "same": "v is u but for a constant",
    "negated": "v is -u but for a constant",
    "scaled": "v is another multiple of u",
    "different": "v is no multiple of u",
}


@dataclass(frozen=True)
class Structure:
    """Say which group an operation is addition in: f(x, y) = g(u(x) + v(y)) in Z_n.

    Works on the table of labels, so that it does not matter how the operation is typed; what is
    found has been proved by recomputing all of them. log is the discrete logarithm modulo p.

    Example: grokscope structure "x*y + x + y" --p 97
    """

    formula: Annotated[str, "OPERATION"]
    """The operation in x and y; "random" is the table of seed 0."""
    p: int = 97
    """Modulus: residues are 0 … p−1."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        """Search and print."""
        from grokscope.progress import doing, showing
        from grokscope.tasks.structure import structure

        with showing():
            doing(f"looking for the structure of {printable(self.formula)}")
            search = structure(self.formula, self.p)
        if self.json:
            document = {"operation": search.operation, "p": self.p, **search.to_json()}
            print(json.dumps(document))
        else:
            print("\n".join(_page(search)))


def _page(search: "Search") -> Iterator[str]:
    yield from textwrap.wrap(search.sentence, _LINE_WIDTH)
    if search.operation == "random":
        yield "(random has no labels without a seed: this is the table of seed 0)"
    details = list(_details(search))
    yield from ["", *details] if details else []


def _details(search: "Search") -> Iterator[str]:
    if search.best is not None:
        yield "f(x, y) = g(u(x) + v(y))"
        yield from _facts(search.best)
    for other in search.structures[1:]:
        yield from _entry("also", f"{other.words} (u = {other.u_text}, v = {other.v_text})")
    undefined = search.p**2 - search.defined
    if undefined:
        yield from _entry("undefined", f"{undefined:,} of {search.p**2:,} pairs")
    if search.factors is not None:
        yield from _entry("factors", f"{search.factors} over GF({search.p})")
    yield from _list("searched", search.searched)
    yield from _list("refused", search.refused)


def _facts(best: "Found") -> Iterator[str]:
    yield from _entry("group", f"{best.group}, found as {best.family}")
    yield from _entry("u(x)", best.u_text)
    yield from _entry("v(y)", best.v_text)
    yield from _entry("g(s)", best.g_text)
    number = "1 character" if best.characters == 1 else f"{best.characters} characters"
    why = f"since {_RELATIONS[best.relation]}"
    yield from _entry("predicted", f"{number} per key frequency in the embedding, {why}")
    rest = ""
    if best.outside:
        rest = f"; where u or v is undefined, {best.outside:,} more all have the label {best.zero}"
    yield from _entry("proof", f"all {best.proved:,} pairs recomputed{rest}")


def _list(name: str, texts: tuple[str, ...]) -> Iterator[str]:
    for i, text in enumerate(texts):
        yield from _entry("" if i else name, text)


def _entry(name: str, text: str) -> Iterator[str]:
    for i, line in enumerate(textwrap.wrap(text, _LINE_WIDTH - _NAME_WIDTH - 2)):
        yield f"  {'' if i else name:<{_NAME_WIDTH}}{line}"
