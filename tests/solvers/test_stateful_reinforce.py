"""Policies with memory learnt from trajectories: both scores by hand, large batches, a memory put to use."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import softmax
from mdplab.exact.stateful import start_pairs, stateful_gradient, stateful_values
from mdplab.instances import memory_needed
from mdplab.sampling import Draws, PartlySeen, joint_reinforce, marginal_reinforce
from mdplab.solvers import stateful_reinforce


def one_step(states, actions, reward=1.0):
    states, actions = np.array(states)[None], np.array(actions)[None]
    return PartlySeen(states, actions, np.full(actions.shape, reward), np.ones(actions.shape[1]), 0 * states)


def test_scores_of_one_step_by_hand():
    """One observation, two memory states and actions, π uniform; from z = 0 action 1 is taken and memory 1 chosen.

    The joint score is 1 at (1, 1), less 1/4 everywhere; from outside memory 0 and 1 are as likely: 1/2 at both.
    """
    π = np.full((1, 2, 2, 2), 0.25)
    seen = one_step([0, 1], [1 * 2 + 1])
    assert joint_reinforce(seen, π)[0, 0, 0].ravel() == pytest.approx([-0.25, -0.25, -0.25, 0.75])
    assert marginal_reinforce(seen, π)[0, 0, 0].ravel() == pytest.approx([-0.25, -0.25, 0.25, 0.25])
    assert (joint_reinforce(seen, π)[0, 0, 1] == 0).all()


def test_the_marginal_score_does_not_look_at_the_memory():
    π = softmax(np.random.default_rng(0).normal(size=(2, 2, 4))).reshape(2, 2, 2, 2)
    found = [
        marginal_reinforce(one_step([2 * 0, 2 * 1 + z, 2 * 0 + y], [2 * 1 + z, 2 * 0 + y]), π)
        for z in (0, 1)
        for y in (0, 1)
    ]
    assert all(np.allclose(found[0], x, rtol=0, atol=1e-14) for x in found[1:])


@pytest.mark.parametrize("estimate", [joint_reinforce, marginal_reinforce])
def test_large_batches_have_the_exact_gradient(estimate):
    """γ = 1/2 leaves less than 2⁻³⁰ after thirty steps."""
    model = memory_needed().floats()
    model = type(model)(model.P, model.Z, model.r, 0.5, model.start, model.first)
    θ = np.random.default_rng(1).normal(size=(model.O, 2, model.A, 2))
    run = stateful_reinforce(
        model, θ, draws=Draws(0, np.arange(2)), horizon=30, step_size=1.0, batch=20_000, estimate=estimate
    )
    it = next(run)
    exactly = stateful_gradient(model, it.π)
    assert it.direction.shape == (2, *θ.shape)
    assert abs(it.direction - exactly).max() < 0.05


def test_runs_learn_to_use_their_memory():
    model = memory_needed().floats()
    θ = np.random.default_rng(2).normal(size=(model.O, 2, model.A, 2))
    run = stateful_reinforce(model, θ, draws=Draws(0, np.arange(4)), horizon=2, step_size=1.0, batch=50)
    values = []
    for it in islice(run, 0, 301, 300):
        values.append((start_pairs(model, it.π) * stateful_values(model, it.π)).sum(axis=(-1, -2)))
    assert (values[0] < 0.46).all()
    assert (values[1] > 0.85).all()  # of 0.9, and 0.45 without memory
