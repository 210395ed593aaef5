"""Bounds on a fixed point from one application of its operator, the certificate of every optimum; ends of balls."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import EPS, Array, expand, largest, namespace, rounding, smallest


def enclosure(γ: Any, row_sums: Array, v: Array, Tv: Array, slack: Array) -> tuple[Array, Array]:
    """(low, high), each (..., S), with low <= V* <= high, for V* = T V* and any v.

    T is monotone and T(v + c) = T v + γ c for constants c, as Bellman operators, plain or soft, are.  In float64.

    Parameters
    ----------
    γ : number or array (...,)
        The discount.
    row_sums : array (..., S, A)
        Sums of the rows of P, which differ from one by rounding; where the difference matters the bounds widen.
    v, Tv : array (..., S)
        Any values and T v.
    slack : array (...,)
        Bound on the rounding error of each entry of Tv and of Tv − v.

    References
    ----------
    :cite:`macqueen1966`; :cite:`puterman1994`, Section 6.6.
    """
    # If T v − v >= m and c = m / (1 − γσ), then T(v + c) >= v + c, hence V* >= T(v + c) >= T v + γσ c.  Here σ is
    # the smallest row sum if c is positive and the largest if c is negative; above it is the other way round.
    xp = namespace(v)
    m, M = smallest(Tv - v) - slack, largest(Tv - v) + slack
    least, most = smallest(row_sums, 2) * (1 - EPS), largest(row_sums, 2) * (1 + EPS)
    below, above = γ * xp.where(m >= 0, least, most), γ * xp.where(M >= 0, most, least)
    low = xp.where(below < 1, below * m / (1 - below), -xp.inf)
    high = xp.where(above < 1, above * M / (1 - above), xp.inf)
    # The last operations round too: 4 EPS of the size of what they add, and 4 EPS / (1 − γσ) for 1 − γσ itself.
    low = low - slack - 4 * EPS * (1 + 1 / abs(1 - below)) * abs(low)
    high = high + slack + 4 * EPS * (1 + 1 / abs(1 - above)) * abs(high)
    return Tv + expand(low, 1) - EPS * abs(Tv), Tv + expand(high, 1) + EPS * abs(Tv)


def product_rounding(terms: Any, r: Array, γ: Any, v: Array) -> Array:
    """Bound on the rounding error of max_a (r + γ P v)(s, a) − v(s), rows of P with `terms` non-zeros;  -> (...)."""
    return rounding(terms + 8) * (largest(abs(r), 2) + (2 * γ + 1) * largest(abs(v)))


def lower(x: Array) -> Array:
    """Lower ends of balls, as balls of radius zero."""
    return np.frompyfunc(lambda y: y.lower(), 1, 1)(x)


def upper(x: Array) -> Array:
    """Upper ends of balls, as balls of radius zero."""
    return np.frompyfunc(lambda y: y.upper(), 1, 1)(x)


def midpoints(x: Array) -> Array:
    """Midpoints of balls, as balls of radius zero."""
    return np.frompyfunc(lambda y: y.mid(), 1, 1)(x)


def hull(x: Array, y: Array) -> Array:
    """The smallest balls that hold both."""
    return np.frompyfunc(lambda a, b: a.union(b), 2, 1)(x, y)


def unit_ball() -> Any:
    """The ball [−1, 1]."""
    import flint

    return flint.arb(0, 1)
