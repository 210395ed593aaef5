"""Batch REINFORCE for a general utility: the shadow reward at visits of a batch, a policy gradient from a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, Literal

from mdplab.arrays import Array, softmax
from mdplab.exact.utilities import Utility
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, paid
from mdplab.solvers.sampled import first_logits, scaled, unit
from mdplab.solvers.sampled_utility import SampledUtilityIterate, batch_mean, many, seen_visits, shadow_reward
from mdplab.solvers.thinning import thinned


def utility_reinforce(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    batch: int = 5,
    occupancy_from: Literal["another batch", "same batch"] = "another batch",
    normalised: bool = False,
    at: Iterable[int] | None = None,
) -> Iterator[SampledUtilityIterate]:
    """Yield the iterates of θ_{t+1} = θ_t + α_t mean of g(τ, θ_t, ∇F(λ_t)), λ_t the mean visits of a batch.

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        See `mdplab.exact.utilities`.
    step_sizes : iterable of numbers or arrays (...,)
        α_0, α_1, ...; 1/10 by default.
    batch : int
        Trajectories for the gradient, and as many for the occupancy.
    occupancy_from : "another batch" or "same batch"
        Of the same batch costs half, and makes the shadow reward depend on the actions that it judges: a bias of the
        order of 1 / `batch`.
    normalised : bool
        Whether steps have length α_t whatever the estimate.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    References
    ----------
    The baseline of :cite:`zhang2021` and :cite:`barakat2023`.
    """
    steps = repeat(0.1) if step_sizes is None else step_sizes
    apart = occupancy_from == "another batch"
    return thinned(_run(mdp, F, θ, draws, horizon, steps, batch, apart, normalised), at)


def _run(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    batch: int,
    apart: bool,
    normalised: bool,
) -> Iterator[SampledUtilityIterate]:
    θ = first_logits(mdp, θ, draws)
    for t, α in enumerate(step_sizes):
        π = softmax(θ)
        τ = many(mdp, π, horizon, draws.at(2 * t), batch)
        other = many(mdp, π, horizon, draws.at(2 * t + 1), batch) if apart else τ
        λ = seen_visits(mdp, other, draws.shape)
        d = batch_mean(gpomdp(paid(τ, shadow_reward(F, λ)), π), draws.shape, 2)
        yield SampledUtilityIterate(t, θ, π, d, (t + 1) * batch * (1 + apart), λ)
        θ = θ + scaled(α, unit(d) if normalised else d)
