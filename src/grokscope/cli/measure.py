"""grokscope measure: the measures of anybody's tables."""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.conf import arg

from grokscope.errors import UsageError, printable

if TYPE_CHECKING:
    from grokscope.runs.tables import ForeignTable


@dataclass(frozen=True)
class Measure:
    """Measure the tables in a file, one row per residue: FFS (= FFD), FCR, Gini and IPR.

    Reads .npy, .npz and .safetensors; grokscope's own checkpoints say which axis holds residues,
    and W_L = W_U·W_out is added to them. Undefined numbers are null.

    Example: grokscope measure embedding.npy --p 97 --json
    """

    file: Annotated[Path, tyro.conf.Positional, arg(metavar="FILE")]
    """A file with one table or several."""
    p: Annotated[int | None, arg(help_behavior_hint="")] = None
    """Modulus, where the table has more rows than residues; by default all rows."""
    axis: Annotated[int | None, arg(help_behavior_hint="")] = None
    """Which axis holds the residues, 0 or 1; by default 0."""
    eta: float = 0.5
    """Threshold η of FFS, over 0 and below 1."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Print one JSON document."""

    def run(self) -> None:
        """Measure and print."""
        from grokscope.measures import describe
        from grokscope.runs.tables import read_tables, to_residue_rows

        found: dict[str, Any] = {}
        skipped: list[str] = []
        for name, table in _with_readout(read_tables(self.file)).items():
            p = table.p if self.p is None else self.p
            rows, reason = to_residue_rows(table.array, table.axes, p, self.axis)
            if rows is None:
                skipped.append(f"{printable(name)}: {reason}")
            else:
                found[name] = describe(rows, self.eta)
        if not found:
            raise UsageError("no table to measure", got=str(self.file),
                             next_step="; ".join(skipped) or "it is empty")  # fmt: skip
        for line in skipped:
            print(f"skipped {line}", file=sys.stderr)
        if self.json:
            print(json.dumps(found))
        else:
            _show(found)


def _with_readout(tables: "dict[str, ForeignTable]") -> "dict[str, ForeignTable]":
    """Add W_L = W_U·W_out to the matrices of one of our own one-block checkpoints."""
    ours = all(name in tables and tables[name].axes for name in ("W_out", "W_U"))
    if not ours:
        return tables
    W_out, W_U = tables["W_out"], tables["W_U"]
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # then W_L is not finite, and said to be so
        product = (W_out.array @ W_U.array).T
    readout = dataclasses.replace(W_U, array=product, axes=("class", (W_out.axes or ("",))[0]))
    return {**tables, "W_L": readout}


def _show(found: dict[str, dict[str, int | float | None]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from grokscope.measures import MEASURES

    table = Table("table", "p", *(measure.symbol for measure in MEASURES.values()))
    for name, values in found.items():
        p, *numbers = values.values()
        table.add_row(
            escape(printable(name)), str(p), *("–" if v is None else f"{v:.3f}" for v in numbers)
        )
    Console().print(table)
