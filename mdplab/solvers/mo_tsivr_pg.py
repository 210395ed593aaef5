"""MO-TSIVR-PG: several returns and the gradient of a function of them, by weighted increments between batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from mdplab.arrays import Array, largest, maximum, minimum, smallest, softmax
from mdplab.models.multi_objective import MultiObjectiveMDP
from mdplab.sampling import Draws, Trajectories, gpomdp, off_policy, scalarised
from mdplab.solvers.mo_pg import SampledReturnsIterate, mean_returns
from mdplab.solvers.sampled import first_logits
from mdplab.solvers.sampled_utility import batch_mean, many, truncated
from mdplab.solvers.thinning import thinned


def mo_tsivr_pg(
    mdp: MultiObjectiveMDP,
    f: Any,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_size: Any,
    radius: Any = None,
    epoch: int = 13,
    large_batch: int = 144,
    small_batch: int = 12,
    weigh: Callable[[Trajectories, Array, Array], Trajectories] = off_policy,
    at: Iterable[int] | None = None,
) -> Iterator[SampledReturnsIterate]:
    """Yield the iterates of MO-TSIVR-PG: a step η g_j, or of length δ along g_j if that is shorter, without end.

    At the start of an epoch J_0 is the mean return of a large batch, c_0 = ∇f(J_0) and g_0 the mean gradient for the
    reward ⟨c_0, r⟩ of another; then, over small batches::

        J_j = Π(J_{j−1} + mean of R̂ − R̂_ω),   c_j = ∇f(J_j),
        g_j = g_{j−1} + mean of g(θ_j, ⟨c_j, r⟩) − g_ω(θ_{j−1}, ⟨c_{j−1}, r⟩),

    where Π clips to the returns that rewards between their least and their largest can make.

    Parameters
    ----------
    f : scalarisation
        See `mdplab.exact.scalarisations`.
    step_size : number or array (...,)
        η; there is no default, as it depends on how smooth f is.
    radius : number, optional
        δ, the longest step; 1 / (2 H) by default, as for `tsivr_pg`.
    epoch, large_batch, small_batch : int
        Iterates of an epoch, trajectories of its first and of each later one, twice each.  The defaults are those of
        the public code: 12 updates after the first.
    weigh : function of (trajectories, π_j, π_{j−1})
        How trajectories count for the policy before.  The public code has the inverse of this weight, as read.
    θ, draws, horizon, at : as for `sampled_pg`, and so are errors.

    Notes
    -----
    The public code follows the clipped gradient with Adam; here it is followed as it is.

    References
    ----------
    :cite:`guid2025`.
    """
    δ = 1 / (2 * horizon) if radius is None else radius
    return thinned(_run(mdp, f, θ, draws, horizon, (step_size, δ), (epoch, large_batch, small_batch), weigh), at)


def _run(
    mdp: MultiObjectiveMDP,
    f: Any,
    θ: Array | None,
    draws: Draws,
    horizon: int,
    step: tuple[Any, Any],
    sizes: tuple[int, int, int],
    weigh: Callable[[Trajectories, Array, Array], Trajectories],
) -> Iterator[SampledReturnsIterate]:
    epoch, large, small = sizes
    θ = first_logits(mdp.mdp, θ, draws)
    shape, trajectories = draws.shape, 0
    low, high = _range(mdp, horizon)
    before = J = g = c = None
    for k in count():
        π, n = softmax(θ), large if k % epoch == 0 else small
        τ, other = (many(mdp, π, horizon, draws.at(2 * k + i), n) for i in (0, 1))
        if k % epoch == 0:
            J = mean_returns(τ, shape)
            c = f.gradient(J)
            g = batch_mean(gpomdp(scalarised(other, c), π), shape, 2)
        else:
            J = J + mean_returns(τ, shape) - mean_returns(weigh(τ, π, before), shape)
            J = minimum(maximum(J, low), high)
            c, c_before = f.gradient(J), c
            there = scalarised(weigh(other, π, before), c_before)
            g = g + batch_mean(gpomdp(scalarised(other, c), π) - gpomdp(there, before), shape, 2)
        trajectories += 2 * n
        yield SampledReturnsIterate(k, θ, π, g, trajectories, J)
        θ, before = θ + truncated(g, *step), π


def _range(mdp: MultiObjectiveMDP, horizon: int) -> tuple[Array, Array]:
    """Least and largest returns of H steps, objective by objective;  (..., M) each."""
    time = sum(mdp.γ(1) ** h for h in range(horizon))
    return time * smallest(mdp.rewards, 2), time * largest(mdp.rewards, 2)
