"""Exact gradients against differences of values in balls, and by hand."""

import array_api_strict
import numpy as np
import pytest

from mdplab.arrays import floats, rational, softmax
from mdplab.exact import direct_gradient, softmax_gradient, values
from mdplab.models import DiscountedMDP, bandit

H = rational(2.0**-60)[()]

# A central difference with step h errs by h² / 6 times the third derivative.  With γ = 7/8 and rewards in [0, 1] one
# logit's third derivative is below 6 · 2³ / (1 − γ)⁴ < 2e5 (each derivative of P_π is at most 2^k in the row norm),
# so the error is below 2^-120 · 2e5 < 1e-30; one free probability's is below 3! · γ³ / (1 − γ)⁴, smaller still.
SLACK = 1e-30


def differences(f, x):
    out = np.empty(x.shape, dtype=object)
    for i in np.ndindex(x.shape):
        step = rational(np.zeros(x.shape))
        step[i] = H
        out[i] = (f(x + step) - f(x - step)) / (2 * H)
    return out


@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_softmax_gradient_is_the_derivative_by_logits(draw, logits, wide_balls, scale):
    mdp = draw(0).exact()
    θ = rational(logits(1, mdp, scale))
    expected = differences(lambda θ: (mdp.start * values(mdp, softmax(θ))).sum(), θ)
    assert abs(floats(softmax_gradient(mdp, softmax(θ)) - expected)).max() <= SLACK


def test_direct_gradient_is_the_derivative_by_free_probabilities(draw, wide_balls):
    mdp = draw(2).exact()
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=4)) / 8
    expected = differences(lambda π: (mdp.start * values(mdp, π)).sum(), π)
    assert abs(floats(direct_gradient(mdp, π) - expected)).max() <= SLACK


def test_another_start_may_be_given(draw, wide_balls):
    mdp = draw(4).exact()
    θ, start = rational(np.arange(12).reshape(4, 3) % 5) / 4, rational([0, 0, 1, 0])
    expected = differences(lambda θ: values(mdp, softmax(θ))[2], θ)
    assert abs(floats(softmax_gradient(mdp, softmax(θ), start) - expected)).max() <= SLACK


def test_the_worked_instance():
    """γ = 9/10, μ = (3/5, 2/5), θ = (1/5, −2/5; 1, 0): ±1.44131 in the first state and ∓0.23922 in the second."""
    P = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.0, 1.0]]])
    mdp = DiscountedMDP(P, np.array([[1, 0], [0.3, 0.7]]), 0.9, np.array([0.6, 0.4]))
    g = softmax_gradient(mdp, softmax(np.array([[0.2, -0.4], [1.0, 0.0]])))
    assert abs(g - [[1.44131, -1.44131], [-0.23922, 0.23922]]).max() <= 0.5e-5


def test_two_arms_by_hand():
    """π = (1/2, 1/2), r = (1, 0): the gradient is π (r − 1/2) = (1/4, −1/4)."""
    arms = bandit(rational([1, 0]))
    assert (softmax_gradient(arms, rational([["1/2", "1/2"]])) == rational([["1/4", "-1/4"]])).all()


def test_logit_gradients_of_a_state_sum_to_zero(draw):
    mdp = draw(5, (2, 3)).exact()
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=(2, 3, 4))) / 8
    assert (softmax_gradient(mdp, π).sum(axis=-1) == 0).all()


def test_batches_and_any_array_namespace(draw, logits):
    mdp = draw(6, (2, 3))
    π = softmax(logits(0, mdp))
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    for gradient in (softmax_gradient, direct_gradient):
        g = gradient(mdp, π)
        # Values of at most 8 and condition number 15: 6 S u · 15 · 64 / 8 < 1e-13 for either order of operations.
        assert abs(np.asarray(gradient(strict, array_api_strict.asarray(π))) - g).max() <= 1e-13
        for i in np.ndindex(2, 3):
            assert abs(gradient(mdp[i], π[i]) - g[i]).max() <= 1e-13
