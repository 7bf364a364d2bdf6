"""manifest.json: what was trained, where, and how far it got; and in which settings runs differ."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

import grokscope
from grokscope.disk.atomic import (
    canonical_json,
    digest,
    path_in_words,
    read_bytes,
    utf8_bytes,
    write_bytes,
)
from grokscope.disk.environment import environment
from grokscope.errors import RunFolderError

FORMAT: Final = 1
Status = Literal["running", "grokked", "undecided", "diverged", "interrupted", "failed", "imported"]
_ADDED_LATER: Final = {"transfer", "imported"}
"""Fields that manifests of this format may lack; they then have their defaults."""


@dataclass(frozen=True)
class Manifest:
    """A run in words and numbers; every field is plain JSON."""

    config: dict[str, Any]
    """`RunConfig.to_json()`."""
    operation: str
    """Canonical text of the operation; several are joined with ", "."""
    status: Status
    seeds: list[int]
    results: list[dict[str, Any]]
    """Per seed: seed, status, memorised_at, grokked_at, steps, n_train, n_test, n_undefined."""
    packages: dict[str, str]
    git_commit: str | None
    hardware: dict[str, Any]
    determinism: dict[str, Any]
    """What the bits of the weights depend on."""
    times: dict[str, Any]
    """created, updated (ISO 8601, UTC) and training_seconds."""
    grokscope_version: str = grokscope.__version__
    transfer: dict[str, Any] | None = None
    """Where weights were taken over from: `source`, the folder as given, its `operation`, and
    per seed of this run in `checkpoints`: `seed`, `source_seed`, `step`, `sha256` of the file."""

    imported: dict[str, Any] | None = None
    """Of a network that was trained elsewhere: `file` and its `sha256`, the `layout`, the `wiring`
    (`ImportedConfig.to_json()`), `accuracy` and `loss` on all pairs, and which pairs `trained`, by
    their numbers x·p + y, with the `split` in words; None where that is not known."""

    def of_imported(self, imported: dict[str, Any]) -> "Manifest":
        """Return the manifest of a network that was not trained here."""
        return dataclasses.replace(self, status="imported", imported=imported)

    @classmethod
    def new(cls, config: dict[str, Any], operation: str, **machine: Any) -> "Manifest":
        """Return the manifest of a run that starts now; `environment` takes `machine`."""
        return cls(
            config=json.loads(canonical_json(config)),
            operation=operation,
            status="running",
            seeds=list(config["seeds"]),
            results=[],
            times={"created": now(), "updated": now(), "training_seconds": 0.0},
            **environment(**machine),
        )


def now() -> str:
    """Return the present moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write `manifest` into a folder that is there, whole or not at all; raises `DiskError`."""
    document = {"format": FORMAT, **dataclasses.asdict(manifest)}
    document["checksum"] = _checksum(document)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, utf8_bytes(f"{text}\n"), inside=path.parent)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in `path`.

    **Raises:** `RunFolderError` when it is missing, cut, changed, foreign or newer.
    """
    document = _parse(path)
    if isinstance(document["format"], int) and document["format"] > FORMAT:
        raise RunFolderError(
            f"{path_in_words(path)} was made by a newer grokscope (format {document['format']},"
            f" this one reads {FORMAT})",
            next_step="upgrade grokscope",
        )
    checksum = document.pop("checksum", None)
    fields = {key: value for key, value in document.items() if key != "format"}
    names = {field.name for field in dataclasses.fields(Manifest)}
    missing, unknown = names - fields.keys(), fields.keys() - names
    known = not unknown and missing <= _ADDED_LATER and fields["status"] in get_args(Status)
    if checksum != _checksum(document) or not known:
        raise _damaged(path)
    return Manifest(**fields)


def _parse(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_bytes(path).decode())
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(document, dict) or "format" not in document:
        raise RunFolderError(f"{path_in_words(path)} was not written by grokscope")
    return document


def _checksum(document: dict[str, Any]) -> str:
    return digest(canonical_json(document).encode())


def _damaged(path: Path) -> RunFolderError:
    return RunFolderError(
        f"{path_in_words(path)} is damaged: it was cut or changed",
        next_step="restore it from a copy, or remove the folder and train again",
    )


FIRST_SETTINGS: Final = ("operation", "p", "train_fraction")
LAST_SETTING: Final = "seed"
_SHORT: Final = {"train_fraction": "r", "max_steps": "steps", "seed": "seed"}
_ALONE: Final = ("operation",)
"""Settings whose value says which setting it is of."""


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a configuration by name, as a column can hold them.

    Lists are text, `steps` is `max_steps`; operation and seeds are not among them.
    """
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= value if isinstance(value, dict) else {name: value}
    flat = {k: v for k, v in flat.items() if k not in ("expressions", "seeds")}
    flat["max_steps"] = flat.pop("steps")
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list | dict) else value
        for name, value in flat.items()
    }


def all_settings(manifest: Manifest) -> dict[str, Any]:
    """Return every setting of a run, with its operation, and its seeds as one value."""
    if manifest.imported is not None:
        known = {name: manifest.imported[name] for name in ("file", "layout")}
        return {"operation": manifest.operation, "p": manifest.config["task"]["p"], **known}
    seeds = manifest.seeds[0] if len(manifest.seeds) == 1 else " ".join(map(str, manifest.seeds))
    return {"operation": manifest.operation, **settings_of(manifest.config), LAST_SETTING: seeds}


def differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the settings whose values differ: what is computed first, seeds last."""
    names = dict.fromkeys(name for one in settings for name in one)
    middle = sorted(name for name in names if name not in (*FIRST_SETTINGS, LAST_SETTING))
    order = [name for name in (*FIRST_SETTINGS, *middle, LAST_SETTING) if name in names]
    return [name for name in order if len({repr(one.get(name)) for one in settings}) > 1]


def setting_in_words(name: str) -> str:
    """Return a setting as a reader calls it: `weight decay`, `r`."""
    return _SHORT.get(name, name.replace("_", " "))


def value_in_words(value: Any) -> str:
    """Return a value of a setting as text."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings_in_words(settings: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return some settings in words: `x + y, weight decay 0.3, seed 1`."""
    return ", ".join(
        value_in_words(settings.get(name))
        if name in _ALONE
        else f"{setting_in_words(name)} {value_in_words(settings.get(name))}"
        for name in names
    )


def run_labels(settings: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Return what tells each run from the others; where settings do not, its name does.

    **Arguments:** the settings of the runs; the names of their folders.
    """
    telling = differing(settings)
    texts = [settings_in_words(one, telling) for one in settings]
    return [
        text if text and texts.count(text) == 1 else ", ".join(filter(None, [text, name]))
        for text, name in zip(texts, names, strict=True)
    ]


def sort_key(value: Any) -> tuple[int, float, str]:
    """Return a key that sorts values: what is missing, numbers, texts."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    return (2, 0.0, str(value))
