"""Policy gradient for an additional reward, with actions that are nearly optimal for the original one only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, expand
from mdplab.exact import optimum, softmax_gradient
from mdplab.exact.safe_actions import restricted, safe_actions, safe_softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class AdaptiveIterate:
    """The k-th policy of a run: updates so far, logits, probabilities and gradient (..., S, A), zero where unsafe."""

    k: int
    θ: Array
    π: Array
    gradient: Array


def adaptive_pg(
    mdp: DiscountedMDP,
    reward: Array,
    θ: Array | None = None,
    *,
    slack: Any = 0,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[AdaptiveIterate]:
    """Yield the iterates of softmax policy gradient for `reward` over the actions that are safe for the model's own.

    Parameters
    ----------
    mdp : DiscountedMDP
        With the original reward.
    reward : array (..., S, A)
        The additional reward, at most 1 in absolute value if the default step is to do.
    θ : array (..., S, A), optional
        First logits, of a policy that was trained before; zero by default.
    slack : number or array (...,)
        ε: actions with V*(s) − Q*(s, a) <= ε are safe, in units of the original values.
    step_size : number or array (...,), optional
        η; by default (1 − γ)², one over the smoothness for rewards in [−1, 1].
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If an array or number has the wrong shape, or `at` does not increase from a number >= 0.

    Notes
    -----
    Our reading of the idea of :cite:`hao2023`, whose algorithm could not be read: Bellman's principle says which
    actions leave the original task as it is, and policy gradient chooses among them.
    """
    ε = per_model(mdp, "slack", slack)
    η = per_model(mdp, "step_size", (1 - mdp.discount) ** 2 if step_size is None else step_size)
    return thinned(_run(mdp, table(mdp, "reward", reward), table(mdp, "θ", θ), ε, expand(η, 2)), at)


def _run(mdp: DiscountedMDP, reward: Array, θ: Array, ε: Any, η: Any) -> Iterator[AdaptiveIterate]:
    best = optimum(mdp)
    safe = safe_actions(best, ε)
    inner = restricted(mdp, reward, safe, best.action)
    for k in count():
        π = safe_softmax(θ, safe)
        g = softmax_gradient(inner, π)
        yield AdaptiveIterate(k, θ, π, g)
        θ = θ + η * g
