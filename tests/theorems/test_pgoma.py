"""What the engine cannot know of theorems/pgoma.py: the step of the ascent lemma on two arms."""

import flint
from sympy import Rational

from mdplab.arrays import log, rational, rational_number
from mdplab.instances import one_state_loop, two_armed_bandit
from mdplab.sampling import Outcomes, mean
from theorems import pgoma


def number(x):
    return rational_number(x)


def test_the_step_of_the_ascent_lemma_by_hand():
    """γ = 0 and σ = 1: L_θ = 4 + 8 + 2 = 14, so α = 1/28; at uniform arms nothing is to gain and the noise costs."""
    zero = rational([[0, 0]])
    b = next(pgoma.ascent(two_armed_bandit(), zero, zero, number(1), number(1)))
    assert b[pgoma.α] == number("1/28")
    assert abs(float(b[pgoma.slope].mid())) <= 1e-12


def test_two_shadow_rewards_by_hand():
    """Equal arms, σ = 1/4; misjudged as (3/4, 1/4) the shadow reward is (1, 2), and the gradient (−1/4, 1/4) for 0.

    The occupancies are √(1/8) apart, and 2 · 16 times that is allowed.
    """
    θ = log(rational([["3/4", "1/4"]]))
    ((_, turn, bound),) = pgoma.pseudo.trace(two_armed_bandit(), rational([[0, 0]]), θ, number("1/4"))
    assert turn.overlaps(1 / flint.arb(8).sqrt())
    assert bound.overlaps(32 / flint.arb(8).sqrt())


def test_the_second_moment_of_an_undecided_agent_by_hand():
    """One state, r = (1, −1), equal shares, γ = 1/4: g = Σ_t Ψ_t ε_t (1, −1)/2 for signs ε, Ψ_t = Σ_{h>=t} 4^{-h} ε_h.

    ‖g‖² = ½ (Σ_t Ψ_t ε_t)², and Σ_t Ψ_t ε_t = 21/16 + ε_0 ε_1 / 4 + ε_0 ε_2 / 16 + ε_1 ε_2 / 16, its square has mean
    (21/16)² + 1/16 + 1/256 + 1/256 = 459/256.
    """
    outcomes = Outcomes()
    (b,) = pgoma.second(one_state_loop("1/4", 2), rational([[0, 0]]), rational([[1, -1]]), outcomes)
    assert mean(outcomes.probability, b[pgoma.square]).overlaps(flint.arb(459) / 512)


def test_the_bound_of_maximum_likelihood_says_something_only_for_thousands_of_samples():
    """m = 4 pairs, Δ = 1/20."""
    bound = next(iter(pgoma.mle.claims.values())).relation.rhs

    def at(n):
        return float(bound.subs({pgoma.n: n, pgoma.m: 4, pgoma.miss: Rational(1, 20)}))

    assert at(5_000) > 2
    assert at(10_000) < 2


def test_theorem_1_is_vacuous_for_up_to_twenty_trajectories():
    """10 · 8 l² / N against 4 l²: equal for N = 20."""
    bound = next(iter(pgoma.thm1.claims.values())).relation.rhs
    for N, vacuous in ((20, True), (21, False)):
        at = {pgoma.lack: 0, pgoma.N: N, pgoma.γ: Rational(1, 2), pgoma.l_F: 1, pgoma.α: 1, pgoma.T: 1}
        assert (bound.subs(at) >= pgoma.most_slope.subs(at)) == vacuous
