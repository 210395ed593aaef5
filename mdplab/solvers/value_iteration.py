"""Value iteration: apply the Bellman operator until the caller has seen enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from mdplab.arrays import Array, expand, is_exact, largest, rounding, smallest, sup
from mdplab.models.discounted import DiscountedMDP


def value_iteration(mdp: DiscountedMDP, v0: Array | None = None) -> Iterator[Array]:
    """Yield v_0, v_1 = T v_0, v_2 = T v_1, ... without end.

    Parameters
    ----------
    mdp : DiscountedMDP
    v0 : array (..., S), optional
        First values, in the unit of the reward; zero by default.

    Yields
    ------
    array (..., S)
        A new array each time; keep as many as you like.

    References
    ----------
    :cite:`puterman1994`, Section 6.3.
    """
    v = 0 * mdp.r[..., 0] if v0 is None else v0
    while True:
        yield v
        v = mdp.bellman(v)


def enclosures(mdp: DiscountedMDP, iterates: Iterable[Array]) -> Iterator[tuple[Array, Array]]:
    """Yield (low, high), each (..., S), with low <= V* <= high, after each backup of value iteration.

    Parameters
    ----------
    mdp : DiscountedMDP
    iterates : iterable of arrays (..., S)
        Successive iterates of `value_iteration`: each is the Bellman operator applied to the one before.

    Notes
    -----
    The bounds of :cite:`macqueen1966`: T v + γ/(1−γ) · min (T v − v) from below and the same with max from above.
    Rationals and balls are bounded as they stand.  In float64 the bounds are moved outwards by what rounding may
    have done to them, so that they hold there too.
    """
    scale = mdp.γ(1) / (1 - mdp.γ(1))
    for v, Tv in pairwise(iterates):
        change = Tv - v
        margin = 0 if is_exact(Tv) else _margin(mdp, v, Tv)
        yield (
            Tv + scale * expand(smallest(change), 1) - margin,
            Tv + scale * expand(largest(change), 1) + margin,
        )


def _margin(mdp: DiscountedMDP, v: Array, Tv: Array) -> Array:
    # The computed backup is off by at most rounding(S + 2) (|r| + γ |v|), and by another rounding(S) |v| because a row
    # of P sums to one only up to its own rounding.  The change inherits that, scaled by γ/(1−γ); together 1/(1−γ) times
    # it.  The dozen roundings of the bound itself act on numbers of at most (|v| + |T v|) / (1−γ).
    size = sup(mdp.r, 2) + sup(v) + sup(Tv)
    return rounding(2 * mdp.S + 16) * expand(size, 1) / (1 - mdp.γ(1))
