"""Conservative value iteration and its limit, advantage learning: value iteration that keeps old preferences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, expand, floats, is_exact, largest, log_softmax, namespace, one_hot, total
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class PreferenceIterate:
    """The k-th action values q (..., S, A) and their values v (..., S), a hard or soft maximum, after k updates."""

    k: int
    q: Array
    v: Array


def conservative_vi(
    mdp: DiscountedMDP,
    q: Array | None = None,
    *,
    strength: Any,
    temperature: Any = None,
    errors: Iterable[Array] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[PreferenceIterate]:
    """Yield the iterates of q_{k+1} = r + γ P m(q_k) + α (q_k − m(q_k)) + ε_{k+1}, as long as there are errors.

    Parameters
    ----------
    q : array (..., S, A), optional
        q_0; zero by default.
    strength : number or array (...,)
        α in [0, 1]: how much of an old preference is kept.
    temperature : number or array (...,), optional
        τ > 0 for m(q) = τ log Σ_a exp(q(·, a) / τ); without it m is the maximum, and this is advantage learning.
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
    As τ log softmax(q / τ) = q − m(q), these are the action values of `munchausen_vi`.

    References
    ----------
    :cite:`kozuno2019`; :cite:`munchausen2020`.
    """
    α = expand(per_model(mdp, "strength", strength), 2)
    τ = None if temperature is None else per_model(mdp, "temperature", temperature)
    return thinned(_run(mdp, table(mdp, "q", q), α, τ, errors), at)


def _run(mdp: DiscountedMDP, q: Array, α: Any, τ: Any, errors: Iterable[Array] | None) -> Iterator[PreferenceIterate]:
    m = largest if τ is None else partial(soft_largest, τ=τ)
    v = m(q)
    yield PreferenceIterate(0, q, v)
    for k, ε in enumerate(repeat(None) if errors is None else errors, start=1):
        q = mdp.action_values(v) + α * (q - expand(v, 1)) + table(mdp, "errors", ε)
        v = m(q)
        yield PreferenceIterate(k, q, v)


def soft_largest(q: Array, τ: Any) -> Array:
    """τ log Σ_a exp(q(s, a) / τ), between the maximum and τ log A above it;  (..., S, A) -> (..., S)."""
    # Exactly q − τ log softmax(q / τ) for any action, most accurately for the best.
    action = floats(q).argmax(axis=-1) if is_exact(q) else namespace(q).argmax(q, axis=-1)
    τ = expand(τ, 2)
    return total(one_hot(action, q.shape[-1], q) * (q - τ * log_softmax(q / τ)))
