"""Models with several objectives refuse what is wrong, and go through every arithmetic and through JSON."""

import json

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import InstanceError, ModelError
from mdplab.instances import load_model
from mdplab.instances.multi_objective import objectives_garnet, torn, two_queues
from mdplab.models import MultiObjectiveMDP
from mdplab.report.solution import solve, text


def test_objectives_are_counted_and_weighted():
    model = torn()
    assert (model.M, model.S, model.A, model.batch) == (2, 1, 2, ())
    assert (model.weighted(rational(["1/4", "3/4"])).r == rational([["1/4", "3/4"]])).all()
    assert (model.mdp.r == rational([[1, 0]])).all()


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        (np.zeros((2, 2)), "rewards has shape"),
        (np.zeros((0, 1, 2)), "rewards has shape"),
        (np.array([[[0.0, 1.0]], [[np.nan, 0.0]]]), r"rewards\[1, 0, 0\] is nan"),
    ],
)
def test_wrong_rewards_are_named(rewards, message):
    with pytest.raises(ModelError, match=message):
        MultiObjectiveMDP(np.ones((1, 2, 1)), rewards, 0.5)


def test_wrong_dynamics_are_named():
    with pytest.raises(ModelError, match="sums to"):
        MultiObjectiveMDP(np.full((1, 2, 1), 0.4), np.zeros((2, 1, 2)), 0.5)


def test_a_batch_is_indexed_and_made_exact():
    batch = objectives_garnet(np.random.default_rng(0), 5, S=3, A=2, M=3)
    one = batch[2].exact()
    assert batch.batch == (5,)
    assert one.rewards.shape == (3, 3, 2)
    assert (one.P.sum(axis=-1) == 1).all()
    assert (one.floats().rewards == batch.rewards[2]).all()
    assert all(x.shape == (5,) for x in batch.rounding)


def test_a_file_is_read_and_solved(tmp_path):
    path = tmp_path / "torn.json"
    document = {"model": "multi_objective", "discount": "9/10", "P": [[[1], [1]]], "rewards": [[[1, 0]], [[0, 1]]]}
    path.write_text(json.dumps(document))
    model = load_model(path)
    assert isinstance(model, MultiObjectiveMDP)
    found = solve(model)
    assert found["value_at_start"] == ["5", "5"]
    assert found["coverage_set"] == [["10", "0"], ["0", "10"]]
    assert "(10, 0)  (0, 10)" in text("torn", found)


def test_a_file_with_rewards_of_the_wrong_shape_is_refused(tmp_path):
    path = tmp_path / "wrong.json"
    document = {"model": "multi_objective", "discount": "9/10", "P": [[[1], [1]]], "rewards": [[1, 0]]}
    path.write_text(json.dumps(document))
    with pytest.raises(InstanceError, match="rewards has 2 axes; expected 3"):
        load_model(path)


def test_queues_never_serve_more_than_arrives():
    """Capacity 1, p = (1, 0): queue 0 fills and is served in every step, or never; queue 1 stays empty
    where it was."""
    model = two_queues(1, (1, 0))
    assert (model.P.sum(axis=-1) == 1).all()
    assert model.P[0, 0, 0] == 1
    assert model.P[0, 1, 2] == 1
    assert model.rewards[0, 0, 0] == rational_number(1)
    assert not model.rewards[1, ::2].any()
