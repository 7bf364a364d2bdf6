"""What the explorer has computed, kept while it serves: each thing once, whoever asks first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from grokscope.disk.listing import list_runs
from grokscope.errors import GrokscopeError, RunFolderError
from grokscope.explanation.of_run import load_network
from grokscope.explorer.answer import Trying, trying
from grokscope.explorer.claims import claims_over_time, kept_claims
from grokscope.explorer.listing import RunRow, RunRows
from grokscope.explorer.overview import comparison, overview
from grokscope.explorer.packing import pack, pack_what_if
from grokscope.explorer.page import Kind, packed_snapshot, render
from grokscope.explorer.snapshot import OverPairs, over_all_pairs, take_snapshot
from grokscope.explorer.subject import Subject, read_subject
from grokscope.explorer.what_if import Edits, what_if
from grokscope.models import AnyModel
from grokscope.numerics import computing
from grokscope.progress import showing

MOST_KEPT: Final = 400
"""Snapshots and subjects that are kept in memory; what was not asked for longest goes first."""

MOST_LARGE: Final = 4
"""Networks of which all logits and neurons are kept, 23 MB each for the paper's mod 97."""


class Kept:
    """Values by key, each made once also where several threads ask for it.

    **Arguments:** how many at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value of a key, made where it is not there; what `make` raises is not kept."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                while len(self._values) > self._most:
                    oldest, _ = self._values.popitem(last=False)
                    self._making.pop(oldest, None)
            return value


@dataclass
class Progress:
    """How far the explaining of all snapshots is.

    **Arguments:** snapshots that are done, all of them, and why it stopped, where it did.
    """

    done: int = 0
    all: int = 0
    error: str = ""


@dataclass(frozen=True)
class Asked:
    """Whose network is asked for, as the address says.

    **Arguments:**

    - `run`: its folder, as a path from the folder that is explored.
    - `seed`: None for the first that has not diverged.
    - `number`: which operation of a mixture, from 0.
    """

    run: str
    seed: int | None = None
    number: int = 0


@dataclass(eq=False)
class Explorer:
    """A folder of runs that is explored, or a single run, with all that was computed of it.

    **Arguments:** the folder.
    """

    folder: Path
    _kept: Kept = field(default_factory=lambda: Kept(MOST_KEPT))
    _large: Kept = field(default_factory=lambda: Kept(MOST_LARGE))
    _rows: RunRows = field(default_factory=RunRows)
    _claims: dict[Asked, Progress] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rows(self) -> list[RunRow]:
        """Return a row for every run in the folder, or for the run that it is."""
        return self._rows.of(self.folder, lambda read: list_runs(self.folder, read))

    def path(self, run: str) -> Path:
        """Return the folder of a run; raises `RunFolderError` for one that lies elsewhere."""
        path = (self.folder / run).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise RunFolderError("this run lies outside of what is explored", got=run)
        return path

    def subject(self, asked: Asked) -> Subject:
        """Return whose network is looked at; a run that changed is read anew.

        **Raises:** `UsageError` for what is not there.
        """
        path = self.path(asked.run)
        state = self._rows.fingerprint(path)
        return self._kept.get((asked, state), lambda: read_subject(path, asked.seed, asked.number))

    def overview(self, asked: Asked) -> dict[str, Any]:
        """Return what all snapshots share."""
        subject = self.subject(asked)
        with computing():
            return overview(subject, kept_claims(subject))

    def frame(self, asked: Asked, step: int) -> bytes:
        """Return a snapshot as a file."""
        key = ("frame", asked, self._made(asked), step)
        return self._kept.get(key, lambda: packed_snapshot(self.subject(asked), step))

    def map(self, asked: Asked, step: int, kind: str, index: int) -> bytes:
        """Return the map of one neuron or answer as a file.

        **Raises:** `RunFolderError` for a kind or number that is not there.
        """
        pairs = self._over_pairs(asked, step)
        values = {"neuron": pairs.neurons, "logit": pairs.logits}.get(kind)
        if values is None or not 0 <= index < values.shape[2]:
            raise RunFolderError("there is no such map", got=f"{kind} {index}")
        return pack({"step": step}, {f"{kind} {index}": values[:, :, index]})

    def _over_pairs(self, asked: Asked, step: int) -> OverPairs:
        key = ("pairs", asked, self._made(asked), step)
        subject = self.subject(asked)
        with computing():
            return self._large.get(
                key, lambda: over_all_pairs(self._model(asked, step), subject.number)
            )

    def _made(self, asked: Asked) -> str:
        """Return what changes when a run is trained anew under the same name."""
        return self.subject(asked).record.folder.manifest.times["created"]

    def page(self, kind: Kind, asked: Asked) -> str:
        """Return a page about one network, which asks for what it shows."""
        query = {"run": asked.run, "operation": str(asked.number)}
        if asked.seed is not None:
            query["seed"] = str(asked.seed)
        return render(kind, self.overview(asked), query=query)

    def comparison(self, runs: Sequence[str]) -> str:
        """Return the page of several runs on one axis, each by its first seed."""
        subjects = [self.subject(Asked(run)) for run in runs]
        return render("compare", comparison(subjects, runs), query={})

    def edited(self, asked: Asked, step: int, edits: Edits) -> bytes:
        """Return what a network answers after edits, as a file."""
        subject = self.subject(asked)
        return pack_what_if(what_if(subject, self._model(asked, step), edits))

    def cluster(self, asked: Asked, step: int, k: int) -> list[int]:
        """Return the neurons of which one frequency holds most of the variance."""
        key = ("clusters", asked, self._made(asked), step)
        points = self._kept.get(key, lambda: take_snapshot(self.subject(asked), step).points)
        return [] if points is None else np.flatnonzero(points.frequency == k).tolist()

    def pair(self, asked: Asked, step: int, x: int, y: int) -> dict[str, Any]:
        """Return what a network and its formula say of one pair."""
        key = ("try", asked, self._made(asked), step)
        found = self._kept.get(key, lambda: self._trying(asked, step))
        return found.at(x, y).to_json()

    def _trying(self, asked: Asked, step: int) -> Trying:
        subject, model = self.subject(asked), self._model(asked, step)
        return trying(subject, model, self._over_pairs(asked, step))

    def _model(self, asked: Asked, step: int) -> AnyModel:
        """Return the network of a snapshot; raises `RunFolderError` where it is not finite."""
        return load_network(self.subject(asked).record.folder, self.subject(asked).seed, step).model

    def claims(self, asked: Asked, *, start: bool) -> dict[str, Any]:
        """Return the claims over time, or how far they are; begin with them where asked to."""
        known = kept_claims(self.subject(asked))
        if known is not None:
            return {"claims": known.to_json()}
        with self._lock:
            if start and asked not in self._claims:
                self._claims[asked] = Progress()
                threading.Thread(target=self._explain, args=(asked,), daemon=True).start()
            found = self._claims.get(asked, Progress())
            if found.error:
                self._claims.pop(asked, None)
        return {"done": found.done, "all": found.all or int(asked in self._claims)} | (
            {"error": found.error} if found.error else {}
        )

    def _explain(self, asked: Asked) -> None:
        def told(done: int, every: int) -> None:
            self._claims[asked] = Progress(done, every)

        try:
            with showing(quiet=True):
                claims_over_time(self.subject(asked), told)
            self._claims.pop(asked, None)
        except GrokscopeError as error:
            self._claims[asked] = Progress(error=str(error))


@lru_cache(maxsize=8)
def explorer_of(folder: str) -> Explorer:
    """Return the explorer of a folder; all pages of a process share it."""
    return Explorer(Path(folder))
