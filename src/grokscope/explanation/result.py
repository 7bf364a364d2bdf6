"""An explanation: which algorithm a network found, on what evidence, and how sure we are."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grokscope.explanation.document import from_plain, named, to_plain
from grokscope.explanation.families import harmonics_of
from grokscope.explanation.findings import (
    Ablations,
    ClockOrPizza,
    ClosedForms,
    HeadFinding,
    LogitFinding,
    NeuronFinding,
)
from grokscope.explanation.verdict import Claims, Level, Place, Verdict
from grokscope.tasks.structure import Structure


@dataclass(frozen=True)
class StructureFound:
    """The structure that a network is explained by, in words; see `tasks.structure.Structure`."""

    family: str | None = None
    group: str | None = None
    """`Z_96`."""
    n: int | None = None
    """Order of the group; None where no structure was found."""
    u: str | None = None
    """The coordinate of x."""
    v: str | None = None
    """The coordinate of y."""
    g: str | None = None
    """The answer, of the sum s."""
    words: str = ""
    """In a sentence; without a structure, what was searched."""
    relation: str | None = None
    """How v follows from u."""
    characters: int | None = None
    """Characters per key that an embedding must carry."""

    @classmethod
    def of(cls, structure: Structure) -> "StructureFound":
        """Return a structure in words."""
        return cls(**structure.to_json())

    def is_of(self, structure: Structure) -> bool:
        """Return whether this is that structure."""
        return (self.n, self.u, self.v, self.g) == (
            structure.n,
            structure.u_text,
            structure.v_text,
            structure.g_text,
        )


@dataclass(frozen=True)
class RunnerUp:
    """The next best structure, where an operation has several."""

    words: str
    verdict: Verdict
    keys: tuple[int, ...] = field(default=(), metadata=named("key_frequencies"))
    both_keep: float | None = None
    """A with only its keys left in both places; −1 without keys."""


@dataclass(frozen=True)
class TableFinding:
    """Keys of W_E or W_L in the matched basis."""

    basis: str | None = None
    """In words: `characters of x^2`."""
    keys: tuple[int, ...] = field(default=(), metadata=named("key_frequencies"))
    """Key frequencies, the strongest first."""
    pointed_at: tuple[int, ...] = field(default=(), metadata=named("pointed_at", "harmonics"))
    """Keys that were tested because the other matrix or a harmonic pointed at them."""
    ghosts: tuple[int, ...] = ()
    energy_in_keys: float | None = None
    null_energy: float | None = None
    gini: float | None = None
    spectrum: tuple[float, ...] = ()
    """Share of each frequency of the group in the table's energy."""
    saturated: bool | None = None
    """Whether the table cannot show which frequencies it uses."""
    name: str | None = None
    """What it is called where it is not W_E or W_L: `the class axis`."""


@dataclass(frozen=True)
class Key:
    """A key frequency of either table."""

    frequency: int
    harmonic_of: int | None = None
    """The key that it is the double or half of; None for a key of its own."""
    share_of_embedding: float | None = field(default=None, metadata=named("share_of_W_E"))
    """In the energy of W_E; None where that was not seen."""
    share_of_neuron_logit_map: float | None = field(default=None, metadata=named("share_of_W_L"))
    """In the energy of W_L."""


def key_rows(
    embedding: TableFinding,
    neuron_logit_map: TableFinding,
    families: Sequence[Sequence[int]],
    n: int,
) -> tuple[Key, ...]:
    """Return the keys with their shares of W_E and W_L, family by family.

    **Arguments:** what was found in either table, all families, order of the group.
    """
    tables = (embedding, neuron_logit_map)
    of_E, of_L = (() if table.saturated else table.keys for table in tables)
    parents = harmonics_of(of_E, of_L, [table.pointed_at for table in tables], n)
    return tuple(
        Key(k, parents.get(k), *(t.spectrum[k - 1] if t.spectrum else None for t in tables))
        for family in families
        for k in family
    )


