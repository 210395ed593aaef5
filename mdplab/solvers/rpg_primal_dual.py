"""Regularised policy gradient primal-dual: entropy for the policy, a quadratic for the multipliers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, total
from mdplab.exact.payoffs import payoffs_at_start
from mdplab.exact.soft import soft_action_values
from mdplab.models import ConstrainedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.primal_dual import clipped, first_multipliers
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class RegularisedIterate:
    """The k-th policy and multipliers, and what moves them next.

    Parameters
    ----------
    k : int
    log_π, π : array (..., S, A)
    multipliers : array (..., I)
    ascent : array (..., S, A)
        Q_k(s, a) = Q^{π_k} of r + λ_k g − τ log π_k, its own first term −τ log π_k(a | s) included.
    descent : array (..., I)
        v_g^{π_k} + τ λ_k, with v_g normalised.
    """

    k: int
    log_π: Array
    π: Array
    multipliers: Array
    ascent: Array
    descent: Array


def rpg_primal_dual(
    cmdp: ConstrainedMDP,
    log_π: Array | None = None,
    multipliers: Array | None = None,
    *,
    temperature: Any,
    step_size: Any,
    most: Any,
    at: Iterable[int] | None = None,
) -> Iterator[RegularisedIterate]:
    """Yield the iterates of RPG-PD without end.

    π_{t+1} ∝ π_t exp(η Q_t),  λ_{t+1} = Proj_{[0, most]}(λ_t − η (v_g^{π_t} + τ λ_t)),  g = u − (1 − γ) b.

    Parameters
    ----------
    log_π, multipliers : array (..., S, A) and (..., I), optional
        First policy or its logits, and λ_0; uniform and zero by default.
    temperature : number or array (...,)
        τ > 0, for both players.
    step_size : number or array (...,)
        η, on Q that is not normalised and v_g that is.
    most : number or array (...,)
        The largest multiplier.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π`, `multipliers` or a number has the wrong shape.

    References
    ----------
    :cite:`ding2023`.
    """
    τ, η = per_model(cmdp.mdp, "temperature", temperature), per_model(cmdp.mdp, "step_size", step_size)
    z, λ = log_softmax(table(cmdp.mdp, "log_π", log_π)), first_multipliers(cmdp, multipliers)
    return thinned(_run(cmdp, z, λ, τ, η, most), at)


def shifted(cmdp: ConstrainedMDP, multipliers: Array) -> Array:
    """r + Σ_i λ_i g_i with g_i = u_i − (1 − γ) b_i, whose discounted sums are measured from the bound;  (..., S, A)."""
    return cmdp.mixed(multipliers) - expand((1 - cmdp.γ(0)) * total(multipliers * cmdp.least), 2)


def _run(cmdp: ConstrainedMDP, z: Array, λ: Array, τ: Any, η: Any, most: Any) -> Iterator[RegularisedIterate]:
    k = 0
    while True:
        π = exp(z)
        q = soft_action_values(cmdp.rewarded(shifted(cmdp, λ)), z, τ) - expand(τ, 2) * z
        g = (1 - cmdp.γ(1)) * (payoffs_at_start(cmdp, π)[..., 1:] - cmdp.least) + expand(τ, 1) * λ
        yield RegularisedIterate(k, z, π, λ, q, g)
        k, z, λ = k + 1, log_softmax(z + expand(η, 2) * q), clipped(λ - expand(η, 1) * g, most)
