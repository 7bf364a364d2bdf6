"""The explorer: how long a change of snapshot takes at p = 97, and how large a page is."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.clock import Spread
from benchmarks.effort import Effort
from benchmarks.lines.explain import GROKSCOPE, trained
from benchmarks.row import Row, at_most

CHROMIUM: Final = Path("/usr/bin/chromium")
_CHANGE: Final = """async (key) => {
  const page = document.documentElement, before = page.dataset.drawn, began = performance.now();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  document.dispatchEvent(new KeyboardEvent("keydown", { key }));
  while (page.dataset.drawn === before) await frame();
  await frame();
  return performance.now() - began;
}"""
"""Presses a key and waits until the figures of the next snapshot were painted."""


def measure(effort: Effort) -> list[Row]:
    """Return the time from a key to the painted figures, and the size and time of the page.

    The network is trained first where it is not there yet, as for `explain`.
    """
    run = trained(97)
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "page.html"
        words = [*GROKSCOPE, "explore", str(run), "--no-claims", "--html", str(page)]
        began = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        seconds, size = time.perf_counter() - began, page.stat().st_size
        rows = _changes(page, effort)
    return [
        *rows,
        at_most(
            "a page of one run", Spread([size / 1e6]), 10, " MB", "with the slider and all figures"
        ),
        Row("writing it", Spread([seconds]).text(" s"), note="the whole command, `--no-claims`"),
    ]


def _changes(page: Path, effort: Effort) -> list[Row]:
    """Return how long it takes from a key to the painted figures of another snapshot."""
    what = "a change of snapshot, all figures"
    if not CHROMIUM.exists():
        return [Row(what, "not measured", note="there is no Chromium")]
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1280, "height": 900})
        shown.goto(page.as_uri())
        shown.locator("html[data-fetched=all]").wait_for()
        keys = ["ArrowLeft"] * 6 + ["ArrowRight"] * 6
        times = [shown.evaluate(_CHANGE, key) for _ in range(effort.repeats) for key in keys]
        browser.close()
    note = "from a key to the painted figures, in headless Chromium, 1280 × 900"
    return [at_most(what, Spread(times), 300, " ms", note)]
