"""State-action occupancies, unnormalised, and how they change with a policy."""

from __future__ import annotations

from mdplab.arrays import Array, expand, identity_like, namespace, total
from mdplab.exact.visits import visits, visits_from_each
from mdplab.models import DiscountedMDP


def pair_visits(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """λ^π(s, a) = Σ_t γ^t P(s_t = s, a_t = a), which sums to 1 / (1 − γ);  (..., S, A) -> (..., S, A)."""
    return expand(visits(mdp, π, start), 1) * π


def truncated_pair_visits(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """λ_H(s, a) = Σ_{t < H} γ^t P(s_t = s, a_t = a), which sums to (1 − γ^H) / (1 − γ);  (..., S, A) -> (..., S, A)."""
    P, _ = mdp.under(π)
    p, weight = mdp.start, mdp.γ(1) * 0 + 1
    λ = 0 * mdp.start
    for _ in range(horizon):
        λ = λ + weight * p
        p, weight = (p[..., None, :] @ P)[..., 0, :], weight * mdp.γ(1)
    return expand(λ, 1) * π


def flow(mdp: DiscountedMDP, λ: Array) -> Array:
    """Σ_a λ(t, a) − γ Σ_{s,a} P(t | s, a) λ(s, a);  (..., S, A) -> (..., S).

    λ >= 0 is the occupancy of a policy exactly if this is the start distribution.
    """
    arrivals = total(namespace(λ).moveaxis(mdp.P, -1, -3) * λ[..., None, :, :], 2)
    return total(λ) - mdp.γ(1) * arrivals


def pair_visits_by_policy(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """∂λ(s, a) / ∂π(b | t), the entries of π free;  (..., S, A) -> (..., S·A, S·A), entry [s·A + a, t·A + b]."""
    u = visits(mdp, π, start)
    after = mdp.P @ visits_from_each(mdp, π)[..., None, :, :]  # [t, b, s]: visits of s after (t, b)
    moved = mdp.γ(3) * expand(u, 2) * after
    moved = namespace(moved).moveaxis(moved, -1, -3)[..., :, None, :, :] * π[..., None, None]
    here = _flat(mdp, identity_like(mdp.P)[:, None, :, None] * identity_like(π)[None, :, None, :])
    return _flat(mdp, moved) + here * _row(mdp, expand(u, 1) + 0 * π)


def pair_visits_by_logits(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """∂λ(s, a) / ∂θ(t, b) for π = softmax(θ);  (..., S, A) -> (..., S·A, S·A), entry [s·A + a, t·A + b]."""
    D = pair_visits_by_policy(mdp, π, start)
    reshape = namespace(D).reshape
    D = reshape(D, (*D.shape[:-1], mdp.S, mdp.A))
    π = π[..., None, :, :]
    D = π * (D - expand(total(π * D), 1))
    return reshape(D, (*D.shape[:-2], mdp.S * mdp.A))


def _row(mdp: DiscountedMDP, x: Array) -> Array:
    return namespace(x).reshape(x, (*x.shape[:-2], 1, mdp.S * mdp.A))


def _flat(mdp: DiscountedMDP, x: Array) -> Array:
    n = mdp.S * mdp.A
    return namespace(x).reshape(x, (*x.shape[:-4], n, n))
