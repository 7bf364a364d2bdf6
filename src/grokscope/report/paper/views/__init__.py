"""The kinds of views, one per file."""

from collections.abc import Callable
from typing import Final

from grokscope.report.paper.block import Block, Shown
from grokscope.report.paper.views.curves import curves
from grokscope.report.paper.views.ends import ends
from grokscope.report.paper.views.etas import etas
from grokscope.report.paper.views.frequencies import frequencies
from grokscope.report.paper.views.labels import labels
from grokscope.report.paper.views.logits import logits
from grokscope.report.paper.views.losses import losses
from grokscope.report.paper.views.map import map_of_steps
from grokscope.report.paper.views.outcomes import outcomes
from grokscope.report.paper.views.separation import separation
from grokscope.report.paper.views.spectra import spectra
from grokscope.report.paper.views.sweep import sweep
from grokscope.report.paper.views.thresholds import thresholds

Draw = Callable[[Shown], list[Block]]

VIEWS: Final[dict[str, Draw]] = {
    "curves": curves,
    "ends": ends,
    "etas": etas,
    "frequencies": frequencies,
    "labels": labels,
    "logits": logits,
    "losses": losses,
    "map": map_of_steps,
    "outcomes": outcomes,
    "separation": separation,
    "spectra": spectra,
    "sweep": sweep,
    "thresholds": thresholds,
}
"""Kind of a view, as `data/paper/experiments` names it, to what draws it."""
