"""The one visual language of pages, figures and terminals: colours, fonts, number formats."""

from dataclasses import dataclass
from typing import Final

FONT: Final = "system-ui, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif"
FILE_FONT: Final = "'Liberation Sans', Arial, 'DejaVu Sans', sans-serif"
"""Of figures in files, which programs draw that know no font of the system."""

STEP: Final = ",d"
"""How figures write steps, in the notation of d3."""
SHARE: Final = ".0%"
"""How axes write shares of pairs."""
VALUE: Final = ".4~g"
"""How the text under the pointer writes any other number."""
POWER: Final = "replace(format(datum.value, '~e'), '+', '')"
"""Labels of a logarithmic axis, as an expression: 1e-3 and 1e1."""


@dataclass(frozen=True)
class Palette:
    """The colours of a page, light or dark; series are those of Okabe and Ito."""

    ground: str
    ink: str
    faint: str
    grid: str
    line: str
    soft: str
    link: str
    warn: str
    warn_ground: str
    warn_line: str
    good: str
    even: str
    shade: str
    series: tuple[str, str, str, str]

    @property
    def variables(self) -> str:
        """All colours as variables of CSS; those of series are s1 to s4."""
        names = [name for name in self.__dataclass_fields__ if name != "series"]
        told = [f"--{name.replace('_', '-')}: {getattr(self, name)};" for name in names]
        told += [f"--s{i}: {colour};" for i, colour in enumerate(self.series, 1)]
        return " ".join(told)


LIGHT: Final = Palette(
    ground="#ffffff",
    ink="#1f2328",
    faint="#59636e",
    grid="#e4e7eb",
    line="#d8dee4",
    soft="#f6f8fa",
    link="#0a5dad",
    warn="#8a4b00",
    warn_ground="#fff6e5",
    warn_line="#e6a23c",
    good="#dff3e4",
    even="#eef5ea",
    shade="rgb(31 35 40 / .32)",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7"),
)
DARK: Final = Palette(
    ground="#0f1216",
    ink="#e6edf3",
    faint="#9da7b3",
    grid="#2d333b",
    line="#2d333b",
    soft="#171b21",
    link="#6cb6ff",
    warn="#f2c46d",
    warn_ground="#2a2214",
    warn_line="#b5832a",
    good="#173526",
    even="#1c2a20",
    shade="rgb(160 175 190 / .5)",
    series=("#56b4e9", "#e69f00", "#2fc79a", "#e59fc6"),
)
MORE_SERIES: Final = (*LIGHT.series, "#56b4e9", "#b8860b", "#7f7f7f")
"""Of many curves, on light and dark pages alike."""
NEUTRAL: Final = "#8c959f"
"""Of what is not told apart, on light and dark pages alike."""
SHADES: Final = ("#5b3f95", "#44639f", "#2f7f8e", "#21988a", "#37b077", "#72c452", "#b3bd2c")
"""Of numbers in order, on light and dark pages alike."""
VIRIDIS: Final = (
    "#440154",
    "#472d7b",
    "#3b528b",
    "#2c728e",
    "#21918c",
    "#28ae80",
    "#5ec962",
    "#addc30",
    "#fde725",
)
"""Nine stops of the colours of maps, in order for colour-blind eyes and in grey."""

VERDICTS: Final = {
    "explained": ("green", 0),
    "partly": ("yellow", 2),
    "not decided": ("cyan", 3),
    "not explained": ("red", 1),
}
"""Verdicts → their colour in a terminal, and the index of their series on pages."""


def verdict_colour(verdict: str) -> str:
    """Return the colour of a verdict where light and dark are not told apart."""
    return LIGHT.series[VERDICTS[verdict][1]]


def page_variables() -> str:
    """Return the rules of CSS that give a page its colours, dark where the reader asks for it."""
    return (
        f":root {{ color-scheme: light dark; --font: {FONT}; {LIGHT.variables} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {DARK.variables} }} }}\n"
    )


def drawing_variables() -> str:
    """Return the rules that give a drawing its colours also in a file of its own, on light."""
    claims = {"holds": "explained", "fails": "not explained"} | {name: name for name in VERDICTS}
    rules = [
        f".claim.{name.replace(' ', '-')} {{ fill: var(--s{VERDICTS[verdict][1] + 1}); }}"
        for name, verdict in claims.items()
    ]
    return "\n".join([f"svg.file {{ --font: {FILE_FONT}; {LIGHT.variables} }}", *rules, ""])
