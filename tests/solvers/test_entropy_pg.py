"""Entropy-regularised policy gradient: its steps against finite differences, its default step, its running minimum."""

from itertools import islice, pairwise

import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact import soft_gap, soft_optimum
from mdplab.instances import families
from mdplab.models import bandit
from mdplab.solvers import entropy_pg


def test_a_step_is_the_step_size_times_the_slope_of_the_soft_value(
    two_states, logits, digits, objective, slopes, agree
):
    with digits(400):
        τ, η = rational_number("1/2"), rational_number("1/10")
        first, second = islice(entropy_pg(two_states, logits, temperature=τ, step_size=η), 2)
        slope = slopes(lambda θ: objective(two_states, θ, τ), logits)
        # The third derivative is below 2^20 for γ = 0.9 (it grows like (1 − γ)^−4), hence the slope is good to 2^-100.
        assert agree((second.θ - first.θ) / η, slope, 2.0**-100)
        assert not agree((second.θ - first.θ) / η, slope * rational_number("1000001/1000000"), 2.0**-100)


def test_the_default_step_is_the_one_of_the_theorem():
    """One state, two equal arms, γ = 0, τ = 1: the step is 1 / (12 + 8 log 2), and θ moves by it times the gradient."""
    mdp = bandit(np.array([0.0, 0.0]))
    θ = np.array([[0.0, 1.0]])
    first, second = islice(entropy_pg(mdp, θ, temperature=1.0), 2)
    p = 1 / (1 + np.e)
    gradient = p * (1 - p)  # of the entropy with respect to the smaller logit, times the logit difference 1
    # A handful of operations on numbers below 1.
    assert abs((second.θ - first.θ)[0, 0] - gradient / (12 + 8 * np.log(2))) <= 8 * 2**-53


def test_least_is_the_smallest_probability_of_all_iterates_so_far(two_states, logits):
    mdp, θ = two_states.floats(), 3 * floats(logits)
    run = list(islice(entropy_pg(mdp, θ, temperature=1.0, step_size=0.3), 60))
    for k, x in enumerate(run):
        assert x.least == min(y.π.min() for y in run[: k + 1])
    assert run[-1].least < run[-1].π.min()  # the smallest one is in the past: a last-iterate minimum would differ
    *_, last = entropy_pg(mdp, θ, temperature=1.0, step_size=0.3, at=[0, 59])
    assert last.least == run[-1].least


def test_the_soft_gap_falls_at_every_default_step():
    mdp = families.garnet(np.random.default_rng(7), 8, S=3, A=3)
    τ = np.geomspace(0.05, 5, 8)
    best = soft_optimum(mdp, τ)
    gaps = [soft_gap(mdp, x.log_π, τ, best) for x in islice(entropy_pg(mdp, temperature=τ), 30)]
    assert all((after < before).all() for before, after in pairwise(gaps))


def test_a_long_step_can_lower_the_soft_value(objective):
    """One state, γ = 0, r = (1, 0), τ = 1, η = 10 from θ = 0; no unregularised step can do that."""
    mdp, τ = bandit(rational([1, 0])), rational_number(1)
    first, second = islice(entropy_pg(mdp, temperature=τ, step_size=rational_number(10)), 2)
    assert objective(mdp, second.θ, τ) < objective(mdp, first.θ, τ)
    first, second = islice(entropy_pg(mdp, temperature=τ), 2)
    assert objective(mdp, second.θ, τ) > objective(mdp, first.θ, τ)


def test_the_policy_of_the_bandit_comes_to_the_softmax_of_the_rewards():
    r = np.array([0.9, 0.2, 0.4])
    *_, last = entropy_pg(bandit(r), temperature=0.5, step_size=1.0, at=[2000])
    # The contraction rate is 1 − τ η min π with min π > 0.1 (Lemma 11): 2000 steps leave less than 1e-40.
    assert np.abs(last.π - np.exp(r / 0.5) / np.exp(r / 0.5).sum()).max() <= 2000 * 2**-53


def test_inputs_of_the_wrong_shape_are_named():
    mdp = families.garnet(np.random.default_rng(8), 3, S=2, A=2)
    with pytest.raises(MdplabError, match=r"θ has shape \(2, 2\); this model calls for \(3, 2, 2\)"):
        entropy_pg(mdp, np.zeros((2, 2)), temperature=1.0)
    with pytest.raises(MdplabError, match=r"temperature has shape \(2,\); expected one number or shape \(3,\)"):
        entropy_pg(mdp, temperature=np.ones(2))
