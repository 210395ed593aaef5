"""Ascent on the augmented Lagrangian: the multiplier that the policy sees is raised by its present violation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, total
from mdplab.exact.payoffs import payoff_values
from mdplab.models import ConstrainedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.primal_dual import PrimalDualIterate, first_multipliers, positive_part
from mdplab.solvers.thinning import thinned


def conservative_lagrangian(
    cmdp: ConstrainedMDP,
    log_π: Array | None = None,
    multipliers: Array | None = None,
    *,
    step_size: Any,
    multiplier_step_size: Any,
    conservatism: Any,
    at: Iterable[int] | None = None,
) -> Iterator[PrimalDualIterate]:
    """Yield the iterates of the tabular form of CAL without end.

    z_{k+1} = z_k + η (1 − γ) Q^{π_k}_{r + λ̃_k u} with λ̃_k = [λ_k − κ h_k]_+, and λ_{k+1} = [λ_k − η_λ h_k]_+, where
    h_k = (1 − γ)(V_u^{π_k}(μ) − b).

    Parameters
    ----------
    log_π, multipliers : array (..., S, A) and (..., I), optional
        First policy or its logits, and λ_0; uniform and zero by default.
    step_size, multiplier_step_size : number or array (...,)
        η and η_λ, on values normalised by 1 − γ.
    conservatism : number or array (...,)
        κ >= 0, in the unit of a multiplier by normalised value; 0 is plain descent and ascent.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π`, `multipliers` or a number has the wrong shape.

    References
    ----------
    :cite:`wu2024`; there κ is called c, and critics are learned.
    """
    names = {"step_size": step_size, "multiplier_step_size": multiplier_step_size, "conservatism": conservatism}
    η, η_λ, κ = (per_model(cmdp.mdp, name, x) for name, x in names.items())
    z, λ = log_softmax(table(cmdp.mdp, "log_π", log_π)), first_multipliers(cmdp, multipliers)
    return thinned(_run(cmdp, z, λ, expand(η, 2), expand(η_λ, 1), expand(κ, 1)), at)


def _run(cmdp: ConstrainedMDP, z: Array, λ: Array, η: Any, η_λ: Any, κ: Any) -> Iterator[PrimalDualIterate]:
    k, scale = 0, 1 - cmdp.γ(1)
    while True:
        π = exp(z)
        v = payoff_values(cmdp, π)
        at_start = total(v * cmdp.start[..., None, :])
        slack = at_start[..., 1:] - cmdp.least
        yield PrimalDualIterate(k, z, π, λ, at_start[..., 0], slack)
        seen = positive_part(λ - κ * scale * slack)
        one = [expand(seen[..., i], 1) * v[..., 1 + i, :] for i in range(cmdp.I)]
        v_mixed = sum(one, v[..., 0, :])
        q = cmdp.mixed(seen) + cmdp.γ(2) * cmdp.mdp.expected_next(v_mixed)
        k, z, λ = k + 1, log_softmax(z + η * expand(scale, 1) * q), positive_part(λ - η_λ * scale * slack)
