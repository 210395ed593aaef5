"""The walks of `inversion` on a GPU: one thread a walk.

The same text runs on CuPy arrays and, in Numba's CUDA simulator, on NumPy arrays.
"""

# Bodies that run on the device have no annotations: numba-cuda infers their types from the arrays.

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mdplab.arrays import Array, namespace
from mdplab.kernels.inversion import Walks, cumulative, empty
from mdplab.kernels.philox_cuda import block, round_keys

THREADS = 128

_jit: Any = cuda.jit


@_jit(device=True)
def _inverse(c, word):  # type: ignore[no-untyped-def]
    """The first index whose cumulative probability exceeds the word's uniform."""
    u = float(word >> np.uint64(11)) * 2.0**-53
    i = 0
    while u >= c[i]:
        i += 1
    return i


@_jit
def _walk(first, moves, choices, chosen, keys, counters, states, actions):  # type: ignore[no-untyped-def]
    n = cuda.grid(1)
    if n >= states.shape[0]:
        return
    c1, c2, c3 = counters[n, 0], counters[n, 1], counters[n, 2]
    w0, w1, w2, w3 = block(np.uint64(0), c1, c2, c3, keys)
    s = _inverse(first[chosen[0, n]], w0)
    states[n, 0] = s
    for h in range(actions.shape[1]):
        if h % 2 == 0:
            x, y = w1, w2
        else:
            x = w3
            w0, w1, w2, w3 = block(np.uint64((h + 1) // 2), c1, c2, c3, keys)
            y = w0
        a = _inverse(choices[chosen[2, n], s], x)
        s = _inverse(moves[chosen[1, n], s, a], y)
        actions[n, h] = a
        states[n, h + 1] = s


def walk(walks: Walks, policies: Array) -> tuple[Array, Array]:
    """See `mdplab.kernels.inversion.walk`."""
    xp = namespace(policies)
    N, H = len(walks.counters), walks.horizon
    states, actions = empty(N, H, xp=xp)
    if N:
        sums = (cumulative(x, xp) for x in (walks.start, walks.P, policies))
        rest = (xp.asarray(x) for x in (walks.chosen, round_keys(walks.key), walks.counters))
        _walk[-(-N // THREADS), THREADS](*sums, *rest, states, actions)
    return states, actions
