"""Finite Markov decision processes with several discounted rewards at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, expand, floats, is_exact, namespace, rational, sup
from mdplab.errors import ModelError
from mdplab.models.discounted import DiscountedMDP, _check_finite


@dataclass(frozen=True, eq=False)
class MultiObjectiveMDP:
    """A Markov decision process with rewards r_1, ..., r_M and the vector of returns J(π) ∈ R^M, or a batch of them.

    Parameters
    ----------
    P : array (..., S, A, S)
        ``P[..., s, a, t]`` is the probability that action a takes state s to state t.
    rewards : array (..., M, S, A)
        Expected one-step reward of each objective, M >= 1; each may have a unit of its own.
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
    The setting is that of :cite:`roijers2013`; J_i(π) = E Σ_t γ^t r_i(s_t, a_t), not normalised.
    """

    P: Array
    rewards: Array
    discount: Any
    start: Array = None

    def __post_init__(self) -> None:
        found = tuple(self.rewards.shape)
        if len(found) < 3 or 0 in found[-3:]:
            raise ModelError(f"rewards has shape {found}; expected (..., M, S, A) with M, S, A >= 1")
        object.__setattr__(self, "start", self.mdp.start)
        _check_finite("rewards", self.rewards)

    @cached_property
    def mdp(self) -> DiscountedMDP:
        """The model with the first objective as its only reward."""
        return DiscountedMDP(self.P, self.rewards[..., 0, :, :], self.discount, self.start)

    def weighted(self, weights: Array) -> DiscountedMDP:
        """The model with the one reward Σ_i w_i r_i;  weights (..., M)."""
        products = weights[..., None, None] * self.rewards
        r = products.sum(axis=-3) if is_exact(products) else namespace(products).sum(products, axis=-3)
        return DiscountedMDP(self.P, r, self.discount, self.start)

    @property
    def M(self) -> int:
        """Number of objectives."""
        return int(self.rewards.shape[-3])

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.rewards.shape[-2])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.rewards.shape[-1])

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.rewards.shape[:-3])

    def γ(self, axes: int) -> Any:
        """The discount with `axes` trailing axes of length one, ready to multiply an array [..., *model]."""
        return expand(self.discount, axes)

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off, as in `DiscountedMDP.rounding`; the largest of all rewards counts."""
        γ, (relative, _) = np.asarray(floats(self.discount)), self.mdp.rounding
        size = (1 + np.asarray(floats(sup(self.rewards, 3)))) / (1 - γ) ** 2
        return relative, np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> MultiObjectiveMDP:
        """The same model with `f` applied to each array and the discount: a change of arithmetic or device."""
        return MultiObjectiveMDP(f(self.P), f(self.rewards), f(self.discount), f(self.start))

    def __getitem__(self, index: Any) -> MultiObjectiveMDP:
        """Part of a batch, by any index of its leading axes."""
        discount = self.discount[index] if getattr(self.discount, "shape", ()) else self.discount
        return MultiObjectiveMDP(self.P[index], self.rewards[index], discount, self.start[index])

    def starting(self, start: Array) -> MultiObjectiveMDP:
        """The same model with another start distribution (..., S)."""
        return MultiObjectiveMDP(self.P, self.rewards, self.discount, start)

    def exact(self) -> MultiObjectiveMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        γ = rational(floats(self.discount))
        rewards = rational(floats(self.rewards))
        return MultiObjectiveMDP(
            exact_distribution(self.P), rewards, γ if γ.shape else γ[()], exact_distribution(self.start)
        )

    def floats(self) -> MultiObjectiveMDP:
        """The same model in float64 on the CPU."""
        return self.map(lambda x: float(floats(x)) if getattr(x, "shape", ()) == () else floats(x))
