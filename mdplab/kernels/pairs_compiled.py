"""The sums and values of `pairs`, compiled by Numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.kernels import over_cores
from mdplab.kernels.lanes import compiled
from mdplab.kernels.pairs import Path, Policies, Visits, Weights


@compiled
def _sums(states: Any, actions: Any, ψ: Any, W: Any) -> None:
    N, H = ψ.shape
    S, A = W.shape[1], np.uint64(W.shape[2])
    flat = W.reshape(-1)
    for n in range(N):
        first = np.uint64(n * S) * A
        for h in range(H):
            if states[n, h] < S:
                flat[first + np.uint64(states[n, h]) * A + np.uint64(actions[n, h])] += ψ[n, h]


def sums(visits: Visits, ψ: np.ndarray) -> np.ndarray:
    """See `mdplab.kernels.pairs.sums`; each sum is added up in the order of time."""
    W = np.zeros((len(ψ), visits.S, visits.A))
    states, actions, ψ = map(np.ascontiguousarray, (visits.states, visits.actions, ψ))
    over_cores(lambda part: _sums(states[part], actions[part], ψ[part], W[part]), len(ψ), 1)
    return W


@compiled
def _values(states: Any, actions: Any, chosen: Any, x: Any, out: Any) -> None:
    N, H = out.shape
    S, A = np.uint64(x.shape[1]), np.uint64(x.shape[2])
    flat = x.reshape(-1)
    for n in range(N):
        first = np.uint64(chosen[n]) * S * A
        for h in range(H):
            out[n, h] = flat[first + np.uint64(states[n, h]) * A + np.uint64(actions[n, h])]


def values(path: Path, x: np.ndarray) -> np.ndarray:
    """See `mdplab.kernels.pairs.values`."""
    out = np.empty(path.actions.shape)
    states, actions, chosen, x = map(np.ascontiguousarray, (path.states, path.actions, path.chosen, x))
    over_cores(lambda part: _values(states[part], actions[part], chosen[part], x, out[part]), len(out), 1)
    return out


@compiled
def _scores(states: Any, actions: Any, ψ: Any, chosen: Any, π: Any, W: Any) -> None:
    _sums(states, actions, ψ, W)
    S, A = W.shape[1:]
    for n in range(W.shape[0]):
        for s in range(S):
            total = 0.0
            for a in range(A):
                total += W[n, s, a]
            for a in range(A):
                W[n, s, a] -= π[chosen[n], s, a] * total


def scores(policies: Policies, ψ: np.ndarray) -> np.ndarray:
    """See `mdplab.kernels.pairs.scores`."""
    path, (_, S, A) = policies.path, policies.policy.shape
    W = np.zeros((len(ψ), S, A))
    given = path.states, path.actions, ψ, path.chosen
    states, actions, ψ, chosen, π = map(np.ascontiguousarray, (*given, policies.policy))
    over_cores(lambda part: _scores(states[part], actions[part], ψ[part], chosen[part], π, W[part]), len(ψ), 1)
    return W


@compiled
def _to_go(w: Any, chosen: Any, r: Any, out: Any) -> None:
    for n in range(r.shape[0]):
        later = 0.0
        for h in range(r.shape[1] - 1, -1, -1):
            later += w[chosen[n], h] * r[n, h]
            out[n, h] = later


def to_go(weights: Weights, r: np.ndarray) -> np.ndarray:
    """See `mdplab.kernels.pairs.to_go`."""
    out = np.empty(r.shape)
    w, chosen, r = map(np.ascontiguousarray, (weights.w, weights.chosen, r))
    over_cores(lambda part: _to_go(w, chosen[part], r[part], out[part]), len(r), 1)
    return out
