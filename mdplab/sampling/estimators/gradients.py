"""Policy-gradient estimators, each a sum Σ_t ψ_t ∇ log π(a_t | s_t), by the logits of a tabular softmax policy."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, total
from mdplab.sampling.chains import aligned
from mdplab.sampling.estimators.steps import at_pairs, rewards_to_go, td_steps, visited_pairs
from mdplab.sampling.pair_sums import score_sums
from mdplab.sampling.trajectories import Trajectories


def score_sum(trajectories: Trajectories, ψ: Array, policy: Array) -> Array:
    """Σ_t ψ_t ∇_θ log π_θ(a_t | s_t) for π = softmax(θ);  (..., H) and (..., S, A) -> (..., S, A).

    With the sums W(s, a) of ψ over the visits of each pair this is W(s, a) − π(a | s) Σ_b W(s, b).
    """
    return score_sums(trajectories.states, trajectories.actions, ψ, policy)


def parametric(estimate: Array, scores: Array) -> Array:
    """A gradient by logits as one by other parameters;  (..., S, A) and scores (..., S, A, d) -> (..., d).

    `estimate` is any combination of `score_sum`s, `scores` are ∇_w log π_w(a | s).  Σ_{s,a} estimate(s, a) scores(s, a)
    is then Σ_t ψ_t ∇_w log π_w(a_t | s_t), because Σ_a π(a | s) ∇_w log π_w(a | s) = 0.
    """
    products = estimate[..., None] * aligned(scores, 3, estimate.ndim - 2)
    return products.sum(axis=(-3, -2))


def reinforce(trajectories: Trajectories, policy: Array, baseline: Any = 0) -> Array:
    """Σ_t (R̂ − b_t) ∇ log π(a_t | s_t) with R̂ = Σ_h w_h r_h, of mean ∇J_H;  -> (..., S, A).

    Parameters
    ----------
    trajectories : Trajectories of the policy
    policy : array (..., S, A)
    baseline : number or array (..., H)
        b_t, which may depend on the past of a_t only: a number, or `state_baseline` of a function of the state.

    References
    ----------
    :cite:`williams1992`.
    """
    ψ = rewards_to_go(trajectories)[..., :1] - baseline
    return score_sum(trajectories, np.broadcast_to(ψ, (*ψ.shape[:-1], trajectories.H)), policy)


def gpomdp(trajectories: Trajectories, policy: Array, baseline: Any = 0) -> Array:
    """Σ_t (Ψ_t − b_t) ∇ log π(a_t | s_t) = Σ_h w_h r_h Σ_{t <= h} ∇ log π(a_t | s_t) for b = 0;  -> (..., S, A).

    Of mean ∇J_H; parameters as for `reinforce`, whose variance is mostly, but not always, larger.  For trajectories of
    another policy see `off_policy`.

    References
    ----------
    :cite:`baxter2001`; in this form :cite:`fatk2023`.
    """
    return score_sum(trajectories, rewards_to_go(trajectories) - baseline, policy)


def actor_critic(trajectories: Trajectories, policy: Array, q: Array, *, timed: bool = False) -> Array:
    """Σ_t w_t q(s_t, a_t) ∇ log π(a_t | s_t) for any critic q, such as Q^π or A^π;  -> (..., S, A).

    Parameters
    ----------
    q : array (..., S, A), or (..., H, S, A) if `timed`
        With the action values of H − t steps to go (`mdplab.exact.truncated_action_values`) the mean is ∇J_H.

    References
    ----------
    :cite:`sutton2000`.
    """
    return score_sum(trajectories, trajectories.weights * at_pairs(q, trajectories, timed=timed), policy)


def td_actor_critic(
    trajectories: Trajectories, policy: Array, v: Array, discount: Any, *, timed: bool = False
) -> Array:
    """Σ_t w_t (r_t + γ v(s_{t+1}) − v(s_t)) ∇ log π(a_t | s_t) for any critic v;  -> (..., S, A).

    Parameters
    ----------
    v : array (..., S), or (..., H + 1, S) if `timed`
        With the values of H − t steps to go (`mdplab.exact.truncated_values`) the mean is ∇J_H.
    """
    ψ = trajectories.weights * td_steps(trajectories, v, discount, timed=timed)
    return score_sum(trajectories, ψ, policy)


def all_actions(trajectories: Trajectories, policy: Array, q: Array) -> Array:
    """Σ_t w_t Σ_a q(s_t, a) ∇π(a | s_t), a critic (..., S, A) at all actions of the states seen;  -> (..., S, A).

    References
    ----------
    :cite:`zhang2020`, the estimator of Theorem 3.2 for one path.
    """
    seen = total(visited_pairs(trajectories, *policy.shape[-2:]))
    change = policy * (q - expand(total(policy * q), 1))
    return expand(seen, 1) * aligned(change, 2, seen.ndim - 1)
