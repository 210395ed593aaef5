"""Robust policy mirror descent with squared distances: π ← Proj(π − η q / 2), q the worst-case action values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, expand
from mdplab.errors import MdplabError
from mdplab.exact.robust import worst_action_values, worst_case
from mdplab.models.robust import RobustMDP
from mdplab.solvers.simplex import project_to_simplex


@dataclass(frozen=True, eq=False)
class RobustDescentIterate:
    """The k-th policy π (..., S, A), its robust values v (..., S) and worst-case action values q (..., S, A)."""

    k: int
    π: Array
    v: Array
    q: Array


def robust_projected_descent(
    mdp: RobustMDP, π: Array | None = None, *, step_size: Any
) -> Iterator[RobustDescentIterate]:
    """Yield the iterates of π_{k+1}(· | s) = argmin_x η ⟨q_k(s, ·), x⟩ + ‖x − π_k(· | s)‖² without end.

    Parameters
    ----------
    mdp : RobustMDP
        Its set must be (s,a)-rectangular.
    π : array (..., S, A), optional
        First policy, uniform by default.
    step_size : number or array (...,)
        η.

    References
    ----------
    :cite:`li2022`; with a KL divergence for the squared distance it is `robust_mirror_descent`.
    """
    if mdp.ambiguity.rectangular != "pairs":
        raise MdplabError(
            f"{type(mdp.ambiguity).__name__} is not (s,a)-rectangular: there are no worst-case action values"
        )
    π = (0 * mdp.P[..., 0] + 1) / mdp.A if π is None else π
    for k in count():
        v = worst_case(mdp, π).v
        q = worst_action_values(mdp, v)
        yield RobustDescentIterate(k, π, v, q)
        π = project_to_simplex(π - expand(step_size, 2) / 2 * q)
