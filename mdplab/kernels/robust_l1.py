"""The robust backup of (s,a)-rectangular L1 balls with one sort a sweep, shared by all pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, maximum, minimum, namespace, one_hot, smallest, total
from mdplab.kernels import kernel
from mdplab.models.robust import RobustMDP


@dataclass(frozen=True, eq=False)
class L1Backup:
    """What stays the same over sweeps: a model whose set is an `L1Ball` and whose costs are of pairs (s, a).

    The values of the next state are then in the same order for all pairs.
    """

    mdp: RobustMDP

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything in here that is computed with."""
        mdp = self.mdp
        return (mdp.P, mdp.c, mdp.discount, mdp.ambiguity.budget)  # type: ignore[attr-defined]


def seconds_per_sweep(problem: L1Backup) -> float:
    """About what one sweep takes in NumPy."""
    mdp = problem.mdp
    return 1e-4 + 2e-8 * mdp.S * mdp.S * mdp.A * math.prod(mdp.batch)


def _seconds(problem: L1Backup, v: Array, sweeps: int) -> float:
    return seconds_per_sweep(problem) * sweeps


@kernel(seconds=_seconds, cpu="mdplab.kernels.robust_l1_compiled")
def sweep(problem: L1Backup, v: Array, sweeps: int) -> Array:
    """v after that many robust backups v(s) ← min_a c(s, a) + γ max_p Σ_t p(t) v(t);  (..., S) -> (..., S)."""
    mdp = problem.mdp
    u: Any = mdp.ambiguity
    xp = namespace(mdp.P)
    for _ in range(sweeps):
        order = xp.argsort(v, axis=-1)
        z = xp.take_along_axis(v, order, axis=-1)[..., None, None, :]
        P = xp.take_along_axis(mdp.P, xp.broadcast_to(order[..., None, None, :], mdp.P.shape), axis=-1)
        reached = xp.astype((P > 0) | u.beyond_support, xp.int8)
        top = one_hot(mdp.S - 1 - xp.argmax(xp.flip(reached, axis=-1), axis=-1), mdp.S, P)
        dearest, room = total(top * z), 1 - total(top * P)
        before = xp.cumulative_sum(P, axis=-1) - P
        # Moving mass of the dearest successor to itself adds nothing, so that it needs no exception.
        moved = minimum(P, maximum(minimum(u.budget / 2, room)[..., None] - before, 0 * P))
        q = mdp.c + mdp.γ(2) * (total(P * z) + total(moved * (dearest[..., None] - z)))
        v = smallest(q)
    return v
