"""Learning until exit from trajectories: one update by hand, critics, and where runs come to."""

from itertools import islice

import numpy as np
import pytest

from mdplab.exact import exit_gradient, exit_optimum, exit_value, exit_values
from mdplab.instances import walk, which_exit
from mdplab.sampling import Draws, rollouts
from mdplab.solvers import exit_actor_critic, exit_reinforce, offline_critic, online_critic


def test_one_update_by_hand():
    """Exits paid 1 and −1: whichever is drawn, the direction is (1/2, −1/2), and the default step is one."""
    first, second = islice(exit_reinforce(which_exit().floats(), draws=Draws(0, np.arange(20))), 2)
    assert (first.direction[:, 0, 0] == [0.5, -0.5]).all()
    assert (second.θ[:, 0, 0] == [0.5, -0.5]).all()


@pytest.mark.parametrize("shape", [(4, 3, 2), (3, 2)])
def test_large_batches_have_the_gradient_of_each_time_or_of_all(shape):
    mdp = walk().floats()
    it = next(exit_reinforce(mdp, np.zeros(shape), draws=Draws(0, np.arange(3)), batch=20_000))
    exactly = exit_gradient(mdp, np.full((4, 3, 2), 0.5))
    exactly = exactly if len(shape) == 3 else exactly.sum(axis=0)
    assert it.direction.shape == (3, *shape)
    assert abs(it.direction - exactly).max() < 0.02


def test_both_critics_come_to_the_values():
    mdp = walk().floats()
    π = np.full((4, 3, 2), 0.5)
    v, seen = np.zeros((2, 12)), rollouts(mdp, π, 4, Draws(0, np.arange(2)).samples(5000))
    exactly = exit_values(mdp, π)[:-1, :3].reshape(-1)
    # A walk from the middle is there again at even times only.
    sometimes = [i * 3 + x for i in range(4) for x in range(3) if (i + x) % 2 == 1]
    for critic in (offline_critic, online_critic(0.01)):
        found = critic(v, seen)
        assert abs(found[:, sometimes] - exactly[sometimes]).max() < 0.06
        assert (np.delete(found, sometimes, axis=1) == 0).all()  # never seen


@pytest.mark.parametrize("critic", [offline_critic, online_critic(0.1)])
def test_actor_critics_learn_to_walk_up(critic):
    mdp = walk().floats()
    run = exit_actor_critic(mdp, draws=Draws(0, np.arange(10)), critic=critic, batch=10, step_size=2.0)
    *_, last = islice(run, 151)
    best = (mdp.start * exit_optimum(mdp).v[0]).sum()
    assert (best - exit_value(mdp, last.π)).max() < 0.02
    assert last.θ.shape == (10, 4, 3, 2)
