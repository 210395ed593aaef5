"""Sorting along the last axis in every arithmetic, and the way back."""

from __future__ import annotations

import numpy as np

from mdplab.arrays import Array, is_exact, namespace, rational_number


def ascending(x: Array) -> Array:
    """Indices that sort the last axis upwards, equal entries in their order.  Exact numbers must not be balls."""
    if is_exact(x):
        return np.argsort(x, axis=-1, kind="stable")
    return namespace(x).argsort(x, axis=-1, stable=True)


def along(x: Array, order: Array) -> Array:
    """`x` in that order; `x` may have fewer batch axes."""
    if tuple(x.shape) != tuple(order.shape):
        x = np.broadcast_to(x, order.shape) if is_exact(x) else namespace(x).broadcast_to(x, order.shape)
    return namespace(x).take_along_axis(x, order, axis=-1)


def back(x: Array, order: Array) -> Array:
    """The inverse of `along`."""
    return along(x, np.argsort(order, axis=-1) if is_exact(x) else namespace(x).argsort(order, axis=-1))


def running_sum(x: Array) -> Array:
    """Sums of the first 1, 2, ..., n entries."""
    return np.cumsum(x, axis=-1) if is_exact(x) else namespace(x).cumulative_sum(x, axis=-1)


def midpoints(x: Array) -> Array:
    """Balls as the rationals in their middle; what is rational stays."""
    return np.frompyfunc(lambda y: y.mid().fmpq() if type(y).__name__ == "arb" else rational_number(y), 1, 1)(x)


def radius(x: Array) -> Array:
    """How far each ball reaches from its middle, zero for rationals."""
    zero = rational_number(0)
    return np.frompyfunc(lambda y: y.rad().fmpq() if type(y).__name__ == "arb" else zero, 1, 1)(x)
