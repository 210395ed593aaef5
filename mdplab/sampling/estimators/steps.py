"""What trajectories collect, step by step, and the same trajectories paid otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mdplab.arrays import Array, total
from mdplab.sampling.chains import aligned, entries
from mdplab.sampling.pair_sums import pair_sums, sums_to_go
from mdplab.sampling.trajectories import Trajectories


def observed_return(trajectories: Trajectories) -> Array:
    """R̂ = Σ_h w_h r_h, of mean J_H;  -> (...)."""
    return total(trajectories.weights * trajectories.rewards)


def rewards_to_go(trajectories: Trajectories) -> Array:
    """Ψ_t = Σ_{h >= t} w_h r_h, discounted from time 0 and not from time t;  -> (..., H)."""
    return sums_to_go(trajectories.weights, trajectories.rewards)


def td_steps(trajectories: Trajectories, v: Array, discount: Any, *, timed: bool = False) -> Array:
    """δ_t = r_t + γ v(s_{t+1}) − v(s_t), not weighted;  -> (..., H).

    Parameters
    ----------
    v : array (..., S), or (..., H + 1, S) if `timed`
    discount : number or array (...,)
    """
    V = at_states(v, trajectories, timed=timed)
    γ = aligned(discount, 0, V.ndim) if getattr(discount, "shape", ()) else discount
    return trajectories.rewards + γ * V[..., 1:] - V[..., :-1]


def state_baseline(trajectories: Trajectories, v: Array, *, timed: bool = False) -> Array:
    """w_t v(s_t), a function of the state as baseline;  (..., S), or (..., H + 1, S) if `timed` -> (..., H)."""
    return trajectories.weights * at_states(v, trajectories, timed=timed)[..., :-1]


def visited_pairs(trajectories: Trajectories, S: int, A: int) -> Array:
    """λ̂(s, a) = Σ_t w_t 1{s_t = s, a_t = a}, of mean λ_H, the visits in H steps (unnormalised);  -> (..., S, A).

    References
    ----------
    :cite:`zhang2021`; the truth is `mdplab.exact.truncated_pair_visits`.
    """
    return pair_sums(trajectories.states, trajectories.actions, trajectories.weights, S, A)


def paid(trajectories: Trajectories, r: Array) -> Trajectories:
    """The same trajectories with rewards r(s_h, a_h), for instance a shadow reward ∇F(λ);  r (..., S, A)."""
    return replace(trajectories, rewards=at_pairs(r, trajectories))


def scalarised(trajectories: Trajectories, c: Array) -> Trajectories:
    """The same trajectories with the one reward Σ_i c_i r_i in place of vector rewards;  c (..., M)."""
    c = aligned(c, 1, trajectories.rewards.ndim - 1)
    return replace(trajectories, rewards=total(c * trajectories.rewards))


def by_objective(trajectories: Trajectories) -> Trajectories:
    """Vector rewards (..., H, M) as a last batch axis, so that every estimator gives one result for each objective."""
    return replace(one_more_axis(trajectories), rewards=np.moveaxis(trajectories.rewards, -1, -2))


def one_more_axis(trajectories: Trajectories) -> Trajectories:
    """The same trajectories, of scalar or vector rewards, with a last batch axis of length one."""
    τ = trajectories
    rewards = np.expand_dims(τ.rewards, τ.actions.ndim - 1)
    return Trajectories(τ.states[..., None, :], τ.actions[..., None, :], rewards, τ.weights[..., None, :])


def at_pairs(x: Array, trajectories: Trajectories, *, timed: bool = False, over: int = 0) -> Array:
    """x(s_h, a_h), or x_h(s_h, a_h) if `timed`, for h < H;  (..., S, A), or (..., H, S, A) -> (..., H).

    Where all is over it is the number `over`.
    """
    return _entries(x, 2, timed, over, trajectories.states[..., :-1], trajectories.actions)


def at_states(x: Array, trajectories: Trajectories, *, timed: bool = False) -> Array:
    """x(s_h), or x_h(s_h) if `timed`, for h <= H;  (..., S), or (..., H + 1, S) -> (..., H + 1).

    Zero where all is over.
    """
    return _entries(x, 1, timed, 0, trajectories.states)


def _entries(x: Array, axes: int, timed: bool, over: int, states: Array, *actions: Array) -> Array:
    S, index = x.shape[-axes], (states, *actions)
    if states.size and states.max() >= S:
        x = np.concatenate([x, 0 * x[(..., slice(1), *(slice(None),) * (axes - 1))] + over], axis=-axes)
        index = (np.minimum(states, S), *actions)
    if not timed:
        return entries(x, axes, *index)
    x = aligned(x, axes + 1, index[0].ndim - 1)
    return entries(x, axes, *(i[..., None] for i in index))[..., 0]
