"""The adversary within L1 balls: mass goes from the cheapest successors to the dearest one."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, maximum, minimum, namespace, one_hot, smallest, total
from mdplab.exact.robust.sorting import along, ascending, back, running_sum


def l1_response(P: Array, z: Array, κ: Array, allowed: Array) -> Array:
    """argmax p·z over Σ|p − P| <= κ and p = 0 where not `allowed`;  (..., n), κ (...) -> (..., n).

    The dearest successor gains ε = min(κ / 2, what the others have), taken from the others in increasing order of z.
    O(n log n).

    References
    ----------
    :cite:`strehl2008`; :cite:`ho2021`.
    """
    order = ascending(z)
    P, top = along(P, order), _last(along(allowed, order), P)
    room = P - top * P
    before = running_sum(room) - room
    removed = minimum(room, maximum(minimum(κ / 2, total(room))[..., None] - before, 0 * room))
    return back(P - removed + top * total(removed)[..., None], order)


def state_l1_response(P: Array, z: Array, κ: Array, π: Array) -> Array:
    """argmax Σ_a π_a p_a·z_a over Σ_a Σ|p_a − P_a| <= κ;  (..., A, n), κ (...), π (..., A) -> (..., A, n).

    Taking one unit of budget to move mass from successor i to the dearest one k gains π_a (z_a(k) − z_a(i)) / 2: the
    budget is spent on the largest gains first.  O(A n log A n).
    """
    xp = namespace(P)
    top, width, gain = _pieces(P, z)
    flat = (*P.shape[:-2], P.shape[-2] * P.shape[-1])
    order = ascending(-xp.reshape(expand(π, 1) * gain, flat))
    width = along(xp.reshape(width, flat), order)
    before = running_sum(width) - width
    used = back(minimum(width, maximum(expand(κ, 1) - before if κ.ndim else κ - before, 0 * width)), order)
    removed = xp.reshape(used, P.shape) / 2
    return P - removed + top * total(removed)[..., None]


def state_l1_minimax(P: Array, z: Array, κ: Array) -> tuple[Array, Array]:
    """min over distributions x of max Σ_a x_a p_a·z_a, over Σ_a Σ|p_a − P_a| <= κ;  -> value (...), x (..., A).

    With h_a(ξ) the most that action a can be made to cost with budget ξ, the value is the largest u, at most
    min_a max z_a, that Σ_a h_a^{-1}(u) <= κ affords; x_a is inverse to the slope of h_a there.  The sum is piecewise
    linear, and its pieces are found by bisection over sorted kinks: exact in rationals, O(A n log A n) in all.

    References
    ----------
    :cite:`ho2021`, Section 4.
    """
    xp = namespace(P)
    order = ascending(z)
    P, z = along(P, order), along(z, order)
    _, width, slope = _pieces(P, z)
    gain = width * slope
    end = expand(total(P * z), 1) + running_sum(gain)
    begin = end - gain
    rate = _inverse(slope)
    nominal, most = total(P * z), largest(_where(P > 0, z, z[..., :1]))
    least, limit = smallest(nominal), smallest(most)
    flat = (*P.shape[:-2], P.shape[-2] * P.shape[-1])

    def spent(u: Array) -> Array:
        part = minimum(maximum(_over(u, 2) - begin, 0 * begin), gain)
        return total(part * rate, 2)

    kinks = _joined(xp, [least[..., None], limit[..., None], nominal, xp.reshape(end, flat)])
    kinks = minimum(maximum(kinks, least[..., None]), limit[..., None])
    kinks = along(kinks, ascending(kinks))
    lo, hi = np.zeros(κ.shape, dtype=int), np.full(κ.shape, kinks.shape[-1] - 1)
    while (hi - lo > 1).any():
        middle = (lo + hi) // 2
        fits = _truth(spent(_at(kinks, middle)) <= κ) & (hi - lo > 1)
        lo, hi = np.where(fits, middle, lo), np.where(fits | (hi - lo <= 1), hi, middle)
    saturated = _truth(spent(limit) <= κ)
    low, high = _at(kinks, lo), _at(kinks, hi)
    rise = spent(high) - spent(low)
    step = (κ - spent(low)) * (high - low) * _inverse(rise)
    u = _where(saturated, limit, minimum(low + step, high))

    # The piece of each h_a that ends at u or has u inside; actions whose nominal cost is not below u stay out.
    inside = (begin < _over(u, 2)) & (gain > 0)
    last = inside.shape[-1] - 1 - np.argmax(_truth(inside)[..., ::-1], axis=-1)
    weight = _where(_truth(inside).any(axis=-1), _at(rate, last), 0 * nominal)
    safe = _where(saturated[..., None], most, nominal)
    pure = one_hot(_first_least(safe), P.shape[-2], P)
    sums = total(weight)
    alone = saturated | ~_truth(sums > 0)
    mixed = weight * expand(_inverse(sums), 1) if sums.ndim else weight * _inverse(sums)
    return u, _where(alone[..., None], pure, mixed)


def state_l1_saddle(P: Array, z: Array, u: Array) -> Array:
    """The adversary's side of `state_l1_minimax` at its value u: action a with the budget h_a^{-1}(u);  (..., A, n)."""
    order = ascending(z)
    sorted_P, sorted_z = along(P, order), along(z, order)
    _, width, slope = _pieces(sorted_P, sorted_z)
    gain = width * slope
    begin = expand(total(sorted_P * sorted_z), 1) + running_sum(gain) - gain
    part = minimum(maximum(_over(u, 2) - begin, 0 * begin), gain)
    return l1_response(P, z, total(part * _inverse(slope)), P > 0)


def _pieces(P: Array, z: Array) -> tuple[Array, Array, Array]:
    """One-hot of the dearest nominal successor; how much budget each other one takes, and what a unit of it gains."""
    order = ascending(z)
    top = back(_last(along(P > 0, order), along(P, order)), order)
    gain = (total(top * z)[..., None] - z) / 2
    width = 2 * (P - top * P)
    return top, _where(gain > 0, width, 0 * width), _where(gain > 0, gain, 0 * gain)


def _last(mask: Array, like: Array) -> Array:
    xp = namespace(mask)
    n = mask.shape[-1]
    ones = xp.astype(mask, xp.int8) if not is_exact(like) else mask.astype(np.int8)
    return one_hot(n - 1 - xp.argmax(xp.flip(ones, axis=-1), axis=-1), n, like)


def _inverse(x: Array) -> Array:
    zero = x == 0
    return _where(~_truth(zero) if is_exact(x) else ~zero, 1 / _where(zero, 0 * x + 1, x), 0 * x)


def _where(mask: Array, x: Array, y: Array) -> Array:
    return np.where(_truth(mask), x, y) if is_exact(x) else namespace(x).where(mask, x, y)


def _truth(mask: Array) -> np.ndarray:
    return np.asarray(mask, dtype=bool)


def _at(x: Array, index: np.ndarray) -> Array:
    return np.take_along_axis(x, index[..., None], axis=-1)[..., 0]


def _over(u: Array, axes: int) -> Array:
    return u[(...,) + (None,) * axes] if getattr(u, "shape", ()) else u


def _joined(xp: Any, parts: list[Array]) -> Array:
    return xp.concat(parts, axis=-1) if hasattr(xp, "concat") else np.concatenate(parts, axis=-1)


def _first_least(x: Array) -> Array:
    return np.asarray(x).argmin(axis=-1)
