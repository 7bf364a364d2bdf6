"""grokscope explain: what it prints for a run, a control, a file, and over time."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grokscope.cli import main
from grokscope.disk.explanations import EXPLANATION_NAME, RULES
from grokscope.disk.folder import RunFolder
from grokscope.disk.tensors import read
from grokscope.explanation.verdict import VERDICTS
from grokscope.tasks.structure import structure

P = 11
CLAIM = ["name", "statement", "value", "control", "n", "verdict", "decisive"]
FIELDS = [
    "operation",
    "p",
    "seed",
    "step",
    "verdict",
    "structure",
    "levels",
    "runner_up",
    "embedding",
    "readout",
    "families",
    "causal",
    "logits",
    "neurons",
    "attention",
    "algorithm",
    "closed_form",
    "claims",
    "keys",
    "by",
    "table",
]
TABLE = [
    "basis",
    "key_frequencies",
    "pointed_at",
    "ghosts",
    "energy_in_keys",
    "null_energy",
    "gini",
    "spectrum",
    "saturated",
    "name",
]
STRUCTURE = {"family", "group", "n", "u", "v", "g", "words", "relation", "characters"}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two seeds that was stopped long before it grokked."""
    path = tmp_path_factory.mktemp("explain") / "run"
    words = shlex.split(
        f"""train x*y --preset quick --p {P} --seeds 0 1 --steps 100 --d-model 16 --heads 2
        --d-mlp 16 --quiet --no-report"""
    )
    assert main([*words, "--out", str(path)]) == 0
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run, without what earlier tests left in it."""
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / EXPLANATION_NAME).unlink(missing_ok=True)
    return tmp_path / "run"


@pytest.fixture
def checkpoint(run: Path) -> str:
    """The last checkpoint of the first seed."""
    return str(max((run / "checkpoints" / "seed-0").iterdir()))


def explained(cli: Any, *words: str) -> Any:
    outcome = cli("explain", *words, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("\n") == 1
    return json.loads(outcome.out, parse_constant=pytest.fail)


def assert_schema(document: dict[str, Any]) -> None:
    """Every field that `Explanation` documents is there, whatever was found."""
    assert list(document) == FIELDS
    assert document["verdict"] in VERDICTS
    assert set(document["structure"]) == STRUCTURE
    for place in ("embedding", "readout"):
        assert list(document[place]) == TABLE
        tests = {"keep", "remove", "control", "keep_others"}
        assert set(document["causal"][place]) == tests
    assert {"full", "chance", "both_keep", "neurons", "families", "patching"} <= set(
        document["causal"]
    )
    assert {"agreement", "numbers"} <= set(document["closed_form"])
    assert {"table_a4", "key_shapes"} <= set(document["logits"])
    assert all(list(claim) == CLAIM for claim in document["claims"])
    assert document["claims"]


def test_one_network_is_an_object_and_several_are_a_list(cli: Any, run: Path) -> None:
    both = explained(cli, str(run))
    assert [document["seed"] for document in both] == [0, 1]
    for document in both:
        assert_schema(document)
    one = explained(cli, str(run), "--seeds", "1")
    assert one == both[1]
    assert one["operation"] == "x*y"
    assert one["structure"]["group"] == f"Z_{P - 1}"
    stored = json.loads((run / EXPLANATION_NAME).read_text("utf-8"))
    digests = {
        f"{seed}/{one['step']}": RunFolder.open(run).checkpoint_digest(seed, one["step"])
        for seed, one in enumerate(both)
    }
    assert stored == {
        "format": 1,
        "rules": RULES,
        "checkpoints": digests,
        "explanations": both,
    }


def test_a_step_or_another_structure_leaves_nothing_in_the_folder(cli: Any, run: Path) -> None:
    (step, *_) = [s for s in RunFolder.open(run).checkpoint_steps(0) if s > 0]
    early = explained(cli, str(run), "--seeds", "0", "--step", str(step))
    assert early["step"] == step
    control = explained(cli, str(run), "--seeds", "0", "--by", "x + y")
    assert_schema(control)
    assert control["structure"]["group"] == f"Z_{P}"
    assert control["operation"] == "x*y"
    assert control["by"] == {"operation": "x + y", "same_characters": False}
    page = cli("explain", str(run), "--seeds", "0", "--by", "x + y").out
    first, _, second, *_ = page.splitlines()
    assert first.startswith(f"x*y mod {P}, seed 0, step 100, a control, read by x + y: ")
    assert second.startswith("This is a control: the network was trained on x*y")
    assert not (run / EXPLANATION_NAME).exists()


def test_over_time_says_when_each_claim_became_true(cli: Any, run: Path) -> None:
    document = explained(cli, str(run), "--seeds", "0", "--over-time")
    assert list(document) == ["operation", "seed", "grokked_at", "moments", "verdicts", "by"]
    steps = [s for s in RunFolder.open(run).checkpoint_steps(0) if s > 0]
    assert [moment["step"] for moment in document["verdicts"]] == steps
    assert {moment["claim"] for moment in document["moments"]} > {"grokked", "structure"}
    page = cli("explain", str(run), "--seeds", "0", "--over-time").out
    assert page.startswith("x*y, seed 0: not grokked\n")
    assert "structure" in page
    assert f"from step {steps[0]:,}" in page


def test_the_page_names_what_fails_and_fits_a_terminal(cli: Any, run: Path) -> None:
    outcome = cli("explain", str(run), "--seeds", "0")
    assert outcome.code == 0
    first, *rest = outcome.out.splitlines()
    assert first.startswith(f"x*y mod {P}, seed 0, step 100: ")
    assert "x*y is multiplication mod 11" in outcome.out
    found = explained(cli, str(run), "--seeds", "0")
    for claim in found["claims"]:
        if claim["verdict"] != "holds":
            assert claim["name"] in outcome.out
    assert max(map(len, rest)) <= 100
    assert len(rest) <= 50


def test_a_seed_that_diverged_is_one_line_and_the_others_are_explained(cli: Any, run: Path) -> None:
    """Weights whose product overflows, as after a step that was too large."""
    path = max((run / "checkpoints" / "seed-1").iterdir())
    content = read(path)
    huge = {
        name: 1e25 * W if name in ("W_out", "W_U") else W for name, W in content.tensors.items()
    }
    step = content.meta["step"]
    for file in (run / "checkpoints" / "seed-1").iterdir():
        file.unlink()
    axes = {name: ("a",) * W.ndim for name, W in huge.items()}
    RunFolder.open(run).save_checkpoint(1, step, huge, axes, content.meta)
    said = f"x*y mod {P}, seed 1, step {step}: W_L holds numbers that are not finite"
    both = cli("explain", str(run))
    assert both.code == 0
    assert both.out.startswith(f"x*y mod {P}, seed 0, ")
    assert both.err.startswith(f"left out: {said}")
    assert both.err.count("\n") == 1
    for words in ([], ["--json"]):
        alone = cli("explain", str(run), "--seeds", "1", *words)
        assert (alone.code, alone.out) == (1, "")
        assert alone.err.startswith(f"grokscope: {said}")
        assert alone.err.count("\n") == 1
    stored = json.loads((run / EXPLANATION_NAME).read_text("utf-8"))
    assert [e["seed"] for e in stored["explanations"]] == [0, 1]


def test_a_checkpoint_is_explained_without_its_run(cli: Any, checkpoint: str) -> None:
    document = explained(cli, checkpoint, "--operation", "x*y")
    assert_schema(document)
    grokked = next(c for c in document["claims"] if c["name"] == "grokked")
    assert grokked["verdict"] == "fails"
    assert "its training is not known" in grokked["statement"]
    assert grokked["value"] == document["causal"]["full"]


def circles(u: np.ndarray, n: int, frequencies: tuple[int, ...]) -> np.ndarray:
    angle = 2 * np.pi / n * np.outer(u, frequencies)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def test_a_table_alone_shows_keys_but_nothing_causal(cli: Any, tmp_path: Path) -> None:
    best = structure("x*y", 31).best
    assert best is not None
    noise = np.random.default_rng(0).normal(size=(31, 8)) / 100
    table = np.where(best.u[:, None] >= 0, circles(best.u, best.n, (3, 7, 8, 11)), 0) + noise
    np.save(tmp_path / "embedding.npy", table)
    document = explained(cli, "embedding.npy", "--operation", "x*y", "--p", "31")
    assert_schema(document)
    assert sorted(document["embedding"]["key_frequencies"]) == [3, 7, 8, 11]
    assert document["causal"]["full"] is None
    page = cli("explain", "embedding.npy", "--operation", "x*y", "--p", "31").out
    assert page.startswith("embedding, x*y mod 31: not decided\n")
    assert "a table alone" in page
    assert "keys kept" not in page
    assert "embedding keep" in page


def test_without_a_structure_the_page_says_what_was_searched(cli: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", np.random.default_rng(0).normal(size=(31, 8)))
    document = explained(cli, "table.npy", "--operation", "random", "--p", "31")
    assert_schema(document)
    assert document["verdict"] == "not decided"
    page = cli("explain", "table.npy", "--operation", "random", "--p", "31").out
    assert "none found in" in page


def test_names_are_escaped(cli: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "[bold]W_E.npy", circles(np.arange(31), 31, (3, 7)))
    outcome = cli("explain", "[bold]W_E.npy", "--operation", "x + y", "--p", "31")
    assert (outcome.code, outcome.err) == (0, "")
    assert "\x1b" not in outcome.out
