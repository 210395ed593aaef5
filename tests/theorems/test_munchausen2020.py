"""What the engine cannot know about theorems/munchausen2020.py: bandits by hand and long runs."""

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import optimum, soft_optimum
from mdplab.instances import families, two_armed_bandit
from mdplab.solvers import conservative_vi, mirror_descent_vi, munchausen_vi
from theorems import munchausen2020


def test_a_bandit_by_hand():
    """γ = 0, r = (1, 0), α = 1/2: differences of advantage learning are 1, 3/2, 7/4, ..., towards 1 / (1 − α) = 2."""
    runs = conservative_vi(two_armed_bandit(), strength=rational_number("1/2"))
    found = [next(runs).q for _ in range(5)]
    assert [str(q[0, 0] - q[0, 1]) for q in found] == ["0", "1", "3/2", "7/4", "15/8"]


def test_munchausen_on_a_bandit_by_hand():
    """γ = 0: q_{k+1} = r + α (q_k − m(q_k)), whose differences are those of advantage learning at any temperature."""
    runs = munchausen_vi(two_armed_bandit().floats(), strength=0.5, temperature=0.7)
    found = [next(runs).q for _ in range(5)]
    assert [float(q[0, 0] - q[0, 1]) for q in found] == pytest.approx([0, 1, 1.5, 1.75, 1.875], abs=1e-14)


def test_errors_of_the_theorem_are_as_said():
    """j² mod 7 − 3 = −2, 1, −1, ..., in tenths, the actions exchanged for even j; exactly in rationals."""
    X = rational([[1, 2]])
    errors = munchausen2020.small_errors(X)
    found = [[str(x) for x in next(errors)[0]] for _ in range(3)]
    assert found == [["-1/5", "-2/5"], ["1/5", "1/10"], ["-1/10", "-1/5"]]


def test_action_gaps_are_widened_by_5_and_not_by_9_at_four_fifths():
    """α = 4/5 after 2000 updates: 1 / (1 − α) = 5 to 1e-10; (1 + α) / (1 − α) = 9 is off by a factor."""
    mdp = families.garnet(np.random.default_rng(0), 1, S=4, A=3, b=2, discount=0.9)[0]
    best = munchausen2020.differences(soft_optimum(mdp, 0.2 * 0.1).q)
    found = munchausen2020.differences(next(munchausen_vi(mdp, strength=0.8, temperature=0.1, at=[2000])).q)
    assert np.abs(found - 5 * best).max() < 1e-10
    assert np.abs(found - 9 * best).max() > 0.5
    hard = munchausen2020.differences(next(conservative_vi(mdp, strength=0.8, at=[2000])).q)
    assert np.abs(hard - 5 * munchausen2020.differences(optimum(mdp).q)).max() < 1e-10


def test_with_all_of_the_bonus_nothing_but_the_divergence_is_left():
    """α = 1: the entropy of mirror descent is worth nothing."""
    mdp = families.garnet(np.random.default_rng(1), 1, S=4, A=3, b=2, discount=0.9)[0]
    here = next(munchausen_vi(mdp, strength=1.0, temperature=0.5, at=[20]))
    there = next(mirror_descent_vi(mdp, mdp.r * 0 + 0.5 * np.log(3), divergence=0.5, at=[20]))
    assert here.π == pytest.approx(there.π, rel=1e-11)
    assert here.q - 0.5 * here.log_π == pytest.approx(there.q, rel=1e-11)
