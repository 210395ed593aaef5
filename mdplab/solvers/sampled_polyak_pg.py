"""Softmax policy gradient with Polyak's step size, value and gradient estimated from trajectories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, maximum, minimum, softmax, total
from mdplab.exact import optimum
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, gpomdp, observed_return, rollouts
from mdplab.sampling.chains import aligned


@dataclass(frozen=True, eq=False)
class SampledPolyakIterate:
    """The k-th policies of many runs with estimated Polyak steps.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, π : array (..., S, A)
        Logits and probabilities.
    value : array (...,)
        V̂, the mean return of the batch.
    direction : array (..., S, A)
        ∇V̂, the mean of GPOMDP on the same batch.
    step_size : array (...,)
        η, with which the policy is left.
    """

    k: int
    θ: Array
    π: Array
    value: Array
    direction: Array
    step_size: Array


def sampled_polyak_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    batch: int = 1,
    c: Any = 1,
    cap: Any = None,
    target: Any = None,
) -> Iterator[SampledPolyakIterate]:
    """Yield the iterates of θ_{k+1} = θ_k + η_k ∇V̂, η_k = min((V* − V̂)⁺ / (c ‖∇V̂‖²), cap), one run for each draw.

    Parameters
    ----------
    θ : array (..., S, A), optional
        First logits, with or without an axis for the replicates; zero by default.
    draws : Draws
        Round k makes the batch of iterate k.
    horizon : int
        Steps of a trajectory.
    batch : int
        Trajectories for one update.
    c, cap : numbers or arrays (...,)
        As for `polyak_pg`; no cap by default.
    target : number or array (...,), optional
        What stands for V*; by default the optimal value at the start, which returns of trajectories may exceed: the
        step is then zero.

    Notes
    -----
    Where the estimated gradient is zero there is no step.

    References
    ----------
    :cite:`li2024`, the step size; that V̂ and ∇V̂ come from the same batch is our reading.
    """
    target = total(mdp.start * optimum(mdp).v) if target is None else target
    θ = 0 * mdp.r if θ is None else θ
    for k in count():
        π = softmax(θ)
        value, g = batch_estimates(mdp, π, horizon, draws.at(k), batch)
        η = polyak_step(target, value, g, c, cap)
        yield SampledPolyakIterate(k, θ, π, value, g, η)
        θ = aligned(θ, 2, g.ndim - 2) + expand(η, 2) * g


def batch_estimates(mdp: DiscountedMDP, π: Array, horizon: int, draws: Draws, batch: int) -> tuple[Array, Array]:
    """V̂ (...) and ∇V̂ (..., S, A), means over one batch of trajectories for each draw."""
    seen = rollouts(mdp, π, horizon, draws if batch == 1 else draws.samples(batch))
    value, g = observed_return(seen), gpomdp(seen, π)
    return (value, g) if batch == 1 else (value.mean(axis=-1), g.mean(axis=-3))


def polyak_step(target: Any, value: Array, g: Array, c: Any = 1, cap: Any = None) -> Array:
    """min((target − value)⁺ / (c ‖g‖²), cap), zero where g is;  (...), (...), (..., S, A) -> (...)."""
    target, c, cap = (aligned(x, 0, value.ndim) if getattr(x, "shape", ()) else x for x in (target, c, cap))
    short, square = maximum(target - value, 0 * value), total(g * g, 2)
    if is_exact(g):
        η = np.frompyfunc(lambda x, y: 0 * x if y == 0 else x / y, 2, 1)(short, c * square)
    else:
        η = np.where(square > 0, short / np.where(square > 0, c * square, 1.0), 0.0)
    return η if cap is None else minimum(η, cap + 0 * η)
