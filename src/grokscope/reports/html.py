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
from grokscope.theme import page_variables


class Charts:
    """Takes figures and returns their words; what is drawn gathers in `documents`.

    **Arguments:**

    - `room`: length that all charts together may have, in bytes of JSON.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.documents: list[dict[str, Any]] = []

    def add(self, figures: Sequence[Figure]) -> list[dict[str, Any]]:
        """Return title, caption and chart number of each figure; one that does not fit says so."""
        return [self._add(figure) for figure in figures]

    def _add(self, figure: Figure) -> dict[str, Any]:
        words = {"title": figure.title, "caption": figure.caption, "missing": figure.missing}
        if figure.chart is None:
            return words | _NOT_DRAWN
        document = _document(figure)
        size = len(json.dumps(document, separators=(",", ":")))
        if size > self.room:
            return words | _NOT_DRAWN | {"missing": _LEFT_OUT}
        self.room -= size
        self.documents.append(document)
        over_time = figure.first_step is not None
        return words | {"number": len(self.documents) - 1, "over_time": over_time}


_NOT_DRAWN: Final = {"number": None, "over_time": False}
_LEFT_OUT: Final = "Left out to keep the page small; a page about fewer runs or operations has it."


def _document(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "spec": figure.chart,
        "layout": dataclasses.asdict(figure.layout),
        "first_step": figure.first_step,
    }


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
    return Markup(page_variables() + _template("page.css"))


@cache
def _bundle() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script, of the version that Altair writes."""
    code = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template(name: str) -> str:
    return (files("grokscope.reports") / "templates" / name).read_text("utf-8")
