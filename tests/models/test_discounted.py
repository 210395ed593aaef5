"""What a discounted model accepts, what it refuses and how it says so, and its operators by hand."""

from fractions import Fraction

import array_api_strict
import numpy as np
import pytest

from mdplab import arrays
from mdplab.arrays import ball, is_exact, rational
from mdplab.errors import ModelError
from mdplab.models import DiscountedMDP, bandit

SWAP = np.array([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.25, 0.75]]])
REWARDS = np.array([[1.0, 0.0], [0.5, 2.0]])


def with_entry(x, index, value):
    x = np.array(x)
    x[index] = value
    return x


def test_operators_by_hand():
    """v = (4, 8), γ = 1/2: q(1, 1) = 2 + (4/4 + 8·3/4) / 2 = 5.5."""
    mdp = DiscountedMDP(SWAP, REWARDS, 0.5)
    v = np.array([4.0, 8.0])
    assert mdp.expected_next(v).tolist() == [[8, 4], [4, 7]]
    assert mdp.action_values(v).tolist() == [[5, 2], [2.5, 5.5]]
    assert mdp.bellman(v).tolist() == [5, 5.5]
    P, r = mdp.under(np.array([[0.5, 0.5], [0.0, 1.0]]))
    assert P.tolist() == [[0.5, 0.5], [0.25, 0.75]]
    assert r.tolist() == [0.5, 2]
    assert mdp.reward_range == 2
    assert (mdp.S, mdp.A, mdp.batch) == (2, 2, ())
    assert mdp.start.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("batch", [(3,), (2, 3)])
def test_operators_of_a_batch_are_those_of_its_models(batch):
    rng = np.random.default_rng(0)
    P = rational(rng.multinomial(8, np.ones(4) / 4, size=(*batch, 4, 2))) / 8
    mdp = DiscountedMDP(P, rational(rng.integers(0, 9, (*batch, 4, 2))), rational(rng.integers(0, 8, batch)) / 8)
    v = rational(rng.integers(0, 9, (*batch, 4)))
    for i in np.ndindex(batch):
        assert (mdp.action_values(v)[i] == mdp[i].action_values(v[i])).all()
        assert (mdp.bellman(v)[i] == mdp[i].bellman(v[i])).all()
        assert mdp[i].batch == ()
    assert mdp[0].batch == batch[1:]
    assert (mdp.start == rational("1/4")[()]).all()


def test_values_may_have_more_batch_axes_than_the_model():
    mdp = DiscountedMDP(SWAP, REWARDS, 0.5)
    v = np.arange(12.0).reshape(3, 2, 2)
    assert mdp.action_values(v).shape == (3, 2, 2, 2)
    assert (mdp.action_values(v)[1, 1] == mdp.action_values(v[1, 1])).all()


@pytest.mark.parametrize(
    ("P", "r", "discount", "start", "message"),
    [
        (SWAP[0], REWARDS, 0.5, None, r"P has shape \(2, 2\); r of shape \(2, 2\) calls for \(2, 2, 2\)"),
        (SWAP, REWARDS[0], 0.5, None, r"r has shape \(2,\)"),
        (np.zeros((2, 0, 2)), np.zeros((2, 0)), 0.5, None, r"r has shape \(2, 0\).*A >= 1"),
        (with_entry(SWAP, (0, 1, 0), np.nan), REWARDS, 0.5, None, r"P\[0, 1, 0\] is nan; expected a finite number"),
        (SWAP, with_entry(REWARDS, (1, 0), np.inf), 0.5, None, r"r\[1, 0\] is inf; expected a finite number"),
        (with_entry(SWAP, (1, 1, 0), -0.25), REWARDS, 0.5, None, r"P\[1, 1, 0\] is -0.25; a probability is at least 0"),
        (with_entry(SWAP, (1, 1, 0), 0.5), REWARDS, 0.5, None, r"P\[1, 1\] sums to 1.25; a distribution sums to 1"),
        (SWAP, REWARDS, 1.0, None, "discount is 1.0; discounting needs 0 <= discount < 1"),
        (SWAP, REWARDS, -0.1, None, "discount is -0.1"),
        (SWAP, REWARDS, np.nan, None, "discount is nan"),
        (SWAP, REWARDS, np.array([0.5, 0.5]), None, r"discount has shape \(2,\); expected one number or shape \(\)"),
        (SWAP, REWARDS, 0.5, np.ones(3) / 3, r"start has shape \(3,\); expected \(2,\)"),
        (SWAP, REWARDS, 0.5, np.array([0.5, 0.75]), "start sums to 1.25; a distribution sums to 1"),
        (SWAP, REWARDS, 0.5, np.array([1.5, -0.5]), r"start\[1\] is -0.5; a probability is at least 0"),
        (SWAP, REWARDS, 0.5, np.array([np.nan, 1.0]), r"start\[0\] is nan"),
    ],
)
def test_a_wrong_model_is_refused_in_one_sentence(P, r, discount, start, message):
    with pytest.raises(ModelError, match=message):
        DiscountedMDP(P, r, discount, start)


