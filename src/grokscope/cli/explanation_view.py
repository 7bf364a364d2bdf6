"""An explanation as one page of a terminal, and many of them, one line each."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from grokscope.cli.terminal import columns, fitting, width_of_output
from grokscope.disk.listing import Selection
from grokscope.disk.manifest import differing, setting_in_words, value_in_words
from grokscope.disk.sweep_folder import rows_of, settings_in
from grokscope.errors import printable
from grokscope.explanation.sentences import (
    NOT_TESTABLE,
    VERDICTS,
    algorithm_in_words,
    frequencies_in_words,
    harmonic_in_words,
    headline,
    number_in_words,
    row_in_words,
    sentences,
    share_in_words,
)

WIDTH: Final = 100
NARROWEST: Final = 60
"""Columns under which a terminal breaks the lines itself: tables would lose their numbers."""
MOST_FAMILIES: Final = 10
_COLOURS: Final = {
    "explained": "bold green",
    "partly": "bold yellow",
    "not decided": "bold cyan",
    "not explained": "bold red",
}
_TESTS: Final = {
    "keep": "keys kept",
    "remove": "keys removed",
    "control": "others removed",
    "keep_others": "others kept",
}
_PLACES: Final = {"embedding": "W_E", "neurons": "neurons", "readout": "class axis"}
_LOSSES: Final = {
    "train_loss": "whole network",
    "restricted_loss": "keys",
    "ablation_a": "other",
    "ablation_b": "rest",
    "ablation_c": "keys + other",
    "ablation_d": "keys + rest",
    "ablation_e": "other + rest",
}
"""Rows of Table A.4 → the parts of the logits that are in them."""


def print_explanation(document: dict[str, Any]) -> None:
    """Print one explanation; everything on the page is from its document."""
    parts: list[RenderableType] = [
        Text(printable(headline(document)), style=_COLOURS[document["verdict"]]),
        Text(),
        *(Text(printable(sentence)) for sentence in sentences(document)),
    ]
    for title, table in (
        (
            "key frequencies by family, harmonics indented, and A without a whole family",
            _families(document),
        ),
        ("what is left: A = 1 like the whole network, 0 like guessing", _ablations(document)),
        ("loss of the parts of the logits, nats, all pairs (Table A.4)", _losses(document)),
    ):
        if table is not None:
            parts += [Text(f"\n{title}", style="bold"), table]
    rows = [*_facts(document), *_open_ends(document)]
    _print([*parts, Text(), _grid(rows)] if rows else parts)


def print_timeline(document: dict[str, Any]) -> None:
    """Print when each claim of one seed and operation became true."""
    at = document["grokked_at"]
    grokked = "not grokked" if at is None else f"grokked at step {at:,}"
    by = document["by"]
    grokked += "" if by is None else f"; a control, read by the structure of {by['operation']}"
    title = f"{document['operation']}, seed {document['seed']}: {grokked}"
    table = _table("claim", "holds from step", "to grokking")
    for moment in document["moments"]:
        since, relative = moment["since"], moment["relative"]
        table.add_row(
            printable(moment["claim"]),
            "not at the end" if since is None else f"{since:,}",
            "–" if relative is None else f"{relative:+,}",
        )
    verdict = _grid([("verdict", _stretches(document["verdicts"]))])
    _print([Text(printable(title), style="bold"), Text(), table, Text(), verdict])


def _print(parts: Sequence[RenderableType]) -> None:
    """Print parts below each other, 60 to 100 columns wide, without blanks at line ends."""
    width = min(WIDTH, max(columns() or WIDTH, NARROWEST))
    console = Console(highlight=False, width=width)
    with console.capture() as caught:
        for part in parts:
            console.print(part)
    for line in caught.get().splitlines():
        print(line.rstrip())


def _table(first: str, *headers: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(first)
    for header in headers:
        table.add_column(header, justify="right")
    return table


def _grid(rows: list[tuple[str, str]]) -> Table:
    """Return names with their texts, which wrap beside them."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for name, text in rows:
        grid.add_row(Text(name, style="bold"), Text(printable(text)))
    return grid


