"""What is true of a policy in the first H steps of a discounted model: J_H = E Σ_{t<H} γ^t r(s_t, a_t) and more."""

from __future__ import annotations

from mdplab.arrays import Array, expand, identity_like, namespace, total, transposed
from mdplab.models import DiscountedMDP


def truncated_values(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """V_{H−t}(s), the expected discounted reward of the H − t steps after t, for t = 0, ..., H;  -> (..., H + 1, S).

    By V_0 = 0 and V_n(s) = Σ_a π(a | s) (r(s, a) + γ Σ_t P(t | s, a) V_{n−1}(t)); π (..., S, A).
    """
    v = [0 * total(π * mdp.r)]
    for _ in range(horizon):
        v.insert(0, total(π * mdp.action_values(v[0])))
    return namespace(mdp.P).stack(v, axis=-2)


def truncated_action_values(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """Q_{H−t}(s, a) = r(s, a) + γ Σ_t P(t | s, a) V_{H−t−1}(t), for t = 0, ..., H − 1;  -> (..., H, S, A)."""
    v = truncated_values(mdp, π, horizon)
    return namespace(mdp.P).stack([mdp.action_values(v[..., t + 1, :]) for t in range(horizon)], axis=-3)


def truncated_value(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """J_H(π) from the start distribution;  (..., S, A) -> (...)."""
    return total(mdp.start * truncated_values(mdp, π, horizon)[..., 0, :])


def truncated_visits(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """γ^t P(s_t = s) for t = 0, ..., H − 1, which sum over t to the visits of the first H steps;  -> (..., H, S)."""
    P, r = mdp.under(π)
    d = [mdp.start + 0 * r]
    for _ in range(horizon - 1):
        d.append(mdp.γ(1) * (d[-1][..., None, :] @ P)[..., 0, :])
    return namespace(mdp.P).stack(d, axis=-2)


def truncated_gradient(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """∂J_H / ∂θ(s, a) = Σ_t γ^t P(s_t = s) π(a | s) (Q_{H−t} − V_{H−t})(s, a) for π = softmax(θ);  -> (..., S, A).

    References
    ----------
    :cite:`fatk2023`, where J_H is what a trajectory of H steps can estimate.
    """
    d, v = truncated_visits(mdp, π, horizon), truncated_values(mdp, π, horizon)
    Δ = truncated_action_values(mdp, π, horizon) - expand(v[..., :-1, :], 1)
    summed = expand(d, 1) * Δ
    return π * (summed.sum(axis=-3) if summed.dtype == object else namespace(summed).sum(summed, axis=-3))


def truncated_hessian(mdp: DiscountedMDP, π: Array, horizon: int) -> Array:
    """∂²J_H / ∂θ(s, a) ∂θ(t, b) for π = softmax(θ);  (..., S, A) -> (..., S·A, S·A), entry s·A + a.

    The recursion of the values differentiated twice: with n steps to go a state contributes Q_n ∂²π, which is
    diag(g) − g π^T − π g^T with g = π (Q_n − V_n), and ∂π ∂Q_n and its transpose, where ∂Q_n = γ P ∂V_{n−1}.
    """
    S, n = mdp.S, mdp.S * mdp.A
    reshape = namespace(mdp.P).reshape
    d, v = truncated_visits(mdp, π, horizon), truncated_values(mdp, π, horizon)
    q = truncated_action_values(mdp, π, horizon)
    same = identity_like(mdp.P)[:, :, None]  # [s, t, .]
    Dv = same * (0 * π)[..., None, :, :]
    batch = tuple(Dv.shape[:-3])
    Dv = reshape(Dv, (*batch, S, n))  # ∂V_0(s) / ∂θ(t, b)
    out = 0
    for t in reversed(range(horizon)):
        weight, g = expand(d[..., t, :], 2), π * (q[..., t, :, :] - expand(v[..., t, :], 1))
        Dq = mdp.γ(3) * (mdp.P @ Dv[..., None, :, :])
        mean = π[..., None, :] @ Dq
        mixed = reshape(weight * π[..., None] * (Dq - mean), (*batch, n, n))
        gπ = g[..., :, None] * π[..., None, :]
        block = weight * (identity_like(π) * g[..., None] - gπ - transposed(gπ))
        here = reshape(same[:, None, ...] * block[..., None, :], (*batch, n, n))
        out = out + mixed + transposed(mixed) + here
        Dv = mean[..., 0, :] + reshape(same * g[..., None, :, :], (*batch, S, n))
    return out
