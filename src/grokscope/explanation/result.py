"""The answer to: which algorithm did this network find, on what evidence, and how sure are we?"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grokscope.explanation.keys import harmonics_of
from grokscope.explanation.verdict import Claim, Verdict, failed_claims

_EARLIER_NAMES: Final = {"harmonics": "pointed_at"}
"""What fields of `TableFinding` were called in files of earlier versions."""


@dataclass(frozen=True)
class TableFinding:
    """Keys of W_E or W_L in the matched basis."""

    basis: str | None = None
    """In words: `characters of x^2`."""
    key_frequencies: tuple[int, ...] = ()
    pointed_at: tuple[int, ...] = ()
    """Keys that were tested because the other matrix or a harmonic pointed at them."""
    ghosts: tuple[int, ...] = ()
    energy_in_keys: float | None = None
    null_energy: float | None = None
    gini: float | None = None
    spectrum: tuple[float, ...] = ()
    """Share of each frequency of the group in the table's energy."""
    saturated: bool | None = None


def key_rows(
    embedding: TableFinding,
    readout: TableFinding,
    families: Sequence[Sequence[int]],
    n: int,
) -> tuple[dict[str, Any], ...]:
    """Return the keys with their shares of W_E and W_L, family by family; see `Explanation.keys`.

    **Arguments:** what was found in either table, all families, order of the group.
    """
    tables = (embedding, readout)
    of_E, of_L = (() if table.saturated else table.key_frequencies for table in tables)
    parents = harmonics_of(of_E, of_L, [table.pointed_at for table in tables], n)
    return tuple(
        {
            "frequency": k,
            "harmonic_of": parents.get(k),
            "share_of_W_E": embedding.spectrum[k - 1] if embedding.spectrum else None,
            "share_of_W_L": readout.spectrum[k - 1] if readout.spectrum else None,
        }
        for family in families
        for k in family
    )


@dataclass(frozen=True)
class Explanation:
    """What was found in one network, for one operation; made by `explain_network`."""

    operation: str
    p: int
    seed: int | None
    step: int | None
    verdict: Verdict
    structure: Mapping[str, Any]
    """Family, group, n, u, v, g, words, relation, characters; all null where none was found."""
    runner_up: Mapping[str, Any] | None
    """Words and verdict of the next best structure, where several were found."""
    embedding: TableFinding
    readout: TableFinding
    families: tuple[tuple[int, ...], ...]
    causal: Mapping[str, Any]
    logits: Mapping[str, Any]
    neurons: Mapping[str, Any]
    attention: tuple[Mapping[str, Any], ...]
    algorithm: Mapping[str, Any]
    closed_form: Mapping[str, Any]
    claims: tuple[Claim, ...]
    keys: tuple[Mapping[str, Any], ...] = ()
    """`frequency`, `share_of_W_E` and `share_of_W_L` of every key, family by family, and for a
    harmonic the key that it is the double or half of, `harmonic_of`."""
    by: Mapping[str, Any] | None = None
    """Of a control: the `operation` whose structure was used, and whether it has the
    `same_characters` of residues as the network's own."""
    table: Mapping[str, Any] | None = None
    """Of a table alone: its `name` in the file, its `role` there (`embedding`, `readout`, or null
    where it is not known), the `axis` of the residues, its `length`, and which of its entries were
    `left_out`."""

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Explanation":
        """Rebuild from `to_json`."""
        fields = dict(document)
        for place in ("embedding", "readout"):
            finding = {
                str(_EARLIER_NAMES.get(name, name)): _tuples(value)
                for name, value in document[place].items()
            }
            fields[place] = TableFinding(**finding)
        fields["claims"] = tuple(Claim(**claim) for claim in document["claims"])
        fields["families"] = tuple(map(tuple, document["families"]))
        for name in ("attention", "keys"):
            fields[name] = tuple(document.get(name, ()))
        return cls(**fields)

    @property
    def failed(self) -> list[Claim]:
        """Claims that the verdict needed and that do not hold."""
        return failed_claims(self.claims)

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers; every field is always there."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {name: _plain(value) for name, value in fields.items()}


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Claim):
        return _plain(value.to_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return None if value != value or value in (float("inf"), float("-inf")) else float(value)
    return value
