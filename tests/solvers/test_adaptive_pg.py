"""Ascent over safe actions: which actions these are, and what is reached with them."""

from itertools import product

import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number, total
from mdplab.exact import optimum, restricted, safe_actions, safe_softmax, values
from mdplab.instances import two_by_two
from mdplab.instances.families import garnet
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import adaptive_pg


def test_safe_actions_lose_no_more_than_the_slack():
    best = optimum(bandit(rational([1, "9/10", 0])))
    assert (safe_actions(best) == rational([[1, 0, 0]])).all()
    assert (safe_actions(best, rational_number("1/10")) == rational([[1, 1, 0]])).all()
    assert (safe_actions(best, 1) == 1).all()


def test_softmax_over_safe_actions_by_hand():
    """Logits log 1, log 2, log 50 with the last unsafe: (1/3, 2/3, 0)."""
    π = safe_softmax(np.log([[1.0, 2.0, 50.0]]), np.array([[1.0, 1.0, 0.0]]))
    assert π == pytest.approx(np.array([[1 / 3, 2 / 3, 0]]), abs=1e-15)
    far = safe_softmax(np.array([[-900.0, -901.0, 900.0]]), np.array([[1.0, 1.0, 0.0]]))
    assert far[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_the_restricted_optimum_is_the_best_of_all_safe_deterministic_policies():
    mdp = garnet(np.random.default_rng(2), 1, S=3, A=3, discount=0.9)[0].exact()
    reward = rational(np.random.default_rng(3).integers(-4, 5, (3, 3))) / 4
    best = optimum(mdp)
    safe = safe_actions(best, rational_number("1/2"))
    assert 3 < total(safe, 2) < 9  # some choice, and some actions forbidden
    other = DiscountedMDP(mdp.P, reward, mdp.discount, mdp.start)
    found = []
    for actions in product(range(3), repeat=3):
        if all(safe[s, a] == 1 for s, a in enumerate(actions)):
            found.append(total(mdp.start * values(other, rational(np.eye(3, dtype=int)[list(actions)]))))
    assert max(found) == total(mdp.start * optimum(restricted(mdp, reward, safe, best.action)).v)


def test_the_run_stays_safe_and_its_gradient_is_that_of_the_additional_reward():
    mdp = two_by_two().floats()
    reward = np.array([[0.0, 1.0], [1.0, -1.0]])
    best = optimum(mdp)
    assert floats(safe_actions(best)).sum() == 2
    still = next(adaptive_pg(mdp, reward, at=[50]))
    assert (still.π == floats(best.policy)).all()
    free = next(adaptive_pg(mdp, reward, slack=100.0))
    # All actions are safe: central differences, whose error is of order h² = 1e-10 times a third derivative.
    other, h = DiscountedMDP(mdp.P, reward, mdp.discount, mdp.start), 1e-5

    def J(θ):
        return total(mdp.start * values(other, safe_softmax(θ, np.ones((2, 2)))))

    for s, a in product(range(2), repeat=2):
        u = np.zeros((2, 2))
        u[s, a] = h
        assert free.gradient[s, a] == pytest.approx((J(u) - J(-u)) / (2 * h), abs=1e-6)
