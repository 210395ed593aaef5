"""Polyak's step size without knowing the optimum: of two policies the better one is the target of the worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws
from mdplab.solvers.sampled_polyak_pg import batch_estimates, polyak_step


@dataclass(frozen=True, eq=False)
class TwinIterate:
    """Two policies of each run: updates so far, logits and probabilities (..., 2, S, A), estimated values (..., 2)."""

    k: int
    θ: Array
    π: Array
    values: Array


def twin_polyak_pg(
    mdp: DiscountedMDP, θ: Array, *, draws: Draws, horizon: int, batch: int = 1, c: Any = 1, cap: Any = None
) -> Iterator[TwinIterate]:
    """Yield both policies of many runs; the one of the smaller estimated value moves, towards the larger value.

    Parameters
    ----------
    θ : array (..., 2, S, A)
        First logits of the twins, which should differ.
    draws : Draws
        The last axis of their shape is that of the twins, of length two; round k makes the batches of iterate k.
    horizon, batch, c, cap : as for `sampled_polyak_pg`

    Notes
    -----
    Without sampling error, V̂ = V, the larger value never falls and bounds nothing: where both twins are at the same
    value neither moves, optimal or not.

    References
    ----------
    The idea of :cite:`li2024`, whose exact rule could not be read.
    """
    for k in count():
        π = softmax(θ)
        values, g = batch_estimates(mdp, π, horizon, draws.at(k), batch)
        yield TwinIterate(k, θ, π, values)
        target = np.broadcast_to(values.max(axis=-1, keepdims=True), values.shape)
        θ = θ + expand(polyak_step(target, values, g, c, cap), 2) * g
