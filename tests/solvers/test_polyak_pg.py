"""Polyak's step size by hand, at its limits, and where it goes wrong."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import MdplabError
from mdplab.instances import slow_bandit, tied_bandit, two_armed_bandit, two_by_two
from mdplab.models import bandit
from mdplab.solvers import geometric, polyak_pg


def gaps(mdp, θ=None, n=4, **options):
    return [float(it.gap) for it in islice(polyak_pg(mdp, θ, **options), n)]


def test_two_arms_by_hand():
    """x goes to x + 1/p: 0, 2, 3.1353, ...; gaps 1 − p."""
    x, expected = 0.0, []
    for _ in range(4):
        p = 1 / (1 + np.exp(-x))
        expected.append(1 - p)
        x += 1 / p
    # The gap 1 − p is small beside the rounding of 1: compared absolutely.
    assert gaps(two_armed_bandit().floats()) == pytest.approx(expected, abs=1e-15)
    assert [round(x, 7) for x in expected] == [0.5, 0.1192029, 0.0416730, 0.0150855]


def test_one_step_of_the_sheet():
    """r = (8/10, 3/10), x = 3/10, c = 1: the next gap is 0.0574917."""
    mdp = bandit(np.array([0.8, 0.3]))
    assert round(gaps(mdp, np.array([[0.3, 0.0]]), 2)[1], 7) == 0.0574917


def test_the_cap_and_c_shorten_the_step():
    mdp = two_by_two()
    long = next(polyak_pg(mdp)).step_size
    assert (next(polyak_pg(mdp, c=2)).step_size - long / 2).contains(0)
    assert next(polyak_pg(mdp, cap=rational_number("1/100"))).step_size.contains(rational_number("1/100"))


def test_a_run_with_a_low_target_goes_there_and_rests():
    mdp = two_armed_bandit().floats()
    run = list(islice(polyak_pg(mdp, excess=-0.2), 8))
    assert run[-1].gap == pytest.approx(0.2, abs=1e-14)
    assert next(polyak_pg(mdp, np.array([[2.0, 0.0]]), excess=-0.2)).step_size == 0
    assert run[0].step_size == pytest.approx((0.5 - 0.2) / (2 * 0.25**2))  # ‖∇V‖² = 2 (p (1 − p))²


def test_ties_leave_nothing_to_do():
    for mdp in (bandit(rational([1, 1])), bandit(np.array([1.0, 1.0]))):
        assert all(float(it.step_size) == 0 for it in islice(polyak_pg(mdp), 3))


def test_float64_survives_steps_without_end():
    """On three arms, one of them tied, until the gradient vanishes: no overflow, no NaN."""
    for mdp in (tied_bandit().floats(), slow_bandit().floats()):
        last = list(polyak_pg(mdp, at=geometric(400, per_decade=3)))[-1]
        assert np.isfinite(last.θ).all()
        assert np.isfinite(last.gap)


def test_three_arms_may_end_at_the_second_best():
    """r = (1, 9/10, 1/10) from π = (1/1000, 3/10, 699/1000) with c = 5: a tenth is never gained."""
    θ = np.log([[0.001, 0.3, 0.699]])
    assert gaps(slow_bandit().floats(), θ, 60, c=5)[-1] == pytest.approx(0.1, abs=1e-12)


def test_shapes_are_checked():
    with pytest.raises(MdplabError, match=r"θ has shape \(3,\)"):
        next(polyak_pg(two_armed_bandit(), rational([0, 0, 0])))
    with pytest.raises(MdplabError, match="c has shape"):
        next(polyak_pg(two_armed_bandit(), c=np.ones(3)))
