"""The sums and values of `pairs` on a GPU: one thread a trajectory, so that sums are added up in the order of time.

The same text runs on CuPy arrays and, in Numba's CUDA simulator, on NumPy arrays.
"""

# Bodies that run on the device have no annotations: numba-cuda infers their types from the arrays.

from __future__ import annotations

from typing import Any

from numba import cuda

from mdplab.arrays import Array, namespace
from mdplab.kernels.pairs import Path, Visits

THREADS = 128

_jit: Any = cuda.jit


@_jit
def _sums(states, actions, psi, W):  # type: ignore[no-untyped-def]
    n = cuda.grid(1)
    if n < psi.shape[0]:
        for h in range(psi.shape[1]):
            if states[n, h] < W.shape[1]:
                W[n, states[n, h], actions[n, h]] += psi[n, h]


def sums(visits: Visits, ψ: Array) -> Array:
    """See `mdplab.kernels.pairs.sums`."""
    W = namespace(ψ).zeros((len(ψ), visits.S, visits.A))
    if len(ψ):
        _sums[-(-len(ψ) // THREADS), THREADS](visits.states, visits.actions, ψ, W)
    return W


@_jit
def _values(states, actions, chosen, x, out):  # type: ignore[no-untyped-def]
    n = cuda.grid(1)
    if n < out.shape[0]:
        for h in range(out.shape[1]):
            out[n, h] = x[chosen[n], states[n, h], actions[n, h]]


def values(path: Path, x: Array) -> Array:
    """See `mdplab.kernels.pairs.values`."""
    out = namespace(x).empty(path.actions.shape)
    if len(out):
        _values[-(-len(out) // THREADS), THREADS](path.states, path.actions, path.chosen, x, out)
    return out
