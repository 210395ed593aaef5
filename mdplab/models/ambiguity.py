"""What the transition kernel of a robust model may be: sets of kernels around the nominal one, one class each.

`rectangular` says how far the adversary's choices hang together: "pairs" where each state and action has a set of its
own ((s,a)-rectangular), "states" where each state has one for all its actions (s-rectangular), and "no" otherwise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from mdplab.arrays import Array, exact_distribution, floats, is_exact, maximum, minimum, namespace, rational
from mdplab.errors import ModelError


class AmbiguitySet(ABC):
    """What all sets of kernels share: they are data, one or a batch, around a nominal kernel that the model holds."""

    rectangular = "pairs"
    axes: dict[str, int] = {}  # how many trailing axes each array has after those of the batch
    distributions: tuple[str, ...] = ()  # arrays whose rows are distributions

    def __post_init__(self) -> None:
        for name, n in self.axes.items():
            x = getattr(self, name)
            if not hasattr(x, "ndim"):  # one number, for a set without batch
                x = np.asarray(x, dtype=object if is_exact(x) else float)
                object.__setattr__(self, name, x)
            if x.ndim < n:
                raise ModelError(f"{name} has shape {tuple(x.shape)}; expected {n} axes after those of the batch")
            _check_entries(name, x, positive=name not in self.signed)

    signed: tuple[str, ...] = ()  # arrays whose entries may be negative

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one set."""
        name, n = next(iter(self.axes.items()))
        shape = tuple(getattr(self, name).shape)
        return shape[: len(shape) - n]

    def map(self, f: Callable[[Array], Array]) -> Self:
        """The same set with `f` applied to each of its arrays."""
        return self._with({name: f(getattr(self, name)) for name in self.axes})

    def __getitem__(self, index: Any) -> Self:
        """Part of a batch, by any index of its leading axes."""
        return self._with({name: getattr(self, name)[index] for name in self.axes})

    def exact(self) -> Self:
        """The same set in rationals."""
        return self._with({name: self._exactly(name) for name in self.axes})

    def floats(self) -> Self:
        """The same set in float64 on the CPU."""
        return self.map(floats)

    def around(self, P: Array) -> Self:
        """The same set, made to hold the nominal kernel again after that was rounded."""
        return self

    def check(self, S: int, A: int, batch: tuple[int, ...]) -> None:
        """Raise ModelError unless the arrays fit a model of that size."""
        for name, trailing in self.shapes(S, A).items():
            found = tuple(getattr(self, name).shape)
            if found != (*batch, *trailing):
                raise ModelError(f"{type(self).__name__}.{name} has shape {found}; expected {(*batch, *trailing)}")

    @abstractmethod
    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        """Shape of each array after the axes of the batch."""

    def _exactly(self, name: str) -> Array:
        x = getattr(self, name)
        if is_exact(x):
            return x
        return exact_distribution(x) if name in self.distributions else rational(floats(x))

    def _with(self, arrays: dict[str, Array]) -> Self:
        return type(self)(**({f.name: getattr(self, f.name) for f in fields(self)} | arrays))  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class L1Ball(AmbiguitySet):
    """Σ_t |p(t | s, a) − P(t | s, a)| <= budget[..., s, a] for each pair.

    Parameters
    ----------
    budget : array (..., S, A)
        Radius κ, at least 0; from 2 on it allows every distribution.
    beyond_support : bool
        Whether p may reach states that the nominal kernel does not; by default it may not.
    """

    budget: Array
    beyond_support: bool = False

    axes = {"budget": 2}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"budget": (S, A)}


@dataclass(frozen=True, eq=False)
class StateL1Ball(AmbiguitySet):
    """Σ_a Σ_t |p(t | s, a) − P(t | s, a)| <= budget[..., s] for each state, on the nominal successors.

    Parameters
    ----------
    budget : array (..., S)
        Radius κ that the actions of a state share.
    """

    budget: Array

    rectangular = "states"
    axes = {"budget": 1}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"budget": (S,)}


@dataclass(frozen=True, eq=False)
class LInfBall(AmbiguitySet):
    """max_t |p(t | s, a) − P(t | s, a)| <= budget[..., s, a] for each pair; other fields as of `L1Ball`."""

    budget: Array
    beyond_support: bool = False

    axes = {"budget": 2}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"budget": (S, A)}


@dataclass(frozen=True, eq=False)
class Box(AmbiguitySet):
    """low[..., s, a, t] <= p(t | s, a) <= high[..., s, a, t]: an interval Markov decision process.

    The nominal kernel of the model must lie between them; it plays no other part.
    """

    low: Array
    high: Array

    axes = {"low": 3, "high": 3}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"low": (S, A, S), "high": (S, A, S)}

    def around(self, P: Array) -> Box:
        return Box(minimum(self.low, P), maximum(self.high, P))


