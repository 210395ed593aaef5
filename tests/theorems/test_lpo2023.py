"""What the engine cannot know about theorems/lpo2023.py: counts by hand, and the learner that switches seldom."""

from itertools import islice, pairwise

import numpy as np

from mdplab.exact import finite_horizon as exact
from mdplab.instances import episodic_riverswim, one_state_loop
from mdplab.sampling import Draws
from mdplab.solvers import always, doubled, low_switching_po
from theorems import lpo2023 as paper


def test_one_pair_is_met_first_and_then_doubles():
    """64 samples of one pair: anew at 1, 2, 4, ..., 64."""
    *_, (binding, changes, bound) = paper.switch.trace(one_state_loop())
    assert changes == 7
    assert binding[paper.by_counts] == 7
    assert abs(bound - 7) < 1e-14  # two logarithms


def test_doubling_by_hand():
    now, then = np.array([[[3.0, 1.0]], [[4.0, 1.0]], [[3.0, 2.0]]]), np.array([[2.0, 1.0]])
    assert doubled(now, then).tolist() == [False, True, True]
    assert doubled(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]]))
    assert not doubled(np.zeros((1, 2)), np.zeros((1, 2)))


def test_switching_seldom_costs_little():
    """RiverSwim, 600 episodes, 6 runs: at most S A (1 + log₂ K) switches of what are 600, regret within a half."""
    mdp = episodic_riverswim(3, 6).floats()
    best, regret = exact.optimum(mdp), {}
    for due in (doubled, always):
        run = list(islice(low_switching_po(mdp, Draws(0, np.arange(6)), due=due), 600))
        regret[due] = sum(exact.gap(mdp, it.π, best) for it in run).mean()
        if due is doubled:
            assert (run[-1].updates <= mdp.S * mdp.A * (1 + np.log2(600))).all()
            assert run[-1].updates.max() < 200
            for a, b in pairwise(run):
                assert ((a.π == b.π).all(axis=(1, 2)) | (b.updates > a.updates)).all()
    assert regret[doubled] < 1.5 * regret[always]
