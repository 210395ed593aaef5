"""Truth over a finite horizon, each number by a second road: policies one by one, paths, linear programs, QuantEcon."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import exp, log_softmax, precision, rational, rational_number, softmax, total
from mdplab.exact import finite_horizon as exact
from mdplab.exact.finite_horizon import (
    derivatives,
    gap,
    gaps,
    linear_program,
    optimum,
    softmax_gradient,
    values,
    visits,
)
from mdplab.instances import strategies
from mdplab.instances.finite_horizon import drawn, late_choice, lock, of_sizes, twin_states, uneven
from mdplab.models import FiniteHorizonMDP


@st.composite
def models_and_policies(draw, **sizes):
    mdp = draw(drawn(**sizes))
    return mdp, draw(strategies.policies(mdp.S, mdp.A))


def paths(mdp, π):
    """Yield (probability, reward, pairs and actions) of each path from each pair with positive start probability."""
    ends = np.cumsum((0, *mdp.sizes))

    def walk(h, s, p, R, seen):
        for a in range(mdp.A):
            pair = ends[h] + s
            now = (p * π[pair, a], R + mdp.r[h][s, a], [*seen, (pair, a)])
            if h == mdp.H - 1:
                yield now
            else:
                for t in range(mdp.sizes[h + 1]):
                    yield from walk(h + 1, t, now[0] * mdp.P[h][s, a, t], *now[1:])

    for h in range(mdp.H):
        for s in range(mdp.sizes[h]):
            yield from walk(h, s, mdp.start[ends[h] + s], 0, [])


@settings(max_examples=25)
@given(models_and_policies())
def test_values_visits_and_gradients_are_sums_over_paths(given_):
    """The gradient as E[R ∇ log p(path)]: the road of the likelihood ratio, in rationals."""
    mdp, π = given_
    J, seen, gradient = 0, 0 * mdp.start, 0 * π
    for p, R, pairs in paths(mdp, π):
        J = J + p * R
        for pair, a in pairs:
            seen[pair] = seen[pair] + p
            gradient[pair] = gradient[pair] + p * R * (rational(np.eye(mdp.A, dtype=int)[a]) - π[pair])
    assert total(mdp.start * values(mdp, π)) == J
    assert (seen == visits(mdp, π)).all()
    assert (gradient == softmax_gradient(mdp, π)).all()


@settings(max_examples=25)
@given(models_and_policies(max_epochs=2, max_actions=2))
def test_no_policy_is_better_than_the_optimal_one_and_one_is_as_good(given_):
    mdp, π = given_
    best = optimum(mdp)
    one = rational(np.eye(mdp.A, dtype=int))
    all_values = np.stack([values(mdp, one[list(a)]) for a in product(range(mdp.A), repeat=mdp.S)])
    assert (all_values.max(axis=0) == best.v).all()
    assert (values(mdp, best.policy) == best.v).all()
    assert (gaps(mdp, π, best) == best.v - values(mdp, π)).all()
    assert gap(mdp, π, best) == total(mdp.start * (best.v - values(mdp, π)))


@pytest.mark.parametrize("sizes", [(3,), (2, 3), (1, 3, 2, 4)])
def test_linear_programs_agree_with_backward_induction(sizes):
    """HiGHS solves to 1e-7 for each constraint; an error adds up over at most four epochs."""
    mdp = of_sizes(np.random.default_rng(1), 6, sizes, A=3)
    best, program = optimum(mdp), linear_program(mdp)
    assert abs(program.v - best.v).max() <= 1e-6
    assert (best.low <= best.v).all()
    assert (best.v <= best.high).all()
    assert best.unique[[0, 1, 3, 4]].all()  # rewards 0 or 1, in every third model, may tie
    d = visits(mdp, best.policy)[..., None] * best.policy
    assert abs(program.occupancy - d)[[0, 1, 3, 4]].max() <= 1e-6


def test_quantecon_finds_the_same_values():
    quantecon = pytest.importorskip("quantecon")
    rng = np.random.default_rng(2)
    P, r, H = rng.dirichlet(np.ones(4), (4, 3)), rng.random((4, 3)), 5
    with pytest.warns(UserWarning, match="infinite horizon"):  # which is not asked of it
        model = quantecon.markov.DiscreteDP(r, P, 1)
    v, action = quantecon.markov.backward_induction(model, H)
    best = optimum(FiniteHorizonMDP.homogeneous(P, r, H))
    assert abs(best.v.reshape(H, 4) - v[:H]).max() <= 1e-13  # 5 epochs of 4 terms at values up to 5: 3e-14
    assert (best.action.reshape(H, 4) == action).all()


def test_certificates_of_floats_hold_the_exact_values():
    mdp = of_sizes(np.random.default_rng(3), 3, (3, 3, 3), A=2)
    best = optimum(mdp)
    for i in range(3):
        # The same numbers, their rows one only up to rounding: what float64 was given.
        model = mdp[i]
        v = 0
        for h in (2, 1, 0):
            q = rational(model.r[h]) + (rational(model.P[h]) @ v if h < 2 else 0)
            v = q.max(axis=-1)
            low, high = (rational(model.split(x[i])[h]) for x in (best.low, best.high))
            assert (low <= v).all()
            assert (v <= high).all()


def test_derivatives_are_those_of_differences_in_balls():
    """Central differences with step 2^-40 in 400 bits err by 2^-80 times derivatives of order one; 2^-70 is ample."""
    before = precision()
    precision(400)
    try:
        mdp, step = uneven(), rational_number("1/1099511627776")
        θ = rational(np.arange(12).reshape(6, 2) % 5 - 2) / 2
        u = rational(np.arange(12).reshape(6, 2) % 7 - 3)
        at = [values(mdp, softmax(θ + n * step * u)) for n in (-1, 0, 1)]
        v, v1, v2 = derivatives(mdp, softmax(θ), u)
        off = [v - at[1], v1 - (at[2] - at[0]) / (2 * step), v2 - (at[2] - 2 * at[1] + at[0]) / step**2]
        assert all(float(abs(x).upper()) <= 2.0**-70 for y in off for x in y)
        slope = total(softmax_gradient(mdp, softmax(θ)) * u, 2) - total(mdp.start * v1)
        assert float(abs(slope).upper()) <= 2.0**-300
    finally:
        precision(before)


def test_gradients_of_epochs_hold_later_epochs_fixed():
    """J_h is linear in each row of π_h: moving one row towards an action changes it by exactly the derivative."""
    mdp = uneven()
    π = rational([["1/3", "2/3"], ["1/2", "1/2"], ["1/4", "3/4"], [1, 0], ["1/5", "4/5"], ["2/3", "1/3"]])
    μ = rational([1, "1/2", "1/4", "1/4", "1/3", "2/3"])
    found = exact.epoch_gradients(mdp, π, μ)
    for s, a in product(range(6), range(2)):
        moved = π.copy()
        moved[s] = π[s] + π[s, a] * (rational([int(a == 0), int(a == 1)]) - π[s])
        assert found[s, a] == μ[s] * (values(mdp, moved) - values(mdp, π))[s]


def test_named_models_by_hand():
    assert optimum(lock(5)).v[0] == 1
    half = rational(np.ones((10, 2), dtype=int)) / 2
    assert values(lock(5), half)[0] == rational_number("1/32")
    best = optimum(late_choice())
    assert (best.v == rational([1, 1, "1/2"])).all()
    assert best.action[0] == 0
    gradient = softmax_gradient(twin_states(3), rational([["1/2", "1/2"]] * 3))
    assert (gradient == rational([["1/12", "-1/12"]] * 3)).all()


def test_balls_hold_what_rationals_say():
    mdp = uneven()
    balls = mdp.map(lambda x: exp(0 * x) * x)
    best, exactly = optimum(balls), optimum(mdp)
    assert (best.action == exactly.action).all()
    assert all(x.contains(y) for x, y in zip(best.v, exactly.v, strict=True))
    assert (best.loss[np.arange(6), best.action] == 0).all()
    assert log_softmax(mdp.rewards).shape == (6, 2)
