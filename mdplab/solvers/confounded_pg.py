"""Softmax policy gradient for confounded POMDPs, with the gradient that the data identify (:cite:`hong2024`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from mdplab.arrays import Array, expand, namespace, softmax, total
from mdplab.errors import MdplabError
from mdplab.exact.confounded import identification, identified_gradient, memoryless, observed_law, uniform_policy
from mdplab.models import ConfoundedPOMDP
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class HistoryIterate:
    """The k-th policy of a run: logits θ, (..., H, O, A) or (..., O, A), and the policy π (..., H, O, A)."""

    k: int
    θ: Array
    π: Array


def confounded_pg(
    model: ConfoundedPOMDP,
    θ: Array | None = None,
    *,
    step_size: Any,
    gradient: Callable[[ConfoundedPOMDP, Array], Array] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[HistoryIterate]:
    """Yield the iterates θ_{k+1} = θ_k + η ∇V from θ_0 = `θ`, zero by default.

    Parameters
    ----------
    θ : array (..., H, O, A) or (..., O, A)
        Logits for every history, or for the observation alone: a memoryless policy.  By default for every history.
    step_size : number or array (...,)
    gradient : function of model and policy (..., H, O, A), the gradient by logits for every history
        By default the one that bridges identify from the law of the data; `history_gradient` is the true one and
        `naive_gradient` that of who takes histories for states.
    at : increasing iterable of int
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    ModelError
        If no gradient is given and the data do not identify it.
    MdplabError
        If `θ` has the wrong shape, or `at` does not increase.
    """
    full = (*model.batch, model.H, model.O, model.A)
    by_observation = (*model.batch, model.O, model.A)
    if θ is None:
        θ = uniform_policy(model) * 0
    if tuple(θ.shape) not in (full, by_observation):
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; this model calls for {full} or {by_observation}")
    if gradient is None:
        identification(model).require()
        gradient = partial(_identified, laws=observed_law(model))
    return thinned(ascent(model, θ, step_size, gradient, remembers=tuple(θ.shape) == full), at)


def _identified(model: ConfoundedPOMDP, π: Array, laws: list[Any]) -> Array:
    return identified_gradient(model, π, laws)


def ascent(
    model: ConfoundedPOMDP, θ: Array, η: Any, gradient: Callable[[ConfoundedPOMDP, Array], Array], remembers: bool
) -> Iterator[HistoryIterate]:
    """The loop, for logits of every history if it `remembers`, else of observations; nothing is checked."""
    k = 0
    while True:
        π = softmax(θ) if remembers else memoryless(model, softmax(θ))
        yield HistoryIterate(k, θ, π)
        g = gradient(model, π)
        θ = θ + (expand(η, 3) * g if remembers else expand(η, 2) * _over_histories(g))
        k += 1


def _over_histories(g: Array) -> Array:
    return total(namespace(g).moveaxis(g, -3, -1))
