"""The claims at every snapshot: made once, kept in the folder, made anew where that is damaged."""

from pathlib import Path

import pytest
from tests.explanation.clock_runs import STEPS

from grokscope.disk.explanations import CLAIMS_NAME
from grokscope.disk.folder import RunFolder
from grokscope.explorer.claims import claims_over_time, kept_claims
from grokscope.explorer.subject import read_subject


def test_claims_become_true_with_the_clock(own: RunFolder) -> None:
    told: list[tuple[int, int]] = []
    subject = read_subject(own.path)
    assert kept_claims(subject) is None
    found = claims_over_time(subject, lambda done, every: told.append((done, every)))
    assert found.steps == STEPS
    assert found.verdicts[0] == "not explained"
    assert found.verdicts[-1] == "explained"
    by_name = {claim.name: claim.verdicts for claim in found.claims}
    assert by_name["embedding keys"] == ("fails", "holds", "holds")
    assert by_name["readout keys"] == ("fails", "fails", "holds")
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)
    assert kept_claims(read_subject(own.path)) == found

    (own.path / CLAIMS_NAME).write_text("{")
    assert kept_claims(subject) is None


def test_claims_of_other_snapshots_are_not_taken(own: RunFolder) -> None:
    claims_over_time(read_subject(own.path))
    last = own.path / "checkpoints" / "seed-0" / f"step-{STEPS[-1]:07d}.safetensors"
    last.unlink()
    assert kept_claims(read_subject(own.path)) is None


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(
    own: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grokscope.errors import DiskError

    def full(_self: RunFolder, _name: str, _data: bytes) -> Path:
        raise DiskError("the disk is full")

    monkeypatch.setattr(RunFolder, "write_file", full)
    assert claims_over_time(read_subject(own.path)).steps == STEPS
    assert not (own.path / CLAIMS_NAME).exists()
