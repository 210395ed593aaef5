"""The compiled sweep of L1-robust backups agrees with its definition, which rationals confirm."""

from __future__ import annotations

import numpy as np
import pytest

from mdplab.exact.robust import robust_bellman
from mdplab.kernels.robust_l1 import L1Backup, sweep
from mdplab.models import L1Ball, RobustMDP

pytest.importorskip("numba")


def model(S: int, A: int, beyond: bool, seed: int) -> RobustMDP:
    rng = np.random.default_rng(seed)
    P = rng.multinomial(64, rng.dirichlet(np.full(S, 0.3)), (3, S, A)) / 64  # many zeros, exact in float64
    budget = rng.integers(0, 9, (3, S, A)) / 4  # none, and more than every distance
    return RobustMDP(P, rng.random((3, S, A)), np.array([0.0, 0.5, 0.9]), L1Ball(budget, beyond))


@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize(("S", "A"), [(1, 1), (2, 3), (7, 5), (33, 2)])
def test_compiled_sweeps_are_the_definition(S, A, beyond):
    from mdplab.kernels import robust_l1_compiled

    mdp = model(S, A, beyond, S)
    v = np.random.default_rng(1).normal(size=(3, S))
    v[:, S // 2 :] = v[:, S // 2 :].round()  # ties
    expected = sweep.definition(L1Backup(mdp), v, 5)
    # Five backups of sums of S terms, each relative to values of at most 1 + 5 |v|.
    np.testing.assert_allclose(robust_l1_compiled.sweep(L1Backup(mdp), v, 5), expected, atol=5e-15 * (S + 8) * 10)


def test_one_sweep_is_the_robust_bellman_operator_in_rationals():
    mdp = model(4, 2, False, 0)[1]
    v = np.array([1.0, -2.0, 0.5, 0.25])
    exact, _ = robust_bellman(mdp.exact(), mdp.exact().c[..., 0] * 0 + np.vectorize(_rational, otypes=[object])(v))
    np.testing.assert_allclose(sweep(L1Backup(mdp), v, 1), [float(x.p) / float(x.q) for x in exact], rtol=1e-14)


def _rational(x: float):
    from mdplab.arrays import rational_number

    return rational_number(x)
