"""What an experiment shows of its results: each kind of view is a function."""

from collections.abc import Callable
from typing import Final

from grokscope.paper.block import Block, ViewData
from grokscope.paper.views.curves import draw_curves, draw_etas, draw_sweep
from grokscope.paper.views.maps import draw_labels, draw_map_of_steps
from grokscope.paper.views.spectra import draw_frequencies, draw_logits, draw_spectra
from grokscope.paper.views.tables import (
    draw_ends,
    draw_losses,
    draw_outcomes,
    draw_separation,
    draw_thresholds,
)

Draw = Callable[[ViewData], list[Block]]

VIEWS: Final[dict[str, Draw]] = {
    "curves": draw_curves,
    "ends": draw_ends,
    "etas": draw_etas,
    "frequencies": draw_frequencies,
    "labels": draw_labels,
    "logits": draw_logits,
    "losses": draw_losses,
    "map": draw_map_of_steps,
    "outcomes": draw_outcomes,
    "separation": draw_separation,
    "spectra": draw_spectra,
    "sweep": draw_sweep,
    "thresholds": draw_thresholds,
}
"""Kind of a view, as `data/paper/experiments` names it, to what draws it."""
