"""Natural policy gradient with entropy regularisation, of which soft policy iteration is the longest step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.exact import soft_action_values
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.mirror_descent import MirrorIterate
from mdplab.solvers.thinning import thinned


def entropy_natural_pg(
    mdp: DiscountedMDP,
    log_π: Array | None = None,
    *,
    temperature: Any,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[MirrorIterate]:
    """Yield π_{k+1}(a | s) ∝ π_k(a | s)^(1 − ητ/(1−γ)) · exp(η/(1−γ) · Q_τ^{π_k}(s, a)) without end.

    Parameters
    ----------
    mdp : DiscountedMDP
    log_π : array (..., S, A), optional
        First policy, up to a constant in each state; uniform by default.
    temperature : number or array (...,)
        τ > 0, in the unit of the reward.
    step_size : number or array (...,), optional
        η in (0, (1−γ)/τ]; by default (1−γ)/τ, for which the update is soft policy iteration,
        π_{k+1} = softmax(Q_τ^{π_k} / τ).
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π`, `temperature` or `step_size` has the wrong shape.

    Notes
    -----
    Q_τ is `mdplab.exact.soft_action_values`: the entropy of the state itself is not in it.

    References
    ----------
    :cite:`cen2022`, Theorem 1.
    """
    τ = per_model(mdp, "temperature", temperature)
    if step_size is None:
        share, slope = 1, 1 / τ  # ητ/(1−γ) and η/(1−γ); by way of η, rounding would leave a trace in 1 − share
    else:
        slope = per_model(mdp, "step_size", step_size) / (1 - mdp.discount)
        share = slope * τ
    return thinned(_run(mdp, log_softmax(table(mdp, "log_π", log_π)), τ, 1 - expand(share, 2), expand(slope, 2)), at)


def _run(mdp: DiscountedMDP, log_π: Array, τ: Any, kept: Any, slope: Any) -> Iterator[MirrorIterate]:
    for k in count():
        yield MirrorIterate(k, log_π, exp(log_π))
        log_π = log_softmax(kept * log_π + slope * soft_action_values(mdp, log_π, τ))
