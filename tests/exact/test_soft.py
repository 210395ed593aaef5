"""Soft values, gradients, optima and gaps against differences in balls, a fixed point found otherwise, and by hand."""

from itertools import pairwise

import array_api_strict
import numpy as np
import pytest
from scipy.special import logsumexp

from mdplab.arrays import ball, exp, floats, log, log_softmax, precision, rational
from mdplab.exact import (
    entropy,
    optimum,
    soft_action_values,
    soft_advantages,
    soft_gap,
    soft_gradient,
    soft_optimum,
    soft_values,
    values,
)
from mdplab.models import DiscountedMDP, bandit

H = rational(2.0**-60)[()]
τ = rational("1/2")[()]


def radius(x):
    return max(float(ball(y).rad()) for y in np.asarray(x, dtype=object).flat)


def test_soft_values_are_values_for_rewards_with_the_entropy_added(draw, logits, wide_balls):
    mdp = draw(0).exact()
    log_π = log_softmax(rational(logits(1, mdp)))
    π = exp(log_π)
    bonus = DiscountedMDP(mdp.P, mdp.r - τ * log_π, mdp.discount, mdp.start)
    difference = soft_values(mdp, log_π, τ) - values(bonus, π)
    assert all(x.contains(0) for x in difference)
    assert radius(difference) < 1e-100
    assert (mdp.start * difference).sum().contains(0)


def test_a_uniform_policy_gains_log_A_a_step(draw):
    """With r = 0 and π uniform over 3 actions: Ṽ = τ log 3 / (1 − γ) and the entropy is log 3 / (1 − γ), γ = 7/8."""
    mdp = draw(1)
    mdp = DiscountedMDP(mdp.P, 0 * mdp.r, mdp.discount, mdp.start)
    log_π = np.full((4, 3), -np.log(3))
    # A solve of condition number 15 and size 4: 6 S u · 15 · 8 log 3.
    assert abs(soft_values(mdp, log_π, 0.5) - 4 * np.log(3)).max() <= 4e-13
    assert abs(entropy(mdp, log_π) - 8 * np.log(3)) <= 4e-13


def test_entropy_is_what_the_soft_value_adds(draw, logits, wide_balls):
    mdp = draw(2).exact()
    log_π = log_softmax(rational(logits(1, mdp)))
    added = (mdp.start * (soft_values(mdp, log_π, τ) - values(mdp, exp(log_π)))).sum()
    assert (added - τ * entropy(mdp, log_π)).contains(0)
    assert radius(added) < 1e-100


def test_soft_gradient_is_the_derivative_by_logits(draw, logits, wide_balls):
    """Central differences err by h² / 6 of a third derivative, as for the plain gradient: below 1e-29 with entropy."""
    mdp = draw(3).exact()
    θ = rational(logits(1, mdp))
    g = soft_gradient(mdp, log_softmax(θ), τ)
    for i in np.ndindex(4, 3):
        step = rational(np.zeros((4, 3)))
        step[i] = H
        up, down = (soft_values(mdp, log_softmax(θ + sign * step), τ) for sign in (1, -1))
        assert abs(floats(g[i] - (mdp.start * (up - down)).sum() / (2 * H))) <= 1e-29


def test_the_worked_instance():
    """γ = 9/10, τ = 1/2: the gap is 1.39784, and its own value by subtraction."""
    P = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.0, 1.0]]])
    mdp = DiscountedMDP(P, np.array([[1, 0], [0.3, 0.7]]), 0.9, np.array([0.6, 0.4]))
    log_π, best = log_softmax(np.array([[0.2, -0.4], [1.0, 0.0]])), soft_optimum(mdp, 0.5)
    assert abs(soft_gap(mdp, log_π, 0.5, best) - 1.39784) <= 0.5e-5


