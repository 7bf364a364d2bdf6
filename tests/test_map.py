"""docs/architecture.md and docs/glossary.md say what is in the code."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
SRC: Final = ROOT / "src" / "grokscope"
MAP: Final = (ROOT / "docs" / "architecture.md").read_text()
GLOSSARY: Final = (ROOT / "docs" / "glossary.md").read_text()
LONGEST: Final = {"from the command line": 8, "to the Parquet row": 8, "through Ray": 10}


def section(page: str, title: str) -> str:
    (found,) = (part for part in page.split("\n## ") if title in part.partition("\n")[0])
    return found


def hops(flow: str) -> list[tuple[str, list[str]]]:
    """Return the file of every hop, and the names in backticks that follow it."""
    lines = re.findall(r"^\d+\. `([\w/]+\.py)`: (.*(?:\n   .*)*)", section(MAP, flow), re.MULTILINE)
    return [(file, re.findall(r"`(\w+)`", words)) for file, words in lines]


def defined(file: str) -> set[str]:
    names = re.findall(
        r"^\s*(?:def|class) (\w+)|^(\w+)(?:: .*)? = ", (SRC / file).read_text(), re.M
    )
    return {name for pair in names for name in pair if name}


@pytest.mark.parametrize("flow", LONGEST)
def test_every_hop_names_what_its_file_defines(flow: str) -> None:
    found = hops(flow)
    assert 5 < len(found) <= LONGEST[flow]
    files = {file for file, _ in found}
    beside = {
        f"{Path(file).parent}/{name}" for file in files for name in ("observe.py", "batch.py")
    }
    known = set().union(*(defined(file) for file in beside | files if (SRC / file).exists()))
    for file, names in found:
        assert names, file
        assert names[0] in defined(file), f"{file} has no {names[0]}"
        assert {name for name in names if name not in known} <= {"x"}, file


def test_every_file_that_the_map_names_is_there() -> None:
    files = re.findall(r"`([\w/]+/[\w]+\.py)`", MAP)
    assert len(files) > 30
    assert [file for file in files if not (SRC / file).exists()] == []


def test_the_rooms_are_those_of_the_arrows_and_of_the_folders() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (layers,) = (
        c["layers"] for c in settings["tool"]["importlinter"]["contracts"] if "layers" in c
    )
    rows = re.findall(r"^\| (`.*?`) \|", section(MAP, "The rooms"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(name for layer in layers for name in layer.split(" | "))
    folders = {path.parent.name for path in SRC.glob("*/__init__.py")}
    assert folders <= set(named)


def test_our_words_stand_in_the_code() -> None:
    code = "\n".join(path.read_text() for path in SRC.rglob("*.py"))
    rows = re.findall(
        r"^\| (.+?) \| `(.+?)` \| .+ \|$", section(GLOSSARY, "Our words"), re.MULTILINE
    )
    assert len(rows) > 40
    missing = [word for word, name in rows if not re.search(rf"\b{re.escape(name)}\b", code)]
    assert missing == []


def test_words_are_in_order_and_each_stands_once() -> None:
    for part in ("The field's words", "Our words"):
        words = re.findall(r"^\| (.+?) \|", section(GLOSSARY, part), re.MULTILINE)[2:]
        assert words == sorted(set(words), key=str.casefold)
