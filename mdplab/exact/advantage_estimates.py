"""Mean and variance of generalised advantage estimates, in closed form: Â_t = Σ_l (γλ)^l δ_{t+l}."""

from __future__ import annotations

from typing import Any

from mdplab.arrays import Array, expand, identity_like, solve, total
from mdplab.models import DiscountedMDP


def td_errors(mdp: DiscountedMDP, v: Array) -> Array:
    """δ(s, a, t) = r(s, a) + γ v(t) − v(s), the temporal difference of a step;  (..., S) -> (..., S, A, S)."""
    return mdp.r[..., None] + mdp.γ(3) * v[..., None, None, :] - v[..., :, None, None]


def gae_mean(mdp: DiscountedMDP, π: Array, v: Array, trace: Any) -> Array:
    """E[Â | s, a] under π for any guess v of its values;  -> (..., S, A).

    Parameters
    ----------
    mdp : DiscountedMDP
        Rewards are taken to be certain given state and action.
    π : array (..., S, A)
    v : array (..., S)
        V̂, what the estimator takes for the values.
    trace : number or array (...,)
        λ in [0, 1].

    References
    ----------
    :cite:`gae2016`.
    """
    step = _expected(mdp, td_errors(mdp, v))
    return step + expand(mdp.discount * trace, 2) * mdp.expected_next(_sums(mdp, π, step, mdp.discount * trace))


def gae_second_moment(mdp: DiscountedMDP, π: Array, v: Array, trace: Any) -> Array:
    """E[Â² | s, a] under π;  arguments as for `gae_mean`, -> (..., S, A).

    The square of Â = δ + γλ Â' has the mean c + (γλ)² P y with c = E[δ² + 2γλ δ x(s')], where x and y are the first and
    second moment of Â in a state.
    """
    κ, δ = mdp.discount * trace, td_errors(mdp, v)
    x = _sums(mdp, π, _expected(mdp, δ), κ)
    c = _expected(mdp, δ * (δ + 2 * expand(κ, 3) * x[..., None, None, :]))
    y = _sums(mdp, π, c, κ * κ)
    return c + expand(κ * κ, 2) * mdp.expected_next(y)


def gae_variance(mdp: DiscountedMDP, π: Array, v: Array, trace: Any) -> Array:
    """Var[Â | s, a] under π;  arguments as for `gae_mean`, -> (..., S, A)."""
    mean = gae_mean(mdp, π, v, trace)
    return gae_second_moment(mdp, π, v, trace) - mean * mean


def _expected(mdp: DiscountedMDP, x: Array) -> Array:
    """Σ_t P(t | s, a) x(s, a, t)."""
    return total(mdp.P * x)


def _sums(mdp: DiscountedMDP, π: Array, step: Array, discount: Any) -> Array:
    """Σ_l κ^l P_π^l Σ_a π step, the expected discounted sum from each state;  (..., S, A) -> (..., S)."""
    P, _ = mdp.under(π)
    return solve(identity_like(P) - expand(discount, 2) * P, total(π * step))
