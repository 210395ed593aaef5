"""The softmax policy-gradient loop of `softmax_pg` on a GPU: one block of threads a model, its work in shared memory.

The same text runs on CuPy arrays and, in Numba's CUDA simulator, on NumPy arrays.  Names are ASCII in the kernel, as it
passes through compilers that expect that.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from numba import cuda, float64
from numba.core.errors import NumbaPerformanceWarning

from mdplab.arrays import Array, namespace
from mdplab.kernels.softmax_pg import Ascent, Sums
from mdplab.kernels.softmax_pg import advance as kernel

SHARED = 48 * 1024  # bytes of shared memory that every device gives to a block without being asked
PORTION = 10_000  # updates of one launch: a fraction of a second, so that no display driver takes the device away

_jit: Any = cuda.jit


@_jit
def _blocks(  # type: ignore[no-untyped-def]
    P, r, discount, start, step, loss, action, theta, least, total_gap, steps, gathering
):
    model, me, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    S, A = r.shape[1], r.shape[2]
    shared = cuda.shared.array(0, float64)
    M, pi = shared[: S * S], shared[S * S : S * (S + A)]  # I − γ P_π, then its factors L and U; the policy
    v = shared[S * (S + A) : S * (S + A + 1)]
    d = shared[S * (S + A + 1) : S * (S + A + 2)]
    taken = shared[S * (S + A + 2) : S * (S + A + 3)]  # π(action(s) | s)
    lost = shared[S * (S + A + 3) : S * (S + A + 4)]  # Σ_a π(a | s) loss(s, a)
    for _ in range(steps):
        for s in range(me, S, threads):  # a thread a state: policy and reward
            top = theta[model, s, 0]
            for a in range(1, A):
                if theta[model, s, a] > top:
                    top = theta[model, s, a]
            total = 0.0
            for a in range(A):
                p = math.exp(theta[model, s, a] - top)
                pi[s * A + a] = p
                total += p
            gain = 0.0
            for a in range(A):
                p = pi[s * A + a] / total
                pi[s * A + a] = p
                gain += p * r[model, s, a]
            v[s] = gain
            d[s] = start[model, s]
            if gathering:
                loss_here = 0.0
                for a in range(A):
                    loss_here += pi[s * A + a] * loss[model, s, a]
                lost[s] = loss_here
                taken[s] = pi[s * A + action[model, s]]
        cuda.syncthreads()
        for i in range(me, S * S, threads):  # a thread an entry of I − γ P_π
            s, t = i // S, i % S
            x = 0.0
            for a in range(A):
                x += pi[s * A + a] * P[model, s, a, t]
            M[i] = (1.0 if s == t else 0.0) - discount[model] * x
        cuda.syncthreads()
        for k in range(S):  # M = L U, L with a unit diagonal; diagonally dominant, so without pivoting
            for i in range(k + 1 + me, S, threads):
                M[i * S + k] /= M[k * S + k]
            cuda.syncthreads()
            left = S - k - 1
            for i in range(me, left * left, threads):
                row, column = k + 1 + i // left, k + 1 + i % left
                M[row * S + column] -= M[row * S + k] * M[k * S + column]
            for i in range(k + 1 + me, S, threads):  # v <- L^{-1} v on the way
                v[i] -= M[i * S + k] * v[k]
            cuda.syncthreads()
        for k in range(S):  # v <- U^{-1} v from below, d' <- d' U^{-1} from above
            last = S - 1 - k
            if me == 0:
                v[last] /= M[last * S + last]
                d[k] /= M[k * S + k]
            cuda.syncthreads()
            for i in range(me, last, threads):
                v[i] -= M[i * S + last] * v[last]
            for i in range(k + 1 + me, S, threads):
                d[i] -= M[k * S + i] * d[k]
            cuda.syncthreads()
        for k in range(S - 1, 0, -1):  # d' <- d' L^{-1}
            for i in range(me, k, threads):
                d[i] -= M[k * S + i] * d[k]
            cuda.syncthreads()
        if gathering and me == 0:
            for s in range(S):
                if taken[s] < least[model]:
                    least[model] = taken[s]
                total_gap[model] += d[s] * lost[s]
        for i in range(me, S * A, threads):  # a thread a pair: the update
            s, a = i // A, i % A
            q = 0.0
            for t in range(S):
                q += P[model, s, a, t] * v[t]
            advantage = r[model, s, a] + discount[model] * q - v[s]
            theta[model, s, a] += step[model] * d[s] * pi[i] * advantage
        cuda.syncthreads()


def advance(ascent: Ascent, θ: Array, first: int, last: int, sums: Sums | None) -> tuple[Array, Sums | None]:
    """See `mdplab.kernels.softmax_pg.advance`; models too large for shared memory go through the definition."""
    mdp, xp = ascent.mdp, namespace(θ)
    B, S, A = math.prod(mdp.batch), mdp.S, mdp.A
    size = 8 * S * (S + A + 4)
    if first == last or B == 0:
        return θ, sums
    if size > SHARED:
        return kernel.definition(ascent, θ, first, last, sums)

    def models(x: Array, *shape: int) -> Array:
        return xp.reshape(xp.asarray(x), (B, *shape))

    def each(x: Any) -> Array:  # one number a model, in an array of its own
        return xp.reshape(xp.zeros(mdp.batch, dtype=θ.dtype) + x, (B,))

    θ = models(xp.asarray(θ, copy=True), S, A)
    least, total_gap = each(1.0 if sums is None else sums.least), each(0.0 if sums is None else sums.total_gap)
    loss = models(mdp.r if ascent.loss is None else ascent.loss, S, A)  # not read unless gathering
    action = models(xp.zeros(mdp.start.shape, dtype=xp.int64) if ascent.action is None else ascent.action, S)
    arrays = (
        models(mdp.P, S, A, S),
        models(mdp.r, S, A),
        each(mdp.discount),
        models(mdp.start, S),
        each(ascent.step_size),
    )
    threads = min(128, -(-S * S // 32) * 32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaPerformanceWarning)  # a small batch does not fill a GPU; we know
        for k in range(first, last, PORTION):
            steps = min(PORTION, last - k)
            _blocks[B, threads, 0, size](*arrays, loss, action, θ, least, total_gap, steps, sums is not None)
    θ = xp.reshape(θ, mdp.r.shape)
    if sums is None:
        return θ, None
    return θ, Sums(xp.reshape(least, mdp.batch), xp.reshape(total_gap, mdp.batch))
