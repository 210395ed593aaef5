"""What the engine cannot know about theorems/ppo2017.py: arms by hand."""

import pytest

from mdplab.arrays import rational, rational_number
from mdplab.instances import two_armed_bandit
from mdplab.models import bandit
from theorems import ppo2017 as paper

number = rational_number


def test_a_rare_good_arm_by_hand():
    """π = (1/10, 9/10), A = (9/10, −1/10), ε = 1/5: the greedy objective is .1 · 1.2 · .9 − .9 · .8 · .1 = .036."""
    (binding,) = paper.unbounded(**paper.unbounded.complete(paper.rare_good_arm()))
    assert binding[paper.greedy_objective][0] == binding[paper.best][0] == number("36/1000")


@pytest.mark.parametrize(
    ("ratio", "advantage", "value"), [("3/2", 1, "6/5"), ("3/2", -1, "-3/2"), ("1/2", 1, "1/2"), ("1/2", -1, "-4/5")]
)
def test_the_four_corners_of_the_clip_by_hand(ratio, advantage, value):
    """ε = 1/5: only a good action grown too likely, or a bad one grown too rare, is cut off."""
    inputs = (two_armed_bandit(), number(ratio), number(advantage), number("1/5"))
    ((_, left, right),) = paper.clip_identity.trace(*inputs)
    assert left == right == number(value)


def test_a_clipped_step_of_two_arms_by_hand():
    """From (1/2, 1/2) to (4/5, 1/5), A = ±1/2: ratios 8/5 and 2/5; J = ½ (6/5 · ½ − 4/5 · ½) = 1/10, the gain 3/10."""
    arms = {"mdp": bandit(rational([1, 0])), "π": rational([["1/2", "1/2"]]), "new": rational([["4/5", "1/5"]])}
    (binding,) = paper.mono(**arms, clip=number("1/5"))
    assert binding[paper.least] == number("1/10")
    assert binding[paper.gain][0] == number("3/10")
