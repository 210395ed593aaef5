"""Robust policy iteration: evaluate against the worst kernel, take the greedy policy, repeat; and its lazy form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, namespace, sup
from mdplab.errors import MdplabError
from mdplab.exact.robust import robust_backup, robust_bellman, worst_case
from mdplab.models.robust import RobustMDP


def robust_policy_iteration(mdp: RobustMDP, π: Array | None = None) -> Iterator[tuple[Array, Array]]:
    """Yield (π_k, v_k) without end: v_k the exact robust values of π_k, π_{k+1} robust greedy for v_k.

    Parameters
    ----------
    mdp : RobustMDP
        Its set of kernels must be rectangular.
    π : array (..., S, A), optional
        The first policy, uniform by default.

    Notes
    -----
    A state changes its policy only where that lowers its cost: strictly in rationals, by any amount in float64.

    References
    ----------
    :cite:`iyengar2005`; :cite:`ho2021`.
    """
    π = _uniform(mdp) if π is None else π
    while True:
        v = worst_case(mdp, π).v
        yield π, v
        Tv, greedy = robust_bellman(mdp, v)
        π = _where(expand(Tv < v, 1), greedy, π)


@dataclass(frozen=True, eq=False)
class PartialIterate:
    """One round of partial policy iteration.

    Attributes
    ----------
    k : int
        Improvements so far.
    π : array (..., S, A)
    w : array (..., S)
        Approximate robust values of π.
    error : array (...,)
        Bound on ‖w − v^π‖, at most the tolerance of the round.
    gap : array (...,)
        Bound on ‖w − v*‖: the Bellman residual over 1 − γ.
    """

    k: int
    π: Array
    w: Array
    error: Array
    gap: Array


def partial_policy_iteration(
    mdp: RobustMDP, π: Array | None = None, *, first_tolerance: Any = 1, shrink: Any = None
) -> Iterator[PartialIterate]:
    """Yield the rounds of partial policy iteration: each policy is evaluated up to a tolerance only, then improved.

    Parameters
    ----------
    first_tolerance : number
        ε_0, in the unit of values.
    shrink : number or array (...,), optional
        ε_{k+1} = shrink · ε_k, below γ for convergence at the rate γ; by default γ².

    Notes
    -----
    A policy is evaluated by applying its robust operator until a step is shorter than ε (1 − γ) / γ.

    References
    ----------
    :cite:`ho2021`, Section 5.
    """
    γ = mdp.γ(0)
    factor = γ * γ if shrink is None else shrink
    if np.any(np.asarray(factor, dtype=float) >= 1):
        raise MdplabError(f"shrink is {shrink}; expected less than 1")
    π = _uniform(mdp) if π is None else π
    w, ε, k = 0 * mdp.P[..., 0, 0], first_tolerance + 0 * mdp.P[..., 0, 0, 0], 0
    while True:
        w, error = _evaluated(mdp, π, w, ε)
        Tw, greedy = robust_bellman(mdp, w)
        yield PartialIterate(k, π, w, error, sup(Tw - w) / (1 - γ))
        π, ε, k = greedy, factor * ε, k + 1


def _evaluated(mdp: RobustMDP, π: Array, w: Array, ε: Array) -> tuple[Array, Array]:
    γ = mdp.γ(0)
    floor = 0 if is_exact(w) else 64 * mdp.S * 2.0**-53 * (1 + largest(abs(w)) + mdp.cost_bound / (1 - γ))
    done = error = None
    while True:
        new = robust_backup(mdp, w, π)
        step = sup(new - w)
        near = γ * step <= (1 - γ) * ε + floor
        if done is None:
            w, error, done = new, γ * step / (1 - γ), near
        else:  # a model of a batch stops where it would stop alone
            w, error = _where(expand(done, 1), w, new), _where(done, error, γ * step / (1 - γ))
            done = done | near
        if np.all(np.asarray(done, dtype=bool)):
            return w, error


def _uniform(mdp: RobustMDP) -> Array:
    return (0 * mdp.P[..., 0] + 1) / mdp.A


def _where(mask: Array, x: Array, y: Array) -> Array:
    return np.where(np.asarray(mask, dtype=bool), x, y) if is_exact(y) else namespace(y).where(mask, x, y)
