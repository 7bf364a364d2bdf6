"""Pages that hold everything they show: templates, the drawing script, and the rules for both."""

import base64
import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from grokscope.report.charts import Charts
from grokscope.report.theme import DARK, LIGHT, VEGA_LITE

LARGEST_PAGE: Final = 5_000_000
"""Bytes; charts that would make a page larger are left out."""
_WORDS: Final = 200_000
"""Bytes that a page takes besides its charts and the drawing script."""


def new_charts() -> Charts:
    """Return the charts of a new page, with the room that a page has for them."""
    return Charts(LARGEST_PAGE - _WORDS - len(_bundle()))


def fill(template: str, charts: Charts, **values: Any) -> str:
    """Return a page as text.

    **Arguments:**

    - `template`: its name in `templates`; whatever it is filled with is escaped.
    - `charts`: all figures of the page.
    - `values`: what else the template shows.
    """
    environment = Environment(loader=FunctionLoader(_template), autoescape=True,
                              undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)  # fmt: skip
    # `tojson` writes < > & ' as escapes, so that no text of a run can end a script
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    scripts = [_bundle(), _template("page.js")]
    return environment.get_template(template).render(
        version=version("grokscope"),
        data={"charts": charts.documents, "themes": {"light": LIGHT, "dark": DARK}},
        css=Markup(_template("page.css")),
        scripts=[Markup(text) for text in scripts],
        allowed=Markup(" ".join(f"'sha256-{_digest(text)}'" for text in scripts)),
        **values,
    )  # fmt: skip


@cache
def _bundle() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script, of the version that Altair writes."""
    code = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _template(name: str) -> str:
    return (files("grokscope.report") / "templates" / name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
