"""Robust policy mirror descent: π ← π exp(−η q), q the worst-case action values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.errors import MdplabError
from mdplab.exact.robust import worst_action_values, worst_case
from mdplab.models.robust import RobustMDP


@dataclass(frozen=True, eq=False)
class RobustMirrorIterate:
    """The k-th policy: logits θ, log-probabilities and probabilities (..., S, A), robust values v (..., S) and q."""

    k: int
    θ: Array
    log_π: Array
    π: Array
    v: Array
    q: Array
    step: Any


def robust_mirror_descent(
    mdp: RobustMDP, θ: Array | None = None, *, step_size: Any | Callable[[int, Array, Array], Any]
) -> Iterator[RobustMirrorIterate]:
    """Yield the iterates of π_{k+1}(a | s) ∝ π_k(a | s) exp(−η_k q_k(s, a)) without end, in logits.

    Parameters
    ----------
    mdp : RobustMDP
        Its set must be (s,a)-rectangular; for s-rectangular sets the step is not monotone.
    θ : array (..., S, A), optional
        Logits of the first policy, zero by default.
    step_size : number, array (...,), or function of (k, log π_k, q_k)
        η.

    References
    ----------
    :cite:`li2022`.
    """
    if mdp.ambiguity.rectangular != "pairs":
        raise MdplabError(
            f"{type(mdp.ambiguity).__name__} is not (s,a)-rectangular: there are no worst-case action values"
        )
    θ = 0 * mdp.P[..., 0] if θ is None else θ
    k = 0
    while True:
        log_π = log_softmax(θ)
        π = exp(log_π)
        v = worst_case(mdp, π).v
        q = worst_action_values(mdp, v)
        η = step_size(k, log_π, q) if callable(step_size) else step_size
        yield RobustMirrorIterate(k, θ, log_π, π, v, q, η)
        θ, k = θ - expand(η, 2) * q, k + 1
