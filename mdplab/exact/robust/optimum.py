"""The least worst cost: robust values of the best policy, and a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import (
    Array,
    ball,
    expand,
    is_ball,
    is_exact,
    largest,
    namespace,
    precision,
    rational,
    smallest,
    total,
)
from mdplab.errors import MdplabError
from mdplab.exact.enclosure import enclosure, hull, lower, product_rounding, upper
from mdplab.exact.robust.evaluation import kernel_values, worst_case
from mdplab.exact.robust.responses import robust_bellman, saddle_point
from mdplab.models.robust import RobustMDP


@dataclass(frozen=True, eq=False)
class RobustOptimum:
    """The least worst-case cost from every state at once.

    Attributes
    ----------
    v : array (..., S)
        v* = T v*, T the robust Bellman operator.
    policy : array (..., S, A)
        One optimal policy: deterministic for (s,a)-rectangular sets, random in general for s-rectangular ones.
    kernel : array (..., S, A, S)
        A worst kernel for it.
    low, high : array (..., S)
        low <= v* <= high, with the rounding of the evaluation counted in; equal to v in rationals for (s,a)-rectangular
        sets, whose optimum is rational.
    """

    v: Array
    policy: Array
    kernel: Array
    low: Array
    high: Array


def robust_optimum(mdp: RobustMDP) -> RobustOptimum:
    """Robust policy iteration until the values rest: exact for rational (s,a)-rectangular models.

    The optimum of a rational s-rectangular model need not be rational, nor that for balls of a divergence; there v is a
    ball in the current precision.

    Raises
    ------
    MdplabError
        If the set is not rectangular: then no policy need be best from every state, and finding one is hard.

    References
    ----------
    :cite:`iyengar2005`; :cite:`wiesemann2013`; :cite:`ho2021` for robust policy iteration.
    """
    if mdp.ambiguity.rectangular == "no":
        raise MdplabError(f"{type(mdp.ambiguity).__name__} is not rectangular: there is no robust Bellman operator")
    if not is_exact(mdp.P):
        return _in_floats(mdp)
    if is_ball(mdp.P) or is_ball(mdp.c):
        raise MdplabError("a robust model is solved in float64 or in rationals; its balls are not supported")
    return _in_rationals(mdp) if mdp.ambiguity.rectangular == "pairs" else _in_balls(mdp)


def _in_floats(mdp: RobustMDP) -> RobustOptimum:
    xp = namespace(mdp.P)
    slack = _slack(mdp)
    _, π = robust_bellman(mdp, 0 * mdp.P[..., 0, 0])
    case = worst_case(mdp, π)
    v, kernel = case.v, case.kernel
    while True:
        Tv, improved = robust_bellman(mdp, v)
        better = Tv < v - expand(slack, 1)
        if not xp.any(better):
            break
        candidate = xp.where(better[..., None], improved, π)
        case = worst_case(mdp, candidate)
        falls = total(case.v) < total(v)
        if not xp.any(falls):  # only rounding is left
            break
        v = xp.where(expand(falls, 1), case.v, v)
        kernel = xp.where(expand(falls, 3), case.kernel, kernel)
        π = xp.where(expand(falls, 2), candidate, π)
    Tv, _ = robust_bellman(mdp, v)
    low, high = enclosure(mdp.γ(0), total(mdp.P), v, Tv, slack)
    return RobustOptimum(v, π, kernel, low, high)


def _in_rationals(mdp: RobustMDP) -> RobustOptimum:
    # Starts where float64 ends, so that one exact evaluation is the rule.
    π = rational(np.rint(_rough(mdp).policy).astype(int))
    while True:
        case = worst_case(mdp, π)
        Tv, improved = robust_bellman(mdp, case.v)
        better = np.asarray(Tv < case.v, dtype=bool)
        if not better.any():
            break
        π = np.where(better[..., None], improved, π)

    if not is_ball(case.v):
        return RobustOptimum(case.v, π, case.kernel, case.v, case.v)
    low, high = _ends(mdp, case.v, Tv)
    return RobustOptimum(hull(low, high), π, case.kernel, low, high)


def _ends(mdp: RobustMDP, v: Array, Tv: Array) -> tuple[Array, Array]:
    """Bounds on v* from v and T v, as balls of radius zero."""
    scale, balls = mdp.γ(1) / (1 - mdp.γ(1)), np.frompyfunc(ball, 1, 1)
    low, high = (Tv + scale * expand(end(Tv - v), 1) for end in (smallest, largest))
    return lower(balls(low)), upper(balls(high))


def _in_balls(mdp: RobustMDP) -> RobustOptimum:
    """Newton's method for v = T v, which about doubles the digits, with bounds from the last step."""
    bits = precision() + 16
    v, width = _dyadic(_rough(mdp).v, 60), None
    while True:
        Tv, policy, p = saddle_point(mdp, v)
        scale = mdp.γ(1) / (1 - mdp.γ(1))
        bounds = [Tv + scale * expand(end(Tv - v), 1) for end in (smallest, largest)]
        new_width = np.asarray(largest(bounds[1] - bounds[0])).max()
        if width is not None and new_width >= width:
            break
        (low, high), π, width = bounds, policy, new_width
        if width == 0:
            break
        v = _dyadic(kernel_values(mdp, policy, p), bits)
    π = _dyadic_rows(π, bits)
    kernel = worst_case(mdp, π).kernel
    if width == 0:
        return RobustOptimum(low, π, kernel, low, high)
    balls = np.frompyfunc(ball, 1, 1)
    low, high = lower(balls(low)), upper(balls(high))
    return RobustOptimum(hull(low, high), π, kernel, low, high)


def _rough(mdp: RobustMDP) -> RobustOptimum:
    return _in_floats(mdp.floats())


def _dyadic(x: Array, bits: int) -> Array:
    """The nearest multiples of 2^−bits below, as rationals."""
    scale = 1 << bits
    rows = rational(x)
    out = np.empty(rows.shape, dtype=object)
    for i in np.ndindex(rows.shape):
        y: Any = rows[i] * scale
        out[i] = rational((int(y.p) // int(y.q)) if hasattr(y, "p") else y.numerator // y.denominator)[()] / scale
    return out


def _dyadic_rows(π: Array, bits: int) -> Array:
    rows = _dyadic(π, bits)
    for index in np.ndindex(rows.shape[:-1]):
        row = rows[index]
        top = max(range(len(row)), key=row.__getitem__)
        row[top] += 1 - sum(row)
    return rows


def _slack(mdp: RobustMDP) -> Array:
    c = mdp.cost_bound
    return product_rounding(2 * mdp.S + mdp.A, c[..., None, None], mdp.γ(0), c[..., None] / (1 - mdp.γ(1)))
