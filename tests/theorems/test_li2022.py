"""What the engine cannot know of robust mirror descent: one state done by hand, and sets that it does not allow."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact.robust import robust_optimum
from mdplab.instances.robust import random_is_best
from mdplab.models import L1Ball, RobustMDP
from mdplab.solvers import robust_mirror_descent, robust_projected_descent
from theorems import li2022


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
    with pytest.raises(MdplabError, match=r"StateL1Ball is not \(s,a\)-rectangular"):
        next(robust_projected_descent(random_is_best().floats(), step_size=1.0))


def test_two_projected_steps_by_hand():
    # One state, γ = 0, costs 0 and 1, η = 1/2: a step moves 1/8, q/4 less its mean, from the dear action to the free.
    mdp = RobustMDP(rational([[[1], [1]]]), rational([[0, 1]]), rational_number(0), L1Ball(rational([[0, 0]])))
    half = rational([["1/2", "1/2"]])
    first, second, third = islice(robust_projected_descent(mdp, half, step_size=rational_number("1/2")), 3)
    assert [x.v[0] for x in (first, second, third)] == [rational_number(x) for x in ("1/2", "3/8", "1/4")]
    # Squared lengths 2/64 a step, and η/2 times the gain 1/8 is 1/32 a step: an equality.
    run = li2022.euclidean_path(mdp, half, rational_number("1/2"))
    for n, found in zip((1, 2), run, strict=False):
        assert found[li2022.path][0].contains(rational_number(n) / 32)
        assert found[li2022.fall][0].contains(rational_number(n) / 8)


def test_a_long_step_from_the_best_random_policy_costs_more():
    (found,) = li2022.monotone_where_budgets_are_shared(**li2022.overshoot())
    # The first action alone costs 1/2 + 3/20 = 13/20 at worst; the best mixture 51/80.
    assert found[li2022.v_next][0] > rational_number("13/20") - rational_number("1/1000")
    assert found[li2022.v_k][0] < rational_number("13/20")
