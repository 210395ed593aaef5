"""The q-logarithm and the q-exponential, the logarithm and exponential of Tsallis entropies."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, exp, is_exact, log, maximum, namespace, number, rational_number


def log_q(x: Array, q: Any) -> Array:
    """ln_q x = (x^(q−1) − 1) / (q − 1) for x >= 0, element by element; ln x for q = 1.

    Parameters
    ----------
    x : array
        Non-negative; ln_q 0 = −1 / (q − 1) for q > 1.
    q : number
        The entropic index, any real number.

    Notes
    -----
    Two conventions are in use; in the other one, of statistical physics, this is ln_{2−q}.
    """
    if q == 1:
        return log(x)
    q = index_like(q, x)
    if is_exact(x):
        return (power(x, q - 1) - 1) / (q - 1)
    x = np.asarray(x) if isinstance(x, int | float) else x
    xp = namespace(x)
    positive = xp.where(x > 0, x, 1 + 0 * x)
    at_zero = -1 / (q - 1) if q > 1 else -np.inf
    return xp.where(x > 0, xp.expm1((q - 1) * xp.log(positive)) / (q - 1), at_zero)


def exp_q(x: Array, q: Any) -> Array:
    """exp_q x = [1 + (q−1) x]_+^(1/(q−1)), element by element, the inverse of `log_q`; e^x for q = 1, q >= 1."""
    if q == 1:
        return exp(x)
    q = index_like(q, x)
    if is_exact(x):
        return power(maximum(1 + (q - 1) * x, 0 * x), 1 / (q - 1))
    x = np.asarray(x) if isinstance(x, int | float) else x
    xp = namespace(x)
    inside = (q - 1) * x > -1
    return xp.where(inside, xp.exp(xp.log1p((q - 1) * xp.where(inside, x, 0 * x)) / (q - 1)), 0 * x)


def index_like(q: Any, x: Array) -> Any:
    """The entropic index q as a rational where `x` is exact, else as a float."""
    return rational_number(q) if is_exact(x) else number(q)


def power(x: Array, p: Any) -> Array:
    """x^p for x >= 0, element by element.  Rational where x is and p is whole, else balls; 0^p = 0 for p > 0."""
    if not is_exact(x):
        return x**p
    p = rational_number(p)
    if isinstance(x, np.ndarray):
        return np.frompyfunc(lambda y: _power(y, p), 1, 1)(x) if x.size else x
    return _power(x, p)


def _power(x: Any, p: Any) -> Any:
    whole = int(p) if p == int(p) else None
    if whole is not None and whole >= 0 and type(x).__name__ != "arb":
        return x**whole
    if type(x).__name__ == "arb" and not x > 0 and p > 0:
        # The true number is not negative, though its ball reaches below zero; as t^p increases, its upper end counts.
        top = x.upper()
        return 0 * top if not top > 0 else (0 * top).union(_power(top, p))
    if x == 0 and p > 0:
        return 0 * x
    return x**whole if whole is not None else ball(x) ** ball(p)
