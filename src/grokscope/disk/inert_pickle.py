"""Pickles read as data, by a machine that cannot run them.

A pickle is a program for a small stack machine, whose instructions can import and call anything.
The machine here knows only the instructions that build numbers, texts, lists and dictionaries,
takes every name from a table of ours instead of importing it, calls only what that table holds,
and refuses all others; so nothing that stands in a file is ever imported, called or executed.
"""

import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from grokscope.errors import quote

_ARGUMENT: Final = (
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
)
"""Instructions that push the value behind them."""
_NEW: Final[Mapping[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_NOTHING_TO_DO: Final = ("PROTO", "FRAME", "STOP")


class RefusedError(Exception):
    """Why a file is not read, as a clause; `next_step` where it is not the usual one."""

    def __init__(self, why: str, next_step: str | None = None) -> None:
        super().__init__(why)
        self.next_step = next_step


@dataclass(frozen=True)
class Function:
    """What a name of a pickle stands for where the pickle calls it: a function of ours."""

    make: Callable[..., Any]


def plain_values(data: bytes, names: Mapping[str, Any], persistent: Callable[[Any], Any]) -> Any:
    """Return what a pickle describes, out of plain values and of what `names` holds.

    Containers can contain themselves, and be shared.

    **Arguments:**

    - `data`: a pickle of protocol 2 or later.
    - `names`: what the names in it stand for, by `module.name`; a `Function` can be called.
    - `persistent`: returns what an identity stands for that the writer has put outside.

    **Raises:** `RefusedError` for any other name; for what is no such pickle, any exception.
    """
    return _Machine({**NAMES, **names}, persistent).run(data)


class _Machine:
    """The stack, the stacks below its marks, and what was stored for later."""

    def __init__(self, names: Mapping[str, Any], persistent: Callable[[Any], Any]) -> None:
        self._names, self._persistent = names, persistent
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in _ARGUMENT:
                self._stack.append(argument)
            elif opcode.name in _NEW:
                self._stack.append(_NEW[opcode.name]())
            elif opcode.name in _STEPS:
                _STEPS[opcode.name](self, argument)
            elif opcode.name not in _NOTHING_TO_DO:
                raise RefusedError(f"it uses {opcode.name}, which plain values do not need")
        (value,) = self._stack
        return value

    def pop(self, _: Any) -> Any:
        return self._stack.pop()

    def mark(self, _: Any) -> None:
        self._below.append(self._stack)
        self._stack = []

    def pop_mark(self, _: Any) -> list[Any]:
        above, self._stack = self._stack, self._below.pop()
        return above

    def store(self, index: int | None) -> None:
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def fetch(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def group(self, count: int | None = None) -> None:
        """Push a tuple of the last `count` values, or of all above the mark."""
        popped = (
            self.pop_mark(None)
            if count is None
            else [self._stack.pop() for _ in range(count)][::-1]
        )
        self._stack.append(tuple(popped))

    def extend(self, values: list[Any]) -> None:
        _of_type(list, self._stack[-1]).extend(values)

    def update(self, flat: list[Any]) -> None:
        """Store keys and values, which alternate, in the dictionary below them."""
        target = _of_type(dict, self._stack[-1])
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            # hashing a tuple of shared tuples can take for ever
            if not (key is None or isinstance(key, str | int | float)):
                raise RefusedError("a dictionary in it has keys that are not texts or numbers")
            target[key] = value

    def last_two(self) -> list[Any]:
        value = self._stack.pop()
        return [self._stack.pop(), value]

    def name(self, name: str) -> None:
        if name not in self._names:
            raise RefusedError(
                f"it needs {quote(name)}, and only tensors and plain values are read,"
                " not whole modules"
            )
        self._stack.append(self._names[name])

    def name_on_stack(self) -> None:
        module, name = (_of_type(str, text) for text in self.last_two())
        self.name(f"{module}.{name}")

    def call(self) -> None:
        function, arguments = self.last_two()
        self._stack.append(_of_type(Function, function).make(*_of_type(tuple, arguments)))

    def set_state(self) -> None:
        """Let a number type have its state; ignore that of a dictionary, like `_metadata`."""
        state = self._stack.pop()
        if isinstance(self._stack[-1], _NumberType):
            self._stack[-1].set_state(state)
        else:
            _of_type(dict, self._stack[-1])

    def load(self) -> None:
        self._stack.append(self._persistent(self._stack.pop()))


_STEPS: Final[Mapping[str, Callable[[_Machine, Any], Any]]] = {
    "POP": _Machine.pop,
    "MARK": _Machine.mark,
    "POP_MARK": _Machine.pop_mark,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.store),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.fetch),
    "TUPLE": lambda machine, _: machine.group(),
    "TUPLE1": lambda machine, _: machine.group(1),
    "TUPLE2": lambda machine, _: machine.group(2),
    "TUPLE3": lambda machine, _: machine.group(3),
    "APPEND": lambda machine, _: machine.extend([machine.pop(None)]),
    "APPENDS": lambda machine, _: machine.extend(machine.pop_mark(None)),
    "SETITEM": lambda machine, _: machine.update(machine.last_two()),
    "SETITEMS": lambda machine, _: machine.update(machine.pop_mark(None)),
    "GLOBAL": lambda machine, pair: machine.name(pair.replace(" ", ".", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.name_on_stack(),
    "REDUCE": lambda machine, _: machine.call(),
    "BUILD": lambda machine, _: machine.set_state(),
    "BINPERSID": lambda machine, _: machine.load(),
}


def _of_type(kind: type, value: Any) -> Any:
    """Return `value`; raises `TypeError` where it is of another type, or of a derived one."""
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} expected")
    return value


class _NumberType:
    """The type of a NumPy number: a letter and a width, like f8; its state has the byte order."""

    def __init__(self, code: str, *_: Any) -> None:
        if not re.fullmatch(r"[fiub][1248]", code):
            raise ValueError("no type of real numbers")
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        self.dtype = self.dtype.newbyteorder(_of_type(str, _of_type(tuple, state)[1]))


def _number(kind: Any, data: bytes) -> bool | int | float:
    (value,) = np.frombuffer(data, _of_type(_NumberType, kind).dtype).tolist()
    return value


def _empty() -> dict[Any, Any]:
    """Return a dictionary; takes no entries, since keys are checked where they are stored."""
    return {}


def _encoded(text: str, encoding: str) -> bytes:
    """Return the bytes that protocol 2 writes as a text."""
    if encoding != "latin1":
        raise ValueError("no bytes")
    return text.encode("latin-1")


NAMES: Final[Mapping[str, Any]] = {
    "collections.OrderedDict": Function(_empty),
    "_codecs.encode": Function(_encoded),
    "numpy.dtype": Function(_NumberType),
    "numpy.core.multiarray.scalar": Function(_number),
    "numpy._core.multiarray.scalar": Function(_number),
}
"""What every pickle may name: dictionaries in order, bytes, and numbers of NumPy."""
