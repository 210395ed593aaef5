"""Softmax policy gradient with an entropy bonus that dies out, made for bandits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

from mdplab.arrays import Array, exp, expand, is_exact, log, log_softmax, rational_number
from mdplab.exact import soft_gradient
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class DecayingIterate:
    """The k-th policy: updates so far, logits, log-probabilities, probabilities (..., S, A), and its temperature."""

    k: int
    θ: Array
    log_π: Array
    π: Array
    temperature: Any


def decaying_entropy_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    temperatures: Iterable[Any],
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[DecayingIterate]:
    """Yield θ_{k+1} = τ_k/τ_{k+1} · (θ_k + η_k ∇ V_{τ_k}^{π_k}(μ)) as long as there are temperatures.

    Parameters
    ----------
    mdp : DiscountedMDP
        A bandit (`mdplab.models.bandit`) in the paper; the update is defined for any model.
    θ : array (..., S, A), optional
        First logits; zero by default.
    temperatures : iterable of numbers or arrays (...,)
        τ_0, τ_1, ... > 0, in the unit of the reward; `logarithmic_temperatures` in the paper.
    step_size : number or array (...,), optional
        A constant η; by default η_k = 1/τ_k as in the paper.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `θ`, `step_size` or a temperature has the wrong shape.

    Notes
    -----
    The factor keeps τ_k θ_k, whose limit is the reward up to a constant, continuous when the temperature changes.

    References
    ----------
    :cite:`mei2020`, Update 3 and Theorem 8.
    """
    η = None if step_size is None else per_model(mdp, "step_size", step_size)
    return thinned(_run(mdp, table(mdp, "θ", θ), temperatures, η), at)


def _run(mdp: DiscountedMDP, θ: Array, temperatures: Iterable[Any], η: Any) -> Iterator[DecayingIterate]:
    checked = (per_model(mdp, "temperatures", τ) for τ in temperatures)
    for k, (τ, next_τ) in enumerate(pairwise(checked)):
        log_π = log_softmax(θ)
        yield DecayingIterate(k, θ, log_π, exp(log_π), τ)
        step = expand(1 / τ if η is None else η, 2)
        θ = expand(τ / next_τ, 2) * (θ + step * soft_gradient(mdp, log_π, τ))


def logarithmic_temperatures(scale: Any) -> Iterator[Any]:
    """Yield scale / log t for t = 2, 3, ...: the paper's τ_t, so that iterate k has t = k + 2.

    Parameters
    ----------
    scale : number or array (...,)
        α Δ > 0, Δ the difference between the best and the second best reward; the rate is made of α.

    References
    ----------
    :cite:`mei2020`, Theorem 8.
    """
    for t in count(2):
        yield scale / (log(rational_number(t)) if is_exact(scale) else math.log(t))
