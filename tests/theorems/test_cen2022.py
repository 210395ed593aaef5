"""What the engine cannot know about theorems/cen2022.py: bandits by hand, and numbers from another program."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, log_softmax, rational
from mdplab.exact import soft_optimum
from mdplab.instances import one_state_loop, two_armed_bandit, two_by_two, two_by_two_logits
from mdplab.solvers import entropy_natural_pg
from theorems import cen2022


def in_floats(inputs):
    return {name: x.floats() if hasattr(x, "floats") else floats(x) for name, x in inputs.items()}


def test_the_improvement_of_two_by_two_has_the_numbers_of_an_independent_computation():
    """τ = 1/2, η = 1/20, ρ = μ: 0.66581; with the visits of the old policy 0.65847, with 1/η twice 0.75962."""
    b = next(cen2022.improve(**in_floats(cen2022._two_by_two())))
    η, τ, γ = 0.05, 0.5, 0.9
    wrong_visits = (1 / η - τ / (1 - γ)) * b[cen2022.there_at_old] + b[cen2022.back_at_old] / η
    same_coefficient = (b[cen2022.there] + b[cen2022.back]) / η
    found = (b[cen2022.new_value] - b[cen2022.old_value], wrong_visits, same_coefficient)
    assert [round(float(x), 5) for x in found] == [0.66581, 0.65847, 0.75962]


def test_a_step_on_a_bandit_by_hand():
    """γ = 0, r = (1, 0), τ = η = 1/2: the logits' difference x goes to x(1 − ητ) + η; fixed point 1/τ = 2.

    From x = 0: 1/2, 7/8, 37/32.
    """
    runs = entropy_natural_pg(two_armed_bandit().floats(), temperature=0.5, step_size=0.5)
    differences = [float(it.log_π[0, 0] - it.log_π[0, 1]) for it in islice(runs, 4)]
    assert differences == pytest.approx([0, 1 / 2, 7 / 8, 37 / 32], abs=1e-15)  # a few roundings of numbers near one
    best = soft_optimum(two_armed_bandit().floats(), 0.5).log_π[0]
    assert best[0] - best[1] == pytest.approx(2, abs=1e-14)


def test_the_longest_step_solves_a_bandit_at_once():
    """γ = 0 and η = 1/τ: π_1 is the optimal policy."""
    mdp, τ = two_armed_bandit().floats(), 0.25
    first, second = islice(entropy_natural_pg(mdp, np.array([[-3.0, 1.0]]), temperature=τ), 2)
    best = soft_optimum(mdp, τ).log_π
    assert np.abs(first.log_π - best).max() > 1e-2
    assert np.abs(second.log_π - best).max() < 1e-14


def test_the_bound_of_theorem_1_by_hand_for_one_state():
    """One state that stays, two actions of reward 1, γ = 9/10, τ = 1/10, η = (1 − γ)/τ = 1, π⁽⁰⁾ = (1/3, 2/3).

    Ṽ* = (1 + τ log 2)/(1 − γ), Ṽ = (1 + τ H)/(1 − γ) with H the entropy of π⁽⁰⁾: the first errors are
    γτ(log 2 − H)/(1 − γ) and log 3 − log 2.  As 1 − ητ/(1 − γ) = 0, C₁ is the first of them.

    After one step nothing is left.
    """
    mdp, logits = one_state_loop("9/10", A=2).floats(), np.log([[1 / 3, 2 / 3]])
    binding, error, bound = next(cen2022.thm1.trace(mdp, np.float64(0.1), np.float64(1), logits))
    H = np.log(3) - 2 / 3 * np.log(2)
    first = 0.9 * 0.1 * (np.log(2) - H) / 0.1
    assert float(binding[cen2022.first_error]) == pytest.approx(first, abs=1e-13)
    assert float(binding[cen2022.first_error_of_policy]) == pytest.approx(np.log(3) - np.log(2), abs=1e-14)
    assert float(bound) == pytest.approx(0.9 * first, abs=1e-13)
    assert float(error) < 1e-13


def test_iterates_are_numbered_as_the_paper_does():
    """The first binding is t = 0 and holds the error of the policy after one update."""
    mdp, τ, share = two_by_two().floats(), np.float64(0.5), np.float64(0.5)
    θ = floats(two_by_two_logits())
    binding = next(cen2022.thm1(mdp, τ, share, θ))
    best = soft_optimum(mdp, τ)
    _, second = islice(entropy_natural_pg(mdp, θ, temperature=τ, step_size=0.1), 2)
    assert binding[cen2022.t] == 0
    assert float(binding[cen2022.error_of_policy]) == pytest.approx(np.abs(best.log_π - second.log_π).max(), abs=1e-13)


def test_the_span_of_the_log_ratio_bounds_its_size():
    """Two distributions cross, so log p − log q is somewhere at most zero and somewhere at least zero.

    This is the step of the sharpened theorem that saves the factor 2.
    """
    rng = np.random.default_rng(0)
    ratio = log_softmax(rng.normal(size=(1000, 4))) - log_softmax(5 * rng.normal(size=(1000, 4)))
    assert (ratio.min(axis=1) <= 0).all()
    assert (ratio.max(axis=1) >= 0).all()


def test_with_a_step_that_is_too_long_the_policies_do_not_converge():
    """γ = 0 and η = 3/τ: the difference of the logits is multiplied by −2 about its fixed point at every update."""
    mdp = two_armed_bandit().floats()
    runs = entropy_natural_pg(mdp, temperature=1.0, step_size=3.0)
    x = [float(it.log_π[0, 0] - it.log_π[0, 1]) for it in islice(runs, 5)]
    assert x == pytest.approx([0, 3, -3, 9, -15], abs=1e-13)


def test_rational_inputs_give_enclosures_of_the_same_numbers():
    exact = next(cen2022.thm1(two_by_two(), *(rational("1/2")[()],) * 2, two_by_two_logits()))
    near = next(cen2022.thm1(two_by_two().floats(), np.float64(0.5), np.float64(0.5), floats(two_by_two_logits())))
    for q in (cen2022.error, cen2022.error_of_values, cen2022.error_of_policy, cen2022.first_error):
        # Values are at most (1 + τ log 2)/(1 − γ) < 14; 1e-12 is a few thousand roundings of them.
        assert float(exact[q].mid()) == pytest.approx(float(near[q]), abs=1e-12)
