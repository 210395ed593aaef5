"""Confounded POMDPs: sums over histories against enumeration of all trajectories, bridges, ranks, and refusals."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from mdplab.arrays import floats, rational
from mdplab.errors import ModelError
from mdplab.exact import (
    best_history_policy,
    history_gap,
    history_gradient,
    history_value,
    identification,
    identified_gradient,
    identified_value,
    memoryless,
    naive_gradient,
    naive_value,
    observed_law,
    one_step_back_value,
    true_rewards,
)
from mdplab.exact.confounded import consistent_solution, rank, uniform_policy
from mdplab.instances import blind_twins, sign_reversal, two_witnesses, unconfounded
from mdplab.instances.confounded import confounded, drawn
from mdplab.models import ConfoundedPOMDP

quick = settings(max_examples=25, database=None, deadline=None)
HALF = rational("1/2")[()]


def paths(model):
    """All (q, s_1, o_1, a_1, s_2, ...) and their probability without that of the actions."""
    S, O, A, Q, T = model.S, model.O, model.A, model.Q, model.horizon  # noqa: E741
    for q, *rest in product(range(Q), *([range(S), range(O), range(A)] * T)):
        s, o, a = rest[0::3], rest[1::3], rest[2::3]
        p = model.start[s[0]] * model.proxy[s[0], q]
        for t in range(T):
            p = p * model.E[s[t], o[t]] * (model.P[s[t], a[t], s[t + 1]] if t + 1 < T else 1)
        yield q, s, o, a, p


def histories(model, o, a):
    """The row of the policy at each stage, by the numbering of the model's docstring."""
    h, rows = 0, []
    for t in range(model.horizon):
        rows.append(model.stage(t).start + h)
        h = (h * model.O + o[t]) * model.A + a[t]
    return rows


def enumerated_value(model, π):
    value = 0
    for _, s, o, a, p in paths(model):
        acts = [π[h, o[t], a[t]] for t, h in enumerate(histories(model, o, a))]
        value = value + p * np.prod(acts) * sum(model.r[s[t], a[t]] for t in range(model.horizon))
    return value


def a_policy(model, seed=0):
    rng = np.random.default_rng(seed)
    cuts = rational(rng.integers(1, 5, (model.H, model.O, model.A)))
    return cuts / cuts.sum(axis=-1)[..., None]


@pytest.mark.parametrize("model", [sign_reversal(1), sign_reversal(2), two_witnesses(2)])
def test_the_value_is_the_sum_over_all_trajectories(model):
    π = a_policy(model)
    assert history_value(model, π) == enumerated_value(model, π)


@pytest.mark.parametrize("model", [sign_reversal(2), two_witnesses(2)])
def test_the_law_of_the_data_is_that_of_all_trajectories(model):
    laws = observed_law(model)
    seen = [0 * law.seen for law in laws]
    reward, onwards = [0 * law.reward for law in laws], 0 * laws[0].next_seen
    for q, s, o, a, p in paths(model):
        p = p * np.prod([model.behaviour[s[t], a[t]] for t in range(model.horizon)])
        n = 0
        for t in range(model.horizon):
            seen[t][n, a[t], q, o[t]] += p
            reward[t][n, a[t], q, o[t]] += p * model.r[s[t], a[t]]
            if t == 0:
                onwards[0, a[0], q, o[0], o[1]] += p
            n = (n * model.O + o[t]) * model.A + a[t]
    for t, law in enumerate(laws):
        assert (law.seen == seen[t]).all()
        assert (law.reward == reward[t]).all()
    assert (laws[0].next_seen == onwards).all()


def test_the_naive_value_is_the_mean_of_reweighted_trajectories():
    model = sign_reversal(2)
    π = a_policy(model)
    chance = {}
    for _, s, o, a, p in paths(model):
        p = p * np.prod([model.behaviour[s[t], a[t]] for t in range(2)])
        for key in ((o[0],), (o[0], a[0]), (o[0], a[0], o[1]), (o[0], a[0], o[1], a[1])):
            chance[key] = chance.get(key, 0) + p
    value = 0
    for _, s, o, a, p in paths(model):
        p, rows = p * np.prod([model.behaviour[s[t], a[t]] for t in range(2)]), histories(model, o, a)
        first = π[rows[0], o[0], a[0]] * chance[o[0],] / chance[o[0], a[0]]
        second = π[rows[1], o[1], a[1]] * chance[o[0], a[0], o[1]] / chance[o[0], a[0], o[1], a[1]]
        value = value + p * first * (model.r[s[0], a[0]] + second * model.r[s[1], a[1]])
    assert naive_value(model, π) == value


def test_the_gradient_is_the_limit_of_differences():
    """The value is a polynomial of degree T = 2 in π, so central differences of step ε along one entry are exact."""
    model = sign_reversal(2)
    π, ε = a_policy(model), rational("1/10")[()]
    direct = np.empty(π.shape, dtype=object)
    for index in np.ndindex(π.shape):
        up, down = π.copy(), π.copy()
        up[index] += ε
        down[index] -= ε
        direct[index] = (history_value(model, up) - history_value(model, down)) / (2 * ε)
    centred = direct - (π * direct).sum(axis=-1)[..., None]
    assert (history_gradient(model, π) == π * centred).all()
    assert (identified_gradient(model, π) == π * centred).all()


