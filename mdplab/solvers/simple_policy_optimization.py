"""Simple policy optimisation, exactly: ratios are drawn to one by a square, with the advantage as its weight."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, maximum, namespace, total
from mdplab.exact import advantages
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned
from mdplab.solvers.trust_region import PolicyIterate


def simple_policy_optimization(
    mdp: DiscountedMDP, π: Array | None = None, *, clip: Any = 0.2, at: Iterable[int] | None = None
) -> Iterator[PolicyIterate]:
    """Yield the iterates of max Σ_a π_k(a) (r A(a) − |A(a)| (r − 1)² / (2 ε)), r = π / π_k, in each state, without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        In float64 or rationals.
    π : array (..., S, A), optional
        First policy; uniform by default.
    clip : number or array (...,), optional
        ε > 0.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π` or `clip` has the wrong shape.

    References
    ----------
    :cite:`spo2024`.
    """
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    return thinned(_run(mdp, first, per_model(mdp, "clip", clip)), at)


def _run(mdp: DiscountedMDP, π: Array, clip: Any) -> Iterator[PolicyIterate]:
    for k in count():
        yield PolicyIterate(k, π)
        π = penalised_maximiser(π, advantages(mdp, π), clip)


def penalised_maximiser(π: Array, A: Array, clip: Any) -> Array:
    """The policy that maximises the objective of simple policy optimisation in each state;  (..., S, A) twice -> same.

    Parameters
    ----------
    π, A : array (..., S, A)
        Old policy, and advantages with Σ_a π A = 0; float64 or rationals.
    clip : number or array (...,)
        ε > 0.

    Notes
    -----
    π'(a) = max(0, p(a) − c w(a)) with p = π (1 + ε sign A) and w = ε π / |A|, where c makes it a policy.  As in the
    projection onto the simplex, c = max_k (Σ_{i<=k} p − 1) / Σ_{i<=k} w over the actions sorted by the p / w at which
    they come in.  Actions without advantage cost nothing: they take what is left once c has fallen to zero.
    """
    ε, zero = expand(clip, 2), 0 * A
    idle = A == 0
    size = _where(idle, zero + 1, abs(A))
    w = _where(idle, zero, ε * π / size)
    p = _where(idle, zero, π + ε * _where(A > 0, π, -π))
    enters = A + abs(A) / ε
    in_first = enters[..., None, :] >= enters[..., :, None]
    sums, totals = (total(_where(in_first, x[..., None, :], 0 * x[..., :, None])) for x in (p, w))
    some = totals > 0
    levels = _where(some, (sums - 1) / _where(some, totals, zero + 1), zero)
    level = largest(_where(some, levels, zero - largest(size, 1)[..., None] - 1 / ε))
    parked = total(_where(idle, π, zero))
    level = _where(parked > 0, maximum(level, 0 * level), level)
    new = maximum(p - level[..., None] * w, zero)
    left = 1 - total(new)
    share = _where(idle, π, zero) / _where(parked > 0, parked, 0 * parked + 1)[..., None]
    new = new + share * maximum(left, 0 * left)[..., None]
    return new / total(new)[..., None]  # a sum of one, but for rounding where an advantage is tiny


def _where(mask: Array, x: Array, y: Array) -> Array:
    if is_exact(x) or is_exact(y):
        mask, x, y = np.broadcast_arrays(np.asarray(mask, dtype=bool), x, y)
        return np.where(mask, x, y)
    return namespace(x).where(mask, x, y)
