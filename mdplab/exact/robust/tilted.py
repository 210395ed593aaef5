"""The adversary within balls of a divergence, Kullback–Leibler and χ², by bisection in float64.

In exact arithmetic see `mdplab.exact.robust.certified`.
"""

from __future__ import annotations

from collections.abc import Callable

from mdplab.arrays import Array, expand, largest, namespace, sqrt, total

STEPS = 200  # of bisection over 80 orders of magnitude: far below rounding


def kl_response(P: Array, z: Array, κ: Array) -> Array:
    """argmax p·z over KL(p ‖ P) <= κ;  (..., n), κ (...) -> (..., n).

    p ∝ P exp(z / λ) with the λ that spends the budget, or P given the dearest successors where even that is affordable.

    References
    ----------
    :cite:`nilim2005`, Section 5.
    """
    xp = namespace(P)
    z, spread = _centred(P, z)

    def tilt(t: Array) -> Array:
        return _normalised(P * xp.exp(z / (t * spread)[..., None]))

    def budget(p: Array) -> Array:
        return total(p * xp.log(xp.where(p > 0, p / xp.where(P > 0, P, 1.0), 1.0)))

    return _spend(tilt, budget, P, z, κ)


def chi_square_response(P: Array, z: Array, κ: Array) -> Array:
    """argmax p·z over Σ (p − P)² / P <= κ;  (..., n), κ (...) -> (..., n).

    p ∝ P max(z − η, 0) with the η that spends the budget, or P given the dearest successors.
    """
    xp = namespace(P)
    z, spread = _centred(P, z)

    def tilt(t: Array) -> Array:
        return _normalised(P * xp.maximum(z + (t * spread)[..., None], 0.0))

    def budget(p: Array) -> Array:
        return total((p - P) ** 2 / xp.where(P > 0, P, 1.0))

    return _spend(tilt, budget, P, z, κ)


def kl_dual(P: Array, z: Array, κ: Array, λ: Array) -> Array:
    """λκ + λ log Σ P exp(z / λ), at least the worst value for every λ > 0;  (..., n), κ and λ (...) -> (...)."""
    top = largest(z)
    xp = namespace(P)
    return λ * κ + top + λ * xp.log(total(P * xp.exp((z - top[..., None]) / λ[..., None])))


def chi_square_dual(P: Array, z: Array, κ: Array, η: Array) -> Array:
    """η + sqrt((1 + κ) Σ P max(z − η, 0)²), at least the worst value for every η;  -> (...)."""
    xp = namespace(P)
    return η + sqrt((1 + κ) * total(P * xp.maximum(z - η[..., None], 0.0) ** 2))


def _centred(P: Array, z: Array) -> tuple[Array, Array]:
    """z less its largest entry on the nominal successors (elsewhere −inf would do: −0), and its range there."""
    xp = namespace(P)
    top = largest(xp.where(P > 0, z, -xp.inf))
    z = xp.where(P > 0, z - expand(top, 1), 0.0)
    spread = largest(-z)
    return z, xp.where(spread > 0, spread, 1.0)


def _normalised(weights: Array) -> Array:
    return weights / total(weights)[..., None]


def _spend(tilt: Callable[[Array], Array], budget: Callable[[Array], Array], P: Array, z: Array, κ: Array) -> Array:
    xp = namespace(P)
    dearest = _normalised(xp.where((z == 0) & (P > 0), P, 0.0))
    lo, hi = xp.full(κ.shape, -40.0), xp.full(κ.shape, 40.0)  # exponents of e; budgets fall as t grows
    for _ in range(STEPS):
        middle = (lo + hi) / 2
        affordable = budget(tilt(xp.exp(middle))) <= κ
        lo, hi = xp.where(affordable, lo, middle), xp.where(affordable, middle, hi)
    p = xp.where(expand(budget(dearest) <= κ, 1), dearest, tilt(xp.exp(hi)))
    return xp.where(expand(κ > 0, 1), p, P)
