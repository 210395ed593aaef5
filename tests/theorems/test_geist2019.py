"""What the engine cannot know about theorems/geist2019.py: one state by hand."""

import flint

from theorems import geist2019 as paper


def test_with_equal_rewards_all_entropy_is_taken():
    """γ = 9/10, τ = 1, two actions of reward 1: V* = 10, Ṽ* = 10 + 10 log 2, which is the bound."""
    (binding,) = paper.bias(**paper.equal_rewards())
    best = 10 + 10 * flint.arb(2).log()
    assert binding[paper.value][0] == 10
    assert binding[paper.soft_value][0].overlaps(best)
    assert not binding[paper.soft_value][0].overlaps(best + flint.arb("1e-10"))


def test_what_a_policy_loses_by_hand():
    """γ = 9/10, τ = 1/2, rewards 1 and 0: the worse action has probability 1/(1 + e²), so 10/(1 + e²) is lost."""
    (binding,) = paper.bias_of_policy(**paper.one_better_action())
    lost = 10 / (1 + flint.arb(2).exp())
    assert binding[paper.loss].overlaps(lost)
    assert not binding[paper.loss].overlaps(lost + flint.arb("1e-10"))
