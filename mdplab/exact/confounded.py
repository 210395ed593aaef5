"""What is true in a confounded POMDP, what its data show, and what they make believe who takes histories for states.

Every value here is a sum over histories, V^π = Σ_h Σ_{o,a} ρ^π(h, o, a) g(h, o, a), with ρ^π(h, o, a) the product of
the probabilities with which π took the actions.  Truth, naive estimate and the weights of :cite:`tennenholtz2020`
differ in g only.  Histories are numbered as `ConfoundedPOMDP` says; arrays over them are (..., H, O, A).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, divided, expand, floats, is_exact, largest, namespace, one_hot, rational, total
from mdplab.errors import ModelError
from mdplab.exact.values import centred
from mdplab.models import ConfoundedPOMDP

RANK = 1e-10  # relative: singular values below this count as zero in float64


# -- Sums over histories ----------------------------------------------------------------------------------------------


def reach(model: ConfoundedPOMDP, π: Array) -> Array:
    """ρ^π(h) = Π π(a_j | o_j, h_{j−1}) over the actions of each history;  (..., H, O, A) -> (..., H)."""
    xp = namespace(π)
    parts = [π[..., 0, 0, :1] * 0 + 1]
    for t in range(model.horizon - 1):
        now = parts[-1][..., :, None, None] * π[..., model.stage(t), :, :]
        parts.append(xp.reshape(now, (*now.shape[:-3], -1)))
    return xp.concat(parts, axis=-1)


def history_sum(model: ConfoundedPOMDP, g: Array, π: Array) -> Array:
    """Σ_h Σ_{o,a} ρ^π(h) π(a | o, h) g(h, o, a);  (..., H, O, A) twice -> (...)."""
    return total(expand(reach(model, π), 2) * π * g, 3)


def history_action_values(model: ConfoundedPOMDP, g: Array, π: Array) -> Array:
    """q(h, o, a) = g(h, o, a) + Σ_o' Σ_a' π(a' | o', h∘(o, a)) q(h∘(o, a), o', a'), of the tree;  -> (..., H, O, A)."""
    return _backwards(model, g, lambda t, q: total(π[..., model.stage(t), :, :] * q))


def history_slope(model: ConfoundedPOMDP, g: Array, π: Array) -> Array:
    """∂/∂π(a | o, h) of `history_sum`, each entry a free variable: ρ^π(h) q(h, o, a);  (..., H, O, A) -> the same."""
    return expand(reach(model, π), 2) * history_action_values(model, g, π)


def best_history_policy(model: ConfoundedPOMDP, g: Array | None = None) -> tuple[Array, Array]:
    """(value (...), policy (..., H, O, A)): the largest `history_sum`, and a deterministic policy that attains it.

    By dynamic programming over histories, the lowest of equal actions; with the true rewards where `g` is not given.
    """
    g = true_rewards(model) if g is None else g
    q = _backwards(model, g, lambda t, q: largest(q))
    π = one_hot(namespace(q).argmax(q, axis=-1), model.A, q)
    return total(largest(q[..., 0, :, :])), π


def softmax_slope(slope: Array, π: Array) -> Array:
    """From ∂V/∂π to ∂V/∂θ for π(· | o, h) = softmax θ(h, o, ·): π (G − Σ_b π(b) G(b));  (..., A) -> (..., A)."""
    return π * centred(slope, π)


def _backwards(model: ConfoundedPOMDP, g: Array, summary: Any) -> Array:
    xp = namespace(g)
    parts = [g[..., model.stage(model.horizon - 1), :, :]]
    for t in range(model.horizon - 2, -1, -1):
        after = total(summary(t + 1, parts[0]))  # over o', for each history of stage t + 1
        now = g[..., model.stage(t), :, :]
        parts.insert(0, now + xp.reshape(after, (*after.shape[:-1], *now.shape[-3:])))
    return xp.concat(parts, axis=-3)


def history_gap(model: ConfoundedPOMDP, g: Array, π: Array) -> Array:
    """Largest `history_sum` minus that of π;  (..., H, O, A) twice -> (...).

    Σ_h ρ^π(h) Σ_{o,a} π(a | o, h) (max_b q*(h, o, b) − q*(h, o, a)), performance difference on the tree: no term is
    negative.
    """
    q = _backwards(model, g, lambda t, q: largest(q))
    return total(expand(reach(model, π), 2) * π * (largest(q)[..., None] - q), 3)


# -- Truth ------------------------------------------------------------------------------------------------------------


def true_rewards(model: ConfoundedPOMDP) -> Array:
    """g(h, o, a) = Σ_s w_h(s) E(s, o) r(s, a), w_h the weight of s after h, its actions fixed;  (..., H, O, A)."""
    xp, parts, w = namespace(model.P), [], model.start[..., None, :]
    for t in range(model.horizon):
        seen = w[..., :, None, :] * _rows(model.E, 1)  # n, o, s
        parts.append(seen @ model.r[..., None, :, :])
        if t + 1 < model.horizon:
            w = _steps(seen, model.P, xp)
    return xp.concat(parts, axis=-3)


def history_value(model: ConfoundedPOMDP, π: Array) -> Array:
    """V^π = E^π Σ_t R_t of a policy on histories;  (..., H, O, A) -> (...)."""
    return history_sum(model, true_rewards(model), π)


def history_gradient(model: ConfoundedPOMDP, π: Array, g: Array | None = None) -> Array:
    """∂V/∂θ(h, o, a) for softmax logits on every history, or of the sum with other rewards g;  (..., H, O, A)."""
    return softmax_slope(history_slope(model, true_rewards(model) if g is None else g, π), π)


def _rows(x: Array, axes: int) -> Array:
    """x (..., s, j) as (..., 1 × axes, j, s)."""
    return namespace(x).moveaxis(x, -1, -2)[(..., *(None,) * axes, slice(None), slice(None))]


def _steps(weight: Array, P: Array, xp: Any) -> Array:
    """Σ_s weight(n, o, s) P(s, a, t) for n, o, a as one axis;  (..., N, O, S) -> (..., N·O·A, S)."""
    S, A = P.shape[-3], P.shape[-2]
    after = weight @ xp.reshape(P, (*P.shape[:-3], 1, S, A * S))
    return xp.reshape(after, (*after.shape[:-3], -1, S))


# -- Naive: histories taken for states --------------------------------------------------------------------------------


def naive_rewards(model: ConfoundedPOMDP) -> Array:
    """The g of who takes (h, o) for the state: Pr(h, o, a) E[R | h, o, a] / Π Pr(a_j | o_j, h_{j−1});  (..., H, O, A).

    The limit of reweighting trajectories by π over the probabilities of actions seen in the data.  Histories that the
    behaviour policy never makes count zero, as they do in such a sum.
    """
    xp, parts = namespace(model.P), []
    α, weight = model.start[..., None, :], model.start[..., :1] * 0 + 1
    b, r = _rows(model.behaviour, 2), _rows(model.r, 2)
    for t in range(model.horizon):
        here = α[..., :, None, None, :] * _rows(model.E, 1)[..., None, :] * b  # n, o, a, s
        joint = total(here)
        ratio = divided(joint, expand(total(joint), 1)) * weight[..., :, None, None]
        parts.append(divided(total(here * r), ratio))
        if t + 1 < model.horizon:
            α = _stepped(here, model.P, xp)
            weight = xp.reshape(ratio, (*ratio.shape[:-3], -1))
    return xp.concat(parts, axis=-3)


def naive_value(model: ConfoundedPOMDP, π: Array) -> Array:
    """What reweighting by the observed probabilities of actions makes of V^π;  (..., H, O, A) -> (...)."""
    return history_sum(model, naive_rewards(model), π)


def naive_gradient(model: ConfoundedPOMDP, π: Array) -> Array:
    """Its softmax gradient;  (..., H, O, A) -> the same."""
    return softmax_slope(history_slope(model, naive_rewards(model), π), π)


def _stepped(here: Array, P: Array, xp: Any) -> Array:
    """Σ_s here(n, …, o, a, s) P(s, a, t) with n, o, a as one axis;  (..., N, O, A, S) -> (..., N·O·A, S)."""
    by_action = xp.moveaxis(P, -2, -3)[..., None, None, :, :, :]  # a, s, t
    after = (here[..., None, :] @ by_action)[..., 0, :]
    return xp.reshape(after, (*after.shape[:-4], -1, after.shape[-1]))


# -- What the data show -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class StageLaw:
    """Joint probabilities, under the behaviour policy, of what is observed around one action, by the history before it.

    Attributes
    ----------
    seen : array (..., N, A, Q, O)
        Pr(O_0 = q, h, A_t = a, O_t = o).
    reward : array (..., N, A, Q, O)
        E[R_t 1{O_0 = q, h, A_t = a, O_t = o}].
    next_seen : array (..., N, A, Q, O, O)
        Pr(O_0 = q, h, A_t = a, O_t = o, O_{t+1} = o').
    hidden : array (..., N, A, Q, S)
        Pr(O_0 = q, h, A_t = a, S_t = s).  Not observed: for diagnosis only.
    """

    seen: Array
    reward: Array
    next_seen: Array
    hidden: Array


def observed_law(model: ConfoundedPOMDP) -> list[StageLaw]:
    """The law of the data at the stages t = 0, ..., T − 1."""
    xp, laws = namespace(model.P), []
    A, O = model.A, model.O  # noqa: E741
    E = model.E[..., None, None, :, :]
    b, r = (xp.moveaxis(x, -1, -2)[..., None, :, None, :] for x in (model.behaviour, model.r))  # 1, a, 1, s
    coming = xp.moveaxis(model.P @ model.E[..., None, :, :], -2, -3)  # a, s, o'
    pairs = xp.reshape(
        model.E[..., None, :, :, None] * coming[..., :, :, None, :], (*model.batch, 1, A, model.S, O * O)
    )
    α = (expand(model.start, 1) * model.proxy)[..., None, :, :]  # n, s, q
    for t in range(model.horizon):
        hidden = xp.moveaxis(α, -1, -2)[..., :, None, :, :] * b
        both = hidden @ pairs
        laws.append(StageLaw(hidden @ E, (hidden * r) @ E, xp.reshape(both, (*both.shape[:-1], O, O)), hidden))
        if t + 1 < model.horizon:
            α = _next_joint(model, α, xp)
    return laws


def _next_joint(model: ConfoundedPOMDP, α: Array, xp: Any) -> Array:
    by_proxy = [
        _stepped(α[..., :, None, None, :, q] * _rows(model.E, 1)[..., None, :] * _rows(model.behaviour, 2), model.P, xp)
        for q in range(model.Q)
    ]
    return xp.stack(by_proxy, axis=-1)


# -- Bridges ----------------------------------------------------------------------------------------------------------


Solver = Callable[[Array, Array], Array]


def bridges(
    laws: list[StageLaw],
    stages: list[Array],
    jacobian: list[Array] | None = None,
    solution: Solver | None = None,
) -> tuple[list[Array], list[Array] | None]:
    """Solutions of the conditional moment equations, backwards from the last stage.

    Parameters
    ----------
    laws : what `observed_law` gives; only its observed parts are used.
    stages : list of array (..., N, O, A)
        The target policy at each stage.
    jacobian : list of array (..., N, O, A, K), optional
        Its derivatives by K parameters.
    solution : function of M (..., N, A, Q, O) and Y (..., N, A, Q, K)
        What solves the equations M b = Y, both in joint probabilities; `consistent_solution` by default.

    Returns
    -------
    value bridges (..., N, A, O) and gradient bridges (..., N, A, O, K), stage by stage.

    References
    ----------
    :cite:`hong2024`; equations as recalled on its card.
    """
    solved = consistent_solution if solution is None else solution
    values: list[Array] = []
    slopes: list[Array] = []
    for t in range(len(laws) - 1, -1, -1):
        law, π = laws[t], _by_action(stages[t], 1)  # n, a, 1, o
        paid = law.reward
        if values:
            paid = paid + total(law.next_seen * _following(values[0], stages[t])[..., :, :, None, :, :])
        values.insert(0, solved(law.seen, total(paid * π)[..., None])[..., 0])
        if jacobian is not None:
            right = _moved(paid[..., None] * _by_action(jacobian[t], 1, extra=1))
            if slopes:
                later = _following(slopes[0], stages[t], extra=1)[..., :, :, None, :, :, :]
                carried = (law.next_seen * π[..., None])[..., None] * later
                right = right + _moved(carried, 2)
            slopes.insert(0, solved(law.seen, right))
    return values, slopes if jacobian is not None else None


def _by_action(x: Array, fresh: int, extra: int = 0) -> Array:
    """(..., N, O, A, extra) as (..., N, A, 1, O, extra)."""
    xp = namespace(x)
    x = xp.moveaxis(x, -1 - extra, -2 - extra)
    return x[(..., slice(None), *(None,) * fresh, *(slice(None),) * (1 + extra))]


def _following(b: Array, π: Array, extra: int = 0) -> Array:
    """Σ_a' b(h∘(o, a), a', o') of the next stage as (..., N, A, O, O', extra)."""
    xp = namespace(b)
    over_actions = total(xp.moveaxis(b, -2 - extra, -1))  # N', O', extra
    shape = over_actions.shape
    x = xp.reshape(over_actions, (*shape[: -2 - extra], *π.shape[-3:], *shape[-1 - extra :]))
    return xp.moveaxis(x, -2 - extra, -3 - extra)


def _moved(x: Array, axes: int = 1) -> Array:
    """Sum over the `axes` axes before the last."""
    xp = namespace(x)
    return total(xp.moveaxis(x, -1, -1 - axes), axes)


def identified_value(
    model: ConfoundedPOMDP, π: Array, laws: list[StageLaw] | None = None, solution: Solver | None = None
) -> Array:
    """V^π from the law of the data, through value bridges;  (..., H, O, A) -> (...).

    With estimated `laws`, and a regularised `solution` as `bridges` has it, an estimate of V^π.

    Raises
    ------
    ModelError
        If the rank and overlap conditions fail somewhere: then the data do not determine the value.
    """
    if laws is None:
        identification(model).require()
        laws = observed_law(model)
    values, _ = bridges(laws, _stages(model, π), solution=solution)
    return _at_start(laws, values[0][..., None])[..., 0]


def identified_slope(
    model: ConfoundedPOMDP, π: Array, laws: list[StageLaw] | None = None, solution: Solver | None = None
) -> Array:
    """∂V/∂π(a | o, h) from the law of the data, through gradient bridges;  (..., H, O, A) -> the same.

    Arguments as for `identified_value`, which raises ModelError likewise.
    """
    if laws is None:
        identification(model).require()
        laws = observed_law(model)
    K = model.H * model.O * model.A
    unit = rational(np.eye(K, dtype=int)) if is_exact(model.P) else np.eye(K)
    unit = unit.reshape(model.H, model.O, model.A, K)
    if not is_exact(model.P):
        unit = namespace(π).asarray(unit, device=π.device)
    jacobian = [unit[model.stage(t), ...] for t in range(model.horizon)]
    _, slopes = bridges(laws, _stages(model, π), jacobian, solution)
    assert slopes is not None
    out = _at_start(laws, slopes[0])
    return namespace(out).reshape(out, (*out.shape[:-1], model.H, model.O, model.A))


def identified_gradient(model: ConfoundedPOMDP, π: Array, laws: list[StageLaw] | None = None) -> Array:
    """∂V/∂θ of softmax logits from the law of the data;  (..., H, O, A) -> the same.  Raises ModelError likewise."""
    return softmax_slope(identified_slope(model, π, laws), π)


def _stages(model: ConfoundedPOMDP, π: Array) -> list[Array]:
    return [π[..., model.stage(t), :, :] for t in range(model.horizon)]


def _at_start(laws: list[StageLaw], b: Array) -> Array:
    """E Σ_a b(a, O_1);  (..., 1, A, O, K) -> (..., K)."""
    xp = namespace(b)
    first = total(xp.moveaxis(laws[0].seen[..., 0, :, :, :], -1, -3), 2)  # Pr(O_1 = o)
    return (first[..., None, :] @ total(xp.moveaxis(b[..., 0, :, :, :], -3, -1)))[..., 0, :]


def consistent_solution(M: Array, Y: Array) -> Array:
    """Some b with M b = Y where there is one;  (..., q, o) and (..., q, K) -> (..., o, K).

    In float64 the shortest one (pseudo-inverse of the equations scaled to equal size, `RANK` as cut-off); in exact
    arithmetic that of an elimination, whose free unknowns are zero; M must be rational then, Y may hold balls.
    """
    if not is_exact(M):
        xp = namespace(M)
        size = largest(abs(M))[..., None]
        size = xp.where(size > 0, size, 1.0)
        return xp.linalg.pinv(M / size, rtol=RANK) @ (Y / size)
    batch = np.broadcast_shapes(M.shape[:-2], Y.shape[:-2])
    M, Y = np.broadcast_to(M, batch + M.shape[-2:]), np.broadcast_to(Y, batch + Y.shape[-2:])
    out = np.empty((*batch, M.shape[-1], Y.shape[-1]), dtype=object)
    for i in np.ndindex(batch):
        out[i] = _eliminated(M[i], Y[i])
    return out


def _eliminated(M: np.ndarray, Y: np.ndarray) -> np.ndarray:
    rows, n = np.concatenate([M, Y], axis=1), M.shape[1]
    pivots: list[int] = []
    for j in range(n):
        k = len(pivots)
        i = next((i for i in range(k, len(rows)) if rows[i, j] != 0), None)
        if i is None:
            continue
        rows[[k, i]] = rows[[i, k]]
        rows[k] = rows[k] / rows[k, j]
        for other in range(len(rows)):
            if other != k and rows[other, j] != 0:
                rows[other] = rows[other] - rows[other, j] * rows[k]
        pivots.append(j)
    b = np.full((n, Y.shape[1]), rational(0)[()], dtype=object)
    for k, j in enumerate(pivots):
        b[j] = rows[k, n:]
    return b


# -- Diagnosis --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Identification:
    """Which conditions hold, under which the data determine the value of every policy on histories.

    Attributes
    ----------
    states : int
    emission_rank : array (...,) of int
        Rank of E; a bridge exists if it is S.
    proxy_rank : array (...,) of int
        Smallest rank of Pr(S_t = s | O_0 = q, h, a) over histories of positive probability; the equations determine
        what they must if it is S (completeness).
    least_behaviour : array (...,)
        Smallest probability of an action under the behaviour policy (overlap if positive).
    condition : array (...,)
        Largest condition number of Pr(O_t | O_0, h, a), in float64: how much noise in the data is magnified a stage.
    """

    states: int
    emission_rank: np.ndarray
    proxy_rank: np.ndarray
    least_behaviour: Array
    condition: np.ndarray

    @property
    def holds(self) -> np.ndarray:
        """Whether all three conditions hold;  (...)."""
        ranks = (self.emission_rank == self.states) & (self.proxy_rank == self.states)
        return np.asarray(ranks & np.asarray(floats(self.least_behaviour) > 0))

    @property
    def reason(self) -> str:
        """For the first model of the batch that is not identified: why, in one sentence; empty if there is none."""
        for index in np.ndindex(self.holds.shape):
            if not self.holds[index]:
                where = f"model {list(index)}: " if index else ""
                if self.emission_rank[index] < self.states:
                    return f"{where}E has rank {self.emission_rank[index]}; a bridge needs rank {self.states}"
                if not floats(self.least_behaviour)[index] > 0:
                    return f"{where}the behaviour policy never takes some action in some state; expected overlap"
                found = (
                    f"the proxy tells {self.proxy_rank[index]} of {self.states} hidden states apart after some history"
                )
                return f"{where}{found}; completeness needs rank {self.states}"
        return ""

    def require(self) -> None:
        """Raise ModelError with the reason unless all models are identified."""
        if not self.holds.all():
            raise ModelError(f"the data do not determine the value: {self.reason}")


def identification(model: ConfoundedPOMDP) -> Identification:
    """Rank of the emission, completeness of the proxy after every history, overlap and conditioning.

    Sufficient conditions; for policies that never make some history they may ask for more than is needed.
    """
    proxy_rank = np.full(model.batch, model.S)
    condition = np.ones(model.batch)
    for law in observed_law(model):
        possible = total(law.hidden, 2) != 0  # n, a
        ranks = np.where(np.asarray(possible, dtype=bool), rank(law.hidden), model.S)
        proxy_rank = np.minimum(proxy_rank, ranks.min(axis=(-1, -2)))
        condition = np.maximum(condition, _condition(floats(law.seen), model.S).max(axis=(-1, -2)))
    return Identification(model.S, rank(model.E), proxy_rank, _least(model.behaviour), condition)


def _least(x: Array) -> Array:
    return -largest(-x, 2)


def rank(x: Array) -> np.ndarray:
    """Ranks of matrices (..., m, n) -> (...): by elimination where exact, else up to `RANK` after scaling the rows."""
    if not is_exact(x):
        size = np.abs(floats(x)).max(axis=-1, keepdims=True)
        return np.linalg.matrix_rank(floats(x) / np.where(size > 0, size, 1), rtol=RANK)
    out = np.empty(x.shape[:-2], dtype=int)
    for i in np.ndindex(out.shape):
        out[i] = _rank_of(x[i])
    return out


def _rank_of(x: np.ndarray) -> int:
    x, found = x.copy(), 0
    for j in range(x.shape[1]):
        i = next((i for i in range(found, len(x)) if x[i, j] != 0), None)
        if i is not None:
            x[[found, i]] = x[[i, found]]
            for k in range(found + 1, len(x)):
                x[k] = x[k] - x[k, j] / x[found, j] * x[found]
            found += 1
    return found


def _condition(M: np.ndarray, rank: int) -> np.ndarray:
    size = M.sum(axis=-1, keepdims=True)
    values = np.linalg.svd(M / np.where(size > 0, size, 1), compute_uv=False)[..., :rank]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(values[..., 0] / values[..., -1], nan=1.0, posinf=np.inf)


def uniform_policy(model: ConfoundedPOMDP) -> Array:
    """The policy that takes every action with the same probability after every history;  (..., H, O, A)."""
    one = model.P[..., 0, 0, 0] * 0 + 1
    ones = (
        np.ones((model.H, model.O, model.A), dtype=int)
        if is_exact(model.P)
        else namespace(model.P).ones((model.H, model.O, model.A))
    )
    return expand(one, 3) * ones / model.A


def memoryless(model: ConfoundedPOMDP, x: Array) -> Array:
    """A table (..., O, A) by the observation alone as one on histories (..., H, O, A)."""
    xp = namespace(x)
    return xp.stack([x] * model.H, axis=-3)


def solution(model: ConfoundedPOMDP) -> dict[str, Any]:
    """The best value of a policy on histories, such a policy, and whether the data determine values at all."""
    value, π = best_history_policy(model)
    found = identification(model)
    uniform = uniform_policy(model)
    out: dict[str, Any] = {
        "states": model.S,
        "actions": model.A,
        "horizon": model.horizon,
        "discount": 1,
        "exact": is_exact(model.P),
        "value_at_start": [value, value],
        "policy": np.argmax(floats(π), axis=-1).tolist(),
        "identified": bool(found.holds),
        "value_of_uniform_policy": history_value(model, uniform),
        "naive_value_of_uniform_policy": float(floats(naive_value(model, uniform))),
        "condition_number": float(found.condition),
    }
    if found.reason:
        out["not_identified"] = found.reason
    return out
