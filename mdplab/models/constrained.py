"""Finite Markov decision processes with discounted reward and constraints on discounted utilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, expand, floats, is_exact, namespace, rational, sup, total
from mdplab.errors import ModelError
from mdplab.models.discounted import DiscountedMDP, _check_finite


@dataclass(frozen=True, eq=False)
class ConstrainedMDP:
    """Maximise V_r^π(μ) subject to V_{u_i}^π(μ) >= b_i for i = 1, ..., I; one such problem or a batch of them.

    Parameters
    ----------
    P : array (..., S, A, S)
        ``P[..., s, a, t]`` is the probability that action a takes state s to state t.
    r : array (..., S, A)
        Expected one-step reward.
    utilities : array (..., I, S, A)
        u_i(s, a), expected one-step utilities, I >= 1; a cost is a negative utility, see `with_costs`.
    least : array (..., I)
        b_i, the least discounted sum of each utility that is allowed, in the unit of values (not times 1 − γ).
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
    The setting is that of :cite:`altman1999`.  Whether any policy meets the constraints is not checked here, see
    `mdplab.exact.slater`.
    """

    P: Array
    r: Array
    utilities: Array
    least: Array
    discount: Any
    start: Array = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.mdp.start)
        found = tuple(getattr(self.utilities, "shape", ()))
        if len(found) != self.r.ndim + 1 or found[:-3] != self.batch or found[-2:] != (self.S, self.A) or not found[-3]:
            expected = f"{(*self.batch, 'I', self.S, self.A)} with I >= 1"
            raise ModelError(f"utilities has shape {found}; r of shape {tuple(self.r.shape)} calls for {expected}")
        if tuple(getattr(self.least, "shape", ())) != (*self.batch, self.I):
            shape = tuple(getattr(self.least, "shape", ()))
            raise ModelError(f"least has shape {shape}; expected {(*self.batch, self.I)}, one number a utility")
        for name in ("utilities", "least"):
            _check_finite(name, getattr(self, name))

    @cached_property
    def mdp(self) -> DiscountedMDP:
        """The problem without its constraints."""
        return DiscountedMDP(self.P, self.r, self.discount, self.start)

    def rewarded(self, r: Array) -> DiscountedMDP:
        """The dynamics and the start with another reward (..., S, A)."""
        return DiscountedMDP(self.P, r, self.discount, self.start)

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.r.shape[-2])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r.shape[-1])

    @property
    def I(self) -> int:  # noqa: E743
        """Number of constraints."""
        return int(self.utilities.shape[-3])

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.r.shape[:-2])

    def γ(self, axes: int) -> Any:
        """The discount with `axes` trailing axes of length one, ready to multiply an array [..., *model]."""
        return expand(self.discount, axes)

    @cached_property
    def payoffs(self) -> Array:
        """Reward and utilities in one array (..., 1 + I, S, A), the reward first."""
        xp = np if is_exact(self.P) else namespace(self.P)
        return xp.concat([self.r[..., None, :, :], self.utilities], axis=-3)

    def mixed(self, multipliers: Array) -> Array:
        """r + Σ_i λ_i u_i, the reward of the Lagrangian;  (..., I) -> (..., S, A)."""
        return self.r + total(multipliers[..., None, None, :] * _last(self.utilities))

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off, as in `DiscountedMDP.rounding`; the largest of reward and utilities counts."""
        γ = np.asarray(floats(self.discount))
        relative, _ = self.mdp.rounding
        size = (1 + np.asarray(floats(sup(self.payoffs, 3))) + np.asarray(floats(sup(self.least)))) / (1 - γ) ** 2
        return relative, np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> ConstrainedMDP:
        """The same model with `f` applied to each array and the discount: a change of arithmetic or device."""
        return ConstrainedMDP(f(self.P), f(self.r), f(self.utilities), f(self.least), f(self.discount), f(self.start))

    def __getitem__(self, index: Any) -> ConstrainedMDP:
        """Part of a batch, by any index of its leading axes."""
        discount = self.discount[index] if getattr(self.discount, "shape", ()) else self.discount
        return ConstrainedMDP(
            self.P[index], self.r[index], self.utilities[index], self.least[index], discount, self.start[index]
        )

    def starting(self, start: Array) -> ConstrainedMDP:
        """The same model with another start distribution (..., S); the bounds stay as they are."""
        return ConstrainedMDP(self.P, self.r, self.utilities, self.least, self.discount, start)

    def exact(self) -> ConstrainedMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        γ = rational(floats(self.discount))
        return ConstrainedMDP(
            exact_distribution(self.P),
            rational(floats(self.r)),
            rational(floats(self.utilities)),
            rational(floats(self.least)),
            γ if γ.shape else γ[()],
            exact_distribution(self.start),
        )

    def floats(self) -> ConstrainedMDP:
        """The same model in float64 on the CPU."""
        return self.map(lambda x: float(floats(x)) if getattr(x, "shape", ()) == () else floats(x))


def with_costs(
    P: Array, r: Array, costs: Array, most: Array, discount: Any, start: Array | None = None
) -> ConstrainedMDP:
    """The problem with V_{c_i}^π(μ) <= d_i for all i: utilities −c_i (..., I, S, A) and least values −d_i (..., I)."""
    return ConstrainedMDP(P, r, -costs, -most, discount, start)


def _last(x: Array) -> Array:
    """The axis of the utilities moved to the end;  (..., I, S, A) -> (..., S, A, I)."""
    return np.moveaxis(x, -3, -1) if is_exact(x) else namespace(x).moveaxis(x, -3, -1)
