"""gs.explain and gs.explain_table: runs, files, tables and anybody's networks."""

import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Protocol, overload

import numpy as np

from grokscope.config.arguments import plain_arguments
from grokscope.config.run import RunConfig
from grokscope.disk.folder import RunFolder
from grokscope.disk.listing import paths_of, select
from grokscope.disk.sweep_folder import rows_of
from grokscope.disk.tables import is_file, require_tables
from grokscope.errors import UsageError
from grokscope.explanation.circuit import Effort
from grokscope.explanation.of_file import explain_file
from grokscope.explanation.of_run import chosen_seeds
from grokscope.explanation.of_run import explain_networks as explain_run
from grokscope.explanation.result import Explanation
from grokscope.explanation.store import read_or_explain, row_of
from grokscope.notebook.network import Network
from grokscope.notebook.run_network import RunNetwork
from grokscope.progress import showing
from grokscope.sweeps.explain_many import Explanations, explain_many, with_rows

Asked = Network | RunNetwork


class _HasPath(Protocol):
    @property
    def path(self) -> Path: ...


Named = str | PathLike[str] | _HasPath
"""Runs, sweeps and files: their paths, or what has one."""


@overload
def explain(
    runs: Asked,
    operation: str | None = None,
    *,
    by: str | None = None,
    effort: Effort | None = None,
    trained: Any = None,
    quiet: bool = False,
) -> Explanation: ...


@overload
def explain(
    runs: Named | Sequence[Named],
    operation: str | None = None,
    *,
    seeds: Sequence[int] | None = None,
    step: int | None = None,
    by: str | None = None,
    effort: Effort | None = None,
    thorough: bool = True,
    fresh: bool = False,
    p: int | None = None,
    axis: int | None = None,
    tables: Sequence[str] = (),
    trained: Any = None,
    quiet: bool = False,
) -> Explanations: ...


@plain_arguments
def explain(
    runs: Any,
    operation: str | None = None,
    *,
    seeds: Sequence[int] | None = None,
    step: int | None = None,
    by: str | None = None,
    effort: Effort | None = None,
    thorough: bool = True,
    fresh: bool = False,
    p: int | None = None,
    axis: int | None = None,
    tables: Sequence[str] = (),
    trained: Any = None,
    quiet: bool = False,
) -> Explanations | Explanation:
    """Say which algorithm the networks of one run, or of many, found, with causal evidence.

    A file with tables is explained as `grokscope.explanation.of_file.explain_file` does. What
    `explanation.json` keeps of a run's last checkpoint is not made again, what is made is kept, and
    the table is written into the sweep, where one sweep is named.

        >>> gs.explain("runs/x-y-p23", seeds=[0], quiet=True)[0].operation
        'x*y'

    **Arguments:**

    - `runs`: what `gs.train` or `gs.sweep` returns, the path of a run or a sweep, or a list of
      them; the path of a file; or a network, one of a run or a `gs.Network`.
    - `operation`: of a file and of a `gs.Network`: what was trained.
    - `seeds`: which seeds; by default all.
    - `step`: which checkpoint; by default the last of each seed.
    - `by`: the operation whose structure is used; by default its own. Another one is a control:
      nothing should be found.
    - `effort`: how often nulls and controls are drawn.
    - `thorough`: whether to run the analyses that the verdict does not need.
    - `fresh`: make anew also what `explanation.json` keeps.
    - `p`, `axis`, `tables`: of a file: the modulus, which axis holds the residues, and which tables
      are meant.
    - `trained`: of a `gs.Network`: which pairs trained; see `Network.explain`.
    - `quiet`: do not show what is being done.

    **Returns:** a list of the explanations, in the order of the runs, their seeds and operations,
    whose `table` has a row for each network, also for those that could not be explained; of a
    network its explanation.

    **Raises:** `UsageError` for a folder, seed or step that is not there; of several runs, one
    that is broken only has a row that says so.
    """
    options = {"step": step, "by": by, "effort": effort, "thorough": thorough}
    of_runs = {"seeds": seeds, "step": step, "fresh": fresh or None}
    of_files = {"p": p, "axis": axis, "tables": tables or None}
    with showing(quiet=quiet):
        if isinstance(runs, Network | RunNetwork):
            _refuse("is not for a network", of_runs | of_files)
            return _of_network(runs, operation, trained=trained, by=by, effort=effort)
        several, paths = isinstance(runs, list | tuple), paths_of(runs)
        if not several and is_file(paths[0], operation):
            _refuse("needs a run, not a file", of_runs | {"effort": effort, "trained": trained})
            return _of_file(paths[0], operation, p=p, axis=axis, tables=tables, by=by)
        of_files["operation"] = operation
        _refuse("is not for a run, which knows it", of_files | {"trained": trained})
        selection, plain = select(paths), tuple(options.values()) == (None, None, None, True)
        if selection.is_one_run and not several:
            (path,) = selection.runs
            return _of_run(path, seeds, plain=plain, fresh=fresh, options=options)
        found = explain_many(selection, seeds=seeds, keep=plain, fresh=fresh, **options)
        if selection.sweep is not None and seeds is None and plain:
            found.write(selection.sweep)
        return found


