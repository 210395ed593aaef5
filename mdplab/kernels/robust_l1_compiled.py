"""The sweeps of `robust_l1`, compiled by Numba: 32 pairs side by side in registers, one next state after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.kernels.lanes import LANES, add, aligned, compiled, fma, jit, load, smaller, splat, store, sub
from mdplab.kernels.robust_l1 import L1Backup

WIDTH = 4 * LANES  # pairs in a block


def sweep(problem: L1Backup, v: np.ndarray, sweeps: int) -> np.ndarray:
    """v after that many robust backups, as the definition computes it up to rounding."""
    mdp: Any = problem.mdp
    n = int(np.prod(mdp.batch))
    S, A = mdp.S, mdp.A
    out = np.array(np.broadcast_to(v, (*mdp.batch, S)), dtype=float).reshape(n, S)
    P = np.asarray(mdp.P, dtype=float).reshape(n, S * A, S)
    c, κ = (np.ascontiguousarray(x, dtype=float).reshape(n, S * A) for x in (mdp.c, mdp.ambiguity.budget))
    γ = np.array(np.broadcast_to(mdp.discount, mdp.batch), dtype=float).reshape(n)
    blocks = -(-S * A // WIDTH)
    # (block, next state, pair of the block); pairs that fill the last block up have no mass and no budget.
    columns, half = aligned(blocks * S * WIDTH).reshape(blocks, S, WIDTH), aligned(blocks * WIDTH)
    scratch = [aligned(blocks * WIDTH) for _ in range(3)]
    for i in range(n):
        padded = np.zeros((blocks * WIDTH, S))
        padded[: S * A] = P[i]
        columns[...] = padded.reshape(blocks, WIDTH, S).swapaxes(1, 2)
        half[: S * A] = κ[i] / 2
        _sweeps(columns.reshape(-1), c[i], γ[i], half, mdp.ambiguity.beyond_support, out[i], A, sweeps, *scratch)
    return out.reshape(*mdp.batch, S)


def _sweep_all(
    P: Any, c: Any, γ: float, half: Any, beyond: bool, v: Any, A: int, sweeps: int, q: Any, left: Any, dearest: Any
) -> None:
    S = v.size
    for _ in range(sweeps):
        order = np.argsort(v)
        for block in range(q.size // WIDTH):
            _tops(P, v, order, half, beyond, left, dearest, block)
            _products(P, v, order, q, left, dearest, block)
        for s in range(S):
            least = np.inf
            for j in range(s * A, (s + 1) * A):
                least = min(least, c[j] + γ * q[j])
            v[s] = least


_sweeps = compiled(_sweep_all)


@jit
def _tops(P: Any, v: Any, order: Any, half: Any, beyond: bool, left: Any, dearest: Any, block: int) -> None:
    """What the dearest successor of each pair costs, and how much mass goes there: ε = min(κ / 2, 1 − its own)."""
    S, begin = v.size, block * WIDTH
    last = order[S - 1]
    row = (block * S + last) * WIDTH
    unreached = False
    for j in range(WIDTH):
        p = P[row + j]
        dearest[begin + j] = v[last]
        left[begin + j] = min(half[begin + j], 1.0 - p)
        unreached |= p == 0.0
    if beyond or not unreached:
        return
    for j in range(WIDTH):
        i = S - 1
        while i > 0 and P[(block * S + order[i]) * WIDTH + j] == 0.0:
            i -= 1
        dearest[begin + j] = v[order[i]]
        left[begin + j] = min(half[begin + j], 1.0 - P[(block * S + order[i]) * WIDTH + j])


@jit
def _move(p: Any, z: Any, x: Any, left: Any, dearest: Any) -> Any:
    """One next state: its mass p costs z, and what of it the budget moves costs as much as the dearest."""
    moved = smaller(p, left)
    return fma(moved, sub(dearest, z), fma(p, z, x)), sub(left, moved)


@jit
def _products(P: Any, v: Any, order: Any, q: Any, left: Any, dearest: Any, block: int) -> None:
    """Σ_t P(t) v(t) and what moving `left` from the cheapest upwards to the dearest adds.

    Moving mass of the dearest successor to itself adds nothing, so that it needs no exception.
    """
    S, at = v.size, 4 * block
    x0 = x1 = x2 = x3 = splat(0.0)
    l0, l1, l2, l3 = load(left, at), load(left, at + 1), load(left, at + 2), load(left, at + 3)
    d0, d1, d2, d3 = load(dearest, at), load(dearest, at + 1), load(dearest, at + 2), load(dearest, at + 3)
    i, spent = 0, False
    while i < S and not spent:
        for _ in range(min(8, S - i)):
            t = order[i]
            row, z = 4 * (block * S + t), splat(v[t])
            x0, l0 = _move(load(P, row), z, x0, l0, d0)
            x1, l1 = _move(load(P, row + 1), z, x1, l1, d1)
            x2, l2 = _move(load(P, row + 2), z, x2, l2, d2)
            x3, l3 = _move(load(P, row + 3), z, x3, l3, d3)
            i += 1
        store(left, at, add(add(l0, l1), add(l2, l3)))  # no budget is negative: zero where all are spent
        rest = 0.0
        for j in range(LANES):
            rest += left[at * LANES + j]
        spent = rest <= 0.0
    for k in range(i, S):
        t = order[k]
        row, z = 4 * (block * S + t), splat(v[t])
        x0, x1 = fma(load(P, row), z, x0), fma(load(P, row + 1), z, x1)
        x2, x3 = fma(load(P, row + 2), z, x2), fma(load(P, row + 3), z, x3)
    store(q, at, x0)
    store(q, at + 1, x1)
    store(q, at + 2, x2)
    store(q, at + 3, x3)
