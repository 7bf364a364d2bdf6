"""The page of linked figures: one file that loads nothing, or served by the explorer."""

import base64
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from markupsafe import Markup

from grokscope.config.arguments import plain_arguments
from grokscope.disk.atomic import utf8_bytes, write_bytes
from grokscope.errors import UsageError
from grokscope.explorer.claims import claims_over_time, kept_claims
from grokscope.explorer.overview import overview
from grokscope.explorer.packing import pack_snapshot
from grokscope.explorer.snapshot import LARGEST_MODULUS, take_snapshot
from grokscope.explorer.subject import Subject, evenly, read_subject
from grokscope.progress import doing, showing
from grokscope.reports.html import allowed, environment, stylesheet
from grokscope.theme import VIRIDIS, drawing_variables

LARGEST_PAGE: Final = 10_000_000
"""Bytes."""
NEURON_MAPS: Final = 6
"""Neurons with maps in every snapshot: those that move the logits of the last one most."""
Kind = Literal["time", "bench", "try", "compare"]
_COMMON: Final = ("widgets.js", "data.js", "draw.js", "figure.js")
SCRIPTS: Final[dict[Kind, tuple[str, ...]]] = {
    "time": (*_COMMON, "curves.js", "pictures.js", "time.js", "controls.js", "start.js"),
    "bench": (*_COMMON, "pictures.js", "bench.js"),
    "try": (*_COMMON, "pictures.js", "try.js"),
    "compare": (*_COMMON, "curves.js", "compare.js"),
}
"""What draws each kind of page."""
_KEYS_IN_WORDS: Final = " Keys: ← and → step, Home and End, space plays."
_PALETTE: Final = [[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in VIRIDIS]


def render(
    kind: Kind,
    shared: Mapping[str, Any],
    *,
    frames: Mapping[int, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> str:
    """Return a page as text; whatever stands in it is escaped.

    **Arguments:**

    - `kind`: which page.
    - `shared`: `title`, `lead`, and what the page draws; for most kinds what `overview` returns.
    - `frames`: the snapshots by step, in base 64, for a page that holds them.
    - `query`: what a page that is served asks the explorer with.
    """
    script = '"use strict";\n' + "\n".join(_static(name) for name in SCRIPTS[kind])
    return (
        environment(_static)
        .get_template("page.html.j2")
        .render(
            version=version("grokscope"),
            shared=shared,
            palette=_PALETTE,
            frames=frames,
            query=query,
            connect=Markup("'none'" if query is None else "'self'"),
            css=stylesheet() + Markup(_static("pages.css")),
            plot_css=Markup(drawing_variables() + _static("plot.css")),
            footer=_KEYS_IN_WORDS if kind == "time" else "",
            script=Markup(script),
            allowed=allowed([script]),
        )
    )


def _static(name: str) -> str:
    return (files("grokscope.explorer") / "static" / name).read_text("utf-8")


@plain_arguments
@showing()
def write_page(
    run: Path,
    out: Path,
    *,
    seed: int | None = None,
    operation: int = 0,
    claims: bool = True,
) -> Path:
    """Write one file with the slider and all linked figures, at most 10 MB.

    **Arguments:**

    - `run`: the run folder.
    - `out`: the file.
    - `seed`, `operation`: as for `read_subject`.
    - `claims`: whether every snapshot is explained where that was not done yet; it takes seconds
      for each.

    **Returns:** the file.

    **Raises:** `UsageError` for a run, seed or operation that is not there, or without snapshots;
    `DiskError`.
    """
    subject = read_subject(run, seed, operation)
    if not subject.steps:
        raise UsageError(
            "the run has no snapshots yet", got=str(run), next_step="wait for its first save"
        )
    known = kept_claims(subject)
    if known is None and claims:
        known = claims_over_time(subject)
    shared = overview(subject, known)
    frames = _within(LARGEST_PAGE - len(render("time", shared, frames={}).encode()), subject)
    page = render("time", shared | {"steps": list(frames)}, frames=frames)
    write_bytes(out, utf8_bytes(page))
    return out


def _within(room: int, subject: Subject) -> dict[int, str]:
    """Return as many snapshots in base 64 as there is room for, evenly chosen."""
    found: dict[int, str] = {}
    for step, data in _packed(subject):
        found[step] = base64.b64encode(data).decode()
    each = max(len(text) + 20 for text in found.values())
    kept = evenly(list(found), max(2, room // each))
    return {step: found[step] for step in kept}


def _packed(subject: Subject) -> Iterator[tuple[int, bytes]]:
    for number, step in enumerate(subject.steps, 1):
        doing(f"snapshot {number} of {len(subject.steps)}")
        yield step, packed_snapshot(subject, step)


def packed_snapshot(subject: Subject, step: int) -> bytes:
    """Return one snapshot as a file, with the maps that every snapshot has."""
    snapshot = take_snapshot(subject, step)
    return pack_snapshot(snapshot, subject.strongest_neurons[:NEURON_MAPS], answers_shown(subject))


def answers_shown(subject: Subject) -> list[int]:
    """Return the answers whose logits are in every snapshot."""
    return sorted({0, 1, subject.p // 2}) if subject.p <= LARGEST_MODULUS else []
