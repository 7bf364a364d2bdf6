"""When each claim becomes true: a run's checkpoints, explained one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from grokscope.config.run import RunConfig
from grokscope.explanation.circuit import Effort
from grokscope.explanation.document import to_plain
from grokscope.explanation.of_run import case_of, chosen_seeds, folder_of
from grokscope.explanation.result import Control, Explanation
from grokscope.explanation.verdict import Claim, ClaimId
from grokscope.progress import showing
from grokscope.tasks import Task

EFFORT: Final = Effort(null_draws=200, control_draws=5)
"""Draws per checkpoint; fewer than for a claim about one network, since there are many."""
MOST_CHECKPOINTS: Final = 40


@dataclass(frozen=True)
class Moment:
    """From which checkpoint on a claim holds until the end."""

    claim: ClaimId
    statement: str
    since: int | None
    """Step of that checkpoint; None where it does not hold at the end."""
    relative: int | None = None
    """`since` minus the step of grokking; None where one of them is not known."""


class Timeline(NamedTuple):
    """The explanations of one seed and operation over training."""

    operation: str
    seed: int
    grokked_at: int | None
    explanations: list[Explanation]

    @property
    def control(self) -> Control | None:
        """None where the networks are explained by their own structure."""
        return self.explanations[-1].control

    @property
    def moments(self) -> list[Moment]:
        """When each claim of the last explanation became true, in its order."""
        last = self.explanations[-1]
        return [self._moment(claim) for claim in last.claims.values()]

    def _moment(self, claim: Claim) -> Moment:
        since = None
        for explanation in reversed(self.explanations):
            known = explanation.claims.get(claim.id)
            if known is None or not known.holds:
                break
            since = explanation.step
        if since is None or self.grokked_at is None:
            return Moment(claim.id, claim.statement, since)
        return Moment(claim.id, claim.statement, since, since - self.grokked_at)

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and numbers."""
        return {
            "operation": self.operation,
            "seed": self.seed,
            "grokked_at": self.grokked_at,
            "moments": to_plain(self.moments),
            "verdicts": [{"step": e.step, "verdict": e.verdict} for e in self.explanations],
            "by": to_plain(self.control),
        }


def timelines(
    run: Any, *, seeds: tuple[int, ...] | None = None, by: str | None = None
) -> Iterator[Timeline]:
    """Explain the checkpoints of every seed and operation of a run.

    Of many checkpoints 40 are taken, evenly, the last among them; nulls and controls are drawn
    less often than for a single network (`EFFORT`).

    **Arguments:** as for `explain`.
    """
    folder = folder_of(run)
    config = RunConfig.from_json(folder.manifest.config)
    task = Task.from_config(config.task)
    for seed in chosen_seeds(config, seeds):
        for index in range(task.n_tasks):
            with showing():
                case = case_of(folder, config, task, seed, index, by)
                steps = some_of(folder.checkpoint_steps(seed))
                found = [case.explain(step, EFFORT, thorough=False) for step in steps]
            yield Timeline(case.operation, seed, case.grokked_at, found)


def some_of(checkpoint_steps: Sequence[int]) -> list[int]:
    """Return at most 40 steps, evenly chosen, the first and the last among them; never step 0."""
    steps = [step for step in checkpoint_steps if step > 0]
    if len(steps) <= MOST_CHECKPOINTS:
        return steps
    last = len(steps) - 1
    return [steps[i * last // (MOST_CHECKPOINTS - 1)] for i in range(MOST_CHECKPOINTS)]
