"""Dynamic policy gradient for discounted models: a freshly trained policy in front of all earlier ones, repeatedly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, expand, largest, maximum, total
from mdplab.models import DiscountedMDP
from mdplab.models.finite_horizon import indicator
from mdplab.solvers.dynamic_pg import train_epoch


@dataclass(frozen=True, eq=False)
class DynIterate:
    """The h-th round: what was known, and the policy trained on it.

    Parameters
    ----------
    h : int
        Rounds before this one.
    v : array (..., S)
        V_h, the value of playing the policies of the rounds h, h − 1, ..., 1 and then stopping; V_0 = 0.
    q : array (..., S, A)
        r + γ P V_h, the arms of the contextual bandit of this round.
    π : array (..., S, A)
        The policy of this round, trained on q.
    v_next : array (..., S)
        V_{h+1} = T^π V_h.
    """

    h: int
    v: Array
    q: Array
    π: Array
    v_next: Array


def dynpg(mdp: DiscountedMDP, *, updates: Iterable[Any], μ: Array | None = None) -> Iterator[DynIterate]:
    """Yield the rounds of DynPG with exact gradients, as many as `updates` has entries.

    Parameters
    ----------
    updates : iterable of integers or integer arrays (...,)
        N_h, how many updates the policy of each round gets, from uniform policies.
    μ : array (..., S), optional
        Weights of the states, uniform by default.

    Notes
    -----
    Step size 1 / (2 B_h), B_h = R* (1 − γ^(h+1)) / (1 − γ): softmax policy gradient for a contextual bandit.

    References
    ----------
    :cite:`klein2025`, Algorithm 1.
    """
    μ = (0 * mdp.start + 1) / mdp.S if μ is None else μ
    v = 0 * mdp.start
    for h, n in enumerate(updates):
        q = mdp.action_values(v)
        trained = train_epoch(q, μ, step_size=1 / (2 * round_bound(mdp, h)), updates=n)
        v_next = total(trained.π * q)
        yield DynIterate(h, v, q, trained.π, v_next)
        v = v_next


def largest_reward(mdp: DiscountedMDP) -> Array:
    """R* = max |r|, or one where all rewards are zero;  (...)."""
    R = largest(abs(mdp.r), 2)
    return maximum(R, indicator(R == 0, R))


def round_bound(mdp: DiscountedMDP, h: int) -> Array:
    """B_h = R* (1 − γ^(h+1)) / (1 − γ), the most that h + 1 rewards are worth;  (...)."""
    γ = expand(mdp.discount, 0)
    return largest_reward(mdp) * (1 - γ ** (h + 1)) / (1 - γ)
