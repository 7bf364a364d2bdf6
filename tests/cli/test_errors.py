"""Every wrong command gives one clear line and exit code 2, and leaves nothing behind."""

import hashlib
import re
from pathlib import Path
from typing import Any, Final

import pytest

DEEP: Final = "(" * 10_000 + "x" + ")" * 10_000
ALL_PARTS: Final = ["embedding", "attention", "mlp", "unembedding"]
ODD_NAME: Final = "<script>\n\x1b[31m\x07"
WHOLE: Final = ("train", "x + y", "--preset", "quick")

OPERATIONS: Final = {
    "python": "__import__('os').system('x')",
    "attribute": "x.__class__",
    "two carets": "x^^2",
    "variable": "x + z",
    "parentheses": DEEP,
    "one over zero": "1/0",
    "product without sign": "2x",
    "xy": "xy",
    "call": "x(y)",
    "two operands": "x y",
    "empty": "",
    "blank": "   ",
    "nul": "x + \0",
    "zero width": "x \u200b+ y",
    "superscript": "x² + y²",
    "emoji": "🦆",
    "right to left": "x + \u202ey",
    "control characters": "x + \x1b[31m\x07y",
    "newline": "x\n+\nz",
    "exponent too large": "x^10001",
    "exponent of 100 digits": "x^" + "9" * 100,
    "exponent negative": "x^-1",
    "exponent fractional": "x^0.5",
    "exponent variable": "x^y",
    "tower": "x^2^3",
    "decimal": "1.5*x",
    "huge number": "x + " + "9" * 13,
    "long": "x" + "+x" * 100,
    "never closed": "(x + y",
    "closes nothing": "x + y)",
    "ends early": "x +",
    "only a minus": "-",
    "modulo sign": "x % 2",
    "equation": "x = y",
    "semicolon": "x; y",
    "random in a sum": "random + x",
}

COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "verb unknown": ("bogus",),
    "verb misspelled": ("trian", "x + y"),
    "verb odd": (ODD_NAME,),
    "verb is an option": ("--preset", "quick"),
    "no operation": ("train",),
    "no operation but options": ("train", "--p", "11"),
    "p zero in a mixture": (*WHOLE, "1/(x - x)"),
    "p divides the divisor": ("train", "x/97", "--p", "97"),
    "p text": (*WHOLE, "--p", "abc"),
    "p fraction": (*WHOLE, "--p", "1.5"),
    "p nan": (*WHOLE, "--p", "nan"),
    "p of 5000 digits": (*WHOLE, "--p", "9" * 5000),
    "p zero": (*WHOLE, "--p", "0"),
    "p one": (*WHOLE, "--p=1"),
    "p negative": (*WHOLE, "--p", "-5"),
    "p huge": (*WHOLE, "--p", "1000000007"),
    "p empty": (*WHOLE, "--p="),
    "p without value": (*WHOLE, "--p"),
    "p before an option": (*WHOLE, "--p", "--quiet"),
    "p twice": (*WHOLE, "--p", "5", "--p", "7"),
    "p with one minus": (*WHOLE, "-p", "5"),
    "fraction zero": (*WHOLE, "--train-fraction", "0"),
    "fraction one": (*WHOLE, "--train-fraction", "1"),
    "fraction nan": (*WHOLE, "--train-fraction", "nan"),
    "fraction inf": (*WHOLE, "--train-fraction", "-inf"),
    "fraction text": (*WHOLE, "--train-fraction", "a third"),
    "split empty": (*WHOLE, "--p", "2", "--train-fraction", "0.1"),
    "split without test": (*WHOLE, "--p", "2", "--train-fraction", "0.9"),
    "split of orbits empty": (*WHOLE, "--p", "2", "--train-fraction", "0.1", "--split", "orbits"),
    "split unknown": (*WHOLE, "--split", "rows"),
    "preset unknown": ("train", "x + y", "--preset", "huge"),
    "preset without value": ("train", "x + y", "--preset"),
    "option unknown": (*WHOLE, "--frobnicate"),
    "option misspelled": (*WHOLE, "--train-fracton", "0.3"),
    "option of another verb": (*WHOLE, "--axis", "0"),
    "option odd": (*WHOLE, f"--{ODD_NAME}"),
    "option prefixed": (*WHOLE, "--config.task.p", "5"),
    "switch with value": (*WHOLE, "--quiet=yes"),
    "switch with word": (*WHOLE, "--json", "yes"),
    "seeds none": (*WHOLE, "--seeds"),
    "seeds repeated": (*WHOLE, "--seeds", "0", "1", "0"),
    "seeds negative": (*WHOLE, "--seeds", "-1"),
    "seeds too big": (*WHOLE, "--seeds", "4294967296"),
    "seeds text": (*WHOLE, "--seeds", "0,one"),
    "seeds before the operation": ("train", "--seeds", "0", "1", "x + y"),
    "frozen all": (*WHOLE, "--freeze", *ALL_PARTS),
    "frozen all with commas": (*WHOLE, "--freeze", ",".join(ALL_PARTS)),
    "frozen unknown": (*WHOLE, "--freeze", "biases"),
    "architecture unknown": (*WHOLE, "--architecture", "rnn"),
    "heads": (*WHOLE, "--heads", "5"),
    "heads zero": (*WHOLE, "--heads", "0"),
    "layers too many": (*WHOLE, "--layers", "13"),
    "width negative": (*WHOLE, "--d-model", "-4"),
    "batch zero": (*WHOLE, "--batch-size", "0"),
    "batch too large": (*WHOLE, "--batch-size", "100000"),
    "batch text": (*WHOLE, "--batch-size", "full"),
    "rate negative": (*WHOLE, "--learning-rate", "-1"),
    "rate nan": (*WHOLE, "--learning-rate", "nan"),
    "rate zero": (*WHOLE, "--learning-rate", "0"),
    "beta one": (*WHOLE, "--beta1", "1"),
    "decay negative": (*WHOLE, "--weight-decay", "-0.1"),
    "warmup negative": (*WHOLE, "--warmup", "-1"),
    "steps zero": (*WHOLE, "--steps", "0"),
    "steps scientific": (*WHOLE, "--steps", "1e4"),
    "steps endless": (*WHOLE, "--steps", "inf"),
    "evaluations zero": (*WHOLE, "--eval-every", "0"),
    "budget zero": (*WHOLE, "--checkpoint-budget", "0"),
    "stop accuracy": (*WHOLE, "--stop-accuracy", "99"),
    "eta one": (*WHOLE, "--eta", "1"),
    "out without value": (*WHOLE, "--out"),
    "out with nul": (*WHOLE, "--out", "a\0b"),
    "out too long": (*WHOLE, "--out", "a" * 300),
    "out is a file": (*WHOLE, "--out", "file"),
    "out in a file": (*WHOLE, "--out", "file/deeper"),
    "out holds a run": (*WHOLE, "--out", "run"),
    "out holds other things": (*WHOLE, "--out", "foreign"),
    "resume without out": ("train", "--resume"),
    "resume nothing": ("train", "--resume", "--out", "missing"),
    "resume an empty folder": ("train", "--resume", "--out", "empty"),
    "resume a foreign folder": ("train", "--resume", "--out", "foreign"),
    "resume a file": ("train", "--resume", "--out", "file"),
    "resume an odd name": ("train", "--resume", "--out", ODD_NAME),
    "resume another operation": ("train", "x*y", "--resume", "--out", "run"),
    "resume another setting": ("train", "--resume", "--out", "run", "--p", "29"),
    "resume other seeds": ("train", "--resume", "--out", "run", "--seeds", "1"),
    "resume a newer run": ("train", "--resume", "--out", "newer"),
    "resume a flipped manifest": ("train", "--resume", "--out", "flipped-manifest"),
    "resume without a configuration": ("train", "--resume", "--out", "no-config"),
    "measure nothing": ("measure",),
    "measure two": ("measure", "table.npy", "vector.npy"),
    "measure missing": ("measure", "missing.npy"),
    "measure odd name": ("measure", f"{ODD_NAME}.npy"),
    "measure folder": ("measure", "folder.npy"),
    "measure suffix": ("measure", "table.csv"),
    "measure no suffix": ("measure", "file"),
    "measure pickled": ("measure", "pickled.npy"),
    "measure bare pickle": ("measure", "bare-pickle.npy"),
    "measure objects": ("measure", "objects.npz"),
    "measure text": ("measure", "text.npy"),
    "measure empty": ("measure", "empty.npy"),
    "measure broken zip": ("measure", "broken.npz"),
    "measure cut": ("measure", "cut.safetensors"),
    "measure huge header": ("measure", "huge-header.safetensors"),
    "measure eta zero": ("measure", "table.npy", "--eta", "0"),
    "measure eta one": ("measure", "table.npy", "--eta", "1"),
    "measure eta nan": ("measure", "table.npy", "--eta", "nan"),
    "measure axis two": ("measure", "table.npy", "--axis", "2"),
    "measure axis negative": ("measure", "table.npy", "--axis", "-1"),
    "measure p too large": ("measure", "table.npy", "--p", "12"),
    "measure p negative": ("measure", "table.npy", "--p", "-3"),
    "measure p zero": ("measure", "table.npy", "--p", "0"),
    "measure p one": ("measure", "table.npy", "--p", "1"),
    "measure vector": ("measure", "vector.npy"),
    "structure nothing": ("structure",),
    "structure two": ("structure", "x", "y"),
    "structure syntax": ("structure", "x^^2"),
    "structure undefined": ("structure", "1/(x - x)"),
    "structure p one": ("structure", "x + y", "--p", "1"),
    "structure p huge": ("structure", "x + y", "--p", "1013"),
    "structure p text": ("structure", "x + y", "--p", "prime"),
    "structure option": ("structure", "x + y", "--seed", "1"),
    "explain nothing": ("explain",),
    "explain two": ("explain", "run", "empty"),
    "explain missing": ("explain", "missing"),
    "explain odd name": ("explain", f"{ODD_NAME}?"),
    "explain a foreign folder": ("explain", "foreign"),
    "explain a flipped manifest": ("explain", "flipped-manifest"),
    "explain without checkpoints": ("explain", "run"),
    "explain a missing step": ("explain", "run", "--step", "7"),
    "explain a missing seed": ("explain", "run", "--seeds", "5"),
    "explain a run with an operation": ("explain", "run", "--operation", "x*y"),
    "explain a run with p": ("explain", "run", "--p", "11"),
    "explain by no operation": ("explain", "run", "--by", "2x"),
    "explain over time at a step": ("explain", "run", "--over-time", "--step", "50"),
    "explain a file alone": ("explain", "table.npy"),
    "explain a file by no operation": ("explain", "table.npy", "--operation", "xy"),
    "explain a file at a step": ("explain", "table.npy", "--operation", "x*y", "--step", "50"),
    "explain a file over time": ("explain", "table.npy", "--operation", "x*y", "--over-time"),
    "explain a file by random": ("explain", "table.npy", "--operation", "x*y", "--by", "random"),
    "explain a vector": ("explain", "vector.npy", "--operation", "x*y"),
    "explain pickled": ("explain", "pickled.npy", "--operation", "x*y"),
    "explain cut": ("explain", "cut.safetensors", "--operation", "x*y"),
    "explain suffix": ("explain", "table.csv", "--operation", "x*y"),
    "explain p too large": ("explain", "table.npy", "--operation", "x*y", "--p", "12"),
    "report nothing": ("report",),
    "report missing": ("report", "missing"),
    "report odd name": ("report", f"{ODD_NAME}?"),
    "report a foreign folder": ("report", "foreign"),
    "report a file": ("report", "file"),
    "report a newer run": ("report", "newer"),
    "report a flipped manifest": ("report", "flipped-manifest"),
    "report a flipped part": ("report", "flipped-part"),
    "report without a configuration": ("report", "no-config"),
    "report one missing": ("report", "run", "missing", "--out", "page.html"),
    "report into a folder": ("report", "run", "--out", "foreign"),
    "figures into a file": ("report", "run", "--figures", "file"),
    "figures of a foreign folder": ("report", "foreign", "--figures", "figures"),
    "runs missing": ("runs", "missing"),
    "runs odd name": ("runs", f"{ODD_NAME}?"),
    "runs of a file": ("runs", "file"),
    "runs of two": ("runs", "run", "empty"),
    "runs with an option": ("runs", "--long"),
}


def contents(folder: Path) -> dict[str, str]:
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    folders = {str(path): "" for path in folder.rglob("*") if path.is_dir()}
    return folders | {str(p): hashlib.sha256(data).hexdigest() for p, data in files.items()}


def assert_one_line(text: str) -> None:
    assert text.endswith("\n")
    assert text[:-1].isprintable()  # also: no second line
    assert "Traceback" not in text
    assert len(text) < 400
    assert re.search(r"(; |: )", text), "says what, and what to do"


def refuse(cli: Any, folder: Path, words: tuple[str, ...], snapshot: Any) -> None:
    before = contents(folder)
    outcome = cli(*words)
    assert outcome.err == snapshot
    assert (outcome.code, outcome.out) == (2, "")
    assert_one_line(outcome.err)
    assert contents(folder) == before


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name: str, cli: Any, tmp_path: Path, snapshot: Any) -> None:
    refuse(cli, tmp_path, ("train", OPERATIONS[name], "--p", "7"), snapshot)


@pytest.mark.parametrize("name", COMMANDS)
def test_command(name: str, cli: Any, specimens: Path, snapshot: Any) -> None:
    refuse(cli, specimens, COMMANDS[name], snapshot)
