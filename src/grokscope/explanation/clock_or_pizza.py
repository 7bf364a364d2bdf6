"""Clock or pizza: how a network joins the circles of x and y."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from grokscope.explanation.findings import Algorithm, ClockOrPizza
from grokscope.explanation.in_basis import NetworkInBasis
from grokscope.explanation.network import Gradients
from grokscope.explanation.patching import embedding_vectors
from grokscope.fourier.characters import Characters, Table
from grokscope.measures.spectral import LARGEST_UNTESTABLE

SAMPLES: Final = 2048
PRINCIPAL: Final = 4
"""Principal components of W_E whose circularity is averaged."""
SYMMETRIC: Final = 0.9
"""Gradient symmetricity from which the circles are added. Built pizzas have 1.00, published ones
0.99; trained networks with u = v had 0.98 to 1.00, those with u ≠ v −0.23 to 0.0."""
ASYMMETRIC: Final = 0.5
"""Gradient symmetricity up to which they are not. Built clocks have 0.0, published ones 0.33."""
HALF: Final = 0.5**0.5
"""Distance irrelevance at which u(x) − v(y) explains half of the correct logit's variance, as
σ_d/σ = √(1 − R²). Built pizzas have 0.0, published ones about 0.2 and clocks 0.85, noise 1."""
CONSTANT: Final = 0.01
"""Standard deviation of the correct logit, as a share of its size, below which it is constant."""


def clock_or_pizza(network: NetworkInBasis, frequencies: Sequence[int]) -> ClockOrPizza:
    """Return which algorithm the network uses, by the numbers of Zhong et al.

    **Arguments:** the network and its structure; the key frequencies.
    """
    structure = network.basis.structure
    testable = len(frequencies) > 0 and network.basis.n > LARGEST_UNTESTABLE
    if not testable or not network.defined.any():
        return ClockOrPizza(circularity=circularity(network))
    gradients = _gradients(network)
    symmetricity = None if gradients is None else _symmetricity(network, frequencies, gradients)
    same = np.array_equal(structure.u, structure.v) and network.network.shared
    irrelevance = distance_irrelevance(network)
    return ClockOrPizza(
        gradient_symmetricity=symmetricity,
        plain_symmetricity=_mean_cosine(*gradients) if same and gradients is not None else None,
        distance_irrelevance=irrelevance,
        circularity=circularity(network),
        kind=clock_or_pizza_word(symmetricity, irrelevance),
    )


def clock_or_pizza_word(symmetricity: float | None, irrelevance: float | None) -> Algorithm | None:
    """Return what two numbers say together: `neither` where they disagree or lie between.

    **Arguments:** gradient symmetricity and distance irrelevance, None where not known.
    """
    if symmetricity is None or irrelevance is None:
        return None
    if symmetricity >= SYMMETRIC and irrelevance <= HALF:
        return "pizza"
    return "clock" if symmetricity <= ASYMMETRIC and irrelevance > HALF else "neither"


def distance_irrelevance(network: NetworkInBasis) -> float | None:
    """Return the mean over d of the correct logit's deviation along u(x) − v(y) = d, over that of
    all defined pairs; 1 for a logit that is the same at all pairs."""
    defined, structure = network.defined, network.basis.structure
    if not defined.any():
        return None
    right = np.take_along_axis(network.logits, network.labels[:, :, None], axis=2)[:, :, 0]
    values = right[defined].astype(np.float64)
    if values.std() <= CONSTANT * np.sqrt(np.mean(values**2)):
        return 1.0
    distance = ((structure.u[:, None] - structure.v) % structure.n)[defined]
    count = np.bincount(distance)
    held = count > 0
    # σ_d² = mean (z − mean_d z)² along each d
    mean = np.bincount(distance, values)[held] / count[held]
    middle = np.zeros(len(count))
    middle[held] = mean
    square = np.bincount(distance, (values - middle[distance]) ** 2)[held] / count[held]
    return float(np.mean(np.sqrt(square)) / values.std())


def circularity(network: NetworkInBasis) -> float | None:
    """Return the mean circularity of W_E's first four principal components, None without W_E.

    Of the coordinates u and v the one in which they are more circular; None for W_E = constant.
    Circles of the same size have no principal components of their own, and come out low.
    """
    characters = network.basis.inputs
    if network.network.embedding is None:
        return None
    centred = characters.centred(network.embedding)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    components = left[:, :PRINCIPAL][:, singular[:PRINCIPAL] > 0]
    if not components.shape[1] or not characters.n_frequencies:
        return None
    return max(_circularity(part, characters, components) for part in characters.parts)


def _circularity(
    part: Float[np.ndarray, "freq p 2"], characters: Characters, components: Table
) -> float:
    # c = ¼ Σ_v max_k (2 / (p Σ_j v_j²)) |Σ_j v_j e^{2πi k u_j/n}|², which is the share of v in the
    # plane of k, the Nyquist frequency and coordinates that are not injective included
    shares = np.sum(np.matmul(part.swapaxes(1, 2), components) ** 2, axis=1)
    return float(np.sum(shares.max(axis=0)) / min(PRINCIPAL, characters.inside.sum()))


def _gradients(network: NetworkInBasis) -> Gradients | None:
    """Gradients at sampled defined pairs, with a random answer each; None where none are known."""
    if network.network.gradients_of is None:
        return None
    rng, p = np.random.default_rng(0), network.p
    pairs = rng.permutation(np.flatnonzero(network.defined))[:SAMPLES]
    answers = rng.choice(np.flatnonzero(network.basis.answers.inside), size=len(pairs))
    return network.network.gradients_of(*np.divmod(pairs, p), answers)


def _symmetricity(
    network: NetworkInBasis, frequencies: Sequence[int], gradients: Gradients
) -> float | None:
    """Mean cosine of the gradients with respect to the characters of x and to those of y."""
    whole = network.network
    return _mean_cosine(
        _in_characters(gradients.of_x, whole.of_x(embedding_vectors(network, frequencies, "u"))),
        _in_characters(gradients.of_y, whole.of_y(embedding_vectors(network, frequencies, "v"))),
    )


def _in_characters(
    gradient: Float[np.ndarray, "pair d_model"], vectors: Float[np.ndarray, "freq 2 d_model"]
) -> Float[np.ndarray, "pair mode"]:
    """Gradient with respect to the coefficients of (cos, sin) of every key."""
    # ∂/∂a_k = f_k · ∂/∂E for E = Σ_k a_k f_k
    return gradient @ vectors.reshape(-1, vectors.shape[-1]).T


def _mean_cosine(
    a: Float[np.ndarray, "pair column"], b: Float[np.ndarray, "pair column"]
) -> float | None:
    """Mean cosine similarity of two rows, over pairs at which neither is 0."""
    size = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    held = size > 0
    return float(np.mean(np.sum(a * b, axis=1)[held] / size[held])) if held.any() else None
