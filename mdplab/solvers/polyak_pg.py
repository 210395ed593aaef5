"""Softmax policy gradient with Polyak's step size: as long as the linear model needs to close a share of the gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, exp, expand, is_exact, log_softmax, maximum, minimum, namespace, total
from mdplab.exact import Optimum, gap, optimum, softmax_gradient
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned

VANISHED = 1e-290  # a squared norm of the gradient below which float64 holds no digits of it


@dataclass(frozen=True, eq=False)
class PolyakIterate:
    """The k-th policy of a run with Polyak's step size.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, log_π, π : array (..., S, A)
        Logits, log-probabilities and probabilities.
    gap : array (...,)
        V*(μ) − V^π(μ).
    gradient : array (..., S, A)
        ∇V^π(μ), by the logits.
    step_size : array (...,)
        η_k, with which this policy is left.
    """

    k: int
    θ: Array
    log_π: Array
    π: Array
    gap: Array
    gradient: Array
    step_size: Array


def polyak_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    c: Any = 1,
    cap: Any = None,
    excess: Any = 0,
    best: Optimum | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[PolyakIterate]:
    """Yield the iterates of θ_{k+1} = θ_k + η_k ∇V^{π_k}(μ), η_k = min((V*(μ) − V^{π_k}(μ)) / (c ‖∇V‖²), cap).

    Parameters
    ----------
    mdp : DiscountedMDP
    θ : array (..., S, A), optional
        First logits; zero by default.
    c : number or array (...,)
        The linear model at θ_k predicts that the step closes the c-th part of the gap; positive.
    cap : number or array (...,), optional
        The longest step; none by default.
    excess : number or array (...,)
        By how much the target is more than V*(μ), in units of value; negative for a target that is too low, where the
        run rests as soon as V reaches it.
    best : Optimum, optional
        Of the same model, where it is known already.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `θ` or a number has the wrong shape, or `at` does not increase from a number >= 0.

    Notes
    -----
    The gap is in performance-difference form.  Where the gradient vanishes, in float64 below 1e-145, the step is zero.

    References
    ----------
    :cite:`li2024`, with exact gradients.
    """
    best = optimum(mdp) if best is None else best
    c, excess = per_model(mdp, "c", c), per_model(mdp, "excess", excess)
    cap = None if cap is None else per_model(mdp, "cap", cap)
    return thinned(_run(mdp, table(mdp, "θ", θ), best, c, cap, excess), at)


def _run(mdp: DiscountedMDP, θ: Array, best: Optimum, c: Any, cap: Any, excess: Any) -> Iterator[PolyakIterate]:
    for k in count():
        log_π = log_softmax(θ)
        π = exp(log_π)
        g, δ = softmax_gradient(mdp, π), gap(mdp, π, best)
        η = _quotient(maximum(δ + excess, 0 * δ), c * total(g * g, 2))
        η = η if cap is None else minimum(η, cap + 0 * η)
        yield PolyakIterate(k, θ, log_π, π, δ, g, η)
        θ = θ + expand(η, 2) * g


def _quotient(x: Array, y: Array) -> Array:
    """x / y, and zero where y is."""
    if is_exact(y):
        return np.frompyfunc(lambda a, b: 0 * a if b == 0 else a / b, 2, 1)(x, y)
    xp = namespace(y)
    there = y > VANISHED
    return xp.where(there, x / xp.where(there, y, 1.0 + 0 * y), 0 * x)
