"""From functions of pairs (s, a) to numbers along trajectories, and back by sums over the visits of each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array
from mdplab.kernels import kernel


@dataclass(frozen=True, eq=False)
class Visits:
    """Pairs of N trajectories: states (N, H or H + 1) and actions (N, H); states from S on are not counted."""

    states: Array
    actions: Array
    S: int
    A: int
    arrays: tuple[Array, ...] = ()


def _seconds(visits: Visits, ψ: Array) -> float:
    return 1e-5 + 2e-8 * (ψ.shape[0] * ψ.shape[1] + visits.S * visits.A)


@kernel(seconds=_seconds, cpu="mdplab.kernels.pairs_compiled", cuda="mdplab.kernels.pairs_cuda")
def sums(visits: Visits, ψ: Array) -> Array:
    """W(s, a) = Σ_h ψ_h 1{s_h = s, a_h = a};  (N, H) -> (N, S, A)."""
    N, H = ψ.shape
    W = np.zeros((N, visits.S + 1, visits.A), dtype=ψ.dtype) + (0 * ψ.flat[0] if ψ.size else 0)
    np.add.at(W, (np.arange(N)[:, None], np.minimum(visits.states[:, :H], visits.S), visits.actions), ψ)
    return W[:, : visits.S]


@dataclass(frozen=True, eq=False)
class Path:
    """Pairs of N trajectories, states (N, H or H + 1) and actions (N, H), and which function of them each has (N,)."""

    states: Array
    actions: Array
    chosen: Array
    arrays: tuple[Array, ...] = ()


def _seconds_of_values(path: Path, x: Array) -> float:
    return 1e-5 + 1e-8 * path.actions.shape[0] * path.actions.shape[1]


@kernel(seconds=_seconds_of_values, cpu="mdplab.kernels.pairs_compiled", cuda="mdplab.kernels.pairs_cuda")
def values(path: Path, x: Array) -> Array:
    """x_i(s_h, a_h) for the function i of each trajectory;  (m, S, A) -> (N, H)."""
    return x[path.chosen[:, None], path.states[:, : path.actions.shape[1]], path.actions]


@dataclass(frozen=True, eq=False)
class Policies:
    """Pairs of N trajectories, and the policies (m, S, A) that acted."""

    path: Path
    policy: Array

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything in here that is computed with."""
        return (self.policy,)


def _seconds_of_scores(policies: Policies, ψ: Array) -> float:
    S, A = policies.policy.shape[1:]
    return 2e-5 + 2e-8 * ψ.shape[0] * (ψ.shape[1] + S * A)


@kernel(seconds=_seconds_of_scores, cpu="mdplab.kernels.pairs_compiled")
def scores(policies: Policies, ψ: Array) -> Array:
    """W(s, a) − π(a | s) Σ_b W(s, b) for the `sums` W: Σ_h ψ_h ∇ log π(a_h | s_h) by the logits;  -> (N, S, A)."""
    path, π = policies.path, policies.policy
    W = sums.definition(Visits(path.states, path.actions, *π.shape[1:]), ψ)
    return W - π[path.chosen] * W.sum(axis=-1)[..., None]


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights w (m, H) of the steps, and which of them are those of each trajectory (N,)."""

    w: Array
    chosen: Any

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything in here that is computed with."""
        return (self.w,)


def _seconds_to_go(weights: Weights, r: Array) -> float:
    return 1e-5 + 1e-8 * r.shape[0] * r.shape[1]


@kernel(seconds=_seconds_to_go, cpu="mdplab.kernels.pairs_compiled")
def to_go(weights: Weights, r: Array) -> Array:
    """Σ_{h >= t} w_h r_h for each t;  (N, H) -> (N, H)."""
    return np.flip(np.cumsum(np.flip(weights.w[weights.chosen] * r, -1), axis=-1), -1)
