"""Exact second derivatives of V^π(start) in the logits of π and in its probabilities."""

from __future__ import annotations

from mdplab.arrays import Array, expand, identity_like, namespace, total, transposed
from mdplab.exact.values import action_values, advantages
from mdplab.exact.visits import visits, visits_from_each
from mdplab.models import DiscountedMDP

# Write u for the visits and K(s, a; t) = Σ_x P(x | s, a) N(x, t) with N = (I − γ P_π)^{-1}: how often t is visited
# after (s, a).  Changing π at t by δ moves V(x) by N(x, t) δ·Q(t, ·) and u(s) by γ u(t) δ·K(t, ·; s), hence
#     ∂² V / ∂π(a | s) ∂π(b | t) = γ u(s) K(s, a; t) Q(t, b) + the same with (s, a) and (t, b) exchanged.
# The chain rule through softmax multiplies both factors by π and centres them (K over a, Q over b, which makes it A)
# and adds, in each state, Σ_a u Q ∂²π(a) = u (diag(g) − g π^T − π g^T) with g = π A.


def softmax_hessian(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """∂²V^π(start) / ∂θ(s, a) ∂θ(t, b) for π = softmax(θ);  (..., S, A) -> (..., S·A, S·A), entry s·A + a."""
    u, g = visits(mdp, π, start), π * advantages(mdp, π)
    K = _visits_after(mdp, π)
    K = π[..., None] * (K - total(transposed(π[..., None] * K))[..., None, :])
    gπ = g[..., :, None] * π[..., None, :]
    block = expand(u, 2) * (identity_like(π) * g[..., None] - gπ - transposed(gπ))
    return _symmetric(mdp, u, K, g) + _flat(identity_like(mdp.P)[:, None, :, None] * block[..., None, :])


def direct_hessian(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """∂²V^π(start) / ∂π(a | s) ∂π(b | t), the entries of π free;  (..., S, A) -> (..., S·A, S·A), entry s·A + a."""
    return _symmetric(mdp, visits(mdp, π, start), _visits_after(mdp, π), action_values(mdp, π))


def _visits_after(mdp: DiscountedMDP, π: Array) -> Array:
    # K(s, a; t);  (..., S, A, S)
    return mdp.P @ visits_from_each(mdp, π)[..., None, :, :]


def _symmetric(mdp: DiscountedMDP, u: Array, K: Array, q: Array) -> Array:
    B = _flat(mdp.γ(4) * expand(u, 3) * K[..., None] * q[..., None, None, :, :])
    return B + transposed(B)


def _flat(B: Array) -> Array:
    # (..., S, A, S, A) -> (..., S·A, S·A)
    S, A = B.shape[-2:]
    return namespace(B).reshape(B, (*B.shape[:-4], S * A, S * A))
