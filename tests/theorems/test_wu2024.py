"""What the engine cannot know about theorems/wu2024.py: which steps settle, and the bound on rounds where it is met."""

import numpy as np
import pytest
from sympy import Rational

from mdplab.arrays import rational, rational_number
from mdplab.instances import opposed_arms, paradox
from theorems import wu2024 as paper


def test_the_two_conditions_are_stability():
    """Spectral radius below one against κ > η_λ and aκ/2 < 4 + aη_λ/4, off the boundary, on 3000 random steps."""
    rng = np.random.default_rng(0)
    step, multiplier_step, κ = 10 ** rng.uniform([[-1], [-1], [-1]], [[2], [1], [1]], (3, 3000))
    a = 0.1 * step
    radius = np.array([abs(np.linalg.eigvals(paper.matrix(*x))).max() for x in zip(a, multiplier_step, κ, strict=True)])
    met = paper.conditions.met_by(
        {"mdp": paradox().floats(), "step": step, "multiplier_step": multiplier_step, "conservatism": κ}
    )
    decided = abs(radius - 1) > 1e-9
    assert decided.mean() > 0.99
    assert ((radius < 1) == met)[decided].all()


@pytest.mark.parametrize(
    ("steps", "settles"),
    [
        ((1, 1, 0), False),
        ((1, 1, 0.5), False),
        ((1, 1, 0.9), False),
        ((1, 1, 1.1), True),
        ((1, 1, 2), True),
        ((1, 1, 10), True),
        ((1, 0.1, 0.05), False),
        ((1, 0.1, 0.2), True),
        ((10, 1, 3), True),
        ((100, 1, 5), False),
    ],
)
def test_steps_that_were_seen_to_settle_do_so_and_others_do_not(steps, settles):
    """After 8000 steps; those that settle contract by 0.99876 or faster, 0.99876^8000 = 5e-5."""
    run = paper.convexify.bindings(
        {"mdp": paradox().floats(), **dict(zip(("step", "multiplier_step", "conservatism"), steps, strict=True))}, 8000
    )
    late = [x[paper.away] for x in run][-500:]
    assert max(late) < 1e-3 if settles else max(late) > 0.5


def test_the_number_of_rounds_is_attained():
    """Two opposed arms, κ = 1/4, least slack 1/2: eight rounds of an eighth, and the bound is eight."""
    inputs = {"mdp": opposed_arms(), "multiplier": rational_number(0), "penalty": rational_number("1/4")}
    found = [(x[paper.k], x[paper.unsolved]) for x in paper.alm.bindings(inputs, 9)]
    assert found == [(n, int(n < 8)) for n in range(10)]


def test_noise_and_greed_by_hand():
    """Opposed arms at λ = 1: Q_r − Q_c is ±1, and noise of 3/10 on each never changes the choice."""
    binding = next(paper.underestimate.bindings({"mdp": opposed_arms(), "multiplier": rational_number(1)}))
    assert binding[paper.believed] == binding[paper.paid] == 0
    assert binding[paper.hoped] == binding[paper.earned] == 1


def test_the_bound_of_four_critics_by_hand():
    """Q_c = 0 for the first of two arms; critics 0, −1, −1, −1: mean −3/4, σ = 1/2, and −3/4 + 3/2 · 1/2 = 0."""
    (b,) = paper.ucb(**paper.one_critic_right(), π=rational([["1/2", "1/2"]]))
    assert b[paper.Q_true].tolist() == [[0, -1]]  # the cost is minus the utility
    assert all(x.overlaps(type(x)(y)) for x, y in zip(b[paper.Q_ucb][0], (0, -1), strict=True))
    (low,) = paper.ucb(**paper.one_critic_right(), π=rational([["1/2", "1/2"]]), scale=Rational(1, 3))
    assert all(x < y for x, y in zip(low[paper.Q_ucb][0], (0, -1), strict=True))


def test_the_stability_of_one_matrix_by_hand():
    """a = 4, η_λ = 1, κ = 1: M = ((0, −4), (1/4, 1)), tr = 1, det = 1: ρ = 1, on the boundary κ = η_λ."""
    (b,) = paper.stable(rational_number(4), rational_number(1), rational_number(1))
    assert b[paper.ρ] == 1


def test_the_saddle_point_of_opposed_arms_by_hand():
    """v_r* = 1/2 at λ* = 1; always the first arm, κ = 1: h = −1/2, 1 − ((1 + 1/2)² − 1)/2 = 3/8 < 1/2."""
    one = rational_number(1)
    (b,) = paper.same_saddle(opposed_arms(), rational([[1, 0]]), one, one)
    assert (b[paper.L_best], b[paper.L_policy], b[paper.λ_star]) == (one / 2, 3 * one / 8, 1)
