"""Finite-horizon models out of families, strategies and files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from mdplab.arrays import rational_number
from mdplab.cli import app
from mdplab.errors import InstanceError, MdplabError
from mdplab.instances import find_model, from_json
from mdplab.instances.finite_horizon import FAMILIES, drawn, epochs, finite_horizon_mdps, of_sizes
from mdplab.models import FiniteHorizonMDP
from mdplab.report import solution

LOCK = {
    "model": "finite_horizon",
    "P": [[[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[[1], [1]], [[1], [1]]]],
    "r": [[[0, 0], [0, 0]], [[1, 0], [0, 0]], [["1/2", 0]]],
}


def test_epochs_of_different_sizes_are_read_in_rationals():
    mdp = from_json(json.dumps(LOCK))
    assert isinstance(mdp, FiniteHorizonMDP)
    assert mdp.sizes == (2, 2, 1)
    assert mdp.start[0] == rational_number("1/2")


def test_one_kernel_for_all_epochs():
    text = json.dumps({"model": "finite_horizon", "horizon": 4, "P": LOCK["P"][0], "r": LOCK["r"][1], "start": [1, 0]})
    assert from_json(text).sizes == (2, 2, 2, 2)


def test_one_decimal_makes_everything_float64():
    assert from_json(json.dumps(LOCK | {"start": [0.25, 0.75]})).r[2].dtype == float


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": 3}, "P is 3; expected a list with one entry for each epoch"),
        ({"P": []}, "P has 0 kernels and r has 3 epochs"),
        ({"r": [[[0, 0], [0]], [[1, 0]], [[0, 0]]]}, r"r\[0\]\[1\] has shape \(1,\) and r\[0\]\[0\] has \(2,\)"),
        ({"r": [[[0, 0], [0, "x"]], [[1, 0]], [[0, 0]]]}, r"r\[0\]\[1, 1\] is \"x\""),
        ({"horizon": "2"}, "horizon is '2'; expected an integer"),
    ],
)
def test_a_wrong_document_is_refused_in_one_sentence(change, message):
    with pytest.raises(MdplabError, match=message):
        from_json(json.dumps(LOCK | change))


def test_a_file_is_solved(tmp_path):
    file = tmp_path / "lock.json"
    file.write_text(json.dumps(LOCK))
    found = solution.solve(find_model(str(file)))
    assert found["value_at_start"] == ["1", "1"]
    assert found["values"] == [["3/2", "1/2"], ["3/2", "1/2"], ["1/2"]]
    assert found["policy"] == [[0, 0], [0, 0], [0]]
    assert "horizon" in solution.text("lock", found)
    json.dumps(found)
    assert app is not None


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_families_repeat_themselves(family):
    one, two = (family.make(np.random.default_rng(5), 6) for _ in range(2))
    assert one.batch == (6,)
    assert all((x == y).all() for x, y in zip((*one.P, *one.r, one.start), (*two.P, *two.r, two.start), strict=True))


def test_families_with_options():
    rng = np.random.default_rng(0)
    assert epochs(rng, 2, H=4, S=2, A=2, everywhere=False).start[:, 2:].max() == 0
    with pytest.raises(InstanceError, match="rows='odd'"):
        of_sizes(rng, 2, (2, 2), rows="odd")
    at_first = finite_horizon_mdps(everywhere=False).families[2].make(rng, 3)
    assert abs(at_first.start[:, :3].sum(axis=-1) - 1).max() < 1e-15


@settings(max_examples=20)
@given(drawn())
def test_drawn_models_are_models_with_rewards_of_one_sign(mdp):
    assert mdp.start.min() > 0
    assert mdp.rewards.min() >= 0
