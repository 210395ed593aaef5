"""Optimal values, one optimal policy, and a certificate: bounds between which the optimal values lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdplab.arrays import (
    Array,
    expand,
    is_ball,
    is_exact,
    largest,
    maximum,
    namespace,
    one_hot,
    rational_number,
    smallest,
    total,
)
from mdplab.exact.enclosure import enclosure, hull, lower, product_rounding, upper
from mdplab.exact.modified import bounds, modified_policy_iteration, settled
from mdplab.exact.values import values
from mdplab.models import DiscountedMDP, SparseMDP

DENSE = 500  # up to so many states a sparse model is solved as a dense one
LARGE = 2000  # beyond so many states a single dense model is solved as a sparse one: linear systems cost S³


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best that a policy can do in a model, or in each model of a batch.

    Attributes
    ----------
    v : array (..., S)
        Optimal values V*.
    q : array (..., S, A)
        Optimal action values Q* = v − loss.
    action : integer array (..., S)
        One deterministic optimal policy: the lowest index among the optimal actions of a state.
    loss : array (..., S, A)
        V*(s) − Q*(s, a) >= 0; exactly zero for optimal actions.  In float64 a loss that rounding could have made
        counts as zero.  In balls an action whose optimality is not decided has a loss that reaches down to zero.
    low, high : array (..., S)
        A certificate: low <= V* <= high, with the rounding of its own evaluation counted in.  In rationals low == high.
    """

    v: Array
    q: Array
    action: Array
    loss: Array
    low: Array
    high: Array

    @property
    def policy(self) -> Array:
        """`action` as probabilities;  (..., S, A)."""
        return one_hot(self.action, self.loss.shape[-1], self.loss)

    @property
    def action_gap(self) -> Array:
        """Δ* = min over s and a ≠ action(s) of V*(s) − Q*(s, a);  (...); infinite where there is one action only."""
        A = self.loss.shape[-1]
        if is_exact(self.loss) and A > 1:
            others = np.arange(A - 1) + (np.arange(A - 1) >= np.asarray(self.action)[..., None])
            return smallest(np.take_along_axis(self.loss, others, axis=-1), 2)
        xp = np if is_exact(self.loss) else namespace(self.loss)
        return smallest(xp.where(self.policy == 1, xp.inf, self.loss), 2)

    @property
    def unique(self) -> Array:
        """Whether every state has one optimal action only;  (...), boolean (for balls: certainly so)."""
        return self.action_gap > 0


def optimum(mdp: DiscountedMDP | SparseMDP) -> Optimum:
    """Optimal values, the loss of every action, an optimal policy and a certificate.

    Policy iteration, exact for rational models; for float64 it stops where nothing improves by more than rounding.
    Sparse models of more than 500 states, and single dense ones of more than 2000, go by modified policy iteration
    until the bounds are 1e-10 of the values apart; there a loss below that width counts as zero.

    References
    ----------
    :cite:`puterman1994`, Sections 6.4 and 6.5.
    """
    if isinstance(mdp, SparseMDP):
        return _modified(mdp) if mdp.S > DENSE else optimum(mdp.dense())
    if is_ball(mdp.P) or is_ball(mdp.r) or is_ball(np.asarray(mdp.discount, dtype=object)):
        return _in_balls(mdp)
    if is_exact(mdp.P):
        return _in_rationals(mdp)
    if mdp.S > LARGE and not mdp.batch and namespace(mdp.P) is namespace(np.empty(0)):
        return _modified(SparseMDP.of(mdp))
    v, action = _policy_iteration(mdp)
    q = mdp.action_values(v)
    loss = expand(_at(q, action), 1) - q
    # Comparing two action values errs by twice the rounding of one, and v comes from a solve that errs as much.
    loss = namespace(q).where(loss > expand(4 * _slack(mdp, v), 2), loss, 0 * loss)
    best = namespace(q).argmax(namespace(q).astype(loss == 0, q.dtype), axis=-1)
    low, high = _bounds(mdp, v, largest(q))
    return Optimum(v, expand(v, 1) - loss, best, loss, low, high)


