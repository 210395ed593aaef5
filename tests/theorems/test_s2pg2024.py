"""What the engine cannot know about theorems/s2pg2024.py: variances by hand."""

import pytest

from mdplab.arrays import rational
from mdplab.instances import memory_needed
from mdplab.sampling import Outcomes, mean
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


def leaning():
    """Memory 0 is remembered as often as 1; in the last step memory 0 takes action 0 with 3/4, memory 1 with 1/4.

    Along δ the first observation's logits of memory 0 rise by one.
    """
    π, δ = (rational([0] * 24).reshape(3, 2, 2, 2) for _ in range(2))
    π += number("1/4")
    π[2, 0, 0], π[2, 0, 1] = number("3/8"), number("1/8")
    π[2, 1, 0], π[2, 1, 1] = number("1/8"), number("3/8")
    δ[0, 0, :, 0] = number(1)
    return {"model": memory_needed(), "π": π, "δ": δ}


def test_the_gradient_of_a_memory_by_hand():
    """Half of the runs show the first goal, memory 0 gains 1/4 of probability, worth 3/4 − 1/4, after γ: 9/160."""
    (b,) = s2pg2024.policy_gradient(**leaning())
    assert b[s2pg2024.formula] == b[s2pg2024.slope] == number("9/160")
    (b,) = s2pg2024.unbiased(**leaning(), steps=2)
    assert b[s2pg2024.mean] == b[s2pg2024.finite_slope] == number("9/160")


def test_sampled_scores_without_memory_are_one_and_have_the_moments_found_before():
    """The estimators of the solvers against the enumeration that knows nothing of them."""
    model, outcomes = memory_needed(), Outcomes()
    π = rational([["1/3", "2/3"], ["1/4", "3/4"], ["1/2", "1/2"]]).reshape(3, 1, 2, 1)
    (found,) = s2pg2024.sampled(model, π, 0 * π + 1, outcomes)
    square = [mean(outcomes.probability, found[q]) for q in (s2pg2024.joint_square, s2pg2024.marginal_square)]
    (known,) = s2pg2024.joint_score_varies_more(model, π, 2)
    assert square[0] == square[1]
    assert square[0] == known[s2pg2024.variance] + (known[s2pg2024.joint_mean] ** 2).sum()
