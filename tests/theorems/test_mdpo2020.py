"""What the engine cannot know about theorems/mdpo2020.py: updates on two arms by hand."""

from itertools import islice, pairwise

import flint

from mdplab.arrays import rational, rational_number
from mdplab.models import bandit
from theorems import mdpo2020 as paper

number = rational_number


def arms():
    """Rewards 1 and 0."""
    return bandit(rational([1, 0]))


def test_steps_that_stand_for_the_inverse_root_do_not_grow():
    steps = list(islice(paper.one_over_root(1.0), 70))
    assert all(now >= then for now, then in pairwise(steps))
    assert all(1 / 4 <= x * (n + 1) ** 0.5 <= 2 for n, x in enumerate(steps))


def test_the_first_inner_step_by_hand():
    """Equal logits, A = ±1/2, γ = 0: the slope is ±1/4, whatever t; with η = 1 that is the change of log π, centred."""
    (b,) = paper.first_step(arms(), rational([[0, 0]]), number("1/3"), number(1))
    assert b[paper.slope][0, 0].overlaps(flint.arb(0.25))
    assert b[paper.change][0, 0].overlaps(flint.arb(0.25))


def test_the_proximal_objective_by_hand():
    """π_k = (1/2, 1/2), t = 2: the maximum is ½ log cosh 1; (3/4, 1/4) has ¼ − ½ KL, KL = ¾ log 3/2 + ¼ log ½."""
    half, new = rational([["1/2", "1/2"]]), rational([["3/4", "1/4"]])
    (b,) = paper.exact_update(arms(), half, new, number(2))
    kl = 3 * (flint.arb(3) / 2).log() / 4 + (flint.arb(1) / 2).log() / 4
    assert b[paper.best][0].overlaps(flint.arb(1).cosh().log() / 2)
    assert b[paper.objective][0].overlaps(flint.arb(1) / 4 - kl / 2)


def test_an_off_policy_update_by_hand():
    """λ = 1, the longest step t = 1: nothing of the old policy is left, and π_1 = softmax(1, 0)."""
    (b,) = paper.soft(arms(), rational([[2, 0]]), number(1), number(1))
    expected = -(1 + flint.arb(-1).exp()).log()
    assert b[paper.new_log][0, 0].overlaps(expected)
    assert b[paper.off_policy][0, 0].overlaps(expected)


def test_the_bound_at_the_start_by_hand():
    """Equal logits, t_0 = 2: δ_0 = 1/2 and D_0 = log 2, so the bound is (log 2 + 1)/2."""
    zero, start = rational([[0, 0]]), rational([1])
    _, loss, bound = next(paper.decreasing.trace(arms(), zero, start, number(2)))
    assert loss.overlaps(flint.arb(0.5))
    assert bound.overlaps((flint.arb(2).log() + 1) / 2)
