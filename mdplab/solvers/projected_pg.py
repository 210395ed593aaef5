"""Projected policy gradient on the probabilities themselves (direct parametrisation)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand
from mdplab.errors import MdplabError
from mdplab.exact import direct_gradient
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.simplex import project_to_simplex
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class ProjectedIterate:
    """The k-th policy: updates so far, and probabilities (..., S, A), which can be exactly zero."""

    k: int
    π: Array


def projected_pg(
    mdp: DiscountedMDP,
    π: Array | None = None,
    *,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[ProjectedIterate]:
    """Yield the iterates of π_{k+1} = Proj(π_k + η ∇_π V^{π_k}(μ)) without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        μ is its start distribution.
    π : array (..., S, A), optional
        First policy; uniform by default.
    step_size : number or array (...,), optional
        η; by default (1−γ)³ / (2γA), one over the smoothness constant of V for rewards in [0, 1]
        (:cite:`akm2021`, Theorem 4.1).
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π` or `step_size` has the wrong shape, or if a discount is 0 and no step size is given.

    Notes
    -----
    Whatever the step, no state's value falls: projecting π(· | s) + c Q(s, ·) with c >= 0 raises Σ_a π(a | s) Q(s, a),
    and the performance difference adds that up.  So the latest iterate is the best so far, which the theorem is about.
    On a rational model with a rational step every iterate is rational and exact; their digits grow with k.

    References
    ----------
    :cite:`akm2021`, Section 4.
    """
    η = _default_step(mdp) if step_size is None else per_model(mdp, "step_size", step_size)
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    return thinned(_run(mdp, first, expand(η, 2)), at)


def _run(mdp: DiscountedMDP, π: Array, η: Any) -> Iterator[ProjectedIterate]:
    for k in count():
        yield ProjectedIterate(k, π)
        π = project_to_simplex(π + η * direct_gradient(mdp, π))


def _default_step(mdp: DiscountedMDP) -> Any:
    γ = mdp.discount
    for index in np.ndindex(getattr(γ, "shape", ())):
        if (γ[index] if index else γ) == 0:
            raise MdplabError(
                "discount is 0, where V is linear in π and the default step (1−γ)³/(2γA) has no end; give step_size"
            )
    return (1 - γ) ** 3 / (2 * γ * mdp.A)
