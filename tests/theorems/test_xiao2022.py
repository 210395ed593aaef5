"""What the engine cannot know about theorems/xiao2022.py: one state by hand, and stationary distributions."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import occupancy, optimum
from mdplab.instances import puterman_6_2_1, two_by_two, two_state_swap
from mdplab.models import DiscountedMDP
from theorems import xiao2022 as paper


@pytest.fixture
def half():
    """One state that stays, rewards 1 and 0, γ = 1/2: δ = 2 π(2), Q(1) − Q(2) = 1, D_0 = log 2, ϑ = 2."""
    return DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("1/2"))


def test_growing_steps_by_hand(half):
    """η_0 = 1, η_1 = 2: π_1(2) = 1/(1 + e), π_2(2) = 1/(1 + e³); the bound is 2^−k (1 + 2 log 2)."""
    e, log2 = flint.arb(1).exp(), flint.arb(2).log()
    first, second = islice(paper.geo.trace(half, first=rational_number(1)), 2)
    for (_, δ, bound), odds, power in ((first, e, 1), (second, e**3, 2)):
        assert δ.overlaps(2 / (1 + odds))
        assert bound.overlaps((1 + 2 * log2) / 2**power)


def test_a_single_state_is_stationary(half):
    """Both theorems on growing steps are then the same."""
    one = next(paper.geo.trace(half, first=rational_number(1)))
    other = next(paper.geo_stationary.trace(half, first=rational_number(1)))
    assert one[1].overlaps(other[1])
    assert one[2].overlaps(other[2])


def test_a_constant_step_by_hand(half):
    """η = 1: before any step δ_0 = 1 and the bound is 2 log 2 + 2; after one it is half of that."""
    log2 = flint.arb(2).log()
    (_, δ_0, at_0), (_, _, at_1) = islice(paper.const.trace(half, step_size=rational_number(1)), 2)
    assert δ_0.overlaps(flint.arb(1))
    assert at_0.overlaps(2 * log2 + 2)
    assert at_1.overlaps(log2 + 1)


@pytest.mark.parametrize("model", [two_by_two, two_state_swap, puterman_6_2_1])
def test_the_stationary_distribution_is_kept_and_is_its_own_occupancy(model):
    mdp = model()
    π = optimum(mdp).policy
    ρ = paper.stationary(mdp, π)
    assert ρ.sum() == 1
    assert (ρ @ mdp.under(π)[0] == ρ).all()
    assert (occupancy(mdp, π, ρ) == ρ).all()


def test_two_states_that_never_meet_have_no_single_class():
    apart = DiscountedMDP(rational([[[1, 0]], [[0, 1]]]), rational([[1], [0]]), rational_number("1/2"))
    assert not paper.one_class.met_by({"mdp": apart})
    assert paper.one_class.met_by({"mdp": two_state_swap()})


def test_a_model_without_a_future_is_left_out():
    batch = DiscountedMDP(np.ones((2, 1, 1, 1)), np.ones((2, 1, 1)), np.array([0.0, 0.5]))
    assert paper.discounting.met_by({"mdp": batch}).tolist() == [False, True]
