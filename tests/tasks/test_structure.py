"""Structures of operations: which are found, and that each gives every label, by naive loops."""

import math
import warnings

import numpy as np
import pytest

from grokscope.tasks import Search, Task, find_structures, one_sided, parse, structure_of
from grokscope.tasks.structure import structure

from .structures import NONE, OPERATIONS, best, found, value

EXTRA = [
    "x/y",
    "x^2*y",
    "(x^2 + y^2)^3",
    "(x*y)^2 + x*y",
    "x^5*y^5",
    "(x*y)^2",
    "3*x^2 + 3*y^2 + 1",
]


def family(operation: str) -> str | None:
    """The family that the form of an operation of the paper shows to a reader."""
    if operation in NONE:
        return None
    if operation.startswith("("):
        return "linear form"
    return "multiplicative" if "x*y" in operation.replace(" ", "") else "separable"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_family_of_the_papers_operations(operation):
    one = found(operation).best
    assert (one and one.family) == family(operation)
    assert len(found(operation).structures) == (family(operation) is not None)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o not in NONE] + EXTRA)
@pytest.mark.parametrize("p", [13, 97])
def test_every_label_by_a_naive_loop(operation, p):
    one = best(operation, p)
    recomputed = one.labels()
    outside, proved = 0, 0
    for x in range(p):
        for y in range(p):
            if operation == "x/y":
                label = x * pow(y, -1, p) % p if y else None
            else:
                label = value(operation, p, x=x, y=y) % p
            if label is None:
                continue
            if one.u[x] < 0 or one.v[y] < 0:
                outside += 1
                assert (label, recomputed[x, y]) == (one.zero, -1)
            else:
                proved += 1
                assert one.g[(one.u[x] + one.v[y]) % one.n] == recomputed[x, y] == label
    assert (one.outside, one.proved) == (outside, proved)


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o not in NONE] + EXTRA)
def test_texts_say_what_the_tables_hold(operation):
    one = best(operation)
    for residue in range(97):
        if one.u[residue] >= 0:
            assert value(one.u_text, 97, x=residue) % one.n == one.u[residue]
        if one.v[residue] >= 0:
            assert value(one.v_text, 97, y=residue) % one.n == one.v[residue]
    for s in range(one.n):
        assert value(one.g_text, 97, s=s) % 97 == one.g[s]


