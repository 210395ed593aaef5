"""Environments' tables become models with the right terminal states, starts and values."""

import gymnasium
import numpy as np
import pytest

from mdplab.errors import InstanceError, ModelError
from mdplab.exact import optimum, values
from mdplab.instances import find_model, from_gymnasium


class Table:
    """The part of an environment that is read."""

    spec = None

    def __init__(self, P, start=None, first=0):
        self.P, self.unwrapped, self.first = P, self, first
        if start is not None:
            self.initial_state_distrib = np.array(start)

    def reset(self, *, seed):
        return self.first, {}


def optimum_of_table(P, γ, sweeps):
    """V* by value iteration over the table itself, where a terminated transition counts nothing afterwards."""
    v = [-1e4] * len(P)  # below every value, so that deterministic models settle after finitely many sweeps
    for _ in range(sweeps):
        v = [
            max(sum(p * (r + (0 if end else γ * v[t])) for p, t, r, end in outcomes) for outcomes in P[s].values())
            for s in range(len(P))
        ]
    return np.array(v)


def test_frozen_lake_8x8_has_the_known_value_at_its_start():
    mdp = find_model("gym:FrozenLake8x8-v1", "0.99")
    assert mdp.S == 64  # holes and goal are absorbing in the table; no state is added
    found = optimum(mdp)
    assert round(float(mdp.start @ found.v), 5) == 0.41464
    assert found.low[0] > 0.414635
    assert found.high[0] < 0.414645


def test_frozen_lake_has_the_values_of_its_table():
    """γ^k with k = 2000 sweeps leaves an error below 1e4 · 0.97^2000 = 4e-23."""
    env = gymnasium.make("FrozenLake-v1").unwrapped
    expected = optimum_of_table(env.P, 0.97, 2000)
    np.testing.assert_allclose(optimum(from_gymnasium(env, 0.97)).v, expected, rtol=0, atol=1e-12)


def test_cliff_walking_walks_thirteen_steps_and_stops():
    """One up, eleven to the right, one down at −1 each: −(1 − γ^13) / (1 − γ)."""
    mdp = find_model("gym:CliffWalking-v1", "0.99")
    assert mdp.S == 49  # the goal is not absorbing in the table, so that a terminal state is added
    at_start = mdp.start @ optimum(mdp).v
    np.testing.assert_allclose(at_start, -(1 - 0.99**13) / 0.01, rtol=1e-12)


def test_taxi_has_the_values_of_its_table_where_a_delivery_ends_the_episode():
    env = gymnasium.make("Taxi-v4" if "Taxi-v4" in gymnasium.registry else "Taxi-v3").unwrapped
    expected = optimum_of_table(env.P, 0.99, 60)  # every episode can be over within 60 steps
    mdp = from_gymnasium(env, 0.99)
    assert mdp.S == 501
    assert (mdp.P[500, :, 500] == 1).all()
    assert (mdp.r[500] == 0).all()
    found = optimum(mdp).v
    np.testing.assert_allclose(found[:500], expected, rtol=0, atol=1e-10)
    assert abs(found[500]) < 1e-10
    # Were a delivery not the end, one could go on to deliver again and again, and values would be higher.
    on = {s: {a: [(*x[:3], False) for x in outcomes] for a, outcomes in row.items()} for s, row in env.P.items()}
    assert (optimum(from_gymnasium(Table(on), 0.99)).v - expected).max() > 1


def test_an_optimal_taxi_ride_earns_its_value():
    """The greedy policy driven in the environment itself, from every hundredth start state that it may draw."""
    env = gymnasium.make("Taxi-v4" if "Taxi-v4" in gymnasium.registry else "Taxi-v3").unwrapped
    mdp = from_gymnasium(env, 0.99)
    found = optimum(mdp)
    for s in np.flatnonzero(mdp.start)[::30]:
        env.reset(seed=0)
        env.s = int(s)
        earned, ended, t = 0.0, False, 0
        while not ended:
            _, reward, ended, _, _ = env.step(int(found.action[env.s]))
            earned, t = earned + 0.99**t * reward, t + 1
            assert t < 60
        np.testing.assert_allclose(found.v[s], earned, rtol=0, atol=1e-10)


