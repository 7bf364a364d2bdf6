"""Run the tutorials of examples/tutorials and write their pages: `make tutorials`.

A tutorial is a program in cells, as editors and Jupyter read them: `# %% [markdown]` begins prose,
`# %%` code. What a cell ends in is shown below it on the page; figures become SVG files.
"""

import argparse
import ast
import contextlib
import io
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grokscope.reports.figures.figure import Figure

ROOT: Final = Path(__file__).parents[1]
SOURCES: Final = ROOT / "examples" / "tutorials"
PAGES: Final = ROOT / "docs" / "tutorials"
PICTURES: Final = ROOT / "docs" / "figures" / "tutorials"
NAMES: Final = ("finding", "your_network", "weight_decay", "circuit", "figure")
"""In the order in which they are read, and run: later ones take up runs of earlier ones."""
_CELL: Final = re.compile(r"^# %%(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """Prose in Markdown, or a piece of a program."""

    text: str
    is_code: bool


def cells(source: str) -> list[Cell]:
    """Return the cells of a tutorial; what stands before the first one is no cell."""
    _, *parts = _CELL.split(source)
    found = []
    for mark, text in zip(parts[::2], parts[1::2], strict=True):
        is_code = "[markdown]" not in mark
        lines = text.strip("\n").splitlines()
        plain = lines if is_code else [line.removeprefix("#").removeprefix(" ") for line in lines]
        found.append(Cell("\n".join(plain), is_code))
    return found


def read(name: str) -> list[Cell]:
    """Return the cells of the tutorial of that name."""
    return cells((SOURCES / f"{name}.py").read_text())


def page(name: str, pictures: Path) -> str:
    """Run a tutorial in the current folder and return its page.

    **Arguments:** its name; where its figures go.
    """
    program = f"examples/tutorials/{name}.py"
    parts = [f"<!-- Written by `make tutorials` from {program}. -->"]
    known: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(read(name)):
        if cell.is_code:
            parts.append(f"```python\n{cell.text}\n```")
            found = run(cell.text, known, f"{program}, cell {number}")
            parts += shown(found, pictures / f"{name}-{number}")
        else:
            parts.append(cell.text)
    return "\n\n".join([*parts, f"This page is [{program}](../../{program}), as it ran.\n"])


def run(code: str, known: dict[str, Any], place: str) -> tuple[str, Any]:
    """Run a cell and return what it printed, and the value of its last line.

    **Arguments:** the code; what earlier cells have defined, to which it adds; its name in errors.
    """
    tree, last, said = ast.parse(code), None, io.StringIO()
    match tree.body:
        case [*_, ast.Expr(value)]:
            last = ast.Expression(value)
            tree.body.pop()
        case _:
            pass
    # the cells are programs of this repository, run as in a notebook; nothing else comes here
    with contextlib.redirect_stdout(said):
        exec(compile(tree, place, "exec"), known)
        value = None if last is None else eval(compile(last, place, "eval"), known)
    return said.getvalue(), value


def shown(found: tuple[str, Any], stem: Path) -> Iterator[str]:
    """Yield what a cell printed and ended in, as Markdown; a figure is written beside.

    **Arguments:** what it printed and ended in; the path of its figure without the end.
    """
    said, value = found
    if isinstance(value, Figure):
        path = stem.with_name(f"{stem.name}-{value.name}.svg")
        path.parent.mkdir(parents=True, exist_ok=True)
        value.save(path)
        value_text = f"![{value.title}](../figures/tutorials/{path.name})\n\n*{value.caption}*"
    else:
        value_text = "" if value is None else _block(repr(value))
    yield from (text for text in (_block(said), value_text) if text)


def _block(text: str) -> str:
    """Return text as it stands, but for the folder that it was made in."""
    text = text.replace(f"{Path.cwd()}{os.sep}", "")
    return f"```text\n{text.rstrip()}\n```" if text.strip() else ""


@contextlib.contextmanager
def workplace(folder: Path | None = None) -> Iterator[Path]:
    """Work in a folder, by default one that is removed at the end."""
    before = Path.cwd()
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.chdir(place)
        stack.callback(os.chdir, before)
        yield place


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all pages, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"by default all: {NAMES}")
    with workplace():
        for name in parser.parse_args(arguments).names or NAMES:
            (PAGES / f"{name}.md").write_text(page(name, PICTURES))
            print(f"docs/tutorials/{name}.md")


if __name__ == "__main__":
    main()
