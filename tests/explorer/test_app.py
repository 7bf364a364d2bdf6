"""The explorer in a browser, on runs that were trained, are training, or are broken."""

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, FrameLocator, expect
from tests.explanation.clock_runs import write
from tests.explorer.browser import CHROMIUM, PATIENCE, Served, Watched, serving, watch
from tests.notebook.conftest import TINY
from tests.reports.conftest import build

import grokscope as gs

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="there is no Chromium to show the explorer; CI has one"
)
ODD = "a<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two trained runs, a clock that was built, one with markup for a name, broken, diverged."""
    place = tmp_path_factory.mktemp("explored")
    gs.train("x*y", out=place / "trained", seeds=(0, 1), quiet=True, **TINY)
    gs.train("x + y", out=place / "other", quiet=True, **TINY)
    write(place / "clock", "x*y", (0,), grokked=True)
    shutil.copytree(place / "clock", place / ODD)
    shutil.copytree(place / "clock", place / "broken")
    (place / "broken" / "manifest.json").write_text("{")
    build(
        place / "diverged",
        status="diverged",
        results=[{"seed": 0, "status": "diverged", "grokked_at": None}],
        weights={"W_E": np.full((8, 8), np.nan, np.float32)},
    )
    return place


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(folder) as explorer:
        yield explorer


@pytest.fixture
def visitor(browser: Browser) -> Watched:
    return watch(browser, viewport={"width": 1280, "height": 1000})


def opened(visitor: Watched, address: str) -> FrameLocator:
    """Return the page inside the app."""
    visitor.page.goto(address)
    frame = visitor.page.frame_locator("iframe")
    frame.locator("figure").first.wait_for()
    return frame


def row(visitor: Watched, name: str) -> Any:
    page = visitor.page
    return page.locator("tbody tr").filter(has=page.get_by_text(name, exact=True))


def test_the_table_lists_all_runs_and_opens_one(visitor: Watched, served: Served) -> None:
    page = visitor.page
    page.goto(served.address)
    row(visitor, "trained").wait_for()
    assert page.locator("tbody tr").count() == 6
    expect(row(visitor, "broken")).to_contain_text("broken: ")
    expect(row(visitor, "diverged")).to_contain_text("diverged")
    assert row(visitor, "trained").locator("polyline").count() == 2
    row(visitor, ODD).wait_for()
    assert page.locator("img[src=x]").count() == 0

    page.get_by_placeholder("Search").fill("clock")
    expect(page.locator("tbody tr")).to_have_count(1)
    row(visitor, "clock").get_by_role("checkbox").click()
    page.get_by_role("tab", name="Time").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("x*y mod 23, seed 0")
    expect(frame.locator("#where")).to_have_text("step 300")
    assert "access_token" not in page.url
    assert "run=clock" in page.url
    assert "tab=Time" in page.url
    assert visitor.is_clean()


def test_the_table_is_saved_as_csv(visitor: Watched, served: Served) -> None:
    visitor.page.goto(served.address)
    row(visitor, "trained").wait_for()
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_text("save as CSV").click()
    assert saved.value.suggested_filename == "runs.csv"
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert lines[0].startswith("run,state,operation,p,r,seeds,step,grokked at,test,verdict")
    assert len(lines) == 7


def test_the_drawing_of_accuracies_is_in_sight_at_1280_pixels(
    visitor: Watched, served: Served
) -> None:
    visitor.page.goto(served.address)
    drawn = row(visitor, "trained").locator("svg:has(polyline)")
    drawn.wait_for()
    box = drawn.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] < 700


def test_several_runs_stand_on_one_axis(visitor: Watched, served: Served) -> None:
    frame = opened(visitor, served.at("run=trained,other"))
    expect(frame.locator("h1")).to_have_text("2 runs on one axis")
    assert frame.locator("#test-accuracy path.line").count() == 2
    assert visitor.is_clean()


def test_the_slider_keys_and_any_neuron(visitor: Watched, served: Served) -> None:
    frame = opened(visitor, served.at("run=trained&tab=Time"))
    expect(frame.locator("#where")).to_have_text("step 40")
    frame.locator("h1").click()
    visitor.page.keyboard.press("ArrowLeft")
    expect(frame.locator("#where")).to_have_text("step 20")
    frame.locator("#choose-neuron").fill("15")
    frame.locator("#choose-neuron").press("Enter")
    expect(frame.locator("#neuron canvas")).to_be_visible()
    visitor.page.wait_for_function("location.hash.includes('neuron=15')")
    anchor = visitor.page.url.partition("#")[2].split("&")
    assert {"step=20", "neuron=15"} <= set(anchor)
    assert visitor.is_clean()


def test_an_address_is_a_view(visitor: Watched, served: Served) -> None:
    view = served.at("run=trained&tab=Time&seed=1", "step=20&k=7&order=coordinates")
    frame = opened(visitor, view)
    expect(frame.locator("h1")).to_have_text("x*y mod 23, seed 1")
    expect(frame.locator("#where")).to_have_text("step 20")
    assert frame.locator("#choose-k").input_value() == "7"
    assert frame.locator("#choose-order").input_value() == "coordinates"
    assert visitor.is_clean()


