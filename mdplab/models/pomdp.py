"""Partially observable Markov decision processes, one or a batch of equal size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import EPS, Array, exact_distribution, expand, floats, is_exact, largest, namespace, rational
from mdplab.errors import ModelError
from mdplab.models.discounted import DiscountedMDP, _check_distributions, _check_finite


@dataclass(frozen=True, eq=False)
class POMDP:
    """A finite partially observable Markov decision process, or a batch of them.

    Parameters
    ----------
    P : array (..., S, A, S)
        ``P[..., s, a, t]`` is the probability that action a takes state s to state t.
    Z : array (..., A, S, O)
        ``Z[..., a, t, o]`` is the probability to observe o after action a has led to state t.
    r : array (..., S, A)
        Expected one-step reward.
    discount : number or array (...,) in [0, 1]
        γ; with γ = 1 only finite horizons have a value.
    start : array (..., S), optional
        Distribution of the first state; uniform by default.
    first : array (..., S, O), optional
        Distribution of an observation made before the first action.  Without it the first action is taken knowing
        `start` only, as in Cassandra's file format.

    Raises
    ------
    ModelError
        If shapes disagree, an entry is not finite, a row is no distribution, or γ is not in [0, 1].

    Notes
    -----
    Setting of :cite:`kaelbling1998`.  Everything follows ``P``, as for `DiscountedMDP`.
    """

    P: Array
    Z: Array
    r: Array
    discount: Any
    start: Array = None
    first: Array = None

    def __post_init__(self) -> None:
        if self.r.ndim < 2 or self.r.shape[-2] == 0 or self.r.shape[-1] == 0:
            raise ModelError(f"r has shape {self.r.shape}; a reward array has shape (..., S, A) with S, A >= 1")
        if self.Z.ndim < 3 or self.Z.shape[-1] == 0:
            raise ModelError(f"Z has shape {tuple(self.Z.shape)}; observations have shape (..., A, S, O) with O >= 1")
        if self.start is None:
            uniform = DiscountedMDP(self.P, self.r, self.discount * 0).start
            object.__setattr__(self, "start", uniform)
        S, A, O, batch = self.S, self.A, self.O, self.batch  # noqa: E741
        shapes = {"P": (S, A, S), "Z": (A, S, O), "start": (S,), "first": (S, O)}
        for name, shape in shapes.items():
            x = getattr(self, name)
            if x is not None and tuple(x.shape) != (*batch, *shape):
                raise ModelError(f"{name} has shape {tuple(x.shape)}; expected {(*batch, *shape)}")
        if getattr(self.discount, "shape", ()) not in ((), batch):
            raise ModelError(f"discount has shape {self.discount.shape}; expected one number or shape {batch}")
        for index in np.ndindex(getattr(self.discount, "shape", ())):
            γ = self.discount[index] if index else self.discount
            if not (γ >= 0 and γ <= 1):
                raise ModelError(f"discount{list(index) or ''} is {γ}; expected 0 <= discount <= 1")
        for name in ("r", "P", "Z", "start", "first"):
            if getattr(self, name) is not None:
                _check_finite(name, getattr(self, name))
                if name != "r":
                    _check_distributions(name, getattr(self, name))

    @classmethod
    def emitting(cls, P: Array, E: Array, r: Array, discount: Any, start: Array = None) -> POMDP:
        """The model in which each state, the first one too, emits an observation from E (..., S, O) before one acts."""
        A = r.shape[-1]
        xp = namespace(E)
        return cls(P, xp.stack([E] * A, axis=-3), r, discount, start, E)

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.r.shape[-2])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r.shape[-1])

    @property
    def O(self) -> int:  # noqa: E743
        """Number of observations."""
        return int(self.Z.shape[-1])

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.r.shape[:-2])

    def γ(self, axes: int) -> Any:
        """The discount with `axes` trailing axes of length one, ready to multiply an array [..., *model]."""
        return expand(self.discount, axes)

    @property
    def emission(self) -> Array:
        """E(o | s) (..., S, O), for models whose observations depend on the state alone, from the first on.

        Raises ModelError for others.
        """
        E = self.first
        if E is None:
            raise ModelError("first is missing; a policy that acts on an observation needs one before its first action")
        off = abs(self.Z - E[..., None, :, :])
        bad = np.asarray(floats(off)) > 0
        if bad.any():
            a, t, o = np.unravel_index(
                int(bad.reshape(-1, self.A, self.S, self.O).any(axis=0).argmax()), bad.shape[-3:]
            )
            raise ModelError(f"Z[{a}, {t}, {o}] differs from first[{t}, {o}]; expected observations of the state alone")
        return E

    @property
    def hidden(self) -> DiscountedMDP:
        """The discounted model of one who sees the states; raises ModelError where γ = 1."""
        return DiscountedMDP(self.P, self.r, self.discount, self.start)

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off: (relative, for quantities free of cancellation; absolute, for differences).

        As for `DiscountedMDP`, for chains on pairs of a state and one of up to eight memory states; sums over
        observations add O u.  Where γ = 1, for horizons up to 64.
        """
        γ, u, n = np.asarray(floats(self.discount)), EPS / 2, 8 * self.S
        horizon = np.minimum(1 / np.maximum(1 - γ, 2.0**-52), np.where(γ < 1, np.inf, 64.0))
        relative = 4 * (6 * n * (1 + γ) * horizon + n * self.A * self.O) * u
        size = (1 + np.asarray(floats(largest(abs(self.r), 2)))) * horizon**2
        return np.broadcast_to(relative, self.batch), np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> POMDP:
        """The same model with `f` applied to each array and the discount: a change of arithmetic or device."""
        first = None if self.first is None else f(self.first)
        return POMDP(f(self.P), f(self.Z), f(self.r), f(self.discount), f(self.start), first)

    def __getitem__(self, index: Any) -> POMDP:
        """Part of a batch, by any index of its leading axes."""
        γ = self.discount[index] if getattr(self.discount, "shape", ()) else self.discount
        first = None if self.first is None else self.first[index]
        return POMDP(self.P[index], self.Z[index], self.r[index], γ, self.start[index], first)

    def starting(self, start: Array) -> POMDP:
        """The same model with another start distribution (..., S)."""
        return POMDP(self.P, self.Z, self.r, self.discount, start, self.first)

    def exact(self) -> POMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        γ = rational(floats(self.discount))
        first = None if self.first is None else exact_distribution(self.first)
        return POMDP(
            exact_distribution(self.P),
            exact_distribution(self.Z),
            rational(floats(self.r)),
            γ if γ.shape else γ[()],
            exact_distribution(self.start),
            first,
        )

    def floats(self) -> POMDP:
        """The same model in float64 on the CPU."""
        return self.map(lambda x: float(floats(x)) if getattr(x, "shape", ()) == () else floats(x))
