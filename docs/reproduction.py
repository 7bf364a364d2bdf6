"""Write docs/reproduction.md from results/ and nothing else: `make reproduction`.

Results are added by `grokscope reproduce NAME --results results`, on any machine.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from docs.progress import packed
from jinja2 import Environment, StrictUndefined

from grokscope.paper.agreement import WORDS, State
from grokscope.paper.block import NOT_RUN, Table, TableCell
from grokscope.paper.experiment import (
    Experiment,
    experiments,
    load_experiment,
    operation_of,
    protocol_differences,
)
from grokscope.paper.page import agreement_states, blocks_of, in_short
from grokscope.paper.plan import plan
from grokscope.paper.results import Results, shown_results, with_shared
from grokscope.paper.store import read_cells
from grokscope.reports.figures.figure import Figure
from grokscope.reports.page import write_figure

FOLDER: Final = Path(__file__).parent
RESULTS: Final = FOLDER.parent / "results"
TEMPLATE: Final = FOLDER / "reproduction.md.j2"
PICTURES: Final = FOLDER / "figures" / "reproduction"
_PICTURED: Final = ("figure-a15", "figure-a16", "figure-a23")
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
_FACTS: Final = ("runs of the paper's", "seeds a setting", "hours")
_SEVERAL: Final = re.compile(r"n = ([2-9]|\d\d)")
_SETTINGS: Final = ("p", "train_fraction", "seed", "operation", "start")
_SHORT: Final = {"train_fraction": "r"}
_MOST: Final = 6
"""Values that are listed; more are counted."""


def page(results: Path = RESULTS) -> str:
    """Return the page of all experiments that have results."""
    found = known_results(results)
    sections = [_section(load_experiment(name), kept) for name, kept in found.items()]
    template = Environment(undefined=StrictUndefined).from_string(TEMPLATE.read_text("utf-8"))
    return template.render(
        overview="\n".join(overview(found)),
        protocol="\n".join(f"- {t}" for t in protocol_differences(load_experiment("table-a5"))),
        sections="\n\n".join(part for parts in sections for part in parts),
        **totals(found),
    )


def known_results(folder: Path) -> dict[str, Results]:
    """Return the results of all experiments of which something is known."""
    found = {}
    kept = {name: read_cells(folder, name) for name in experiments()}
    for name in experiments():
        experiment = load_experiment(name)
        cells = () if experiment.kind == "labels" else plan(experiment, Path()).cells
        others = (more for other, more in kept.items() if other != name)
        if known := with_shared(kept[name], cells, others):
            found[name] = shown_results(experiment, known, cells)
    return found


def overview(found: Mapping[str, Results]) -> Iterator[str]:
    """Yield the table of all experiments: what was run, and how many cells stand how."""
    columns = [*_FACTS, *(WORDS[state] for state in _COUNTED)]
    yield f"| experiment | {' | '.join(columns)} |"
    yield "|---" * (1 + len(columns)) + "|"
    for name, title in experiments().items():
        results = found.get(name)
        if results is None:
            yield f"| `{name}` {title} | none |{'  |' * (len(columns) - 1)}"
            continue
        states = agreement_states(blocks_of(load_experiment(name), results))
        counts = [str(states.count(state) or "") for state in _COUNTED]
        facts = [results.facts["runs"], _seeds(results), _hours(done_rows(results))]
        yield f"| [`{name}`](#{name}) {title} | {' | '.join([*facts, *counts])} |"


def done_rows(results: Results) -> list[Mapping[str, Any]]:
    """Return the rows of whole runs that there are."""
    rows = [row for row in results.rows if row.get("commit") is not None]
    return [row for row in rows if row.get("task") is None]


def _seeds(results: Results) -> str:
    """Say how many seeds a setting has: one, or from some to some."""
    names = ("operation", "start", "p", "train_fraction")
    rows = [row for row in done_rows(results) if "seed" in row]
    many = Counter(tuple(row.get(name) for name in names) for row in rows).values()
    if not many:
        return ""
    return f"{min(many)} to {max(many)}" if min(many) < max(many) else str(min(many))


def _hours(rows: Iterable[Mapping[str, Any]]) -> str:
    seconds = sum(row.get("seconds") or 0 for row in rows)
    return f"{seconds / 3600:.1f}" if seconds else ""


def totals(found: Mapping[str, Results]) -> dict[str, Any]:
    """Return what all experiments together have: each run counts once."""
    rows = {row["cell"]: row for results in found.values() for row in done_rows(results)}
    trained = [row for row in rows.values() if row.get("max_steps") is not None]
    machines = Counter(str(row["processor"]) for row in trained if row.get("processor"))
    agree = [cell for cells in map(_agreeing, found, found.values()) for cell in cells]
    return {
        "runs": len(trained),
        "hours": _hours(trained),
        "machines": "; ".join(f"{name} ({n})" for name, n in machines.most_common()),
        "unknown": len(trained) - machines.total(),
        "agree": len(agree),
        "single": sum(not _SEVERAL.search(cell.note) for cell in agree),
    }


def _agreeing(name: str, results: Results) -> list[TableCell]:
    blocks = blocks_of(load_experiment(name), results)
    tables = [block for block in blocks if isinstance(block, Table)]
    cells = [cell for table in tables[:1] for row in table.rows for cell in row[1:]]
    return [cell for cell in cells if cell.state == State.AGREES]


def missing(experiment: Experiment, results: Results) -> str:
    """Say which values of the paper's settings no run has, or that it is a small version."""
    done = done_rows(results)
    rows = [row for row in done if experiment.covers(row)]
    parts = []
    for name in _SETTINGS:
        wanted = [_named(name, value) for value in _wanted(experiment, name)]
        known = {row.get(name) for row in rows}
        if left := [str(value) for value in wanted if value not in known]:
            parts.append(f"{_SHORT.get(name, name)} {_listed(left)}")
    if rows:
        return f"missing: no run at {'; '.join(parts)}" if parts else "missing: no setting"
    ours = [
        f"{_SHORT.get(name, name)} {_listed(sorted({str(row[name]) for row in done}))}"
        for name in _SETTINGS[:3]
    ]
    return (
        f"**a small version alone**: no run of the paper's own settings is there, but runs at"
        f" {'; '.join(ours)}; `grokscope reproduce {experiment.name} --seeds 0 --steps 10000"
        " --results results` begins the paper's"
    )


