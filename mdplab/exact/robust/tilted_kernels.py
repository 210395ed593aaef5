"""Parametric kernels: the kernel at a parameter, and the gradient of the cost in the parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, exp, expand, is_exact, log, namespace, total
from mdplab.arrays import log_softmax as _log_softmax
from mdplab.errors import MdplabError
from mdplab.exact.robust.evaluation import kernel_values, kernel_visits
from mdplab.models.ambiguity import Box
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


def enclosing_box(mdp: RobustMDP) -> Box:
    """Between which two numbers each p(t | s, a) lies, for all parameters: a rectangular set that holds all kernels.

    1 / p(t) = Σ_u P(u) / P(t) exp(θ'(φ(u) − φ(t)) / λ'ψ), whose exponents lie between the ends for θ and λ apart; in
    float64, widened by some rounding errors.

    Raises
    ------
    MdplabError
        If λ'ψ(s, a) is zero or changes sign for some λ of the ball, as the kernel is not continuous there.
    """
    u: Any = mdp.ambiguity
    score, w = scores(mdp, u.θ_centre, u.λ_centre)
    reach = expand(u.λ_budget, 2) * np.abs(u.pair_features).max(axis=-3)
    if (np.abs(w) <= reach).any():
        raise MdplabError("λ'ψ(s, a) is zero for some λ of the ball; expected one sign in each pair")
    φ = u.state_features
    middle = score[..., None, :] - score[..., :, None]  # [..., t, u]
    apart = expand(u.θ_budget, 2) * np.abs(φ[..., :, None, :] - φ[..., :, :, None]).max(axis=-3)
    ends = [
        (middle + i * apart)[..., None, None, :, :] / (w + j * reach)[..., None, None] for i in (-1, 1) for j in (-1, 1)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mdp.P[..., None, :] / mdp.P[..., :, None]
        low, high = (1 / total(np.where(ratio > 0, ratio * np.exp(e), 0)) for e in (np.max(ends, 0), np.min(ends, 0)))
    slack, inside = 1e-12, mdp.P > 0
    return Box(np.where(inside, low * (1 - slack), 0), np.where(inside, np.minimum(high * (1 + slack), 1), 0))


def centre(mdp: RobustMDP) -> tuple[Array, Array]:
    """(θ, λ) in the middle of the set."""
    u: Any = mdp.ambiguity
    return u.θ_centre, u.λ_centre
