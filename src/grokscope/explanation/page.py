"""An explanation as a page of sentences and tables, shown as text, in colours or as HTML."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from grokscope.errors import printable
from grokscope.explanation.findings import (
    Ablations,
    HeadFinding,
    KeyShape,
    NeuronFinding,
    Patching,
    Rebuilt,
    SmallestSet,
    TableA4,
    Turning,
)
from grokscope.explanation.result import Explanation, Key
from grokscope.explanation.sentences import (
    NOT_TESTABLE,
    VERDICTS_IN_WORDS,
    algorithm_in_words,
    frequencies_in_words,
    harmonic_in_words,
    headline,
    named_table,
    number_in_words,
    sentences,
    share_in_words,
)
from grokscope.explanation.verdict import Claim, Edit, Place, Verdict
from grokscope.rounding import share_in_percent
from grokscope.theme import VERDICTS, verdict_colour

MOST_FAMILIES: Final = 10
PLACES_IN_WORDS: Final = {"embedding": "W_E", "neurons": "neurons", "logits": "class axis"}
"""Fields of `Ablations` → what was edited."""
_UNKNOWN: Final = "–"


@dataclass(frozen=True)
class Grid:
    """A small table of texts; all columns but the first hold numbers."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: bool = True
    """Whether the first column holds names."""


@dataclass(frozen=True)
class Page:
    """All that is shown of an explanation, as texts."""

    headline: str
    verdict: Verdict
    sentences: tuple[str, ...]
    grids: tuple[Grid, ...]
    facts: tuple[tuple[str, str], ...]
    """Names with their texts; a name that is empty goes with the one before it."""


def page_of(found: Explanation) -> Page:
    """Return the page of an explanation."""
    grids = (_families(found), _ablations(found.ablations), _losses(found.logits.table_a4))
    return Page(
        headline=headline(found),
        verdict=found.verdict,
        sentences=tuple(sentences(found)),
        grids=tuple(grid for grid in grids if grid is not None),
        facts=(*_facts(found), *_open_ends(found)),
    )


def _families(found: Explanation) -> Grid | None:
    if not found.families:
        return None
    keys = {key.frequency: key for key in found.keys}
    shapes = {key.frequency: key for key in found.logits.key_shapes}
    scores = {one.family: one for one in found.ablations.families}
    headers = [f"of {name}" for name in _tables(found)]
    headers += ["in the logits", "b/a", "a"] if shapes else []
    headers += ["A, W_E without", "class axis without"] if scores else []
    rows = []
    for family in found.families[:MOST_FAMILIES]:
        for k in sorted(family, key=lambda k: keys[k].harmonic_of is not None):
            cells = [_key(keys[k], found.structure.n or 0), *_shares(found, keys[k])]
            cells += _shape(shapes.get(k)) if shapes else []
            without = scores.pop(family, None)  # once per family
            if without is not None:
                cells.append(number_in_words(without.without_in_embedding))
                cells.append(number_in_words(without.without_in_logits))
            rows.append(tuple(cells))
    if len(found.families) > MOST_FAMILIES:
        rows.append((f"and {len(found.families) - MOST_FAMILIES} more families",))
    title = "key frequencies by family, harmonics indented, and A without a whole family"
    return Grid(title, ("key", *headers), tuple(rows))


def _tables(found: Explanation) -> list[str]:
    """Return whose shares are shown: of W_E and W_L, or what stands for them, or a table alone."""
    return ["it"] if found.table is not None else [named_table(found, place) for place in Place]


def _shares(found: Explanation, key: Key) -> list[str]:
    shares = [key.share_of_embedding, key.share_of_neuron_logit_map]
    if found.table is not None:
        shares = shares[1:] if found.table.role is Place.LOGITS else shares[:1]
    return [_UNKNOWN if share is None else share_in_percent(share, 2) for share in shares]


def _key(key: Key, n: int) -> str:
    """Return a key's number, for a harmonic indented and with the key that it belongs to."""
    k, of = key.frequency, key.harmonic_of
    return str(k) if of is None else f"  {k}, {harmonic_in_words(k, of, n)}"


def _shape(key: KeyShape | None) -> list[str]:
    """Return shape, roundness and amplitude of a key in the logits."""
    if key is None:
        return [_UNKNOWN] * 3
    return [key.shape, f"{key.roundness:.2f}", f"{key.major:.2f}"]


def _ablations(found: Ablations) -> Grid | None:
    if found.full is None:
        return None
    rows = []
    for field, name in PLACES_IN_WORDS.items():
        scores = [getattr(found, field).of(edit) for edit in Edit]
        if field != "neurons" or any(score is not None for score in scores):
            rows.append((name, *map(number_in_words, scores)))
    rows.append(("both", number_in_words(found.both_keep)))
    title = "what is left: A = 1 like the whole network, 0 like guessing"
    return Grid(title, ("place", *(edit.words for edit in Edit)), tuple(rows))


