"""The embedding on the circles of its key frequencies, in the coordinate of the operation."""

from typing import Final

import numpy as np

from grokscope.circuits import in_plane
from grokscope.circuits.subject import Subject
from grokscope.inspection.sentences import own_and_harmonics
from grokscope.report.explained import Explained
from grokscope.report.figures.circles import CIRCLES, circle_panel
from grokscope.report.figures.figure import Figure, Layout, assemble

_TITLE: Final = "The embedding on the circles of its key frequencies"


def matched_circles(found: Explained, subject: Subject) -> Figure:
    """Return the figure: a panel for each of the strongest key frequencies of W_E."""
    structure, characters = subject.matched.structure, subject.matched.embedding
    n, spectrum = structure.n, found.document["embedding"]["spectrum"]
    own, _ = own_and_harmonics(found.document, "embedding")
    if not own:
        missing = "W_E has no key frequency in the basis that fits the operation."
        return Figure("circles-matched", _TITLE, "", missing=missing)
    panels = [
        circle_panel(
            in_plane(subject.embedding, characters.parts[0][k - 1], characters.inside),
            np.where(structure.u >= 0, k * structure.u % n, 0),
            n,
            f"k = {k}, {spectrum[k - 1]:.0%} of the energy",
            f"k·u mod {n}",
        )
        for k in own[:CIRCLES]
    ]
    layout = Layout(columns=3, least=300, axis=60, square=True, most=270)
    caption = (
        f"Each point is a residue x in the plane of frequency k of Z_{n}; colour is k·u(x) mod {n}"
        f" with u(x) = {structure.u_text}. A ring in the order of the colours: W_E has turned the"
        " coordinate into an angle."
    )
    if structure.characters == 2:
        caption += f" The circles of v(y) = {structure.v_text} lie in other planes of W_E."
    outside = np.flatnonzero(~characters.inside)
    if len(outside):
        caption += f" Without {_named(outside)}, where the coordinate is undefined."
    chart = assemble(panels, layout, _TITLE)
    return Figure("circles-matched", _TITLE, caption, chart, layout)


def _named(residues: np.ndarray, most: int = 5) -> str:
    names = ", ".join(map(str, residues[:most]))
    return f"x = {names}{' …' if len(residues) > most else ''}"
