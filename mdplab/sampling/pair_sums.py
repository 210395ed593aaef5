"""What a trajectory adds up to at each pair (s, a)."""

from __future__ import annotations

import numpy as np

from mdplab.arrays import Array


def pair_sums(states: Array, actions: Array, ψ: Array, S: int, A: int) -> Array:
    """W(s, a) = Σ_h ψ_h 1{s_h = s, a_h = a};  (..., H or H + 1), (..., H), (..., H) -> (..., S, A).

    Batch axes broadcast; `ψ` is float64 or holds exact numbers.  States from S on, where all is over, do not count.
    """
    H = ψ.shape[-1]
    shape = np.broadcast_shapes(states.shape[:-1], actions.shape[:-1], ψ.shape[:-1])
    s, a, ψ = (np.broadcast_to(x[..., :H], (*shape, H)).reshape(-1, H) for x in (states, actions, ψ))
    W = np.zeros((len(ψ), S + 1, A), dtype=ψ.dtype) + (0 * ψ.flat[0] if ψ.size else 0)
    np.add.at(W, (np.arange(len(ψ))[:, None], np.minimum(s, S), a), ψ)
    return W[:, :S].reshape(*shape, S, A)
