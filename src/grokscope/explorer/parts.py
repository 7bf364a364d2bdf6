"""The parts of the marimo app: the table, what is chosen, and the tabs around the pages."""

import csv
import io
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final
from urllib.parse import unquote, urlencode

import marimo as mo

from grokscope.errors import GrokscopeError, UsageError
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import read_or_explain
from grokscope.explorer.explore import no_runs
from grokscope.explorer.listing import RunRow
from grokscope.explorer.store import Asked, Explorer, explorer_of
from grokscope.explorer.subject import Subject
from grokscope.notebook.shown import drawing
from grokscope.reports.algorithm import claims_told

TABS: Final = ("Runs", "Time", "Why", "Try it")
ROWS: Final = 15
_UNKNOWN: Final = "–"
_FEW: Final = 3
"""Seeds whose steps of grokking are named one by one."""


@dataclass
class Memory:
    """What outlives the parts that are drawn anew, and stands in the address.

    **Arguments:**

    - `asked`: what the address said when it was opened.
    - `params`: the address of the browser, as marimo keeps it.
    - `chosen`: the runs.
    - `tab`: which one is open.
    """

    asked: dict[str, str]
    params: Any
    chosen: list[str] = field(default_factory=list)
    tab: str = TABS[0]

    @classmethod
    def of(cls, params: Any) -> "Memory":
        """Return the memory that an address begins with."""
        known = {name: params.get_all(name)[-1] for name in params}
        tab = known.get("tab", "")
        return cls(known, params, _names(known.get("run", "")), tab if tab in TABS else TABS[0])

    def number(self, name: str) -> int | None:
        """Return a whole number of the address, None where it has none."""
        text = self.asked.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None

    def choose(self, runs: list[str]) -> None:
        """Remember the chosen runs, and put them into the address."""
        if runs != self.chosen:
            self.chosen = runs
            self.put("run", ",".join(name.replace("%", "%25").replace(",", "%2C") for name in runs))

    def open(self, tab: str) -> None:
        """Remember the open tab, and put it into the address."""
        self.tab = tab
        self.put("tab", tab)

    def put(self, name: str, value: Any) -> None:
        """Put a choice into the address."""
        self.params[name] = str(value)


def _names(text: str) -> list[str]:
    """Return the names of runs, which an address holds with commas between them."""
    return [unquote(name) for name in text.split(",") if name]


def opened() -> tuple[Explorer, Memory]:
    """Return what is explored, and what the address says."""
    request = mo.app_meta().request
    if request is None:
        raise UsageError("the app is opened by grokscope explore")
    folder = str(request.meta["folder"])
    return explorer_of(folder), Memory.of(mo.query_params())


def chosen_at_first(rows: Sequence[RunRow], memory: Memory) -> list[str]:
    """Return the runs that the address names, or the only one."""
    names = [row.name for row in rows if row.summary.error is None]
    asked = [name for name in memory.chosen if name in names]
    memory.chosen = asked or (names if len(rows) == 1 else [])
    if len(rows) == 1 and "tab" not in memory.asked:
        memory.tab = "Time"
    return memory.chosen


def look_again(
    _moment: Any, explorer: Explorer, before: Sequence[RunRow], keep: Callable[[Any], None]
) -> None:
    """Read the rows again, and keep them only where something changed."""
    now = explorer.rows()
    if [_cells(row) for row in now] != [_cells(row) for row in before]:
        keep(now)


def runs_table(
    explorer: Explorer,
    rows: Sequence[RunRow],
    memory: Memory,
    choose: Callable[[list[str]], None],
) -> Any:
    """Return the table of runs, or a line that says what to do where there are none."""
    if not rows:
        return mo.callout(no_runs(explorer.folder))

    def changed(chosen: Any) -> None:
        names = [row["run"] for row in chosen]
        memory.choose(names)
        choose(names)

    names = [row.name for row in rows]
    return mo.ui.table(
        [_with_curves(row) for row in rows],
        selection="multi",
        initial_selection=[names.index(name) for name in memory.chosen if name in names],
        page_size=ROWS,
        show_column_summaries=False,
        show_data_types=False,
        show_download=False,
        freeze_columns_left=["run"],
        label="runs: choose one to open it, several to compare them",
        on_change=changed,
    )


