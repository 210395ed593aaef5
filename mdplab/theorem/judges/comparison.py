"""One comparison, and what can come of it, in float64 and in exact arithmetic."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from mdplab.arrays import is_ball


class Outcome(IntEnum):
    """What one comparison says of the claim; the larger, the worse."""

    SILENT = 0  # both sides are zero, or below what float64 can tell from zero
    HOLDS = 1
    TOUCHES = 2  # an equality, to every digit computed
    OPEN = 3  # this arithmetic cannot decide
    FAILS = 4


def in_floats(smaller: np.ndarray, larger: np.ndarray, error: np.ndarray, identity: bool) -> np.ndarray:
    """Outcomes of smaller <= larger (or smaller = larger) where their difference is known up to `error` only.

    An inequality inside the error is OPEN, never held: it goes to balls.  An identity inside the error is all that
    float64 can say for it, so it HOLDS at this level of evidence.
    """
    with np.errstate(invalid="ignore"):
        margin = larger - smaller
    margin = np.where(smaller == larger, 0.0, margin)  # inf = inf
    if identity:
        out = np.where(abs(margin) <= error, Outcome.HOLDS, Outcome.FAILS)
    else:
        out = np.where(margin > error, Outcome.HOLDS, np.where(margin < -error, Outcome.FAILS, Outcome.OPEN))
    silent = (abs(smaller) <= error) & (abs(larger) <= error)
    return np.where(silent, Outcome.SILENT, out)


def exactly(smaller: Any, larger: Any, identity: bool) -> Outcome:
    """Outcome for two exact numbers or balls.  OPEN means: try again with more precision."""
    if not (is_ball(smaller) or is_ball(larger)):
        if smaller == larger:
            return Outcome.SILENT if smaller == 0 else Outcome.HOLDS if identity else Outcome.TOUCHES
        return Outcome.FAILS if identity or smaller > larger else Outcome.HOLDS
    margin = larger - smaller
    if identity:
        return Outcome.OPEN if margin.contains(0) else Outcome.FAILS
    if margin > 0:
        return Outcome.HOLDS
    return Outcome.FAILS if margin < 0 else Outcome.OPEN


def width(smaller: Any, larger: Any) -> float:
    """log2 of the radius of the difference, relative to its sides where these are not zero: minus the bits decided."""
    margin, size = larger - smaller, abs(smaller) + abs(larger)
    if not (is_ball(margin) and margin.is_finite()):
        return np.inf
    return _log2(margin.rad()) - (0.0 if both_zero(smaller, larger) else _log2(size.mid()))


def both_zero(smaller: Any, larger: Any) -> bool:
    """Whether neither side is known to differ from zero."""
    return all(x.contains(0) if is_ball(x) else x == 0 for x in (smaller, larger))


def _log2(x: Any) -> float:
    if x == 0:
        return -np.inf
    # An arb's exponent does not fit a float: take it from the logarithm in balls.
    return float((abs(x).log() / type(x).const_log2()).mid())
