"""Milestones found on the way are those found in hindsight, and decide when a seed stops."""

import numpy as np
import pytest

from grokscope.config.run import ScheduleConfig
from grokscope.runner.progress import Milestone, SeedProgress, overall_status

ONE = ("x + y",)


def in_hindsight(steps: list[int], values: list[float], threshold: float) -> int | None:
    for i in range(len(values) - 5):
        if all(value >= threshold for value in values[i : i + 6]):
            return steps[i]
    return None


def test_a_milestone_is_the_first_of_six_high_evaluations() -> None:
    rng = np.random.default_rng(0)
    found = set()
    for _ in range(300):
        steps = np.cumsum(rng.integers(1, 60, size=rng.integers(0, 30))).tolist()
        values = rng.choice([0.5, 0.9, 1.0], p=[0.1, 0.1, 0.8], size=len(steps)).tolist()
        milestone = Milestone(0.9)
        for n, (step, value) in enumerate(zip(steps, values, strict=True), start=1):
            milestone.add(step, value)
            assert milestone.at == in_hindsight(steps[:n], values[:n], 0.9)
        found.add(milestone.at is None)
    assert found == {True, False}


def advance(seed: SeedProgress, *accuracies: float) -> None:
    for accuracy in accuracies:
        seed.add(seed.step + 50, [1.0], [accuracy])


def test_a_seed_stops_after_grokking_and_a_margin() -> None:
    seed = SeedProgress(3, ScheduleConfig(steps=2000, stop_margin=500), ONE)
    advance(seed, 0.2, 0.995, 0.3, *[0.992] * 5)
    assert (seed.memorised_at, seed.grokked_at, seed.status) == (50, None, "undecided")
    advance(seed, 1.0)
    # the first of six in a row, at 200
    assert (seed.grokked_at, seed.status, seed.active) == (200, "grokked", True)
    advance(seed, *[0.5] * 4)
    assert (seed.step, seed.active) == (650, True)
    advance(seed, 0.5)
    assert (seed.step, seed.active) == (700, False)
    assert seed.result({"n_train": 7}) == {
        "seed": 3,
        "status": "grokked",
        "memorised_at": 50,
        "grokked_at": 200,
        "diverged_at": None,
        "steps": 700,
        "n_train": 7,
    }


def test_stopping_has_its_own_accuracy_and_can_be_switched_off() -> None:
    low = SeedProgress(0, ScheduleConfig(stop_accuracy=0.5, stop_margin=0), ONE)
    never = SeedProgress(0, ScheduleConfig(stop_accuracy=0.5, stop_margin=0, stop=False), ONE)
    for seed in (low, never):
        advance(seed, *[0.6] * 6)
        assert (seed.grokked_at, seed.status) == (None, "undecided")
    assert not low.active
    assert never.active


def test_a_seed_ends_with_its_steps_or_when_it_diverges() -> None:
    seed = SeedProgress(0, ScheduleConfig(steps=100), ONE)
    advance(seed, 0.1)
    assert seed.active
    advance(seed, 0.1)
    assert not seed.active
    seed = SeedProgress(0, ScheduleConfig(steps=1000), ONE)
    advance(seed, *[1.0] * 6)
    seed.diverged_at = 320
    assert (seed.active, seed.status) == (False, "diverged")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("grokked", "grokked"), "grokked"),
        (("grokked", "undecided"), "undecided"),
        (("undecided", "diverged", "grokked"), "diverged"),
    ],
)
def test_a_run_is_as_good_as_its_worst_seed(statuses: tuple[str, ...], expected: str) -> None:
    seeds = []
    for i, status in enumerate(statuses):
        seed = SeedProgress(i, ScheduleConfig(), ONE)
        advance(seed, *[1.0 if status == "grokked" else 0.1] * 6)
        seed.diverged_at = 10 if status == "diverged" else None
        assert seed.status == status
        seeds.append(seed)
    assert overall_status(seeds) == expected


def test_the_last_evaluation_is_foreseen() -> None:
    rng = np.random.default_rng(1)
    ends = 0
    for _ in range(200):
        margin = int(rng.choice([0, 100, 300, 500]))
        seed = SeedProgress(0, ScheduleConfig(steps=1500, stop_margin=margin), ONE)
        while seed.active:
            may_end = seed.may_end(seed.step + 50)
            advance(seed, rng.choice([0.5, 1.0], p=[0.2, 0.8]))
            assert may_end or seed.active
            ends += may_end
    # and not at every evaluation
    assert ends < 200 * 30 / 2


def test_a_mixture_is_there_when_its_last_operation_is() -> None:
    seed = SeedProgress(0, ScheduleConfig(stop_margin=100), ("x + y", "x*y"))
    for step in range(50, 1050, 50):
        if not seed.active:
            break
        seed.add(step, [1.0, 1.0], [float(step >= 100), float(step >= 200)])
    # confirmed at 450, and 300 is the margin's end
    assert (seed.grokked_at, seed.memorised_at, seed.step) == (200, 50, 450)
    assert seed.result({})["tasks"] == [
        {"operation": "x + y", "memorised_at": 50, "grokked_at": 100},
        {"operation": "x*y", "memorised_at": 50, "grokked_at": 200},
    ]
    # one that is forgotten before it is confirmed has not grokked
    seed = SeedProgress(0, ScheduleConfig(), ("x + y", "x*y"))
    for step in range(50, 1050, 50):
        seed.add(step, [1.0, 1.0], [1.0, float(step % 300 != 0)])
    assert (seed.tasks[0]["grokked_at"], seed.tasks[1]["grokked_at"]) == (50, None)
    assert (seed.grokked_at, seed.status) == (None, "undecided")
