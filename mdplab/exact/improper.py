"""Mixtures of given controllers: a new controller is drawn at every step, with weights that no state changes.

Controllers are policies K (..., M, S, A) and weights w (..., M) a distribution over them; the policy that is run is
π(a | s) = Σ_m w(m) K_m(a | s).  As a function of w its value is a ratio of polynomials, in general not concave.
"""

from __future__ import annotations

from mdplab.arrays import Array, expand, namespace, total
from mdplab.exact.values import action_values, advantages, discounted_sum
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP


def mixture(controllers: Array, w: Array) -> Array:
    """π(a | s) = Σ_m w(m) K_m(a | s);  (..., M, S, A) and (..., M) -> (..., S, A)."""
    return namespace(controllers).sum(expand(w, 2) * controllers, axis=-3)


def controller_advantages(mdp: DiscountedMDP, controllers: Array, w: Array) -> Array:
    """Ã^w(s, m) = Σ_a K_m(a | s) A^w(s, a): what the controller m would gain in s for one step;  -> (..., S, M)."""
    A = advantages(mdp, mixture(controllers, w))
    return _by_state(total(controllers * A[..., None, :, :]))


def controller_action_values(mdp: DiscountedMDP, controllers: Array, w: Array) -> Array:
    """Q̃^w(s, m) = Σ_a K_m(a | s) Q^w(s, a);  -> (..., S, M)."""
    Q = action_values(mdp, mixture(controllers, w))
    return _by_state(total(controllers * Q[..., None, :, :]))


def improper_gradient(mdp: DiscountedMDP, controllers: Array, w: Array, start: Array = None) -> Array:
    """∂V^w(start) / ∂θ(m) = w(m) Σ_s visits(s) Ã^w(s, m) for w = softmax(θ);  -> (..., M).

    References
    ----------
    :cite:`zaki2022`.
    """
    d = visits(mdp, mixture(controllers, w), start)
    return w * namespace(w).sum(expand(d, 1) * controller_advantages(mdp, controllers, w), axis=-2)


def improper_derivatives(mdp: DiscountedMDP, controllers: Array, w: Array, u: Array) -> tuple[Array, Array, Array]:
    """(V, V', V''): values and their first two derivatives as the logits of w move along u (..., M);  each (..., S).

    The Bellman equation differentiated twice, with w' = w (u − ū) and w'' = w ((u − ū)² − Var u).  No visits and no
    advantages enter: the other road to the gradient, and to curvatures u' ∇² u.
    """
    z = u - expand(total(w * u), 1)
    π = mixture(controllers, w)
    first, second = (mixture(controllers, x) for x in (w * z, w * (z * z - expand(total(w * z * z), 1))))
    P, r = mdp.under(π)
    v = discounted_sum(mdp, P, r)
    q = mdp.action_values(v)
    v1 = discounted_sum(mdp, P, total(first * q))
    v2 = discounted_sum(mdp, P, total(second * q + 2 * mdp.γ(2) * first * mdp.expected_next(v1)))
    return v, v1, v2


def _by_state(x: Array) -> Array:
    return x.swapaxes(-1, -2) if hasattr(x, "swapaxes") else x.mT
