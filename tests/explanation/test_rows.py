"""One row per explanation."""

from grokscope.disk.folder import RunFolder
from grokscope.explanation.circuit import Effort
from grokscope.explanation.of_run import explain_networks
from grokscope.explanation.result import Explanation
from grokscope.explanation.row import COLUMNS, row_in_words, row_of


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
