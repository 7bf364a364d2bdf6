"""Does the group of an operation predict when it groks? Writes docs/structure.md and its figure.

Run from the root of the repository: `python -m docs.structure`. It trains nothing: the fractions
are those of the paper's Table A.5, a copy of which the package holds.
"""

import csv
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import altair as alt

from grokscope.tasks import Search, Task, parse, structure_of

FOLDER: Final = Path(__file__).parent
P: Final = 97
NEVER: Final = "never"
KINDS: Final = ("one character", "two characters", "no structure")
OKABE_ITO: Final = ("#0072B2", "#009E73", "#D55E00")


@dataclass(frozen=True, eq=False)
class Row:
    """An operation of the paper, what the algebra says of it, and when it groks there."""

    operation: str
    search: Search
    symmetric: bool
    fraction: float | None
    """The smallest training fraction at which the table says that it groks; None for never."""

    @property
    def kind(self) -> str:
        """Whether a structure was found, and the characters that it predicts."""
        best = self.search.best
        return KINDS[2] if best is None else KINDS[best.characters - 1]

    def groks_at(self, fraction: float) -> bool:
        """Whether it groks at this fraction or a smaller one."""
        return self.fraction is not None and self.fraction <= fraction

    @property
    def when(self) -> str:
        """The fraction as text."""
        return NEVER if self.fraction is None else f"{self.fraction:g}"


def rows() -> list[Row]:
    """Return all operations of Table A.5."""
    table = resources.files("grokscope") / "data" / "paper" / "table_a5.csv"
    return [_row(line) for line in csv.DictReader(table.read_text().splitlines())]


def _row(line: dict[str, str]) -> Row:
    task = Task((parse(line["operation"]),), P)
    grokked = [float(r.removeprefix("r=")) for r, cell in line.items() if cell == "grok"]
    return Row(task.canonical, structure_of(task), task.symmetric(0, 0), min(grokked, default=None))


def page(found: Sequence[Row]) -> str:
    """Return docs/structure.md."""
    parts = (_introduction, _table, _separation, _limits)
    return "\n".join(line for part in parts for line in part(found))


def _introduction(found: Sequence[Row]) -> Iterator[str]:
    n = sum(row.search.best is not None for row in found)
    yield "# Does the group predict the grokking?\n"
    yield "<!-- Written by `python -m docs.structure`. -->\n"
    yield _filled(
        f"""An operation has a structure when f(x, y) = g(u(x) + v(y)) with addition in a cyclic
        group Z_n and neither u nor v constant. [`grokscope structure`](cli.md) looks for one on
        the table of labels, with no network involved, and proves what it finds by recomputing
        every label. A network that groks learns a few characters of that group, by hypothesis,
        and one shared embedding has to carry each of them through u and through v. When v is u or
        −u but for a constant, both are the same character or its conjugate, and *one* per key
        frequency will do; when v is another multiple of u, or no multiple at all, it takes *two*.
        This page holds the two properties, which follow from the table of labels alone, against
        the paper's Table A.5: {len(found)} operations mod {P}, each with the smallest training
        fraction r at which the table says that it grokked (0.3 to 0.9; "never" means not at 0.9
        within the paper's steps)."""
    )
    yield _filled(
        f"""The search finds a structure for {n} of the {len(found)} operations, exactly one each,
        and none for {len(found) - n}."""
    )
    title = "Smallest grokking fraction of every operation, by the kind of its structure"
    yield f"![{title}](figures/structure_separation.png)\n"


