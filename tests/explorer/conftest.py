"""Runs whose networks were built by formula, for the pages of the explorer."""

import dataclasses
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.explanation.clock_runs import write
from tests.explorer.browser import CHROMIUM

from grokscope.disk.folder import RunFolder
from grokscope.explorer.subject import Subject, read_subject


@pytest.fixture(scope="session")
def times(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of x*y mod 23: noise, a half-built and a whole clock; only to be read."""
    return write(tmp_path_factory.mktemp("times") / "times", "x*y", (0,), grokked=True)


@pytest.fixture(scope="session")
def plus(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The same of x + y."""
    return write(tmp_path_factory.mktemp("plus") / "plus", "x + y", (0,), grokked=True)


@pytest.fixture
def subject(times: RunFolder) -> Subject:
    return read_subject(times.path)


@pytest.fixture
def added(plus: RunFolder) -> Subject:
    return read_subject(plus.path)


@dataclasses.dataclass(frozen=True)
class Unpacked:
    """A file as a browser reads it, by other code than `static/data.js`."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]


def unpack(data: bytes) -> Unpacked:
    raw = zlib.decompress(data)
    (length,) = struct.unpack("<I", raw[:4])
    header = json.loads(raw[4 : 4 + length])
    arrays = {}
    for name, facts in header["arrays"].items():
        at, size = 4 + length + facts["at"], int(np.prod(facts["shape"]))
        if facts["type"] == "whole":
            assert at % 2 == 0
            values: np.ndarray = np.frombuffer(raw, "<u2", size, at).astype(int)
        else:
            cells = np.frombuffer(raw, np.uint8, size, at)
            shades = facts["low"] + (facts["high"] - facts["low"]) * cells / 254
            values = np.where(cells == 255, np.nan, shades)
        arrays[name] = values.reshape(facts["shape"])
    return Unpacked(header, arrays)


@pytest.fixture
def own(tmp_path: Path) -> RunFolder:
    """A run of x*y in a folder of the test's own, which it may change."""
    return write(tmp_path / "own", "x*y", (0,), grokked=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
