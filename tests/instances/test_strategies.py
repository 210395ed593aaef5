"""Drawn models are small, exact, as asked for, and shrink to what a reader would write down by hand."""

from fractions import Fraction
from time import perf_counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from mdplab.arrays import rational
from mdplab.instances import bandits, discounted_mdps, strategies

quick = settings(max_examples=50, database=None, deadline=None)
fixed = settings(database=None, derandomize=True, max_examples=2000, deadline=None)


def simplest(strategy, condition):
    return find(strategy, condition, settings=fixed)


@quick
@given(strategies.discounted_mdps())
def test_drawn_models_are_rational_and_have_unit_rewards(mdp):
    assert mdp.P.dtype == mdp.r.dtype == mdp.start.dtype == object
    assert (mdp.P.sum(axis=-1) == 1).all()  # exactly
    assert (mdp.r >= 0).all()
    assert (mdp.r <= 1).all()
    assert mdp.S <= 3
    assert mdp.A <= 3


@quick
@given(strategies.discounted_mdps(positive_start=True))
def test_positive_start_leaves_no_state_out(mdp):
    assert (mdp.start > 0).all()


@quick
@given(strategies.bandits(unique_best=True))
def test_a_unique_best_arm_is_unique(mdp):
    assert (mdp.r == mdp.r.max()).sum() == 1
    assert mdp.discount == 0


@quick
@given(strategies.policies(2, 3))
def test_policies_have_full_support(π):
    assert (π > 0).all()
    assert (π.sum(axis=-1) == 1).all()


def test_every_distribution_of_the_table_sums_to_one_exactly():
    for n in (1, 2, 3, 4, 6):
        for positive in (False, True):
            table = np.array(strategies._distributions(n, positive), dtype=object)
            assert (table.sum(axis=-1) == 1).all()
            assert (table > 0).all() if positive else (table >= 0).all()


@pytest.mark.parametrize(
    ("condition", "P", "r", "γ"),
    [
        (lambda m: True, [[[1]]], [[0]], 0),
        (lambda m: m.r.max() == 1, [[[1]]], [[1]], 0),
        (lambda m: 2 * m.P[0, 0, 0] < 1, [[[0, 1]], [[0, 1]]], [[0], [0]], 0),
        (lambda m: m.A > 1 and m.r[0, 0] < m.r[0, 1], [[[1], [1]]], [[0, 1]], 0),
        (lambda m: m.discount > 0 and m.r.max() > 0, [[[1]]], [[1]], "1/2"),
        (lambda m: m.S > 1 and m.r[1, 0] > m.r[0, 0], [[[1, 0]], [[0, 1]]], [[0], [1]], 0),
        # Two states, each of which can be left for the other.
        (lambda m: m.S > 1 and m.P[0, 0, 1] > 0 and m.P[1, 0, 0] > 0, [[[0, 1]], [[1, 0]]], [[0], [0]], 0),
    ],
)
def test_the_smallest_model_with_a_property_is_readable(condition, P, r, γ):
    mdp = simplest(strategies.discounted_mdps(), condition)
    assert (mdp.P.tolist(), mdp.r.tolist(), mdp.discount) == (
        rational(P).tolist(),
        rational(r).tolist(),
        rational(γ)[()],
    )
    assert len(set(mdp.start)) == 1  # uniform


def test_two_optimal_actions_tie_often():
    """Ties are part of many sharp instances; a tenth of the draws with two actions or more have one."""
    tied, seen = [], []

    @settings(max_examples=300, database=None, derandomize=True, phases=[Phase.generate])
    @given(strategies.discounted_mdps())
    def collect(mdp):
        if mdp.A > 1:
            seen.append(mdp)
            best = mdp.r.max(axis=-1)
            tied.append(bool(((mdp.r == best[:, None]).sum(axis=-1) > 1).any()))

    collect()
    assert len(seen) > 100
    assert 0.1 < np.mean(tied) < 0.9


def test_drawing_is_fast():
    """Hundreds of models a second: a theorem's search must not be spent on drawing."""
    count = []

    @settings(max_examples=300, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(discounted_mdps().draw())
    def draw(mdp):
        count.append(mdp.S)

    start = perf_counter()
    draw()
    # 500 to 700 a second were measured on a laptop core; a tenth of that still tells quick from slow on a busy machine.
    assert len(count) / (perf_counter() - start) > 50


def test_numbers_lie_within_their_bounds_and_shrink_to_the_plainest():
    for low, high, plainest in [
        (0, 1, 0),
        ("1/1000", 1000, 1),
        (3, 7, 3),
        ("1/10", "1/2", "1/2"),
        (-2, -1, -1),
        (0.1, 0.1, "1/10"),
    ]:
        numbers = strategies.plain_numbers(low, high)
        assert numbers[0] == rational(plainest)[()]
        assert all(rational(str(low))[()] <= x <= rational(str(high))[()] for x in numbers)
        assert rational(str(low))[()] in numbers
        assert rational(str(high))[()] in numbers


def test_positive_numbers_cover_orders_of_magnitude():
    numbers = [Fraction(str(x)) for x in strategies.plain_numbers("1/1000", 1000)]
    assert {Fraction(1, 1000), Fraction(1, 100), Fraction(1, 10), 1, 10, 100, 1000} <= set(numbers)


def test_bandits_shrink_to_two_arms():
    assert simplest(bandits().draw(), lambda m: True).r.tolist() == [[0, 0]]
    assert simplest(bandits(unique_best=True).draw(), lambda m: True).r.tolist() == [[1, 0]]
