"""The page as a browser shows it, after its scripts have run."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.reports import write_report

_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=20000",
    "--window-size=1280,4000",
    "--enable-logging=stderr",
)


def shown(page: Path, profile: Path) -> tuple[str, str]:
    """The document after its scripts have run, and what they complained about."""
    command = ["chromium", *_QUIET, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(re.findall(r".*CONSOLE.*", done.stderr))


@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="there is no Chromium to draw the page; CI has one"
)
def test_every_figure_is_drawn_without_a_complaint(clock_run: RunFolder, tmp_path: Path) -> None:
    page = write_report([clock_run.path], tmp_path / "page.html")
    document, complaints = shown(page, tmp_path / "profile")
    assert complaints == ""
    places = re.findall(r'<div class="chart[^"]*" data-chart="(\d+)"', document)
    assert places == [str(i) for i in range(14)]
    assert 'data-drawn="all"' in document
    drawn = re.findall(r'<svg[^>]*class="marks"', document)
    assert len(drawn) == 14
    assert "Accuracy on training and test pairs" in document
