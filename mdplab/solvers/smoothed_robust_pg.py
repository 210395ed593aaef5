"""Single-loop robust policy gradient: smoothed descent for the policy and ascent for the kernel, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, expand
from mdplab.exact.robust import kernel_cost_gradient, policy_cost_gradient
from mdplab.models.robust import RobustMDP
from mdplab.solvers.kernel_projection import project_to_set
from mdplab.solvers.simplex import project_to_simplex


@dataclass(frozen=True, eq=False)
class SmoothedIterate:
    """The k-th policy π (..., S, A) and kernel p (..., S, A, S), and the slow copies that they are held to."""

    k: int
    π: Array
    kernel: Array
    anchor_π: Array
    anchor_kernel: Array


def smoothed_robust_pg(
    mdp: RobustMDP,
    π: Array | None = None,
    *,
    step_size: Any,
    kernel_step: Any,
    pull: tuple[Any, Any] = (0, 0),
    follow: tuple[Any, Any] = (1, 1),
) -> Iterator[SmoothedIterate]:
    """Yield the iterates of smoothed gradient descent–ascent on J(π, p) + r₁/2 ‖π − π̄‖² − r₂/2 ‖p − p̄‖² without end.

    Parameters
    ----------
    step_size, kernel_step : number or array (...,)
        Steps of π (first) and of p (after it, at the new π).
    pull : (r₁, r₂)
        With zeros this is plain gradient descent–ascent.
    follow : numbers in [0, 1]
        π̄ ← π̄ + follow[0] (π − π̄), and p̄ with follow[1].

    References
    ----------
    :cite:`lin2024`; its constants are not known to us, so none is a default.
    """
    π = (0 * mdp.P[..., 0] + 1) / mdp.A if π is None else π
    p, anchor_π, anchor_p = mdp.P, π, mdp.P
    (r1, r2), (μ1, μ2) = pull, follow
    for k in count():
        yield SmoothedIterate(k, π, p, anchor_π, anchor_p)
        slope = policy_cost_gradient(mdp, π, p) + r1 * (π - anchor_π)
        π = project_to_simplex(π - expand(step_size, 2) * slope)
        slope = kernel_cost_gradient(mdp, π, p) - r2 * (p - anchor_p)
        p = project_to_set(mdp, p + expand(kernel_step, 3) * slope)
        anchor_π, anchor_p = anchor_π + μ1 * (π - anchor_π), anchor_p + μ2 * (p - anchor_p)
