"""What the engine cannot know about theorems/tsallis2023.py: the numbers of the worked cases."""

import flint
import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import gap, optimum
from mdplab.instances import families, one_state_loop, two_armed_bandit
from mdplab.solvers import munchausen_vi, tsallis_munchausen_vi
from theorems import tsallis2023


def test_the_literal_formula_is_another_policy_and_moves_with_a_constant():
    """μ = (1/2, 1/2), Q = (1, 0), τ = 1, q = 2: (5/8, 3/8); literally (2/3, 1/3), with q τ (3/5, 2/5).

    With 1 added to Q the literal formula says (3/5, 2/5), with 5 added (7/13, 6/13).
    """
    case = tsallis2023.half_half()
    Q, τ, μ = case["Q"], case["temperature"], case["μ"]
    rows = [
        tsallis2023.near(Q, τ, 2, μ)[0],
        tsallis2023.divided(Q, τ, 2, μ)[0],
        tsallis2023.divided_with_index(Q, τ, 2, μ)[0],
        tsallis2023.near(Q + 5, τ, 2, μ)[0],
        tsallis2023.divided(Q + 1, τ, 2, μ)[0],
        tsallis2023.divided(Q + 5, τ, 2, μ)[0],
    ]
    assert [str(π[0, 0]) for π in rows] == ["5/8", "2/3", "3/5", "5/8", "3/5", "7/13"]


def test_what_mvi_q_pays_is_negative_for_the_worked_case():
    """B_2((3/5, 2/5), (9/10, 1/10)) = 3/5 (3/5 − 9/10) + 2/5 (2/5 − 1/10) = −3/50."""
    inputs = tsallis2023.mviq_bregman.instance(tsallis2023.mviq_bregman.named["minus six hundredths"])
    (binding,) = tsallis2023.mviq_bregman(**inputs)
    assert (binding[tsallis2023.B_q] == rational_number("-3/50")).all()


def test_the_other_convention_makes_the_divergence_vanish_at_q_2():
    inputs = tsallis2023.divergence.instance(tsallis2023.divergence.named["two arms"])
    (binding,) = tsallis2023.divergence(**inputs, divergence=tsallis2023.other_convention)
    assert (binding[tsallis2023.D] == 0).all()
    (binding,) = tsallis2023.divergence(**inputs)
    assert (binding[tsallis2023.D] == 1).all()


def test_elementary_symmetric_polynomials_of_one_two_three():
    assert [float(e) for e in tsallis2023.symmetric(np.array([1.0, 2, 3]))] == [6, 11, 6]


def test_mvi_1_is_munchausen_value_iteration():
    mdp = families.garnet(np.random.default_rng(0), 1, S=5, A=3, b=2, discount=0.9)[0]
    ours = tsallis_munchausen_vi(mdp, strength=0.9, temperature=0.1, q=1, at=[30])
    theirs = munchausen_vi(mdp, strength=0.9, temperature=0.1, at=[30])
    assert np.abs(next(ours).Q - next(theirs).q).max() < 1e-12


@pytest.mark.parametrize(("q", "averages"), [(1, True), (2, False)])
def test_noise_is_averaged_at_q_1_and_not_at_q_2(q, averages):
    """Garnet(8, 4, 3), γ = .95, α = .9, τ = .03, noise of .3: another program has losses .0045 and .058 a step."""
    losses = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        mdp = families.garnet(rng, 1, S=8, A=4, b=3, discount=0.95)[0]
        noise = (rng.uniform(-0.3, 0.3, (8, 4)) for _ in range(301))
        last = next(tsallis_munchausen_vi(mdp, strength=0.9, temperature=0.03, q=q, errors=noise, at=[300]))
        losses.append(0.05 * float(gap(mdp, last.π, optimum(mdp))))
    assert (np.mean(losses) < 0.012) if averages else (np.mean(losses) > 0.012)


def number(x):
    return rational_number(x)


