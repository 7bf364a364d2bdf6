"""Array annotations use the vocabulary of axes, and are checked when functions are called."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import grokscope
from grokscope.axes import AXES
from grokscope.config.run import ModelConfig
from grokscope.fourier.characters import additive_basis
from grokscope.measures import gini
from grokscope.measures.predictions import cross_entropy
from grokscope.models import make_model

SOURCE: Final = Path(grokscope.__file__).parent
KINDS: Final = {
    name
    for name in dir(jaxtyping)
    if re.fullmatch(r"(Shaped|Bool|Num|Inexact|Real|Complex|Float|U?Int|BFloat|Key)\d*", name)
}


def annotations(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and shape of every `Kind[array, "shape"]`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Subscript):
            continue
        name = (
            node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        )
        if name not in KINDS:
            continue
        assert isinstance(node.slice, ast.Tuple), f"line {node.lineno}: {name} without a shape"
        _, shape = node.slice.elts
        assert isinstance(shape, ast.Constant), f"line {node.lineno}: the shape is not a text"
        yield node.lineno, str(shape.value)


def unknown_words(shape: str) -> list[str]:
    """Return what is neither a word of `AXES`, a number, `...`, nor a product such as 2*freq."""
    factors = [factor for word in shape.split() for factor in word.split("*")]
    return [f for f in factors if f not in AXES and f != "..." and not f.isdigit()]


def test_shapes_are_written_with_the_vocabulary() -> None:
    found: dict[str, int] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for line, shape in annotations(ast.parse(path.read_text())):
            wrong = unknown_words(shape)
            assert not wrong, f"{path.relative_to(SOURCE)}:{line}: {wrong} in {shape!r}"
            found[shape] = found.get(shape, 0) + 1
    assert sum(found.values()) > 80
    assert {"example class", "p column", "", "task pair 3"} <= set(found)


@pytest.mark.parametrize("shape", ["d_mdoel", "p q", "2*frequency", "_", "pos=3", "p+1", "#p"])
def test_another_word_would_be_noticed(shape: str) -> None:
    code = f"def f(a: Float[Array, {shape!r}]) -> jaxtyping.Int8[Array, 'p']: ..."
    shapes = [found for _, found in annotations(ast.parse(code))]
    assert sorted(shapes) == sorted([shape, "p"])
    assert unknown_words(shape)


def test_words_are_explained() -> None:
    for word, meaning in AXES.items():
        assert word.isidentifier()
        assert meaning.strip()
        assert "\n" not in meaning


MODEL = ModelConfig(d_model=4, heads=2, d_mlp=4)


@pytest.fixture(scope="module")
def model() -> Any:
    return jax.jit(make_model, static_argnums=(0, 1, 2))(MODEL, 5, 6, jax.random.key(0))


WRONG: Final[dict[str, Callable[[Any], object]]] = {
    "labels with two axes": lambda _: cross_entropy(jnp.zeros((3, 5)), jnp.zeros((3, 1), int)),
    "labels that are floats": lambda _: cross_entropy(jnp.zeros((3, 5)), jnp.zeros(3)),
    "more labels than logits": lambda _: cross_entropy(jnp.zeros((3, 5)), jnp.zeros(4, int)),
    "a NumPy array for JAX": lambda _: cross_entropy(
        np.zeros((3, 5), np.float32), jnp.zeros(3, int)
    ),
    "a table with three axes": lambda _: gini(np.zeros((5, 2, 2))),
    "a table of integers": lambda _: gini(np.zeros((5, 2), int)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_array_is_refused(model: Any, name: str) -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        WRONG[name](model)


def test_right_arrays_are_accepted(model: Any) -> None:
    assert model(jnp.zeros((2, 3), int)).shape == (2, 5)
    assert cross_entropy(jnp.zeros((3, 5)), jnp.zeros(3, int)).shape == (3,)
    assert np.isfinite(gini(additive_basis(5)))


def test_jax_is_strict_in_all_tests() -> None:
    with pytest.raises(ValueError, match="rank_promotion"):
        jnp.add(jnp.zeros((2, 3)), jnp.zeros(3))
    with pytest.raises(jax.dtypes.TypePromotionError):
        jnp.add(jnp.zeros(3), jnp.zeros(3, jnp.int32))
