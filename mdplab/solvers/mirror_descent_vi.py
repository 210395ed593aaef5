"""Mirror descent value iteration: greedy steps that pay for leaving the last policy and are paid for entropy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, total
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.munchausen_vi import ActionValueIterate
from mdplab.solvers.thinning import thinned


def mirror_descent_vi(
    mdp: DiscountedMDP,
    q: Array | None = None,
    *,
    divergence: Any,
    entropy: Any = 0,
    errors: Iterable[Array] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[ActionValueIterate]:
    """Yield the iterates of MD-VI(λ, τ) from the uniform policy, as long as there are errors.

    π_{k+1} = argmax_π ⟨π, q_k⟩ − λ KL(π ‖ π_k) + τ H(π),  q_{k+1} = r + γ P (the maximum) + ε_{k+1}.

    Parameters
    ----------
    q : array (..., S, A), optional
        q_0; zero by default.
    divergence, entropy : number or array (...,)
        λ >= 0 and τ >= 0, not both zero, in the unit of the reward.  τ = 0, the default, is value iteration
        regularised by the divergence alone; λ = 0 is soft value iteration.
    errors : iterable of arrays (..., S, A), optional
        ε_1, ε_2, ..., in the unit of the reward; none by default, without end.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `q`, an error, `divergence` or `entropy` has the wrong shape.

    References
    ----------
    :cite:`leverage2020`, MD-VI.
    """
    λ = expand(per_model(mdp, "divergence", divergence), 2)
    τ = expand(per_model(mdp, "entropy", entropy), 2)
    return thinned(_run(mdp, table(mdp, "q", q), λ, τ, errors), at)


def _run(mdp: DiscountedMDP, q: Array, λ: Any, τ: Any, errors: Iterable[Array] | None) -> Iterator[ActionValueIterate]:
    log_π = log_softmax(0 * q)
    yield ActionValueIterate(0, q, log_π, exp(log_π))
    for k, ε in enumerate(repeat(None) if errors is None else errors, start=1):
        old, log_π = log_π, log_softmax((q + λ * log_π) / (λ + τ))
        π = exp(log_π)
        greedy_value = total(π * (q - λ * (log_π - old) - τ * log_π))
        q = mdp.action_values(greedy_value) + table(mdp, "errors", ε)
        yield ActionValueIterate(k, q, log_π, π)
