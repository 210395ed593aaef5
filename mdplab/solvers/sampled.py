"""What policy gradient methods that sample have in common: iterates, schedules, unit steps, averages of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, expand, is_exact, norm, rational, rational_number
from mdplab.errors import MdplabError
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, NotEnumerable, Outcomes, rollouts
from mdplab.sampling.chains import aligned, zeros


@dataclass(frozen=True, eq=False)
class SampledIterate:
    """The k-th policy of a run, and the direction in which the next one lies.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, π : array (..., S, A)
        Logits and probabilities.
    direction : array (..., S, A)
        d_k, the estimate of ∇J_H(θ_k) that the update uses.
    trajectories : int
        Sampled by each replicate so far, those for d_k included.
    """

    k: int
    θ: Array
    π: Array
    direction: Array
    trajectories: int


def decreasing(first: float, power: float) -> Iterator[float]:
    """first (2 / (t + 2))^power for t = 0, 1, ...: the schedules of :cite:`fatk2023`."""
    return (first * (2 / (t + 2)) ** power for t in count())


def unit(d: Array) -> Array:
    """d / ‖d‖, and zero for d = 0;  (..., S, A) -> (..., S, A).  Balls that may be zero: anything from −1 to 1."""
    length = expand(norm(d, 2), 2)
    return np.asarray(_share(d, length)) if is_exact(d) else d / (length + (length == 0))


def _share_of(x: Any, length: Any) -> Any:
    if length > 0:
        return x / length
    return 0 * ball(x) if length == 0 else ball(-1).union(ball(1))


_share = np.frompyfunc(_share_of, 2, 1)


def scaled(x: Any, d: Array) -> Array:
    """x d, in the arithmetic of d, where a float stands for itself;  x number or (...), d (..., S, A)."""
    if is_exact(d) and not is_exact(x):
        x = rational(x) if getattr(x, "shape", ()) else rational_number(x)
    return expand(x, 2) * d


def first_logits(mdp: DiscountedMDP, θ: Array | None, draws: Draws) -> Array:
    """A table of logits for each replicate, (*draws.shape, S, A): `θ` with its batch axes first, zeros by default.

    Raises
    ------
    MdplabError
        If `θ` does not fit the draws, or iterates would not fit into memory; `NotEnumerable` for `Outcomes`, as a run
        draws again and again.
    """
    if isinstance(draws, Outcomes):
        raise NotEnumerable("a run of a method that samples draws at every iterate, which is not enumerated")
    draws.require_room(4 * mdp.S * mdp.A)
    shape = (*draws.shape, mdp.S, mdp.A)
    if θ is None:
        return zeros(shape, mdp.P)
    try:
        return np.broadcast_to(aligned(θ, 2, len(draws.shape)), shape)
    except ValueError:
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; draws of shape {draws.shape} call for {shape}") from None


def averaged(
    estimate: Callable[..., Array],
    mdp: DiscountedMDP,
    π: Array,
    *others: Array,
    horizon: int,
    draws: Draws,
    batch: int,
) -> Array:
    """Mean of estimate(τ, π, *others) over `batch` independent trajectories τ of π a replicate;  -> (..., S, A)."""
    if batch == 1:
        return estimate(rollouts(mdp, π, horizon, draws), π, *others)
    return estimate(rollouts(mdp, π, horizon, draws.samples(batch)), π, *others).mean(axis=-3)
