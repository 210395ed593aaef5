"""The queues of the figure: the start, the optimum, and how far off a large batch is."""

import numpy as np
import pytest

from experiments import guid2025_queues as experiment
from mdplab.exact import pair_visits, utility_optimum
from mdplab.exact.utilities import OfReturns
from mdplab.sampling import off_policy


def test_the_gap_of_the_first_policy_by_the_numbers_of_the_prototype():
    mdp = experiment.queues()
    F = OfReturns(mdp.rewards, experiment.f)
    uniform = F.value(pair_visits(mdp.mdp, np.full((16, 2), 0.5)))
    # Half a unit of the last digit that the other program prints.
    assert uniform == pytest.approx(-0.258968, abs=5e-7)
    assert utility_optimum(mdp.mdp, F).low == pytest.approx(-0.232881, abs=5e-7)


def test_a_large_batch_is_off_as_a_prototype_found_and_short_steps_add_little():
    """MSE 0.0227 of 400 means of 100 returns there, and squares of normals: 400 of them are 7 % off, twice."""
    errors = experiment.tracking(0.008, off_policy)
    assert errors[0] == pytest.approx(0.0227, rel=0.35)
    assert errors[10] < 2 * errors[0]
