"""What the engine cannot know of theorems/{zhang2020,zhang2021,gu,pgoma}.py: a few cases done by hand on one state."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.exact import pair_visits, softmax_utility_gradient
from mdplab.exact.utilities import SmoothedLog
from mdplab.instances import one_state_loop, two_armed_bandit, two_by_two, two_state_swap
from theorems import gu, pgoma, zhang2020, zhang2021

HALF = rational([["1/2", "1/2"]])


def number(x):
    return rational_number(x)


def test_the_gradient_of_a_smoothed_logarithm_by_hand():
    """π = (1/4, 3/4), σ = 1/4: the shadow reward is (2, 1), its mean 5/4, the gradient (3/16, −3/16)."""
    g = softmax_utility_gradient(two_armed_bandit(), rational([["1/4", "3/4"]]), SmoothedLog(number("1/4")))
    assert (g == rational([["3/16", "-3/16"]])).all()


def test_seven_utilities_are_measured_and_both_roads_are_the_same():
    bindings = list(zhang2021.chain(two_by_two(), rational([["1/4", "3/4"], ["2/3", "1/3"]]), HALF, number(1)))
    assert len(bindings) == 7
    first = bindings[0]  # of the linear utility
    assert (first[zhang2021.slope] == first[zhang2021.policy_gradient]).all()


def test_occupancy_of_the_swap_by_hand():
    """Uniform start, γ = 1/2: each state is visited once on average; after one step half of that is left."""
    λ = pair_visits(two_state_swap(), rational([[1], [1]]))
    assert (λ == 1).all()
    at = list(islice(zhang2021.flow(two_state_swap(), rational([[1], [1]])), 3))
    assert [b[zhang2021.left_out] for b in at] == [2, 1, number("1/2")]


def test_the_sharp_weight_is_almost_attained():
    """θ = (−6, 6) to (−11/2, 11/2): log ω = 1 + log((1 + e^−12) / (1 + e^−11)) + ... against √2 · √(1/2) = 1."""
    instance = zhang2021.weight_tabular.instance(zhang2021.from_a_certain_arm)
    _, log_weight, bound = next(zhang2021.weight_tabular.trace(**instance))
    assert bound.overlaps(flint.arb(1))
    exact = 1 + ((1 + flint.arb(-12).exp()) / (1 + flint.arb(-11).exp())).log()
    assert log_weight.overlaps(exact)


def test_the_variational_maximiser_by_hand():
    """Two arms, π = (1/2, 1/2), m = (1, 0): ∇F = (1, −1)/4, JᵀJ has eigenvalue 1/4 there, x_δ = ∇F / (1 + δ/4)."""
    δ = number("1/10")
    zero = rational([[0, 0]])
    b = next(zhang2020.thm3_1(two_armed_bandit(), HALF, rational([[1, 0]]), zero, zero, δ))
    length = flint.arb(2).sqrt() / 4
    assert b[zhang2020.error].overlaps(length * (δ / 4) / (1 + δ / 4))
    assert b[zhang2020.bent].overlaps(length / 4)
    # L(x, z) at the saddle is F(λ + δ J x) − δ/2 ‖x‖² with λ + δ J x = (1/2, 1/2) + δ (1/2) x.
    x = number("1/4") / (1 + δ / 4)
    first = number("1/2") + δ * x / 2
    assert b[zhang2020.at_saddle] == -((1 - first) ** 2) - δ * x**2


def test_mixed_occupancies_of_the_committed_by_hand():
    """The policy between is not the mean of the policies, but its occupancy is that of the occupancies."""
    b = next(iter(zhang2020.hidden(**zhang2020.hidden.instance(zhang2020.committed))))
    assert (b[zhang2020.between] == b[zhang2020.mixture]).all()
    assert b[zhang2020.mixture].sum() == 10


def test_the_constant_of_the_rate_by_hand():
    """γ = 0, two arms: L = 2, the inverse 1 + √2, so the bound at k = 1 is 8 (1 + √2)² · 2 / 2."""
    _, lacks, bound = next(zhang2020.rate.trace(two_armed_bandit(), HALF, rational([[1, 0]])))
    assert bound.overlaps(8 * (1 + flint.arb(2).sqrt()) ** 2)
    # ∇ = (1/2, −1/2), a step of 1/2 moves to (3/4, 1/4): ½ (1/16 + 1/16) is left.
    assert lacks.overlaps(flint.arb(1) / 16)


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


def test_the_step_of_the_ascent_lemma_by_hand():
    """γ = 0 and σ = 1: L_θ = 4 + 8 + 2 = 14, so α = 1/28; at uniform arms nothing is to gain and the noise costs."""
    zero = rational([[0, 0]])
    b = next(pgoma.ascent(two_armed_bandit(), zero, zero, number(1), number(1)))
    assert b[pgoma.α] == number("1/28")
    assert abs(float(b[pgoma.slope].mid())) <= 1e-12


@pytest.mark.parametrize("theorem", [zhang2021.lipschitz, zhang2021.lipschitz_tabular])
def test_equal_logits_have_equal_occupancies(theorem):
    _, change, bound = next(theorem.trace(two_by_two()))
    assert float(change.mid()) == 0
    assert bound == 0 or float(bound.mid()) == 0


def test_the_utilities_of_gu_are_concave():
    """Along a line between two occupancies, on random models."""
    from mdplab.instances.families import garnet

    rng = np.random.default_rng(0)
    mdp = garnet(rng, 20, S=3, A=2)
    λ, other = (pair_visits(mdp, rng.dirichlet(np.ones(2), (20, 3))) for _ in range(2))
    for F in gu.utilities(mdp, 0.5):
        assert (F.value((λ + other) / 2) >= (F.value(λ) + F.value(other)) / 2 - 1e-12).all()


def test_the_variance_of_a_weight_by_hand():
    """From (p, 1 − p) to (1/2, 1/2): E ω² = (1/p + 1/(1 − p)) / 4 for a factor, its n-th power for n."""
    instance = zhang2021.lem5_7.instance(zhang2021.large_turn)
    first, second = islice(zhang2021.lem5_7.trace(**instance), 2)
    p = 1 / (1 + flint.arb(-2).exp())
    moment = (1 / p + 1 / (1 - p)) / 4
    assert first[1].overlaps(moment - 1)
    assert second[1].overlaps(moment * moment - 1)
    assert first[2].overlaps(6 * (1 + (4 * flint.arb(2).sqrt()).exp()) * 2)
