"""Sizes of weights."""

from typing import Any

from jaxtyping import Float

from grokscope.spectra._namespace import namespace_of, real_array


def l2_norm(matrix: Float[Any, "..."]) -> Float[Any, ""]:
    """Square root of the sum of the squared entries (Frobenius norm).

    **Arguments:**

    - `matrix`: any number of axes; NumPy, JAX or PyTorch.

    **Returns:** the norm, in the units of the entries.
    """
    matrix = real_array(matrix)
    xp = namespace_of(matrix)
    # ‖W‖ = √(Σ w²)
    return xp.sqrt(xp.sum(matrix**2))
