"""The one answer to "is it the same run?", for resuming, sweeps, merging and experiments."""

import functools
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, Final

from grokscope.config.run import RunConfig
from grokscope.config.validate import SETS_OF_PARTS, in_order
from grokscope.disk.atomic import canonical_json
from grokscope.disk.manifest import Manifest
from grokscope.disk.transfer import weights_taken, weights_to_take
from grokscope.errors import GrokscopeError
from grokscope.tasks.expression import parse

_MORE_OF_THE_SAME: Final = ("steps", "checkpoint_every")
"""Settings that a resumed run may change: more of the same run, or more of it kept."""
_SOURCE: Final = ("source", "source_seed", "source_step")
"""Settings that say where weights come from, which other weights have other places for."""
_OF_EACH_RUN: Final = (
    "expressions",
    "train_fraction",
    "label_noise",
    "learning_rate",
    "weight_decay",
    "steps",
    "seeds",
)
"""Settings in which runs that train in one program may differ."""
_NOT_OF_A_CELL: Final = (
    "spectra_every",
    "save_every",
    "checkpoint_budget",
    "stop_accuracy",
    "stop_margin",
    "stop",
)
"""How long a run trains and what it saves does not make it another experiment."""


def identity(config: RunConfig, weights: Sequence[str] = ()) -> str:
    """Return what makes a run this run and no other, as one text.

    These are the settings that differ from their defaults, so that a setting which a later
    version adds changes no name. Operations are in their canonical form, parts of the network in
    the order in which they follow each other there. `steps` does not count, because an undecided
    run can be trained on; nor does `checkpoint_every`, which is widened where the disk is small.

    **Arguments:**

    - `config`: of the run.
    - `weights`: SHA-256 of the checkpoints that it takes weights from, to tell the run by them
      instead of by the place where they lie.

    **Raises:** `UsageError` for an operation that cannot be read.
    """
    settings = _identifying(config)
    if weights:
        settings |= {"source": " ".join(weights), "source_seed": None, "source_step": None}
    return canonical_json({k: v for k, v in settings.items() if v != _DEFAULTS.get(k)})


def first_difference(config: RunConfig, manifest: Manifest) -> tuple[str, Any, Any] | None:
    """Return the first setting in which a configuration describes another run than a folder's.

    A source may lie elsewhere as long as its weights are those that the run took.

    **Arguments:**

    - `config`: what is asked for.
    - `manifest`: of the run that there is.

    **Returns:** name, value in `config` and value of the run, as a user knows them; None where
    it is the same run.
    """
    asked = _identifying(config)
    stored = _identifying(RunConfig.from_json(manifest.config))
    if _takes_the_same_weights(config, manifest):
        asked |= {name: stored[name] for name in _SOURCE}
    names = dict.fromkeys(("expressions", "source", *asked))
    different = next((name for name in names if asked[name] != stored[name]), None)
    if different is None:
        return None
    name = {"expressions": "operation", "source": "--from"}.get(different, different)
    return name, _as_typed(asked[different]), _as_typed(stored[different])


def cell_key(config: RunConfig, seed: int, source: Sequence[Any] | None) -> str:
    """Return what is equal for all runs that fill the same cell of an experiment.

    As in `identity`, a setting that a later version adds changes no cell.

    **Arguments:**

    - `config`: of the run, with any seeds.
    - `seed`: the one that is meant.
    - `source`: operation, step and seed of the network whose weights it takes over, if any: it
      may have been trained anywhere.
    """
    # a run counts as grokked by so many evaluations, so `eval_every` matters
    left_out = {"seeds", *_SOURCE, *_NOT_OF_A_CELL}
    kept = {
        k: v for k, v in _identifying(config).items() if k not in left_out and v != _DEFAULTS.get(k)
    }
    return canonical_json(kept | {"seed": seed, "source": source if config.transfer.load else None})


def program_of(config: RunConfig) -> Hashable:
    """Return what is equal for runs that can train in one program.

    They may differ in seed, operation, train fraction, label noise, learning rate, weight
    decay and steps.
    """
    shared = {k: v for k, v in config.settings().items() if k not in _OF_EACH_RUN}
    return len(config.task.expressions), canonical_json(shared)


@functools.lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Return an operation in its one spelling; raises `UsageError` as `parse`."""
    return parse(text).canonical


def _identifying(config: RunConfig) -> dict[str, Any]:
    """Return the settings that tell a run from others, each in its one spelling."""
    settings = config.settings()
    settings["expressions"] = tuple(map(canonical, settings["expressions"]))
    if settings["source"] is not None:
        settings["source"] = str(Path(settings["source"]))  # without a slash at the end
    settings |= {name: in_order(settings[name]) for name in SETS_OF_PARTS}
    return {k: v for k, v in settings.items() if k not in _MORE_OF_THE_SAME}


_DEFAULTS: Final = _identifying(RunConfig())


def _takes_the_same_weights(config: RunConfig, manifest: Manifest) -> bool:
    try:
        return weights_to_take(config) == weights_taken(manifest)
    except GrokscopeError:
        return False  # the place is all that can be compared


def _as_typed(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
