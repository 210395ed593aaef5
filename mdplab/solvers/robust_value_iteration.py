"""Robust value iteration: apply the robust Bellman operator until the caller has seen enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mdplab.arrays import Array, is_exact, on_gpu
from mdplab.errors import MdplabError
from mdplab.exact.robust import robust_bellman
from mdplab.kernels.robust_l1 import L1Backup, sweep
from mdplab.models.ambiguity import L1Ball
from mdplab.models.robust import RobustMDP
from mdplab.solvers.checkpoints import every


def robust_value_iteration(
    mdp: RobustMDP, v0: Array | None = None, *, at: Iterable[int] | None = None
) -> Iterator[Array]:
    """Yield v_0, v_1 = T v_0, v_2 = T v_1, ... without end; v_0 (..., S) is zero by default.

    (T v)(s) = min over policies, max over kernels, of Σ_a π(a | s) Σ_t p(t | s, a) (c + γ v(t)).  T contracts by γ and
    commutes with constants up to γ, so that `mdplab.solvers.enclosures` bounds v* from two iterates here too.

    Parameters
    ----------
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.  What lies between runs in a compiled kernel for L1 balls
        of a model whose costs do not depend on the next state, when it is large enough to be worth it.

    References
    ----------
    :cite:`iyengar2005`, Section 3; :cite:`nilim2005`.
    """
    v, k = 0 * mdp.P[..., 0, 0] if v0 is None else v0, 0
    # The kernel has no body for CUDA, and its definition is for float64.
    plain = not on_gpu(mdp.P) and not is_exact(mdp.P)
    fast = plain and isinstance(mdp.ambiguity, L1Ball) and not mdp.by_transition
    for n in every() if at is None else at:
        if n < k:
            raise MdplabError(f"at holds {n} after {k}; iteration numbers increase from 0 or later")
        if fast and n > k + 1:
            v = sweep(L1Backup(mdp), v, n - k)
        else:
            for _ in range(k, n):
                v, _π = robust_bellman(mdp, v)
        k = n
        yield v
