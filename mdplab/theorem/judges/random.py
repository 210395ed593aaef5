"""Claims about expectations and probabilities: what the judge must know of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from mdplab.errors import TheoremError
from mdplab.theorem.quantity import Quantity

REPLICATES = 2**15


@dataclass(frozen=True, eq=False)
class InExpectation:
    """The claim holds with each random quantity replaced by its expectation.

    Attributes
    ----------
    within : dict of Quantity to (low, high), or to None
        The random quantities, each with expressions that bound it on every outcome; without them nothing is raced.
    index : Quantity or None
        What numbers the bindings; the claim is about each.
    up_to, exactly_up_to : int
        Last index when sampled, and in exact arithmetic where the outcomes can be enumerated.
    replicates : int
        Most replicates of one instance in the default profile.
    """

    within: dict[Quantity, tuple[Any, Any] | None]
    index: Quantity | None
    up_to: int
    exactly_up_to: int
    replicates: int

    @property
    def can_be_raced(self) -> bool:
        """Whether sampling can decide it: every random quantity has bounds."""
        return all(bounds is not None for bounds in self.within.values())


@dataclass(frozen=True, eq=False)
class WithProbability:
    """All bindings of one replicate satisfy the claim, jointly, with at least that probability.

    Attributes
    ----------
    probability : expression in constant quantities
        Such as 1 − δ.
    index, up_to, replicates : as for `InExpectation`
    """

    probability: Any
    index: Quantity | None
    up_to: int
    replicates: int
    exactly_up_to: int = 0
    can_be_raced: bool = True


def in_expectation(
    within: Mapping[Quantity, tuple[Any, Any]] | Iterable[Quantity],
    *,
    index: Quantity | None = None,
    up_to: int = 10**9,
    exactly_up_to: int | None = None,
    replicates: int = REPLICATES,
) -> InExpectation:
    """Judge ``E smaller <= E larger`` at every binding.

    The measure takes a parameter named `draws` and yields the random quantities with one entry a replicate; all
    others are the same for all replicates.  Where it draws once and the outcomes can be listed, their expectation is
    computed exactly; elsewhere a race of e-processes decides.

    Parameters
    ----------
    within : dict of Quantity to (low, high), or the random quantities alone
        Bounds of each random quantity on every outcome: numbers or expressions in other quantities.  They decide how
        many replicates it takes; a claim that they imply says nothing.  Without bounds, as for identities, which no
        sample can confirm, the claim is checked only where the outcomes can be enumerated.
    """
    _check_replicates(replicates)
    bounds: dict[Quantity, tuple[Any, Any] | None] = dict.fromkeys(within)
    if isinstance(within, Mapping):
        bounds = {q: (sympy.sympify(low), sympy.sympify(high)) for q, (low, high) in within.items()}
    exactly = min(up_to, 12) if exactly_up_to is None else exactly_up_to
    return InExpectation(bounds, index, up_to, exactly, replicates)


def with_probability(
    probability: Any, *, jointly: Quantity | None = None, up_to: int = 10**9, replicates: int = REPLICATES
) -> WithProbability:
    """Judge ``P(smaller <= larger at every binding) >= probability``: one success or failure a replicate, and the race.

    `jointly` is what numbers the bindings of a replicate, which must hold all at once.
    """
    _check_replicates(replicates)
    return WithProbability(sympy.sympify(probability), jointly, up_to, replicates)


def _check_replicates(replicates: int) -> None:
    if replicates < 1:
        raise TheoremError(f"replicates is {replicates}; a race takes at least 1")
