"""What the engine cannot know about theorems/klein2025.py: rounds and their accuracies by hand."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab.arrays import rational, rational_number, smallest
from mdplab.instances import one_state_loop, two_by_two
from mdplab.models import DiscountedMDP
from mdplab.sampling import Outcomes, mean
from mdplab.solvers import dynpg, round_bound
from theorems import klein2025 as paper


def test_rounds_of_dynpg_by_hand():
    """One state, rewards (1, −1), γ = 1/2, one update of step 1/(2 B_0) = 1/2, then none."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, -1]]), rational_number("1/2"))
    first, second = dynpg(mdp, updates=[1, 0])
    # A = ± 1 at π = 1/2: each logit moves by (1/2)(1/2) = 1/4, and V_1 = tanh(1/4).
    assert first.v_next[0].overlaps(flint.arb(0.25).tanh())
    assert second.q[0, 0].overlaps(1 + flint.arb(0.25).tanh() / 2)
    assert round_bound(mdp, 1) == rational_number("3/2")


def test_accuracies_of_rounds_use_up_half_of_the_error():
    rounds, ε = paper.rounds_of(np.array([0.5, 0.9]), np.array([0.5, 0.5])), np.array([1.0, 2.0])
    assert rounds.tolist() == [2, 14]  # log(1/4) / log(1/2) and log(1/4) / log(9/10) = 13.16
    found = paper.accuracies(np.array([0.5, 0.9]), rounds, ε)
    for i, γ in enumerate((0.5, 0.9)):
        n = np.arange(rounds[i])
        assert (γ ** (rounds[i] - n - 1) * found[i, n]).sum() == pytest.approx(ε[i] / 2)
    assert smallest(found, 2) > 0


def test_two_rounds_share_an_error_by_hand():
    """γ = 1/2, two rounds, ε = 1: a = (1/2, 3/4) and b = (1/2, 1), so the fewest are (1/2 + √(3/4))² / (1/2).

    Equal accuracies, 1/3 each, need 3/2 + 9/4 = 15/4: a little more than 1 / 2 + √3 + 3 / 2 = 3.73.
    """
    half = rational_number("1/2")
    _, b = islice(paper.shares(None, half, rational_number(1), rational_number(2)), 2)
    assert b[paper.fewest].overlaps(2 + flint.arb(3).sqrt())
    assert b[paper.even] == rational_number("15/4")
    # ε = (1/4, 1/2) · 4/5 would be in proportion to (1, 2): (1/2 · 1 + 1 · 2) (1/2 + 3/8) / (1/2).
    assert b[paper.per_accuracy] == rational_number("35/8")


def test_the_value_of_a_loop_by_hand():
    """One state, reward 1, γ = 1/2: from zero values one step changes by 1, so V is 1/(1 − γ) = 2, exactly."""
    for _, lower, upper in paper.lemC2.trace(one_state_loop("1/2"), rational([0]), rational([[1]])):
        assert (np.asarray(lower) == np.asarray(upper)).all()


def test_rounds_of_a_loop_by_hand():
    """V_H = 2 − 2^(1 − H) lacks 2^(1 − H), all of it γ^H / (1 − γ); its one policy loses nothing."""
    loop, updates = one_state_loop("1/2"), rational_number(3)
    for b, error, bound in islice(paper.value_error_of_rounds.trace(loop, updates), 4):
        assert error == bound == 2 / rational_number(2) ** b[paper.H]
    for b, error, bound in islice(paper.policy_error_of_the_last_round.trace(loop, updates), 3):
        assert error == 0
        assert bound == 12 / rational_number(2) ** b[paper.H]


def test_updates_of_a_round_by_hand():
    """Two arms, ε_0 = 1/2 · B_0: 4 · 4 / (1/2) = 32 updates make the loss of the round, at first 1, at most 1/2."""
    mdp, half = paper.two_arms(), rational_number("1/2")
    assert paper.paper_budget(mdp, mdp.start, 0, half).tolist() == 32
    _, lost, allowed = next(paper.thm46.trace(mdp, mdp.start, half))
    assert allowed == half
    assert 0 < lost < flint.arb(1) / 3


def test_the_budget_of_a_loop_by_hand():
    """γ = 1/2, ε = 1/10 · 2: log(1/20) / log(1/2) = 4.3, so five rounds, which leave 2^(1 − 5) = 1/16 of 1/5."""
    ((_, error, allowed),) = paper.budget.trace(one_state_loop("1/2"), share=rational_number("1/10"))
    assert (error, allowed) == (rational_number("1/16"), rational_number("1/5"))


def test_what_leaving_out_the_weight_of_time_does_by_hand():
    """Two by two, π uniform, two steps: the second step's share of the direction is too large by 1/γ = 10/9."""
    mdp, π = two_by_two(), rational([["1/2", "1/2"]] * 2)
    means = []
    for theorem, q in ((paper.direction_from_now, paper.to_go), (paper.direction_with_weights, paper.to_go_weighted)):
        for horizon in (1, 2):
            outcomes = Outcomes()
            (found,) = theorem(mdp=mdp, π=π, draws=outcomes, horizon=horizon)
            means.append(mean(outcomes.probability, found[q], 2))
    now_1, now_2, weighted_1, weighted_2 = means
    assert (now_1 == weighted_1).all()
    P, _ = mdp.under(π)
    second = (mdp.start @ P)[:, None] * π * (mdp.r - (π * mdp.r).sum(axis=1)[:, None])
    assert (now_2 - weighted_2 == (1 - mdp.discount) * second).all()
    assert (second != 0).any()
