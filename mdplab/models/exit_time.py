"""Markov decision processes that end where the state leaves a region, or at a horizon, and pay where they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import EPS, Array, exact_distribution, floats, is_exact, largest, rational
from mdplab.errors import ModelError
from mdplab.models.discounted import _check_distributions, _check_finite


@dataclass(frozen=True, eq=False)
class ExitTimeMDP:
    """S states inside a region and E outside, at most N decisions, and a payoff g at the state where it ends.

    Parameters
    ----------
    P : array (..., S, A, S + E)
        ``P[..., x, a, y]`` is the probability that action a takes the inner state x to the state y; the first S states
        are inside, the others outside.
    payoff : array (..., S + E)
        g(X_τ), paid once, at τ = min(first time outside, N).
    horizon : int
        N, the largest number of decisions, at times i = 0, ..., N − 1.
    start : array (..., S), optional
        Start distribution over the inner states; uniform by default.

    Raises
    ------
    ModelError
        If shapes disagree, an entry is not finite, a row of `P` or `start` is no distribution, or the horizon is < 1.

    Notes
    -----
    The decision that causes the exit is the last one that counts.  Policies and logits are arrays (..., N, S, A), one
    row for each time.  Everything follows ``P``, as for `DiscountedMDP`.  The setting of :cite:`hamd2023`, tabular.
    """

    P: Array
    payoff: Array
    horizon: int
    start: Array = None

    def __post_init__(self) -> None:
        if self.P.ndim < 3 or 0 in self.P.shape[-3:] or self.P.shape[-1] < self.P.shape[-3]:
            raise ModelError(f"P has shape {tuple(self.P.shape)}; expected (..., S, A, S + E) with S, A >= 1")
        if not isinstance(self.horizon, int) or isinstance(self.horizon, bool) or self.horizon < 1:
            raise ModelError(f"horizon is {self.horizon!r}; expected an integer of at least 1")
        if tuple(self.payoff.shape) != (*self.batch, self.P.shape[-1]):
            found = f"payoff has shape {tuple(self.payoff.shape)}"
            raise ModelError(f"{found}; expected {(*self.batch, self.P.shape[-1])}, one number a state, inside or out")
        if self.start is None:
            one = 0 * self.P[..., 0, 0] + 1
            object.__setattr__(self, "start", one / self.S)
        if tuple(self.start.shape) != (*self.batch, self.S):
            raise ModelError(f"start has shape {tuple(self.start.shape)}; expected {(*self.batch, self.S)}")
        for name in ("P", "payoff", "start"):
            _check_finite(name, getattr(self, name))
        for name in ("P", "start"):
            _check_distributions(name, getattr(self, name))

    @property
    def S(self) -> int:
        """Number of states inside."""
        return int(self.P.shape[-3])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.P.shape[-2])

    @property
    def E(self) -> int:
        """Number of states outside."""
        return int(self.P.shape[-1]) - self.S

    @property
    def N(self) -> int:
        """The horizon."""
        return self.horizon

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.P.shape[:-3])

    @property
    def payoff_bound(self) -> Array:
        """G, the largest |g| of each model, (...)."""
        return largest(abs(self.payoff))

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off: (relative, for quantities free of cancellation; absolute, for differences).

        A recursion over N times, each a sum of at most (S + E) A terms, is off by less than N ((S + E) A + 4) u of its
        terms, and twice that for products of two; values are at most max |g|, second derivatives N² max |g|.
        """
        relative = 4 * self.N * ((self.S + self.E) * self.A + 8) * EPS / 2
        size = (1 + np.asarray(floats(self.payoff_bound))) * self.N**2
        return np.full(self.batch, relative), np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> ExitTimeMDP:
        """The same model with `f` applied to each array: a change of arithmetic or device."""
        return ExitTimeMDP(f(self.P), f(self.payoff), self.horizon, f(self.start))

    def __getitem__(self, index: Any) -> ExitTimeMDP:
        """Part of a batch, by any index of its leading axes."""
        return self.map(lambda x: x[index])

    def starting(self, start: Array) -> ExitTimeMDP:
        """The same model with another start distribution (..., S)."""
        return ExitTimeMDP(self.P, self.payoff, self.horizon, start)

    def exact(self) -> ExitTimeMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        payoff = rational(floats(self.payoff))
        return ExitTimeMDP(exact_distribution(self.P), payoff, self.horizon, exact_distribution(self.start))

    def floats(self) -> ExitTimeMDP:
        """The same model in float64 on the CPU."""
        return self.map(floats)