def _filled(text: str, bullet: str = "") -> str:
    """Return a paragraph, or a point of a list, in lines of at most 100 characters."""
    indent = " " * len(bullet)
    lines = textwrap.fill(
        " ".join(text.split()),
        100,
        initial_indent=bullet,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines if bullet else f"{lines}\n"


def _table(found: Sequence[Row]) -> Iterator[str]:
    yield "| operation | structure | group | u | v | v from u | characters | smallest r |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in found:
        best = row.search.best
        if best is None:
            cells = [f"none; {row.search.factors}", *"–––––"]
        else:
            words = best.words.removeprefix(f"{row.operation} is ").removesuffix(f" mod {P}")
            relation = f"scaled by {best.scale}" if best.relation == "scaled" else best.relation
            cells = [
                words.rstrip(","),
                best.group,
                best.u_text,
                best.v_text,
                relation,
                str(best.characters),
            ]
        cells = [cell.replace("*", r"\*") for cell in (row.operation, *cells, row.when)]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield _filled(
        f"""log is the discrete logarithm to the smallest primitive root, 5. For the operations
        without a structure the factorisation over GF({P}) is given instead."""
    )


def _separation(found: Sequence[Row]) -> Iterator[str]:
    structured = [row for row in found if row.search.best is not None]
    some, one = "those with a structure", "one character"
    statements = [
        ("has a structure", "all", found, lambda row: row.search.best is not None, 0.5),
        (one, some, structured, lambda row: row.kind == KINDS[0], 0.3),
        (one, "all", found, lambda row: row.kind == KINDS[0], 0.3),
        ("symmetric in x and y", "all", found, lambda row: row.symmetric, 0.3),
        ("symmetric in x and y", "all", found, lambda row: row.symmetric, 0.5),
    ]
    yield "## What separates what\n"
    yield "| property ⇔ groks | asked of | with it | without it | in all | exceptions |"
    yield "|---|---|---|---|---|---|"
    for statement in statements:
        yield _statement(*statement)
    always = [sum(row.groks_at(fraction) for row in found) for fraction in (0.5, 0.3)]
    yield ""
    yield _filled(
        f"""For comparison, "every operation groks" is right for {always[0]} of {len(found)} at r
        ≤ 0.5 and for {always[1]} of {len(found)} at r = 0.3 ({always[1]} of {len(structured)} of
        those with a structure). Symmetry in x and y stands beside ours as a rival that needs no
        algebra."""
    )


def _statement(
    says: str, scope: str, asked: Sequence[Row], holds: Callable[[Row], bool], fraction: float
) -> str:
    """Return one row of the table: how often a property and early grokking go together."""
    yes = [row for row in asked if holds(row)]
    no = [row for row in asked if not holds(row)]
    late = [row for row in yes if not row.groks_at(fraction)]
    early = [row for row in no if row.groks_at(fraction)]
    exceptions = "; ".join(
        f"{name}: {_names(some)}" for name, some in (("late", late), ("early", early)) if some
    )
    cells = (
        f"{says} ⇔ at r {'=' if fraction == 0.3 else '≤'} {fraction}",
        f"{scope}, n = {len(asked)}",
        f"{len(yes) - len(late)} of {len(yes)} grok",
        f"{len(no) - len(early)} of {len(no)} do not",
        f"{len(asked) - len(late) - len(early)} of {len(asked)}",
        exceptions or "none",
    )
    return f"| {' | '.join(cells)} |"


def _names(some: Sequence[Row]) -> str:
    return ", ".join(f"{row.operation} ({row.when})" for row in some).replace("*", r"\*")


def _limits(found: Sequence[Row]) -> Iterator[str]:
    two = [row for row in found if row.kind == KINDS[1]]
    structured = [(row, row.search.best) for row in found if row.search.best]
    same, negated = (
        [row for row, best in structured if best.relation == name] for name in ("same", "negated")
    )
    late = [row for row in negated if not row.groks_at(0.3)]
    early = [row for row in two if row.groks_at(0.3)]
    yield "## How to read it\n"
    for point in (
        """**Having a structure** goes with grokking by r = 0.5, with one exception, (x - y)^4.
        All four operations without a structure need 0.8 or more, or never grok. But they are only
        four, they come from one group of the paper (cross terms of higher degree), and a search
        that finds nothing has not shown that there is nothing beyond the families it searched.""",
        f"""**x^2 + x\\*y + y^2** is a product of two linear forms over GF({P}), and yet no
        function of a sum in any of these families: that a polynomial factors is not the structure
        meant here. It is symmetric, and its accuracies below r = 0.8 (34 to 74%) stay close to r,
        which is what knowing x∘y = y∘x and nothing else would give.""",
        f"""**The number of characters** says less. With one, {
            len(same) + len(negated) - len(late)
        } of {len(same) + len(negated)} grok at 0.3; with two, {len(early)} of {len(two)}
        do all the same: {_names(early)}. The count does not explain why x^2 + y is among them and
        x^2 - y, which needs the very same characters, groks at 0.4 only; nor why x^3 ± 2\\*y is
        early and 2\\*x ± 3\\*y is not. Either something else matters, or one step of the sweep is
        within the noise of three seeds.""",
        f"""**v = u is not v = −u.** All {len(same)} operations with v = u grok at 0.3. Of the
        {len(negated)} with v = −u, {len(late)} do not: {_names(late)}; and x - y takes many more
        steps than x + y. The two share their characters, so the count cannot tell them apart;
        that (x - y)^4 is late while (x - y)^2 and (x + y)^4 are early, it leaves open too.""",
        """**The rival.** At r = 0.3 the number of characters does only a little better than
        symmetry in x and y. At r ≤ 0.5 having a structure does much better than symmetry, and a
        little better than calling every operation early.""",
        f"""**What this is not.** The {len(found)} operations are no independent samples: seven
        are sums or differences of equal powers and ten are functions of x ± y, so that a
        coincidence in one family would carry much of a score. No significance is computed for
        that reason. The fractions were known when the properties were chosen, and a cell of the
        table is one verdict without its spread.""",
        """**What would test it** are operations that are not in the table: (x^2 + y^2)^3 and
        5\\*(x + 1)\\*(y + 1) should grok at r = 0.3 (one character), x^2\\*y and x^4 + y^5 by 0.5
        but later than those (two), and x^2\\*y + x\\*y^2, which has no structure that the search
        knows, later than all of them.""",
    ):
        yield _filled(point, "- ")
    yield ""


def figure(found: Sequence[Row]) -> alt.VConcatChart:
    """Return a dot per operation: its smallest fraction, in one panel per kind of structure."""
    return alt.vconcat(
        *(
            _panel(kind, color, [r for r in found if r.kind == kind])
            for kind, color in zip(KINDS, OKABE_ITO, strict=True)
        ),
        spacing=12,
    ).configure_view(stroke="#bbb")


def _panel(kind: str, color: str, shown: Sequence[Row]) -> alt.Chart:
    fractions = [*(f"{r / 10:g}" for r in range(3, 10)), NEVER]
    order = sorted(shown, key=lambda row: row.fraction or 1)
    values = [{"operation": row.operation, "r": row.when} for row in order]
    last = kind == KINDS[-1]
    return (
        alt.Chart(
            alt.Data(values=values),
            title=alt.TitleParams(f"{kind} (n = {len(shown)})", anchor="start", fontSize=12),
        )
        .mark_circle(size=70, color=color, opacity=1)
        .encode(
            x=alt.X(
                "r:N",
                sort=fractions,
                scale=alt.Scale(domain=fractions),
                axis=alt.Axis(labels=last, ticks=last, grid=True, labelAngle=0),
                title="smallest training fraction that grokked (Table A.5)" if last else None,
            ),
            y=alt.Y(
                "operation:N",
                sort=[row.operation for row in order],
                title=None,
                axis=alt.Axis(labelLimit=200, grid=True, gridColor="#eee"),
            ),
        )
        .properties(width=420, height=alt.Step(14))
    )


def main() -> None:
    """Search, draw, and write the page."""
    found = rows()
    folder = FOLDER / "figures"
    folder.mkdir(exist_ok=True)
    chart = figure(found)
    chart.save(folder / "structure_separation.svg")
    chart.save(folder / "structure_separation.png", scale_factor=2)
    (FOLDER / "structure.md").write_text(page(found))


if __name__ == "__main__":
    main()
