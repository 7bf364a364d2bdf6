"""The charts of a page, numbered, as long as there is room for them."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from grokscope.report.figures import Figure


class Charts:
    """Takes figures and returns their words; what is drawn gathers in `documents`.

    **Arguments:**

    - `room`: length that all charts together may have, in bytes of JSON.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.documents: list[dict[str, Any]] = []

    def add(self, figures: Sequence[Figure]) -> list[dict[str, Any]] | None:
        """Return title, caption and chart number of each figure; None where they do not fit."""
        new = [_document(figure) for figure in figures if figure.chart is not None]
        size = len(json.dumps(new, separators=(",", ":")))
        if size > self.room:
            return None
        self.room -= size
        numbers = iter(range(len(self.documents), len(self.documents) + len(new)))
        self.documents += new
        return [_words(f, None if f.chart is None else next(numbers)) for f in figures]


def _document(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "spec": figure.chart,
        "layout": dataclasses.asdict(figure.layout),
        "first_step": figure.first_step,
    }


def _words(figure: Figure, number: int | None) -> dict[str, Any]:
    words = {"title": figure.title, "caption": figure.caption, "missing": figure.missing}
    return words | {"number": number}
