"""Constrained models are drawn with room in their constraints, and read from files."""

import json

import numpy as np
import pytest
from hypothesis import given, settings

from mdplab.errors import InstanceError, ModelError
from mdplab.exact import slater
from mdplab.instances import constrained_mdps, crossing, files, paradox
from mdplab.instances.constrained import from_document


@settings(max_examples=40)
@given(constrained_mdps(constraints=(1, 2)).draw())
def test_draws_leave_room(cmdp):
    assert slater(cmdp) > 0


@pytest.mark.parametrize("family", constrained_mdps(constraints=(1, 2)).families, ids=lambda f: f.name)
def test_families_leave_room_and_repeat_themselves(family):
    one, same = (family.make(np.random.default_rng(3), 8) for _ in range(2))
    assert one.batch == (8,)
    assert (slater(one) > -1e-12 * (1 + abs(one.least).max(axis=-1))).all()
    assert (one.utilities == same.utilities).all()
    assert (one.least == same.least).all()


DOCUMENT = {
    "model": "constrained",
    "discount": "9/10",
    "start": [1, 0],
    "P": [[[0, 1], [1, 0]], [[0, 1], [1, 0]]],
    "r": [[1, 0], [1, 0]],
    "utilities": [[[-1, 0], [-1, 0]]],
    "least": [-5],
}


def test_a_file_holds_a_model(tmp_path):
    path = tmp_path / "paradox.json"
    path.write_text(json.dumps(DOCUMENT))
    read, made = files.load_model(path), paradox()
    for name in ("P", "r", "utilities", "least", "start"):
        assert (getattr(read, name) == getattr(made, name)).all()
    assert read.discount == made.discount


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"least": -5}, InstanceError, "least has 0 axes; expected 1"),
        ({"least": [-5, 1]}, ModelError, r"least has shape \(2,\); expected \(1,\)"),
        ({"r": [[1, 0], ["x", 0]]}, InstanceError, r"r\[1, 0\]"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(change, error, words):
    with pytest.raises(error, match=words):
        from_document(DOCUMENT | change)


def test_a_missing_entry_is_named():
    with pytest.raises(InstanceError, match="there is no 'utilities'"):
        from_document({key: x for key, x in DOCUMENT.items() if key != "utilities"})


def test_the_named_model_crosses_its_constraint():
    """The unconstrained optimum misses it and the other extreme meets it, so that the multiplier matters."""
    assert slater(crossing()) > 0
