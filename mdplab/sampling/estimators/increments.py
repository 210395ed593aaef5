"""Variance-reduced estimates: how much a quantity changed since the policy before, from trajectories of the new one."""

from __future__ import annotations

from typing import Any

from mdplab.arrays import Array
from mdplab.sampling.estimators.gradients import gpomdp
from mdplab.sampling.estimators.steps import observed_return, visited_pairs
from mdplab.sampling.estimators.weights import off_policy
from mdplab.sampling.trajectories import Trajectories


def gradient_increment(
    trajectories: Trajectories,
    policy: Array,
    before: Array,
    *,
    earlier: Trajectories | None = None,
    whole: bool = False,
) -> Array:
    """g(τ, θ) − g_ω(τ, θ'), of mean ∇J_H(θ) − ∇J_H(θ'), from trajectories of π_θ;  -> (..., S, A).

    Parameters
    ----------
    trajectories : Trajectories of `policy`
    policy, before : array (..., S, A)
        π_θ, and π_θ' of the iterate before.
    earlier : Trajectories, optional
        The same trajectories with the rewards that counted for θ', where rewards change too (see `paid`).
    whole : bool
        Whether g_ω has the weight of the whole trajectory (N-VR-PG) instead of those of its prefixes.

    Raises
    ------
    MdplabError
        If `policy` never takes an action that `before` takes.

    References
    ----------
    :cite:`xu2020` (SRVR-PG), :cite:`yuan2020` (STORM-PG), :cite:`zhang2021` (TSIVR-PG), :cite:`barakat2023` (N-VR-PG).
    """
    earlier = trajectories if earlier is None else earlier
    return gpomdp(trajectories, policy) - gpomdp(off_policy(earlier, policy, before, whole=whole), before)


def visit_increment(trajectories: Trajectories, policy: Array, before: Array, *, whole: bool = False) -> Array:
    """λ̂(τ) − λ̂_ω(τ), of mean λ_H(θ) − λ_H(θ'); arguments and errors as for `gradient_increment`;  -> (..., S, A)."""
    S, A = policy.shape[-2:]
    return visited_pairs(trajectories, S, A) - visited_pairs(
        off_policy(trajectories, policy, before, whole=whole), S, A
    )


def return_increment(trajectories: Trajectories, policy: Array, before: Array, *, whole: bool = False) -> Array:
    """R̂(τ) − R̂_ω(τ), of mean J_H(θ) − J_H(θ'); arguments and errors as for `gradient_increment`;  -> (...).

    For vector rewards (MO-TSIVR-PG, :cite:`guid2025`) of trajectories `by_objective`.
    """
    return observed_return(trajectories) - observed_return(off_policy(trajectories, policy, before, whole=whole))


def recursive_momentum(previous: Array, estimate: Array, increment: Array, share: Any) -> Array:
    """η estimate + (1 − η) (previous + increment), with η = `share`; the arrays broadcast.

    If the increment is right in mean, the mean error shrinks by 1 − η a step whatever the path of the policies.

    References
    ----------
    STORM-PG (:cite:`yuan2020`) and N-VR-PG (:cite:`barakat2023`); with `hessian_vector` along θ − θ' at a uniform
    point between as increment, HARPG (:cite:`fatk2023`); η = 0 is SRVR-PG and TSIVR-PG between restarts.
    """
    return share * estimate + (1 - share) * (previous + increment)
