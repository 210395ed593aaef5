"""Sampled softmax policy gradient over a finite horizon, all epochs at once (:cite:`klein2024`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, rational_number, softmax
from mdplab.arrays import sqrt as root
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import Draws, gpomdp, rollouts
from mdplab.sampling.chains import aligned


@dataclass(frozen=True, eq=False)
class FiniteHorizonSample:
    """The k-th policies of many runs, and the direction in which each goes next.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, π : array (..., S, A)
        Logits and probabilities, of each replicate once there has been an update.
    direction : array (..., S, A)
        The estimate of the gradient, one for each replicate.
    """

    k: int
    θ: Array
    π: Array
    direction: Array


def sampled_simultaneous_pg(
    mdp: FiniteHorizonMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    updates: int = 1,
    batch: int = 1,
    step_size: Any = None,
) -> Iterator[FiniteHorizonSample]:
    """Yield the iterates of θ_{k+1} = θ_k + η ĝ_k, one run for each draw; update k uses the draws of round k.

    ĝ is the mean over `batch` trajectories of Σ_h R̂_h ∇ log π_h(a_h | s_h), R̂_h what is paid from epoch h on.

    Parameters
    ----------
    θ : array (..., S, A), optional
        Logits over all pairs of an epoch and a state; zero by default.
    updates : int
        N, how many updates the default step is made for; the iterator has no end.
    batch : int
        K.  What the theorem asks for grows like N³, see the card: nobody can afford it.
    step_size : number or array (...,), optional
        η; by default 1 / (5 H² R* √N), R* the model's `reward_bound`.
    """
    θ = 0 * mdp.rewards if θ is None else θ
    η = 1 / (5 * mdp.H**2 * mdp.reward_bound * _root(updates, mdp.start)) if step_size is None else step_size
    for k in count():
        π = softmax(θ)
        seen = rollouts(mdp, π, mdp.H, draws.at(k) if batch == 1 else draws.at(k).samples(batch))
        g = gpomdp(seen, π)
        g = g if batch == 1 else g.mean(axis=-3)
        yield FiniteHorizonSample(k, θ, π, g)
        θ = moved(θ, η, g)


def moved(θ: Array, η: Any, g: Array) -> Array:
    """θ + η g, where θ and η may lack the replicate axes that the estimate g (..., S, A) has."""
    lead = g.ndim - 2
    η = expand(aligned(η, 0, lead), 2) if getattr(η, "shape", ()) else η
    return aligned(θ, 2, lead) + η * g


def _root(n: int, like: Array) -> Any:
    return root(rational_number(n)) if is_exact(like) else np.sqrt(n)
