"""Trust-region policy optimisation, exactly: the best surrogate less a penalty on the largest divergence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, floats, is_exact, largest, namespace, sup, total
from mdplab.exact import advantages, divergence, visits
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned

LEVELS = 10.0 ** np.linspace(-10, 1, 23)  # sizes of the trust region that are tried, largest divergence in nats
FINER = 10.0 ** np.linspace(-0.4, 0.4, 9)
HALVINGS = 45  # of forty decades, to a relative 1e-12


@dataclass(frozen=True, eq=False)
class PolicyIterate:
    """The k-th policy: updates so far, and probabilities (..., S, A)."""

    k: int
    π: Array


def trust_region(
    mdp: DiscountedMDP, π: Array | None = None, *, penalty: Any = None, at: Iterable[int] | None = None
) -> Iterator[PolicyIterate]:
    """Yield the iterates of max_{π'} L_π(π') − C max_s KL(π(·|s) ‖ π'(·|s)) without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        In any arithmetic; each step is computed in float64 on the CPU and then taken to be what it is.
    π : array (..., S, A), optional
        First policy, with all probabilities positive; uniform by default.
    penalty : number or array (...,), optional
        C; by default 4 γ max |A^π| / (1 − γ)², with which no step lowers the value at the start.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π` or `penalty` has the wrong shape.

    Notes
    -----
    For one largest divergence κ the problem falls apart into states (`best_within`); the best κ is found on a grid,
    refined once.  A step that does not raise the objective, as far as can be told, is not made: so the guarantee does
    not rest on the search being exact.

    References
    ----------
    :cite:`trpo2015`, Algorithm 1.
    """
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    return thinned(_run(mdp, first, None if penalty is None else per_model(mdp, "penalty", penalty)), at)


def _run(mdp: DiscountedMDP, π: Array, penalty: Any) -> Iterator[PolicyIterate]:
    for k in count():
        yield PolicyIterate(k, π)
        A, d, γ = advantages(mdp, π), visits(mdp, π), mdp.discount
        C = 4 * γ * sup(A, 2) / (1 - γ) ** 2 if penalty is None else penalty
        new = _step(floats(π), floats(A), floats(d), np.asarray(floats(C)))
        new = exact_distribution(new) if is_exact(π) else namespace(π).asarray(new)
        better = total(d * total(new * A)) - C * largest(divergence(π, new)) > 0
        better = np.asarray(better, dtype=bool) if is_exact(π) else better
        π = namespace(π).where(better[..., None, None], new, π)


def _step(π: np.ndarray, A: np.ndarray, d: np.ndarray, C: np.ndarray) -> np.ndarray:
    centre: Any = 1.0
    for factors in (LEVELS, FINER):
        κ = np.multiply.outer(factors, np.ones_like(C)) * centre  # levels first, then the batch
        new = best_within(π, A, κ[..., None])
        score = (d * (new * A).sum(-1)).sum(-1) - C * κ
        best = score.argmax(axis=0)[None]
        centre = np.take_along_axis(κ, best, axis=0)[0]
    return np.take_along_axis(new, best[..., None, None], axis=0)[0]


def best_within(π: np.ndarray, A: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """max Σ_a π'(a) A(a) subject to KL(π ‖ π') <= radius in each state;  (..., S, A) twice, (..., S) -> (..., S, A).

    The solution is π'(a) = π(a) / (t (ν − A(a))) with ν > max A, where t makes it sum to one and ν, found by bisection,
    makes the divergence equal to the radius.  The end of the bracket that is kept lies inside the region.  Where all
    actions are equally good nothing changes.  float64 on the CPU.
    """
    loss = A.max(axis=-1, keepdims=True) - A  # ν − A = x + loss with x = ν − max A > 0
    scale = loss.max(axis=-1)
    scale = np.where(scale > 0, scale, 1.0)
    low = np.full(np.broadcast_shapes(scale.shape, radius.shape), -20.0)  # log10 of x / scale
    high = low + 40
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        inside = divergence(π, _tilted(π, loss, scale * 10.0**middle)) <= radius
        low, high = np.where(inside, low, middle), np.where(inside, middle, high)
    return _tilted(π, loss, scale * 10.0**high)


def _tilted(π: np.ndarray, loss: np.ndarray, x: np.ndarray) -> np.ndarray:
    weight = π * (x[..., None] / (x[..., None] + loss))
    return weight / weight.sum(axis=-1, keepdims=True)
