"""Optimal values and occupancies by linear programming: a road to V* that shares nothing with policy iteration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdplab.models import DiscountedMDP


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """`v` (..., S), the optimal values, and `occupancy` (..., S, A) of an optimal policy, which sums to 1; float64."""

    v: np.ndarray
    occupancy: np.ndarray


def linear_program(mdp: DiscountedMDP) -> LinearProgram:
    """Solve the primal program for V* and the dual one for an optimal state-action occupancy, with HiGHS.

    min Σ_s v(s) subject to v(s) >= r(s, a) + γ Σ_t P(t | s, a) v(t), and
    max Σ d(s, a) r(s, a) subject to Σ_a d(t, a) = (1 − γ) start(t) + γ Σ P(t | s, a) d(s, a), d >= 0.

    Accurate to the tolerance of the solver: 1e-7 for a constraint, so 1e-7 / (1 − γ) for a value; usually far better.

    References
    ----------
    :cite:`puterman1994`, Section 6.9.
    """
    mdp = mdp.floats()
    discount = np.broadcast_to(mdp.discount, mdp.batch)
    v, d = np.empty((*mdp.batch, mdp.S)), np.empty((*mdp.batch, mdp.S, mdp.A))
    for i in np.ndindex(mdp.batch):
        v[i], d[i] = _solve(mdp.P[i], mdp.r[i], float(discount[i]), mdp.start[i])
    return LinearProgram(v, d)


def _solve(P: np.ndarray, r: np.ndarray, γ: float, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import linprog

    S, A = r.shape
    flow = np.repeat(np.eye(S), A, axis=0) - γ * P.reshape(S * A, S)
    primal = linprog(np.ones(S), A_ub=-flow, b_ub=-r.reshape(-1), bounds=(None, None), method="highs")
    dual = linprog(-r.reshape(-1), A_eq=flow.T, b_eq=(1 - γ) * start, bounds=(0, None), method="highs")
    for program in (primal, dual):
        if program.status != 0:
            raise ArithmeticError(f"HiGHS found no optimum of the linear program: {program.message}")
    return primal.x, dual.x.reshape(S, A)
