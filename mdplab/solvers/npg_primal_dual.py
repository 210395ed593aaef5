"""Natural policy gradient primal-dual: multiplicative weights in the policy, projected descent in the multipliers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.models import ConstrainedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.primal_dual import PrimalDualIterate, clipped, evaluated, first_multipliers
from mdplab.solvers.thinning import thinned


def npg_primal_dual(
    cmdp: ConstrainedMDP,
    log_π: Array | None = None,
    multipliers: Array | None = None,
    *,
    step_size: Any,
    multiplier_step_size: Any,
    most: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[PrimalDualIterate]:
    """Yield the iterates of NPG-PD without end.

    π_{t+1} ∝ π_t exp(η_1 A^{π_t}_{r + λ_t u} / (1 − γ)),  λ_{t+1} = Proj_{[0, most]}(λ_t − η_2 (V_u^{π_t}(μ) − b)).

    Parameters
    ----------
    log_π, multipliers : array (..., S, A) and (..., I), optional
        First policy or its logits, and λ_0; uniform and zero by default.
    step_size, multiplier_step_size : number or array (...,)
        η_1 and η_2, on values that are not normalised; the paper's are 2 log A and 2 (1 − γ) / √T for T steps.
    most : number or array (...,), optional
        The largest multiplier, 2 / ((1 − γ) ξ) in the paper; none by default.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π`, `multipliers` or a step size has the wrong shape.

    References
    ----------
    :cite:`ding2020`, Section 4.
    """
    η = expand(per_model(cmdp.mdp, "step_size", step_size), 2) / (1 - cmdp.γ(2))
    η_λ = expand(per_model(cmdp.mdp, "multiplier_step_size", multiplier_step_size), 1)
    z, λ = log_softmax(table(cmdp.mdp, "log_π", log_π)), first_multipliers(cmdp, multipliers)
    return thinned(_run(cmdp, z, λ, η, η_λ, most), at)


def _run(cmdp: ConstrainedMDP, z: Array, λ: Array, η: Any, η_λ: Any, most: Any) -> Iterator[PrimalDualIterate]:
    k = 0
    while True:
        π = exp(z)
        q, value, slack = evaluated(cmdp, π, λ)
        yield PrimalDualIterate(k, z, π, λ, value, slack)
        k, z, λ = k + 1, log_softmax(z + η * q), clipped(λ - η_λ * slack, most)
