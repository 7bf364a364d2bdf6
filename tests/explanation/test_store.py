"""Explanations as explanation.json, and as rows of a table."""

import json
from collections.abc import Callable

import pytest

from grokscope.disk.explanations import EXPLANATION_NAME, FORMAT, RULES, kept_documents
from grokscope.disk.folder import RunFolder
from grokscope.errors import DiskError
from grokscope.explanation import store
from grokscope.explanation.circuit import Effort
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.result import Explanation, StructureFound
from grokscope.explanation.store import (
    COLUMNS,
    kept_explanations,
    read_explanations,
    read_or_explain,
    row_in_words,
    row_of,
    structure_explained,
    write_explanations,
)
from grokscope.tasks import Task, parse
from grokscope.tasks.structure import structure_of

EFFORT = Effort(null_draws=50, control_draws=2)
MakeRun = Callable[..., RunFolder]


@pytest.fixture
def run(make_clock_run: MakeRun) -> RunFolder:
    return make_clock_run()


def test_what_is_written_is_read(run: RunFolder) -> None:
    found = explain_networks(run, effort=EFFORT)
    write_explanations(run, found)
    assert read_explanations(run) == found
    text = (run.path / EXPLANATION_NAME).read_text()
    assert json.loads(text)["format"] == FORMAT
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"format": 1}',
        '{"format": 99, "explanations": [1]}',
        '{"explanations": []}',
        '{"format": 1, "explanations": 3}',
        '{"format": 1, "explanations": [{"seed": 0}]}',
        "[" * 5000,
    ],
)
def test_what_cannot_be_read_counts_as_nothing(run: RunFolder, text: str) -> None:
    assert read_explanations(run) == []
    (run.path / EXPLANATION_NAME).write_text(text)
    assert read_explanations(run) == []


def test_a_stored_explanation_is_used_while_it_is_of_the_last_checkpoint(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_explanations(run, explain_networks(run, effort=EFFORT, thorough=False))
    stored = read_or_explain(run, 0)
    assert [(e.seed, e.step, e.verdict) for e in stored] == [(0, 300, "explained")]
    made: list[int] = []

    def fake(folder: RunFolder, seeds: list[int]) -> list:
        made.extend(seeds)
        return explain_networks(folder, seeds=seeds, step=100, effort=EFFORT, thorough=False)

    monkeypatch.setattr(store, "explain_networks", fake)
    assert read_or_explain(run, 0) == stored
    assert made == []
    # of an earlier checkpoint it says nothing of the last
    write_explanations(run, explain_networks(run, step=100, effort=EFFORT, thorough=False))
    assert [e.step for e in read_or_explain(run, 0)] == [100]
    assert made == [0]
    (run.path / EXPLANATION_NAME).unlink()
    read_or_explain(run, 0)
    assert made == [0, 0]


def test_what_had_to_be_made_is_kept_beside_other_seeds(
    make_clock_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_clock_run("x*y", seeds=(3, 1))
    effort = {"effort": EFFORT, "thorough": False}
    monkeypatch.setattr(
        store, "explain_networks", lambda f, seeds: explain_networks(f, seeds=seeds, **effort)
    )
    (three,) = read_or_explain(run, 3)
    (one,) = read_or_explain(run, 1)
    assert read_explanations(run) == [one, three]
    monkeypatch.setattr(store, "explain_networks", pytest.fail)
    assert read_or_explain(run, 3) == [three]


def test_a_folder_that_cannot_be_written_shows_what_was_made(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskError("no space left")

    monkeypatch.setattr(store, "write_documents", full)
    (found,) = read_or_explain(run, 0)
    assert found.verdict == "explained"
    assert read_explanations(run) == []


@pytest.mark.parametrize("rules", [None, RULES - 1, RULES + 1])
def test_what_other_rules_decided_is_read_but_made_anew(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, rules: int | None
) -> None:
    effort = {"effort": EFFORT, "thorough": False}
    monkeypatch.setattr(
        store, "explain_networks", lambda f, seeds: explain_networks(f, seeds=seeds, **effort)
    )
    (today,) = read_or_explain(run, 0)
    path = run.path / EXPLANATION_NAME
    document = json.loads(path.read_text())
    assert document["rules"] == RULES
    document["explanations"][0]["verdict"] = "not explained"
    del document["rules"]
    path.write_text(json.dumps(document if rules is None else document | {"rules": rules}))
    assert [e.verdict for e in read_explanations(run)] == ["not explained"]
    assert kept_explanations(run, 0) == kept_documents(run, 0) == []
    assert read_or_explain(run, 0) == [today]
    assert json.loads(path.read_text())["rules"] == RULES


def test_an_explanation_that_lacks_an_operation_is_made_anew(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_explanations(run, 2 * explain_networks(run, effort=EFFORT, thorough=False))
    effort = {"effort": EFFORT, "thorough": False}
    monkeypatch.setattr(
        store, "explain_networks", lambda f, seeds: explain_networks(f, seeds=seeds, **effort)
    )
    assert len(read_or_explain(run, 0)) == 1


def test_earlier_names_of_fields_are_read(run: RunFolder) -> None:
    (found,) = explain_networks(run, effort=EFFORT, thorough=False)
    older = json.loads(json.dumps(found.to_json()))
    for place in ("embedding", "readout"):
        older[place]["harmonics"] = older[place].pop("pointed_at")
    assert Explanation.from_json(older).embedding == found.embedding


def test_the_structure_of_an_explanation_is_the_one_that_it_used() -> None:
    """x^4 + y^4 mod 13 has two, of which the second may explain more than the first."""
    task = Task((parse("x^4 + y^4"),), 13)
    found = structure_of(task, 0, 0).structures
    assert len(found) == 2
    for structure in found:
        used = structure_explained(resting_on(StructureFound.of(structure)), task, 0, 0)
        assert used is not None
        assert used.words == structure.words
    assert structure_explained(resting_on(StructureFound()), task, 0, 0) is None


def resting_on(structure: StructureFound) -> Explanation:
    return Explanation("x^4 + y^4", 13, 0, 100, "explained", structure)


def test_a_row_has_the_numbers_of_its_explanation(clock_run: RunFolder) -> None:
    (found,) = explain_networks(
        clock_run, effort=Effort(null_draws=50, control_draws=2), thorough=False
    )
    row = row_of(found)
    assert row["verdict"] == found.verdict
    assert row["W_E_keys"] == list(found.embedding.keys)
    assert row["W_E_shares"] == [found.embedding.spectrum[k - 1] for k in row["W_E_keys"]]
    assert row["A_W_E_keep"] == found.ablations.embedding.keep
    assert row["A_class_axis_keep_others"] == found.ablations.logits.keep_others
    assert row.keys() <= dict(COLUMNS).keys()
    assert Explanation.from_json(found.to_json()) == found


def test_words() -> None:
    assert row_in_words({"verdict": "partly"}) == "partly explained"
    assert row_in_words({"verdict": None, "why_not": "it is damaged"}) == "it is damaged"
    assert row_in_words({}) == "not explained yet"
