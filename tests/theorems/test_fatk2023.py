"""What the engine cannot know about theorems/fatk2023.py: cases by hand, constants of the circle, a simulation."""

import math
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, number, precision, rational, rational_number, softmax, total
from mdplab.instances import circle_logits, circle_scores, two_by_two
from mdplab.models import bandit
from mdplab.sampling import Draws, gpomdp, hessian_vector, rollouts
from theorems import fatk2023 as paper


def first(measure):
    return {q.name: x for q, x in next(iter(measure)).items()}


def test_the_variance_bound_is_attained_by_two_arms_that_pay_alike():
    """π = 1/2, γ = 0, r = 1: g = e_a − π, ‖g‖² = 1/2 for both arms, and the bound is 1 − 1/2."""
    binding, smaller, larger = next(iter(paper.variance.trace(**paper.always_paid(0))))
    assert binding[paper.A] == 2
    assert (abs(floats(smaller) - 0.5) <= 1e-15).all()
    assert abs(number(larger) - 0.5) <= 1e-15


def test_the_value_of_two_arms_bends_by_four_over_six_root_three():
    """J = tanh(x / 2) with x = θ_1 − θ_2; along u = (1, −1)/√2 its second derivative is 2 J''(x), up to 0.3849."""
    binding = first(
        paper.smooth_general.measure(bandit(np.array([1.0, -1.0])), np.array([[1.3, 0]]), np.array([[1, -1.0]]))
    )
    tanh = math.tanh(0.65)
    assert math.isclose(binding[paper.bend.name], 4 * (-tanh * (1 - tanh**2) / 2), rel_tol=1e-12)
    assert abs(binding[paper.bend.name]) / 2 == pytest.approx(4 / (6 * 3**0.5), abs=1e-3)


def test_one_update_of_momentum_by_hand():
    """One arm pays 1, the other nothing, π = 1/2, H = 1: g = (1/2, −1/2) or 0, so Var g = 1/8 and ∇J = (1/4, −1/4).

    Without a step and from d = 0 with η = 1/2: e = g/2 − ∇J, whose mean square is (1/2)² 1/8 + ‖∇J/2‖² = 1/16.
    """
    zero = rational([[0, 0]])
    got = first(paper.igt_error.measure(bandit(rational([1, 0])), zero, zero, zero, rational_number("1/2"), horizon=1))
    assert number(got[paper.square.name]) == pytest.approx(1 / 16, abs=1e-15)
    assert number(got[paper.var_ahead.name]) == pytest.approx(1 / 8, abs=1e-15)
    assert number(got[paper.advanced.name]) == pytest.approx(1 / 32, abs=1e-15)


def test_a_sequence_by_hand():
    """τ = 3, β = 0: r_T = 2 / ((T + 1)(T + 2)) against 4 / (T + 2)²."""
    for T, (_, r, bound) in enumerate(
        islice(
            paper.lemma_12.trace(**{x: rational_number(n) for x, n in (("start", 1), ("added", 0), ("offset", 3))}), 9
        )
    ):
        assert (r, bound) == (rational_number(2) / ((T + 1) * (T + 2)), rational_number(4) / (T + 2) ** 2)


@pytest.fixture
def enough_digits():
    before = precision(80)
    yield
    precision(before)


@pytest.mark.usefixtures("enough_digits")
def test_the_constants_of_the_circle_hold_for_all_of_it():
    """Covered by arcs, on each of which a function is its value in the middle and its slope on the arc, in balls."""
    from flint import arb

    least, longest, most, bent = (arb(x.p) / x.q for x in (paper.I_MIN, paper.M_MAX, paper.I_MAX, paper.H_MAX))
    for i in range(ARCS):
        middle, arc = derivatives(arb(2 * i + 1) * arb.pi() / ARCS), derivatives(arb(2 * i + 1, 1) * arb.pi() / ARCS)
        half = arb(0, 1) * arb.pi() / ARCS
        information = middle["I"] + arc["dI"] * half
        assert information.lower() >= least
        assert information.upper() <= most
        for score, turning, slope in zip(
            middle["score"], middle["second"], zip(arc["second"], arc["third"], strict=True), strict=True
        ):
            assert abs(score + slope[0] * half).upper() <= longest
            assert abs(turning + slope[1] * half).upper() <= bent


