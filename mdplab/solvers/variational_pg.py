"""Variational policy gradient from paths: visits and slopes of a general utility from the same paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from mdplab.arrays import Array, softmax, total
from mdplab.exact.utilities import Utility
from mdplab.exact.values import discounted_sum
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, all_actions
from mdplab.solvers.sampled import first_logits, scaled
from mdplab.solvers.sampled_utility import SampledUtilityIterate, batch_mean, many, seen_visits, shadow_reward
from mdplab.solvers.thinning import thinned


def variational_pg(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_size: Any,
    batch: int = 10,
    at: Iterable[int] | None = None,
) -> Iterator[SampledUtilityIterate]:
    """Yield the iterates of θ_{k+1} = θ_k + η ∇̃, the limit of the variational estimate from `batch` paths, without end.

    That limit is Σ_t γ^t Σ_a Q(s_t, a; z) ∇π(a | s_t), averaged over the paths, with z = ∇F at the visits of the same
    paths and the exact action values Q of the reward z.

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        See `mdplab.exact.utilities`.
    step_size : number or array (...,)
        η; there is no default, as it depends on how smooth F is.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    As z comes from the same paths the estimate is biased, by the order of 1 / `batch`.  The sums over time begin at
    t = 0, where notes on the paper print t = 1.

    References
    ----------
    :cite:`zhang2020`, Theorem 3.2.
    """
    return thinned(_run(mdp, F, θ, draws, horizon, step_size, batch), at)


def shadow_action_values(mdp: DiscountedMDP, π: Array, z: Array) -> Array:
    """Q^π(s, a) for the reward z; z and π (..., S, A) may have more batch axes than the model."""
    P, _ = mdp.under(π)
    return z + mdp.γ(2) * mdp.expected_next(discounted_sum(mdp, P, total(π * z)))


def _run(
    mdp: DiscountedMDP, F: Utility, θ: Array | None, draws: Draws, horizon: int, step_size: Any, batch: int
) -> Iterator[SampledUtilityIterate]:
    θ = first_logits(mdp, θ, draws)
    for k in count():
        π = softmax(θ)
        τ = many(mdp, π, horizon, draws.at(k), batch)
        λ = seen_visits(mdp, τ, draws.shape)
        q = shadow_action_values(mdp, π, shadow_reward(F, λ))
        d = batch_mean(all_actions(τ, π, q), draws.shape, 2)
        yield SampledUtilityIterate(k, θ, π, d, (k + 1) * batch, λ)
        θ = θ + scaled(step_size, d)
