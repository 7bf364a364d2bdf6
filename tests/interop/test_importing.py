"""Files of others: recognised, checked on all pairs, and refused in one line where they are not."""

import json
import random
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.interop.planted import P, one_hot_mlp, transformer_weights

import grokscope as gs
from grokscope.cli import main
from grokscope.config.imported import Form
from grokscope.explanation.of_run import load_network
from grokscope.explanation.verdict import ClaimId
from grokscope.interop.importing import recognise
from grokscope.interop.layout_files import parse_layout
from grokscope.interop.splits import pairs_of_split
from grokscope.tasks import Task, parse

SMALL: Final[dict[str, Any]] = {
    "preset": "quick",
    "p": 7,
    "train_fraction": 0.9,
    "steps": 300,
    "quiet": True,
}
OWN: Final = """
description = "a transformer of ours, as somebody else would name it"
[wiring]
tokens = ["x", "y"]
causal = false
[sizes]
head = 3
[tensors]
W_E = "emb.weight: token d_model"
W_pos = "pos: position d_model"
"W_QKV.{block}" = "layers.{block}.qkv: (qkv head d_head) d_model"
"W_O.{block}" = "layers.{block}.out: d_model (head d_head)"
"W_in.{block}" = "layers.{block}.up: neuron d_in"
"W_out.{block}" = "layers.{block}.down: d_model neuron"
W_U = "head.weight: answer d_model"
"""


