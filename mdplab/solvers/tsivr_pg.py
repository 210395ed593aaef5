"""TSIVR-PG: occupancy and gradient of a general utility from large batches and weighted increments, truncated steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.exact.utilities import Utility
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, Trajectories, gpomdp, off_policy, paid
from mdplab.solvers.sampled import first_logits
from mdplab.solvers.sampled_utility import (
    SampledUtilityIterate,
    batch_mean,
    many,
    seen_visits,
    shadow_reward,
    truncated,
)
from mdplab.solvers.thinning import thinned


def tsivr_pg(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_size: Any,
    radius: Any = None,
    epoch: int = 7,
    large_batch: int = 49,
    small_batch: int = 7,
    weigh: Callable[[Trajectories, Array, Array], Trajectories] = off_policy,
    at: Iterable[int] | None = None,
) -> Iterator[SampledUtilityIterate]:
    """Yield the iterates of TSIVR-PG: θ_{j+1} = θ_j + η g_j, or a step of length δ along g_j if that is shorter.

    At the start of an epoch λ_0, r_0 = ∇F(λ_0) and g_0 are means over a large batch; then, over a small one::

        λ_j = λ_{j−1} + mean of λ̂ − λ̂_ω,   r_j = ∇F(λ_j),
        g_j = g_{j−1} + mean of g(θ_j, r_{j−1}) − g_ω(θ_{j−1}, r_{j−2}),   r_{−1} = r_0.

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        See `mdplab.exact.utilities`.
    step_size : number or array (...,)
        η; there is no default, as it depends on how smooth F is.
    radius : number, optional
        δ, the longest step; 1 / (2 H) by default, the paper's for a table of logits.
    epoch, large_batch, small_batch : int
        Iterates of an epoch, trajectories of its first and of each later one.  The paper's are 1/ε, 1/ε² and 1/ε; the
        defaults are those of ε = 1/7.
    weigh : function of (trajectories, π_j, π_{j−1})
        How trajectories count for the policy before.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    g_0 takes r_0 from its own batch, as the paper does: a bias of the order of one over the large batch.

    References
    ----------
    :cite:`zhang2021`.
    """
    δ = 1 / (2 * horizon) if radius is None else radius
    return thinned(_run(mdp, F, θ, draws, horizon, (step_size, δ), (epoch, large_batch, small_batch), weigh), at)


def _run(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step: tuple[Any, Any],
    sizes: tuple[int, int, int],
    weigh: Callable[[Trajectories, Array, Array], Trajectories],
) -> Iterator[SampledUtilityIterate]:
    epoch, large, small = sizes
    θ = first_logits(mdp, θ, draws)
    shape, trajectories = draws.shape, 0
    before = λ = g = r = r_before = None
    for k in count():
        π, first = softmax(θ), k % epoch == 0
        τ = many(mdp, π, horizon, draws.at(k), large if first else small)
        if first:
            λ = seen_visits(mdp, τ, shape)
            r = r_before = shadow_reward(F, λ)
            g = batch_mean(gpomdp(paid(τ, r), π), shape, 2)
        else:
            there = weigh(τ, π, before)
            change = gpomdp(paid(τ, r), π) - gpomdp(paid(there, r_before), before)
            λ = λ + seen_visits(mdp, τ, shape) - seen_visits(mdp, there, shape)
            g = g + batch_mean(change, shape, 2)
            r, r_before = shadow_reward(F, λ), r
        trajectories += large if first else small
        yield SampledUtilityIterate(k, θ, π, g, trajectories, λ)
        θ, before = θ + truncated(g, *step), π
