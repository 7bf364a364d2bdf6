"""From the command line to an explanation, and networks of which nothing must be explained.

A small version of docs/validation.py, which counts many more.
"""

import json
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from grokscope.cli import main
from grokscope.config.run import RunConfig
from grokscope.disk.explanations import EXPLANATION_NAME
from grokscope.disk.folder import RunFolder
from grokscope.explanation.explain import explain_network
from grokscope.explanation.findings import BySide
from grokscope.explanation.network import of_model
from grokscope.explanation.of_run import case_of, explain_networks, load_network
from grokscope.explanation.result import Explanation
from grokscope.tasks import Task


def train(out: Path, *words: str) -> Path:
    """Run `grokscope train` with a small network mod 31."""
    common = ("--preset", "quick", "--p", "31", "--out", str(out), "--quiet", "--no-report")
    assert main(["train", *words, *common]) == 0
    return out


def grokked(out: Path, operation: str) -> Path:
    return train(out, operation, "--train-fraction", "0.7", "--steps", "5000")


@pytest.fixture(scope="module")
def addition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grokked(tmp_path_factory.mktemp("add") / "run", "x + y")


@pytest.fixture(scope="module")
def multiplication(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grokked(tmp_path_factory.mktemp("mul") / "run", "x*y")


@pytest.fixture(scope="module")
def random_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("random") / "run"
    return train(out, "random", "--train-fraction", "0.95", "--steps", "300")


def explained(capsys: pytest.CaptureFixture[str], run: Path, *words: str) -> dict[str, Any]:
    """Run `grokscope explain --json` on a run with one network."""
    capsys.readouterr()
    assert main(["explain", str(run), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def accuracy_of(found: Explanation) -> BySide:
    full = found.ablations.outcomes.full
    assert full is not None
    return full.accuracy


def claims(document: dict[str, Any]) -> dict[str, str]:
    return {claim["name"]: claim["verdict"] for claim in document["claims"]}


@pytest.mark.parametrize("name", ["addition", "multiplication"])
def test_what_has_grokked_is_explained(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest, name: str
) -> None:
    run: Path = request.getfixturevalue(name)
    document = explained(capsys, run)
    # of 15 frequencies the keys and their harmonics may be more than half, which `sparse` forbids
    assert document["verdict"] in ("explained", "partly")
    held = claims(document)
    for claim in (
        "grokked",
        "structure",
        "embedding keys",
        "readout keys",
        "families agree",
        "embedding keep",
        "embedding remove",
        "embedding control",
        "readout keep",
        "both kept",
    ):
        assert held[claim] == "holds", claim
    assert document["structure"]["n"] == (31 if name == "addition" else 30)
    assert document["embedding"]["energy_in_keys"] > 0.8
    assert document["embedding"]["energy_in_keys"] > document["embedding"]["null_energy"]
    stored = json.loads((run / EXPLANATION_NAME).read_text())
    assert stored["explanations"] == [document]


@pytest.mark.parametrize(("name", "by"), [("addition", "x*y"), ("multiplication", "x + y")])
def test_by_the_structure_of_another_operation_it_is_not(
    capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest, name: str, by: str
) -> None:
    run: Path = request.getfixturevalue(name)
    before = (run / EXPLANATION_NAME).exists()
    document = explained(capsys, run, "--by", by)
    assert document["verdict"] == "not explained"
    assert document["embedding"]["key_frequencies"] == []
    assert document["readout"]["key_frequencies"] == []
    # a control is not left in the run
    assert (run / EXPLANATION_NAME).exists() == before


@pytest.mark.parametrize("operation", ["x + y", "x*y", "x^2 + y^2"])
def test_memorised_random_labels_are_not(random_labels: Path, operation: str) -> None:
    (found,) = explain_networks(random_labels, by=operation, thorough=False)
    assert accuracy_of(found).train == pytest.approx(1, abs=0.01)
    assert found.verdict == "not explained"
    assert len(found.embedding.keys + found.neuron_logit_map.keys) <= 1


@pytest.mark.parametrize("name", ["addition", "multiplication"])
def test_what_is_only_memorised_so_far_is_not(request: pytest.FixtureRequest, name: str) -> None:
    (found,) = explain_networks(request.getfixturevalue(name), step=200, thorough=False)
    accuracy = accuracy_of(found)
    assert accuracy.train == pytest.approx(1, abs=0.01)
    assert (accuracy.unleaked or 0) < 0.5
    assert found.verdict == "not explained"
    failing = {str(claim.id) for claim in found.claims.missing}
    assert {"grokked", "embedding keep", "readout keep", "both kept"} <= failing


@pytest.mark.parametrize("name", ["addition", "multiplication"])
def test_with_a_random_unembedding_it_is_not(request: pytest.FixtureRequest, name: str) -> None:
    folder = RunFolder.open(request.getfixturevalue(name))
    config = RunConfig.from_json(folder.manifest.config)
    task = Task.from_config(config.task)
    case, model = case_of(folder, config, task, 0, 0, None), load_network(folder, 0).model
    drawn = np.random.default_rng(0).normal(size=model.W_U.shape)
    drawn *= np.linalg.norm(model.W_U) / np.linalg.norm(drawn)
    model = eqx.tree_at(lambda m: m.W_U, model, jnp.asarray(drawn, jnp.float32))
    labels = task.labels(0)[0].reshape(task.p, task.p)
    found = explain_network(
        of_model(model),
        labels,
        case.search,
        operation=case.operation,
        kind=case.kind,
        grokked=True,
        thorough=False,
    )
    assert found.verdict == "not explained"
    # the embedding still has its keys: alone they are no explanation
    assert len(found.embedding.keys) > 2
    assert claims(found.to_json())["embedding keys"] == "holds"
