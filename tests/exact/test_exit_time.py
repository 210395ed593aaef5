"""Values until exit by several roads: recursion, all paths, epochs with rewards, linear programs, all policies."""

from itertools import product

import numpy as np
import pytest
from flint import arb, ctx

from mdplab.arrays import exp, floats, log_softmax, rational, rational_number, total
from mdplab.exact import (
    baseline_weights,
    exit_derivatives,
    exit_gap,
    exit_gradient,
    exit_optimum,
    exit_paths,
    exit_value,
    exit_values,
    exit_visits,
    finite_horizon,
    in_epochs,
    payoff_weights,
    score_moments,
    values_without_horizon,
)
from mdplab.exact.exit_time import solution
from mdplab.instances import gambler, walk, which_exit
from mdplab.instances.exit_time import random_exits


def policy(mdp, seed=0):
    """A rational policy without symmetry."""
    k = np.random.default_rng(seed).integers(1, 6, (mdp.N, mdp.S, mdp.A))
    return rational(k) / rational(k.sum(axis=-1, keepdims=True))


@pytest.fixture
def mdp():
    return walk(4, horizon=3)


def test_the_mean_payoff_over_all_paths_is_the_value(mdp):
    π = policy(mdp)
    paths = list(exit_paths(mdp, π))
    assert sum(p.probability for p in paths) == 1
    assert sum(p.probability * mdp.payoff[p.states[-1]] for p in paths) == exit_value(mdp, π)


def test_visits_are_the_paths_that_are_still_inside(mdp):
    π = policy(mdp)
    found = 0 * π[..., 0]
    for p in exit_paths(mdp, π):
        for i, x in enumerate(p.states[: len(p.actions)]):
            found[i, x] += p.probability
    assert (found == exit_visits(mdp, π)).all()


def test_two_decisions_of_a_fair_gambler_by_hand():
    """From 1 of 3: up and up again 1/4 of the time; ruin after one loss, 1/2; else still inside, paid nothing."""
    mdp = gambler(3, horizon=2)
    V = exit_values(mdp, rational(np.ones((2, 2, 1), dtype=int)))
    assert V[0, 0] == rational_number("1/4")
    assert V[0, 1] == rational_number("1/2")
    assert (V[:, 2:] == rational([[0, 1]] * 3)).all()


def test_without_a_horizon_the_fair_gambler_reaches_n_with_probability_x_over_n():
    mdp = gambler(5)
    v = values_without_horizon(mdp, rational(np.ones((4, 1), dtype=int)))
    assert (v == rational(["1/5", "2/5", "3/5", "4/5"])).all()


def test_values_with_a_far_horizon_come_close_to_those_without():
    """Of 200 steps between 0 and 4 all are inside with probability at most cos(π/4)^200 < 1e-30: below rounding."""
    mdp = gambler(4, "1/2", 200).floats()
    one = np.ones((200, 3, 1))
    assert exit_values(mdp, one)[0, :3] == pytest.approx([0.25, 0.5, 0.75], abs=1e-13)


def test_epochs_with_rewards_are_the_same_problem(mdp):
    π = policy(mdp)
    epochs = in_epochs(mdp)
    over = rational(np.full((mdp.N, 1, mdp.A), 1)) / mdp.A
    joined = np.concatenate([π, over], axis=1).reshape(-1, mdp.A)
    assert total(epochs.start * finite_horizon.values(epochs, joined)) == exit_value(mdp, π)


def test_the_optimum_is_the_best_of_all_deterministic_policies_and_that_of_a_linear_program():
    mdp = walk(3, horizon=2)
    best = exit_optimum(mdp)
    J = total(mdp.start * best.v[0])
    found = []
    for actions in product(range(mdp.A), repeat=mdp.N * mdp.S):
        π = rational(np.eye(mdp.A, dtype=int)[np.array(actions).reshape(mdp.N, mdp.S)])
        found.append(exit_value(mdp, π))
    assert max(found) == J
    π = policy(mdp)
    assert exit_gap(mdp, π, best) == J - exit_value(mdp, π)
    epochs = in_epochs(mdp)
    # HiGHS stops at a feasibility of 1e-7; values are at most one.
    assert float((epochs.floats().start * finite_horizon.linear_program(epochs).v).sum()) == pytest.approx(
        float(J), abs=1e-6
    )


