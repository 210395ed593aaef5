"""Trajectories of a policy, one for each draw."""

from __future__ import annotations

import numpy as np

from mdplab.arrays import Array
from mdplab.errors import MdplabError
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes, every_trajectory, powers
from mdplab.sampling.trajectories import Trajectories


def rollouts(mdp: DiscountedMDP, policy: Array, horizon: int, draws: Draws | Outcomes) -> Trajectories:
    """One trajectory of `horizon` steps for each draw, batch shape ``draws.shape``; every trajectory for `Outcomes`.

    Leading axes are batch axes: a model of batch shape (n,) and policies (n, m, S, A) serve draws of shape (n, m) and
    of shape (n, m, N) alike.

    Raises
    ------
    MdplabError
        If the horizon is below 1, or the leading axes do not fit.
    """
    if horizon < 1:
        raise MdplabError(f"horizon is {horizon}; a trajectory has at least 1 step")
    if isinstance(draws, Outcomes):
        trajectories, probability = every_trajectory(mdp, policy, horizon, draws.most)
        draws.take(probability)
        return trajectories
    states, actions = walk(mdp.start, mdp.P, policy, horizon, draws)
    where = np.ogrid[tuple(slice(n) for n in draws.shape)]
    r = _leading(mdp.r, draws.shape, 2)
    rewards = np.stack([r[(*where, states[..., h], actions[..., h])] for h in range(horizon)], axis=-1)
    weights = powers(mdp, horizon)
    weights = weights if weights.ndim == 1 else _leading(weights[..., 0, :], draws.shape, 1)
    return Trajectories(states, actions, rewards, weights)


def walk(start: Array, P: Array, policy: Array, horizon: int, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """States (..., H + 1) and actions (..., H) of a controlled chain, one walk for each draw.

    `start` (..., S), `P` (..., S, A, S) and `policy` (..., S, A) have batch axes, aligned with the first ones of
    the draws.  Word 0 of a draw makes s_0, words 2 h + 1 and 2 h + 2 make a_h and s_{h+1}, each by inversion.
    """
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
