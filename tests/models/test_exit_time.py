"""A model that ends at exit checks its arrays and follows their arithmetic, in memory and in files."""

import json

import numpy as np
import pytest

from mdplab.arrays import floats, is_exact, rational
from mdplab.errors import InstanceError, ModelError
from mdplab.instances import find_model, from_json, walk
from mdplab.instances.exit_time import exit_time_mdps, random_exits, ruin_models
from mdplab.models import ExitTimeMDP
from mdplab.theorem.inputs import from_json as input_from_json
from mdplab.theorem.inputs import to_json

P = rational([[[0, "1/2", "1/2"], [0, 1, 0]]])
g = rational([0, 1, -1])


def test_sizes_and_default_start():
    mdp = ExitTimeMDP(P, g, 3)
    assert (mdp.S, mdp.E, mdp.A, mdp.N, mdp.batch) == (1, 2, 2, 3, ())
    assert (mdp.start == 1).all()
    assert mdp.payoff_bound == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((P[0], g, 3), r"P has shape \(2, 3\); expected \(\.\.\., S, A, S \+ E\)"),
        ((P, g[:2], 3), r"payoff has shape \(2,\); expected \(3,\)"),
        ((P, g, 0), r"horizon is 0; expected an integer of at least 1"),
        ((P, g, 2.0), r"horizon is 2\.0; expected an integer"),
        ((P / 2, g, 3), r"P\[0, 0\] sums to 1/2; a distribution sums to 1"),
        ((2 * P - 1, g, 3), r"P\[0, 0, 0\] is -1; a probability is at least 0"),
        ((floats(P), np.array([0, np.inf, 0]), 3), r"payoff\[1\] is inf; expected a finite number"),
        ((P, g, 3, rational([1, 0])), r"start has shape \(2,\); expected \(1,\)"),
        ((P, g, 3, rational([2])), r"start sums to 2; a distribution sums to 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(arguments, message):
    with pytest.raises(ModelError, match=message):
        ExitTimeMDP(*arguments)


def test_exact_and_float_models_are_the_same_model():
    mdp = walk(4)
    again = mdp.floats().exact()
    assert all((getattr(mdp, name) == getattr(again, name)).all() for name in ("P", "payoff", "start"))
    batch = random_exits(np.random.default_rng(0), 3)
    assert batch.batch == (3,)
    assert (batch.P[1] == batch[1].P).all()
    assert is_exact(batch[1].exact().P)
    assert (batch[2].exact().P.sum(axis=-1) == 1).all()


def test_it_goes_to_json_and_back():
    mdp = walk(3)
    again = input_from_json(json.loads(json.dumps(to_json(mdp))))
    assert again.horizon == mdp.horizon
    assert (again.P == mdp.P).all()


def test_it_is_read_from_a_file(tmp_path):
    document = {"model": "exit_time", "horizon": 3, "P": [[[0, "1/2", "1/2"], [0, 1, 0]]], "payoff": [0, 1, "-1"]}
    mdp = from_json(json.dumps(document))
    assert (mdp.P == P).all()
    assert mdp.N == 3
    path = tmp_path / "exit.json"
    path.write_text(json.dumps(document))
    assert isinstance(find_model(str(path)), ExitTimeMDP)
    del document["horizon"]
    with pytest.raises(InstanceError, match="there is no 'horizon'"):
        from_json(json.dumps(document))


@pytest.mark.parametrize("domain", [exit_time_mdps(), ruin_models()])
def test_families_make_batches_of_the_size_that_was_asked_for(domain):
    for family in domain.families:
        mdp = family.make(np.random.default_rng(1), 5)
        assert mdp.batch == (5,)
        assert mdp.P.sum(axis=-1) == pytest.approx(1, abs=1e-12)
