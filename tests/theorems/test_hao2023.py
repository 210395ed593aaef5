"""What the engine cannot know about theorems/hao2023.py: one state by hand."""

import pytest

from mdplab.arrays import floats, rational_number
from theorems import hao2023


def test_the_second_best_action_for_ever_loses_the_slack_over_one_minus_gamma():
    """π = (1/1000, 999/1000): 999/1000 · (1/10) / (1/10)."""
    (b,) = hao2023.safe(**hao2023.second_best())
    assert b[hao2023.original_gap] == rational_number("999/1000")


def test_one_state_by_hand():
    """r¹ = (1, −1), uniform, γ = 0: gap 1, gradient (1/2, −1/2), μ = 1/2; after one step of length one p = σ(1)."""
    one = hao2023.one_state()["mdp"].floats()
    inputs = hao2023.stationary.complete({"mdp": one})
    b = next(hao2023.stationary.bindings({k: v if k == "mdp" else floats(v) for k, v in inputs.items()}, 1))
    assert (b[hao2023.T], float(b[hao2023.δ_0])) == (1, 1.0)
    assert b[hao2023.least] == b[hao2023.squares] == pytest.approx(0.5)
    assert b[hao2023.μ_squares] == pytest.approx(0.25)
    assert b[hao2023.δ_T] == pytest.approx(0.537882842739990, abs=1e-14)  # 2 (1 − σ(1))
