"""Properties of expressions and splits: hostile texts, canonical round trips, complete splits."""

import random
import sys
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grokscope.errors import UsageError
from grokscope.tasks import TRAIN, Task, make_split, parse

PIECES = (
    *"xyzX0123456789+-*/^()%=.,;:'\"[]{}_\\ \t\n\r\0²×−½५\u202e\ufeff\ud800😀",
    *("**", "//", "random", "xy", "eval(", "__import__('os')", "x.__class__", "lambda:0"),
    *("exec('1')", "open('f')", "(" * 60, "-" * 60, "^2", "/0", "x + y", "9" * 30, "1e9"),
)
DANGEROUS = ("exec", "compile", "import", "open", "os.", "subprocess.", "socket.", "marshal.")

watching = False
seen: list[str] = []


def _audit(event: str, _arguments: object) -> None:
    if watching and event.startswith(DANGEROUS):
        seen.append(event)


def _hostile_text(source: random.Random) -> str:
    if source.random() < 0.1:
        return "".join(chr(source.randrange(0x110000)) for _ in range(source.randrange(300)))
    return "".join(
        source.choices(PIECES, k=source.randrange(1, 40 if source.random() < 0.5 else 5))
    )


def _line_or_canonical(text: str) -> str:
    try:
        return parse(text).canonical
    except UsageError as error:
        return str(error)


def test_ten_thousand_hostile_texts_never_crash_hang_or_execute_anything():
    global watching
    source = random.Random(20240226)
    texts = [_hostile_text(source) for _ in range(10_000)]
    sys.addaudithook(_audit)
    watching, start = True, time.perf_counter()
    try:
        answers = [_line_or_canonical(text) for text in texts]
    finally:
        watching = False
    assert seen == []
    assert time.perf_counter() - start < 20
    assert all(line.isprintable() and len(line) < 600 for line in answers)
    accepted = sum("; " not in line for line in answers)
    assert 100 < accepted < 5_000


@given(st.text(max_size=300))
def test_any_unicode_text_is_an_expression_or_one_printable_line(text):
    line = _line_or_canonical(text)
    assert line.isprintable()
    assert len(line) < 600


@pytest.mark.parametrize("text", ["(" * 10**6, "-" * 10**6, " " * 10**6, "9" * 10**6, "^" * 10**6])
def test_huge_texts_are_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(UsageError):
        parse(text)
    assert time.perf_counter() - start < 2


leaves = st.one_of(st.sampled_from(["x", "y"]), st.integers(0, 10**6))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner),
        st.tuples(st.just("^"), inner, st.integers(0, 12)),
        st.tuples(st.just("negative"), inner),
    ),
    max_leaves=8,
)


def written(tree) -> str:
    """Write a tree with every parenthesis that could be needed."""
    match tree:
        case ("negative", inner):
            return f"-({written(inner)})"
        case (sign, left, right):
            return f"({written(left)}) {sign}({written(right)})"
        case _:
            return str(tree)


def signs(text: str) -> int:
    return len(text.replace(" ", ""))


def value(tree, x: int, y: int, p: int) -> int | None:
    """Evaluate at one pair with Python's integers; None where a divisor has no inverse."""
    match tree:
        case "x" | "y":
            return (x if tree == "x" else y) % p
        case int():
            return tree % p
        case ("negative", inner):
            a = value(inner, x, y, p)
            return None if a is None else -a % p
        case ("^", base, exponent):
            a = value(base, x, y, p)
            return None if a is None else a**exponent % p
        case (sign, left, right):
            a, b = value(left, x, y, p), value(right, x, y, p)
            if a is None or b is None:
                return None
            if sign == "/":
                return next((a * c % p for c in range(p) if b * c % p == 1), None)
            return {"+": a + b, "-": a - b, "*": a * b}[sign] % p


@given(trees, st.sampled_from([2, 3, 4, 6, 7, 11]))
def test_values_agree_with_integers_pair_by_pair(tree, p):
    text = written(tree)
    assume(signs(text) <= 200)
    residues, defined = parse(text).evaluate(p)
    for x in range(p):
        for y in range(p):
            expected = value(tree, x, y, p)
            assert defined[x, y] == (expected is not None)
            assert residues[x, y] == (expected or 0)


@given(trees)
def test_canonical_text_reads_back_as_itself_and_means_the_same(tree):
    text = written(tree)
    assume(signs(text) <= 200)
    expression = parse(text)
    again = parse(expression.canonical)
    assert again.canonical == expression.canonical
    # so the canonical text never breaks a limit that the text itself kept
    assert signs(again.canonical) <= signs(text)
    for p in (7, 12):
        for ours, theirs in zip(expression.evaluate(p), again.evaluate(p), strict=True):
            np.testing.assert_array_equal(ours, theirs)


OPERATIONS = ["x + y", "x - y", "x/y", "1/(x - y)", "x^2 + x*y + y^2", "random"]


@settings(deadline=None)
@given(
    texts=st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=2),
    p=st.integers(3, 14),
    fraction=st.floats(0.05, 0.95),
    kind=st.sampled_from(["pairs", "orbits"]),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2),
)
def test_splits_are_disjoint_complete_and_of_one_size(texts, p, fraction, kind, seeds):
    task = Task(tuple(parse(text) for text in texts), p)
    total = int(task.defined.sum())
    try:
        first, second = (make_split(task, fraction, kind, seed) for seed in seeds)
    except UsageError:
        # only where rounding leaves a side empty; orbits may leave one pair out
        assert min(fraction, 1 - fraction) * total <= 1.5
        return
    assert not (first.train & first.test).any()
    np.testing.assert_array_equal(first.train | first.test, task.defined)
    np.testing.assert_array_equal(first.train_index, np.flatnonzero(first.kind == TRAIN))
    assert first.counts["train"] == second.counts["train"]
    assert abs(first.counts["train"] - fraction * total) <= (0.5 if kind == "pairs" else 1.5)
    assert first.counts["train"] + first.counts["test"] + first.counts["undefined"] == p * p
