"""Networks made by formula: what each is, what is found in it, and what is wrong input."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grokscope as gs
from grokscope.cli.validate import Validate
from grokscope.errors import GrokscopeError, RunFolderError, UsageError
from grokscope.explanation.verdict import ClaimId
from grokscope.validation.planted import EXPLAINED, Planted, planted
from grokscope.validation.scored import KNOWN, Scored, explain_planted, read_known, validate
from grokscope.validation.table import HEADER, as_text, in_words

P = 29


@pytest.fixture(scope="module")
def networks() -> list[Planted]:
    return list(planted(P))


@pytest.fixture(scope="module")
def rows() -> list[Scored]:
    return validate(p=P)


def accuracy(network: Planted) -> float:
    """Share of the pairs that it answers right, counted here."""
    x = np.arange(P)
    said = network.network.logits_of(None).argmax(axis=2)
    return float(np.mean(said == (x[:, None] + x) % P))


def test_those_that_add_answer_all_pairs_and_liars_do_not(networks: list[Planted]) -> None:
    right = {network.name: accuracy(network) for network in networks}
    for network in networks:
        if network.known.verdicts == EXPLAINED:
            assert right[network.name] == 1, network.name
    assert right["clock of x + 2y"] < 0.1
    assert right["clock, answers permuted"] < 0.2
    assert right["by heart, and noise"] == pytest.approx(0.6, abs=0.1)
    # what looks all pairs up is right everywhere, and no algorithm all the same
    assert right["lookup table"] == 1


def test_every_verdict_is_the_known_one(rows: list[Scored]) -> None:
    assert {row.name: row.verdict for row in rows if not row.right} == {}


def test_known_numbers_are_found(rows: list[Scored]) -> None:
    by_name = {row.name: row for row in rows}
    for name in ("clock", "pizza"):
        row = by_name[name]
        assert (row.precision, row.recall) == (1, 1)
        for number in ("gradient_symmetricity", "distance_irrelevance", "circularity"):
            known = getattr(row.known, number)
            if known is not None:
                assert getattr(row, number) == pytest.approx(known, abs=0.1), (name, number)
    assert by_name["one-hot, all frequencies"].levels == ("neuron by neuron",)
    assert by_name["one-hot, all frequencies"].recall == 1
    assert by_name["nearly standing waves"].levels == ("ellipse code",)


def test_another_seed_plants_other_networks(networks: list[Planted]) -> None:
    others = list(planted(P, seed=1))
    assert [n.name for n in others] == [n.name for n in networks]
    assert others[0].known.keys != networks[0].known.keys


def test_the_table_has_a_row_for_each(rows: list[Scored]) -> None:
    text = as_text(rows)
    assert text.startswith(f"{len(rows)} networks with known answers: {len(rows)} verdicts")
    assert all(len(in_words(row)) == len(HEADER) for row in rows)
    assert all(row.name in text for row in rows)


def test_python_shows_the_same(monkeypatch: pytest.MonkeyPatch, rows: list[Scored]) -> None:
    monkeypatch.setattr("grokscope.validation.scored.validate", lambda *_, **__: rows)
    found = gs.validate(p=P)
    assert list(found) == rows
    assert "<table>" in found._repr_html_()


@pytest.mark.parametrize("p", [22, 23, 33, 0, -5])
def test_another_modulus_is_refused(p: int) -> None:
    with pytest.raises(UsageError, match="prime from 29 on"):
        validate(p=p)


def test_networks_can_be_chosen() -> None:
    (row,) = validate(p=P, only=["lookup table"])
    assert (row.name, row.verdict) == ("lookup table", "not explained")
    with pytest.raises(UsageError, match="did you mean pizza"):
        validate(p=P, only=["piza"])


def test_a_wrong_verdict_is_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rows: list[Scored]
) -> None:
    monkeypatch.setattr("grokscope.validation.scored.validate", lambda *_, **__: rows)
    Validate(json=True).run()
    assert len(json.loads(capsys.readouterr().out)) == len(rows)
    liar = [dataclasses.replace(rows[0], verdict="partly")]
    monkeypatch.setattr("grokscope.validation.scored.validate", lambda *_, **__: liar)
    with pytest.raises(GrokscopeError, match="clock"):
        Validate().run()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "does not say what is known"),
        ("[]", "does not say what is known"),
        ("{}", "does not say what is known"),
        ('{"verdicts": ["maybe"]}', "what nobody knows"),
        ('{"verdicts": ["explained"], "speed": 3}', "does not say what is known"),
    ],
)
def test_what_is_known_is_checked(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / KNOWN
    file.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_known(file)


def test_what_is_known_is_read(tmp_path: Path) -> None:
    file = tmp_path / KNOWN
    known: dict[str, Any] = {"verdicts": ["explained"], "keys": [3, 8], "source": "a paper"}
    file.write_text(json.dumps(known))
    found = read_known(file)
    assert found.verdicts == ("explained",)
    assert found.keys == (3, 8)
    assert found.circularity is None


def test_a_folder_that_knows_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=KNOWN):
        validate(tmp_path)
    with pytest.raises(RunFolderError, match="no such folder"):
        validate(tmp_path / "nowhere")


def test_those_by_heart_are_refused_though_it_is_granted_that_they_grokked(
    networks: list[Planted],
) -> None:
    (network,) = (n for n in networks if n.kind is not None)
    found = explain_planted(network)
    assert found.claims[ClaimId.GROKKED].holds
    assert found.verdict == "not explained"
