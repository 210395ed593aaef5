"""Surrogates, improvements, divergences and advantage estimates against definitions that share no formula with them."""

from itertools import product

import flint
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdplab.arrays import floats, is_finite, precision, rational, rational_number, softmax, total
from mdplab.exact import (
    action_values,
    divergence,
    gae_mean,
    gae_second_moment,
    improvement,
    softmax_gradient,
    surrogate_gain,
    td_errors,
    total_variation,
    values,
)
from mdplab.instances import families, two_by_two
from mdplab.instances.strategies import discounted_mdps, policies
from mdplab.models import DiscountedMDP

two = discounted_mdps().flatmap(lambda mdp: st.tuples(st.just(mdp), policies(mdp.S, mdp.A), policies(mdp.S, mdp.A)))


@given(two)
def test_the_improvement_is_the_difference_of_two_values(drawn):
    mdp, π, new = drawn
    assert improvement(mdp, π, new) == total(mdp.start * (values(mdp, new) - values(mdp, π)))


@given(two)
def test_the_surrogate_is_the_value_of_taking_the_new_policy_once_at_every_step_in_turn(drawn):
    """L − η = lim of Σ_k γ^k μ P_π^k (T^{π'} V − V): the first-order term of V along the line from π to π'."""
    mdp, π, new = drawn
    h = rational_number("1/1000000000000")
    slope = (total(mdp.start * values(mdp, (1 - h) * π + h * new)) - total(mdp.start * values(mdp, π))) / h
    size = 1 + max(abs(x) for x in action_values(mdp, π).flat)
    # The second derivative of V along the line is at most 8 max|Q| / (1 − γ)², so half of it times h is the error.
    assert abs(slope - surrogate_gain(mdp, π, new)) <= 8 * size / (1 - mdp.discount) ** 3 * h


def test_the_surrogate_has_the_slope_of_the_value_at_the_old_policy():
    rng = np.random.default_rng(1)
    mdp = families.garnet(rng, 5, S=3, A=3, discount=0.8)
    θ, u = rng.normal(size=mdp.r.shape), rng.normal(size=mdp.r.shape)
    h = 1e-5  # central differences: an error of h² times a third derivative below 1e3, and 1e-15 / h of rounding
    up, down = (surrogate_gain(mdp, softmax(θ), softmax(θ + s * h * u)) for s in (1, -1))
    assert np.allclose((up - down) / (2 * h), total(softmax_gradient(mdp, softmax(θ)) * u, 2), atol=1e-6)


def test_a_divergence_by_hand_and_where_it_is_infinite():
    """KL((1/2, 1/2) ‖ (1/4, 3/4)) = log 2 / 2 + log(2/3) / 2 = log(4/3) / 2."""
    p, q = rational([["1/2", "1/2"]]), rational([["1/4", "3/4"]])
    assert divergence(p, q)[0].overlaps((flint.arb(4) / 3).log() / 2)
    assert divergence(p, p)[0] == 0
    one = rational([[1, 0]])
    assert divergence(one, p)[0].overlaps(flint.arb(2).log())
    assert not is_finite(divergence(p, one))
    assert divergence(floats(p), floats(one))[0] == np.inf
    assert abs(divergence(floats(one), floats(p))[0] - np.log(2)) < 1e-15
    assert total_variation(p, q)[0] == rational_number("1/4")


def test_float_divergences_keep_their_digits_however_near_the_policies_are():
    rng = np.random.default_rng(2)
    precision(300)
    for scale in (1e-9, 1e-3, 1.0, 30.0):
        p = softmax(rng.normal(size=(4, 3)))
        q = softmax(np.log(p) + scale * rng.normal(size=(4, 3)))
        # Rows sum to one up to rounding only, and what they miss counts: Σ p log(p / q) + Σ (q − p) is what is meant.
        P, Q = rational(p), rational(q)
        truth = divergence(P, Q) + total(Q) - total(P)
        # x − log(1 + x) is x² / 2 from numbers of size x: a relative error of a few roundings over x.
        assert np.allclose(floats(divergence(p, q)), floats(truth), rtol=1e-14 / min(scale, 1), atol=0)
    precision(53)


@pytest.fixture
def ending():
    """A model of rationals that ends after two steps: 0 or 1, then 2 or 3, then 4 for ever without reward."""
    P = np.zeros((5, 2, 5), dtype=int)
    P = rational(P)
    P[0, :, 2:4] = rational([["1/3", "2/3"], ["3/4", "1/4"]])
    P[1, :, 2:4] = rational([["1/2", "1/2"], [0, 1]])
    P[2:, :, 4] += 1
    r = rational([[1, 0], ["1/2", 2], [3, "-1/2"], [0, 1], [0, 0]])
    return DiscountedMDP(P, r, rational_number("9/10"))


def test_moments_of_advantage_estimates_are_those_over_all_trajectories(ending):
    π = rational([["1/3", "2/3"], ["1/2", "1/2"], ["1/4", "3/4"], ["2/5", "3/5"], [1, 0]])
    v, λ = rational([1, -1, "1/2", 2, 0]), rational_number("2/3")
    δ, κ = td_errors(ending, v), ending.discount * λ
    for s, a in product((0, 1), (0, 1)):
        moments = [0, 0]
        for t, b in product((2, 3), (0, 1)):
            chance, estimate = ending.P[s, a, t] * π[t, b], δ[s, a, t] + κ * δ[t, b, 4]
            moments = [m + chance * estimate ** (n + 1) for n, m in enumerate(moments)]
        assert gae_mean(ending, π, v, λ)[s, a] == moments[0]
        assert gae_second_moment(ending, π, v, λ)[s, a] == moments[1]


def test_without_a_trace_the_estimate_is_a_temporal_difference():
    mdp = two_by_two()
    π, v = rational([["1/3", "2/3"], ["1/2", "1/2"]]), rational([1, 2])
    assert (gae_mean(mdp, π, v, rational_number(0)) == mdp.action_values(v) - v[:, None]).all()
    assert (gae_mean(mdp, π, v, rational_number(1)) == action_values(mdp, π) - v[:, None]).all()
