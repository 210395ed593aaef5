"""What the engine cannot know of Wang et al. (2023): numbers done by hand on the counterexamples."""

from __future__ import annotations

import numpy as np
import pytest

from mdplab.arrays import floats, rational
from mdplab.exact.robust import policy_cost_gradient, worst_case
from mdplab.instances.robust import early_stop, two_kernels
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
