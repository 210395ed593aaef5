"""MVI(q): Munchausen value iteration with the q-logarithm of Tsallis in place of the logarithm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from mdplab.arrays import Array, expand, is_exact, rational_number, total
from mdplab.exact import log_q, tsallis_greedy
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class TsallisIterate:
    """The k-th action values and the policy that made them, after k updates.

    Attributes
    ----------
    k : int
    Q : array (..., S, A)
        Q_k, in the unit of value.
    π, log_q : array (..., S, A)
        π_k, with which Q_k was computed from Q_{k−1}, and ln_q π_k; π_0 is uniform.
    """

    k: int
    Q: Array
    π: Array
    log_q: Array


def tsallis_munchausen_vi(
    mdp: DiscountedMDP,
    Q: Array | None = None,
    *,
    strength: Any,
    temperature: Any,
    q: Any,
    errors: Iterable[Array] | None = None,
    at: Iterable[int] | None = None,
) -> Iterator[TsallisIterate]:
    """Yield the iterates of MVI(q), as long as there are errors.

    π_{k+1} = argmax_π ⟨π, Q_k⟩ + τ S_q(π),
    Q_{k+1} = r + ατ ln_q π_{k+1} + γ P ⟨π_{k+1}, Q_k − τ ln_q π_{k+1}⟩ + ε_{k+1}.

    Parameters
    ----------
    Q : array (..., S, A), optional
        Q_0; zero by default.
    strength : number or array (...,)
        α in [0, 1]; 0 is value iteration regularised by the entropy.
    temperature : number or array (...,)
        τ > 0, in the unit of the reward.
    q : number
        Entropic index, at least 1; 1 is `munchausen_vi`.
    errors : iterable of arrays (..., S, A), optional
        ε_1, ε_2, ..., in the unit of the reward; none by default, without end.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `Q`, an error, `strength` or `temperature` has the wrong shape, or q < 1.

    Notes
    -----
    ln_q x = (x^(q−1) − 1) / (q − 1), so that the bonus ατ ln_q π >= −ατ / (q − 1) stays bounded for q > 1.

    References
    ----------
    :cite:`tsallis2023`.
    """
    α = expand(per_model(mdp, "strength", strength), 2)
    return thinned(_run(mdp, table(mdp, "Q", Q), α, per_model(mdp, "temperature", temperature), q, errors), at)


def _run(
    mdp: DiscountedMDP, Q: Array, α: Any, τ: Any, q: Any, errors: Iterable[Array] | None
) -> Iterator[TsallisIterate]:
    π = 0 * Q + (rational_number(1) / mdp.A if is_exact(Q) else 1 / mdp.A)
    yield TsallisIterate(0, Q, π, log_q(π, q))
    for k, ε in enumerate(repeat(None) if errors is None else errors, start=1):
        best, bonus = tsallis_greedy(Q, τ, q), expand(τ, 2)
        value = total(best.π * (Q - bonus * best.log))
        Q = mdp.action_values(value) + α * bonus * best.log + table(mdp, "errors", ε)
        yield TsallisIterate(k, Q, best.π, best.log)