def test_a_state_that_only_stays_and_never_pays_serves_as_terminal_state():
    P = {0: {0: [(1.0, 1, 5.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
    mdp = from_gymnasium(Table(P), 0.5)
    assert mdp.S == 2
    assert optimum(mdp).v.tolist() == [5, 0]


def test_a_state_that_pays_or_moves_on_is_not_entered_when_the_episode_ends_there():
    for beyond in ([(1.0, 1, 1.0, False)], [(1.0, 0, 0.0, False)]):
        mdp = from_gymnasium(Table({0: {0: [(1.0, 1, 5.0, True)]}, 1: {0: beyond}}), 0.5)
        assert mdp.P[0, 0].tolist() == [0, 0, 1]
        assert optimum(mdp).v[0] == 5


def test_a_transition_may_end_with_some_probability_and_go_on_with_the_rest():
    """V(0) = 1/4 · 8 + 3/4 (0 + γ V(1)), V(1) = 1 + γ V(0): with γ = 1/2, V(0) = (2 + 3/8) / (1 − 3/16) = 38/13."""
    P = {0: {0: [(0.25, 1, 8.0, True), (0.75, 1, 0.0, False)]}, 1: {0: [(1.0, 0, 1.0, False)]}}
    mdp = from_gymnasium(Table(P), 0.5)
    assert mdp.P[0, 0].tolist() == [0, 0.75, 0.25]
    np.testing.assert_allclose(optimum(mdp).v, [38 / 13, 1 + 19 / 13, 0], rtol=1e-15, atol=1e-15)


def test_values_are_the_mean_over_all_trajectories():
    """A table of three levels, random but sure to end: every trajectory enumerated, weighted and summed."""
    rng = np.random.default_rng(0)
    P = {}
    for s in range(6):
        level = s // 2
        P[s] = {}
        for a in range(2):
            p = rng.dirichlet(np.ones(3))
            nexts = [(2 * level + 2, False), (2 * level + 3, False), (int(rng.integers(6)), True)]
            if level == 2:
                nexts = [(int(rng.integers(6)), True)] * 3
            P[s][a] = [(q, t, float(rng.normal()), end) for q, (t, end) in zip(p, nexts, strict=True)]
    π = rng.dirichlet(np.ones(2), 6)

    def mean(s, t=0):
        return sum(
            π[s, a] * p * (0.9**t * r + (0 if end else mean(u, t + 1))) for a in range(2) for p, u, r, end in P[s][a]
        )

    mdp = from_gymnasium(Table(P), 0.9)
    padded = np.vstack([π, [[0.5, 0.5]]])
    # A system of 7 equations with condition at most 2 / (1 − γ) = 20, values up to 10.
    np.testing.assert_allclose(values(mdp, padded)[:6], [mean(s) for s in range(6)], rtol=0, atol=1e-12)


def test_a_state_with_fewer_actions_repeats_its_last_one():
    P = {0: {0: [(1.0, 1, 1.0, False)], 1: [(1.0, 0, 0.0, False)]}, 1: {0: [(1.0, 0, 3.0, False)]}}
    mdp = from_gymnasium(Table(P), 0.5)
    assert (mdp.P[1, 1] == mdp.P[1, 0]).all()
    assert mdp.r[1].tolist() == [3, 3]
    assert optimum(mdp).action.tolist() == [0, 0]


def test_start_comes_from_the_environment_or_from_its_reset_or_from_the_caller():
    P = {0: {0: [(1.0, 1, 1.0, True)]}, 1: {0: [(1.0, 0, 0.0, False)]}}
    assert from_gymnasium(Table(P, start=[0.25, 0.75]), 0.5).start.tolist() == [0.25, 0.75, 0]
    assert from_gymnasium(Table(P, first=1), 0.5).start.tolist() == [0, 1, 0]
    assert from_gymnasium(Table(P), 0.5, start=np.array([0.5, 0.5])).start.tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize("name", ["FrozenLake8x8", "Taxi-v3", "CliffWalking-v0"])
def test_names_without_version_and_versions_replaced_by_an_equal_table_are_understood(name):
    assert find_model(f"gym:{name}", 0.9).batch == ()  # and without a warning, which would be an error here


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("FrozenLke-v1", "gym:FrozenLke-v1 cannot be made: .*FrozenLake"),
        ("CartPole-v1", "gym:CartPole-v1 has no transition table; expected env.unwrapped.P"),
        ("Blackjack-v1", "gym:Blackjack-v1 has no transition table"),
    ],
)
def test_an_environment_without_a_table_is_refused(name, message):
    with pytest.raises(InstanceError, match=message):
        find_model(f"gym:{name}", "0.9")


def test_a_wrong_table_is_named():
    with pytest.raises(InstanceError, match=r"P\[0\]\[0\] leads to state 7; expected 0 <= state < 1"):
        from_gymnasium(Table({0: {0: [(1.0, 7, 0.0, False)]}}), 0.5)
    with pytest.raises(InstanceError, match=r"P\[0\]\[0\] is not a list of"):
        from_gymnasium(Table({0: {0: [(1.0, 0)]}}), 0.5)
    with pytest.raises(InstanceError, match=r"P\[0\] has other keys than the actions 0, \.\.\., 0"):
        from_gymnasium(Table({0: {1: [(1.0, 0, 0.0, False)]}}), 0.5)
    with pytest.raises(ModelError, match=r"P\[0, 0\] sums to 0.5"):
        from_gymnasium(Table({0: {0: [(0.5, 0, 0.0, False)]}}), 0.5)
