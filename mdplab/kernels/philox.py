"""Philox 4x64-10: random words that are a function of a counter and a key, and of nothing else.

The generator of Salmon, Moraes, Dror and Shaw (:cite:`salmon2011`), as in ``numpy.random.Philox``: that one counts up
before it makes a block, so its first block for the counter c is ours for c + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.kernels import kernel

MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # what the key's words grow by, from round to round
ROUNDS = 10

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """The block of four words for each counter (..., 4) and key (..., 2), uint64;  -> (..., 4)."""
    c0, c1, c2, c3 = (counter[..., i] for i in range(4))
    k0, k1 = key[..., 0], key[..., 1]
    m0, m1 = map(np.uint64, MULTIPLIERS)
    with np.errstate(over="ignore"):
        for i in range(ROUNDS):
            if i:
                k0, k1 = k0 + np.uint64(WEYL[0]), k1 + np.uint64(WEYL[1])
            high0, low0 = product(m0, c0)
            high1, low1 = product(m1, c2)
            c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1)


@dataclass(frozen=True, eq=False)
class Stream:
    """The words that belong to a key (2,) uint64, of which each counter gets the first `count`."""

    key: np.ndarray
    count: int
    arrays: tuple[Any, ...] = ()


def _seconds(stream: Stream, counters: np.ndarray) -> float:
    return 1e-4 + 1e-7 * stream.count * counters.shape[0]


@kernel(seconds=_seconds, cpu="mdplab.kernels.philox_compiled")
def words(stream: Stream, counters: np.ndarray) -> np.ndarray:
    """The words of each of the counters (N, 3), which lack the lowest word: it numbers the blocks;  -> (N, count)."""
    blocks = -(-stream.count // 4)
    counter = np.empty((len(counters), blocks, 4), dtype=np.uint64)
    counter[..., 0] = np.arange(blocks, dtype=np.uint64)
    counter[..., 1:] = counters[:, None, :]
    return philox(counter, stream.key).reshape(len(counters), 4 * blocks)[:, : stream.count]


def uniform(words: np.ndarray) -> np.ndarray:
    """Numbers k 2^-53 in [0, 1) from the upper 53 bits of each word, as NumPy makes them."""
    return (words >> np.uint64(11)) * 2.0**-53


def product(m: np.uint64, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower word of m x, from products of halves."""
    a, b = m >> _HALF, m & _LOW
    c, d = x >> _HALF, x & _LOW
    low = b * d
    middle = a * d + (low >> _HALF)
    cross = b * c + (middle & _LOW)
    return a * c + (middle >> _HALF) + (cross >> _HALF), m * x
