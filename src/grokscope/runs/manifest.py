"""manifest.json: what was trained, where, and how far it got; readable without grokscope."""

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

import grokscope
from grokscope.errors import RunFolderError
from grokscope.runs.atomic import read_bytes, shown, utf8, write_bytes
from grokscope.runs.canonical import canonical_json, digest
from grokscope.runs.environment import environment

FORMAT: Final = 1
Status = Literal["running", "grokked", "undecided", "diverged", "interrupted", "failed"]
_ADDED_LATER: Final = {"transfer"}
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
    write_bytes(path, utf8(f"{text}\n"), inside=path.parent)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest in `path`.

    **Raises:** `RunFolderError` when it is missing, cut, changed, foreign or newer.
    """
    document = _parse(path)
    if isinstance(document["format"], int) and document["format"] > FORMAT:
        raise RunFolderError(
            f"{shown(path)} was made by a newer grokscope (format {document['format']},"
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
        raise RunFolderError(f"{shown(path)} was not written by grokscope")
    return document


def _checksum(document: dict[str, Any]) -> str:
    return digest(canonical_json(document).encode())


def _damaged(path: Path) -> RunFolderError:
    return RunFolderError(
        f"{shown(path)} is damaged: it was cut or changed",
        next_step="restore it from a copy, or remove the folder and train again",
    )
