"""What the engine cannot know of theorems/gu.py: Frank–Wolfe and gradient domination on one state."""

from itertools import islice

import flint
import numpy as np

from mdplab.arrays import log, rational, rational_number
from mdplab.exact import pair_visits
from mdplab.instances import one_state_loop, two_armed_bandit
from theorems import gu


def number(x):
    return rational_number(x)


def test_frank_wolfe_by_hand():
    """Arms (0, 1) → (1, 0) → (1/3, 2/3) around m = (1/2, 1/2): 1/4 and 1/36 lacking; bounds 4/3 and 1."""
    first, second = islice(
        gu.fw.trace(two_armed_bandit(), rational([[0, 1]]), rational([[1, 0]]), rational([[0, 1]])), 2
    )
    assert first[1:] == (number("1/4"), number("4/3"))
    assert second[1:] == (number("1/36"), 1)


def test_gradient_domination_is_an_equality_up_to_the_likelier_arm():
    """One state, two actions, reward gap D: gap π_2 D, gradient √2 π_1 π_2 D / (1−γ) ..., so the ratio is π_1."""
    p = 1 / (1 + flint.arb(-1).exp())
    mdp = one_state_loop("1/2", 2)
    _, gap, bound = next(gu.graddom.trace(mdp, rational([[1, 0]]), number(1)))
    # the shadow reward prefers the rarer second action, so what it loses is π_1 and the ratio is π_1 of the two
    assert (gap / bound).overlaps(p)


def test_the_utilities_of_gu_are_concave():
    """Along a line between two occupancies, on random models."""
    from mdplab.instances.families import garnet

    rng = np.random.default_rng(0)
    mdp = garnet(rng, 20, S=3, A=2)
    λ, other = (pair_visits(mdp, rng.dirichlet(np.ones(2), (20, 3))) for _ in range(2))
    for F in gu.utilities(mdp, 0.5):
        assert (F.value((λ + other) / 2) >= (F.value(λ) + F.value(other)) / 2 - 1e-12).all()


def test_the_certificate_of_two_arms_by_hand():
    """π = (1/4, 3/4), σ = 1/4: shadow reward (2, 1), gap 2 − 5/4; equal arms have 2 log 3/4 − log 1/2 more."""
    θ = log(rational([["1/4", "3/4"]]))
    _, lacking, gap = next(gu.cert.trace(two_armed_bandit(), θ, number("1/4")))
    assert gap.overlaps(flint.arb(3) / 4)
    assert 0 < lacking < (flint.arb(9) / 8).log() + flint.arb("1e-12")  # a policy that is nearly the best


def test_the_constants_of_a_normalised_step_by_hand():
    """γ = 0, σ = 1, equal arms: L = 1/2 + 1, and μ_F⁺ = 2 · 1/2 · 1/2."""
    zero = rational([[0, 0]])
    (b,) = gu.normalised(two_armed_bandit(), zero, rational([[1, -1]]), number("1/10"), number(1))
    assert b[gu.L] == number("3/2")
    assert b[gu.μ_F].overlaps(flint.arb(1) / 2)
