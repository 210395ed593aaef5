"""What the engine cannot know about theorems/akm2021.py: numbers by hand, and the errata seen once more."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, rational, softmax
from mdplab.exact import gap, natural_gradient, optimum, softmax_gradient
from mdplab.instances import two_armed_bandit, two_by_two, two_by_two_logits
from mdplab.models import bandit
from mdplab.solvers import log_barrier_pg, natural_pg
from theorems import akm2021


def one(measure, *inputs, **slots):
    """The only binding of a measure without an index."""
    (binding,) = measure(*inputs, **slots)
    return binding


def test_the_performance_difference_of_two_by_two_has_the_numbers_of_an_independent_computation():
    """π = softmax(θ), π' = softmax((−1, 1), (0, 2)), ρ = μ: +0.4410 with the visits of π', −2.5721 with those of π.

    These were computed by another program; the sign tells old and new visits apart.
    """
    mdp = two_by_two().floats()
    old, new = softmax(floats(two_by_two_logits())), softmax(np.array([[-1.0, 1.0], [0.0, 2.0]]))
    binding = one(akm2021.pdl, mdp, old, new, mdp.start)
    wrong = binding[akm2021.under_old_visits] / (1 - mdp.discount)
    assert (round(float(binding[akm2021.gain]), 4), round(float(wrong), 4)) == (0.4410, -2.5721)


def test_the_performance_difference_of_one_state_by_hand():
    """γ = 0, r = (1, 0): from (1/4, 3/4) to (1/2, 1/2) the value rises by 1/4, the mean of the
    advantages 3/4 and −1/4.
    """
    binding = one(
        akm2021.pdl, two_armed_bandit(), rational([["1/4", "3/4"]]), rational([["1/2", "1/2"]]), rational([1])
    )
    assert binding[akm2021.gain] == binding[akm2021.expected_advantage] == rational("1/4")[()]


def test_the_natural_gradient_of_two_arms_by_hand():
    """π = (1/4, 3/4): advantages (3/4, −1/4), centred (1/2, −1/2); F = 3/16 ((1, −1), (−1, 1)), ∇V = 3/16 (1, −1)."""
    binding = one(akm2021.npg_fisher, two_armed_bandit(), rational([["1/4", "3/4"]]))
    half = rational("1/2")[()]
    assert (binding[akm2021.natural] == [[half, -half]]).all()
    assert (binding[akm2021.gradient] == rational([["3/16", "-3/16"]])).all()
    assert (binding[akm2021.through_fisher] == binding[akm2021.gradient]).all()


def test_the_natural_gradient_solves_the_least_squares_problem_of_compatible_approximation():
    """min_w E (w·∇log π − A)² is solved by NumPy's least squares: its solution is the natural gradient times 1 − γ."""
    mdp = two_by_two().floats()
    π = softmax(floats(two_by_two_logits()))
    from mdplab.exact import advantages, occupancy

    weight = np.sqrt(occupancy(mdp, π)[:, None] * π).reshape(-1)
    score = np.zeros((4, 4))
    for s in range(2):
        score[2 * s : 2 * s + 2, 2 * s : 2 * s + 2] = np.eye(2) - π[s]
    w, *_ = np.linalg.lstsq(weight[:, None] * score, weight * advantages(mdp, π).reshape(-1), rcond=None)
    w = w.reshape(2, 2)
    expected = natural_gradient(mdp, π) * (1 - mdp.discount)
    centre = lambda x: x - x.mean(axis=1, keepdims=True)  # noqa: E731
    # Condition number of a 4 by 4 problem with weights above 0.1: far below 1e4, times 2e-16.
    assert np.abs(centre(w) - centre(expected)).max() < 1e-11


def test_gradient_domination_of_two_arms_is_an_equality_and_fails_for_the_softmax_gradient():
    """π = (1/100, 99/100): loss 99/100 = slope; the softmax gradient is 99/10000 (1, −1), a hundred times shorter."""
    binding = one(akm2021.lem4_1, **akm2021._greedy_trap(), ρ=rational([1]))
    assert binding[akm2021.loss] == binding[akm2021.slope] == rational("99/100")[()]
    assert float(binding[akm2021.softmax_norm].mid()) == pytest.approx(99e-4 * np.sqrt(2))


