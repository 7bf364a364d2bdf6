"""Networks made by formula, with what is known of them: some that add, and some that only seem to.

Embeddings hold the circles (cos 2πkx/p, sin 2πkx/p) of some keys k in random orthogonal directions,
and noise of a hundredth. What stands behind them is neurons w(wave of x + wave of y) that write
waves of the answer, or a function of the embeddings; all of it is JAX, so that it has gradients.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int8

from grokscope.explanation.families import harmonics
from grokscope.explanation.network import Network
from grokscope.explanation.verdict import Verdict
from grokscope.fourier.waves import all_frequencies, real_waves
from grokscope.interop.functions import network_of_functions
from grokscope.tasks import TEST_UNLEAKED, TRAIN

SMALLEST: Final = 29
"""The smallest modulus with room for three keys and as many others."""
WIDTH: Final = 64
"""Columns of an embedding."""
GRID: Final = 16
"""Phases of the neurons of one key."""
_NOISE: Final = 0.01
_STEEP: Final = 20.0
_HIGH: Final = 10.0
_FEW: Final = 40
EXPLAINED: Final[tuple[Verdict, ...]] = ("explained",)
NOT_EXPLAINED: Final[tuple[Verdict, ...]] = ("not explained", "partly", "not decided")
Join = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of a network; None where it is not, or is not to be asked.

    **Arguments:**

    - `verdicts`: those that are right.
    - `keys`: key frequencies of its own, without harmonics.
    - `gradient_symmetricity`, `distance_irrelevance`, `circularity`: the numbers of Zhong et al.
    """

    verdicts: tuple[Verdict, ...]
    keys: tuple[int, ...] | None = None
    gradient_symmetricity: float | None = None
    distance_irrelevance: float | None = None
    circularity: float | None = None


@dataclass(frozen=True, eq=False)
class Planted:
    """A network made by formula.

    **Arguments:**

    - `name`: what it is.
    - `operation`: what it is explained as.
    - `p`: the modulus.
    - `network`: the network.
    - `known`: what is known of it.
    - `kind`: the side of each pair, for those that know pairs by heart.
    """

    name: str
    operation: str
    p: int
    network: Network
    known: Known
    kind: Int8[np.ndarray, "pair"] | None = None


class Circles:
    """Residues as circles of some keys, in random directions, and what reads them back.

    Each circle is smaller than the one before, so that it has principal components of its own.

    **Arguments:** the modulus; keys; what draws directions and noise.
    """

    def __init__(self, p: int, keys: Sequence[int], rng: np.random.Generator) -> None:
        self.p, self.keys = p, tuple(keys)
        sizes = np.repeat(0.8 ** np.arange(len(keys)), 2)
        self.waves = real_waves(np.arange(p), keys, p)
        directions, _ = np.linalg.qr(rng.normal(size=(WIDTH, 2 * len(keys))))
        noise = _NOISE * rng.normal(size=(p, WIDTH))
        rows = (self.waves.reshape(p, -1) * sizes) @ directions.T + noise
        self.W_E = jnp.asarray(rows, jnp.float32)
        self.directions = jnp.asarray(directions / sizes, jnp.float32)

    def read(self, rows: Array) -> Array:
        """Return e^{2πikx/p} of every row and key, as far as the rows hold it."""
        found = (rows @ self.directions).reshape(len(rows), len(self.keys), 2)
        return jax.lax.complex(found[..., 0], found[..., 1])

    def spoken(self, sums: Array, sine: float = 1.0) -> Array:
        """Return Σ_k cos θ cos kc + b sin θ sin kc, less half the answer's norm, of e^{iθ} of sums.

        **Arguments:** sums at [x, y, key]; b, 1 for circles.
        """
        cos, sin = (jnp.asarray(self.waves[..., i], jnp.float32) for i in range(2))
        bias = 0.5 * jnp.sum(cos**2 + sine * sin**2, axis=1)
        return sums.real @ cos.T + sine * (sums.imag @ sin.T) - bias[None, None]


def neurons_of_keys(
    n_keys: int, offsets: Sequence[float], rng: np.random.Generator, *, broken: int | None = None
) -> tuple[Float[np.ndarray, "d_mlp 3"], Float[np.ndarray, "d_mlp 3"]]:
    """Return key, φ_x and φ_y of some neurons, and key, φ_out and amplitude of what they write.

    **Arguments:**

    - `n_keys`: number of keys.
    - `offsets`: φ_y − φ_x: one for a pizza, many for a clock.
    - `rng`: draws the phases of a broken key.
    - `broken`: key whose neurons write at random phases.
    """
    phases = np.arange(GRID) * 2 * np.pi / GRID
    reads, writes = [], []
    for key in range(n_keys):
        for offset in offsets:
            out = 2 * phases + offset
            if key == broken:
                out = rng.permutation(out)
            amplitude = (1 + 0.1 * key) / (GRID * len(offsets))
            reads += [(key, phase, phase + offset) for phase in phases]
            writes += [(key, phase, amplitude) for phase in out]
    return np.array(reads), np.array(writes)