def test_the_index_within_a_batch_is_named():
    P, r = np.broadcast_to(SWAP, (2, 3, 2, 2, 2)), np.broadcast_to(REWARDS, (2, 3, 2, 2))
    with pytest.raises(ModelError, match=r"P\[1, 2, 0, 1\] sums to 1.5"):
        DiscountedMDP(with_entry(P, (1, 2, 0, 1, 1), 0.5), r, 0.5)
    with pytest.raises(ModelError, match=r"r\[0, 2, 1, 1\] is -inf"):
        DiscountedMDP(P, with_entry(r, (0, 2, 1, 1), -np.inf), 0.5)
    with pytest.raises(ModelError, match=r"discount\[1, 0\] is 1.0"):
        DiscountedMDP(P, r, np.array([[0.5, 0.5, 0.5], [1.0, 0.5, 0.5]]))
    with pytest.raises(ModelError, match=r"start\[1, 1\] sums to 0.5"):
        DiscountedMDP(P, r, 0.5, with_entry(np.full((2, 3, 2), 0.5), (1, 1, 0), 0.0))


def test_rationals_must_sum_to_one_exactly():
    P = rational(SWAP)
    P[1, 1] = rational(["1/4", "3/4"])
    DiscountedMDP(P, rational(REWARDS), rational("1/2")[()])
    P[1, 1, 0] += rational("1/1000000000000000000000")[()]
    with pytest.raises(ModelError, match=r"P\[1, 1\] sums to"):
        DiscountedMDP(P, rational(REWARDS), rational("1/2")[()])
    P[1, 1, 0] = rational(-1)[()]
    with pytest.raises(ModelError, match=r"P\[1, 1, 0\] is -1"):
        DiscountedMDP(P, rational(REWARDS), rational("1/2")[()])


def test_balls_must_have_room_for_a_sum_of_one():
    third = ball(rational("1/3")[()])
    P = np.array([[[third, third, third]]] * 3, dtype=object)
    DiscountedMDP(P, rational([[0], [0], [0]]), rational("1/2")[()])
    P[1, 0, 1] = third + third
    with pytest.raises(ModelError, match=r"P\[1, 0\] sums to"):
        DiscountedMDP(P, rational([[0], [0], [0]]), rational("1/2")[()])
    P[1, 0, 1] = third / 0
    with pytest.raises(ModelError, match=r"P\[1, 0, 1\] is nan; expected a finite number"):
        DiscountedMDP(P, rational([[0], [0], [0]]), rational("1/2")[()])


def test_rows_written_in_float32_are_accepted():
    P = np.random.default_rng(0).dirichlet(np.ones(50), size=(50, 2)).astype(np.float32).astype(float)
    assert abs(P.sum(axis=-1) - 1).max() > 1e-9
    mdp = DiscountedMDP(P, np.zeros((50, 2)), 0.5)
    exact = mdp.exact()
    assert (exact.P.sum(axis=-1) == 1).all()
    assert (exact.start.sum(axis=-1)) == 1


@pytest.mark.parametrize("discount", [0.9, np.array([0.1, 0.9])])
def test_changes_of_arithmetic_keep_the_model(discount):
    P, r = np.broadcast_to(SWAP, (2, 2, 2, 2)), np.broadcast_to(REWARDS, (2, 2, 2))
    mdp = DiscountedMDP(P, r, discount)
    exact = mdp.exact()
    assert is_exact(exact.P)
    assert is_exact(exact.γ(1))
    assert exact.exact() is exact
    back = exact.floats()
    assert (back.P == P).all()
    assert (back.r == r).all()
    assert np.all(back.discount == discount)
    assert (back.start == 0.5).all()


def test_without_flint_rationals_are_fractions(monkeypatch):
    monkeypatch.setattr(arrays, "_flint", lambda: None)
    mdp = DiscountedMDP(SWAP, REWARDS, 0.5).exact()
    assert type(mdp.P[0, 0, 0]) is Fraction
    assert mdp.action_values(rational([4, 8])).tolist() == [[5, 2], [Fraction(5, 2), Fraction(11, 2)]]


def test_another_start_makes_another_model():
    mdp = DiscountedMDP(SWAP, REWARDS, 0.5)
    assert mdp.starting(np.array([1.0, 0.0])).start.tolist() == [1, 0]
    assert mdp.start.tolist() == [0.5, 0.5]


def test_a_model_lives_in_its_array_namespace():
    xp = array_api_strict
    mdp = DiscountedMDP(xp.asarray(SWAP), xp.asarray(REWARDS), 0.5)
    for x in (mdp.start, mdp.action_values(mdp.start), mdp.bellman(mdp.start), *mdp.under(mdp.r * 0 + 0.5)):
        assert type(x) is type(mdp.P)
    with pytest.raises(ModelError, match=r"P\[1, 1\] sums to 1.25"):
        DiscountedMDP(xp.asarray(with_entry(SWAP, (1, 1, 0), 0.5)), xp.asarray(REWARDS), 0.5)


def test_a_bandit_has_one_state_and_no_future():
    arms = bandit(np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert (arms.S, arms.A, arms.batch) == (1, 2, (2,))
    assert arms.action_values(np.array([[5.0], [5.0]])).tolist() == [[[1, 2]], [[3, 4]]]
    assert bandit(rational([1, "1/2"])).discount == 0
