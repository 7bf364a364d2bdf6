"""Write docs/cli.md and docs/measures.md from the program itself: `make docs`."""

from pathlib import Path
from typing import Final

from grokscope.cli.command_line import VERBS, help_text, verb_class
from grokscope.cli.options import Takes
from grokscope.measures import MEASURES

FOLDER: Final = Path(__file__).parent
WIDTH: Final = 92
VARIABLES: Final = """## Variables of the environment

| variable | what it does |
|---|---|
| `JAX_ENABLE_COMPILATION_CACHE=0` | compiled programs are not kept in the user's cache folder |
| `JAX_COMPILATION_CACHE_DIR=DIR` | they are kept there instead |
| `XDG_CACHE_HOME=DIR` | the user's cache folder, by default `~/.cache` (Linux) |
| `JAX_PLATFORMS=cpu` | what computes, where there is a choice |
"""


def cli_page() -> str:
    """Return every verb's help as one page."""
    parts = ["# Command line\n\nWritten by `make docs` from `--help`.\n", _block(help_text())]
    for verb in VERBS:
        text = Takes.of(verb, verb_class(verb)).help(WIDTH)
        parts.append(f"## grokscope {verb}\n\n{_block(text)}")
    return "\n".join([*parts, VARIABLES])


def _block(text: str) -> str:
    return f"```text\n{text}\n```\n"


def measures_page() -> str:
    """Return what the registry says about every measure as one page."""
    lines = [
        "# Measures",
        "",
        "Written by `make docs` from `grokscope.measures.MEASURES`. Each is a function of a table",
        "with one row per residue, NumPy, JAX or PyTorch, and of a basis: `additive`, that of",
        "Z_p, or the one that fits an operation, `gs.basis('x*y', p=97)`. n is the order of the",
        "group, p in the additive basis.",
        "",
        "| key | symbol | name | range | how to read it | source |",
        "|---|---|---|---|---|---|",
    ]
    for m in MEASURES.values():
        cells = (f"`{m.key}`", m.symbol, m.name, m.range, m.direction, m.source)
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "FFS counts cosine and sine components apart, each against the largest of its kind, as the",
        "paper does. KFS counts a frequency once, by the norm of all that it spans: it does not",
        "depend on which element of the group is 0, and is defined where two coordinates share the",
        "rows, where FFS and FCR are not (null). Runs record FFS in the additive basis, KFS, FCR,",
        "Gini and IPR in both. Run folders from before KFS had its name call it `ffs` in the basis",
        "`matched`; they are read under the new one.",
    ]
    return "\n".join(lines) + "\n"


PAGES: Final = {"cli.md": cli_page, "measures.md": measures_page}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
