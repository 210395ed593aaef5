"""Ascent until exit: it goes up, comes close to the optimum, and shares logits when asked to."""

from itertools import islice, pairwise

import numpy as np
import pytest

from mdplab.arrays import total
from mdplab.errors import MdplabError
from mdplab.exact import exit_optimum
from mdplab.instances import walk, which_exit
from mdplab.models import bandit
from mdplab.solvers import exit_time_pg, softmax_pg


def test_values_rise_to_the_optimum():
    mdp = walk(4, horizon=4).floats()
    run = [float(it.value) for it in islice(exit_time_pg(mdp, step_size=5.0), 1500)]
    best = float(total(mdp.start * exit_optimum(mdp).v[0]))
    assert all(x <= y + 1e-15 for x, y in pairwise(run))  # a rounding of numbers below one
    assert best - 0.01 < run[-1] < best


def test_one_decision_is_a_bandit():
    """Payoffs 1 and −1, step 1 / (N G) = 1: softmax policy gradient on the bandit with these rewards."""
    ours = exit_time_pg(which_exit().floats())
    theirs = softmax_pg(bandit(np.array([1.0, -1.0])), step_size=1.0)
    for x, y in islice(zip(ours, theirs, strict=False), 20):
        assert x.π[0] == pytest.approx(y.π, abs=1e-14)  # the same dozen operations a step, in another order


def test_shared_logits_move_by_the_sum_over_times():
    mdp = walk(3, horizon=3).floats()
    timed, shared = exit_time_pg(mdp), exit_time_pg(mdp, np.zeros((mdp.S, mdp.A)))
    first, one = next(timed), next(shared)
    assert one.gradient == pytest.approx(first.gradient.sum(axis=0), abs=1e-16)
    after = next(shared)
    assert after.π.shape == (3, 2, 2)
    assert (after.π[0] == after.π[2]).all()


def test_shapes_are_checked():
    with pytest.raises(MdplabError, match=r"θ has shape \(2,\); expected \(1, 1, 2\), or \(1, 2\) for all times"):
        next(exit_time_pg(which_exit(), np.zeros(2)))
    with pytest.raises(MdplabError, match="step_size has shape"):
        next(exit_time_pg(which_exit().floats(), step_size=np.ones(2)))
