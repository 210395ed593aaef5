"""The method of multipliers: maximise the augmented Lagrangian, then move the multiplier to the one it used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, maximum, minimum, namespace, total
from mdplab.exact.deterministic import DualFunction


@dataclass(frozen=True, eq=False)
class Round:
    """Round k: the multiplier (...,) before it, and value and slack (...,) of the mixture of policies it chooses."""

    k: int
    multiplier: Array
    value: Array
    slack: Array


def method_of_multipliers(dual: DualFunction, multiplier: Array, *, penalty: Any) -> Iterator[Round]:
    """Yield the rounds of the method for one constraint, from λ_0 = `multiplier`, without end.

    x_k = argmax over occupancy measures of V_r − [λ_k − κ (V_u − b)]_+² / (2κ), λ_{k+1} = [λ_k − κ (V_u(x_k) − b)]_+.

    Parameters
    ----------
    dual : DualFunction
        Values and slacks of all deterministic policies; what mixtures of them are worth is their convex hull.
    multiplier : array (...,)
        λ_0 >= 0.
    penalty : number or array (...,)
        κ > 0, a multiplier by value.

    Notes
    -----
    λ_{k+1} is the proximal point of the dual function, argmin over λ >= 0 of g(λ) + (λ − λ_k)² / (2κ)
    (:cite:`rockafellar1976`).  Exact in rationals; in float64 a maximum this flat is found to half of the digits.
    """
    λ, k = multiplier, 0
    while True:
        value, slack = augmented_best(dual, λ, penalty)
        yield Round(k, λ, value, slack)
        k, λ = k + 1, maximum(λ - penalty * slack, 0 * λ)


def augmented_best(dual: DualFunction, multiplier: Array, penalty: Any) -> tuple[Array, Array]:
    """(value, slack) of a mixture that maximises V_r − [λ − κ (V_u − b)]_+² / (2κ);  (...) and (...).

    A concave function of the two values alone is largest on an edge of their polygon, and along the mixtures of two
    policies it is a parabola and then a line: its stationary point, the joint and the ends are all there is to try.
    """
    λ, κ = expand(multiplier, 3), expand(penalty, 3)
    h, s = dual.heights[..., :, None], dual.slopes[..., :, None]
    rise, run = dual.heights[..., None, :] - h, dual.slopes[..., None, :] - s
    moves = run != 0
    run_or_one = _where(moves, run, 1 + 0 * run)
    still = 0 * run
    share = _stacked(
        [
            still,
            _unit(
                _where(
                    moves, ((expand(multiplier, 2) + rise / run_or_one) / expand(penalty, 2) - s) / run_or_one, still
                )
            ),
            _unit(_where(moves, (expand(multiplier, 2) / expand(penalty, 2) - s) / run_or_one, still)),
        ]
    )
    value, slack = h[..., None] + share * rise[..., None], s[..., None] + share * run[..., None]
    short = maximum(λ - κ * slack, 0 * slack)
    merit = _flat(value - short * short / (2 * κ))
    chosen = _first_of_the_largest(merit)
    return total(chosen * _flat(value)), total(chosen * _flat(slack))


def _unit(x: Array) -> Array:
    return minimum(maximum(x, 0 * x), 1 + 0 * x)


def _where(mask: Array, x: Array, y: Array) -> Array:
    return np.where(np.asarray(mask, dtype=bool), x, y) if is_exact(x) else namespace(x).where(mask, x, y)


def _stacked(xs: list[Array]) -> Array:
    return (np if is_exact(xs[0]) else namespace(xs[0])).stack(xs, axis=-1)


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:-3], -1) if is_exact(x) else namespace(x).reshape(x, (*x.shape[:-3], -1))


def _first_of_the_largest(x: Array) -> Array:
    from mdplab.arrays import one_hot

    where = np.asarray(x == expand(largest(x), 1) if x.ndim > 1 else x == largest(x), dtype=bool)
    return one_hot(where.argmax(axis=-1), x.shape[-1], x)
