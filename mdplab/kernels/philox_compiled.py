"""Philox compiled by Numba: a product of words is one instruction of the processor.

This module imports Numba; import it inside functions only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from mdplab.kernels.lanes import compiled, intrinsic, jit
from mdplab.kernels.philox import MULTIPLIERS, ROUNDS, WEYL, Stream
from mdplab.kernels.word_lanes import load8, splat, store, xor
from mdplab.kernels.word_lanes import product as products

_WORD, _TWO_WORDS = ir.IntType(64), ir.IntType(128)
_M0, _M1 = map(np.uint64, MULTIPLIERS)
_W0, _W1 = map(np.uint64, WEYL)


@intrinsic
def product(typing: Any, x: Any, y: Any) -> Any:
    """Upper and lower word of x y."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        z = builder.mul(*(builder.zext(x, _TWO_WORDS) for x in args))
        halves = [builder.lshr(z, ir.Constant(_TWO_WORDS, 64)), z]
        return context.make_tuple(builder, signature.return_type, [builder.trunc(half, _WORD) for half in halves])

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), codegen


@intrinsic
def either(typing: Any, condition: Any, x: Any, y: Any) -> Any:
    """x where the condition holds, else y, without a branch: what hangs on a random word surprises every other time."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        chosen = builder.select(*args)
        chosen.set_metadata("unpredictable", builder.module.add_metadata([]))
        return chosen

    return types.uint64(types.boolean, types.uint64, types.uint64), codegen


@jit
def block(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """The four words of one counter."""
    for _ in range(ROUNDS):
        high0, low0 = product(_M0, c0)
        high1, low1 = product(_M1, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 += _W0
        k1 += _W1
    return c0, c1, c2, c3


@jit
def blocks(c0: Any, c1: Any, c2: Any, c3: Any, key: Any) -> Any:
    """As `block`, for counters side by side."""
    k0, k1 = key[0], key[1]
    for _ in range(ROUNDS):
        high0, low0 = products(_M0, c0)
        high1, low1 = products(_M1, c2)
        c0, c1, c2, c3 = xor(xor(high1, c1), splat(k0, c0)), low1, xor(xor(high0, c3), splat(k1, c0)), low0
        k0 += _W0
        k1 += _W1
    return c0, c1, c2, c3


@jit
def eight_blocks(b: Any, counters: Any, i: int, key: Any, words: Any, width: int) -> None:
    """The b-th blocks of eight counters: word j of the l-th goes to ``words[width j + i + l]``.

    The upper words of the counters are at ``counters[width j + i + l]``.
    """
    c1, c2, c3 = load8(counters, i), load8(counters, width + i), load8(counters, 2 * width + i)
    w0, w1, w2, w3 = blocks(splat(b, c1), c1, c2, c3, key)
    store(words, i, w0)
    store(words, width + i, w1)
    store(words, 2 * width + i, w2)
    store(words, 3 * width + i, w3)


@compiled
def _words(key: Any, counters: Any, out: Any) -> None:
    count = out.shape[1]
    for n in range(counters.shape[0]):
        for first in range(0, count, 4):
            four = block(np.uint64(first // 4), counters[n, 0], counters[n, 1], counters[n, 2], key[0], key[1])
            for i in range(min(4, count - first)):
                out[n, first + i] = four[i]


def words(stream: Stream, counters: np.ndarray) -> np.ndarray:
    """See `mdplab.kernels.philox.words`."""
    out = np.empty((len(counters), stream.count), dtype=np.uint64)
    _words(stream.key, np.ascontiguousarray(counters), out)
    return out