@dataclass(frozen=True)
class Control:
    """That a network was explained by the structure of another operation."""

    operation: str
    """Whose structure was used."""
    same_characters: bool = False
    """Whether it lays residues out by the same characters as the network's own."""


@dataclass(frozen=True)
class TableSource:
    """The table of a file that was explained alone."""

    name: str
    role: Place | None
    """None where it is not known."""
    axis: int
    """Which axis held the residues."""
    length: int
    """Its entries."""
    left_out: tuple[int, ...] = ()
    """Entries that are no residues."""


@dataclass(frozen=True)
class Analyses:
    """What is said beyond the verdict; nothing of what could not be asked."""

    ablations: Ablations = field(default_factory=Ablations)
    logits: LogitFinding = field(default_factory=LogitFinding)
    neurons: NeuronFinding = field(default_factory=NeuronFinding)
    attention: tuple[HeadFinding, ...] = ()
    algorithm: ClockOrPizza = field(default_factory=ClockOrPizza)
    closed_form: ClosedForms = field(default_factory=ClosedForms)


@dataclass(frozen=True, repr=False)
class Explanation:
    """What was found in one network, for one operation; made by `explain_network`.

    `print` shows it as text, and a notebook as a page.
    """

    operation: str
    p: int
    seed: int | None
    step: int | None
    verdict: Verdict
    structure: StructureFound = field(default_factory=StructureFound)
    levels: tuple[Level, ...] = ()
    """On what it is explained; none for every verdict but `explained`."""
    runner_up: RunnerUp | None = None
    embedding: TableFinding = field(default_factory=TableFinding)
    """Keys of W_E."""
    neuron_logit_map: TableFinding = field(default_factory=TableFinding, metadata=named("readout"))
    """Keys of W_L."""
    families: tuple[tuple[int, ...], ...] = ()
    """All keys, each family linked by doubling."""
    ablations: Ablations = field(default_factory=Ablations, metadata=named("causal"))
    logits: LogitFinding = field(default_factory=LogitFinding)
    neurons: NeuronFinding = field(default_factory=NeuronFinding)
    attention: tuple[HeadFinding, ...] = ()
    """Per head of the last block; none for an MLP."""
    algorithm: ClockOrPizza = field(default_factory=ClockOrPizza)
    closed_form: ClosedForms = field(default_factory=ClosedForms)
    claims: Claims = field(default_factory=Claims)
    """By identity: `claims[ClaimId.EMBEDDING_KEEP]`."""
    keys: tuple[Key, ...] = ()
    """Every key of either table, family by family."""
    control: Control | None = field(default=None, metadata=named("by"))
    """None for a network that is explained by its own structure."""
    table: TableSource | None = None
    """None for a network."""

    @property
    def by_table(self) -> dict[str, TableFinding]:
        """What was found in each table, by its name: W_E and W_L."""
        return {"W_E": self.embedding, "W_L": self.neuron_logit_map}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Explanation":
        """Rebuild from `to_json`, of this version or an earlier one.

        **Raises:** `ValueError` for anything else.
        """
        found = from_plain(cls, document)
        if found.keys or found.structure.n is None:
            return found
        tables = (found.embedding, found.neuron_logit_map)
        return dataclasses.replace(found, keys=key_rows(*tables, found.families, found.structure.n))

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers; every field is always there."""
        return to_plain(self)

    def __repr__(self) -> str:
        from grokscope.explanation.sentences import headline

        return f"<Explanation of {headline(self)}>"

    def __str__(self) -> str:
        """Return the page as text, about 30 lines."""
        from grokscope.explanation.page import page_of
        from grokscope.explanation.rendering import as_text

        return as_text(page_of(self))

    def _repr_html_(self) -> str:
        """Return the page for a notebook."""
        from grokscope.explanation.page import page_of
        from grokscope.explanation.rendering import as_html

        return as_html(page_of(self))
