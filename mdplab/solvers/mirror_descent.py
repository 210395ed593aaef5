"""Policy mirror descent with the Kullback-Leibler divergence: π_{k+1}(a | s) ∝ π_k(a | s) exp(η_k Q^{π_k}(s, a))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, exp, expand, is_exact, log_softmax, namespace
from mdplab.errors import MdplabError
from mdplab.exact import action_values
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class MirrorIterate:
    """The k-th policy: after k updates, as log-probabilities and probabilities (..., S, A)."""

    k: int
    log_π: Array
    π: Array


def mirror_descent(
    mdp: DiscountedMDP,
    log_π: Array | None = None,
    *,
    step_sizes: Iterable[Any],
    at: Iterable[int] | None = None,
) -> Iterator[MirrorIterate]:
    """Yield the iterates of policy mirror descent, as long as there are step sizes.

    Parameters
    ----------
    mdp : DiscountedMDP
    log_π : array (..., S, A), optional
        First policy, up to a constant in each state; uniform by default.
    step_sizes : iterable of numbers or arrays (...,)
        η_0, η_1, ..., in the inverse unit of value: `itertools.repeat(η)` for a constant step, `geometric_steps` for a
        linear rate.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π` or a step size has the wrong shape.

    Notes
    -----
    Natural policy gradient with step η is mirror descent with η_k = η / (1−γ).  Everything happens in log π, so that
    long steps neither overflow nor lose small probabilities.

    References
    ----------
    :cite:`xiao2022`.
    """
    return thinned(_run(mdp, log_softmax(table(mdp, "log_π", log_π)), step_sizes), at)


def _run(mdp: DiscountedMDP, log_π: Array, step_sizes: Iterable[Any]) -> Iterator[MirrorIterate]:
    π = exp(log_π)
    yield MirrorIterate(0, log_π, π)
    for k, step_size in enumerate(step_sizes, start=1):
        η = expand(per_model(mdp, "step_sizes", step_size), 2)
        log_π = log_softmax(log_π + η * action_values(mdp, π))
        π = exp(log_π)
        yield MirrorIterate(k, log_π, π)


def geometric_steps(first: Any, mismatch: Any) -> Iterator[Any]:
    """Yield η_0, η_1, ... with η_{k+1} = ϑ/(ϑ−1) · η_k, the shortest steps that give the rate 1 − 1/ϑ.

    Parameters
    ----------
    first : number or array (...,)
        η_0 > 0.
    mismatch : number or array (...,)
        ϑ > 1; in the theorem ‖d^{π*}_ρ / ρ‖_∞ / (1−γ), with the occupancy d that sums to one.

    Raises
    ------
    MdplabError
        If a ϑ is not above 1.

    Notes
    -----
    In float64 the steps end before one exceeds 1e290, which leaves values up to 1e18 room below the largest float.
    Rationals and balls never end.

    References
    ----------
    :cite:`xiao2022`, the condition η_{k+1} (ϑ − 1) >= η_k ϑ.
    """
    if not _all(mismatch > 1):
        raise MdplabError(f"mismatch is {mismatch}; steps can grow by ϑ/(ϑ−1) only for ϑ > 1")
    return _growing(first, mismatch / (mismatch - 1))


def _growing(η: Any, factor: Any) -> Iterator[Any]:
    while is_exact(η) or _all(η < 1e290):
        yield η
        η = factor * η


def _all(condition: Any) -> bool:
    return bool(namespace(condition).all(condition)) if getattr(condition, "shape", ()) else bool(condition)
