"""All deterministic policies of a small model: a road to constrained optima other than linear programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, maximum, namespace, rational, smallest
from mdplab.errors import MdplabError
from mdplab.exact.payoffs import payoffs_at_start
from mdplab.models import ConstrainedMDP

MOST = 4096  # policies


def deterministic_policies_of(cmdp: ConstrainedMDP) -> Array:
    """Every deterministic policy, one-hot;  -> (A^S, *(1 for each batch axis), S, A).

    Raises
    ------
    MdplabError
        If there are more than 4096 of them.
    """
    S, A = cmdp.S, cmdp.A
    if A**S > MOST:
        raise MdplabError(f"{S} states and {A} actions have {A}^{S} deterministic policies; expected at most {MOST}")
    actions = np.indices((A,) * S).reshape(S, -1).T
    hot = (np.arange(A) == actions[..., None]).astype(int).reshape(-1, *(1,) * len(cmdp.batch), S, A)
    if is_exact(cmdp.P):
        return rational(hot)
    xp = namespace(cmdp.P)
    return xp.asarray(hot, dtype=cmdp.P.dtype, device=cmdp.P.device)


@dataclass(frozen=True, eq=False)
class DualFunction:
    """g(λ) = max_π V_r^π(μ) + λ (V_u^π(μ) − b) for one constraint: the largest of finitely many lines, convex in λ.

    Attributes
    ----------
    heights, slopes : array (..., N)
        V_r^π(μ) and V_u^π(μ) − b of every deterministic policy π; the values of all policies are their convex hull.
    """

    heights: Array
    slopes: Array

    def at(self, λ: Array) -> Array:
        """g(λ);  (...) -> (...)."""
        return largest(self.heights + expand(λ, 1) * self.slopes)

    @property
    def least(self) -> Array:
        """min over λ >= 0 of g, which is the optimal value of the constrained problem;  (...).

        A mixture of one policy above the constraint and one below that just meets it, or a policy that meets it alone:
        the best of these is the optimum.  A large negative number stands for none.
        """
        one, other = self.slopes[..., :, None], self.slopes[..., None, :]
        apart = (one > 0) & (other < 0)
        width = _where(apart, one - other, 1)
        mixed = (one * self.heights[..., None, :] - other * self.heights[..., :, None]) / width
        return maximum(
            largest(_where(apart, mixed, -(10**9)), 2), largest(_where(self.slopes >= 0, self.heights, -(10**9)))
        )

    @property
    def shortest_slope(self) -> Array:
        """The smallest |V_u^π(μ) − b| other than zero;  (...); a large number where all are zero."""
        return smallest(_where(self.slopes != 0, abs(self.slopes), 10**9))


def dual_function(cmdp: ConstrainedMDP) -> DualFunction:
    """The dual function of a model with one constraint, from all its deterministic policies.

    Raises
    ------
    MdplabError
        If there is more than one constraint, or too many policies.
    """
    if cmdp.I != 1:
        raise MdplabError(f"the model has {cmdp.I} constraints; expected one")
    found = payoffs_at_start(cmdp, deterministic_policies_of(cmdp))
    xp: Any = np if is_exact(found) else namespace(found)
    found = xp.moveaxis(found, 0, -1)
    return DualFunction(found[..., 0, :], found[..., 1, :] - cmdp.least)


def _where(mask: Array, x: Array, other: int) -> Array:
    if is_exact(x):
        return np.where(np.asarray(mask, dtype=bool), x, rational(other)[()])
    return namespace(x).where(mask, x, float(other) + 0 * x)
