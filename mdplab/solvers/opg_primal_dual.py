"""Optimistic policy gradient primal-dual, direct parametrisation: two projected steps, the first by an old gradient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, expand, log, softmax
from mdplab.models import ConstrainedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.primal_dual import PrimalDualIterate, clipped, evaluated, first_multipliers
from mdplab.solvers.simplex import project_to_simplex
from mdplab.solvers.thinning import thinned


def opg_primal_dual(
    cmdp: ConstrainedMDP,
    π: Array | None = None,
    multipliers: Array | None = None,
    *,
    step_size: Any,
    most: Any = None,
    extrapolate: bool = True,
    at: Iterable[int] | None = None,
) -> Iterator[PrimalDualIterate]:
    """Yield the iterates π_t, λ_t of OPG-PD without end; `log_π` of an iterate is −∞ where π is zero.

    π_t = Proj(π̂_t + η Q_{t−1}), λ_t = Proj(λ̂_t − η v_{g,t−1}), and the same steps by Q_t and v_{g,t} lead to π̂_{t+1}
    and λ̂_{t+1}.  Q_t = Q^{π_t}_{r + λ_t u} is not normalised, v_g = (1 − γ)(V_u(μ) − b) is.

    Parameters
    ----------
    π, multipliers : array (..., S, A) and (..., I), optional
        π̂_0 and λ̂_0; uniform and zero by default.  The first step is plain: π_0 = π̂_0.
    step_size : number or array (...,)
        η.
    most : number or array (...,), optional
        The largest multiplier; none by default.
    extrapolate : bool
        Whether π_t and λ_t look ahead; without it this is projected descent and ascent.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π`, `multipliers` or the step size has the wrong shape.

    References
    ----------
    :cite:`ding2023`.
    """
    η = per_model(cmdp.mdp, "step_size", step_size)
    first = softmax(table(cmdp.mdp, "π", None)) if π is None else table(cmdp.mdp, "π", π)
    λ = first_multipliers(cmdp, multipliers)
    return thinned(_run(cmdp, first, λ, expand(η, 2), expand(η, 1), most, extrapolate), at)


def _run(
    cmdp: ConstrainedMDP, base: Array, λ_base: Array, η: Any, η_λ: Any, most: Any, extrapolate: bool
) -> Iterator[PrimalDualIterate]:
    k, q, g, scale = 0, None, None, 1 - cmdp.γ(1)
    while True:
        π, λ = base, λ_base
        if extrapolate and q is not None:
            π, λ = project_to_simplex(base + η * q), clipped(λ_base - η_λ * g, most)
        q, value, slack = evaluated(cmdp, π, λ)
        g = scale * slack
        yield PrimalDualIterate(k, _log(π), π, λ, value, slack)
        k, base, λ_base = k + 1, project_to_simplex(base + η * q), clipped(λ_base - η_λ * g, most)


def _log(π: Array) -> Array:
    import numpy as np

    with np.errstate(divide="ignore"):
        return log(π)
