"""What is true of a policy until exit: values, visits, gradients, curvature, all paths, and the optimum.

Policies are arrays (..., N, S, A), one row of probabilities for each time and inner state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, floats, identity_like, is_exact, namespace, solve, total
from mdplab.exact import finite_horizon
from mdplab.exact.optimum import Optimum
from mdplab.exact.values import centred
from mdplab.models import ExitTimeMDP, FiniteHorizonMDP


def exit_values(mdp: ExitTimeMDP, π: Array) -> Array:
    """V(i, x) = E[g(X_τ) | X_i = x] for i = 0, ..., N, which is g(x) outside and at i = N;  -> (..., N + 1, S + E)."""
    v = [mdp.payoff + 0 * π[..., 0, 0, :1]]
    for i in reversed(range(mdp.N)):
        inner = total(π[..., i, :, :] * _expected(mdp, v[0]))
        v.insert(0, _concat(inner, v[-1][..., mdp.S :]))
    return namespace(mdp.P).stack(v, axis=-2)


def exit_action_values(mdp: ExitTimeMDP, π: Array) -> Array:
    """Q(i, x, a) = Σ_y P(y | x, a) V(i + 1, y);  (..., N, S, A) -> (..., N, S, A)."""
    V = exit_values(mdp, π)
    return _expected(mdp, V[..., 1:, :])


def exit_advantages(mdp: ExitTimeMDP, π: Array) -> Array:
    """Q(i, x, a) − V(i, x);  (..., N, S, A) -> (..., N, S, A)."""
    return centred(exit_action_values(mdp, π), π)


def exit_visits(mdp: ExitTimeMDP, π: Array) -> Array:
    """P(X_i = x, i < τ), sums of non-negative terms;  (..., N, S, A) -> (..., N, S)."""
    d = [mdp.start + 0 * π[..., 0, :, 0]]
    for i in range(mdp.N - 1):
        d.append((d[-1][..., None, :] @ _inner(mdp, π[..., i, :, :]))[..., 0, :])
    return namespace(mdp.P).stack(d, axis=-2)


def exit_value(mdp: ExitTimeMDP, π: Array) -> Array:
    """J = E[g(X_τ)] from the start distribution;  (..., N, S, A) -> (...)."""
    return total(mdp.start * exit_values(mdp, π)[..., 0, : mdp.S])


def exit_gradient(mdp: ExitTimeMDP, π: Array) -> Array:
    """∂J / ∂θ(i, x, a) = P(X_i = x, i < τ) π(a | i, x) (Q − V)(i, x, a) for π = softmax(θ);  -> (..., N, S, A).

    The gradient by logits that all times share is its sum over the times.
    """
    return expand(exit_visits(mdp, π), 1) * π * exit_advantages(mdp, π)


def exit_derivatives(mdp: ExitTimeMDP, π: Array, u: Array) -> tuple[Array, Array]:
    """(J', J''): the first two derivatives of J as the logits of π move along u (..., N, S, A);  each (...).

    The backward recursion differentiated twice.  No visits and no advantages enter: the other road to gradients, and
    to curvatures u' ∇² u.
    """
    z = u - expand(total(π * u), 1)
    first = π * z
    second = π * (z * z - expand(total(π * z * z), 1))
    V = exit_values(mdp, π)
    outside = 0 * V[..., 0, mdp.S :]
    v1 = v2 = 0 * V[..., 0, :]
    for i in reversed(range(mdp.N)):
        q, q1, q2 = (_expected(mdp, v) for v in (V[..., i + 1, :], v1, v2))
        at = (..., i, slice(None), slice(None))
        v2 = _concat(total(second[at] * q + 2 * first[at] * q1 + π[at] * q2), outside)
        v1 = _concat(total(first[at] * q + π[at] * q1), outside)
    return total(mdp.start * v1[..., : mdp.S]), total(mdp.start * v2[..., : mdp.S])


def values_without_horizon(mdp: ExitTimeMDP, π: Array) -> Array:
    """E_x[g(X_τ)] for a stationary policy (..., S, A) that is sure to exit, with no horizon;  -> (..., S).

    The solution of (I − P_inner) v = P_outer g.
    """
    P = (π[..., None, :] @ mdp.P)[..., 0, :]
    inner, outer = P[..., : mdp.S], P[..., mdp.S :]
    return solve(identity_like(inner) - inner, total(outer * mdp.payoff[..., None, mdp.S :]))


# -- All paths --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Path:
    """One way to the end: states X_0, ..., X_τ, actions α_0, ..., α_{τ−1}, and its probability (...)."""

    states: tuple[int, ...]
    actions: tuple[int, ...]
    probability: Array


def exit_paths(mdp: ExitTimeMDP, π: Array) -> Iterator[Path]:
    """All paths of the model, impossible ones of a single exact model left out; about ((S + E) A)^N of them."""

    def after(path: Path) -> Iterator[Path]:
        i, x = len(path.actions), path.states[-1]
        if x >= mdp.S or i == mdp.N:
            yield path
            return
        for a in range(mdp.A):
            for y in range(mdp.S + mdp.E):
                p = path.probability * π[..., i, x, a] * mdp.P[..., x, a, y]
                if _possible(p):
                    yield from after(Path((*path.states, y), (*path.actions, a), p))

    for x in range(mdp.S):
        if _possible(mdp.start[..., x]):
            yield from after(Path((x,), (), mdp.start[..., x]))


Weights = Callable[[Array, Path], list[Array]]


def payoff_weights(V: Array, path: Path) -> list[Array]:
    """g(X_τ) for each decision: REINFORCE."""
    return [V[..., -1, path.states[-1]]] * len(path.actions)


def critic_weights(V: Array, path: Path) -> list[Array]:
    """V(i + 1, X_{i+1}) for the decision i."""
    return [V[..., i + 1, path.states[i + 1]] for i in range(len(path.actions))]


def baseline_weights(V: Array, path: Path) -> list[Array]:
    """g(X_τ) − V(i, X_i) for the decision i."""
    return [g - V[..., i, path.states[i]] for i, g in enumerate(payoff_weights(V, path))]


def difference_weights(V: Array, path: Path) -> list[Array]:
    """V(i + 1, X_{i+1}) − V(i, X_i) for the decision i: temporal differences."""
    return [v - V[..., i, path.states[i]] for i, v in enumerate(critic_weights(V, path))]


def score_moments(
    mdp: ExitTimeMDP, π: Array, weights: Weights, V: Array = None, *, shared: bool = False
) -> tuple[Array, Array]:
    """Mean (..., N, S, A) and mean squared length (...) of Σ_{i<τ} W_i ∇ log π(α_i | i, X_i), by all paths.

    Parameters
    ----------
    weights : function of (V, path)
        The W_i, for instance `payoff_weights`.
    V : array (..., N + 1, S + E), optional
        The critic; the policy's own values by default.
    shared : bool
        Whether all times share their logits; the squared length is then that of the sum over the times.
    """
    V = exit_values(mdp, π) if V is None else V
    mean, square = 0 * π, 0 * π[..., 0, 0, 0]
    for path in exit_paths(mdp, π):
        sample = 0 * π
        for i, (W, x, a) in enumerate(zip(weights(V, path), path.states, path.actions, strict=False)):
            sample[..., i, x, :] = expand(W, 1) * (identity_like(π)[..., a, :] - π[..., i, x, :])
        mean = mean + expand(path.probability, 3) * sample
        whole = namespace(sample).sum(sample, axis=-3, keepdims=True) if shared else sample
        square = square + path.probability * total(whole * whole, 3)
    return mean, square


# -- The optimum ------------------------------------------------------------------------------------------------------


def in_epochs(mdp: ExitTimeMDP) -> FiniteHorizonMDP:
    """The same problem with rewards: N epochs of the inner states and one more in which everything is over.

    A decision pays the expected payoff of leaving, and the last one also that of staying inside.
    """
    P, g, S = mdp.P, mdp.payoff[..., None, None, :], mdp.S
    leaving = total(P[..., S:] * g[..., S:])
    kernel = _concat(P[..., :S], total(P[..., S:])[..., None]) if mdp.E else _concat(P, 0 * leaving[..., None])
    over = 0 * kernel[..., :1, :, :]
    over[..., S] = over[..., S] + 1
    kernel = namespace(P).concat([kernel, over], axis=-3)

    def padded(r: Array) -> Array:
        return namespace(P).concat([r, 0 * r[..., :1, :]], axis=-2)

    rewards = (padded(leaving),) * (mdp.N - 1) + (padded(total(P * g)),)
    return FiniteHorizonMDP((kernel,) * (mdp.N - 1), rewards, _concat(mdp.start, 0 * mdp.start[..., :1]))


def exit_optimum(mdp: ExitTimeMDP) -> Optimum:
    """Backward induction: optimal values and losses at all times and inner states, a policy and a certificate.

    `v`, `low`, `high` and `action` have the axes (..., N, S), `q` and `loss` (..., N, S, A).
    """
    best = finite_horizon.optimum(in_epochs(mdp))

    def cut(x: Array, axes: int) -> Array:
        lead = tuple(x.shape[: x.ndim - axes])
        x = namespace(x).reshape(x, (*lead, mdp.N, mdp.S + 1, *x.shape[x.ndim - axes + 1 :]))
        return x[..., : mdp.S] if axes == 1 else x[..., : mdp.S, :]

    parts = (best.v, best.q, best.action, best.loss, best.low, best.high)
    return Optimum(*(cut(x, axes) for x, axes in zip(parts, (1, 2, 1, 2, 1, 1), strict=True)))


def exit_gap(mdp: ExitTimeMDP, π: Array, optimum: Optimum) -> Array:
    """J* − J = Σ P(X_i = x, i < τ) π(a | i, x) loss(i, x, a), a sum of non-negative terms;  -> (...)."""
    return total(exit_visits(mdp, π) * total(π * optimum.loss), 2)


def solution(mdp: ExitTimeMDP) -> dict[str, Any]:
    """Optimal values and actions by time, and the optimal value at the start between certified bounds."""
    best = exit_optimum(mdp)

    def listed(x: Array) -> list[Any]:
        return np.vectorize(str, otypes=[object])(x).tolist() if is_exact(x) else floats(x).tolist()

    at_start = [np.asarray(total(mdp.start * bound[..., 0, :])) for bound in (best.low, best.high)]
    return {
        "states": mdp.S,
        "outside": mdp.E,
        "actions": mdp.A,
        "horizon": mdp.N,
        "exact": is_exact(best.v),
        "value_at_start": [x[()] if not is_exact(x) else str(x[()]) for x in at_start],
        "values": listed(best.v),
        "policy": np.asarray(best.action).tolist(),
    }


def _expected(mdp: ExitTimeMDP, v: Array) -> Array:
    """Σ_y P(y | x, a) v(y);  (..., S + E) -> (..., S, A), also for several times at once."""
    P = mdp.P[..., None, :, :, :] if v.ndim > mdp.P.ndim - 2 else mdp.P
    return (P @ v[..., None, :, None])[..., 0]


def _inner(mdp: ExitTimeMDP, π: Array) -> Array:
    return (π[..., None, :] @ mdp.P)[..., 0, : mdp.S]


def _concat(x: Array, y: Array) -> Array:
    return namespace(x).concat([x, y], axis=-1)


def _possible(p: Any) -> bool:
    # A ball counts as possible.
    there = True if hasattr(p, "rad") else p != 0
    return bool(there.any() if hasattr(there, "any") else there)
