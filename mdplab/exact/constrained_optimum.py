"""The best that a policy can do under constraints: the linear program over occupancy measures, and its dual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, floats, is_ball, is_exact, number, one_hot, rational, total
from mdplab.errors import MdplabError
from mdplab.exact.optimum import optimum
from mdplab.exact.payoffs import payoffs_at_start, policy_of, slack
from mdplab.exact.simplex_method import Vertex, simplex_method
from mdplab.models import ConstrainedMDP


@dataclass(frozen=True, eq=False)
class ConstrainedOptimum:
    """An optimal basic solution of the occupancy program, and of its dual.

    Attributes
    ----------
    value : array (...,)
        max V_r^π(μ) over the policies that meet the constraints, in the unit of values.
    occupancy : array (..., S, A)
        x, an optimal occupancy measure, which sums to one; with it at most one state a constraint is randomised.
    policy : array (..., S, A)
        Its policy, uniform where x never goes.
    multipliers : array (..., I)
        λ* >= 0, a solution of the dual; not always the only one.
    v : array (..., S)
        The other part of the dual solution: V >= r + λ*·u + γ P V, so that value = μ·V − λ*·b.
    """

    value: Array
    occupancy: Array
    policy: Array
    multipliers: Array
    v: Array

    def dual_value(self, cmdp: ConstrainedMDP) -> Array:
        """Σ_s μ(s) V(s) − Σ_i λ_i b_i;  (...)."""
        return total(cmdp.start * self.v) - total(self.multipliers * cmdp.least)


def constrained_optimum(cmdp: ConstrainedMDP) -> ConstrainedOptimum:
    """Solve max ⟨r, x⟩ / (1 − γ) over occupancy measures x with ⟨u_i, x⟩ / (1 − γ) >= b_i.

    In rationals by the simplex method, without any rounding.  In float64 by HiGHS; its vertex is then solved for again
    from its basis, which gives about the accuracy of one linear system, unless the vertex is degenerate.

    Raises
    ------
    MdplabError
        If no policy meets the constraints.

    References
    ----------
    :cite:`altman1999`, Chapter 3.
    """
    return _each(cmdp, _in_rationals if is_exact(cmdp.P) else _by_highs)


def slater(cmdp: ConstrainedMDP) -> Array:
    """ξ = max over policies of min_i V_{u_i}^π(μ) − b_i: the room that constraints leave, negative for none;  (...).

    Exact in rationals; in float64 right to the tolerance of HiGHS where there is more than one constraint.
    """
    if cmdp.I == 1:
        return total(cmdp.start * optimum(cmdp.rewarded(cmdp.utilities[..., 0, :, :])).v) - cmdp.least[..., 0]
    out = np.empty(cmdp.batch, dtype=object if is_exact(cmdp.P) else float)
    for i in np.ndindex(cmdp.batch):
        out[i] = (_room_in_rationals if is_exact(cmdp.P) else _room_by_highs)(cmdp[i])
    return out if cmdp.batch else out[()]


def _each(cmdp: ConstrainedMDP, solve_one: Any) -> ConstrainedOptimum:
    if is_ball(cmdp.P) or is_ball(cmdp.r) or is_ball(cmdp.utilities) or is_ball(cmdp.least):
        raise MdplabError("a constrained model in balls has no exact vertex; expected rationals or float64")
    kind, S, A = (object if is_exact(cmdp.P) else float), cmdp.S, cmdp.A
    x, v, λ = (np.empty((*cmdp.batch, *shape), dtype=kind) for shape in ((S, A), (S,), (cmdp.I,)))
    for i in np.ndindex(cmdp.batch):
        x[i], v[i], λ[i] = solve_one(cmdp[i])
    value = total(cmdp.r * x, 2) / (1 - cmdp.γ(0))
    return ConstrainedOptimum(value, x, policy_of(x), λ, v)


def _rows(cmdp: ConstrainedMDP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(A, b, c) of max c·z, A z = b, z >= 0 for z = (x, surplus of each utility): flow rows first."""
    S, A, M, γ = cmdp.S, cmdp.A, cmdp.I, cmdp.discount
    exact = is_exact(cmdp.P)
    one = rational(np.eye(S, dtype=int)) if exact else np.eye(S)
    flow = (np.repeat(one, A, axis=0) - γ * cmdp.P.reshape(S * A, S)).T
    surplus = -(rational(np.eye(M, dtype=int)) if exact else np.eye(M))
    nothing = np.zeros((S, M), dtype=int)
    top = np.concatenate([flow, rational(nothing) if exact else nothing], axis=1)
    bottom = np.concatenate([cmdp.utilities.reshape(M, S * A) / (1 - γ), surplus], axis=1)
    reward = np.concatenate([cmdp.r.reshape(-1) / (1 - γ), 0 * cmdp.least])
    return np.concatenate([top, bottom]), np.concatenate([(1 - γ) * cmdp.start, cmdp.least]), reward


