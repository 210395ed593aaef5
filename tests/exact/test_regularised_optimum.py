"""Regularised optima: Shannon's case by another program, certificates against balls, one state by hand."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, number, rational, rational_number
from mdplab.exact import (
    TsallisDivergence,
    TsallisEntropy,
    optimum,
    regularised_bellman,
    regularised_optimum,
    regularised_values,
    soft_optimum,
    soft_values,
)
from mdplab.instances import families, one_state_loop, two_by_two
from mdplab.solvers import regularised_vi
from mdplab.theorem.exactly import working_precision

INDICES = ["1", "3/2", "2", "3", "4"]


def test_for_q_1_it_is_the_soft_optimum():
    with working_precision(150):
        τ = rational_number("1/2")
        ours, theirs = regularised_optimum(two_by_two(), TsallisEntropy(τ)), soft_optimum(two_by_two(), τ)
        assert all(x.overlaps(y) for x, y in zip(ours.v, theirs.v, strict=True))
        assert max(float(x.rad()) for x in ours.v) < 1e-30
    mdp, log_π = two_by_two().floats(), np.log([[0.2, 0.8], [0.5, 0.5]])
    found = regularised_values(mdp, TsallisEntropy(0.5), np.exp(log_π))
    assert found == pytest.approx(soft_values(mdp, log_π, 0.5), rel=1e-13)


@pytest.mark.parametrize("q", INDICES)
def test_the_certificate_of_float64_holds_the_ball(q):
    near = regularised_optimum(two_by_two().floats(), TsallisEntropy(0.5, number(rational_number(q))))
    with working_precision(150):
        true = regularised_optimum(two_by_two(), TsallisEntropy(rational_number("1/2"), rational_number(q)))
        low, high = rational(near.low), rational(near.high)
        assert all(bool(a <= x) and bool(x <= b) for a, x, b in zip(low, true.v, high, strict=True))
        assert max(float(x.rad()) for x in true.v) < 1e-25
    assert (near.high - near.low).max() < 1e-9


def test_one_state_with_equal_actions_takes_all_of_the_entropy():
    """v = (1 + τ S_max) / (1 − γ) = (1 + 1/2) · 10 for two actions and q = 2."""
    with working_precision(100):
        best = regularised_optimum(one_state_loop(A=2), TsallisEntropy(rational_number(1), rational_number(2)))
        assert best.v[0].contains(15)
        assert float(best.v[0].rad()) < 1e-20


@pytest.mark.parametrize("q", [1, 1.5, 2, 4])
def test_value_iteration_arrives_where_policy_iteration_does(q):
    """γ = 1/2: after 60 backups 2^-60 of the first error is left."""
    mdp = families.garnet(np.random.default_rng(0), 5, S=4, A=3, b=2, discount=0.5)
    μ = np.random.default_rng(1).dirichlet(np.ones(3), (5, 4))
    for Ω in (TsallisEntropy(0.3, q), TsallisDivergence(0.3, μ, q)):
        best = regularised_optimum(mdp, Ω)
        last = next(islice(regularised_vi(mdp, Ω), 60, None))
        assert np.abs(last - best.v).max() < 1e-13
        assert (best.low <= best.high).all()
        assert np.abs(regularised_values(mdp, Ω, best.π) - best.v).max() < 1e-13
        assert np.abs(regularised_bellman(mdp, Ω, best.v) - best.v).max() < 1e-13


def test_without_much_temperature_it_is_the_optimum():
    """0 <= v*_reg − v* <= τ S_max / (1 − γ) with S_max = 2/3 for three actions."""
    mdp = families.garnet(np.random.default_rng(2), 5, S=4, A=3, b=2, discount=0.5)
    excess = regularised_optimum(mdp, TsallisEntropy(1e-6, 2)).v - optimum(mdp).v
    assert (excess > -1e-14).all()
    assert (excess <= 1e-6 * 2 / 3 * 2 + 1e-14).all()
    assert floats(excess).shape == (5, 4)
