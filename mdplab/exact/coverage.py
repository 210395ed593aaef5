"""What several objectives can attain together: value vectors, the convex coverage set, fronts, hypervolume."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np

from mdplab.arrays import Array, floats, is_exact, namespace, rational, solve, total
from mdplab.errors import MdplabError
from mdplab.exact.deterministic import deterministic_policies_of
from mdplab.exact.optimum import optimum
from mdplab.exact.values import resolvent
from mdplab.models import MultiObjectiveMDP

SLACK = 1e-9  # in float64, how far beyond an edge a vertex must lie, relative to the size of the vectors


def objective_values(model: MultiObjectiveMDP, π: Array) -> Array:
    """V_1^π(s), ..., V_M^π(s);  (..., S, A) -> (..., M, S).  π may have more leading axes than the model."""
    P, _ = model.mdp.under(π)
    return solve(resolvent(model.mdp, P)[..., None, :, :], total(π[..., None, :, :] * model.rewards))


def returns(model: MultiObjectiveMDP, π: Array) -> Array:
    """J(π), the returns of all objectives from the start distribution;  (..., S, A) -> (..., M)."""
    return total(objective_values(model, π) * model.start[..., None, :])


def best_returns(model: MultiObjectiveMDP, weights: Array) -> Array:
    """J(π) of a deterministic policy that maximises ⟨w, J⟩, the attainable point farthest along w;  -> (..., M).

    Found by policy iteration for the reward Σ_i w_i r_i; weights (..., M) of any sign.
    """
    return returns(model, optimum(model.weighted(weights)).policy)


def all_returns(model: MultiObjectiveMDP) -> Array:
    """J(π) of every deterministic policy, by enumeration;  -> (A^S, ..., M), whose convex hull policies attain."""
    return returns(model, deterministic_policies_of(cast(Any, model)))


def coverage_set(model: MultiObjectiveMDP) -> Array:
    """The convex coverage set of one model: value vectors that are best for some weights >= 0;  -> (N, M).

    For two objectives exact and by the dichotomy of :cite:`aneja1979`: the vertices from the best for the first
    objective to the best for the second, found with policy iteration only.  For three and more from all deterministic
    policies: those that a linear program finds best for some weights, sorted; right to its tolerance.

    Raises
    ------
    MdplabError
        If given a batch, or with three and more objectives more than 4096 deterministic policies.
    """
    if model.batch:
        raise MdplabError(f"the model is a batch of shape {model.batch}; a coverage set is of one model, take model[i]")
    if model.M == 1:
        return best_returns(model, _numbers(model, [1]))[None]
    return _in_two(model) if model.M == 2 else _supported(undominated(all_returns(model)))


def undominated(points: Array) -> Array:
    """The Pareto front of finitely many points (N, M): each once, those that no other beats, best first entry first."""
    kept: list[int] = []
    for i in sorted(range(len(points)), key=lambda i: tuple(points[i]), reverse=True):
        if not any((points[j] >= points[i]).all() for j in kept):
            kept.append(i)
    return points[kept]


def hypervolume(points: Array, reference: Array) -> Any:
    """The volume of {y : reference <= y <= x for some point x}; points (N, M), reference (M,).

    Exact in rationals.  Points that do not exceed the reference in every objective add nothing.  By slices along the
    last objective: in two dimensions a sum of rectangles, in M dimensions N^(M−1) log N steps.
    """
    inside = [x for x in points if all(x > reference)]
    if not inside:
        return 0 * reference[0]
    if len(reference) == 1:
        return max(x[0] for x in inside) - reference[0]
    inside.sort(key=lambda x: x[-1], reverse=True)
    levels = [x[-1] for x in inside] + [reference[-1]]
    out = 0 * reference[0]
    for n in range(len(inside)):
        height = levels[n] - levels[n + 1]
        if height > 0:
            out = out + height * hypervolume([x[:-1] for x in inside[: n + 1]], reference[:-1])
    return out


def hull_hypervolume(points: Array, reference: Array) -> Any:
    """The same volume for the convex hull of the points, which policies attain, in two objectives; points (N, 2).

    `points` is a convex coverage set as `coverage_set` returns it; exact in rationals.
    """
    front = undominated(points)
    if len(reference) != 2:
        raise MdplabError(f"reference has {len(reference)} entries; the volume under a hull is computed for two")
    corners = _clipped(front, reference)
    if not corners:
        return 0 * reference[0]
    out = (corners[-1][0] - reference[0]) * (corners[-1][1] - reference[1])
    for right, left in pairwise(corners):
        out = out + (right[0] - left[0]) * (right[1] + left[1] - 2 * reference[1]) / 2
    return out


def _clipped(front: Array, reference: Array) -> list[tuple[Any, Any]]:
    # The part of the chain of edges above the reference in both objectives, from right to left.
    points = [tuple(x) for x in front]
    out = [p for p in points if p[0] >= reference[0] and p[1] >= reference[1]]
    for (x1, y1), (x0, y0) in pairwise(points):  # x falls and y rises
        if y1 < reference[1] < y0:
            x = x0 + (y0 - reference[1]) * (x1 - x0) / (y0 - y1)
            out += [(x, reference[1])] if x >= reference[0] else []
        if x0 < reference[0] < x1:
            y = y1 + (x1 - reference[0]) * (y0 - y1) / (x1 - x0)
            out += [(reference[0], y)] if y >= reference[1] else []
    return sorted(out, key=lambda p: (p[0], -p[1]), reverse=True)


def _in_two(model: MultiObjectiveMDP) -> Array:
    right = _lexicographic(model, 0)
    left = _lexicographic(model, 1)
    found = [right, *_between(model, right, left), left]
    if np.all(floats(right) == floats(left)):
        return np.stack([right])
    return np.stack(found)


def _lexicographic(model: MultiObjectiveMDP, first: int) -> Array:
    """Best in one objective and, among those policies, in the other."""
    best = optimum(model.weighted(_numbers(model, [1 - first, first])))
    other = model.weighted(_numbers(model, [first, 1 - first]))
    # A loss in the first objective, however small, must not pay: only its optimal actions remain, by a reward for the
    # others that is worse than anything to be had.
    span = abs(other.r).max() * 2 / (1 - model.discount) + 1
    r = np.where(np.asarray(best.loss == 0, dtype=bool), other.r, -span - 1)
    return returns(model, optimum(type(other)(model.P, r, model.discount, model.start)).policy)


def _between(model: MultiObjectiveMDP, right: Array, left: Array) -> list[Array]:
    """The vertices strictly between two, from right to left."""
    w = np.stack([left[1] - right[1], right[0] - left[0]])
    slack = 0 if is_exact(w) else SLACK * (1 + abs(right).max() + abs(left).max())
    if not (w[0] > slack and w[1] > slack):
        return []
    w = w / (w[0] + w[1])
    new = best_returns(model, w)
    if not (w * new).sum() > (w * right).sum() + slack:
        return []
    return [*_between(model, right, new), new, *_between(model, new, left)]


def _supported(front: Array) -> Array:
    from scipy.optimize import linprog

    x = floats(front)
    N, M = x.shape
    keep = []
    for i in range(N):
        # max t with ⟨w, x_i − x_j⟩ >= t, w >= 0, Σ w = 1: the point is a vertex if it can be strictly best.
        others = np.delete(x, i, axis=0)
        found = linprog(
            np.r_[np.zeros(M), -1.0],
            A_ub=np.c_[others - x[i], np.ones(N - 1)],
            b_ub=np.zeros(N - 1),
            A_eq=np.r_[np.ones(M), 0.0][None],
            b_eq=[1.0],
            bounds=[(0, None)] * M + [(None, 1.0)],
            method="highs",
        )
        if found.status == 0 and -found.fun > SLACK * (1 + np.abs(x).max()):
            keep.append(i)
    return front[keep]


def _numbers(model: MultiObjectiveMDP, x: list[int]) -> Array:
    return rational(x) if is_exact(model.P) else namespace(model.P).asarray(x, dtype=model.P.dtype)


def solution(model: MultiObjectiveMDP) -> dict[str, Any]:
    """For `mdplab solve`: the convex coverage set, and the best for equal weights as the value at the start."""
    weights = _numbers(model, [1] * model.M) / model.M
    best = optimum(model.weighted(weights))
    front = coverage_set(model)
    at_start = [total(model.start * bound) for bound in (best.low, best.high)]
    return {
        "states": model.S,
        "actions": model.A,
        "objectives": model.M,
        "discount": model.discount,
        "exact": is_exact(best.v),
        "value_at_start": np.asarray(at_start),
        "values": best.v,
        "policy": np.asarray(best.action),
        "values stand for": "the mean of all objectives",
        "coverage set": "  ".join("(" + ", ".join(f"{float(y):.6g}" for y in x) + ")" for x in floats(front)),
        "coverage_set": front,
        "returns": returns(model, best.policy),
    }
