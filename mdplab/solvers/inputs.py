"""What solvers of policies are given: shapes checked, defaults filled in, numbers in the model's arithmetic."""

from __future__ import annotations

import math
from typing import Any

from mdplab.arrays import Array, is_exact, log, rational, rational_number
from mdplab.errors import MdplabError
from mdplab.models.discounted import DiscountedMDP


def table(mdp: DiscountedMDP, name: str, x: Array | None) -> Array:
    """`x` (..., S, A), or zeros where there is none."""
    if x is None:
        return mdp.r * 0
    if tuple(x.shape) != tuple(mdp.r.shape):
        raise MdplabError(f"{name} has shape {tuple(x.shape)}; this model calls for {tuple(mdp.r.shape)}")
    return x


def per_model(mdp: DiscountedMDP, name: str, x: Any) -> Any:
    """`x`, one number or an array of the batch's shape; on an exact model a float is taken for the rational it is."""
    shape = tuple(getattr(x, "shape", ()))
    if shape not in ((), mdp.batch):
        raise MdplabError(f"{name} has shape {shape}; expected one number or shape {mdp.batch}")
    if not is_exact(mdp.P):
        return x
    return rational(x) if shape else rational_number(x)


def log_actions(mdp: DiscountedMDP) -> Any:
    """log A, a ball where the model is exact."""
    return log(rational_number(mdp.A)) if is_exact(mdp.P) else math.log(mdp.A)