def test_the_bench_edits_at_once(visitor: Watched, served: Served) -> None:
    page = visitor.page
    frame = opened(visitor, served.at("run=clock&tab=Why"))
    all_pairs = frame.locator("tbody tr").first
    expect(all_pairs).to_contain_text("100.00%100.00%")
    for k in (1, 4, 10):
        if frame.locator(f"#key-{k}").get_attribute("aria-pressed") != "true":
            frame.locator(f"#key-{k}").click()
    frame.locator("#choose-W_E").select_option("remove")
    expect(frame.locator("#said")).not_to_contain_text("all 100.00%")
    frame.locator("#choose-W_E").select_option("keep")
    expect(frame.locator("#said")).to_contain_text("all 100.00%")
    frame.locator("#choose-W_E").select_option("nothing")
    expect(all_pairs).to_contain_text("100.00%100.00%")
    whole = all_pairs.inner_text()
    frame.locator("#choose-cluster").select_option("4")
    expect(all_pairs).not_to_have_text(whole)
    frame.locator("#silenced").fill("no number")
    frame.locator("#silenced").press("Enter")
    expect(frame.locator("#said")).to_contain_text("is no whole number")
    frame.locator("#reset").click()
    expect(all_pairs).to_contain_text("100.00%100.00%")
    assert page.get_by_text("Not explained yet.").is_visible()
    # what was refused is the one complaint
    assert [c for c in visitor.complaints if "404" not in c] == []
    assert visitor.outside == []


def test_an_explanation_is_made_and_shown_with_its_claims(visitor: Watched, served: Served) -> None:
    page = visitor.page
    page.goto(served.at("run=trained&tab=Why"))
    page.get_by_role("button", name="Explain this network").click()
    page.get_by_role("heading", name="The claims").wait_for()
    assert page.get_by_text("readout keys").first.is_visible()
    assert visitor.is_clean()


def test_any_pair_can_be_tried(visitor: Watched, served: Served) -> None:
    frame = opened(visitor, served.at("run=clock&tab=Try+it", "x=5&y=7"))
    expect(frame.locator("#said")).to_contain_text(
        "(5, 7) → 12; right is 12; the formula answers 12"
    )
    frame.locator("#x").fill("3")
    expect(frame.locator("#said")).to_contain_text("(3, 7) → 21; right is 21")
    assert frame.locator("tbody tr").count() == 5
    frame.locator("#x").fill("99")
    expect(frame.locator("#said")).to_contain_text("(3, 7)")
    assert visitor.is_clean()


def test_what_diverged_says_so(visitor: Watched, served: Served) -> None:
    frame = opened(visitor, served.at("run=diverged&tab=Time"))
    expect(frame.locator("#circle")).to_contain_text("W_E is not finite: training diverged.")
    assert visitor.is_clean()


def test_two_visitors_do_not_disturb_each_other(browser: Browser, served: Served) -> None:
    one, other = watch(browser), watch(browser)
    first = opened(one, served.at("run=trained&tab=Time"))
    second = opened(other, served.at("run=other&tab=Time"))
    first.locator("#back").click()
    expect(first.locator("#where")).to_have_text("step 20")
    expect(second.locator("#where")).to_have_text("step 40")
    expect(second.locator("h1")).to_have_text("x + y mod 23, seed 0")
    assert one.is_clean()
    assert other.is_clean()


def test_a_run_is_followed_while_it_trains(visitor: Watched, tmp_path: Path) -> None:
    """Snapshots that are written while the page is open are added to it."""
    words = "--preset quick --p 11 --steps 100000 --eval-every 50 --save-every 50 --no-stop"
    more = "--checkpoint-every 50 --d-model 16 --heads 2 --d-mlp 16 --no-report --quiet"
    command = [sys.executable, "-m", "grokscope", "train", "x + y", *words.split(), *more.split()]
    training = subprocess.Popen([*command, "--out", str(tmp_path / "live")])
    try:
        while not list(tmp_path.glob("live/checkpoints/*/step-0000100*")):
            assert training.poll() is None
        with serving(tmp_path) as explorer:
            frame = opened(visitor, explorer.at("run=live&tab=Time"))
            expect(frame.locator("header p")).to_contain_text("running")
            last = frame.locator("#where")
            before = last.inner_text()
            expect(last).not_to_have_text(before, timeout=PATIENCE)
            visitor.page.get_by_role("tab", name="Runs").click()
            expect(row(visitor, "live")).to_contain_text("running")
            shown = row(visitor, "live").inner_text()
            expect(row(visitor, "live")).not_to_have_text(shown, timeout=PATIENCE)
            assert visitor.is_clean()
    finally:
        training.kill()
        training.wait()


def test_an_empty_folder_says_what_to_do_in_the_page_and_on_the_command_line(
    visitor: Watched, tmp_path: Path
) -> None:
    with serving(tmp_path, says="no runs in '") as explorer:
        visitor.page.goto(explorer.address)
        command = f'grokscope train "x + y" --out {tmp_path / "plus"} makes one'
        visitor.page.get_by_text(command).wait_for()
        assert visitor.is_clean()


@pytest.mark.parametrize("path", ["", "views/overview?run=clock", "assets/", "api/status"])
@pytest.mark.parametrize("token", ["", "access_token=wrong"])
def test_without_the_token_nothing_is_told(served: Served, path: str, token: str) -> None:
    joint = "&" if "?" in path else "?"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{served.root}{path}{joint}{token}")
    assert refused.value.code == 403
