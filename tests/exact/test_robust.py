"""Worst-case responses against linear and cone programs, optima against enumeration, and numbers done by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog

from mdplab.arrays import floats, log, precision, rational, rational_number, total
from mdplab.errors import MdplabError
from mdplab.exact.robust import (
    kernel_cost_gradient,
    kernel_values,
    policy_cost_gradient,
    robust_backup,
    robust_bellman,
    robust_optimum,
    robust_values,
    tilted_gradient,
    tilted_kernel,
    worst_action_values,
    worst_case,
)
from mdplab.exact.robust.certified import chi_square_certified, kl_certified
from mdplab.instances.robust import (
    BY_PAIR,
    DIVERGENCES,
    RECTANGULAR,
    best_of_two_kernels,
    early_stop,
    random_is_best,
    robust_garnet,
    robust_models,
    trapped_policy,
    two_kernels,
)
from mdplab.models import Box, ChiSquareBall, KLBall, RobustMDP, Segments

LP = 1e-7  # HiGHS holds each constraint to 1e-7, and costs here are at most 1 + γ max v


def garnet(name: str, size: int = 12, **options) -> RobustMDP:
    options = {"S": 4, "A": 2} | options
    return robust_garnet(np.random.default_rng([len(name), size]), size, set=name, **options)


def worst_by_program(mdp: RobustMDP, s: int, a: int, z: np.ndarray) -> float:
    """max p·z for one pair by HiGHS, from the definition of the set alone."""
    u, P, n = mdp.ambiguity, mdp.P[s, a], mdp.S
    kind, one, I = type(u).__name__, np.ones((1, n)), np.eye(n)  # noqa: E741
    upper = np.where(P > 0, 1.0, 0.0)
    if kind in ("LInfBall", "Box"):
        κ = u.budget[s, a] if kind == "LInfBall" else 0
        low = np.maximum(P - κ, 0) if kind == "LInfBall" else u.low[s, a]
        high = np.minimum(P + κ, upper) if kind == "LInfBall" else u.high[s, a]
        found = linprog(-z, A_eq=one, b_eq=[1], bounds=list(zip(low, high, strict=True)))
    elif kind == "L1Ball":  # p, then |p − P|
        A_ub = np.block([[I, -I], [-I, -I], [0 * one, one]])
        bounds = [(0, h) for h in upper] + [(0, None)] * n
        b_ub = np.concatenate([P, -P, [u.budget[s, a]]])
        found = linprog(np.concatenate([-z, 0 * z]), A_ub, b_ub, np.block([[one, 0 * one]]), [1], bounds)
    elif kind == "WassersteinBall":  # a transport plan from P
        rows = np.kron(I, one)
        found = linprog(-np.tile(z, n), u.distance.reshape(1, -1), [u.budget[s, a]], rows, P, (0, None))
    else:  # segments: one u in [0, 1]
        gain = (u.other[s, a] - P) @ z
        return float(P @ z + max(gain, 0))
    return -float(found.fun)


@pytest.mark.parametrize("name", BY_PAIR)
def test_the_worst_kernel_of_a_pair_is_the_solution_of_a_linear_program(name):
    mdps = garnet(name)
    v = np.random.default_rng(3).normal(size=(12, 4))
    q = worst_action_values(mdps, v)
    for i, s, a in product(range(12), range(4), range(2)):
        mdp = mdps[i]
        assert q[i, s, a] == pytest.approx(worst_by_program(mdp, s, a, mdp.targets(v[i])[s, a]), abs=3 * LP)


@pytest.mark.parametrize("kind", [KLBall, ChiSquareBall])
def test_the_worst_kernel_of_a_divergence_ball_is_the_solution_of_a_cone_program(kind):
    cp = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(7)
    P = rng.dirichlet(np.ones(4), (4, 2))  # rows that the solver's tolerance can tell from zero
    P[1, :, 2] = 0
    P /= P.sum(axis=-1, keepdims=True)
    mdp = RobustMDP(P, rng.random((4, 2, 4)), 0.9, kind(np.array([[0.02, 0.05], [0.1, 0.3], [0.6, 1.0], [2.0, 9.0]])))
    v = np.array([0.3, 1.0, -0.5, 2.0])
    q, z = worst_action_values(mdp, v), mdp.targets(v)
    for s, a in product(range(4), range(2)):
        P = mdp.P[s, a]
        inside = P > 0
        p, nominal = cp.Variable(int(inside.sum())), P[inside]
        far = cp.sum(cp.kl_div(p, nominal)) if kind is KLBall else cp.sum(cp.square(p - nominal) / nominal)
        found = cp.Problem(
            cp.Maximize(z[s, a][inside] @ p), [cp.sum(p) == 1, p >= 0, far <= mdp.ambiguity.budget[s, a]]
        ).solve(solver=cp.CLARABEL)
        # Clarabel closes gaps to 1e-8; at a budget of 1/50 the cost changes by at most 1 / sqrt(2 κ) = 5 times as much.
        assert q[s, a] == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_balls_around_a_worst_value_hold_it_and_shrink_with_the_precision(name):
    mdp = garnet(name)[1]
    v = np.random.default_rng(2).normal(size=4)
    q, before = worst_action_values(mdp, v), precision()
    try:
        for bits in (64, 200):
            precision(bits)
            enclosed = worst_action_values(mdp.exact(), rational(v))
            assert (abs(floats(enclosed) - q) <= 1e-13).all()
            assert all(y.rad() < 2.0 ** (16 - bits) for y in enclosed.flat if hasattr(y, "rad"))
            optimum = robust_optimum(mdp.exact())
            assert (abs(floats(optimum.v) - robust_optimum(mdp).v) <= mdp.rounding[1]).all()
            assert all(y.rad() < 2.0 ** (48 - bits) for y in optimum.v if hasattr(y, "rad"))
    finally:
        precision(before)


@pytest.mark.parametrize(("respond", "name"), [(kl_certified, "KLBall"), (chi_square_certified, "ChiSquareBall")])
def test_certified_kernels_are_rational_and_in_the_ball(respond, name):
    mdp = garnet(name)[3].exact()
    z = mdp.targets(rational([0, 1, "1/2", "-1/3"]))
    p, lack = respond(mdp.P, z, mdp.ambiguity.budget)
    assert (total(p) == 1).all()
    assert (p >= 0).all()
    assert (lack >= 0).all()
    assert ((p == 0) | (mdp.P > 0)).all()
    inside = np.where(mdp.P > 0, mdp.P, 1)
    if name == "ChiSquareBall":
        assert (total((p - mdp.P) ** 2 / inside) <= mdp.ambiguity.budget).all()
    else:
        spent = total(p * log(np.where(p > 0, p / inside, rational(1)[()])))
        assert not (spent > mdp.ambiguity.budget).any()


def test_worst_values_of_divergence_balls_by_hand():
    P, z = rational([["1/2", "1/2"]]), rational([[0, 1]])
    # χ² of (1/2 − x, 1/2 + x) is 4x²: a budget of 1/4 buys x = 1/4, and one of 1 or more everything.
    p, lack = chi_square_certified(P, z, rational(["1/4"]))
    assert total(p * z)[0] <= rational_number("3/4") <= total(p * z)[0] + lack[0]
    assert (chi_square_certified(P, z, rational([1]))[0] == rational([[0, 1]])).all()
    # Everything costs log 2 = 0.6931... nats of a Kullback–Leibler budget; none buys nothing.
    assert (kl_certified(P, z, rational(["7/10"]))[0] == rational([[0, 1]])).all()
    assert total(kl_certified(P, z, rational(["69/100"]))[0] * z)[0] < 1
    assert (kl_certified(P, z, rational([0]))[0] == P).all()


def test_the_value_of_a_state_that_shares_its_budget_is_the_solution_of_a_linear_program():
    mdps = garnet("StateL1Ball", A=3, S=3)
    v = np.random.default_rng(5).normal(size=(12, 3))
    Tv, policy = robust_bellman(mdps, v)
    np.testing.assert_allclose(robust_backup(mdps, v, policy), Tv, rtol=0, atol=1e-13 * 100)  # values up to 100
    for i, s in product(range(12), range(3)):
        mdp, n = mdps[i], 9
        P, z = mdp.P[s].reshape(-1), mdp.targets(v[i])[s].reshape(-1)
        I, rows = np.eye(n), np.kron(np.eye(3), np.ones((1, 3)))  # noqa: E741
        # p, |p − P| and the least cost u, to be made large (by the minimax theorem).
        A_ub = np.block(
            [
                [I, -I, np.zeros((n, 1))],
                [-I, -I, np.zeros((n, 1))],
                [np.zeros((1, n)), np.ones((1, n)), np.zeros((1, 1))],
                [-rows * z, np.zeros((3, n)), np.ones((3, 1))],
            ]
        )
        b_ub = np.concatenate([P, -P, [mdp.ambiguity.budget[s]], np.zeros(3)])
        bounds = [(0, 1 if p > 0 else 0) for p in P] + [(0, None)] * n + [(None, None)]
        A_eq = np.hstack([rows, np.zeros((3, n + 1))])
        found = linprog([0] * 2 * n + [-1], A_ub, b_ub, A_eq, np.ones(3), bounds)
        assert Tv[i, s] == pytest.approx(-found.fun, abs=5 * LP)


@settings(max_examples=25, deadline=None)
@given(robust_models(("Segments",), max_states=2))
def test_a_robust_optimum_is_the_best_of_all_policies_against_the_worst_of_all_extreme_kernels(mdp):
    best = None
    for actions in product(range(mdp.A), repeat=mdp.S):
        π = rational(np.eye(mdp.A, dtype=int)[list(actions)])
        worst = None
        for choice in product((0, 1), repeat=mdp.S * mdp.A):
            mask = np.array(choice).reshape(mdp.S, mdp.A, 1)
            v = kernel_values(mdp, π, np.where(mask, mdp.ambiguity.other, mdp.P))
            worst = v if worst is None else np.maximum(worst, v)
        best = worst if best is None else np.minimum(best, worst)
    found = robust_optimum(mdp)
    assert (found.v == best).all()
    assert (robust_values(mdp, found.policy) == best).all()


@pytest.mark.parametrize("name", [*RECTANGULAR, "KLBall", "ChiSquareBall"])
def test_the_certificate_holds_the_optimum_and_the_policy_attains_it(name):
    mdps = garnet(name)
    found = robust_optimum(mdps)
    Tv, _ = robust_bellman(mdps, found.v)
    _, slack = mdps.rounding
    assert (abs(Tv - found.v) <= slack[:, None]).all()
    assert ((found.low <= found.v) & (found.v <= found.high)).all()
    assert (found.high - found.low <= 1e-6).all()
    assert (abs(robust_values(mdps, found.policy) - found.v) <= slack[:, None]).all()


@pytest.mark.parametrize("name", RECTANGULAR)
def test_float64_and_exact_optima_agree(name):
    mdp = garnet(name)[0]
    exact, rounded = robust_optimum(mdp.exact()), robust_optimum(mdp)
    _, slack = mdp.rounding
    assert (abs(floats(exact.v) - rounded.v) <= slack).all()


def test_balls_around_an_s_rectangular_optimum_shrink_with_the_precision():
    mdp = garnet("StateL1Ball")[1].exact()
    before = precision()
    try:
        precision(400)
        v = robust_optimum(mdp).v
        assert all(y.rad() < 2**-380 for y in v if hasattr(y, "rad"))
    finally:
        precision(before)


def test_an_interval_model_agrees_with_the_fixed_point_of_linear_programs():
    mdp = garnet("Box")[2]
    v = robust_optimum(mdp).v
    again = [min(worst_by_program(mdp, s, a, mdp.targets(v)[s, a]) for a in range(mdp.A)) for s in range(mdp.S)]
    np.testing.assert_allclose(again, v, rtol=0, atol=3 * LP)


def test_gradients_agree_with_differences_quotients():
    mdp = garnet("Segments", discount=0.9)[0]
    rng = np.random.default_rng(0)
    π, p = rng.dirichlet(np.ones(2), 4), rng.dirichlet(np.ones(4), (4, 2))
    h = 1e-6  # central differences err by h² J''' and rounding / h, both near 1e-8 at values of 10

    def cost(π, p):
        return float(mdp.start @ kernel_values(mdp, π, p))

    for gradient, at in ((policy_cost_gradient(mdp, π, p), 0), (kernel_cost_gradient(mdp, π, p), 1)):
        for index in np.ndindex(gradient.shape):
            step = np.zeros(gradient.shape)
            step[index] = h
            ahead = cost(π + step, p) if at == 0 else cost(π, p + step)
            behind = cost(π - step, p) if at == 0 else cost(π, p - step)
            assert gradient[index] == pytest.approx((ahead - behind) / (2 * h), abs=1e-6)


def test_the_gradient_in_the_parameters_agrees_with_difference_quotients():
    mdp = garnet("TiltedKernels", discount=0.5, b=0)[0]
    π = np.full((4, 2), 0.5)
    θ, λ = mdp.ambiguity.θ_centre, mdp.ambiguity.λ_centre
    for_θ, for_λ = tilted_gradient(mdp, π, θ, λ)
    h = 1e-6

    def cost(θ, λ):
        return float(mdp.start @ kernel_values(mdp, π, tilted_kernel(mdp, θ, λ)))

    for i in range(2):
        e = h * np.eye(2)[i]
        assert for_θ[i] == pytest.approx((cost(θ + e, λ) - cost(θ - e, λ)) / (2 * h), abs=1e-7)
        assert for_λ[i] == pytest.approx((cost(θ, λ + e) - cost(θ, λ - e)) / (2 * h), abs=1e-7)


def test_a_shared_budget_makes_the_best_policy_random():
    best = robust_optimum(random_is_best())
    assert best.v[0] == rational("51/80")
    assert (best.policy[0] == rational(["3/4", "1/4"])).all()


def test_two_kernels_trap_a_policy_that_costs_three_times_the_least():
    mdp = two_kernels()
    assert float(floats(worst_case(mdp, best_of_two_kernels()).cost)) == pytest.approx(0.1891, abs=1e-12)
    assert float(floats(worst_case(mdp, trapped_policy()).cost)) == pytest.approx(0.5770, abs=1e-4)
    with pytest.raises(MdplabError, match="not rectangular"):
        robust_optimum(mdp)


def test_early_stop_costs_23_fifths_at_best():
    mdp = early_stop()
    assert total(mdp.start * robust_optimum(mdp).v) == rational("23/5")


def test_without_ambiguity_the_optimum_is_that_of_the_nominal_model():
    from mdplab.exact import optimum

    mdp = garnet("L1Ball")[0]
    alone = mdp.with_ambiguity(Segments(mdp.P))
    np.testing.assert_allclose(robust_optimum(alone).v, -optimum(mdp.under_kernel(mdp.P)).v, rtol=1e-12)


def test_a_box_that_lost_its_kernel_to_rounding_holds_it_again_in_rationals():
    P = np.array([[[0.1, 0.9]], [[0.3, 0.7]]])
    mdp = RobustMDP(P, np.ones((2, 1)), 0.5, Box(P, P)).exact()
    assert ((mdp.ambiguity.low <= mdp.P) & (mdp.ambiguity.high >= mdp.P)).all()
    assert (robust_optimum(mdp).v == 2).all()
