"""What is true of a policy when its entropy is worth τ a nat: soft values, gradients, optima and gaps."""

from __future__ import annotations

from typing import Any

from mdplab.arrays import (
    Array,
    exp,
    expand,
    is_exact,
    namespace,
    rational,
    total,
)
from mdplab.exact.values import centred, discounted_sum
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP


def soft_values(mdp: DiscountedMDP, log_π: Array, τ: Any) -> Array:
    """Ṽ^π(s), reward plus τ times the entropy, discounted;  log π (..., S, A) -> (..., S).

    `τ` is one number or an array of the batch's shape; its unit is that of the reward.
    """
    log_π, τ = finite_logs(log_π), temperature(mdp, τ)
    π = exp(log_π)
    P, r = mdp.under(π)
    return discounted_sum(mdp, P, r - expand(τ, 1) * total(π * log_π))


def soft_action_values(mdp: DiscountedMDP, log_π: Array, τ: Any) -> Array:
    """Q̃^π(s, a) = r(s, a) + γ Σ_t P(t | s, a) Ṽ^π(t): no entropy at (s, a) itself;  (..., S, A) -> (..., S, A)."""
    return mdp.action_values(soft_values(mdp, log_π, τ))


def soft_advantages(mdp: DiscountedMDP, log_π: Array, τ: Any) -> Array:
    """Ã^π(s, a) = Q̃^π(s, a) − τ log π(a | s) − Ṽ^π(s), of mean zero under π;  (..., S, A) -> (..., S, A)."""
    log_π = finite_logs(log_π)
    q = soft_action_values(mdp, log_π, τ)
    return centred(q - expand(temperature(mdp, τ), 2) * log_π, exp(log_π))


def soft_gradient(mdp: DiscountedMDP, log_π: Array, τ: Any, start: Array = None) -> Array:
    """∂Ṽ^π(start) / ∂θ(s, a) = d^π(s) π(a | s) Ã^π(s, a) / (1 − γ) for π = softmax(θ);  (..., S, A) -> (..., S, A).

    References
    ----------
    :cite:`mei2020`, Lemma 10.
    """
    π = exp(log_π)
    return expand(visits(mdp, π, start), 1) * π * soft_advantages(mdp, log_π, τ)


def entropy(mdp: DiscountedMDP, log_π: Array, start: Array = None) -> Array:
    """Expected discounted entropy −Σ_t γ^t E log π(a_t | s_t), in [0, log A / (1 − γ)];  (..., S, A) -> (...)."""
    log_π = finite_logs(log_π)
    π = exp(log_π)
    return -total(visits(mdp, π, start) * total(π * log_π))


def finite_logs(log_π: Array) -> Array:
    """log π with the logarithm of zero replaced by −1e300, so that 0 · log 0 = 0."""
    return log_π if is_exact(log_π) else namespace(log_π).where(log_π < -1e300, -1e300, log_π)


def temperature(mdp: DiscountedMDP, τ: Any) -> Any:
    """τ in the arithmetic of the model."""
    if not is_exact(mdp.P) or is_exact(τ):
        return τ
    exact = rational(τ)
    return exact if exact.shape else exact[()]
