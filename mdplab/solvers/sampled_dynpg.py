"""Sampled DynPG: a fresh policy in front of all earlier ones, one trajectory an update (:cite:`klein2025`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Any

import numpy as np

from mdplab.arrays import Array, softmax
from mdplab.models import DiscountedMDP
from mdplab.sampling import Draws, timed_rollouts
from mdplab.solvers.reinforce_to_go import steps_made, with_noise
from mdplab.solvers.sampled_dynamic_pg import first_action


@dataclass(frozen=True, eq=False)
class DynSample:
    """Many runs of DynPG, before an update.

    Parameters
    ----------
    round, k : int
        h, rounds before this one, and updates in this round so far.
    θ, π : array (m, S, A)
        Logits and probabilities of the policy in training.
    interactions : int array (m,)
        Steps that each run has made by now, those in a state that nobody leaves not counted.
    """

    round: int
    k: int
    θ: Array
    π: Array
    interactions: Array


def updates_of_round(discount: float, h: int) -> int:
    """N_h = ⌈45 (1 − γ^(h+1)) / (1 − γ)⌉, as the experiment of :cite:`klein2025` has it."""
    return ceil(45 * (1 - discount ** (h + 1)) / (1 - discount) - 1e-9)


def step_of_round(discount: float, h: int) -> float:
    """η_h = 2 (1 − γ) / (1 − γ^(h+1)), as the experiment of :cite:`klein2025` has it."""
    return 2 * (1 - discount) / (1 - discount ** (h + 1))


def sampled_dynpg(
    mdp: DiscountedMDP,
    *,
    draws: Draws,
    noise: Array | None = None,
    updates: Callable[[Any, int], int] = updates_of_round,
    step_size: Callable[[Any, int], float] = step_of_round,
) -> Iterator[DynSample]:
    """Yield what DynPG has trained before each of its updates, one run for each draw (m,), without end.

    A round starts from uniform policies.  An update of round h plays one trajectory of h + 1 steps, the policy in
    training first, then the frozen ones, newest first; it moves by η_h times the score of the first action times the
    discounted return.

    Parameters
    ----------
    noise : array (S, A), optional
        Standard deviations of normal rewards with mean r; rewards are r itself by default.
    updates, step_size : functions of the discount and h
        N_h and η_h.

    References
    ----------
    :cite:`klein2025`, Algorithm 1 with sampled gradients.
    """
    γ, made, rounds = float(mdp.discount), np.zeros(draws.shape, dtype=int), 0
    uniform = draws.table(mdp.S, mdp.A)
    frozen = np.empty((*draws.shape, 0, mdp.S, mdp.A))  # the axis of rounds counts from the newest
    for h in count():
        θ = uniform
        for k in range(updates(γ, h)):
            π = softmax(θ)
            yield DynSample(h, k, θ, π, made)
            here = draws.at(rounds)
            policy = np.concatenate([π[..., None, :, :], frozen], axis=-3)
            seen = with_noise(timed_rollouts(mdp, policy, here), noise, here, mdp.S)
            rows = first_action(seen, policy.reshape(*draws.shape, (h + 1) * mdp.S, mdp.A))
            θ = θ + step_size(γ, h) * rows[..., : mdp.S, :]
            made, rounds = made + steps_made(mdp, seen), rounds + 1
        frozen = np.concatenate([softmax(θ)[..., None, :, :], frozen], axis=-3)
