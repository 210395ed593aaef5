"""The adversary between two kernels."""

from __future__ import annotations

import numpy as np

from mdplab.arrays import Array, is_exact, namespace, one_hot, total


def segment_response(P: Array, other: Array, z: Array) -> Array:
    """The better of P and `other` for z, for each pair;  (..., A, n) -> (..., A, n)."""
    return _where((total((other - P) * z) > 0)[..., None], other, P)


def state_segment_response(P: Array, other: Array, z: Array, π: Array) -> Array:
    """The better of P and `other` for z under π (..., A), for each state."""
    return _where((total(π * total((other - P) * z)) > 0)[..., None, None], other, P)


def state_segment_minimax(P: Array, other: Array, z: Array) -> tuple[Array, Array]:
    """min over distributions x of max(x·y, x·y'), y = P z and y' = other z;  (..., A, n) -> value (...), x (..., A).

    A game with two columns: an action alone, or two actions mixed so that both columns cost the same.
    """
    y, change = total(P * z), total((other - P) * z)
    A = y.shape[-1]
    best, policy = None, None
    for a in range(A):
        for b in range(a, A):
            d, e = change[..., a], change[..., b]
            opposed = d * e < 0
            w = _where(opposed, e / _where(opposed, e - d, 0 * d + 1), 0 * d + 1)  # on a; b takes the rest
            mixed = w * y[..., a] + (1 - w) * y[..., b]
            slope = w * d + (1 - w) * e
            value = _where(slope > 0, mixed + slope, mixed)
            x = w[..., None] * _one(a, A, y) + (1 - w)[..., None] * _one(b, A, y)
            if best is None:
                best, policy = value, x
            else:
                better = value < best
                best, policy = _where(better, value, best), _where(better[..., None], x, policy)
    return best, policy


def state_segment_saddle(P: Array, other: Array, z: Array, π: Array) -> Array:
    """The adversary's side of `state_segment_minimax`: the mixture that makes both mixed actions cost the same."""
    y, change = total(P * z), total((other - P) * z)
    tilt = total(π * change)
    mixed = np.asarray((π > 0).sum(axis=-1) > 1, dtype=bool)
    first = np.argmax(np.asarray(π > 0, dtype=bool), axis=-1)[..., None]
    last = π.shape[-1] - 1 - np.argmax(np.asarray(π > 0, dtype=bool)[..., ::-1], axis=-1)[..., None]
    a, b = (lambda x: np.take_along_axis(x, first, -1)[..., 0]), (lambda x: np.take_along_axis(x, last, -1)[..., 0])
    run = a(change) - b(change)
    share = (b(y) - a(y)) / np.where(mixed, run, 0 * run + 1)
    w = np.where(mixed, share, np.where(np.asarray(tilt > 0, dtype=bool), 0 * share + 1, 0 * share))
    return P + w[..., None, None] * (other - P)


def _one(a: int, A: int, like: Array) -> Array:
    return one_hot(np.asarray(a), A, like) if is_exact(like) else one_hot(namespace(like).asarray(a), A, like)


def _where(mask: Array, x: Array, y: Array) -> Array:
    return np.where(np.asarray(mask, dtype=bool), x, y) if is_exact(x) else namespace(x).where(mask, x, y)
