"""The adversary who pays for moving mass: balls of the Wasserstein-1 distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, maximum, minimum, total
from mdplab.exact.robust.sorting import along, ascending, back, running_sum


def wasserstein_response(P: Array, z: Array, κ: Array, distance: Array) -> Array:
    """argmax p·z over transport cost from P at most κ;  (..., n), κ (...), distance (..., n, n) -> (..., n).

    What a unit of mass at t can gain for a given price is a concave piecewise linear function, the upper hull of the
    points (distance(t, u), z(u)).  The budget goes to the steepest pieces first, so that the answer is exact in
    rationals.  O(n²) pieces for a pair; building them takes O(n³).
    """
    n = z.shape[-1]
    shape = (*np.broadcast_shapes(tuple(P.shape[:-1]), tuple(z.shape[:-1]), tuple(distance.shape[:-2])), n, n)
    d = np.broadcast_to(distance, shape)
    reach = np.broadcast_to(z[..., None, :], shape)  # z(u), wherever from
    here = np.broadcast_to(np.arange(n), shape[:-1])
    slopes, widths, moves = [], [], []
    for _ in range(n - 1):
        further = d - _at(d, here)[..., None]
        gain = reach - _at(reach, here)[..., None]
        usable = np.asarray((further > 0) & (gain > 0), dtype=bool)
        slope = np.where(usable, gain / np.where(usable, further, 0 * further + 1), 0 * gain)
        steepest = slope == slope.max(axis=-1, keepdims=True)
        # Of equally steep ones the furthest, so that a piece is whole.
        rank = np.where(np.asarray(steepest & usable, dtype=bool), gain, 0 * gain - 1)
        there = np.where(usable.any(axis=-1), rank.argmax(axis=-1), here)
        slopes.append(_at(slope, there))
        widths.append(_at(d, there) - _at(d, here))
        moves.append((here, there))
        here = there
    return _spend(P, κ, slopes, widths, moves, shape)


def _spend(
    P: Array, κ: Array, slopes: list[Array], widths: list[Array], moves: list[Any], shape: tuple[int, ...]
) -> Array:
    if not slopes:
        return P
    n = shape[-1]
    P = np.broadcast_to(P, shape[:-1])
    slope, width = np.stack(slopes, axis=-1), np.stack(widths, axis=-1)  # (..., n, n − 1)
    mass = P[..., None]
    flat = (*shape[:-2], n * (n - 1))
    price = maximum(width, 0 * width) * mass
    order = ascending(-np.reshape(slope, flat))
    cost = along(np.reshape(price, flat), order)
    before = running_sum(cost) - cost
    paid = np.reshape(back(minimum(cost, maximum(κ[..., None] - before, 0 * cost)), order), price.shape)
    positive = np.asarray(price > 0, dtype=bool)
    share = np.where(positive, paid / np.where(positive, price, 0 * price + 1), 0 * price + 1)
    worthwhile = np.asarray(slope > 0, dtype=bool)
    amount = np.where(worthwhile, share * mass, 0 * share)
    out = np.array(P)
    identity = np.eye(n, dtype=int)
    for i, (here, there) in enumerate(moves):
        moved = amount[..., i][..., None]
        out = out + total(np.swapaxes(moved * (identity[there] - identity[here]), -1, -2))
    return out


def _at(x: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.take_along_axis(x, index[..., None], axis=-1)[..., 0]
