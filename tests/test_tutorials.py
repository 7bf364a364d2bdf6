"""The tutorials run, and their pages show the programs that ran."""

import re
from pathlib import Path

import pytest
from docs import notebooks


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all: later tutorials take up runs of earlier ones."""
    return tmp_path_factory.mktemp("tutorials")


def without_outputs(page: str) -> list[str]:
    """Return the lines of a page but for what its program printed, and the captions of figures."""
    kept = re.sub(r"```text\n.*?```", "", page, flags=re.DOTALL)
    lines = [line for line in kept.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(("![", "*"))]


@pytest.mark.parametrize("name", notebooks.NAMES)
def test_tutorial_runs_and_its_page_shows_it(name: str, place: Path) -> None:
    if name == "your_network":
        pytest.importorskip("torch")
    with notebooks.workplace(place):
        page = notebooks.page(name, place / "pictures")
    kept = (notebooks.PAGES / f"{name}.md").read_text()
    assert without_outputs(page) == without_outputs(kept), "run `make tutorials`"
    assert page.count("```text") == kept.count("```text") > 2
    pictures = re.findall(r"\]\(\.\./figures/tutorials/(\S+\.svg)\)", page)
    assert pictures == re.findall(r"\]\(\.\./figures/tutorials/(\S+\.svg)\)", kept)
    for picture in pictures:
        assert "<svg" in (place / "pictures" / picture).read_text()[:200]
        assert (notebooks.PICTURES / picture).exists()


def test_every_tutorial_is_run() -> None:
    assert sorted(path.stem for path in notebooks.SOURCES.glob("*.py")) == sorted(notebooks.NAMES)


def test_cells_are_prose_and_code() -> None:
    found = notebooks.cells(
        '"""Title."""\n\n# %% [markdown]\n# # Head\n#\n# Words.\n\n# %%\nx = 1\nx\n'
    )
    assert found == [
        notebooks.Cell("# Head\n\nWords.", is_code=False),
        notebooks.Cell("x = 1\nx", is_code=True),
    ]


def test_a_cell_shows_what_it_prints_and_ends_in() -> None:
    known: dict[str, object] = {}
    assert notebooks.run("x = 2\nprint('said')\nx + 1", known, "here") == ("said\n", 3)
    assert notebooks.run("x = 3", known, "here") == ("", None)
    assert known["x"] == 3
