"""Values of a policy that pays a regulariser at every step, the policy that is best then, and its certificate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mdplab.arrays import (
    Array,
    ball,
    expand,
    floats,
    is_exact,
    largest,
    namespace,
    number,
    rational,
    rounding,
    sup,
    total,
)
from mdplab.exact.enclosure import enclosure, lower, midpoints, product_rounding, unit_ball, upper
from mdplab.exact.regularisers import Regulariser
from mdplab.exact.values import discounted_sum
from mdplab.models import DiscountedMDP


@dataclass(frozen=True, eq=False)
class RegularisedOptimum:
    """The best that a policy can do when it pays Ω(π(· | s)) in every state that it visits.

    Attributes
    ----------
    v, q, π : array (..., S), (..., S, A) and (..., S, A)
        Regularised optimal values, action values, and the one policy that attains them.  For exact models balls that
        enclose the true numbers.
    low, high : array (..., S)
        A certificate: low <= v* <= high, with the rounding of its own evaluation counted in.
    """

    v: Array
    q: Array
    π: Array
    low: Array
    high: Array


def regularised_values(mdp: DiscountedMDP, regulariser: Regulariser, π: Array) -> Array:
    """v^π_Ω(s), reward minus Ω(π(· | s)), discounted;  (..., S, A) -> (..., S).

    References
    ----------
    :cite:`geist2019`, Section 3.
    """
    P, r = mdp.under(π)
    return discounted_sum(mdp, P, r - regulariser.value(π))


def regularised_bellman(mdp: DiscountedMDP, regulariser: Regulariser, v: Array) -> Array:
    """(T_Ω v)(s) = max_π ⟨π, q(s, ·)⟩ − Ω(π), q the action values of v: a γ-contraction;  (..., S) -> (..., S)."""
    return regulariser.conjugate(mdp.action_values(v))


def regularised_optimum(mdp: DiscountedMDP, regulariser: Regulariser) -> RegularisedOptimum:
    """The regularised optimal values and policy, by regularised policy iteration, which is Newton's method here.

    For exact models Newton's method goes on in balls from the float64 solution, and the result is an enclosure whose
    width is that of the working precision.

    References
    ----------
    :cite:`geist2019`; bounds as in :cite:`macqueen1966`.
    """
    return _in_balls(mdp, regulariser) if is_exact(mdp.P) else _in_floats(mdp, regulariser)


def _improved(mdp: DiscountedMDP, Ω: Regulariser, v: Array) -> Array:
    return regularised_values(mdp, Ω, Ω.greedy(mdp.action_values(v)).π)


def _in_floats(mdp: DiscountedMDP, Ω: Regulariser) -> RegularisedOptimum:
    xp = namespace(mdp.P)
    v = regularised_values(mdp, Ω, Ω.greedy(mdp.r).π)
    while True:
        new = _improved(mdp, Ω, v)
        rises = total(new) > total(v)  # by mathematics always; a model rests where rounding hides it
        if not xp.any(rises):
            break
        v = xp.where(expand(rises, 1), new, v)
    q = mdp.action_values(v)
    Tv = Ω.conjugate(q)
    # ⟨π, q⟩ − Ω(π) for the policy at hand: sums of A products, and their factors are off by a few roundings each.
    size = largest(abs(q), 2) + largest(abs(Tv))
    slack = product_rounding(mdp.S, mdp.r, mdp.γ(0), v) + rounding(8 * mdp.A + 64) * size
    low, high = enclosure(mdp.γ(0), total(mdp.P), v, Tv, slack)
    return RegularisedOptimum(v, q, Ω.greedy(q).π, low, high)


def _in_balls(mdp: DiscountedMDP, Ω: Regulariser) -> RegularisedOptimum:
    v = _balls(rational(_in_floats(mdp.floats(), _in_float_arithmetic(Ω)).v))
    error = _error(mdp, Ω, v)
    while True:
        new = midpoints(_improved(mdp, Ω, v))
        new_error = _error(mdp, Ω, new)
        shrinks = np.asarray(2 * new_error < error, dtype=bool)  # if not, the working precision is used up
        if not shrinks.any():
            break
        v, error = np.where(expand(shrinks, 1), new, v), np.where(shrinks, new_error, error)
    v = v + expand(error, 1) * unit_ball()
    q = mdp.action_values(v)
    return RegularisedOptimum(v, q, Ω.greedy(q).π, lower(v), upper(v))


def _error(mdp: DiscountedMDP, Ω: Regulariser, v: Array) -> Array:
    # |v* − v| <= |T_Ω v − v| / (1 − γ), rounded upwards.
    return upper(sup(regularised_bellman(mdp, Ω, v) - v) / _balls(1 - mdp.γ(0)))


def _balls(x: Any) -> Any:
    return np.frompyfunc(ball, 1, 1)(x)


def _in_float_arithmetic(Ω: Regulariser) -> Regulariser:
    def convert(x: Any) -> Any:
        return floats(x) if isinstance(x, np.ndarray) else number(x)

    return replace(Ω, **{name: convert(x) for name, x in vars(Ω).items()})