def test_theorem_4_1_as_printed_fails_before_the_first_step_and_not_after_it():
    """One state, γ = 1/1000, the bad arm: gap 1/(1 − γ), bound √(64 · 2 γ / (1 − γ)⁶) < 0.36.

    One step reaches the top.
    """
    inputs = akm2021._nearly_linear() | {"ρ": rational([1])}
    first = next(akm2021.thm4_1(**inputs))
    assert first[akm2021.T] == 1
    assert float(first[akm2021.best_before].mid()) == pytest.approx(1 / 0.999)
    assert not next(akm2021.thm4_1_corrected(**inputs))[akm2021.best_so_far] > 0


def test_corollary_5_1_needs_a_start_near_the_uniform_policy():
    """Two arms, ε = 1/2, λ = 1/4: 320 · 4 / ε² = 5120 steps; from θ = (0, 10⁴) not one of them gets anywhere.

    A step moves the logits by less than one, so ten thousand apart they stay thousands apart for 5120 steps.
    """
    mdp = two_armed_bandit().floats()
    best, λ = optimum(mdp), 0.25
    for step_size in (1 / (2 * λ), 1 / (8 + 2 * λ)):  # with the printed 8γ, and with 8
        runs = log_barrier_pg(mdp, np.array([[0.0, 1e4]]), strength=λ, step_size=step_size)
        assert min(float(gap(mdp, it.π, best)) for it in islice(runs, 5120)) > 0.999


def test_the_printed_smoothness_of_the_barrier_is_too_small_for_bandits():
    """β_λ = 8γ/(1 − γ)³ + 2λ/S is 2λ at γ = 0, but V alone curves by 1/(3√3).

    Slope of V = σ(x), x the difference of the logits, about π = (0.789, 0.211), where σ'' = −1/(6√3); a unit step along
    (1, −1)/√2 moves x by √2.
    """
    h, x = 1e-3, np.log(0.788675 / 0.211325)
    mdp, e = bandit(np.array([1.0, 0.0])), np.array([[1.0, -1.0]]) / np.sqrt(2)

    def slope(y):
        θ = np.array([[x / 2, -x / 2]]) + y * e
        return float((softmax_gradient(mdp, softmax(θ)) * e).sum())

    curvature = abs(slope(h) - slope(-h)) / (2 * h)
    assert curvature == pytest.approx(1 / (3 * np.sqrt(3)), rel=1e-4)  # error h² times third derivatives below 1
    assert curvature > 2 * 0.01  # already with λ = 1/100


def test_the_barrier_policy_of_two_arms_is_stationary_by_hand():
    """π = (99/100, 1/100), λ = 99/4900: π₁π₂ + λ(1/2 − π₁) = 99/10000 − 99/4900 · 49/100 = 0; gap 1/100."""
    inputs = akm2021._two_arms_at_barrier() | {"ρ": rational([1])}
    binding = one(akm2021.thm5_2_sharp, **inputs)
    assert binding[akm2021.steepest].contains(0)
    assert float(binding[akm2021.barrier_loss].mid()) == pytest.approx(0.01)
    assert 1 - 0.0102 < 0.01 / (99 / 4900 / 2) < 1  # the sharpened bound is λ / 2


def test_natural_policy_gradient_of_two_arms_by_hand():
    """r = (1, 0), γ = 0: after T updates the logits differ by ηT, so the gap is 1 / (1 + e^{ηT})."""
    mdp, η = two_armed_bandit().floats(), 0.3
    best = optimum(mdp)
    for it in islice(natural_pg(mdp, step_size=η), 50):
        # Ten roundings an update, and e^x turns an absolute error of x into a relative one.
        assert float(gap(mdp, it.π, best)) == pytest.approx(1 / (1 + np.exp(η * it.k)), rel=1e-13)
    trace = list(akm2021.thm5_3.trace(mdp, np.float64(η), np.ones(1), up_to=3))
    assert [b[akm2021.T] for b, _, _ in trace] == [1, 2, 3]
    assert float(trace[0][2]) == pytest.approx(np.log(2) / η + 1)
