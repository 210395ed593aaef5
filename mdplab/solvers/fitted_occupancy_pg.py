"""Policy gradient for a general utility with a fitted occupancy: least squares on features, for many states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, expand, namespace, softmax, solve, transposed
from mdplab.exact.utilities import Utility
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, paid
from mdplab.solvers.sampled import first_logits, scaled
from mdplab.solvers.sampled_utility import SampledUtilityIterate, batch_mean, many, seen_visits, shadow_reward
from mdplab.solvers.thinning import thinned


def fitted_occupancy_pg(
    mdp: DiscountedMDP,
    F: Utility,
    features: Array,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    weights: Array | None = None,
    step_sizes: Iterable[Any] | None = None,
    batch: int = 5,
    at: Iterable[int] | None = None,
) -> Iterator[SampledUtilityIterate]:
    """Yield the iterates of θ_{t+1} = θ_t + α_t mean of g(τ, θ_t, ∇F(λ_t)), λ_t = ⟨φ, ω_t⟩ fitted to visits.

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        See `mdplab.exact.utilities`.
    features : array (S, A, d)
        φ, of full rank where `weights` are positive; one for each pair gives back the visits themselves.
    weights : array (S,), optional
        How much errors in a state count; the start distribution by default, as in the paper.
    step_sizes : iterable of numbers or arrays (...,)
        α_0, α_1, ...; 1/10 by default.
    batch : int
        Trajectories for the gradient, and as many others for the occupancy.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    The paper finds ω_t by stochastic gradient steps; here it is the exact least-squares solution for the same targets.
    PG-OMA, its follow-up, fits by maximum likelihood instead: for all distributions that is the visits themselves.

    References
    ----------
    :cite:`barakat2023`, Section 5.
    """
    steps = repeat(0.1) if step_sizes is None else step_sizes
    ρ = mdp.start if weights is None else weights
    return thinned(_run(mdp, F, features, θ, draws, horizon, ρ, steps, batch), at)


def fitted_occupancy(λ: Array, features: Array, weights: Array) -> Array:
    """⟨φ, ω⟩ for the ω that minimises Σ_s w(s) Σ_a (⟨φ(s, a), ω⟩ − λ(s, a))²;  (..., S, A) -> (..., S, A).

    Targets (..., S, A), features (S, A, d), weights (S,) or (..., S): all in one arithmetic.
    """
    S, A, d = features.shape
    reshape = namespace(λ).reshape
    Φ, y = reshape(features, (S * A, d)), reshape(λ, (*λ.shape[:-2], S * A))
    w = reshape(expand(weights, 1) + 0 * λ, y.shape)
    gram, target = transposed(Φ) @ (expand(w, 1) * Φ), ((w * y)[..., None, :] @ Φ)[..., 0, :]
    return reshape(solve(gram, target) @ transposed(Φ), λ.shape)


def _run(
    mdp: DiscountedMDP,
    F: Utility,
    features: Array,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    weights: Array,
    step_sizes: Iterable[Any],
    batch: int,
) -> Iterator[SampledUtilityIterate]:
    θ = first_logits(mdp, θ, draws)
    for t, α in enumerate(step_sizes):
        π = softmax(θ)
        τ, other = (many(mdp, π, horizon, draws.at(2 * t + i), batch) for i in (0, 1))
        λ = fitted_occupancy(seen_visits(mdp, other, draws.shape), features, weights)
        d = batch_mean(gpomdp(paid(τ, shadow_reward(F, λ)), π), draws.shape, 2)
        yield SampledUtilityIterate(t, θ, π, d, 2 * (t + 1) * batch, λ)
        θ = θ + scaled(α, d)