@pytest.fixture(scope="module")
def one_hot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that answers x + y mod 23, of one-hot inputs, in safetensors."""
    path = tmp_path_factory.mktemp("files") / "net.safetensors"
    save_file(one_hot_mlp(), path)
    return path


def test_a_one_hot_network_is_recognised_and_explained(one_hot: Path, tmp_path: Path) -> None:
    run = gs.import_(one_hot, "x + y", out=tmp_path / "net", quiet=True)
    assert run.status == "imported"
    (found,) = run.explain()
    assert found.verdict == "explained"
    assert found.embedding.name == "W_E of x and of y"
    assert set(found.neuron_logit_map.keys) == {3, 5, 8}
    assert found.claims[ClaimId.PATCHING].value == 1


@pytest.mark.parametrize("turned", [False, True])
def test_a_one_hot_network_is_known_by_its_lengths(tmp_path: Path, turned: bool) -> None:
    own = one_hot_mlp()
    names = {"0.weight": "encoder", "0.bias": "b1", "2.weight": "decoder", "2.bias": "b2"}
    tensors = {names[k]: np.ascontiguousarray(W.T) if turned else W for k, W in own.items()}
    save_file(tensors, tmp_path / "net.safetensors")
    found = recognise(tmp_path / "net.safetensors", "x + y")
    assert (found.layout.name, found.accuracy, found.left_out) == ("mlp-by-shape", 1, ())
    save_file({"encoder": own["0.weight"], "decoder": own["2.weight"]}, tmp_path / "b.safetensors")
    assert recognise(tmp_path / "b.safetensors", "x + y").accuracy == 1


def test_tables_of_their_own_for_x_and_y(tmp_path: Path) -> None:
    own = one_hot_mlp()
    of_x, of_y = own["0.weight"][:, :P].T, own["0.weight"][:, P:].T
    wide = np.eye(of_x.shape[1], dtype=np.float32)
    tensors = {
        "W_x": of_x,
        "W_y": of_y,
        "W": np.concatenate([wide, wide]),
        "W_U": own["2.weight"].T,
    }
    path = tmp_path / "net.safetensors"
    save_file({name: np.ascontiguousarray(W) for name, W in tensors.items()}, path)
    found = recognise(path, "x + y")
    assert (found.layout.name, found.accuracy) == ("group-composition", 1)
    run = gs.import_(path, "x + y", out=tmp_path / "run", quiet=True)
    assert run.explain()[0].embedding.name == "W_E of x and of y"


def test_what_was_recognised_is_said(one_hot: Path) -> None:
    told = recognise(one_hot, "x + y").sentences()
    assert told[0].startswith("net.safetensors has the layout torch-linear")
    assert told[1].startswith(
        "An MLP with 1 hidden layer, adds the rows of x and y + p; W_E 46×192"
    )
    assert told[2] == "It has no positions, biases b_U b_in, no norms, activation relu."
    assert "its accuracy is 1.0000" in told[-2]
    assert told[-1] == "Pairs that trained: not known."


@pytest.mark.parametrize("ending", ["npz", "pt", "inside"])
def test_other_kinds_of_files_hold_the_same(one_hot: Path, tmp_path: Path, ending: str) -> None:
    tensors, path = one_hot_mlp(), tmp_path / f"net.{'npz' if ending == 'npz' else 'pt'}"
    if ending == "npz":
        np.savez(path, **dict[str, Any](tensors))
    else:
        torch = pytest.importorskip("torch")
        state = {name: torch.from_numpy(W) for name, W in tensors.items()}
        torch.save({"model": state, "epoch": 3} if ending == "inside" else state, path)
    found, other = recognise(path, "x + y"), recognise(one_hot, "x + y")
    assert (found.accuracy, found.loss) == (other.accuracy, other.loss)


def test_a_layout_of_ones_own_is_read_and_turned() -> None:
    weights = transformer_weights(np.random.default_rng(0), layers=2, pos=2)
    file = {
        "emb.weight": weights["W_E"],
        "pos": weights["W_pos"],
        "head.weight": weights["W_U"].T.copy(),
    }
    for i in range(2):
        turned = [np.moveaxis(weights[f"W_{one}.{i}"], 1, 2).reshape(-1, 12) for one in "QKV"]
        file |= {
            f"layers.{i}.qkv": np.concatenate(turned),
            f"layers.{i}.out": weights[f"W_O.{i}"].reshape(-1, 12).T.copy(),
            f"layers.{i}.up": weights[f"W_in.{i}"].T.copy(),
            f"layers.{i}.down": weights[f"W_out.{i}"].T.copy(),
        }
    layout = parse_layout(OWN, "mine")
    found = layout.weights(file)
    assert layout.left_out(file) == []
    for name, W in found.items():
        assert np.array_equal(W, weights[name]), name
    config = layout.config(found, 7)
    assert (config.p, config.tokens, config.causal) == (7, ("x", "y"), False)
    assert layout.fits(file)


def test_wiring_that_is_wrong_is_seen_in_the_answers(tmp_path: Path) -> None:
    tensors = one_hot_mlp()
    tensors["0.weight"] = -tensors["0.weight"]  # answers only where ReLU is x²: cos of 2k
    path = tmp_path / "net.safetensors"
    save_file(tensors, path)
    with pytest.raises(gs.errors.UsageError, match="accuracy 0") as caught:
        recognise(path, "x*y")
    assert "answers like chance" in str(caught.value)


def test_what_its_authors_say_is_compared(one_hot: Path) -> None:
    assert recognise(one_hot, "x + y", accuracy=0.995).accuracy == 1
    with pytest.raises(gs.errors.UsageError, match="other than its authors say"):
        recognise(one_hot, "x + y", accuracy=0.58)


def shuffled(seed: int) -> list[int]:
    """As people write it: all pairs in a list, shuffled, the first part trains."""
    pairs = [(i, j) for i in range(P) for j in range(P)]
    random.seed(seed)
    random.shuffle(pairs)
    return sorted(i * P + j for i, j in pairs[: int(0.3 * len(pairs))])


def test_splits_are_drawn_as_people_draw_them(tmp_path: Path) -> None:
    task = Task((parse("x + y"),), P)
    assert pairs_of_split("random.shuffle:598:0.3", task).tolist() == shuffled(598)
    sizes: dict[str, Any] = SMALL | {"p": P, "train_fraction": 0.3, "steps": 2, "seeds": (4,)}
    ours = gs.train("x + y", **sizes, d_model=8, heads=1, d_mlp=4, out=tmp_path / "run")
    known = np.asarray(ours.network(4).sides()["train"]).ravel()
    assert pairs_of_split("grokscope:4:0.3", task).tolist() == np.flatnonzero(known).tolist()


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_randperm_is_that_of_torch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(seed)
    order = torch.randperm(P * P).numpy()
    found = pairs_of_split(f"torch.randperm:{seed}:0.3", Task((parse("x + y"),), P))
    assert found.tolist() == sorted(order[: int(0.3 * P * P)].tolist())


@pytest.mark.parametrize("kind", ["csv", "npy", "mask"])
def test_a_file_of_pairs_makes_unleaked_accuracy_possible(
    one_hot: Path, tmp_path: Path, kind: str
) -> None:
    numbers = np.array(shuffled(0))
    pairs = np.stack(np.divmod(numbers, P), axis=1)
    path = tmp_path / f"pairs.{'csv' if kind == 'csv' else 'npy'}"
    if kind == "csv":
        path.write_text("x,y\n" + "\n".join(f"{x},{y}" for x, y in pairs))
    elif kind == "npy":
        np.save(path, pairs)
    else:
        mask = np.zeros(P * P, bool)
        mask[numbers] = True
        np.save(path, mask.reshape(P, P))
    run = gs.import_(one_hot, "x + y", split=str(path), out=tmp_path / "run", quiet=True)
    net = run.network()
    assert np.flatnonzero(np.asarray(net.sides()["train"])).tolist() == numbers.tolist()
    assert set(net.accuracy()) == {"all", "train", "test", "unleaked"}


def test_an_imported_run_is_a_run_like_any_other(one_hot: Path, tmp_path: Path) -> None:
    run = gs.import_(one_hot, "x + y", out=tmp_path / "net", quiet=True)
    net = run.network()
    assert net.accuracy() == {"all": 1.0}
    assert net.logits([3, 4]).values.argmax() == 7
    assert net.activations(names=["hidden.0.post"])["hidden.0.post"].axes == ("x", "y", "neuron")
    zero = net.logits([3, 4], edits={"hidden.0.post": gs.edits.zero()})
    assert np.ptp(zero.values) == 0
    assert net.positions == ("x", "y")
    page = run.report()
    assert "imported from" in page.read_text()
    assert [line.operation for line in gs.runs(tmp_path)] == ["x + y"]
    table = gs.measure(sorted(run.path.glob("checkpoints/*/*"))[0], tables=("W_U",))
    assert table["W_U"]["p"] == P
    sizes: dict[str, Any] = SMALL | {"p": P, "architecture": "mlp", "load": ("embedding",)}
    with pytest.raises(gs.errors.UsageError, match="trained elsewhere"):
        gs.train("x + y", **sizes, source=run, out=tmp_path / "x")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> gs.Run:
    """A transformer of ours that has learned most of x + y mod 7, in a few seconds."""
    out = tmp_path_factory.mktemp("tiny") / "run"
    return gs.train("x + y", **SMALL, d_model=16, heads=2, d_mlp=32, out=out)


@pytest.mark.parametrize("form", ["transformer-lens", "torch", "safetensors"])
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_what_is_exported_can_be_imported_again(
    tiny: gs.Run, tmp_path: Path, form: Form, ending: str
) -> None:
    if ending == "pt":
        pytest.importorskip("torch")
    file = gs.export(tiny, tmp_path / f"net.{ending}", form=form)
    again = gs.import_(file, "x + y", out=tmp_path / "again", quiet=True).network()
    assert np.abs(again.logits().values - tiny.network().logits().values).max() < 1e-4


def test_an_mlp_of_ours_is_exported_too(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"architecture": "mlp", "layers": 2, "d_model": 32, "d_embedding": 8}
    run = gs.train("x + y", **SMALL, **sizes, out=tmp_path / "run")
    file = gs.export(run, tmp_path / "net.safetensors", form="safetensors")
    again = gs.import_(file, "x + y", out=tmp_path / "again", quiet=True).network()
    assert np.abs(again.logits().values - run.network().logits().values).max() < 1e-4
    with pytest.raises(gs.errors.UsageError, match="no such network; got 'an MLP alone'"):
        gs.export(run, tmp_path / "lens.safetensors")


def files(folder: Path) -> dict[str, list[str]]:
    """Wrong command lines by what is wrong with them."""
    tensors = one_hot_mlp()

    def saved(name: str, **changes: Any) -> str:
        made = {k: v for k, v in (tensors | changes).items() if v is not None}
        save_file(made, folder / name)
        return str(folder / name)

    good = saved("good.safetensors")
    (folder / "bad.toml").write_text("[tensors]\nW_E = 'a: token'\n")
    (folder / "half.toml").write_text("[tensors]\nW_E = 'a: token d_model'\n")
    (folder / "role.toml").write_text("[tensors]\nW_F = 'a: token d_model'\n")
    (folder / "no.toml").write_text("[tensors\n")
    (folder / "pairs.csv").write_text("x,y\n1,two\n")
    with zipfile.ZipFile(folder / "evil.pt", "w") as archive:
        archive.writestr("evil/data.pkl", b"cos\nsystem\n(S'touch run-by-a-pickle'\ntR.")
    nan = tensors["2.weight"].copy()
    nan[0, 0] = np.nan
    turned = np.ascontiguousarray(tensors["0.weight"].T)
    plus = ["--operation", "x + y"]
    return {
        "no operation": [good],
        "no file": [str(folder / "missing.pt"), *plus],
        "another operation": [good, "--operation", "x*y"],
        "no such operation": [good, "--operation", "x ! y"],
        "p too large": [good, *plus, "--p", "24"],
        "p too small": [good, *plus, "--p", "22"],
        "unknown layout": [good, *plus, "--layout", "transformer-lense"],
        "another layout": [good, *plus, "--layout", "clock-pizza"],
        "axes of a layout": [good, *plus, "--layout", str(folder / "bad.toml")],
        "layout without W_U": [good, *plus, "--layout", str(folder / "half.toml")],
        "unknown role": [good, *plus, "--layout", str(folder / "role.toml")],
        "no TOML": [good, *plus, "--layout", str(folder / "no.toml")],
        "unknown setting": [good, *plus, "--set", "casual=true"],
        "half a setting": [good, *plus, "--set", "causal"],
        "value of a setting": [good, *plus, "--set", "activation=tanh"],
        "tokens": [good, *plus, "--set", "tokens=x x"],
        "transposed": [saved("turned.safetensors", **{"0.weight": turned}), *plus],
        "missing tensor": [saved("less.safetensors", **{"2.weight": None}), *plus],
        "not finite": [saved("nan.safetensors", **{"2.weight": nan}), *plus],
        "a pickle that runs a command": [str(folder / "evil.pt"), *plus],
        "accuracy": [good, *plus, "--accuracy", "0.5"],
        "split": [good, *plus, "--split", "random.shuffle:0"],
        "fraction": [good, *plus, "--split", "torch.randperm:0:1.5"],
        "pairs": [good, *plus, "--split", str(folder / "pairs.csv")],
    }


def test_wrong_imports_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, words in files(tmp_path).items():
        code = main(["import", *words])
        text = capsys.readouterr().err
        assert code == 2, (name, text)
        assert text.count("grokscope: ") == 1, (name, text)
        assert "Traceback" not in text, (name, text)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "run-by-a-pickle").exists()


def test_wrong_exports_are_one_line(
    tiny: gs.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.safetensors"
    there.write_text("mine")
    for words in (
        [],
        ["--out", str(tmp_path / "net.onnx")],
        ["--out", str(there)],
        ["--out", str(tmp_path / "net.pt"), "--format", "lens"],
        ["--out", str(tmp_path / "net.pt"), "--seed", "5"],
        ["--out", str(tmp_path / "net.pt"), "--step", "7"],
    ):
        assert main(["export", str(tiny.path), *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert there.read_text() == "mine"


def test_json_is_one_document(
    one_hot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(one_hot), "--operation", "x + y", "--json", "--out", str(tmp_path / "net")]
    assert main(["import", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["layout"] == "torch-linear"
    assert document["accuracy"] == 1
    model = load_network(gs.RunFolder(document["path"]), 0).model
    assert model.p == P
