"""The best policy when entropy is worth τ a nat, with a certificate, and how far any other policy is from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import (
    Array,
    exp,
    expand,
    floats,
    is_exact,
    log_softmax,
    namespace,
    one_hot,
    rational,
    rounding,
    sup,
    total,
)
from mdplab.exact.enclosure import enclosure, lower, midpoints, product_rounding, unit_ball, upper
from mdplab.exact.soft import finite_logs, soft_values, temperature
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP


@dataclass(frozen=True, eq=False)
class SoftOptimum:
    """The best that a policy can do when its entropy counts.

    Attributes
    ----------
    v, q, log_π : array (..., S), (..., S, A) and (..., S, A)
        Soft optimal values, action values, and the logarithm of the one optimal policy π*_τ = softmax(q / τ).
        For exact models balls that enclose the true numbers.
    low, high : array (..., S)
        A certificate: low <= Ṽ* <= high, with the rounding of its own evaluation counted in.
    """

    v: Array
    q: Array
    log_π: Array
    low: Array
    high: Array


def soft_optimum(mdp: DiscountedMDP, τ: Any) -> SoftOptimum:
    """The soft optimal values and policy for τ > 0, by soft policy iteration, which is Newton's method here.

    For exact models Newton's method goes on in balls from the float64 solution, and the result is an enclosure whose
    width is that of the working precision.

    References
    ----------
    :cite:`cen2022`; bounds as in :cite:`macqueen1966`.
    """
    return _in_balls(mdp, τ) if is_exact(mdp.P) else _in_floats(mdp, τ)


def _in_floats(mdp: DiscountedMDP, τ: Any) -> SoftOptimum:
    xp, scale = namespace(mdp.P), expand(τ, 2)
    v = soft_values(mdp, log_softmax(mdp.r / scale), τ)
    while True:
        new = soft_values(mdp, log_softmax(mdp.action_values(v) / scale), τ)
        rises = total(new) > total(v)  # by mathematics always; a model rests where rounding hides it
        if not xp.any(rises):
            break
        v = xp.where(expand(rises, 1), new, v)
    q = mdp.action_values(v)
    # The log of a sum of A exponentials costs τ (1 + log A) times the rounding of A + 8 operations on top.
    slack = product_rounding(mdp.S, mdp.r, mdp.γ(0), v) + τ * rounding(2 * mdp.A + 16) * (1 + math.log(mdp.A))
    low, high = enclosure(mdp.γ(0), total(mdp.P), v, _backup(q, τ), slack)
    return SoftOptimum(v, q, log_softmax(q / scale), low, high)


def _in_balls(mdp: DiscountedMDP, τ: Any) -> SoftOptimum:
    v = rational(_in_floats(mdp.floats(), floats(τ)).v)
    τ = temperature(mdp, τ)
    error = _error(mdp, v, τ)
    while True:
        new = midpoints(soft_values(mdp, log_softmax(mdp.action_values(v) / expand(τ, 2)), τ))
        new_error = _error(mdp, new, τ)
        shrinks = np.asarray(2 * new_error < error, dtype=bool)  # if not, the working precision is used up
        if not shrinks.any():
            break
        v, error = np.where(expand(shrinks, 1), new, v), np.where(shrinks, new_error, error)
    v = v + expand(error, 1) * unit_ball()
    q = mdp.action_values(v)
    return SoftOptimum(v, q, log_softmax(q / expand(τ, 2)), lower(v), upper(v))


def _backup(q: Array, τ: Any) -> Array:
    # τ log Σ_a exp(q / τ): exactly q − τ log softmax(q / τ) for any a, most accurately for the largest q.
    best = one_hot(floats(q).argmax(axis=-1) if is_exact(q) else namespace(q).argmax(q, axis=-1), q.shape[-1], q)
    return total(best * (q - expand(τ, 2) * log_softmax(q / expand(τ, 2))))


def _error(mdp: DiscountedMDP, v: Array, τ: Any) -> Array:
    # |Ṽ* − v| <= |T v − v| / (1 − γ), rounded upwards.
    return upper(sup(_backup(mdp.action_values(v), τ) - v) / (1 - mdp.γ(0)))


def soft_gap(mdp: DiscountedMDP, log_π: Array, τ: Any, soft_optimum: SoftOptimum, start: Array = None) -> Array:
    """Ṽ*(start) − Ṽ^π(start) = τ Σ_s d^π(s) KL(π(· | s) ‖ π*_τ(· | s)) / (1 − γ);  (..., S, A) -> (...).

    References
    ----------
    :cite:`mei2020`, Lemma 26.
    """
    log_π = finite_logs(log_π)
    kl = total(_kl_terms(log_π, soft_optimum.log_π))
    return temperature(mdp, τ) * total(visits(mdp, exp(log_π), start) * kl)


def _kl_terms(log_p: Array, log_q: Array) -> Array:
    # KL(p ‖ q) = Σ (q − p − p x) with x = log(q / p): every term is non-negative.  Near x = 0 a term is
    # p (e^x − 1 − x), and its Taylor series (to x^16 / 16! < 2^-53 for |x| < 1/2) has no cancellation.
    x, p = log_q - log_p, exp(log_p)
    if is_exact(x):
        return exp(log_q) - p - p * x
    xp = namespace(x)
    near = xp.abs(x) < 0.5
    small = xp.where(near, x, 0 * x)
    series = 1 + 0 * x
    for k in range(16, 2, -1):
        series = 1 + series * small / k
    return xp.where(near, p * small * small / 2 * series, exp(log_q) - p - p * x)
