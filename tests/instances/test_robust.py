"""Robust models in JSON files, and the command line's view of them."""

from __future__ import annotations

import json

import pytest

from mdplab.arrays import rational
from mdplab.errors import InstanceError
from mdplab.instances import load_model
from mdplab.report.solution import solve

DOCUMENT = {
    "model": "robust",
    "discount": 0,
    "P": [[["1/2", "1/2"]], [[0, 1]]],
    "c": [[[0, 1]], [[0, 0]]],
    "ambiguity": {"set": "L1Ball", "budget": [["2/5"], [0]]},
}


def written(tmp_path, **changes):
    path = tmp_path / "robust.json"
    path.write_text(json.dumps(DOCUMENT | changes))
    return path


def test_a_file_is_read_in_rationals_and_solved_by_hand(tmp_path):
    mdp = load_model(written(tmp_path))
    assert mdp.ambiguity.budget[0, 0] == rational("2/5")
    found = solve(mdp)
    assert found["values"] == ["7/10", "0"]  # 1/2 + 2/5 / 2
    assert found["exact"]
    assert found["policy"] == [0, 0]


@pytest.mark.parametrize(
    ("ambiguity", "message"),
    [
        ("L1Ball", "ambiguity is 'L1Ball'; expected an object whose 'set' is one of"),
        ({"set": "L2Ball"}, "expected an object whose 'set' is one of"),
        ({"set": "L1Ball"}, "there is no 'ambiguity.budget'; a L1Ball has budget"),
        ({"set": "L1Ball", "budget": [[0], [0]], "radius": 1}, "ambiguity has 'radius'"),
        ({"set": "L1Ball", "budget": [["x"], [0]]}, "ambiguity.budget"),
    ],
)
def test_a_set_that_cannot_be_read_is_refused_in_one_sentence(tmp_path, ambiguity, message):
    with pytest.raises(InstanceError, match=message):
        load_model(written(tmp_path, ambiguity=ambiguity))
