"""MO-PG: policy gradient for a concave function of several expected returns, its weights from a batch of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, softmax
from mdplab.models.multi_objective import MultiObjectiveMDP
from mdplab.sampling import Draws, Trajectories, by_objective, gpomdp, observed_return, scalarised
from mdplab.solvers.sampled import SampledIterate, first_logits, scaled
from mdplab.solvers.sampled_utility import batch_mean, many
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class SampledReturnsIterate(SampledIterate):
    """As `SampledIterate`, with the estimate J (..., M) of the returns whose ∇f the direction uses."""

    J: Array


def mo_pg(
    mdp: MultiObjectiveMDP,
    f: Any,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any] | None = None,
    returns_batch: int = 25,
    batch: int = 25,
    at: Iterable[int] | None = None,
) -> Iterator[SampledReturnsIterate]:
    """Yield the iterates of θ_{t+1} = θ_t + α_t mean of g(τ, θ_t, ⟨c_t, r⟩), c_t = ∇f at the mean returns of a batch.

    Parameters
    ----------
    f : scalarisation
        See `mdplab.exact.scalarisations`; of expected returns, not of the return of a trajectory.
    step_sizes : iterable of numbers or arrays (...,)
        α_0, α_1, ...; 1/10 by default.
    returns_batch, batch : int
        Trajectories for the returns, and others for the gradient.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    The gradient is biased all the same, as ∇f of a mean is not the mean of ∇f.

    References
    ----------
    :cite:`bai2022`, recalled; the baseline of :cite:`guid2025`.
    """
    steps = repeat(0.1) if step_sizes is None else step_sizes
    return thinned(_run(mdp, f, θ, draws, horizon, steps, (returns_batch, batch)), at)


def mean_returns(trajectories: Trajectories, shape: tuple[int, ...]) -> Array:
    """The vector of observed returns, averaged over a batch of each replicate;  -> (*shape, M)."""
    return batch_mean(observed_return(by_objective(trajectories)), shape, 1)


def _run(
    mdp: MultiObjectiveMDP,
    f: Any,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step_sizes: Iterable[Any],
    sizes: tuple[int, int],
) -> Iterator[SampledReturnsIterate]:
    θ = first_logits(mdp.mdp, θ, draws)
    for t, α in enumerate(step_sizes):
        π = softmax(θ)
        first, second = (many(mdp, π, horizon, draws.at(2 * t + i), n) for i, n in enumerate(sizes))
        J = mean_returns(first, draws.shape)
        d = batch_mean(gpomdp(scalarised(second, f.gradient(J)), π), draws.shape, 2)
        yield SampledReturnsIterate(t, θ, π, d, (t + 1) * sum(sizes), J)
        θ = θ + scaled(α, d)
