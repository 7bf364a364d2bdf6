"""grokscope measure: what it reads, what it prints, what it skips."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from tests.disk.torch_writer import Name, tensor, torch_zip

from grokscope.disk.tensors import encode

KEYS = ["p", "ffs", "ffd", "kfs", "fcr", "gini", "ipr", "axis", "length", "left_out"]
WHOLE = [0, 11, []]
"""Axis, length, and what was left out, of a table with 11 rows."""
RANDOM = np.random.default_rng(1).normal(size=(11, 6))


def cosine(p: int, k: int = 2) -> Any:
    """One frequency, cosine only: FFS 1/(p − 1), FCR 0, participation 1."""
    return np.cos(2 * math.pi * k * np.arange(p) / p)[:, None] * np.ones((1, 3))


def measured(cli: Any, *words: str) -> dict[str, dict[str, Any]]:
    outcome = cli("measure", *words, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("\n") == 1
    return json.loads(outcome.out, parse_constant=pytest.fail)


def test_json_of_one_cosine(cli: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", cosine(11))
    found = measured(cli, "table.npy", "--p", "11")
    assert list(found) == ["table"]
    assert list(found["table"]) == KEYS
    # the sines hold nothing, so none is over η times their largest
    expected = [11, 1 / 10, 1 / 10, 1 / 5, 0.0, 1 - 1 / 5, 1.0]
    assert list(found["table"].values())[:7] == pytest.approx(expected)
    assert list(found["table"].values())[7:] == WHOLE


def test_undefined_is_null(cli: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "zero.npy", np.zeros((7, 2)))
    found = measured(cli, "zero.npy", "--p", "7")["zero"]
    assert found == {"p": 7, **dict.fromkeys(KEYS[1:7]), "axis": 0, "length": 7, "left_out": []}
    assert "–" in cli("measure", "zero.npy", "--p", "7").out


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_several_tables_and_skipped_ones(cli: Any, tmp_path: Path, suffix: str) -> None:
    arrays = {"a": RANDOM, "bias": RANDOM[0], "heads": np.zeros((2, 11, 3)), "b": cosine(11)}
    if suffix == "npz":
        np.savez(tmp_path / "t.npz", allow_pickle=False, **arrays)
    else:
        safetensors.numpy.save_file(arrays, tmp_path / "t.safetensors")
    outcome = cli("measure", f"t.{suffix}", "--p", "11", "--json")
    assert list(json.loads(outcome.out)) == ["a", "b"]
    assert outcome.err.splitlines() == [
        "skipped bias: 1 axis, of 6, where a table has 2 axes",
        "skipped heads: 3 axes, 2 × 11 × 3, where a table has 2 axes",
    ]


def test_p_drops_rows_and_axis_turns(cli: Any, tmp_path: Path) -> None:
    table = np.concatenate([cosine(11), [[9.0, 9.0, 9.0]]])
    np.save(tmp_path / "rows.npy", table)
    np.save(tmp_path / "columns.npy", table.T)
    wanted = measured(cli, "rows.npy", "--p", "11")["rows"]
    assert wanted["ipr"] == pytest.approx(1)
    for words in ([], ["--axis", "1"]):
        found = measured(cli, "columns.npy", "--p", "11", *words)["columns"]
        assert found == wanted | {"axis": 1}
    assert wanted["left_out"] == [11]
    assert (
        "rows: 11 residues of 12 rows, 1 left out (11)\n"
        in cli("measure", "rows.npy", "--p", "11").out
    )


def test_eta(cli: Any, tmp_path: Path) -> None:
    table = cosine(11) + 0.3 * cosine(11, 4)
    np.save(tmp_path / "t.npy", table)
    assert measured(cli, "t.npy", "--p", "11", "--eta", "0.5")["t"]["ffs"] == pytest.approx(1 / 10)
    assert measured(cli, "t.npy", "--p", "11", "--eta", "0.2")["t"]["ffs"] == pytest.approx(2 / 10)


def test_our_checkpoints_know_their_axes_and_get_w_l(cli: Any, tmp_path: Path) -> None:
    p, d_model, d_mlp = 7, 3, 5
    random = np.random.default_rng(2)
    tensors = {
        "W_E": random.normal(size=(p + 1, d_model)),
        "W_out": random.normal(size=(d_mlp, d_model)),
        "W_U": random.normal(size=(d_model, p)),
    }
    axes = {"W_E": ("token", "d_model"), "W_out": ("d_mlp", "d_model"), "W_U": ("d_model", "class")}
    (tmp_path / "step.safetensors").write_bytes(encode(tensors, {"p": p}, axes))
    outcome = cli("measure", "step.safetensors", "--json")
    found = json.loads(outcome.out)
    assert {name: values["p"] for name, values in found.items()} == {"W_E": p, "W_U": p, "W_L": p}
    assert outcome.err == "skipped W_out: no axis of residues among d_mlp, d_model\n"
    assert [found[name]["left_out"] for name in found] == [[7], [], []]
    np.save(tmp_path / "W_L.npy", (tensors["W_out"] @ tensors["W_U"]).T)
    alone = measured(cli, "W_L.npy", "--p", "7")["W_L"]
    assert [alone[key] for key in KEYS[:7]] == pytest.approx([found["W_L"][k] for k in KEYS[:7]])
    other = cli("measure", "step.safetensors", "--p", "5")
    assert (other.code, other.out) == (2, "")
    assert "the file says another p; got 5; allowed: 7" in other.err


def test_names_are_shown_as_they_are(cli: Any, tmp_path: Path) -> None:
    names = ["[bold]x", "[/x]", "<script>", "a\nb", "\x1b[31mred"]
    arrays = dict.fromkeys(names, RANDOM)
    safetensors.numpy.save_file(arrays, tmp_path / "t.safetensors")
    outcome = cli("measure", "t.safetensors", "--p", "11")
    assert outcome.code == 0
    for shown in ("[bold]x", "[/x]", "<script>", "a\\nb", "\\x1b[31mred"):
        assert shown in outcome.out
    assert "\x1b" not in outcome.out
    assert sorted(measured(cli, "t.safetensors", "--p", "11")) == sorted(names)


def test_the_table(cli: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", cosine(11))
    outcome = cli("measure", "table.npy", "--p", "11")
    header, row = (line for line in outcome.out.splitlines() if "FFS" in line or "0.100" in line)
    words = [word for word in header.split() if word.isalpha()]
    assert words == ["table", "p", "of", "FFS", "FFD", "KFS", "FCR", "Gini", "IPR"]
    numbers = ["0.100", "0.100", "0.200", "0.000", "0.800", "1.000"]
    assert row.split() == ["table", "11", "11", "rows", *numbers]
    assert outcome.err == ""


def test_a_checkpoint_of_pytorch(cli: Any, tmp_path: Path) -> None:
    rows = tensor((11, 6), (6, 1), count=66, kind=Name("torch.DoubleStorage"))
    columns = tensor((6, 11), (1, 6), count=66, kind=Name("torch.DoubleStorage"))
    top = {"model": {"embed": {"W_E": rows}, "unembed": {"W_U": columns}}, "config": {"p": 11}}
    (tmp_path / "model.pth").write_bytes(torch_zip(top, {"0": RANDOM.tobytes()}))
    np.save(tmp_path / "W_E.npy", RANDOM)
    wanted = measured(cli, "W_E.npy", "--p", "11")["W_E"]
    found = measured(cli, "model.pth")
    assert found == {"model.embed.W_E": wanted, "model.unembed.W_U": wanted | {"axis": 1}}
