"""What the engine cannot know about theorems/munchausen2020.py: bandits by hand and long runs."""

import flint
import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import optimum, soft_optimum
from mdplab.instances import families, two_armed_bandit
from mdplab.solvers import conservative_vi, mirror_descent_vi, munchausen_vi
from theorems import munchausen2020


def test_a_bandit_by_hand():
    """γ = 0, r = (1, 0), α = 1/2: differences of advantage learning are 1, 3/2, 7/4, ..., towards 1 / (1 − α) = 2."""
    runs = conservative_vi(two_armed_bandit(), strength=rational_number("1/2"))
    found = [next(runs).q for _ in range(5)]
    assert [str(q[0, 0] - q[0, 1]) for q in found] == ["0", "1", "3/2", "7/4", "15/8"]


def test_munchausen_on_a_bandit_by_hand():
    """γ = 0: q_{k+1} = r + α (q_k − m(q_k)), whose differences are those of advantage learning at any temperature."""
    runs = munchausen_vi(two_armed_bandit().floats(), strength=0.5, temperature=0.7)
    found = [next(runs).q for _ in range(5)]
    assert [float(q[0, 0] - q[0, 1]) for q in found] == pytest.approx([0, 1, 1.5, 1.75, 1.875], abs=1e-14)


def test_errors_of_the_theorem_are_as_said():
    """j² mod 7 − 3 = −2, 1, −1, ..., in tenths, the actions exchanged for even j; exactly in rationals."""
    X = rational([[1, 2]])
    errors = munchausen2020.small_errors(X)
    found = [[str(x) for x in next(errors)[0]] for _ in range(3)]
    assert found == [["-1/5", "-2/5"], ["1/5", "1/10"], ["-1/10", "-1/5"]]


def test_action_gaps_are_widened_by_5_and_not_by_9_at_four_fifths():
    """α = 4/5 after 2000 updates: 1 / (1 − α) = 5 to 1e-10; (1 + α) / (1 − α) = 9 is off by a factor."""
    mdp = families.garnet(np.random.default_rng(0), 1, S=4, A=3, b=2, discount=0.9)[0]
    best = munchausen2020.differences(soft_optimum(mdp, 0.2 * 0.1).q)
    found = munchausen2020.differences(next(munchausen_vi(mdp, strength=0.8, temperature=0.1, at=[2000])).q)
    assert np.abs(found - 5 * best).max() < 1e-10
    assert np.abs(found - 9 * best).max() > 0.5
    hard = munchausen2020.differences(next(conservative_vi(mdp, strength=0.8, at=[2000])).q)
    assert np.abs(hard - 5 * munchausen2020.differences(optimum(mdp).q)).max() < 1e-10


def test_with_all_of_the_bonus_nothing_but_the_divergence_is_left():
    """α = 1: the entropy of mirror descent is worth nothing."""
    mdp = families.garnet(np.random.default_rng(1), 1, S=4, A=3, b=2, discount=0.9)[0]
    here = next(munchausen_vi(mdp, strength=1.0, temperature=0.5, at=[20]))
    there = next(mirror_descent_vi(mdp, mdp.r * 0 + 0.5 * np.log(3), divergence=0.5, at=[20]))
    assert here.π == pytest.approx(there.π, rel=1e-11)
    assert here.q - 0.5 * here.log_π == pytest.approx(there.q, rel=1e-11)


def arms():
    """γ = 0, rewards 1 and 0, α = 1/2, τ = 1, from q_0 = 0 and without errors."""
    zero = rational([[0, 0]])
    return {
        "mdp": two_armed_bandit(),
        "q0": zero,
        "strength": rational_number("1/2"),
        "temperature": rational_number(1),
    }


def overlap(x, *numbers):
    return all(a.overlaps(flint.arb(b)) for a, b in zip(x.flat, numbers, strict=True))


def test_the_first_update_is_mirror_descent_by_hand():
    """π_1 is uniform: q_1 = r − ½ log 2, and without the bonus it is r, as with mirror descent."""
    half_log = flint.arb(2).log() / 2
    b = next(munchausen2020.equivalence(**arms(), X=rational([[0, 0]])))
    assert overlap(b[munchausen2020.q_shifted], 1, 0)
    assert overlap(b[munchausen2020.q_mirror], 1, 0)
    *_, b = (x for _, x in zip(range(2), munchausen2020.conservative(**arms(), X=rational([[0, 0]])), strict=False))
    assert overlap(b[munchausen2020.q_munchausen], 1 - half_log, -half_log)
    assert overlap(b[munchausen2020.q_conservative], 1 - half_log, -half_log)


def test_the_distance_from_advantage_learning_by_hand():
    """γ = 0: advantage learning has q_1 = r, ½ log 2 away, and that is the bound."""
    run = munchausen2020.al_limit.trace(**arms(), X=rational([[0, 0]]))
    _, (_, apart, bound) = (x for _, x in zip(range(2), run, strict=False))
    assert apart.overlaps(flint.arb(2).log() / 2)
    assert bound.overlaps(flint.arb(2).log() / 2)


@pytest.mark.parametrize("theorem", [munchausen2020.gap, munchausen2020.al_gap])
def test_action_gaps_after_one_update_by_hand(theorem):
    """The difference is 1 where 2 is the limit; allowed are 2 · 2 · 1/2 · ‖r‖ = 2."""
    inputs = {name: x for name, x in arms().items() if name in theorem.on}
    _, (_, error, bound) = (x for _, x in zip(range(2), theorem.trace(**inputs), strict=False))
    assert flint.arb(error).overlaps(flint.arb(1))
    assert flint.arb(bound).overlaps(flint.arb(2))
