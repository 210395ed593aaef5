"""The curves of the two figures against numbers found elsewhere, within what so many runs can tell."""

import numpy as np
import pytest

from experiments import fatk2023_error_along_a_path as along
from experiments import fatk2023_sample_complexity as curves
from mdplab.exact import optimum
from mdplab.sampling import Draws
from mdplab.solvers import decreasing, harpg, n_harpg, n_mpg, n_pg_igt, sampled_pg, storm_pg

REPLICATES = 32
# Mean gaps after 10, 100, 1000 iterations of 32 runs on the same model, by another program with other draws.
ELSEWHERE = {
    sampled_pg: (lambda: decreasing(1.0, 1 / 2), (0.46, 0.23, 0.057)),
    storm_pg: (lambda: decreasing(0.3, 1 / 3), (0.61, 0.27, 0.040)),
    n_mpg: (lambda: decreasing(1.0, 1), (0.55, 0.34, 0.145)),
    n_pg_igt: (lambda: decreasing(1.0, 1), (0.59, 0.36, 0.154)),
    harpg: (lambda: decreasing(0.3, 1 / 2), (0.64, 0.38)),
    n_harpg: (lambda: decreasing(1.0, 1), (0.56, 0.39)),
}


def run(method, steps, at, replicates=REPLICATES):
    mdp = curves.model()
    draws = Draws(seed=11, replicate=np.arange(replicates))
    iterates = method(mdp, draws=draws, horizon=curves.HORIZON, step_sizes=steps, at=at)
    return [curves.gaps(mdp, it.π, optimum(mdp).loss) for it in iterates]


def test_the_model_is_the_one_that_was_run_elsewhere():
    (first,) = run(sampled_pg, decreasing(1.0, 1), [0], replicates=1)
    assert round(float(first[0]), 3) == 0.768


@pytest.mark.parametrize("method", ELSEWHERE, ids=lambda f: f.__name__)
def test_mean_gaps_are_those_of_another_program(method):
    """A difference of two independent means of 32 runs each, against five of its standard errors."""
    steps, expected = ELSEWHERE[method]
    for found, other in zip(run(method, steps(), [10, 100, 1000][: len(expected)]), expected, strict=True):
        error = found.std() / REPLICATES**0.5
        assert abs(found.mean() - other) <= 5 * 2**0.5 * error + 0.005  # the others are rounded to two digits


def test_a_long_first_step_is_a_trap():
    """N-PG-IGT with γ_0 = 4: the mean gap does not move by a thousandth from iteration 30 to 300."""
    early, late = run(n_pg_igt, decreasing(4.0, 1), [30, 300])
    assert early.mean() > 0.4
    assert abs(early.mean() - late.mean()) < 1e-3


def test_slopes_of_the_exact_errors_are_those_of_theory():
    for estimate, (_, expected) in along.METHODS.items():
        data = along.measure(estimate, 0.4, updates=512, replicates=2)
        assert abs(along.slope(data.exact) - expected) <= 0.05


def test_budgets_buy_the_newest_policy_that_they_pay_for():
    policies = list(
        curves.afforded(curves.solvers.srvr_pg(curves.model(), draws=Draws(), horizon=2), [0, 49, 50, 54, 55])
    )
    assert (policies[0] == 0.5).all()
    assert np.array_equal(policies[0], policies[1])
    assert not np.array_equal(policies[1], policies[2])
    assert np.array_equal(policies[2], policies[3])
    assert not np.array_equal(policies[3], policies[4])
