"""What methods for constrained models hand out, and what they all compute of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, expand, is_exact, maximum, minimum, rational, total, transposed
from mdplab.errors import MdplabError
from mdplab.exact.payoffs import payoff_values
from mdplab.models import ConstrainedMDP


@dataclass(frozen=True, eq=False)
class PrimalDualIterate:
    """The k-th policy and multipliers, and what that policy is worth.

    Parameters
    ----------
    k : int
        Updates so far.
    log_π, π : array (..., S, A)
        Log-probabilities and probabilities.
    multipliers : array (..., I)
        λ >= 0.
    value : array (...,)
        V_r^π(μ), in the unit of values.
    slack : array (..., I)
        V_{u_i}^π(μ) − b_i, in the unit of values; negative where a constraint is violated.
    """

    k: int
    log_π: Array
    π: Array
    multipliers: Array
    value: Array
    slack: Array


def evaluated(cmdp: ConstrainedMDP, π: Array, multipliers: Array) -> tuple[Array, Array, Array]:
    """(Q of r + λ·u, V_r(μ), slack) of a policy: (..., S, A), (...), (..., I)."""
    v = payoff_values(cmdp, π)
    at_start = total(v * cmdp.start[..., None, :])
    weights = expand(multipliers, 1)
    v_mixed = v[..., 0, :] + total(transposed(weights * v[..., 1:, :]))
    q = cmdp.mixed(multipliers) + cmdp.γ(2) * cmdp.mdp.expected_next(v_mixed)
    return q, at_start[..., 0], at_start[..., 1:] - cmdp.least


def first_multipliers(cmdp: ConstrainedMDP, multipliers: Any) -> Array:
    """λ_0 (..., I), zero by default, in the model's arithmetic."""
    if multipliers is None:
        return 0 * cmdp.least
    if tuple(getattr(multipliers, "shape", ())) != tuple(cmdp.least.shape):
        shape = tuple(getattr(multipliers, "shape", ()))
        raise MdplabError(f"multipliers has shape {shape}; this model calls for {tuple(cmdp.least.shape)}")
    return rational(multipliers) if is_exact(cmdp.P) and not is_exact(multipliers) else multipliers


def positive_part(x: Array) -> Array:
    """max(x, 0)."""
    return maximum(x, 0 * x)


def clipped(x: Array, most: Any) -> Array:
    """min(max(x, 0), most) for multipliers x (..., I) and one bound for each model; None bounds nothing."""
    return positive_part(x) if most is None else minimum(positive_part(x), expand(most, 1) + 0 * x)
