"""What one policy promises about another: surrogates, improvements, and how far the two are apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, is_exact, log, log1p, namespace, total
from mdplab.exact.values import advantages
from mdplab.exact.visits import visits
from mdplab.models import DiscountedMDP


def surrogate_gain(mdp: DiscountedMDP, π: Array, new: Array, start: Array = None) -> Array:
    """L_π(π') − V^π(start) = Σ_s d^π(s) Σ_a π'(a | s) A^π(s, a) / (1 − γ);  two policies (..., S, A) -> (...).

    What π' would gain if it went where π goes: the visits are those of the old policy.

    References
    ----------
    :cite:`cpi2002`; :cite:`trpo2015`.
    """
    return total(visits(mdp, π, start) * total(new * advantages(mdp, π)))


def improvement(mdp: DiscountedMDP, π: Array, new: Array, start: Array = None) -> Array:
    """V^{π'}(start) − V^π(start) = Σ_s d^{π'}(s) Σ_a π'(a | s) A^π(s, a) / (1 − γ);  (..., S, A) twice -> (...).

    The performance-difference identity: no values are subtracted.

    References
    ----------
    :cite:`cpi2002`, Lemma 6.1.
    """
    return total(visits(mdp, new, start) * total(new * advantages(mdp, π)))


def total_variation(π: Array, new: Array) -> Array:
    """½ Σ_a |π'(a | s) − π(a | s)| in each state;  (..., S, A) twice -> (..., S)."""
    return total(abs(new - π)) / 2


def divergence(p: Array, q: Array) -> Array:
    """KL(p ‖ q) = Σ_a p(a | s) log(p(a | s) / q(a | s)) in each state;  (..., S, A) twice -> (..., S).

    0 log 0 is 0.  Infinite where q excludes what p does (an infinite ball in exact arithmetic).

    Notes
    -----
    In float64 it is summed as Σ_a p (x − log(1 + x)) with x = q / p − 1, terms of one sign, so that the divergence of
    two policies that hardly differ is not a difference of large numbers.
    """
    if is_exact(p) or is_exact(q):
        return np.asarray(_exact_terms(p, q), dtype=object).sum(axis=-1)
    xp = namespace(p)
    some = p > 0
    allowed, one = q > 0, 1 + 0 * p
    near = abs(q - p) < p / 2
    x = xp.where(near, q - p, 0 * p) / xp.where(near, p, one)
    apart = p * (log(xp.where(some, p, one)) - log(xp.where(allowed, q, one))) - (p - q)
    terms = xp.where(near, p * (x - log1p(x)), xp.where(allowed, apart, xp.inf + 0 * p))
    return total(xp.where(some, terms, q))


def _term(p: Any, q: Any) -> Any:
    if p == 0:
        return 0 * p
    if q == 0:
        return type(ball(1)).pos_inf()
    return p * ball(p / q).log()  # a ratio of rationals first, so that equal probabilities give exactly zero


_exact_terms = np.frompyfunc(_term, 2, 1)
