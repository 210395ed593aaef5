"""The tables and walks of `alias`, compiled by Numba: sixteen walks at a time, so that one runs while others wait."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.kernels import over_cores
from mdplab.kernels.alias import BITS, HALF, LOW, ManyWalks, Names, Tables, integers
from mdplab.kernels.inversion import empty
from mdplab.kernels.lanes import LANES, aligned, compiled, jit
from mdplab.kernels.philox_compiled import eight_blocks, product

GROUP = 16
_ONE, _TWO = np.uint64(1), np.uint64(2)


@jit
def _share(units: Any, other: Any, full: int) -> None:
    """See `alias._share`; one row.  A cell that has been filled is the one whose other outcome is not its own."""
    K = units.size
    giver = light = 0
    while giver < K and units[giver] < full:
        giver += 1
    while light < K and units[light] >= full:
        light += 1
    taker = light
    while taker < K:
        other[taker] = giver
        units[giver] -= full - units[taker]
        if units[giver] < full:
            taker = giver
            giver += 1
            while giver < K and units[giver] < full:
                giver += 1
        else:
            light += 1
            while light < K and (units[light] >= full or other[light] != light):
                light += 1
            taker = light


@compiled
def _tables(p: Any, names: Any, cells: Any, entries: Any) -> None:
    scratch = np.empty((3, entries.shape[2]), dtype=np.int64)
    units, other, order = scratch[0], scratch[1], scratch[2]
    for i in range(p.shape[0]):
        K = cells[i]
        b = BITS
        while (1 << (BITS - b)) < K:
            b -= 1
        full = 1 << b
        for row in range(p.shape[1]):
            n, lack, largest = 0, K * full, 0
            for positive in (True, False):
                for j in range(p.shape[2]):
                    if (p[i, row, j] > 0) == positive and n < K:
                        order[n], other[n], units[n] = j, n, np.int64(np.rint(p[i, row, j] * np.float64(K * full)))
                        lack -= units[n]
                        if units[n] > units[largest]:
                            largest = n
                        n += 1
            units[largest] += lack
            _share(units[:K], other[:K], full)
            for k in range(K):
                entries[i, row, k, 0] = np.uint64(units[k]) << np.uint64(64 - b)
                entries[i, row, k, 1] = names[order[k]] | names[order[other[k]]] << HALF


def tables(names: Names, p: np.ndarray) -> Tables:
    """See `mdplab.kernels.alias.tables`."""
    cells = np.count_nonzero(p > 0, axis=-1).max(axis=-1)
    entries = np.zeros((*p.shape[:2], cells.max(), 2), dtype=np.uint64)
    p = np.ascontiguousarray(p)

    def work(part: slice) -> None:
        _tables(p[part], names.outcomes, cells[part], entries[part])

    over_cores(work, len(p), 1)
    return Tables(entries, cells.astype(np.uint64), names)


@compiled
def _many_walks(
    entries: Any, cells: Any, rows: Any, shift: Any, chosen: Any, key: Any, counters: Any, states: Any, actions: Any,
    scratch: Any, begin: int, end: int,
) -> None:  # fmt: skip
    """Walks begin, ..., end - 1 of at least sixteen; `entries` in one dimension, `rows` rows a table."""
    c, words = scratch[: 3 * GROUP], scratch[3 * GROUP :]
    row = np.empty(GROUP, dtype=np.uint64)
    K, first = np.empty(GROUP, dtype=np.uint64), np.empty(GROUP, dtype=np.uint64)
    H, N, width = actions.shape[1], states.shape[0], np.uint64(entries.size) // (np.uint64(cells.size) * rows)
    state = (_ONE << shift) - _ONE
    outcomes = np.empty((GROUP, H + 4), dtype=np.uint32)
    for n in range(begin, end, GROUP):
        n = min(n, N - GROUP)  # the last sixteen may repeat some; loops of known length are faster
        for g in range(GROUP):
            for j in range(3):
                c[j * GROUP + g] = counters[n + g, j]
            K[g], first[g] = cells[chosen[n + g]], chosen[n + g] * rows
            row[g] = first[g] + rows - _ONE
        for h in range(0, H + 1, 4):
            b = np.uint64(h // 4)
            for g in range(0, GROUP, LANES):
                eight_blocks(b, c, g, key, words, GROUP)
            for i in range(4):
                for g in range(GROUP):
                    cell, rest = product(words[i * GROUP + g], K[g])
                    at = row[g] * width + _TWO * cell
                    # The upper half where the rest is not below the threshold; an `if` would be a branch.
                    outcome = (entries[at + _ONE] >> (HALF * np.uint64(rest >= entries[at]))) & LOW
                    row[g] = first[g] + (outcome & state)
                    outcomes[g, h + i] = outcome
        for g in range(GROUP):
            for h in range(H):
                states[n + g, h] = outcomes[g, h] & np.uint32(state)
                actions[n + g, h] = outcomes[g, h + 1] >> np.uint32(shift)
            states[n + g, H] = outcomes[g, H] & np.uint32(state)


def many_walks(walks: ManyWalks, counters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """See `mdplab.kernels.alias.many_walks`; no walk depends on the others or on the number of threads."""
    tables, N, H = walks.tables, len(counters), walks.horizon
    size = max(N, GROUP)
    states, actions = empty(size, H, integers(tables))
    rows, shift, entries = np.uint64(tables.entries.shape[1]), np.uint64(tables.names.shift), tables.entries.reshape(-1)
    chosen = np.zeros(size, dtype=np.uint64)
    chosen[:N] = walks.chosen
    if size > N:
        counters = np.concatenate([counters, np.zeros((size - N, 3), dtype=np.uint64)])

    def work(part: slice) -> None:
        table = entries, tables.cells, rows, shift
        scratch = aligned(7 * GROUP).view(np.uint64)
        _many_walks(*table, chosen, walks.key, counters, states, actions, scratch, part.start, part.stop)

    over_cores(work, N, GROUP)
    return states[:N], actions[:N]
