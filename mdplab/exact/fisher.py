"""The Fisher information of a softmax policy, its pseudo-inverse and the natural gradient."""

from __future__ import annotations

from mdplab.arrays import Array, expand, identity_like, is_exact, namespace, rational, total
from mdplab.exact.values import advantages
from mdplab.exact.visits import occupancy
from mdplab.models import DiscountedMDP


def fisher(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """F(s) = d^π(s) (diag π_s − π_s π_s^T), the blocks of E ∇log π ∇log π^T;  (..., S, A) -> (..., S, A, A).

    d^π is the normalised occupancy; derivatives are by the logits θ(s, ·), blocks of different states are zero.

    References
    ----------
    :cite:`kakade2001`; :cite:`akm2021`.
    """
    covariance = identity_like(π) * π[..., None] - π[..., :, None] * π[..., None, :]
    return expand(occupancy(mdp, π, start), 2) * covariance


def fisher_pseudo_inverse(mdp: DiscountedMDP, π: Array, start: Array = None) -> Array:
    """Moore–Penrose inverse of each block of `fisher`;  (..., S, A) -> (..., S, A, A).

    C diag(1/π) C / d(s), where C centres over the actions that π takes; zero where the occupancy is zero.
    """
    taken = _indicator(π)
    n = expand(total(taken), 2)
    C = identity_like(π) * taken[..., None] - taken[..., :, None] * taken[..., None, :] / n
    d = occupancy(mdp, π, start)
    return expand(_reciprocal(d), 2) * (C @ (_reciprocal(π)[..., None] * C))


def natural_gradient(mdp: DiscountedMDP, π: Array) -> Array:
    """A^π(s, a) / (1 − γ): F^† ∇V up to a constant in each state, which moves no policy;  (..., S, A) -> (..., S, A).

    It does not depend on the start distribution.

    References
    ----------
    :cite:`kakade2001`; :cite:`akm2021`.
    """
    return advantages(mdp, π) / (1 - mdp.γ(2))


def _indicator(x: Array) -> Array:
    # 1 where x is not zero, else 0, in the arithmetic of x.
    return rational((x != 0).astype(int)) if is_exact(x) else namespace(x).astype(x != 0, x.dtype)


def _reciprocal(x: Array) -> Array:
    # 1 / x where x is not zero, else 0.
    nonzero = _indicator(x)
    return nonzero / (x + (1 - nonzero))
