"""A PyTorch module as a network to be explained; it is left as it was."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from grokscope.config.validate import did_you_mean
from grokscope.errors import UsageError
from grokscope.explanation.network import Gradients, Network, Rows, Written
from grokscope.explanation.pairs import Logits
from grokscope.fourier.arrays import real_table

_PAIRS_PER_BLOCK: Final = 4096
Tokens = Callable[[Any, Any], Any]


class _Table(NamedTuple):
    """A parameter with rows for residues, or columns, as in the Linear of a one-hot network."""

    parameter: str
    columns: bool


class _Places(NamedTuple):
    """Inputs for x = y = 0, one row; positions of x and y in it; the tokens of residue 0 there."""

    inputs: Any
    at: tuple[int, int]
    first: tuple[int, int]


def network_of_module(
    module: Any,
    p: int,
    *,
    tokens: Tokens,
    embedding: str | Sequence[str],
    neurons: str | None = None,
    position: int = -1,
    W_L: Any = None,
) -> Network:
    """Return a PyTorch module as a network to be explained.

    Rows are replaced for the time of a pass by `torch.func.functional_call`, neurons are read and
    replaced by forward hooks, and all of it runs in evaluation mode, on the module's device.

    **Arguments:**

    - `module`, `p`: any `nn.Module` that leads tokens to logits; the number of residues.
    - `tokens`: leads x and y, integer tensors, to what the module takes: a tuple with what stands
      at each position, or a tensor with one input per pair.
    - `embedding`, `neurons`, `position`, `W_L`: as for `notebook.network.Network.from_torch`.

    **Raises:** `UsageError` for names that are not there and for what has another shape.
    """
    runner = _Runner(module, p, tokens, embedding, neurons, position)
    found = runner.logits(None)
    table = None if W_L is None else np.asarray(real_table(W_L), np.float64)[:p]
    reads = neurons is not None
    if reads:
        width = runner.neurons(None).shape[2]
        if table is not None and table.shape != (p, width):
            raise UsageError("W_L has the wrong shape", got=table.shape, allowed=f"({p}, {width})")
    return Network(
        p=p,
        W_E=runner.rows,
        shared=runner.shared,
        logits_of=lambda rows: found if rows is None else runner.logits(rows),
        W_L=table,
        neurons_of=runner.neurons if reads else None,
        written_of=runner.written if reads else None,
        gradients_of=runner.gradients if runner.can_derive else None,
        broken=runner.broken,
    )


class _Runner:
    """Runs a module on pairs, with other rows for the residues and other neurons."""

    def __init__(
        self,
        module: Any,
        p: int,
        tokens: Tokens,
        embedding: str | Sequence[str],
        neurons: str | None,
        position: int,
    ) -> None:
        import torch

        if not isinstance(module, torch.nn.Module):
            raise UsageError(
                "this is no PyTorch module",
                got=type(module).__name__,
                allowed="a torch.nn.Module",
                next_step="functions go to gs.Network(logits=f, W_E=W)",
            )
        # what torch.compile and DataParallel wrap names its parts as it did without them
        module = getattr(module, "_orig_mod", module)
        if isinstance(module, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
            module = module.module
        self._module, self._p, self._tokens, self._position = module, p, tokens, position
        names = [embedding] if isinstance(embedding, str) else list(embedding)
        self._tables = [_table(module, name) for name in names]
        self._hooked = None if neurons is None else _submodule(module, neurons)
        self._device = next((w.device for w in module.parameters()), torch.device("cpu"))
        self._read_rows(names)

    def _read_rows(self, names: Sequence[str]) -> None:
        """Find the rows of x and of y."""
        p, columns = self._p, self._tables[0].columns
        parameters = dict(self._module.named_parameters()) | dict(self._module.named_buffers())
        self._own = {table.parameter: parameters[table.parameter] for table in self._tables}
        whole = [
            _rows_first(self._own[t.parameter], t).detach().cpu().double().numpy()
            for t in self._tables
        ]
        # one-hot inputs choose columns themselves, so that rows cannot be told apart by pair
        self.can_derive = not columns
        self._places = None if columns else _places(self._inputs, p, self._device)
        firsts = (0, 0) if self._places is None else self._places.first
        if columns and len(whole) == 1 and len(whole[0]) >= 2 * p:
            firsts = (0, p)
        tables = whole if len(whole) == 2 else [whole[0], whole[0]]
        for name, table, first in zip((*names, names[0]), tables, firsts, strict=False):
            if len(table) < first + p:
                raise UsageError(
                    f"{name} has too few rows", got=len(table), allowed=f"{first + p} or more"
                )
        self.shared = len(whole) == 1 and firsts[0] == firsts[1]
        self.rows = Rows(*(table[f : f + p] for table, f in zip(tables, firsts, strict=True)))

    @property
    def broken(self) -> str:
        """Which parameter is not finite; "" for none."""
        parameters = self._module.named_parameters()
        return next((name for name, w in parameters if not bool(w.isfinite().all())), "")

    def logits(self, rows: Rows | None) -> Logits:
        """Return the logits of the residues at [x, y, answer]."""
        found = self._over_pairs(rows, lambda inputs, weights: self._run(inputs, weights))
        if found.shape[2] < self._p:
            raise UsageError(
                "the module has too few answers",
                got=found.shape[2],
                allowed=f"p = {self._p} or more",
            )
        return found[:, :, : self._p]

    def neurons(self, rows: Rows | None) -> Float[np.ndarray, "p p d_mlp"]:
        """Return the neurons where the answer is read."""
        kept: list[Any] = []

        def read(inputs: Any, weights: Any) -> Any:
            kept.clear()
            with self._hook(lambda output: kept.append(output)):
                self._run(inputs, weights)
            if not kept:
                raise UsageError("the neurons are never run", next_step="name another submodule")
            return self._at_position(kept[0])

        return self._over_pairs(rows, read)

    def written(self, rows: Rows | None) -> Written:
        """Return the neurons, and the logits with others in their place."""
        import torch

        def with_values(values: Float[np.ndarray, "p p d_mlp"]) -> Logits:
            flat = torch.as_tensor(values.reshape(self._p**2, -1), device=self._device)
            done = 0

            def replace(output: Any) -> Any:
                new = output.clone()
                block = flat[done : done + len(output)].to(output.dtype)
                (new[:, self._position] if output.ndim == 3 else new)[:] = block
                return new

            def run(inputs: Any, weights: Any) -> Any:
                nonlocal done
                with self._hook(replace):
                    found = self._run(inputs, weights)
                done += len(found)
                return found

            return self._over_pairs(rows, run)[:, :, : self._p]

        return Written(self.neurons(rows), with_values)

    def gradients(
        self,
        x: Int[np.ndarray, "pair"],
        y: Int[np.ndarray, "pair"],
        answers: Int[np.ndarray, "pair"],
    ) -> Gradients:
        """Return the gradients of some answers' logits with respect to both embeddings."""
        import torch

        with self._as_it_was():
            # a row of its own for each pair: the gradient of the sum has that of every pair
            leaves = [self._leaf(W[i]) for W, i in zip(self.rows, (x, y), strict=True)]
            with torch.enable_grad():
                weights, first = self._with_rows(*leaves)
                n = torch.arange(len(x), device=self._device)
                found = self._run(self._moved(n + first[0], n + first[1]), weights)
                chosen = torch.as_tensor(answers, device=self._device)
                total = found[n, chosen].sum()
            found = torch.autograd.grad(total, leaves)
        return Gradients(*(one.detach().cpu().double().numpy() for one in found))

    def _leaf(self, rows: np.ndarray) -> Any:
        import torch

        dtype = next(iter(self._own.values())).dtype
        return torch.as_tensor(rows, dtype=dtype, device=self._device).requires_grad_()

    def _over_pairs(self, rows: Rows | None, run: Callable[[Any, Any], Any]) -> np.ndarray:
        """Run all pairs, x by x, block by block."""
        import torch

        p, found = self._p, []
        x, y = (torch.as_tensor(a, device=self._device) for a in np.divmod(np.arange(p**2), p))
        with self._as_it_was(), torch.no_grad():
            weights, first = {}, (0, 0)
            if rows is not None:
                weights, first = self._with_rows(*(self._leaf(r).detach() for r in rows))
            for start in range(0, p**2, _PAIRS_PER_BLOCK):
                here = slice(start, start + _PAIRS_PER_BLOCK)
                inputs = self._inputs(x[here], y[here])
                if rows is not None:
                    inputs = self._moved(x[here] + first[0], y[here] + first[1])
                found.append(run(inputs, weights).detach().cpu().float().numpy())
        return np.concatenate(found).reshape(p, p, -1)

    def _with_rows(self, of_x: Any, of_y: Any) -> tuple[dict[str, Any], tuple[int, int]]:
        """Return weights with other rows for the residues, and the tokens of the first of them.

        They stand behind all tokens that there are; the columns of one-hot inputs are replaced.
        """
        import torch

        if self._tables[0].columns:
            return self._with_columns(of_x, of_y), (0, 0)
        own = [self._own[table.parameter] for table in self._tables]
        names = [table.parameter for table in self._tables]
        if len(own) == 1:
            first = len(own[0])
            return {names[0]: torch.cat([own[0], of_x, of_y])}, (first, first + len(of_x))
        new = [torch.cat([w, rows]) for w, rows in zip(own, (of_x, of_y), strict=True)]
        return dict(zip(names, new, strict=True)), (len(own[0]), len(own[1]))

    def _with_columns(self, of_x: Any, of_y: Any) -> dict[str, Any]:
        import torch

        if self.shared and not torch.equal(of_x, of_y):
            raise UsageError("x and y share the columns of this network's inputs")
        rows = [of_x] if self.shared else [of_x, of_y]
        if len(self._tables) == 1:
            table = self._tables[0]
            rest = self._own[table.parameter].T[self._p * len(rows) :]
            return {table.parameter: torch.cat([*rows, rest]).T}
        return {
            table.parameter: torch.cat([r, self._own[table.parameter].T[self._p :]]).T
            for table, r in zip(self._tables, rows, strict=True)
        }

    def _inputs(self, x: Any, y: Any) -> Any:
        """Return what the module takes for residues x and y."""
        import torch

        made = self._tokens(x, y)
        if isinstance(made, tuple | list):
            places = [torch.as_tensor(one, device=self._device).expand(len(x)) for one in made]
            made = torch.stack(places, dim=1)
        if not isinstance(made, torch.Tensor) or len(made) != len(x):
            got = tuple(getattr(made, "shape", ())) or type(made).__name__
            raise UsageError(
                "tokens give the wrong inputs",
                got=got,
                allowed=f"one input for each of {len(x)} pairs",
            )
        return made.to(self._device)

    def _moved(self, x: Any, y: Any) -> Any:
        """Return inputs with other tokens where x and y stand."""
        if self._places is None:
            return self._inputs(x, y)
        made = self._places.inputs.repeat(len(x), 1)
        made[:, self._places.at[0]], made[:, self._places.at[1]] = x, y
        return made

    def _run(self, inputs: Any, weights: dict[str, Any]) -> Any:
        import torch

        # an unembedding that is the same matrix keeps its own rows, as many as its bias has
        try:
            found = torch.func.functional_call(self._module, weights, (inputs,), tie_weights=False)
        except (RuntimeError, IndexError) as error:
            got = str(error).partition("\n")[0]
            raise UsageError("the module fails on these tokens", got=got) from error
        found = getattr(found, "logits", found)
        found = found[0] if isinstance(found, tuple | list) else found
        return self._at_position(found)

    def _at_position(self, values: Any) -> Any:
        if values.ndim not in (2, 3):
            raise UsageError(
                "an output has the wrong axes",
                got=tuple(values.shape),
                allowed="(pair, column) or (pair, position, column)",
            )
        return values[:, self._position] if values.ndim == 3 else values

    @contextlib.contextmanager
    def _hook(self, act: Callable[[Any], Any]) -> Iterator[None]:
        assert self._hooked is not None
        handle = self._hooked.register_forward_hook(lambda _, __, output: act(output))
        try:
            yield
        finally:
            handle.remove()

    @contextlib.contextmanager
    def _as_it_was(self) -> Iterator[None]:
        """Run in evaluation mode, and leave every part in the mode that it had."""
        import torch

        # nn.TransformerEncoderLayer has a way past its parts, and past what is hooked to them
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        modes = [(part, part.training) for part in self._module.modules()]
        self._module.eval()
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
            for part, training in modes:
                part.training = training


