"""Rollouts by inversion and by alias tables: laws, independence of company, and refusals before work starts."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mdplab.errors import MdplabError
from mdplab.models import DiscountedMDP
from mdplab.sampling import Draws, Outcomes, every_trajectory, many_rollouts, pair_sums, pair_values, rollouts, walk
from mdplab.sampling.pair_sums import score_sums, sums_to_go

BOTH = pytest.mark.parametrize("roll", [rollouts, many_rollouts], ids=["inversion", "alias"])


def models(n: int, S: int = 3, A: int = 2) -> tuple[DiscountedMDP, np.ndarray]:
    rng = np.random.default_rng(0)
    P, start = rng.dirichlet(np.full(S, 0.5), (n, S, A)), rng.dirichlet(np.ones(S), n)
    P[0, 0, 0] = np.arange(S) == S - 1  # a move that is certain
    P = P / P.sum(axis=-1, keepdims=True)
    return DiscountedMDP(P, rng.random((n, S, A)), 0.9, start), rng.dirichlet(np.ones(A), (n, S))


@BOTH
def test_every_trajectory_is_as_frequent_as_it_is_likely(roll) -> None:
    """Counts of N draws are within six standard deviations of N p, and 0 where p = 0."""
    (mdp, π), N = models(1), 100_000
    mdp, π = mdp[0], π[0]
    drawn = roll(mdp, π, 2, Draws(5, np.arange(N)))
    paths, probability = every_trajectory(mdp, π, 2)
    found = np.concatenate([drawn.states, drawn.actions], axis=-1)
    total = 0
    for s, a, p in zip(paths.states, paths.actions, probability, strict=True):
        count = (found == np.concatenate([s, a])).all(axis=-1).sum()
        assert abs(count - N * p) <= 6 * np.sqrt(N * p * (1 - p)) + 1
        total += count
    assert total == N
    assert (drawn.rewards == mdp.r[drawn.states[:, :-1], drawn.actions]).all()


@BOTH
@pytest.mark.parametrize("compiled", [False, True])
def test_a_trajectory_is_the_same_alone_in_a_batch_and_for_a_longer_time(roll, compiled, monkeypatch) -> None:
    if compiled:
        pytest.importorskip("numba")
        monkeypatch.setattr("mdplab.kernels.WORTH_COMPILING", 0.0)
    mdp, π = models(4)
    draws = Draws(1, replicate=np.arange(9), instance=np.arange(4)[:, None])
    together = roll(mdp, π, 10, draws)
    assert together.states.shape == (4, 9, 11)
    for i, k in product((0, 3), (0, 8)):
        alone = roll(mdp[i], π[i], 6, Draws(1, k, i))
        assert (alone.states == together.states[i, k, :7]).all()
        assert (alone.actions == together.actions[i, k, :6]).all()
        assert (alone.rewards == together.rewards[i, k, :6]).all()


def test_both_bodies_draw_the_same_and_the_two_methods_do_not(monkeypatch) -> None:
    pytest.importorskip("numba")
    (mdp, π), draws = models(3), Draws(2, np.arange(50), np.arange(3)[:, None])
    plain = [roll(mdp, π, 7, draws) for roll in (rollouts, many_rollouts)]
    monkeypatch.setattr("mdplab.kernels.WORTH_COMPILING", 0.0)
    for roll, expected in zip((rollouts, many_rollouts), plain, strict=True):
        found = roll(mdp, π, 7, draws)
        for name in ("states", "actions", "rewards"):
            assert getattr(found, name).tobytes() == getattr(expected, name).tobytes()
            assert getattr(found, name).dtype == getattr(expected, name).dtype
    assert not np.array_equal(plain[0].states, plain[1].states)


@BOTH
def test_policies_of_their_own_serve_models_in_common(roll) -> None:
    """One model and a policy a draw; policies of a batch and draws of each."""
    mdp, _ = models(1)
    π = np.random.default_rng(1).dirichlet(np.ones(2), (4, 3))
    shared = roll(mdp[0], π, 5, Draws(0, np.arange(4)))
    several = roll(mdp[0], π, 5, Draws(0, np.arange(4)[:, None]).samples(1))
    assert (several.states[:, 0, 0] == shared.states).all()
    assert (roll(mdp[0], π[2], 5, Draws(0, 2)).states == shared.states[2]).all()


@BOTH
def test_models_in_exact_arithmetic_walk_as_their_floats(roll) -> None:
    mdp, π = models(1)
    draws = Draws(0, np.arange(20))
    exact, floating = roll(mdp[0].exact(), π[0], 4, draws), roll(mdp[0], π[0], 4, draws)
    assert (exact.states == floating.states).all()
    assert exact.rewards.dtype == object


@BOTH
def test_outcomes_stand_for_draws(roll) -> None:
    mdp, π = models(1)
    outcomes = Outcomes()
    drawn = roll(mdp[0], π[0], 1, outcomes)
    assert len(drawn.states) == len(outcomes.probability)


@BOTH
@pytest.mark.parametrize("horizon", [0, -3])
def test_a_walk_without_steps_is_refused(roll, horizon: int) -> None:
    mdp, π = models(1)
    with pytest.raises(MdplabError, match=f"horizon is {horizon}; a trajectory has at least 1 step"):
        roll(mdp[0], π[0], horizon, Draws())
    with pytest.raises(MdplabError, match=f"horizon is {horizon}"):
        walk(mdp.start[0], mdp.P[0], π[0], horizon, Draws())


@BOTH
def test_batches_that_do_not_fit_are_refused(roll) -> None:
    mdp, π = models(3)
    with pytest.raises(MdplabError, match=r"batch shape \(3,\) does not fit draws of shape \(4, 2\)"):
        roll(mdp, π, 5, Draws(0, np.arange(2), np.arange(4)[:, None]))
    with pytest.raises(MdplabError, match=r"batch shape \(3,\) does not fit draws of shape \(\)"):
        roll(mdp[0], π, 5, Draws())


@BOTH
def test_more_than_fits_into_memory_is_refused_before_work_starts(roll, monkeypatch) -> None:
    mdp, π = models(1)
    with pytest.raises(MdplabError, match=r"bytes are needed for 100 trajectories of \d+ steps.* are available"):
        roll(mdp[0], π[0], 10**13, Draws(0, np.arange(100)))
    monkeypatch.setattr("mdplab.kernels.memory", lambda: 2**25)
    with pytest.raises(
        MdplabError, match=r"316,801,056 bytes are .* and 33,554,432 are available; draw fewer replicates"
    ):
        walk(mdp.start[0], mdp.P[0], π[0], 100_000, Draws(0, np.arange(100)))


def test_pair_sums_broadcast_and_follow_the_arithmetic() -> None:
    states, actions = np.array([[0, 1, 1], [1, 0, 0]]), np.array([[0, 1], [1, 1]])
    ψ = np.array([1.0, 10.0])
    assert pair_sums(states, actions, ψ, 2, 2).tolist() == [[[1, 0], [0, 10]], [[0, 10], [0, 1]]]
    assert pair_values(np.array([[1, 2], [3, 4]]), states, actions).tolist() == [[1, 4], [4, 2]]
    assert sums_to_go(np.array([1.0, 0.5]), np.array([[2.0, 4.0], [0.0, 2.0]])).tolist() == [[4, 2], [1, 1]]
    half = np.full((2, 2), 0.5)
    assert score_sums(states, actions, ψ, half).tolist() == [[[0.5, -0.5], [-5, 5]], [[-5, 5], [-0.5, 0.5]]]
