"""Optimistic policies that are computed anew only when some count has doubled: the tabular core of :cite:`lpo2023`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

from mdplab.arrays import Array
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import Draws
from mdplab.solvers.experience import Experience, LearningIterate, greedy_rows


def doubled(now: Array, then: Array) -> Array:
    """Whether some pair was met for the first time, or twice as often as then;  two arrays (..., S, A) -> (...)."""
    return ((now > 0) & (now >= 2 * then)).any(axis=(-2, -1))


def always(now: Array, then: Array) -> Array:
    """A new policy for every episode."""
    return np.ones(now.shape[:-2], dtype=bool)


def low_switching_po(
    mdp: FiniteHorizonMDP,
    draws: Draws,
    *,
    bonus: float = 0.3,
    ridge: float = 1.0,
    due: Callable[[Array, Array], Array] = doubled,
) -> Iterator[LearningIterate]:
    """Yield the policies of episode after episode of one model with rewards in [0, 1], one run for each draw.

    Parameters
    ----------
    bonus : float
        Q_h is cut to [0, H − h] after `bonus` · H / √(n + λ) has been added, n the visits.  Ours: with one-hot features
        the sensitivity of a pair is about 1/(n + λ), and the paper's width is of its root.
    ridge : float
        λ.
    due : `doubled` or `always`
        From counts now and when the policy was last computed, whether to compute it anew; the paper does so when the
        set that it samples by sensitivity has changed enough.
    """
    seen = Experience(mdp, draws)
    π, then, updates = optimistic(seen, bonus, ridge), seen.visits.copy(), np.zeros(draws.shape, dtype=int)
    for k in count():
        yield LearningIterate(k, π, updates)
        seen.meet(π, k)
        now = due(seen.visits, then)
        if now.any():
            chosen = now[..., None, None]
            π, then = np.where(chosen, optimistic(seen, bonus, ridge), π), np.where(chosen, seen.visits, then)
            updates = updates + now


def optimistic(seen: Experience, bonus: float, ridge: float = 1.0) -> Array:
    """The greedy policy of optimistic value iteration on what was seen;  -> (..., S, A)."""
    mdp, q, v = seen.mdp, np.zeros_like(seen.visits), None
    for h, rows in seen.backwards():
        n = seen.visits[..., rows, :] + ridge
        q[..., rows, :] = np.clip(seen.targets(h, rows, v) / n + bonus * mdp.H / np.sqrt(n), 0, mdp.H - h)
        v = q[..., rows, :].max(axis=-1)
    return greedy_rows(q)
