"""The span bounds hold from any values, tighten with them, and count their own rounding."""

import numpy as np
import pytest

from mdplab.arrays import floats, rational, solve
from mdplab.exact import optimum
from mdplab.exact.enclosure import enclosure, product_rounding


def bounds(mdp, v, slack=None):
    slack = product_rounding(mdp.S, mdp.r, mdp.γ(0), v) if slack is None else slack
    return enclosure(mdp.γ(0), mdp.P.sum(axis=-1), v, mdp.bellman(v), slack)


@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
def test_bounds_from_any_values_enclose_the_optimum(draw, scale):
    mdp = draw(0, (40,), discount=np.arange(40) / 40)
    exact = optimum(mdp.exact()).v
    v = scale * np.random.default_rng(1).normal(size=(40, 4))
    low, high = bounds(mdp, v)
    assert (rational(low) <= exact).all()
    assert (exact <= rational(high)).all()


def test_bounds_are_sharp_where_the_residual_is_constant(draw):
    """v = V* + c: both bounds give back V*, up to the rounding of 12 terms of sum 26, divided by 1 − γ = 1/8."""
    mdp = draw(1)
    v = optimum(mdp).v
    low, high = bounds(mdp, v + 3)
    assert abs(low - v).max() <= 12 * 2**-53 * 26 * 8 * 1.1
    assert abs(high - v).max() <= 12 * 2**-53 * 26 * 8 * 1.1


def test_bounds_know_that_rows_may_not_sum_to_one():
    """One state, P = 1 + 1e-8, r = 1, γ = 0.99: V* = 1 / (1 − γP) is 1e-4 above 100, outside bounds that trust P."""
    v = np.zeros(1)
    P, r, γ = np.array([[1 + 1e-8]]), np.ones(1), 0.99
    true = 1 / (1 - rational(γ)[()] * rational(P[0, 0])[()])
    low, high = enclosure(γ, P, v, r, np.float64(0))
    assert rational(low)[0] <= true <= rational(high)[0]
    _, trusting = enclosure(γ, np.ones((1, 1)), v, r, np.float64(0))
    assert rational(trusting)[0] < true


@pytest.mark.parametrize("offset", [300.0, -300.0])
def test_bounds_take_the_row_sum_that_hurts(offset):
    """Row sums of 1 ± 1e-8 and v = V* + offset, where the bounds are as narrow as such sums let them be: 1e-6."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        P = rng.dirichlet(np.ones(2), size=2) * np.array([[1 + 1e-8], [1 - 1e-8]])
        r, γ = rng.normal(size=2), 0.99
        true = solve(rational(np.eye(2)) - rational(γ)[()] * rational(P), rational(r))
        v = floats(true) + offset
        low, high = enclosure(γ, P.sum(axis=-1)[:, None], v, r + γ * (P @ v), product_rounding(2, r[:, None], γ, v))
        assert (rational(low) <= true).all()
        assert (true <= rational(high)).all()
        # |offset| · 2e-8 / (1 − γ) from the row sums, and the rounding of values of at most 500 over 1 − γ.
        assert (high - low).max() <= 2 * 300 * 2e-8 / 0.01


def test_where_rows_may_sum_to_more_than_the_discount_allows_there_is_no_upper_bound():
    _, high = enclosure(1 - 1e-12, np.array([[1 + 1e-8]]), np.zeros(1), np.ones(1), np.float64(0))
    assert high[0] == np.inf
