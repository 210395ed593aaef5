"""Which iterates a solver hands out: increasing iteration numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from mdplab.errors import MdplabError


def every() -> Iterator[int]:
    """0, 1, 2, ... without end."""
    return count()


def geometric(last: int, per_decade: int = 20) -> Iterator[int]:
    """0, 1, 2, ... up to `last`, evenly on a logarithmic axis: the rounded powers of 10^(1 / per_decade), each once.

    Small numbers are all there (up to 11 with twenty a decade), and `last` always is.

    Examples
    --------
    >>> list(geometric(1000, per_decade=3))
    [0, 1, 2, 5, 10, 22, 46, 100, 215, 464, 1000]
    """
    if last < 0 or per_decade < 1:
        raise MdplabError(f"geometric({last}, per_decade={per_decade}); expected last >= 0 and per_decade >= 1")
    k = -1
    for n in _powers(per_decade):
        if n >= last:
            break
        if n > k:
            yield (k := n)
    yield last


def _powers(per_decade: int) -> Iterator[int]:
    yield 0
    for i in count():
        yield round(10 ** (i / per_decade))
