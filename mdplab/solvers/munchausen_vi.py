"""Munchausen value iteration: value iteration whose reward is the logarithm of its own policy, scaled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, total
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class ActionValueIterate:
    """The k-th action values and the policy that made them, after k updates.

    Attributes
    ----------
    k : int
    q : array (..., S, A)
        q_k, in the unit of value.
    log_π, π : array (..., S, A)
        π_k, with which q_k was computed from q_{k−1}; π_0 is uniform.
    """

    k: int
    q: Array
    log_π: Array
    π: Array


def munchausen_vi(
    mdp: DiscountedMDP,
    q: Array | None = None,
    *,
    strength: Any,
    temperature: Any,
    errors: Iterable[Array] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[ActionValueIterate]:
    """Yield the iterates of Munchausen value iteration, as long as there are errors.

    π_{k+1} = softmax(q_k / τ),  q_{k+1} = r + ατ log π_{k+1} + γ P ⟨π_{k+1}, q_k − τ log π_{k+1}⟩ + ε_{k+1}.

    Parameters
    ----------
    q : array (..., S, A), optional
        q_0; zero by default.
    strength : number or array (...,)
        α in [0, 1]; 0 is soft value iteration.
    temperature : number or array (...,)
        τ > 0, in the unit of the reward.
    errors : iterable of arrays (..., S, A), optional
        ε_1, ε_2, ..., in the unit of the reward; none by default, without end.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `q`, an error, `strength` or `temperature` has the wrong shape.

    Notes
    -----
    It is mirror descent in the space of policies in disguise: `mirror_descent_vi` with λ = ατ and (1−α)τ in place of τ
    has the same policies, and the action values q_k − ατ log π_k.

    References
    ----------
    :cite:`munchausen2020`.
    """
    α = expand(per_model(mdp, "strength", strength), 2)
    τ = expand(per_model(mdp, "temperature", temperature), 2)
    return thinned(_run(mdp, table(mdp, "q", q), α, τ, errors), at)


def _run(mdp: DiscountedMDP, q: Array, α: Any, τ: Any, errors: Iterable[Array] | None) -> Iterator[ActionValueIterate]:
    log_π = log_softmax(0 * q)
    yield ActionValueIterate(0, q, log_π, exp(log_π))
    for k, ε in enumerate(repeat(None) if errors is None else errors, start=1):
        log_π = log_softmax(q / τ)
        π = exp(log_π)
        q = mdp.action_values(total(π * (q - τ * log_π))) + α * τ * log_π + table(mdp, "errors", ε)
        yield ActionValueIterate(k, q, log_π, π)
