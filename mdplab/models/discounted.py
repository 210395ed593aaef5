"""Finite Markov decision processes with discounted reward, one or a batch of equal size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import (
    EPS,
    Array,
    exact_distribution,
    expand,
    floats,
    is_exact,
    largest,
    namespace,
    rational,
    smallest,
    total,
)
from mdplab.errors import ModelError


@dataclass(frozen=True, eq=False)
class DiscountedMDP:
    """A finite Markov decision process (S, A, P, r, γ, μ) with discounted reward, or a batch of them.

    Parameters
    ----------
    P : array (..., S, A, S)
        ``P[..., s, a, t]`` is the probability that action a takes state s to state t.
    r : array (..., S, A)
        Expected one-step reward; its unit is the unit of every value computed from the model.
    discount : number or array (...,) in [0, 1)
        γ, one for the batch or one for each of its models.
    start : array (..., S), optional
        Start distribution μ; uniform over the states by default.

    Raises
    ------
    ModelError
        If shapes disagree, an entry is not finite, a row of `P` or `start` is no distribution, or γ is not in [0, 1).

    Notes
    -----
    Batch axes come first and may be absent.  Everything follows ``P``: float64 on NumPy or CuPy, or exact rationals
    and balls in a NumPy object array.  Setting and notation are those of :cite:`puterman1994`, Chapter 6.
    """

    P: Array
    r: Array
    discount: Any
    start: Array = None

    def __post_init__(self) -> None:
        if self.r.ndim < 2 or self.r.shape[-2] == 0 or self.r.shape[-1] == 0:
            raise ModelError(f"r has shape {self.r.shape}; a reward array has shape (..., S, A) with S, A >= 1")
        expected = (*self.r.shape, self.S)
        if tuple(self.P.shape) != expected:
            found = f"P has shape {tuple(self.P.shape)}"
            raise ModelError(f"{found}; r of shape {tuple(self.r.shape)} calls for {expected}")
        if self.start is None:
            object.__setattr__(self, "start", self._uniform())
        if tuple(self.start.shape) != (*self.batch, self.S):
            raise ModelError(f"start has shape {tuple(self.start.shape)}; expected {(*self.batch, self.S)}")
        if getattr(self.discount, "shape", ()) not in ((), self.batch):
            raise ModelError(f"discount has shape {self.discount.shape}; expected one number or shape {self.batch}")
        _check_discount(self.discount)
        for name in ("P", "r", "start"):
            _check_finite(name, getattr(self, name))
        for name in ("P", "start"):
            _check_distributions(name, getattr(self, name))

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.r.shape[-2])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r.shape[-1])

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.r.shape[:-2])

    def γ(self, axes: int) -> Any:
        """The discount with `axes` trailing axes of length one, ready to multiply an array [..., *model]."""
        return expand(self.discount, axes)

    def action_values(self, v: Array) -> Array:
        """q(s, a) = r(s, a) + γ Σ_t P(t | s, a) v(t);  (..., S) -> (..., S, A)."""
        return self.r + self.γ(2) * self.expected_next(v)

    def expected_next(self, v: Array) -> Array:
        """Σ_t P(t | s, a) v(t);  (..., S) -> (..., S, A)."""
        S, A = self.S, self.A
        reshape = namespace(self.P).reshape
        next_values = (reshape(self.P, (*self.batch, S * A, S)) @ v[..., None])[..., 0]
        return reshape(next_values, (*next_values.shape[:-1], S, A))  # v may have more batch axes than the model

    def bellman(self, v: Array) -> Array:
        """(T v)(s) = max_a q(s, a);  (..., S) -> (..., S)."""
        return largest(self.action_values(v))

    def under(self, π: Array) -> tuple[Array, Array]:
        """Transition matrix P_π (..., S, S) and reward r_π (..., S) of the Markov chain that π (..., S, A) makes."""
        return (π[..., None, :] @ self.P)[..., 0, :], total(π * self.r)

    @property
    def reward_range(self) -> Array:
        """(max − min of r) for each model of the batch; the span of all values is at most this over 1 − γ."""
        return largest(self.r, 2) - smallest(self.r, 2)

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off: (relative, for quantities free of cancellation; absolute, for differences).

        I − γP_π is row diagonally dominant with condition number at most (1 + γ) / (1 − γ), so elimination without
        growth solves it with a relative error below 6 S u (1 + γ) / (1 − γ) (Higham, Accuracy and Stability, Theorems
        9.3 and 9.9); sums over states and actions add S A u.  Values and gradients are at most max |r| / (1 − γ)².
        """
        γ, u = np.asarray(floats(self.discount)), EPS / 2
        relative = 4 * (6 * self.S * (1 + γ) / (1 - γ) + self.S * self.A) * u
        size = (1 + np.asarray(floats(largest(abs(self.r), 2)))) / (1 - γ) ** 2
        return np.broadcast_to(relative, self.batch), np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> DiscountedMDP:
        """The same model with `f` applied to each array and the discount: a change of arithmetic or device."""
        return DiscountedMDP(f(self.P), f(self.r), f(self.discount), f(self.start))

    def __getitem__(self, index: Any) -> DiscountedMDP:
        """Part of a batch, by any index of its leading axes."""
        discount = self.discount[index] if getattr(self.discount, "shape", ()) else self.discount
        return DiscountedMDP(self.P[index], self.r[index], discount, self.start[index])

    def starting(self, start: Array) -> DiscountedMDP:
        """The same model with another start distribution (..., S)."""
        return DiscountedMDP(self.P, self.r, self.discount, start)

    def exact(self) -> DiscountedMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        γ = rational(floats(self.discount))
        return DiscountedMDP(
            exact_distribution(self.P),
            rational(floats(self.r)),
            γ if γ.shape else γ[()],
            exact_distribution(self.start),
        )

    def floats(self) -> DiscountedMDP:
        """The same model in float64 on the CPU."""
        return self.map(lambda x: float(floats(x)) if getattr(x, "shape", ()) == () else floats(x))

    def _uniform(self) -> Array:
        if is_exact(self.P):
            return rational(np.full((*self.batch, self.S), 1, dtype=int)) / self.S
        xp = namespace(self.P)
        return xp.full((*self.batch, self.S), 1 / self.S, dtype=self.P.dtype, device=self.P.device)


