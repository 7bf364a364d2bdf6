"""Pickles read as data: plain values come out, and whatever would run is refused."""

import contextlib
import os
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.disk.torch_writer import Call, Name, Raw, pickled

from grokscope.disk.inert_pickle import Function, RefusedError, plain_values

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


def values(data: bytes, names: dict[str, Any] | None = None) -> Any:
    return plain_values(data, names or {}, lambda identity: ("outside", identity))


class Reduced:
    """Is pickled as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@given(value=PLAIN)
def test_plain_values_are_read_as_pickle_reads_them(protocol: int, value: Any) -> None:
    assert values(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", [2, 4])
def test_dictionaries_in_order_bytes_and_numbers_of_numpy(protocol: int) -> None:
    numbers = [np.float64(0.1), np.int32(-3), np.bool_(True), np.float32(0.5)]
    wanted = {"d": OrderedDict(b=1, a=2), "bytes": b"\x00\xff", "n": numbers}
    found = values(pickle.dumps(wanted, protocol))
    assert found == wanted
    assert list(found["d"]) == ["b", "a"]
    assert [type(number) for number in found["n"]] == [float, int, bool, float]


def test_a_number_in_the_other_byte_order() -> None:
    state = (3, ">", None, None, None, -1, -1, 0)
    kind = Call("numpy.dtype", ("f8", False, True), state)
    data = Call("_codecs.encode", ("\x3f\xf0" + "\0" * 6, "latin1"))
    assert values(pickled(Call("numpy._core.multiarray.scalar", (kind, data)))) == 1.0


def test_the_state_of_a_dictionary_is_not_looked_at() -> None:
    state = {"_metadata": {"": {"version": 1}}, "__class__": "x", "update": "y"}
    assert values(pickled(Call("collections.OrderedDict", (), state))) == {}


def test_what_is_outside_and_names_of_the_table() -> None:
    names = {"a.b": Function(lambda x: [x]), "a.c": "c"}
    assert values(pickled(Call("a.b", (Name("a.c"),))), names) == ["c"]
    assert values(b"\x80\x02K\x07Q.") == ("outside", 7)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("function", "arguments", "name"),
    [
        (os.system, ("touch trace",), f"{os.name}.system"),
        (eval, ("open('trace', 'w')",), "eval"),
        (exec, ("open('trace', 'w')",), "exec"),
        (getattr, (OrderedDict, "__init__"), "getattr"),
        (Path.touch, (Path("trace"),), ""),
    ],
)
def test_no_function_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    protocol: int,
    function: Any,
    arguments: tuple[Any, ...],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps({"W": Reduced(function, *arguments)}, protocol)
    with pytest.raises(RefusedError, match=rf"needs '.*{name}'"):
        values(data)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "collections.OrderedDict.__init__.__globals__",
        "collections.OrderedDict.fromkeys",
        "collections",
        "builtins.dict",
        "grokscope.disk.inert_pickle.np",
    ],
)
def test_dotted_names_are_no_way_to_an_attribute(name: str) -> None:
    module, _, rest = name.partition(".")
    on_stack = Raw(b"".join(bytes([0x8C, len(text)]) + text.encode() for text in (module, rest)))
    for data in (pickled(Name(name)), pickled(Raw(on_stack.instructions + b"\x93"))):
        with pytest.raises(RefusedError, match="only tensors and plain values"):
            values(data)


def test_what_a_name_stands_for_cannot_be_changed() -> None:
    function = Function(lambda: 1)
    for state in ({"make": 2}, (None, {"make": 2})):
        with pytest.raises(TypeError):
            values(pickled(Raw(b"ca\nb\n" + pickled(state)[2:-1] + b"b")), {"a.b": function})
    assert function.make() == 1


@pytest.mark.parametrize(
    ("instructions", "why"),
    [
        (b"\x82\x01", "EXT1"),
        (b"(cos\nsystem\no", "needs 'os.system'"),
        (b"(ios\nsystem\n", "INST"),
        (b"ccollections\nOrderedDict\n)\x81", "NEWOBJ"),
        (b"P1\n", "PERSID"),
    ],
)
def test_instructions_that_plain_values_do_not_need(instructions: bytes, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        values(pickled(Raw(instructions)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x02NN.",
        b"\x80\x02h\x01.",
        b"\x80\x02N)R.",
        b"\x80\x02N\x85\x86.",
        b"\x80\x02X\xff\xff\xff\xffabc.",
        b"\x80\x02}(Nu.",
        b"\x80\x02NNNs.",
        b"\x80\x02NNa.",
        b"\x80\x02u.",
    ],
)
def test_what_is_no_pickle_is_an_error(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, IndexError, TypeError)):
        values(data)


@given(data=st.binary(max_size=60))
def test_noise_gives_plain_values_or_an_error(data: bytes) -> None:
    with contextlib.suppress(
        RefusedError, ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error
    ):
        found = values(b"\x80\x02" + data + b".")
        assert isinstance(found, dict | list | tuple | str | bytes | int | float | None)


def test_a_few_bytes_take_neither_memory_nor_time() -> None:
    # pickle reserves memory up to this index of its memo: 64 GiB
    assert values(b"\x80\x02Nr" + b"\xff" * 4 + b".") is None
    # and hashes the tuple ((…, …), (…, …)) in 2 to the power of 60 steps: never
    doubled = b"".join(b"0h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60))
    with pytest.raises(RefusedError, match="keys that are not texts or numbers"):
        values(b"\x80\x02}K\x01\x85q\x00" + doubled + b"Ns.")
