"""What the engine cannot know about theorems/gae2016.py: a constant error by hand, and all trajectories."""

from mdplab.arrays import rational_number, total
from theorems import gae2016 as paper


def test_a_constant_error_by_hand():
    """γ = 9/10, λ = 1/2, e = 1: the bias besides the baseline is γ (1 − λ) / (1 − γλ) = (9/20) / (11/20) = 9/11."""
    ((_, bias, bound),) = paper.bias_of.trace(**paper.constant_error())
    assert bias == bound == rational_number("9/11")


def test_chances_of_all_trajectories_sum_to_one():
    inputs = paper.constant_error()
    chance, _ = paper.every_trajectory(inputs["mdp"], inputs["π"], inputs["v"], inputs["λ_"])
    assert (total(chance, 4) == 1).all()


def test_an_unrolled_model_has_the_rewards_of_the_first_steps():
    inputs = paper.constant_error()
    mdp, π = inputs["mdp"], inputs["π"]
    ending, _, policy = paper.unrolled(mdp, inputs["v"], π, 2)
    _, r = mdp.under(π)
    P, _ = mdp.under(π)
    assert (paper.values_of(ending, policy)[:2] == r + mdp.discount * (P @ r)).all()
