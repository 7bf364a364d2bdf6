"""The site builds strictly, every link in it leads somewhere, and its pages ask nobody else."""

import functools
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import sync_playwright
from tests.explorer.browser import CHROMIUM, watch

build = pytest.importorskip("mkdocs.commands.build")
config = pytest.importorskip("mkdocs.config")
hooks = pytest.importorskip("docs.site_hooks")

ROOT: Final = Path(__file__).parents[1]
SHOWN: Final = (
    *("index", "cli", "measures", "reproduction", "glossary", "run-folder"),
    *("tutorials/finding", "reference/networks", "science/verdict"),
)


class Page(HTMLParser):
    """Anchors, links, and what a browser loads with the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        self.loaded += [found[name] for name in ("src", "srcset", "data") if name in found]
        if (
            tag == "link"
            and "href" in found
            and found.get("rel") not in ("prev", "next", "canonical")
        ):
            self.loaded.append(found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build.build(config.load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(folder)))
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {
        path: Page(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"
    }


def test_every_link_leads_to_a_page_and_a_place_on_it(pages: dict[Path, Page]) -> None:
    assert len(pages) > 30
    dead = []
    for path, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or not (address.path or address.fragment):
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            place = unquote(address.fragment)
            known = pages[target].anchors if target in pages else {""}
            if not target.exists() or (place and place not in known):
                dead.append(f"{path.name}: {link}")
    assert dead == []


def test_pages_load_nothing_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    loaded = {address for page in pages.values() for address in page.loaded}
    assert len(loaded) > 20
    assert [address for address in loaded if urlsplit(address).netloc] == []
    styles = "\n".join(path.read_text() for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import )['\"]?(?:https?:)?//[^)]*", styles) == []


def test_products_are_not_emphasis(site: Path) -> None:
    assert "x^2 - y, 2*x + 3*y and x^3 + 2*y" in (site / "explained.html").read_text()
    inside = [path.name for path in site.rglob("*.html") if re.search(r"\w<em>", path.read_text())]
    assert inside == []


def test_words_are_linked_to_the_glossary_once_a_page(pages: dict[Path, Page]) -> None:
    found = {
        path.name: [x for x in page.links if "glossary.html#" in x] for path, page in pages.items()
    }
    for name in ("index.html", "verdict.html", "group.html", "run-folder.html"):
        assert found[name], name
        assert len(found[name]) == len(set(found[name])), name


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(
    not CHROMIUM.exists(), reason="there is no Chromium to draw the pages; CI has one"
)
def test_a_browser_asks_nobody_else_and_no_page_is_wider_than_its_window(address: str) -> None:
    wide = "document.documentElement.scrollWidth - window.innerWidth"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        watched = watch(browser, viewport={"width": 400, "height": 800})
        for name in SHOWN:
            watched.page.goto(f"{address}/{name}.html")
            watched.page.wait_for_load_state("networkidle")
            assert watched.page.evaluate(wide) <= 0, name
        assert watched.is_clean()
        browser.close()


@pytest.mark.parametrize(
    ("html", "linked"),
    [
        ("<p>A residue, and a residue.</p>", "<p>A [residue], and a residue.</p>"),
        ("<p>Key frequencies and FFS</p>", "<p>[Key frequencies] and [FFS]</p>"),
        ("<h2>A residue</h2><p><code>residue</code></p>", None),
        ('<p><a href="x">residue</a> residues</p>', '<p><a href="x">residue</a> [residues]</p>'),
        ("<p>residuesque, ffs</p>", None),
    ],
)
def test_first_use_of_a_word_is_a_link(html: str, linked: str | None) -> None:
    found = hooks.link_words(html, ["key frequency", "residue", "FFS"], "glossary.html")
    plain = re.sub(r'<a class="word" href="glossary.html#[a-z-]+">(.*?)</a>', r"[\1]", found)
    assert plain == (linked or html)
