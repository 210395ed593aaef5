"""Policy gradient with a log barrier: its gradient against finite differences, its step, its best gap."""

from itertools import islice

import numpy as np

from mdplab.arrays import floats, log_softmax, rational_number, softmax, total
from mdplab.exact import gap, optimum
from mdplab.instances import families
from mdplab.models import bandit
from mdplab.solvers import log_barrier_gradient, log_barrier_pg, log_barrier_smoothness


def barrier_objective(objective, mdp, θ, λ):
    return objective(mdp, θ) + λ / (mdp.S * mdp.A) * total(log_softmax(θ), 2)  # up to the constant λ log A


def test_its_direction_is_the_slope_of_the_objective(two_states, logits, digits, objective, slopes, agree):
    with digits(400):
        λ, η = rational_number("1/3"), rational_number("1/10")
        first, second = islice(log_barrier_pg(two_states, logits, strength=λ, step_size=η), 2)
        slope = slopes(lambda θ: barrier_objective(objective, two_states, θ, λ), logits)
        # As for the plain gradient: third derivatives below 2^20, hence slopes good to 2^-100.
        assert agree(first.gradient, slope, 2.0**-100)
        assert agree((second.θ - first.θ) / η, slope, 2.0**-100)
        assert not agree(log_barrier_gradient(two_states, softmax(logits), 2 * λ), slope, 2.0**-100)


def test_the_default_step_is_one_over_the_smoothness_constant(two_states, logits, digits):
    """γ = 9/10, S = 2, λ = 1/2: β = 8 · 1000 + 1/2 = 16001/2."""
    λ = rational_number("1/2")
    assert log_barrier_smoothness(two_states, λ) == rational_number("16001/2")
    with digits(200):
        first, second = islice(log_barrier_pg(two_states, logits, strength=λ), 2)
        moved = (second.θ - first.θ) * rational_number("16001/2")
        assert all(a.overlaps(b) for a, b in zip(moved.flat, first.gradient.flat, strict=True))
        assert max(float(x.rad()) for x in moved.flat) < 1e-40


def test_every_default_step_gains_at_least_half_of_what_the_slope_promises(two_states, logits, digits, objective):
    """Ascent lemma: L(θ + ∇L/β) >= L(θ) + ‖∇L‖²/(2β), with seven steps in balls."""
    λ = rational_number("1/2")
    with digits(300):
        β = log_barrier_smoothness(two_states, λ)
        run = list(islice(log_barrier_pg(two_states, logits, strength=λ), 8))
        L = [barrier_objective(objective, two_states, x.θ, λ) for x in run]
        for k in range(7):
            assert L[k + 1] - L[k] >= total(run[k].gradient * run[k].gradient, 2) / (2 * β)


def test_where_the_gradient_vanishes_all_actions_of_a_worthless_model_are_equally_likely():
    mdp = bandit(np.array([0.5, 0.5, 0.5]))
    *_, last = log_barrier_pg(mdp, np.array([[2.0, 0.0, -1.0]]), strength=1.0, at=[1600])
    # β = 10 and curvature 1/3: each step takes a thirtieth off at the end; 1600 steps leave less than 1e-20.
    assert np.abs(last.π - 1 / 3).max() <= 1600 * 2**-53
    assert np.abs(last.gradient).max() <= 1600 * 2**-53


def test_least_gap_is_the_best_of_all_iterates_so_far():
    mdp = families.garnet(np.random.default_rng(3), 5, S=3, A=2)
    # A start near the optimum, from which the barrier pulls away: the best iterate is in the past.
    best = optimum(mdp)
    θ = 8 * best.policy
    run = list(islice(log_barrier_pg(mdp, θ, strength=5.0, step_size=0.5, optimum=best), 12))
    gaps = np.array([gap(mdp, x.π, best) for x in run])
    for k, x in enumerate(run):
        assert (x.least_gap == gaps[: k + 1].min(axis=0)).all()
    assert (run[-1].least_gap < gaps[-1]).any()
    *_, last = log_barrier_pg(mdp, θ, strength=5.0, step_size=0.5, optimum=best, at=[11])
    assert (last.least_gap == run[-1].least_gap).all()
    assert next(log_barrier_pg(mdp, strength=1.0)).least_gap is None


def test_its_stationary_point_obeys_the_bound_of_the_theorem(two_states):
    """Theorem 5.2 with ρ = μ: where ‖∇L‖ <= λ/(2SA), the gap is at most 2λ/(1−γ) · ‖d*/μ‖_∞."""
    mdp, λ = two_states.floats(), 0.2
    best = optimum(mdp)
    reached = next(
        x for x in log_barrier_pg(mdp, strength=λ, step_size=0.05) if np.linalg.norm(x.gradient) <= λ / (2 * 2 * 2)
    )
    assert reached.k > 0
    occupancy = 0.1 * np.linalg.solve((np.eye(2) - 0.9 * floats(mdp.under(best.policy)[0])).T, mdp.start)
    assert 0 < gap(mdp, reached.π, best) <= 2 * λ / 0.1 * (occupancy / mdp.start).max()
