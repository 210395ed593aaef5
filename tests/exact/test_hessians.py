"""Exact second derivatives against second differences of values in balls."""

import array_api_strict
import numpy as np

from mdplab.arrays import floats, rational, softmax
from mdplab.exact import direct_hessian, softmax_gradient, softmax_hessian, values
from mdplab.models import bandit

H = rational(2.0**-60)[()]

# A mixed second difference with step h errs by h² / 3 times a fourth derivative, here below 4! · 2⁴ / (1 − γ)⁵ < 2e7
# (γ = 7/8): below 2^-120 · 1e7 < 1e-29.  The differences themselves are balls of 400 bits, off by 2^-400 / h² < 1e-80.
SLACK = 1e-29


def second_differences(f, x):
    n = x.size
    steps = H * rational(np.eye(n, dtype=int)).reshape(n, *x.shape)
    out = np.empty((n, n), dtype=object)
    for i in range(n):
        for j in range(i + 1):
            both, apart = steps[i] + steps[j], steps[i] - steps[j]
            out[i, j] = out[j, i] = (f(x + both) - f(x + apart) - f(x - apart) + f(x - both)) / (4 * H * H)
    return out


def test_softmax_hessian_is_the_second_derivative_by_logits(draw, logits, wide_balls):
    mdp = draw(0, S=3).exact()
    θ = rational(logits(1, mdp))
    expected = second_differences(lambda θ: (mdp.start * values(mdp, softmax(θ))).sum(), θ)
    assert abs(floats(softmax_hessian(mdp, softmax(θ)) - expected)).max() <= SLACK


def test_direct_hessian_is_the_second_derivative_by_free_probabilities(draw, wide_balls):
    mdp = draw(1, S=3).exact()
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=3)) / 8
    expected = second_differences(lambda π: (mdp.start * values(mdp, π)).sum(), π)
    assert abs(floats(direct_hessian(mdp, π) - expected)).max() <= SLACK


def test_another_start_may_be_given(draw, logits, wide_balls):
    mdp = draw(2, S=2).exact()
    θ, start = rational(logits(1, mdp)), rational([0, 1])
    expected = second_differences(lambda θ: values(mdp, softmax(θ))[1], θ)
    assert abs(floats(softmax_hessian(mdp, softmax(θ), start) - expected)).max() <= SLACK


def test_two_arms_by_hand():
    """V = π(1) with π = (1/4, 3/4), r = (1, 0): V'' = π(1)(1 − π(1))(1 − 2π(1)) = 3/32, with alternating signs."""
    H = softmax_hessian(bandit(rational([1, 0])), rational([["1/4", "3/4"]]))
    assert (rational([["3/32", "-3/32"], ["-3/32", "3/32"]]) == H).all()


def test_float_hessians_agree_with_exact_ones_in_any_batch_and_namespace(draw, logits):
    mdp = draw(3, (2, 3))
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=(2, 3, 4))) / 8
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    for hessian in (softmax_hessian, direct_hessian):
        exact = hessian(mdp.exact(), π)
        assert exact.shape == (2, 3, 12, 12)
        # Entries of at most 2 / (1 − γ)³ = 1024, from solves of condition number 15 that err by 6 S u · 15 = 4e-14.
        assert abs(hessian(mdp, floats(π)) - floats(exact)).max() <= 4 * 1024 * 4e-14
        assert abs(np.asarray(hessian(strict, array_api_strict.asarray(floats(π)))) - floats(exact)).max() <= 2e-10
        assert (hessian(mdp[1, 2].exact(), π[1, 2]) == exact[1, 2]).all()


def test_hessians_multiply_directions_like_differences_of_gradients(draw, logits, wide_balls):
    mdp = draw(4).exact()
    θ, u = rational(logits(1, mdp)), rational(logits(2, mdp))
    change = softmax_gradient(mdp, softmax(θ + H * u)) - softmax_gradient(mdp, softmax(θ - H * u))
    along = (softmax_hessian(mdp, softmax(θ)) @ u.reshape(-1)).reshape(θ.shape)
    assert abs(floats(along - change / (2 * H))).max() <= 100 * SLACK  # ‖u‖³ < 100
