"""Where a policy goes: discounted visits of states, as a sum and as a distribution."""

from __future__ import annotations

from mdplab.arrays import Array, identity_like, solve, transposed
from mdplab.exact.sweeps import swept_visits
from mdplab.exact.values import resolvent
from mdplab.models import DiscountedMDP, SparseMDP


def visits(mdp: DiscountedMDP | SparseMDP, π: Array, start: Array = None) -> Array:
    """Σ_t γ^t P(s_t = s), the expected discounted number of visits;  (..., S, A) -> (..., S), sums to 1 / (1 − γ).

    `start` (..., S) is the start distribution, the model's own by default.

    Notes
    -----
    Accurate entry by entry, however small an entry is: I − γ P_π^T is column diagonally dominant with non-positive
    entries off the diagonal, so elimination takes every pivot from the diagonal and adds numbers of one sign.
    """
    P, _ = mdp.under(π)
    start = mdp.start if start is None else start
    if isinstance(mdp, SparseMDP):
        return swept_visits(mdp.discount, P, start)
    return solve(transposed(resolvent(mdp, P)), start)


def occupancy(mdp: DiscountedMDP | SparseMDP, π: Array, start: Array = None) -> Array:
    """d^π(s) = (1 − γ) Σ_t γ^t P(s_t = s);  (..., S, A) -> (..., S), sums to 1."""
    return (1 - mdp.γ(1)) * visits(mdp, π, start)


def visits_from_each(mdp: DiscountedMDP, π: Array) -> Array:
    """Row s is `visits` from state s: (I − γ P_π)^{-1}, the successor representation;  (..., S, A) -> (..., S, S)."""
    P, _ = mdp.under(π)
    M = transposed(resolvent(mdp, P))
    return solve(M[..., None, :, :], identity_like(M))
