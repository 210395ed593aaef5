"""What the engine cannot know about theorems/cmdp.py: two opposed arms by hand."""

import flint
import numpy as np

from mdplab.arrays import rational, rational_number
from mdplab.instances import crossing, opposed_arms
from theorems import cmdp as paper


def test_the_multiplier_of_a_bound_that_hardly_binds():
    """γ = 1/2, b = 1/100: ξ = 2 − 1/100, λ* = 1, and 1 / ((1 − γ) ξ) = 200/199."""
    _, λ, bound = next(paper.multipliers.trace(opposed_arms("1/2", "1/100")))
    assert (λ, bound) == (1, rational_number("200/199"))


def test_one_state_is_randomised_where_the_constraint_binds():
    _, extra, constraints = next(paper.randomisation.trace(crossing()))
    assert (extra, constraints) == (1, 1)


def test_averages_of_policies_and_of_measures_agree_on_one_state():
    """With one state the occupancy measure is the policy."""
    arms, half = opposed_arms("1/2"), rational_number("1/2")
    one, two = rational([["3/4", "1/4"]]), rational([["1/4", "3/4"]])
    assert (paper.of_measures(arms, one, two, half) == paper.of_policies(arms, one, two, half)).all()


def test_the_ergodic_bound_by_hand_after_one_step():
    """γ = 0, b = 1/2, uniform comparator, μ = 1, steps 1: nothing is lost, and the range is 1: 1/2, then 1/2 + 1/8."""
    (_, first, bound), (_, second, later) = list(
        paper.ergodic.trace(
            opposed_arms(0, "1/2"),
            rational([["1/2", "1/2"]]),
            *(rational_number(1) for _ in range(3)),
            up_to=1,
        )
    )
    assert first == 0
    assert bound.overlaps(flint.arb(1) / 2)
    assert second.overlaps(flint.arb(0))
    assert later.overlaps(flint.arb(5) / 8)


def test_slater_is_judged_strictly():
    tight = opposed_arms(0, 1)
    assert not paper.room.met_by({"mdp": tight})
    assert paper.room.met_by({"mdp": opposed_arms(0, "99/100")})
    assert np.asarray(paper.room.met_by({"mdp": opposed_arms(0, "99/100").floats()}))


def test_the_multiplier_remembers_the_violations_by_hand():
    """γ = 1/2, b = 9/5: the uniform policy has v_u = 1/2 of 9/10, so 2/5 is lacking, and μ_1 = 2/5 with step 1."""
    one = rational_number(1)
    runs = paper.telescope(opposed_arms("1/2", "9/5"), one, one, 0 * one)
    next(runs)
    b = next(runs)
    assert b[paper.K] == 1
    assert np.asarray(b[paper.total_short])[()].overlaps(flint.arb(2) / 5)
    assert np.asarray(b[paper.μ_last])[()].overlaps(flint.arb(2) / 5)