def bandit(rewards: Array) -> DiscountedMDP:
    """The one-state problem with K arms, γ = 0 and mean rewards (..., K): a value is the expected reward of a pull."""
    r = rewards[..., None, :]
    one = r * 0 + 1
    return DiscountedMDP(one[..., None], r, rational(0)[()] if is_exact(r) else 0.0)


def _check_discount(discount: Any) -> None:
    for index in np.ndindex(getattr(discount, "shape", ())):
        γ = discount[index] if index else discount
        if not (γ >= 0 and γ < 1):  # written so that NaN is refused too
            where = f"discount{list(index)}" if index else "discount"
            raise ModelError(f"{where} is {γ}; discounting needs 0 <= discount < 1")


def _check_finite(name: str, x: Array) -> None:
    xp = namespace(x)
    bad = np.vectorize(_no_number, otypes=[bool])(x) if is_exact(x) else ~xp.isfinite(x)
    if xp.any(bad):
        index = _first(bad)
        raise ModelError(f"{name}{list(index)} is {_shown(x[index])}; expected a finite number")


def _no_number(y: Any) -> bool:
    return type(y).__name__ == "arb" and not y.is_finite()


def _check_distributions(name: str, x: Array) -> None:
    if is_exact(x):
        negative, sums = x < 0, x.sum(axis=-1)
        off = np.asarray(np.vectorize(lambda y: not (y == 1 or _overlaps_one(y)), otypes=[bool])(sums))
    else:
        xp = namespace(x)
        negative, sums = x < 0, xp.sum(x, axis=-1)
        off = xp.abs(sums - 1) > _row_slack(x)
    if negative.any() if is_exact(x) else namespace(x).any(negative):
        index = _first(negative)
        raise ModelError(f"{name}{list(index)} is {_shown(x[index])}; a probability is at least 0")
    if off.any() if is_exact(x) else namespace(x).any(off):
        index = _first(off)
        row = f"{name}{list(index)}" if index else name
        raise ModelError(f"{row} sums to {_shown(sums[index] if index else sums)}; a distribution sums to 1")


def _shown(y: Any) -> Any:
    return y if is_exact(y) else float(y)


def _overlaps_one(y: Any) -> bool:
    return type(y).__name__ == "arb" and y.overlaps(type(y)(1))


def _row_slack(x: Array) -> float:
    # Rows that were normalised in float32 or written to a file with 9 digits still count as distributions:
    # the slack is a float32 rounding a term, far below any mistake of a person and far above float64's own error.
    return max(x.shape[-1], 1) * EPS * 2**29


def _first(mask: Array) -> tuple[int, ...]:
    flat = int(np.argmax(floats(mask).reshape(-1)))
    return tuple(int(i) for i in np.unravel_index(flat, tuple(mask.shape)))
