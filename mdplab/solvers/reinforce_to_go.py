"""REINFORCE as most programs have it: rewards-to-go discounted from the present step on, one trajectory an update."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, softmax
from mdplab.models import DiscountedMDP
from mdplab.sampling import Draws, Trajectories, at_pairs, rewards_to_go, rollouts, score_sum


@dataclass(frozen=True, eq=False)
class ToGoSample:
    """Many runs before an update: updates so far, logits and probabilities (m, S, A), steps made by each run (m,)."""

    k: int
    θ: Array
    π: Array
    interactions: Array


def reinforce_to_go(
    mdp: DiscountedMDP, *, draws: Draws, step_size: Any, horizon: int, noise: Array | None = None
) -> Iterator[ToGoSample]:
    """Yield the iterates of θ ← θ + η Σ_t (Σ_{h >= t} γ^{h−t} r_h) ∇ log π(a_t | s_t), one run for each draw (m,).

    Parameters
    ----------
    step_size : number
    horizon : int
        Length of a trajectory; long enough for all to have ended, if they end.
    noise : array (S, A), optional
        Standard deviations of normal rewards with mean r; rewards are r itself by default.

    Notes
    -----
    The weight γ^t of the state at time t is left out, so that the mean of the direction is no gradient of the
    discounted value (`theorems.klein2025`, `direction_from_now`).

    References
    ----------
    What :cite:`klein2025` compares DynPG with.
    """
    θ, made = draws.table(mdp.S, mdp.A), np.zeros(draws.shape, dtype=int)
    for k in count():
        π = softmax(θ)
        yield ToGoSample(k, θ, π, made)
        seen = with_noise(rollouts(mdp, π, horizon, draws.at(k)), noise, draws.at(k), mdp.S)
        θ = θ + step_size * discounted_from_now(seen, π)
        made = made + steps_made(mdp, seen)


def discounted_from_now(trajectories: Trajectories, policy: Array) -> Array:
    """Σ_t (Σ_{h >= t} γ^{h−t} r_h) ∇ log π(a_t | s_t), discounted from the present step on;  -> (..., S, A)."""
    w = trajectories.weights
    return score_sum(trajectories, rewards_to_go(trajectories) / (w + (w == 0)), policy)


def with_noise(trajectories: Trajectories, noise: Array | None, draws: Draws, S: int) -> Trajectories:
    """The same trajectories with normal noise of standard deviation `noise` (S, A) on their rewards.

    States are taken modulo `S`, so that those of `timed_rollouts` will do.
    """
    if noise is None:
        return trajectories
    σ = at_pairs(noise, replace(trajectories, states=trajectories.states % S))
    return replace(trajectories, rewards=trajectories.rewards + σ * draws.normals("noise", trajectories.H))


def steps_made(mdp: DiscountedMDP, trajectories: Trajectories) -> np.ndarray:
    """How many steps were made in states that one can leave;  (...), integers."""
    stays = np.einsum("...sas->...sa", mdp.P).min(axis=-1) >= 1
    return (~stays)[trajectories.states[..., :-1] % mdp.S].sum(axis=-1)
