"""Trajectories of policies that do not see the state: memoryless, with a memory, or on histories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand
from mdplab.errors import ModelError
from mdplab.models.confounded import ConfoundedPOMDP
from mdplab.models.pomdp import POMDP
from mdplab.sampling.chains import (
    check_walk,
    discounted_weights,
    ending,
    entries,
    indicator,
    no_moves,
    zeros,
)
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes
from mdplab.sampling.rollouts import rollouts, walk
from mdplab.sampling.trajectories import Trajectories


@dataclass(frozen=True, eq=False)
class PartlySeen(Trajectories):
    """Trajectories whose ``states`` are what the policy acted on, an observation with memory or history.

    Attributes
    ----------
    hidden : int array (..., H + 1)
        The states of the model; no estimator may use them.
    """

    hidden: Any


@rollouts.register
def _(model: POMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> PartlySeen:
    """Under a policy (..., O, A) on the last observation."""
    check_walk(policy, (model.O, model.A), horizon)
    return stateful_rollouts(model, policy[..., :, None, :, None], horizon, draws)


def stateful_rollouts(
    model: POMDP, policy: Array, horizon: int, draws: Draws | Outcomes, memory: Array | None = None
) -> PartlySeen:
    """Trajectories of a policy with memory, π(a, y | o, z) (..., O, Z, A, Z).

    It starts in z = 0, or from the distribution `memory` (..., Z).  States o·Z + z and actions a·Z + y are rows and
    columns of the policy as a matrix (..., O·Z, A·Z).

    Raises
    ------
    MdplabError
        If the model has no observation before the first action, the horizon is below 1 or the policy does not fit.
    """
    if model.first is None:
        raise ModelError("first is missing; a policy that acts on an observation needs one before its first action")
    S, A, O, Z = model.S, model.A, model.O, policy.shape[-1]  # noqa: E741
    rows, columns = O * Z, A * Z
    check_walk(policy, (O, Z, A, Z), horizon, joint=2)
    if memory is None:
        memory = zeros((Z,), model.P)
        memory[0] += 1
    # States of the chain are (s, o, z), its actions (a, y).
    start = (expand(model.start, 1) * model.first)[..., None] * memory[..., None, None, :]
    n, lead = S * rows, len(model.batch)
    kernel = no_moves(model.batch, n, columns, model.P).reshape(*model.batch, S, rows, A, Z, S, O, Z)
    reached = (model.P[..., None] * model.Z[..., None, :, :, :])[(slice(None),) * (lead + 1) + (None,)]  # s, 1, a, t, o
    for y in range(Z):
        kernel[..., y, :, :, y] = reached
    kernel = kernel.reshape(*model.batch, n, columns, n)
    by_state = np.concatenate([policy.reshape(*policy.shape[:-4], rows, columns)] * S, axis=-2)
    nodes, moves = walk(start.reshape(*start.shape[:-3], n), kernel, by_state, horizon, draws)
    hidden, states = np.divmod(nodes, rows)
    rewards = entries(model.r, 2, hidden[..., :-1], moves // Z)
    return PartlySeen(states, moves, rewards, discounted_weights(model, horizon, moves.ndim - 1), hidden)


@rollouts.register
def _(model: ConfoundedPOMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> PartlySeen:
    """Under a policy (..., H, O, A) on histories; states h·O + o are its rows.  Rewards are the expected ones."""
    S, A, O, H = model.S, model.A, model.O, model.H  # noqa: E741
    check_walk(policy, (H, O, A), horizon, model.horizon)
    # States of the chain are (h, o, s), and s alone once the last action is taken.
    rows, emitting = H * O, expand(model.start, 1) * model.E
    start = zeros((*model.batch, (rows + 1) * S), model.P)
    start[..., : O * S] = np.moveaxis(emitting, -1, -2).reshape(*model.batch, O * S)
    by_row = policy.reshape(*policy.shape[:-3], rows, A)
    by_state = ending(np.repeat(by_row, S, axis=-2), S)
    nodes, actions = walk(start, _through_histories(model), by_state, horizon, draws)
    states, hidden = np.divmod(nodes, S)
    weights = indicator(np.ones(horizon, dtype=bool), model.P)
    return PartlySeen(states, actions, entries(model.r, 2, hidden[..., :-1], actions), weights, hidden)


def _through_histories(model: ConfoundedPOMDP) -> Array:
    """The kernel on triples of a history, an observation and a state, and on states after the last action."""
    S, A, O = model.S, model.A, model.O  # noqa: E741
    over, n = model.H * O * S, (model.H * O + 1) * S
    K = no_moves(model.batch, n, A, model.P)
    after = model.P[..., None, :] * np.moveaxis(model.E, -1, -2)[..., None, None, :, :]  # s, a, o, t
    after = after.reshape(*model.batch, S, A, O * S)
    for t in range(model.horizon):
        h0, following = model.stage(t).start, model.stage(t).stop
        for row in range(h0 * O, following * O):
            here = slice(row * S, (row + 1) * S)
            for a in range(A):
                if t + 1 == model.horizon:
                    K[..., here, a, over:] = model.P[..., a, :]
                else:
                    child = (following + (row - h0 * O) * A + a) * O * S
                    K[..., here, a, child : child + O * S] = after[..., a, :]
    for s in range(S):
        K[..., over + s, :, over + s] += 1
    return K
