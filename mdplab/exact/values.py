"""Values, action values and advantages of a policy."""

from __future__ import annotations

from mdplab.arrays import Array, expand, floats, identity_like, is_exact, namespace, one_hot, solve, total
from mdplab.exact.sweeps import swept_values
from mdplab.models import DiscountedMDP, SparseMDP


def values(mdp: DiscountedMDP | SparseMDP, π: Array) -> Array:
    """V^π(s), the expected discounted reward from each state; π (..., S, A) -> (..., S).

    The solution of (I − γ P_π) V = r_π.  π may have more batch axes than the model: many policies of one model.

    References
    ----------
    :cite:`puterman1994`, Section 6.1.
    """
    P, r = mdp.under(π)
    return discounted_sum(mdp, P, r)


def action_values(mdp: DiscountedMDP | SparseMDP, π: Array) -> Array:
    """Q^π(s, a) = r(s, a) + γ Σ_t P(t | s, a) V^π(t);  (..., S, A) -> (..., S, A)."""
    return mdp.action_values(values(mdp, π))


def advantages(mdp: DiscountedMDP | SparseMDP, π: Array) -> Array:
    """A^π(s, a) = Q^π(s, a) − V^π(s);  (..., S, A) -> (..., S, A).

    Accurate relative to its own size also for the likeliest action of an almost deterministic policy.
    """
    return centred(action_values(mdp, π), π)


def discounted_sum(mdp: DiscountedMDP | SparseMDP, P_π: Array, r_π: Array) -> Array:
    """Σ_t γ^t P_π^t r_π, the solution of v = r_π + γ P_π v;  (..., S, S) and (..., S) -> (..., S)."""
    if isinstance(mdp, SparseMDP):
        return swept_values(mdp.discount, P_π, r_π)
    return solve(resolvent(mdp, P_π), r_π)


def resolvent(mdp: DiscountedMDP, P_π: Array) -> Array:
    """I − γ P_π, the matrix whose inverse sums γ^t P_π^t;  (..., S, S) -> (..., S, S)."""
    return identity_like(P_π) - mdp.γ(2) * P_π


def centred(q: Array, π: Array) -> Array:
    """q(s, a) − Σ_b π(b | s) q(s, b);  (..., S, A) -> (..., S, A)."""
    # First subtract q at the likeliest action: what remains of the mean is a sum over the unlikely ones, so that
    # an advantage of size 1 − π(a | s) keeps its relative accuracy instead of being a difference of large numbers.
    A = π.shape[-1]
    likeliest = floats(π).argmax(axis=-1) if is_exact(π) else namespace(π).argmax(π, axis=-1)
    q = q - expand(total(one_hot(likeliest, A, π) * q), 1)
    return q - expand(total(π * q), 1)
