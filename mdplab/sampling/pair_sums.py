"""What trajectories add up to at each pair (s, a) or from each step on, and what a function of pairs is along them.

All are pure, follow the arithmetic of what they are given, and run compiled where there is much of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, namespace, on_gpu
from mdplab.kernels import pairs
from mdplab.sampling.walks import chosen, one_axis


def pair_sums(states: Array, actions: Array, ψ: Array, S: int, A: int) -> Array:
    """W(s, a) = Σ_h ψ_h 1{s_h = s, a_h = a};  (..., H or H + 1), (..., H), (..., H) -> (..., S, A).

    Batch axes broadcast; `ψ` is float64 or holds exact numbers.  States from S on, where all is over, do not count.
    """
    shape, (states, actions, ψ) = _flat(states, actions, ψ)
    return pairs.sums(pairs.Visits(states, actions, S, A), ψ).reshape(*shape, S, A)


def score_sums(states: Array, actions: Array, ψ: Array, policy: Array) -> Array:
    """W(s, a) − π(a | s) Σ_b W(s, b) with W of `pair_sums`, which is Σ_h ψ_h ∇_θ log π_θ(a_h | s_h) for π = softmax(θ).

    Batch axes of the policy (..., S, A) are aligned with the first ones of the trajectories;  -> (..., S, A).
    """
    shape, (states, actions, ψ) = _flat(states, actions, ψ)
    path = pairs.Path(states, actions, _which(policy, 2, shape))
    acted = pairs.Policies(path, one_axis(policy, 2))
    return pairs.scores(acted, ψ).reshape(*shape, *policy.shape[-2:])


def pair_values(x: Array, states: Array, actions: Array) -> Array:
    """x(s_h, a_h) for h < H;  (..., S, A), (..., H or H + 1), (..., H) -> (..., H).

    Batch axes of `x` are aligned with the first ones of the trajectories.
    """
    shape, (states, actions) = _flat(states, actions)
    path = pairs.Path(states, actions, _which(x, 2, shape))
    return pairs.values(path, one_axis(x, 2)).reshape(*shape, actions.shape[-1])


def sums_to_go(weights: Array, rewards: Array) -> Array:
    """Σ_{h >= t} w_h r_h for each t;  (H,) or (..., H) and (..., H) -> (..., H)."""
    weights = weights.reshape((1,) * (rewards.ndim - weights.ndim) + weights.shape)
    shape, (rewards,) = _flat(rewards, like=weights)
    steps = pairs.Weights(one_axis(weights, 1), _which(weights, 1, shape))
    return pairs.to_go(steps, rewards).reshape(*shape, rewards.shape[-1])


def _flat(*arrays: Array, like: Any = None) -> tuple[tuple[int, ...], list[Array]]:
    """The common batch shape of the arrays (..., H), and each of them with that batch in one axis."""
    given = arrays if like is None else (*arrays, like)
    shape = np.broadcast_shapes(*(x.shape[:-1] for x in given))
    full = (namespace(x).broadcast_to(x, (*shape, x.shape[-1])) for x in arrays)
    return shape, [one_axis(x, 1) for x in full]


def _which(x: Array, axes: int, shape: tuple[int, ...]) -> Array:
    """Which element of the batch of `x`, all but its last `axes`, each trajectory uses;  (N,)."""
    index = chosen(x.shape[: x.ndim - axes], shape)
    return namespace(x).asarray(index) if on_gpu(x) else index