def network_of_neurons(
    circles: Circles,
    reads: Float[np.ndarray, "d_mlp 3"],
    writes: Float[np.ndarray, "d_mlp 3"],
    waveform: Callable[[Array], Array] = jax.nn.relu,
    order: np.ndarray | None = None,
) -> Network:
    """Return the network whose neurons are w(cos(kx + φ_x) + cos(ky + φ_y)).

    **Arguments:** circles; what the neurons read and write, as of `neurons_of_keys`; w; the answers
    in another order.
    """
    n_keys = len(circles.keys)
    into = np.zeros((2, 2 * n_keys, len(reads)))
    for i, (key, x, y) in enumerate(reads):
        here = slice(2 * int(key), 2 * int(key) + 2)
        # cos(w + φ) = cos φ cos w − sin φ sin w
        into[0, here, i] = np.cos(x), -np.sin(x)
        into[1, here, i] = np.cos(y), -np.sin(y)
    into_x, into_y = (circles.directions @ jnp.asarray(part, jnp.float32) for part in into)
    waves = real_waves(np.arange(circles.p), circles.keys, circles.p)[:, writes[:, 0].astype(int)]
    W_L = writes[:, 2] * (
        np.cos(writes[:, 1]) * waves[..., 0] - np.sin(writes[:, 1]) * waves[..., 1]
    )
    W_L = W_L if order is None else W_L[order]
    onto = jnp.asarray(W_L, jnp.float32)

    def neurons(rows: Array) -> Array:
        return waveform((rows @ into_x)[:, None] + (rows @ into_y)[None])

    return network_of_functions(
        lambda rows: neurons(rows) @ onto.T,
        circles.W_E,
        neurons=neurons,
        with_neurons=lambda _, values: values @ onto.T,
        W_L=W_L,
    )


def of_circles(
    circles: Circles, join: Join, sine: float = 1.0
) -> Callable[[tuple[Array, Array]], Array]:
    """Return the logits that join the circles of x and y; b is the height of the ellipses."""

    def logits(rows: tuple[Array, Array]) -> Array:
        x, y = map(circles.read, rows)
        return circles.spoken(join(x[:, None], y[None]), sine)

    return logits


def multiplied(x: Array, y: Array) -> Array:
    """The clock: angles add where circles are multiplied."""
    return x * y


def of_arcs(circles: Circles) -> Network:
    """Return the network that votes, per key, for all answers on the arc around the sum.

    The answers on an arc are an approximate coset of Z_p.
    """
    of_answers = jnp.asarray(circles.waves[..., 0] - 1j * circles.waves[..., 1], jnp.complex64)

    def logits(rows: Array) -> Array:
        z = circles.read(rows)
        sums = z[:, None] * z[None]
        turned = jnp.real(sums[:, :, None] * of_answers[None, None]) / (
            jnp.abs(sums[:, :, None]) + _NOISE
        )
        return jax.nn.sigmoid(_STEEP * (turned - 0.5)).sum(axis=3)

    return network_of_functions(logits, circles.W_E)


def one_hot(p: int, rng: np.random.Generator, per_key: int = 12) -> Network:
    """Return a network of one-hot inputs with squares, each neuron at one of all frequencies."""
    keys = np.repeat(all_frequencies(p), per_key)
    x, y = rng.uniform(0, 2 * np.pi, size=(2, len(keys)))
    angle = 2 * np.pi / p * np.outer(np.arange(p), keys)
    W_L = np.cos(angle + x + y)
    onto = jnp.asarray(W_L, jnp.float32)

    def neurons(rows: tuple[Array, Array]) -> Array:
        return (rows[0][:, None] + rows[1][None]) ** 2

    tables = (jnp.asarray(np.cos(angle + phase), jnp.float32) for phase in (x, y))
    return network_of_functions(
        lambda rows: neurons(rows) @ onto.T,
        tuple(tables),
        neurons=neurons,
        with_neurons=lambda _, values: values @ onto.T,
        W_L=W_L,
    )


