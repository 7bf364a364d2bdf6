"""Chromium with everything that goes wrong written down: complaints, and requests that leave."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

CHROMIUM: Final = Path("/usr/bin/chromium")
PATIENCE: Final = 60_000
"""Milliseconds that something may take on a busy machine."""
_HERE: Final = ("127.0.0.1", "localhost", "")


@dataclass
class Watched:
    """A page of its own visitor, and what it complained about or asked others for.

    **Arguments:** the page; complaints; addresses that are not on this machine.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def is_clean(self) -> bool:
        """Whether nothing was said, and nothing left the machine."""
        assert self.complaints == []
        assert self.outside == []
        return True

    def wait(self, name: str, value: object) -> None:
        """Wait until the page says something of itself in the data of its document."""
        expect(self.page.locator("html")).to_have_attribute(
            f"data-{name}", str(value), timeout=PATIENCE
        )


def watch(browser: Browser, **options: Any) -> Watched:
    """Return a page of a new visitor."""
    context: BrowserContext = browser.new_context(accept_downloads=True, **options)
    found = Watched(context.new_page())
    page = found.page
    page.set_default_timeout(PATIENCE)
    page.on(
        "console",
        lambda said: found.complaints.append(said.text) if said.type == "error" else None,
    )
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("request", lambda request: _note(found, request.url))
    page.on("websocket", lambda socket: _note(found, socket.url))
    return found


def _note(found: Watched, address: str) -> None:
    if (urlsplit(address).hostname or "") not in _HERE:
        found.outside.append(address)


@dataclass(frozen=True)
class Served:
    """An explorer that serves.

    **Arguments:** its whole address; its process.
    """

    address: str
    process: subprocess.Popen[str]

    @property
    def root(self) -> str:
        """The address without the token."""
        return self.address.partition("?")[0]

    @property
    def token(self) -> str:
        """`access_token=…`."""
        return self.address.partition("?")[2]

    def at(self, query: str, anchor: str = "") -> str:
        """The address of a view."""
        return f"{self.address}&{query}{'#' if anchor else ''}{anchor}"


@contextmanager
def serving(folder: Path, says: str = "") -> Iterator[Served]:
    """Serve a folder until the block ends, and see that Ctrl-C ends the server.

    **Arguments:** the folder; how what it says beside the address begins.
    """
    command = [sys.executable, "-m", "grokscope", "explore", str(folder), "--no-browse"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Served(_address(process), process)
        assert process.poll() is None, "the server ended by itself"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None
        said = process.stderr.read()
        assert said.startswith(says), said
        assert said.count("\n") == bool(says), said
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    end, said = time.monotonic() + PATIENCE / 1000, ""
    while time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.2)[0]:
            said += os.read(process.stdout.fileno(), 4096).decode()
        if found := re.search(r"http://\S+", said):
            return found[0]
        if process.poll() is not None:
            break
    raise AssertionError(f"the server said only {said!r}")
