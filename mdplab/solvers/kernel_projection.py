"""Euclidean projection of kernels onto ambiguity sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, is_exact, maximum, minimum, namespace, total
from mdplab.errors import MdplabError
from mdplab.exact.robust.box import linf_box
from mdplab.models.robust import RobustMDP

STEPS = 100  # of bisection: below rounding for numbers of the size of probabilities and gradients


def project_to_set(mdp: RobustMDP, x: Array) -> Array:
    """The kernel of the set that is nearest to `x` in Euclidean distance;  (..., S, A, S) -> (..., S, A, S).

    A formula for segments (in every arithmetic), bisection in float64 for boxes, L∞ balls and (s,a)-rectangular L1
    balls.

    Raises
    ------
    MdplabError
        For other sets.
    """
    u: Any = mdp.ambiguity
    name = type(u).__name__
    if name in ("Segments", "StateSegments"):
        axes = 1 if name == "Segments" else 2
        way = u.other - mdp.P
        length = total(way * way, axes)[(...,) + (None,) * axes]
        share = total((x - mdp.P) * way, axes)[(...,) + (None,) * axes]
        share = share / _where(length > 0, length, 0 * length + 1)
        share = maximum(minimum(share, 0 * share + 1), 0 * share)
        return mdp.P + share * way
    if is_exact(x):
        raise MdplabError(f"kernels are projected onto a {name} by bisection; take mdp.floats()")
    if name == "Box":
        return _onto_box(u.low, u.high, x)
    if name == "LInfBall":
        mask = mdp.P >= 0 if u.beyond_support else mdp.P > 0
        return _onto_box(*linf_box(mdp.P, u.budget, mask.astype(float)), x)
    if name == "L1Ball":
        mask = mdp.P >= 0 if u.beyond_support else mdp.P > 0
        return _onto_l1(mdp.P, u.budget[..., None], mask, x)
    raise MdplabError(
        f"there is no projection onto a {name}; expected Segments, StateSegments, Box, LInfBall or L1Ball"
    )


def _onto_box(low: Array, high: Array, x: Array) -> Array:
    """clip(x − ν, low, high) with the ν that makes rows sum to one."""
    lo = (x - high).min(axis=-1, keepdims=True)
    hi = (x - low).max(axis=-1, keepdims=True)
    for _ in range(STEPS):
        ν = (lo + hi) / 2
        heavy = np.clip(x - ν, low, high).sum(axis=-1, keepdims=True) > 1
        lo, hi = np.where(heavy, ν, lo), np.where(heavy, hi, ν)
    return np.clip(x - (lo + hi) / 2, low, high)


def _onto_l1(P: Array, κ: Array, mask: Array, x: Array) -> Array:
    """P + what soft thresholding by μ leaves of x − ν − P, never below zero: ν for the sum, μ for the budget."""

    def thresholded(μ: Array) -> Array:
        reach = abs(x).max(axis=-1, keepdims=True) + 2 + μ
        lo, hi = -reach, reach
        for _ in range(STEPS):
            ν = (lo + hi) / 2
            heavy = _soft(P, x - ν, μ, mask).sum(axis=-1, keepdims=True) > 1
            lo, hi = np.where(heavy, ν, lo), np.where(heavy, hi, ν)
        return _soft(P, x - (lo + hi) / 2, μ, mask)

    free = thresholded(0 * κ)
    fits = abs(free - P).sum(axis=-1, keepdims=True) <= κ
    if fits.all():
        return free
    lo, hi = 0 * κ, 2 * abs(x - P).max(axis=-1, keepdims=True) + 2
    for _ in range(STEPS):
        μ = (lo + hi) / 2
        far = abs(thresholded(μ) - P).sum(axis=-1, keepdims=True) > κ
        lo, hi = np.where(far, μ, lo), np.where(far, hi, μ)
    return np.where(fits, free, thresholded(hi))


def _soft(P: Array, y: Array, μ: Array, mask: Array) -> Array:
    away = y - P
    return np.maximum(P + np.sign(away) * np.maximum(abs(away) - μ, 0), 0) * mask


def _where(mask: Array, x: Array, y: Array) -> Array:
    return np.where(np.asarray(mask, dtype=bool), x, y) if is_exact(x) else namespace(x).where(mask, x, y)


def project_to_l1_ball(x: Array, centre: Array, radius: Array) -> Array:
    """The point nearest to `x` (..., n) in the L1 ball around `centre`, of `radius` (...,); float64.

    References
    ----------
    :cite:`held1974` for the simplex, to which it reduces.
    """
    from mdplab.solvers.simplex import project_to_simplex

    way, r = x - centre, np.asarray(radius)[..., None]
    inside = abs(way).sum(axis=-1, keepdims=True) <= r
    shrunk = r * project_to_simplex(abs(way) / np.where(r > 0, r, 1)) * np.sign(way)
    return centre + np.where(inside, way, shrunk)
