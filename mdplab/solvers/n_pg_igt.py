"""N-PG-IGT: momentum that samples ahead of the iterate, so that the old average needs no correction of first order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, is_exact, rational, rational_number, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, rollouts
from mdplab.solvers.sampled import SampledIterate, decreasing, first_logits, scaled, unit
from mdplab.solvers.thinning import thinned


def n_pg_igt(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    shares: Iterable[Any] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of normalised policy gradient with implicit gradient transport.

    d_t = (1 − η_t) d_{t−1} + η_t g(τ_t, θ̃_t) with τ_t from the policy of θ̃_t, see `transported`;
    θ_{t+1} = θ_t + γ_t d_t / ‖d_t‖.

    Parameters
    ----------
    step_sizes : iterable of numbers or arrays (...,)
        γ_0, γ_1, ...; by default 2 / (t + 2), the schedule of Theorem 1 of :cite:`fatk2023`, where its first step is
        3 M_g / μ_F; tabular softmax has no such μ_F > 0 for all policies.
    shares : iterable of numbers or arrays (...,)
        η_0, η_1, ... in (0, 1], the first of which has no effect, as d_0 = g(τ_0, θ_0); by default (2 / (t + 2))^(4/5).
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    References
    ----------
    :cite:`fatk2023`.
    """
    steps = decreasing(1.0, 1) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, decreasing(1.0, 4 / 5) if shares is None else shares), at)


def transported(θ: Array, before: Array, share: Any) -> Array:
    """θ̃_t = θ_t + (1 − η_t) / η_t (θ_t − θ_{t−1}), where the next trajectory is drawn;  (..., S, A) -> (..., S, A)."""
    η = share
    if is_exact(θ) and not is_exact(η):
        η = rational(η) if getattr(η, "shape", ()) else rational_number(η)
    return θ + scaled((1 - η) / η, θ - before)


def _run(
    mdp: DiscountedMDP,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    shares: Iterable[Any],
) -> Iterator[SampledIterate]:
    θ = before = first_logits(mdp, θ, draws)
    d = None
    for t, (γ, η) in enumerate(zip(step_sizes, shares, strict=False)):
        π = softmax(transported(θ, before, η))
        g = gpomdp(rollouts(mdp, π, horizon, draws.at(t)), π)
        d = g if d is None else d + scaled(η, g - d)
        yield SampledIterate(t, θ, softmax(θ), d, t + 1)
        θ, before = θ + scaled(γ, unit(d)), θ
