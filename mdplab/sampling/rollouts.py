"""Trajectories of a policy, one for each draw."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np

from mdplab.arrays import Array, floats
from mdplab.errors import MdplabError
from mdplab.models.constrained import ConstrainedMDP
from mdplab.models.discounted import DiscountedMDP
from mdplab.models.multi_objective import MultiObjectiveMDP
from mdplab.models.sparse import SparseMDP
from mdplab.sampling.chains import aligned, check_walk, discounted_weights, entries, indicator, payoffs
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes
from mdplab.sampling.pair_sums import pair_values
from mdplab.sampling.trajectories import Trajectories
from mdplab.sampling.walks import many_walks as many_walks
from mdplab.sampling.walks import walk as walk


@singledispatch
def rollouts(model: Any, policy: Array, horizon: int, draws: Draws | Outcomes) -> Trajectories:
    """One trajectory of `horizon` steps for each draw, batch shape ``draws.shape``; every trajectory for `Outcomes`.

    Leading axes are batch axes: a model of batch shape (n,) and policies (n, m, S, A) serve draws of shape (n, m) and
    of shape (n, m, N) alike; `Outcomes` gives what draws of shape (n, m, N) would, N the number of possible
    trajectories.  Whatever the class, states are the rows of the policy that acted and actions its columns, so that
    one estimator serves them all, and what an estimator must not see stands apart.

    Raises
    ------
    MdplabError
        If the horizon is below 1 or beyond that of the model, or the policy does not fit.
    """
    raise MdplabError(
        f"model is a {type(model).__name__}, which has no trajectories of its own; "
        "a robust model has them once its kernel is chosen, see `under_kernel`"
    )


@rollouts.register
def _(
    model: DiscountedMDP | ConstrainedMDP | MultiObjectiveMDP,
    policy: Array,
    horizon: int,
    draws: Draws | Outcomes,
) -> Trajectories:
    check_walk(policy, (model.S, model.A), horizon)
    return _paid(model, *walk(model.start, model.P, policy, horizon, draws))


@rollouts.register
def _(model: SparseMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> Trajectories:
    return rollouts(model.dense(), policy, horizon, draws)


def many_rollouts(
    model: DiscountedMDP | ConstrainedMDP | MultiObjectiveMDP, policy: Array, horizon: int, draws: Draws | Outcomes
) -> Trajectories:
    """As `rollouts`, by `many_walks`: for many trajectories of each policy, where the speed of drawing matters.

    Other draws of the same law, never those of `rollouts`: which of the two is called decides, not how much is drawn.
    States and actions are int16 if that holds all s · A + a, else int32.
    """
    check_walk(policy, (model.S, model.A), horizon)
    return _paid(model, *many_walks(model.start, model.P, policy, horizon, draws))


def _paid(
    model: DiscountedMDP | ConstrainedMDP | MultiObjectiveMDP, states: np.ndarray, actions: np.ndarray
) -> Trajectories:
    table = payoffs(model)
    several = table.ndim - len(model.batch) > 2
    rewards = entries(table, 3, states[..., :-1], actions) if several else pair_values(table, states, actions)
    return Trajectories(states, actions, rewards, discounted_weights(model, actions.shape[-1], actions.ndim - 1))


def every_trajectory(model: Any, policy: Array, horizon: int, most: int = 10**6) -> tuple[Trajectories, Array]:
    """All possible trajectories of `horizon` steps and their probabilities (..., N), in the arithmetic of the model.

    Raises
    ------
    NotEnumerable
        If there are more than `most`.
    """
    outcomes = Outcomes(most)
    return rollouts(model, policy, horizon, outcomes), outcomes.probability


def geometric_rollouts(
    model: DiscountedMDP | ConstrainedMDP | MultiObjectiveMDP, policy: Array, draws: Draws | Outcomes
) -> Trajectories:
    """Trajectories of random length T + 1, P(T >= h) = γ^h: expected returns are the discounted ones, uncut.

    Weights are 1 while h <= T, then 0; the arrays are as long as the longest, which changes none of the others.

    Raises
    ------
    NotEnumerable
        For `Outcomes`: the lengths have no finite list.
    """
    u = draws.uniforms("length", 1)[..., 0]
    γ = aligned(np.asarray(floats(model.discount)), 0, u.ndim)
    with np.errstate(divide="ignore"):
        length = np.floor(np.log1p(-u) / np.log(γ)).astype(int)  # T >= h exactly if 1 − u <= γ^h
    drawn = rollouts(model, policy, int(length.max(initial=0)) + 1, draws)
    return replace(drawn, weights=indicator(np.arange(drawn.H) <= length[..., None], model.P))
