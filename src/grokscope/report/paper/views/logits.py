"""Norms of the logits per pair of frequencies of x and y, as one small map per operation."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from grokscope.report.figures.figure import Figure, Layout, assemble, ticks
from grokscope.report.figures.maps import image_panel
from grokscope.report.paper.block import Block, Shown
from grokscope.report.paper.grouping import Row, grouped, said, varying, with_rows
from grokscope.report.paper.views.spectra import representative

_MISSING: Final = "No checkpoint has been read yet."


def logits(shown: Shown) -> list[Block]:
    """Return the figure: one map per setting, of the seed that the spectra show."""
    title = shown.view.title
    rows = with_rows(shown.results, "logits")
    if not rows:
        return [Figure("logits", title, "", missing=_MISSING)]
    names = ["operation", *varying(rows, ["operation"])]
    panels, largest = [], 1
    for found in grouped(rows, names).values():
        one = representative(found)
        n = max(row["p"] for row in one) // 2 + 1
        largest = max(largest, n)
        image = np.zeros((n, n))
        for row in one:
            image[row["kx"], row["ky"]] = row["norm"]
        axis = {"values": ticks(0, n - 1, 6), "from": -0.5, "to": n - 0.5}
        panels.append(
            image_panel(image, (0, 1), _title(one[0], names), "norm / largest",
                        {"title": "frequency in x"} | axis, {"title": "frequency in y"} | axis)
        )  # fmt: skip
    layout = Layout(columns=3, least=260, axis=66, square=True, most=300, cells=largest)
    caption = (
        "Norm over the answers of what the last checkpoint's logits hold of each pair of"
        " frequencies, cosines and sines together, divided by the largest. On the diagonal x and y"
        " have the same frequency, as in cos(2πk(x + y − c)/p). Norms below 2% are not kept."
    )
    chart = assemble(panels, layout, title)
    return [Figure("logits", title, caption, chart, layout)]


def _title(row: Row, names: Sequence[str]) -> str:
    return f"{said(row, names)} (seed {row['seed']}, {row['status']})"