@pytest.mark.parametrize(
    ("operation", "group", "u", "v", "g", "words"),
    [
        ("x + y", "Z_97", "x", "y", "s", "addition mod 97"),
        ("x - y", "Z_97", "x", "-y", "s", "subtraction mod 97"),
        ("x^2 + y^2", "Z_97", "x^2", "y^2", "s", "addition of squares mod 97"),
        ("x^2 + y^2 + 3", "Z_97", "x^2", "y^2", "s + 3", "addition of squares, plus 3, mod 97"),
        ("x^3 - y^3", "Z_97", "x^3", "-y^3", "s", "subtraction of cubes mod 97"),
        ("x^3 + 2*y", "Z_97", "x^3", "2*y", "s", "addition of x^3 and 2*y mod 97"),
        ("(x+1)^10000 + y", "Z_97", "(x + 1)^16", "y", "s", "addition of (x + 1)^16 and y mod 97"),
        ("-x - y", "Z_97", "x", "y", "-s", "the function -s of s = x + y mod 97"),
        ("(x - y)^4", "Z_97", "x", "-y", "s^4", "the function s^4 of s = x - y mod 97"),
        ("1/(x + y)", "Z_97", "x", "y", "1/s", "the function 1/s of s = x + y mod 97"),
        ("x*y", "Z_96", "log(x)", "log(y)", "5^s", "multiplication mod 97"),
        ("x/y", "Z_96", "log(x)", "-log(y)", "5^s", "division mod 97"),
        ("x^2/y", "Z_96", "2*log(x)", "-log(y)", "5^s", "division of x^2 by y mod 97"),
        (
            "x*y + x + y",
            "Z_96",
            "log(x + 1)",
            "log(y + 1)",
            "5^s - 1",
            "multiplication of x + 1 and y + 1, minus 1, mod 97",
        ),
        ("2*x*y", "Z_96", "log(x)", "log(y)", "2*5^s", "multiplication, times 2, mod 97"),
        ("(x*y)^2", "Z_48", "log(x)", "log(y)", "25^s", "multiplication mod 97, in Z_48"),
        (
            "(x^2+1)*(y^3+2)",
            "Z_96",
            "log(x^2 + 1)",
            "log(y^3 + 2)",
            "5^s",
            "multiplication of x^2 + 1 and y^3 + 2 mod 97",
        ),
        ("(x^2 + y^2)^3", "Z_97", "x^2", "y^2", "s^3", "the function s^3 of s = x^2 + y^2 mod 97"),
        (
            "(x^5 + 3*y^7)^2",
            "Z_97",
            "x^5",
            "3*y^7",
            "s^2",
            "the function s^2 of s = x^5 + 3*y^7 mod 97",
        ),
        (
            "(x^3 + x + 2*y)^2",
            "Z_97",
            "x^3 + x",
            "2*y",
            "s^2",
            "the function s^2 of s = x^3 + x + 2*y mod 97",
        ),
        (
            "(x*y)^2 + x*y",
            "Z_96",
            "log(x)",
            "log(y)",
            "5^(2*s) + 5^s",
            "the function t^2 + t of the product t = x*y mod 97",
        ),
        (
            "1/(x*y)",
            "Z_96",
            "log(x)",
            "log(y)",
            "5^(-s)",
            "the function 1/t of the product t = x*y mod 97",
        ),
    ],
)
def test_how_structures_read(operation, group, u, v, g, words):
    one = best(operation)
    assert (one.group, one.u_text, one.v_text, one.g_text) == (group, u, v, g)
    assert one.words == found(operation).sentence == f"{parse(operation).canonical} is {words}"


@pytest.mark.parametrize(
    ("operation", "relation", "scale", "characters"),
    [
        ("x + y", "same", 1, 1),
        ("x^2 + y^2 + 5", "same", 1, 1),
        ("x - y", "negated", 96, 1),
        ("x/y", "negated", 95, 1),
        ("2*x + y", "scaled", 49, 2),
        ("(x + 3*y)^2", "scaled", 3, 2),
        ("x*y^5", "scaled", 5, 2),
        ("x*y^2", "different", None, 2),  # 2 is no unit of Z_96
        ("x*y + y", "different", None, 2),
        ("x^2 + y", "different", None, 2),
    ],
)
def test_relation_of_the_coordinates(operation, relation, scale, characters):
    one = best(operation)
    assert (one.relation, one.scale, one.characters) == (relation, scale, characters)


@pytest.mark.parametrize("operation", [*NONE, "random"])
def test_operations_without_structure(operation):
    search = found(operation)
    assert (search.structures, search.best, search.depends_on) == ((), None, "x and y")
    families = "separable, linear form, multiplicative, composed"
    start = f"{operation} mod 97: none found in {families}"
    over = "" if operation == "random" else f"; over GF(97) it is {search.factors}"
    assert search.sentence == start + over
    assert len(search.searched) == 4


@pytest.mark.parametrize(
    ("operation", "depends_on", "sentence"),
    [
        ("3", "nothing", "3 is constant"),
        ("x - x", "nothing", "x - x is constant"),
        ("x^2 + 1", "x", "x^2 + 1 depends on x alone"),
        ("1/y", "y", "1/y depends on y alone"),
        ("x + 97*y", "x", "x + 97*y depends on x alone"),
    ],
)
def test_operations_in_fewer_operands(operation, depends_on, sentence):
    search = found(operation)
    assert (search.structures, search.searched) == ((), ())
    assert search.depends_on == depends_on
    assert search.sentence == f"{sentence}, so that x and y need not be combined to learn it"


