"""Robust solvers reach optima found on other roads, and projections are what their definition says."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from mdplab.exact.robust import robust_optimum, worst_case
from mdplab.instances.robust import early_stop, robust_garnet, two_kernels
from mdplab.models import L1Ball, RobustMDP
from mdplab.solvers import (
    drpg,
    enclosures,
    partial_policy_iteration,
    robust_mirror_descent,
    robust_policy_iteration,
    robust_value_iteration,
    smoothed_robust_pg,
)
from mdplab.solvers.drpg import ascent_inner, entropic, tilted_inner
from mdplab.solvers.kernel_projection import project_to_l1_ball, project_to_set


def garnet(name: str, **options) -> RobustMDP:
    options = {"S": 4, "A": 3, "discount": 0.6, "least_start": 0.05} | options
    return robust_garnet(np.random.default_rng(len(name)), 8, set=name, **options)


@pytest.mark.parametrize("name", ["L1Ball", "StateL1Ball", "WassersteinBall"])
def test_value_iteration_is_enclosed_by_its_bounds(name):
    mdp = garnet(name)
    best = robust_optimum(mdp)
    low, high = next(islice(enclosures(mdp.under_kernel(mdp.P), robust_value_iteration(mdp)), 60, None))
    assert ((low <= best.high) & (best.low <= high)).all()
    assert (high - low).max() < 1e-10


def test_checkpoints_of_value_iteration_are_its_iterates():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(5), (5, 2))
    mdp = RobustMDP(P, rng.random((5, 2)), 0.9, L1Ball(rng.random((5, 2))))
    every = list(islice(robust_value_iteration(mdp), 12))
    some = list(robust_value_iteration(mdp, at=[0, 3, 11]))
    for n, v in zip([0, 3, 11], some, strict=True):
        np.testing.assert_allclose(v, every[n], rtol=1e-13)


@pytest.mark.parametrize("name", ["L1Ball", "StateL1Ball", "StateSegments"])
def test_policy_iteration_and_its_partial_form_reach_the_optimum(name):
    mdp = garnet(name)
    best = robust_optimum(mdp).v
    _, v = next(islice(robust_policy_iteration(mdp), 25, None))
    np.testing.assert_allclose(v, best, rtol=0, atol=1e-10)
    it = next(islice(partial_policy_iteration(mdp), 25, None))
    assert (abs(it.w - best).max(axis=-1) <= it.gap + 1e-12).all()
    assert it.gap.max() < 1e-8


@pytest.mark.parametrize("outer", [None, entropic])
def test_double_loop_gradient_descent_comes_near_the_optimum(outer):
    mdp = garnet("L1Ball", discount=0.5)
    best = (mdp.start * robust_optimum(mdp).v).sum(axis=-1)
    options = {} if outer is None else {"outer": outer}
    *_, last = drpg(mdp, step_size=1.0, at=[0, 400], **options)
    assert (last.best - best).max() < 1e-2
    assert (last.best - best).min() > -1e-12


def test_the_inner_ascent_never_lowers_the_cost_and_finds_a_worst_kernel():
    mdp = garnet("Segments", discount=0.5)
    π = np.full((8, 4, 3), 1 / 3)
    worst = worst_case(mdp, π).cost
    p = ascent_inner(step_size=0.5, most=3000)(mdp, π, mdp.P, 1e-9)
    found = drpg(mdp, π, step_size=0.1, inner=lambda *args: p)
    assert (worst - next(found).cost).max() < 1e-4


def test_a_lenient_first_kernel_fools_the_rule_that_returns_the_least_cost():
    mdp = early_stop().floats()

    def lenient_at_first(mdp, π, p, k):
        kernel = worst_case(mdp, π).kernel.copy()
        if k == 0:
            kernel[0, 0] = [0, 1, 0]
        return kernel

    first = np.array([[1.0, 0.0]] * 3)
    *_, last = drpg(mdp, first, step_size=0.5, tolerances=lambda k: k, inner=lenient_at_first, at=[0, 30])
    assert float(worst_case(mdp, last.best_π).cost) == pytest.approx(8.2)
    assert float(worst_case(mdp, last.π).cost) == pytest.approx(4.6)


@pytest.mark.parametrize(("x", "y", "end"), [(0.9, 0.1, 0.577), (0.3, 0.7, 0.1891)])
def test_where_descent_begins_decides_whether_two_kernels_trap_it(x, y, end):
    mdp = two_kernels().floats()
    π = np.array([[x, 1 - x], [y, 1 - y], [1, 0], [1, 0]])
    *_, last = drpg(mdp, π, step_size=lambda k: 0.05 / (k + 1) ** 0.5, at=[0, 1500])
    assert float(last.best) == pytest.approx(end, abs=5e-3)


def test_mirror_descent_works_with_logarithms():
    mdp = garnet("L1Ball")
    it = next(islice(robust_mirror_descent(mdp, step_size=1e4), 12, None))
    np.testing.assert_allclose(it.v, robust_optimum(mdp).v, rtol=0, atol=1e-9)


def test_the_single_loop_method_comes_near_the_optimum_of_segments():
    mdp = garnet("Segments", discount=0.5)
    best = (mdp.start * robust_optimum(mdp).v).sum(axis=-1)
    run = smoothed_robust_pg(mdp, step_size=0.2, kernel_step=0.2, pull=(0.1, 0.1), follow=(0.5, 0.5))
    π = next(islice(run, 1500, None)).π
    assert np.median(worst_case(mdp, π).cost - best) < 1e-2


@pytest.mark.parametrize("name", ["L1Ball", "LInfBall", "Box", "Segments", "StateSegments"])
def test_a_projection_is_in_the_set_and_no_nearer_point_is(name):
    mdp = garnet(name)
    rng = np.random.default_rng(1)
    x = mdp.P + 0.3 * rng.normal(size=mdp.P.shape)
    p = project_to_set(mdp, x)
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-12)
    # p is nearest iff (x − p)·(w − p) <= 0 for all w of the set; worst responses to x − p are its extreme points.
    if name == "StateSegments":
        return
    turned = RobustMDP(mdp.P, x - p, 0.0, mdp.ambiguity)
    from mdplab.exact.robust import worst_action_values

    most = worst_action_values(turned, np.zeros((8, 4)))
    assert (most - ((x - p) * p).sum(axis=-1)).max() < 1e-9


def test_projection_onto_an_l1_ball_of_parameters_by_hand():
    centre = np.zeros(2)
    np.testing.assert_allclose(project_to_l1_ball(np.array([3.0, 1.0]), centre, 1.0), [1, 0])
    np.testing.assert_allclose(project_to_l1_ball(np.array([0.3, -0.2]), centre, 1.0), [0.3, -0.2])
    np.testing.assert_allclose(project_to_l1_ball(np.array([1.0, -1.0]), centre, 1.0), [0.5, -0.5])


def test_ascent_in_the_parameters_finds_a_kernel_that_costs_more_than_random_ones():
    from mdplab.exact.robust import kernel_values, tilted_kernel

    mdp = garnet("TiltedKernels")
    π = np.full((8, 4, 3), 1 / 3)
    found = tilted_inner(0.05, most=600)(mdp, π, mdp.P, 0)
    cost = (mdp.start * kernel_values(mdp, π, found)).sum(axis=-1)
    u, rng = mdp.ambiguity, np.random.default_rng(0)
    for _ in range(60):
        θ = project_to_l1_ball(u.θ_centre + rng.normal(size=(8, 2)), u.θ_centre, u.θ_budget)
        λ = project_to_l1_ball(u.λ_centre + rng.normal(size=(8, 2)), u.λ_centre, u.λ_budget)
        other = (mdp.start * kernel_values(mdp, π, tilted_kernel(mdp, θ, np.maximum(λ, 1e-5)))).sum(axis=-1)
        # Ascent may end at a local maximum in one model; in most it does not.
        assert np.mean(cost >= other - 1e-3) >= 0.75
