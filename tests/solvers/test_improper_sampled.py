"""Mixtures of controllers learnt from trajectories: who is drawn, what is scored, and where runs come to."""

from itertools import islice

import numpy as np
import pytest

from experiments import zaki2022_actor_critic
from mdplab.arrays import floats, softmax
from mdplab.instances import one_action_each, stay_or_switch, stay_or_switch_controllers, two_armed_bandit
from mdplab.sampling import Draws, controller_rollouts, weight_scores
from mdplab.solvers import improper_actor_critic, improper_spsa, sphere


def test_a_controller_is_drawn_at_every_step_and_acts():
    """Staying pays 1: controller 0 stays in state 0 and leaves state 1, controller 1 the other way round."""
    mdp, K = stay_or_switch().floats(), floats(stay_or_switch_controllers())
    seen = controller_rollouts(mdp, K, np.array([0.25, 0.75]), 5, Draws(0, np.arange(2000)))
    assert (seen.rewards == (seen.actions == seen.states[:, :-1])).all()
    assert (seen.states[:, 1:] == seen.actions).all()  # each controller goes to its state
    assert abs((seen.actions == 1).mean() - 0.75) < 0.02


def test_scores_of_weights_by_hand():
    """Controllers 0, 1, 1 with ψ = (1, 2, 3) and w = (1/4, 3/4): (1, 5) − 6 w."""
    mdp, K = stay_or_switch().floats(), floats(stay_or_switch_controllers())
    seen = controller_rollouts(mdp, K, np.array([0.25, 0.75]), 3, Draws(0, np.arange(200)))
    ours = (seen.actions == [0, 1, 1]).all(axis=1)
    found = weight_scores(seen, np.array([1.0, 2.0, 3.0]) + 0 * seen.rewards, np.array([0.25, 0.75]))
    assert found[ours][0] == pytest.approx([1 - 1.5, 5 - 4.5])


def test_directions_lie_on_the_sphere_and_have_no_preference():
    u = sphere(Draws(0, np.arange(20_000)), 3)
    assert abs((u * u).sum(axis=-1) - 1).max() < 1e-12
    assert abs(u.mean(axis=0)).max() < 0.02
    assert abs((u * u).mean(axis=0) - 1 / 3).max() < 0.01


def test_perturbation_finds_the_better_of_two_arms():
    mdp = two_armed_bandit().floats()
    run = improper_spsa(
        mdp,
        floats(one_action_each(mdp)),
        draws=Draws(0, np.arange(20)),
        horizon=1,
        radius=0.5,
        step_size=0.2,
        batch=20,
    )
    *_, last = islice(run, 201)
    assert last.w[:, 0].min() > 0.8


def test_the_critic_learns_after_the_actor_has_been_told():
    """One step of the bandit: δ = r, the direction is r (e_m − w), and only then v becomes β r."""
    mdp = two_armed_bandit().floats()
    run = improper_actor_critic(
        mdp, floats(one_action_each(mdp)), draws=Draws(0, np.arange(50)), horizon=1, step_size=1.0, critic_step_size=0.5
    )
    first, second = islice(run, 2)
    paid = (first.direction != 0).all(axis=1)
    assert (first.v == 0).all()
    assert (first.direction[paid] == [0.5, -0.5]).all()
    assert (second.v[:, 0] == np.where(paid, 0.5, 0)).all()
    assert (second.w == softmax(second.θ)).all()


def test_queues_are_mixed_evenly_if_the_critic_begins_well():
    well, badly = (zaki2022_actor_critic.measure("plain", v, copies=20, updates=300).weight[-1] for v in (12.0, 0.0))
    assert abs(well - 0.5).max() < 0.15
    assert badly.min() > 0.95
