"""What a parameter of a theorem ranges over: small exact draws, batches in float64, and one simplest value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import rational
from mdplab.errors import InstanceError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def check_sizes(**sizes: int) -> None:
    """Raise InstanceError unless every one of the numbers is at least 1."""
    for name, n in sizes.items():
        if n < 1:
            raise InstanceError(f"{name} is {n}; expected at least 1")


@dataclass(frozen=True)
class Family:
    """A named way to make many models of one size at once.

    ``make(rng, size)`` returns one batched model, batch shape ``(size,)``, in float64.
    """

    name: str
    make: Callable[[np.random.Generator, int], Any]


@dataclass(frozen=True)
class Domain:
    """The values that one parameter of a theorem may take.

    Parameters
    ----------
    draw : function of earlier parameters, by name
        A Hypothesis strategy of small rational values that shrink well; judged exactly or in balls.
    batch : function of (rng, earlier parameters by name), optional
        One float64 value for each model of the batch, batch axes first.  Without it the theorem is not run on families.
    simplest : function of earlier parameters, by name, optional
        The plainest value (zero logits, uniform distribution); a named model that gives no other value gets this one.
    exact : function of one float64 value, optional
        How a value of a batch becomes an exact one for a replay; by default each float stands for itself.
        Distributions and policies take `exact_distribution`, or else they would not be distributions any more.
    families : tuple of Family
        Only for models: where batches of them come from.
    model : class, optional
        Only for models: their class.  A theorem is checked on a user's model if it is of the class of its first domain.
    excludes : function of one model, optional
        Only for models: why a model of the class is none that a theorem on this domain is about, as what follows
        "it does not apply: ", or None.

    The functions are called with those earlier parameters that they name, as pytest fills fixtures.
    """

    draw: Callable[..., SearchStrategy[Any]]
    batch: Callable[..., Any] | None = None
    simplest: Callable[..., Any] | None = None
    exact: Callable[[Any], Any] = rational
    families: tuple[Family, ...] = field(default=())
    model: type | None = None
    excludes: Callable[[Any], str | None] | None = None
