"""The occupancy program, its dual, and all deterministic policies agree on what constraints cost."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings

from mdplab.arrays import rational, rational_number, total
from mdplab.errors import MdplabError
from mdplab.exact import (
    constrained_optimum,
    dual_function,
    occupancy_measure,
    optimum,
    payoff_action_values,
    payoff_values,
    payoffs_at_start,
    policy_of,
    slack,
    slater,
    values,
)
from mdplab.exact.constrained_optimum import solution
from mdplab.instances import constrained_mdps, crossing, opposed_arms, paradox, two_constraints
from mdplab.instances.constrained import constrained_garnet
from mdplab.models import ConstrainedMDP

ONE = constrained_mdps().draw()
SEVERAL = constrained_mdps(constraints=(1, 2)).draw()


def test_two_opposed_arms_by_hand():
    """γ = 1/2, V_u >= 1/2: a quarter of the pulls go to the second arm, the value is 2 · 3/4, and λ* = 1."""
    cmdp = opposed_arms("1/2", "1/2")
    best = constrained_optimum(cmdp)
    assert best.value == rational_number("3/2")
    assert (best.policy == rational([["3/4", "1/4"]])).all()
    assert best.multipliers[0] == 1
    assert slater(cmdp) == rational_number("3/2")


def test_the_paradox_by_hand():
    """Half of the most, 1/2 · 10; at λ* = 1 nothing is left to gain, so V = 0 everywhere."""
    best = constrained_optimum(paradox())
    assert best.value == 5
    assert best.multipliers[0] == 1
    assert (best.v == 0).all()


@settings(max_examples=40)
@given(SEVERAL)
def test_the_programs_are_a_pair_of_certificates(cmdp):
    best = constrained_optimum(cmdp)
    x, λ = best.occupancy, best.multipliers
    assert (x >= 0).all()
    assert (λ >= 0).all()
    assert (occupancy_measure(cmdp.mdp, best.policy) == x).all()  # the flow rows hold
    assert (slack(cmdp, best.policy) >= 0).all()
    assert (best.v[:, None] >= cmdp.rewarded(cmdp.mixed(λ)).action_values(best.v)).all()
    assert best.value == best.dual_value(cmdp) == payoffs_at_start(cmdp, best.policy)[0]
    assert (slack(cmdp, best.policy) * λ == 0).all()
    # A basic solution randomises at most one action beyond one a state for each constraint.
    assert (x > 0).sum() <= (total(x) > 0).sum() + cmdp.I


@settings(max_examples=40)
@given(ONE)
def test_mixtures_of_deterministic_policies_are_another_road(cmdp):
    best, g = constrained_optimum(cmdp), dual_function(cmdp)
    assert g.least == best.value == g.at(best.multipliers[0])
    relaxed = optimum(cmdp.rewarded(cmdp.mixed(best.multipliers)))
    assert total(cmdp.start * relaxed.v) - total(best.multipliers * cmdp.least) == best.value


@settings(max_examples=25)
@given(SEVERAL)
def test_the_room_of_the_constraints_is_the_largest_that_is_left(cmdp):
    ξ = slater(cmdp)
    tightest = ConstrainedMDP(cmdp.P, cmdp.r, cmdp.utilities, cmdp.least + ξ, cmdp.discount, cmdp.start)
    constrained_optimum(tightest)
    one_more = ConstrainedMDP(
        cmdp.P, cmdp.r, cmdp.utilities, tightest.least + rational_number("1/1000"), cmdp.discount, cmdp.start
    )
    with pytest.raises(MdplabError, match="no policy meets the constraints: at best one is missed by 1/1000"):
        constrained_optimum(one_more)


@pytest.mark.parametrize("constraints", [1, 2])
def test_float64_and_rationals_agree(constraints):
    """HiGHS finds a basis and the vertex is solved again from it: errors are those of a linear system, times the
    condition of the basis, for which a factor of 1e4 over the rounding of values is allowed."""
    cmdp = constrained_garnet(np.random.default_rng(5), 12, S=3, A=2, constraints=constraints, discount=0.75)
    best = constrained_optimum(cmdp)
    for i in range(12):
        exact = constrained_optimum(cmdp[i].exact())
        assert abs(best.value[i] - float(exact.value.p) / float(exact.value.q)) <= 1e4 * cmdp.rounding[1][i]
        assert abs(best.dual_value(cmdp)[i] - best.value[i]) <= 1e4 * cmdp.rounding[1][i]


def test_a_convex_solver_agrees():
    """cvxpy on the program as it is written in the book; its solvers stop at 1e-8, values are of the size of 10."""
    cp = pytest.importorskip("cvxpy")
    for model in (crossing, two_constraints, paradox):
        cmdp = model().floats()
        x = cp.Variable((cmdp.S, cmdp.A), nonneg=True)
        γ = cmdp.discount
        flow = [
            cp.sum(x[t]) == (1 - γ) * cmdp.start[t] + γ * cp.sum(cp.multiply(cmdp.P[:, :, t], x)) for t in range(cmdp.S)
        ]
        met = [cp.sum(cp.multiply(u, x)) / (1 - γ) >= b for u, b in zip(cmdp.utilities, cmdp.least, strict=True)]
        program = cp.Problem(cp.Maximize(cp.sum(cp.multiply(cmdp.r, x)) / (1 - γ)), flow + met)
        program.solve(solver=cp.CLARABEL)
        assert abs(program.value - float(constrained_optimum(cmdp).value)) <= 1e-5


@given(SEVERAL)
@settings(max_examples=20)
def test_payoffs_are_the_values_of_each_reward(cmdp):
    π = rational(np.ones(cmdp.r.shape, dtype=int)) / cmdp.A
    v, q = payoff_values(cmdp, π), payoff_action_values(cmdp, π)
    for i in range(1 + cmdp.I):
        one = cmdp.rewarded(cmdp.payoffs[i])
        assert (v[i] == values(one, π)).all()
        assert (q[i] == one.action_values(v[i])).all()


@pytest.mark.parametrize(
    "model", [crossing, two_constraints, paradox, lambda: opposed_arms(0, 1), lambda: opposed_arms("1/2", 2)]
)
def test_the_first_policy_does_not_matter(model, monkeypatch):
    """Phase one starts from policies that violate the constraints, also where these leave no room."""
    module = sys.modules["mdplab.exact.constrained_optimum"]
    cmdp = model()
    best = constrained_optimum(cmdp)
    for a in range(cmdp.A):
        monkeypatch.setattr(module, "_good_actions", lambda cmdp, a=a: np.full(cmdp.S, a))
        other = constrained_optimum(cmdp)
        assert other.value == best.value == other.dual_value(cmdp)
        assert (other.multipliers >= 0).all()
        assert (slack(cmdp, other.policy) >= 0).all()


def test_a_state_that_is_never_visited_gets_the_uniform_policy():
    assert (policy_of(rational([[1, 0], [0, 0]])) == rational([[1, 0], ["1/2", "1/2"]])).all()
    assert (policy_of(np.array([[0.5, 0.5], [0.0, 0.0]])) == 0.5).all()


def test_the_solution_of_a_float_model_is_certified():
    cmdp = crossing()
    low, high = solution(cmdp.floats())["value_at_start"]
    exact = constrained_optimum(cmdp.floats().exact()).value
    assert rational_number(float(low)) <= exact <= rational_number(float(high))
    assert high - low <= 1e-9
    assert (solution(cmdp)["value_at_start"] == constrained_optimum(cmdp).value).all()
