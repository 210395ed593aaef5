"""The walks of `alias` on a GPU: one thread a walk.

The same text runs on CuPy arrays and, in Numba's CUDA simulator, on NumPy arrays.
"""

# Bodies that run on the device have no annotations: numba-cuda infers their types from the arrays.

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mdplab.arrays import Array, namespace
from mdplab.kernels.alias import HALF, LOW, ManyWalks, integers
from mdplab.kernels.inversion import empty
from mdplab.kernels.philox_cuda import block, product, round_keys

THREADS = 128

_jit: Any = cuda.jit


@_jit
def _many_walks(entries, cells, shift, chosen, keys, counters, states, actions):  # type: ignore[no-untyped-def]
    n = cuda.grid(1)
    if n >= states.shape[0]:
        return
    table, H = chosen[n], actions.shape[1]
    state = (1 << shift) - 1
    s = entries.shape[1] - 1
    for begin in range(0, H + 1, 4):
        words = block(np.uint64(begin // 4), counters[n, 0], counters[n, 1], counters[n, 2], keys)
        for i in range(min(4, H + 1 - begin)):
            cell, rest = product(cells[table], words[i])
            both = entries[table, s, cell, 1]
            outcome = np.int64(both & LOW if rest < entries[table, s, cell, 0] else both >> HALF)
            s = outcome & state
            states[n, begin + i] = s
            if begin + i > 0:
                actions[n, begin + i - 1] = outcome >> shift


def many_walks(walks: ManyWalks, counters: Array) -> tuple[Array, Array]:
    """See `mdplab.kernels.alias.many_walks`."""
    xp = namespace(counters)
    tables, N, H = walks.tables, len(counters), walks.horizon
    states, actions = empty(N, H, integers(tables), xp)
    if N:
        table, keys = (tables.entries, tables.cells, tables.names.shift), xp.asarray(round_keys(walks.key))
        _many_walks[-(-N // THREADS), THREADS](*table, walks.chosen, keys, counters, states, actions)
    return states, actions
