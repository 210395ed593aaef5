"""Robust value iteration: apply the robust Bellman operator until the caller has seen enough."""

from __future__ import annotations

from collections.abc import Iterator

from mdplab.arrays import Array
from mdplab.exact.robust import robust_bellman
from mdplab.models.robust import RobustMDP


def robust_value_iteration(mdp: RobustMDP, v0: Array | None = None) -> Iterator[Array]:
    """Yield v_0, v_1 = T v_0, v_2 = T v_1, ... without end; v_0 (..., S) is zero by default.

    (T v)(s) = min over policies, max over kernels, of Σ_a π(a | s) Σ_t p(t | s, a) (c + γ v(t)).  T contracts by γ and
    commutes with constants up to γ, so that `mdplab.solvers.enclosures` bounds v* from two iterates here too.

    References
    ----------
    :cite:`iyengar2005`, Section 3; :cite:`nilim2005`.
    """
    v = 0 * mdp.P[..., 0, 0] if v0 is None else v0
    while True:
        yield v
        v, _ = robust_bellman(mdp, v)
