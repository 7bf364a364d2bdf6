"""The page that --html writes: one file with everything, small, and driven by one slider."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.explanation.clock_runs import STEPS
from tests.explorer.browser import CHROMIUM, Watched, watch

import grokscope as gs
from grokscope.disk.folder import RunFolder
from grokscope.errors import UsageError
from grokscope.explorer.page import LARGEST_PAGE

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="there is no Chromium to draw the page; CI has one"
)
FIGURES = ["accuracy", "spectrum-W_E-matched", "circle", "neuron", "claims"]
ODD = "a<b>&'\"quote"


@pytest.fixture(scope="session")
def page_file(times: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run whose name is markup."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(times.path, folder / ODD)
    assert gs.explore(folder / ODD, html=folder / "page.html") == folder / "page.html"
    return folder / "page.html"


@pytest.fixture
def shown(browser: Browser, page_file: Path) -> Watched:
    visitor = watch(browser, viewport={"width": 1280, "height": 900})
    visitor.page.goto(page_file.as_uri())
    visitor.wait("drawn", STEPS[-1])
    return visitor


def test_the_file_is_whole_and_small(page_file: Path) -> None:
    text = page_file.read_text()
    assert len(text.encode()) < LARGEST_PAGE
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", text)
    assert "default-src 'none'" in text
    assert "<b>&'" not in text  # the name of the run


def test_of_a_folder_of_runs_or_a_run_without_snapshots_there_is_no_page(
    times: RunFolder, own: RunFolder, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="about one run"):
        gs.explore(times.path.parent, html=tmp_path / "page.html")
    shutil.rmtree(own.path / "checkpoints")
    with pytest.raises(UsageError, match="no snapshots yet"):
        gs.explore(own.path, html=tmp_path / "page.html")


@needs_chromium
def test_one_slider_drives_every_figure(shown: Watched) -> None:
    page = shown.page
    figures = page.locator("figure:not([hidden]) .plot > svg")
    assert figures.count() == 14  # all but losses and measures, which were not recorded
    before = [figures.nth(i).inner_html() for i in range(figures.count())]
    page.keyboard.press("Home")
    shown.wait("drawn", STEPS[0])
    after = [figures.nth(i).inner_html() for i in range(figures.count())]
    same = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a == b]
    assert len(same) <= 6  # axes of maps whose colours are a canvas, and what was not recorded
    assert page.locator("#where").inner_text() == f"step {STEPS[0]}"
    page.locator("#slider").fill("1")
    shown.wait("drawn", STEPS[1])
    assert shown.is_clean()


@needs_chromium
def test_maps_are_painted_anew(shown: Watched) -> None:
    page = shown.page
    painted = "[...document.querySelectorAll('canvas')].map((c) => c.toDataURL())"
    before = page.evaluate(painted)
    page.keyboard.press("ArrowLeft")
    shown.wait("drawn", STEPS[1])
    after = page.evaluate(painted)
    assert len(before) == len(after) == 6
    # the half-built clock has the attention and the neurons of the whole one
    changed = [a != b for a, b in zip(before, after, strict=True)]
    assert changed == [True, False, False, True, True, False]


@needs_chromium
def test_it_plays_and_pauses(shown: Watched) -> None:
    page = shown.page
    page.keyboard.press("Home")
    shown.wait("drawn", STEPS[0])
    page.keyboard.press("Space")
    assert page.locator("#play").get_attribute("aria-label") == "pause (space)"
    shown.wait("drawn", STEPS[-1])
    expect(page.locator("#play")).to_have_attribute("aria-label", "play (space)")
    page.locator("#play").click()
    page.locator("#play").click()
    stopped = page.locator("#where").inner_text()
    page.wait_for_timeout(900)
    assert page.locator("#where").inner_text() == stopped
    assert shown.is_clean()


@needs_chromium
def test_a_key_is_chosen_in_a_spectrum_and_stands_in_the_address(
    shown: Watched, browser: Browser
) -> None:
    page = shown.page
    page.locator("#spectrum-W_E-matched .target").nth(3).click()
    assert page.locator("#choose-k").input_value() == "4"
    assert "k = 4" in page.locator("#circle figcaption").inner_text()
    page.locator("#choose-order").select_option("turned")
    assert "4·u(x)" in page.locator("#neuron .plot").inner_text()
    assert {"k=4", "order=turned"} <= set(page.url.partition("#")[2].split("&"))

    shared = watch(browser)
    shared.page.goto(page.url)
    shared.wait("drawn", STEPS[-1])
    assert shared.page.locator("#choose-k").input_value() == "4"
    assert shared.page.locator("#choose-order").input_value() == "turned"
    assert shared.is_clean()


@needs_chromium
@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_saves_as_svg_png_and_csv(shown: Watched, figure: str, tmp_path: Path) -> None:
    for kind, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"")):
        with shown.page.expect_download() as waiting:
            shown.page.locator(f"#{figure} .save button", has_text=kind).click()
        file = waiting.value
        assert file.suggested_filename == f"{figure}.{kind.lower()}"
        file.save_as(tmp_path / "saved")
        data = (tmp_path / "saved").read_bytes()
        assert data.startswith(begins)
        assert len(data) > 100
    header, first = data.decode().splitlines()[:2]
    assert len(header.split(",")) > 1
    assert len(first.split(",")) > 1
    assert shown.is_clean()


@needs_chromium
def test_claims_stand_over_the_snapshots(shown: Watched) -> None:
    assert (
        shown.page.locator("#claims rect.claim").count()
        == 3 * shown.page.locator("#claims text.name").count()
    )
    assert "embedding keys" in shown.page.locator("#claims").inner_text()


@needs_chromium
@pytest.mark.parametrize("width", [1280, 600, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(
    browser: Browser, page_file: Path, width: int, scheme: str
) -> None:
    visitor = watch(browser, viewport={"width": width, "height": 800}, color_scheme=scheme)
    visitor.page.goto(page_file.as_uri())
    visitor.wait("drawn", STEPS[-1])
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    assert visitor.is_clean()


@needs_chromium
def test_a_made_up_address_does_no_harm(browser: Browser, page_file: Path) -> None:
    visitor = watch(browser)
    odd = "step=17&k=999&basis=zz&order=zz&head=9&neuron=99999&answer=-3&measure=<b>&time=zz"
    visitor.page.goto(f"{page_file.as_uri()}#{odd}")
    visitor.wait("drawn", STEPS[0])  # the nearest
    assert visitor.is_clean()