def of_lookup(
    W_E: Array,
    table: Float[np.ndarray, "p p class"],
    beside: Callable[[Array], Array] | None = None,
) -> Network:
    """Return the network that knows its rows and looks the logits up.

    **Arguments:** the embedding; logits at [x, y, answer], 0 where others are taken; these.
    """
    looked_up = jnp.asarray(table, jnp.float32)
    elsewhere = jnp.asarray(~np.any(table, axis=2), jnp.float32)

    def logits(rows: Array) -> Array:
        known = jax.nn.softmax(-_STEEP * jnp.sum((rows[:, None] - W_E[None]) ** 2, axis=2), axis=1)
        found = jnp.einsum("xa,yb,abc->xyc", known, known, looked_up, optimize=True)
        if beside is None:
            return found
        return found + (known @ elsewhere @ known.T)[:, :, None] * beside(rows)

    return network_of_functions(logits, W_E)


def planted(p: int, seed: int = 0) -> Iterator[Planted]:
    """Yield the networks for one modulus, all of them explained as x + y.

    **Arguments:** a prime from 23 on; what draws keys, directions, noise and tables.
    """
    rng = np.random.default_rng([seed, p])
    keys = _keys(p, rng)
    circles = Circles(p, keys, rng)
    plant = partial(Planted, operation="x + y", p=p)
    round_ = {"circularity": 1.0, "keys": keys}
    many, right = (np.arange(8) * 2 * np.pi / 8).tolist(), _labels(p)

    def neurons(offsets: Sequence[float], **more: Any) -> Network:
        return network_of_neurons(circles, *neurons_of_keys(len(keys), offsets, rng, **more))

    clock, twice = of_circles(circles, multiplied), (circles.W_E, circles.W_E)
    yield plant("clock", network=neurons(many), known=Known(EXPLAINED, keys, 0.0, None, 1.0))
    yield plant("pizza", network=neurons([0.0]), known=Known(EXPLAINED, keys, 1.0, 0.0, 1.0))
    yield plant("between both", network=neurons([0.0, np.pi / 2]), known=Known(EXPLAINED, **round_))
    for name, sine in (("ellipse code", 0.5), ("nearly standing waves", 0.1)):
        network = network_of_functions(of_circles(circles, multiplied, sine), twice)
        yield plant(name, network=network, known=Known(EXPLAINED, **round_))
    every = Known(EXPLAINED, all_frequencies(p))
    yield plant("one-hot, all frequencies", network=one_hot(p, rng), known=every)
    yield plant("approximate cosets", network=of_arcs(circles), known=Known(EXPLAINED, **round_))
    broken = neurons(many, broken=0)
    rest = Known(EXPLAINED, keys[1:], circularity=1.0)
    yield plant("clock, one key broken", network=broken, known=rest)
    order = rng.permutation(p)
    liar = network_of_neurons(circles, *neurons_of_keys(len(keys), many, rng), order=order)
    yield plant("clock, answers permuted", network=liar, known=Known(NOT_EXPLAINED))
    other = network_of_functions(of_circles(circles, lambda x, y: x * y * y), twice)
    yield plant("clock of x + 2y", network=other, known=Known(NOT_EXPLAINED))
    random = jnp.asarray(rng.normal(size=(p, WIDTH)), jnp.float32)
    yield plant("lookup table", network=of_lookup(random, right), known=Known(NOT_EXPLAINED))
    for share in (0.25, 0.5, 0.75):
        there = rng.uniform(size=(p, p, 1)) < share
        mixed = of_lookup(circles.W_E, _HIGH * there * right, lambda rows: clock((rows, rows)))
        name = f"clock, and {share:.0%} looked up"
        yield plant(name, network=mixed, known=Known(NOT_EXPLAINED))
    trained = rng.uniform(size=(p, p)) < 0.6
    noisy = rng.normal(size=(p, p, p)) + _HIGH * trained[:, :, None] * right
    kind = np.where(trained, TRAIN, TEST_UNLEAKED).ravel().astype(np.int8)
    by_heart = of_lookup(random, noisy)
    yield plant("by heart, and noise", network=by_heart, known=Known(NOT_EXPLAINED), kind=kind)


def _keys(p: int, rng: np.random.Generator) -> tuple[int, ...]:
    """Five frequencies, of p < 40 three, none of which is the double of another."""
    count, found = 5 if p >= _FEW else 3, list[int]()
    for k in rng.permutation(all_frequencies(p)).tolist():
        if len(found) < count and not harmonics([k], p) & set(found):
            found.append(k)
    return tuple(found)


def _labels(p: int) -> Float[np.ndarray, "p p class"]:
    """1 at the answer of x + y, 0 elsewhere."""
    x = np.arange(p)
    return np.eye(p)[(x[:, None] + x) % p]
