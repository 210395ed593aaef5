"""What the engine cannot know about theorems/ding2023.py: that the saddle point is one, and the erratum's numbers."""

import numpy as np
import pytest

from mdplab.arrays import exp, number, precision, rational_number
from mdplab.exact import regularised_saddle, slater
from mdplab.instances import crossing, opposed_arms, paradox
from mdplab.instances.constrained import constrained_garnet
from theorems import ding2023 as paper


@pytest.fixture
def digits():
    before = precision()
    precision(200)
    yield
    precision(before)


def test_the_model_made_for_a_multiplier_has_it_as_its_saddle_point():
    """F has slope τ at least, so an error of F of 1e-12 is one of λ of 1e-11 at τ = 1/10."""
    batch = constrained_garnet(np.random.default_rng(2), 6, S=3, A=2, opposed=True, discount=0.75)
    λ, τ = np.array([0.0, 0.25, 0.5, 1.0, 1.5, 2.0]), np.full(6, 0.1)
    made, log_π = paper.with_saddle_at(batch, λ, τ)
    found = regularised_saddle(made, τ, 5.0)
    assert abs(found.multiplier - λ).max() <= 1e-10
    assert abs(exp(found.log_π) - exp(log_π)).max() <= 1e-9


@pytest.mark.parametrize("model", [crossing, paradox, opposed_arms])
def test_the_saddle_point_in_balls_holds_that_of_float64(model, digits):
    exact = regularised_saddle(model(), rational_number("1/10"), rational_number(5))
    fast = regularised_saddle(model().floats(), 0.1, 5.0)
    assert float(exact.multiplier.rad()) <= 1e-40
    assert abs(number(exact.multiplier) - float(fast.multiplier)) <= 1e-11


def test_the_saddle_point_of_two_opposed_arms_by_hand(digits):
    """γ = 0, τ = 1/10: π(1) = σ((1 − λ)/τ) and 1 − π(1) − b + τ λ = 0; b = 3/5 makes λ = 1 the solution."""
    found = regularised_saddle(opposed_arms(0, "3/5"), rational_number("1/10"), rational_number(5))
    assert found.multiplier.overlaps(found.multiplier * 0 + 1)
    assert exp(found.log_π)[0, 0].overlaps(found.multiplier * 0 + rational_number("1/2"))


def test_the_saddle_point_is_clipped_to_the_interval():
    free, tight = opposed_arms(0, "1/100"), opposed_arms(0, "99/100")
    assert regularised_saddle(opposed_arms(0, "-1"), rational_number("1/10"), rational_number(5)).multiplier == 0
    assert regularised_saddle(tight, rational_number("1/10"), rational_number("1/2")).multiplier == rational_number(
        "1/2"
    )
    assert float(regularised_saddle(free.floats(), 0.1, 5.0).multiplier) > 0


def test_the_erratum_by_hand():
    """−τ log π = 30 log 10 / 10 = 6.9078, next value γ/(1 − γ) · 1 = 1 for γ = 1/2: together 7.9078 (r is 0 there)."""
    inputs = paper.rare_action()
    binding = next(paper.q_bound.bindings(inputs))
    assert abs(number(binding[paper.Q][0, 0]) - (3 * np.log(10) + 1)) <= 1e-12
    assert slater(inputs["mdp"]) == 2


def test_dropping_the_rare_term_restores_the_bound():
    (_, smaller, larger) = next(paper.q_bound_later.trace(*paper.rare_action().values()))
    assert (smaller < larger).all()


def test_the_saddle_point_of_two_arms_by_hand():
    """Opposed arms at λ_τ = 1: uniform, v_u = 1/2, so b = 1/2 + τ: short by τ λ_τ = τ, H = log 2.

    The best that meets b has v_r = 1 − b = 1/2 − τ, which is less than the saddle point's 1/2.
    """
    τ = rational_number("1/10")
    (b,) = paper.of_saddle(opposed_arms(), rational_number(1), τ)
    assert b[paper.short_saddle].overlaps(type(b[paper.H])(τ))
    assert b[paper.v_star].overlaps(type(b[paper.H])(rational_number("2/5")))
    assert b[paper.v_saddle].overlaps(type(b[paper.H])(rational_number("1/2")))
    assert b[paper.H].overlaps(type(b[paper.H])(2).log())
