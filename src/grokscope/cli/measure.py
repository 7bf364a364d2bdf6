"""grokscope measure: the measures of anybody's tables."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from grokscope.cli.terminal import columns, distinct_names, plain_table, print_table, report_skipped
from grokscope.errors import printable

_WIDTH_OF_NUMBERS: Final = 65


@dataclass(frozen=True)
class Measure:
    """Measure the tables in a file, over their axis of residues: FFS (= FFD), KFS, FCR, Gini, IPR.

    Reads .npy, .npz, .safetensors, and what torch.save wrote (.pt, .pth, .bin, .ckpt, .pkl),
    without executing anything. An axis holds the residues where it has p entries, or a few more
    that are left out, and the other one cannot be it. grokscope's own checkpoints say p and the
    axes, and W_L = W_U·W_out is added to them. Undefined numbers are null.

    Example: grokscope measure runs/times/checkpoints/seed-0/step-0001000.safetensors --json
    """

    file: Annotated[Path, "FILE"]
    """A file with one table or several."""
    p: int | None = None
    """Modulus; left out, what the file says."""
    axis: int | None = None
    """Which axis holds the residues, 0 or 1, where the lengths do not say it."""
    table: Annotated[tuple[str, ...], "NAME …"] = ()
    """Names of the tables that are meant; left out, all."""
    eta: float = 0.5
    """Threshold η of FFS and KFS, over 0 and below 1."""
    json: bool = False
    """Print one JSON document."""

    def run(self) -> None:
        """Measure and print."""
        from grokscope.disk.measuring import measure
        from grokscope.progress import doing, showing

        with showing():
            doing(f"measuring {printable(str(self.file))}")
            found = measure(
                self.file,
                p=self.p,
                axis=self.axis,
                tables=self.table,
                eta=self.eta,
                skipped=report_skipped,
            )
        if self.json:
            print(json.dumps(found))
        else:
            _show(found)


def _show(found: dict[str, dict[str, Any]]) -> None:
    from rich.markup import escape

    from grokscope.axes import axis_in_words, taken_in_words
    from grokscope.measures import MEASURES

    width = columns()
    labels = distinct_names(list(found), None if width is None else width - _WIDTH_OF_NUMBERS)
    table = plain_table("table", "p", "of", *(m.symbol for m in MEASURES.values()))
    for label, values in zip(labels, found.values(), strict=True):
        numbers = ("–" if values[key] is None else f"{values[key]:.3f}" for key in MEASURES)
        source = axis_in_words(values["axis"], values["length"])
        table.add_row(escape(label), str(values["p"]), source, *numbers)
    print_table(table)
    for label, values in zip(labels, found.values(), strict=True):
        if values["left_out"]:
            print(f"{label}: {taken_in_words(values['p'], values['axis'], values['length'])}")
