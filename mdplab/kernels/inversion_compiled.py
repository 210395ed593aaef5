"""The walks of `inversion`, compiled by Numba: eight side by side, so that one runs while others wait."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.kernels import over_cores
from mdplab.kernels.inversion import Walks, empty
from mdplab.kernels.lanes import aligned, compiled, jit
from mdplab.kernels.philox_compiled import eight_blocks, either

_ONE = np.uint64(1)
GROUP = 8  # so that one walk goes on while another waits for its table


@compiled
def _thresholds(p: Any, c: Any) -> None:
    """Cumulative probabilities of the rows, added as the definition adds, as integers k: u < c just if 2^53 u < k."""
    for i in range(p.shape[0]):
        last, rest = p.shape[1] - 1, 0.0
        for j in range(p.shape[1] - 1, -1, -1):
            rest += p[i, j]
            if rest - p[i, j] <= 0.0:
                last = j
        sum_ = 0.0
        for j in range(p.shape[1]):
            sum_ += p[i, j]
            c[i, j] = np.int64(np.ceil((sum_ if j < last else 1.0) * 2.0**53))


@jit
def _inverse(c: Any, begin: Any, n: Any, word: Any) -> Any:
    """The first index whose threshold exceeds the word's upper 53 bits, by halving."""
    k = np.int64(word >> np.uint64(11))
    at = begin
    while n > _ONE:
        half = n >> _ONE
        at = either(k >= c[at + half - _ONE], at + half, at)
        n -= half
    return either(k >= c[at], at + _ONE, at) - begin


@compiled
def _walk(
    first: Any, moves: Any, choices: Any, chosen: Any, key: Any, counters: Any, states: Any, actions: Any,
    S: Any, A: Any, scratch: Any, begin: int, end: int,
) -> None:  # fmt: skip
    """Walks begin, ..., end - 1 of at least eight."""
    c, now, then = scratch[: 3 * GROUP], scratch[3 * GROUP : 7 * GROUP], scratch[7 * GROUP :]
    at = np.empty(GROUP, dtype=np.uint64)
    for n in range(begin, end, GROUP):
        n = min(n, states.shape[0] - GROUP)  # the last eight may repeat some
        for g in range(GROUP):
            for j in range(3):
                c[j * GROUP + g] = counters[n + g, j]
        eight_blocks(np.uint64(0), c, 0, key, now, GROUP)
        for g in range(GROUP):
            at[g] = _inverse(first, chosen[0, n + g] * S, S, now[g])
            states[n + g, 0] = at[g]
        for h in range(actions.shape[1]):
            # Words 2 h + 1 and 2 h + 2: the second and third of a block, or its last and the first of the next.
            i, j = 1, 2
            if h % 2 == 1:
                now, then, i, j = then, now, 3, 0
                eight_blocks(np.uint64((h + 1) // 2), c, 0, key, now, GROUP)
            before = then if h % 2 == 1 else now
            for g in range(GROUP):
                a = _inverse(choices, (chosen[2, n + g] * S + at[g]) * A, A, before[i * GROUP + g])
                row = ((chosen[1, n + g] * S + at[g]) * A + a) * S
                at[g] = _inverse(moves, row, S, now[j * GROUP + g])
                actions[n + g, h], states[n + g, h + 1] = a, at[g]


def _all_thresholds(p: np.ndarray) -> np.ndarray:
    out = np.empty(p.shape, dtype=np.int64)
    _thresholds(np.ascontiguousarray(p).reshape(-1, p.shape[-1]), out.reshape(-1, p.shape[-1]))
    return out.reshape(-1)


def walk(walks: Walks, policies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """See `mdplab.kernels.inversion.walk`; no walk depends on the others or on the number of threads."""
    N, H, (S, A) = len(walks.counters), walks.horizon, policies.shape[1:]
    size = max(N, GROUP)
    states, actions = empty(size, H)
    first, moves, choices = map(_all_thresholds, (walks.start, walks.P, policies))
    chosen, counters = np.zeros((3, size), dtype=np.uint64), np.zeros((size, 3), dtype=np.uint64)
    chosen[:, :N], counters[:N] = walks.chosen, walks.counters
    sizes = np.uint64(S), np.uint64(A)  # unsigned, as nothing here counts from the end

    def work(part: slice) -> None:
        scratch = aligned(11 * GROUP).view(np.uint64)
        given = first, moves, choices, chosen, walks.key, counters
        _walk(*given, states, actions, *sizes, scratch, part.start, part.stop)

    over_cores(work, N, GROUP)
    return states[:N], actions[:N]
