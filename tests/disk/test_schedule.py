import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.disk.folder import interval_within_budget, is_checkpoint


def test_log_spaced_then_regular():
    kept = [step for step in range(0, 3001, 50) if is_checkpoint(step, 1000, 50)]
    assert kept == [0, 50, 100, 200, 400, 800, 1000, 1600, 2000, 3000]


def test_a_budget_that_suffices_changes_nothing():
    assert interval_within_budget(50_000, 1_000_000, 1, 1000, 512, 50) == 1000


def test_whole_evaluations():
    assert interval_within_budget(1000, 1, 1, 120, 512, 50) == 150


def test_a_small_budget_widens():
    # 10 MiB for checkpoints of 1 MiB: 0, 50, 100, 200, 400, 800, 1600 are kept anyway, so with
    # 2000 only 0 and the last are left of the regular ones (8 in all); with 1000 there are 9,
    # with 500 there are 11.
    assert interval_within_budget(2000, 2**20, 1, 500, 10, 50) == 1000
    assert interval_within_budget(2000, 2**20, 2, 500, 16, 50) == 2000


@given(
    steps=st.integers(1, 20_000),
    size=st.integers(1, 2**21),
    seeds=st.integers(1, 4),
    every=st.integers(1, 5000),
    budget=st.integers(1, 64),
    evaluate=st.integers(1, 400),
)
def test_it_fits_or_cannot_be_wider(
    steps: int, size: int, seeds: int, every: int, budget: int, evaluate: int
):
    wide = interval_within_budget(steps, size, seeds, every, budget, evaluate)
    kept = {s for s in range(0, steps + 1, evaluate) if is_checkpoint(s, wide, evaluate)} | {steps}
    assert len(kept) * size * seeds <= budget * 2**20 or wide >= steps
    assert wide >= every
    assert wide % evaluate == 0


@pytest.mark.parametrize("step", [0, 1, 3, 1024])
def test_every_step_evaluated(step: int):
    assert is_checkpoint(step, 1, 1)