def test_derivatives_are_those_of_differences_in_balls(mdp):
    """Central differences with h = 10⁻³⁰ in 400 bits: an error of order h²."""
    rng = np.random.default_rng(1)
    θ, u = (rational(rng.integers(-3, 4, (mdp.N, mdp.S, mdp.A))) / 2 for _ in range(2))
    before, ctx.prec = ctx.prec, 400
    try:
        h = rational_number("1/1000000000000000000000000000000")
        J = {x: exit_value(mdp, exp(log_softmax(θ + x * h * u))) for x in (-1, 0, 1)}
        π = exp(log_softmax(θ))
        first, second = exit_derivatives(mdp, π, u)
        assert abs(first - (J[1] - J[-1]) / (2 * h)) < arb("1e-20")
        assert abs(second - (J[1] - 2 * J[0] + J[-1]) / (h * h)) < arb("1e-20")
        assert abs(total(exit_gradient(mdp, π) * u, 3) - first) < arb("1e-20")
    finally:
        ctx.prec = before


def test_moments_of_one_decision_by_hand():
    """π = (p, 1 − p), payoffs ±1: the estimate is (1 − p)(1, −1) or p (1, −1), so E‖ĝ‖² = 2p(1 − p)."""
    mdp, p = which_exit(), rational_number("1/3")
    π = rational([[[p, 1 - p]]])
    mean, square = score_moments(mdp, π, payoff_weights)
    assert (mean == rational([[["4/9", "-4/9"]]])).all()
    assert square == 2 * p * (1 - p)
    # With the baseline 2p − 1 the weights are 2(1 − p) and −2p.
    assert score_moments(mdp, π, baseline_weights)[1] == 8 * p * (1 - p) * ((1 - p) ** 3 + p**3)


def test_shared_logits_add_the_scores_of_all_times():
    """Two decisions without effect: E‖s_1 + s_2‖² = 2 E‖s‖², as scores have mean zero."""
    mdp = walk(2, ("1/2", "1/2"), 1)
    π = rational([[["1/4", "3/4"]]])
    one = score_moments(mdp, π, lambda V, path: [1 + 0 * V[0, 0]] * len(path.actions))[1]
    stay = type(mdp)(rational([[[1], [1]]]), rational([1]), 2)
    both = score_moments(stay, np.concatenate([π, π]), payoff_weights, shared=True)[1]
    assert both == 2 * one == rational_number("3/4")


def test_a_batch_is_its_members():
    mdp = random_exits(np.random.default_rng(3), 4)
    π = np.random.default_rng(4).dirichlet(np.ones(mdp.A), (4, mdp.N, mdp.S))
    g, (mean, square) = exit_gradient(mdp, π), score_moments(mdp, π, payoff_weights)
    for i in range(4):
        # Sums of a few dozen products of numbers near one.
        assert g[i] == pytest.approx(exit_gradient(mdp[i], π[i]), abs=1e-14)
        assert mean[i] == pytest.approx(g[i], abs=1e-13)
        assert square[i] == pytest.approx(score_moments(mdp[i], π[i], payoff_weights)[1], abs=1e-13)
    assert (floats(exit_optimum(mdp).v)[:, 0] <= floats(exit_optimum(mdp).high)[:, 0]).all()


def test_the_solution_says_what_to_do_when():
    """With nothing for being inside at the end, the walk of three times from the middle goes for the nearest exits."""
    found = solution(walk(2, horizon=1))
    assert found["value_at_start"] == ["7/8", "7/8"]  # up with 3/4: 3/4 · 1 + 1/4 · 1/2
    assert found["policy"] == [[1]]
    assert (found["states"], found["outside"], found["horizon"]) == (1, 2, 1)