def _in_rationals(cmdp: ConstrainedMDP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    S, M, n = cmdp.S, cmdp.I, cmdp.S * cmdp.A
    A, b, c = _rows(cmdp)
    action = _good_actions(cmdp)
    short = slack(cmdp, one_hot(action, cmdp.A, cmdp.r)) < 0
    basis = [int(s * cmdp.A + a) for s, a in enumerate(action)] + [n + i for i in range(M)]
    if short.any():
        # Phase one: an artificial variable for each constraint that the first policy violates.
        artificial = -A[:, n:][:, np.flatnonzero(short)]
        first = basis[:S] + [n + M + int(short[:i].sum()) if short[i] else n + i for i in range(M)]
        minus = rational(-np.ones(artificial.shape[1], dtype=int))
        found = simplex_method(np.concatenate([A, artificial], axis=1), b, np.concatenate([0 * c, minus]), first)
        if (found.x[n + M :] > 0).any():
            raise MdplabError(f"no policy meets the constraints: at best one is missed by {-slater(cmdp)}")
        # An artificial variable that stayed, at zero, makes room for the surplus with the opposite column.
        which = np.flatnonzero(short)
        basis = [j if j < n + M else n + int(which[j - n - M]) for j in found.basis]
    best = simplex_method(A, b, c, basis)
    return best.x[:n].reshape(S, cmdp.A), (1 - cmdp.discount) * best.y[:S], -best.y[S:]


def _good_actions(cmdp: ConstrainedMDP) -> np.ndarray:
    """A deterministic policy to start from: best for the Lagrangian with the multipliers that float64 finds."""
    try:
        λ = rational(_by_highs(cmdp.floats())[2])
    except MdplabError:
        return np.zeros(cmdp.S, dtype=int)
    return np.asarray(optimum(cmdp.rewarded(cmdp.mixed(λ)).floats()).action)


def _by_highs(cmdp: ConstrainedMDP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.optimize import linprog

    S, n = cmdp.S, cmdp.S * cmdp.A
    A, b, c = _rows(cmdp)
    found = linprog(-c[:n], -A[S:, :n], -b[S:], A[:S, :n], b[:S], bounds=(0, None), method="highs-ds")
    if found.status == 2:
        raise MdplabError("no policy meets the constraints, as far as float64 can tell")
    if found.status != 0:
        raise ArithmeticError(f"HiGHS found no optimum of the linear program: {found.message}")
    z = np.concatenate([found.x, found.slack])
    y = -np.concatenate([found.eqlin.marginals, found.ineqlin.marginals * -1])
    basis = np.flatnonzero(z > 1e-9)
    if len(basis) == len(b):
        z = 0 * z
        z[basis], y = np.linalg.solve(A[:, basis], b), np.linalg.solve(A[:, basis].T, c[basis])
    return np.maximum(z[:n], 0).reshape(S, cmdp.A), (1 - cmdp.discount) * y[:S], np.maximum(-y[S:], 0)


def _room(cmdp: ConstrainedMDP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same rows for max z_+ − z_−, two more columns that every utility has to exceed its least value by."""
    A, b, c = _rows(cmdp)
    rows = np.arange(len(b)) >= cmdp.S
    both = np.stack([-1 * rows, 1 * rows], axis=1)
    ends = np.array([1, -1])
    both, ends = (rational(both), rational(ends)) if is_exact(cmdp.P) else (both, ends)
    return np.concatenate([A, both], axis=1), b, np.concatenate([0 * c, ends])


def _room_in_rationals(cmdp: ConstrainedMDP) -> Any:
    n, M = cmdp.S * cmdp.A, cmdp.I
    A, b, c = _room(cmdp)
    action = np.zeros(cmdp.S, dtype=int)
    left = slack(cmdp, one_hot(action, cmdp.A, cmdp.r))
    tightest = min(range(M), key=left.__getitem__)
    z = n + M if left[tightest] >= 0 else n + M + 1
    basis = [int(s * cmdp.A + a) for s, a in enumerate(action)] + [z if i == tightest else n + i for i in range(M)]
    best: Vertex = simplex_method(A, b, c, basis)
    return (c * best.x).sum()


def _room_by_highs(cmdp: ConstrainedMDP) -> float:
    from scipy.optimize import linprog

    A, b, c = _room(cmdp)
    found = linprog(-c, A_eq=A, b_eq=b, bounds=(0, None), method="highs")
    if found.status != 0:
        raise ArithmeticError(f"HiGHS found no optimum of the linear program: {found.message}")
    return float(-found.fun)


def solution(cmdp: ConstrainedMDP) -> dict[str, Any]:
    """The optimal value between certified bounds, an optimal policy with its occupancy, and the multipliers.

    The upper bound is the dual function, which is one for any multipliers; the lower one the value of a policy that is
    feasible in exact arithmetic: an optimal one for constraints tightened by as little as that takes.
    """
    best = constrained_optimum(cmdp)
    relaxed = optimum(cmdp.rewarded(cmdp.mixed(best.multipliers)))
    above = total(cmdp.start * (relaxed.v if is_exact(cmdp.P) else relaxed.high)) - total(best.multipliers * cmdp.least)
    policy, below = (best.policy, best.value) if is_exact(cmdp.P) else _feasible(cmdp)
    if not is_exact(cmdp.P):
        above = above + 4 * float(cmdp.mdp.rounding[0]) * abs(above)
    return {
        "states": cmdp.S,
        "actions": cmdp.A,
        "discount": cmdp.discount,
        "exact": is_exact(cmdp.P),
        "value_at_start": np.array([below, above], dtype=object if is_exact(cmdp.P) else float),
        "slater": slater(cmdp),
        "policy": policy,
        "occupancy": best.occupancy,
        "multipliers": best.multipliers,
        "utilities_at_start": payoffs_at_start(cmdp, policy)[..., 1:],
        "values": best.v,
        "values stand for": "the reward with utilities at the price of their multipliers",
    }


def _feasible(cmdp: ConstrainedMDP) -> tuple[Array, float]:
    """A policy whose constraints hold in exact arithmetic, and a float64 just below its exact value."""
    exact, room, π = cmdp.exact(), max(float(slater(cmdp)), 0.0), None
    for share in (0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6):
        tighter = ConstrainedMDP(cmdp.P, cmdp.r, cmdp.utilities, cmdp.least + share * room, cmdp.discount, cmdp.start)
        π = exact_distribution(constrained_optimum(tighter).policy)
        v = payoffs_at_start(exact, π)
        if (v[1:] >= exact.least).all():
            return floats(π), float(np.nextafter(number(v[0]), -np.inf))
    return floats(π), -float("inf")
