"""Score-function estimators for policies with memory: of act and memory together, or with the memory summed out."""

from __future__ import annotations

import numpy as np

from mdplab.arrays import Array, expand, total
from mdplab.sampling.chains import aligned, entries, zeros
from mdplab.sampling.estimators.gradients import reinforce, score_sum
from mdplab.sampling.estimators.steps import observed_return
from mdplab.sampling.partly_seen import PartlySeen
from mdplab.sampling.trajectories import Trajectories


def joint_reinforce(trajectories: PartlySeen, policy: Array) -> Array:
    """R̂ Σ_t ∇ log π(a_t, z_{t+1} | o_t, z_t), trajectories of `stateful_rollouts`;  (..., O, Z, A, Z) -> the same.

    References
    ----------
    :cite:`s2pg2024`.
    """
    return _in_full(reinforce(trajectories, _flat(policy)), policy)


def marginal_reinforce(trajectories: PartlySeen, policy: Array, memory: Array | None = None) -> Array:
    """R̂ ∇ log P(a_0, ..., a_{H−1} | o_0, ..., o_{H−1}), memory states summed out: what is differentiated through time.

    The conditional mean of the joint score given what is seen from outside, by the forward and backward recursions for
    the law of the memory: Σ_t Σ_{z,y} P(z_t = z, z_{t+1} = y | o, a) ∇ log π(a_t, y | o_t, z).

    Parameters
    ----------
    trajectories : PartlySeen
        Whose memory states are not looked at.
    policy : array (..., O, Z, A, Z)
    memory : array (..., Z), optional
        Distribution of the first memory state; state 0 by default.
    """
    Z = policy.shape[-1]
    o, a = trajectories.states[..., :-1] // Z, trajectories.actions // Z
    ξ = _memory_moves(entries(np.moveaxis(policy, -2, -3), 4, o, a), memory)
    z, y = (x.reshape(-1) for x in np.indices((Z, Z)))
    states, actions = ((x[..., None] * Z + n).reshape(*x.shape[:-1], -1) for x, n in ((o, z), (a, y)))
    guessed = Trajectories(states, actions, ξ, ξ)  # each step Z² times, in every way that the memory may have moved
    score = score_sum(guessed, ξ, _flat(policy))
    return _in_full(expand(observed_return(trajectories), 2) * score, policy)


def _memory_moves(likely: Array, memory: Array | None) -> Array:
    """P(z_t = z, z_{t+1} = y | o, a) from π(a_t, y | o_t, z);  (..., H, Z, Z) and (..., Z) -> (..., H·Z·Z)."""
    *batch, H, Z, _ = likely.shape
    if memory is None:
        memory = zeros((Z,), likely)
        memory[0] += 1
    forward, backward = [aligned(memory, 1, len(batch)) + 0 * likely[..., 0, 0, :]], [0 * likely[..., 0, 0, :] + 1]
    for t in range(H):
        forward.append((forward[-1][..., None] * likely[..., t, :, :]).sum(axis=-2))
        backward.insert(0, (likely[..., H - 1 - t, :, :] * backward[0][..., None, :]).sum(axis=-1))
    α, β = np.stack(forward[:-1], axis=-2), np.stack(backward[1:], axis=-2)
    ξ = α[..., None] * likely * β[..., None, :]
    return (ξ / expand(total(ξ, 2), 2)).reshape(*batch, H * Z * Z)


def _flat(policy: Array) -> Array:
    """(..., O, Z, A, Z) as rows and columns (..., O·Z, A·Z)."""
    *batch, O, Z, A, _ = policy.shape  # noqa: E741
    return policy.reshape(*batch, O * Z, A * Z)


def _in_full(g: Array, policy: Array) -> Array:
    return g.reshape(*g.shape[:-2], *policy.shape[-4:])
