"""Instances in which one must explore have the numbers that are known of them."""

import numpy as np
import pytest

from mdplab.arrays import floats, rational, total
from mdplab.errors import InstanceError
from mdplab.exact import finite_horizon, optimum, values
from mdplab.instances import baited_lock, episodic_riverswim, find_model, layered, n_chain, two_roads, two_roads_noise


def value_at_start(mdp):
    return total(mdp.start * finite_horizon.optimum(mdp).v)


def uniform(S, A):
    return rational(np.ones((S, A), dtype=int)) / A


def test_the_optimal_value_of_the_short_river():
    """V* = .906807 to the digits printed: swim on, for all of the ten steps."""
    assert round(float(floats(value_at_start(episodic_riverswim()))), 6) == 0.906807


@pytest.mark.parametrize("N", [3, 10])
def test_the_end_of_the_chain_pays_eleven_times(N):
    assert value_at_start(n_chain(N)) == 11


@pytest.mark.parametrize(("H", "A"), [(1, 2), (4, 3), (10, 10)])
def test_the_uniform_policy_takes_the_bait(H, A):
    """(1 − A^−H) / 20 for the bait, A^−H for the prize."""
    mdp = baited_lock(H, A)
    assert value_at_start(mdp) == 1
    found = total(mdp.start * finite_horizon.values(mdp, uniform(mdp.S, A)))
    assert found == rational("1/20") + rational("19/20") / A**H


def test_a_policy_with_some_noise_opens_the_lock_as_often_as_known():
    """ε-greedy with ε = 1/H takes the right action with 1 − ε (1 − 1/A) each time: (491/500)^50 = .40325."""
    H, A = 50, 10
    mdp = baited_lock(H, A).floats()
    best = np.eye(A)[np.tile([0, 1, 0], H)]
    π = best * (1 - 1 / H) + 1 / (H * A)
    at_the_end = mdp.split(finite_horizon.visits(mdp, π))[-1][:2].sum()
    assert round(at_the_end * (1 - (1 - 1 / A) / H), 4) == 0.4033


@pytest.mark.parametrize("γ", ["9/10", "99/100"])
def test_the_road_is_worth_its_two_payments(γ):
    mdp, λ = two_roads(γ), rational(γ)[()]
    best = optimum(mdp)
    road = rational("5/4")[()] * (1 + λ)
    assert best.v.tolist() == [0, rational("-3/10")[()], λ * road, 0, road, rational("5/4")[()], 0]
    assert best.action[2] == 2
    assert (values(mdp, uniform(7, 3))[2], 3) == (λ * (road - rational("3/10")[()]) / 3, 3)


def test_only_the_toll_and_the_road_are_noisy():
    assert two_roads_noise()[:, 0].tolist() == [0, 10, 0, 0, rational("5/4")[()], rational("5/4")[()], 0]


def test_layers_have_losses_of_at_most_a_half_and_one_start():
    mdp = layered(np.random.default_rng(0), 20, H=4, S=3, A=2)
    assert mdp.sizes == (3, 3, 3, 3)
    assert mdp.batch == (20,)
    assert 0.5 <= mdp.rewards.min() <= mdp.rewards.max() <= 1
    assert (mdp.start[:, 0] == 1).all()
    assert find_model("layered:H=2,S=4").sizes == (4, 4)


@pytest.mark.parametrize("call", [lambda: episodic_riverswim(1), lambda: n_chain(2), lambda: baited_lock(0)])
def test_sizes_that_make_no_model_are_refused(call):
    with pytest.raises(InstanceError, match=r"at least|>= 1"):
        call()
