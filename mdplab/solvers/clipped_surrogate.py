"""Clipped policy optimisation (PPO), exactly: a policy that maximises the clipped surrogate in each state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, maximum, minimum, namespace, one_hot, rational, total
from mdplab.exact import advantages
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned
from mdplab.solvers.trust_region import PolicyIterate


def clipped_policy_optimization(
    mdp: DiscountedMDP, π: Array | None = None, *, clip: Any = 0.2, at: Iterable[int] | None = None
) -> Iterator[PolicyIterate]:
    """Yield the iterates of max Σ_a π_k(a) min(r A(a), clip(r, 1 − ε, 1 + ε) A(a)) in each state without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        In float64 or rationals.
    π : array (..., S, A), optional
        First policy; uniform by default.
    clip : number or array (...,), optional
        ε in (0, 1).
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π` or `clip` has the wrong shape.

    Notes
    -----
    There are many maximisers; this is `clipped_maximiser`, which a person may well find bold.

    References
    ----------
    :cite:`ppo2017`.
    """
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    return thinned(_run(mdp, first, per_model(mdp, "clip", clip)), at)


def _run(mdp: DiscountedMDP, π: Array, clip: Any) -> Iterator[PolicyIterate]:
    for k in count():
        yield PolicyIterate(k, π)
        π = clipped_maximiser(π, advantages(mdp, π), clip)


def clipped_objective(π: Array, new: Array, A: Array, clip: Any) -> Array:
    """Σ_a π(a) min(r A(a), clip(r, 1 − ε, 1 + ε) A(a)) with r = π' / π in each state;  -> (..., S).

    Written with π' and π ± ε π, so that actions that π never takes do no harm.
    """
    ε = expand(clip, 2)
    clipped = minimum(maximum(new, (1 - ε) * π), (1 + ε) * π)
    return total(minimum(new * A, clipped * A))


def clipped_maximiser(π: Array, A: Array, clip: Any) -> Array:
    """A policy that maximises the clipped surrogate in each state;  (..., S, A) twice -> (..., S, A).

    Notes
    -----
    Actions of positive advantage, the best one first, get (1 + ε) π(a) as long as there is probability left.  Beyond
    that the objective is flat, and the best action gets the rest: nothing in the objective keeps its ratio near one.
    """
    n, caps = A.shape[-1], expand(1 + clip, 2) * π * _numbers(A > 0, A)
    rank = np.arange(n) if is_exact(A) else namespace(A).arange(n)
    ahead = (A[..., None, :] > A[..., :, None]) | (
        (A[..., None, :] == A[..., :, None]) & (rank[None, :] < rank[:, None])
    )
    before = total(_numbers(ahead, A) * caps[..., None, :])
    taken = minimum(maximum(1 - before, 0 * before), caps)
    best = np.argmax(A, axis=-1) if is_exact(A) else namespace(A).argmax(A, axis=-1)
    return taken + one_hot(best, n, A) * (1 - total(taken))[..., None]


def _numbers(mask: Array, like: Array) -> Array:
    return rational(np.asarray(mask).astype(int)) if is_exact(like) else namespace(like).astype(mask, like.dtype)
