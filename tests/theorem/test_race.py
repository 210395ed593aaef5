"""The race tested as an instrument: how often it errs, how soon it decides, and what it does not depend on."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from mdplab.theorem.judges.race import BETS, Race

CLAIMS, LENGTH = 1000, 1000


def coins(p, rng):
    return (rng.random(LENGTH) < p).astype(float)


def uniforms(p, rng):
    """Uniform on an interval around p that stays within [0, 1]."""
    return p + (rng.random(LENGTH) - 0.5) * 2 * min(p, 1 - p)


def rare_ones(p, rng):
    """Hardly ever anything but 0, and then 1/2 (mean p)."""
    return 0.5 * (rng.random(LENGTH) < 2 * p)


def decided(law, mean, level, α, claims=CLAIMS):
    """How many of `claims` simulated claims about that law end above, and how many below."""
    rng = np.random.default_rng(7)
    sides = []
    for _ in range(claims):
        race, x = Race(level, α), law(mean, rng)
        race.take(x, x)
        sides.append(race.side)
    return sides.count("above"), sides.count("below")


@pytest.mark.parametrize("law", [coins, uniforms, rare_ones])
@pytest.mark.parametrize("level", [0.05, 0.3, 0.5])
def test_at_the_level_itself_each_side_is_announced_at_most_with_its_error_probability(law, level):
    α = 0.02
    most = binom.isf(1e-9, CLAIMS, α)  # more would be a one-in-a-billion accident at the promised rate
    above, below = decided(law, level, level, α)
    assert above <= most
    assert below <= most


@pytest.mark.parametrize("law", [coins, uniforms, rare_ones])
def test_on_either_side_of_the_level_the_wrong_one_is_announced_at_most_with_its_error_probability(law):
    α, level = 0.02, 0.3
    most = binom.isf(1e-9, CLAIMS, α)
    assert decided(law, level - 0.01, level, α)[0] <= most
    assert decided(law, level + 0.01, level, α)[1] <= most


@pytest.mark.parametrize("law", [coins, uniforms, rare_ones])
def test_a_clear_violation_is_hardly_ever_missed(law):
    above, below = decided(law, 0.2, 0.35, 1e-6, claims=300)
    assert (above, below) == (0, 300)
    above, below = decided(law, 0.45, 0.3, 1e-6, claims=300)
    assert (above, below) == (300, 0)


def test_the_interval_holds_the_mean_at_least_as_often_as_promised():
    α, rng, missed = 0.05, np.random.default_rng(3), 0
    for _ in range(400):
        race, x = Race(0.5, 1e-300), coins(0.3, rng)[:200]
        race.α = α
        race._seen.append((x, x))
        low, high = race.interval()
        missed += not low <= 0.3 <= high
    assert missed <= binom.isf(1e-9, 400, 2 * α)


def test_the_interval_is_where_the_bets_have_not_won_yet():
    race, x = Race(0.5, 0.01), np.array([0.0, 1.0, 0.0, 0.25] * 20)
    race.take(x, x)
    low, high = race.interval()
    assert 0 < low < x.mean() < high < 1
    for level, side in ((low - 1e-6, "above"), (high + 1e-6, "below")):
        other = Race(level, 0.01)
        other.take(x, x)
        assert other.side == side


def test_the_wealth_is_the_mean_of_ten_products():
    """Against exact rationals: after 0, 1/2 and 1 at level 1/4, where it is largest at the end."""
    level, numbers = Fraction(1, 4), [Fraction(0), Fraction(1, 2), Fraction(1)]
    stakes = [Fraction(9, 10) / 2**i for i in range(10)]
    wealth = float(sum(np.prod([1 + s / level * (x - level) for x in numbers]) for s in stakes) / 10)
    x = np.array([0.0, 0.5, 1.0])
    for α, side in ((1 / wealth * (1 + 1e-12), "above"), (1 / wealth * (1 - 1e-12), None)):
        race = Race(0.25, α)
        race.take(x, x)
        assert race.side == side
    assert [Fraction(s) for s in BETS] == [Fraction(0.9) / 2**i for i in range(10)]


def test_portions_do_not_matter():
    rng = np.random.default_rng(0)
    x = rng.random(5000) ** 2
    whole = Race(0.32, 1e-6)
    whole.take(x, x)
    for size in (1, 7, 256, 4096):
        parts = Race(0.32, 1e-6)
        for i in range(0, len(x), size):
            parts.take(x[i : i + size], x[i : i + size])
        assert (parts.side, parts.taken) == (whole.side, whole.taken)
        assert parts.interval() == whole.interval()


def test_levels_outside_the_range_need_no_numbers():
    assert (Race(-0.1, 1e-6).side, Race(0.0, 1e-6).side, Race(1.5, 1e-6).side) == ("above", "above", "below")


def test_at_level_one_a_single_smaller_number_decides():
    race = Race(1.0, 1e-6)
    race.take(np.ones(50), np.ones(50))
    assert race.side is None
    race.take(np.array([0.5]), np.array([0.5]))
    assert race.side == "below"


def test_rounding_holds_both_bets_back():
    x = np.full(400, 0.5)
    race = Race(0.5, 1e-6)
    race.take(x - 1e-15, x + 1e-15)
    assert race.side is None
