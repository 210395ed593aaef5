"""What the engine cannot know about theorems/spo2024.py, ppo2017.py, ml2022.py and mdpo2020.py: three arms by hand."""

from itertools import islice, pairwise

from mdplab.arrays import rational_number
from theorems import mdpo2020, ml2022, ppo2017, spo2024


def test_the_gain_of_a_step_is_twice_its_drift_in_a_bandit():
    """π = (.5, .3, .2), rewards (1, .2, 0), ε = 1/5: gain 88/1000, drift 44/1000."""
    (binding,) = ml2022.mono(**ml2022.three_arms())
    assert binding[ml2022.gain_spo][0] == rational_number("88/1000")
    assert binding[ml2022.drift_spo][0] == rational_number("44/1000")


def test_a_rare_good_arm_by_hand():
    """π = (1/10, 9/10), A = (9/10, −1/10), ε = 1/5: the greedy objective is .1 · 1.2 · .9 − .9 · .8 · .1 = .036."""
    (binding,) = ppo2017.unbounded(**ppo2017.unbounded.complete(ppo2017.rare_good_arm()))
    assert binding[ppo2017.greedy_objective][0] == binding[ppo2017.best][0] == rational_number("36/1000")


def test_a_ratio_leaves_the_interval_where_an_advantage_is_small():
    """Advantages (35, −65, −15)/100 of π = (.6, .3, .1): with ratios of 1 ± ε the sum is 1.04; the third gives way."""
    (binding,) = spo2024.every_ratio(**spo2024.small_advantage())
    distance = binding[spo2024.distance][0]
    assert distance[2] > distance[1] > rational_number("1/5") > distance[0]


def test_steps_that_stand_for_the_inverse_root_do_not_grow():
    steps = list(islice(mdpo2020.one_over_root(1.0), 70))
    assert all(now >= then for now, then in pairwise(steps))
    assert all(1 / 4 <= x * (n + 1) ** 0.5 <= 2 for n, x in enumerate(steps))
