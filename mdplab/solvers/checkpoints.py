"""Which iterates a solver hands out: increasing iteration numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from mdplab.errors import MdplabError


def every() -> Iterator[int]:
    """0, 1, 2, ... without end."""
    return count()


def geometric(last: int | None = None, per_decade: int = 20) -> Iterator[int]:
    """0, 1, 2, ... evenly on a logarithmic axis: the rounded powers of 10^(1 / per_decade), each once.

    Small numbers are all there (up to 11 with twenty a decade).  They go on without end, or up to `last`, which is
    always there: a theorem file leaves it out, so that its judge or a plot may decide how far to go.

    Examples
    --------
    >>> list(geometric(1000, per_decade=3))
    [0, 1, 2, 5, 10, 22, 46, 100, 215, 464, 1000]
    """
    if (last is not None and last < 0) or per_decade < 1:
        raise MdplabError(f"geometric({last}, per_decade={per_decade}); expected last >= 0 and per_decade >= 1")
    k = -1
    for n in _powers(per_decade):
        if last is not None and n >= last:
            yield last
            return
        if n > k:
            yield (k := n)


def _powers(per_decade: int) -> Iterator[int]:
    yield 0
    for i in count():
        yield round(10 ** (i / per_decade))
