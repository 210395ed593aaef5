"""Softmax policy gradient on the entropy-regularised value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, minimum, smallest
from mdplab.exact import soft_gradient
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import log_actions, per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class EntropyIterate:
    """The k-th policy, and the smallest probability so far.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, log_π, π : array (..., S, A)
        Logits, log-probabilities and probabilities.
    least : array (...,)
        min over the iterates 0, ..., k, those not yielded included, and over s, a of π(a | s).
    """

    k: int
    θ: Array
    log_π: Array
    π: Array
    least: Array


def entropy_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    temperature: Any,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[EntropyIterate]:
    """Yield the iterates of θ_{k+1} = θ_k + η ∇ V_τ^{π_k}(μ) without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        μ is its start distribution.
    θ : array (..., S, A), optional
        First logits; zero by default.
    temperature : number or array (...,)
        τ >= 0, in the unit of the reward.
    step_size : number or array (...,), optional
        η; by default (1−γ)³ / (8 + τ (4 + 8 log A)), the step of :cite:`mei2020`, Theorem 6, which is made for rewards
        in [0, 1].
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `θ`, `temperature` or `step_size` has the wrong shape.

    Notes
    -----
    V_τ^π(s) = E Σ_t γ^t (r − τ log π).  Unlike the plain policy gradient, a long step can lower this objective.

    References
    ----------
    :cite:`mei2020`, Algorithm 2 and, for one state with γ = 0, Update 2.
    """
    τ = per_model(mdp, "temperature", temperature)
    if step_size is None:
        η = (1 - mdp.discount) ** 3 / (8 + τ * (4 + 8 * log_actions(mdp)))
    else:
        η = per_model(mdp, "step_size", step_size)
    return thinned(_run(mdp, table(mdp, "θ", θ), τ, expand(η, 2)), at)


def _run(mdp: DiscountedMDP, θ: Array, τ: Any, η: Any) -> Iterator[EntropyIterate]:
    least = 1 + 0 * mdp.r[..., 0, 0]
    for k in count():
        log_π = log_softmax(θ)
        π = exp(log_π)
        least = minimum(least, smallest(π, 2))
        yield EntropyIterate(k, θ, log_π, π, least)
        θ = θ + η * soft_gradient(mdp, log_π, τ)
