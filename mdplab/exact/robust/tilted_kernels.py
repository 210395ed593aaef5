"""Parametric kernels: the kernel at a parameter, and the gradient of the cost in the parameter."""

from __future__ import annotations

from typing import Any

from mdplab.arrays import Array, exp, expand, is_exact, log, namespace, total
from mdplab.arrays import log_softmax as _log_softmax
from mdplab.exact.robust.evaluation import kernel_values, kernel_visits
from mdplab.models.robust import RobustMDP


def tilted_kernel(mdp: RobustMDP, θ: Array, λ: Array) -> Array:
    """p(t | s, a) ∝ P(t | s, a) exp(θ'φ(t) / λ'ψ(s, a));  (..., d), (..., e) -> (..., S, A, S).

    P must be positive where the arithmetic is exact; zeros stay zeros in float64.
    """
    score, w = scores(mdp, θ, λ)
    tilt = score[..., None, None, :] / w[..., None]
    if is_exact(mdp.P):
        return exp(_log_softmax(log(mdp.P) + tilt))
    xp = namespace(mdp.P)
    weights = mdp.P * xp.exp(tilt - xp.max(xp.where(mdp.P > 0, tilt, -xp.inf), axis=-1, keepdims=True))
    return weights / total(weights)[..., None]


def scores(mdp: RobustMDP, θ: Array, λ: Array) -> tuple[Array, Array]:
    """θ'φ (..., S) and λ'ψ (..., S, A)."""
    u: Any = mdp.ambiguity
    return (θ[..., :, None] * u.state_features).sum(axis=-2), (λ[..., :, None, None] * u.pair_features).sum(axis=-3)


def tilted_gradient(mdp: RobustMDP, π: Array, θ: Array, λ: Array) -> tuple[Array, Array]:
    """(∂J/∂θ (..., d), ∂J/∂λ (..., e)) at the kernel of (θ, λ).

    With w = λ'ψ(s, a) and X = c(s, a, ·) + γ v: the weights d(s) π(a | s) / (1 − γ) times Cov(φ_i, X) / w, and minus
    the same weights times Cov(θ'φ, X) ψ_j(s, a) / w², covariances under p(· | s, a).

    References
    ----------
    :cite:`wang2023`, Section 4.2, as in the authors' code; derived again.
    """
    u: Any = mdp.ambiguity
    p = tilted_kernel(mdp, θ, λ)
    X = mdp.targets(kernel_values(mdp, π, p))
    X = X - total(p * X)[..., None]  # covariances need only one factor centred
    weight = expand(kernel_visits(mdp, π, p), 1) * π
    score, w = scores(mdp, θ, λ)
    φ = u.state_features[..., :, None, None, :]  # (..., d, 1, 1, S)
    for_θ = total((weight / w)[..., None, :, :] * total((p * X)[..., None, :, :, :] * φ), 2)
    with_score = total(p * X * score[..., None, None, :])
    for_λ = -total((weight * with_score / w**2)[..., None, :, :] * u.pair_features, 2)
    return for_θ, for_λ


def centre(mdp: RobustMDP) -> tuple[Array, Array]:
    """(θ, λ) in the middle of the set."""
    u: Any = mdp.ambiguity
    return u.θ_centre, u.λ_centre
