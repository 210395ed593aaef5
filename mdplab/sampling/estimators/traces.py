"""Generalised advantage estimates along trajectories."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array
from mdplab.sampling.chains import aligned
from mdplab.sampling.estimators.gradients import score_sum
from mdplab.sampling.estimators.steps import td_steps
from mdplab.sampling.trajectories import Trajectories


def gae(trajectories: Trajectories, v: Array, discount: Any, trace: Any, *, timed: bool = False) -> Array:
    """Â_t = Σ_{l < H − t} (γλ)^l δ_{t+l} with δ from `td_steps`, by the recursion Â_t = δ_t + γλ Â_{t+1};  -> (..., H).

    Parameters
    ----------
    v : array (..., S), or (..., H + 1, S) if `timed`
        What is taken for the values; at s_H too, so let it be zero where nothing follows.
    discount, trace : number or array (...,)
        γ and λ.

    References
    ----------
    :cite:`gae2016`; without an end the mean is `mdplab.exact.gae_mean`, and the variance `gae_variance`.
    """
    δ = td_steps(trajectories, v, discount, timed=timed)
    κ = discount * trace
    κ = aligned(κ, 0, δ.ndim - 1) if getattr(κ, "shape", ()) else κ
    out = [δ[..., -1]]
    for t in reversed(range(trajectories.H - 1)):
        out.insert(0, δ[..., t] + κ * out[0])
    return np.stack(out, axis=-1)


def gae_gradient(
    trajectories: Trajectories, policy: Array, v: Array, discount: Any, trace: Any, *, timed: bool = False
) -> Array:
    """Σ_t w_t Â_t ∇ log π(a_t | s_t), arguments as for `gae`;  -> (..., S, A).

    The mean is ∇J_H for λ = 1 if v is zero at the end, and for every λ with the values of H − t steps to go.
    """
    ψ = trajectories.weights * gae(trajectories, v, discount, trace, timed=timed)
    return score_sum(trajectories, ψ, policy)
