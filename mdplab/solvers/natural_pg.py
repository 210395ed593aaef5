"""Natural policy gradient for softmax policies: θ_{k+1} = θ_k + η/(1−γ) · A^{π_k}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from mdplab.arrays import Array
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import log_actions, per_model
from mdplab.solvers.mirror_descent import MirrorIterate, mirror_descent


def natural_pg(
    mdp: DiscountedMDP,
    log_π: Array | None = None,
    *,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[MirrorIterate]:
    """Yield the iterates of natural policy gradient without end.

    Parameters
    ----------
    mdp : DiscountedMDP
    log_π : array (..., S, A), optional
        First policy, or its logits; uniform by default.
    step_size : number or array (...,), optional
        η > 0; by default (1−γ)² log A, the shortest step for which :cite:`akm2021`, Theorem 5.3, promises
        2 / ((1−γ)² k) for rewards in [0, 1] from the uniform policy.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π` or `step_size` has the wrong shape.

    Notes
    -----
    The Fisher matrix cancels the visits, so neither the start distribution nor a matrix appears.  A and Q differ by a
    number for each state, which the normalisation takes out: this is `mirror_descent` with step η/(1−γ).

    References
    ----------
    :cite:`kakade2001`; :cite:`akm2021`, Section 5.3.
    """
    γ = mdp.discount
    η = per_model(mdp, "step_size", (1 - γ) ** 2 * log_actions(mdp) if step_size is None else step_size)
    return mirror_descent(mdp, log_π, step_sizes=repeat(η / (1 - γ)), at=at)
