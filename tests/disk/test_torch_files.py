"""Checkpoints of PyTorch: read as PyTorch reads them, and nothing in them runs."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.disk.torch_writer import (
    SIX,
    Call,
    Name,
    Raw,
    described,
    pickled,
    read,
    refused,
    saved,
    tensor,
    torch_zip,
    zipped,
)

from grokscope.disk import memory
from grokscope.disk.tables import read_tables
from grokscope.disk.torch_files import SUFFIXES, read_torch
from grokscope.errors import GrokscopeError, UsageError


def test_a_file_by_hand(tmp_path: Path) -> None:
    rows = tensor((2, 3), (3, 1))
    state = Call("collections.OrderedDict", (), {"_metadata": {"": {"version": 1}}})
    found = read(tmp_path, described({"W": rows, "last": tensor((2,), (1,), offset=4), "s": state}))
    assert list(found.tensors) == ["W", "last"]
    np.testing.assert_array_equal(found.tensors["W"], SIX.reshape(2, 3))
    np.testing.assert_array_equal(found.tensors["last"], SIX[4:])
    assert found.facts == {"s": {}}
    assert found.unread == {}


def test_names_lead_through_dictionaries_and_lists(tmp_path: Path) -> None:
    vector = tensor((6,), (1,))
    top = {
        "model": {"blocks": [{"W_Q": vector}, {"W_Q": vector}]},
        "config": {"p": 97, "act": "relu", "dropout": None, "tied": True, "betas": (1, 2)},
        "losses": [3, 2, 1],
        "groups": [{"params": [0, 1], "lr": 1}],
        "device": Call("torch.device", ("cuda", 1)),
        "dtype": Name("torch.float32"),
        "size": Call("torch.Size", ((2, 3),)),
        7: {"x": 8},
    }
    found = read(tmp_path, described(top))
    assert list(found.tensors) == ["model.blocks.0.W_Q", "model.blocks.1.W_Q"]
    assert found.facts == {
        "config.p": 97,
        "config.act": "relu",
        "config.dropout": None,
        "config.tied": True,
        "config.betas": (1, 2),
        "losses": [3, 2, 1],
        "groups": [{"params": [0, 1], "lr": 1}],
        "device": "cuda:1",
        "dtype": "torch.float32",
        "size": (2, 3),
        "7.x": 8,
    }


def test_a_tensor_alone_is_called_as_its_file(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        read(tmp_path, described(tensor((6,), (1,)))).tensors["model"], SIX
    )
    assert list(read(tmp_path, described([tensor((6,), (1,))])).tensors) == ["0"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tables_are_read_under_every_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    sparse = Call("torch._utils._rebuild_sparse_tensor", ())
    top = {"model": {"W_E": tensor((3, 2), (2, 1)), "S": sparse}, "config": {"p": 3}}
    path.write_bytes(described(top))
    tables = read_tables(path)
    np.testing.assert_array_equal(tables["model.W_E"].array, SIX.reshape(3, 2))
    assert tables["model.W_E"].p == 3
    assert tables["model.S"].problem == "it is sparse, and only dense tensors are read"


def test_the_modulus_is_not_taken_from_anywhere(tmp_path: Path) -> None:
    for top, p in (({"p": 5}, 5), ({"config": {"p": 5}}, 5), ({"norm": {"p": 2}}, None)):
        (tmp_path / "model.pt").write_bytes(described(top | {"W": tensor((6,), (1,))}))
        assert read_tables(tmp_path / "model.pt")["W"].p == p


def test_a_training_checkpoint_as_pytorch_reads_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(
        OrderedDict(
            embed=torch.nn.Embedding(5, 4), norm=torch.nn.BatchNorm1d(4), out=torch.nn.Linear(4, 5)
        )
    )
    model.out.weight = model.embed.weight
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.arange(5)).sum().backward()
    optimizer.step()
    top = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "parameter": model.out.bias,
        "rng": torch.get_rng_state(),
        "loss": np.float64(0.25),
        "epoch": 3,
    }
    for protocol in (2, 4):
        found = read(tmp_path, saved(torch, top, pickle_protocol=protocol))
        for name, wanted in model.state_dict().items():
            np.testing.assert_array_equal(found.tensors[f"model.{name}"], wanted.numpy())
        assert found.tensors["model.out.weight"] is found.tensors["model.embed.weight"]
        moment = optimizer.state_dict()["state"][0]["exp_avg"]
        np.testing.assert_array_equal(
            found.tensors["optimizer.state.0.exp_avg"], moment.detach().numpy()
        )
        np.testing.assert_array_equal(found.tensors["parameter"], model.out.bias.detach().numpy())
        np.testing.assert_array_equal(found.tensors["rng"], top["rng"].numpy())
        assert (found.facts["loss"], found.facts["epoch"]) == (0.25, 3)
        assert found.facts["optimizer.param_groups"] == optimizer.state_dict()["param_groups"]


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_programs_are_refused_and_never_run(tmp_path: Path, protocol: int) -> None:
    trace = tmp_path / "trace"
    data = pickle.dumps({"W": Bomb(trace)}, protocol)
    pickle.loads(data)
    trace.rmdir()
    line = refused(tmp_path, torch_zip(data))
    assert f"model.pt' is not a plain checkpoint of PyTorch: it needs '{os.name}.mkdir'" in line
    assert not trace.exists()


def test_a_whole_module_is_told_to_be_one(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    line = refused(tmp_path, saved(torch, {"model": torch.nn.Linear(2, 2)}))
    assert "it needs 'torch.nn.modules.linear.Linear'" in line
    assert "not whole modules" in line
    assert "torch.save(model.state_dict(), 'weights.pt')" in line


@pytest.mark.parametrize(
    "name",
    [
        "builtins.eval",
        "torch.load",
        "torch._utils._rebuild_tensor_v2.__globals__",
        "torch.FloatStorage._load",
        "__torch__.Net",
    ],
)
def test_names_outside_of_the_table(tmp_path: Path, name: str) -> None:
    for top in (Name(name), Call(name, ("1",)), [tensor((6,), (1,)), Name(name)]):
        assert f"it needs '{name}'" in refused(tmp_path, described(top))


def test_a_tensor_repeated_along_an_axis_counts_as_long_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tensor((1000, 6), (0, 1))
    assert read(tmp_path, described(top)).tensors["model"].shape == (1000, 6)
    monkeypatch.setattr(memory, "free_memory", lambda: 23_999.0)
    with pytest.raises(GrokscopeError, match="there is not enough memory to read") as caught:
        read(tmp_path, described(top))
    assert caught.value.exit_code == 1


def test_contents_that_repeat_themselves(tmp_path: Path) -> None:
    inside_itself = Raw(b"]q\x00h\x00a")
    # [[[…, …], […, …]], …], 60 lists of which each holds twice the one before
    doubled = b"".join(b"0](h%ch%ceq%c" % (i, i, i + 1) for i in range(60))
    deep = {"W": 1}
    for _ in range(100):
        deep = {"x": deep}
    for top in (inside_itself, Raw(b"Nq\x00" + doubled), deep):
        assert "contains itself, or repeats" in refused(tmp_path, described({"a": top}))


def test_two_entries_of_one_name(tmp_path: Path) -> None:
    top = {"a.b": tensor((6,), (1,)), "a": {"b": 1}}
    assert "two of its entries are called 'a.b'" in refused(tmp_path, described(top))


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["/archive/data.pkl"], "'/archive/data.pkl' lies outside"),
        (["../data.pkl"], "'../data.pkl' lies outside"),
        (["archive/data.pkl", "archive/../data/0"], "'archive/../data/0' lies outside"),
        (["archive/data.pkl", "other/data/0"], "lies outside of its folder"),
        (["archive/data.pkl", "archive/data/0", "archive/data/0"], "two of its parts are called"),
        (["archive/data.pkl", "archive/data.pkl\0x"], "two of its parts are called"),
        (["archive/table.npy"], "it has no part data.pkl"),
        ([], "it has no part data.pkl"),
    ],
)
def test_names_of_parts(tmp_path: Path, names: list[str], why: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            part = zipfile.ZipInfo()
            part.filename = name
            archive.writestr(part, pickled({"a": 1}))
    assert why in refused(tmp_path, file.getvalue())


def test_compressed_parts_are_refused(tmp_path: Path) -> None:
    bomb = zipped({"archive/data.pkl": b"\x80\x02" + b"}" * 10**6}, zipfile.ZIP_DEFLATED)
    assert "its parts are compressed" in refused(tmp_path, bomb)


def test_parts_that_claim_to_be_longer_than_the_file(tmp_path: Path) -> None:
    data = described(tensor((6,), (1,)))
    # both lengths of the first entry in the directory
    start = data.index(b"PK\x01\x02") + 20
    data = data[:start] + b"\xf0\xff\xff\xff" * 2 + data[start + 8 :]
    assert "is damaged" in refused(tmp_path, data)


def test_other_kinds_of_files(tmp_path: Path) -> None:
    torch_before_1_6 = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    line = refused(tmp_path, torch_before_1_6)
    assert "it is in the format before PyTorch 1.6; write it anew with PyTorch" in line
    assert "torch.save(torch.load('model.pt', weights_only=True), 'model.pt')" in line
    assert "it is a bare pickle" in refused(tmp_path, pickle.dumps({"W": [1.0]}))
    assert "it is no zip file" in refused(tmp_path, b"")
    assert "it is no zip file" in refused(tmp_path, b"\x93NUMPY")
    with pytest.raises(UsageError, match="no such file"):
        read_torch(tmp_path / "missing.pt")


def test_the_format_before_1_6_as_pytorch_writes_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    data = saved(torch, {"W": torch.ones(2)}, _use_new_zipfile_serialization=False)
    assert "it is in the format before PyTorch 1.6" in refused(tmp_path, data)


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    data = described({"W": tensor((2, 3), (3, 1))})
    noticed = 0
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 0xFF
        (tmp_path / "model.pt").write_bytes(changed)
        try:
            found = read_torch(tmp_path / "model.pt").tensors["W"]
        except UsageError:
            noticed += 1
        else:
            np.testing.assert_array_equal(found, SIX.reshape(2, 3))
    # all of the numbers and of the pickle, to begin with
    assert noticed > SIX.nbytes + len(pickled({"W": tensor((2, 3), (3, 1))}))
