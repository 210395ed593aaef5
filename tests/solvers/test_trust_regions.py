"""Policy optimisation with regions, clips and drifts: each step against a solver of another kind."""

from itertools import islice, pairwise, repeat

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from mdplab.arrays import floats, rational, rational_number, softmax
from mdplab.exact import advantages, divergence, gap, optimum, values
from mdplab.instances import families, two_by_two
from mdplab.models import bandit
from mdplab.solvers import (
    best_within,
    clipped_maximiser,
    clipped_objective,
    clipped_policy_optimization,
    conservative_policy_iteration,
    fixpo,
    mdpo,
    mirror_descent,
    penalised_maximiser,
    simple_policy_optimization,
    trust_region,
)


@pytest.fixture
def states():
    """Old policies (40, 4) and advantages of mean zero."""
    rng = np.random.default_rng(3)
    π = rng.dirichlet(np.ones(4), 40)
    A = rng.normal(size=(40, 4))
    return π, A - (π * A).sum(axis=-1, keepdims=True)


def test_a_clipped_maximiser_is_as_good_as_the_linear_program_says(states):
    """max Σ π y with y <= r A and y <= (1 ± ε) A, Σ π r = 1, r >= 0."""
    π, A = states
    found = clipped_objective(π, clipped_maximiser(π, A, 0.2), A, 0.2)
    for p, adv, value in zip(π, A, found, strict=True):
        cap = np.where(adv > 0, 1.2, 0.8) * adv
        ratio_part = np.hstack([-np.diag(adv), np.eye(4)])
        program = linprog(
            np.concatenate([np.zeros(4), -p]),
            A_ub=np.vstack([ratio_part, np.hstack([np.zeros((4, 4)), np.eye(4)])]),
            b_ub=np.concatenate([np.zeros(4), cap]),
            A_eq=[np.concatenate([p, np.zeros(4)])],
            b_eq=[1],
            bounds=[(0, None)] * 4 + [(None, None)] * 4,
        )
        assert abs(-program.fun - value) < 1e-7  # the solver's own tolerance


def test_the_penalised_maximiser_beats_every_other_policy(states):
    π, A = states
    objective = lambda new: (new * A - abs(A) * (new - π) ** 2 / π / 0.4).sum(axis=-1)  # noqa: E731
    new = penalised_maximiser(π, A, 0.2)
    assert np.allclose(new.sum(axis=-1), 1)
    assert (new >= 0).all()
    rng = np.random.default_rng(4)
    for ω in rng.dirichlet(np.ones(4) / 2, (200, 40)):
        # concave: no direction goes up, up to rounding of the objective
        assert (objective(0.99 * new + 0.01 * ω) <= objective(new) + 1e-12).all()


def test_the_penalised_maximiser_by_hand():
    """π = (1/2, 3/10, 1/5), rewards (1, 1/5, 0), ε = 1/5: advantages (11, −9, −14)/25, kept exactly."""
    A = advantages(bandit(rational([1, "1/5", 0])), π := rational([["1/2", "3/10", "1/5"]]))
    new = penalised_maximiser(π, A, rational_number("1/5"))
    assert new.sum() == 1
    found = [
        (1 + (a > 0) * rational_number("1/5") - (a < 0) * rational_number("1/5") - x / p) * abs(a) * 5
        for x, p, a in zip(new[0], π[0], A[0], strict=True)
    ]
    assert found[0] == found[1] == found[2]  # one multiplier for all: r = 1 + ε (A − c) / |A|


def test_actions_without_advantage_take_what_is_left():
    π, A = rational([["1/4", "1/4", "1/2"]]), rational([[1, -1, 0]])
    assert (penalised_maximiser(π, A, rational_number("1/5")) == rational([["3/10", "1/5", "1/2"]])).all()
    none = 0 * A
    assert (penalised_maximiser(π, none, rational_number("1/5")) == π).all()


def test_the_best_policy_within_a_divergence_is_found_by_a_general_solver_too(states):
    π, A = states
    radius = np.full(40, 0.05)
    new = best_within(π, A, radius)
    assert (divergence(π, new) <= radius).all()
    for p, adv, mine in list(zip(π, A, new, strict=True))[:5]:
        theirs = minimize(
            lambda z, p=p, adv=adv: -softmax(z) @ adv,
            np.log(p),
            constraints={"type": "ineq", "fun": lambda z, p=p: 0.05 - divergence(p, softmax(z))},
            method="SLSQP",
            options={"ftol": 1e-12, "maxiter": 500},
        )
        assert mine @ adv >= -theirs.fun - 1e-6


@pytest.mark.parametrize(
    "solver",
    [
        conservative_policy_iteration,
        trust_region,
        clipped_policy_optimization,
        simple_policy_optimization,
        lambda mdp: mirror_descent(mdp, step_sizes=repeat(1.0)),
    ],
)
def test_no_state_loses_and_the_gap_closes(solver):
    mdp = families.garnet(np.random.default_rng(5), 6, S=3, A=3, discount=0.7)
    best = optimum(mdp)
    steps = list(islice(solver(mdp), 12))
    losses = [gap(mdp, x.π, best) for x in steps]
    # 1e-12: rounding of values at most 1 / (1 − γ)
    assert all((then <= now + 1e-12).all() for now, then in pairwise(losses))
    assert (losses[-1] < losses[0]).all()


def test_exact_and_float_iterates_agree():
    mdp = two_by_two()
    for solver in (
        conservative_policy_iteration,
        clipped_policy_optimization,
        simple_policy_optimization,
        trust_region,
        fixpo,
    ):
        for x, y in zip(islice(solver(mdp), 3), islice(solver(mdp.floats()), 3), strict=True):
            assert np.allclose(floats(x.π), y.π, atol=1e-9)
            assert all(row.sum() == 1 for row in x.π)


def test_fixpo_keeps_to_its_region_and_its_main_phase_alone_does_not():
    mdp = families.garnet(np.random.default_rng(6), 50, S=3, A=3, discount=0.9)
    first, second = islice(fixpo(mdp, radius=0.05), 2)
    assert (divergence(first.π, second.π) <= 0.05).all()
    _, free = islice(fixpo(mdp, radius=0.05, fixup="none"), 2)
    assert (divergence(first.π, free.π) > 0.05).any()


def test_many_inner_steps_come_to_the_exact_update():
    mdp = families.garnet(np.random.default_rng(7), 4, S=2, A=3, discount=0.5).starting(np.full((4, 2), 0.5))
    *_, run = mdpo(mdp, step_sizes=[0.5], inner_steps=3000, inner_step_size=0.5)
    *_, exact = mirror_descent(mdp, step_sizes=[0.5])
    assert np.allclose(run.π, exact.π, atol=1e-8)
    assert (values(mdp, run.π) >= values(mdp, 0 * mdp.r + 1 / 3) - 1e-12).all()
