"""Every way in which a cell of ours can stand beside the paper's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokscope.paper.agreement import (
    WORDS,
    State,
    Tally,
    cell_state,
    smallest_grokked,
    states_in_words,
    threshold_state,
)

YES, NO, SOME, BROKEN, NONE = Tally(3), Tally(0, 3), Tally(1, 2), Tally(0, 0, 2), Tally()


@pytest.mark.parametrize(
    ("paper", "ours", "expected"),
    [
        (True, YES, State.AGREES),
        (True, NO, State.UNDECIDED),
        (False, NO, State.CONSISTENT),
        (False, YES, State.DIFFERS),
        (True, SOME, State.MIXED),
        (False, SOME, State.MIXED),
        (None, YES, State.NO_NUMBER),
        (None, NO, State.NO_NUMBER),
        (True, NONE, State.NOT_RUN),
        (False, NONE, State.NOT_RUN),
        (None, NONE, State.NOT_RUN),
        (True, BROKEN, State.FAILED),
        (False, BROKEN, State.FAILED),
        (True, Tally(2, 0, 1), State.MIXED),
    ],
)
def test_cell(paper: bool | None, ours: Tally, expected: State) -> None:
    assert cell_state(paper, ours) is expected


@pytest.mark.parametrize(
    ("paper", "ours", "expected"),
    [
        (0.3, {0.3: YES}, State.AGREES),
        (0.4, {0.3: NO, 0.4: YES}, State.AGREES),
        (0.4, {0.4: YES}, State.CONSISTENT),  # 0.3 may grok, too
        (0.4, {0.3: YES}, State.ONE_STEP),
        (0.5, {0.3: YES, 0.4: YES}, State.DIFFERS),
        (0.5, {0.4: YES}, State.ONE_STEP),
        (0.3, {0.3: NO, 0.4: YES}, State.UNDECIDED),  # never a disagreement
        (0.3, {0.3: NO}, State.UNDECIDED),
        (0.3, {0.5: YES}, State.CONSISTENT),
        (0.7, {0.3: NO}, State.CONSISTENT),
        (None, {0.3: NO, 0.9: NO}, State.CONSISTENT),
        (None, {0.3: NO, 0.9: YES}, State.DIFFERS),
        (None, {0.3: SOME}, State.MIXED),
        (0.7, {0.3: SOME}, State.MIXED),
        (0.7, {0.8: SOME}, State.CONSISTENT),  # larger fractions say nothing of smaller ones
        (0.4, {0.3: SOME, 0.4: YES}, State.AGREES),
        (0.5, {0.3: SOME, 0.5: YES}, State.MIXED),  # 0.4 was not tried
        (0.3, {0.3: SOME}, State.MIXED),
        (0.3, {}, State.NOT_RUN),
        (0.3, {0.3: NONE}, State.NOT_RUN),
        (0.3, {0.3: BROKEN}, State.FAILED),
        (0.8, {0.30000000000000004: NO, 0.7999999999: YES, 0.7: NO}, State.AGREES),
    ],
)
def test_threshold(paper: float | None, ours: dict[float, Tally], expected: State) -> None:
    assert threshold_state(paper, ours) is expected


def test_statuses_are_counted() -> None:
    statuses = ["grokked", "undecided", "running", "interrupted", "diverged", "failed"]
    assert Tally.of(statuses) == Tally(1, 3, 2)
    assert Tally.of([]) == Tally()


tallies = st.builds(Tally, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
fractions = st.sampled_from([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


@given(st.none() | st.booleans(), tallies)
def test_without_a_grokked_run_nothing_is_decided(paper: bool | None, ours: Tally) -> None:
    state = cell_state(paper, Tally(0, ours.undecided, ours.failed))
    assert state not in (State.AGREES, State.DIFFERS, State.MIXED)


@given(st.none() | fractions, st.dictionaries(fractions, tallies))
def test_a_threshold_differs_only_by_a_run_that_grokked_below(
    paper: float | None, ours: dict[float, Tally]
) -> None:
    state, least = threshold_state(paper, ours), smallest_grokked(ours)
    if state in (State.DIFFERS, State.ONE_STEP):
        assert least is not None
        assert paper is None or least < paper


@given(fractions, st.dictionaries(fractions, tallies), fractions)
def test_more_undecided_runs_never_make_a_disagreement(
    paper: float, ours: dict[float, Tally], r: float
) -> None:
    bad = (State.DIFFERS, State.ONE_STEP)
    before, more = threshold_state(paper, ours), {**ours, r: Tally(0, 1)}
    assert threshold_state(paper, more) not in bad or before in bad


def test_every_state_has_words_and_counts_are_complete() -> None:
    assert set(WORDS) == set(State)
    text = states_in_words([State.AGREES, State.AGREES, State.UNDECIDED])
    assert text == "agrees 2, undecided 1 (of 3 cells)"
    assert states_in_words([]) == "no cells"
