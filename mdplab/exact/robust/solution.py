"""The solution of a robust model as the command line prints it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import is_exact, total
from mdplab.exact.robust.optimum import robust_optimum
from mdplab.models.robust import RobustMDP


def solution(mdp: RobustMDP) -> dict[str, Any]:
    """Least worst cost with bounds, and an optimal policy: actions where it is deterministic, else probabilities."""
    exactly = is_exact(mdp.P) and mdp.ambiguity.rectangular == "pairs" and _rational(mdp)
    mdp = mdp if exactly else mdp.floats()
    best = robust_optimum(mdp)
    sure = bool(np.asarray((best.policy == 0) | (best.policy == 1), dtype=bool).all())
    return {
        "states": mdp.S,
        "actions": mdp.A,
        "discount": mdp.discount,
        "exact": exactly,
        "set": type(mdp.ambiguity).__name__,
        "sense": "least worst-case cost",
        "value_at_start": [total(mdp.start * bound) for bound in (best.low, best.high)],
        "values": best.v,
        "low": best.low,
        "high": best.high,
        "policy": [int(a) for a in np.asarray(best.policy).argmax(axis=-1)] if sure else best.policy,
    }


def _rational(mdp: RobustMDP) -> bool:
    return type(mdp.ambiguity).__name__ not in ("KLBall", "ChiSquareBall")