def _wanted(experiment: Experiment, name: str) -> Iterable[Any]:
    known = name in experiment.axes or name in experiment.fixed
    return experiment.values(name) if known else ()


def _named(name: str, value: Any) -> Any:
    if name == "operation":
        return operation_of(value)
    return value["label"] if name == "start" else value


def _listed(texts: list[str]) -> str:
    return ", ".join(texts) if len(texts) <= _MOST else f"{len(texts)} of them"


def _section(experiment: Experiment, results: Results) -> list[str]:
    name, facts = experiment.name, results.facts
    parts = [f"## {name}", f"{experiment.title} ({experiment.reference}). {experiment.says}"]
    if facts["beyond"]:
        parts.append(f"**Not tried in the paper**: {facts['beyond']}.")
    blocks = blocks_of(experiment, results)
    short = [f"{key}: {text}" for key, text in in_short(experiment, results, blocks)]
    lines = [*short, *experiment.differences]
    if experiment.kind == "training":
        lines.append(missing(experiment, results))
    parts.append("\n".join(f"- {line}" for line in lines))
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
        f"{n} {name}{'s' * (n > 1)}"
        for n, name in (
            (len(table.rows) - len(rows), "row"),
            (len(table.header) - len(columns), "column"),
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
                path = PICTURES / f"{name}-{number}"
                write_figure(path, block, ("png",), _SCALE)
                picture = path.with_suffix(".png")
                picture.write_bytes(packed(picture.read_bytes()))


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
