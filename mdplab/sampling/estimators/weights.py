"""Importance weights: what trajectories of one policy say of another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mdplab.arrays import Array, minimum
from mdplab.errors import MdplabError
from mdplab.sampling.estimators.steps import at_pairs
from mdplab.sampling.trajectories import Trajectories


def action_ratios(trajectories: Trajectories, behaviour: Array, target: Array) -> Array:
    """target(a_h | s_h) / behaviour(a_h | s_h);  policies (..., S, A) -> (..., H).

    Raises
    ------
    MdplabError
        If the behaviour never takes an action that the target takes.
    """
    _check_overlap(behaviour, target)
    one = behaviour - behaviour + 1
    safe = np.where(behaviour > 0, behaviour, one)  # where it is zero the target is zero too, and so is the ratio
    return at_pairs(target, trajectories, over=1) / at_pairs(safe, trajectories, over=1)


def prefix_weights(trajectories: Trajectories, behaviour: Array, target: Array) -> Array:
    """ω_h = Π_{t <= h} target(a_t | s_t) / behaviour(a_t | s_t), the step h included;  -> (..., H).

    ω_h has mean one under the behaviour.  Raises what `action_ratios` raises.

    References
    ----------
    :cite:`precup2000`.
    """
    return np.cumprod(action_ratios(trajectories, behaviour, target), axis=-1)


def trajectory_weight(trajectories: Trajectories, behaviour: Array, target: Array) -> Array:
    """ω_{H−1}, the probability of all actions under the target over that under the behaviour;  -> (...)."""
    return prefix_weights(trajectories, behaviour, target)[..., -1]


def off_policy(
    trajectories: Trajectories, behaviour: Array, target: Array, *, whole: bool = False, cap: Any = None
) -> Trajectories:
    """Trajectories of the behaviour that count for the target: step h weighs w_h ω_h in place of w_h.

    In mean every estimator that counts each reward and visit only with what came before it (`observed_return`,
    `visited_pairs`, `gpomdp`, `causal_hessian_vector`, with the target as policy) is then what it is for trajectories
    of the target.  `reinforce` and `hessian_vector` need the whole weight.

    Parameters
    ----------
    trajectories : Trajectories of the behaviour
    behaviour, target : array (..., S, A)
    whole : bool
        Whether every step weighs w_h ω_{H−1}: the same means, more variance.
    cap : number, optional
        min(ω_h, cap) in place of ω_h: less variance, and a bias.

    Raises
    ------
    MdplabError
        If the behaviour never takes an action that the target takes.

    References
    ----------
    :cite:`zhang2021` for ω_h; :cite:`barakat2023` for the whole weight.
    """
    ω = prefix_weights(trajectories, behaviour, target)
    ω = ω[..., -1:] if whole else ω
    ω = ω if cap is None else minimum(ω, cap)
    return replace(trajectories, weights=trajectories.weights * ω)


def _check_overlap(behaviour: Array, target: Array) -> None:
    lacking = np.argwhere(~(behaviour > 0) & ~(target == 0))
    if len(lacking):
        index = tuple(int(i) for i in lacking[0])
        shape = np.broadcast_shapes(behaviour.shape, target.shape)
        b, t = (np.broadcast_to(x, shape)[index] for x in (behaviour, target))
        s, a = index[-2:]
        raise MdplabError(
            f"behaviour takes action {a} in state {s} with probability {b} and target with {t}; "
            "expected a positive probability wherever the target has one"
        )
