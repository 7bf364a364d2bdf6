"""What a user wants of an experiment: parts of it, or other settings."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grokscope.config import configure
from grokscope.errors import UsageError
from grokscope.paper.experiment import Experiment, operation_of
from grokscope.paper.tables import operation_key


@dataclass(frozen=True)
class Request:
    """Parts and settings; what is left empty is as in the experiment.

    **Raises:** `UsageError` for a value that no run can have, and for one that is given twice.
    """

    only: tuple[str, ...] = ()
    """Operations; of mixtures those that hold one of them."""
    seeds: tuple[int, ...] = ()
    fractions: tuple[float, ...] = ()
    p: int | None = None
    steps: int | None = None
    small: bool = False

    def __post_init__(self) -> None:
        _refuse_repeated("--only", [operation_key(text) for text in self.only])
        _refuse_repeated("--seeds", self.seeds)
        _refuse_repeated("--fractions", self.fractions)
        # the configuration knows the limits, also for experiments that train nothing
        given = {"p": self.p, "steps": self.steps, "seeds": self.seeds or None}
        rest = {name: value for name, value in given.items() if value is not None}
        for fraction in self.fractions or (0.5,):
            configure(("x + y",), train_fraction=fraction, **rest)

    def apply(self, experiment: Experiment) -> Experiment:
        """Return the experiment that is asked for.

        **Raises:** `UsageError` when `only` names an operation that is not in it.
        """
        if self.small:
            experiment = experiment.reduced
        given: dict[str, Any] = {"seed": self.seeds, "train_fraction": self.fractions,
                                 "p": self.p, "steps": self.steps}  # fmt: skip
        experiment = experiment.with_values(
            **{k: v for k, v in given.items() if v not in ((), None)}
        )
        return self._narrowed(experiment) if self.only else experiment

    def _narrowed(self, experiment: Experiment) -> Experiment:
        wanted = [operation_key(text) for text in self.only]
        whole = {operation_of(value): value for value in experiment.axes["operation"]}
        for text in wanted:
            if not any(text in key.split(", ") for key in whole):
                some = "; ".join(list(whole)[:4])
                raise UsageError(f"{experiment.name} has no such operation", got=text,
                                 allowed=f"{some}{'; …' if len(whole) > 4 else ''}")  # fmt: skip
        kept = [v for k, v in whole.items() if not set(k.split(", ")).isdisjoint(wanted)]
        axes = {**experiment.axes, "operation": tuple(kept)}
        return dataclasses.replace(experiment, axes=axes)

    @property
    def words(self) -> str:
        """The options as they are typed, each with a space before it."""
        parts = [f' "{text}"' for text in self.only]
        text = f" --only{''.join(parts)}" if parts else ""
        for name in ("seeds", "fractions"):
            values = getattr(self, name)
            text += f" --{name} {' '.join(f'{v:g}' for v in values)}" if values else ""
        for name in ("p", "steps"):
            value = getattr(self, name)
            text += "" if value is None else f" --{name} {value}"
        return f"{text} --small" if self.small else text


def _refuse_repeated(option: str, values: Sequence[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise UsageError(f"{option} has a value twice", got=value, allowed="each value once")
