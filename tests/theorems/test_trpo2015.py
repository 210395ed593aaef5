"""What the engine cannot know about theorems/trpo2015.py: the two counterexamples by hand."""

import flint

from mdplab.arrays import rational, rational_number
from mdplab.models import DiscountedMDP
from theorems import trpo2015 as paper


def test_the_one_way_street_by_hand():
    """η(π) = 12/11, L = 122/121, η(π') = 1, α = 1/10, ε' = 1/11: the error 1/121 is 25/11 times the printed bound.

    State 0 is worth 2, state 1 is worth γ π(0|1) 2 / (1 − γ (1 − π(0|1))): 2/11 before and 0 after.
    """
    ((binding, error, bound),) = paper.thm1_proceedings.trace(**paper.street)
    assert binding[paper.new_value] == 1
    assert binding[paper.promised] == rational_number("122/121")
    assert binding[paper.α] == rational_number("1/10")
    assert binding[paper.ε_new] == rational_number("1/11")
    assert error == rational_number("1/121")
    assert bound == rational_number("1/275")


def test_two_rooms_by_hand():
    """The error 4/169 against 1/65, which is 1.54 times as much as the appendix allows."""
    ((_, error, bound),) = paper.thm1a.trace(**paper.rooms)
    assert error == rational_number("4/169")
    assert bound == rational_number("1/65")


def test_a_policy_that_stays_has_no_error_and_no_penalty():
    same = paper.street | {"new": paper.street["π"]}
    ((_, error, bound),) = paper.thm1.trace(**same)
    assert error == bound == 0


def coin(p, q):
    """A state that stays, γ = 1/2, rewards 1 and 0, from probability p of the first action to q."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("1/2"))
    return {"mdp": mdp, "π": rational([[p, 1 - p]]), "new": rational([[q, 1 - q]])}


def test_the_bound_in_divergence_by_hand():
    """From (1/2, 1/2) to (1/4, 3/4), ε = 1/2: 4 · 1/2 · 1/2 · 4 KL(π ‖ π') = 4 KL; one state, so nothing is wrong."""
    ((_, error, bound),) = paper.thm1_kl.trace(**coin(rational_number("1/2"), rational_number("1/4")))
    kl = (flint.arb(2).log() + (flint.arb(2) / 3).log()) / 2
    assert error == 0
    assert bound.overlaps(4 * kl)


def test_the_appendix_with_twice_its_constant_by_hand():
    """Two rooms: 4/169 is below twice 1/65."""
    ((_, error, bound),) = paper.thm1a_doubled.trace(**paper.rooms)
    assert (error, bound) == (rational_number("4/169"), rational_number("2/65"))


def test_an_update_of_a_coin_by_hand():
    """One state: the surrogate is the gain 2 (q − 1/2), the guarantee that less 4 KL((1/2, 1/2) ‖ (q, 1 − q))."""
    mdp = coin(rational_number("1/2"), rational_number("1/2"))["mdp"]
    b = next(paper.mono(mdp, rational([["1/2", "1/2"]])))
    q = rational_number("1/2") + b[paper.gain] / 2
    assert b[paper.surrogate] == b[paper.gain] > 0
    kl = -(flint.arb(4 * q * (1 - q))).log() / 2
    assert b[paper.guarantee].overlaps(b[paper.gain] - 4 * kl)
