"""The grid of the maximum-entropy figure."""

import numpy as np

from experiments import gu_maximum_entropy as experiment


def test_the_plan_is_a_model_that_starts_in_the_lower_left_corner():
    mdp, index = experiment.grid()
    assert mdp.S == sum(row.count(".") for row in experiment.PLAN) == index.max() + 1
    assert mdp.start[index[-1, 0]] == 1
    assert (mdp.P.sum(axis=-1) == 1).all()


def test_every_cell_can_be_reached():
    mdp, _ = experiment.grid()
    reach = np.linalg.matrix_power(mdp.P.mean(axis=1) + np.eye(mdp.S), mdp.S)
    assert (mdp.start @ reach > 0).all()
