"""Write docs/cli.md and docs/measures.md from the program itself: `make docs`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from grokscope.cli.command_line import VERBS, verb_class
from grokscope.cli.options import Option, Takes
from grokscope.measures import MEASURES, Measure

FOLDER: Final = Path(__file__).parent
_EXAMPLE: Final = "Example: "


def cli_page() -> str:
    """Return every verb and its options, as tables."""
    verbs = [(f"[`{verb}`](#grokscope-{verb})", does) for verb, does in VERBS.items()]
    parts = [_template("cli"), *_table(("verb", "what it does"), verbs)]
    for verb in VERBS:
        parts += _verb(Takes.of(verb, verb_class(verb)))
    return "\n".join([*parts, "", _template("variables")])


def _verb(takes: Takes) -> Iterator[str]:
    yield f"\n## grokscope {takes.verb}\n"
    yield f"```text\n{takes.usage}\n```\n"
    for paragraph in takes.paragraphs:
        if paragraph.startswith(_EXAMPLE):
            yield f"```sh\n{paragraph.removeprefix(_EXAMPLE)}\n```\n"
        else:
            yield _cell(paragraph) + "\n"
    yield from _table(("argument", "what it is"), [_code_and_words(takes.plain)])
    for title, options in takes.groups():
        yield f"\n**{_cell(title)}**\n"
        rows = [(*_code_and_words(option), _cell(option.starts_as)) for option in options]
        yield from _table(("option", "what it does", "default"), rows)


def _code_and_words(option: Option) -> tuple[str, str]:
    return f"`{option.shown}`".replace("|", "\\|"), _cell(option.sentences)


def _cell(text: str) -> str:
    """Return plain text as it shows alike in Markdown: `*` and `|` mean themselves."""
    parts = " ".join(text.split()).split("`")
    quiet = [part if i % 2 else part.replace("*", "\\*") for i, part in enumerate(parts)]
    return "`".join(quiet).replace("|", "\\|").replace("<", "&lt;")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _template(name: str) -> str:
    return (FOLDER / "templates" / f"{name}.md").read_text()


def measures_page() -> str:
    """Return what the registry says about every measure."""
    head = ("key", "symbol", "name", "range", "how to read it")
    found = MEASURES.values()
    rows = [(f"`{m.key}`", _symbol(m), m.name, m.range, m.direction) for m in found]
    parts = [_template("measures"), *_table(head, rows)]
    for measure in found:
        parts += _measure(measure)
    return "\n".join([*parts, "", _template("measures_in_runs")])


def _symbol(measure: Measure) -> str:
    return f"[{measure.symbol}](#{measure.key})"


def _measure(measure: Measure) -> Iterator[str]:
    yield f"\n## {measure.symbol}\n"
    yield f"{measure.name}: {measure.range}; {measure.direction}.\n"
    yield f"```text\n{measure.symbol} = {measure.formula}\n```\n"
    yield f"**What fools it.** {_cell(measure.fooled_by)}\n"
    yield f"**In Python.** `gs.measures.{measure.function.__name__}`. **Source.** {measure.source}."


PAGES: Final = {"cli.md": cli_page, "measures.md": measures_page}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page())
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
