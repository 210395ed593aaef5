"""What a policy costs when the adversary has chosen: values, the worst kernel, and gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdplab.arrays import (
    Array,
    ball,
    expand,
    identity_like,
    is_ball,
    is_exact,
    largest,
    maximum,
    namespace,
    solve,
    total,
    transposed,
)
from mdplab.errors import MdplabError
from mdplab.exact.enclosure import hull, product_rounding, upper
from mdplab.exact.robust.responses import nearly_worst_response, robust_backup
from mdplab.exact.robust.sorting import midpoints
from mdplab.models.robust import RobustMDP


@dataclass(frozen=True, eq=False)
class WorstCase:
    """The worst that can happen to a policy.

    Attributes
    ----------
    v : array (..., S)
        Robust values: for rectangular sets the largest over kernels in every state at once; for a finite set under
        the kernel that is worst from the start distribution.
    kernel : array (..., S, A, S)
        A kernel that attains them.  For (s,a)-rectangular sets it is also worst for actions that are never taken.
    cost : array (...,)
        Φ(π) = ρ·v.
    """

    v: Array
    kernel: Array
    cost: Array


def kernel_values(mdp: RobustMDP, π: Array, p: Array) -> Array:
    """v^{π,p}, the expected discounted cost under kernel p;  (..., S, A), (..., S, A, S) -> (..., S)."""
    P, c = mdp.under(π, p)
    return solve(identity_like(P) - mdp.γ(2) * P, c)


def kernel_action_values(mdp: RobustMDP, π: Array, p: Array) -> Array:
    """q^{π,p}(s, a) = Σ_t p(t | s, a) (c(s, a, t) + γ v^{π,p}(t));  -> (..., S, A)."""
    return total(p * mdp.targets(kernel_values(mdp, π, p)))


def kernel_visits(mdp: RobustMDP, π: Array, p: Array, start: Array = None) -> Array:
    """Σ_t γ^t P(s_t = s) under π and p, sums to 1 / (1 − γ);  -> (..., S)."""
    P, _ = mdp.under(π, p)
    return solve(transposed(identity_like(P) - mdp.γ(2) * P), mdp.start if start is None else start)


def policy_cost_gradient(mdp: RobustMDP, π: Array, p: Array) -> Array:
    """∂J(π, p) / ∂π(a | s) = d(s) q^{π,p}(s, a) / (1 − γ), entries of π free;  -> (..., S, A).

    References
    ----------
    :cite:`wang2023`, Lemma 3.1 and before.
    """
    return expand(kernel_visits(mdp, π, p), 1) * kernel_action_values(mdp, π, p)


def kernel_cost_gradient(mdp: RobustMDP, π: Array, p: Array) -> Array:
    """∂J(π, p) / ∂p(t | s, a) = d(s) π(a | s) (c(s, a, t) + γ v(t)) / (1 − γ), entries free;  -> (..., S, A, S)."""
    weight = expand(kernel_visits(mdp, π, p), 1) * π
    return expand(weight, 1) * mdp.targets(kernel_values(mdp, π, p))


def worst_case(mdp: RobustMDP, π: Array) -> WorstCase:
    """Robust values of π and a worst kernel: policy iteration of the adversary, or enumeration of a finite set.

    Exact in rationals, an enclosure in balls (also for rational models whose set is a ball of a divergence), and right
    up to rounding in float64.

    Raises
    ------
    MdplabError
        For sets without an exact worst case (`TiltedKernels`); see `mdplab.solvers.drpg` for an ascent.

    References
    ----------
    :cite:`iyengar2005`; :cite:`wiesemann2013`.
    """
    if mdp.ambiguity.rectangular == "no":
        return _worst_of_finitely_many(mdp, π)
    exact = is_exact(mdp.P) or is_exact(π)
    slack = 0 if exact else expand(_slack(mdp), 1)
    shape = np.broadcast_shapes(tuple(mdp.P.shape[:-3]), tuple(π.shape[:-2])) + tuple(mdp.P.shape[-3:])
    p = np.broadcast_to(mdp.P, shape) if exact else namespace(mdp.P).broadcast_to(mdp.P, shape)
    v = kernel_values(mdp, π, p)
    while True:
        response, lack = nearly_worst_response(mdp, v, π)
        rises = total(π * (total(response * mdp.targets(v)) - lack)) > v + slack
        if exact:
            rises = np.asarray(rises, dtype=bool)
            if not rises.any():
                break
            p = np.where(rises[..., None, None], response, p)
            v = kernel_values(mdp, π, p)
            continue
        xp = namespace(v)
        if not xp.any(rises):
            break
        p = xp.where(rises[..., None, None], response, p)
        new = kernel_values(mdp, π, p)
        if not xp.any(total(new) > total(v)):  # rounding cannot go round in circles
            break
        v = xp.maximum(v, new)
    if is_ball(v) or np.any(lack != 0):
        v = _enclosure(mdp, π, v)
    return WorstCase(v, response, total(mdp.start * v))


def robust_values(mdp: RobustMDP, π: Array) -> Array:
    """The robust values of π, `worst_case(mdp, π).v`;  (..., S, A) -> (..., S)."""
    return worst_case(mdp, π).v


def _enclosure(mdp: RobustMDP, π: Array, v: Array) -> Array:
    # v is attained by some kernel, so a lower bound; what one backup still adds bounds what all of them can.
    v = np.frompyfunc(ball, 1, 1)(v)
    rise = largest(maximum(robust_backup(mdp, v, π) - v, 0 * v)) / (1 - mdp.γ(0))
    return hull(v, upper(v + expand(rise, 1)))


def _worst_of_finitely_many(mdp: RobustMDP, π: Array) -> WorstCase:
    others = getattr(mdp.ambiguity, "others", None)
    if others is None:
        raise MdplabError(f"the worst kernel among {type(mdp.ambiguity).__name__} has no closed form")
    kernels = [mdp.P, *(others[..., i, :, :, :] for i in range(others.shape[-4]))]
    values = [kernel_values(mdp, π, p) for p in kernels]
    costs = np.stack([total(mdp.start * v) for v in values], axis=-1)
    worst = (midpoints(costs) if is_ball(costs) else costs).argmax(axis=-1)
    v = np.take_along_axis(np.stack(values, axis=-1), worst[..., None, None], axis=-1)[..., 0]
    stacked = np.stack([np.broadcast_to(p, (*worst.shape, *p.shape[-3:])) for p in kernels], axis=-1)
    p = np.take_along_axis(stacked, worst[..., None, None, None, None], axis=-1)[..., 0]
    return WorstCase(v, p, largest(costs))


def _slack(mdp: RobustMDP) -> Array:
    c = mdp.cost_bound
    return product_rounding(mdp.S, c[..., None, None], mdp.γ(0), c[..., None] / (1 - mdp.γ(1)))
