"""Functions of a vector of returns: what many objectives are worth together, with first and second derivatives.

A scalarisation f has `value` (..., M) -> (...), `gradient` (..., M) -> (..., M) and `curvature` (x, y) -> ∇²f(x) y; all
of them but `MeanVariance` are concave.  Parameters are numbers, arrays of the batch's shape, or where said (..., M).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from mdplab.arrays import Array, expand, floats, is_exact, log, minimum, namespace, rational, softmax, sqrt, total
from mdplab.arrays import exp as _exp


class Changeable:
    """A frozen dataclass of numbers, arrays and further such objects that changes arithmetic as a whole."""

    def map(self, f: Callable[[Array], Array]) -> Self:
        """The same with `f` applied to each number and array."""
        return type(self)(*(_mapped(getattr(self, x.name), f) for x in fields(self)))  # type: ignore[arg-type]

    def floats(self) -> Self:
        """The same in float64 on the CPU."""
        return self.map(lambda x: float(floats(x)) if getattr(x, "shape", ()) == () else floats(x))

    def exact(self) -> Self:
        """The same in rationals; floats stand for themselves."""
        return self.map(lambda x: x if is_exact(x) else rational(x) if getattr(x, "shape", ()) else rational(x)[()])


def _mapped(x: Any, f: Callable[[Array], Array]) -> Any:
    if isinstance(x, tuple):
        return tuple(_mapped(y, f) for y in x)
    return x.map(f) if isinstance(x, Changeable) else f(x)


@dataclass(frozen=True, eq=False)
class Weighted(Changeable):
    """f(x) = Σ_i w_i x_i with weights (..., M)."""

    weights: Array

    def value(self, x: Array) -> Array:
        return total(self.weights * x)

    def gradient(self, x: Array) -> Array:
        return self.weights + 0 * x

    def curvature(self, x: Array, y: Array) -> Array:
        return 0 * (x + y)


@dataclass(frozen=True, eq=False)
class Reciprocals(Changeable):
    """f(x) = −Σ_i 1 / (x_i + offset), for x_i > −offset: the fairness of :cite:`bai2022` and of the queues."""

    offset: Any

    def value(self, x: Array) -> Array:
        return -total(1 / (x + expand(self.offset, 1)))

    def gradient(self, x: Array) -> Array:
        return 1 / (x + expand(self.offset, 1)) ** 2

    def curvature(self, x: Array, y: Array) -> Array:
        return -2 * y / (x + expand(self.offset, 1)) ** 3


@dataclass(frozen=True, eq=False)
class Logarithms(Changeable):
    """f(x) = weight · Σ_i log(x_i − least_i), for x_i > least_i: proportional fairness, or a barrier of constraints.

    `least` is (..., M), or one number for all objectives.
    """

    least: Array
    weight: Any = 1

    def value(self, x: Array) -> Array:
        return self.weight * total(log(x - self.least))

    def gradient(self, x: Array) -> Array:
        return expand(self.weight, 1) / (x - self.least)

    def curvature(self, x: Array, y: Array) -> Array:
        return -expand(self.weight, 1) * y / (x - self.least) ** 2


@dataclass(frozen=True, eq=False)
class Roots(Changeable):
    """f(x) = Σ_i √(x_i + offset_i), offset (..., M) or one number."""

    offset: Array

    def value(self, x: Array) -> Array:
        return total(sqrt(x + self.offset))

    def gradient(self, x: Array) -> Array:
        return 1 / (2 * sqrt(x + self.offset))

    def curvature(self, x: Array, y: Array) -> Array:
        return -y / (4 * (x + self.offset) * sqrt(x + self.offset))


@dataclass(frozen=True, eq=False)
class Shortfall(Changeable):
    """f(x) = −weight · Σ_i min(0, x_i − least_i)², minus the squared distance to {x >= least}; `least` (..., M)."""

    least: Array
    weight: Any = 1

    def value(self, x: Array) -> Array:
        return -self.weight * total(self._missing(x) * self._missing(x))

    def gradient(self, x: Array) -> Array:
        return -2 * expand(self.weight, 1) * self._missing(x)

    def curvature(self, x: Array, y: Array) -> Array:
        """One-sided where x_i = least_i, where there is no second derivative."""
        short = np.asarray(x < self.least, dtype=bool) if is_exact(x) else x < self.least
        xp = np if is_exact(y) else namespace(y)
        return -2 * expand(self.weight, 1) * xp.where(short, y, 0 * y)

    def _missing(self, x: Array) -> Array:
        return minimum(x - self.least, 0 * x)


@dataclass(frozen=True, eq=False)
class SmoothWorst(Changeable):
    """f(x) = −τ log Σ_i exp(−x_i / τ): between min_i x_i − τ log M and min_i x_i; `temperature` τ > 0."""

    temperature: Any

    def value(self, x: Array) -> Array:
        z = -x / expand(self.temperature, 1)
        top = rational(np.nan_to_num(floats(z)).max(axis=-1)) if is_exact(z) else namespace(z).max(z, axis=-1)
        return -self.temperature * (top + log(total(_exp(z - expand(top, 1)))))

    def gradient(self, x: Array) -> Array:
        return softmax(-x / expand(self.temperature, 1))

    def curvature(self, x: Array, y: Array) -> Array:
        p = self.gradient(x)
        return -p * (y - expand(total(p * y), 1)) / expand(self.temperature, 1)


@dataclass(frozen=True, eq=False)
class MeanVariance(Changeable):
    """f(x) = m_1 − weight · (m_2 − m_1²) with m = (1 − γ) x, for the returns of r and of r²; not concave."""

    discount: Any
    weight: Any = 1

    def value(self, x: Array) -> Array:
        m = (1 - expand(self.discount, 1)) * x
        return m[..., 0] - self.weight * (m[..., 1] - m[..., 0] * m[..., 0])

    def gradient(self, x: Array) -> Array:
        m, c = (1 - expand(self.discount, 1)) * x, expand(self.weight, 1)
        first = 1 + 2 * c * m[..., :1]
        xp = np if is_exact(x) else namespace(x)
        return (1 - expand(self.discount, 1)) * xp.concat([first, -c + 0 * first], axis=-1)

    def curvature(self, x: Array, y: Array) -> Array:
        first = 2 * expand(self.weight, 1) * (1 - expand(self.discount, 1)) ** 2 * y[..., :1]
        xp = np if is_exact(y) else namespace(y)
        return xp.concat([first, 0 * first], axis=-1)
