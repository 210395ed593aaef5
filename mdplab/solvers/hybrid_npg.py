"""Natural policy gradient whose critic is fitted to offline data and to returns at once (:cite:`hac2023`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from mdplab.arrays import Array, divided, expand, log_softmax, softmax, total
from mdplab.exact import action_values, occupancy
from mdplab.models import DiscountedMDP, FiniteHorizonMDP
from mdplab.sampling import Draws, pair_sums, rewards_to_go, rollouts
from mdplab.solvers.experience import Experience


@dataclass(frozen=True, eq=False)
class CriticIterate:
    """The k-th policy, and the critic that moves it.

    Parameters
    ----------
    k : int
        Updates so far.
    log_π, π, f : array (..., S, A)
    """

    k: int
    log_π: Array
    π: Array
    f: Array


def hybrid_npg(
    mdp: DiscountedMDP,
    data: Array,
    *,
    weight: Any = 1,
    step_size: Any = 1,
    sweeps: int = 1,
    log_π: Array | None = None,
) -> Iterator[CriticIterate]:
    """Yield the iterates of π_{t+1}(a | s) ∝ π_t(a | s) exp(η f_t(s, a)), everything known: the population version.

    Parameters
    ----------
    data : array (..., S, A)
        ν, the distribution of pairs in the offline data.
    weight, step_size : number or array (...,)
        λ of the on-policy term, and η.  Ours; those of the paper we have not read.
    sweeps : int
        K_1, steps of `hybrid_evaluation` from f = 0.
    log_π : array (..., S, A), optional
        Uniform by default.
    """
    log_π = log_softmax(0 * mdp.r if log_π is None else log_π)
    for k in count():
        π = softmax(log_π)
        *_, f = islice(hybrid_evaluation(mdp, π, data, weight=weight), sweeps + 1)
        yield CriticIterate(k, log_π, π, f)
        log_π = log_softmax(log_π + expand(step_size, 2) * f)


def hybrid_evaluation(
    mdp: DiscountedMDP, π: Array, data: Array, *, weight: Any = 1, f: Array | None = None
) -> Iterator[Array]:
    """Yield f_0 = `f` (zero by default), f_1, ... with f_k the least-squares fit to both sources of data.

    f_k = (ν T^π f_{k−1} + λ d^π Q^π) / (ν + λ d^π), pair by pair, d^π normalised.  A pair without data is
    fitted on the policy alone, also where its probability is too small for float64.
    """
    on_policy = expand(weight, 2) * expand(occupancy(mdp, π), 1) * π
    share, q = divided(data, data + on_policy), action_values(mdp, π)
    f = 0 * mdp.r if f is None else f
    while True:
        yield f
        f = share * mdp.action_values(total(π * f)) + (1 - share) * q


def sampled_hybrid_npg(
    mdp: FiniteHorizonMDP,
    draws: Draws,
    offline: Experience | None = None,
    *,
    batch: int = 32,
    weight: float = 1.0,
    step_size: float = 1.0,
) -> Iterator[CriticIterate]:
    """Yield the iterates of many runs over a finite horizon, one for each draw; update k uses the draws of round k.

    Parameters
    ----------
    offline : Experience of the same draws' shape, optional
        The offline data, counted; without it only trajectories of the policy itself are used.
    batch : int
        Trajectories of the policy for each update.
    weight : float
        λ; with 0 only offline data are used.

    Notes
    -----
    One backward pass is the fixed point of the evaluation.  A pair that nobody has met has f = 0.
    """
    log_π = log_softmax(draws.table(mdp.S, mdp.A))
    for k in count():
        π = softmax(log_π)
        seen = rollouts(mdp, π, mdp.H, draws.at(k).samples(batch))
        met, lost = (
            weight / batch * pair_sums(seen.states, seen.actions, x, mdp.S, mdp.A).sum(axis=-3)
            for x in (np.ones(seen.actions.shape), rewards_to_go(seen))
        )
        f = lost / np.maximum(met, 1e-300) if offline is None else _fitted(offline, π, met, lost)
        yield CriticIterate(k, log_π, π, f)
        log_π = log_softmax(log_π + step_size * f)


def _fitted(offline: Experience, π: Array, met: Array, returns: Array) -> Array:
    """Weighted least squares, epoch by epoch from the last: targets of the offline data and observed returns."""
    n = offline.visits[..., : offline.mdp.sizes[0], :].sum(axis=(-2, -1))[..., None, None]  # offline trajectories
    f, v = np.zeros_like(π), None
    for h, rows in offline.backwards():
        weights = offline.visits[..., rows, :] / n + met[..., rows, :]
        targets = offline.targets(h, rows, v) / n + returns[..., rows, :]
        f[..., rows, :] = targets / np.where(weights > 0, weights, 1)
        v = total(π[..., rows, :] * f[..., rows, :])
    return f
