"""Pages that hold everything they show: templates, numbered charts, and the drawing script."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from grokscope.reports.figures import Figure
from grokscope.reports.figures.figure import DARK, LIGHT, VEGA_LITE


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


LARGEST_PAGE: Final = 5_000_000
"""Bytes; charts that would make a page larger are left out."""
_WORDS: Final = 200_000
"""Bytes that a page takes besides its charts and the drawing script."""


def new_charts() -> Charts:
    """Return the charts of a new page, with the room that a page has for them."""
    return Charts(LARGEST_PAGE - _WORDS - len(_bundle()))


def render_template(template: str, charts: Charts, **values: Any) -> str:
    """Return a page as text.

    **Arguments:**

    - `template`: its name in `templates`; whatever it is filled with is escaped.
    - `charts`: all figures of the page.
    - `values`: what else the template shows.
    """
    scripts = [_bundle(), _template("page.js")]
    return (
        environment(_template)
        .get_template(template)
        .render(
            version=version("grokscope"),
            data={"charts": charts.documents, "themes": {"light": LIGHT, "dark": DARK}},
            css=stylesheet(),
            scripts=[Markup(text) for text in scripts],
            allowed=allowed(scripts),
            **values,
        )
    )


def environment(load: Callable[[str], str]) -> Environment:
    """Return what fills templates; whatever they are filled with is escaped.

    **Arguments:** leads the name of a template to its text.
    """
    made = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # `tojson` writes < > & ' as escapes, so that no text of a run can end a script
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return made


def allowed(scripts: Sequence[str]) -> Markup:
    """Return the part of a content security policy that allows these scripts and no others."""
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    return Markup(" ".join(f"'sha256-{digest}'" for digest in digests))


def stylesheet() -> Markup:
    """Return the rules that all pages share."""
    return Markup(_template("page.css"))


@cache
def _bundle() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script, of the version that Altair writes."""
    code = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template(name: str) -> str:
    return (files("grokscope.reports") / "templates" / name).read_text("utf-8")
