"""Conservative policy iteration: a short step towards the greedy policy, as long as its guarantee allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

import numpy as np

from mdplab.arrays import Array, expand, is_exact, largest, minimum, namespace, one_hot, total
from mdplab.exact import advantages, occupancy
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import table
from mdplab.solvers.thinning import thinned
from mdplab.solvers.trust_region import PolicyIterate


def conservative_policy_iteration(
    mdp: DiscountedMDP, π: Array | None = None, *, at: Iterable[int] | None = None
) -> Iterator[PolicyIterate]:
    """Yield the iterates of π_{k+1} = (1 − α) π_k + α π^g without end, π^g greedy for the values of π_k.

    Parameters
    ----------
    mdp : DiscountedMDP
    π : array (..., S, A), optional
        First policy; uniform by default.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π` has the wrong shape.

    Notes
    -----
    α is `conservative_weight`, but at most 1.  Where no action has an advantage the policy stays.  On a rational model
    every iterate is rational and exact; their digits grow with k.

    References
    ----------
    :cite:`cpi2002`.
    """
    return thinned(_run(mdp, (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)), at)


def _run(mdp: DiscountedMDP, π: Array) -> Iterator[PolicyIterate]:
    for k in count():
        yield PolicyIterate(k, π)
        α = conservative_weight(mdp, π)
        α = expand(minimum(α, 0 * α + 1), 2)
        π = (1 - α) * π + α * greedy(mdp, π)


def greedy(mdp: DiscountedMDP, π: Array) -> Array:
    """The deterministic policy of the largest advantages, the first of equals;  (..., S, A) -> (..., S, A)."""
    A = advantages(mdp, π)
    best = np.argmax(A, axis=-1) if is_exact(A) else namespace(A).argmax(A, axis=-1)
    return one_hot(best, mdp.A, A)


def conservative_weight(mdp: DiscountedMDP, π: Array) -> Array:
    """α = (1 − γ) G / (4 γ ε), which maximises the guaranteed gain α G / (1 − γ) − 2 γ ε α² / (1 − γ)²;  -> (...).

    G = Σ_s d^π(s) max_a A^π(s, a) and ε = max_{s, a} A^π(s, a).  It may exceed 1; where γ or ε is zero it is 1.
    """
    best = largest(advantages(mdp, π))
    gain, ε = (1 - mdp.discount) * total(occupancy(mdp, π) * best), 4 * mdp.discount * largest(best)
    if is_exact(best):
        return np.asarray(_ratio_or_one(gain, ε), dtype=object)[()]
    xp = namespace(best)
    some = ε > 0
    return xp.where(some, gain / xp.where(some, ε, 0 * ε + 1), 0 * ε + 1)


_ratio_or_one = np.frompyfunc(lambda x, y: x / y if y > 0 else 0 * x + 1, 2, 1)
