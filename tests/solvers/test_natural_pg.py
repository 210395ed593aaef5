"""Natural policy gradient: its direction against the Fisher matrix and finite differences, its step, its guarantee."""

from itertools import islice

import numpy as np

from mdplab.arrays import rational, rational_number, solve, total, transposed
from mdplab.exact import gap, optimum
from mdplab.instances import families
from mdplab.solvers import natural_pg


def test_the_fisher_matrix_takes_its_direction_to_the_gradient(two_states, logits, digits, objective, slopes, agree):
    """F (θ_1 − θ_0) / η = ∇V, F = Σ_s d(s) (diag π_s − π_s π_s^T), d the normalised occupancy, ∇V by differences."""
    with digits(400):
        η = rational_number("1/5")
        first, second = islice(natural_pg(two_states, logits, step_size=η), 2)
        w = (second.log_π - first.log_π) / η
        P = np.einsum("sa,sat->st", first.π, two_states.P)
        one = rational(np.eye(2, dtype=int))
        d = (1 - two_states.discount) * solve(transposed(one - two_states.discount * P), two_states.start)
        Fw = d[:, None] * first.π * (w - total(first.π * w)[:, None])
        slope = slopes(lambda θ: objective(two_states, θ), logits)
        # Third derivatives below 2^20 at γ = 0.9, hence slopes good to 2^-100.
        assert agree(Fw, slope, 2.0**-100)
        assert not agree(Fw * (1 - two_states.discount), slope, 2.0**-100)


def test_the_default_step_is_the_shortest_of_the_theorem(two_states, digits):
    """η = (1−γ)² log 2, so the log-odds of the first step are (1−γ) log 2 · (Q(s, 0) − Q(s, 1))."""
    with digits(200):
        first, second = islice(natural_pg(two_states), 2)
        half = rational_number("1/2")
        P = half * (two_states.P[:, 0] + two_states.P[:, 1])
        one = rational(np.eye(2, dtype=int))
        v = solve(one - two_states.discount * P, half * total(two_states.r))
        Q = two_states.r + two_states.discount * (two_states.P @ v)
        odds = second.log_π[:, 0] - second.log_π[:, 1]
        log_2 = -first.log_π[0, 0]
        expected = rational_number("1/10") * log_2 * (Q[:, 0] - Q[:, 1])
        assert all(a.overlaps(b) for a, b in zip(odds, expected, strict=True))
        assert max(float(a.rad()) for a in odds) < 1e-40


def test_the_gap_obeys_the_guarantee_of_the_theorem_without_the_start_distribution():
    """Theorem 5.3: δ_T <= 2 / ((1−γ)² T) with the default step from the uniform policy, for every start."""
    mdp = families.tiny_start(np.random.default_rng(6), 30)
    best = optimum(mdp)
    for x in islice(natural_pg(mdp), 1, 60):
        for s in range(mdp.S):
            start = np.broadcast_to(np.eye(mdp.S)[s], mdp.start.shape)
            assert (gap(mdp, x.π, best, start) <= 2 / ((1 - mdp.discount) ** 2 * x.k)).all()


def test_the_start_distribution_does_not_matter(two_states, logits):
    mdp, θ = two_states.floats(), np.array([[0.2, -0.4], [1.0, 0.0]])
    elsewhere = mdp.starting(np.array([0.0, 1.0]))
    for x, y in zip(islice(natural_pg(mdp, θ), 5), natural_pg(elsewhere, θ), strict=False):
        assert (x.log_π == y.log_π).all()


def test_linear_rates_can_be_followed_far_below_rounding():
    mdp = families.garnet(np.random.default_rng(2), 10, S=3, A=2, discount=0.9)
    best = optimum(mdp)
    *_, last = natural_pg(mdp, step_size=1.0, at=[20000])
    gaps = gap(mdp, last.π, best)
    assert (gaps[best.action_gap > 0.02] < 1e-100).all()
    assert (best.action_gap > 0.02).any()
    assert (last.log_π < 0).any()
