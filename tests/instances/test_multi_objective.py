"""Draws and families of models with several objectives, and the named ones."""

import numpy as np
from hypothesis import find, given, settings
from hypothesis import strategies as st

from mdplab.instances.multi_objective import (
    THREE,
    TWO,
    deep_sea,
    multi_objective_mdps,
    two_queues,
    weights,
)
from mdplab.models import MultiObjectiveMDP


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_draws_are_models_with_weights_that_sum_to_one(data):
    model = data.draw(multi_objective_mdps().draw())
    assert isinstance(model, MultiObjectiveMDP)
    assert model.M in (2, 3)
    w = data.draw(weights.draw(model))
    assert w.sum() == 1
    assert w.shape == (model.M,)


def test_draws_shrink_to_one_state_and_one_action():
    model = find(multi_objective_mdps().draw(), lambda m: m.M == 2)
    assert (model.S, model.A) == (1, 1)


def test_families_are_batches_and_the_same_for_the_same_seed():
    for family in (*TWO, *THREE):
        one, other = (family.make(np.random.default_rng(3), 4) for _ in range(2))
        assert one.batch == (4,)
        assert (one.rewards == other.rewards).all()
        w = weights.batch(np.random.default_rng(0), one)
        assert abs(w.sum(axis=-1) - 1).max() <= 1e-12


def test_queues_keep_their_customers():
    """Capacity 2: with certain arrivals at both, serving queue 0 from empty leaves (0, 1)."""
    model = two_queues(2, (1, 1))
    assert model.P[0, 0, 1] == 1
    assert model.P[0, 1, 3] == 1
    assert (model.rewards[:, 0] == np.eye(2, dtype=int)).all()


def test_the_dive_ends():
    model = deep_sea()
    assert (model.P[5, :, 5] == 1).all()
    assert not model.rewards[:, 5].any()
