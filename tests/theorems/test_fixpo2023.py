"""What the engine cannot know about theorems/fixpo2023.py: one step on two arms, by hand."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import MdplabError
from mdplab.instances import two_armed_bandit
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import fixpo
from theorems import fixpo2023 as paper


def test_one_main_step_by_hand():
    """Arms 1 and 0, A = ±1/2, divided by the largest ±1: from θ = 0 a step of 3/2 along π A = ±1/2 leads to ±3/4.

    The penalty has no slope at the old policy, so π_1 = softmax(3/4, −3/4) = 1/(1 + e^{−3/2}) and its complement.
    """
    _, then = islice(fixpo(bandit(rational([1, 0])).floats(), main_steps=1, step_size=1.5, fixup="none"), 2)
    assert np.allclose(then.π, [[1 / (1 + np.exp(-1.5)), 1 / (1 + np.exp(1.5))]], rtol=1e-15)


def test_the_divergence_and_the_bound_by_hand():
    """γ = 0: the surrogate is exact, so the loss and its bound are zero; KL is that of the old policy from the new."""
    inputs = paper.guarantee.instance(paper.three_arms)
    now, then = islice(fixpo(inputs["mdp"], inputs["π"], radius=inputs["ε_KL"]), 2)
    b = next(paper.guarantee(**inputs))
    assert b[paper.promised] == b[paper.gain] == ((then.π - now.π) * inputs["mdp"].r).sum()
    by_hand = sum(float(p) * np.log(float(p) / float(q)) for p, q in zip(now.π[0], then.π[0], strict=True))
    assert abs(float(b[paper.kl].mid()) - by_hand) < 1e-14
    assert b[paper.ε] == rational_number("1/2")


def test_the_mean_over_states_hides_a_state():
    """Six states that stay, arms 1 and 0 in the first, equal arms in the others: only the first one moves."""
    n = 6
    P = rational([[[int(s == t) for t in range(n)]] * 2 for s in range(n)])
    mdp = DiscountedMDP(P, rational([[1, 0]] + [[0, 0]] * (n - 1)), rational_number(0), rational([1] + [0] * (n - 1)))
    far = {}
    for fixup in ("each", "mean"):
        first, then = islice(fixpo(mdp.floats(), radius=0.05, step_size=5.0, fixup=fixup), 2)
        apart = (first.π * np.log(first.π / then.π)).sum(axis=-1)
        assert (apart[1:] == 0).all()
        assert apart.mean() <= 0.05
        far[fixup] = apart[0]
    assert far["each"] <= 0.05 < far["mean"]


def test_an_unknown_fixup_phase_is_an_error():
    with pytest.raises(MdplabError, match="expected 'each', 'mean' or 'none'"):
        fixpo(two_armed_bandit(), fixup="some")
