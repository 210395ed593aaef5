"""What the engine cannot know about theorems/tsallis2023.py: the numbers of the worked cases."""

import numpy as np
import pytest

from mdplab.arrays import rational_number
from mdplab.exact import gap, optimum
from mdplab.instances import families
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