@dataclass(frozen=True, eq=False)
class KLBall(AmbiguitySet):
    """KL(p(· | s, a) ‖ P(· | s, a)) <= budget[..., s, a] for each pair, in nats."""

    budget: Array

    axes = {"budget": 2}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"budget": (S, A)}


@dataclass(frozen=True, eq=False)
class ChiSquareBall(AmbiguitySet):
    """Σ_t (p(t | s, a) − P(t | s, a))² / P(t | s, a) <= budget[..., s, a] for each pair, on the nominal successors."""

    budget: Array

    axes = {"budget": 2}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"budget": (S, A)}


@dataclass(frozen=True, eq=False)
class WassersteinBall(AmbiguitySet):
    """Moving P(· | s, a) to p costs at most budget[..., s, a], a unit of mass from t to u for distance[..., t, u].

    Any state can be reached.  Distances are positive between different states and zero from a state to itself.
    """

    budget: Array
    distance: Array

    axes = {"budget": 2, "distance": 2}

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"budget": (S, A), "distance": (S, S)}

    def check(self, S: int, A: int, batch: tuple[int, ...]) -> None:
        super().check(S, A, batch)
        here = np.eye(S, dtype=bool)
        if (wrong := (floats(self.distance) > 0) == here).any():
            t, u = np.argwhere(wrong.reshape(-1, S, S))[0][1:]
            found = floats(self.distance).reshape(-1, S, S)[:, t, u]
            raise ModelError(f"distance[{t}, {u}] is {found[0]:g}; expected {'0' if t == u else 'more than 0'}")


@dataclass(frozen=True, eq=False)
class Segments(AmbiguitySet):
    """p(· | s, a) = (1 − u) P(· | s, a) + u other(· | s, a), with one u in [0, 1] for each pair."""

    other: Array

    axes = {"other": 3}
    distributions = ("other",)

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"other": (S, A, S)}


@dataclass(frozen=True, eq=False)
class StateSegments(AmbiguitySet):
    """p(· | s, a) = (1 − u) P(· | s, a) + u other(· | s, a), with one u in [0, 1] for each state."""

    other: Array

    rectangular = "states"
    axes = {"other": 3}
    distributions = ("other",)

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"other": (S, A, S)}


@dataclass(frozen=True, eq=False)
class FiniteSet(AmbiguitySet):
    """One of finitely many kernels: the nominal one, or others[..., i, s, a, t].  Neither rectangular nor convex."""

    others: Array

    rectangular = "no"
    axes = {"others": 4}
    distributions = ("others",)

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        return {"others": (self.others.shape[-4], S, A, S)}


@dataclass(frozen=True, eq=False)
class TiltedKernels(AmbiguitySet):
    """p(t | s, a) ∝ P(t | s, a) exp(θ'φ(t) / λ'ψ(s, a)), θ and λ in L1 balls: parametric kernels (:cite:`wang2023`).

    Parameters
    ----------
    state_features : array (..., d, S)
        φ.
    pair_features : array (..., e, S, A)
        ψ; where λ'ψ(s, a) changes sign within the ball the kernel is not continuous, and no promise is made.
    θ_centre, λ_centre : array (..., d), (..., e)
    θ_budget, λ_budget : array (...,)
        ‖θ − θ_centre‖₁ and ‖λ − λ_centre‖₁ are at most these; entries of λ are at least 1e-5.
    """

    state_features: Array
    pair_features: Array
    θ_centre: Array
    λ_centre: Array
    θ_budget: Array
    λ_budget: Array

    rectangular = "no"
    axes = {
        "state_features": 2,
        "pair_features": 3,
        "θ_centre": 1,
        "λ_centre": 1,
        "θ_budget": 0,
        "λ_budget": 0,
    }
    signed = ("state_features", "pair_features", "θ_centre", "λ_centre")

    def shapes(self, S: int, A: int) -> dict[str, tuple[int, ...]]:
        d, e = self.θ_centre.shape[-1], self.λ_centre.shape[-1]
        return {
            "state_features": (d, S),
            "pair_features": (e, S, A),
            "θ_centre": (d,),
            "λ_centre": (e,),
            "θ_budget": (),
            "λ_budget": (),
        }


def _check_entries(name: str, x: Array, *, positive: bool) -> None:
    xp = namespace(x)
    bad = np.zeros(x.shape, dtype=bool) if is_exact(x) else ~xp.isfinite(x)
    if positive:
        bad = bad | ~(x >= 0)
    if xp.any(bad):
        index = np.unravel_index(int(np.argmax(floats(bad))), tuple(x.shape))
        where = f"{name}{[int(i) for i in index]}" if index else name
        raise ModelError(
            f"{where} is {x[tuple(index)]}; expected a finite number{' of at least 0' if positive else ''}"
        )