def _losses(found: TableA4 | None) -> Grid | None:
    if found is None:
        return None
    parts = {
        "whole network": found.train_loss,
        "keys": found.restricted_loss,
        "other": found.ablation_a,
        "rest": found.ablation_b,
        "keys + other": found.ablation_c,
        "keys + rest": found.ablation_d,
        "other + rest": found.ablation_e,
    }
    losses = tuple(f"{loss.all:.1e}" for loss in parts.values())
    title = "loss of the parts of the logits, nats, all pairs (Table A.4)"
    return Grid(title, tuple(parts), (losses,), names=False)


def _facts(found: Explanation) -> list[tuple[str, str]]:
    told = [
        ("patching", _patching(found.ablations.patching)),
        ("turning", _turning(found.ablations.turning)),
        ("fewest keys", _fewest(found.ablations.smallest_set)),
        ("neurons", _neurons(found.neurons)),
        ("rebuilt", _rebuilt(found.neurons.rebuilt)),
        ("attention", _attention(found.attention)),
        ("algorithm", algorithm_in_words(found)),
    ]
    return [(name, text) for name, text in told if text]


def _patching(found: Patching | None) -> str:
    if found is None:
        return ""
    told = {
        "u(x) + d written into the keys moves the answer by d": found.moved,
        "leaves it": found.stayed,
        "moves it where no residue has u + d": found.moved_off_residues,
        "the same in as many other frequencies leaves it": found.control_stayed,
    }
    return "; ".join(
        f"{text}: {share_in_words(value)}" for text, value in told.items() if value is not None
    )


def _turning(found: Turning | None) -> str:
    if found is None:
        return ""
    text = (
        "u(x) turned by parts of a residue in the keys moves the logits like those of the ellipses:"
        f" correlation {number_in_words(found.correlation)}, the same answer at"
        f" {share_in_words(found.agreement)} of the pairs"
    )
    aside = "" if found.control is None else f"; other frequencies turned: {found.control:.2f}"
    return f"{text}{aside}"


def _fewest(found: SmallestSet | None) -> str:
    if found is None:
        return ""
    keys, kept, both = found.keys, number_in_words(found.sums_keep), found.both_keep
    text = f"{frequencies_in_words(keys)}: A = {kept} with their waves of u + v alone in the logits"
    return text if both is None else f"{text}, {number_in_words(both)} with them alone in both"


def _rebuilt(found: Rebuilt | None) -> str:
    if found is None:
        return ""
    shapes = ", ".join(f"{count} {name}" for name, count in found.waveforms.items())
    return (
        f"from frequency, phases, amplitudes and waveform of each neuron ({shapes}): A ="
        f" {number_in_words(found.keep)}; with φ_out = φ_x + φ_y {number_in_words(found.by_law)};"
        f" φ_out permuted {number_in_words(found.phases_permuted)}, columns of W_L permuted"
        f" {number_in_words(found.columns_permuted)}"
    )


def _neurons(found: NeuronFinding) -> str:
    told = []
    if found.share_above_85 is not None:
        share = share_in_words(found.share_above_85)
        told.append(f"{share} have one frequency for over 85% of their variance")
    numbers = {
        "FSD": found.fsd,
        "agreement of phases": found.phase_agreement,
        "second harmonic": found.second_harmonic,
    }
    told += [f"{text} {value:.2f}" for text, value in numbers.items() if value is not None]
    return ", ".join(told)


def _attention(heads: tuple[HeadFinding, ...]) -> str:
    looks = [f"{head.mean[0]:.2f}±{head.deviation[0]:.2f}" for head in heads]
    return f"on x, mean±deviation over the pairs: {', '.join(looks)}" if looks else ""


def _open_ends(found: Explanation) -> list[tuple[str, str]]:
    """The claims that do not hold, always by name, and the runner-up."""
    claims = [claim for claim in found.claims.values() if not claim.holds]
    rows = []
    for decisive, title in ((True, "fails"), (False, "also fails")):
        for claim in claims:
            if claim.fails and claim.decisive is decisive:
                rows.append((title, _claim(claim)))
                title = ""
    untestable = [claim.id for claim in claims if not claim.fails]
    if untestable:
        rows.append((NOT_TESTABLE, ", ".join(untestable)))
    other = found.runner_up
    if other is not None:
        keys = frequencies_in_words(other.keys) or "none"
        rows.append(
            ("runner-up", f"{other.words}: {VERDICTS_IN_WORDS[other.verdict]}, keys {keys}")
        )
    return rows


def _claim(claim: Claim) -> str:
    value = "" if claim.value is None else f" {number_in_words(claim.value, 3)}"
    return f"{claim.id}{value}: {claim.statement}"


WIDTH: Final = 100
_GAP: Final = 3
"""Blanks between columns that have room."""


