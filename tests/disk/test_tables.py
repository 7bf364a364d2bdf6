import io
import json
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from tests.disk.torch_writer import Name, tensor, torch_zip

from grokscope.disk import memory
from grokscope.disk.tables import SUFFIXES, read_facts, read_tables
from grokscope.disk.tensors import encode
from grokscope.errors import GrokscopeError, RunFolderError, UsageError

TABLE = np.arange(15.0).reshape(5, 3)


def torch_file(table: np.ndarray) -> bytes:
    """What torch.save writes of a state dict with this `table`."""
    rows, columns = table.shape
    kind = Name("torch.DoubleStorage")
    content = tensor((rows, columns), (columns, 1), count=table.size, kind=kind)
    return torch_zip({"table": content}, {"0": table.tobytes()})


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_npy(tmp_path: Path):
    np.save(tmp_path / "W_E.npy", TABLE)
    tables = read_tables(str(tmp_path / "W_E.npy"))
    np.testing.assert_array_equal(tables["W_E"].array, TABLE)
    assert tables["W_E"].axes is None


def test_npz(tmp_path: Path):
    np.savez_compressed(tmp_path / "all.npz", W_E=TABLE, W_U=TABLE.T)
    tables = read_tables(tmp_path / "all.npz")
    assert tables.keys() == {"W_E", "W_U"}
    np.testing.assert_array_equal(tables["W_U"].array, TABLE.T)


def test_foreign_safetensors(tmp_path: Path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors.numpy.save({"embed": TABLE, "n": np.array(3)}, {"by": "others"}))
    tables = read_tables(path)
    np.testing.assert_array_equal(tables["embed"].array, TABLE)
    assert tables["n"].array.shape == ()
    assert tables["embed"].axes is None


def test_bfloat16_is_widened_and_unknown_types_do_not_spoil_the_rest(tmp_path: Path):
    # 1.0, -2.5 and 0.15625 are exact in bfloat16: 0x3F80, 0xC020, 0x3E20
    words = np.array([0x3F80, 0xC020, 0x3E20], "<u2")
    specs = {
        name: {"dtype": dtype, "shape": [len(data)], "data": data.tobytes()}
        for name, dtype, data in (
            ("half", "bfloat16", words),
            ("eighth", "float8_e4m3fn", np.array([1, 2], "u1")),
        )
    }
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw_safetensors(specs))
    tables = read_tables(path)
    np.testing.assert_array_equal(tables["half"].array, np.array([1.0, -2.5, 0.15625], np.float32))
    assert tables["eighth"].problem == "it holds F8_E4M3, which NumPy does not have"


def raw_safetensors(specs: dict) -> bytes:
    """The format by hand: length of the header, header, data."""
    codes = {"bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3"}
    header, body = {}, b""
    for name, spec in specs.items():
        offsets = [len(body), len(body) + len(spec["data"])]
        header[name] = {
            "dtype": codes[spec["dtype"]],
            "shape": spec["shape"],
            "data_offsets": offsets,
        }
        body += spec["data"]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def test_a_name_may_end_in_capitals(tmp_path: Path):
    np.save(tmp_path / "W.npy", TABLE)
    np.savez(tmp_path / "W.npz", W=TABLE)
    safetensors.numpy.save_file({"W": TABLE}, tmp_path / "W.safetensors", {"p": "4"})
    for kind in ("npy", "npz", "safetensors"):
        path = (tmp_path / f"W.{kind}").rename(tmp_path / f"W.{kind.upper()}")
        np.testing.assert_array_equal(read_tables(path)["W"].array, TABLE)
    assert read_facts(tmp_path / "W.SAFETENSORS") == {"p": 4}


def test_two_tables_of_one_name_are_not_told_apart(tmp_path: Path):
    one, other = io.BytesIO(), io.BytesIO()
    np.save(one, TABLE)
    np.save(other, 2 * TABLE)
    for names in (("W.npy", "W.npy"), ("W.npy", "W")):
        with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of zipfile, that this is no good idea
            archive.writestr(names[0], one.getvalue())
            archive.writestr(names[1], other.getvalue())
        with pytest.raises(UsageError, match="the same name; got 'W'"):
            read_tables(tmp_path / "two.npz")


def test_ours_know_their_axes_and_modulus(tmp_path: Path):
    path = tmp_path / "step.safetensors"
    path.write_bytes(
        encode({"W_E": TABLE, "other": TABLE}, {"p": 4}, {"W_E": ("token", "d_model")})
    )
    tables = read_tables(path)
    assert tables["W_E"].axes == ("token", "d_model")
    assert tables["other"].axes is None
    assert tables["W_E"].p == 4


def test_a_damaged_file_of_ours_is_not_taken_for_a_foreign_one(tmp_path: Path):
    data = bytearray(encode({"W_E": TABLE}, {}))
    data[-1] ^= 1
    (tmp_path / "step.safetensors").write_bytes(data)
    with pytest.raises(RunFolderError, match="damaged"):
        read_tables(tmp_path / "step.safetensors")


def test_pickles_are_refused_and_never_run(tmp_path: Path):
    trace = tmp_path / "trace"
    bomb = np.array([Bomb(trace)], object)
    np.save(tmp_path / "object.npy", bomb, allow_pickle=True)
    np.savez(tmp_path / "object.npz", bad=bomb)
    np.savez(tmp_path / "beside.npz", bad=bomb, good=TABLE)
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(Bomb(trace)))
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Bomb(trace)))
    for name in ("object.npy", "object.npz", "bare.npy", "bare.npz"):
        with pytest.raises(UsageError, match="pickled objects"):
            read_tables(tmp_path / name)
    beside = read_tables(tmp_path / "beside.npz")
    np.testing.assert_array_equal(beside["good"].array, TABLE)
    assert "pickled objects" in beside["bad"].problem
    assert not trace.exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(noise=st.binary(max_size=100))
