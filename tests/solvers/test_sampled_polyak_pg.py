"""Polyak steps from trajectories: by hand, clipped, capped, and with twins."""

from itertools import islice

import numpy as np
import pytest

from mdplab.instances import two_armed_bandit, two_by_two
from mdplab.models import DiscountedMDP
from mdplab.sampling import Draws
from mdplab.solvers import polyak_pg, polyak_step, sampled_polyak_pg, twin_polyak_pg


def test_steps_are_clipped_at_zero_capped_and_zero_without_a_gradient():
    value, g = np.array([0.5, 2.0, 0.5, 0.0]), np.zeros((4, 1, 2))
    g[:3, 0] = [0.1, -0.1]
    assert polyak_step(1.0, value, g, 1.0, 20.0).tolist() == pytest.approx([20, 0, 20, 0])
    assert polyak_step(1.0, value, g, 2.0).tolist() == pytest.approx([12.5, 0, 12.5, 0])


def test_the_two_armed_bandit_is_never_left_by_single_trajectories():
    """r = (1, 0): the first arm is at the target, and the second has a return of zero and so no gradient."""
    run = sampled_polyak_pg(two_armed_bandit().floats(), draws=Draws(0, np.arange(50)), horizon=1)
    *_, last = islice(run, 20)
    assert (last.θ == 0).all()


def test_large_batches_take_the_exact_steps():
    mdp = two_by_two().floats()
    mdp = DiscountedMDP(mdp.P, mdp.r, 0.5, mdp.start)
    it = next(sampled_polyak_pg(mdp, draws=Draws(0, np.arange(3)), horizon=40, batch=10_000))
    exactly = next(polyak_pg(mdp))
    assert abs(it.direction - exactly.gradient).max() < 0.05
    assert abs(it.step_size / exactly.step_size - 1).max() < 0.2


def test_of_twins_the_worse_moves_and_equal_ones_rest():
    mdp = two_armed_bandit().floats()
    θ = np.zeros((10, 2, 1, 2))
    draws = Draws(0, np.arange(20).reshape(10, 2))
    first, second = islice(twin_polyak_pg(mdp, θ, draws=draws, horizon=1, batch=50, cap=10.0), 2)
    moved = (second.θ != first.θ).any(axis=(-1, -2))
    better = first.values.argmax(axis=-1)
    assert not moved[np.arange(10), better].any()
    assert (moved.sum(axis=1) == (first.values[:, 0] != first.values[:, 1])).all()
    assert moved.any()
