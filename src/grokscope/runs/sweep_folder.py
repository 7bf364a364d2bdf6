"""The folder of a sweep, to be made, opened, locked and written; see `sweep_parts`."""

from pathlib import Path

import pyarrow as pa

from grokscope.errors import RunFolderError, UsageError
from grokscope.runs.atomic import absolute, make_folder, names_in, read_bytes, shown, write_bytes
from grokscope.runs.handle import LockedFolder
from grokscope.runs.sweep_index import build_index, to_parquet
from grokscope.runs.sweep_parts import INDEX_NAME, RUNS_NAME, SPEC_NAME, failures, is_sweep


class SweepFolder(LockedFolder):
    """A sweep on the disk; made by `create` or `open`."""

    @classmethod
    def create(cls, path: str | Path, *, lock: bool = True) -> "SweepFolder":
        """Return the sweep in `path`, made when there is nothing yet.

        **Arguments:**

        - `lock`: False writes also where the file system has no locks.

        **Raises:** `RunFolderError` where something else lies there; `DiskError` when it cannot
        be written.
        """
        path = absolute(path)
        for part in (path, *path.parents):
            if part.is_file():
                raise RunFolderError(f"{shown(part)} is a file, not a folder",
                                     next_step="choose another --out")  # fmt: skip
        make_folder(path)
        names = [name for name in names_in(path) if not name.startswith(".")]
        if names and SPEC_NAME not in names:
            raise RunFolderError(f"{shown(path)} is not empty and not a sweep", got=names[0],
                                 next_step="choose another --out")  # fmt: skip
        return cls(path, lock=lock)

    @classmethod
    def open(cls, path: str | Path) -> "SweepFolder":
        """Return the sweep in `path`; raises `RunFolderError` when there is none."""
        path = absolute(path)
        if not is_sweep(path):
            raise RunFolderError(f"{shown(path)} is not a sweep: it has no {SPEC_NAME}",
                                 next_step="grokscope sweep SPEC.toml makes one")  # fmt: skip
        return cls(path)

    @property
    def runs(self) -> Path:
        """The folder of the run folders."""
        return self.path / RUNS_NAME

    @property
    def spec_text(self) -> str:
        """The description, as TOML; raises `RunFolderError` when it cannot be read."""
        return read_bytes(self.path / SPEC_NAME).decode(errors="replace")

    def write_spec(self, text: str) -> None:
        """Replace the description; raises `DiskError`, and `UsageError` for what is no text."""
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                "a sweep's description cannot hold a path that is not UTF-8",
                next_step="give that file or folder another name",
            ) from error
        write_bytes(self.path / SPEC_NAME, data, inside=self.path)

    @property
    def failures(self) -> dict[str, str]:
        """The errors of the runs that failed, by name."""
        return failures(self.path)

    def index(self) -> pa.Table:
        """Return one row per run, made from the run folders; see `build_index`."""
        return build_index(self.path)

    def write_index(self) -> Path:
        """Write `index.parquet` and return its path; raises `DiskError`."""
        data = to_parquet(self.index())
        write_bytes(self.path / INDEX_NAME, data, inside=self.path)
        return self.path / INDEX_NAME
