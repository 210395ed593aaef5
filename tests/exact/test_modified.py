"""Modified policy iteration is right out of the box, also where the discount is close to one."""

import sys
from itertools import islice

import numpy as np
import pytest
from scipy.sparse import csr_array

from mdplab.arrays import floats, rational
from mdplab.exact import gap, optimum
from mdplab.exact.modified import bounds, modified_policy_iteration, settled
from mdplab.models import SparseMDP


def garnet(S, A, b, discount, seed=0, reach=None):
    """Random successors with random weights; with `reach` they lie within that distance on a ring: slow mixing."""
    rng = np.random.default_rng(seed)
    near = rng.integers(-reach, reach + 1, (S, A, b)) if reach else rng.integers(0, S, (S, A, b))
    successors = (np.arange(S)[:, None, None] + near) % S
    weights = rng.multinomial(64, np.ones(b) / b, size=S * A) / 64
    P = csr_array((weights.reshape(-1), successors.reshape(-1), np.arange(0, S * A * b + 1, b)), shape=(S * A, S))
    P.sum_duplicates()
    return SparseMDP(P, rng.integers(0, 1025, (S, A)) / 1024, discount)


def modified(mdp):
    v, q = next((v, q) for v, q in modified_policy_iteration(mdp) if settled(mdp, v, q))
    return v, *bounds(mdp, v, q), q.argmax(axis=-1)


@pytest.mark.parametrize("reach", [None, 3])
@pytest.mark.parametrize("discount", [0.0, 0.9, 0.95, 0.99, 0.999])
def test_bounds_are_narrow_and_hold(discount, reach):
    """Of four peers' defaults three are wrong on such models by 1e-4 to 98 %; policy iteration has its own bounds."""
    mdp = garnet(200, 4, 5, discount, reach=reach)
    best = optimum(mdp.dense())  # by policy iteration, with bounds of its own
    v, low, high, action = modified(mdp)
    assert (low <= best.high).all()
    assert (best.low <= high).all()
    assert abs(v - best.v).max() <= 1e-9 * best.v.max()  # the iterates are near V*, not only up to a constant
    assert (high - low).max() <= 2e-10 * best.v.max()  # the accuracy promised, and the rounding it counts in
    assert ((action == best.action) | (np.take_along_axis(best.loss, action[:, None], 1)[:, 0] == 0)).all()


def test_bounds_count_their_own_rounding():
    """From values as good as float64 has them the bounds are all rounding; they are compared with exact values."""
    for seed in range(20):
        mdp = garnet(8, 3, 4, 63 / 64, seed)
        exact = optimum(mdp.dense().exact()).v
        v = floats(exact)
        low, high = bounds(mdp, v, mdp.action_values(v))
        assert (rational(low) <= exact).all()
        assert (exact <= rational(high)).all()


def test_small_models_are_solved_as_dense_ones():
    mdp = garnet(60, 3, 4, 0.95)
    assert (optimum(mdp).v == optimum(mdp.dense()).v).all()


def test_large_dense_models_go_the_same_way(monkeypatch):
    mdp = garnet(600, 2, 5, 0.95)
    monkeypatch.setattr(sys.modules["mdplab.exact.optimum"], "LARGE", 599)  # the package's name is the function's
    assert (optimum(mdp.dense()).v == optimum(mdp).v).all()


def test_the_optimum_of_a_large_model_has_a_certificate_and_consistent_losses():
    mdp = garnet(20_000, 4, 5, 0.99)
    best = optimum(mdp)
    assert (best.high - best.low).max() <= 2e-10 * best.v.max()
    at = np.take_along_axis(best.loss, best.action[:, None], axis=-1)
    assert (at == 0).all()
    assert (best.loss >= 0).all()
    assert (best.low <= best.v).all()
    assert (best.v <= best.high).all()
    # An independent residual: V* lies between v + least and v + most change of one backup over 1 − γ.
    change = mdp.bellman(best.v) - best.v
    assert abs(change).max() / (1 - 0.99) <= (best.high - best.low).max()


def test_a_few_improvements_are_enough():
    """Value iteration with the usual stop rule would back up 2,000 times at γ = 0.99."""
    mdp = garnet(5_000, 4, 5, 0.99)
    assert any(settled(mdp, v, q) for v, q in islice(modified_policy_iteration(mdp), 20))


def test_gaps_of_sparse_models_agree_with_dense_ones():
    mdp = garnet(520, 3, 4, 0.95)
    π = np.random.default_rng(1).dirichlet(np.ones(3), size=520)
    sparse, dense = optimum(mdp), optimum(mdp.dense())
    # The losses differ by the width of the bounds, 1e-10 of the values.
    assert abs(gap(mdp, π, sparse) - gap(mdp.dense(), π, dense)) <= 1e-10 * dense.v.max() / (1 - 0.95)