def _matrices(document: dict[str, Any]) -> dict[str, str]:
    """Return whose shares are shown: of W_E and W_L, or of a table alone, which is neither."""
    if document["table"] is None:
        return {"W_E": "W_E", "W_L": "W_L"}
    return {"W_L" if document["table"]["role"] == "readout" else "W_E": "it"}


def _families(document: dict[str, Any]) -> Table | None:
    families = document["families"]
    if not families:
        return None
    shapes = {key["frequency"]: key for key in document["logits"]["key_shapes"]}
    responses = {tuple(r["family"]): r for r in document["causal"]["families"]}
    keys = {row["frequency"]: row for row in document["keys"]}
    matrices = _matrices(document)
    headers = [f"of {name}" for name in matrices.values()]
    headers += ["in the logits", "b/a", "a"] if shapes else []
    headers += ["A, W_E without", "class axis without"] if responses else []
    table = _table("key", *headers)
    table.columns[0].no_wrap = True
    for family in families[:MOST_FAMILIES]:
        for k in sorted(family, key=lambda k: keys[k]["harmonic_of"] is not None):
            cells = [_share(keys[k][f"share_of_{matrix}"]) for matrix in matrices]
            cells += _shape(shapes.get(k)) if shapes else []
            found = responses.pop(tuple(family), {})  # once per family
            cells += [
                number_in_words(found[f"without_in_{p}"]) for p in ("embedding", "readout") if found
            ]
            table.add_row(_key(keys[k], document["structure"]["n"]), *cells)
    if len(families) > MOST_FAMILIES:
        table.add_row(f"and {len(families) - MOST_FAMILIES} more families")
    return table


def _key(row: dict[str, Any], n: int) -> str:
    """Return a key's number, for a harmonic indented and with the key that it belongs to."""
    k, of = row["frequency"], row["harmonic_of"]
    return str(k) if of is None else f"  {k}, {harmonic_in_words(k, of, n)}"


def _shape(key: dict[str, Any] | None) -> list[str]:
    """Return shape, roundness and amplitude of a key in the logits."""
    if key is None:
        return ["–", "–", "–"]
    return [key["shape"], f"{key['roundness']:.2f}", f"{key['major']:.2f}"]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _ablations(document: dict[str, Any]) -> Table | None:
    causal = document["causal"]
    if causal["full"] is None:
        return None
    table = _table("place", *_TESTS.values())
    for place, name in _PLACES.items():
        cells = [causal[place].get(test) for test in _TESTS]
        if place == "neurons" and not any(value is not None for value in cells):
            continue
        table.add_row(name, *map(number_in_words, cells))
    table.add_row("both", number_in_words(causal["both_keep"]))
    return table


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("patching", _patching(document["causal"].get("patching"))),
        ("neurons", _neurons(document["neurons"])),
        ("attention", _attention(document["attention"])),
        ("algorithm", algorithm_in_words(document)),
    ]
    return [(name, text) for name, text in found if text]


def _patching(found: dict[str, Any] | None) -> str:
    found = found or {}
    words = {
        "moved": "u(x) + d written into the keys moves the answer by d",
        "stayed": "leaves it",
        "moved_off_residues": "moves it where no residue has u + d",
        "control": "the same in as many other frequencies leaves it",
    }
    known = [(text, found.get(name)) for name, text in words.items()]
    return "; ".join(
        f"{text}: {share_in_words(value)}" for text, value in known if value is not None
    )


def _neurons(found: dict[str, Any]) -> str:
    parts = []
    if (most := found.get("share_above_85")) is not None:
        parts.append(f"{share_in_words(most)} have one frequency for over 85% of their variance")
    words = {
        "fsd": "FSD",
        "phase_agreement": "agreement of phases",
        "second_harmonic": "second harmonic",
    }
    known = [(text, found.get(name)) for name, text in words.items()]
    return ", ".join([*parts, *(f"{text} {v:.2f}" for text, v in known if v is not None)])


def _attention(heads: list[dict[str, Any]]) -> str:
    known = [head for head in heads if head.get("mean") and head.get("deviation")]
    looks = [f"{head['mean'][0]:.2f}±{head['deviation'][0]:.2f}" for head in known]
    return f"on x, mean±deviation over the pairs: {', '.join(looks)}" if looks else ""


