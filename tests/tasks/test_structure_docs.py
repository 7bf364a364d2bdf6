"""docs/structure.md says what the search says today."""

from pathlib import Path

from docs.structure import page, rows

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    text = (ROOT / "docs" / "structure.md").read_text()
    assert text == page(rows()), "run `python -m docs.structure`"
