"""What the engine cannot know of theorems/pgoma.py: the step of the ascent lemma on two arms."""

import flint

from mdplab.arrays import log, rational, rational_number
from mdplab.instances import two_armed_bandit
from theorems import pgoma


def number(x):
    return rational_number(x)


def test_the_step_of_the_ascent_lemma_by_hand():
    """γ = 0 and σ = 1: L_θ = 4 + 8 + 2 = 14, so α = 1/28; at uniform arms nothing is to gain and the noise costs."""
    zero = rational([[0, 0]])
    b = next(pgoma.ascent(two_armed_bandit(), zero, zero, number(1), number(1)))
    assert b[pgoma.α] == number("1/28")
    assert abs(float(b[pgoma.slope].mid())) <= 1e-12


def test_two_shadow_rewards_by_hand():
    """Equal arms, σ = 1/4; misjudged as (3/4, 1/4) the shadow reward is (1, 2), and the gradient (−1/4, 1/4) for 0.

    The occupancies are √(1/8) apart, and 2 · 16 times that is allowed.
    """
    θ = log(rational([["3/4", "1/4"]]))
    ((_, turn, bound),) = pgoma.pseudo.trace(two_armed_bandit(), rational([[0, 0]]), θ, number("1/4"))
    assert turn.overlaps(1 / flint.arb(8).sqrt())
    assert bound.overlaps(32 / flint.arb(8).sqrt())
