"""Walks of controlled chains: which states and actions are drawn."""

from __future__ import annotations

import math

import numpy as np

from mdplab.arrays import Array, floats, namespace, on_gpu
from mdplab.errors import MdplabError
from mdplab.kernels import alias, inversion, require_memory
from mdplab.sampling.chains import aligned
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes


def walk(start: Array, P: Array, policy: Array, horizon: int, draws: Draws | Outcomes) -> tuple[np.ndarray, np.ndarray]:
    """States (..., H + 1) and actions (..., H) of a controlled chain, one walk for each draw.

    `start` (..., S), `P` (..., S, A, S) and `policy` (..., S, A) have batch axes, aligned with the first ones of
    the draws.  Word 0 of a draw makes s_0, words 2 h + 1 and 2 h + 2 make a_h and s_{h+1}, each by inversion.  For
    `Outcomes` all possible walks.

    Raises
    ------
    MdplabError
        If the horizon is below 1, batch axes do not fit, or what is drawn would not fit into memory.
    """
    if isinstance(draws, Outcomes):
        return draws.walk(start, P, policy, horizon)
    _require_room(horizon, draws)
    start, P, policy = (x if on_gpu(x) else floats(x) for x in (start, P, policy))
    parts = ((start, 1), (P, 3), (policy, 2))
    which = np.stack([chosen(x.shape[: x.ndim - axes], draws.shape) for x, axes in parts])
    start, P, policy = (one_axis(x, axes) for x, axes in parts)
    counters = draws.counters().reshape(-1, 3)
    walks = inversion.Walks(start, P, which, draws.key("path"), counters, horizon)
    states, actions = inversion.walk(walks, policy)
    return states.reshape(*draws.shape, horizon + 1), actions.reshape(*draws.shape, horizon)


def many_walks(
    start: Array, P: Array, policy: Array, horizon: int, draws: Draws | Outcomes
) -> tuple[np.ndarray, np.ndarray]:
    """As `walk`, many times as fast where many draws share a policy; states and actions are int16 if that holds
    all s · A + a, else int32.

    Word 0 of a draw makes s_0, word h + 1 makes a_h and s_{h+1} together, from an alias table for each policy.  The law
    is that of `walk` but for a few 2^-53 in each probability; the walks are independent of those.
    """
    if isinstance(draws, Outcomes):
        return draws.walk(start, P, policy, horizon)
    S, A = policy.shape[-2:]
    parts = ((start, 1), (P, 3), (policy, 2))
    lead = max(x.ndim - axes for x, axes in parts)
    for x, axes in parts:
        chosen(x.shape[: x.ndim - axes], draws.shape)  # raises where it does not fit
    p0, moves, choices = (aligned(floats(x), axes, lead) for x, axes in parts)
    batch = np.broadcast_shapes(p0.shape[:-1], moves.shape[:-3], choices.shape[:-2])
    tables = math.prod(batch)
    _require_room(horizon, draws, 32 * tables * (S + 1) * S * A, f" and {tables} alias tables")
    joint = np.zeros((*batch, S + 1, A, S))
    joint[..., :S, :, :] = choices[..., None] * moves
    joint[..., S, 0, :] = p0
    table = alias.tables(alias.names(S, A), joint.reshape(tables, S + 1, A * S))
    counters, which = draws.counters().reshape(-1, 3), chosen(batch, draws.shape)
    if on_gpu(P):
        xp = namespace(P)
        table, counters, which = table.map(xp.asarray), xp.asarray(counters), xp.asarray(which)
    states, actions = alias.many_walks(alias.ManyWalks(table, which, draws.key("alias"), horizon), counters)
    return states.reshape(*draws.shape, horizon + 1), actions.reshape(*draws.shape, horizon)


def one_axis(x: Array, axes: int) -> Array:
    """`x` with its batch axes, all but the last `axes`, made one."""
    lead = x.ndim - axes
    return x.reshape(math.prod(x.shape[:lead]), *x.shape[lead:])


def chosen(batch: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Which element of the batch, aligned with the first axes of the draws, each draw uses;  (N,)."""
    index = np.arange(math.prod(batch)).reshape((*batch, *(1,) * (len(shape) - len(batch))))
    try:
        return np.broadcast_to(index, shape).reshape(-1)
    except ValueError:
        raise MdplabError(f"batch shape {tuple(batch)} does not fit draws of shape {shape}") from None


def _require_room(horizon: int, draws: Draws, more: int = 0, beside: str = "") -> None:
    """Raise MdplabError unless there is a step to make and states, actions and rewards fit into memory.

    Walks are drawn in groups of up to thirty-two, with as much again for scratch.
    """
    if horizon < 1:
        raise MdplabError(f"horizon is {horizon}; a trajectory has at least 1 step")
    N = math.prod(draws.shape)
    require_memory(
        8 * (3 * horizon + 1) * (N + 32) + more,
        f"{N} trajectories of {horizon} steps{beside}",
        "draw fewer replicates at a time or shorten the horizon",
    )
