"""What the engine cannot know about theorems/leverage2020.py: one state by hand, and what averaging does."""

from itertools import cycle, islice

import flint
import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import gap, optimum
from mdplab.models import DiscountedMDP
from mdplab.solvers import mirror_descent_vi
from theorems import leverage2020


def test_a_bandit_by_hand():
    """γ = 0, r = (1, 0), λ = 1: q_k = r for k >= 1, so log-odds are 0, 0, 1, 2, 3, ... from q_0 = 0."""
    mdp = DiscountedMDP(np.ones((1, 2, 1)), np.array([[1.0, 0.0]]), 0.0)
    runs = mirror_descent_vi(mdp, divergence=1.0)
    odds = [float(it.log_π[0, 0] - it.log_π[0, 1]) for it in islice(runs, 5)]
    assert odds == pytest.approx([0, 0, 1, 2, 3], abs=1e-14)


def test_the_maximum_of_the_greedy_step_is_what_is_backed_up():
    """⟨π', q⟩ − λ KL(π' ‖ π) + τ H(π') at the greedy policy is (λ + τ) log Σ π^(λ/(λ+τ)) exp(q / (λ + τ))."""
    rng = np.random.default_rng(0)
    mdp = DiscountedMDP(rng.dirichlet(np.ones(3), (3, 2)), rng.uniform(size=(3, 2)), 0.9)
    λ, τ = 0.7, 0.4
    runs = mirror_descent_vi(mdp, rng.normal(size=(3, 2)), divergence=λ, entropy=τ)
    now = next(runs)
    for then in islice(runs, 5):
        value = (λ + τ) * np.log(np.exp((now.q + λ * now.log_π) / (λ + τ)).sum(axis=-1))
        assert then.q == pytest.approx(mdp.action_values(value), abs=1e-13)
        now = then


def test_the_bound_of_theorem_1_by_hand():
    """One state, two actions, γ = 9/10, λ = 10, no errors: v_max = 10 (1 + 10 log 2), bound 40 v_max / k.

    π_1 is uniform, as q_0 = 0; it loses γ/2 a step after the first action.
    """
    inputs = {"mdp": leverage2020.no_hurry()["mdp"].floats(), "cost": 10.0, "X": np.zeros((1, 2))}
    binding, loss, bound = next(leverage2020.thm1.trace(**inputs))
    assert binding[leverage2020.k] == 1
    assert loss == pytest.approx(0.9 * 0.5 / (1 - 0.9), rel=1e-13)
    assert bound == pytest.approx(4 / 0.1 * 10 * (1 + 10 * np.log(2)), rel=1e-13)


def test_errors_that_alternate_cost_greedy_value_iteration_for_ever_and_the_divergence_nothing():
    rng = np.random.default_rng(0)
    mdp = DiscountedMDP(rng.dirichlet(np.ones(5), (5, 3)), rng.uniform(-1, 1, (5, 3)), 0.9)
    X, best = np.sign(rng.normal(size=(5, 3))), optimum(mdp)

    def losses(**weights):
        runs = mirror_descent_vi(mdp, errors=cycle((X, -X)), at=[300, 301], **weights)
        return [float(gap(mdp, it.π, best)) for it in runs]

    assert min(losses(divergence=0.0, entropy=1e-9)) > 0.5
    assert max(losses(divergence=0.5)) < 1e-3


def test_the_weights_of_the_past_are_rational():
    assert leverage2020.share_of_past(rational_number(1), rational_number("1/2")) == rational_number("2/3")


def loop(γ):
    """One state that stays, rewards 1 and 0, λ = 1, τ = 1/2 and no errors: β = 2/3."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number(γ))
    costs = {"cost": rational_number(1), "temperature": rational_number("1/2")}
    return {"mdp": mdp, **costs, "X": rational([[0, 0]])}


def test_the_first_averages_by_hand():
    """γ = 0: h_0 = 0 and T h_{−1} = r, so Δ_0 = −r; h_1 = r/3, and Δ_1 = r/3 − r = −2/3 r.  π_1 is uniform."""
    b = next(leverage2020.thm2_average(**loop(0)))
    assert all(x.overlaps(flint.arb(-y)) for x, y in zip(b[leverage2020.deviation].flat, (1, 0), strict=True))
    assert b[leverage2020.next_deviation][0, 0].overlaps(-flint.arb(2) / 3)
    assert b[leverage2020.log_policy][0, 0].overlaps(-flint.arb(2).log() / 2)


def test_the_loss_of_the_first_policy_by_hand():
    """γ = 1/2: V* = log(e² + 1), the uniform policy has 1 + log 2; of the difference γ is lost after one action.

    h_0 = 0, so the bound is 2 ‖q*‖ = 2 (1 + V*/2).
    """
    best = (flint.arb(2).exp() + 1).log()
    _, loss, bound = next(leverage2020.thm2.trace(**loop("1/2")))
    assert loss.overlaps((best - 1 - flint.arb(2).log()) / 2)
    assert bound.overlaps(2 + best)
