"""Claims that something exists: a tight instance, a counterexample."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Witness:
    """Some binding on some named instance must satisfy the claim, judged exactly; near misses must fail on all of them.

    Attributes
    ----------
    up_to : int
        Last index in exact and ball arithmetic, for measures that yield a sequence.
    """

    up_to: int


def witness(*, up_to: int = 12) -> Witness:
    """Judge that the relation holds somewhere on the named instances: a tightness claim or a counterexample."""
    return Witness(up_to)
