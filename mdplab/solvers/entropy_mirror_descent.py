"""Mirror descent with entropy and any step sizes: the constant one is natural policy gradient with entropy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.exact import soft_action_values
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.mirror_descent import MirrorIterate
from mdplab.solvers.thinning import thinned


def entropy_mirror_descent(
    mdp: DiscountedMDP,
    log_π: Array | None = None,
    *,
    temperature: Any,
    step_sizes: Iterable[Any],
    at: Iterable[int] | None = None,
) -> Iterator[MirrorIterate]:
    """Yield π_{k+1}(a | s) ∝ π_k(a | s)^(1 − τ t_k) exp(t_k Q_τ^{π_k}(s, a)), as long as there are step sizes.

    Parameters
    ----------
    mdp : DiscountedMDP
    log_π : array (..., S, A), optional
        First policy, up to a constant in each state; uniform by default.
    temperature : number or array (...,)
        τ > 0, in the unit of the reward.
    step_sizes : iterable of numbers or arrays (...,)
        t_0, t_1, ... in (0, 1/τ]: `averaging_steps` for a loss of O(1/k), a constant for a linear rate.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π`, `temperature` or a step size has the wrong shape.

    Notes
    -----
    A step t is the maximiser of ⟨Q_τ, π⟩ + τ H(π) − KL(π ‖ π_k) / η with η = t / (1 − τ t).

    References
    ----------
    :cite:`shani2020`, uniform trust region policy optimisation; :cite:`mdpo2020`, off-policy.
    """
    τ = per_model(mdp, "temperature", temperature)
    return thinned(_run(mdp, log_softmax(table(mdp, "log_π", log_π)), τ, step_sizes), at)


def _run(mdp: DiscountedMDP, log_π: Array, τ: Any, step_sizes: Iterable[Any]) -> Iterator[MirrorIterate]:
    yield MirrorIterate(0, log_π, exp(log_π))
    for k, step_size in enumerate(step_sizes, start=1):
        t = per_model(mdp, "step_sizes", step_size)
        log_π = log_softmax((1 - expand(τ * t, 2)) * log_π + expand(t, 2) * soft_action_values(mdp, log_π, τ))
        yield MirrorIterate(k, log_π, exp(log_π))


def averaging_steps(temperature: Any) -> Iterator[Any]:
    """Yield t_k = 1 / (τ (k + 2)) for k = 0, 1, ...: log π_k is then the mean of log π_0 and all Q_τ / τ so far.

    References
    ----------
    :cite:`shani2020`, with regularisation.
    """
    n = 2
    while True:
        yield 1 / (n * temperature)
        n += 1
