"""A finite-horizon model checks its arrays, numbers its pairs epoch by epoch, and follows their arithmetic."""

import numpy as np
import pytest

from mdplab.arrays import floats, largest, rational, total
from mdplab.errors import ModelError
from mdplab.instances.finite_horizon import lock, of_sizes, uneven
from mdplab.models import FiniteHorizonMDP
from mdplab.theorem.inputs import from_json, to_json

P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
r = rational([[0, 0], [1, 0]])


def test_pairs_are_numbered_epoch_by_epoch():
    mdp = uneven()
    assert (mdp.H, mdp.S, mdp.A, mdp.sizes, mdp.batch) == (3, 6, 2, (1, 3, 2), ())
    assert mdp.to_go.tolist() == [3, 2, 2, 2, 1, 1]
    parts = mdp.split(mdp.rewards, 2)
    assert all((x == y).all() for x, y in zip(parts, mdp.r, strict=True))
    assert (mdp.joined(parts, 2) == mdp.rewards).all()
    assert (mdp.per_epoch(mdp.rewards[:, 0], largest) == rational(["1/5", "3/10", 1])).all()
    assert (mdp.over_states(rational([1, 2, 3])) == rational([1, 2, 2, 2, 3, 3])).all()


def test_action_values_by_hand():
    """From state 1 of epoch 1 of `uneven`, action 0: 3/10 + v_4 / 2 + v_5 / 2."""
    mdp = uneven()
    q = mdp.action_values(rational([100, 10, 20, 30, 4, 6]))
    assert q[2, 0] == rational("53/10")[()]
    assert (q[4:] == mdp.r[2]).all()
    assert q[0, 0] == rational("86/5")[()]  # 1/5 + 10/2 + 3 · 20/10 + 30/5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((), ()), r"P has 0 kernels and r has 0 epochs; expected H − 1 and H >= 1"),
        (((P,), (r,)), r"P has 1 kernels and r has 1 epochs"),
        (((P,), (r, r[:, :1])), r"r\[1\] has shape \(2, 1\); expected \(S, 2\) with S, A >= 1"),
        (((P[:, :, :1],), (r, r)), r"P\[0\] has shape \(2, 2, 1\); expected \(2, 2, 2\)"),
        (((P / 2,), (r, r)), r"P\[0\]\[0, 0\] sums to 1/2; a distribution sums to 1"),
        (((P,), (r, r), rational([1])), r"start has shape \(1,\); expected \(2,\) or \(4,\)"),
        (((P,), (r, r), rational([1, 1])), r"start sums to 2; a distribution sums to 1"),
        (
            ((floats(P),), (floats(r), np.array([[0, np.nan], [0, 0]]))),
            r"r\[1\]\[0, 1\] is nan; expected a finite number",
        ),
        (((2 * P - 1,), (r, r)), r"P\[0\]\[0, 0, 1\] is -1; a probability is at least 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(arguments, message):
    with pytest.raises(ModelError, match=message):
        FiniteHorizonMDP(*arguments)


def test_a_start_in_the_first_epoch_is_filled_up_with_zeros():
    assert (FiniteHorizonMDP.homogeneous(P, r, 2).start == rational(["1/2", "1/2", 0, 0])).all()
    with pytest.raises(ModelError, match="horizon is 0"):
        FiniteHorizonMDP.homogeneous(P, r, 0)


def test_parts_of_a_batch_and_changes_of_arithmetic():
    mdp = of_sizes(np.random.default_rng(0), 4, (2, 3), A=2)
    assert mdp[1:3].batch == (2,)
    assert (mdp[1].r[1] == mdp.r[1][1]).all()
    exact = mdp.exact()
    assert all((total(x) == 1).all() for x in (*exact.P, exact.start))
    assert abs(exact.floats().P[0] - mdp.P[0]).max() < 1e-15
    assert [x.shape for x in mdp.rounding] == [(4,), (4,)]


def test_the_bound_on_rewards_is_never_zero():
    assert FiniteHorizonMDP((), (0 * r,)).reward_bound == 1
    assert FiniteHorizonMDP((), (r * 3,)).reward_bound == 3
    batch = FiniteHorizonMDP((), (np.array([[[0.0]], [[-2.0]]]),))
    assert batch.reward_bound.tolist() == [1, 2]


def test_a_model_survives_json():
    mdp = lock(3, "1/10")
    again = from_json(to_json(mdp))
    assert isinstance(again, FiniteHorizonMDP)
    assert all(
        (x == y).all() for x, y in zip((*mdp.P, *mdp.r, mdp.start), (*again.P, *again.r, again.start), strict=True)
    )
