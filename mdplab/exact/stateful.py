"""Policies with memory of their own: π(a, y | o, z) acts and moves its memory from z to y at once.

Models emit an observation before one acts (`POMDP.emission`); policies are arrays (..., O, Z, A, Z), each
π[..., o, z, :, :] a distribution.  The memory starts in z = 0 unless a distribution `memory` (..., Z) is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, is_exact, namespace, rational, solve, total, transposed
from mdplab.exact.pomdp import _product_chain
from mdplab.exact.values import resolvent
from mdplab.models import POMDP


def seen_by_state(pomdp: POMDP, π: Array) -> Array:
    """Σ_o E(o | s) π(a, y | o, z);  (..., O, Z, A, Z) -> (..., S, Z, A, Z)."""
    xp = namespace(π)
    flat = xp.reshape(π, (*π.shape[:-3], -1))
    return xp.reshape(pomdp.emission @ flat, (*flat.shape[:-2], pomdp.S, *π.shape[-3:]))


def product_chain(pomdp: POMDP, π: Array) -> tuple[Array, Array]:
    """Kernel (..., S, Z, S, Z) and reward (..., S, Z) of the chain on pairs of a state and a memory state."""
    from_state = seen_by_state(pomdp, π)
    K, r = 0, 0
    for a in range(pomdp.A):
        acts = from_state[..., a, :]  # s, z, y
        K = K + acts[..., :, :, None, :] * pomdp.P[..., :, None, a, :, None]
        r = r + total(acts) * pomdp.r[..., :, None, a]
    return K, r


def stateful_values(pomdp: POMDP, π: Array) -> Array:
    """V(s, z), the expected discounted reward;  (..., O, Z, A, Z) -> (..., S, Z)."""
    K, r = product_chain(pomdp, π)
    return _product_chain(pomdp, K, r, pomdp.S, π.shape[-1], namespace(π))


def stateful_action_values(pomdp: POMDP, π: Array) -> Array:
    """Q(s, a, y) = r(s, a) + γ Σ_t P(t | s, a) V(t, y), whatever the memory was before;  -> (..., S, A, Z)."""
    V = stateful_values(pomdp, π)
    return pomdp.r[..., None] + pomdp.γ(3) * (pomdp.P @ V[..., None, :, :])


def stateful_visits(pomdp: POMDP, π: Array, memory: Array | None = None) -> Array:
    """d(s, z) = Σ_t γ^t P(s_t = s, z_t = z), which sums to 1 / (1 − γ);  -> (..., S, Z)."""
    xp, n = namespace(π), π.shape[-1]
    K, r = product_chain(pomdp, π)
    flat = xp.reshape(K, (*K.shape[:-4], pomdp.S * n, pomdp.S * n))
    start = xp.reshape(start_pairs(pomdp, π, memory), (*r.shape[:-2], -1))
    d = solve(transposed(resolvent(pomdp, flat)), start)  # type: ignore[arg-type]
    return xp.reshape(d, r.shape)


def start_pairs(pomdp: POMDP, π: Array, memory: Array | None = None) -> Array:
    """Distribution of the first pair of state and memory state;  -> (..., S, Z)."""
    if memory is None:
        Z = π.shape[-1]
        memory = rational(np.arange(Z) == 0) if is_exact(π) else namespace(π).asarray(np.eye(Z)[0], device=π.device)
    return expand(pomdp.start, 1) * memory[..., None, :]


def stateful_gradient(pomdp: POMDP, π: Array, memory: Array | None = None) -> Array:
    """∂J / ∂θ(o, z, a, y) for π(·, · | o, z) = softmax θ(o, z, ·, ·);  (..., O, Z, A, Z) -> the same.

    Σ_s d(s, z) E(o | s) π(a, y | o, z) (Q(s, a, y) − Σ_{b,x} π(b, x | o, z) Q(s, b, x)): no derivative passes through
    the memory.

    References
    ----------
    :cite:`s2pg2024`; as derived on its card.
    """
    slope = slope_of(pomdp, π, stateful_visits(pomdp, π, memory), stateful_action_values(pomdp, π))
    return π * (slope - expand(total(π * slope, 2), 2))


def slope_of(pomdp: POMDP, π: Array, visits: Array, q: Array) -> Array:
    """Σ_s d(s, z) E(o | s) Q(s, a, y), or with Q(s, z, a, y) where q has four axes;  -> (..., O, Z, A, Z)."""
    xp = namespace(π)
    weight = visits[..., :, None, :] * pomdp.emission[..., :, :, None]  # s, o, z
    if q.ndim == visits.ndim + 1:
        q = q[..., :, None, :, :]  # s, 1, a, y
    q = q[..., :, None, :, :, :]  # s, 1, z or 1, a, y
    return total(xp.moveaxis(weight[..., None, None] * q, -5, -1))


def trajectories(pomdp: POMDP, π: Array, horizon: int, memory: Array | None = None) -> dict[str, Any]:
    """All trajectories of a few steps, to take expectations exactly.

    Returns
    -------
    dict with, for each of the N trajectories (s_0, o_0, z_0, a_0, z_1, s_1, ...):
        ``probability`` (..., N), ``reward`` (..., N) the discounted sum, ``visited`` (T, N) the row of the flat policy
        (o·Z + z)·A·Z + a·Z + y that was drawn at each step, ``seen`` (N,) a number for what the outside sees, (s, o, a)
        of all steps; each is seen on Z^(T + 1) trajectories.
    """
    S, O, A, Z = pomdp.S, pomdp.O, pomdp.A, π.shape[-1]  # noqa: E741
    first = start_pairs(pomdp, π, memory)
    s, z = (x.reshape(-1) for x in np.indices((S, Z)))
    probability, reward, seen = first[..., s, z], 0 * first[..., s, z], s
    visited: list[np.ndarray] = []
    γ = pomdp.discount * 0 + 1
    for t in range(horizon):
        n = len(s)
        s, z, seen = (np.repeat(x, O * A * Z) for x in (s, z, seen))
        o, a, y = (np.tile(x.reshape(-1), n) for x in np.indices((O, A, Z)))
        probability = np.repeat(probability, O * A * Z, axis=-1) * pomdp.emission[..., s, o] * π[..., o, z, a, y]
        reward = np.repeat(reward, O * A * Z, axis=-1) + expand(γ, 1) * pomdp.r[..., s, a]
        visited = [np.repeat(x, O * A * Z) for x in visited] + [((o * Z + z) * A + a) * Z + y]
        seen, γ = (seen * O + o) * A + a, γ * pomdp.discount
        if t + 1 < horizon:
            n = len(s)
            before, action = np.repeat(s, S), np.repeat(a, S)
            s, z = np.tile(np.arange(S), n), np.repeat(y, S)
            probability = np.repeat(probability, S, axis=-1) * pomdp.P[..., before, action, s]
            reward = np.repeat(reward, S, axis=-1)
            visited, seen = [np.repeat(x, S) for x in visited], np.repeat(seen, S) * S + s
    return {"probability": probability, "reward": reward, "visited": np.array(visited), "seen": seen}
