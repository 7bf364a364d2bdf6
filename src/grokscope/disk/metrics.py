"""Long rows in Parquet parts: each save adds a part, and a part's name is its digest."""

import re
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grokscope.disk.atomic import (
    digest,
    names_in,
    path_in_words,
    read_bytes,
    remove_files,
    write_bytes,
)
from grokscope.disk.memory import fitting
from grokscope.errors import RunFolderError
from grokscope.measures import MATCHED

_WORD: Final = pa.dictionary(pa.int32(), pa.string())

METRIC_SCHEMA: Final = pa.schema(
    [
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("step", pa.int32(), nullable=False),
        pa.field("measure", _WORD, nullable=False),
        pa.field("matrix", _WORD),
        pa.field("basis", _WORD),
        pa.field("operation", _WORD),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
"""One number of one measure; `matrix` and `basis` are null where they do not apply, `operation` is
null for a number of the whole network and names one of a mixture, an undefined value is NaN."""

SPECTRA_SCHEMA: Final = pa.schema(
    [
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("step", pa.int32(), nullable=False),
        pa.field("matrix", _WORD, nullable=False),
        pa.field("basis", _WORD, nullable=False),
        pa.field("operation", _WORD),
        pa.field("k", pa.int32(), nullable=False),
        pa.field("cos_norm", pa.float64(), nullable=False),
        pa.field("sin_norm", pa.float64(), nullable=False),
    ]
)
"""The norms of the cosine and sine coefficients of one matrix at one frequency k; `operation` as
above, for the basis that fits it."""

_OPERATION: Final = "operation"
_NAME: Final = re.compile(r"part-(\d{9})-([0-9a-f]{12})\.parquet")


def write_part(folder: Path, rows: pa.Table, last_step: int, *, inside: Path | None = None) -> Path:
    """Write `rows` as one part and return its path; equal rows give equal bytes.

    **Arguments:**

    - `folder`: `metrics` or `spectra` of a run.
    - `rows`: with `METRIC_SCHEMA` or `SPECTRA_SCHEMA`.
    - `last_step`: step of the save; no row is later.
    - `inside`: as in `write_bytes`.

    **Raises:** `DiskError` when it cannot be written.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    data = sink.getvalue().to_pybytes()
    path = folder / f"part-{last_step:09d}-{digest(data)[:12]}.parquet"
    write_bytes(path, data, inside=inside)
    return path


def read_parts(folder: Path, schema: pa.Schema) -> pa.Table:
    """Return the rows of all parts, in the order of their steps; none where there is no part.

    **Raises:** `RunFolderError` that names the first damaged file.
    """
    tables = [_read(path, schema) for path in _parts(folder)]
    return pa.concat_tables([schema.empty_table(), *tables]).unify_dictionaries()


def last_part(folder: Path, schema: pa.Schema) -> pa.Table:
    """Return the rows of the newest part; none where there is no part; raises as `read_parts`."""
    paths = _parts(folder)
    return _read(paths[-1], schema) if paths else schema.empty_table()


def verified_parts(folder: Path) -> list[Path]:
    """Return the paths of all parts, each checked against its digest; raises as `read_parts`."""
    paths = _parts(folder)
    for path in paths:
        _verified(path)
    return paths


def drop_parts_after(folder: Path, step: int) -> None:
    """Remove the parts that end after `step`; raises `DiskError`."""
    paths = _parts(folder)
    remove_files([path for path in paths if (m := _NAME.fullmatch(path.name)) and int(m[1]) > step])


def _parts(folder: Path) -> list[Path]:
    names = names_in(folder, missing_ok=True)
    return [folder / name for name in names if name.startswith("part-")]


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        with fitting(path, 0):
            table = pq.ParquetFile(pa.BufferReader(_verified(path))).read()
    except pa.ArrowException as error:
        raise _damaged(path) from error
    older = [name for name in schema.names if name != _OPERATION]
    if table.schema.names == older:  # written before mixtures had rows of their own
        place = schema.get_field_index(_OPERATION)
        table = table.add_column(place, schema.field(place), pa.nulls(len(table), _WORD))
    if table.schema != schema:
        raise _damaged(path)
    return _with_names_of_today(table) if schema == METRIC_SCHEMA else table


def _with_names_of_today(rows: pa.Table) -> pa.Table:
    """Return rows in which the joint measure of the matched basis, once `ffs`, is called KFS."""
    if not rows.filter((pc.field("measure") == "ffs") & (pc.field("basis") == MATCHED)).num_rows:
        return rows
    found = zip(rows["measure"].to_pylist(), rows["basis"].to_pylist(), strict=True)
    names = ["kfs" if pair == ("ffs", MATCHED) else pair[0] for pair in found]
    place = METRIC_SCHEMA.get_field_index("measure")
    return rows.set_column(place, METRIC_SCHEMA.field(place), pa.array(names, _WORD))


def _verified(path: Path) -> bytes:
    data = read_bytes(path)
    match = _NAME.fullmatch(path.name)
    if match is None or digest(data)[:12] != match[2]:
        raise _damaged(path)
    return data


def _damaged(path: Path) -> RunFolderError:
    return RunFolderError(
        f"{path_in_words(path)} is damaged: it was cut, changed or renamed",
        next_step="restore it from a copy; without it the run can be read, not resumed",
    )
