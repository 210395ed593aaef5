"""Claims that hold at every binding: inequalities for every iterate, and identities."""

from __future__ import annotations

from dataclasses import dataclass

from mdplab.theorem.quantity import Quantity


@dataclass(frozen=True)
class ForAll:
    """Every binding that the measure yields must satisfy the claim.

    Attributes
    ----------
    index : Quantity or None
        What numbers the bindings (iterates); None for a statement about one point.
    up_to : int
        Last index in float64.
    exactly_up_to : int
        Last index in exact and ball arithmetic, where an iterate costs a thousand times more.
    """

    index: Quantity | None
    up_to: int
    exactly_up_to: int


def for_all(index: Quantity | None = None, *, up_to: int = 400, exactly_up_to: int | None = None) -> ForAll:
    """Judge smaller <= larger at every binding, for indices up to and including `up_to`.

    By default exact arithmetic goes to index 12 or `up_to`, whichever comes first.
    """
    return ForAll(index, up_to, min(up_to, 12) if exactly_up_to is None else exactly_up_to)


def identity(index: Quantity | None = None, *, up_to: int = 40, exactly_up_to: int | None = None) -> ForAll:
    """Judge lhs = rhs at every binding: exactly over rationals; over balls they must overlap, ever more closely."""
    return for_all(index, up_to=up_to, exactly_up_to=exactly_up_to)