def _policy_iteration(mdp: DiscountedMDP) -> tuple[Array, Array]:
    # A model rests when its values no longer rise.  Rounding cannot make that go round in circles: Σ_s v(s) grows
    # strictly with each accepted step.
    xp = namespace(mdp.P)
    action = xp.argmax(mdp.r, axis=-1)
    v = values(mdp, one_hot(action, mdp.A, mdp.r))
    while True:
        q = mdp.action_values(v)
        better = largest(q) - _at(q, action) > expand(_slack(mdp, v), 1)
        improved = xp.where(better, xp.argmax(q, axis=-1), action)
        new = values(mdp, one_hot(improved, mdp.A, mdp.r))
        rises = (total(new) > total(v)) & xp.any(better, axis=-1)
        if not xp.any(rises):
            return v, action
        v = xp.where(expand(rises, 1), new, v)
        action = xp.where(expand(rises, 1), improved, action)


def _modified(mdp: SparseMDP) -> Optimum:
    v, q = next((v, q) for v, q in modified_policy_iteration(mdp) if settled(mdp, v, q))
    low, high = bounds(mdp, v, q)
    loss = q.max(axis=-1, keepdims=True) - q
    # v misses V* by a constant and at most half the width, so a difference of two action values by the width.
    loss = np.where(loss > (high - low).max() + 4 * product_rounding(mdp.successors, mdp.r, mdp.discount, v), loss, 0)
    v = (low + high) / 2
    return Optimum(v, v[:, None] - loss, (loss == 0).argmax(axis=-1), loss, low, high)


def _bounds(mdp: DiscountedMDP, v: Array, Tv: Array) -> tuple[Array, Array]:
    # Products with the zeros of P round nothing.
    xp = namespace(mdp.P)
    successors = xp.astype(largest(total(xp.astype(mdp.P > 0, xp.int8)), 2), mdp.P.dtype)
    return enclosure(mdp.γ(0), total(mdp.P), v, Tv, product_rounding(successors, mdp.r, mdp.γ(0), v))


def _slack(mdp: DiscountedMDP, v: Array) -> Array:
    return product_rounding(mdp.S, mdp.r, mdp.γ(0), v)


def _at(q: Array, action: Array) -> Array:
    return total(one_hot(action, q.shape[-1], q) * q)


def _in_rationals(mdp: DiscountedMDP) -> Optimum:
    # Starts where float64 ends, so that one exact solve is the rule.
    _, action = _policy_iteration(mdp.floats())
    while True:
        v = values(mdp, one_hot(action, mdp.A, mdp.r))
        q = mdp.action_values(v)
        optimal = np.asarray(q == largest(q)[..., None], dtype=bool)
        rests = np.take_along_axis(optimal, action[..., None], axis=-1)[..., 0]
        if rests.all():
            return Optimum(v, q, optimal.argmax(axis=-1), v[..., None] - q, v, v)
        action = np.where(rests, action, optimal.argmax(axis=-1))


def _in_balls(mdp: DiscountedMDP) -> Optimum:
    # V* is at least the value of any policy, and above it by at most its largest Bellman residual over 1 − γ.
    action = optimum(mdp.floats()).action
    chosen = one_hot(action, mdp.A, mdp.r)
    v = values(mdp, chosen)
    q = mdp.action_values(v)
    gain = (1 - chosen) * (q - _at(q, action)[..., None])
    most = maximum(largest(gain, 2), 0 * largest(gain, 2)) / (1 - mdp.γ(0))
    low, high = lower(v), upper(v + expand(most, 1))
    v = hull(low, high)
    q = mdp.action_values(v)
    decided = np.asarray(most == 0, dtype=bool)
    loss = maximum(v[..., None] - q, 0 * q) * np.where(expand(decided, 2), 1 - chosen, rational_number(1))
    return Optimum(v, q, action, loss, low, high)
