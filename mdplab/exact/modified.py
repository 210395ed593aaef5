"""Modified policy iteration with span bounds: optimal values of models too large for linear systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mdplab.exact.enclosure import enclosure, product_rounding
from mdplab.models import SparseMDP

ACCURACY = 1e-10  # width of the bounds relative to the values at which the iteration stops
FRACTION = 0.1  # a policy is evaluated until its changes are this much flatter than the improvement it came from
SWEEPS = 1000  # but not longer than this many sweeps, lest slow mixing delay the next improvement


def modified_policy_iteration(mdp: SparseMDP) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (v, q = r + γ P v), before each improvement, without end;  (S,) and (S, A).

    Adding a constant to v changes no greedy policy, so only the span of T v − v counts: a policy is swept until its
    changes are almost the same in all states, and what a constant change c still has to add, γ c / (1 − γ), is added
    at once.

    References
    ----------
    :cite:`puterman1994`, Sections 6.5 and 6.6.
    """
    γ = float(mdp.discount)
    v = np.zeros(mdp.S)
    while True:
        q = mdp.action_values(v)
        yield v, q
        P, r = mdp.under_actions(q.argmax(axis=-1))
        x = q.max(axis=-1)
        change, target = x - v, FRACTION * np.ptp(x - v)
        for _ in range(SWEEPS):
            if np.ptp(change) <= target:
                break
            new = r + γ * (P @ x)
            change, x = new - x, new
        v = x + γ / (1 - γ) * (change.max() + change.min()) / 2


def bounds(mdp: SparseMDP, v: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), each (S,), with low <= V* <= high, from any v (S,) and its action values q (S, A)."""
    slack: Any = product_rounding(mdp.successors, mdp.r, mdp.discount, v)
    return enclosure(mdp.discount, mdp.row_sums, v, q.max(axis=-1), slack)


def settled(mdp: SparseMDP, v: np.ndarray, q: np.ndarray) -> bool:
    """Whether the span of T v − v is small enough for `ACCURACY`, or as small as rounding lets it be."""
    change = q.max(axis=-1) - v
    goal = ACCURACY * (1 - mdp.discount) * np.abs(v).max()
    return bool(np.ptp(change) <= max(goal, 4 * product_rounding(mdp.successors, mdp.r, mdp.discount, v)))
