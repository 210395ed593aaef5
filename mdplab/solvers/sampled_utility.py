"""What methods for sampled general utilities have in common: their iterates, shadow rewards, truncated steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, maximum, minimum, norm
from mdplab.exact.utilities import Utility
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, Trajectories, rollouts, visited_pairs
from mdplab.solvers.sampled import SampledIterate, scaled


@dataclass(frozen=True, eq=False)
class SampledUtilityIterate(SampledIterate):
    """As `SampledIterate`, with the estimate of the occupancy.

    Parameters
    ----------
    λ : array (..., S, A)
        Estimate of λ_H(θ_k), whose shadow reward ∇F(λ) the method uses now or later.
    """

    λ: Array


def shadow_reward(F: Utility, λ: Array) -> Array:
    """∇F at an estimate of an occupancy, clipped at 0: weighted estimates may leave the domain of F."""
    return F.gradient(maximum(λ, 0 * λ))


def seen_visits(mdp: DiscountedMDP, trajectories: Trajectories, shape: tuple[int, ...]) -> Array:
    """λ̂ averaged over the axes of the trajectories beyond `shape`, those of a batch;  -> (*shape, S, A)."""
    return batch_mean(visited_pairs(trajectories, mdp.S, mdp.A), shape, 2)


def batch_mean(x: Array, shape: tuple[int, ...], axes: int) -> Array:
    """Mean over what lies between the replicates of that shape and the last `axes` axes: one axis, or none."""
    return x if x.ndim == len(shape) + axes else x.mean(axis=-1 - axes)


def many(mdp: Any, π: Array, horizon: int, draws: Draws, batch: int) -> Trajectories:
    """`batch` independent trajectories of each replicate, on an axis of their own."""
    return rollouts(mdp, π, horizon, draws.samples(batch))


def truncated(g: Array, step_size: Any, radius: Any) -> Array:
    """η g, shortened to length δ where it is longer;  (..., S, A) -> (..., S, A).

    References
    ----------
    :cite:`zhang2021`, so that importance weights between iterates stay bounded.
    """
    length = norm(g, 2)
    return scaled(minimum(step_size + 0 * length, radius / (length + (length == 0))), g)