ARCS = 1000


def derivatives(angle):
    """Scores s = ∂ log π and their two derivatives, information I = Σ π s² and its derivative, at an angle."""
    points = np.array([[angle.cos(), angle.sin()]], dtype=object)
    π, s = softmax(circle_logits(points))[0], circle_scores(points)[0]
    θ, θ1 = circle_logits(points)[0], np.array([-points[0, 1], points[0, 0], 0 * points[0, 0]], dtype=object)
    information = total(π * s * s)
    second = total(π * θ) - θ - information  # θ'' = −θ on the circle, and ∂π = π s
    dI = total(π * s * s * s) + 2 * total(π * s * second)
    third = total(π * s * θ) + total(π * θ1) - θ1 - dI
    return {"score": s, "second": second, "third": third, "I": information, "dI": dI}


def test_induction_carries_lemma_15_on_from_the_updates_computed():
    """x_T <= C γ_T / η_T goes on to T + 1 if 1/η_T − γ_{T+1}/(γ_T η_{T+1}) <= (C − 1) / C; the left side decreases."""
    T = np.arange(1, 10**6)
    for (p, q), C in paper.PAIRS.items():
        p, q, C = (float(Fraction(str(x))) for x in (p, q, C))
        left = ((T + 2) / 2) ** q - ((T + 2) / (T + 3)) ** p * ((T + 3) / 2) ** q
        assert left[399] <= (C - 1) / C + 1e-12
        assert (np.diff(left[1 : 10**4]) < 0).all() or p == 0


def test_pairs_that_were_saved_and_read_again_are_found():
    """A saved instance holds 0 and "4/5", which are read as rationals."""
    for p, q in paper.PAIRS:
        saved, read = (next(paper.convolution(pq)) for pq in ((p, q), (rational_number(p), rational_number(q))))
        assert saved[paper.C_true] == read[paper.C_true]


def test_theorem_1_says_nothing_for_any_run_that_fits_in_the_universe():
    """Three arms on the circle, γ = 0: transport alone adds 16/3 · 1.18 L_h γ_0³ T^(−2/5), γ_0 = 3 M_g / μ_F = 33."""
    γ_0 = 3 * float(paper.M_MAX / paper.I_MIN)
    coefficient = 16 / 3 * 1.18 * 3.2 * γ_0**3
    assert (coefficient / 2) ** (5 / 2) > 1e13  # updates until the bound falls below the largest gap, 2 r_max
    notes = coefficient * 7e7  # with C(6/5, 4/5) of the notes
    assert (notes / 2) ** (5 / 2) > 1e32


METHODS = {"IGT": 0, "HARPG": 1, "momentum": 2}


@pytest.mark.parametrize("name", METHODS)
def test_simulated_errors_are_those_of_the_recursion(name):
    """4000 replicates on the prescribed path; five standard errors of the mean of ‖e_t‖² at t = 1, 4, 16, 40."""
    mdp, H, updates = two_by_two().floats(), 2, 41
    θ = paper.circling(updates, radius=1.0)
    exact = paper.exact_errors(mdp, θ, H)[METHODS[name]]
    for t, squares in enumerate(paper.simulated_errors(mdp, θ, H, name, Draws(seed=7, replicate=np.arange(4000)))):
        if t in (1, 4, 16, 40):
            assert abs(squares.mean() - exact[t]) <= 5 * squares.std() / len(squares) ** 0.5


def test_a_path_that_stands_still_leaves_noise_alone():
    """Without steps IGT, momentum and HARPG with the same shares all keep Σ η² Π (1 − η)² Var g."""
    mdp, θ = two_by_two().floats(), np.zeros((30, 2, 2))
    igt, _, _, momentum = paper.exact_errors(mdp, θ, 3)
    assert np.allclose(igt, momentum, rtol=1e-12)
    π = softmax(θ[0])
    seen = rollouts(mdp, π, 3, Draws(replicate=np.arange(4)))
    assert (hessian_vector(seen, π, θ[0]) == 0).all()
    assert gpomdp(seen, π).shape == (4, 2, 2)
