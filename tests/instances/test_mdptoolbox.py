"""Every form that MDPToolbox accepts gives the same model."""

import numpy as np
import pytest
import scipy.sparse

from mdplab.errors import InstanceError, ModelError
from mdplab.exact import optimum
from mdplab.instances import families, from_mdptoolbox


@pytest.fixture
def mdp():
    return families.garnet(np.random.default_rng(0), 1, S=4, A=3, b=2, discount=0.9)[0]


def test_dense_sparse_and_object_forms_agree(mdp):
    stack = np.ascontiguousarray(mdp.P.transpose(1, 0, 2))
    objects = np.empty(3, dtype=object)
    objects[:] = [scipy.sparse.csr_matrix(m) for m in stack]
    for P in (stack, list(stack), tuple(scipy.sparse.csr_array(m) for m in stack), objects):
        for R in (mdp.r, scipy.sparse.csr_matrix(mdp.r)):
            found = from_mdptoolbox(P, R, 0.9)
            assert (found.P == mdp.P).all()
            assert (found.r == mdp.r).all()
            assert (found.start == 0.25).all()


def test_rewards_of_transitions_are_averaged(mdp):
    """By a loop over all transitions; four products and three sums a pair."""
    stack = mdp.P.transpose(1, 0, 2)
    R = np.random.default_rng(1).normal(size=(3, 4, 4))
    expected = [[sum(stack[a, s, t] * R[a, s, t] for t in range(4)) for a in range(3)] for s in range(4)]
    for form in (R, list(R), [scipy.sparse.csr_matrix(m) for m in R]):
        np.testing.assert_allclose(from_mdptoolbox(stack, form, 0.9).r, expected, rtol=0, atol=8 * 2.3e-16 * 4)


def test_rewards_of_states_count_for_every_action(mdp):
    r = from_mdptoolbox(mdp.P.transpose(1, 0, 2), np.arange(4.0), 0.9).r
    assert r.tolist() == [[s] * 3 for s in range(4)]


def test_the_forest_of_the_toolbox_has_its_known_policy():
    """MDPToolbox's `forest()`: S = 3, waiting pays 4 in the oldest stage, cutting pays 1 and 2, fire with p = 0.1."""
    P = [[[0.1, 0.9, 0], [0.1, 0, 0.9], [0.1, 0, 0.9]], [[1, 0, 0]] * 3]
    found = optimum(from_mdptoolbox(P, [[0, 0], [0, 1], [4, 2]], 0.9))
    assert found.action.tolist() == [0, 0, 0]
    np.testing.assert_allclose(found.v, [26.244, 29.484, 33.484], atol=5e-4)  # as its documentation prints them


@pytest.mark.parametrize(
    ("P", "R", "message"),
    [
        (np.ones((2, 2)), np.ones(2), r"P holds a ndarray of shape \(2, 2\); expected one square matrix"),
        ([np.eye(2), np.eye(3)], np.ones(2), r"P holds matrices of shapes \[\(2, 2\), \(3, 3\)\]"),
        ([np.eye(2)], np.ones(3), r"R has shape \(3,\); expected \(S,\), \(S, A\) or \(A, S, S\) with S=2 and A=1"),
        ([np.eye(2)], np.ones((2, 2, 2)), r"R has shape \(2, 2, 2\); expected"),
    ],
)
def test_wrong_shapes_are_named(P, R, message):
    with pytest.raises(InstanceError, match=message):
        from_mdptoolbox(P, R, 0.9)


def test_rows_that_are_no_distributions_are_refused():
    with pytest.raises(ModelError, match=r"P\[1, 0\] sums to 0.5"):
        from_mdptoolbox([[[1, 0], [0, 0.5]]], np.ones(2), 0.9)
