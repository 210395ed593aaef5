"""STORM-PG: recursive momentum whose increments compare two policies on one trajectory, by importance weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, gradient_increment, rollouts
from mdplab.solvers.sampled import SampledIterate, decreasing, first_logits, scaled
from mdplab.solvers.thinning import thinned


def storm_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    shares: Iterable[Any] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of STORM-PG: θ_{t+1} = θ_t + γ_t d_t.

    d_t = g(τ_t, θ_t) + (1 − η_t) (d_{t−1} − g_ω(τ_t, θ_{t−1})), all from one trajectory of the policy of θ_t.

    Parameters
    ----------
    step_sizes : iterable of numbers or arrays (...,)
        γ_0, γ_1, ...; by default (2 / (t + 2))^(1/3).
    shares : iterable of numbers or arrays (...,)
        η_0, η_1, ..., the first of which has no effect, as d_0 = g(τ_0, θ_0); by default (2 / (t + 2))^(2/3), like the
        square of the step.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    g_ω weighs the rewards of τ_t with how likely the policy before would have led there.  These weights have no bound
    that does not grow with the step: what HARPG does without.

    References
    ----------
    :cite:`yuan2020`.
    """
    steps = decreasing(1.0, 1 / 3) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, decreasing(1.0, 2 / 3) if shares is None else shares), at)


def _run(
    mdp: DiscountedMDP,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    shares: Iterable[Any],
) -> Iterator[SampledIterate]:
    θ = first_logits(mdp, θ, draws)
    before = d = None
    for t, (γ, η) in enumerate(zip(step_sizes, shares, strict=False)):
        π = softmax(θ)
        seen = rollouts(mdp, π, horizon, draws.at(t))
        g = gpomdp(seen, π)
        if d is None:
            d = g
        else:
            carried = d + gradient_increment(seen, π, before)
            d = carried + scaled(η, g - carried)
        yield SampledIterate(t, θ, π, d, t + 1)
        θ, before = θ + scaled(γ, d), π
