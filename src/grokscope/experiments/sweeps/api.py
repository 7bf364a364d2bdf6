"""`gs.sweep`: the verb sweep for Python."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from grokscope.errors import UsageError
from grokscope.experiments.engines.registry import make_engine
from grokscope.experiments.sweeps.spec import Spec
from grokscope.experiments.sweeps.sweep import Watcher, run_sweep
from grokscope.runs.atomic import path_of
from grokscope.runs.names import slug
from grokscope.runs.selection import paths_of
from grokscope.runs.sweep_folder import SweepFolder
from grokscope.runs.sweep_parts import SPEC_NAME, is_sweep
from grokscope.settings.arguments import plain_arguments

SWEEPS: Final = Path("sweeps")


@plain_arguments
def sweep(
    spec: Any,
    out: str | Path | None = None,
    *,
    engine: str = "local",
    workers: int | None = None,
    batch_size: int | None = None,
    merge: Any = (),
    lock: bool = True,
    watcher: Watcher | None = None,
    **settings: Any,
) -> SweepFolder:
    """Train every run of a sweep that is not done yet, and return its folder.

    **Arguments:**

    - `spec`: a TOML file, the folder of a sweep, what `gs.sweep` returned, or a dictionary:
      `{"axes": {"operation": ["x + y", "x*y"], "seed": range(3)}, "fixed": {"p": 59}}`.
    - `out`: the folder; by default `sweeps/NAME`, with the name of the file.
    - `engine`, `workers`: where runs train; a key of `ENGINES`, and how many processes (local).
    - `batch_size`: how many runs train side by side in one process.
    - `merge`: folders whose finished runs of the same configurations are copied first.
    - `lock`: False trains also where the file system has no locks; then nothing else may write
      there.
    - `watcher`: hears how it goes.
    - `settings`: of the engine, `engine="ray", address="auto", storage="s3://…"`.

    **Returns:** the folder, whose `index()` has one row per run and whose `failures` the errors.

    **Raises:** `UsageError`, `DiskError`, `RunInterruptedError`.
    """
    read, folder = (_given(spec), None) if isinstance(spec, Spec | Mapping) else read_spec(spec)
    if workers is not None:
        settings["workers"] = workers
    target = folder if out is None else path_of(out)
    if target is None:
        raise UsageError("a sweep from Python needs out", next_step='for example out="sweeps/mine"')
    return run_sweep(
        read, target, engine=make_engine(engine, **settings), batch_size=batch_size,
        merge=paths_of(merge), lock=lock, watcher=watcher,
    )  # fmt: skip


def read_spec(path: Any) -> tuple[Spec, Path]:
    """Return the description in a file, or of a sweep's folder, and where it is trained.

    **Raises:** `UsageError` when it cannot be read.
    """
    path = path_of(path)
    if path.is_dir():
        SweepFolder.open(path)
        return Spec.from_file(path / SPEC_NAME), path
    own = path.name == SPEC_NAME and is_sweep(path.parent) and (path.parent / "runs").is_dir()
    return Spec.from_file(path), path.parent if own else SWEEPS / slug(path.stem)


def _given(spec: Spec | Mapping[str, Any]) -> Spec:
    return spec if isinstance(spec, Spec) else Spec.from_dict(spec)
