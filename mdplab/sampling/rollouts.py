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
from mdplab.sampling.trajectories import Trajectories


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
    states, actions = walk(model.start, model.P, policy, horizon, draws)
    table = payoffs(model)
    rewards = entries(table, table.ndim - len(model.batch), states[..., :-1], actions)
    return Trajectories(states, actions, rewards, discounted_weights(model, horizon, actions.ndim - 1))


@rollouts.register
def _(model: SparseMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> Trajectories:
    return rollouts(model.dense(), policy, horizon, draws)


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


def walk(start: Array, P: Array, policy: Array, horizon: int, draws: Draws | Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """States (..., H + 1) and actions (..., H) of a controlled chain, one walk for each draw.

    `start` (..., S), `P` (..., S, A, S) and `policy` (..., S, A) have batch axes, aligned with the first ones of
    the draws.  Word 0 of a draw makes s_0, words 2 h + 1 and 2 h + 2 make a_h and s_{h+1}, each by inversion.  For
    `Outcomes` all possible walks.
    """
    if isinstance(draws, Outcomes):
        return draws.walk(start, P, policy, horizon)
    start, P, policy = floats(start), floats(P), floats(policy)
    shape = draws.shape
    u = draws.uniforms("path", 2 * horizon + 1)
    first, moves, choices = (_leading(_cumulative(x), shape, axes) for x, axes in ((start, 1), (P, 3), (policy, 2)))
    where = np.ogrid[tuple(slice(n) for n in shape)]
    states, actions = np.empty((*shape, horizon + 1), dtype=np.intp), np.empty((*shape, horizon), dtype=np.intp)
    s = states[..., 0] = _inverse(first[tuple(where)], u[..., 0])
    for h in range(horizon):
        a = actions[..., h] = _inverse(choices[(*where, s)], u[..., 2 * h + 1])
        s = states[..., h + 1] = _inverse(moves[(*where, s, a)], u[..., 2 * h + 2])
    return states, actions


def _cumulative(p: np.ndarray) -> np.ndarray:
    """Sums of probabilities from the left, exactly 1 from the last positive one on."""
    after = np.flip(np.cumsum(np.flip(p, -1), axis=-1), -1) - p
    return np.where(after <= 0, 1.0, np.cumsum(p, axis=-1))


def _inverse(cumulative: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The first index whose cumulative probability exceeds u."""
    return (u[..., None] >= cumulative).sum(axis=-1)


def _leading(x: np.ndarray, shape: tuple[int, ...], axes: int) -> np.ndarray:
    """`x` with its batch axes, aligned on the left, broadcast to `shape`."""
    batch, rest = x.shape[: x.ndim - axes], x.shape[x.ndim - axes :]
    try:
        return np.broadcast_to(x.reshape(*batch, *(1,) * (len(shape) - len(batch)), *rest), (*shape, *rest))
    except ValueError:
        raise MdplabError(f"batch shape {batch} does not fit draws of shape {shape}") from None
