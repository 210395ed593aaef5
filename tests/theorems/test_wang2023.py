"""What the engine cannot know of Wang et al. (2023): numbers done by hand on the counterexamples."""

from __future__ import annotations

import numpy as np
import pytest

from mdplab.arrays import floats, number, rational
from mdplab.exact.robust import policy_cost_gradient, worst_case
from mdplab.instances.robust import early_stop, two_kernels
from mdplab.solvers.proximal import moreau_slope
from theorems import wang2023


def test_the_trap_costs_what_the_formula_says():
    # ρ = (97, 1, 1, 1)/100, x = 1, y = 10/893: from s_0 cost 2/5 and 9/10 · 9 y, from s_1 9 y, from bad 10.
    y = rational("10/893")
    by_hand = rational("97/100") * (rational("2/5") + rational("81/10") * y) + 9 * y / 100 + rational("1/10")
    given = wang2023.trapped()
    assert worst_case(given["mdp"], given["π"]).cost == by_hand


def test_the_mixture_of_gradients_vanishes_at_the_trap_and_the_gap_does_not():
    (binding,) = wang2023.subgrad_dom_of_mixtures(**wang2023.trapped())
    assert binding[wang2023.mixture] == 0
    assert float(floats(binding[wang2023.Φ_gap])) == pytest.approx(0.3879, abs=1e-4)


def test_near_the_trap_every_policy_costs_more():
    mdp, π = two_kernels().floats(), floats(wang2023.trapped()["π"])
    here = float(worst_case(mdp, π).cost)
    rng = np.random.default_rng(0)
    for _ in range(200):
        dx, dy = rng.uniform(0, 0.01), rng.uniform(-0.01, 0.01)
        near = π + np.array([[-dx, dx], [dy, -dy], [0, 0], [0, 0]])
        assert float(worst_case(mdp, near).cost) > here


def test_the_proximal_point_is_one():
    rng = np.random.default_rng(1)
    from mdplab.instances.robust import robust_garnet

    mdp = robust_garnet(rng, 1, S=3, A=2, set="L1Ball", discount=0.6, least_start=0.05)[0]
    π, x, slope = wang2023.around_prox(mdp, rng.dirichlet(np.ones(2), 3))
    ell = 2 * 0.6 * 2 / 0.4**3
    assert (π >= 0).all()
    np.testing.assert_allclose(2 * ell * (π - x), slope, atol=1e-12)
    least = worst_case(mdp, x).cost + ell * ((x - π) ** 2).sum()
    for _ in range(300):  # no other policy is nearer to the minimum of Φ + l‖· − π‖²
        other = rng.dirichlet(np.ones(2), 3)
        other = x + rng.uniform() ** 4 * (other - x)
        assert worst_case(mdp, other).cost + ell * ((other - π) ** 2).sum() >= least - 1e-12


def test_the_first_policy_of_early_stop_looks_best_and_is_worst():
    mdp = early_stop()
    π = rational([[1, 0]] * 3)
    assert worst_case(mdp, π).cost == rational("41/5")  # 8/10 · 9 + 1/10 · 10
    lenient = wang2023.fooled(mdp, π, mdp.P, 0)
    assert wang2023.cost_of(mdp, π, lenient) == 1
    assert policy_cost_gradient(mdp, π, lenient).shape == (3, 2)


def test_the_slope_of_a_linear_worst_cost_by_hand():
    # One state: Φ(π) = π(1) / (1 − γ), its gradient (0, 1) / (1 − γ), less its mean (−1, 1) / 2(1 − γ).  Away from the
    # corners the proximal point is π less that over 2l, and the slope √2 / 2(1 − γ).  Here 1 − γ = 17/20.
    given = wang2023.short_steps()
    first = next(wang2023.moreau_sum(**given))
    assert number(first[wang2023.slopes]) == pytest.approx(0.5 / 0.85**2, rel=1e-6)
    assert (first[wang2023.slopes] - rational("200/289")[()]).contains(0)


def test_a_proximal_point_at_a_corner_costs_no_slope():
    given = wang2023.short_steps()
    mdp, l_π = given["mdp"], 2 * rational("3/20")[()] * 2 / rational("17/20")[()] ** 3
    assert moreau_slope(mdp, rational([[1, 0]]), l_π).contains(0)
    assert number(moreau_slope(mdp.floats(), np.array([[1.0, 0.0]]), number(l_π))) < 1e-7


def test_the_state_that_is_left_behind_makes_the_horizon_necessary():
    (found,) = wang2023.subgrad_dom(**wang2023.left_behind())
    assert found[wang2023.Φ_gap] == rational("19/2")  # 10 − 1/2
    assert found[wang2023.robust_deviation] == rational("1/2")
    assert found[wang2023.D] == 2


def test_the_lazy_inner_loop_lacks_no_more_than_it_may():
    mdp = wang2023.long_steps()["mdp"].floats()
    π = np.array([[0.5, 0.5]] * 3)
    worst = worst_case(mdp, π).cost
    for allowed in (0.0, 0.1, 10.0):
        p = wang2023.lazy_inner(mdp, π, mdp.P, allowed)
        assert 0 <= worst - wang2023.cost_of(mdp, π, p) <= allowed + 1e-15
    assert (p == mdp.P).all()


def test_with_a_uniform_start_the_two_kernels_trap_descent_too():
    mdp = two_kernels(("1/4",) * 4).floats()
    costs = {}
    for x, y in ((0, 0.655), (1, 0.345), (1, 0.4), (1, 0.3), (0.9, 0.345)):
        costs[x, y] = float(worst_case(mdp, np.array([[x, 1 - x], [y, 1 - y], [1, 0], [1, 0]])).cost)
    assert costs[0, 0.655] == pytest.approx(3.9749, abs=2e-3)
    assert costs[1, 0.345] == pytest.approx(4.0743, abs=2e-3)
    assert all(costs[1, 0.345] < costs[near] for near in ((1, 0.4), (1, 0.3), (0.9, 0.345)))
