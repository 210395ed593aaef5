"""The saddle point of the Lagrangian with entropy for the policy and a quadratic for the multiplier, one constraint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, exp, expand, floats, is_exact, maximum, minimum, namespace, rational_number
from mdplab.errors import MdplabError
from mdplab.exact.enclosure import midpoints, unit_ball, upper
from mdplab.exact.payoffs import slack
from mdplab.exact.soft import temperature
from mdplab.exact.soft_optimum import soft_optimum
from mdplab.models import ConstrainedMDP


@dataclass(frozen=True, eq=False)
class RegularisedSaddle:
    """`multiplier` (...,) = λ_τ in [0, most] and `log_π` (..., S, A) = log π_τ; in balls for exact models."""

    multiplier: Array
    log_π: Array


def regularised_saddle(cmdp: ConstrainedMDP, τ: Any, most: Any) -> RegularisedSaddle:
    """The saddle point of v_{r + λ g} + τ (H(π) + λ² / 2) over policies and λ in [0, most], g = u − (1 − γ) b.

    F(λ) = v_g^{π_λ} + τ λ, with π_λ the soft optimal policy at r + λ g, has slope at least τ: bisection finds its zero
    in float64, and |F(λ)| / τ bounds the distance to it.  For exact models Newton's method with a secant goes on in
    balls until that bound is the width of the working precision.

    Raises
    ------
    MdplabError
        If there is more than one constraint.
    """
    if cmdp.I != 1:
        raise MdplabError(f"the model has {cmdp.I} constraints; expected one")
    if is_exact(cmdp.P):
        return _in_balls(cmdp, temperature(cmdp.mdp, τ), most)
    xp = namespace(cmdp.P)
    low = 0 * cmdp.least[..., 0]
    high = low + most
    for _ in range(60):
        middle = (low + high) / 2
        rising = _slope(cmdp, middle, τ) < 0
        low, high = xp.where(rising, middle, low), xp.where(rising, high, middle)
    λ = (low + high) / 2
    # An end of the interval is met exactly where the zero lies outside.
    λ = xp.where(_slope(cmdp, 0 * λ, τ) >= 0, 0 * λ, xp.where(_slope(cmdp, 0 * λ + most, τ) <= 0, 0 * λ + most, λ))
    return RegularisedSaddle(λ, _policy(cmdp, λ, τ))


def _policy(cmdp: ConstrainedMDP, λ: Array, τ: Any) -> Array:
    r = cmdp.r + expand(λ, 2) * (cmdp.utilities[..., 0, :, :] - expand((1 - cmdp.γ(0)) * cmdp.least[..., 0], 2))
    return soft_optimum(cmdp.rewarded(r), τ).log_π


def _slope(cmdp: ConstrainedMDP, λ: Array, τ: Any) -> Array:
    return (1 - cmdp.γ(0)) * slack(cmdp, exp(_policy(cmdp, λ, τ)))[..., 0] + τ * λ


def _in_balls(cmdp: ConstrainedMDP, τ: Any, most: Any) -> RegularisedSaddle:
    out_λ, out_π = np.empty(cmdp.batch, dtype=object), np.empty(cmdp.r.shape, dtype=object)
    for i in np.ndindex(cmdp.batch):
        one = cmdp[i] if cmdp.batch else cmdp
        out_λ[i] = _one_in_balls(one, τ[i] if np.shape(τ) else τ, most[i] if np.shape(most) else most)
        out_π[i] = _policy(one, np.asarray(out_λ[i], dtype=object)[()], τ[i] if np.shape(τ) else τ)
    return RegularisedSaddle(out_λ if cmdp.batch else out_λ[()], out_π)


def _one_in_balls(cmdp: ConstrainedMDP, τ: Any, most: Any) -> Any:
    zero = 0 * most
    rough = regularised_saddle(cmdp.floats(), float(floats(τ)), float(floats(most)))
    λ = rational_number(float(rough.multiplier))
    if λ == 0 and _slope(cmdp, zero, τ) >= 0:
        return zero
    if λ == rational_number(float(floats(most))) and _slope(cmdp, most, τ) <= 0:
        return most
    before, error = λ + rational_number(2.0**-30), None
    F_before = _slope(cmdp, before, τ)
    while True:
        F = _slope(cmdp, λ, τ)
        new_error = upper(np.asarray([abs(F) / τ], dtype=object))[0]
        if error is not None and not 2 * new_error < error:
            return minimum(maximum(λ + error * unit_ball(), zero), most)
        error = new_error
        step = F * (λ - before) / (F - F_before)
        if not step.is_finite():
            return minimum(maximum(λ + error * unit_ball(), zero), most)
        after = midpoints(np.asarray([λ - step], dtype=object))[0]
        before, F_before, λ = λ, F, after
