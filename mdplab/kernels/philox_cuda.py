"""Philox on a GPU: a device function, from products of half words, for kernels that one thread runs for each draw."""

# Bodies that run on the device have no annotations: numba-cuda infers their types from the arrays.

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mdplab.kernels.philox import MULTIPLIERS, ROUNDS, WEYL

_jit: Any = cuda.jit

_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_M0, _M1 = map(np.uint64, MULTIPLIERS)


@_jit(device=True)
def product(x, y):  # type: ignore[no-untyped-def]
    """Upper and lower word of x y."""
    a, b, c, d = x >> _HALF, x & _LOW, y >> _HALF, y & _LOW
    low = b * d
    middle = a * d + (low >> _HALF)
    cross = b * c + (middle & _LOW)
    return a * c + (middle >> _HALF) + (cross >> _HALF), (cross << _HALF) | (low & _LOW)


@_jit(device=True)
def block(c0, c1, c2, c3, keys):  # type: ignore[no-untyped-def]
    """The four words of one counter, with the keys of all rounds."""
    for i in range(ROUNDS):
        high0, low0 = product(_M0, c0)
        high1, low1 = product(_M1, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ keys[i, 0], low1, high0 ^ c3 ^ keys[i, 1], low0
    return c0, c1, c2, c3


def round_keys(key: np.ndarray) -> np.ndarray:
    """The key of each round, (10, 2) uint64."""
    return key + np.arange(ROUNDS, dtype=np.uint64)[:, None] * np.array(WEYL, dtype=np.uint64)
