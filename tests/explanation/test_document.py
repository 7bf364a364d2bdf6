"""Explanations as JSON and back: the same object, also of networks and files of all kinds."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from grokscope.explanation.circuit import Effort
from grokscope.explanation.document import from_plain, to_plain
from grokscope.explanation.explain import explain_network, explain_table
from grokscope.explanation.findings import BySide, KeyShape
from grokscope.explanation.network import of_model
from grokscope.explanation.page import page_of
from grokscope.explanation.rendering import as_html, rendered, table_of
from grokscope.explanation.result import Explanation, TableFinding
from grokscope.explanation.verdict import ClaimId, Place
from grokscope.models import Model
from grokscope.tasks import Task, make_split, parse
from grokscope.tasks.structure import Search, Structure, structure_of

EFFORT = Effort(null_draws=50, control_draws=2)
EARLIER = Path(__file__).parents[1] / "data" / "explanation_of_an_earlier_version.json"
Build = Callable[..., Model]


def explain(model: Model, operation: str, search: Search, **given: Any) -> Explanation:
    p = model.W_U.shape[1]
    task = Task((parse(operation),), p)
    labels = task.labels(0)[0].reshape(p, p)
    settings = {"operation": operation, "seed": 0, "step": 100, "effort": EFFORT, **given}
    return explain_network(of_model(model), labels, search, **settings)


@pytest.fixture(scope="module")
def found(
    build_clock: Build, network: Build, known_structure: Callable[..., Structure]
) -> dict[str, Explanation]:
    """Explanations of all kinds by name."""
    both = [known_structure(name, 11) for name in ("x + y", "x*y")]
    search = Search((both[0],), (), (), "x and y", None)
    clock = build_clock(both[0], (2, 5), grid=12)
    broken = eqx.tree_at(lambda m: m.W_E, clock, clock.W_E.at[3, 0].set(jnp.nan))
    none = Search((), (), (), "nothing", None)
    kind = make_split(Task((parse("x + y"),), 11), 0.5, "pairs", 0).kind
    table = np.asarray(clock.W_E[:11], np.float64)
    small = structure_of(Task((parse("x + y"),), 3))
    return {
        "clock": explain(clock, "x + y", search, kind=kind, grokked=True),
        "two structures": explain(clock, "x + y", Search(tuple(both), (), (), "x and y", None)),
        "mlp": explain(network(p=11, architecture="mlp"), "x + y", search, kind=kind),
        "unexplained": explain(network(p=11), "x*y", none, grokked=False),
        "diverged": explain(broken, "x + y", search, grokked=False),
        "one frequency": explain(network(p=3), "x + y", small),
        "W_E alone": explain_table(table, search, operation="x + y", effort=EFFORT),
        "W_L alone": explain_table(table, search, operation="x + y", place=Place.LOGITS),
        "a table of zeros": explain_table(0 * table, search, operation="x + y", effort=EFFORT),
    }


KINDS = (
    "clock",
    "two structures",
    "mlp",
    "unexplained",
    "diverged",
    "one frequency",
    "W_E alone",
    "W_L alone",
    "a table of zeros",
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read_is_what_was_written(found: dict[str, Explanation], kind: str) -> None:
    explanation = found[kind]
    text = json.dumps(explanation.to_json(), allow_nan=False)
    assert Explanation.from_json(json.loads(text)) == explanation
    # a claim that is worded anew is another explanation, so that equality means something
    other = json.loads(text)
    other["claims"][0]["statement"] += "!"
    assert Explanation.from_json(other) != explanation


def test_the_kinds_are_what_they_are_called(found: dict[str, Explanation]) -> None:
    assert found["clock"].logits.table_a4 is not None
    assert found["clock"].ablations.outcomes.full is not None
    assert found["two structures"].runner_up is not None
    assert found["mlp"].attention == ()
    assert ClaimId.FINITE in found["diverged"].claims
    assert found["unexplained"].structure.n is None
    assert found["W_L alone"].neuron_logit_map.keys


def test_a_document_of_an_earlier_version_is_read_and_shown() -> None:
    kept = json.loads(EARLIER.read_text("utf-8"))["explanations"]
    explained, diverged = (Explanation.from_json(document) for document in kept)
    assert explained.verdict == "explained"
    assert explained.ablations.embedding.keep == kept[0]["causal"]["embedding"]["keep"]
    assert explained.claims[ClaimId.LOGITS_REMOVE].value == kept[0]["causal"]["readout"]["remove"]
    # it had no list of keys
    assert "keys" not in kept[0]
    known = {k for family in kept[0]["families"] for k in family}
    assert {key.frequency for key in explained.keys} == known
    assert str(explained).startswith("x + y mod 31, seed 3, step ")
    assert "others removed" in str(explained)
    assert diverged.verdict == "not explained"
    assert "<table>" not in diverged._repr_html_()


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "surely"},
        {"p": "97"},
        {"families": 3},
        {"claims": [{"name": "no such claim", "statement": "", "verdict": "holds"}]},
        {"attention": [{"head": 0}]},
    ],
)
def test_what_is_no_explanation_is_refused(
    found: dict[str, Explanation], change: dict[str, Any]
) -> None:
    document = found["one frequency"].to_json()
    with pytest.raises(ValueError, match=r"."):
        Explanation.from_json(document | change)


def test_names_in_json_and_what_is_left_out() -> None:
    table = TableFinding(keys=(3,), pointed_at=(3,))
    assert to_plain(table)["key_frequencies"] == [3]
    assert from_plain(TableFinding, {"key_frequencies": [3], "harmonics": [3], "new": 1}) == table
    assert to_plain(BySide(all=float("inf"), test=0.5)) == {"all": None, "test": 0.5}
    shape = KeyShape(frequency=5, major=2.0, minor=1.0)
    assert (to_plain(shape)["roundness"], to_plain(shape)["shape"]) == (0.5, "ellipse")
    assert from_plain(KeyShape, to_plain(shape)) == shape


@pytest.mark.parametrize("kind", KINDS)
def test_an_explanation_shows_itself_and_never_floods(
    found: dict[str, Explanation], kind: str
) -> None:
    explanation = found[kind]
    lines = str(explanation).splitlines()
    assert lines[0] == page_of(explanation).headline
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in str(explanation)
    assert repr(explanation).count("\n") == 0
    assert len(repr(explanation)) < 150
    page = explanation._repr_html_()
    assert lines[0] in page
    assert "http" not in page


@pytest.mark.parametrize("width", [100, 80, 60])
def test_the_table_of_keys_is_never_cut(found: dict[str, Explanation], width: int) -> None:
    """Headers are broken at blanks; numbers stay whole, also of the longest key."""
    grid = page_of(found["clock"]).grids[0]
    rows = [*grid.rows, ("  42, double of 21", *grid.rows[0][1:])]
    table = table_of(grid.headers, rows, names=grid.names)
    text = rendered([table], Console(file=io.StringIO(), width=width))
    assert "…" not in text
    words = text.split()
    for cell in (*grid.headers, *(cell for row in rows for cell in row)):
        assert set(cell.split()) <= set(words), cell
    lines = text.splitlines()
    assert len(lines) <= len(rows) + 3
    if width >= 80:
        assert max(map(len, lines)) <= width


def test_a_page_is_escaped(found: dict[str, Explanation]) -> None:
    document = found["clock"].to_json()
    hostile = "<img src=x onerror=alert(1)>"
    document["structure"]["words"] = document["claims"][0]["statement"] = hostile
    document["claims"][0]["verdict"] = "fails"
    page = as_html(page_of(Explanation.from_json(document)))
    assert hostile not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 2
