"""Optimal values against every deterministic policy, a linear program and another library, and their certificates."""

import sys
import warnings
from itertools import product

import array_api_strict
import numpy as np
import pytest

from mdplab.arrays import ball, one_hot, precision, rational
from mdplab.exact import optimum, values
from mdplab.models import DiscountedMDP, bandit


def best_of_all(mdp):
    """V*, as the entrywise largest value over all deterministic policies."""
    policies = [one_hot(np.array(choice), mdp.A, mdp.r) for choice in product(range(mdp.A), repeat=mdp.S)]
    return np.max([values(mdp, π) for π in policies], axis=0)


@pytest.mark.parametrize("seed", range(5))
def test_exact_optimal_values_are_the_best_of_all_policies(draw, seed):
    mdp = draw(seed, S=3, A=3).exact()
    best = optimum(mdp)
    assert (best.v == best_of_all(mdp)).all()
    assert (best.v == mdp.bellman(best.v)).all()
    assert (best.low == best.v).all()
    assert (best.high == best.v).all()
    assert (best.q == mdp.action_values(best.v)).all()
    assert (best.loss == best.v[:, None] - best.q).all()


@pytest.mark.parametrize("batch", [(), (5,), (2, 3)])
def test_float_optima_agree_with_exact_ones_and_are_enclosed(draw, batch):
    """The bounds are compared in rationals: they must hold to the last bit, not up to a tolerance."""
    discount = np.random.default_rng(1).integers(0, 64, size=batch) / 64 if batch else 63 / 64
    mdp = draw(10, batch, S=8, A=4, discount=discount, b=8)
    best, exact = optimum(mdp), optimum(mdp.exact())
    assert (rational(best.low) <= exact.v).all()
    assert (exact.v <= rational(best.high)).all()
    assert (best.low <= best.v).all()
    assert (best.v <= best.high).all()
    assert (best.action == exact.action).all()
    # Residuals of 17 roundings of numbers up to 3 · 64, twice, times 64: below 2 · 17 · 2^-53 · 192 · 64.
    assert (best.high - best.low).max() <= 2 * 17 * 2**-53 * 192 * 64 * 1.01
    assert ((best.loss == 0) == (exact.loss == 0)).all()


def test_the_certificate_is_confirmed_by_an_independent_residual(draw):
    """T low >= low makes low a lower bound and T high <= high an upper one: in rationals, from the bounds alone."""
    mdp = draw(11, (4,), S=6, discount=np.array([0.5, 0.875, 63 / 64, 0.0]))
    best, exact = optimum(mdp), mdp.exact()
    low, high = rational(best.low), rational(best.high)
    assert (exact.bellman(low) >= low).all()
    assert (exact.bellman(high) <= high).all()


def test_v_equals_q_where_the_policy_acts_and_no_loss_is_negative(draw):
    best = optimum(draw(12, (50,), S=6, A=4, b=4))
    assert (best.loss >= 0).all()
    at = np.take_along_axis(best.loss, best.action[..., None], axis=-1)
    assert (at == 0).all()
    assert (np.take_along_axis(best.q, best.action[..., None], axis=-1)[..., 0] == best.v).all()
    assert (best.policy.sum(axis=-1) == 1).all()


@pytest.mark.parametrize("arithmetic", ["float64", "rationals"])
def test_among_ties_the_lowest_action_is_named(arithmetic):
    """States come in pairs of equal rows.  Action 0 goes to the second of a pair where action 2 goes to the first.

    So the two tie, though their sums are rounded differently; action 1 is worse.
    """
    rng = np.random.default_rng(0)
    P = rational(np.zeros((30, 5, 3, 10), dtype=int))
    P[..., :5] = rational(rng.multinomial(7, np.ones(5) / 5, size=(30, 5, 3))) / 7
    P[..., 0, 5:], P[..., 0, :5] = P[..., 2, :5] / 3, P[..., 2, :5] * 2 / 3
    r = rational(rng.integers(0, 4, size=(30, 5, 3))) / 3
    r[..., 0], r[..., 1] = r[..., 2], -100
    mdp = DiscountedMDP(np.concatenate([P, P], axis=-3), np.concatenate([r, r], axis=-2), rational("99/100")[()])
    best = optimum(mdp if arithmetic == "rationals" else mdp.floats())
    assert (best.action == 0).all()
    assert (best.loss[..., 2] == 0).all()
    assert not best.unique.any()
    assert (best.action_gap == 0).all()


