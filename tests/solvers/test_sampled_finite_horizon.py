"""Sampled policy gradients over epochs and rounds: one update by hand, and what many draws tend to."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, softmax
from mdplab.errors import MdplabError
from mdplab.exact import finite_horizon as exact
from mdplab.instances import two_roads, two_roads_noise
from mdplab.instances.finite_horizon import late_choice, lock, uneven
from mdplab.sampling import Draws, rollouts
from mdplab.solvers import (
    discounted_from_now,
    dynamic_pg,
    first_action,
    reinforce_to_go,
    sampled_dynamic_pg,
    sampled_dynpg,
    sampled_simultaneous_pg,
)


def test_default_steps_are_those_of_the_paper():
    """Reward bound 1: η = 1 / (5 H² √N), with H = 3 and N = 4 a ninetieth."""
    x, y = islice(sampled_simultaneous_pg(uneven().floats(), draws=Draws(0, np.arange(5)), updates=4), 2)
    assert abs(y.θ - x.direction / 90).max() < 1e-15
    assert y.θ.shape == (5, 6, 2)


def test_only_the_first_action_is_scored_and_paid_for_all_that_follows():
    """The lock pays 1 at its end: whoever gets it scores (1/2, −1/2) where it started, and others nothing."""
    mdp, π = lock(3).floats(), np.full((6, 2), 0.5)
    seen = rollouts(mdp, π, 3, Draws(0, np.arange(200)))
    g, got = first_action(seen, π), (seen.actions == 0).all(axis=1)
    assert (g[got, 0] == [0.5, -0.5]).all()
    assert (g[~got] == 0).all()
    assert (g[:, 1:] == 0).all()
    assert 0 < got.sum() < 200


def test_large_batches_follow_the_exact_scheme():
    """Four updates of 20,000 trajectories: logits move by 1/√4 of the exact steps, the difference by chance alone."""
    mdp = uneven().floats()
    *_, sampled = sampled_dynamic_pg(mdp, draws=Draws(1, np.arange(2)), updates=[4] * 3, batches=[20_000] * 3)
    η = np.array([1 / (2 * (3 - h) * 2) for h in range(3)])
    *_, exactly = dynamic_pg(mdp, updates=[4] * 3, step_sizes=η)
    assert sampled.shape == (2, 6, 2)
    assert abs(sampled - exactly.π).max() < 0.02


def test_backward_training_finds_the_late_choice():
    mdp = late_choice(2).floats()
    run = sampled_dynamic_pg(
        mdp, draws=Draws(0, np.arange(4)), updates=[400] * 2, batches=[20] * 2, step_sizes=np.array([1.0, 1.0])
    )
    *_, π = run
    gap = exact.gaps(mdp, π, exact.optimum(mdp))[:, 0]
    assert (gap < 0.1).all()


def test_an_epoch_without_batches_is_refused():
    with pytest.raises(MdplabError, match="1 updates and 2 batches; expected 2 of each"):
        next(sampled_dynamic_pg(late_choice().floats(), draws=Draws(), updates=[1], batches=[1, 1]))


def test_rounds_of_dynpg_begin_anew_and_count_what_they_play():
    """γ = 9/10: 45 updates in round 0, then 86; a trajectory of round h makes at most h + 1 steps."""
    mdp, σ = two_roads().floats(), floats(two_roads_noise())
    run = list(islice(sampled_dynpg(mdp, draws=Draws(0, np.arange(10)), noise=σ), 45 + 86 + 1))
    assert [x.round for x in (run[44], run[45], run[130], run[131])] == [0, 1, 1, 2]
    assert (run[45].θ == 0).all()
    assert (run[45].interactions == 45).all()  # every start can be left, and one step is all
    assert ((run[131].interactions - 45 > 86) & (run[131].interactions - 45 < 172)).all()
    assert not (run[44].θ == 0).all()


def test_discounting_from_now_gives_each_action_its_own_horizon():
    """Two steps that pay 5/4: the first action is worth 5/4 (1 + γ), the second 5/4, whatever it comes after."""
    mdp = two_roads().floats()
    π = softmax(np.zeros((7, 3)))
    seen = rollouts(mdp, π, 3, Draws(0, np.arange(300)))
    way = seen.states[:, 0] == 2
    way &= seen.states[:, 1] == 4
    g = discounted_from_now(seen, π)[way][0]
    a = seen.actions[way][0]
    for s, t, worth in ((2, 0, 0.9 * 1.25 * 1.9), (4, 1, 1.25 * 1.9), (5, 2, 1.25)):
        assert abs(g[s] - worth * (np.eye(3)[a[t]] - 1 / 3)).max() < 1e-12


def test_runs_do_not_depend_on_which_others_are_drawn():
    mdp = two_roads().floats()
    for solver, given in ((reinforce_to_go, {"step_size": 0.5, "horizon": 3}), (sampled_dynpg, {})):
        many, one = (
            list(islice(solver(mdp, draws=Draws(7, n), noise=floats(two_roads_noise()), **given), 60))[-1]
            for n in (np.arange(20), np.arange(13, 14))
        )
        assert (many.θ[13:14] == one.θ).all()
        assert (many.interactions[13:14] == one.interactions).all()
