"""What the engine cannot know about theorems/hamd2023.py: one decision and the gambler by hand."""

import pytest

from mdplab.arrays import rational, rational_number
from theorems import hamd2023


def test_the_sharpest_curvature_of_one_decision():
    """J = 2p − 1, J'' = 2 p (1 − p)(1 − 2p)(u_1 − u_2)² with u = (1, −1): 8 · 789 · 211 · 578 / 10⁹."""
    (b,) = hamd2023.smooth(**hamd2023.sharpest())
    assert abs(b[hamd2023.bend]) == rational_number("769798896/1000000000")
    assert b[hamd2023.length] == 2


def test_without_preference_the_second_moment_is_a_half():
    (b,) = hamd2023.moment(**hamd2023.undecided(), π=rational([[["1/2", "1/2"]]]))
    assert b[hamd2023.second_moment] == rational_number("1/2")


def test_the_likely_first_exit_by_hand():
    """p = 9/10, payoffs 1 and 0: 2 p (1 − p)² = 0.018, but 2 p (1 − p) (p³ + (1 − p)³) with the baseline p."""
    (b,) = hamd2023.var(**hamd2023.likely_first())
    assert b[hamd2023.square_payoff] == rational_number("9/500")
    assert b[hamd2023.square_baseline] == rational_number("18/100") * rational_number("73/100")


@pytest.mark.parametrize(("up", "expected"), [("1/2", "1/2"), ("2/3", "2/3"), ("1/3", "1/3")])
def test_with_two_to_win_one_step_decides(up, expected):
    from mdplab.instances import gambler

    (b,) = hamd2023.ruin(gambler(2, up))
    assert b[hamd2023.hits][0] == rational_number(expected)
