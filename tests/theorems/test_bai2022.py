"""What the engine cannot know of theorems/bai2022.py: an agent torn between two actions, by hand."""

import flint

from mdplab.arrays import rational, rational_number
from mdplab.instances.multi_objective import torn, two_queues
from mdplab.theorem.statement import Theorem
from theorems import bai2022


def test_the_three_roads_to_the_gradient_agree_exactly_for_reciprocals():
    b = next(bai2022.chain(two_queues(1), rational([[0, 0]] * 4), rational_number(1)))
    assert all(x.overlaps(y) for x, y in zip(b[bai2022.slope].flat, b[bai2022.summed].flat, strict=True))
    assert all(x.overlaps(y) for x, y in zip(b[bai2022.slope].flat, b[bai2022.scalar].flat, strict=True))
    assert isinstance(bai2022.chain, Theorem)


def test_the_constants_of_two_objectives_by_hand():
    """M = 2, γ = 0, offset 1/2: l = 2 · 4 and L = 2 · 2 · 8, so slopes are at most 16.

    With equal logits J = (1/2, 1/2) and f is at its maximum.
    """
    zero = rational([[0, 0]])
    (b,) = bai2022.smoothness(torn(0), zero, zero, rational_number("1/2"))
    assert b[bai2022.largest_slope] == 8
    assert b[bai2022.L] == 32
    assert b[bai2022.size] < 1e-15  # a ball around zero
    assert bai2022.smoothness.claims["gradient"].sides(b)[1] == 16


def test_a_step_with_wrong_weights_by_hand():
    """γ = 0, equal logits, offset 1: no slope.  Returns misjudged as (p, 1 − p) give weights 1/(1 + p)², 1/(2 − p)².

    The direction is (w_1 − w_2)/4 (1, −1), all of it error; α = 1/(2 (4 · 4 + 8 · 2 + 2 · 2)) = 1/72.
    """
    one, zero = rational_number(1), rational([[0, 0]])
    (b,) = bai2022.ascent(torn(0), zero, rational([[-2, 2]]), one, one)
    p = 1 / (1 + flint.arb(4).exp())
    off = (1 / (1 + p) ** 2 - 1 / (2 - p) ** 2) / 4 * flint.arb(2).sqrt()
    assert b[bai2022.α] == rational_number("1/72")
    assert b[bai2022.wrong].overlaps(off)
    assert b[bai2022.length].overlaps(off)
    assert b[bai2022.gain] < 0


def test_the_bias_of_weights_by_hand():
    """Two pulls, γ = 1/2, equal shares, offset 1: returns 3/2, 1, 1/2, 0 of either objective, equally likely.

    f' = 1/(x + 1)² is 4/25, 1/4, 4/9, 1 there and 16/49 at the mean 3/4; each variance is 5/16.
    """
    one, third = rational_number(1), rational_number("1/3")
    first, second = bai2022.plug_in(torn("1/2"), rational([["1/2", "1/2"]]), one)
    mean = (rational_number("4/25") + rational_number("1/4") + rational_number("4/9") + 1) / 4
    assert first[bai2022.least] == mean - rational_number("16/49")
    assert first[bai2022.spread] == rational_number("5/8")
    assert first[bai2022.bias_1] == 2 * first[bai2022.least]
    assert first[bai2022.bias_1] * third < second[bai2022.bias_1] < first[bai2022.bias_1]


def test_weights_of_the_same_pull_by_hand():
    """One pull of two arms, γ = 0, offset 1, π = (1/4, 3/4); ∇f is 1/4 for the arm pulled and 1 for the other.

    With weights of its own a pull is worth 1/4 whatever the arm, and E ĝ = 1/4 Σ_a π(a) ∇ log π(a) = 0.  With those of
    another, E c = (1/4 · 1/4 + 3/4, 1/4 + 3/4 · 1/4) = (13/16, 7/16) and E ĝ = 3/16 (13/16 − 7/16) (1, −1).
    """
    (b,) = bai2022.two_batches(torn(0), rational([["1/4", "3/4"]]), rational_number(1))
    assert (b[bai2022.weighted] == rational([["9/128", "-9/128"]])).all()
    assert (b[bai2022.estimate] == b[bai2022.weighted]).all()
    (b,) = bai2022.two_batches(torn(0), rational([["1/4", "3/4"]]), rational_number(1), estimator=bai2022.with_the_same)
    assert (b[bai2022.estimate] == 0).all()
