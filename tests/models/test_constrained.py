"""A constrained model is what it promises to be, and says in one sentence what is wrong where it is not."""

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import ModelError
from mdplab.instances import crossing, paradox, two_constraints
from mdplab.models import ConstrainedMDP, with_costs


@pytest.mark.parametrize("model", [paradox, crossing, two_constraints])
def test_exact_floats_and_map_keep_every_number(model):
    cmdp = model()
    back = cmdp.floats().exact()
    for name in ("r", "utilities", "start"):
        assert (back.floats().__dict__[name] == cmdp.floats().__dict__[name]).all()
    assert (cmdp.map(lambda x: x).least == cmdp.least).all()


def test_the_mixed_reward_adds_the_utilities_by_their_multipliers():
    cmdp = two_constraints()
    λ = rational([2, 5])
    assert (cmdp.mixed(λ) == cmdp.r + 2 * cmdp.utilities[0] + 5 * cmdp.utilities[1]).all()
    assert (cmdp.payoffs[0] == cmdp.r).all()
    assert (cmdp.payoffs[1:] == cmdp.utilities).all()


def test_costs_are_negative_utilities():
    cmdp = paradox()
    other = with_costs(cmdp.P, cmdp.r, cmdp.r[None], rational([5]), cmdp.discount, cmdp.start)
    assert (other.utilities == cmdp.utilities).all()
    assert (other.least == cmdp.least).all()


def test_part_of_a_batch_is_a_model():
    one = crossing().floats()
    batch = one.map(lambda x: np.stack([np.asarray(x)] * 3))
    assert batch.batch == (3,)
    assert (batch[1].utilities == one.utilities).all()
    assert batch[1].discount == one.discount


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"utilities": rational([[0, 1]])}, r"utilities has shape \(1, 2\).*\(1, 'I', 2\)|utilities has shape"),
        ({"utilities": rational(np.zeros((0, 1, 2), dtype=int))}, "utilities has shape"),
        ({"least": rational([1, 2])}, r"least has shape \(2,\); expected \(1,\)"),
        ({"discount": rational_number(1)}, "discount is 1"),
        ({"P": rational([[[1], [2]]])}, r"P\[0, 1\] sums to 2"),
    ],
)
def test_what_is_wrong_is_named(change, words):
    fields = {
        "P": rational([[[1], [1]]]),
        "r": rational([[1, 0]]),
        "utilities": rational([[[0, 1]]]),
        "least": rational([0]),
        "discount": rational_number("1/2"),
    }
    with pytest.raises(ModelError, match=words):
        ConstrainedMDP(**(fields | change))


def test_a_utility_that_is_no_number_is_named():
    u = np.array([[[0.0, np.nan]]])
    with pytest.raises(ModelError, match=r"utilities\[0, 0, 1\] is nan"):
        ConstrainedMDP(np.ones((1, 2, 1)), np.zeros((1, 2)), u, np.zeros(1), 0.5)
