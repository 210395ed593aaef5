"""Proximal points of the worst cost, and the slope of its Moreau envelope between bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, exact_distribution, expand, floats, is_exact, norm, smallest, sqrt, total
from mdplab.exact.enclosure import unit_ball, upper
from mdplab.exact.robust import policy_cost_gradient, worst_case
from mdplab.models.robust import RobustMDP
from mdplab.solvers.simplex import project_to_simplex


def moreau_slope(mdp: RobustMDP, π: Array, weight: Any, *, steps: int = 40) -> Array:
    """‖∇Φ_{1/2l}(π)‖ = 2l ‖π − x̂‖, x̂ the policy where Φ(x) + l ‖x − π‖² is least;  (..., S, A) -> (...,).

    Parameters
    ----------
    weight : number or array (...,)
        l, at least the modulus of weak convexity of Φ: 2γA / (1 − γ)³ where costs are in [0, 1] (:cite:`wang2023`).
    steps : int
        How often x ← Proj(π − ∇J(x, p_x) / 2l), p_x a worst kernel, is repeated: a contraction where Φ is smooth.

    Returns
    -------
    array (...,)
        In exact arithmetic a ball that holds the slope; in float64 its upper end.

    Notes
    -----
    With g = ∇J(x, p_x) + 2l (x − π) and m = max over policies x' of ⟨g, x − x'⟩, strong convexity by l gives
    ‖x − x̂‖² <= m / l for every x.  So it does not matter how x was found, which is in float64 always.
    """
    exact = is_exact(mdp.P) or is_exact(π)
    x = _near(mdp.floats() if exact else mdp, floats(π) if exact else π, floats(weight), steps)
    x = exact_distribution(x) if exact else x
    g = policy_cost_gradient(mdp, x, worst_case(mdp, x).kernel) + 2 * expand(weight, 2) * (x - π)
    off = total(total(g * x) - smallest(g))
    most = upper(np.frompyfunc(ball, 1, 1)(off)) if exact else np.maximum(off, 0)
    length, radius = norm(π - x, 2), sqrt(most / weight)
    return 2 * weight * (length + radius * unit_ball() if exact else length + radius)


def _near(mdp: RobustMDP, π: Array, weight: Any, steps: int) -> Array:
    x = π
    for _ in range(steps):
        x = project_to_simplex(π - policy_cost_gradient(mdp, x, worst_case(mdp, x).kernel) / expand(2 * weight, 2))
    return x
