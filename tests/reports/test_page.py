"""The page as a file: what is in it, what it could load, what it escapes."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.errors import UsageError
from grokscope.reports import write_report

MakeRun = Callable[..., RunFolder]
LARGEST = 5_000_000
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Every element with its attributes, and the text of scripts and of all else."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self.text = text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.lasttag == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.words += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0])


@pytest.fixture(scope="module")
def page(shared_run: RunFolder) -> Page:
    """The page of one ordinary run."""
    return page_of(shared_run)


def page_of(*runs: RunFolder) -> Page:
    out = runs[0].path.parent / "page.html"
    return Page(write_report([run.path for run in runs], out).read_text("utf-8"))


def test_one_run_has_all_figures_in_order(page: Page) -> None:
    names = [chart["name"] for chart in page.data["charts"]]
    assert names == [
        "accuracy",
        "loss",
        "measures",
        "norms",
        "bases",
        "neurons-matched",
        "attention",
        "spectra",
        "circles",
        "neurons",
        "modes",
    ]
    places = [a["data-chart"] for a in page.of("div") if "data-chart" in a]
    assert places == [str(i) for i in range(11)]
    assert len(page.of("figcaption")) == 11
    for said in ("x + y modulo 7", "Seed 0 grokked at step 600.", "arXiv 2402.16726"):
        assert said in page.words


def test_the_page_opens_with_the_finding_and_tells_the_story_in_order(page: Page) -> None:
    text = page.text
    opening = text[: text.index('<section id="memorised">')]
    assert "seed 0: memorised at step 100, grokked at step 600; the algorithm is" in opening
    assert "are leaked: the operation is symmetric" in opening
    assert opening.index("are leaked") < opening.index('data-chart="0"')
    assert re.findall(r"<h2>(.*?)</h2>", text[: text.index("</main>")]) == [
        "Accuracy on training and test pairs",
        "Memorised",
        "Until grokking",  # its weights were drawn at random: there is no circuit
        "Cleaned up",
        "Algorithm",
        "Evidence",
        "Seeds",
        "Settings",
        "Measures",
    ]


def test_nothing_is_loaded(page: Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "base")
        assert not attributes.keys() & {"src", "srcset", "action", "background"}
        assert (attributes.get("href") or "#").startswith("#")
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in page.scripts[0]
    policy = next(a["content"] for a in page.of("meta") if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy


def test_only_the_two_scripts_of_the_page_may_run(page: Page) -> None:
    policy = next(a["content"] for a in page.of("meta") if "http-equiv" in a) or ""
    run = page.scripts[1:]
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in run]
    assert re.findall(r"'sha256-([^']*)'", policy) == digests
    assert page.of("script")[0] == {"type": "application/json", "id": "data"}
    assert sum("vegaEmbed" in script for script in run) == 2


def test_text_of_a_run_is_never_markup(make_run: MakeRun) -> None:
    first = make_run("<b>&'\"", operation=HOSTILE)
    page = page_of(first, make_run("b"))
    assert len(page.of("script")) == 3
    assert not page.of("img")
    assert not page.of("b")
    assert HOSTILE in page.words
    assert "<" not in page.scripts[0]
    rows = next(iter(page.data["charts"][0]["spec"]["datasets"].values()))
    assert HOSTILE in {value for row in rows for value in row.values()}


def test_several_runs_are_compared_and_each_network_is_drawn(make_run: MakeRun) -> None:
    page = page_of(make_run("a"), make_run("b", expressions=("x*y",), grokked_at={0: None, 1: 500}))
    names = [chart["name"] for chart in page.data["charts"]]
    assert names.count("compared-accuracy") == 1
    assert {"modes-1-x+y", "modes-2-xy"} <= set(names)
    assert len(set(names)) == len(names)
    assert "x + y and x*y modulo 7: seed 0 and 1" in page.words
    assert "seed 0, the first of 2, at its last checkpoint, step 1,000" in " ".join(
        page.words.split()
    )


def test_what_does_not_fit_on_a_page_is_left_out(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_run(f"r{i}", grokked_at=dict.fromkeys(range(3), 600)) for i in range(3)]
    paths, out = [run.path for run in runs], runs[0].path.parent / "page.html"
    whole = write_report(paths, out).read_text("utf-8")
    assert len(whole.encode()) < LARGEST
    assert "Left out" not in whole
    # room for the curves and for one network
    one = len(write_report(paths[:1], out).read_bytes())
    monkeypatch.setattr("grokscope.reports.html.LARGEST_PAGE", (one + len(whole.encode())) // 2)
    monkeypatch.setattr("grokscope.reports.html._WORDS", 0)
    some = write_report(paths, out).read_text("utf-8").count("Left out to keep")
    monkeypatch.setattr("grokscope.reports.html.LARGEST_PAGE", 1_000_000 - 100_000)
    most = write_report(paths, out).read_text("utf-8").count("Left out to keep")
    assert 1 <= some < most


def test_a_mixture_says_whose_figures_are_shown(make_run: MakeRun) -> None:
    page = page_of(make_run(expressions=("x + y", "x*y"), operation="x + y, x*y"))
    assert "Attention and neurons are those of the first operation." in page.words


def test_a_run_that_has_only_begun_has_a_page_that_says_what_is_missing(
    make_run: MakeRun,
) -> None:
    page = page_of(make_run(metrics=False, spectra=False, weights=False, status="running"))
    for said in (
        "Nothing has been evaluated yet",
        "there are no curves",
        "grokscope train --resume --out ",
        "No spectrum",
        "no checkpoint of this seed",
    ):
        assert said in page.words
    assert page.data["charts"] == []
    assert not page.of("table")


def test_the_page_of_one_run_lies_in_its_folder(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run, other = make_run("a", weights=False), make_run("b", weights=False)
    assert write_report([run.path]) == run.path / "report.html"
    monkeypatch.chdir(tmp_path)
    assert write_report([run.path, other.path]).resolve() == tmp_path / "report.html"


def test_it_is_written_twice_the_same(shared_run: RunFolder) -> None:
    first, second = (write_report([shared_run.path]).read_bytes() for _ in range(2))
    assert first == second


def test_a_folder_that_is_not_a_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run folder"):
        write_report([tmp_path])
