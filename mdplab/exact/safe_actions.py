"""Actions that are nearly optimal for one reward, and what can be had of another reward with these alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, exp, expand, is_exact, largest, namespace, one_hot, rational, smallest, total
from mdplab.exact.optimum import Optimum
from mdplab.models import DiscountedMDP


def safe_actions(optimum: Optimum, slack: Any = 0) -> Array:
    """One where V*(s) − Q*(s, a) <= slack, else zero, in the arithmetic of the optimum;  -> (..., S, A).

    Without slack these are the optimal actions; a policy that takes only safe ones loses at most slack / (1 − γ).
    """
    near = optimum.loss <= expand(slack, 2)
    if is_exact(optimum.loss):
        return rational(np.asarray(near, dtype=bool).astype(int))
    return namespace(optimum.loss).astype(near, optimum.loss.dtype)


def restricted(mdp: DiscountedMDP, reward: Array, safe: Array, instead: Array) -> DiscountedMDP:
    """The model with another reward (..., S, A) in which an unsafe action does what the safe action `instead` does.

    Values, optimal values and gradients of policies that take safe actions only are those of the restricted problem.

    Parameters
    ----------
    safe : array (..., S, A)
        One or zero, see `safe_actions`.
    instead : integer array (..., S)
        A safe action of each state, for instance an optimal one.
    """
    chosen = one_hot(instead, mdp.A, mdp.r)
    P = safe[..., None] * mdp.P + (1 - safe[..., None]) * _over_actions(chosen[..., None] * mdp.P)
    r = safe * reward + (1 - safe) * expand(total(chosen * reward), 1)
    return DiscountedMDP(P, r, mdp.discount, mdp.start)


def _over_actions(x: Array) -> Array:
    """Sum over the last axis but one, which stays with length one."""
    return namespace(x).sum(x, axis=-2, keepdims=True)


def safe_softmax(θ: Array, safe: Array) -> Array:
    """π(a | s) ∝ exp θ(s, a) over the safe actions, zero for the others;  (..., S, A)."""
    shown = safe * θ + (1 - safe) * expand(smallest(θ), 1)
    weights = safe * exp(shown - expand(largest(shown), 1))
    return weights / expand(total(weights), 1)
