"""General utilities: functions F of the state-action occupancy λ(s, a) = Σ_t γ^t P(s_t = s, a_t = a), of sum 1/(1−γ).

A utility has `value` (..., S, A) -> (...), `gradient` (..., S, A) -> (..., S, A), the shadow reward of
:cite:`zhang2020`, and `curvature` (λ, x) -> ∇²F(λ) x.  They follow the arithmetic of λ; x may have more leading axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mdplab.arrays import Array, expand, is_exact, log, namespace, total
from mdplab.exact.scalarisations import Changeable


class Utility(Protocol):
    """What a utility can be asked."""

    def value(self, λ: Array) -> Array: ...

    def gradient(self, λ: Array) -> Array: ...

    def curvature(self, λ: Array, x: Array) -> Array: ...

    def floats(self) -> Any: ...


@dataclass(frozen=True, eq=False)
class Linear(Changeable):
    """F(λ) = ⟨r, λ⟩, the ordinary value; r (..., S, A)."""

    r: Array

    def value(self, λ: Array) -> Array:
        return total(self.r * λ, 2)

    def gradient(self, λ: Array) -> Array:
        return self.r + 0 * λ

    def curvature(self, λ: Array, x: Array) -> Array:
        return 0 * (λ + x)


@dataclass(frozen=True, eq=False)
class Entropy(Changeable):
    """F(λ) = −Σ μ log μ with μ = (1 − γ) λ, in nats; the gradient needs λ > 0."""

    discount: Any

    def value(self, λ: Array) -> Array:
        μ = self._share(λ)
        return -total(_times_log(μ, μ), 2)

    def gradient(self, λ: Array) -> Array:
        return -(1 - expand(self.discount, 2)) * (log(self._share(λ)) + 1)

    def curvature(self, λ: Array, x: Array) -> Array:
        return -(1 - expand(self.discount, 2)) * x / λ

    def _share(self, λ: Array) -> Array:
        return (1 - expand(self.discount, 2)) * λ


@dataclass(frozen=True, eq=False)
class NegativeKL(Changeable):
    """F(λ) = −Σ μ log(μ / m), μ = (1 − γ) λ: imitation of m (..., S, A) > 0; its gradient needs λ > 0."""

    target: Array
    discount: Any

    def value(self, λ: Array) -> Array:
        μ = (1 - expand(self.discount, 2)) * λ
        return -total(_times_log(μ, μ / self.target), 2)

    def gradient(self, λ: Array) -> Array:
        rest = 1 - expand(self.discount, 2)
        return -rest * (log(rest * λ / self.target) + 1)

    def curvature(self, λ: Array, x: Array) -> Array:
        return -(1 - expand(self.discount, 2)) * x / λ


@dataclass(frozen=True, eq=False)
class SmoothedLog(Changeable):
    """F(λ) = Σ log(λ(s, a) + σ), σ > 0: exploration with gradients of at most 1/σ and a 1/σ²-Lipschitz gradient."""

    σ: Any

    def value(self, λ: Array) -> Array:
        return total(log(λ + expand(self.σ, 2)), 2)

    def gradient(self, λ: Array) -> Array:
        return 1 / (λ + expand(self.σ, 2))

    def curvature(self, λ: Array, x: Array) -> Array:
        return -x / (λ + expand(self.σ, 2)) ** 2


@dataclass(frozen=True, eq=False)
class Quadratic(Changeable):
    """F(λ) = −½ Σ (λ − target)², target (..., S, A) in the unit of λ."""

    target: Array

    def value(self, λ: Array) -> Array:
        away = λ - self.target
        return -total(away * away, 2) / 2  # a ball around zero has no square as a power

    def gradient(self, λ: Array) -> Array:
        return self.target - λ

    def curvature(self, λ: Array, x: Array) -> Array:
        return -x + 0 * λ


@dataclass(frozen=True, eq=False)
class OfStates(Changeable):
    """F(λ) = G(Σ_a λ(s, a)): a utility of the visits of states only; G is asked about arrays (..., S, 1)."""

    of: Any

    def value(self, λ: Array) -> Array:
        return self.of.value(_by_state(λ))

    def gradient(self, λ: Array) -> Array:
        return self.of.gradient(_by_state(λ)) + 0 * λ

    def curvature(self, λ: Array, x: Array) -> Array:
        return self.of.curvature(_by_state(λ), _by_state(x)) + 0 * x


@dataclass(frozen=True, eq=False)
class OfReturns(Changeable):
    """F(λ) = f(⟨r_1, λ⟩, ..., ⟨r_M, λ⟩) for rewards (..., M, S, A) and a scalarisation f."""

    rewards: Array
    f: Any

    def value(self, λ: Array) -> Array:
        return self.f.value(self.returns(λ))

    def gradient(self, λ: Array) -> Array:
        return _mixed(self.rewards, self.f.gradient(self.returns(λ)))

    def curvature(self, λ: Array, x: Array) -> Array:
        return _mixed(self.rewards, self.f.curvature(self.returns(λ), self.returns(x)))

    def returns(self, λ: Array) -> Array:
        """(⟨r_i, λ⟩)_i;  (..., S, A) -> (..., M)."""
        return total(self.rewards * λ[..., None, :, :], 2)


@dataclass(frozen=True, eq=False)
class Sum(Changeable):
    """F(λ) = Σ_i F_i(λ), for a tuple of utilities: a reward with a penalty, say."""

    parts: tuple[Any, ...]

    def value(self, λ: Array) -> Array:
        return _added([F.value(λ) for F in self.parts])

    def gradient(self, λ: Array) -> Array:
        return _added([F.gradient(λ) for F in self.parts])

    def curvature(self, λ: Array, x: Array) -> Array:
        return _added([F.curvature(λ, x) for F in self.parts])


def _added(terms: list[Array]) -> Array:
    out = terms[0]
    for x in terms[1:]:
        out = out + x
    return out


def _by_state(λ: Array) -> Array:
    return total(λ)[..., None]


def _mixed(rewards: Array, weights: Array) -> Array:
    # Σ_i w_i r_i(s, a);  (..., M, S, A) and (..., M) -> (..., S, A)
    products = weights[..., None, None] * rewards
    return products.sum(axis=-3) if is_exact(products) else namespace(products).sum(products, axis=-3)


def _times_log(μ: Array, x: Array) -> Array:
    # μ log x, and 0 where μ is exactly 0
    if is_exact(μ):
        zero = np.asarray(μ == 0, dtype=bool)
        return μ * log(np.where(zero, 1 + 0 * x, x))
    xp = namespace(μ)
    return μ * xp.log(xp.where(μ == 0, 1 + 0 * x, x))
