"""Domains fit the model they are given, in draws, in batches and in their simplest value."""

import numpy as np
import pytest
from hypothesis import find, settings

from mdplab.instances import (
    bandits,
    deterministic_policies,
    discounted_mdps,
    distributions,
    logits,
    numbers,
    policies,
    two_by_two,
    values,
)

fixed = settings(database=None, derandomize=True, max_examples=5000, deadline=None)

SHAPES = {"values": (2,), "logits": (2, 2), "policies": (2, 2), "deterministic_policies": (2, 2), "distributions": (2,)}
DOMAINS = {
    "values": values,
    "logits": logits,
    "policies": policies,
    "deterministic_policies": deterministic_policies,
    "distributions": distributions,
}
SUM_TO_ONE = ("policies", "deterministic_policies", "distributions")


@pytest.mark.parametrize("name", DOMAINS)
def test_the_simplest_value_is_the_one_that_drawing_shrinks_to(name):
    mdp = two_by_two()
    drawn = find(DOMAINS[name].draw(mdp), lambda x: True, settings=fixed)
    assert drawn.tolist() == DOMAINS[name].simplest(mdp).tolist()
    assert drawn.shape == SHAPES[name]


@pytest.mark.parametrize("name", DOMAINS)
def test_a_batch_has_one_value_for_each_model(name):
    mdp = discounted_mdps().families[1].make(np.random.default_rng(0), 60)
    shape = {2: mdp.r.shape, 1: mdp.start.shape}[len(SHAPES[name])]
    x = DOMAINS[name].batch(np.random.default_rng(1), mdp)
    assert x.shape == shape
    assert x.dtype == float
    assert x.tobytes() == DOMAINS[name].batch(np.random.default_rng(1), mdp).tobytes()
    if name in SUM_TO_ONE:
        np.testing.assert_allclose(x.sum(axis=-1), 1, rtol=1e-14)  # a handful of terms
        assert (x >= 0).all()
    assert len(np.unique(x.reshape(60, -1), axis=0)) > 2


def test_logits_of_a_batch_have_mixed_spreads_from_none_to_nearly_deterministic():
    mdp = discounted_mdps().families[1].make(np.random.default_rng(0), 500)
    spread = logits.batch(np.random.default_rng(1), mdp).std(axis=(1, 2))
    assert (spread == 0).any()
    assert (spread > 4).any()


def test_distributions_of_a_batch_are_dirac_uniform_and_in_between():
    mdp = discounted_mdps().families[1].make(np.random.default_rng(0), 300)
    largest = distributions.batch(np.random.default_rng(1), mdp).max(axis=-1)
    assert {0.25, 1.0} < set(largest)


def test_numbers_of_a_batch_are_spread_over_orders_of_magnitude():
    mdp = discounted_mdps().families[0].make(np.random.default_rng(0), 1000)
    x = numbers(1e-3, 1e6).batch(np.random.default_rng(1), mdp)
    assert x.shape == (1000,)
    assert x.min() >= 1e-3
    assert x.max() <= 1e6
    assert 0.25 < (x < 1).mean() < 0.42  # a third of the nine decades
    assert numbers(1e-3, 1e6).simplest() == 1


def test_any_rewards_leave_the_unit_interval_in_draws_and_in_families():
    domain = discounted_mdps(rewards="any")
    assert find(domain.draw(), lambda m: m.r.max() > 1, settings=fixed).r.tolist() == [[2]]
    assert find(domain.draw(), lambda m: m.r.min() < 0, settings=fixed).r.tolist() == [[-1]]
    for family in domain.families:
        r = family.make(np.random.default_rng(0), 100).r
        assert r.min() < 0
        assert r.max() > 1


def test_sizes_of_draws_are_bounded_as_asked():
    wide = discounted_mdps(max_states=5, max_actions=4)
    found = find(wide.draw(), lambda m: m.S == 5 and m.A == 4, settings=fixed)
    assert (found.S, found.A) == (5, 4)


def test_bandits_have_one_state_and_no_discount():
    for family in bandits().families:
        mdp = family.make(np.random.default_rng(0), 10)
        assert mdp.S == 1
        assert mdp.discount == 0


def test_unique_best_arms_are_unique_in_every_family():
    for family in bandits(unique_best=True).families:
        r = family.make(np.random.default_rng(0), 1000).r[:, 0]
        assert ((r == r.max(axis=-1, keepdims=True)).sum(axis=-1) == 1).all()


def test_an_unknown_kind_of_rewards_is_refused():
    with pytest.raises(ValueError, match="expected 'unit' or 'any'"):
        discounted_mdps(rewards="big")
