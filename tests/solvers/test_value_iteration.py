"""Value iteration and the enclosures of the optimal values that it gives."""

from itertools import islice, pairwise

import array_api_strict
import numpy as np
from hypothesis import given, settings

from mdplab.arrays import floats, is_exact, rational, sup
from mdplab.instances import families
from mdplab.instances.strategies import discounted_mdps
from mdplab.models import DiscountedMDP
from mdplab.solvers import enclosures, value_iteration


def test_one_state_by_hand():
    """r = 1, γ = 1/2: v_k = 2 − 2^(1−k)."""
    mdp = DiscountedMDP(rational([[[1]]]), rational([[1]]), rational("1/2")[()])
    assert [v[0] for v in islice(value_iteration(mdp), 4)] == list(rational([0, 1, "3/2", "7/4"]))


def test_values_start_where_they_are_told_to(two_states):
    v0 = rational([3, "-1/2"])
    first, second = islice(value_iteration(two_states, v0), 2)
    assert (first == v0).all()
    # max over actions of r + 9/10 (p · 3 − (1 − p)/2) by hand, p = 9/10, 1/5; 1/2, 0.
    assert (second == rational(["677/200", "57/40"])).all()


@given(discounted_mdps(rewards="any"))
@settings(max_examples=60, deadline=None)
def test_the_error_contracts_and_every_enclosure_contains_the_optimal_values(best_values, mdp):
    v_star = best_values(mdp)
    iterates = list(islice(value_iteration(mdp), 6))
    for v, Tv in pairwise(iterates):
        assert sup(Tv - v_star) <= mdp.discount * sup(v - v_star)
    for low, high in enclosures(mdp, iterates):
        assert (low <= v_star).all()
        assert (v_star <= high).all()


@given(discounted_mdps(rewards="any"))
@settings(max_examples=60, deadline=None)
def test_enclosures_hold_in_float64_to_the_last_digit_and_close_in(best_values, mdp):
    approximate = mdp.floats()
    v_star = best_values(approximate.exact())
    # After 60 backups the enclosure of a model with γ < 1/4 is all rounding: here the margin is put to the test.
    for low, high in enclosures(approximate, islice(value_iteration(approximate), 60)):
        assert (rational(low) <= v_star).all()
        assert (v_star <= rational(high)).all()
    # Each margin is 2 S + 16 <= 22 roundings of at most three values over 1 − γ; their difference adds a few.
    size = np.abs(floats(mdp.r)).max() / (1 - approximate.discount)
    width = 2 * approximate.discount**59 / (1 - approximate.discount) * np.abs(approximate.r).max()
    assert (high - low <= width + 3 * 24 * 2**-52 * size / (1 - approximate.discount)).all()


def test_the_enclosure_is_tight_for_one_state():
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, "1/2"]]), rational("9/10")[()])
    low, high = next(enclosures(mdp, value_iteration(mdp)))
    assert low[0] == high[0] == 10


def test_a_batch_of_models_with_their_own_discounts_is_enclosed_model_by_model(best_values):
    mdp = families.garnet(np.random.default_rng(5), 6, S=3, A=2)
    assert len(set(mdp.discount)) > 1
    *_, (low, high) = enclosures(mdp, islice(value_iteration(mdp), 40))
    for i in range(6):
        v_star = best_values(mdp[i].exact())
        assert is_exact(v_star)
        assert (rational(low[i]) <= v_star).all()
        assert (v_star <= rational(high[i])).all()


def test_strict_arrays_are_enclosed_alike():
    mdp = families.garnet(np.random.default_rng(5), 6, S=3, A=2)
    strict = mdp.map(array_api_strict.asarray)
    for plain, bounds in zip(
        islice(enclosures(mdp, value_iteration(mdp)), 5), enclosures(strict, value_iteration(strict)), strict=False
    ):
        assert all((x == np.asarray(y)).all() for x, y in zip(plain, bounds, strict=True))
