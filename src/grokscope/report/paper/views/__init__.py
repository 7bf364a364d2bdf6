"""The kinds of views, one per file."""

from collections.abc import Callable
from typing import Final

from grokscope.report.paper.block import Block, Shown
from grokscope.report.paper.views.labels import labels
from grokscope.report.paper.views.separation import separation

Draw = Callable[[Shown], list[Block]]

VIEWS: Final[dict[str, Draw]] = {
    "labels": labels,
    "separation": separation,
}
