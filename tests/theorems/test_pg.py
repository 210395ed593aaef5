"""What the engine cannot know about theorems/pg.py: gradients by hand, and gains as differences of values."""

import flint
import numpy as np
import pytest

from mdplab.arrays import norm, rational, rational_number, softmax
from mdplab.exact import softmax_gradient, values
from mdplab.instances import two_armed_bandit, two_by_two, two_by_two_logits
from theorems import pg


def test_the_longest_gradient_is_that_of_two_arms_at_the_uniform_policy():
    """r = (1, 0), π = (1/2, 1/2): the gradient is (1/4, −1/4)."""
    ((_, slope, bound),) = pg.gradnorm.trace(two_armed_bandit())
    assert slope.overlaps(flint.arb(2).sqrt() / 4)
    assert bound.overlaps(slope)


def test_the_gradient_of_two_by_two_has_the_length_that_its_entries_give():
    """Entries ±1.44131 and ±0.23922, each rounded to five digits: the length is right to 4 · 0.000005."""
    ((_, slope, _),) = pg.gradnorm.trace(two_by_two(), two_by_two_logits())
    assert float(slope.mid()) == pytest.approx(np.sqrt(2 * (1.44131**2 + 0.23922**2)), abs=2e-5)


@pytest.mark.parametrize("step", ["1/8000", "1", "50"])
def test_the_gain_of_a_step_is_the_difference_of_the_values(step):
    mdp, θ, η = two_by_two(), two_by_two_logits(), rational_number(step)
    stepped = θ + η * softmax_gradient(mdp, softmax(θ))
    difference = mdp.start @ (values(mdp, softmax(stepped)) - values(mdp, softmax(θ)))
    gain = pg.gain_of_step(mdp, θ, η)
    assert gain.overlaps(difference)
    assert gain.rel_accuracy_bits() > 20  # so that overlapping says something


def test_a_step_for_two_arms_by_hand():
    """From the uniform policy a step η moves the logits to ±η/4: V goes from 1/2 to 1/(1 + e^(−η/2))."""
    (binding,) = pg.anystep(two_armed_bandit(), rational([[0, 0]]), rational_number(6))
    assert binding[pg.before][0].overlaps(flint.arb(1) / 2)
    assert binding[pg.after][0].overlaps(1 / (1 + flint.arb(-3).exp()))


def test_an_enclosed_length_reaches_down_to_zero_where_its_entries_do():
    length = norm(np.array([flint.arb(0, 1e-30), flint.arb(0)], dtype=object))
    assert length.contains(0)
    assert length.contains(flint.arb(1e-30))
