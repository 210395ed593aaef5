"""What the engine cannot know about theorems/hac2023.py: the lock in numbers, one update by hand."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import finite_horizon as exact
from mdplab.instances import baited_lock
from mdplab.sampling import Draws, rollouts
from mdplab.solvers import Experience, hybrid_npg, sampled_hybrid_npg
from theorems import hac2023 as paper


def test_the_lock_of_the_paper():
    """H = 50, A = 10: data open it with probability (1 − 9/500)^50 = .40325, hence density ratios up to 2.48."""
    found = next(paper.lock(baited_lock(50).floats()))
    assert found[paper.opened] == pytest.approx(0.40325, abs=5e-6)
    assert 1 / found[paper.opened] == pytest.approx(2.48, abs=5e-3)
    assert found[paper.J_uniform] == pytest.approx(0.05, abs=1e-15)


def test_one_sweep_by_hand():
    """Loop of two, uniform: Q = (11/2, 9/2), d = 1/2 each, ν = (9/10, 1/10), λ = 1: f_1 = ν r + d Q over ν + d."""
    first = next(hybrid_npg(paper.loop_of_two(), rational([["9/10", "1/10"]]), weight=rational_number(1), sweeps=1))
    by_hand = [(9 / 10 + 11 / 4) / (14 / 10), (9 / 4) / (6 / 10)]
    assert abs(np.array([float(x.mid()) for x in first.f[0]]) - by_hand).max() < 1e-14


def test_data_open_a_lock_that_returns_alone_do_not():
    """Five steps, ten actions: the uniform policy opens one time in 100,000."""
    mdp, draws = baited_lock(5).floats(), Draws(0, np.arange(4))
    offline = Experience(mdp, draws)
    for i in range(100):
        offline.count(rollouts(mdp, paper.near_optimal(mdp, 1 / 5), 5, Draws(1, np.arange(4)).at(i)))
    for data, low, high in ((offline, 0.9, 1), (None, 0, 0.1)):
        *_, last = islice(sampled_hybrid_npg(mdp, draws, data, step_size=4.0), 41)
        value = exact.values(mdp, last.π)[:, 0]
        assert (value >= low).all()
        assert (value <= high).all()


def test_without_data_the_critic_is_the_mean_of_returns():
    mdp = baited_lock(2, 3).floats()
    first = next(sampled_hybrid_npg(mdp, Draws(0, np.arange(2)), batch=20_000))
    error = abs(first.f - exact.action_values(mdp, first.π))
    met = exact.visits(mdp, first.π)[0] > 0
    assert error[:, met].max() < 0.1  # a pair is met 700 times; returns in [0, 1] then err by 0.02
