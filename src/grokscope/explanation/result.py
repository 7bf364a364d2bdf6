"""The answer to: which algorithm did this network find, on what evidence, and how sure are we?"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grokscope.explanation.document import from_plain, named, to_plain
from grokscope.explanation.findings import (
    Ablations,
    ClockOrPizza,
    ClosedForms,
    Control,
    HeadFinding,
    Key,
    LogitFinding,
    NeuronFinding,
    RunnerUp,
    StructureFound,
    TableFinding,
    TableSource,
    key_rows,
)
from grokscope.explanation.verdict import Claims, Verdict


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
        from grokscope.explanation.show import as_text

        return as_text(page_of(self))

    def _repr_html_(self) -> str:
        """Return the page for a notebook."""
        from grokscope.explanation.page import page_of
        from grokscope.explanation.show import as_html

        return as_html(page_of(self))
