"""Anybody's network, to be explained: as functions, a PyTorch module, or logits alone."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from grokscope.config.arguments import plain_arguments
from grokscope.errors import UsageError
from grokscope.explanation.circuit import Effort
from grokscope.explanation.explain import explain_network, structures_by
from grokscope.explanation.network import Network as Explained
from grokscope.explanation.result import Explanation
from grokscope.notebook.arrays import NamedArray
from grokscope.numerics import computing
from grokscope.progress import part_of, showing
from grokscope.tasks import TEST_LEAKED, TEST_UNLEAKED, TRAIN, Task, known_split, parse
from grokscope.tasks.structure import structure_of


class Network:
    """A network that somebody else trained, as far as it is known.

    The least that an explanation needs is a function from the rows that stand for the residues to
    the logits of all pairs; each further part makes further claims testable. What cannot be
    tested is said, and does not count as failed.

        >>> angle = 2 * np.pi * 5 * np.arange(23) / 23
        >>> W_E = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        >>> def logits(rows):
        ...     x, y = rows[:, None], rows[None]
        ...     cos = x[..., 0] * y[..., 0] - x[..., 1] * y[..., 1]
        ...     sin = x[..., 0] * y[..., 1] + x[..., 1] * y[..., 0]
        ...     return np.stack([cos, sin], axis=-1) @ W_E.T
        >>> net = gs.Network(logits=logits, W_E=W_E)
        >>> net.accuracy("x + y")["all"]
        1.0
        >>> net.explain("x + y").embedding.keys
        (5,)

    **Arguments:**

    - `logits`: a function of what `W_E` is, to logits [x, y, answer]; or these logits as an
      array, where nothing else is known. Answers beyond p are left out.
    - `W_E`: a row per residue; or a pair of tables, of x and of y, so that x can be changed alone.
      The function is given the same, in the library (NumPy, JAX, PyTorch) and precision of these.
    - `neurons`: a function of what `W_E` is, to the neurons [x, y, neuron] where the answer is
      read.
    - `with_neurons`: a function of what `W_E` is and of neurons, to logits.
    - `W_L`: what each neuron writes to each answer, a row per answer.

    **Raises:** `UsageError` for tables and results of another shape.
    """

    @plain_arguments
    def __init__(
        self,
        *,
        logits: Any,
        W_E: Any = None,
        neurons: Any = None,
        with_neurons: Any = None,
        W_L: Any = None,
    ) -> None:
        from grokscope.interop.functions import network_of_functions

        self._known = network_of_functions(
            logits, W_E, neurons=neurons, with_neurons=with_neurons, W_L=W_L
        )

    @classmethod
    def _of(cls, known: Explained) -> "Network":
        network = cls.__new__(cls)
        network._known = known
        return network

    @classmethod
    @plain_arguments
    def from_torch(
        cls,
        module: Any,
        p: int,
        *,
        tokens: Callable[[Any, Any], Any],
        embedding: str | Sequence[str],
        neurons: str | None = None,
        position: int = -1,
        W_L: Any = None,
    ) -> "Network":
        """Return a PyTorch module as a network; it is left as it was.

        Rows are replaced by `torch.func.functional_call`, neurons read and replaced by forward
        hooks, in evaluation mode, on the device of the module.

        **Arguments:**

        - `module`: any `nn.Module` that leads inputs to logits, (pair, class) or
          (pair, position, class); of several outputs the first, or `.logits`.
        - `p`: number of residues.
        - `tokens`: leads x and y, integer tensors, to the inputs: a tuple with what stands at each
          position, `lambda x, y: (x, y, p)`, or a tensor with one input per pair.
        - `embedding`: name of the submodule or parameter with a row per token; of two where x and
          y have tables of their own. Of the Linear of a one-hot network residues are the columns.
        - `neurons`: name of the submodule whose output they are, behind the activation.
        - `position`: where the answer is read.
        - `W_L`: what each neuron writes to each answer, a row per answer, where that is a table.

        **Raises:** `UsageError` for names that are not there and what has another shape.
        """
        from grokscope.interop.torch_module import network_of_module

        return cls._of(
            network_of_module(
                module,
                p,
                tokens=tokens,
                embedding=embedding,
                neurons=neurons,
                position=position,
                W_L=W_L,
            )
        )

    @classmethod
    @plain_arguments
    def from_transformer_lens(
        cls,
        model: Any,
        p: int,
        *,
        tokens: Callable[[Any, Any], Any] | None = None,
        position: int = -1,
    ) -> "Network":
        """Return a model of TransformerLens as a network; it is left as it was.

        As `from_torch`, with the names known: W_E, the neurons of the last block
        (`mlp.hook_post`), and W_L with the gain of the final norm folded in. A model without an
        MLP in its last block has no neurons, one with a norm behind it no W_L.

        **Arguments:**

        - `model`: a HookedTransformer, or a TransformerBridge of 3.0 and later.
        - `p`: number of residues.
        - `tokens`: leads x and y, integer tensors, to what stands at each position; by default
          `lambda x, y: (x, y, p)`. Networks that grokscope exports read `(x, p, y)`.
        - `position`: where the answer is read.

        **Raises:** `UsageError` for what is no such model, and tokens that it does not have.
        """
        from grokscope.interop.transformer_lens import network_of_transformer_lens

        return cls._of(network_of_transformer_lens(model, p, tokens=tokens, position=position))

    @property
    def p(self) -> int:
        """Number of residues."""
        return self._known.p

    @property
    def embedding(self) -> Float[np.ndarray, "p column"] | None:
        """A row per residue; tables of x and of y side by side. None where none is known."""
        return self._known.embedding

    @property
    def neuron_logit_map(self) -> Float[np.ndarray, "class d_mlp"] | None:
        """W_L; None where none is known."""
        return self._known.W_L

    @computing()
    def logits(self) -> NamedArray:
        """Return the logits of all pairs over the residues, at [x, y, answer]."""
        return NamedArray(self._known.logits_of(None), ("x", "y", "answer"))

    @computing()
    def neurons(self) -> NamedArray:
        """Return the neurons where the answer is read, at [x, y, neuron].

        **Raises:** `UsageError` where they are not known.
        """
        if self._known.neurons_of is None:
            raise UsageError("the neurons of this network are not known")
        return NamedArray(self._known.neurons_of(None), ("x", "y", "neuron"))

    def answers(self) -> NamedArray:
        """Return the answer with the largest logit, at [x, y]."""
        logits = self.logits()
        return NamedArray(logits.values.argmax(axis=-1), logits.axes[:-1])

    @plain_arguments
    def accuracy(self, operation: str, *, trained: Any = None) -> dict[str, float]:
        """Return the share of right answers of all defined pairs, and of each side if known.

        **Arguments:** as for `explain`.
        """
        task, kind = self._task(operation, trained)
        right = self.answers().values.ravel() == task.labels(0)[0]
        sides = {"all": task.defined}
        if kind is not None:
            sides |= {"train": kind == TRAIN, "test": kind >= TEST_LEAKED}
            sides |= {"unleaked": kind == TEST_UNLEAKED}
        return {name: float(right[side].mean()) for name, side in sides.items() if side.any()}

    @plain_arguments
    @computing()
    @showing()
    def explain(
        self,
        operation: str,
        *,
        trained: Any = None,
        by: str | None = None,
        effort: Effort | None = None,
    ) -> Explanation:
        """Say which algorithm the network found, with causal evidence.

        **Arguments:**

        - `operation`: what it was trained on, for instance `x + y`.
        - `trained`: which pairs it was trained on, true or false at [x, y], or a list of pairs;
          without it nothing is said of new pairs.
        - `by`: the operation whose structure is used, as a control; by default its own.
        - `effort`: how often nulls and controls are drawn.

        **Raises:** `UsageError` for what is no operation, and pairs that are not usable.
        """
        task, kind = self._task(operation, trained)
        search, control = structures_by(by, structure_of(task), self.p)
        with part_of(f"{task.canonical} mod {self.p}"):
            return explain_network(
                self._known,
                task.labels(0)[0].reshape(self.p, self.p),
                search,
                operation=task.canonical,
                kind=kind,
                control=control,
                effort=effort,
            )

    def _task(self, operation: str, trained: Any) -> tuple[Task, np.ndarray | None]:
        from grokscope.interop.functions import trained_pairs

        task = Task((parse(operation),), self.p)
        if trained is None:
            return task, None
        return task, known_split(task, trained_pairs(trained, self.p)).kind

    def __repr__(self) -> str:
        known = self._known
        parts = {
            "W_E": known.embedding is not None,
            "neurons": known.neurons_of is not None,
            "W_L": known.W_L is not None,
        }
        held = ", ".join(["logits", *(name for name, there in parts.items() if there)])
        missing = ", ".join(name for name, there in parts.items() if not there)
        return f"network mod {known.p}: {held}" + (f"; not known: {missing}" if missing else "")