@quick
@given(drawn())
def test_bridges_give_value_and_gradient(model):
    if not identification(model).holds:
        return
    π = a_policy(model)
    assert identified_value(model, π) == history_value(model, π)
    assert (identified_gradient(model, π) == history_gradient(model, π)).all()


@quick
@given(drawn("blind"))
def test_the_best_policy_beats_all_deterministic_ones(model):
    if model.H * model.O > 6:
        return
    value, best = best_history_policy(model)
    every = product(range(model.A), repeat=model.H * model.O)
    table = [rational(np.eye(model.A, dtype=int)[list(c)]).reshape(model.H, model.O, model.A) for c in every]
    assert value == max(enumerated_value(model, π) for π in table) == history_value(model, best)
    π = a_policy(model)
    assert history_gap(model, true_rewards(model), π) == value - history_value(model, π)


def test_the_two_roads_to_the_value_agree_on_larger_models():
    """Errors are a few roundings times condition numbers, which `identification` reports as below 1e4 here."""
    model = confounded(np.random.default_rng(3), 20, S=3, O=3, Q=3, T=2)
    assert identification(model).condition.max() < 1e4
    π = np.random.default_rng(1).dirichlet(np.ones(2), (20, model.H, 3))
    exact = history_value(model, π)
    assert np.allclose(identified_value(model, π), exact, rtol=0, atol=1e4**2 * 1e-15)
    assert np.allclose(one_step_back_value(model, π), exact, rtol=0, atol=1e4**2 * 1e-15)


def test_sign_reversal_by_hand():
    """T = 1, no preference: ∂V/∂θ(o, 1) = Pr(o) (E[r(s, 1) − r(s, 0) | o]) / 4 = (1/2)(1/5)/4; naive as on the card."""
    model = sign_reversal(1)
    π = uniform_policy(model)
    assert history_gradient(model, π)[0, :, 1].tolist() == rational(["1/40", "1/40"]).tolist()
    # Pr(s = 0 | o = 0, a): 63/66 for a = 0 and 7/34 for a = 1.
    q0 = rational("4/5") * rational("63/66")
    q1 = rational("7/34") + rational("1/5") * rational("27/34")
    assert naive_gradient(model, π)[0, 0, 1] == HALF * HALF * HALF * (q1 - q0)
    assert naive_value(unconfounded(2), uniform_policy(unconfounded(2))) == history_value(
        unconfounded(2), uniform_policy(unconfounded(2))
    )


@pytest.mark.parametrize(
    ("horizon", "identified", "naive", "value"),
    [(1, [0.025, 0.025], [-0.049866, -0.049866], 0.5), (2, [0.0645, 0.0655], [-0.108674, -0.109459], 1.04112)],
)
def test_sign_reversal_has_the_numbers_of_another_program(horizon, identified, naive, value):
    """Six digits were written down by an independent enumeration, so half a unit of the sixth is allowed."""
    model = sign_reversal(horizon)
    π = uniform_policy(model)
    for gradient, expected in ((identified_gradient, identified), (naive_gradient, naive)):
        assert floats(gradient(model, π).sum(axis=0)[:, 1]) == pytest.approx(expected, abs=5e-7)
    assert float(floats(naive_value(model, π))) == pytest.approx(value, abs=5e-6)


def test_what_is_not_identified_is_refused_with_the_reason():
    model, other = blind_twins()
    π = uniform_policy(model)
    assert [history_value(x, π) for x in (model, other)] == rational(["1/4", "1/2"]).tolist()
    with pytest.raises(ModelError, match=r"do not determine the value: E has rank 1; a bridge needs rank 2"):
        identified_value(model, π)
    with pytest.raises(ModelError, match="1 observations"):
        one_step_back_value(model, π)
    clear = sign_reversal(1)
    lazy = ConfoundedPOMDP(clear.P, clear.E, clear.proxy, clear.r, rational([[1, 0], ["1/2", "1/2"]]), 1)
    assert "never takes some action" in identification(lazy).reason
    mute = ConfoundedPOMDP(clear.P, clear.E, rational([[1], [1]]), clear.r, clear.behaviour, 1)
    assert "tells 1 of 2 hidden states apart" in identification(mute).reason
    assert identification(clear).reason == ""


def test_histories_that_cannot_happen_ask_for_nothing():
    """A third observation that no state makes."""
    clear = sign_reversal(2)
    E = np.concatenate([clear.E, rational([[0], [0]])], axis=1)
    model = ConfoundedPOMDP(clear.P, E, clear.proxy, clear.r, clear.behaviour, 2)
    assert identification(model).holds
    π = a_policy(model)
    assert identified_value(model, π) == history_value(model, π)


def test_an_elimination_solves_what_has_solutions():
    M = rational([[1, 2, 0], [2, 4, 0], [0, 0, 3]])
    b = consistent_solution(M, rational([[3], [6], [6]]))
    assert (M @ b == rational([[3], [6], [6]])).all()
    assert rank(M) == 2
    assert rank(floats(M)) == 2


def test_memoryless_policies_repeat_over_histories():
    model = sign_reversal(2)
    table = rational([["1/3", "2/3"], ["1/4", "3/4"]])
    assert memoryless(model, table).shape == (5, 2, 2)
    assert (memoryless(model, table)[3] == table).all()


def test_three_stages_are_identified_exactly_where_float64_already_feels_the_condition():
    model = sign_reversal(3)
    π = a_policy(model)
    assert identified_value(model, π) == history_value(model, π)
    assert (identified_gradient(model, π) == history_gradient(model, π)).all()
    assert identification(model).condition > 1000
