"""What is true in a POMDP: best values over histories, vectors over beliefs, finite-state controllers, bounds.

Histories before an action are numbered stage by stage: history h of one stage, followed by action a and observation o,
is history ``(h·A + a)·O + o`` of the next.  At the first stage there is one, or one for each first observation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, floats, is_exact, largest, namespace, solve, total
from mdplab.errors import ModelError
from mdplab.exact.optimum import optimum
from mdplab.models import POMDP

# -- Histories --------------------------------------------------------------------------------------------------------


def history_weights(pomdp: POMDP, horizon: int) -> list[Array]:
    """w(h, s): probability that s is reached and observed is what h says, had its actions been fixed; (..., N, S) each.

    An unnormalised belief: no division, so that histories of probability zero need no care.
    """
    xp = namespace(pomdp.P)
    if pomdp.first is None:
        w = pomdp.start[..., None, :]
    else:
        w = expand(pomdp.start, 1) * pomdp.first
        w = xp.moveaxis(w, -1, -2)
    P = xp.moveaxis(pomdp.P, -2, -3)[..., None, :, :, :]  # 1, a, s, t
    Z = xp.moveaxis(pomdp.Z, -1, -2)[..., None, :, :, :]  # 1, a, o, t
    out = [w]
    for _ in range(horizon - 1):
        after = (w[..., :, None, None, :] @ P) * Z  # n, a, o, t
        w = xp.reshape(after, (*after.shape[:-4], -1, pomdp.S))
        out.append(w)
    return out


def finite_optimum(pomdp: POMDP, horizon: int) -> tuple[Array, list[Array]]:
    """(value (...), actions (..., N) stage by stage): the best of all policies on histories, and one that attains it.

    By dynamic programming over all histories, discounted with γ; the lowest of equal actions.
    """
    weights = history_weights(pomdp, horizon)
    xp, after = namespace(pomdp.P), None
    actions: list[Array] = []
    for w in reversed(weights):
        q = w @ pomdp.r
        if after is not None:
            q = q + pomdp.γ(2) * total(xp.reshape(after, (*q.shape, pomdp.O)))
        actions.insert(0, xp.argmax(q, axis=-1))
        after = largest(q)
    return total(after), actions


def finite_value(pomdp: POMDP, policy: list[Array]) -> Array:
    """Value of a policy on histories, one array (..., N, A) a stage;  -> (...)."""
    xp, after = namespace(pomdp.P), None
    for w, π in zip(reversed(history_weights(pomdp, len(policy))), reversed(policy), strict=True):
        q = w @ pomdp.r
        if after is not None:
            q = q + pomdp.γ(2) * total(xp.reshape(after, (*q.shape, pomdp.O)))
        after = total(π * q)
    return total(after)


def alpha_vectors(pomdp: POMDP, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """(vectors (K, S), first actions (K,)) with value max_k b · vector_k at every belief b, for one model.

    Enumerates policies backwards (Monahan 1982) and drops vectors that another one exceeds everywhere: the number left
    grows fast, so for short horizons.  A road to the value that knows nothing of histories.
    """
    if pomdp.batch:
        raise ModelError(f"the model is a batch of shape {pomdp.batch}; expected one model: index the batch")
    zero = pomdp.r[:, 0] * 0
    vectors, actions = zero[None], np.zeros(1, dtype=int)
    for _ in range(horizon):
        found, first = [], []
        for a in range(pomdp.A):
            ahead = [
                _undominated((pomdp.P[:, a] @ (pomdp.Z[a, :, o] * vectors).T).T)[0] * pomdp.discount
                for o in range(pomdp.O)
            ]
            sums = pomdp.r[:, a][None]
            for part in ahead:
                sums = _undominated((sums[:, None, :] + part[None, :, :]).reshape(-1, pomdp.S))[0]
            found.append(sums)
            first += [a] * len(sums)
        vectors, kept = _undominated(np.concatenate(found))
        actions = np.array(first)[kept]
    return vectors, actions


def _undominated(vectors: np.ndarray) -> tuple[np.ndarray, list[int]]:
    kept: list[int] = []
    for i, v in enumerate(vectors):
        if any((vectors[j] >= v).all() for j in kept):
            continue
        kept = [j for j in kept if not (v >= vectors[j]).all()] + [i]
    return vectors[kept], kept


# -- Finite-state controllers -----------------------------------------------------------------------------------------


def controller_values(pomdp: POMDP, actions: Array, moves: Array) -> Array:
    """V(s, z) of a finite-state controller;  (..., Z, A) and (..., Z, A, O, Z) -> (..., S, Z).

    In memory state z it takes a with probability actions[z, a], then, having observed o, goes to y with probability
    moves[z, a, o, y].  Discounted over an infinite horizon; a first observation, if the model has one, is not used.
    """
    S, n = pomdp.S, actions.shape[-2]
    xp = namespace(pomdp.P)
    turn = pomdp.Z[..., None, :, :, :] @ moves  # z, a, t, y
    K, r = 0, 0
    for a in range(pomdp.A):
        ψ = actions[..., None, :, a]
        K = K + expand(ψ, 2) * pomdp.P[..., :, None, a, :, None] * turn[..., None, :, a, :, :]
        r = r + ψ * pomdp.r[..., :, None, a]
    return _product_chain(pomdp, K, r, S, n, xp)


def _product_chain(pomdp: POMDP, K: Array, r: Array, S: int, n: int, xp: Any) -> Array:
    """Discounted sum of r (..., S, Z) over the chain K (..., S, Z, S, Z)."""
    from mdplab.exact.values import resolvent

    if np.any(np.asarray(floats(pomdp.discount)) >= 1):
        raise ModelError("discount is 1; over an infinite horizon a controller has a value for discount < 1 only")
    flat = xp.reshape(K, (*K.shape[:-4], S * n, S * n))
    v = solve(resolvent(pomdp, flat), xp.reshape(r, (*r.shape[:-2], S * n)))  # type: ignore[arg-type]
    return xp.reshape(v, (*v.shape[:-1], S, n))


def best_controller(pomdp: POMDP, memory: int) -> tuple[Array, np.ndarray, np.ndarray]:
    """(value, actions (Z,), moves (Z, O)) of the best deterministic controller with `memory` states, from its state 0.

    Every one of (A · Z^O)^Z is evaluated, in float64, and the best one again in the model's arithmetic; one model.

    Raises ModelError where there are more than a hundred thousand.
    """
    Z, A, O = memory, pomdp.A, pomdp.O  # noqa: E741
    count = (A * Z**O) ** Z
    if pomdp.batch or count > 100_000:
        raise ModelError(
            f"there are {count} controllers and the batch is {pomdp.batch}; expected at most 100000, one model"
        )
    nodes = list(product(range(A), *[range(Z)] * O))
    chosen = np.array(list(product(range(len(nodes)), repeat=Z)))
    table = np.array(nodes)[chosen]  # controllers, z, 1 + O
    model, best, winner, chunk = pomdp.floats(), -np.inf, 0, 2000
    for begin in range(0, count, chunk):
        part = table[begin : begin + chunk]
        many = model.map(partial(_repeated, n=len(part)))
        v = controller_values(many, *_one_hot(part, A, Z))
        value = (model.start @ v)[:, 0]
        if value.max() > best:
            best, winner = value.max(), begin + int(value.argmax())
    one = table[winner]
    ψ, η = _one_hot(one, A, Z)
    if is_exact(pomdp.P):
        from mdplab.arrays import rational

        ψ, η = rational(ψ.astype(int)), rational(η.astype(int))
    value = total(pomdp.start * controller_values(pomdp, ψ, η)[:, 0])
    return value, one[:, 0], one[:, 1:]


def _repeated(x: Any, n: int) -> np.ndarray:
    return np.broadcast_to(x, (n, *np.shape(x)))


def _one_hot(table: np.ndarray, A: int, Z: int) -> tuple[np.ndarray, np.ndarray]:
    ψ = np.eye(A)[table[..., 0]]
    η = np.eye(Z)[table[..., 1:]]  # z, o, y
    return ψ, np.repeat(η[..., None, :, :], A, axis=-3)


# -- Certified bounds over an infinite horizon ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class BeliefBounds:
    """`low` <= V* <= `high` at the start, and at each expanded belief the action that is best by the lower bound.

    Attributes
    ----------
    low, high : float
    beliefs : array (n, S)
    values : array (n, 2)
        Bounds at these beliefs.
    actions : array (n,) of int
    """

    low: float
    high: float
    beliefs: np.ndarray
    values: np.ndarray
    actions: np.ndarray


def belief_bounds(pomdp: POMDP, beliefs: int | None = None) -> BeliefBounds:
    """Bounds on the optimal value from the start of one model, by expanding the beliefs that matter most.

    Below: vectors backed up at expanded beliefs, from those of single actions for ever on (:cite:`pineau2003`), and
    backups of the values there.  Above: the fast informed bound (:cite:`hauskrecht2000`), which lets one see the
    state a step late, improved likewise.  Backups are monotone, so each number is a bound when the loop stops.  At most
    `beliefs` are expanded, by default 100 to 2000 by the model's size.  In float64; beliefs equal to 12 digits count as
    one, and the bounds are moved apart by what that and rounding can do.

    Raises ModelError for a batch and for γ = 1.
    """
    if pomdp.batch:
        raise ModelError(f"the model is a batch of shape {pomdp.batch}; expected one model: index the batch")
    pomdp = pomdp.floats()
    γ = float(pomdp.discount)
    if γ >= 1:
        raise ModelError("discount is 1; over an infinite horizon values are bounded for discount < 1 only")
    graph = _Graph(pomdp, *_fixed_bounds(pomdp))
    roots = [(1.0, pomdp.start)] if pomdp.first is None else _roots(pomdp)
    ids = [(p, graph.node(b)) for p, b in roots]
    if beliefs is None:
        beliefs = int(np.clip(50_000 // (pomdp.A * pomdp.O), 100, 2000))
    low, high, actions = graph.improve(ids, max(beliefs, len(ids)))
    scale = (1 + np.abs(pomdp.r).max()) / (1 - γ)
    margin = scale * 4e-12 * pomdp.S / (1 - γ)
    done = np.array(graph.order)
    return BeliefBounds(
        float(sum(p * low[i] for p, i in ids) - margin),
        float(sum(p * high[i] for p, i in ids) + margin),
        np.array(graph.beliefs)[done],
        np.stack([low[done] - margin, high[done] + margin], axis=1),
        actions,
    )


def _roots(pomdp: POMDP) -> list[tuple[float, np.ndarray]]:
    joint = (pomdp.start[:, None] * pomdp.first).T
    return [(float(w.sum()), w / w.sum()) for w in joint if w.sum() > 0]


def _fixed_bounds(pomdp: POMDP) -> tuple[np.ndarray, np.ndarray]:
    """Vectors below V* (blind policies) and above it (fast informed bound), (A, S) each."""
    γ, P, Z, r = pomdp.discount, pomdp.P, pomdp.Z, pomdp.r
    S, A = pomdp.S, pomdp.A
    blind = np.stack([np.linalg.solve(np.eye(S) - γ * P[:, a], r[:, a]) for a in range(A)])
    top = optimum(pomdp.hidden).high
    informed = (r + γ * P @ top).T + 1e-12 * (1 + abs(top).max())
    joint = np.einsum("sat,ato->aost", P, Z)
    for _ in range(500):
        # Σ_o max_b Σ_t P(t | s, a) Z(o | a, t) α_b(t)
        new = np.minimum(informed, r.T + γ * (joint @ informed.T).max(axis=-1).sum(axis=1))
        if np.abs(new - informed).max() <= 1e-13 * (1 + np.abs(new).max()):
            break
        informed = new
    return blind, informed


class _Graph:
    """Beliefs and where actions and observations lead; those not expanded keep their fixed bounds."""

    def __init__(self, pomdp: POMDP, blind: np.ndarray, informed: np.ndarray) -> None:
        self.pomdp, self.vectors, self.informed = pomdp, blind, informed
        self.ids: dict[bytes, int] = {}
        self.beliefs: list[np.ndarray] = []
        self.bounds: list[tuple[float, float]] = []
        self.order: list[int] = []
        self.edges: list[tuple[np.ndarray, np.ndarray]] = []

    def node(self, b: np.ndarray) -> int:
        key = (np.round(b, 12) + 0.0).tobytes()
        if key not in self.ids:
            self.ids[key] = len(self.beliefs)
            self.beliefs.append(b)
            self.bounds.append((float((self.vectors @ b).max()), float((self.informed @ b).max())))
        return self.ids[key]

    def improve(self, roots: list[tuple[float, int]], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(low, high) of all nodes and actions of the expanded ones, after expanding at most `count` of them.

        Round after round those that matter most: reached with high discounted probability under the actions that the
        upper bound prefers, and little known of.
        """
        chosen, backed_up = [i for _, i in roots][:count], 0
        while True:
            for i in chosen:
                self.edges.append(self.step(self.beliefs[i]))
                self.order.append(i)
            if len(self.order) >= 2 * backed_up:
                self.back_up_points()
                backed_up = len(self.order)
            low, high, preferred, actions = self.sweep()
            for i in self.order:
                self.bounds[i] = (float(low[i]), float(high[i]))
            matter = self.reach(roots, preferred) * (high - low)
            matter[self.order] = 0
            room = min(max(8, len(self.order) // 4), count - len(self.order))
            known = sum(p * (high[i] - low[i]) for p, i in roots) <= 1e-11 * (1 + np.abs(high).max())
            chosen = [int(i) for i in np.argsort(-matter)[:room] if matter[i] > 0]
            if known or not chosen:
                return low, high, actions

    def back_up_points(self, points: int = 64, rounds: int = 20) -> None:
        """Raise the lower bounds by vectors backed up at the beliefs expanded first: each is worth what a policy is."""
        γ, P, Z, r = float(self.pomdp.discount), self.pomdp.P, self.pomdp.Z, self.pomdp.r
        b = np.array(self.beliefs)[self.order[:points]]
        joint = np.einsum("sat,ato->aost", P, Z)
        for _ in range(rounds):
            ahead = joint @ self.vectors.T  # a, o, s, k
            best = (b @ ahead).argmax(axis=-1)  # a, o, n
            chosen = np.take_along_axis(ahead, best[:, :, None, :], axis=-1)  # a, o, s, n
            new = r.T[:, :, None] + γ * chosen.sum(axis=1)  # a, s, n
            action = np.einsum("asn,ns->an", new, b).argmax(axis=0)
            candidates = new[action, :, np.arange(len(b))]  # n, s
            before = (b @ self.vectors.T).max(axis=-1)
            gain = (b * candidates).sum(axis=-1) - before
            kept = self.vectors[np.unique((b @ self.vectors.T).argmax(axis=-1))]
            self.vectors = np.unique(np.concatenate([kept, candidates[gain > 0]]), axis=0)
            if gain.max() <= 1e-9 * (1 + np.abs(before).max()):
                break
        every = np.array(self.beliefs)
        raised = (every @ self.vectors.T).max(axis=-1)
        self.bounds = [(max(low, float(x)), high) for (low, high), x in zip(self.bounds, raised, strict=True)]

    def reach(self, roots: list[tuple[float, int]], preferred: np.ndarray) -> np.ndarray:
        """Discounted probability of each node when the preferred actions are taken."""
        γ, n, rows = float(self.pomdp.discount), len(self.beliefs), np.arange(len(self.order))
        p, following = (np.stack(x)[rows, preferred] for x in zip(*self.edges, strict=True))
        now: np.ndarray = np.zeros(n)
        out = np.zeros(n)
        for weight, i in roots:
            now[i] += weight
        for _ in range(200):
            out += now
            if now.sum() < 1e-9:
                break
            now = np.bincount(following.ravel(), (γ * p * now[self.order][:, None]).ravel(), minlength=n)
        return out

    def step(self, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        joint = np.einsum("s,sat,ato->aot", b, self.pomdp.P, self.pomdp.Z)
        p = joint.sum(axis=-1)
        following = np.zeros(p.shape, dtype=int)
        for a, o in np.ndindex(p.shape):
            following[a, o] = self.node(joint[a, o] / p[a, o]) if p[a, o] > 0 else 0
        return p, following

    def sweep(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Backups until nothing moves: low, high, and the actions that are best by the upper and by the lower bound."""
        γ, order = float(self.pomdp.discount), np.array(self.order)
        r = np.array(self.beliefs)[order] @ self.pomdp.r
        p, following = (np.stack(x) for x in zip(*self.edges, strict=True))
        low, high = (np.array(x) for x in zip(*self.bounds, strict=True))
        sweeps = 1 if γ == 0 else min(20_000, int(np.ceil(-36 / np.log(γ))))
        for _ in range(sweeps):
            below = np.maximum(low[order], (r + γ * (p * low[following]).sum(axis=-1)).max(axis=-1))
            above = np.minimum(high[order], (r + γ * (p * high[following]).sum(axis=-1)).max(axis=-1))
            still = max(np.abs(below - low[order]).max(), np.abs(above - high[order]).max())
            low[order], high[order] = below, above
            if still <= 1e-14 * (1 + np.abs(high).max()):
                break
        tops = [(r + γ * (p * v[following]).sum(axis=-1)).argmax(axis=-1) for v in (high, low)]
        return low, high, tops[0], tops[1]


def solution(pomdp: POMDP) -> dict[str, Any]:
    """Certified bounds on the optimal value at the start, and actions at the beliefs that matter most."""
    found = belief_bounds(pomdp)
    shown = range(min(64, len(found.actions)))
    return {
        "states": pomdp.S,
        "actions": pomdp.A,
        "observations": pomdp.O,
        "discount": pomdp.discount,
        "value_at_start": [found.low, found.high],
        "first_action": int(found.actions[0]),
        "expanded_beliefs": len(found.actions),
        "policy": [{"belief": found.beliefs[i].tolist(), "action": int(found.actions[i])} for i in shown],
    }
