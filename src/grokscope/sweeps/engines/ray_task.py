"""What a Ray worker does with one batch; nothing here imports JAX before the cores are taken."""

import contextlib
import json
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from grokscope.disk.atomic import make_folder, path_in_words
from grokscope.disk.lock import exclusive
from grokscope.disk.sweep_folder import RUNS_NAME
from grokscope.errors import DiskError, RunFolderError, UsageError, line_of
from grokscope.sweeps.batch import Batch, Outcome, run_batch
from grokscope.sweeps.engines.cores import take_cores
from grokscope.sweeps.mirror import LostRunError, Mirror, following

PLACE: Final = ".ray"
"""Folder in the sweep's for what workers tell each other; it lasts as long as the command."""
TOKEN_NAME: Final = "token"
_TURN_SECONDS: Final = 150.0  # NFS frees the locks of a lost node after its lease, mostly 90 s
_SIGHT_SECONDS: Final = 60.0  # NFS may not show a new file for that long
_PAUSE: Final = 0.2


def train(text: str) -> str:
    """Train a batch and return its outcomes; both as JSON, so that Ray carries only text.

    **Arguments:**

    - `text`: `batch`, `cpus`, and `folder` and `token` of a shared sweep, or a `storage` URL.

    **Returns:** `outcomes`; or `failed` with the reason, for this batch; or `refused` with one
    that holds for every batch.
    """
    order = json.loads(text)
    try:
        take_cores(order["cpus"])
        outcomes = _train(Batch.from_json(order["batch"]), order)
    except (RunFolderError, DiskError, LostRunError) as error:
        return json.dumps({"failed": line_of(error)})
    except UsageError as error:
        return json.dumps({"refused": line_of(error)})
    return json.dumps({"outcomes": [vars(outcome) for outcome in outcomes]})


def _train(batch: Batch, order: dict[str, Any]) -> list[Outcome]:
    if order["storage"] is not None:
        return _train_in_scratch(batch, order["storage"])
    folder = Path(order["folder"])
    _check_shared(folder, order["token"])
    with contextlib.ExitStack() as turns:
        for name in sorted(job.name for job in batch.jobs):
            turns.enter_context(_turn(folder / PLACE / name, needed=batch.lock))
        return run_batch(batch, folder)


def _check_shared(folder: Path, token: str) -> None:
    """Raise `UsageError` unless `folder` is the one that the command sees."""
    end = time.monotonic() + _SIGHT_SECONDS
    while _token(folder) != token:
        if time.monotonic() > end:
            raise UsageError(
                f"a node of the cluster does not see {path_in_words(folder)}",
                next_step="put the sweep on a disk that all nodes share, or add --storage URL",
            )
        time.sleep(_PAUSE)


def _token(folder: Path) -> str | None:
    try:
        return (folder / PLACE / TOKEN_NAME).read_text()
    except OSError:
        return None


@contextlib.contextmanager
def _turn(place: Path, *, needed: bool) -> Iterator[None]:
    """Hold the turn of a job; a worker of a lost node may live a moment longer than its node."""
    make_folder(place)
    end = time.monotonic() + _TURN_SECONDS
    while True:
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(exclusive(place, needed=needed))
            except RunFolderError:
                if time.monotonic() > end:
                    raise
            else:
                yield
                return
        time.sleep(_PAUSE)


def _train_in_scratch(batch: Batch, storage: str) -> list[Outcome]:
    """Train in a folder of this node, with copies of the runs at `storage`."""
    with tempfile.TemporaryDirectory(prefix="grokscope-") as scratch:
        mirrors = [
            Mirror(
                Path(scratch) / RUNS_NAME / job.name,
                run_url(storage, job.name),
                secrets.token_hex(16),
            )
            for job in batch.jobs
        ]
        for mirror in mirrors:
            mirror.claim()
            mirror.pull()
        with following(mirrors):
            return run_batch(batch, Path(scratch))


def run_url(storage: str, name: str) -> str:
    """Return where the copy of a run lies."""
    return f"{storage.rstrip('/')}/{RUNS_NAME}/{name}"