def as_text(page: Page, console: Console | None = None) -> str:
    """Return a page as lines without blanks at their ends.

    **Arguments:** the page; the console that says how wide it is and whether it has colours; by
    default 100 columns without.
    """
    return rendered(_parts(page), console or Console(file=io.StringIO(), width=WIDTH))


def rendered(parts: Sequence[RenderableType], console: Console) -> str:
    """Return parts below each other as a console shows them, without blanks at line ends.

    A table is never cut: where it is too wide, its columns stand closer, and then it is wider.
    """
    width = console.width
    with console.capture() as caught:
        for part in parts:
            console.width = _fitted(part, width) if isinstance(part, Table) else width
            console.print(part, highlight=False)
    console.width = width
    return "\n".join(line.rstrip() for line in caught.get().splitlines())


def _fitted(table: Table, width: int) -> int:
    """Make the columns of a table narrower where it is too wide; return the width that it needs."""
    known = [(column, column.min_width) for column in table.columns if column.min_width is not None]
    if len(known) < len(table.columns):  # texts, which may be broken anywhere
        return width
    gaps = len(known) - 1
    if sum(max(least, len(str(c.header))) for c, least in known) + _GAP * gaps <= width:
        return width
    needed = 0
    for gap in (_GAP, 2, 1):
        table.padding = (0, gap, 0, 0)
        needed = sum(least for _, least in known) + gap * gaps
        if needed <= width:
            break
    for column, least in known:
        column.width = least
    return max(needed, width)


def _parts(page: Page) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text(printable(page.headline), style=f"bold {VERDICTS[page.verdict][0]}"),
        Text(),
        *(Text(printable(sentence)) for sentence in page.sentences),
    ]
    for grid in page.grids:
        parts += [
            Text(f"\n{grid.title}", style="bold"),
            table_of(grid.headers, grid.rows, names=grid.names),
        ]
    return [*parts, Text(), names_and_texts(page.facts)] if page.facts else parts


def names_and_texts(rows: tuple[tuple[str, str], ...]) -> Table:
    """Return names with their texts, which wrap beside them."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name, style="bold"), Text(printable(text)))
    return table


def table_of(headers: Sequence[str], rows: Iterable[Sequence[str]], *, names: bool = True) -> Table:
    """Return a table of texts; all columns hold numbers, but the first where it holds names.

    Headers are broken at blanks, cells nowhere.
    """
    cells = [tuple(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    for i, header in enumerate(headers):
        first = i == 0 and names
        longest = max(
            len(text) for text in (*header.split(), *(row[i] for row in cells if i < len(row)))
        )
        justify = "left" if first else "right"
        table.add_column(header, justify=justify, no_wrap=first, min_width=longest)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


_STYLE: Final = (
    ".grokscope{max-width:60em;line-height:1.4}"
    ".grokscope h4{margin:0 0 .5em;padding-left:.6em;border-left:.3em solid}"
    ".grokscope p{margin:.2em 0}"
    ".grokscope table{border-collapse:collapse;margin:.8em 0;color:inherit}"
    ".grokscope caption{text-align:left;font-weight:bold;color:inherit}"
    ".grokscope td,.grokscope th{padding:.1em .8em .1em 0;background:none;color:inherit;"
    "text-align:right;font-variant-numeric:tabular-nums;white-space:pre}"
    ".grokscope td:first-child,.grokscope th:first-child{text-align:left}"
    ".grokscope dl{display:grid;grid-template-columns:max-content auto;gap:.1em 1em;margin:.8em 0}"
    ".grokscope dd{margin:0}.grokscope dt{font-weight:bold}"
)
"""Text and background stay those of the notebook, so that it can be light or dark."""


def as_html(page: Page) -> str:
    """Return a page as HTML that needs nothing from elsewhere; all texts are escaped."""
    parts = [f"<style>{_STYLE}</style>"]
    edge = verdict_colour(page.verdict)
    parts.append(f'<h4 style="border-color:{edge}">{_safe(page.headline)}</h4>')
    parts += [*(f"<p>{_safe(s)}</p>" for s in page.sentences), *map(_html_table, page.grids)]
    if page.facts:
        facts = [f"<dt>{_safe(name)}</dt><dd>{_safe(text)}</dd>" for name, text in page.facts]
        parts.append(f"<dl>{''.join(facts)}</dl>")
    return f'<div class="grokscope">{"".join(parts)}</div>'


def _html_table(grid: Grid) -> str:
    rows = [("th", grid.headers), *(("td", row) for row in grid.rows)]
    cells = [
        f"<tr>{''.join(f'<{kind}>{_safe(cell)}</{kind}>' for cell in row)}</tr>"
        for kind, row in rows
    ]
    return f"<table><caption>{_safe(grid.title)}</caption>{''.join(cells)}</table>"


def _safe(text: str) -> str:
    return escape(printable(text))