def test_greedy_values_by_hand():
    """Entropy: (3/4, 1/4) has 3/4 + 3/8.  Divergence: (5/8, 3/8) has 5/8 − (2 · 34/64 − 1) = 9/16."""
    (b,) = tsallis2023.greedy_E(**tsallis2023.two_arms_entropy())
    assert b[tsallis2023.best_value][0] == b[tsallis2023.other_value][0] == number("9/8")
    (b,) = tsallis2023.greedy_KL(**tsallis2023.half_half())
    assert b[tsallis2023.best_near][0] == number("9/16")
    assert (b[tsallis2023.q_exponential] == rational([["5/8", "3/8"]])).all()
    inputs = tsallis2023.greedy_literal.instance(tsallis2023.greedy_literal.named["half and half"])
    ((_, exact, literal),) = tsallis2023.greedy_literal.trace(**inputs)
    assert (exact[0, 0], literal[0, 0]) == (number("5/8"), number("2/3"))


def test_the_distance_to_the_limit_by_hand():
    """μ = (1/2, 1/2), Q = (1, 0), τ = 1: 5/8 for q = 2, e/(1 + e) for q = 1."""
    first = next(tsallis2023.limit1(None, np.array([[1.0, 0.0]]), 1.0, np.full((1, 2), 0.5)))
    assert first[tsallis2023.n] == 1
    assert first[tsallis2023.far] == pytest.approx(np.e / (1 + np.e) - 5 / 8, rel=1e-12)


def test_products_by_hand():
    """q = 2, ln x = x − 1: ln 6 = 1 + 2 + 1 · 2.  exp x = 1 + x: 1.65 · .85 = 1 + .5 − .65 · .15 = 1.4025."""
    ((_, left, right),) = tsallis2023.product.trace(one_state_loop(), number(2), number(3), number(2))
    assert left == right == 5
    π = rational([["9/10", "1/10"]])
    (b,) = tsallis2023.product_of_exponentials(two_armed_bandit(), π, number(2))
    assert b[tsallis2023.of_exponentials][0] == b[tsallis2023.of_sums][0] == number("14025/10000")
    assert b[tsallis2023.power_and_products][0].overlaps(flint.arb(14025) / 10000)


def test_a_first_step_of_mvi_q_by_hand():
    """γ = 0: without its bonus the first backup is the reward; from Q = 0 the first policy is uniform and pays nothing.

    Uniform to uniform, B_2 = 0 and S_2 = 1/2, so the bracket is (1 − α) τ / 2 = 1/8.
    """
    half, zero = number("1/2"), rational([[0, 0]])
    b = next(tsallis2023.mviq_reparam(two_armed_bandit(), zero, half, half, number(2), rational([["1/2", "1/2"]])))
    assert (b[tsallis2023.Q_next] == two_armed_bandit().r).all()
    assert (b[tsallis2023.backup] == two_armed_bandit().r).all()


def test_value_iteration_with_entropy_by_hand():
    """One state, two equal actions of reward 1, τ = 1, q = 2: S_max = 1/2, so (1 + 1/2) / (1 − γ) = 15 for 10."""
    (b,) = tsallis2023.regvi_bias(**tsallis2023.equal_rewards())
    assert b[tsallis2023.value][0] == 10
    assert flint.arb(b[tsallis2023.regularised][0]).overlaps(flint.arb(15))
    loop = {"mdp": one_state_loop(), "v": rational([1]), "w": rational([0])}
    ((_, backed_up, bound),) = tsallis2023.regvi_contraction.trace(**loop, temperature=number(1), index=number(2))
    assert backed_up == bound == number("9/10")


def test_the_bound_on_the_loss_by_hand():
    """q = 3/2: S_max = (1 − 2^(−1/2)) / (1/2) = 2 − √2, times τ / (1 − γ) = 15."""
    ((_, loss, bound),) = tsallis2023.regvi_policy.trace(**tsallis2023.one_better_action())
    assert bound.overlaps(15 * (2 - flint.arb(2).sqrt()))
    assert 0 < loss < 5  # of the 10 between the actions, less than an even choice loses
