"""Utility gradients against ordinary ones on linear utilities, and on the way to certified optima."""

from itertools import pairwise

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact import utility_gap, utility_optimum, utility_value
from mdplab.exact.utilities import Linear, SmoothedLog
from mdplab.instances import two_by_two
from mdplab.instances.families import garnet
from mdplab.solvers import frank_wolfe, projected_pg, projected_utility_pg, softmax_pg, utility_pg


def test_on_a_linear_utility_it_is_softmax_policy_gradient():
    mdp = two_by_two().floats()
    for x, y in zip(
        utility_pg(mdp, Linear(mdp.r), step_size=0.5, at=[0, 1, 7]),
        softmax_pg(mdp, step_size=0.5, at=[0, 1, 7]),
        strict=True,
    ):
        assert x.k == y.k
        # Seven steps of 0.5, gradients of at most 10 from solves of condition number 20.
        assert abs(x.θ - y.θ).max() <= 1e-12


def test_on_a_linear_utility_the_projected_one_is_projected_policy_gradient_exactly():
    mdp, η = two_by_two(), rational_number("1/100")
    for x, y in zip(
        projected_utility_pg(mdp, Linear(mdp.r), step_size=η, at=[0, 1, 3]),
        projected_pg(mdp, step_size=η, at=[0, 1, 3]),
        strict=True,
    ):
        assert (x.π == y.π).all()


@pytest.mark.parametrize("solver", [utility_pg, projected_utility_pg])
def test_it_climbs_to_the_optimum(solver):
    mdp = garnet(np.random.default_rng(0), 4, S=3, A=2, discount=0.5)
    F = SmoothedLog(0.5)
    best = utility_optimum(mdp, F)
    values = [utility_value(mdp, x.π, F) for x in solver(mdp, F, step_size=0.2, at=[0, 10, 100, 1000])]
    assert all((later >= earlier - 1e-12).all() for earlier, later in pairwise(values))
    assert (values[-1] <= best.high + 1e-9).all()
    assert (best.low - values[-1] <= 1e-4).all()


def test_a_batch_runs_as_its_models_do():
    mdp = garnet(np.random.default_rng(1), 3, S=3, A=2)
    η = np.array([0.1, 0.2, 0.3])
    together = next(utility_pg(mdp, SmoothedLog(0.5), step_size=η, at=[5]))
    alone = next(utility_pg(mdp[1], SmoothedLog(0.5), step_size=0.2, at=[5]))
    assert abs(together.θ[1] - alone.θ).max() <= 1e-11


def test_wrong_shapes_and_words_are_refused():
    mdp = two_by_two()
    with pytest.raises(MdplabError, match="step_size has shape"):
        next(utility_pg(mdp, Linear(mdp.r), step_size=rational([1, 2])))
    with pytest.raises(MdplabError, match="θ has shape"):
        next(utility_pg(mdp, Linear(mdp.r), rational([[0, 0]]), step_size=1))
    with pytest.raises(MdplabError, match="expected 'open loop' or 'line search'"):
        next(frank_wolfe(mdp, Linear(mdp.r), steps="long"))
    with pytest.raises(MdplabError, match="halves in float64"):
        next(frank_wolfe(mdp, Linear(mdp.r), steps="line search"))


def test_frank_wolfe_plans_at_once_for_a_linear_utility():
    """The first step of length one goes to an optimal policy, and nothing is left."""
    mdp = two_by_two()
    _, first = frank_wolfe(mdp, Linear(mdp.r), at=[0, 1])
    assert first.gap == 0
    assert utility_gap(mdp, first.π, Linear(mdp.r)) == 0