def _refuse(why: str, given: dict[str, Any]) -> None:
    """Raise `UsageError` where something is given that would not be looked at."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name} {why}", next_step="leave it out")


def _of_run(
    path: Path,
    seeds: Sequence[int] | None,
    *,
    plain: bool,
    fresh: bool,
    options: dict[str, Any],
) -> Explanations:
    folder = RunFolder.open(path)
    if plain:
        chosen = chosen_seeds(RunConfig.from_json(folder.manifest.config), seeds)
        made = [
            e for seed in chosen for e in read_or_explain(folder, seed, warnings.warn, fresh=fresh)
        ]
    else:
        made = explain_run(path, seeds=seeds, **options)
    rows = []
    for base in rows_of(path):
        own = [e for e in made if e.seed == base["seed"]]
        rows += with_rows(base | {"run": str(path)}, own)
    return Explanations(rows)


def _of_network(network: Asked, operation: str | None, *, trained: Any, **how: Any) -> Explanation:
    if isinstance(network, RunNetwork):
        if operation is not None:
            raise UsageError(
                "a run knows its operation",
                got=operation,
                next_step='leave it out, or give by="x*y"',
            )
        return network.explain(**how)
    if operation is None:
        raise UsageError("a network needs its operation", allowed='for example "x + y"')
    return network.explain(operation, trained=trained, **how)


def _of_file(path: Path, operation: str | None, **options: Any) -> Explanations:
    require_tables(path)
    if operation is None:
        raise UsageError(
            "a file needs its operation", got=str(path), allowed='for example operation="x*y"'
        )
    found = explain_file(path, operation, **options)
    return Explanations([({"run": str(path)} | row_of(e), e) for e in found])


@plain_arguments
def explain_table(
    W: Any,
    operation: str,
    *,
    place: Literal["embedding", "readout"] = "embedding",
    by: str | None = None,
) -> Explanation:
    """Say which key frequencies a table alone holds, in the basis that fits an operation.

        >>> gs.explain_table(np.random.default_rng(0).normal(size=(23, 8)), "x*y").verdict
        'not decided'

    **Arguments:**

    - `W`: one row per residue, NumPy, JAX or PyTorch; the number of rows is the modulus.
    - `operation`: what was trained.
    - `place`: whether rows are residues that go in, or answers that come out.
    - `by`: explain by the structure of another operation, as a control.

    **Returns:** an explanation; of a table alone nothing causal can be said.

    **Raises:** `UsageError` for what is no table of numbers, or an unknown operation.
    """
    from grokscope.explanation import explain
    from grokscope.explanation.verdict import Place
    from grokscope.fourier.arrays import real_table
    from grokscope.tasks import Task, parse, structure_of

    rows = np.asarray(real_table(W), np.float64)
    if not np.isfinite(rows).all():
        raise UsageError(
            "a table holds values that are not finite",
            got=f"{np.sum(~np.isfinite(rows))} of {rows.size}",
            allowed="finite numbers",
            next_step="of a run that diverged take an earlier checkpoint",
        )
    task = Task((parse(operation),), len(rows))
    own = structure_of(task)
    search, control = explain.structures_by(by, own, task.p)
    return explain.explain_table(
        rows, search, operation=task.canonical, place=Place(place), control=control
    )
