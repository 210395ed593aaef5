"""Gaps keep their relative accuracy however small they are, and agree with subtraction in rationals."""

import array_api_strict
import numpy as np
import pytest

from mdplab.arrays import floats, rational
from mdplab.exact import gap, optimum, values
from mdplab.models import DiscountedMDP


def test_gaps_are_differences_of_values(draw):
    mdp = draw(0, (2, 3)).exact()
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=(2, 3, 4))) / 8
    best = optimum(mdp)
    assert (gap(mdp, π, best) == (mdp.start * (best.v - values(mdp, π))).sum(axis=-1)).all()
    at_one = rational([0, 1, 0, 0])
    assert (gap(mdp, π, best, at_one) == (best.v - values(mdp, π))[..., 1]).all()


@pytest.mark.parametrize("exponent", [-3, -20, -100, -200, -290])
def test_a_gap_of_any_size_is_accurate_to_ten_digits(draw, exponent):
    """A policy errs with probability about 10^exponent; the reference is V* − V^π in rationals, by subtraction."""
    mdp = draw(1, (4,), S=6)
    best = optimum(mdp)
    π = 10.0**exponent * np.random.default_rng(2).uniform(0.1, 1, size=mdp.r.shape)
    π = np.where(best.policy == 1, 1 - (π * (1 - best.policy)).sum(axis=-1, keepdims=True), π)
    exact, chosen = mdp.exact(), best.policy == 1
    exact_π = np.where(chosen, rational(0)[()], rational(π))
    exact_π = np.where(chosen, 1 - exact_π.sum(axis=-1)[..., None], exact_π)
    expected = (exact.start * (optimum(exact).v - values(exact, exact_π))).sum(axis=-1)
    computed = gap(mdp, π, best)
    assert (computed < 10.0 ** (exponent + 2)).all()
    # Losses of at least 1e-3 from values off by 1e-13: relative error below 1e-10 with room to spare.
    assert floats(abs(rational(computed) / expected - 1)).max() <= 1e-10


def test_a_gap_that_only_a_rare_state_makes_is_accurate_too():
    """The bad state is reached with probability 1e-150 a step and left by choosing badly with probability 1e-50."""
    P = np.array([[[1.0, 1e-150], [1.0, 1e-150]], [[0.0, 1.0], [1.0, 0.0]]])
    mdp = DiscountedMDP(P, np.array([[0.5, 0.5], [1.0, 0.0]]), 0.75, np.array([1.0, 0.0]))
    π = np.array([[1.0, 0.0], [1.0, 1e-50]])
    best = optimum(mdp)
    assert best.action.tolist() == [0, 0]
    # By hand, up to relative 1e-50: state 0 is visited 4 times and state 1 hence 4 · 0.75e-150 / (1 − 0.75) = 12e-150
    # times; V*(1) = 4, Q*(1, 1) = 0.75 · V*(0) = 1.5.
    assert abs(gap(mdp, π, best) / (12e-150 * 1e-50 * 2.5) - 1) <= 1e-14


def test_an_optimal_policy_has_no_gap(draw):
    mdp = draw(3, (5,), S=7, b=5)
    best = optimum(mdp)
    assert (gap(mdp, best.policy, best) == 0).all()


def test_many_policies_of_one_model_and_any_array_namespace(draw):
    mdp = draw(4)
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    π = np.random.default_rng(0).dirichlet(np.ones(3), size=(7, 4))
    gaps = gap(mdp, π, optimum(mdp))
    assert gaps.shape == (7,)
    assert abs(np.asarray(gap(strict, array_api_strict.asarray(π), optimum(strict))) - gaps).max() <= 1e-13
