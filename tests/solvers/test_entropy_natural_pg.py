"""Entropy-regularised natural policy gradient: soft policy iteration, the general step, improvement, fixed point."""

from itertools import islice, pairwise

import numpy as np

from mdplab.arrays import exp, floats, log, rational, rational_number, solve, total, transposed
from mdplab.instances import families
from mdplab.solvers import entropy_natural_pg


def soft_q(mdp, log_π, τ):
    """Soft action values from their definition, in the arithmetic of balls."""
    π = exp(log_π)
    P = np.einsum("sa,sat->st", π, mdp.P)
    one = rational(np.eye(mdp.S, dtype=int))
    return mdp.r + mdp.discount * (mdp.P @ solve(one - mdp.discount * P, total(π * (mdp.r - τ * log_π))))


def overlap(x, y):
    return all(a.overlaps(b) for a, b in zip(x.flat, y.flat, strict=True))


def test_the_default_step_is_soft_policy_iteration(two_states, logits, digits):
    with digits(200):
        τ = rational_number("1/2")
        run = list(islice(entropy_natural_pg(two_states, logits, temperature=τ), 4))
        for x, y in pairwise(run):
            weights = exp(soft_q(two_states, x.log_π, τ) / τ)
            assert overlap(y.π, weights / total(weights)[:, None])
            assert max(float(p.rad()) for p in y.π.flat) < 1e-40
        # The same step given by its number, (1 − γ)/τ = 1/5, and one that is not it.
        named = next(entropy_natural_pg(two_states, logits, temperature=τ, step_size=rational_number("1/5"), at=[3]))
        assert overlap(named.log_π, run[3].log_π)
        other = next(entropy_natural_pg(two_states, logits, temperature=τ, step_size=rational_number("1/6"), at=[3]))
        assert not overlap(other.log_π, run[3].log_π)


def test_a_shorter_step_is_a_geometric_mean_in_probabilities(two_states, logits, digits):
    """π⁺ ∝ π^(1 − ητ/(1−γ)) exp(η Q/(1−γ)); with η = 1/10, τ = 1/2: the square root of π times exp Q."""
    with digits(200):
        τ, η = rational_number("1/2"), rational_number("1/10")
        first, second = islice(entropy_natural_pg(two_states, logits, temperature=τ, step_size=η), 2)
        weights = np.vectorize(lambda p: p.sqrt(), otypes=[object])(first.π) * exp(soft_q(two_states, first.log_π, τ))
        assert overlap(second.π, weights / total(weights)[:, None])


def test_a_step_improves_by_the_divergences_of_the_identity(two_states, logits, digits):
    """V⁺(μ) − V(μ) = E_{d⁺} [(1/η − τ/(1−γ)) KL(π⁺ ‖ π) + 1/η KL(π ‖ π⁺)] = 0.66581 for τ = 1/2, η = 1/20."""
    with digits(200):
        τ, η = rational_number("1/2"), rational_number("1/20")
        first, second = islice(entropy_natural_pg(two_states, logits, temperature=τ, step_size=η), 2)
        one, γ = rational(np.eye(2, dtype=int)), two_states.discount

        def value(x):
            P = np.einsum("sa,sat->st", x.π, two_states.P)
            return total(two_states.start * solve(one - γ * P, total(x.π * (two_states.r - τ * x.log_π))))

        P = np.einsum("sa,sat->st", second.π, two_states.P)
        d = (1 - γ) * solve(transposed(one - γ * P), two_states.start)
        there = total(second.π * (second.log_π - first.log_π))
        back = total(first.π * (first.log_π - second.log_π))
        gained, promised = value(second) - value(first), total(d * ((1 / η - τ / (1 - γ)) * there + back / η))
        assert gained.overlaps(promised)
        assert float(abs(gained - promised)) < 1e-40
        assert abs(float(gained) - 0.66581) < 5e-6  # printed with five digits


def test_it_comes_to_the_policy_of_the_soft_optimality_equation():
    mdp = families.garnet(np.random.default_rng(5), 6, S=4, A=3, discount=0.8)
    τ = np.geomspace(0.05, 5, 6)
    last = next(entropy_natural_pg(mdp, temperature=τ, at=[200]))
    v = np.zeros((6, 4))
    for _ in range(400):  # soft value iteration, a contraction by 0.8: 0.8^400 < 1e-38
        q = mdp.action_values(v) / τ[:, None, None]
        top = q.max(axis=-1, keepdims=True)
        v = τ[:, None] * (np.log(np.exp(q - top).sum(axis=-1)) + top[..., 0])
    expected = (mdp.action_values(v) - v[..., None]) / τ[:, None, None]
    # Values round by some 20 u |v| / (1 − γ) on both roads, and are divided by τ.
    slack = 2 * 20 * 2**-53 * np.abs(v).max(axis=-1) / 0.2 / τ
    assert (np.abs(last.log_π - expected) <= slack[:, None, None]).all()


def test_logarithms_of_tiny_probabilities_are_kept():
    mdp = families.bandits(np.random.default_rng(1), 4, K=3)
    last = next(entropy_natural_pg(mdp, temperature=1e-5, at=[1]))
    exact = mdp.r / 1e-5 - mdp.r.max(axis=-1, keepdims=True) / 1e-5
    # Odds of rewards over τ: three roundings of numbers of at most 1e5; the runner-up is far enough to leave log π = 0.
    assert np.abs(last.log_π - exact).max() <= 4 * 1e5 * 2**-53 + np.exp(-np.abs(exact[exact < 0]).min())
    assert floats(log(rational_number(1))) == 0
