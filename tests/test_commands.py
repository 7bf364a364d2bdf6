"""The commands of README and of --help can be typed one after the other: each names what exists."""

import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grokscope.cli.command_line import VERBS, help_text, parse, verb_class

ROOT = Path(__file__).parents[1]


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every command of ours in the shell blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["grokscope"]:
                yield words[1:]


def readme() -> list[list[str]]:
    """Return the commands of README's table of verbs, in its order."""
    rows = re.findall(r"^\| `grokscope (.+?)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    return [shlex.split(row) for row in rows]


def start() -> list[list[str]]:
    return list(commands((ROOT / "docs" / "index.md").read_text()))


def examples() -> list[list[str]]:
    """Return the example of every verb's help, the verbs in the order of `grokscope --help`."""
    texts = [help_text(), *(inspect.getdoc(verb_class(verb)) or "" for verb in VERBS)]
    lines = [re.findall(r"Example: grokscope (.*)", text) for text in texts]
    assert all(len(found) == 1 for found in lines)
    return [shlex.split(found[0]) for found in lines]


def needed(verb: Any) -> list[Path]:
    """Return the files and folders that a command reads."""
    read: list[Path] = []
    for name in ("targets", "runs", "files", "file", "spec", "run_folder"):
        value = getattr(verb, name, ())
        read += [Path(v) for v in (value if isinstance(value, tuple) else (value,))]
    transfer = getattr(getattr(verb, "config", None), "transfer", None)
    if transfer is not None and transfer.source is not None:
        read.append(Path(transfer.source))
    if getattr(verb, "resume", False):
        read.append(Path(verb.out))
    return read


def made(name: str, verb: Any) -> list[Path]:
    """Return the folders that a command leaves, under names that can be known before."""
    if name == "sweep":
        return [Path(verb.out or Path("sweeps") / verb.spec.stem)]
    if name in ("export", "import"):
        return [Path(verb.out)]
    return [Path(verb.out)] if name == "train" and verb.out and not verb.resume else []


@pytest.mark.parametrize("page", [readme, start, examples])
def test_every_command_can_be_typed_in_turn(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    there: list[Path] = []
    lines = page()
    assert page is start or {words[0] for words in lines} == set(VERBS)
    for words in lines:
        verb = parse(words)
        for path in needed(verb):
            shipped = path.parts[:1] == ("examples",) and path.exists()
            listed = words[0] in ("runs", "explore") and any(
                path in folder.parents for folder in there
            )
            within = any(folder in (path, *path.parents) for folder in there)
            assert shipped or listed or within, f"{path} of {words} is not there yet"
        there += made(words[0], verb)


def test_the_example_program_defines_what_it_uses() -> None:
    """Every name in README's Python stands in an import or an assignment before."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    code = compile(block, "README.md", "exec")
    assert set(code.co_names) >= {"gs", "net", "run"}
    assigned = set(re.findall(r"^(\w+) =", block, flags=re.MULTILINE)) | {"gs"}
    used = set(re.findall(r"(?<![\w.\"'])([A-Za-z_]\w*)(?=[.,)\[])", re.sub(r"#.*", "", block)))
    assert used <= assigned
