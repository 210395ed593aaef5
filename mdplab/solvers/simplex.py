"""Euclidean projection onto the probability simplex."""

from __future__ import annotations

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, maximum, minimum, namespace, rational


def project_to_simplex(x: Array) -> Array:
    """The distribution nearest to each row of `x` in Euclidean distance;  (..., A) -> (..., A).

    Parameters
    ----------
    x : array (..., A)

    Returns
    -------
    array (..., A)
        max(x − λ, 0), where λ makes the row sum to one: exactly in rationals, enclosed in balls.

    Notes
    -----
    With the entries sorted downwards, Σ_{i<=k} (x_i − λ) <= Σ_i max(x_i − λ, 0) = 1 for every k, with equality where k
    counts the support.  Hence λ = max_k (Σ_{i<=k} x_i − 1) / k: the rule of :cite:`held1974` without its search for
    the support, so that balls pass through it as well.
    """
    top = _sums_of_the_largest(x)
    if is_exact(x):
        ranks = rational(np.arange(1, x.shape[-1] + 1))
    else:
        ranks = namespace(x).arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    λ = largest((top - 1) / ranks)
    return maximum(x - expand(λ, 1) if x.ndim > 1 else x - λ, 0 * x)


def _sums_of_the_largest(x: Array) -> Array:
    """Sum of the k largest entries, k = 1, ..., A;  (..., A) -> (..., A)."""
    if not is_exact(x):
        xp = namespace(x)
        return xp.cumulative_sum(xp.sort(x, axis=-1, descending=True), axis=-1)
    # A sorting network: its order statistics are enclosures where balls overlap, and no comparison is branched on.
    x = np.array(x, dtype=object)
    for end in range(x.shape[-1] - 1, 0, -1):
        for i in range(end):
            x[..., i], x[..., i + 1] = maximum(x[..., i], x[..., i + 1]), minimum(x[..., i], x[..., i + 1])
    return np.cumsum(x, axis=-1)
