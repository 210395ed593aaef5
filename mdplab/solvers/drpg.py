"""Double-loop robust policy gradient: descend along the gradient under a kernel that is nearly the worst."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, log, log_softmax, minimum, namespace, total
from mdplab.arrays import exp as _exp
from mdplab.errors import MdplabError
from mdplab.exact.robust import (
    kernel_cost_gradient,
    kernel_values,
    policy_cost_gradient,
    tilted_gradient,
    tilted_kernel,
    worst_case,
)
from mdplab.models.robust import RobustMDP
from mdplab.solvers.kernel_projection import project_to_l1_ball, project_to_set
from mdplab.solvers.simplex import project_to_simplex
from mdplab.solvers.thinning import thinned

Inner = Callable[[RobustMDP, Array, Array, Any], Array]  # (model, π, kernel before, tolerance) -> kernel
Outer = Callable[[Array, Array], Array]  # (π, step · gradient) -> next π


@dataclass(frozen=True, eq=False)
class RobustIterate:
    """The k-th policy of a run against the kernel that the inner loop found for it.

    Attributes
    ----------
    k : int
    π : array (..., S, A)
    kernel : array (..., S, A, S)
        p_k.
    cost : array (...,)
        J(π_k, p_k), at most the worst cost Φ(π_k).
    best : array (...,)
        The least cost so far.
    best_π : array (..., S, A)
        The policy that had it: what the algorithm returns.  With tolerances above zero this need not be a policy of
        least worst cost (see `mdplab.instances.robust.early_stop`).
    """

    k: int
    π: Array
    kernel: Array
    cost: Array
    best: Array
    best_π: Array


def exact_inner(mdp: RobustMDP, π: Array, p: Array, tolerance: Any) -> Array:
    """A worst kernel: policy iteration of the adversary, whatever the tolerance."""
    return worst_case(mdp, π).kernel


def ascent_inner(step_size: Any = None, most: int = 10_000) -> Inner:
    """Projected gradient ascent p ← Proj(p + β ∇_p J) until the cost rises by less than the tolerance allows.

    `step_size` is β, by default 1/L with L = 2γS/(1 − γ)³, where the cost never falls.  The ascent stops when a step
    gains at most (1 − γ) times the tolerance, or after `most` steps: a rule of thumb, not a certificate.

    References
    ----------
    :cite:`wang2023`, Section 4.
    """

    def inner(mdp: RobustMDP, π: Array, p: Array, tolerance: Any) -> Array:
        γ = mdp.γ(0)
        β = (1 - γ) ** 3 / (2 * mdp.S * (γ + (γ == 0))) if step_size is None else step_size
        cost = total(mdp.start * kernel_values(mdp, π, p))
        for _ in range(most):
            p = project_to_set(mdp, p + expand(β, 3) * kernel_cost_gradient(mdp, π, p))
            new = total(mdp.start * kernel_values(mdp, π, p))
            if np.all(np.asarray(new - cost <= (1 - γ) * tolerance, dtype=bool)):
                break
            cost = new
        return p

    return inner


def tilted_inner(step_size: Any, most: int = 10_000, first: tuple[Array, Array] | None = None) -> Inner:
    """Projected gradient ascent in the parameters (θ, λ) of `TiltedKernels`; stops as `ascent_inner`.

    It begins at `first`, by default at the centre.  The cost need not be concave in the parameters, so this is a
    heuristic, as in the paper.  λ stays at 1e-5 or more.

    References
    ----------
    :cite:`wang2023`, Section 4.2.
    """

    def inner(mdp: RobustMDP, π: Array, p: Array, tolerance: Any) -> Array:
        u: Any = mdp.ambiguity
        θ, λ = (u.θ_centre, u.λ_centre) if first is None else first
        p = tilted_kernel(mdp, θ, λ)
        cost = total(mdp.start * kernel_values(mdp, π, p))
        for _ in range(most):
            for_θ, for_λ = tilted_gradient(mdp, π, θ, λ)
            θ = project_to_l1_ball(θ + expand(step_size, 1) * for_θ, u.θ_centre, u.θ_budget)
            λ = np.maximum(project_to_l1_ball(λ + expand(step_size, 1) * for_λ, u.λ_centre, u.λ_budget), 1e-5)
            p = tilted_kernel(mdp, θ, λ)
            new = total(mdp.start * kernel_values(mdp, π, p))
            if np.all(new - cost <= (1 - mdp.γ(0)) * tolerance):
                break
            cost = new
        return p

    return inner


def euclidean(π: Array, step: Array) -> Array:
    """The projected gradient step of DRPG."""
    return project_to_simplex(π - step)


def entropic(π: Array, step: Array) -> Array:
    """π e^{−step}, normalised: the mirror step of :cite:`wang2024`, which keeps zeros."""
    return _exp(log_softmax(log(π) - step))


def drpg(
    mdp: RobustMDP,
    π: Array | None = None,
    *,
    step_size: Any,
    tolerances: Callable[[int], Any] | None = None,
    inner: Inner = exact_inner,
    outer: Outer = euclidean,
    at: Iterable[int] | None = None,
) -> Iterator[RobustIterate]:
    """Yield the iterates of π_{k+1} = Proj(π_k − α_k ∇_π J(π_k, p_k)) without end, J(π_k, p_k) >= Φ(π_k) − ε_k.

    Parameters
    ----------
    mdp : RobustMDP
    π : array (..., S, A), optional
        First policy, uniform by default.
    step_size : number, array (...,), or function of k that returns one
        α.
    tolerances : function of k, optional
        ε_k for the inner loop; zero by default.  :cite:`wang2023` asks for ε_{k+1} <= γ ε_k.
    inner : function (mdp, π, kernel before, tolerance) -> kernel
        How a worst kernel is sought; exactly by default.
    outer : function (π, step) -> π
        `euclidean` by default; `entropic` gives the mirror descent of :cite:`wang2024`.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Notes
    -----
    For convex s-rectangular sets the best iterate converges to the least worst cost.  The claim for every compact set
    is false: on `two_kernels` the descent can be trapped (:cite:`kitamura2026`).

    References
    ----------
    :cite:`wang2023`, Algorithm 1.
    """
    first = (0 * mdp.P[..., 0] + 1) / mdp.A if π is None else π
    if tuple(first.shape) != tuple(mdp.P.shape[:-1]):
        raise MdplabError(f"π has shape {tuple(first.shape)}; policies of this model have {tuple(mdp.P.shape[:-1])}")
    return thinned(_run(mdp, first, step_size, tolerances or (lambda k: 0), inner, outer), at)


def _run(
    mdp: RobustMDP, π: Array, step_size: Any, tolerances: Callable[[int], Any], inner: Inner, outer: Outer
) -> Iterator[RobustIterate]:
    p, best, best_π = mdp.P, None, π
    for k in count():
        p = inner(mdp, π, p, tolerances(k))
        cost = total(mdp.start * kernel_values(mdp, π, p))
        if best is None:
            best = cost
        else:
            best_π = _where(expand(cost < best, 2), π, best_π)
            best = minimum(cost, best)
        yield RobustIterate(k, π, p, cost, best, best_π)
        α = step_size(k) if callable(step_size) else step_size
        π = outer(π, expand(α, 2) * policy_cost_gradient(mdp, π, p))


def _where(mask: Array, x: Array, y: Array) -> Array:
    if is_exact(y) or is_exact(x):
        return np.where(np.asarray(mask, dtype=bool), x, y)
    return namespace(y).where(mask, x, y)
