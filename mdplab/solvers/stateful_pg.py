"""Policy gradient for policies with memory of their own, by exact gradients (:cite:`s2pg2024`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, expand, namespace, softmax
from mdplab.errors import MdplabError
from mdplab.exact.stateful import stateful_gradient
from mdplab.models import POMDP
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class StatefulIterate:
    """The k-th stateful policy of a run: logits θ and probabilities π, (..., O, Z, A, Z) each."""

    k: int
    θ: Array
    π: Array


def stateful_pg(
    pomdp: POMDP, θ: Array, *, step_size: Any, memory: Array | None = None, at: Iterable[int] | None = None
) -> Iterator[StatefulIterate]:
    """Yield the iterates θ_{k+1} = θ_k + η ∇J from θ_0 = `θ`.

    Parameters
    ----------
    θ : array (..., O, Z, A, Z)
        Logits of action and next memory state, by observation and memory state.  If all memory states have the same
        logits they stay the same for ever, so start from different ones.
    step_size : number or array (...,)
    memory : array (..., Z)
        Distribution of the first memory state; state 0 by default.
    at : increasing iterable of int
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    ModelError
        If γ = 1, or the observations of the model do not depend on the state alone.
    MdplabError
        If `θ` has the wrong shape, or `at` does not increase.
    """
    Z = θ.shape[-1]
    expected = (*pomdp.batch, pomdp.O, Z, pomdp.A, Z)
    if tuple(θ.shape) != expected:
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; this model and {Z} memory states call for {expected}")
    return thinned(_run(pomdp, θ, step_size, memory), at)


def _run(pomdp: POMDP, θ: Array, η: Any, memory: Array | None) -> Iterator[StatefulIterate]:
    xp, k = namespace(θ), 0
    while True:
        flat = xp.reshape(θ, (*θ.shape[:-2], -1))
        π = xp.reshape(softmax(flat), θ.shape)
        yield StatefulIterate(k, θ, π)
        θ = θ + expand(η, 4) * stateful_gradient(pomdp, π, memory)
        k += 1
