"""What the engine cannot know of theorems/zhang2020.py: the variational formula and projected ascent on two arms."""

import flint
import numpy as np

from mdplab.arrays import rational, rational_number
from mdplab.exact import action_values, rewarded, variational_gradient
from mdplab.exact.utilities import SmoothedLog
from mdplab.instances import one_state_loop, two_armed_bandit, two_by_two
from mdplab.sampling import all_actions, every_trajectory, visited_pairs
from theorems import zhang2020

HALF = rational([["1/2", "1/2"]])


def number(x):
    return rational_number(x)


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


def test_the_variational_maximiser_of_a_logarithm_by_hand():
    """Arms taken with (1/4, 3/4), σ = 1/4, J = 3/16 (1, −1)(1, −1)ᵀ: the gradient is (3/16, −3/16).

    With δ = 64/25 and x = (5/48, −5/48), δ J x = (1/10, −1/10): the shadow reward ahead is (5/3, 10/9), and
    3/16 · (5/3 − 10/9) = 5/48, so that x solves its equation.
    """
    mdp, π = two_armed_bandit(), rational([["1/4", "3/4"]])
    x = variational_gradient(mdp, π, SmoothedLog(number("1/4")), number("64/25"))
    assert np.allclose(x, [[5 / 48, -5 / 48]], rtol=1e-14)
    bindings = zhang2020.thm3_1_smooth(mdp, π, rational([[0, 0]]), number("64/25"), number("1/4"))
    assert next(bindings)[zhang2020.κ] == 16 * 4 * number("9/256")


def test_the_slope_of_a_fair_coin_is_the_largest():
    """π = (1/2, 1/2) and z = (1, −1): each logit has slope ±1/2, both together 1/√2."""
    (b,) = zhang2020.softmax_constant(**zhang2020.undecided_agent())
    assert b[zhang2020.policy_slope].overlaps(1 / flint.arb(2).sqrt())


def test_the_share_of_a_strongly_concave_step_by_hand():
    """γ = 0, two arms: from 1/4 to 1/16 are lacking, at least the share 1 / (1 + 4 (1 + √2)²) of 1/4."""
    _, gained, least = next(zhang2020.rate_strong.trace(two_armed_bandit(), HALF, rational([[1, 0]])))
    assert max(gained, least, key=float).overlaps(flint.arb(3) / 16)
    assert min(gained, least, key=float).overlaps(1 / (1 + 4 * (1 + flint.arb(2).sqrt()) ** 2) / 4)


def test_the_slope_of_the_first_policy_by_hand():
    """Two arms, ∇F = (1/2, −1/2), slope (1/4, −1/4): 1/8 squared, against 2 · 3/2 · 1/4."""
    _, slope, bound = next(zhang2020.stationary_points.trace(two_armed_bandit(), goal=rational([[1, 0]])))
    assert slope.overlaps(flint.arb(1) / 8)
    assert bound.overlaps(flint.arb(3) / 4)


def test_smoothness_of_the_logarithm_by_hand():
    """γ = 0, two arms, σ = 1/2: A/σ² = 8, and no future."""
    assert zhang2020.steepness_of_logarithm(two_armed_bandit(), number("1/2")) == 8


def test_one_step_against_the_goal_by_hand():
    """As above from 1/4 to 1/16; going all the way, √(1/2), promises no more than 2 · 1/2 = 1 left.

    For a logarithm with σ = 1 equal arms are the optimum: (1, 0) has log 2 against 2 log 3/2, and nothing moves.
    """
    goal, one = rational([[1, 0]]), number(1)
    _, left, bound = next(zhang2020.rate_step.trace(two_armed_bandit(), HALF, goal, one))
    assert left.overlaps(flint.arb(1) / 16)
    assert bound.overlaps(flint.arb(1))
    _, left, bound = next(zhang2020.rate_step_log.trace(two_armed_bandit(), HALF, goal, one, one))
    assert left.overlaps(flint.arb(2).log() - 2 * (flint.arb(3) / 2).log())
    assert bound.overlaps(flint.arb(1))


def test_the_slope_of_paths_is_the_estimate_with_all_actions_path_by_path():
    mdp, π, z = two_by_two(), rational([["1/4", "3/4"], ["2/3", "1/3"]]), rational([[1, -1], [0, 2]])
    τ, _ = every_trajectory(mdp, π, 2)
    λ = visited_pairs(τ, 2, 2)
    found = zhang2020.slope_of_paths(mdp, π, λ, z + 0 * λ)
    assert (found == all_actions(τ, π, action_values(rewarded(mdp, z), π))).all()


def test_what_a_misprint_leaves_out_by_hand():
    """A loop, γ = 1/2, r = (1, −1), equal shares: every step is worth (1, −1)/2, and both values are zero.

    Two steps leave 1/4 + 1/8 + ... = 1/2 of that out, steps one and two 2 − 3/4 = 5/4; the squares are 1/8 and 25/32.
    """
    loop, z = one_state_loop("1/2", 2), rational([[1, -1]])
    right, printed = (list(f(loop, HALF, z))[1] for f in (zhang2020.truncation, zhang2020.cut_as_printed))
    assert right[zhang2020.cut] == number("1/8")
    assert printed[zhang2020.cut] == number("25/32")
    assert zhang2020.truncation.claims[""].sides(right)[1] == number("1/2")


def test_the_bias_of_same_paths_by_hand():
    """Two rooms, γ = 0, so only the first step counts; z = m − λ̂ judges the arm that was seen, (3/4, 1/4) in room 0.

    Arm 0, seen with 3/8: z = (−1/2, 0), slope −3/32; arm 1, seen with 1/8: z = (1/2, −1), slope 9/32: on average zero.
    At mean visits z = (1/8, −1/8) and the slope is 1/2 · 3/4 · 1/16 = 3/128.
    """
    rooms = zhang2020.two_rooms()
    (b,) = zhang2020.same_paths(rooms["mdp"], rational([["3/4", "1/4"], ["1/2", "1/2"]]), rooms["other"])
    assert b[zhang2020.bias_one][0, 0] == number("-3/128")
    assert b[zhang2020.bias_two][0, 0] == number("-3/256")