def test_soft_advantages_have_mean_zero_and_vanish_at_the_optimum(draw, logits):
    mdp = draw(4, (5,))
    log_π = log_softmax(logits(1, mdp))
    A = soft_advantages(mdp, log_π, 0.3)
    assert abs((np.exp(log_π) * A).sum(axis=-1)).max() <= 1e-14  # three terms of size a few
    difference = soft_action_values(mdp, log_π, 0.3) - 0.3 * log_π - soft_values(mdp, log_π, 0.3)[..., None]
    assert abs(A - difference).max() <= 1e-13
    best = soft_optimum(mdp, 0.3)
    assert abs(soft_advantages(mdp, best.log_π, 0.3)).max() <= 1e-12  # 15 · 6 S u · 9 from the solve


def test_an_action_never_taken_adds_no_entropy(draw):
    mdp = draw(5)
    with np.errstate(divide="ignore"):
        log_π = np.log(np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.5, 0.5]])[[0, 1, 2, 2]])
    assert (soft_values(mdp, log_π, 0.5) == values(mdp, np.exp(log_π))).all()
    assert entropy(mdp, log_π) == 0


@pytest.mark.parametrize("τ", [1e-3, 0.1, 1.0, 100.0])
def test_float_soft_optima_are_enclosed_and_solve_the_soft_bellman_equation(draw, τ):
    """The other road is value iteration with SciPy's logsumexp; its last iterate is off by γ^n · 800 / (1 − γ)."""
    mdp = draw(6, (4,), S=6, discount=np.array([0.0, 0.5, 0.875, 0.9375]))
    best = soft_optimum(mdp, τ)
    v = np.zeros((4, 6))
    for _ in range(900):
        v = τ * logsumexp(mdp.action_values(v) / τ, axis=-1)
    slack = 2 * (best.high - best.low).max()  # both rest where rounding, which the width counts, ends progress
    assert abs(best.v - v).max() <= slack
    assert slack <= 1e-9 * max(1, τ)
    assert (best.low <= best.v).all()
    assert (best.v <= best.high).all()
    enclosed = soft_optimum(mdp.exact(), τ)
    for low, v, high in zip(best.low.flat, enclosed.v.flat, best.high.flat, strict=True):
        assert low <= v <= high


@pytest.mark.parametrize("bits", [53, 120, 300])
def test_exact_soft_optima_are_thin_balls_that_satisfy_their_equation(draw, bits):
    before = precision(), precision(bits)
    try:
        mdp = draw(7, (2,)).exact()
        best = soft_optimum(mdp, τ)
        assert radius(best.v) <= 2.0 ** (12 - bits)
        backed_up = τ * log(exp(mdp.action_values(best.v) / τ).sum(axis=-1))
        assert all(x.overlaps(y) for x, y in zip(backed_up.flat, best.v.flat, strict=True))
        # T maps low upwards and high downwards, so the optimum lies between: decided in twice the precision.
        precision(2 * bits)
        rises = τ * log(exp(mdp.action_values(best.low) / τ).sum(axis=-1)) - best.low
        falls = best.high - τ * log(exp(mdp.action_values(best.high) / τ).sum(axis=-1))
        assert all(x >= 0 for x in rises.flat)
        assert all(x >= 0 for x in falls.flat)
    finally:
        precision(before[0])


def test_soft_values_of_arms_have_a_closed_form():
    """V = τ log Σ exp(r / τ) and π ∝ exp(r / τ)."""
    r = np.array([0.25, 0.5, 1.0])
    best = soft_optimum(bandit(r), 0.25)
    assert abs(best.v[0] - 0.25 * logsumexp(4 * r)) <= 1e-15
    assert abs(best.log_π[0] - (4 * r - logsumexp(4 * r))).max() <= 2e-15


