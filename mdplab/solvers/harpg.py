"""HARPG and N-HARPG: recursive momentum whose increments are Hessian-vector products between two iterates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, hessian_vector, rollouts
from mdplab.solvers.sampled import SampledIterate, decreasing, first_logits, scaled, unit
from mdplab.solvers.thinning import thinned


def harpg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    shares: Iterable[Any] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of HARPG: θ_{t+1} = θ_t + γ_t d_t with d_t = (1 − η_t) (d_{t−1} + v_t) + η_t g(τ_t, θ_t).

    v_t = B(τ̂_t, θ̂_t) (θ_t − θ_{t−1}) at θ̂_t = q_t θ_t + (1 − q_t) θ_{t−1}, q_t uniform on [0, 1] and τ̂_t drawn there,
    independent of τ_t.

    Parameters
    ----------
    step_sizes : iterable of numbers or arrays (...,)
        γ_0, γ_1, ...; by default (2 / (t + 2))^(1/2).
    shares : iterable of numbers or arrays (...,)
        η_0, η_1, ..., the first of which has no effect, as d_0 = g(τ_0, θ_0); by default 2 / (t + 2).
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.
        Rounds 2 t and 2 t + 1 of the draws make τ_t and τ̂_t.

    References
    ----------
    :cite:`fatk2023`.
    """
    steps = decreasing(1.0, 1 / 2) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, shares, lambda d: d), at)


def n_harpg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    shares: Iterable[Any] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[SampledIterate]:
    """Yield the iterates of N-HARPG: θ_{t+1} = θ_t + γ_t d_t / ‖d_t‖, all else as for `harpg`.

    By default γ_t = 2 / (t + 2), the schedule of Theorem 3 of :cite:`fatk2023`, where its first step is 3 M_g / μ_F.
    """
    steps = decreasing(1.0, 1) if step_sizes is None else step_sizes
    return thinned(_run(mdp, θ, draws, horizon, steps, shares, unit), at)


def _run(
    mdp: DiscountedMDP,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    shares: Iterable[Any] | None,
    along: Callable[[Array], Array],
) -> Iterator[SampledIterate]:
    θ = before = first_logits(mdp, θ, draws)
    d = None
    for t, (γ, η) in enumerate(zip(step_sizes, decreasing(1.0, 1) if shares is None else shares, strict=False)):
        π = softmax(θ)
        g = gpomdp(rollouts(mdp, π, horizon, draws.at(2 * t)), π)
        if d is None:
            d = g
        else:
            carried = d + hessian_product(mdp, θ, before, horizon, draws.at(2 * t + 1))
            d = carried + scaled(η, g - carried)
        yield SampledIterate(t, θ, π, d, 2 * t + 1)
        θ, before = θ + scaled(γ, along(d)), θ


def hessian_product(mdp: DiscountedMDP, θ: Array, before: Array, horizon: int, draws: Draws) -> Array:
    """B(τ̂, θ̂) (θ − before) at a uniform point θ̂ between both: of mean ∇J_H(θ) − ∇J_H(before);  -> (..., S, A)."""
    q = draws.uniforms("between", 1)[..., 0]
    π = softmax(before + scaled(q, θ - before))
    return hessian_vector(rollouts(mdp, π, horizon, draws), π, θ - before)
