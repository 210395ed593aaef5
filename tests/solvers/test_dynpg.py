"""DynPG plays its newest policy first: its values are those of a finite-horizon model whose rewards are discounted."""

from itertools import pairwise

import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number
from mdplab.exact import finite_horizon, optimum
from mdplab.instances import two_by_two
from mdplab.models import DiscountedMDP, FiniteHorizonMDP
from mdplab.solvers import dynpg, largest_reward, round_bound


def test_values_are_those_of_the_policies_played_newest_first():
    mdp, n = two_by_two().floats(), 5
    *_, last = rounds = list(dynpg(mdp, updates=[7] * n))
    discounted = tuple(mdp.discount**h * mdp.r for h in range(n))
    π = np.concatenate([x.π for x in reversed(rounds)])
    v = finite_horizon.values(FiniteHorizonMDP((mdp.P,) * (n - 1), discounted), π)[:2]
    assert abs(v - last.v_next).max() < 1e-13
    assert all((x.v_next == y.v).all() for x, y in pairwise(rounds))


def test_many_updates_are_value_iteration():
    """A round of 4 B A² / (μ ε) updates loses at most ε = B / 10 in each state; ten rounds of γ = 1/2 at most 2 ε."""
    mdp = two_by_two().floats()
    mdp = DiscountedMDP(mdp.P, mdp.r, 0.5, mdp.start)
    *_, last = dynpg(mdp, updates=[320] * 10)
    assert abs(last.v_next - optimum(mdp).v).max() <= 2 * 2 / 10 + 0.5**10 * 2


def test_batches_and_balls_agree_with_single_runs_in_floats():
    mdp = two_by_two()
    batch = mdp.floats().map(lambda x: np.stack([np.asarray(x)] * 2))
    *_, both = dynpg(batch, updates=[np.array([2, 5]), np.array([3, 1])], μ=np.array([[0.5, 0.5], [0.25, 0.75]]))
    for i, (updates, μ) in enumerate([((2, 3), ["1/2", "1/2"]), ((5, 1), ["1/4", "3/4"])]):
        *_, alone = dynpg(mdp, updates=updates, μ=rational(μ))
        assert abs(floats(alone.v_next) - both.v_next[i]).max() < 1e-14


def test_bounds_of_rounds():
    mdp = two_by_two()
    assert [round_bound(mdp, h) for h in (0, 1)] == [1, rational_number("19/10")]
    assert largest_reward(DiscountedMDP(mdp.P, 0 * mdp.r, mdp.discount)) == 1
    assert floats(round_bound(mdp.floats(), 500)) == pytest.approx(10)