def test_exact_models_are_solved_beyond_the_resolution_of_floats():
    """Arms that float64 cannot tell apart, in one state that returns to itself, γ = 1/2: V* = 2 (1/3 + 10^-30)."""
    r = rational([["1/3", "1/3", "1/3"]])
    r[0, 1] += rational("1e-30")[()]
    best = optimum(DiscountedMDP(rational(np.ones((1, 3, 1), dtype=int)), r, rational("1/2")[()]))
    assert best.action.tolist() == [1]
    assert best.v[0] == 2 * r[0, 1]
    assert best.action_gap == rational("1e-30")[()]


def test_rounding_that_looks_like_improvement_ends_too(draw, monkeypatch):
    """Without any slack the strict growth of the sum of values alone must end policy iteration."""
    monkeypatch.setattr(sys.modules["mdplab.exact.optimum"], "_slack", lambda mdp, v: 0 * v[..., 0])
    rng = np.random.default_rng(0)
    P = np.tile(rng.dirichlet(np.ones(6), size=(200, 6, 1)), (1, 1, 4, 1))
    P = np.stack([P[:, :, a][..., np.roll(np.arange(6), a)] for a in range(4)], axis=2)
    best = optimum(DiscountedMDP(P, np.full((200, 6, 4), 1 / 3), 0.999))
    assert abs(best.v - 1000 / 3).max() <= 1e-9  # 6 S u · 2000 · 333 is 3e-9; sums of probabilities err by less


def test_ties_between_different_actions_do_not_make_policy_iteration_go_round_in_circles():
    """A ring where both directions lead to the same place in the same time: every action of every state ties."""
    S = 12
    P = np.zeros((S, 2, S))
    P[np.arange(S), 0, (np.arange(S) + 1) % S] = 1
    P[np.arange(S), 1, (np.arange(S) - 1) % S] = 1
    for γ in (0.1, 0.9, 0.999, 0.99999):
        best = optimum(DiscountedMDP(P, np.full((S, 2), 1 / 3), γ))
        assert (best.action == 0).all()
        assert (best.loss == 0).all()


def test_the_action_gap_is_the_smallest_loss_of_an_action_not_chosen(draw):
    mdp = draw(13, (6,), A=4)
    for best in (optimum(mdp), optimum(mdp.exact())):
        for i in range(6):
            losses = [best.loss[i, s, a] for s, a in product(range(4), repeat=2) if a != best.action[i, s]]
            assert best.action_gap[i] == min(losses)
            assert best.unique[i] == (min(losses) > 0)


def test_the_action_gap_is_infinite_with_one_action(draw):
    assert optimum(draw(14, A=1)).action_gap == np.inf
    assert optimum(draw(14, A=1).exact()).action_gap == np.inf
    assert bool(optimum(draw(14, A=1).exact()).unique)


def test_the_best_arm_is_the_largest_mean():
    best = optimum(bandit(rational([["1/3", "1/2", "1/2"], [1, 0, -1]])))
    assert best.action.tolist() == [[1], [0]]
    assert (best.loss[:, 0] == rational([["1/6", 0, 0], [0, 1, 2]])).all()


