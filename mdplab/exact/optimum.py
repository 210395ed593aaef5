"""Optimal values, one optimal policy, and a certificate: bounds between which the optimal values lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdplab.arrays import (
    EPS,
    Array,
    expand,
    is_ball,
    is_exact,
    largest,
    maximum,
    namespace,
    one_hot,
    rounding,
    smallest,
    sup,
    total,
)
from mdplab.exact.values import values
from mdplab.models import DiscountedMDP


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
        V*(s) − Q*(s, a) >= 0; exactly zero for optimal actions.
    low, high : array (..., S)
        A certificate: low <= V* <= high, with the rounding of its own evaluation counted in.
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
        if is_exact(self.loss):
            A = self.loss.shape[-1]
            if A == 1:
                return np.full(self.loss.shape[:-2], np.inf)[()]
            others = np.arange(A - 1) + (np.arange(A - 1) >= np.asarray(self.action)[..., None])
            return smallest(np.take_along_axis(self.loss, others, axis=-1), 2)
        xp = namespace(self.loss)
        return smallest(xp.where(self.policy == 1, xp.full_like(self.loss, xp.inf), self.loss), 2)

    @property
    def unique(self) -> Array:
        """Whether every state has one optimal action only;  (...), boolean."""
        return self.action_gap > 0


def optimum(mdp: DiscountedMDP) -> Optimum:
    """Optimal values, an optimal policy and a certificate, by policy iteration."""
    if is_exact(mdp.P):
        return _exact(mdp)
    v, action = policy_iteration(mdp)
    q = mdp.action_values(v)
    loss = maximum(expand(total(one_hot(action, mdp.A, mdp.r) * q), 1) - q, 0 * q)
    loss = loss * namespace(q).astype(loss > expand(tie(mdp, v), 2), loss.dtype)
    action = namespace(q).argmax(namespace(q).astype(loss == 0, loss.dtype), axis=-1)
    return Optimum(v, expand(v, 1) - loss, action, loss, *enclosure(mdp, v))


def policy_iteration(mdp: DiscountedMDP) -> tuple[Array, Array]:
    """(v, action) where Howard's policy iteration comes to rest, for float64 models."""
    xp = namespace(mdp.P)
    action = xp.argmax(mdp.r, axis=-1)
    v = values(mdp, one_hot(action, mdp.A, mdp.r))
    while True:
        q = mdp.action_values(v)
        chosen = total(one_hot(action, mdp.A, q) * q)
        better = largest(q) - chosen > expand(tie(mdp, v), 1)
        improved = xp.where(better, xp.argmax(q, axis=-1), action)
        new = values(mdp, one_hot(improved, mdp.A, mdp.r))
        rises = total(new) > total(v)
        if not xp.any(rises):
            return v, action
        v = xp.where(expand(rises, 1), new, v)
        action = xp.where(expand(rises, 1), improved, action)


def tie(mdp: DiscountedMDP, v: Array) -> Array:
    """Differences of action values below this are rounding;  (..., S) -> (...)."""
    # Each of the two inner products of S + 2 terms is off by rounding(S + 2) (|r| + γ |v|); so are those that made v.
    return 4 * rounding(mdp.S + 4) * (sup(mdp.r, 2) + mdp.γ(0) * sup(v))


def enclosure(mdp: DiscountedMDP, v: Array) -> tuple[Array, Array]:
    """(low, high), each (..., S), with low <= V* <= high, from the Bellman residual of any v (..., S)."""
    change = mdp.bellman(v) - v
    slack = rounding(mdp.S + 8) * (sup(mdp.r, 2) + 3 * sup(v))
    γ = mdp.γ(0)
    low, high = (smallest(change) - slack) / (1 - γ), (largest(change) + slack) / (1 - γ)
    return v + expand(low, 1) - 4 * EPS * abs(v), v + expand(high, 1) + 4 * EPS * abs(v)


def _exact(mdp: DiscountedMDP) -> Optimum:
    if is_ball(mdp.P):
        raise NotImplementedError
    _, action = policy_iteration(mdp.floats())
    while True:
        v = values(mdp, one_hot(action, mdp.A, mdp.r))
        q = mdp.action_values(v)
        best = largest(q)
        at = np.take_along_axis(q, action[..., None], axis=-1)[..., 0]
        better = np.asarray(best > at, dtype=bool)
        optimal = np.asarray(q == best[..., None], dtype=bool).argmax(axis=-1)
        if not better.any():
            return Optimum(v, q, optimal, v[..., None] - q, v, v)
        action = np.where(better, optimal, action)
