"""What the engine cannot know about theorems/bobw2023.py: cases worked by hand, and the leader itself."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact import finite_horizon as exact
from mdplab.instances import layered
from mdplab.models import FiniteHorizonMDP, bandit
from mdplab.sampling import Draws, Outcomes, mean, rollouts
from mdplab.solvers import best_of_both_worlds_po, dilated, leader
from mdplab.solvers.best_of_both_worlds_po import REGULARISERS, weighted_losses
from theorems import bobw2023 as paper


def test_dilation_by_hand():
    """The detour: bonus 1 in its second state only, met one time in ten; B there is 1, at the start 3/2 P."""
    inputs = paper.detour()
    b = rational([[0, 0], [0, 0], [1, 1]])
    B = dilated(inputs["mdp"], inputs["π_t"], b)
    assert B.tolist() == rational([[0, "3/2"], [0, 0], [1, 1]]).tolist()
    found = next(paper.bonus(**inputs))
    # π goes there: local regret on Q − B is that of the start, (9/10, −9/10) · (0, −3/2), less 1 and (3/20 + 1)/2.
    assert found[paper.excess] == rational_number("27/20") - 1 - rational_number("23/40")
    assert found[paper.V_b] == rational_number("1/10")


def test_one_step_of_log_barrier_by_hand():
    """Two arms, w uniform, η = 1, losses (3/2, 0): w' = (1/(z + 7/2), 1/(z + 2)) with z = −1/2, that is (1/3, 2/3)."""
    w = floats(leader(rational(["7/2", 2]), rational_number(1), "log-barrier"))
    assert abs(w - [1 / 3, 2 / 3]).max() < 1e-14  # balls of 53 bits, some fifty operations
    binding = next(paper.stab(bandit(rational(["3/2", 0])), rational([[0, 0]]), rational_number(1), rational_number(1)))
    by_hand = (1 / 2 - 1 / 3) * 3 / 2 - (2 / 3 - 1 - np.log(2 / 3) + 4 / 3 - 1 - np.log(4 / 3))
    assert abs(float(binding[paper.stability["log-barrier"]].mid()) - by_hand) < 1e-15
    assert float(binding[paper.second["log-barrier"]].mid()) == pytest.approx(9 / 16, abs=1e-15)


@pytest.mark.parametrize("name", REGULARISERS)
def test_the_leader_is_where_the_gradient_is_the_same_for_all_arms(name):
    """L + Ψ'(p)/η is constant; the largest slope is 1/p² <= 1e4 here, hence a thousand roundings."""
    L = np.random.default_rng(0).uniform(0, 10, (50, 4))
    p = leader(L, 0.7, name)
    slopes = L - paper.slope(p, name) / 0.7
    assert abs(slopes - slopes[:, :1]).max() < 1e-11
    exactly = leader(rational(L[:2]), rational(0.7)[()], name)
    assert abs(floats(exactly) - p[:2]).max() < 1e-14
    with pytest.raises(MdplabError, match="regulariser is 'Gini'"):
        leader(L, 0.7, "Gini")


def test_weighted_losses_are_right_in_mean():
    mdp = FiniteHorizonMDP((), (rational([["1/3", 1], [0, "1/4"]]),), rational(["2/5", "3/5"]))
    π, outcomes = rational([["1/4", "3/4"], ["1/2", "1/2"]]), Outcomes()
    seen = rollouts(mdp, π, 1, outcomes)
    estimate = weighted_losses(seen, exact.visits(mdp, π), π)
    assert (mean(outcomes.probability, estimate, 2) == exact.action_values(mdp, π)).all()


@pytest.mark.parametrize("bonus", [0.0, 0.05])
@pytest.mark.parametrize("name", REGULARISERS)
def test_policies_lose_less_and_less(name, bonus):
    """Losses of the last hundred of 500 episodes are closer to the best than those of the first, in mean of 8 runs."""
    mdp = layered(np.random.default_rng(81), 1)[0]
    best = exact.optimum(mdp)
    run = best_of_both_worlds_po(mdp, Draws(0, np.arange(8)), regulariser=name, bonus=bonus)
    gaps = [exact.gap(mdp, it.π, best).mean() for it in islice(run, 500)]
    assert np.mean(gaps[-100:]) < np.mean(gaps[:100]) / 1.5
