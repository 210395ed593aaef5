"""What the engine cannot know about theorems/hamd2023.py: one decision and the gambler by hand."""

import numpy as np
import pytest
from scipy.integrate import simpson
from scipy.special import ndtr

from mdplab.arrays import floats, rational, rational_number
from mdplab.exact import exit_optimum
from mdplab.instances import share_repurchase, which_exit
from mdplab.sampling import Outcomes, mean
from theorems import hamd2023


def test_the_sharpest_curvature_of_one_decision():
    """J = 2p − 1, J'' = 2 p (1 − p)(1 − 2p)(u_1 − u_2)² with u = (1, −1): 8 · 789 · 211 · 578 / 10⁹."""
    (b,) = hamd2023.smooth(**hamd2023.sharpest())
    assert abs(b[hamd2023.bend]) == rational_number("769798896/1000000000")
    assert b[hamd2023.length] == 2


def test_without_preference_the_second_moment_is_a_half():
    (b,) = hamd2023.moment(**hamd2023.undecided(), π=rational([[["1/2", "1/2"]]]))
    assert b[hamd2023.second_moment] == rational_number("1/2")


def test_the_likely_first_exit_by_hand():
    """p = 9/10, payoffs 1 and 0: 2 p (1 − p)² = 0.018, but 2 p (1 − p) (p³ + (1 − p)³) with the baseline p."""
    (b,) = hamd2023.var(**hamd2023.likely_first())
    assert b[hamd2023.square_payoff] == rational_number("9/500")
    assert b[hamd2023.square_baseline] == rational_number("18/100") * rational_number("73/100")


@pytest.mark.parametrize(("up", "expected"), [("1/2", "1/2"), ("2/3", "2/3"), ("1/3", "1/3")])
def test_with_two_to_win_one_step_decides(up, expected):
    from mdplab.instances import gambler

    (b,) = hamd2023.ruin(gambler(2, up))
    assert b[hamd2023.hits][0] == rational_number(expected)


def test_the_boundary_after_one_step_by_hand():
    """x_0 + a = 0, σ = 1: P(X_1 ≤ 0) = 1/2, P(X_1 > 0, X_2 ≤ 0) = 1/8 and E[φ(X_1); X_1 > 0] = 1 / (4 √π).

    With α = c = 1: J' = 1/2 + 1/8 + 1 / (4 √π) + φ(0) (1/2 − φ(0)) and φ(0) = 1 / √(2π).
    """
    from flint import arb

    one = rational_number(1)
    (b,) = hamd2023.two_steps(rational_number(0), one, one, one)
    π = arb.pi()
    assert b[hamd2023.later].overlaps(arb(1) / 8 + 1 / (4 * π.sqrt()))
    expected = arb(5) / 8 + 1 / (4 * π.sqrt()) + 1 / (2 * (2 * π).sqrt()) - 1 / (2 * π)
    assert b[hamd2023.dJ_da].overlaps(expected)
    assert b[hamd2023.dJ_da].rad() < 1e-13  # 53 bits, and a hundred operations or so


def test_another_payoff_has_the_derivative_that_was_found_by_quadrature():
    """α y outside and sin y inside: 0.237053 = 0.184138 along paths + 0.052915 at the boundary, by another program.

    x_0 = 1/2, a = 1/5, σ = 1, α = 3/10.  Simpson's rule, 4000 points on twelve deviations: errors below 1e-8.
    """
    x = np.linspace(0, 12, 4001)
    bell = lambda z: np.exp(-z * z / 2) / np.sqrt(2 * np.pi)  # noqa: E731
    inside = lambda y, f: simpson(f(x) * bell(x - y), x=x)  # noqa: E731
    cut = ndtr(-x)
    later = np.array([inside(y, np.cos) for y in x]) + 0.3 * cut  # G', as sin 0 = 0
    G_0 = inside(0.0, np.sin) - 0.3 * bell(0.0)
    pathwise = 0.3 * ndtr(-0.7) + simpson(later * bell(x - 0.7), x=x)
    assert pathwise == pytest.approx(0.184138, abs=1e-6)
    assert bell(0.7) * G_0 == pytest.approx(0.052915, abs=1e-6)


def test_one_day_of_a_share_repurchase_by_hand():
    """Price and average stay 2 in the mean, so one day is worth −1 for each share that is missing at its end."""
    mdp = share_repurchase(horizon=1)
    assert exit_optimum(mdp).q[0, 12].tolist() == [-4, -3]
    (b,) = hamd2023.no_free_shares(mdp, rational([[["1/3", "2/3"]] * mdp.S]))
    assert b[hamd2023.spent] == b[hamd2023.worth] == 2 * rational_number("2/3")


def test_the_average_price_is_rounded_so_as_to_be_right_in_the_mean():
    """At price 3 and average 1 the price goes to 2, 3, 4 with 1/4, 1/2, 1/4, and the average to 1 + (3 − 1)/3 = 5/3."""
    mdp = share_repurchase()
    average = rational(np.arange(125) % 5)
    assert (mdp.P[3 * 5 + 1, 1] * average).sum() == rational_number("5/3")
    # From average 1: to 4/3, 5/3 and 2, each rounded to 1 or 2.
    assert mdp.P[3 * 5 + 1, 1, 25 + 2 * 5 + 1] == rational_number("1/4") * rational_number("2/3")


def test_the_mean_gain_of_a_sampled_update_by_hand():
    """Exits paid 1 and −1, θ = 0, η = 1: logits become (1/2, −1/2), so J becomes tanh(1/2) for sure."""
    outcomes = Outcomes()
    inputs = hamd2023.sampled_gain.instance({"mdp": which_exit(), "step_size": rational_number(1)})
    (found,) = hamd2023.sampled_gain(**inputs, draws=outcomes)
    assert float(floats(mean(outcomes.probability, found[hamd2023.mean_gain]))) == pytest.approx(np.tanh(0.5))
    assert float(floats(mean(outcomes.probability, found[hamd2023.square_of_estimate]))) == pytest.approx(0.5)
