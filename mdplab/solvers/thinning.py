"""Seeing only some of the iterates of a solver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from mdplab.errors import MdplabError


class Numbered(Protocol):
    """A record that knows after how many updates it was made."""

    @property
    def k(self) -> int: ...


T = TypeVar("T", bound=Numbered)


def thinned(iterates: Iterator[T], at: Iterable[int] | None) -> Iterator[T]:
    """Yield those iterates whose number `k` is in `at`, an increasing iterable; all of them where `at` is None.

    Raises
    ------
    MdplabError
        If `at` does not increase from at least 0.
    """
    if at is None:
        yield from iterates
        return
    last = -1
    for k in at:
        if k <= last:
            raise MdplabError(f"at holds {k} after {last}; iteration numbers increase, from 0 or later")
        found = next((x for x in iterates if x.k == k), None)
        if found is None:  # the solver ran out of step sizes
            return
        yield found
        last = k
