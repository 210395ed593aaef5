"""What the engine cannot know about theorems/moskovitz2023.py: eigenvalues, and the numbers of long runs."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import rational_number
from mdplab.instances import paradox
from mdplab.solvers import gradient_descent_ascent, reload
from mdplab.solvers.lagrangian import OPTIMISTIC, PLAIN
from theorems import moskovitz2023 as paper


@pytest.mark.parametrize("η", [0.05, 0.2, 0.45, 0.55, 0.57, 0.6, 1.0])
def test_the_modulus_is_the_largest_root(η):
    """λ² − (1 + 2iη) λ + iη = 0; roots of a quadratic, to a few roundings over their distance √|1 − 4η²| >= 0.4."""
    assert abs(paper.modulus(η) - abs(np.roots([1, -(1 + 2j * η), 1j * η])).max()) <= 1e-14


def test_optimism_contracts_for_steps_below_one_over_root_three():
    edge = 1 / np.sqrt(3)
    assert paper.modulus(edge * 0.999) < 1 < paper.modulus(edge * 1.001)


@pytest.mark.parametrize(("play", "solver"), [(PLAIN, gradient_descent_ascent), (OPTIMISTIC, reload)])
def test_two_numbers_follow_the_solver_for_hundreds_of_steps(play, solver):
    """Plain steps amplify rounding by (1 + σ²)^(k/2) = e^6 in 500 steps: 1e-11 is a hundred times that."""
    run = solver(paradox().floats(), step_size=1.0, multiplier_step_size=1.0)
    short = paper.two_numbers(0.0, 0.0, 0.1, 1.0, play)
    for it, (D, μ) in islice(zip(run, short, strict=False), 500):
        assert abs(0.1 * it.value - paper.sigmoid(D)) <= 1e-11
        assert abs(it.multipliers[0] - μ) <= 1e-11


def test_the_circles_have_the_sizes_that_were_measured():
    """max |v − 1/2| over the last 1000 of 20000 iterates from (0, 0) at η = 1: 0.216 and 0.154, by another program."""
    run = paper.circles.bindings({"mdp": paradox().floats(), "step": 1.0, "multiplier_step": 1.0}, 20000)
    *_, last = ({"plain": b[paper.swing], "alternating": b[paper.swing_alternating]} for b in run)
    assert {name: round(float(x), 3) for name, x in last.items()} == {"plain": 0.216, "alternating": 0.154}


def test_one_plain_step_near_the_saddle_point_by_hand():
    """D = 0, μ = 3/2, a = 1/10, η_μ = 1: D' = −1/20 and μ' = 3/2, so E = 1/40 becomes 1/40 + 1/1600 = (1 + σ²) E."""
    one = rational_number(1)
    (b,) = paper.spirals(one / 10, one, 0 * one, 3 * one / 2)
    assert b[paper.E_k] == one / 40
    assert b[paper.σ2] == one / 40
    assert b[paper.E_after].overlaps(type(b[paper.E_after])(one / 40 + one / 1600))


def test_the_squared_modulus_at_a_half_is_a_half():
    """(1 + 0) / 2, and from the other side (1 + 1) / 4."""
    (b,) = paper.optimistic_factor(rational_number("1/2"))
    assert b[paper.root_squared].overlaps(type(b[paper.root_squared])(rational_number("1/2")))


def test_the_batch_of_paradoxes_is_made_of_paradoxes():
    batch = paper.paradoxes(np.random.default_rng(0), 20)
    one = paradox("9/10").floats()
    i = int(np.flatnonzero(batch.discount == 0.9)[0])
    for name in ("P", "r", "utilities", "start"):
        assert (getattr(batch[i], name) == getattr(one, name)).all()
    assert abs(batch[i].least - one.least).max() <= 1e-14
