"""Checkpoints and tables of other people, explained without a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import grokscope as gs
from grokscope.disk.folder import RunFolder
from grokscope.errors import RunFolderError, UsageError
from grokscope.explanation.document import to_plain
from grokscope.explanation.findings import BySide
from grokscope.explanation.of_file import explain_file
from grokscope.explanation.result import Control, TableSource
from grokscope.explanation.sentences import headline, sentences
from grokscope.explanation.verdict import ClaimId

P = 23


def checkpoint(run: RunFolder, step: int = 300) -> Path:
    return next(run.path.glob(f"checkpoints/seed-0/step-*{step}.safetensors"))


def circles(keys: tuple[int, ...], p: int = P) -> np.ndarray:
    angle = 2 * np.pi * np.outer(np.arange(p), keys) / p
    waves = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    return waves + 0.01 * np.random.default_rng(0).normal(size=waves.shape)


def test_a_checkpoint_is_a_network_of_which_grokking_is_not_known(clock_run: RunFolder) -> None:
    (found,) = explain_file(checkpoint(clock_run), "x + y")
    assert (found.seed, found.step, found.p) == (0, 300, P)
    assert set(found.neuron_logit_map.keys) == {2, 5, 9}
    assert found.verdict == "explained"
    assert "its training is not known" in found.claims[ClaimId.GROKKED].statement
    full = found.ablations.outcomes.full
    assert full is not None
    assert full.accuracy == BySide(all=full.accuracy.all)


def test_a_checkpoint_is_explained_by_another_structure_only_when_told(
    clock_run: RunFolder,
) -> None:
    path = checkpoint(clock_run)
    with pytest.raises(RunFolderError, match="trained on another operation") as caught:
        explain_file(path, "x*y")
    assert '--operation "x + y" --by "x*y"' in caught.value.line
    (found,) = explain_file(path, "x + y", by="x*y")
    assert found.verdict == "not explained"
    assert found.control == Control("x*y", same_characters=False)

    assert found.embedding.keys == ()


@pytest.mark.parametrize("name", ["W_E", "embed", "W_U", "unembedding.weight"])
def test_a_table_is_seen_in_its_own_place(tmp_path: Path, name: str) -> None:
    path = tmp_path / "tables.npz"
    tables: dict[str, Any] = {name: circles((3, 7))}
    np.savez(path, **tables)
    (found,) = explain_file(path, "x + y", p=P)
    keys = [set(found.embedding.keys), set(found.neuron_logit_map.keys)]
    of_answers = name.lower().startswith(("w_u", "unembed"))
    assert keys == [set(), {3, 7}] if of_answers else [{3, 7}, set()]
    assert found.verdict == "not decided"


def test_several_tables_are_several_explanations(tmp_path: Path) -> None:
    path = tmp_path / "tables.safetensors"
    save_file({"embed": circles((2, 4)), "W_U": circles((5, 9))}, path)
    found = explain_file(path, "x + y", p=P)
    assert len(found) == 2
    keys = {frozenset(e.embedding.keys + e.neuron_logit_map.keys) for e in found}
    assert keys == {frozenset({2, 4}), frozenset({5, 9})}


def test_a_modulus_leaves_other_rows_out(tmp_path: Path) -> None:
    path = tmp_path / "table.npy"
    np.save(path, np.concatenate([circles((3, 7)), 9 * np.ones((2, 4))]))
    (found,) = explain_file(path, "x + y", p=P)
    assert set(found.embedding.keys) == {3, 7}


def test_by_another_operation_a_table_has_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "table.npy"
    np.save(path, circles((3, 7)))
    (found,) = explain_file(path, "x + y", p=P, by="x*y")
    assert found.embedding.keys == ()
    assert found.structure.n == P - 1
    assert found.claims[ClaimId.EMBEDDING_KEYS].fails
    assert found.verdict == "not decided"
    assert found.control == Control("x*y", same_characters=False)


@pytest.mark.parametrize("table", [np.zeros((P, 4)), np.full((P, 4), 0.1), np.ones((P, 4), int)])
@pytest.mark.parametrize("operation", ["x + y", "x*y"])
def test_a_table_whose_rows_are_all_alike_holds_nothing_to_test(
    tmp_path: Path, table: np.ndarray, operation: str
) -> None:
    np.save(tmp_path / "W_E.npy", table)
    (found,) = explain_file(tmp_path / "W_E.npy", operation, p=P)
    assert found.verdict == "not decided"
    assert found.claims[ClaimId.EMBEDDING_KEYS].verdict == "not testable"
    assert not any(found.embedding.spectrum)
    told = sentences(found)
    assert "W_E holds nothing to test: all its rows are alike." in told
    assert told[-1] == "It is not decided: there is nothing in it to test."
    assert gs.explain_table(table, operation).verdict == "not decided"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: np.save(path, np.zeros(5)), "no table to explain"),
        (lambda path: path.write_bytes(b"nothing"), "damaged"),
    ],
)
def test_what_is_no_table_is_refused(
    tmp_path: Path, write: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "table.npy"
    write(path)
    with pytest.raises(UsageError, match=message):
        explain_file(path, "x + y", p=P)


def test_each_answer_names_its_table_and_what_was_taken(tmp_path: Path) -> None:
    path = tmp_path / "theirs.npz"
    tables: dict[str, Any] = {
        "unembed.W_U": circles((5, 9)).T,
        "embed.W_E": np.concatenate([circles((2, 4)), np.ones((1, 4))]),
        "weights": circles((3, 7)),
        "W_in": np.ones((4, 60)),
    }
    np.savez(path, **tables)
    left = []
    found = explain_file(path, "x + y", p=P, skipped=lambda *reason: left.append(reason))
    assert [to_plain(e.table) for e in found] == [
        {"name": "unembed.W_U", "role": "readout", "axis": 1, "length": P, "left_out": []},
        {"name": "embed.W_E", "role": "embedding", "axis": 0, "length": P + 1, "left_out": [P]},
        {"name": "weights", "role": None, "axis": 0, "length": P, "left_out": []},
    ]
    assert [name for name, _ in left] == ["W_in"]
    told = [" ".join(sentences(e)) for e in found]
    assert told[0].startswith("unembed.W_U, read as a readout: 23 residues, all 23 columns. ")
    assert "1 left out (23)" in told[1]
    assert " embed.W_E lays the residues out by " in told[1]
    assert " unembed.W_U reads the answers at " in told[0]
    assert "a table whose name does not say of what" in told[2]
    for text, explanation in zip(told, found, strict=True):
        assert not {"W_L", "W_U's"} & set(text.split())
        assert explanation.table is not None
        assert headline(explanation).startswith(explanation.table.name)
    with pytest.raises(UsageError, match="no table to explain"):
        explain_file(path, "x + y", p=11)
    with pytest.raises(UsageError, match="is not known"):
        explain_file(path, "x + y")


def test_in_python_a_file_is_explained_by_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "W.npy"
    np.save(path, np.ascontiguousarray(circles((3, 7))[:, :30].T))
    (found,) = gs.explain(path, operation="x + y", p=P)
    assert set(found.embedding.keys) == {3, 7}
    assert found.table == TableSource("W", None, axis=1, length=P)
    assert gs.measure(path, p=P)["W"]["axis"] == 1
    with pytest.raises(UsageError, match="needs its operation"):
        gs.explain(path, p=P)


def test_a_table_that_is_not_finite_is_named_and_the_others_are_explained(tmp_path: Path) -> None:
    good, bad = circles((2, 5)), circles((2, 5))
    bad[3, 1] = np.nan
    np.savez(tmp_path / "tables.npz", W_E=good, W_bad=bad, W_U=2 * good)
    skipped: dict[str, str] = {}
    found = explain_file(tmp_path / "tables.npz", "x + y", p=P, skipped=skipped.__setitem__)
    assert [e.table.name for e in found if e.table] == ["W_E", "W_U"]
    assert skipped == {"W_bad": "it holds values that are not finite"}
