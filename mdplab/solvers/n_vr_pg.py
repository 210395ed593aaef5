"""N-VR-PG: occupancy and gradient of a general utility by recursive momentum, one trajectory and a unit step a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.exact.utilities import Utility
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, Trajectories, gpomdp, off_policy, paid, rollouts, visited_pairs
from mdplab.solvers.sampled import first_logits, scaled, unit
from mdplab.solvers.sampled_utility import SampledUtilityIterate, shadow_reward
from mdplab.solvers.thinning import thinned

Weigh = Callable[[Trajectories, Array, Array], Trajectories]
WHOLE: Weigh = partial(off_policy, whole=True)


def n_vr_pg(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    shares: Iterable[Any] | None = None,
    weigh: Weigh = WHOLE,
    at: Iterable[int] | None = None,
) -> Iterator[SampledUtilityIterate]:
    """Yield the iterates of N-VR-PG: θ_{t+1} = θ_t + α_t d_t / ‖d_t‖, as long as there are step sizes and shares.

    With λ̂ and g of one trajectory τ_t of θ_t, and w the weight that makes it count for θ_{t−1}::

        λ_t = η_t λ̂ + (1 − η_t) (λ_{t−1} + λ̂ − w λ̂),   r_t = ∇F(λ_t),
        d_t = η_t g(θ_t, r_{t−1}) + (1 − η_t) (d_{t−1} + g(θ_t, r_{t−1}) − w g(θ_{t−1}, r_{t−2})).

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        See `mdplab.exact.utilities`; its gradient must exist where pairs are not visited.
    step_sizes : iterable of numbers or arrays (...,)
        α_0, α_1, ...; 1 / (t + 1) by default.  With H α_t well above one the weights explode.
    shares : iterable of numbers or arrays (...,)
        η_0, η_1, ..., the first of which has no effect; 2 / (t + 1) by default.
    weigh : function of (trajectories, π_t, π_{t−1})
        How trajectories count for the policy before: by whole weights, as in the paper; by those of their prefixes with
        `off_policy`.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    Rewards lag behind: r_{t−1} does not depend on τ_t, so that g is right in mean.  Only r_0 comes from the trajectory
    that it judges.  The schedules are recalled, not read: the paper's global rate has α_t = α_0 (t + 1)^{−a},
    3/4 < a < 1, and this η_t.

    References
    ----------
    :cite:`barakat2023`.
    """
    steps = (1 / (t + 1) for t in count()) if step_sizes is None else step_sizes
    momenta = (2 / (t + 1) for t in count()) if shares is None else shares
    return thinned(_run(mdp, F, θ, draws, horizon, steps, momenta, weigh), at)


def _run(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    shares: Iterable[Any],
    weigh: Weigh,
) -> Iterator[SampledUtilityIterate]:
    θ = first_logits(mdp, θ, draws)
    before = λ = d = r = r_before = None
    for t, (α, η) in enumerate(zip(step_sizes, shares, strict=False)):
        π = softmax(θ)
        τ = rollouts(mdp, π, horizon, draws.at(t))
        seen = visited_pairs(τ, mdp.S, mdp.A)
        if t == 0:
            λ = seen
            r = r_before = shadow_reward(F, λ)
            d = gpomdp(paid(τ, r), π)
        else:
            there = weigh(τ, π, before)
            g, g_before = gpomdp(paid(τ, r), π), gpomdp(paid(there, r_before), before)
            λ = seen + _rest(η, λ - visited_pairs(there, mdp.S, mdp.A))
            d = g + _rest(η, d - g_before)
            r, r_before = shadow_reward(F, λ), r
        yield SampledUtilityIterate(t, θ, π, d, t + 1, λ)
        θ, before = θ + scaled(α, unit(d)), π


def _rest(η: Any, x: Array) -> Array:
    """(1 − η) x."""
    return scaled(1 - η, x)
