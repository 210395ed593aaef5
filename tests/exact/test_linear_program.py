"""The linear programs are a road to optimal values and occupancies that policy iteration does not share."""

import numpy as np
import pytest

from mdplab.exact import linear_program, occupancy, optimum


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_both_programs_agree_with_policy_iteration(draw, batch):
    """HiGHS returns vertices, solved to its feasibility tolerance 1e-7; over 1 − γ = 1/8 that is 1e-6 in values."""
    mdp = draw(0, batch, S=6, discount=np.full(batch, 0.875) if batch else 0.875)
    best, program = optimum(mdp), linear_program(mdp)
    assert abs(program.v - best.v).max() <= 1e-6
    d = occupancy(mdp, best.policy)
    assert abs(program.occupancy.sum(axis=(-2, -1)) - 1).max() <= 1e-6
    assert best.unique.all()  # else the optimal occupancy need not be the one of `policy`
    assert abs(program.occupancy - d[..., None] * best.policy).max() <= 1e-6


def test_strong_duality_holds(draw):
    mdp = draw(1, S=6)
    program = linear_program(mdp)
    assert abs((program.occupancy * mdp.r).sum() - (1 - mdp.discount) * (mdp.start @ program.v)) <= 1e-6


def test_exact_models_are_solved_in_floats(draw):
    mdp = draw(2)
    assert (linear_program(mdp.exact()).v == linear_program(mdp).v).all()
