"""What the engine cannot know of theorems/morl.py: an agent torn between two objectives, by hand."""

import math

import flint
import numpy as np
import pytest

from mdplab.arrays import log, rational, rational_number
from mdplab.exact import all_returns, returns
from mdplab.exact.scalarisations import Logarithms
from mdplab.instances.multi_objective import torn
from theorems import morl


def test_mixing_pays_by_hand():
    """J = (10, 0) or (5, 5): −2/21 − 2 against −4/11."""
    b = next(morl.mixing_pays(torn()))
    assert b[morl.best_single] == rational_number("-44/21")
    assert float(b[morl.best_mixed].p) / float(b[morl.best_mixed].q) == pytest.approx(-4 / 11, abs=1e-10)


def test_volumes_by_hand():
    """Over (−1, −1): two rectangles of 11 that share 1, and a triangle of 50 more for all policies; a box of 121."""
    b = next(morl.volumes(torn(), rational([["1/2", "1/2"]])))
    assert b[morl.volume] == b[morl.of_front] == 21
    assert b[morl.with_one] == 21 + 25
    assert b[morl.of_hull] == 71
    assert b[morl.box] == 121


def test_weights_of_both_signs_are_tried():
    w = morl.any_direction(rational(["1/4", "3/4"]))
    assert (w == rational(["1/6", "7/6"])).all()
    assert morl.any_direction(rational([0, 1]))[0] == rational_number("-1/3")


def test_the_support_of_the_torn_by_hand():
    b = next(morl.polytope(torn(), rational(["1/4", "3/4"]), rational([["1/2", "1/2"]])))
    assert b[morl.support] == b[morl.enumerated] == rational_number("35/3")
    assert b[morl.attained] == rational_number("20/3")


def test_the_scalarised_mean_is_not_the_mean_of_the_scalarised():
    """One pull, uniform arms, f = Σ log(x + 1/10): f(E R) = 2 log(3/5), E f(R) = log(11/10) + log(1/10)."""
    arms = torn(0).floats()
    f = Logarithms(-0.1)
    assert f.value(returns(arms, np.full((1, 2), 0.5))) == pytest.approx(2 * math.log(0.6))
    assert f.value(all_returns(arms)).mean() == pytest.approx(math.log(1.1) + math.log(0.1))


def test_half_of_each_action_by_hand():
    """Never and always the second action: (10, 0) and (0, 10), between them (5, 5)."""
    inputs = {"π": rational([[1, 0]]), "other": rational([[0, 1]]), "weight": rational_number("1/2")}
    ((_, mixed, between),) = morl.mixing.trace(torn(), **inputs)
    assert (mixed == 5).all()
    assert (between == 5).all()


def test_domination_of_a_scalarised_return_by_hand():
    """γ = 0, π = (3/4, 1/4), −Σ 1/(x + 1/4): weights (1, 4), so 4 − 7/4 is to gain; slopes ∓9/16, μ_F⁺ = 3/8.

    √2 / (3/8) · 9√2/16 = 3, of which the likelier action's 3/4 is attained.
    """
    θ = log(rational([["3/4", "1/4"]]))
    _, gap, bound = next(morl.graddom.trace(torn(0), θ, rational_number("1/4")))
    assert gap.overlaps(flint.arb(9) / 4)
    assert bound.overlaps(flint.arb(3))