def _losses(document: dict[str, Any]) -> Table | None:
    losses = document["logits"]["table_a4"]
    if not losses:
        return None
    known = {name: losses[row]["all"] for row, name in _LOSSES.items() if row in losses}
    table = _table(*known)
    table.columns[0].justify = "right"
    table.add_row(*(f"{loss:.1e}" for loss in known.values()))
    return table


def _open_ends(document: dict[str, Any]) -> list[tuple[str, str]]:
    """The claims that do not hold, always by name, and the runner-up."""
    claims = [c for c in document["claims"] if c["verdict"] != "holds"]
    fails = [c for c in claims if c["verdict"] == "fails"]
    rows = []
    for decisive, title in ((True, "fails"), (False, "also fails")):
        for claim in fails:
            if claim["decisive"] is decisive:
                rows.append((title, _claim(claim)))
                title = ""
    untestable = [c["name"] for c in claims if c["verdict"] == NOT_TESTABLE]
    if untestable:
        rows.append((NOT_TESTABLE, ", ".join(untestable)))
    runner_up = document["runner_up"]
    if runner_up is not None:
        keys = frequencies_in_words(runner_up["key_frequencies"]) or "none"
        rows.append(
            ("runner-up", f"{runner_up['words']}: {VERDICTS[runner_up['verdict']]}, keys {keys}")
        )
    return rows


def _claim(claim: dict[str, Any]) -> str:
    text = claim["name"]
    if claim["value"] is not None:
        text += f" {number_in_words(claim['value'], 3)}"
    return f"{text}: {claim['statement']}"


def _stretches(verdicts: list[dict[str, Any]]) -> str:
    """Return from which step on which verdict was given."""
    said, last = [], None
    for moment in verdicts:
        if moment["verdict"] != last:
            last = moment["verdict"]
            said.append(f"{VERDICTS[last]} from step {moment['step']:,}")
    return ", ".join(said) or NOT_TESTABLE


_GAP: Final = "  "
_NUMBER: Final = len("grokked at")
_VERDICT: Final = max(map(len, VERDICTS.values()))


class Lines:
    """Prints a line per network; what differs between the runs comes first.

    **Arguments:** the runs; whether to print nothing.
    """

    def __init__(self, selection: Selection, *, quiet: bool) -> None:
        self._quiet = quiet
        if quiet:
            return
        self._width = width_of_output()
        rows = [row for path, error in selection.runs.items() for row in rows_of(path, error)]
        trained = [settings_in(row) for row in rows if row.get("p") is not None]
        self._names = differing(trained)
        self._widths = {
            name: max(
                map(
                    len,
                    [setting_in_words(name), *(value_in_words(one.get(name)) for one in trained)],
                )
            )
            for name in self._names
        }
        heads = [setting_in_words(name).ljust(self._widths[name]) for name in self._names] or [
            "run"
        ]
        self._print(
            [*heads, "step".rjust(_NUMBER), "grokked at", "verdict".ljust(_VERDICT), "keys of W_E"]
        )

    def hear(self, rows: list[dict[str, Any]]) -> None:
        """Print the lines of some networks."""
        for row in [] if self._quiet else rows:
            heads = [value_in_words(row.get(n)).ljust(self._widths[n]) for n in self._names]
            if row.get("p") is None or not heads:
                heads = [row["name"]]
            if row.get("why_not"):
                self._print([*heads, row_in_words(row)])
                continue
            of = row.get("mixture_operation")
            verdict = row_in_words(row).ljust(_VERDICT) + (f"{_GAP}{of}:" if of else "")
            steps = [_step(row["explained_step"]), _step(row["grokked_at"])]
            self._print([*heads, *steps, verdict, frequencies_in_words(row["W_E_keys"]) or "none"])

    def _print(self, cells: list[str]) -> None:
        line = printable(_GAP.join(cells)).rstrip()
        print(line if self._width is None else fitting(line, self._width), flush=True)


def _step(value: int | None) -> str:
    return ("–" if value is None else f"{value:,}").rjust(_NUMBER)
