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
    shape = draws.shape
    u = draws.uniforms("path", 2 * horizon + 1)
    start, moves, choices = (_cumulative(x) for x in (mdp.start, mdp.P, policy))
    states, actions = np.empty((*shape, horizon + 1), dtype=np.intp), np.empty((*shape, horizon), dtype=np.intp)
    rewards = np.empty((*shape, horizon))
    at_start, at_moves, at_choices, r = (
        _leading(x, shape, axes) for x, axes in ((start, 1), (moves, 3), (choices, 2), (mdp.r, 2))
    )
    where = np.ogrid[tuple(slice(n) for n in shape)]
    s = states[..., 0] = _inverse(at_start, u[..., 0])
    for h in range(horizon):
        a = actions[..., h] = _inverse(at_choices[(*where, s)], u[..., 2 * h + 1])
        rewards[..., h] = r[(*where, s, a)]
        s = states[..., h + 1] = _inverse(at_moves[(*where, s, a)], u[..., 2 * h + 2])
    weights = powers(mdp, horizon)
    return Trajectories(states, actions, rewards, weights if weights.ndim == 1 else _leading(weights[..., 0, :], shape, 1))


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
