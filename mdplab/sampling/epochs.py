"""Trajectories that end: models with a finite horizon, models with an exit time, and policies made for some steps.

Pairs of an epoch and a state are the states of a chain, which ends in states of its own, beyond the pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mdplab.arrays import Array
from mdplab.models.discounted import DiscountedMDP
from mdplab.models.exit_time import ExitTimeMDP
from mdplab.models.finite_horizon import FiniteHorizonMDP
from mdplab.sampling.chains import check_walk, discounted_weights, ending, entries, indicator, no_moves, zeros
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes
from mdplab.sampling.rollouts import rollouts, walk
from mdplab.sampling.trajectories import Trajectories


@rollouts.register
def _(model: FiniteHorizonMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> Trajectories:
    """States are pairs of an epoch and a state, S where all is over: after H − h steps from a start in epoch h."""
    check_walk(policy, (model.S, model.A), horizon, model.H)
    S, start = model.S, np.concatenate([model.start, 0 * model.start[..., :1]], axis=-1)
    states, actions = walk(start, _through_epochs(model), ending(policy, 1), horizon, draws)
    rewards = np.concatenate([model.rewards, 0 * model.rewards[..., :1, :]], axis=-2)
    weights = indicator(states[..., :-1] < S, model.start)
    return Trajectories(states, actions, entries(rewards, 2, states[..., :-1], actions), weights)


def _through_epochs(model: FiniteHorizonMDP) -> Array:
    """The kernel (..., S + 1, A, S + 1) on pairs; the last state is the end."""
    S = model.S
    P, ends = no_moves(model.batch, S + 1, model.A, model.start), np.cumsum((0, *model.sizes))
    for h, kernel in enumerate(model.P):
        P[..., ends[h] : ends[h + 1], :, ends[h + 1] : ends[h + 2]] = kernel
    P[..., ends[-2] :, :, S] += 1
    return P


def timed_rollouts(model: DiscountedMDP, policy: Array, draws: Draws | Outcomes) -> Trajectories:
    """Trajectories of a policy (..., H, S, A) that changes with time, as dynamic policy gradients train it.

    States h·S + s are its rows as a matrix (..., H·S, A); weights are γ^h.

    Raises
    ------
    MdplabError
        If the policy does not fit.
    """
    H = policy.shape[-3] if policy.ndim > 2 else 1
    check_walk(policy, (H, model.S, model.A), H)
    rows = H * model.S
    in_epochs = FiniteHorizonMDP.homogeneous(model.P, model.r, H, model.start)
    found = rollouts(in_epochs, policy.reshape(*policy.shape[:-3], rows, model.A), H, draws)
    return replace(found, weights=discounted_weights(model, H, found.actions.ndim - 1))


@dataclass(frozen=True, eq=False)
class ExitTrajectories(Trajectories):
    """Trajectories until an exit; ``states`` are i·S + x at time i in the inner state x, then at least N·S.

    Attributes
    ----------
    places : int array (..., H + 1)
        X_0, ..., X_H; from the exit on X_τ.  The payoff is the reward of the step that leads to X_τ.
    """

    places: Any


@rollouts.register
def _(model: ExitTimeMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> ExitTrajectories:
    N, S, E = model.N, model.S, model.E
    check_walk(policy, (N, S, model.A), horizon, N)
    rows = N * S
    start = np.concatenate([model.start, zeros((*model.batch, rows + E), model.P)], axis=-1)
    by_row = ending(policy.reshape(*policy.shape[:-3], rows, model.A), S + E)
    states, actions = walk(start, _until_exit(model), by_row, horizon, draws)
    places = np.where(states < rows, states % S, states - rows)
    payoff = np.concatenate([zeros((*model.batch, rows), model.P), model.payoff], axis=-1)
    paid = entries(payoff, 1, states[..., 1:])
    weights = indicator(states[..., :-1] < rows, model.P)
    return ExitTrajectories(states, actions, weights * paid, weights, places)


def _until_exit(model: ExitTimeMDP) -> Array:
    """The kernel on N·S pairs of a time and an inner state, and S + E states in which all is over."""
    N, S, P = model.N, model.S, model.P
    rows, n = N * S, (N + 1) * S + model.E
    K = no_moves(model.batch, n, model.A, P)
    for i in range(N - 1):
        K[..., i * S : (i + 1) * S, :, (i + 1) * S : (i + 2) * S] = P[..., :S]
        K[..., i * S : (i + 1) * S, :, rows + S :] = P[..., S:]
    K[..., rows - S : rows, :, rows:] = P
    over = np.arange(rows, n)
    K[..., over, :, over] += 1
    return K
