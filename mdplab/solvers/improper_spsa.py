"""Weights of given controllers by simultaneous perturbation: values at random logits nearby, and no gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, softmax
from mdplab.exact.improper import mixture
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, observed_return, rollouts
from mdplab.solvers.improper_pg import weight_logits


@dataclass(frozen=True, eq=False)
class ImproperSample:
    """The k-th mixtures of many runs: updates so far, logits, weights and next direction, (m, M) each."""

    k: int
    θ: Array
    w: Array
    direction: Array


def improper_spsa(
    mdp: DiscountedMDP,
    controllers: Array,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    radius: float,
    step_size: Any,
    batch: int = 1,
) -> Iterator[ImproperSample]:
    """Yield the mixtures of θ_{k+1} = θ_k + η ĝ_k, ĝ the mean of (M/α) V̂(θ + α u) u, one run for each draw (m,).

    Parameters
    ----------
    controllers : array (M, S, A)
    θ : array (M,), optional
        First logits; zero by default.
    horizon : int
        Steps of the one trajectory that makes V̂.
    radius : number
        α.  The mean of ĝ is off by at most α times the smoothness, and its size is that of M V / α.
    batch : int
        Directions u, uniform on the unit sphere, each with a trajectory of its own, for one update.

    References
    ----------
    :cite:`zaki2022`, the algorithm without a gradient oracle, as described in the earlier version of the paper.
    """
    M = controllers.shape[-3]
    θ = np.broadcast_to(weight_logits(mdp, controllers, θ), (*draws.shape, M))
    for k in count():
        here = draws.at(k).samples(batch)
        u = sphere(here, M)
        seen = rollouts(mdp, mixture(controllers, softmax(θ[..., None, :] + radius * u)), horizon, here)
        g = (M / radius * observed_return(seen)[..., None] * u).mean(axis=-2)
        yield ImproperSample(k, θ, softmax(θ), g)
        θ = θ + step_size * g


def sphere(draws: Draws, n: int) -> np.ndarray:
    """One direction for each draw, uniform on the unit sphere of R^n;  (..., n)."""
    z = draws.normals("sphere", n)
    return np.asarray(z / np.sqrt((z * z).sum(axis=-1, keepdims=True)))
