"""What the engine cannot know about theorems/ding2020.py: one step by hand, and the paper's random model."""

from itertools import islice

import flint
import numpy as np

from mdplab.exact import constrained_optimum, slack
from mdplab.instances import opposed_arms
from theorems import ding2020 as paper


def test_both_bounds_by_hand_for_a_single_step():
    """γ = 0, b = 13/20: the uniform policy misses the optimum 7/20 by −3/20, and the bound by 3/20; ξ = 7/20."""
    binding = next(paper.thm1.bindings({"mdp": opposed_arms(0, "13/20")}))
    assert binding[paper.gap].overlaps(flint.arb(-3) / 20)
    assert binding[paper.short].overlaps(flint.arb(3) / 20)
    _, larger = paper.thm1.claims["violation"].sides(binding)
    assert larger.overlaps(2 / (flint.arb(7) / 20) + flint.arb(28) / 20)


def test_lengths_are_powers_of_four():
    assert list(islice(paper.lengths(), 5)) == [1, 4, 16, 64, 256]


def test_the_constraint_of_the_random_model_binds():
    """1e-6: the tolerance of the linear program over 1 − γ."""
    cmdp = paper.random_model()
    best = constrained_optimum(cmdp)
    assert best.multipliers[0] > 0
    assert abs(slack(cmdp, best.policy)[0]) <= 1e-6
    assert np.isclose(cmdp.P[0, 0].sum(), 1)


def test_averages_settle_on_the_random_model_and_iterates_cross_the_bound():
    from experiments import ding2020_random_model

    data = ding2020_random_model.measure("the script's", updates=300)
    assert abs(float(data.average_reward[-1])) < 0.05
    assert abs(float(data.average_utility[-1])) < 0.03
    late = data.utility[200:]
    assert float(late.min()) < -0.01 < 0.01 < float(late.max())
