"""What the engine cannot know about theorems/ml2022.py: drifts on three arms by hand."""

from mdplab.arrays import rational, rational_number
from theorems import ml2022 as paper

number = rational_number


def test_the_gain_of_a_step_is_twice_its_drift_in_a_bandit():
    """π = (.5, .3, .2), rewards (1, .2, 0), ε = 1/5: gain 88/1000, drift 44/1000."""
    (binding,) = paper.mono(**paper.three_arms())
    assert binding[paper.gain_spo][0] == number("88/1000")
    assert binding[paper.drift_spo][0] == number("44/1000")


def test_drifts_of_any_policy_by_hand():
    """To (.6, .3, .1): A = (.44, −.36, −.56), gain .66 − .56 = 1/10, and the weight of the one state is 11/10.

    SPO: (.44 · .01/.5 + .56 · .01/.2) / (2/5) = .092.  PPO: ratios 6/5, 1 and 1/2, of which the last leaves [4/5, 6/5]
    by .06 of probability: .06 · .56 = .0336.  What is left of the objective is 1/10 less 11/10 of these.
    """
    new = {"new": rational([["3/5", "3/10", "1/10"]])}
    (binding,) = paper.any_policy(**paper.any_policy.complete(paper.three_arms() | new))
    assert binding[paper.gain][0] == number("1/10")
    for name, drift in (("SPO", "92/1000"), ("PPO", "336/10000")):
        assert binding[paper.weighted[name]][0] == number("11/10") * number(drift)
        assert binding[paper.worst[name]] == number("1/10") - number("11/10") * number(drift)


def test_a_drift_by_hand():
    """r = 3/4 and A = 1: SPO has 5/2 · 1/16, and nothing leaves the clip upwards."""
    (binding,) = paper.drift(**paper.at("3/4", 1))
    assert binding[paper.spo][0] == number("5/32")
    assert binding[paper.ppo][0] == 0
    assert binding[paper.dpo][0] == 0
