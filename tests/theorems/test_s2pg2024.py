"""What the engine cannot know about theorems/s2pg2024.py: variances by hand."""

import pytest

from mdplab.arrays import rational
from mdplab.instances import memory_needed
from theorems import s2pg2024


def number(text):
    return rational(text)[()]


def test_a_certain_return_has_the_variance_of_its_score():
    """Two draws among four equal ones: a mean squared score of 3/4 each; the return is 1 + 9/10."""
    model = s2pg2024.steady()
    π = rational([[[["1/4", "1/4"]] * 2] * 2])
    (binding,) = s2pg2024.variance_bound(model, π, 2)
    assert binding[s2pg2024.information] == number("3/2")
    assert binding[s2pg2024.variance] == number("19/10") ** 2 * number("3/2")


@pytest.mark.parametrize("steps", [1, 2])
def test_without_memory_both_scores_are_one(steps):
    model = memory_needed()
    π = rational([["1/3", "2/3"], ["1/4", "3/4"], ["1/2", "1/2"]]).reshape(3, 1, 2, 1)
    (binding,) = s2pg2024.joint_score_varies_more(model, π, steps)
    assert binding[s2pg2024.variance] == binding[s2pg2024.marginal_variance]
    assert (binding[s2pg2024.variance] > 0) == (steps > 1)  # nothing is paid before the second step
