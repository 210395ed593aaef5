"""Discounted models with costs whose transition kernel is chosen by an adversary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import EPS, Array, exact_distribution, expand, floats, is_exact, largest, rational, total
from mdplab.errors import ModelError
from mdplab.models.ambiguity import AmbiguitySet
from mdplab.models.discounted import DiscountedMDP


@dataclass(frozen=True, eq=False)
class RobustMDP:
    """A robust Markov decision process with costs: a policy pays the most that any kernel of a set makes it pay.

    Costs, not rewards: the agent minimises what the adversary maximises.  For rewards r take c = −r (see `robust`);
    values are then negated too.

    Parameters
    ----------
    P : array (..., S, A, S)
        Nominal kernel.
    c : array (..., S, A, S) or (..., S, A)
        Cost of a transition, ``c[..., s, a, t]``, or of an action; its unit is the unit of every value.
    discount : number or array (...,) in [0, 1)
        γ, one for the batch or one for each of its models.
    ambiguity : AmbiguitySet
        Which kernels the adversary may choose (see `mdplab.models.ambiguity`), once and for all.
    start : array (..., S), optional
        Start distribution ρ; uniform over the states by default.

    Raises
    ------
    ModelError
        As for `DiscountedMDP`, and if the shapes of the set do not fit.

    References
    ----------
    :cite:`iyengar2005`; :cite:`wiesemann2013` for s-rectangular sets.
    """

    P: Array
    c: Array
    discount: Any
    ambiguity: AmbiguitySet
    start: Array = None

    def __post_init__(self) -> None:
        if not isinstance(self.ambiguity, AmbiguitySet):
            raise ModelError(f"ambiguity is {type(self.ambiguity).__name__}; expected an AmbiguitySet such as L1Ball")
        P, c = tuple(self.P.shape), tuple(self.c.shape)
        if len(P) < 3 or 0 in P or P[-1] != P[-3] or c not in (P, P[:-1]):
            raise ModelError(
                f"P has shape {P} and c has {c}; expected (..., S, A, S), for c also without its last axis"
            )
        # The discounted model of the nominal kernel checks everything that it has too.
        nominal = self.under_kernel(self.P)
        object.__setattr__(self, "start", nominal.start)
        self.ambiguity.check(self.S, self.A, self.batch)

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.P.shape[-1])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.P.shape[-2])

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.P.shape[:-3])

    @property
    def by_transition(self) -> bool:
        """Whether costs depend on the next state."""
        return bool(self.c.ndim == self.P.ndim)

    def γ(self, axes: int) -> Any:
        """The discount with `axes` trailing axes of length one, ready to multiply an array [..., *model]."""
        return expand(self.discount, axes)

    def targets(self, v: Array) -> Array:
        """z(s, a, t) = c(s, a, t) + γ v(t), what the adversary's choice of t is worth;  (..., S) -> (..., S, A, S)."""
        c = self.c if self.by_transition else self.c[..., None]
        return c + self.γ(3) * v[..., None, None, :]

    def costs(self, p: Array) -> Array:
        """Expected cost of each pair under the kernel p;  (..., S, A, S) -> (..., S, A)."""
        return total(p * self.c) if self.by_transition else self.c + 0 * p[..., 0]

    def under(self, π: Array, p: Array) -> tuple[Array, Array]:
        """Transition matrix (..., S, S) and cost (..., S) of the chain that policy π and kernel p make."""
        return (π[..., None, :] @ p)[..., 0, :], total(π * self.costs(p))

    def under_kernel(self, p: Array) -> DiscountedMDP:
        """The discounted model that remains once the adversary has chosen p; its reward is minus the cost."""
        return DiscountedMDP(p, -self.costs(p), self.discount, self.start)

    @property
    def cost_bound(self) -> Array:
        """max |c| of each model;  (...)."""
        return largest(abs(self.c), 3 if self.by_transition else 2)

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off: (relative, absolute), as for `DiscountedMDP`.

        Once for the values of a policy under a kernel, and once more because the adversary's choice between kernels
        whose values are closer than that may go either way.
        """
        γ, u = np.asarray(floats(self.discount)), EPS / 2
        relative = 8 * (6 * self.S * (1 + γ) / (1 - γ) + self.S * self.A) * u
        size = (1 + np.asarray(floats(self.cost_bound))) / (1 - γ) ** 2
        return np.broadcast_to(relative, self.batch), np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> RobustMDP:
        """The same model with `f` applied to each array and the discount: a change of arithmetic or device."""
        return RobustMDP(f(self.P), f(self.c), f(self.discount), self.ambiguity.map(f), f(self.start))

    def __getitem__(self, index: Any) -> RobustMDP:
        """Part of a batch, by any index of its leading axes."""
        discount = self.discount[index] if getattr(self.discount, "shape", ()) else self.discount
        return RobustMDP(self.P[index], self.c[index], discount, self.ambiguity[index], self.start[index])

    def with_ambiguity(self, ambiguity: AmbiguitySet) -> RobustMDP:
        """The same nominal model with another set of kernels."""
        return RobustMDP(self.P, self.c, self.discount, ambiguity, self.start)

    def starting(self, start: Array) -> RobustMDP:
        """The same model with another start distribution (..., S)."""
        return RobustMDP(self.P, self.c, self.discount, self.ambiguity, start)

    def exact(self) -> RobustMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        γ, P = rational(floats(self.discount)), exact_distribution(self.P)
        return RobustMDP(
            P,
            rational(floats(self.c)),
            γ if γ.shape else γ[()],
            self.ambiguity.exact().around(P),
            exact_distribution(self.start),
        )

    def floats(self) -> RobustMDP:
        """The same model in float64 on the CPU."""
        γ = floats(self.discount)
        return RobustMDP(
            floats(self.P), floats(self.c), γ if γ.shape else float(γ), self.ambiguity.floats(), floats(self.start)
        )


def robust(mdp: DiscountedMDP, ambiguity: AmbiguitySet) -> RobustMDP:
    """The robust model around `mdp`, with cost −r."""
    return RobustMDP(mdp.P, -mdp.r, mdp.discount, ambiguity, mdp.start)
