"""A network that is known as functions of its token embeddings, in NumPy, JAX or PyTorch."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int

from grokscope.errors import UsageError
from grokscope.explanation.network import Gradients, Network, Rows, Written
from grokscope.explanation.pairs import Logits
from grokscope.fourier.arrays import as_array, real_array, real_table
from grokscope.fourier.characters import Table

_LEAST: Final = 2


def network_of_functions(
    logits: Any, W_E: Any = None, *, neurons: Any = None, with_neurons: Any = None, W_L: Any = None
) -> Network:
    """Return a network that is known as functions, as one to be explained.

    **Arguments:**

    - `logits`: a function of what `W_E` is, to logits [x, y, answer]; or these logits alone.
    - `W_E`: one table with a row per residue, or a pair of tables, of x and of y.
    - `neurons`: a function like `logits`, to the neurons [x, y, neuron] where the answer is read.
    - `with_neurons`: a function of what `W_E` is and of neurons, to logits.
    - `W_L`: what each neuron writes to each answer, a row per answer.

    **Raises:** `UsageError` for tables and results of another shape or kind.
    """
    if not callable(logits):
        return _of_logits(logits, W_E, neurons, with_neurons)
    if W_E is None:
        raise UsageError(
            "a function of embeddings needs W_E",
            allowed="a table with a row per residue, or a pair of tables, of x and of y",
            next_step="Network(logits=f, W_E=W); without W_E give the logits as an array",
        )
    given = _Given(W_E)
    p = given.p
    _require_functions(neurons=neurons, with_neurons=with_neurons)
    logits_of = given.reading(logits, "logits", p)
    known: dict[str, Any] = {}
    if neurons is not None:
        known["neurons_of"] = given.reading(neurons, "neurons")
        if with_neurons is not None:
            known["written_of"] = given.writing(known["neurons_of"], with_neurons)
    table = _neuron_logit_map(W_L, p)
    found = logits_of(None)
    if "neurons_of" in known and table is not None:
        width = known["neurons_of"](None).shape[2]
        if width != table.shape[1]:
            raise UsageError(
                "W_L does not fit the neurons", got=f"{table.shape[1]} columns", allowed=f"{width}"
            )
    return Network(
        p=p,
        W_E=given.rows,
        shared=given.shared,
        x_alone=not given.shared,
        logits_of=lambda rows: found if rows is None else logits_of(rows),
        W_L=table,
        gradients_of=given.gradients(logits),
        broken="" if all(np.isfinite(rows).all() for rows in given.rows) else "W_E",
        **known,
    )


def _of_logits(logits: Any, W_E: Any, neurons: Any, with_neurons: Any) -> Network:
    """A network of which only the answers are known."""
    if W_E is not None or neurons is not None or with_neurons is not None:
        raise UsageError(
            "logits as an array cannot follow another embedding",
            allowed="logits as a function, or nothing beside them",
            next_step="Network(logits=f, W_E=W), or Network(logits=array)",
        )
    table = np.asarray(real_array(logits), np.float64)
    shape = table.shape
    if len(shape) != 3 or not _LEAST <= shape[0] == shape[1] <= shape[2]:
        raise UsageError(
            "logits have the wrong shape", got=shape, allowed="p × p × classes, at [x, y, answer]"
        )
    found = table[:, :, : len(table)]
    return Network(p=len(table), logits_of=lambda _: found)


class _Given:
    """W_E as it was given, and what is of its library: NumPy, JAX or PyTorch."""

    def __init__(self, W_E: Any) -> None:
        self.shared = not isinstance(W_E, list | tuple)
        self.tables = [W_E] if self.shared else list(W_E)
        if len(self.tables) != 1 + (not self.shared):
            raise UsageError(
                "W_E is not usable",
                got=f"{len(self.tables)} tables",
                allowed="one table, or a pair, of x and of y",
            )
        plain = [np.asarray(real_table(table), np.float64) for table in self.tables]
        self.rows = Rows(plain[0], plain[-1])
        self.p = len(plain[0])
        if len(plain[-1]) != self.p or self.p < _LEAST:
            raise UsageError(
                "the tables of x and of y have no row for each residue",
                got=" and ".join(str(len(table)) for table in plain),
                allowed="p rows each",
            )

    def like(self, rows: Rows) -> Any:
        """Return rows as the function takes them: in the library and precision of W_E."""
        made = [_like(W, own) for W, own in zip(self.tables, rows, strict=False)]
        return made[0] if self.shared else tuple(made)

    def reading(self, function: Callable[[Any], Any], name: str, least: int = 1) -> Any:
        """Return a function as one of rows, to an array [x, y, column] of NumPy."""

        def read(rows: Rows | None) -> Float[np.ndarray, "p p column"]:
            return _checked(function(self.like(rows or self.rows)), name, self.p, least)

        return read

    def writing(self, read: Callable[[Rows | None], Any], function: Any) -> Any:
        """Return what the neurons hand on."""

        def written(rows: Rows | None) -> Written:
            given = self.like(rows or self.rows)

            def with_values(values: Float[np.ndarray, "p p d_mlp"]) -> Logits:
                found = function(given, _like(self.tables[0], values))
                return _checked(found, "logits with other neurons", self.p, self.p)

            return Written(read(rows), with_values)

        return written

    def gradients(self, function: Callable[[Any], Any]) -> Any:
        """Return what gives gradients, where the library of W_E can; None for NumPy."""
        derive = _derivative(self.tables[0], function)
        if derive is None:
            return None

        def gradients_of(
            x: Int[np.ndarray, "pair"], y: Int[np.ndarray, "pair"], answers: Int[np.ndarray, "pair"]
        ) -> Gradients:
            given = self.like(self.rows)
            of_x, of_y = (np.zeros((len(x), rows.shape[1])) for rows in self.rows)
            groups = _apart(x, y, alone=self.shared)
            for chosen in groups:
                found = derive(given, x[chosen], y[chosen], answers[chosen])
                of_x[chosen], of_y[chosen] = found[0][x[chosen]], found[-1][y[chosen]]
            held = np.concatenate(groups)
            return Gradients(of_x[held], of_y[held])

        return gradients_of


def _apart(
    x: Int[np.ndarray, "pair"], y: Int[np.ndarray, "pair"], *, alone: bool
) -> list[Int[np.ndarray, "chosen"]]:
    """Part pairs into groups in which every row stands for one pair alone.

    A gradient with respect to a whole table then has that of every pair in a row of its own.
    With one table a residue must not be x of one pair and y of another, and x ≠ y.
    """
    left = [i for i in range(len(x)) if not (alone and x[i] == y[i])]
    groups = []
    while left:
        seen: set[tuple[int, int]] = set()
        group, rest = [], []
        for i in left:
            rows = {(0, int(x[i])), (0 if alone else 1, int(y[i]))}
            (rest if rows & seen else group).append(i)
            seen |= set() if rows & seen else rows
        groups.append(np.array(group))
        left = rest
    return groups


def _derivative(table: Any, function: Callable[[Any], Any]) -> Any:
    """Return the gradient of some logits with respect to the rows, in the library of a table."""
    library = type(table).__module__.partition(".")[0]
    if library == "torch":
        return lambda rows, *pairs: _torch_gradient(function, rows, *pairs)
    if library in ("jax", "jaxlib"):
        return lambda rows, *pairs: _jax_gradient(function, rows, *pairs)
    return None


def _torch_gradient(function: Any, rows: Any, *pairs: Any) -> list[np.ndarray]:
    import torch

    several = rows if isinstance(rows, tuple) else (rows,)
    leaves = [table.detach().clone().requires_grad_() for table in several]
    with torch.enable_grad():
        found = function(tuple(leaves) if isinstance(rows, tuple) else leaves[0])
        x, y, answers = (torch.as_tensor(one, device=found.device) for one in pairs)
        total = found[x, y, answers].sum()
    return [one.detach().cpu().double().numpy() for one in torch.autograd.grad(total, leaves)]


def _jax_gradient(function: Any, rows: Any, *pairs: Any) -> list[np.ndarray]:
    import jax

    found = jax.grad(lambda given: function(given)[pairs].sum())(rows)
    return [np.asarray(one, np.float64) for one in (found if isinstance(rows, tuple) else (found,))]


def _like(table: Any, values: np.ndarray) -> Any:
    """Return an array in the library, the precision and on the device of a table."""
    library = type(table).__module__.partition(".")[0]
    if library == "torch":
        import torch

        return torch.as_tensor(values, dtype=table.dtype, device=table.device)
    if library in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp.asarray(values, table.dtype)
    kind = np.asarray(table).dtype
    return values.astype(kind if kind.kind == "f" else np.float64)


def _checked(found: Any, name: str, p: int, least: int) -> Float[np.ndarray, "p p column"]:
    """Return what a function gave as NumPy; answers that are no residues are left out."""
    array = as_array(found)
    shape = getattr(array, "shape", ())
    if len(shape) != 3 or shape[:2] != (p, p) or shape[2] < least:
        last = f"{p} or more classes" if least > 1 else "neurons"
        raise UsageError(
            f"the function gives {name} of the wrong shape",
            got=" × ".join(map(str, shape)) or type(found).__name__,
            allowed=f"{p} × {p} × {last}, at [x, y, …]",
        )
    real = np.asarray(real_array(array))
    return real[:, :, :p] if least > 1 else real


def _neuron_logit_map(W_L: Any, p: int) -> Table | None:
    if W_L is None:
        return None
    table = np.asarray(real_table(W_L), np.float64)
    if len(table) < p:
        raise UsageError("W_L has too few rows", got=len(table), allowed=f"one per answer, {p}")
    return table[:p]


def _require_functions(**given: Any) -> None:
    for name, function in given.items():
        if function is not None and not callable(function):
            raise UsageError(
                f"{name} is not usable", got=type(function).__name__, allowed="a function"
            )
    if given["with_neurons"] is not None and given["neurons"] is None:
        raise UsageError("with_neurons needs neurons", next_step="give neurons as a function too")


def trained_pairs(trained: Any, p: int) -> Int[np.ndarray, "chosen"]:
    """Return the numbers x·p + y of the pairs that trained.

    **Arguments:** whether each pair [x, y] trained, or a list of pairs; the modulus.

    **Raises:** `UsageError` for anything else.
    """
    array = np.asarray(as_array(trained))
    if array.shape == (p, p) and array.dtype == bool:
        return np.flatnonzero(array)
    is_list = array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind in "iu"
    if not is_list or not len(array) or array.min() < 0 or array.max() >= p:
        raise UsageError(
            "the trained pairs are not usable",
            got=f"{array.shape} of {array.dtype}",
            allowed=f"{p} × {p} of true and false, or pairs (x, y) of 0 to {p - 1}",
        )
    return np.unique(array[:, 0].astype(int) * p + array[:, 1])
