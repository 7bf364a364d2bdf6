import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from grokscope.disk.tensors import decode, encode, read
from grokscope.errors import RunFolderError

TENSORS = {
    "W_E": np.arange(12, dtype=np.float32).reshape(3, 4),
    "key": np.array([1, 2**32 - 1], np.uint32),
    "step": np.array(7),
    "mask": np.array([True, False, True]),
    "empty": np.zeros((0, 3)),
}
AXES = {"W_E": ("token", "d_model")}
META = {"p": 3, "rate": 1e-3, "name": "x² + y", "none": None, "list": [1, [2.5, "a"]]}
DATA = encode(TENSORS, META, AXES)


def test_round_trip():
    content = read(DATA)
    assert content.axes == AXES
    assert content.meta == META
    assert content.tensors.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(content.tensors[name], array)
        assert content.tensors[name].dtype == array.dtype
        assert content.tensors[name].shape == array.shape


def test_views_keep_their_values():
    table = np.arange(12.0).reshape(3, 4)
    views = {"turned": table.T, "every_second": table[:, ::2], "backwards": table[::-1]}
    tensors, _ = decode(encode(views, {}))
    for name, view in views.items():
        np.testing.assert_array_equal(tensors[name], view)


def test_other_people_can_read_it(tmp_path: Path):
    path = tmp_path / "file.safetensors"
    path.write_bytes(DATA)
    np.testing.assert_array_equal(safetensors.numpy.load_file(path)["W_E"], TENSORS["W_E"])


def test_only_one_metadata_entry_with_sorted_keys():
    size = int.from_bytes(DATA[:8], "little")
    metadata = json.loads(DATA[8 : 8 + size])["__metadata__"]
    assert list(metadata) == ["grokscope"]
    document = json.loads(metadata["grokscope"])
    assert list(document) == sorted(document)


def test_bytes_are_equal_in_every_process_and_order():
    program = (
        "import numpy as np, hashlib; from grokscope.disk.tensors import encode\n"
        "names = {f'tensor{i}' for i in range(20)}\n"
        "meta = {name: 1 for name in names}\n"
        "tensors = {name: np.full(3, int(name[6:])) for name in names}\n"
        "data = encode(tensors, meta, {name: ('p',) for name in names})\n"
        "print(hashlib.sha256(data).hexdigest(), list(names)[:5])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split(maxsplit=1)
        for seed in ("1", "2")
    ]
    assert outputs[0][0] == outputs[1][0]
    assert outputs[0][1] != outputs[1][1]  # the sets really were in another order


def test_every_flipped_bit_is_noticed():
    for place in range(len(DATA)):
        for bit in range(8):
            damaged = bytearray(DATA)
            damaged[place] ^= 1 << bit
            with pytest.raises(RunFolderError):
                read(bytes(damaged))


def test_every_truncation_and_extension_is_noticed():
    for length in range(len(DATA)):
        with pytest.raises(RunFolderError, match="damaged"):
            read(DATA[:length])
    with pytest.raises(RunFolderError, match="damaged"):
        read(DATA + b"\0")


@given(st.binary(max_size=200))
def test_noise_is_one_clear_error(noise: bytes):
    with pytest.raises(RunFolderError) as caught:
        read(noise)
    assert "\n" not in str(caught.value)


def test_swapped_tensors_are_noticed():
    tensors = {"a": np.zeros(3), "b": np.ones(3)}
    size = int.from_bytes(encode(tensors, {})[:8], "little")
    header, body = encode(tensors, {})[: 8 + size], encode(tensors, {})[8 + size :]
    with pytest.raises(RunFolderError):
        read(header + body[24:] + body[:24])


def test_foreign_files_are_named_so():
    with pytest.raises(RunFolderError, match="not written by grokscope"):
        read(safetensors.numpy.save({"a": np.zeros(3)}))
    with pytest.raises(RunFolderError, match="not written by grokscope"):
        read(safetensors.numpy.save({"a": np.zeros(3)}, {"framework": "other"}))


@pytest.mark.parametrize(
    "text", ["", "1", "[]", "{}", "null", '{"format": 1}', '{"format": "x"}', "[" * 100_000]
)
def test_an_entry_of_another_shape_is_damaged(text: str):
    with pytest.raises(RunFolderError, match="damaged"):
        read(safetensors.numpy.save({"a": np.zeros(3)}, {"grokscope": text}))


def test_a_newer_format_says_upgrade():
    text = json.dumps({"format": 2, "sha256": hashlib.sha256(b"").hexdigest()})
    with pytest.raises(RunFolderError, match=r"newer grokscope \(format 2, this one reads 1\); up"):
        read(safetensors.numpy.save({"a": np.zeros(3)}, {"grokscope": text}))


def test_messages_name_the_file(tmp_path: Path):
    path = tmp_path / "step-0000100.safetensors"
    with pytest.raises(RunFolderError, match=r"step-0000100.*no such file"):
        read(path)
    path.write_bytes(DATA[:-1])
    with pytest.raises(RunFolderError, match=r"step-0000100.*damaged"):
        read(path)
