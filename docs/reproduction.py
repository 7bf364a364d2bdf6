"""Write docs/reproduction.md from results/ and nothing else: `make reproduction`.

Results are added by `grokscope reproduce NAME --results results`, on any machine.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from grokscope.paper.agreement import WORDS, State
from grokscope.paper.block import NOT_RUN, Table, TableCell
from grokscope.paper.experiment import (
    Experiment,
    experiments,
    load_experiment,
    protocol_differences,
)
from grokscope.paper.page import agreement_states, blocks_of, in_short
from grokscope.paper.plan import plan
from grokscope.paper.results import Results, shown_results
from grokscope.paper.store import read_cells
from grokscope.reports.figures.figure import Figure
from grokscope.reports.page import write_figure

FOLDER: Final = Path(__file__).parent
RESULTS: Final = FOLDER.parent / "results"
PICTURES: Final = FOLDER / "figures" / "reproduction"
_PICTURED: Final = ("figure-a16", "figure-a23")
_SCALE: Final = 1.2
_COUNTED: Final = (
    State.AGREES,
    State.CONSISTENT,
    State.UNDECIDED,
    State.MIXED,
    State.ONE_STEP,
    State.DIFFERS,
    State.NOT_RUN,
)


def page(results: Path = RESULTS) -> str:
    """Return the page of all experiments that have results."""
    found = known_results(results)
    parts = [_HEAD, "\n".join(_overview(found)), _PROTOCOL, "\n".join(_protocol())]
    for name, kept in found.items():
        parts += _section(load_experiment(name), kept)
    return "\n\n".join(parts) + "\n"


def known_results(folder: Path) -> dict[str, Results]:
    """Return the results of all experiments of which something is known."""
    found = {}
    for name in experiments():
        experiment = load_experiment(name)
        if kept := read_cells(folder, name):
            cells = () if experiment.kind == "labels" else plan(experiment, Path()).cells
            found[name] = shown_results(experiment, kept, cells)
    return found


_HEAD: Final = """\
# The paper, reproduced

<!-- Written by `make reproduction` from results/. -->

Every table and figure of [arXiv 2402.16726](../CITATION.cff) is a named experiment:
`grokscope reproduce --list` shows all of them, `grokscope reproduce NAME` trains what is missing
and writes its page. What stands here was made by the commands that are given with it, on the
hardware that is named; what has not been run is called so. Runs are counted against all that the
paper's experiment has, with three seeds; those at another modulus or fraction are "more".

A cell *agrees* when the paper and all our seeds grokked. It is *consistent so far* when the paper
did not grok and neither did ours, *undecided* when the paper grokked and ours has not within its
steps: the paper trained for up to 300,000, and an undecided run never counts as a disagreement. It
*differs* only when ours grokked where the paper did not."""

_PROTOCOL: Final = "## What always differs from the paper's protocol"


def _protocol() -> Iterator[str]:
    yield from (f"- {text}" for text in protocol_differences(load_experiment("table-a5")))


def _overview(found: dict[str, Results]) -> Iterator[str]:
    """Yield the table of all experiments, with how many cells stand how."""
    yield f"| experiment | runs | {' | '.join(WORDS[state] for state in _COUNTED)} |"
    yield "|---" * (2 + len(_COUNTED)) + "|"
    for name, title in experiments().items():
        if name not in found:
            yield f"| `{name}` {title} | not run |{'  |' * len(_COUNTED)}"
            continue
        states = agreement_states(blocks_of(load_experiment(name), found[name]))
        counts = [str(states.count(state) or "") for state in _COUNTED]
        small = " (small version)" if found[name].small else ""
        runs = found[name].facts["runs"]
        yield f"| [`{name}`](#{name}) {title}{small} | {runs} | {' | '.join(counts)} |"


def _section(experiment: Experiment, results: Results) -> list[str]:
    name, facts = experiment.name, results.facts
    parts = [f"## {name}", f"{experiment.title} ({experiment.reference}). {experiment.says}"]
    if results.small:
        parts.append(f"**Small version**, not the paper's experiment: {facts['small']}.")
    if facts["beyond"]:
        parts.append(f"**Not tried in the paper**: {facts['beyond']}.")
    blocks = blocks_of(experiment, results)
    short = [f"{key}: {text}" for key, text in in_short(experiment, results, blocks)]
    parts.append("\n".join(f"- {line}" for line in (*short, *experiment.differences)))
    for number, block in enumerate(blocks):
        if isinstance(block, Table):
            parts += _table(block)
        elif name in _PICTURED and block.chart is not None:
            parts.append(_picture(name, number, block))
    parts.append("\n".join(["```sh", *facts["commands"], "```"]))
    parts.append(_made(facts))
    return parts


def _table(table: Table) -> list[str]:
    """Return a table without the rows and columns of which nothing has been run."""
    rows = [row for row in table.rows if any(map(_is_known, row[1:]))]
    if not rows:
        return [f"{table.caption} Nothing has been run."]
    columns = [
        i for i in range(len(table.header)) if not i or any(_is_known(row[i]) for row in rows)
    ]
    left_out = [
        f"{n} {name}"
        for n, name in (
            (len(table.rows) - len(rows), "rows"),
            (len(table.header) - len(columns), "columns"),
        )
        if n
    ]
    more = f" Left out, because nothing has been run: {' and '.join(left_out)}." if left_out else ""
    header = [table.header[i] for i in columns]
    shown = Table(table.title, table.caption, header, [[row[i] for i in columns] for row in rows])
    return [f"{table.caption}{more}", shown.markdown()]


def _is_known(cell: TableCell) -> bool:
    return cell.text not in (NOT_RUN, "")


def _picture(name: str, number: int, figure: Figure) -> str:
    path = PICTURES / f"{name}-{number}.png"
    return f"![{figure.title}]({path.relative_to(FOLDER)})\n\n{figure.caption}"


def write_pictures(results: Path = RESULTS) -> None:
    """Write the pictures that the page shows."""
    found = known_results(results)
    for name in _PICTURED:
        blocks = blocks_of(load_experiment(name), found[name]) if name in found else []
        for number, block in enumerate(blocks):
            if isinstance(block, Figure) and block.chart is not None:
                write_figure(PICTURES / f"{name}-{number}", block, ("png",), _SCALE)


def _made(facts: Mapping[str, Any]) -> str:
    known = [facts.get(key) for key in ("runs", "training_time", "hardware")]
    made = "; ".join(str(fact) for fact in known if fact)
    if facts.get("sources"):
        made += f"; weights taken from {facts['sources']}"
    return f"{made}; until {facts['created']}, with {facts['trained_with']}."


def main() -> None:
    """Write the page and its pictures."""
    write_pictures()
    (FOLDER / "reproduction.md").write_text(page())
    print("docs/reproduction.md")


if __name__ == "__main__":
    main()
