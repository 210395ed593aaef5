"""What the engine cannot know about theorems/shani2020.py: one step of each kind on two arms, by hand."""

from itertools import islice

import flint

from mdplab.arrays import log, rational, rational_number, softmax
from mdplab.instances import two_armed_bandit
from mdplab.models import bandit
from mdplab.solvers import averaging_steps
from theorems import shani2020 as paper


def test_a_first_step_without_entropy_by_hand():
    """Arms worth 1 and 0, both equally likely, t_0 = 1: π_1 = (e, 1)/(e + 1) loses 1/(e + 1).

    D_0 = log 2 and δ_0 = 1/2, so the bound at k = 1 is (log 2 + 1/2) / (2 (√3 − 1)).
    """
    _, (_, loss, bound) = islice(paper.unregularised.trace(bandit(rational([1, 0])), first=rational_number(1)), 2)
    assert loss.overlaps(1 / (flint.arb(1).exp() + 1))
    assert bound.overlaps((flint.arb(2).log() + 0.5) / (2 * (flint.arb(3).sqrt() - 1)))


def test_a_first_step_with_entropy_by_hand():
    """Arms worth nothing, π_0 = (3/4, 1/4), λ = 1: half of the logarithm is kept, so π_1 ∝ (√3, 1).

    D_0 = ½ log(4/3), D_1 = ½ log((1 + √3)² / (4√3)); δ_0 = KL(π_0 ‖ (½, ½)) = ¾ log(3/2) + ¼ log(1/2).
    """
    mdp, θ, one = bandit(rational([0, 0])), log(rational([["3/4", "1/4"]])), rational_number(1)
    root = flint.arb(3).sqrt()
    first, second = islice(paper.regularised(mdp, θ, mdp.start, one), 2)
    assert first[paper.D_k].overlaps((flint.arb(4) / 3).log() / 2)
    assert second[paper.D_k].overlaps(((1 + root) ** 2 / (4 * root)).log() / 2)
    assert first[paper.soft_δ_0].overlaps(3 * (flint.arb(3) / 2).log() / 4 - flint.arb(2).log() / 4)


def test_averaging_steps_average():
    """log π_2 = (log π_0 + Q/λ + Q/λ)/3 where Q does not change, as in a bandit."""
    mdp, λ = two_armed_bandit(), rational_number("1/2")
    assert list(islice(averaging_steps(λ), 3)) == [1, rational_number("2/3"), rational_number("1/2")]
    *_, last = islice(paper.entropy_mirror_descent(mdp, temperature=λ, step_sizes=averaging_steps(λ)), 3)
    expected = softmax(2 * mdp.r / λ / 3)
    assert all(x.overlaps(y) for x, y in zip(last.π.flat, expected.flat, strict=True))
