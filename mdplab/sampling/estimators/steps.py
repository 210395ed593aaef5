"""What trajectories collect, step by step, and the same trajectories paid otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mdplab.arrays import Array, total
from mdplab.sampling.pair_sums import pair_sums
from mdplab.sampling.trajectories import Trajectories


def observed_return(trajectories: Trajectories) -> Array:
    """R̂ = Σ_h w_h r_h, of mean J_H;  -> (...)."""
    return total(trajectories.weights * trajectories.rewards)


def rewards_to_go(trajectories: Trajectories) -> Array:
    """Ψ_t = Σ_{h >= t} w_h r_h, discounted from time 0 and not from time t;  -> (..., H)."""
    return np.flip(np.cumsum(np.flip(trajectories.weights * trajectories.rewards, -1), axis=-1), -1)


def td_steps(trajectories: Trajectories, v: Array, discount: Array, *, timed: bool = False) -> Array:
    """δ_t = r_t + γ v(s_{t+1}) − v(s_t), not weighted;  v (..., S), or (..., H + 1, S) if `timed` -> (..., H)."""
    V = at_states(v, trajectories.states, timed=timed)
    γ = np.asarray(discount)[..., None] if np.ndim(discount) else discount
    return trajectories.rewards + γ * V[..., 1:] - V[..., :-1]


def state_baseline(trajectories: Trajectories, v: Array, *, timed: bool = False) -> Array:
    """w_t v(s_t), the baseline of a function of the state, (..., S), or (..., H, S) if `timed`;  -> (..., H)."""
    H = trajectories.H
    v = v[..., :H, :] if timed else v
    return trajectories.weights * at_states(v, trajectories.states[..., :H], timed=timed)


def visited_pairs(trajectories: Trajectories, S: int, A: int) -> Array:
    """λ̂(s, a) = Σ_t w_t 1{s_t = s, a_t = a}, of mean λ_H, the visits in H steps (unnormalised);  -> (..., S, A).

    References
    ----------
    :cite:`zhang2021`; the truth is `mdplab.exact.truncated_pair_visits`.
    """
    return pair_sums(trajectories.states, trajectories.actions, trajectories.weights, S, A)


def paid(trajectories: Trajectories, r: Array) -> Trajectories:
    """The same trajectories with rewards r(s_h, a_h), for instance a shadow reward ∇F(λ);  r (..., S, A)."""
    H = trajectories.H
    return replace(trajectories, rewards=at_pairs(r, trajectories.states[..., :H], trajectories.actions))


def by_objective(trajectories: Trajectories) -> Trajectories:
    """Vector rewards (..., H, M) as a last batch axis: scalar rewards (..., M, H) on states (..., 1, H + 1).

    Every estimator then gives one result an objective; policies need the axis too, (..., 1, S, A).
    """
    return replace(one_more_axis(trajectories), rewards=np.moveaxis(trajectories.rewards, -1, -2))


def one_more_axis(trajectories: Trajectories) -> Trajectories:
    """The same trajectories with a last batch axis of length one."""
    τ = trajectories
    parts = (τ.states, τ.actions, τ.rewards, τ.weights)
    return Trajectories(*(x[..., None, :] for x in parts))


def at_pairs(x: Array, states: Array, actions: Array, *, timed: bool = False) -> Array:
    """x(s_h, a_h), or x_h(s_h, a_h) if `timed`;  (..., S, A) or (..., H, S, A), and (..., H) twice -> (..., H)."""
    S, A = x.shape[-2:]
    return at_states(x.reshape(*x.shape[:-2], S * A), states * A + actions, timed=timed)


def at_states(x: Array, states: Array, *, timed: bool = False) -> Array:
    """x(s_h), or x_h(s_h) if `timed`;  (..., S) or (..., H, S), and (..., H) -> (..., H)."""
    if timed:
        return at_states(x, states[..., None])[..., 0]
    if x.ndim == 1:
        return x[states]
    shape = np.broadcast_shapes(x.shape[:-1], states.shape[:-1])
    x, states = (np.broadcast_to(y, (*shape, y.shape[-1])) for y in (x, states))
    return np.take_along_axis(x, states, axis=-1)
