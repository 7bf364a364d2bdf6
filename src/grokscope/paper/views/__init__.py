"""The kinds of views, one per file."""

from collections.abc import Callable
from typing import Final

from grokscope.paper.block import Block, Shown
from grokscope.paper.views.curves import curves, etas, sweep
from grokscope.paper.views.maps import labels, map_of_steps
from grokscope.paper.views.spectra import frequencies, logits, spectra
from grokscope.paper.views.tables import ends, losses, outcomes, separation, thresholds

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
