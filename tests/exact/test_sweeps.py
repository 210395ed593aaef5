"""Policies of sparse models: sweeps agree with linear systems, entry by entry where visits are concerned."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from mdplab.exact import occupancy, soft_gradient, softmax_gradient, values, visits
from mdplab.models import SparseMDP


def ring(S, discount, stay=0.5):
    """A walker that mixes slowly: stays, or goes on by one."""
    s = np.arange(S)
    rows = np.concatenate([2 * s, 2 * s, 2 * s + 1])
    P = csr_array((np.r_[np.full(S, stay), np.full(S, 1 - stay), np.ones(S)], (rows, np.r_[s, (s + 1) % S, s])))
    return SparseMDP(P, np.random.default_rng(0).random((S, 2)), discount, np.eye(S)[0])


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.95, 0.999])
def test_sweeps_agree_with_linear_systems(discount):
    """Both are off by some rounding of values 1 / (1 − γ), amplified by 1 / (1 − γ) once more."""
    mdp = ring(40, discount)
    π = np.random.default_rng(1).dirichlet(np.ones(2), size=40)
    slack = 4 * 40 * 2**-53 / (1 - discount) ** 2
    assert abs(values(mdp, π) - values(mdp.dense(), π)).max() <= slack
    d, dense = visits(mdp, π), visits(mdp.dense(), π)
    assert (abs(d - dense) <= dense * 40 * 40 * 2**-53 / (1 - discount)).all()
    assert abs(occupancy(mdp, π).sum() - 1) <= 1e-13 / (1 - discount)


def test_states_hard_to_reach_are_visited_accurately_too():
    """Going on by one has probability 1e-12: visits fall to 1e-200 by state 17."""
    mdp = ring(18, 0.9, stay=1 - 1e-12)
    π = np.array([[1.0, 0.0]] * 18)
    d = visits(mdp, π)
    assert 1e-200 < d[-1] < 1e-180
    # By hand: each next state has γ p / (1 − γ (1 − p)) times the visits; wrapping round adds 1e-200.  p is 1 − stay.
    p = 1 - (1 - 1e-12)
    expected = (0.9 * p / (1 - 0.9 * (1 - p))) ** np.arange(18) / (1 - 0.9 * (1 - p))
    assert abs(d / expected - 1).max() <= 18 * 40 * 2**-53 * 10


def test_gradients_follow():
    mdp = ring(30, 0.9)
    π = np.random.default_rng(1).dirichlet(np.ones(2), size=30)
    assert abs(softmax_gradient(mdp, π) - softmax_gradient(mdp.dense(), π)).max() <= 1e-11
    assert abs(soft_gradient(mdp, np.log(π), 0.1) - soft_gradient(mdp.dense(), np.log(π), 0.1)).max() <= 1e-11
