"""The adversary within Kullback–Leibler and χ² balls in exact arithmetic: a kernel, and what no other can add.

The worst kernel is irrational in general.  A price of the budget, found by bisection in balls, gives a rational kernel
near it and by weak duality a number that no kernel of the set exceeds.  Neither depends on how good the price is: the
kernel is drawn towards the nominal one, by convexity of the divergence, until the budget certainly suffices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, exp, log, precision, rational, rational_number, sqrt

Row = np.ndarray  # rationals (n,)
Tilt = Callable[[Row, Row, Any], Row]  # (P, z, price) -> weights
Distance = Callable[[Row, Row], Any]  # (p, P) -> divergence
Dual = Callable[[Row, Row, Any, Any], Any]  # (P, z, κ, price) -> upper bound on p·z


def kl_certified(P: Array, z: Array, κ: Array) -> tuple[Array, Array]:
    """(p, lack) with KL(p ‖ P) <= κ and q·z <= p·z + lack for all q with KL(q ‖ P) <= κ;  (..., n) -> (..., n), (...).

    p ∝ P exp(z / λ), about, and the bound is λκ + λ log Σ P exp(z / λ).  Rationals; the lack is near 2^−precision.

    References
    ----------
    :cite:`nilim2005`, Section 5.
    """
    return _rows(P, z, κ, _exponential, _kl, _kl_bound)


def chi_square_certified(P: Array, z: Array, κ: Array) -> tuple[Array, Array]:
    """The same for Σ (p − P)² / P: p ∝ P max(z − η, 0), and the bound is η + sqrt((1 + κ) Σ P max(z − η, 0)²)."""
    return _rows(P, z, κ, _positive_part, _chi_square, _chi_square_bound)


def _exponential(P: Row, z: Row, λ: Any) -> Row:
    return P * exp(z / λ)


def _kl(p: Row, P: Row) -> Any:
    used = p > 0
    return (p[used] * log(p[used] / P[used])).sum()


def _kl_bound(P: Row, z: Row, κ: Any, λ: Any) -> Any:
    return λ * κ + λ * log((P * exp(z / λ)).sum())


def _positive_part(P: Row, z: Row, depth: Any) -> Row:
    return P * np.maximum(z + depth, rational_number(0))


def _chi_square(p: Row, P: Row) -> Any:
    return ((p - P) ** 2 / P).sum()


def _chi_square_bound(P: Row, z: Row, κ: Any, depth: Any) -> Any:
    above = np.maximum(z + depth, rational_number(0))
    return sqrt((1 + κ) * (P * above * above).sum()) - depth


def _rows(P: Array, z: Array, κ: Array, tilt: Tilt, distance: Distance, dual: Dual) -> tuple[Array, Array]:
    p, lack = np.empty(z.shape, dtype=object), np.empty(z.shape[:-1], dtype=object)
    for i in np.ndindex(z.shape[:-1]):
        inside = np.asarray(P[i] > 0, dtype=bool)
        p[i] = rational(np.zeros(z.shape[-1], dtype=int))
        p[i][inside], lack[i] = _row(P[i][inside], z[i][inside], κ[i], tilt, distance, dual)
    return p, lack


def _row(P: Row, z: Row, κ: Any, tilt: Tilt, distance: Distance, dual: Dual) -> tuple[Row, Any]:
    zero, z = rational_number(0), z - z.max()
    dearest = np.where(z == 0, P, zero)
    dearest = dearest / dearest.sum()
    if distance(dearest, P) <= κ:
        return dearest, zero
    if κ == 0:
        return P, zero
    price = _price(lambda t: distance(_normalised(tilt(P, z, t)), P) > κ)
    p = _dyadic(_normalised(tilt(P, z, price)))
    spent = _upper(distance(p, P))
    if spent > κ:
        share = _below(κ / spent)
        p = P + share * (p - P)
    return p, max(_upper(dual(P, z, κ, price)) - (p * z).sum(), zero)


def _price(too_far: Callable[[Any], Any]) -> Any:
    """The price at which the budget is spent, to the working precision; where it is higher, kernels are nearer."""
    high = rational_number(1)
    while too_far(high):
        high *= 2
    for _ in range(2 * precision()):  # without end where even the dearest successors are affordable, but for a doubt
        if too_far(high / 2):
            break
        high /= 2
    low = high / 2
    for _ in range(precision()):
        middle = (low + high) / 2
        low, high = (middle, high) if too_far(middle) else (low, middle)
    return high


def _normalised(weights: Row) -> Row:
    return weights / weights.sum()


def _dyadic(p: Row) -> Row:
    """Multiples of 2^−precision near p that sum to one; the largest takes what is missing."""
    rows = np.array([_below(_middle(x)) for x in p], dtype=object)
    rows[int(np.argmax(rows))] += 1 - rows.sum()
    return rows


def _below(x: Any) -> Any:
    scale = 2 ** precision()
    y = x * scale
    return rational_number(int(y.p) // int(y.q)) / scale


def _middle(x: Any) -> Any:
    return x.mid().fmpq() if type(x).__name__ == "arb" else x


def _upper(x: Any) -> Any:
    return ball(x).upper().fmpq()
