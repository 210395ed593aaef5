"""What is true of a policy over a finite horizon: values, visits, gradients, curvature, optimal policies and gaps.

All arrays are over pairs of an epoch and a state, numbered as `FiniteHorizonMDP` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import (
    EPS,
    Array,
    expand,
    floats,
    is_ball,
    is_exact,
    largest,
    maximum,
    namespace,
    one_hot,
    rounding,
    total,
)
from mdplab.exact.linear_program import LinearProgram
from mdplab.exact.optimum import Optimum
from mdplab.exact.values import centred
from mdplab.models import FiniteHorizonMDP


def values(mdp: FiniteHorizonMDP, π: Array) -> Array:
    """V_h^π(s), the expected reward from epoch h on, by backward recursion;  (..., S, A) -> (..., S)."""
    return collected(mdp, π, total(π * mdp.rewards))


def collected(mdp: FiniteHorizonMDP, π: Array, c: Array) -> Array:
    """The expected sum of c (..., S) over the pairs that π visits, from each pair on;  -> (..., S)."""
    here, rows = mdp.split(c), mdp.split(π, 2)
    v = [here[-1]]
    for h in reversed(range(mdp.H - 1)):
        v.insert(0, here[h] + (_under(mdp.P[h], rows[h]) @ v[0][..., None])[..., 0])
    return mdp.joined(v)


def action_values(mdp: FiniteHorizonMDP, π: Array) -> Array:
    """Q_h^π(s, a) = r_h(s, a) + Σ_t P_h(t | s, a) V_{h+1}^π(t);  (..., S, A) -> (..., S, A)."""
    return mdp.action_values(values(mdp, π))


def advantages(mdp: FiniteHorizonMDP, π: Array) -> Array:
    """A_h^π(s, a) = Q_h^π(s, a) − V_h^π(s);  (..., S, A) -> (..., S, A)."""
    return centred(action_values(mdp, π), π)


def visits(mdp: FiniteHorizonMDP, π: Array, start: Array = None) -> Array:
    """D_h(s) = start(h, s) + P(s_h = s after an earlier start), by forward recursion;  (..., S, A) -> (..., S).

    With a start in epoch 0 these are the probabilities to be in s at epoch h.  Sums of non-negative terms: accurate
    entry by entry.
    """
    starts = mdp.split(mdp.start if start is None else start)
    rows = mdp.split(π, 2)
    D = [starts[0] + 0 * rows[0][..., 0]]
    for h in range(mdp.H - 1):
        D.append(starts[h + 1] + (D[-1][..., None, :] @ _under(mdp.P[h], rows[h]))[..., 0, :])
    return mdp.joined(D)


def softmax_gradient(mdp: FiniteHorizonMDP, π: Array, start: Array = None) -> Array:
    """∂J / ∂θ_h(s, a) = D_h^π(s) π_h(a | s) A_h^π(s, a) for J = Σ start(h, s) V_h^π(s), all epochs at once."""
    return expand(visits(mdp, π, start), 1) * π * advantages(mdp, π)


def direct_gradient(mdp: FiniteHorizonMDP, π: Array, start: Array = None) -> Array:
    """∂J / ∂π_h(a | s) = D_h^π(s) Q_h^π(s, a), the entries of π taken as free variables."""
    return expand(visits(mdp, π, start), 1) * action_values(mdp, π)


def epoch_gradients(mdp: FiniteHorizonMDP, π: Array, μ: Array) -> Array:
    """∂J_h / ∂θ_h(s, a) = μ_h(s) π_h(a | s) A_h^π(s, a) for J_h = Σ_s μ_h(s) V_h^π(s), later epochs held fixed.

    The gradients of the dynamic scheme, of all epochs in one array.

    Parameters
    ----------
    μ : array (..., S)
        For each epoch a distribution over its states; all of it sums to H.
    """
    return expand(μ, 1) * π * advantages(mdp, π)


def derivatives(mdp: FiniteHorizonMDP, π: Array, u: Array) -> tuple[Array, Array, Array]:
    """(V, V', V''): values and their first two derivatives as the logits of π move along u;  each (..., S).

    The backward recursion differentiated twice, with π' = π (u − ū) and π'' = π ((u − ū)² − Var u).  No visits and no
    advantages enter: the other road to gradients, and curvatures u' ∇² u without a Hessian.
    """
    z = u - expand(total(π * u), 1)
    first = π * z
    second = π * (z * z - expand(total(π * z * z), 1))
    q = action_values(mdp, π)
    v1 = collected(mdp, π, total(first * q))
    v2 = collected(mdp, π, total(second * q + 2 * first * mdp.expected_next(v1)))
    return total(π * q), v1, v2


def optimum(mdp: FiniteHorizonMDP) -> Optimum:
    """Backward induction: optimal values, the loss of every action, an optimal policy and a certificate.

    In rationals exact.  In float64 a loss that rounding could have made counts as zero, and the certificate adds up
    the rounding of each epoch.  In balls enclosures of V*, and a policy that is optimal as far as its middle tells.

    References
    ----------
    :cite:`puterman1994`, Section 4.5.
    """
    if is_exact(mdp.start):
        return _exactly(mdp)
    xp = namespace(mdp.start)
    rewards = mdp.r
    q, v, e = [rewards[-1]], [largest(rewards[-1])], [0 * rewards[-1][..., 0, 0]]
    for h in reversed(range(mdp.H - 1)):
        following = (mdp.P[h] @ v[0][..., None, :, None])[..., 0]
        q.insert(0, rewards[h] + following)
        v.insert(0, largest(q[0]))
        size = largest(abs(rewards[h]), 2) + largest(abs(v[1]))
        # Rows may exceed one by rounding; so may the error of what comes after.
        growth = largest(total(mdp.P[h]), 2) * (1 + 4 * EPS)
        e.insert(0, growth * e[0] + rounding(mdp.sizes[h + 1] + 4) * size)
    loss = [largest(x)[..., None] - x for x in q]
    loss = [xp.where(x > expand(4 * d, 2), x, 0 * x) for x, d in zip(loss, e, strict=True)]
    best = [xp.argmax(xp.astype(x == 0, mdp.start.dtype), axis=-1) for x in loss]
    slack = mdp.joined([0 * x + expand(d, 1) for x, d in zip(v, e, strict=True)])
    V, L = mdp.joined(v), mdp.joined(loss, 2)
    return Optimum(V, expand(V, 1) - L, mdp.joined(best), L, V - slack, V + slack)


def _exactly(mdp: FiniteHorizonMDP) -> Optimum:
    v = [largest(mdp.r[-1])]
    for h in reversed(range(mdp.H - 1)):
        v.insert(0, largest(mdp.r[h] + (mdp.P[h] @ v[0][..., None, :, None])[..., 0]))
    V = mdp.joined(v)
    q = mdp.action_values(V)
    action = greedy(q)
    return Optimum(V, q, action, losses(q, action), V, V)


def greedy(q: Array) -> Array:
    """The lowest action whose value is largest, to the float where values are balls;  (..., A) -> (...), integers."""
    if not is_exact(q):
        return namespace(q).argmax(q, axis=-1)
    if is_ball(q):
        return floats(q).argmax(axis=-1)
    return np.asarray(q == largest(q)[..., None], dtype=bool).argmax(axis=-1)


def losses(q: Array, action: Array) -> Array:
    """max_b q(s, b) − q(s, a) >= 0, exactly zero for `action`, which is `greedy`;  (..., A) -> (..., A)."""
    loss = expand(largest(q), 1) - q if q.ndim > 1 else largest(q) - q
    if is_ball(q):
        loss = maximum(loss, 0 * loss)
    return loss * (1 - one_hot(action, q.shape[-1], q))


def gap(mdp: FiniteHorizonMDP, π: Array, optimum: Optimum, start: Array = None) -> Array:
    """J* − J(π) = Σ D_h^π(s) Σ_a π(a | s) (V_h*(s) − Q_h*(s, a)), a sum of non-negative terms;  -> (...)."""
    return total(visits(mdp, π, start) * total(π * optimum.loss))


def gaps(mdp: FiniteHorizonMDP, π: Array, optimum: Optimum) -> Array:
    """V_h*(s) − V_h^π(s) for every pair, without subtracting values;  (..., S, A) -> (..., S)."""
    return collected(mdp, π, total(π * optimum.loss))


def linear_program(mdp: FiniteHorizonMDP) -> LinearProgram:
    """Optimal values and visits of pairs and actions by linear programming, with HiGHS, in float64.

    min Σ v subject to v(h, s) >= r_h(s, a) + Σ_t P_h(t | s, a) v(h + 1, t), and its dual, whose solution are visits
    that sum over actions and states of an epoch to the mass started until then.
    """
    batch = [_programs(mdp[i].floats()) for i in np.ndindex(mdp.batch)] if mdp.batch else [_programs(mdp.floats())]
    v, d = (np.stack(x).reshape(*mdp.batch, *x[0].shape) for x in zip(*batch, strict=True))
    return LinearProgram(v, d)


def _programs(mdp: FiniteHorizonMDP) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import linprog

    S, A, ends = mdp.S, mdp.A, np.cumsum((0, *mdp.sizes))
    flow = np.repeat(np.eye(S), A, axis=0).reshape(S, A, S)  # each pair and action: one leaves it, P arrives
    for h, P in enumerate(mdp.P):
        flow[ends[h] : ends[h + 1], :, ends[h + 1] : ends[h + 2]] -= P
    leaving, r = flow.reshape(S * A, S), mdp.rewards.reshape(S * A)
    primal = linprog(np.ones(S), A_ub=-leaving, b_ub=-r, bounds=(None, None), method="highs")
    dual = linprog(-r, A_eq=leaving.T, b_eq=mdp.start, bounds=(0, None), method="highs")
    return primal.x, dual.x.reshape(S, A)


def solution(mdp: FiniteHorizonMDP) -> dict[str, Any]:
    """Optimal values and actions by epoch, and the optimal value at the start between certified bounds."""
    best = optimum(mdp)
    return {
        "states": mdp.S,
        "actions": mdp.A,
        "horizon": mdp.H,
        "sizes": list(mdp.sizes),
        "exact": is_exact(best.v),
        "value_at_start": np.stack([np.asarray(total(mdp.start * x)) for x in (best.low, best.high)]),
        "values": _listed(mdp.split(best.v)),
        "policy": [[int(a) for a in part] for part in mdp.split(np.asarray(best.action))],
    }


def _listed(parts: tuple[Array, ...]) -> list[Any]:
    return [np.vectorize(str, otypes=[object])(x).tolist() if is_exact(x) else floats(x).tolist() for x in parts]


def _under(P: Array, π: Array) -> Array:
    """Σ_a π(a | s) P(t | s, a);  (..., S, A, T) and (..., S, A) -> (..., S, T)."""
    return (π[..., None, :] @ P)[..., 0, :]
