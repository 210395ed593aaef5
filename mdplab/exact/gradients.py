"""Exact policy gradients: how V^π(start) changes with the logits of π, and with its probabilities."""

from __future__ import annotations

from mdplab.arrays import Array, expand
from mdplab.exact.values import action_values, advantages
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP, SparseMDP


def softmax_gradient(mdp: DiscountedMDP | SparseMDP, π: Array, start: Array = None) -> Array:
    """∂V^π(start) / ∂θ(s, a) = d^π(s) π(a | s) A^π(s, a) / (1 − γ) for π = softmax(θ);  (..., S, A) -> (..., S, A).

    References
    ----------
    :cite:`mei2020`, Lemma 1; :cite:`akm2021`.
    """
    return expand(visits(mdp, π, start), 1) * π * advantages(mdp, π)


def direct_gradient(mdp: DiscountedMDP | SparseMDP, π: Array, start: Array = None) -> Array:
    """∂V^π(start) / ∂π(a | s) = d^π(s) Q^π(s, a) / (1 − γ);  (..., S, A) -> (..., S, A).

    The entries of π are free variables here: V(π) = start · (I − γ P_π)^{-1} r_π, also off the simplex.
    """
    return expand(visits(mdp, π, start), 1) * action_values(mdp, π)
