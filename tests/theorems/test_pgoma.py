"""What the engine cannot know of theorems/pgoma.py: the step of the ascent lemma on two arms."""

from mdplab.arrays import rational, rational_number
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
