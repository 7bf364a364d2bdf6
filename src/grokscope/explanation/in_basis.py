"""A network with an operation and the basis that it is seen in, and its logits per sum."""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Int8, Int32

from grokscope.explanation.findings import BySide, Outcome
from grokscope.explanation.network import Network, Rows, Written
from grokscope.explanation.pairs import Logits
from grokscope.explanation.verdict import MATRICES, Place
from grokscope.fourier.basis import Basis
from grokscope.fourier.characters import Characters, Table
from grokscope.fourier.waves import real_waves
from grokscope.measures.predictions import cross_entropy, is_right
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN, UNDEFINED


@dataclass(frozen=True, eq=False)
class SumLogits:
    """The logits of the defined pairs, averaged over all pairs with the same sum.

    **Arguments:**

    - `sums`: u(x) + v(y) of each defined pair.
    - `logits`: logits of each defined pair, of answers that some sum leads to, without their mean
      over these answers.
    - `n`: order of the group.
    """

    sums: Int[np.ndarray, "pair"]
    logits: Float[np.ndarray, "pair class"]
    n: int

    @classmethod
    def of(cls, basis: Basis, defined: Bool[np.ndarray, "p p"], logits: Logits) -> "SumLogits":
        """Return the sums and centred logits of the defined pairs.

        **Arguments:** the structure; pairs that are defined; logits at [x, y, answer].
        """
        chosen = np.asarray(logits[defined][:, basis.answers.inside], np.float64)
        centred = chosen - chosen.mean(axis=1, keepdims=True)
        return cls(basis.sums[defined], centred, basis.n)

    @cached_property
    def counts(self) -> Int[np.ndarray, "n"]:
        """Number of pairs with each sum."""
        return np.bincount(self.sums, minlength=self.n)

    @cached_property
    def mean(self) -> Float[np.ndarray, "n class"]:
        """Mean logits of each sum, 0 where no pair has it."""
        return mean_per_sum(self.logits, self.sums, self.n)

    @cached_property
    def bias(self) -> Float[np.ndarray, "class"]:
        """Mean over all pairs: what the answers get whatever the input is."""
        return self.counts @ self.mean / max(1, self.counts.sum())

    @cached_property
    def energy(self) -> float:
        """Sum of the squared logits."""
        return float(np.sum(self.logits**2))

    def waves(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "n mode"]:
        """Return cos and sin of 2πks/n of some frequencies, each without its mean over pairs."""
        waves = real_waves(np.arange(self.n), frequencies, self.n).reshape(self.n, -1)
        return waves - self.counts @ waves / max(1, self.counts.sum())

    @cached_property
    def _fits(self) -> dict[tuple[int, ...], Float[np.ndarray, "mode class"]]:
        return {}

    def fit(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "mode class"]:
        """Return, per answer, the coefficients of the waves that fit the logits best."""
        if frequencies not in self._fits:
            waves = self.waves(frequencies)
            # least squares over pairs: (XᵀNX)⁺ XᵀN M, with N the number of pairs per sum
            weighted = waves * self.counts[:, None]
            inverse = np.linalg.pinv(weighted.T @ waves, rcond=1e-9, hermitian=True)
            self._fits[frequencies] = inverse @ (weighted.T @ self.mean)
        return self._fits[frequencies]

    def part(self, frequencies: tuple[int, ...]) -> Float[np.ndarray, "n class"]:
        """Return what the waves of some frequencies hold of the logits, at each sum."""
        return self.waves(frequencies) @ self.fit(frequencies)


def mean_per_sum(
    values: Float[np.ndarray, "pair column"], sums: Int[np.ndarray, "pair"], n: int
) -> Float[np.ndarray, "n column"]:
    """Return the mean of the rows of pairs with the same sum in Z_n, 0 where no pair has it."""
    order, counts = np.argsort(sums, kind="stable"), np.bincount(sums, minlength=n)
    present = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.cumsum(counts[present])[:-1]]).astype(int)
    total = np.zeros((n, values.shape[1]))
    total[present] = np.add.reduceat(values[order], starts, axis=0)
    return total / np.maximum(counts, 1)[:, None]


