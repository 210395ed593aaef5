"""How little a softmax policy's Fisher information can be, in directions that move the policy."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, expand, is_exact, namespace, precision, smallest, total
from mdplab.exact.visits import occupancy
from mdplab.models import DiscountedMDP

HALVINGS = 64  # in float64, where 53 of them reach the last bit


def least_information(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """μ_F⁺ = min over s of the second smallest eigenvalue of d^π(s) (diag π_s − π_s π_s^T);  (..., S, A) -> (...).

    The smallest eigenvalue of each block is zero: adding a constant to the logits of a state moves no policy.  With one
    action there is no other, and 1 stands for it.
    """
    return smallest(occupancy(mdp, π, start) * second_eigenvalue(π))


def second_eigenvalue(π: Array) -> Array:
    """The second smallest eigenvalue of diag π − π π^T for each row of π > 0;  (..., A) -> (...).

    The eigenvalues other than zero and the repeated entries of π solve Σ_a π_a / (π_a − x) = 0, so that the second one
    lies between the two smallest entries, where the sum rises from −∞ to ∞: found by halving, and enclosed in balls.
    """
    if π.shape[-1] == 1:
        return 1 + 0 * π[..., 0]
    if π.shape[-1] == 2:
        return 2 * π[..., 0] * π[..., 1]
    if not is_exact(π):
        return _in_floats(π)
    out = np.empty(π.shape[:-1], dtype=object)
    for i in np.ndindex(out.shape):
        out[i] = _in_balls([ball(p) for p in π[i]])
    return out


def _in_floats(π: Array) -> Array:
    xp = namespace(π)
    ordered = xp.sort(π, axis=-1)
    low, high = ordered[..., 0], ordered[..., 1]
    for _ in range(HALVINGS):
        x = (low + high) / 2
        away = π - expand(x, 1) if π.ndim > 1 else π - x
        pole = xp.any(away == 0, axis=-1)
        rises = total(π / xp.where(away == 0, 1 + 0 * away, away)) > 0
        low, high = xp.where(pole | rises, low, x), xp.where(~pole & ~rises, high, x)
    return (low + high) / 2


def _in_balls(p: list[Any]) -> Any:
    least, following = sorted(p, key=lambda x: float(x.mid()))[:2]
    low, high = least, following
    for _ in range(precision()):
        x = ((low + high) / 2).mid()
        if not all(y < x or y > x for y in p):
            break
        excess = sum(y / (y - x) for y in p)
        if excess > 0:
            high = x
        elif excess < 0:
            low = x
        else:
            break
    return low.union(high)
