"""REINFORCE until exit: payoff times scores of the decisions before the exit, from trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, expand, softmax
from mdplab.models import ExitTimeMDP
from mdplab.sampling import Draws, reinforce, rollouts
from mdplab.sampling.chains import aligned


@dataclass(frozen=True, eq=False)
class ExitSample:
    """The k-th policies of many runs: updates so far, logits, probabilities (..., N, S, A), and the next direction."""

    k: int
    θ: Array
    π: Array
    direction: Array


def exit_reinforce(
    mdp: ExitTimeMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    step_size: Any = None,
    batch: int = 1,
    baseline: Any = 0,
) -> Iterator[ExitSample]:
    """Yield the iterates of θ_{k+1} = θ_k + η ĝ_k, ĝ the mean of (g(X_τ) − b) Σ_{i<τ} ∇ log π(α_i | i, X_i).

    Parameters
    ----------
    θ : array (..., N, S, A) or (..., S, A), optional
        First logits, one row for each time or one for all times; zero and one for each time by default.
    draws : Draws
        Round k makes the trajectories of iterate k, one run for each draw.
    step_size : number or array (...,)
        η; by default 1 / (N max |g|), with which the exact method never loses value.
    batch : int
        Trajectories for one update.
    baseline : number
        b.

    References
    ----------
    :cite:`hamd2023`, the direct method; its loop and step sizes could not be read.
    """
    timed = (mdp.N, mdp.S, mdp.A)
    θ = (0 * mdp.P[..., 0] + expand(0 * mdp.start, 1))[..., None, :, :].repeat(mdp.N, axis=-3) if θ is None else θ
    η = 1 / (mdp.N * mdp.payoff_bound) if step_size is None else step_size
    for k in count():
        π = each_time(softmax(θ), timed)
        rows = π.reshape(*π.shape[:-3], mdp.N * mdp.S, mdp.A)
        here = draws.at(k) if batch == 1 else draws.at(k).samples(batch)
        g = reinforce(rollouts(mdp, π, mdp.N, here), rows, baseline)
        g = like_logits(g if batch == 1 else g.mean(axis=-3), mdp, θ)
        yield ExitSample(k, θ, π, g)
        θ = exit_step(θ, η, g)


def each_time(π: Array, timed: tuple[int, int, int]) -> Array:
    """Policies for each time (..., N, S, A), from such or from those of all times alike (..., S, A)."""
    if tuple(π.shape[-3:]) == timed:
        return π
    return π[..., None, :, :].repeat(timed[0], axis=-3)


def like_logits(g: Array, mdp: ExitTimeMDP, θ: Array) -> Array:
    """A gradient by rows (..., N·S, A) as one by the logits θ, of each time or shared by all."""
    g = g.reshape(*g.shape[:-2], mdp.N, mdp.S, mdp.A)
    return g if tuple(θ.shape[-3:]) == (mdp.N, mdp.S, mdp.A) else g.sum(axis=-3)


def exit_step(θ: Array, η: Any, g: Array) -> Array:
    """θ + η g, where θ and η may lack the replicate axes of g."""
    own = 3 if θ.ndim >= 3 and θ.shape[-3:] == g.shape[-3:] else 2
    lead = g.ndim - own
    η = expand(aligned(η, 0, lead), own) if getattr(η, "shape", ()) else η
    return aligned(θ, own, lead) + η * g
