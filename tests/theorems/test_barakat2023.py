"""What the engine cannot know of theorems/barakat2023.py: one state and two arms, by hand."""

import flint
import numpy as np

from mdplab.arrays import floats, rational, rational_number
from mdplab.instances import one_state_loop, two_by_two
from mdplab.sampling import Draws, Outcomes, mean
from theorems import barakat2023

HALF = rational_number("1/2")


def measured(theorem, **slots):
    outcomes = Outcomes()
    (binding,) = theorem(**theorem.instance(barakat2023.turned_little), draws=outcomes, **slots)
    return binding, outcomes.probability


def test_the_error_that_is_left_by_hand():
    """λ_{t−1} = λ_H / 2 = 7/16 (1, 1) is off by −7/16; a share of one tenth leaves 9/10 of that."""
    b, p = measured(barakat2023.recursion)
    off = mean(p, b[barakat2023.tracked], 2)
    assert all(x.overlaps(flint.arb(-63) / 160) for x in off.flat)


def test_what_inverted_weights_leave_by_hand():
    """w = Π 2 π(a_t): E w λ̂(a) = Σ_t γ^t 2 π(a)² m², m = 2 (p² + q²), where right weights have 7/4 · 1/2.

    From −7/16 the error becomes 9/10 (7/16 − 7/2 π(a)² m²) + 1/10 · 7/4 π(a) + 9/10 · 7/4 π(a) − 7/4 π(a).
    """
    b, p = measured(barakat2023.recursion, weigh=barakat2023.inverted)
    share = 1 / (1 + flint.arb("-0.2").exp())
    m = 2 * (share**2 + (1 - share) ** 2)
    for found, x in zip(mean(p, b[barakat2023.tracked], 2)[0], (share, 1 - share), strict=True):
        assert found.overlaps((flint.arb(7) / 16 - flint.arb(7) / 2 * x**2 * m**2) * 9 / 10)


def test_the_bound_along_a_run_by_hand():
    """γ = 1/2: Λ = 7/4; V_0 = Λ², and V_1 = 2 Λ² as η_1 = 1.  Of λ_0 the error is at most 2 Λ² on every path."""
    mdp = one_state_loop("1/2", 2).floats()
    run = barakat2023.tracking(mdp, 0.5, Draws(0, np.arange(50)))
    first, second = next(run), next(run)
    assert first[barakat2023.V] == 49 / 16
    assert second[barakat2023.V] == 49 / 8
    assert (first[barakat2023.square] <= 49 / 8).all()
    assert second[barakat2023.U] == 7 / 4


def test_the_fit_by_actions_is_a_mean_over_the_start():
    λ = rational([["1/2", 1], [2, "1/3"]])
    mdp = two_by_two()
    found = barakat2023.fit(mdp, λ, barakat2023.each_action)
    assert (found == mdp.start @ λ).all()
    assert np.allclose(barakat2023.fit(mdp.floats(), floats(λ), barakat2023.each_action), floats(found))
