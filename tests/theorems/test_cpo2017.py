"""What the engine cannot know about theorems/cpo2017.py: the one-way street, and a coin that is turned, by hand."""

import flint

from mdplab.arrays import rational, rational_number
from mdplab.models import DiscountedMDP
from theorems import cpo2017 as paper

number = rational_number


def test_the_one_way_street_by_hand():
    """γ = 1/2, both states equally likely at first, π(0|1) = 1/10 and π'(0|1) = 0; state 0 is absorbing.

    The chain stays in state 1 with 9/10 before and with 1 after: d(1) = ½ · ½ / (1 − 9/20) = 5/11, then ½.  So the
    occupancies are 2 · (1/2 − 5/11) = 1/11 apart.  TV(1) = 1/10, TV(0) = 0: mean 1/22, times 2γ/(1 − γ) = 2: 1/11.
    """
    ((_, apart, bound),) = paper.dlem.trace(**paper.named["one-way street"])
    assert apart == bound == number("1/11")


def test_the_error_of_the_surrogate_on_the_street_by_hand():
    """η(π') = 1 and L = 122/121; ε' = 1/11, so the penalty is 2 · ½ · 1/11 · 4 · 1/22 = 2/121, twice the error."""
    ((binding, error, bound),) = paper.thm1.trace(**paper.named["one-way street"])
    assert binding[paper.new_value] == 1
    assert binding[paper.ε] == number("1/11")
    assert binding[paper.apart] == number("1/22")
    assert (error, bound) == (number("1/121"), number("2/121"))


def coin(p, q):
    """A state that stays, γ = 1/2, rewards 1 and 0, from probability p of the first action to q."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), number("1/2"))
    return {"mdp": mdp, "π": rational([[p, 1 - p]]), "new": rational([[q, 1 - q]])}


def test_divergence_is_of_the_old_from_the_new_policy():
    """From (1/2, 1/2) to (1/4, 3/4): KL(π' ‖ π) = ¼ log ½ + ¾ log 3/2, A = ±1/2, ε' = |¼ · ½ − ¾ · ½| = 1/4.

    One state: the surrogate is exact, η = 1 before and 1/2 after, and the bound 2 · ½ · ¼ · 4 · √(KL/2) = √(KL/2).
    """
    ((binding, error, bound),) = paper.thm1_kl.trace(**coin(number("1/2"), number("1/4")))
    kl = (flint.arb(1) / 2).log() / 4 + 3 * (flint.arb(3) / 2).log() / 4
    assert binding[paper.kl].overlaps(kl)
    assert (binding[paper.old], binding[paper.new_value]) == (1, number("1/2"))
    assert error == 0
    assert bound.overlaps((kl / 2).sqrt())


def test_a_trust_region_by_hand():
    """The other way, from 1/4 to 1/2: the surrogate promises what is gained, 1/2; as much as √(2δ)/2 might be lost.

    γ ε'/(1 − γ)² = ½ · ¼ · 4 = ½ with ε' = ½ · ¾ − ½ · ¼ = ¼, and δ = KL(½ ‖ ¼) = ½ log 2 + ½ log 2/3.
    """
    ((_, lost, bound),) = paper.tr.trace(**coin(number("1/4"), number("1/2")))
    assert lost == -number("1/2")
    δ = (flint.arb(2).log() + (flint.arb(2) / 3).log()) / 2
    assert bound.overlaps((2 * δ).sqrt() / 2)
