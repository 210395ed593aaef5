"""What the engine cannot know about theorems/hao2023.py: one state by hand."""

import numpy as np
import pytest

from mdplab.arrays import floats, number, rational, rational_number
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


def test_dominance_by_hand_where_the_better_action_is_rare():
    """p = 1/1000, r¹ = (1, −1): gap 2 (1 − p), gradient ±2p(1 − p), second eigenvalue 2p(1 − p): 2 (1 − p) <= 2."""
    inputs = hao2023.rarely_better()
    inputs = hao2023.dominance.complete(inputs)
    (b,) = hao2023.dominance(**inputs)
    p = rational_number("1/1000")
    assert b[hao2023.δ] == 2 * (1 - p)
    assert b[hao2023.eigenvalue] == 2 * p * (1 - p)
    assert (b[hao2023.slope] ** 2).overlaps(type(b[hao2023.slope])(2 * (2 * p * (1 - p)) ** 2))


def test_second_eigenvalues_of_three_actions_are_those_that_numpy_finds():
    """diag π − ππᵀ for π = (1/2, 1/3, 1/6); an ulp or two of one."""
    π = rational(["1/2", "1/3", "1/6"])
    block = np.diag(π) - np.outer(π, π)
    found = hao2023.second_eigenvalues(block[None], rational([3]))
    assert number(found[0]) == pytest.approx(np.linalg.eigvalsh(floats(block))[1], abs=1e-15)
