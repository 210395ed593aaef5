"""What the engine cannot know about theorems/cpi2002.py: steps of conservative policy iteration by hand."""

from itertools import islice

from mdplab.arrays import rational, rational_number
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import conservative_policy_iteration, conservative_weight
from theorems import cpi2002 as paper


def test_a_bandit_needs_one_step():
    """γ = 0: nothing penalises the step, and the first one is greedy."""
    steps = list(islice(conservative_policy_iteration(bandit(rational([0, 1]))), 2))
    assert (steps[1].π == rational([[0, 1]])).all()


def test_a_step_by_hand():
    """One state that stays, rewards 1 and 0, γ = 9/10, uniform policy: A = ±1/2, so α = (1 − γ) / (4 γ) = 1/36.

    The gain is α / 2 / (1 − γ) = 5/36, at least (1/2)² / (8 · 9/10 · 1/2) = 5/72.
    """
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))
    half = rational([["1/2", "1/2"]])
    assert conservative_weight(mdp, half) == rational_number("1/36")
    ((binding, least, gain),) = paper.gain_of_update.trace(mdp, half)
    assert gain == binding[paper.gain] == rational_number("5/36")
    assert least == rational_number("5/72")


def test_the_simpler_form_loses_a_horizon_for_the_longest_step():
    """With α = 1 and γ = 1/2 the first form is 1 − γ of the second; they agree for short steps."""
    inputs = paper.half_way_out() | {"α": rational_number(1)}
    (binding,) = paper.thm(**inputs)
    first, second = (paper.thm.claims[name].sides(binding)[1] for name in ("printed", "simpler"))
    assert 2 * first == second


def test_an_update_along_the_algorithm_by_hand():
    """The same model: α = 1/36 gains 5/36, of which 5 α − 90 α² = 5/36 − 5/72 is guaranteed."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))
    _, least, gain = next(paper.mono.trace(mdp, rational([["1/2", "1/2"]])))
    assert (least, gain) == (rational_number("5/72"), rational_number("5/36"))
