"""The softmax policy-gradient loop of `softmax_pg`, eight models at a time, compiled by Numba."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from mdplab.kernels import threads
from mdplab.kernels.lanes import (
    LANES,
    add,
    aligned,
    compiled,
    div,
    exp,
    fma,
    fnma,
    interleave,
    jit,
    larger,
    load,
    mul,
    separate,
    smaller,
    splat,
    store,
    sub,
)
from mdplab.kernels.softmax_pg import Ascent, Sums, seconds_per_update

# Four by four vectors fill half of the 32 registers and use each loaded number four times.  Where it reads T below,
# sizes are rounded up to a multiple of four: padded states have no reward, no visits, and a row of the identity.


@jit
def _row(f: Any, y0: Any, y1: Any, y2: Any, y3: Any, x0: Any, x1: Any, x2: Any, x3: Any) -> Any:
    """x − f y."""
    return fnma(f, y0, x0), fnma(f, y1, x1), fnma(f, y2, x2), fnma(f, y3, x3)


@jit
def _read(M: Any, i: int) -> Any:
    return load(M, i), load(M, i + 1), load(M, i + 2), load(M, i + 3)


@jit
def _write(M: Any, i: int, x0: Any, x1: Any, x2: Any, x3: Any) -> None:
    store(M, i, x0)
    store(M, i + 1, x1)
    store(M, i + 2, x2)
    store(M, i + 3, x3)


@jit
def _policy(θ: Any, r: Any, π: Any, reward: Any, s: int, A: int) -> None:
    """π(· | s) and r_π(s)."""
    row = s * A
    top = load(θ, row)
    for a in range(1, A):
        top = larger(top, load(θ, row + a))
    sum_, gain = splat(0.0), splat(0.0)
    for a in range(A):
        p = exp(sub(load(θ, row + a), top))
        store(π, row + a, p)
        sum_ = add(sum_, p)
    scale = div(splat(1.0), sum_)
    for a in range(A):
        p = mul(load(π, row + a), scale)
        store(π, row + a, p)
        gain = fma(p, load(r, row + a), gain)
    store(reward, s, gain)


@jit
def _chain(P: Any, π: Any, discount: Any, M: Any, s: int, A: int, T: int) -> None:
    """Row s of I − γ P_π."""
    γ = load(discount, 0)
    for t in range(0, T, 4):
        x0 = x1 = x2 = x3 = splat(0.0)
        for a in range(A):
            x0, x1, x2, x3 = _row(load(π, s * A + a), *_read(P, (s * A + a) * T + t), x0, x1, x2, x3)
        _write(M, s * T + t, mul(γ, x0), mul(γ, x1), mul(γ, x2), mul(γ, x3))
    store(M, s * T + s, add(load(M, s * T + s), splat(1.0)))


@jit
def _factor_rows(M: Any, inverse: Any, i: int, T: int) -> None:
    """Rows i, ..., i + 3 of L and U with M = L U, L with a unit diagonal, 1 / diagonal of U in `inverse`.

    Earlier rows are done.  No pivoting: I − γ P_π is diagonally dominant by rows, so no growth is possible.
    """
    for j in range(0, T, 4):
        a0, a1, a2, a3 = _read(M, i * T + j)
        b0, b1, b2, b3 = _read(M, (i + 1) * T + j)
        c0, c1, c2, c3 = _read(M, (i + 2) * T + j)
        d0, d1, d2, d3 = _read(M, (i + 3) * T + j)
        for k in range(min(i, j)):
            y0, y1, y2, y3 = _read(M, k * T + j)
            a0, a1, a2, a3 = _row(load(M, i * T + k), y0, y1, y2, y3, a0, a1, a2, a3)
            b0, b1, b2, b3 = _row(load(M, (i + 1) * T + k), y0, y1, y2, y3, b0, b1, b2, b3)
            c0, c1, c2, c3 = _row(load(M, (i + 2) * T + k), y0, y1, y2, y3, c0, c1, c2, c3)
            d0, d1, d2, d3 = _row(load(M, (i + 3) * T + k), y0, y1, y2, y3, d0, d1, d2, d3)
        if j < i:  # left of the diagonal: multiply by the inverse of the finished diagonal block of U, column by column
            w, k = load(inverse, j), j * T + j
            a0, b0, c0, d0 = mul(a0, w), mul(b0, w), mul(c0, w), mul(d0, w)
            u, w = load(M, k + 1), load(inverse, j + 1)
            a1, b1, c1, d1 = _row(u, a0, b0, c0, d0, a1, b1, c1, d1)
            a1, b1, c1, d1 = mul(a1, w), mul(b1, w), mul(c1, w), mul(d1, w)
            a2, b2, c2, d2 = _row(load(M, k + 2), a0, b0, c0, d0, a2, b2, c2, d2)
            u, w = load(M, k + T + 2), load(inverse, j + 2)
            a2, b2, c2, d2 = _row(u, a1, b1, c1, d1, a2, b2, c2, d2)
            a2, b2, c2, d2 = mul(a2, w), mul(b2, w), mul(c2, w), mul(d2, w)
            a3, b3, c3, d3 = _row(load(M, k + 3), a0, b0, c0, d0, a3, b3, c3, d3)
            a3, b3, c3, d3 = _row(load(M, k + T + 3), a1, b1, c1, d1, a3, b3, c3, d3)
            u, w = load(M, k + 2 * T + 3), load(inverse, j + 3)
            a3, b3, c3, d3 = _row(u, a2, b2, c2, d2, a3, b3, c3, d3)
            a3, b3, c3, d3 = mul(a3, w), mul(b3, w), mul(c3, w), mul(d3, w)
        elif j == i:  # the diagonal block itself
            w = div(splat(1.0), a0)
            store(inverse, i, w)
            b0, c0, d0 = mul(b0, w), mul(c0, w), mul(d0, w)
            b1, b2, b3 = fnma(b0, a1, b1), fnma(b0, a2, b2), fnma(b0, a3, b3)
            c1, c2, c3 = fnma(c0, a1, c1), fnma(c0, a2, c2), fnma(c0, a3, c3)
            d1, d2, d3 = fnma(d0, a1, d1), fnma(d0, a2, d2), fnma(d0, a3, d3)
            w = div(splat(1.0), b1)
            store(inverse, i + 1, w)
            c1, d1 = mul(c1, w), mul(d1, w)
            c2, c3 = fnma(c1, b2, c2), fnma(c1, b3, c3)
            d2, d3 = fnma(d1, b2, d2), fnma(d1, b3, d3)
            w = div(splat(1.0), c2)
            store(inverse, i + 2, w)
            d2 = mul(d2, w)
            d3 = fnma(d2, c3, d3)
            store(inverse, i + 3, div(splat(1.0), d3))
        else:  # right of the diagonal: multiply by the inverse of the diagonal block of L, row by row
            k = i * T + i
            b0, b1, b2, b3 = _row(load(M, k + T), a0, a1, a2, a3, b0, b1, b2, b3)
            c0, c1, c2, c3 = _row(load(M, k + 2 * T), a0, a1, a2, a3, c0, c1, c2, c3)
            c0, c1, c2, c3 = _row(load(M, k + 2 * T + 1), b0, b1, b2, b3, c0, c1, c2, c3)
            d0, d1, d2, d3 = _row(load(M, k + 3 * T), a0, a1, a2, a3, d0, d1, d2, d3)
            d0, d1, d2, d3 = _row(load(M, k + 3 * T + 1), b0, b1, b2, b3, d0, d1, d2, d3)
            d0, d1, d2, d3 = _row(load(M, k + 3 * T + 2), c0, c1, c2, c3, d0, d1, d2, d3)
        _write(M, i * T + j, a0, a1, a2, a3)
        _write(M, (i + 1) * T + j, b0, b1, b2, b3)
        _write(M, (i + 2) * T + j, c0, c1, c2, c3)
        _write(M, (i + 3) * T + j, d0, d1, d2, d3)


@jit
def _values(M: Any, inverse: Any, v: Any, T: int) -> None:
    """v <- (L U)^{-1} v."""
    for i in range(0, T, 4):
        k = i * T + i
        x0, x1, x2, x3 = _read(v, i)
        for j in range(i):
            y = load(v, j)
            x0, x1, x2, x3 = _row(y, *_read_down(M, i * T + j, T), x0, x1, x2, x3)
        x1 = fnma(load(M, k + T), x0, x1)
        x2 = fnma(load(M, k + 2 * T + 1), x1, fnma(load(M, k + 2 * T), x0, x2))
        x3 = fnma(load(M, k + 3 * T + 1), x1, fnma(load(M, k + 3 * T), x0, x3))
        x3 = fnma(load(M, k + 3 * T + 2), x2, x3)
        _write(v, i, x0, x1, x2, x3)
    for i in range(T - 4, -1, -4):
        k = i * T + i
        x0, x1, x2, x3 = _read(v, i)
        for j in range(i + 4, T):
            x0, x1, x2, x3 = _row(load(v, j), *_read_down(M, i * T + j, T), x0, x1, x2, x3)
        x3 = mul(x3, load(inverse, i + 3))
        x2 = mul(fnma(load(M, k + 2 * T + 3), x3, x2), load(inverse, i + 2))
        x1 = fnma(load(M, k + T + 2), x2, fnma(load(M, k + T + 3), x3, x1))
        x1 = mul(x1, load(inverse, i + 1))
        x0 = fnma(load(M, k + 2), x2, fnma(load(M, k + 3), x3, x0))
        x0 = mul(fnma(load(M, k + 1), x1, x0), load(inverse, i))
        _write(v, i, x0, x1, x2, x3)


@jit
def _read_down(M: Any, i: int, T: int) -> Any:
    return load(M, i), load(M, i + T), load(M, i + 2 * T), load(M, i + 3 * T)


@jit
def _visits(M: Any, inverse: Any, d: Any, T: int) -> None:
    """d' <- d' (L U)^{-1}."""
    for i in range(0, T, 4):
        k = i * T + i
        x0, x1, x2, x3 = _read(d, i)
        for j in range(i):
            x0, x1, x2, x3 = _row(load(d, j), *_read(M, j * T + i), x0, x1, x2, x3)
        x0 = mul(x0, load(inverse, i))
        x1 = mul(fnma(load(M, k + 1), x0, x1), load(inverse, i + 1))
        x2 = fnma(load(M, k + T + 2), x1, fnma(load(M, k + 2), x0, x2))
        x2 = mul(x2, load(inverse, i + 2))
        x3 = fnma(load(M, k + T + 3), x1, fnma(load(M, k + 3), x0, x3))
        x3 = mul(fnma(load(M, k + 2 * T + 3), x2, x3), load(inverse, i + 3))
        _write(d, i, x0, x1, x2, x3)
    for i in range(T - 4, -1, -4):
        k = i * T + i
        x0, x1, x2, x3 = _read(d, i)
        for j in range(i + 4, T):
            x0, x1, x2, x3 = _row(load(d, j), *_read(M, j * T + i), x0, x1, x2, x3)
        x2 = fnma(load(M, k + 3 * T + 2), x3, x2)
        x1 = fnma(load(M, k + 2 * T + 1), x2, fnma(load(M, k + 3 * T + 1), x3, x1))
        x0 = fnma(load(M, k + 2 * T), x2, fnma(load(M, k + 3 * T), x3, x0))
        x0 = fnma(load(M, k + T), x1, x0)
        _write(d, i, x0, x1, x2, x3)


@jit
def _update(P: Any, r: Any, discount: Any, step: Any, θ: Any, π: Any, v: Any, d: Any, s: int, A: int, T: int) -> None:
    """θ(s, a) += η d(s) π(a | s) A^π(s, a) for all actions of one state."""
    γ, v_s = load(discount, 0), load(v, s)
    weight = mul(load(step, 0), load(d, s))
    for a in range(A):
        i = s * A + a
        x0 = x1 = x2 = x3 = splat(0.0)
        for t in range(0, T, 4):
            x0 = fma(load(P, i * T + t), load(v, t), x0)
            x1 = fma(load(P, i * T + t + 1), load(v, t + 1), x1)
            x2 = fma(load(P, i * T + t + 2), load(v, t + 2), x2)
            x3 = fma(load(P, i * T + t + 3), load(v, t + 3), x3)
        advantage = sub(fma(γ, add(add(x0, x1), add(x2, x3)), load(r, i)), v_s)
        store(θ, i, fma(mul(weight, load(π, i)), advantage, load(θ, i)))


@jit
def _gather(loss: Any, others: Any, π: Any, d: Any, least: Any, total_gap: Any, S: int, A: int) -> None:
    """One iterate more in `least` and `total_gap`; `others` is 0 at the optimal action and 1 elsewhere."""
    low, gap = load(least, 0), load(total_gap, 0)
    for s in range(S):
        lost = splat(0.0)
        for a in range(A):
            p = load(π, s * A + a)
            low = smaller(larger(load(others, s * A + a), p), low)
            lost = fma(p, load(loss, s * A + a), lost)
        gap = fma(load(d, s), lost, gap)
    store(least, 0, low)
    store(total_gap, 0, gap)


@jit
def _block(
    P: Any, r: Any, discount: Any, start: Any, step: Any, loss: Any, others: Any, θ: Any, least: Any, total_gap: Any,
    scratch: Any, S: int, A: int, steps: int, gathering: bool,
) -> None:  # fmt: skip
    T = S + -S % 4
    M, vectors, π = scratch[: T * T * 8], scratch[T * T * 8 : T * (T + 4) * 8], scratch[T * (T + 4) * 8 :]
    v, d, gain, inverse = vectors[: T * 8], vectors[T * 8 :], vectors[2 * T * 8 :], vectors[3 * T * 8 :]
    for k in range(steps):
        for i in range(0, T, 4):
            for s in range(i, i + 4):
                if s < S:
                    if k > 0:  # the update of the iterate before, here because P(s, ·, ·) then comes from far only once
                        _update(P, r, discount, step, θ, π, v, d, s, A, T)
                    _policy(θ, r, π, gain, s, A)
                    _chain(P, π, discount, M, s, A, T)
                else:
                    for t in range(T):
                        store(M, s * T + t, splat(1.0 if s == t else 0.0))
                    store(gain, s, splat(0.0))
            _factor_rows(M, inverse, i, T)
        for s in range(T):
            store(v, s, load(gain, s))
            store(d, s, load(start, s))
        _values(M, inverse, v, T)
        _visits(M, inverse, d, T)
        if gathering:
            _gather(loss, others, π, d, least, total_gap, S, A)
    for s in range(S):
        _update(P, r, discount, step, θ, π, v, d, s, A, T)


@compiled
def _blocks(
    P: Any, r: Any, discount: Any, start: Any, step: Any, loss: Any, others: Any, θ: Any, least: Any, total_gap: Any,
    scratch: Any, S: int, A: int, steps: int, gathering: bool,
) -> None:  # fmt: skip
    """`steps` >= 1 updates of blocks of eight models; all arrays (blocks, n * 8) with the lane last, t padded to T.

    P (S, A, T), r, θ (S, A), start (T), discount, step, least, total_gap (1); loss, others (S, A) or empty when not
    `gathering`.  θ, least and total_gap are overwritten.  `scratch` holds T (T + 4) + S A vectors.
    """
    for b in range(P.shape[0]):
        _block(
            P[b], r[b], discount[b], start[b], step[b], loss[b], others[b], θ[b], least[b], total_gap[b],
            scratch, S, A, steps, gathering,
        )  # fmt: skip


class _Packed(NamedTuple):
    """The arguments of `_blocks` that never change."""

    P: np.ndarray
    r: np.ndarray
    discount: np.ndarray
    start: np.ndarray
    step: np.ndarray
    loss: np.ndarray
    others: np.ndarray


class _State(NamedTuple):
    """The arguments of `_blocks` that it overwrites."""

    θ: np.ndarray
    least: np.ndarray
    total_gap: np.ndarray


_packings: WeakKeyDictionary[Ascent, _Packed] = WeakKeyDictionary()  # a run calls many times with the same `Ascent`


def _pack(ascent: Ascent) -> _Packed:
    if ascent not in _packings:
        mdp = ascent.mdp
        B, S, A = math.prod(mdp.batch), mdp.S, mdp.A
        pad = -S % 4
        P = np.pad(mdp.P.reshape(B, S, A, S), [(0, 0)] * 3 + [(0, pad)])
        none = np.zeros((-(-B // LANES), 0))
        _packings[ascent] = _Packed(
            interleave(P.reshape(B, -1)),
            interleave(mdp.r.reshape(B, -1)),
            _per_model(mdp.discount, B),
            interleave(np.pad(mdp.start.reshape(B, S), [(0, 0), (0, pad)])),
            _per_model(ascent.step_size, B),
            none if ascent.loss is None else interleave(ascent.loss.reshape(B, -1)),
            none if ascent.loss is None else interleave(_others(ascent).reshape(B, -1)),
        )
    return _packings[ascent]


def _others(ascent: Ascent) -> np.ndarray:
    return 1.0 - (np.arange(ascent.mdp.A) == np.asarray(ascent.action)[..., None])


def _per_model(x: Any, B: int) -> np.ndarray:
    """One number a model, (blocks, 8)."""
    return interleave(np.broadcast_to(np.asarray(x, dtype=float).reshape(-1, 1), (B, 1)))


def advance(ascent: Ascent, θ: np.ndarray, first: int, last: int, sums: Sums | None) -> tuple[np.ndarray, Sums | None]:
    """See `mdplab.kernels.softmax_pg.advance`; no model's result depends on the others or on the number of threads."""
    B = math.prod(ascent.mdp.batch)
    if first == last or B == 0:
        return θ, sums
    least, total_gap = (1.0, 0.0) if sums is None else (sums.least, sums.total_gap)
    state = _State(interleave(θ.reshape(B, -1)), _per_model(least, B), _per_model(total_gap, B))
    # Five seconds of NumPy are a few tenths of a second here: the interpreter is back often enough to notice Ctrl-C.
    portion = max(1, int(5 / seconds_per_update(ascent)))
    for k in range(first, last, portion):
        _update_all(ascent, state, min(portion, last - k))
    θ = separate(state.θ, B).reshape(θ.shape)
    if sums is None:
        return θ, None
    least, total_gap = (separate(x, B).reshape(ascent.mdp.batch) for x in (state.least, state.total_gap))
    return θ, Sums(least, total_gap)


def _update_all(ascent: Ascent, state: _State, steps: int) -> None:
    data, S, A = _pack(ascent), ascent.mdp.S, ascent.mdp.A
    T = S + -S % 4
    blocks, workers = len(state.θ), threads()
    size = -(-blocks // (4 * workers)) if workers > 1 else blocks  # a few portions each, for cores that others use too

    def work(i: int) -> None:
        part = slice(i, i + size)
        scratch = aligned((T * (T + 4) + S * A) * LANES)
        _blocks(*(x[part] for x in data), *(x[part] for x in state), scratch, S, A, steps, ascent.loss is not None)

    if workers == 1 or blocks == 1:
        for i in range(0, blocks, size):
            work(i)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(0, blocks, size)))