@pytest.mark.parametrize("bits", [53, 200])
def test_balls_enclose_the_exact_optimum(draw, bits):
    before = precision(), precision(bits)
    try:
        mdp = draw(15, (3,)).exact()
        wide = mdp.map(lambda x: ball(x) if np.ndim(x) == 0 else np.vectorize(ball, otypes=[object])(x))
        best, exact = optimum(wide), optimum(mdp)
        for of_balls, true in ((best.v, exact.v), (best.q, exact.q), (best.loss, exact.loss)):
            assert all(ball(x).contains(y) for x, y in zip(of_balls.flat, true.flat, strict=True))
            assert all(float(ball(x).rad()) <= 2.0 ** (12 - bits) for x in of_balls.flat)
        assert (best.action == exact.action).all()
        assert all(x <= ball(y) <= z for x, y, z in zip(best.low.flat, exact.v.flat, best.high.flat, strict=True))
    finally:
        precision(before[0])


def test_in_balls_an_undecided_tie_is_not_called_a_loss_of_zero():
    """Two arms of mean 1/3, one of them a ball: neither is certainly the better one."""
    arms = bandit(np.array([ball(rational("1/3")[()]), rational("1/3")[()]], dtype=object))
    best = optimum(arms)
    assert not best.unique
    assert all(ball(x).contains(0) for x in best.loss.flat)


def test_balls_as_wide_as_the_difference_of_two_actions_enclose_every_optimum():
    """One state, γ = 9/10: action 0 pays 1/3 ± 1e-10 and action 1 pays 1/3 + 5e-11, so either may be optimal."""
    import flint

    third, γ = rational("1/3")[()], rational("9/10")[()]
    unknown = ball(third) + flint.arb(0, 1e-10)
    r = np.array([[unknown, third + rational("5e-11")[()]]], dtype=object)
    best = optimum(DiscountedMDP(rational(np.ones((1, 2, 1), dtype=int)), r, γ))
    for shift in ("-9e-11", "9e-11"):
        first = third + rational(shift)[()]
        true = optimum(DiscountedMDP(rational(np.ones((1, 2, 1), dtype=int)), np.array([[first, r[0, 1]]]), γ))
        assert best.low[0] <= true.v[0] <= best.high[0]
        assert best.v[0].contains(true.v[0])
        assert all(x.contains(y) for x, y in zip(best.loss[0], true.loss[0], strict=True))
        assert all(x.contains(y) for x, y in zip(best.q[0], true.q[0], strict=True))


def test_quantecon_finds_the_same_values(draw):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from quantecon.markov import DiscreteDP
    for seed in range(3):
        mdp = draw(20 + seed, S=10, A=4, discount=0.96875)
        best = optimum(mdp)
        theirs = DiscreteDP(mdp.r, mdp.P, mdp.discount).solve(method="policy_iteration")
        # Both solve by LU a system of condition number 63 and values up to 32: 6 S u · 63 · 32 each.
        assert abs(theirs.v - best.v).max() <= 2 * 6 * 10 * 2**-53 * 63 * 32
        assert (theirs.sigma == best.action).all()


def test_cvxpy_finds_the_same_values(draw):
    cvxpy = pytest.importorskip("cvxpy")
    mdp = draw(30, S=6)
    v = cvxpy.Variable(6)
    constraints = [v >= mdp.r[:, a] + mdp.discount * (mdp.P[:, a] @ v) for a in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cvxpy.Problem(cvxpy.Minimize(cvxpy.sum(v)), constraints).solve(solver="CLARABEL")
    # The interior-point method stops at relative gaps of 1e-8 of an objective of up to 48.
    assert abs(v.value - optimum(mdp).v).max() <= 1e-6


def test_any_array_namespace_will_do(draw):
    mdp = draw(31, (3,), b=6)
    strict = optimum(mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x)))
    best = optimum(mdp)
    assert (np.asarray(strict.action) == best.action).all()
    assert abs(np.asarray(strict.v) - best.v).max() <= 1e-13  # values up to 8, solves that differ in no operation
    assert (np.asarray(strict.low) <= best.high).all()
    assert (np.asarray(strict.unique) == best.unique).all()
    assert np.asarray(strict.policy).shape == (3, 4, 3)
