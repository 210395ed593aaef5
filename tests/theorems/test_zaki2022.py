"""What the engine cannot know about theorems/zaki2022.py: two states by hand."""

from itertools import islice

import pytest

from mdplab.arrays import rational, rational_number
from mdplab.instances import stay_or_switch
from mdplab.sampling import Outcomes, mean
from theorems import zaki2022


def test_equal_weights_have_no_gradient_and_a_gap_of_nine_halves():
    """γ = 9/10: either controller is worth 1.9 / (2 · 0.1) = 9.5, the mixture 5."""
    (b,) = zaki2022.surrogate(**zaki2022.symmetric())
    assert b[zaki2022.lead] == rational_number("9/2")
    assert b[zaki2022.against] == 0
    assert b[zaki2022.slope] == 0


@pytest.mark.parametrize(("γ", "gap"), [("1/2", "1/2"), ("1/4", "1/6"), ("9/10", "9/2")])
def test_the_gap_that_stays_is_half_of_gamma_over_one_minus_gamma(γ, gap):
    for b in islice(zaki2022.thm(stay_or_switch(1, γ)), 3):
        assert b[zaki2022.gap].contains(rational_number(gap))
        assert b[zaki2022.c][()].contains(rational_number("1/2"))


def test_the_recalled_bound_by_hand():
    """γ = 1/4, t = 1, c = 1/2: M = 2, 7/16 + 1 + 5 = 103/16, ‖d/μ‖ = 1 + γ = 5/4, ‖1/μ‖ = 2, (1 − γ)³ = 27/64.

    2 · 103/16 · 4 · 64/27 · 25/16 · 2 = 10300 · 4 / 108 = 381.48...
    """
    _, gap, bound = next(zaki2022.thm.trace(stay_or_switch(1, "1/4").floats()))
    assert bound == pytest.approx(10300 * 4 / 108, rel=1e-12)  # a dozen roundings
    assert gap == pytest.approx(1 / 6, abs=1e-14)


def test_one_sign_means_no_controller_changes_sides():
    assert not zaki2022.one_sign.met_by(zaki2022.symmetric())
    one = zaki2022.rare_controller()
    assert zaki2022.one_sign.met_by(one)
    assert zaki2022.one_sign.met_by(one | {"other": rational([0, 1])})


def test_the_worse_controller_is_kept_by_hand():
    """Staying for ever is worth 10, and 9 after a switch, so 9.5 from a uniform start; 4/5 of that is 7.6."""
    from mdplab.exact import values

    mdp, K = stay_or_switch("4/5"), zaki2022.stay_or_switch_controllers()
    alone = [(mdp.start * values(mdp, K[m])).sum() for m in (0, 1)]
    assert alone == [rational_number("19/2"), rational_number("38/5")]
    first = next(zaki2022.wrong_limit(**zaki2022.second_preferred()))
    assert first[zaki2022.w_1_next][()] < first[zaki2022.w_1][()]


def test_the_estimates_of_the_actor_by_hand():
    """Stay or switch, w = (1/2, 1/2), two steps from uniform: by symmetry zero, though single trajectories are not."""
    outcomes, inputs = Outcomes(), zaki2022.symmetric()
    del inputs["other"]
    (found,) = zaki2022.unbiased(**inputs, draws=outcomes)
    for q in (zaki2022.by_rewards, zaki2022.by_critic):
        assert (mean(outcomes.probability, found[q], 1) == 0).all()
        assert (found[q] != 0).any()
    assert (found[zaki2022.dV_H] == 0).all()
