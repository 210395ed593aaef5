"""Exact gradients of a general utility, and how far below the optimum it can be, through the shadow reward ∇F(λ)."""

from __future__ import annotations

from mdplab.arrays import Array
from mdplab.exact.gap import gap
from mdplab.exact.gradients import direct_gradient, softmax_gradient
from mdplab.exact.optimum import optimum
from mdplab.exact.pair_visits import pair_visits
from mdplab.exact.utilities import Utility
from mdplab.models import DiscountedMDP


def rewarded(mdp: DiscountedMDP, r: Array) -> DiscountedMDP:
    """The same dynamics and start with another reward (..., S, A)."""
    return DiscountedMDP(mdp.P, r, mdp.discount, mdp.start)


def shadow(mdp: DiscountedMDP, π: Array, F: Utility) -> DiscountedMDP:
    """The model whose reward is ∇F at the occupancy of π: there ordinary policy gradients are those of F."""
    return rewarded(mdp, F.gradient(pair_visits(mdp, π)))


def utility_value(mdp: DiscountedMDP, π: Array, F: Utility) -> Array:
    """F(λ^π);  (..., S, A) -> (...)."""
    return F.value(pair_visits(mdp, π))


def softmax_utility_gradient(mdp: DiscountedMDP, π: Array, F: Utility) -> Array:
    """∂F(λ^π) / ∂θ(s, a) for π = softmax(θ);  (..., S, A) -> (..., S, A).

    References
    ----------
    :cite:`zhang2021`: the policy gradient for the reward ∇F(λ^π), held fixed.
    """
    return softmax_gradient(shadow(mdp, π, F), π)


def direct_utility_gradient(mdp: DiscountedMDP, π: Array, F: Utility) -> Array:
    """∂F(λ^π) / ∂π(a | s), the entries of π free;  (..., S, A) -> (..., S, A)."""
    return direct_gradient(shadow(mdp, π, F), π)


def utility_gap(mdp: DiscountedMDP, π: Array, F: Utility) -> Array:
    """max over policies of ⟨∇F(λ^π), λ' − λ^π⟩, the Frank–Wolfe gap: F* − F(λ^π) is at most this if F is concave.

    In performance-difference form, so that it is accurate however small;  (..., S, A) -> (...).
    """
    model = shadow(mdp, π, F)
    return gap(model, π, optimum(model))
