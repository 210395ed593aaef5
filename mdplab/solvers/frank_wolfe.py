"""Frank–Wolfe on the occupancies of a model: each step plans for the shadow reward and mixes occupancies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from mdplab.arrays import Array, expand, is_exact, namespace, total
from mdplab.errors import MdplabError
from mdplab.exact.gap import gap
from mdplab.exact.optimum import optimum
from mdplab.exact.pair_visits import pair_visits
from mdplab.exact.payoffs import policy_of
from mdplab.exact.utilities import Utility
from mdplab.exact.utility_gradients import rewarded
from mdplab.models import DiscountedMDP
from mdplab.solvers.inputs import table
from mdplab.solvers.thinning import thinned

HALVINGS = 40  # of [0, 1] in a line search


@dataclass(frozen=True, eq=False)
class OccupancyIterate:
    """The k-th occupancy, its policy, and how far it can be from the optimum.

    Parameters
    ----------
    k : int
        Updates so far.
    λ, π : array (..., S, A)
        The occupancy, which sums to 1 / (1 − γ), and the policy that has it.
    gap : array (...,)
        max over occupancies λ' of ⟨∇F(λ), λ' − λ⟩ >= F* − F(λ) for concave F; in performance-difference form.
    """

    k: int
    λ: Array
    π: Array
    gap: Array


def frank_wolfe(
    mdp: DiscountedMDP,
    F: Utility,
    π: Array | None = None,
    *,
    steps: Literal["open loop", "line search"] = "open loop",
    at: Iterable[int] | None = None,
) -> Iterator[OccupancyIterate]:
    """Yield the iterates of λ_{k+1} = (1 − α_k) λ_k + α_k λ', λ' best for the reward ∇F(λ_k), without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        Its own reward plays no part.
    F : utility
        Concave, see `mdplab.exact.utilities`.
    π : array (..., S, A), optional
        First policy; uniform by default.
    steps : "open loop" or "line search"
        α_k = 2 / (k + 2), rational on rational models, or the best α in [0, 1], in float64.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `steps` is not known, a line search is asked for in exact arithmetic, or `π` has the wrong shape.

    References
    ----------
    :cite:`jaggi2013`; on occupancies :cite:`hazan2019`.
    """
    if steps not in ("open loop", "line search"):
        raise MdplabError(f"steps is {steps!r}; expected 'open loop' or 'line search'")
    if steps == "line search" and is_exact(mdp.P):
        raise MdplabError("a line search halves in float64; in exact arithmetic take steps='open loop'")
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    return thinned(_run(mdp, F, first, steps == "line search"), at)


def _run(mdp: DiscountedMDP, F: Utility, first: Array, search: bool) -> Iterator[OccupancyIterate]:
    λ = pair_visits(mdp, first)
    for k in count():
        model, π = rewarded(mdp, F.gradient(λ)), policy_of(λ)
        best = optimum(model)
        yield OccupancyIterate(k, λ, π, gap(model, π, best))
        direction = pair_visits(mdp, best.policy) - λ
        α = expand(_line_search(F, λ, direction), 2) if search else 2 / (0 * λ[..., :1, :1] + k + 2)
        λ = λ + α * direction


def _line_search(F: Utility, λ: Array, direction: Array) -> Any:
    """The α in [0, 1] where the slope of F(λ + α direction) changes its sign, which falls as F is concave;  (...)."""
    xp = namespace(λ)
    low = 0 * λ[..., 0, 0]
    high = low + 1
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rises = total(F.gradient(λ + expand(middle, 2) * direction) * direction, 2) > 0
        low, high = xp.where(rises, middle, low), xp.where(rises, high, middle)
    return low
