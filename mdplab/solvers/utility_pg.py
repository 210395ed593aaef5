"""Policy gradient for a general utility of the occupancy, exact: on logits, and projected on policies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.exact.utilities import Utility
from mdplab.exact.utility_gradients import direct_utility_gradient, softmax_utility_gradient
from mdplab.models import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.projected_pg import ProjectedIterate
from mdplab.solvers.simplex import project_to_simplex
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class UtilityIterate:
    """The k-th policy of a run on logits: updates so far, logits, log-probabilities, probabilities (..., S, A)."""

    k: int
    θ: Array
    log_π: Array
    π: Array


def utility_pg(
    mdp: DiscountedMDP,
    F: Utility,
    θ: Array | None = None,
    *,
    step_size: Any,
    at: Iterable[int] | None = None,
) -> Iterator[UtilityIterate]:
    """Yield the iterates of θ_{k+1} = θ_k + η ∇_θ F(λ(θ_k)), softmax policies, without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        See `mdplab.exact.utilities`; concave if the limit is to be the optimum.
    θ : array (..., S, A), optional
        First logits; zero by default.
    step_size : number or array (...,)
        η; there is no default, as it depends on how smooth F is.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `θ` or `step_size` has the wrong shape, or `at` does not increase from a number >= 0.

    References
    ----------
    :cite:`zhang2021`, with exact occupancies; :cite:`zhang2020`, Theorem 3.1, for the gradient.
    """
    η = expand(per_model(mdp, "step_size", step_size), 2)
    return thinned(_on_logits(mdp, F, table(mdp, "θ", θ), η), at)


def _on_logits(mdp: DiscountedMDP, F: Utility, θ: Array, η: Any) -> Iterator[UtilityIterate]:
    for k in count():
        log_π = log_softmax(θ)
        π = exp(log_π)
        yield UtilityIterate(k, θ, log_π, π)
        θ = θ + η * softmax_utility_gradient(mdp, π, F)


def projected_utility_pg(
    mdp: DiscountedMDP,
    F: Utility,
    π: Array | None = None,
    *,
    step_size: Any,
    at: Iterable[int] | None = None,
) -> Iterator[ProjectedIterate]:
    """Yield the iterates of π_{k+1} = Proj(π_k + η ∇_π F(λ(π_k))), without end; uniform at first unless `π` is given.

    On rational models, steps and utilities every iterate is rational; their digits grow with k.  Parameters as for
    `utility_pg`.

    References
    ----------
    :cite:`zhang2020`, Section 4.
    """
    η = expand(per_model(mdp, "step_size", step_size), 2)
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    return thinned(_on_policies(mdp, F, first, η), at)


def _on_policies(mdp: DiscountedMDP, F: Utility, π: Array, η: Any) -> Iterator[ProjectedIterate]:
    for k in count():
        yield ProjectedIterate(k, π)
        π = project_to_simplex(π + η * direct_utility_gradient(mdp, π, F))
