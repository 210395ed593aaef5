"""What the engine cannot know about theorems/li2024.py: two and three arms by hand."""

import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number
from mdplab.instances import two_armed_bandit
from mdplab.models import bandit
from mdplab.sampling import Outcomes, mean
from theorems import li2024


def test_the_step_is_shortest_at_two_thirds_where_it_is_27_eighths():
    """r = (1, 0): the step is 1 / (2 p² (1 − p)), smallest at p = 2/3, and 3√3/(4 · ½) over 2 is 1.30 below it."""
    two = li2024.two_thirds()
    θ, part = floats(two["θ"]), 1.0
    _, smaller, larger = next(li2024.lower_bandit.trace(two_armed_bandit().floats(), θ, part))
    assert smaller == pytest.approx(3 * 3**0.5 / 2, rel=1e-12)
    assert larger == pytest.approx(27 / 8, rel=1e-3)  # p is 0.668 there, and the step is flat around its minimum


def test_the_gap_of_two_arms_in_the_limit_is_divided_by_e():
    gaps = [float(b[li2024.δ_next] / b[li2024.δ]) for b in li2024.two_arm_rate.bindings(in_floats(), 24)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == pytest.approx(0.367879, abs=1e-6)


def in_floats():
    return {"mdp": two_armed_bandit().floats(), "θ": floats(rational([[0, 0]])), "part": 1.0}


def test_the_run_that_is_drawn_to_the_second_arm_keeps_a_tenth():
    inputs = li2024.drawn_to_second_arm()
    run = {"mdp": inputs["mdp"].floats(), "θ": floats(inputs["θ"]), "part": 5.0}
    last = list(li2024.many_arms.bindings(run, 40))[-1]
    assert last[li2024.δ] == pytest.approx(0.1, abs=1e-12)


def test_the_worse_arm_is_reinforced_by_hand():
    """r = (1, 1/2), π uniform, c = 1: a draw of the worse arm has V̂ = 1/2, ∇V̂ = (−1/4, 1/4) and η = (1/2) / (1/8) = 4.

    Logits become (−1, 1), so that the better arm has 1 / (1 + e²) half of the time, else 1/2.
    """
    outcomes = Outcomes()
    inputs = {"mdp": bandit(rational([1, "1/2"])), "θ": rational([[0, 0]]), "part": rational_number(1)}
    (found,) = li2024.sampled_two_arms(**inputs, draws=outcomes)
    p = mean(outcomes.probability, found[li2024.next_probability])
    assert float(floats(p)) == pytest.approx((1 / 2 + 1 / (1 + np.exp(2))) / 2)
