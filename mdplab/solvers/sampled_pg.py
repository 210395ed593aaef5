"""Softmax policy gradient with sampled gradients: θ_{t+1} = θ_t + γ_t g(τ_t, θ_t)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp
from mdplab.solvers.sampled import SampledIterate, averaged, decreasing, first_logits, scaled
from mdplab.solvers.thinning import thinned


def sampled_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    batch: int = 1,
    estimate: Callable[..., Array] = gpomdp,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of vanilla policy gradient, one run for each replicate, as long as there are step sizes.

    Parameters
    ----------
    θ : array (..., S, A), optional
        First logits, the same for replicates on axes that it lacks; zero by default.
    draws : Draws
        Their shape is that of the runs, the axes of the model first; round t makes the trajectories of iterate t.
    horizon : int
        Steps of a trajectory.
    step_sizes : iterable of numbers or arrays (...,)
        γ_0, γ_1, ...; by default (2 / (t + 2))^(1/2), which is bounded by 1.
    batch : int
        Trajectories whose estimates are averaged for an update.
    estimate : function of (trajectories, policy)
        GPOMDP by default.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `θ` does not fit the draws, or the horizon is below 1.

    References
    ----------
    :cite:`baxter2001`; vanilla policy gradient of :cite:`fatk2023`.
    """
    steps = decreasing(1.0, 1 / 2) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, batch, estimate), at)


def _run(
    mdp: DiscountedMDP,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    batch: int,
    estimate: Callable[..., Array],
) -> Iterator[SampledIterate]:
    θ = first_logits(mdp, θ, draws)
    for t, γ in enumerate(step_sizes):
        π = softmax(θ)
        d = averaged(estimate, mdp, π, horizon=horizon, draws=draws.at(t), batch=batch)
        yield SampledIterate(t, θ, π, d, (t + 1) * batch)
        θ = θ + scaled(γ, d)
