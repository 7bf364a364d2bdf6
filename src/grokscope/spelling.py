"""What an error tells the user to type, as on a command line, spelled for Python instead."""

import re
import shlex
from typing import Final

_NAMES: Final = {
    "import": "import_",
    "from": "source",
    "table": "tables",
    "set": "settings",
    "format": "form",
}
"""Options and verbs that Python calls otherwise; of the rest dashes are underscores."""
_SWITCHES: Final = ("resume",)
_VALUE: Final = r"\"[^\"]*\"|'[^']*'|[A-Z][\w.]*|\d[\w.]*"
_WORD: Final = r"'[^']*'|[^\s;]+"
_OPTION: Final = re.compile(rf"(?<![\w.-])--(no-)?([a-z][a-z-]*[a-z]|[a-z])(?:[ =]({_VALUE}))?")
_SETTING: Final = re.compile(rf"--set (\w+)=({_WORD})")
_PAIRS: Final = re.compile(rf"(\w+=(?:{_VALUE})) (?=\w+=)")
_RESUMED: Final = re.compile(rf"grokscope train --resume --out ({_WORD})")
_SWEPT: Final = re.compile(rf"(?<=with: )grokscope sweep ({_WORD})")
_VERBS: Final = "train|measure|structure|explain|report|runs|sweep|reproduce|export|import"
_CALLED: Final = re.compile(rf"grokscope ({_VERBS}) ({_VALUE})")
_NAMED: Final = re.compile(rf"grokscope ({_VERBS})\b(?! --)")


def in_python(text: str) -> str:
    """Return a text whose options and commands are those of Python.

        >>> in_python("add --resume, or choose another --out")
        'add resume=True, or choose another out'
        >>> in_python("choose: --table 'W_U' --axis 0; go on with: grokscope sweep sweeps/mine")
        "choose: tables='W_U', axis=0; go on with: gs.sweep('sweeps/mine')"

    What only a command line has, such as `grokscope train --help`, stays.
    """
    text = _RESUMED.sub(lambda found: f"gs.load_run({_text(found[1])}).resume()", text)
    text = _SWEPT.sub(lambda found: f"gs.sweep({_text(found[1])})", text)
    text = _CALLED.sub(lambda found: f"gs.{_name(found[1])}({_argument(found[2])})", text)
    text = _NAMED.sub(lambda found: f"gs.{_name(found[1])}", text)
    text = _SETTING.sub(lambda found: f"settings={{{found[1]!r}: {found[2]}}}", text)
    kept = re.split(r"(grokscope (?:\w+ )?--\w+)", text)  # commands that Python does not have
    spelled = [part if i % 2 else _OPTION.sub(_option, part) for i, part in enumerate(kept)]
    return _PAIRS.sub(r"\1, ", "".join(spelled))


def _option(found: re.Match[str]) -> str:
    no, option, value = found.groups()
    name = _name(option)
    if no:
        return f"{name}=False" + (f" {value}" if value else "")
    if option in _SWITCHES:
        return f"{name}=True" + (f" {value}" if value else "")
    return f"{name}={value}" if value else name


def _name(word: str) -> str:
    return _NAMES.get(word, word.replace("-", "_"))


def _text(word: str) -> str:
    """Return a word of a shell as a text of Python."""
    return repr(shlex.split(word)[0])


def _argument(word: str) -> str:
    return word if word[0] in "\"'" or word.isupper() else repr(word)