def _table(module: Any, name: str) -> _Table:
    """Return the matrix that a submodule or a parameter of this name is."""
    import torch

    parameters = dict(module.named_parameters()) | dict(module.named_buffers())
    if name in parameters:
        return _Table(name, columns=False)
    part = _submodule(module, name, parameters)
    own = [key for key, w in part.named_parameters() if w.ndim == 2]
    if len(own) != 1:
        raise UsageError(
            f"{name} is no embedding", got=", ".join(own) or "no matrix", allowed="one matrix"
        )
    return _Table(f"{name}.{own[0]}", columns=isinstance(part, torch.nn.Linear))


def _rows_first(W: Any, table: _Table) -> Any:
    if W.ndim != 2:
        raise UsageError(f"{table.parameter} is no matrix", got=tuple(W.shape), allowed="two axes")
    return W.T if table.columns else W


def _submodule(module: Any, name: str, more: Sequence[str] | dict[str, Any] = ()) -> Any:
    known = dict(module.named_modules())
    if name not in known or not name:
        names = [part for part in (*known, *more) if part]
        meant = did_you_mean(name, names)
        few = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
        raise UsageError(
            "the module has no such part",
            got=name,
            allowed=None if meant else few,
            next_step=meant,
        )
    return known[name]


def _places(inputs: Callable[[Any, Any], Any], p: int, device: Any) -> _Places:
    """Find where x and y stand, by asking for the inputs of a few pairs."""
    import torch

    last = p - 1
    x, y = (torch.tensor(a, device=device) for a in ([0, 1, 0, last, 0], [0, 0, 1, 0, last]))
    made = inputs(x, y)
    whole = made.ndim == 2 and not made.is_floating_point()
    at = [torch.nonzero(made[i] != made[0]).ravel().tolist() if whole else [] for i in (1, 2)]
    for name, where, row in zip("xy", at, (3, 4), strict=True):
        moves = len(where) == 1 and int(made[row, where[0]] - made[0, where[0]]) == last
        moves = moves and at[0] != at[1]
        if not moves:
            raise UsageError(
                f"tokens do not hold {name} at one position",
                got=f"{made[:3].tolist()} for (0, 0), (1, 0), (0, 1)",
                allowed="whole numbers, each residue plus a fixed number, and fixed tokens",
                next_step="for example tokens=lambda x, y: (x, y, p)",
            )
    found = at[0][0], at[1][0]
    return _Places(made[:1], found, (int(made[0, found[0]]), int(made[0, found[1]])))
