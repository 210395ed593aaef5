"""Softmax policy gradient with a logarithmic barrier against probabilities that vanish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from mdplab.arrays import Array, exp, expand, log_softmax, minimum
from mdplab.exact import gap, softmax_gradient
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned

if TYPE_CHECKING:
    from mdplab.exact import Optimum


@dataclass(frozen=True, eq=False)
class BarrierIterate:
    """The k-th policy and the gradient there.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, log_π, π : array (..., S, A)
        Logits, log-probabilities and probabilities.
    gradient : array (..., S, A)
        ∇ L_λ(θ); where it is short, :cite:`akm2021`, Theorem 5.2, bounds the gap.
    least_gap : array (...,), optional
        min over the iterates 0, ..., k, those not yielded included, of V*(μ) − V^π(μ).
    """

    k: int
    θ: Array
    log_π: Array
    π: Array
    gradient: Array
    least_gap: Array = None


def log_barrier_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    strength: Any,
    step_size: Any = None,
    at: Iterable[int] | None = None,
    optimum: Optimum | None = None,
) -> Iterator[BarrierIterate]:
    """Yield the iterates of θ_{k+1} = θ_k + η ∇ L_λ(θ_k) without end, L_λ as in `log_barrier_gradient`.

    Parameters
    ----------
    mdp : DiscountedMDP
        μ is its start distribution.
    θ : array (..., S, A), optional
        First logits; zero by default.
    strength : number or array (...,)
        λ >= 0, in the unit of value.
    step_size : number or array (...,), optional
        η; by default 1/β_λ (see `log_barrier_smoothness`), the step of :cite:`akm2021`, Corollary 5.1.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.
    optimum : Optimum, optional
        Of the same model; with it, iterates carry `least_gap`.

    Raises
    ------
    MdplabError
        If `θ`, `strength` or `step_size` has the wrong shape.

    References
    ----------
    :cite:`akm2021`, Section 5.2.
    """
    λ = per_model(mdp, "strength", strength)
    η = 1 / log_barrier_smoothness(mdp, λ) if step_size is None else per_model(mdp, "step_size", step_size)
    return thinned(_run(mdp, table(mdp, "θ", θ), λ, expand(η, 2), optimum), at)


def _run(mdp: DiscountedMDP, θ: Array, λ: Any, η: Any, optimum: Optimum | None) -> Iterator[BarrierIterate]:
    least = None
    for k in count():
        log_π = log_softmax(θ)
        π = exp(log_π)
        gradient = log_barrier_gradient(mdp, π, λ)
        if optimum is not None:
            here = gap(mdp, π, optimum)
            least = here if least is None else minimum(least, here)
        yield BarrierIterate(k, θ, log_π, π, gradient, least)
        θ = θ + η * gradient


def log_barrier_gradient(mdp: DiscountedMDP, π: Array, strength: Any) -> Array:
    """∇ L_λ at the logits of π (..., S, A), where L_λ = V^π(μ) + λ/(SA) Σ_{s,a} log π(a | s) + λ log A."""
    λ = expand(strength, 2)
    return softmax_gradient(mdp, π) + λ * (1 - mdp.A * π) / (mdp.S * mdp.A)


def log_barrier_smoothness(mdp: DiscountedMDP, strength: Any) -> Any:
    """β_λ = 8/(1−γ)³ + 2λ/S, a smoothness constant of L_λ for rewards in [0, 1].

    :cite:`akm2021`, Section 5.2, prints 8γ for 8, which cannot be: with γ = 0 the value is not linear in the logits.
    """
    return 8 / (1 - mdp.discount) ** 3 + 2 * strength / mdp.S
