"""Walks of controlled chains by inversion: one walk a draw, each with a policy of its own if need be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array
from mdplab.kernels import kernel
from mdplab.kernels.philox import Stream, uniform, words


@dataclass(frozen=True, eq=False)
class Walks:
    """What N walks of H steps follow: start distributions (n, S), transitions (m, S, A, S) and random words.

    `chosen` (3, N) holds the row of `start`, of `P` and of the policies that each walk uses; `counters` (N, 3) and
    `key` (2,) are those of `mdplab.kernels.philox`.
    """

    start: Array
    P: Array
    chosen: np.ndarray
    key: np.ndarray
    counters: np.ndarray
    horizon: int

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything in here that is computed with."""
        return (self.start, self.P)


def _seconds(walks: Walks, policies: Array) -> float:
    N, (S, A) = len(walks.counters), policies.shape[1:]
    return walks.horizon * (2e-5 + N * (4e-7 + 4e-9 * (S + A)))


@kernel(seconds=_seconds, cpu="mdplab.kernels.inversion_compiled", cuda="mdplab.kernels.inversion_cuda")
def walk(walks: Walks, policies: Array) -> tuple[Array, Array]:
    """States (N, H + 1) and actions (N, H) of chains under `policies` (k, S, A).

    Word 0 of a draw makes s_0, words 2 h + 1 and 2 h + 2 make a_h and s_{h+1}, each by inversion.
    """
    N, H = len(walks.counters), walks.horizon
    u = uniform(words(Stream(walks.key, 2 * H + 1), walks.counters))
    first, moves, choices = map(cumulative, (walks.start, walks.P, policies))
    i, j, k = walks.chosen
    states, actions = empty(N, H)
    s = states[:, 0] = _inverse(first[i], u[:, 0])
    for h in range(H):
        a = actions[:, h] = _inverse(choices[k, s], u[:, 2 * h + 1])
        s = states[:, h + 1] = _inverse(moves[j, s, a], u[:, 2 * h + 2])
    return states, actions


def empty(N: int, H: int, dtype: Any = np.intp, xp: Any = np) -> tuple[Array, Array]:
    """Arrays (N, H + 1) and (N, H) for states and actions, in one piece.

    Memory of several large pieces goes back to the system and is asked for again at every call, which takes longer
    than drawing.
    """
    both = xp.empty(N * (2 * H + 1), dtype=dtype)
    return both[: N * (H + 1)].reshape(N, H + 1), both[N * (H + 1) :].reshape(N, H)


def cumulative(p: Array, xp: Any = np) -> Array:
    """Sums of probabilities from the left, exactly 1 from the last positive one on."""
    after = xp.flip(xp.cumsum(xp.flip(p, -1), axis=-1), -1) - p
    return xp.where(after <= 0, 1.0, xp.cumsum(p, axis=-1))


def _inverse(cumulative: Array, u: np.ndarray) -> np.ndarray:
    """The first index whose cumulative probability exceeds u."""
    return (u[..., None] >= cumulative).sum(axis=-1)
