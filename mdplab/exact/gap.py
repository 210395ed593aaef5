"""How much a policy loses, without subtracting values."""

from __future__ import annotations

from mdplab.arrays import Array, total
from mdplab.exact.optimum import Optimum
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP, SparseMDP


def gap(mdp: DiscountedMDP | SparseMDP, π: Array, optimum: Optimum, start: Array = None) -> Array:
    """V*(start) − V^π(start) = Σ_s d^π(s) Σ_a π(a | s) (V*(s) − Q*(s, a)) / (1 − γ);  (..., S, A) -> (...).

    The performance-difference identity: every term is non-negative, so that the gap is as accurate at 1e-300 as at 1.

    References
    ----------
    :cite:`kakade2002`, Lemma 6.1.
    """
    return total(visits(mdp, π, start) * total(π * optimum.loss))
