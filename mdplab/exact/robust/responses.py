"""What the adversary does in one step: the kernel of the set that is worst for given values of the next state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_ball, is_exact, namespace, one_hot, rational, smallest, total
from mdplab.arrays import largest as _largest
from mdplab.errors import MdplabError
from mdplab.exact.robust.box import box_response, linf_box
from mdplab.exact.robust.certified import chi_square_certified, kl_certified
from mdplab.exact.robust.l1 import l1_response, state_l1_minimax, state_l1_response, state_l1_saddle
from mdplab.exact.robust.segments import (
    segment_response,
    state_segment_minimax,
    state_segment_response,
    state_segment_saddle,
)
from mdplab.exact.robust.sorting import midpoints, radius
from mdplab.exact.robust.tilted import chi_square_response, kl_response
from mdplab.exact.robust.wasserstein import wasserstein_response
from mdplab.models.robust import RobustMDP


def worst_response(mdp: RobustMDP, v: Array, π: Array = None) -> Array:
    """A kernel of the set with the largest expected c + γ v in every pair; if s-rectangular, under π in every state.

    Parameters
    ----------
    v : array (..., S)
    π : array (..., S, A)
        Needed where the set is s-rectangular only.

    Returns
    -------
    array (..., S, A, S)
        Balls are answered for the numbers in their middle, with a kernel that is rational.

    Raises
    ------
    MdplabError
        If the set is not rectangular, where no kernel is worst in all states at once.
    """
    return nearly_worst_response(mdp, v, π)[0]


def nearly_worst_response(mdp: RobustMDP, v: Array, π: Array = None) -> tuple[Array, Any]:
    """`worst_response`, and how much more than it another kernel may cost in each pair: zero but for rounding.

    Zero, a plain number, but for balls of a divergence in exact arithmetic, whose worst kernels are irrational: there
    (..., S, A) rationals.
    """
    z = _middle(mdp.targets(v))
    if mdp.ambiguity.rectangular == "pairs":
        name = type(mdp.ambiguity).__name__
        if name in _CERTIFIED and is_exact(z):
            u: Any = mdp.ambiguity
            return _CERTIFIED[name](_like(mdp.P, z), z, _spread(u.budget, z, 1))
        return _BY_PAIR[name](mdp, z), 0
    if mdp.ambiguity.rectangular == "no":
        raise MdplabError(
            f"{type(mdp.ambiguity).__name__} is not rectangular: no kernel is worst in every state; see worst_case"
        )
    if π is None:
        raise MdplabError(f"{type(mdp.ambiguity).__name__} is s-rectangular: the response depends on a policy π")
    return _BY_STATE[type(mdp.ambiguity).__name__](mdp, z, _middle(π)), 0


def worst_action_values(mdp: RobustMDP, v: Array) -> Array:
    """max over the kernels of Σ_t p(t | s, a) (c(s, a, t) + γ v(t)), for each pair alone;  (..., S) -> (..., S, A).

    For (s,a)-rectangular sets.  On balls an enclosure, and for balls of a divergence in exact arithmetic.
    """
    if mdp.ambiguity.rectangular != "pairs":
        raise MdplabError(f"{type(mdp.ambiguity).__name__} has no worst value for each action: the budget is shared")
    p, lack = nearly_worst_response(mdp, v)
    return _enclosed(total(p * mdp.targets(v)), lack, v, mdp, 2)


def robust_backup(mdp: RobustMDP, v: Array, π: Array) -> Array:
    """(T_π v)(s) = max over kernels of Σ_a π(a | s) Σ_t p(t | s, a) (c + γ v(t));  -> (..., S)."""
    p, lack = nearly_worst_response(mdp, v, π)
    return _enclosed(total(π * total(p * mdp.targets(v))), total(π * (lack + 0 * π)), v, mdp, 1)


def robust_bellman(mdp: RobustMDP, v: Array) -> tuple[Array, Array]:
    """(T v, a policy that attains it): the least over policies of `robust_backup`;  (..., S) -> (..., S), (..., S, A).

    For (s,a)-rectangular sets the policy is deterministic, the lowest index among the best; for s-rectangular ones it
    may have to be random.  On balls T v is an enclosure and the policy is the one of the middle.
    """
    if mdp.ambiguity.rectangular == "pairs":
        q = worst_action_values(mdp, v)
        middle = _middle(q)
        best = np.asarray(middle).argmin(axis=-1) if is_exact(q) else namespace(q).argmin(q, axis=-1)
        return smallest(q), one_hot(best, mdp.A, mdp.P)
    value, π = _minimax(mdp, _middle(mdp.targets(v)))
    return _enclosed(value, 0, v, mdp, 1), π


def _minimax(mdp: RobustMDP, z: Array) -> tuple[Array, Array]:
    u = mdp.ambiguity
    name = type(u).__name__
    if name == "StateL1Ball":
        return state_l1_minimax(_like(mdp.P, z), z, _spread(u.budget, z, 2))  # type: ignore[attr-defined]
    if name == "StateSegments":
        return state_segment_minimax(mdp.P, u.other, z)  # type: ignore[attr-defined]
    raise MdplabError(f"{name} is not rectangular: it has no Bellman operator")


def saddle_point(mdp: RobustMDP, v: Array) -> tuple[Array, Array, Array]:
    """(T v, policy, kernel) for s-rectangular sets in rationals, each the best answer to the other.

    Where T is differentiable its derivative is γ times the transition matrix that the two make: Newton's step.
    """
    z, u = mdp.targets(v), mdp.ambiguity
    value, π = _minimax(mdp, z)
    if type(u).__name__ == "StateL1Ball":
        return value, π, state_l1_saddle(_like(mdp.P, z), z, value)
    return value, π, state_segment_saddle(mdp.P, u.other, z, π)  # type: ignore[attr-defined]


def _middle(x: Array) -> Array:
    return midpoints(x) if is_ball(x) else x


def _enclosed(value: Array, lack: Any, v: Array, mdp: RobustMDP, axes: int) -> Array:
    """`value` was made with a nearly worst response to the middle of v: what a better response could still add."""
    if not is_exact(value):
        return value
    from mdplab.exact.enclosure import unit_ball

    if np.any(lack != 0):
        value = value + lack * (1 + unit_ball()) / 2
    if is_ball(v):
        # |max p·z − max p·z'| <= max |z − z'|, and the response to z' is worth within that of its own value.
        value = value + 2 * mdp.γ(axes) * expand(_largest(radius(v)), axes) * unit_ball()
    return value


def _support(mdp: RobustMDP) -> Array:
    if mdp.ambiguity.beyond_support:  # type: ignore[attr-defined]
        return mdp.P >= 0
    return mdp.P > 0


def _like(x: Array, z: Array) -> Array:
    if tuple(x.shape) == tuple(z.shape):
        return x
    return np.broadcast_to(x, z.shape) if is_exact(x) else namespace(x).broadcast_to(x, z.shape)


def _spread(κ: Array, z: Array, axes: int) -> Array:
    """A budget broadcast to the batch axes of z less its last `axes`."""
    shape = tuple(z.shape[: z.ndim - axes])
    return np.broadcast_to(κ, shape) if is_exact(κ) else namespace(κ).broadcast_to(κ, shape)


def _l1(mdp: RobustMDP, z: Array) -> Array:
    u: Any = mdp.ambiguity
    return l1_response(_like(mdp.P, z), z, _spread(u.budget, z, 1), _like(_support(mdp), z))


def _linf(mdp: RobustMDP, z: Array) -> Array:
    u: Any = mdp.ambiguity
    allowed = _support(mdp)
    mask = rational(allowed.astype(int)) if is_exact(mdp.P) else namespace(mdp.P).astype(allowed, mdp.P.dtype)
    low, high = linf_box(mdp.P, u.budget, mask)
    return box_response(_like(low, z), _like(high, z), z)


def _box(mdp: RobustMDP, z: Array) -> Array:
    u: Any = mdp.ambiguity
    return box_response(_like(u.low, z), _like(u.high, z), z)


def _segments(mdp: RobustMDP, z: Array) -> Array:
    u: Any = mdp.ambiguity
    return segment_response(mdp.P, u.other, z)


def _divergence(f: Callable[..., Array]) -> Callable[[RobustMDP, Array], Array]:
    def respond(mdp: RobustMDP, z: Array) -> Array:
        u: Any = mdp.ambiguity
        return f(_like(mdp.P, z), z, _spread(u.budget, z, 1))

    return respond


def _wasserstein(mdp: RobustMDP, z: Array) -> Array:
    u: Any = mdp.ambiguity
    return wasserstein_response(_like(mdp.P, z), z, _spread(u.budget, z, 1), u.distance[..., None, None, :, :])


def _state_l1(mdp: RobustMDP, z: Array, π: Array) -> Array:
    u: Any = mdp.ambiguity
    return state_l1_response(_like(mdp.P, z), z, _spread(u.budget, z, 2), π)


def _state_segments(mdp: RobustMDP, z: Array, π: Array) -> Array:
    u: Any = mdp.ambiguity
    return state_segment_response(mdp.P, u.other, z, π)


_BY_PAIR: dict[str, Callable[[RobustMDP, Array], Array]] = {
    "L1Ball": _l1,
    "LInfBall": _linf,
    "Box": _box,
    "KLBall": _divergence(kl_response),
    "ChiSquareBall": _divergence(chi_square_response),
    "Segments": _segments,
    "WassersteinBall": _wasserstein,
}
_CERTIFIED = {"KLBall": kl_certified, "ChiSquareBall": chi_square_certified}
_BY_STATE: dict[str, Callable[[RobustMDP, Array, Array], Array]] = {
    "StateL1Ball": _state_l1,
    "StateSegments": _state_segments,
}
