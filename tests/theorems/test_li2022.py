"""What the engine cannot know of robust mirror descent: one state done by hand, and sets that it does not allow."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from mdplab.errors import MdplabError
from mdplab.exact.robust import robust_optimum
from mdplab.instances.robust import random_is_best
from mdplab.models import L1Ball, RobustMDP
from mdplab.solvers import robust_mirror_descent


def test_one_state_by_hand():
    # One state, γ = 0, costs 0 and 1: after k steps the odds of the dear action are exp(−k η).
    mdp = RobustMDP(np.ones((1, 2, 1)), np.array([[0.0, 1.0]]), 0.0, L1Ball(np.zeros((1, 2))))
    for k, it in enumerate(islice(robust_mirror_descent(mdp, step_size=0.5), 6)):
        dear = np.exp(-0.5 * k) / (1 + np.exp(-0.5 * k))
        assert it.π[0, 1] == pytest.approx(dear, rel=1e-14)
        assert it.v[0] == pytest.approx(dear, rel=1e-14)


def test_logarithms_survive_where_probabilities_vanish():
    mdp = RobustMDP(np.ones((1, 2, 1)), np.array([[0.0, 1.0]]), 0.0, L1Ball(np.zeros((1, 2))))
    it = next(robust_mirror_descent(mdp, np.array([[-2000.0, 0.0]]), step_size=1.0))
    assert it.log_π[0, 0] == -2000
    after = next(islice(robust_mirror_descent(mdp, np.array([[-2000.0, 0.0]]), step_size=1500.0), 2, None))
    np.testing.assert_allclose(after.v, robust_optimum(mdp).v, atol=1e-300)


def test_sets_that_share_a_budget_are_refused():
    with pytest.raises(MdplabError, match=r"StateL1Ball is not \(s,a\)-rectangular"):
        next(robust_mirror_descent(random_is_best().floats(), step_size=1.0))
