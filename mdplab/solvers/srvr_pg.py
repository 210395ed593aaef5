"""SRVR-PG: a large batch from time to time, and between two of them increments from few trajectories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, gradient_increment
from mdplab.solvers.sampled import SampledIterate, averaged, first_logits, scaled
from mdplab.solvers.thinning import thinned


def srvr_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    epoch: int = 10,
    large_batch: int = 50,
    small_batch: int = 5,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of SRVR-PG: θ_{t+1} = θ_t + γ_t d_t, d_t = d_{t−1} + mean of g(τ, θ_t) − g_ω(τ, θ_{t−1}).

    Parameters
    ----------
    step_sizes : iterable of numbers or arrays (...,)
        γ_0, γ_1, ...; 1/10 by default.
    epoch : int
        Every so many updates d_t is the mean of `large_batch` new estimates instead.
    large_batch, small_batch : int
        Trajectories at the start of an epoch, and of each later update in it.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    The paper's sizes follow from the accuracy that is asked for: epochs like ε^(−1/2), large batches like 1/ε, small
    ones like ε^(−1/2).  The defaults are one such choice, ε about 1/50.

    References
    ----------
    :cite:`xu2020`.
    """
    steps = repeat(0.1) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, (epoch, large_batch, small_batch)), at)


def _run(
    mdp: DiscountedMDP,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    sizes: tuple[int, int, int],
) -> Iterator[SampledIterate]:
    epoch, large, small = sizes
    θ = first_logits(mdp, θ, draws)
    before = d = None
    trajectories = 0
    for t, γ in enumerate(step_sizes):
        π = softmax(θ)
        if t % epoch == 0:
            d = averaged(gpomdp, mdp, π, horizon=horizon, draws=draws.at(t), batch=large)
        else:
            here = draws.at(t)
            d = d + averaged(gradient_increment, mdp, π, before, horizon=horizon, draws=here, batch=small)
        trajectories += small if t % epoch else large
        yield SampledIterate(t, θ, π, d, trajectories)
        θ, before = θ + scaled(γ, d), π
