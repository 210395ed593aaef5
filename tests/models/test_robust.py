"""Robust models refuse arrays that do not fit, naming what they found, and keep their meaning in other arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from mdplab.errors import ModelError
from mdplab.instances.robust import SETS, robust_garnet
from mdplab.models import L1Ball, RobustMDP, WassersteinBall
from mdplab.theorem.inputs import from_json, to_json

P = np.full((2, 1, 2), 0.5)
c = np.zeros((2, 1))


@pytest.mark.parametrize(
    ("ambiguity", "message"),
    [
        (L1Ball(np.zeros((2, 2))), r"L1Ball.budget has shape \(2, 2\); expected \(2, 1\)"),
        (WassersteinBall(np.zeros((2, 1)), np.zeros((2, 2))), r"distance\[0, 1\] is 0; expected more than 0"),
        ("L1", "ambiguity is str; expected an AmbiguitySet"),
    ],
)
def test_a_set_that_does_not_fit_is_refused(ambiguity, message):
    with pytest.raises(ModelError, match=message):
        RobustMDP(P, c, 0.5, ambiguity)


def test_a_negative_budget_is_refused():
    with pytest.raises(ModelError, match=r"budget\[1, 0\] is -1.0; expected a finite number of at least 0"):
        L1Ball(np.array([[0.0], [-1.0]]))


@pytest.mark.parametrize("c", [np.zeros((2, 2, 1)), np.zeros(2)])
def test_costs_of_another_shape_are_refused(c):
    with pytest.raises(ModelError, match="P has shape"):
        RobustMDP(P, c, 0.5, L1Ball(np.zeros((2, 1))))


@pytest.mark.parametrize("name", sorted(SETS))
def test_a_batch_is_its_models_and_json_reads_back_the_same(name):
    batch = robust_garnet(np.random.default_rng(0), 3, S=3, A=2, set=name)
    one = batch[1]
    assert batch.batch == (3,)
    assert one.batch == ()
    again = from_json(to_json(one.exact()))
    assert (again.P == one.exact().P).all()
    assert type(again.ambiguity) is type(one.ambiguity)
    np.testing.assert_array_equal(one.exact().floats().c, one.c)
