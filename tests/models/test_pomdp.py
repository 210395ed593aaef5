"""What POMDPs and confounded POMDPs accept, what they refuse and how they say so."""

import json

import numpy as np
import pytest

from mdplab.arrays import floats, is_exact, rational
from mdplab.errors import InstanceError, ModelError
from mdplab.instances import find_model, sign_reversal, tiger
from mdplab.instances.confounded import confounded
from mdplab.instances.pomdp import emitting_pomdps
from mdplab.models import POMDP, ConfoundedPOMDP
from mdplab.report import solution
from mdplab.theorem.inputs import from_json, to_json


def change(model, **fields):
    return type(model)(**({name: getattr(model, name) for name in model.__dataclass_fields__} | fields))


@pytest.mark.parametrize(
    ("model", "fields", "sentence"),
    [
        (tiger(), {"r": rational([[1]])}, r"P has shape \(2, 3, 2\); expected \(1, 1, 1\)"),
        (tiger(), {"Z": rational([[["1/2", "1/2"], [1, 1]]] * 3)}, r"Z\[0, 1\] sums to 2; a distribution sums to 1"),
        (tiger(), {"start": rational([2, -1])}, r"start\[1\] is -1; a probability is at least 0"),
        (tiger(), {"discount": rational("3/2")[()]}, "discount is 3/2; expected 0 <= discount <= 1"),
        (tiger(), {"first": rational([[1, 0]])}, r"first has shape \(1, 2\); expected \(2, 2\)"),
        (tiger(), {"Z": rational([[1]])}, r"Z has shape \(1, 1\)"),
        (sign_reversal(), {"horizon": 0}, "horizon is 0; expected an integer >= 1"),
        (sign_reversal(), {"E": rational([[1]])}, r"E has shape \(1, 1\); expected \(2, n\)"),
        (sign_reversal(), {"proxy": rational([["1/2", "1/3"], [0, 1]])}, r"proxy\[0\] sums to 5/6"),
        (sign_reversal(), {"behaviour": rational([[1], [1]])}, r"behaviour has shape \(2, 1\); expected \(2, 2\)"),
    ],
)
def test_what_is_no_model_is_named_with_array_index_and_value(model, fields, sentence):
    with pytest.raises(ModelError, match=sentence):
        change(model, **fields)


@pytest.mark.parametrize("make", [emitting_pomdps, confounded])
def test_a_batch_is_its_models(make):
    batch = make(np.random.default_rng(0), 4)
    one = batch[2]
    assert (batch.batch, one.batch) == ((4,), ())
    assert one.exact().S == batch.S
    assert is_exact(one.exact().P)
    back = one.exact().floats()
    # A row's largest entry makes up the sum, so it may move by roundings of the row.
    assert np.allclose(back.P, one.P, rtol=0, atol=1e-15)
    relative, absolute = batch.rounding
    assert relative.shape == absolute.shape == (4,)
    assert (absolute > 0).all()


@pytest.mark.parametrize("model", [tiger(), sign_reversal(2), emitting_pomdps(np.random.default_rng(1), 1)[0]])
def test_instances_come_back_from_a_saved_counterexample(model):
    back = from_json(json.loads(json.dumps(to_json(model))))
    for name in model.__dataclass_fields__:
        x, y = getattr(model, name), getattr(back, name)
        assert (x is None and y is None) or np.array_equal(np.asarray(x), np.asarray(y))


def test_observations_of_the_state_alone_are_told_from_others():
    with pytest.raises(ModelError, match="first is missing"):
        _ = tiger().emission
    E = rational([[1, 0], [0, 1]])
    model = change(tiger(), first=E)
    with pytest.raises(ModelError, match=r"Z\[0, 0, 0\] differs from first\[0, 0\]"):
        _ = model.emission
    assert (POMDP.emitting(model.P, E, model.r, model.discount).emission == E).all()


def test_models_in_json_are_found_and_solved(tmp_path):
    model = sign_reversal(2)
    file = tmp_path / "confounded.json"
    names = ("P", "E", "proxy", "r", "behaviour", "start")
    file.write_text(json.dumps({"model": "confounded", "horizon": 2} | {n: to_json(getattr(model, n)) for n in names}))
    found = find_model(str(file))
    assert isinstance(found, ConfoundedPOMDP)
    assert (found.behaviour == model.behaviour).all()
    solved = solution.solve(found)
    assert solved["identified"] is True
    assert solved["value_of_uniform_policy"] == "53/50"
    with pytest.raises(InstanceError, match="has no discount"):
        find_model(str(file), discount=0.5)
    file = tmp_path / "pomdp.json"
    file.write_text(
        json.dumps({"model": "pomdp"} | {n: to_json(getattr(tiger(), n)) for n in ("P", "Z", "r", "discount")})
    )
    low, high = solution.solve(find_model(str(file)))["value_at_start"]
    assert low < 19.3714 < high + 1e-3
    file.write_text(json.dumps({"model": "confounded", "horizon": 1.5}))
    with pytest.raises(InstanceError, match=r"horizon is 1\.5"):
        find_model(str(file))


def test_rounding_is_infinite_where_a_bridge_does_not_exist():
    model = sign_reversal()
    mute = change(model, E=rational([["1/2", "1/2"]] * 2))
    assert np.isfinite(model.rounding[1])
    assert mute.rounding[1] > 1e-3
    assert floats(model.P).dtype == float


def test_a_model_of_another_class_is_shown_field_by_field():
    from mdplab.report import instance

    shown = instance.text({"model": to_json(sign_reversal()), "π": [["1/2", "1/2"]]})
    assert shown.startswith("model: ConfoundedPOMDP\n  model.P = ")
    assert "model.horizon = 1" in shown
    assert "model.first" not in instance.text({"model": to_json(tiger())})
    assert not instance.models({"model": to_json(tiger())})
