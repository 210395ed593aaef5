"""The largest concave utility that any policy attains, between bounds: a convex program solved by an interior point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, is_exact, softmax
from mdplab.exact.pair_visits import pair_visits
from mdplab.exact.payoffs import policy_of
from mdplab.exact.utilities import Utility
from mdplab.exact.utility_gradients import utility_gap
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP

SHRINK = 0.2  # the barrier's weight from one centre to the next
LEAST = 1e-13  # its last weight, relative to the first
NEWTON = 12  # steps to a centre, at most
BOUNDARY = 0.95  # of the way to the boundary that a step may go


@dataclass(frozen=True, eq=False)
class UtilityOptimum:
    """`π`, its occupancy `λ` (..., S, A), and low <= F* <= high (...): low = F(λ), high − low its Frank–Wolfe gap."""

    π: Array
    λ: Array
    low: Array
    high: Array


def utility_optimum(mdp: DiscountedMDP, F: Utility) -> UtilityOptimum:
    """max F(λ) over the occupancies of all policies, for concave F.

    A logarithmic barrier on the occupancy polytope, Newton steps in float64, and then a certificate that does not trust
    them: the value of the policy found and its Frank–Wolfe gap, by policy iteration for the reward ∇F(λ).  On an exact
    model the policy becomes rational, and the certificate is exact (in balls where F is no rational function).

    Raises
    ------
    FloatingPointError
        If F is not defined at the occupancy of the uniform policy, with which the search begins.
    """
    model, G = mdp.floats(), F.floats()
    discount = np.broadcast_to(model.discount, model.batch)
    π = np.empty(model.r.shape)
    for i in np.ndindex(model.batch):
        π[i] = _solve(model.P[i], float(discount[i]), model.start[i], _Part(G, model, i))
    found = exact_distribution(π) if is_exact(mdp.P) else π
    λ = pair_visits(mdp, found)
    low = F.value(λ)
    return UtilityOptimum(found, λ, low, low + utility_gap(mdp, found, F))


class _Part:
    """F on one model of a batch: the others are held at their uniform policy, where F is defined."""

    def __init__(self, F: Utility, mdp: DiscountedMDP, index: tuple[int, ...]) -> None:
        self.F, self.index = F, index
        self.rest = pair_visits(mdp, softmax(0 * mdp.r))

    def gradient(self, λ: np.ndarray) -> np.ndarray:
        return self.F.gradient(self._filled(λ))[self.index]

    def hessian(self, λ: np.ndarray) -> np.ndarray:
        n = λ.size
        x = np.zeros((n, *self.rest.shape))
        where: Any = (slice(None), *self.index)
        x[where] = np.eye(n).reshape(n, *λ.shape)
        return self.F.curvature(self._filled(λ), x)[where].reshape(n, n)

    def defined(self, λ: np.ndarray) -> bool:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(self.F.value(self._filled(λ))[self.index]))

    def _filled(self, λ: np.ndarray) -> np.ndarray:
        out = self.rest.copy()
        out[self.index] = λ
        return out


def _solve(P: np.ndarray, γ: float, start: np.ndarray, F: Any) -> np.ndarray:
    S, A = P.shape[:2]
    uniform = np.full((S, A), 1 / A)
    mdp = DiscountedMDP(P, uniform * 0, γ, start)
    seen = np.repeat(visits(mdp, uniform) > 0, A)
    flow = (np.repeat(np.eye(S), A, axis=0) - γ * P.reshape(S * A, S)).T[np.ix_(seen[::A], seen)]
    λ = pair_visits(mdp, uniform).reshape(-1)
    if not F.defined(λ.reshape(S, A)):
        raise FloatingPointError("the utility is not defined at the occupancy of the uniform policy")
    weight = first = 1 + float(np.abs(F.gradient(λ.reshape(S, A)) * λ.reshape(S, A)).max())
    while weight > LEAST * first:
        λ = _centred(λ, weight, flow, start[seen[::A]], seen, F, (S, A))
        weight *= SHRINK
    return policy_of(λ.reshape(S, A))


def _centred(
    λ: np.ndarray, weight: float, flow: np.ndarray, start: np.ndarray, seen: np.ndarray, F: Any, shape: tuple[int, int]
) -> np.ndarray:
    # Newton for max F(λ) + weight · Σ log λ on the flow constraints; steps relative to λ keep it well scaled.
    n, m = int(seen.sum()), len(start)
    for _ in range(NEWTON):
        x = λ[seen]
        g = x * F.gradient(λ.reshape(shape)).reshape(-1)[seen] + weight
        H = x[:, None] * F.hessian(λ.reshape(shape))[np.ix_(seen, seen)] * x
        K = np.zeros((n + m, n + m))
        K[:n, :n], K[:n, n:], K[n:, :n] = weight * np.eye(n) - H, (flow * x).T, flow * x
        e = np.linalg.solve(K, np.concatenate([g, start - flow @ x]))[:n]  # regular: flow has full rank, H <= 0
        step = min(1.0, BOUNDARY / max(float(-e.min()), 1e-300))
        while step > 1e-12:
            new = λ.copy()
            new[seen] = x * (1 + step * e)
            if F.defined(new.reshape(shape)):
                break
            step /= 2
        λ = new
        if np.abs(e).max() < 1e-3:
            break
    return λ