@dataclass(frozen=True, eq=False)
class NetworkInBasis:
    """A network, the operation that it was trained on, and the basis that it is seen in.

    **Arguments:**

    - `network`: the network.
    - `labels`: the operation's answers at [x, y].
    - `basis`: the structure, as characters of residues and answers.
    - `kind`: the side of each pair, as in `Split.kind`; without one all pairs are one side.
    """

    network: Network
    labels: Int32[np.ndarray, "p p"]
    basis: Basis
    kind: Int8[np.ndarray, "pair"] | None = None

    @property
    def p(self) -> int:
        """Number of residues."""
        return len(self.labels)

    @cached_property
    def defined(self) -> Bool[np.ndarray, "p p"]:
        """Pairs at which operation and structure are defined."""
        defined = self.basis.defined
        if self.kind is not None:
            defined = defined & (self.kind.reshape(defined.shape) != UNDEFINED)
        return defined

    @cached_property
    def sides(self) -> dict[str, Bool[np.ndarray, "p p"]]:
        """Defined pairs: `all`, and where there is a split `train`, `test` and `unleaked`."""
        sides = {"all": self.defined}
        if self.kind is not None:
            kind = self.kind.reshape(self.defined.shape)
            train, test, unleaked = kind == TRAIN, kind >= TEST_LEAKED, kind == TEST_UNLEAKED
            sides |= {"train": train, "test": test, "unleaked": unleaked}
        return {name: side & self.defined for name, side in sides.items()}

    @property
    def embedding(self) -> Table:
        """W_E without operator tokens, where the network has one; see `Network.embedding`."""
        table = self.network.embedding
        if table is None:
            raise ValueError("this network has no W_E")
        return table

    @cached_property
    def neuron_logit_map(self) -> Table | None:
        """W_L = W_U·W_out; None where the network has none."""
        return self.network.W_L

    @cached_property
    def logits(self) -> Logits:
        """Logits of the network as it is, at [x, y, answer]."""
        return self.network.logits_of(None)

    @cached_property
    def sum_logits(self) -> SumLogits:
        """The logits of the network as it is, as functions of the sum."""
        return SumLogits.of(self.basis, self.defined, self.logits)

    @cached_property
    def matrices(self) -> dict[Place, tuple[Table, Characters]]:
        """The matrices in which keys are looked for, each with its characters.

        They are W_E, where the network has one, and W_L; without W_L the logits themselves, a row
        per answer.
        """
        tables = {} if self.network.embedding is None else {Place.EMBEDDING: self.embedding}
        W_L = self.neuron_logit_map
        tables[Place.LOGITS] = self._answers() if W_L is None else W_L
        return {place: (W, characters_at(self.basis, place)) for place, W in tables.items()}

    @property
    def names(self) -> dict[Place, str]:
        """What the matrices are called: W_E and W_L, or what stands for them."""
        W_E, W_L = MATRICES.values()
        return {
            Place.EMBEDDING: W_E if self.network.shared else f"{W_E} of x and of y",
            Place.LOGITS: "the class axis" if self.neuron_logit_map is None else W_L,
        }

    def _answers(self) -> Table:
        """What the logits of the defined pairs hold beyond a bias of the answers, a row per answer.

        Columns are combinations of pairs, as few as hold it.
        """
        rows = np.asarray(self.logits[self.defined], np.float64)
        rows -= rows.mean(axis=1, keepdims=True)
        rows -= rows.mean(axis=0)
        values, vectors = np.linalg.eigh(rows.T @ rows)
        return vectors * np.sqrt(np.maximum(values, 0))

    @property
    def not_finite(self) -> str:
        """What of the network is not finite, a matrix or the table of logits; "" for nothing."""
        if self.network.broken:
            return self.network.broken
        return "" if np.isfinite(self.logits).all() else "the table of logits"

    @cached_property
    def full(self) -> Outcome:
        """How right the network as it is is."""
        return self.score(self.logits)

    @cached_property
    def chance(self) -> float:
        """Share of the most frequent answer among the defined pairs."""
        counts = np.bincount(self.labels[self.defined], minlength=1)
        return float(counts.max() / max(1, counts.sum()))

    def run(self, embedding: Table | None = None, embedding_of_x: Table | None = None) -> Logits:
        """Return the logits of the network with another embedding.

        **Arguments:** tables like `embedding`.

        - `embedding`: by default its own.
        - `embedding_of_x`: for the residues at position x alone; by default as for y.
        """
        rows = self.embedding if embedding is None else embedding
        of_x = rows if embedding_of_x is None else embedding_of_x
        whole = self.network
        return whole.logits_of(Rows(whole.of_x(of_x), whole.of_y(rows)))

    def neurons(self) -> Float[np.ndarray, "p p d_mlp"]:
        """Return the neurons of a network whose neurons are known."""
        if self.network.neurons_of is None:
            raise ValueError("the neurons of this network are not known")
        return self.network.neurons_of(None)

    def written(self, embedding: Table | None = None) -> Written:
        """Return what the neurons hand on, of a network whose neurons can be replaced.

        **Arguments:** a table like `embedding`, by default its own.
        """
        if self.network.written_of is None:
            raise ValueError("the neurons of this network cannot be replaced")
        rows = None if embedding is None else self.network.rows_of(embedding)
        return self.network.written_of(rows)

    def of_all_answers(
        self, values: Float[np.ndarray, "... column"]
    ) -> Float[np.ndarray, "... class"]:
        """Return numbers of the answers that some sum leads to as numbers of all, 0 elsewhere."""
        whole = np.zeros((*values.shape[:-1], self.p))
        whole[..., self.basis.answers.inside] = values
        return whole

    def score(self, logits: Logits) -> Outcome:
        """Return accuracy and loss of some logits on every side."""
        flat = jnp.asarray(logits.reshape(self.p**2, -1), jnp.float32)
        loss, right = (np.asarray(a) for a in _compare(flat, jnp.asarray(self.labels.ravel())))
        sides = {name: side.ravel() for name, side in self.sides.items() if side.any()}
        return Outcome(
            BySide(**{name: float(right[side].mean()) for name, side in sides.items()}),
            BySide(**{name: float(loss[side].mean(dtype=float)) for name, side in sides.items()}),
        )

    def score_pairs(self, logits: Float[np.ndarray, "pair class"]) -> Outcome:
        """Return the same of logits of defined pairs; answers that no sum leads to never win."""
        whole = np.zeros((self.p, self.p, self.p), np.float32)
        low = logits.min(axis=1, keepdims=True) - 1e3
        whole[self.defined] = np.where(self.basis.answers.inside, logits, low)
        return self.score(whole)

    def scaled(self, outcome: Outcome) -> float | None:
        """Return A = (accuracy − chance) / (full − chance) over the defined pairs.

        It is 0 for guessing the most frequent answer and 1 for the network as it is; None where
        the network itself is no better than chance.
        """
        room = self.full.accuracy.all - self.chance
        return (outcome.accuracy.all - self.chance) / room if room > 0 else None


def characters_at(basis: Basis, place: Place) -> Characters:
    """Return the characters on the rows of a place's tables: on inputs, or on answers."""
    return basis.inputs if place is Place.EMBEDDING else basis.answers


@jax.jit
def _compare(
    logits: Float[Array, "pair class"], labels: Int[Array, "pair"]
) -> tuple[Float[Array, "pair"], Bool[Array, "pair"]]:
    return cross_entropy(logits, labels), is_right(logits, labels)
