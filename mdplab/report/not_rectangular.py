"""Bounds on the least worst cost where the set of kernels is not rectangular, so that finding it is hard in general.

Whoever knows the kernel pays no more, so the optimum under each single kernel is a lower bound.  The worst cost of any
policy is an upper one; policies are found by descent, which can be trapped.  The two bounds need not meet.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, number, one_hot, total
from mdplab.exact import optimum
from mdplab.exact.robust import enclosing_box, robust_optimum, worst_case
from mdplab.models import FiniteSet, RobustMDP
from mdplab.solvers.drpg import drpg, tilted_inner

STEPS = 400  # of each descent
ROUNDING = 1e-12  # of the entries of a kernel at given parameters, as in `enclosing_box`


def solution(mdp: RobustMDP) -> dict[str, Any]:
    """What `mdplab solve` prints of a robust model whose set is a `FiniteSet` or `TiltedKernels`."""
    bounds = _finite(mdp) if isinstance(mdp.ambiguity, FiniteSet) else _tilted(mdp)
    return {
        "states": mdp.S,
        "actions": mdp.A,
        "discount": mdp.discount,
        "exact": False,
        "set": type(mdp.ambiguity).__name__,
        "sense": "least worst-case cost",
        "note": "the set is not rectangular, so these bounds need not meet",
        **bounds,
    }


def _finite(mdp: RobustMDP) -> dict[str, Any]:
    u, plain = mdp.ambiguity, mdp.floats()
    kernels = [mdp.P, *u.others]  # type: ignore[attr-defined]
    best = [optimum(mdp.under_kernel(p)) for p in kernels]
    found = [np.full(mdp.P.shape[:-1], 1 / mdp.A), *(one_hot(x.action, mdp.A, plain.P) for x in best)]
    found += [_descent(plain, π) for π in found]
    π = np.round(min(found, key=lambda π: float(worst_case(plain, π).cost)), 6) + 0.0
    case = worst_case(mdp.exact(), exact_distribution(π))
    low = max(-number(total(mdp.start * x.high)) for x in best)
    return {
        "kernels": len(kernels),
        "value_at_start": [_below(low), _above(number(case.cost))],
        "values stand for": "costs of the policy found, under the kernel that is worst for the start",
        "values": case.v.astype(float),
        "policy": π,
    }


def _descent(mdp: RobustMDP, π: Array) -> Array:
    largest_slope = float(mdp.cost_bound) / (1 - float(mdp.discount)) ** 2

    def step(k: int) -> float:
        return 5 / ((1 + largest_slope) * (k + 1) ** 0.5)

    (last,) = islice(drpg(mdp, π, step_size=step, at=[STEPS]), 1)
    return last.best_π


def _tilted(mdp: RobustMDP) -> dict[str, Any]:
    plain = mdp.floats()
    boxed = robust_optimum(plain.with_ambiguity(enclosing_box(plain)))
    worst = tilted_inner(0.1, most=STEPS)(plain, boxed.policy, plain.P, 1e-9)
    low = max(-float(total(plain.start * optimum(plain.under_kernel(p)).high)) for p in (plain.P, worst))
    return {
        "value_at_start": [_below(low - ROUNDING * abs(low)), _above(float(total(plain.start * boxed.high)))],
        "values stand for": "the interval model of all rows that some parameters allow",
        "values": boxed.v,
        "policy": [int(a) for a in boxed.policy.argmax(axis=-1)],
    }


def _below(x: float) -> float:
    return float(np.nextafter(x, -np.inf))


def _above(x: float) -> float:
    return float(np.nextafter(x, np.inf))
