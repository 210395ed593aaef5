"""What the engine cannot know about theorems/trpo2015.py: the two counterexamples by hand."""

from mdplab.arrays import rational_number
from theorems import trpo2015 as paper


def test_the_one_way_street_by_hand():
    """η(π) = 12/11, L = 122/121, η(π') = 1, α = 1/10, ε' = 1/11: the error 1/121 is 25/11 times the printed bound.

    State 0 is worth 2, state 1 is worth γ π(0|1) 2 / (1 − γ (1 − π(0|1))): 2/11 before and 0 after.
    """
    ((binding, error, bound),) = paper.thm1_proceedings.trace(**paper.street)
    assert binding[paper.new_value] == 1
    assert binding[paper.promised] == rational_number("122/121")
    assert binding[paper.α] == rational_number("1/10")
    assert binding[paper.ε_new] == rational_number("1/11")
    assert error == rational_number("1/121")
    assert bound == rational_number("1/275")


def test_two_rooms_by_hand():
    """The error 4/169 against 1/65, which is 1.54 times as much as the appendix allows."""
    ((_, error, bound),) = paper.thm1a.trace(**paper.rooms)
    assert error == rational_number("4/169")
    assert bound == rational_number("1/65")


def test_a_policy_that_stays_has_no_error_and_no_penalty():
    same = paper.street | {"new": paper.street["π"]}
    ((_, error, bound),) = paper.thm1.trace(**same)
    assert error == bound == 0
