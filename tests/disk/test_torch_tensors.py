"""Tensors of PyTorch: read as PyTorch reads them, and never beyond their numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.disk.torch_writer import (
    SIX,
    Call,
    Name,
    Outside,
    Raw,
    described,
    read,
    refused,
    saved,
    tensor,
    torch_zip,
)

HALF = [1.0, -2.5, 0.15625]
"""Exact in bfloat16, where they are 0x3F80, 0xC020 and 0x3E20."""
DTYPES = [
    *("float64", "float32", "float16", "bfloat16", "complex64", "complex128", "bool"),
    *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_as_pytorch_reads_it(tmp_path: Path, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(0).integers(0, 100, (4, 5))
    wanted = torch.tensor(numbers if dtype != "bool" else numbers % 2).to(getattr(torch, dtype))
    if wanted.is_floating_point():
        wanted = wanted / 7
    value = {"W": wanted, "turned": wanted.T, "part": wanted[1:, 2], "one": wanted[2, 3]}
    found = read(tmp_path, saved(torch, value)).tensors
    for name, numbers in value.items():
        half = dtype in ("float16", "bfloat16")
        expected = (numbers.float() if half else numbers).numpy()
        assert found[name].dtype == expected.dtype
        assert found[name].shape == expected.shape
        np.testing.assert_array_equal(found[name], expected)


@given(data=st.data())
def test_every_view_as_pytorch_reads_it(tmp_path_factory: pytest.TempPathFactory, data) -> None:
    torch = pytest.importorskip("torch")
    size = data.draw(st.lists(st.integers(0, 4), max_size=4))
    stride = data.draw(st.lists(st.integers(0, 5), min_size=len(size), max_size=len(size)))
    offset = data.draw(st.integers(0, 7))
    needed = 1 + offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True) if n)
    numbers = torch.arange(needed + 3.0)
    wanted = torch.as_strided(numbers, size, stride, offset)
    found = read(tmp_path_factory.mktemp("view"), saved(torch, wanted)).tensors["model"]
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, wanted.numpy())


def test_conjugates_and_negatives_that_pytorch_only_notes(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    z, w = torch.tensor([1 + 2j, 3 - 4j]), torch.tensor([1 + 2j, 3 - 4j])
    value = {"conjugate": z.conj(), "negative": w.conj().imag}
    found = read(tmp_path, saved(torch, value)).tensors
    np.testing.assert_array_equal(found["conjugate"], [1 - 2j, 3 + 4j])
    np.testing.assert_array_equal(found["negative"], [-2, 4])


@pytest.mark.filterwarnings("ignore:.*(quantized|Sparse CSR|TypedStorage).*:UserWarning")
def test_other_kinds_of_tensors_are_told_and_do_not_spoil_the_rest(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    value = {
        "dense": torch.ones(2, 2),
        "coo": torch.eye(2).to_sparse(),
        "csr": torch.eye(2).to_sparse_csr(),
        "quantised": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "channels": torch.quantize_per_channel(
            torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.quint8
        ),
        "eighth": torch.ones(2).to(torch.float8_e4m3fn),
        "meta": torch.ones(2, device="meta"),
        "storage": torch.ones(2).untyped_storage(),
    }
    found = read(tmp_path, saved(torch, value))
    assert list(found.tensors) == ["dense"]
    assert found.unread == {
        "coo": "it is sparse, and only dense tensors are read",
        "csr": "it is sparse, and only dense tensors are read",
        "quantised": "it is quantised, and only plain numbers are read",
        "channels": "it is quantised, and only plain numbers are read",
        "eighth": "it holds float8_e4m3fn, which NumPy does not have",
        "meta": "it has a shape and no numbers, being on the device meta",
        "storage": "it is a storage, which has no shape",
    }


def test_half_numbers_are_widened_in_either_byte_order(tmp_path: Path) -> None:
    kinds = {"BFloat16Storage": [0x3F80, 0xC020, 0x3E20], "HalfStorage": [0x3C00, 0xC100, 0x3100]}
    for kind, words in kinds.items():
        top = tensor((3,), (1,), count=3, kind=Name(f"torch.{kind}"))
        for order, word in ((b"little", "<u2"), (b"big", ">u2"), (None, "<u2")):
            data = np.array(words, word).tobytes()
            found = read(tmp_path, torch_zip(top, {"0": data}, byteorder=order)).tensors["model"]
            assert found.dtype == np.dtype("float32")
            np.testing.assert_array_equal(found, HALF)


def test_an_unknown_byte_order_is_refused(tmp_path: Path) -> None:
    data = torch_zip(tensor((6,), (1,)), {"0": SIX.tobytes()}, byteorder=b"middle")
    assert "is damaged" in refused(tmp_path, data)


@pytest.mark.parametrize(
    "top",
    [
        tensor((7,), (1,)),
        tensor((6,), (1,), offset=1),
        tensor((2, 3), (4, 1)),
        tensor((2,), (2**61,)),
        tensor((2,), (2**63,)),
        tensor((2**62, 4), (0, 1), offset=3),
        tensor((2**70,), (0,)),
        tensor((-1,), (1,)),
        tensor((2,), (-1,)),
        tensor((2,), (1,), offset=-1),
        tensor((True,), (1,)),
        tensor((2, 3), (1,)),
        tensor((1,) * 65, (1,) * 65),
        tensor([6], [1]),
        tensor((6,), (1,), key="1"),
        tensor((6,), (1,), key="../data.pkl"),
        tensor((6,), (1,), key=0),
        tensor((6,), (1,), count=5),
        tensor((6,), (1,), count=7),
        tensor((6,), (1,), count=-6),
        tensor((3,), (1,), kind=Name("torch.DoubleStorage")),
        tensor((6,), (1,), kind=Name("torch.device")),
        tensor((6,), (1,), kind=("torch.FloatStorage",)),
        Outside(("module", Name("torch.FloatStorage"), "0", "cpu", 6)),
        Outside("0"),
        Call("torch._utils._rebuild_tensor_v2", (1, 2)),
        Call("torch._utils._rebuild_tensor_v2", (None, 0, (6,), (1,), False, None)),
        Call("torch.device", (("cpu",),)),
        Name("collections.OrderedDict"),
        Raw(b"N0"),
    ],
)
def test_no_description_reads_beyond_the_file(tmp_path: Path, top: Any) -> None:
    assert "model.pt' is damaged: it was cut or changed" in refused(tmp_path, described(top))
