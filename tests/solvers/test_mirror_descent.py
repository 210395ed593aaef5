"""Policy mirror descent against its definition as a proximal step, and its growing steps."""

from itertools import islice, pairwise, repeat

import numpy as np
import pytest

from mdplab.arrays import exp, log, rational, rational_number, solve, total, transposed
from mdplab.errors import MdplabError
from mdplab.exact import action_values, gap, optimum
from mdplab.instances import families
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import geometric_steps, mirror_descent, natural_pg, policy_iteration


def test_each_step_maximises_linear_gain_minus_divergence(two_states, logits, digits):
    """η ⟨Q, p⟩ − KL(p ‖ π_k) is largest at π_{k+1}, by KL(q ‖ π_{k+1}) over any other distribution q."""
    with digits(200):
        η = rational_number("3/2")
        first, second = islice(mirror_descent(two_states, logits, step_sizes=repeat(η)), 2)
        Q = action_values(two_states, first.π)

        def objective(p):
            return total(p * (η * Q - log(p) + first.log_π))

        for q in rational([[["1/2", "1/2"], ["1/3", "2/3"]], [["9/10", "1/10"], ["1/5", "4/5"]]]):
            lost = objective(second.π) - objective(q)
            divergence = total(q * (log(q) - second.log_π))
            assert all(x.overlaps(y) and x > 0 for x, y in zip(lost, divergence, strict=True))


def test_natural_policy_gradient_is_mirror_descent_with_the_step_over_one_minus_discount(two_states, logits, digits):
    with digits(200):
        η = rational_number("1/7")
        natural = islice(natural_pg(two_states, logits, step_size=η), 5)
        mirror = mirror_descent(two_states, logits, step_sizes=repeat(η * 10))  # 1 − γ = 1/10
        for x, y in zip(natural, mirror, strict=False):
            assert all(a.overlaps(b) for a, b in zip(x.log_π.flat, y.log_π.flat, strict=True))


def test_an_endless_step_is_policy_iteration():
    rng = np.random.default_rng(4)
    mdp = families.garnet(rng, 20, S=4, A=3)
    mdp = DiscountedMDP(mdp.P, rng.random(mdp.r.shape), mdp.discount)  # no ties, in which rounding would choose
    greedy_for_uniform = np.argmax(action_values(mdp, np.full((20, 4, 3), 1 / 3)), axis=-1)
    _, second, third = islice(mirror_descent(mdp, step_sizes=[1e40, 1e80, 1e120]), 3)
    assert (second.π.argmax(axis=-1) == greedy_for_uniform).all()
    assert (second.π.max(axis=-1) == 1).all()
    (_, _), (improved, _) = islice(policy_iteration(mdp, greedy_for_uniform), 2)
    assert (third.π.argmax(axis=-1) == improved).all()


def test_steps_grow_exactly_as_the_theorem_asks():
    mismatch = rational_number("7/3")
    steps = list(islice(geometric_steps(rational_number(1), mismatch), 6))
    assert steps[0] == 1
    assert all(after * (mismatch - 1) == before * mismatch for before, after in pairwise(steps))


def test_steps_of_a_batch_grow_each_at_its_own_rate_and_end_before_they_overflow():
    steps = list(geometric_steps(np.array([1.0, 2.0]), np.array([2.0, 4.0])))
    assert (steps[1] == [2.0, 2 * 4 / 3]).all()
    assert len(steps) == 964  # the first power of two above 1e290 is 2^964
    mdp = bandit(np.array([[1.0, 0.0], [0.0, 1.0]]))
    *_, last = mirror_descent(mdp, step_sizes=steps)
    assert last.k == 964
    assert np.isfinite(last.log_π).all()


@pytest.mark.parametrize("mismatch", [1.0, 0.5, np.array([3.0, 1.0])])
def test_a_mismatch_of_one_or_less_is_refused(mismatch):
    with pytest.raises(MdplabError, match="mismatch"):
        geometric_steps(1.0, mismatch)


def test_the_gap_falls_as_fast_as_geometric_steps_promise(two_states, digits):
    """δ_k <= (1 − 1/m)^k (δ_0 + D_0 / ((1−γ) η_0 (m−1))) for ρ = μ and the mismatch m, in balls; D_0 = log 2."""
    best, γ, η = optimum(two_states), two_states.discount, rational_number(2)
    taken = two_states.under(best.policy)[0]
    d = (1 - γ) * solve(transposed(rational(np.eye(2, dtype=int)) - γ * taken), two_states.start)
    m = max(d / two_states.start) / (1 - γ)
    with digits(600):  # balls widen by the growing steps
        run = islice(mirror_descent(two_states, step_sizes=geometric_steps(η, m)), 25)
        gaps = [gap(two_states, x.π, best) for x in run]
        at_first = gaps[0] + log(rational_number(2)) / ((1 - γ) * η * (m - 1))
        assert all(δ <= (1 - 1 / m) ** k * at_first for k, δ in enumerate(gaps))


def test_probabilities_that_underflow_keep_their_logarithm():
    mdp = bandit(np.array([1.0, 0.0]))
    *_, last = islice(mirror_descent(mdp, step_sizes=repeat(100.0)), 21)
    assert last.log_π[0, 1] == -2000
    assert last.π[0, 1] == exp(-2000.0) == 0
