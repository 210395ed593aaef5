"""Figures of learners that explore: short cells with the properties that the figures show."""

import numpy as np
import pytest

from experiments import bobw2023_two_worlds as worlds
from experiments import hac2023_lock as locks
from experiments import lmc2024_riverswim as river


def test_two_worlds_are_one_until_losses_turn():
    """They turn over after the first episode, at T = 2."""
    cells = [worlds.measure(world, "tsallis", 0, episodes=4).regret for world in worlds.SWEEP["world"]]
    assert np.allclose(cells[0].sel(T=1), cells[1].sel(T=1), rtol=0, atol=1e-14)
    assert not np.allclose(cells[0].sel(T=4), cells[1].sel(T=4))


def test_the_comparator_is_one_policy_for_all_losses_together():
    mdp = worlds.layered(np.random.default_rng(81), 1)[0]
    means = 1 - mdp.rewards
    apart = worlds.least(mdp, means) + worlds.least(mdp, 0.5 - means)
    assert worlds.least(mdp, 2 * means) == pytest.approx(2 * worlds.least(mdp, means), rel=1e-12)
    assert worlds.least(mdp, 0.5 + 0 * means) == pytest.approx(1.5, rel=1e-12)  # three steps
    assert apart < 1.5


def test_regret_starts_along_the_line_of_no_learning():
    """The first policies swim down or try their luck: at most V* = .906807 an episode is lost."""
    for learner in river.LEARNERS:
        data = river.measure(learner, 0, episodes=20)
        assert (data.regret <= 0.9069 * data.K).all()
        assert (data.regret > 0.8 * data.K).all()


def test_bad_data_do_not_keep_a_short_lock_shut():
    hybrid, alone = (locks.measure("bad", critic, 0, updates=30).value[-1] for critic in ("hybrid", "data"))
    assert (hybrid > 0.9).all()
    assert (alone < 0.1).all()
