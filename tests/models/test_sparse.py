"""Sparse models have the operators of dense ones and refuse the same mistakes."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_array

from mdplab.errors import ModelError
from mdplab.models import DiscountedMDP, SparseMDP


def dense(seed=0, S=6, A=3):
    rng = np.random.default_rng(seed)
    P = rng.multinomial(4, np.ones(S) / S, size=(S, A)) / 4  # quarters: sums in any order are exact
    return DiscountedMDP(P, rng.integers(0, 9, (S, A)) / 8, 0.5)


def test_operators_agree_with_the_dense_model():
    mdp = dense()
    sparse = SparseMDP.of(mdp)
    v, π = np.arange(6.0), np.random.default_rng(1).multinomial(8, np.ones(3) / 3, size=6) / 8
    assert (sparse.action_values(v) == mdp.action_values(v)).all()
    assert (sparse.expected_next(v) == mdp.expected_next(v)).all()
    assert (sparse.bellman(v) == mdp.bellman(v)).all()
    P, r = sparse.under(π)
    assert (P.toarray() == mdp.under(π)[0]).all()
    assert (r == mdp.under(π)[1]).all()
    action = π.argmax(axis=-1)
    P, r = sparse.under_actions(action)
    assert (P.toarray() == mdp.P[np.arange(6), action]).all()
    assert (r == mdp.r[np.arange(6), action]).all()
    assert (sparse.row_sums == 1).all()
    assert sparse.successors == (mdp.P > 0).sum(axis=-1).max()
    assert (sparse.S, sparse.A, sparse.batch, sparse.γ(2)) == (6, 3, (), 0.5)


def test_there_and_back_again():
    mdp = dense(2)
    back = SparseMDP.of(mdp).dense()
    assert (back.P == mdp.P).all()
    assert (back.r == mdp.r).all()
    assert (back.start == mdp.start).all()
    assert (SparseMDP.of(mdp.exact()).dense().P == mdp.P).all()


def test_any_scipy_format_is_taken():
    mdp = dense(3)
    assert (SparseMDP(coo_matrix(mdp.P.reshape(18, 6)), mdp.r, 0.5).dense().P == mdp.P).all()


def test_a_batch_is_refused():
    with pytest.raises(ModelError, match=r"batch of shape \(2,\)"):
        SparseMDP.of(DiscountedMDP(np.ones((2, 1, 1, 1)), np.zeros((2, 1, 1)), 0.5))


P = csr_array(np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0], [0.25, 0.75]]))
R = np.zeros((2, 2))


def changed(data):
    out = P.copy()
    out.data[:] = data
    return out


@pytest.mark.parametrize(
    ("P", "r", "discount", "start", "message"),
    [
        (P.toarray(), R, 0.5, None, "P is a ndarray; a sparse model has a scipy.sparse matrix"),
        (P, np.zeros((2, 3)), 0.5, None, r"P has shape \(4, 2\) and r \(2, 3\)"),
        (changed([1, 0.5, 0.5, 1, -0.25, 1.25]), R, 0.5, None, r"P\[1, 1, 0\] is -0.25"),
        (changed([1, np.nan, 0.5, 1, 0.25, 0.75]), R, 0.5, None, r"P\[0, 1, 0\] is nan"),
        (changed([1, 0.5, 0.75, 1, 0.25, 0.75]), R, 0.5, None, r"P\[0, 1\] sums to 1.25"),
        (P, np.array([[0, np.inf], [0, 0]]), 0.5, None, r"r\[0, 1\] is inf"),
        (P, R, 1.0, None, "discount is 1.0"),
        (P, R, np.nan, None, "discount is nan"),
        (P, R, 0.5, np.ones(3) / 3, r"start has shape \(3,\)"),
        (P, R, 0.5, np.array([1.5, -0.5]), r"start\[1\] is -0.5"),
        (P, R, 0.5, np.array([0.5, 0.75]), "start sums to 1.25"),
    ],
)
def test_a_wrong_model_is_refused_in_one_sentence(P, r, discount, start, message):
    with pytest.raises(ModelError, match=message):
        SparseMDP(P, r, discount, start)
