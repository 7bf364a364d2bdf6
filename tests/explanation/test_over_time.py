"""When each claim becomes true, on checkpoints that were built to become true in turn."""

import json

import pytest

from grokscope.disk.folder import RunFolder
from grokscope.explanation.over_time import MOST_CHECKPOINTS, Timeline, some_of, timelines
from grokscope.explanation.result import Explanation
from grokscope.explanation.verdict import Claim, ClaimId, Claims


def test_claims_become_true_in_the_order_in_which_they_were_built(clock_run: RunFolder) -> None:
    (timeline,) = timelines(clock_run)
    assert (timeline.operation, timeline.seed, timeline.grokked_at) == ("x + y", 0, 200)
    assert [e.step for e in timeline.explanations] == [100, 200, 300]
    moments = {str(moment.claim): moment for moment in timeline.moments}
    since = {name: moment.since for name, moment in moments.items()}
    assert since["structure"] == 100
    assert since["grokked"] == since["embedding keys"] == 200
    assert since["readout keys"] == since["embedding keep"] == since["both kept"] == 300
    assert moments["readout keys"].relative == 100
    assert moments["structure"].relative == -100
    document = timeline.to_json()
    assert document["verdicts"] == [
        {"step": 100, "verdict": "not explained"},
        {"step": 200, "verdict": "not explained"},
        {"step": 300, "verdict": "explained"},
    ]
    assert json.loads(json.dumps(document, allow_nan=False))["moments"][0]["claim"] == "grokked"


def test_by_another_operation_no_keys_come(clock_run: RunFolder) -> None:
    (timeline,) = timelines(clock_run, seeds=(0,), by="x*y")
    since = {str(moment.claim): moment.since for moment in timeline.moments}
    assert since["embedding keys"] is since["readout keys"] is since["both kept"] is None


def history(*held: bool, grokked_at: int | None = 20) -> Timeline:
    """A claim that holds or fails at steps 10, 20, 30 …, in words of its own each time."""
    found = [
        Explanation(
            operation="x + y",
            p=23,
            seed=0,
            step=10 * i,
            verdict="partly",
            claims=Claims(
                [Claim(id=ClaimId.SPARSE, statement=f"{i}", verdict="holds" if h else "fails")]
            ),
        )
        for i, h in enumerate(held, 1)
    ]
    return Timeline("x + y", 0, grokked_at, found)


@pytest.mark.parametrize(
    ("held", "since", "relative"),
    [
        ((False, True, True), 20, 0),
        ((True, False, True), 30, 10),
        ((True, True, False), None, None),
        ((True, True), 10, -10),
    ],
)
def test_a_claim_counts_from_where_it_holds_to_the_end(
    held: tuple[bool, ...], since: int | None, relative: int | None
) -> None:
    (moment,) = history(*held).moments
    assert (moment.since, moment.relative) == (since, relative)


def test_without_grokking_nothing_is_relative_to_it() -> None:
    (moment,) = history(False, True, grokked_at=None).moments
    assert (moment.since, moment.relative) == (20, None)


@pytest.mark.parametrize("count", [3, MOST_CHECKPOINTS, MOST_CHECKPOINTS + 1, 500])
def test_of_many_checkpoints_the_first_the_last_and_some_between_are_taken(count: int) -> None:
    # step 0 is there too, and is left out
    steps = some_of(range(count + 1))
    assert len(steps) == min(count, MOST_CHECKPOINTS) == len(set(steps))
    assert (steps[0], steps[-1]) == (1, count)
    assert steps == sorted(steps)
