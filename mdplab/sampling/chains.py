"""What the rollouts of all classes share: checks, tables whose batch axes come first, and chains that end."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdplab.arrays import Array, is_exact, rational
from mdplab.errors import MdplabError
from mdplab.kernels import require_memory
from mdplab.models.constrained import ConstrainedMDP
from mdplab.models.discounted import DiscountedMDP, _check_distributions, _check_finite
from mdplab.models.multi_objective import MultiObjectiveMDP


def check_walk(policy: Array, shape: tuple[int, ...], horizon: int, most: int | None = None, joint: int = 1) -> None:
    """Raise MdplabError unless 1 <= horizon <= most and the last `joint` axes of policy (..., *shape) add up to one."""
    if not isinstance(horizon, int | np.integer):
        raise MdplabError(f"horizon is {horizon}; expected a whole number of steps")
    if horizon < 1 or (most is not None and horizon > most):
        expected = "at least 1 step" if most is None else f"1 to {most} steps in this model"
        raise MdplabError(f"horizon is {horizon}; a trajectory has {expected}")
    found = tuple(policy.shape)
    if found[-len(shape) :] != shape:
        raise MdplabError(f"policy has shape {found}; expected (..., {', '.join(map(str, shape))})")
    _check_finite("policy", policy)
    _check_distributions("policy", policy.reshape(*found[: len(found) - joint], -1))


def aligned(x: Array, axes: int, batch: int) -> Array:
    """`x` with its batch axes, all but the last `axes`, made the first ones of `batch` axes."""
    lead, rest = x.shape[: x.ndim - axes], x.shape[x.ndim - axes :]
    return x.reshape((*lead, *(1,) * (batch - len(lead)), *rest))


def entries(table: Array, axes: int, *index: np.ndarray) -> Array:
    """``table[index]`` where the first batch axes of the indices are those of the table, all but its last `axes`."""
    batch = table.shape[: table.ndim - axes]
    where = [np.arange(n).reshape(n, *(1,) * (index[0].ndim - 1 - i)) for i, n in enumerate(batch)]
    return table[(*where, *index)]


def payoffs(model: DiscountedMDP | ConstrainedMDP | MultiObjectiveMDP) -> Array:
    """What a step pays: one number r (..., S, A), or several of them (..., S, A, M)."""
    if isinstance(model, DiscountedMDP):
        return model.r
    several = model.payoffs if isinstance(model, ConstrainedMDP) else model.rewards
    return np.moveaxis(several, -3, -1)


def discounted_weights(model: Any, horizon: int, batch: int) -> Array:
    """γ^h for h = 0, ..., H − 1;  (H,), or with `batch` axes (..., H) where models have discounts of their own."""
    γ = rational(model.discount)[()] if is_exact(model.P) else model.discount
    γ = aligned(γ, 0, batch) if getattr(γ, "shape", ()) else γ
    out = [γ * 0 + 1]
    for _ in range(horizon - 1):
        out.append(out[-1] * γ)
    return np.stack(out, axis=-1)


def indicator(mask: np.ndarray, like: Array) -> Array:
    """One where `mask` is true, else zero, in the arithmetic of `like`."""
    return rational(mask.astype(int)) if is_exact(like) else mask.astype(float)


def zeros(shape: tuple[int, ...], like: Array) -> np.ndarray:
    """An array of zeros in the arithmetic of `like`."""
    return np.full(shape, rational(0)[()]) if is_exact(like) else np.zeros(shape)


def no_moves(batch: tuple[int, ...], states: int, actions: int, like: Array) -> np.ndarray:
    """Zeros (..., N, K, N), to be filled as the kernel of a chain; raises MdplabError where they are too large."""
    if states**2 * actions > 2**27:
        raise MdplabError(f"the chain has {states} states and {actions} actions; expected N²·K <= 2^27")
    models = math.prod(batch)
    require_memory(
        16 * models * states**2 * actions,
        f"{models} chains of {states} states and {actions} actions",
        "take fewer models at a time or shorten the horizon",
    )
    return zeros((*batch, states, actions, states), like)


def ending(policy: Array, ends: int) -> Array:
    """The policy (..., R, A) with `ends` more rows, for states in which all is over: they take action 0."""
    more = zeros((*policy.shape[:-2], ends, policy.shape[-1]), policy)
    more[..., 0] = more[..., 0] + 1
    return np.concatenate([policy, more], axis=-2)
