"""The tables and walks of `alias`, compiled by Numba: thirty-two walks side by side in vector registers."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.kernels import over_cores
from mdplab.kernels.alias import BITS, HALF, LOW, ManyWalks, Names, Tables, integers
from mdplab.kernels.inversion import empty
from mdplab.kernels.lanes import aligned, compiled, jit
from mdplab.kernels.philox_compiled import blocks
from mdplab.kernels.word_lanes import (
    add,
    conjunction,
    disjunction,
    gather,
    left,
    load32,
    meet,
    mul,
    right,
    splat,
    store,
    where_below,
)

GROUP = 32
_ZERO, _ONE, _QUARTER, _LAST = np.uint64(0), np.uint64(1), np.uint64(16), np.uint64(2**16 - 1)


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
def _brief(entries: Any, brief: Any) -> None:
    """Entries in one word each: the upper half of the threshold, the other outcome and the one below the threshold."""
    for k in range(brief.size):
        both = entries[2 * k + 1]
        brief[k] = entries[2 * k] >> HALF << HALF | both >> HALF << _QUARTER | both & _LAST


@jit
def _cell(w: Any, s: Any, K: Any, first: Any, width: Any) -> Any:
    """The entries that the words w lead to from the states s, and the upper halves of the rests."""
    low, half = splat(LOW, w), splat(HALF, w)
    q = add(mul(right(w, half), K), right(mul(conjunction(w, low), K), half))  # K w without its lowest 32 bits
    return add(add(mul(s, width), first), right(q, half)), conjunction(q, low)


@jit
def _step(w: Any, s: Any, K: Any, first: Any, width: Any, state: Any, entries: Any) -> Any:
    """The outcomes of a step from the states s, and the states among them."""
    half = splat(HALF, w)
    at, _ = _cell(w, s, K, first, width)
    at = left(at, splat(_ONE, w))
    both = gather(entries, add(at, splat(_ONE, w)))
    outcome = where_below(mul(w, K), gather(entries, at), conjunction(both, splat(LOW, w)), right(both, half))
    return outcome, conjunction(outcome, state)


@jit
def _brief_step(w: Any, s: Any, K: Any, first: Any, width: Any, state: Any, brief: Any) -> Any:
    """As `_step` and whether that may be wrong: a rest and its threshold have the same upper halves."""
    at, rest = _cell(w, s, K, first, width)
    entry = gather(brief, at)
    threshold, other = right(entry, splat(HALF, w)), right(entry, splat(_QUARTER, w))
    outcome = conjunction(where_below(rest, threshold, entry, other), splat(_LAST, w))
    return outcome, conjunction(outcome, state), meet(rest, threshold)


@jit
def _pack(x: Any, y: Any, bits: Any) -> Any:
    return disjunction(x, left(y, splat(bits, x)))


@compiled
def _many_walks(
    entries: Any, brief: Any, cells: Any, rows: Any, shift: Any, chosen: Any, key: Any, counters: Any, states: Any,
    actions: Any, H: Any, packs: Any, scratch: Any, begin: int, end: int,
) -> None:  # fmt: skip
    """Walks begin, ..., end - 1 of at least thirty-two; all but counters in one dimension, `rows` rows a table.

    A step reads `brief` if that is not empty, and `entries` where it does not tell.
    """
    width, state = np.uint64(entries.size // 2) // (np.uint64(cells.size) * rows), (_ONE << shift) - _ONE
    for n in range(begin, end, GROUP):
        n = min(n, chosen.size - GROUP)  # the last thirty-two may repeat some
        for g in range(GROUP):
            for j in range(3):
                scratch[j * GROUP + g] = counters[n + g, j]
            scratch[3 * GROUP + g], scratch[4 * GROUP + g] = cells[chosen[n + g]], chosen[n + g] * rows * width
        c1, c2, c3 = load32(scratch, 0), load32(scratch, GROUP), load32(scratch, 2 * GROUP)
        K, first = load32(scratch, 3 * GROUP), load32(scratch, 4 * GROUP)
        K = conjunction(K, splat(LOW, K))
        table = K, first, splat(width, K), splat(state, K)
        s = splat(rows - _ONE, K)
        for b in range(np.int64(H) // 4 + 1):
            w0, w1, w2, w3 = blocks(splat(np.uint64(b), K), c1, c2, c3, key)
            before, tied = s, brief.size == 0
            if brief.size:
                o0, s, tied0 = _brief_step(w0, s, *table, brief)
                o1, s, tied1 = _brief_step(w1, s, *table, brief)
                o2, s, tied2 = _brief_step(w2, s, *table, brief)
                o3, s, tied3 = _brief_step(w3, s, *table, brief)
                tied = tied0 | tied1 | tied2 | tied3
            if tied:
                o0, s = _step(w0, before, *table, entries)
                o1, s = _step(w1, s, *table, entries)
                o2, s = _step(w2, s, *table, entries)
                o3, s = _step(w3, s, *table, entries)
            if states.itemsize == 2:
                store(packs, b * GROUP, _pack(_pack(o0, o1, _QUARTER), _pack(o2, o3, _QUARTER), HALF))
            else:
                store(packs, 2 * b * GROUP, _pack(o0, o1, HALF))
                store(packs, (2 * b + 1) * GROUP, _pack(o2, o3, HALF))
        _split(packs, np.uint64(n), H, state, shift, states, actions)


@jit
def _split(packs: Any, n: Any, H: Any, state: Any, shift: Any, states: Any, actions: Any) -> None:
    """Write states and actions of walks n, n + 1, ...; a pack holds as many outcomes as fit into a word."""
    per, bits, group = np.uint64(8 // states.itemsize), np.uint64(8 * states.itemsize), np.uint64(GROUP)
    one = (_ONE << bits) - _ONE
    every_state, whole = np.uint64(2**64 - 1) // one * state, (H + _ONE) // per
    for g in range(group):
        to, back = (n + g) * (H + _ONE), (n + g) * H - _ONE
        for k in range(_ONE, whole):
            pack = packs[k * group + g]
            store(states, to + k * per, pack & every_state)
            store(actions, back + k * per, (pack & ~every_state) >> shift)
        pack = packs[g]  # no action precedes the start
        for h in range(min(per, H + _ONE)):
            states[to + h] = pack & one & state
            if h > _ZERO:
                actions[back + h] = (pack & one) >> shift
            pack >>= bits
        for h in range(max(per, whole * per), H + _ONE):
            outcome = packs[whole * group + g] >> h % per * bits & one
            states[to + h] = outcome & state
            actions[back + h] = outcome >> shift


def many_walks(walks: ManyWalks, counters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """See `mdplab.kernels.alias.many_walks`; no walk depends on the others or on the number of threads."""
    tables, N, H = walks.tables, len(counters), walks.horizon
    size, kind = max(N, GROUP), integers(tables)
    states, actions = empty(size, H, kind)
    rows, shift, entries = np.uint64(tables.entries.shape[1]), np.uint64(tables.names.shift), tables.entries.reshape(-1)
    brief = np.empty(entries.size // 2 if kind == np.int16 else 0, dtype=np.uint64)
    _brief(entries, brief)
    chosen = np.zeros(size, dtype=np.uint64)
    chosen[:N] = walks.chosen
    if size > N:
        counters = np.concatenate([counters, np.zeros((size - N, 3), dtype=np.uint64)])

    table = entries, brief, tables.cells, rows, shift
    out = states.reshape(-1), actions.reshape(-1), np.uint64(H)

    def work(part: slice) -> None:
        packs, scratch = (aligned(n * GROUP).view(np.uint64) for n in ((H // 4 + 1) * states.itemsize // 2, 5))
        _many_walks(*table, chosen, walks.key, counters, *out, packs, scratch, part.start, part.stop)

    over_cores(work, N, GROUP)
    return states[:N], actions[:N]