def _with_curves(row: RunRow) -> dict[str, Any]:
    """Return the cells of a row with the drawing beside the name, where no window cuts it."""
    name, *others = _cells(row).items()
    return dict([name, ("accuracy", mo.Html(drawing(row.curves))), *others])


def _save_as_csv(rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return a button that saves the rows of a table as NAME.csv."""
    text = io.StringIO(newline="")
    if rows:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    data = text.getvalue().encode()
    button = mo.download(data, filename=f"{name}.csv", mimetype="text/csv", label="save as CSV")
    return mo.hstack([button], justify="start")


def _cells(row: RunRow) -> dict[str, Any]:
    """Return the cells of a row, all but the drawing."""
    run = row.summary
    if run.error is not None:
        return dict.fromkeys(_COLUMNS, "") | {"run": row.name, "state": f"broken: {run.error}"}
    return {
        "run": row.name,
        "state": run.state,
        "operation": run.operation,
        "p": run.p,
        "r": None if run.state == "imported" else run.train_fraction,
        "seeds": " ".join(map(str, run.seeds)),
        "step": run.step,
        "grokked at": _grokked(list(run.grokked_at.values())),
        "test": None if run.test_accuracy is None else round(run.test_accuracy, 4),
        "verdict": ", ".join(dict.fromkeys(e["verdict"] for e in run.explained)) or _UNKNOWN,
    }


def _grokked(steps: Sequence[int | None]) -> str:
    """Return when the seeds grokked: each of a few, of many how many and the median."""
    known = [at for at in steps if at is not None]
    if not known:
        return _UNKNOWN
    if len(steps) <= _FEW:
        return " ".join(_UNKNOWN if at is None else f"{at:,}" for at in steps)
    return f"{len(known)} of {len(steps)}, median {statistics.median(known):,.0f}"


_COLUMNS: Final = (
    "run",
    "state",
    "operation",
    "p",
    "r",
    "seeds",
    "step",
    "grokked at",
    "test",
    "verdict",
)


@dataclass(frozen=True)
class Choice:
    """Which network of the first chosen run is shown.

    **Arguments:** the controls, where there is something to choose; why there is no network.
    """

    run: str = ""
    seed: Any = None
    operation: Any = None
    missing: str = "Choose a run in the table first."

    @property
    def asked(self) -> Asked:
        """Whose network is asked for."""
        return Asked(
            self.run,
            None if self.seed is None else self.seed.value,
            0 if self.operation is None else self.operation.value,
        )

    @property
    def controls(self) -> Any:
        """What is chosen, above the pages."""
        shown = [
            mo.md(f"**{_code(self.run)}**"),
            *(c for c in (self.seed, self.operation) if c is not None),
        ]
        return mo.hstack(shown, justify="start", align="center", gap=1.5)


def network_choice(explorer: Explorer, chosen: Sequence[str], memory: Memory) -> Choice:
    """Return the choice of a network of the first chosen run."""
    if not chosen:
        return Choice()
    try:
        subject = explorer.subject(Asked(chosen[0]))
    except GrokscopeError as error:
        return Choice(chosen[0], missing=str(error))
    seeds, operations = subject.record.seeds, subject.record.task.expressions
    seed, operation = memory.number("seed"), memory.number("operation") or 0
    return Choice(
        run=chosen[0],
        seed=mo.ui.dropdown(
            {str(each): each for each in seeds},
            value=str(seed if seed in seeds else subject.seed),
            label="seed",
            on_change=lambda value: memory.put("seed", value),
        ),
        operation=None
        if len(operations) == 1
        else mo.ui.dropdown(
            {expression.canonical: i for i, expression in enumerate(operations)},
            value=operations[operation if operation < len(operations) else 0].canonical,
            label="operation",
            on_change=lambda value: memory.put("operation", value),
        ),
        missing="",
    )


def tab_bar(memory: Memory) -> Any:
    """Return the names of the tabs; what they show stands below."""
    return mo.ui.tabs(dict.fromkeys(TABS, ""), value=memory.tab, on_change=memory.open)


def runs_tab(rows: Sequence[RunRow], table: Any, refresh: Any, chosen: Sequence[str]) -> Any:
    """Return the table, and below it several runs on one axis."""
    if not rows:
        return mo.vstack([refresh, table])
    if len(chosen) < 2:
        compared = mo.md("Choose several runs to see them on one axis.")
    else:
        query = urlencode([("run", name) for name in chosen])
        compared = _iframe(f"views/compare?{query}", "runs compared")
    saved = _save_as_csv([_cells(row) for row in rows], "runs")
    return mo.vstack([refresh, table, saved, compared])


def network_tab(tab: str, explorer: Explorer, choice: Choice, explain: Any) -> Any:
    """Return what a tab shows of a network."""
    if choice.missing:
        return mo.callout(choice.missing)
    if tab == "Why":
        return _why(explorer, choice, explain)
    kind = "time" if tab == "Time" else "try"
    return mo.vstack([choice.controls, frame(kind, choice.asked)])


def frame(kind: str, asked: Asked) -> Any:
    """Return a page about a network, as a part of the app."""
    query = {"run": asked.run, "operation": asked.number}
    if asked.seed is not None:
        query["seed"] = asked.seed
    return _iframe(f"views/{kind}?{urlencode(query)}", kind, _HEIGHTS.get(kind))


_HEIGHTS: Final = {"time": "calc(100vh - 150px)", "bench": "calc(100vh - 40px)"}
"""Of pages whose controls stay in sight while their figures are scrolled."""


def _iframe(address: str, title: str, height: str | None = None) -> Any:
    """Return a page in a frame, as high as it is said, or as its content."""
    size = "" if height is None else f"height: {height}; "
    fit = " data-fit" if height is None else ""
    return mo.Html(
        f'<iframe src="{escape(address)}" title="{escape(title)}"{fit}'
        f' style="width: 100%; {size}min-height: 560px; border: 0"></iframe>'
    )


def _why(explorer: Explorer, choice: Choice, explain: Any) -> Any:
    """Return the explanation, or a button that makes it, and the bench for ablations."""
    try:
        subject = explorer.subject(choice.asked)
        found = _explanation(subject, make=bool(explain.value))
    except GrokscopeError as error:
        return mo.vstack([choice.controls, mo.callout(str(error), kind="warn")])
    bench = mo.vstack([mo.md("## The bench: edit the network"), frame("bench", choice.asked)])
    if found is None:
        return mo.vstack([choice.controls, mo.md("Not explained yet."), explain, bench])
    shown = mo.Html(f"<div>{found._repr_html_()}</div>")
    return mo.vstack([choice.controls, shown, _claims(claims_told(found)), bench])


def _explanation(subject: Subject, *, make: bool) -> Explanation | None:
    if subject.explanation is not None or not make:
        return subject.explanation
    if not subject.steps:
        raise UsageError("the run has no snapshots yet", got=subject.title)
    with mo.status.spinner(title="Explaining", subtitle=subject.title):
        return read_or_explain(subject.record.folder, subject.seed)[subject.number]


def _claims(told: Sequence[Mapping[str, str]]) -> Any:
    """Return every claim with its number and its null or control."""
    names = {"name": "claim", "value": "number", "control": "null or control"}
    rows = [{names.get(key, key): text for key, text in claim.items()} for claim in told]
    return mo.vstack(
        [
            mo.md("## The claims"),
            mo.ui.table(
                rows,
                selection=None,
                pagination=False,
                show_column_summaries=False,
                show_data_types=False,
                show_download=False,
                wrapped_columns=["statement"],
            ),
            _save_as_csv(rows, "claims"),
        ]
    )


def _code(text: str) -> str:
    """Return a text as Markdown that shows it as it is."""
    return f"<code>{escape(json.dumps(text, ensure_ascii=False)[1:-1])}</code>"
