"""Estimators of the second derivative of J_H by the logits of a tabular softmax policy, times a vector or whole.

S_h = Σ_{t <= h} ∇ log π(a_t | s_t), Ψ_t are rewards to go, Φ = Σ_t Ψ_t log π(a_t | s_t) with Ψ held fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mdplab.arrays import Array, expand, is_exact, rational, total
from mdplab.sampling.chains import aligned
from mdplab.sampling.estimators.gradients import gpomdp
from mdplab.sampling.estimators.steps import at_pairs, one_more_axis, rewards_to_go
from mdplab.sampling.pair_sums import pair_sums
from mdplab.sampling.trajectories import Trajectories


def hessian_vector(trajectories: Trajectories, policy: Array, v: Array) -> Array:
    """B v = ∇Φ ⟨S_{H−1}, v⟩ + ∇²Φ v, of mean ∇²J_H v, at the cost of a gradient;  v (..., S, A) -> (..., S, A).

    B is not symmetric, only its mean is.

    References
    ----------
    :cite:`shen2019`; in this form :cite:`fatk2023`.
    """
    z = _centred(trajectories, policy, v)
    along = total(at_pairs(z, trajectories))  # ⟨S_{H−1}, v⟩
    return expand(along, 2) * gpomdp(trajectories, policy) + _bent(trajectories, policy, z)


def causal_hessian_vector(trajectories: Trajectories, policy: Array, v: Array) -> Array:
    """B^c v for B^c = Σ_h w_h r_h (S_h S_h^T + Σ_{t <= h} ∇² log π(a_t | s_t)), of mean ∇²J_H v;  -> (..., S, A).

    Symmetric, and without the scores of actions that a reward cannot depend on; its variance is mostly, but not always,
    below that of B.  Off policy with prefix weights.
    """
    z = _centred(trajectories, policy, v)
    along = np.cumsum(at_pairs(z, trajectories), axis=-1)  # ⟨S_h, v⟩
    paid_along = replace(trajectories, rewards=trajectories.rewards * along)
    return gpomdp(paid_along, policy) + _bent(trajectories, policy, z)


def hessian_estimate(trajectories: Trajectories, policy: Array) -> Array:
    """B as a matrix, see `hessian_vector`;  -> (..., S·A, S·A), entry s·A + a."""
    return _matrix(hessian_vector, trajectories, policy)


def causal_hessian_estimate(trajectories: Trajectories, policy: Array) -> Array:
    """B^c as a matrix, see `causal_hessian_vector`;  -> (..., S·A, S·A), entry s·A + a."""
    return _matrix(causal_hessian_vector, trajectories, policy)


def _centred(trajectories: Trajectories, policy: Array, v: Array) -> Array:
    """v(s, a) − Σ_b π(b | s) v(s, b) = ⟨∇ log π(a | s), v⟩;  -> (..., S, A)."""
    batch = len(trajectories.shape)
    π, v = aligned(policy, 2, batch), aligned(v, 2, batch)
    return v - expand(total(π * v), 1)


def _bent(trajectories: Trajectories, policy: Array, z: Array) -> Array:
    """∇²Φ v = −Σ_t Ψ_t π (v − v̄) in the state s_t, whatever the action;  -> (..., S, A)."""
    W = pair_sums(trajectories.states, trajectories.actions, rewards_to_go(trajectories), *policy.shape[-2:])
    return -expand(total(W), 1) * aligned(policy, 2, len(trajectories.shape)) * z


def _matrix(product: Callable[..., Array], trajectories: Trajectories, policy: Array) -> Array:
    S, A = policy.shape[-2:]
    n, batch = S * A, len(trajectories.shape)
    directions = np.eye(n, dtype=int)
    directions = rational(directions) if is_exact(policy) else directions
    columns = product(one_more_axis(trajectories), policy, directions.reshape(*(1,) * batch, n, S, A))
    return np.swapaxes(columns.reshape(*columns.shape[:-2], n), -1, -2)
