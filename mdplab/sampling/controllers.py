"""Trajectories of a mixture of controllers: at every step a controller is drawn, which then draws the action."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mdplab.arrays import Array, expand, total
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling.chains import aligned
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes
from mdplab.sampling.pair_sums import pair_sums
from mdplab.sampling.rollouts import rollouts
from mdplab.sampling.trajectories import Trajectories


def controller_rollouts(
    mdp: DiscountedMDP, controllers: Array, w: Array, horizon: int, draws: Draws | Outcomes
) -> Trajectories:
    """Trajectories whose ``actions`` are the controllers that were drawn; rewards are those of the actions they took.

    Controllers (..., M, S, A) have the batch axes of the model, weights w (..., M) those of the draws.
    """
    M, S, A = controllers.shape[-3:]
    each = np.concatenate([mdp.P] * M, axis=-2), np.concatenate([mdp.r] * M, axis=-1)
    lead = w.ndim - 1
    joint = expand(w, 2) * aligned(controllers, 3, lead)  # m, s, a
    policy = np.moveaxis(joint, -3, -2).reshape(*joint.shape[:-3], S, M * A)
    seen = rollouts(DiscountedMDP(*each, mdp.discount, mdp.start), policy, horizon, draws)
    return replace(seen, actions=seen.actions // A)


def weight_scores(trajectories: Trajectories, ψ: Array, w: Array) -> Array:
    """Σ_t ψ_t ∇_θ log w(m_t) for w = softmax(θ) and the controllers m_t drawn;  (..., H) and (..., M) -> (..., M)."""
    W = pair_sums(0 * trajectories.states, trajectories.actions, ψ, 1, w.shape[-1])[..., 0, :]
    return W - aligned(w, 1, W.ndim - 1) * expand(total(W), 1)
