"""Softmax policy gradient until exit, with exact gradients: θ_{k+1} = θ_k + η ∇E[g(X_τ)]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, namespace
from mdplab.errors import MdplabError
from mdplab.exact.exit_time import exit_gradient, exit_value
from mdplab.models import ExitTimeMDP
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class ExitIterate:
    """The k-th policy of a run: logits of the given form, probabilities (..., N, S, A), gradient, value E[g(X_τ)]."""

    k: int
    θ: Array
    π: Array
    gradient: Array
    value: Array


def exit_time_pg(
    mdp: ExitTimeMDP,
    θ: Array | None = None,
    *,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[ExitIterate]:
    """Yield the iterates of gradient ascent on the expected payoff at exit, without end.

    Parameters
    ----------
    mdp : ExitTimeMDP
    θ : array (..., N, S, A) or (..., S, A), optional
        First logits, one row for each time or one for all times; zero and one for each time by default.
    step_size : number or array (...,), optional
        η; by default 1 / (N max |g|), with which no step loses value.  It has to be given where all payoffs are zero.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `θ` or `step_size` has the wrong shape, or `at` does not increase from a number >= 0.

    Notes
    -----
    What the direct method and the actor-critic of :cite:`hamd2023` estimate, by backward and forward recursion.
    """
    rows = (*mdp.batch, mdp.S, mdp.A)
    timed = (*mdp.batch, mdp.N, mdp.S, mdp.A)
    zero = 0 * (mdp.P[..., None, :, :, 0] + mdp.start[..., None, :, None])
    every_time = namespace(zero).concat([zero] * mdp.N, axis=-3)
    θ = every_time if θ is None else θ
    if tuple(θ.shape) not in (rows, timed):
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; expected {timed}, or {rows} for all times alike")
    η = 1 / (mdp.N * mdp.payoff_bound) if step_size is None else step_size
    if getattr(η, "shape", ()) not in ((), mdp.batch):
        raise MdplabError(f"step_size has shape {tuple(η.shape)}; expected one number or shape {mdp.batch}")
    return thinned(_run(mdp, θ, η, every_time, tuple(θ.shape) != timed), at)


def _run(mdp: ExitTimeMDP, θ: Array, η: Any, every_time: Array, shared: bool) -> Iterator[ExitIterate]:
    for k in count():
        π = exp(log_softmax(every_time + θ[..., None, :, :] if shared else θ))
        g = exit_gradient(mdp, π)
        g = namespace(g).sum(g, axis=-3) if shared else g
        yield ExitIterate(k, θ, π, g, exit_value(mdp, π))
        θ = θ + expand(η, g.ndim - len(mdp.batch)) * g
