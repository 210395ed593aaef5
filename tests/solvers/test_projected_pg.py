"""Projected policy gradient: exact steps by hand and by finite differences, its default step, monotone values."""

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import rational, rational_number, solve, total
from mdplab.errors import MdplabError
from mdplab.exact import gap, optimum, values
from mdplab.instances import families
from mdplab.instances.strategies import discounted_mdps
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import projected_pg


def test_a_bandit_by_hand():
    """r = (1, 0), η = 1/2: (1/2, 1/2) moves to (1, 1/2), is projected to (3/4, 1/4); next to (5/4, 1/4), to (1, 0)."""
    run = islice(projected_pg(bandit(rational([1, 0])), step_size=rational_number("1/2")), 4)
    expected = rational([["1/2", "1/2"], ["3/4", "1/4"], [1, 0], [1, 0]])
    assert all((x.π[0] == p).all() for x, p in zip(run, expected, strict=True))


def test_a_short_step_inside_the_simplex_is_the_slope_of_the_value_made_to_sum_to_zero(two_states, slopes):
    π, η = rational([["2/3", "1/3"], ["1/4", "3/4"]]), rational_number("1/1000")

    def value(π):
        P = np.einsum("sa,sat->st", π, two_states.P)
        one = rational(np.eye(2, dtype=int))
        return total(two_states.start * solve(one - two_states.discount * P, total(π * two_states.r)))

    first, second = islice(projected_pg(two_states, π, step_size=η), 2)
    slope = slopes(value, π)
    tangent = slope - slope.sum(axis=-1, keepdims=True) / 2
    # Rationals throughout: what differs is the third derivative (below 2^20 at γ = 0.9) times 2^-120.
    assert all(abs(d) < rational_number(2) ** -100 for d in ((second.π - first.π) / η - tangent).flat)


def test_the_default_step_is_one_over_the_smoothness_constant_and_gains_what_that_promises(two_states):
    """η = (1/10)³ / (2 · 9/10 · 2) = 1/3600; then V(π⁺) >= V(π) + ‖π⁺ − π‖² / (2η), in rationals."""
    explicit = islice(projected_pg(two_states, step_size=rational_number("1/3600")), 4)
    run = list(islice(projected_pg(two_states), 4))
    assert all((x.π == y.π).all() for x, y in zip(run, explicit, strict=True))
    for x, y in pairwise(run):
        gained = gap(two_states, x.π, optimum(two_states)) - gap(two_states, y.π, optimum(two_states))
        assert gained >= total((y.π - x.π) ** 2, 2) * 1800 > 0


def test_discount_zero_has_no_default_step():
    with pytest.raises(MdplabError, match="discount is 0"):
        projected_pg(bandit(np.array([1.0, 0.0])))


@given(discounted_mdps(rewards="any"), st.sampled_from(["1/1000", "1/10", 1, 30, 10**6]))
@settings(max_examples=40, deadline=None)
def test_no_step_however_long_lowers_the_value_of_a_state(mdp, step):
    run = islice(projected_pg(mdp, step_size=rational_number(step)), 4)
    for v, w in pairwise(values(mdp, x.π) for x in run):
        assert (w >= v).all()


def test_iterates_stay_policies_and_reach_the_optimum():
    rng = np.random.default_rng(9)
    mdp = families.garnet(rng, 6, S=3, A=3, discount=0.5)
    mdp = DiscountedMDP(mdp.P, rng.random(mdp.r.shape), mdp.discount)  # uniform start: every state is visited
    best = optimum(mdp)
    last = next(projected_pg(mdp, step_size=1.0, at=[1500]))
    assert (last.π >= 0).all()
    assert np.abs(last.π.sum(axis=-1) - 1).max() <= 8 * 2**-53
    # A unique optimum is a vertex with a positive margin, and ascent to a vertex ends after finitely many steps.
    assert (best.action_gap > 1e-3).all()
    assert (gap(mdp, last.π, best) == 0).all()