def test_noise_is_one_clear_error(tmp_path_factory, suffix: str, noise: bytes):
    path = tmp_path_factory.mktemp("noise") / f"noise{suffix}"
    path.write_bytes(noise)
    with pytest.raises(UsageError) as caught:
        read_tables(path)
    assert str(caught.value).isprintable()


def test_text_with_the_wrong_name(tmp_path: Path):
    (tmp_path / "table.npy").write_text("1,2,3\n")
    with pytest.raises(UsageError, match="not what its name says"):
        read_tables(tmp_path / "table.npy")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_truncations(tmp_path: Path, suffix: str):
    path = tmp_path / f"table{suffix}"
    if suffix == ".npy":
        np.save(path, TABLE)
    elif suffix == ".npz":
        np.savez(path, table=TABLE)
    elif suffix == ".safetensors":
        safetensors.numpy.save_file({"table": TABLE}, path)
    else:
        path.write_bytes(torch_file(TABLE))
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(UsageError):
            read_tables(path)


def test_a_header_that_claims_too_much(tmp_path: Path):
    claim = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    with (tmp_path / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, claim)
        file.write(TABLE.tobytes())
    with pytest.raises(UsageError):
        read_tables(tmp_path / "huge.npy")


def test_a_flipped_bit_in_an_archive(tmp_path: Path):
    np.savez_compressed(tmp_path / "table.npz", table=TABLE)
    data = bytearray((tmp_path / "table.npz").read_bytes())
    with zipfile.ZipFile(tmp_path / "table.npz") as archive:
        start = archive.infolist()[0].header_offset
    data[start + 80] ^= 1
    (tmp_path / "table.npz").write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        read_tables(tmp_path / "table.npz")


def test_missing_and_unknown(tmp_path: Path):
    for name in ("missing.npy", "missing.csv", "missing"):
        with pytest.raises(UsageError, match="no such file"):
            read_tables(tmp_path / name)
    (tmp_path / "table.csv").touch()
    with pytest.raises(
        UsageError, match=r"got 'table\.csv'; allowed: \.npy, \.npz, \.safetensors, \.pt"
    ):
        read_tables(tmp_path / "table.csv")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(UsageError, match="is a directory"):
        read_tables(tmp_path / "folder.npy")


def test_arrays_come_in_the_order_of_the_file(tmp_path: Path):
    names = ["W_U", "W_E", "a", "blocks.10.W_in", "blocks.9.W_in"]
    arrays: dict = dict.fromkeys(names, TABLE)
    np.savez(tmp_path / "t.npz", **arrays)
    header = {
        name: {"dtype": "U8", "shape": [1], "data_offsets": [i, i + 1]}
        for i, name in enumerate(names)
    }
    text = json.dumps(header).encode()
    (tmp_path / "t.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(5))
    (tmp_path / "ours.safetensors").write_bytes(encode(arrays, {}))
    for _ in range(3):
        assert list(read_tables(tmp_path / "t.npz")) == names
        assert list(read_tables(tmp_path / "t.safetensors")) == names
        assert list(read_tables(tmp_path / "ours.safetensors")) == sorted(names)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["<f8", ">f4", "<f2", "<i8", "u1", "?", "<c16", "<U3"])
def test_numpy_reads_the_same(tmp_path: Path, order: Any, kind: str):
    rng = np.random.default_rng(0)
    for shape in ((), (0,), (4,), (3, 5), (2, 3, 4), (0, 3)):
        array = np.asarray(rng.integers(0, 2, shape)).astype(kind, order=order)
        np.save(tmp_path / "a.npy", array)
        found = read_tables(tmp_path / "a.npy")["a"].array
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, np.load(tmp_path / "a.npy"))


def test_a_file_may_say_its_modulus(tmp_path: Path):
    safetensors.numpy.save_file({"W": TABLE}, tmp_path / "t.safetensors", {"p": "5"})
    np.savez(tmp_path / "t.npz", W=TABLE, p=5)
    for name in ("t.safetensors", "t.npz"):
        assert read_tables(tmp_path / name)["W"].p == 5
    for other in ("0.1", "1", "five", "-5"):
        safetensors.numpy.save_file({"W": TABLE}, tmp_path / "t.safetensors", {"p": other})
        assert read_tables(tmp_path / "t.safetensors")["W"].p is None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_does_not_fit_into_memory_is_not_called_damaged(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / f"table{suffix}"
    zeros = np.zeros((512, 64))
    if suffix == ".npy":
        np.save(path, zeros)
    elif suffix == ".npz":
        np.savez_compressed(path, table=zeros)
        assert path.stat().st_size < 2000  # a few bytes that unpack to many
    elif suffix == ".safetensors":
        safetensors.numpy.save_file({"table": zeros}, path)
    else:
        path.write_bytes(torch_file(zeros))
    monkeypatch.setattr(memory, "free_memory", lambda: zeros.nbytes - 1.0)
    with pytest.raises(GrokscopeError, match="there is not enough memory to read") as caught:
        read_tables(path)
    assert "damaged" not in str(caught.value)
    assert caught.value.exit_code == 1
    monkeypatch.setattr(memory, "free_memory", lambda: zeros.nbytes + 2000.0)
    np.testing.assert_array_equal(read_tables(path)["table"].array, zeros)
