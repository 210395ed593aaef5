"""The robust backup of (s,a)-rectangular L1 balls with one sort a sweep, shared by all pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mdplab.arrays import Array, namespace, total
from mdplab.exact.robust.l1 import l1_response
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


@kernel(seconds=_seconds, cpu="mdplab.kernels.robust_l1_compiled", cuda="mdplab.kernels.robust_l1_cuda")
def sweep(problem: L1Backup, v: Array, sweeps: int) -> Array:
    """v after that many robust backups v(s) ← min_a c(s, a) + γ max_p Σ_t p(t) v(t);  (..., S) -> (..., S)."""
    mdp = problem.mdp
    u = mdp.ambiguity
    allowed = mdp.P >= 0 if u.beyond_support else mdp.P > 0  # type: ignore[attr-defined]
    xp = namespace(mdp.P)
    for _ in range(sweeps):
        z = xp.broadcast_to(v[..., None, None, :], mdp.P.shape)
        p = l1_response(mdp.P, z, u.budget, allowed)  # type: ignore[attr-defined]
        v = xp.min(mdp.c + mdp.γ(2) * total(p * z), axis=-1)
    return v
