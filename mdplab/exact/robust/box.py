"""The adversary within boxes: an interval Markov decision process, or an L∞ ball."""

from __future__ import annotations

from mdplab.arrays import Array, maximum, minimum, total
from mdplab.exact.robust.sorting import along, ascending, back, running_sum


def box_response(low: Array, high: Array, z: Array) -> Array:
    """argmax p·z over distributions low <= p <= high;  (..., n) -> (..., n).

    Begins with `low` and fills up in decreasing order of z.  O(n log n).

    References
    ----------
    :cite:`givan2000`.
    """
    order = ascending(-z)
    room = along(high - low, order)
    before = running_sum(room) - room
    missing = 1 - total(low)
    return low + back(minimum(room, maximum(missing[..., None] - before, 0 * room)), order)


def linf_box(P: Array, κ: Array, allowed: Array) -> tuple[Array, Array]:
    """(low, high) of the L∞ ball of radius κ (...) around P (..., n), zero where not `allowed`."""
    κ = κ[..., None]
    one = 0 * P + 1
    return maximum(P - κ, 0 * P), minimum(P + κ, one) * allowed
