"""What the engine cannot know about theorems/gae2016.py: a constant error by hand, and all trajectories."""

from mdplab.arrays import rational, rational_number, total
from mdplab.models import DiscountedMDP
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


def loop(λ):
    """A state that stays, γ = 1/2, rewards 1 and 0 in equal shares: V = 1 and A = ±1/2.  Guessed is 2."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("1/2"))
    return {"mdp": mdp, "π": rational([["1/2", "1/2"]]), "v": rational([2]), "λ_": rational_number(λ)}


def test_means_by_hand():
    """λ = 1/2, e = 1: A − 1 + γ (1 − λ) / (1 − γλ) = A − 2/3; with λ = 1 it is Q − 2, with values that are right A."""
    (b,) = paper.mean_of(**loop("1/2"))
    assert (b[paper.mean] == rational([["-1/6", "-7/6"]])).all()
    (b,) = paper.just(**loop("1/2"))
    assert (b[paper.mean_at_one] == rational([["-1/2", "-3/2"]])).all()
    assert (b[paper.mean_of_true] == rational([["1/2", "-1/2"]])).all()


def test_squares_by_hand():
    """λ = 0: one difference, 1 + 1 − 2 = 0 or 0 + 1 − 2 = −1."""
    (b,) = paper.var(**loop(0))
    assert (b[paper.enumerated] == rational([[0, 1]])).all()
    assert (b[paper.second] == rational([[0, 1]])).all()


def test_the_variance_of_true_values_by_hand():
    """Differences ±1/2 in every later step: none for λ = 0, 1/4 · (1/4 + 1/16 + ...) = 1/12 for λ = 1."""
    (b,) = paper.var_grows(**loop(0), share=rational_number(1))
    assert (b[paper.variance] == 0).all()
    assert (b[paper.variance_more] == rational_number("1/12")).all()


def test_one_step_telescopes_by_hand():
    """One state: the trajectory ends after one step, 1 − 2 = −1."""
    inputs = loop("1/2")
    (b,) = paper.telescope(inputs["mdp"], inputs["v"], inputs["λ_"])
    assert b[paper.k_step] == b[paper.traced] == b[paper.averaged] == -1