def test_one_sided_operations_are_judged_by_their_answers() -> None:
    texts = ("x - x + 3", "x + y", "0*y + x", "y/x*x", "random", "x*y/y")
    task = Task(tuple(map(parse, texts)), 7)
    said = [
        "x - x + 3 is constant",
        "0*y + x depends on x alone",
        "y/x*x depends on y alone",
        "x*y/y depends on x alone",
    ]
    assert [line.partition(",")[0] for line in one_sided(task)] == said


@pytest.mark.parametrize("operation", ["x*y + y", "(x - y)^3", "1/x + y^2", "x^3 + x*y"])
def test_a_table_given_as_data(operation):
    labels, defined = parse(operation).evaluate(31)
    data, typed = find_structures(labels.astype(np.int32), defined), found(operation, 31)
    assert len(data.structures) == len(typed.structures)
    for one, other in zip(data.structures, typed.structures, strict=True):
        assert (one.family, one.n, one.u_text, one.g_text) == (
            other.family,
            other.n,
            other.u_text,
            other.g_text,
        )
        assert one.words == other.words.replace(other.words.split(" is ")[0], "the table", 1)
    assert (data.operation, data.factors) == ("the table", None)


def test_an_operation_of_a_mixture():
    task = Task((parse("x + y"), parse("random"), parse("x*y")), 13)
    families = [structure_of(task, i).best for i in range(3)]
    assert [one and one.family for one in families] == ["separable", None, "multiplicative"]
    assert structure_of(task, 1, seed=3).defined == 169


@pytest.mark.parametrize("p", [2, 3, 4, 5, 6, 7, 8, 9, 12, 59, 60])
@pytest.mark.parametrize(
    "operation", ["x + y", "x*y", "2*x + 2*y", "(2*x + 3*y)^2", "x/(y + 1)", "x^3 - x*y", "random"]
)
def test_small_and_composite_moduli(operation, p):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = structure(operation, p)
    assert bool(search.refused) == (search.depends_on == "x and y" and p in (2, 4, 6, 8, 9, 12, 60))
    for one in search.structures:
        assert one.n <= p
        assert one.proved + one.outside == search.defined
    if operation == "x + y":
        assert search.sentence == f"x + y is addition mod {p}"


def test_a_common_subgroup_is_divided_out():
    one = best("2*x + 2*y", 6)
    assert (one.group, one.u_text, one.v_text, one.g_text) == ("Z_3", "x", "y", "2*s")


@pytest.mark.parametrize("operation", ["x*y", "random", "(x^504 + 1)*y^504", "x^504 + y^504"])
def test_the_largest_modulus(operation):
    search = structure(operation, 1009)
    assert bool(search.structures) == (operation != "random")
    assert "mod 1009" in search.sentence


@pytest.mark.parametrize(
    "operation",
    ["x^10000*y^9999", "(" * 49 + "x*y" + ")" * 49, "((x^100)^100)^100 + y", "(x + y)^10000 + x"],
)
def test_every_legal_operation_is_answered(operation):
    assert isinstance(structure(operation), Search)


def test_as_a_document():
    document = found("x*y + x + y").to_json()
    (one,) = document.pop("structures")
    assert one == {
        "family": "multiplicative",
        "group": "Z_96",
        "n": 96,
        "u": "log(x + 1)",
        "v": "log(y + 1)",
        "g": "5^s - 1",
        "words": document["sentence"],
        "relation": "same",
        "characters": 1,
    }
    assert set(document) == {"sentence", "depends_on", "searched", "refused", "factors"}


def test_few_distinct_rows_are_no_evidence():
    # a function of the quadratic characters of x and y alone is one of nearly any sum
    residues = np.array([pow(a, 48, 97) for a in range(97)])
    kinds = np.array([0, 1, 2])[np.searchsorted([0, 1, 96], residues)]
    labels = np.array([[5, 1, 3], [8, 2, 2], [7, 1, 0]])[kinds[:, None], kinds]
    assert find_structures(labels, np.ones((97, 97), dtype=bool)).structures == ()


def test_evidence_grows_with_the_modulus():
    assert math.prod([len(found("(x^2 + y^2)^3", p).structures) for p in (11, 13, 23, 59)]) == 1