def test_small_temperatures_approach_the_optimum(draw):
    """0 <= Ṽ* − V* <= τ log A / (1 − γ)."""
    mdp = draw(8, (3,)).exact()
    for τ in (rational("1/10")[()], rational("1/1000")[()]):
        added = soft_optimum(mdp, τ).v - optimum(mdp).v
        assert all(-1e-12 <= float(x) <= float(τ) * np.log(3) * 8 for x in added.flat)


def test_soft_gaps_are_differences_of_soft_values(draw, logits, wide_balls):
    mdp = draw(9, (2,)).exact()
    log_π, best = log_softmax(rational(logits(1, mdp))), soft_optimum(mdp, τ)
    difference = (mdp.start * (best.v - soft_values(mdp, log_π, τ))).sum(axis=-1)
    gap = soft_gap(mdp, log_π, τ, best)
    assert all(x.overlaps(y) for x, y in zip(gap, difference, strict=True))
    assert radius(gap) < 1e-100
    assert radius(difference) < 1e-100


def test_small_soft_gaps_are_accurate_relative_to_the_accuracy_of_the_optimum(draw, logits, wide_balls):
    """A gap of order ε² is compared with balls; π*_τ in float64 is off by δ = 1e-13 in its logs, the gap by 2 δ / ε."""
    mdp = draw(10)
    best, true = soft_optimum(mdp, 0.5), soft_optimum(mdp.exact(), τ)
    direction = logits(1, mdp)
    gaps = []
    for ε in (1e-1, 1e-2, 1e-4, 1e-6):
        log_π = log_softmax(best.q / 0.5 + ε * direction)
        exact = soft_gap(mdp.exact(), log_softmax(rational(best.q / 0.5 + ε * direction)), τ, true)
        gaps.append(soft_gap(mdp, log_π, 0.5, best))
        assert abs(gaps[-1] / float(exact) - 1) <= 1e-12 + 4e-13 / ε
    assert all(x > y > 0 for x, y in pairwise(gaps))


def test_a_soft_gap_is_never_negative(draw, logits):
    mdp = draw(11, (200,))
    best = soft_optimum(mdp, 0.2)
    for scale in (0.0, 1e-9, 1.0, 1e3):
        assert (soft_gap(mdp, log_softmax(best.q / 0.2 + logits(1, mdp, scale)), 0.2, best) >= 0).all()


def test_each_model_may_have_its_temperature(draw, logits):
    mdp, temperatures = draw(12, (3,)), np.array([0.1, 1.0, 10.0])
    log_π, best = log_softmax(logits(1, mdp)), soft_optimum(mdp, temperatures)
    gaps = soft_gap(mdp, log_π, temperatures, best)
    g = soft_gradient(mdp, log_π, temperatures)
    for i, τ in enumerate(temperatures):
        alone = soft_optimum(mdp[i], τ)
        # Values of up to 100 from solves of condition number 15: 6 S u · 15 · 100.
        assert abs(alone.v - best.v[i]).max() <= 4e-12
        assert abs(soft_gap(mdp[i], log_π[i], τ, alone) / gaps[i] - 1) <= 1e-11
        assert abs(soft_gradient(mdp[i], log_π[i], τ) - g[i]).max() <= 4e-12


def test_any_array_namespace_will_do(draw, logits):
    mdp = draw(13, (3,))
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    log_π = log_softmax(logits(1, mdp))
    x, best = array_api_strict.asarray(log_π), soft_optimum(strict, 0.3)
    assert abs(np.asarray(best.v) - soft_optimum(mdp, 0.3).v).max() <= 1e-12
    gaps = soft_gap(mdp, log_π, 0.3, soft_optimum(mdp, 0.3))
    assert abs(np.asarray(soft_gap(strict, x, 0.3, best)) - gaps).max() <= 1e-12
    assert abs(np.asarray(soft_gradient(strict, x, 0.3)) - soft_gradient(mdp, log_π, 0.3)).max() <= 1e-12
    assert abs(np.asarray(entropy(strict, x)) - entropy(mdp, log_π)).max() <= 1e-12
