"""What the engine cannot know of theorems/zhang2021.py: occupancies, weights and gradients of one or two states."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab.arrays import log, rational, rational_number, softmax
from mdplab.exact import pair_visits, softmax_utility_gradient, truncated_pair_visits
from mdplab.exact.utilities import OfStates, SmoothedLog
from mdplab.instances import two_armed_bandit, two_by_two, two_by_two_logits, two_state_swap
from mdplab.models import DiscountedMDP
from mdplab.sampling import Outcomes, every_trajectory, mean, trace_variance, trajectory_weight
from theorems import zhang2021

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


@pytest.mark.parametrize("theorem", [zhang2021.lipschitz, zhang2021.lipschitz_tabular])
def test_equal_logits_have_equal_occupancies(theorem):
    _, change, bound = next(theorem.trace(two_by_two()))
    assert float(change.mid()) == 0
    assert bound == 0 or float(bound.mid()) == 0


def test_the_variance_of_a_weight_by_hand():
    """From (p, 1 − p) to (1/2, 1/2): E ω² = (1/p + 1/(1 − p)) / 4 for a factor, its n-th power for n."""
    instance = zhang2021.lem5_7.instance(zhang2021.large_turn)
    first, second = islice(zhang2021.lem5_7.trace(**instance), 2)
    p = 1 / (1 + flint.arb(-2).exp())
    moment = (1 / p + 1 / (1 - p)) / 4
    assert first[1].overlaps(moment - 1)
    assert second[1].overlaps(moment * moment - 1)
    assert first[2].overlaps(6 * (1 + (4 * flint.arb(2).sqrt()).exp()) * 2)


def test_weights_by_hand():
    """Logits half a unit away in each entry: √(1/2), so that exponents are below 2 √(1/2) for one factor."""
    _, _, bound = next(zhang2021.weight.trace(**zhang2021.weight.instance(zhang2021.from_a_certain_arm)))
    assert bound.overlaps(flint.arb(2).sqrt())


def test_the_variance_of_a_small_turn_by_hand():
    """From (1/2, 1/2), logits by ±x: E ω² − 1 = tanh² x; of two factors (1 + tanh² x)² − 1.

    The bounds are 2x² e^{2x}, and the older one 10 (1 + tanh² x) 2x².
    """
    instance = zhang2021.lem5_7_tabular.instance(zhang2021.small_turn)
    x = flint.arb(1) / 1000
    first, second = islice(zhang2021.lem5_7_tabular.trace(**instance), 2)
    assert first[1].overlaps(x.tanh() ** 2)
    assert second[1].overlaps((1 + x.tanh() ** 2) ** 2 - 1)
    assert first[2].overlaps(2 * x**2 * (2 * x).exp())
    older = zhang2021.lem5_7.claims["older"].sides(first[0])[1]
    assert older.overlaps(10 * (1 + x.tanh() ** 2) * 2 * x**2)


@pytest.mark.parametrize(
    ("theorem", "bound"), [(zhang2021.lem5_3, flint.arb(8)), (zhang2021.lem5_3_tabular, 4 / flint.arb(2).sqrt())]
)
def test_the_slope_of_a_smoothed_logarithm_by_hand(theorem, bound):
    """π = (1/4, 3/4), σ = 1/4: the gradient (3/16, −3/16); allowed are 2/σ = 8, and √(1/2)/σ for a table of logits."""
    θ = log(rational([["1/4", "3/4"]]))
    ((_, size, allowed),) = theorem.trace(two_armed_bandit(), θ, θ, number("1/4"))
    assert size.overlaps(3 * flint.arb(2).sqrt() / 16)
    assert flint.arb(allowed).overlaps(bound)


def test_a_chain_of_five_states_as_another_program_has_it():
    """Action 1 goes right with 9/10 and else to the start, action 0 left; 40 steps, γ = 9/10, F = Σ_s log(λ(s) + 1/8).

    An independent program reports 2.4304 for the uniform policy and 3.6988 for the best one it found.
    """
    P = np.zeros((5, 2, 5))
    for s in range(5):
        P[s, 0, max(s - 1, 0)] = 1
        P[s, 1, min(s + 1, 4)] += 0.9
        P[s, 1, 0] += 0.1
    mdp = DiscountedMDP(P, np.zeros((5, 2)), 0.9, np.eye(5)[0])
    right = np.array([0.914, 0.915, 0.714, 0.708, 0.531])
    F = OfStates(SmoothedLog(0.125))
    for π, value in ((np.full((5, 2), 0.5), 2.4304), (np.stack([1 - right, right], axis=-1), 3.6988)):
        assert F.value(truncated_pair_visits(mdp, π, 40)) == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("theorem", [zhang2021.scores, zhang2021.scores_tabular])
def test_the_score_of_equal_arms_by_hand(theorem):
    """e_a − π = (1/2, −1/2), 1/√2 long; along (1, −1) the variance is 1, half of ‖u‖²."""
    (b,) = theorem(**zhang2021.SCORES["equal arms"])
    assert b[zhang2021.score][0, 0].overlaps(1 / flint.arb(2).sqrt())
    assert b[zhang2021.bend][0, 0].overlaps(flint.arb(1))
    assert b[zhang2021.along][0, 0] == 2


def test_a_shadow_reward_from_the_same_pull_teaches_nothing():
    """Two arms, π = (1/4, 3/4), σ = 1, one step: the arm pulled is worth 1/2 whatever it is, so E g = 0.

    At λ = π the shadow reward is (4/5, 4/7), and the gradient 3/16 (4/5 − 4/7) (1, −1) = (3/70, −3/70).
    """
    θ = log(rational([["1/4", "3/4"]]))
    for shadow, expected in ((zhang2021.from_same_trajectory, 0), (zhang2021.from_elsewhere, number("3/70"))):
        outcomes = Outcomes()
        arms = two_armed_bandit()
        (b,) = zhang2021.unbiased(arms, θ, θ, number(1), outcomes, shadow=shadow, horizon=1)
        found = mean(outcomes.probability, b[zhang2021.estimate], 2)
        assert found[0, 0].overlaps(flint.arb(expected))
        assert b[zhang2021.truth][0, 0].overlaps(flint.arb(3) / 70)


def test_an_increment_varies_more_than_that_of_one_step():
    """A loop, equal shares x after (p, q) = y: for one step tr Var (1 − ω) e_a = Σ (x − y)² / x − Σ (x − y)²."""
    instance = zhang2021.increment.instance(zhang2021.large_turn)
    ((_, spread, bound),) = zhang2021.increment.trace(**instance)
    first = flint.arb("1.0") / 2  # equal shares are where the trajectories come from
    p = 1 / (1 + flint.arb(-2).exp())
    single = sum((first - y) ** 2 / first - (first - y) ** 2 for y in (p, 1 - p))
    assert spread > single
    d, Λ = flint.arb(2).sqrt(), flint.arb(7) / 4
    growth = sum((k + 1) * (flint.arb(2).sqrt() * (k + 1) * d).exp() / 2**k for k in range(3))
    assert bound.overlaps(Λ * growth * d**2)


def test_the_variance_of_sampled_weights_is_that_of_the_chain_of_the_theorem():
    """All trajectories of three steps, against the chain whose steps weigh π'² / π."""
    instance = zhang2021.lem5_7.instance(
        {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "noise": rational([[1, -1], [0, 1]]),
            "share": number("1/10"),
        }
    )
    *_, (_, spread, _) = islice(zhang2021.lem5_7.trace(**instance), 3)
    π, other = (softmax(instance["θ"] + x * instance["noise"]) for x in (0, number("1/10")))
    τ, p = every_trajectory(instance["mdp"], π, 3)
    assert spread.overlaps(trace_variance(p, trajectory_weight(τ, π, other)))
