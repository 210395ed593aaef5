"""Normalised policy gradient with momentum: steps of given length along an average of past estimates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, rollouts
from mdplab.solvers.sampled import SampledIterate, decreasing, first_logits, scaled, unit
from mdplab.solvers.thinning import thinned


def n_mpg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    shares: Iterable[Any] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of N-MPG: d_t = (1 − η_t) d_{t−1} + η_t g(τ_t, θ_t), θ_{t+1} = θ_t + γ_t d_t / ‖d_t‖.

    Parameters
    ----------
    shares : iterable of numbers or arrays (...,)
        η_0, η_1, ..., the first of which has no effect, as d_0 = g(τ_0, θ_0); by default (2 / (t + 2))^(2/3), for
        which the error of d_t falls fastest along steps like 1 / t.
    step_sizes : iterable of numbers or arrays (...,)
        γ_0, γ_1, ...; by default 2 / (t + 2).
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    References
    ----------
    A baseline of :cite:`fatk2023`.
    """
    steps = decreasing(1.0, 1) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, decreasing(1.0, 2 / 3) if shares is None else shares), at)


def _run(
    mdp: DiscountedMDP,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    shares: Iterable[Any],
) -> Iterator[SampledIterate]:
    θ, d = first_logits(mdp, θ, draws), None
    for t, (γ, η) in enumerate(zip(step_sizes, shares, strict=False)):
        π = softmax(θ)
        g = gpomdp(rollouts(mdp, π, horizon, draws.at(t)), π)
        d = g if d is None else d + scaled(η, g - d)
        yield SampledIterate(t, θ, π, d, t + 1)
        θ = θ + scaled(γ, unit(d))
