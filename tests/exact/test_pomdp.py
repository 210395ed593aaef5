"""POMDPs: four roads to the same values, the tiger by hand, bounds that hold, controllers that are evaluated."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from mdplab.arrays import rational, softmax
from mdplab.errors import ModelError
from mdplab.exact import (
    alpha_vectors,
    belief_bounds,
    best_controller,
    controller_values,
    finite_optimum,
    finite_value,
    history_weights,
    optimum,
    stateful_gradient,
    stateful_values,
    stateful_visits,
)
from mdplab.exact.stateful import trajectories
from mdplab.instances import memory_needed, tiger
from mdplab.instances.pomdp import drawn, emitting_pomdps
from mdplab.models import POMDP

quick = settings(max_examples=25, database=None, deadline=None)


def test_the_tiger_by_hand():
    """One step: listening (−1) beats a door (−45).  Two: listen twice.  Three: listen twice and, if both sounds agree
    (probability 149/200), open; then the treasure is there with probability 289/298, else listen again."""
    model = tiger()
    door = 10 * rational("289/298") - 100 * rational("9/298")
    third = rational("149/200") * door - rational("51/200")
    assert finite_optimum(model, 1)[0] == -1
    assert finite_optimum(model, 2)[0] == rational("-39/20")
    assert finite_optimum(model, 3)[0] == rational("-39/20") + rational("19/20") ** 2 * third


def test_the_tiger_over_an_infinite_horizon_has_the_value_of_the_literature():
    """19.37 is what solvers of the tiger with discount 0.95 report from the even belief."""
    found = belief_bounds(tiger())
    assert 19.365 < found.low <= found.high < 19.375
    assert found.high - found.low < 1e-5
    assert found.actions[0] == 0


@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_vectors_over_beliefs_know_what_histories_know(horizon):
    model = tiger()
    vectors, actions = alpha_vectors(model, horizon)
    for p in ("0", "1/10", "1/2", "49/50"):
        b = rational([p, 1]) - rational([0, p])
        value, first = finite_optimum(model.starting(b), horizon)
        k = int(np.argmax(vectors @ b))
        assert (vectors @ b)[k] == value
        assert actions[k] == first[0][0] or sum((vectors @ b) == value) > 1


@quick
@given(drawn())
def test_values_over_histories_are_those_of_the_best_deterministic_policy(model):
    """Two stages: all deterministic policies are enumerated."""
    weights = history_weights(model, 2)
    sizes = [w.shape[-2] for w in weights]
    if model.A ** sum(sizes) > 300:
        return
    values = []
    for choice in product(range(model.A), repeat=sum(sizes)):
        table = rational(np.eye(model.A, dtype=int)[list(choice)])
        values.append(finite_value(model, [table[: sizes[0]], table[sizes[0] :]]))
    assert finite_optimum(model, 2)[0] == max(values)


def test_who_sees_the_state_gets_the_value_of_the_hidden_model():
    model = emitting_pomdps(np.random.default_rng(0), 1, S=3, A=2, O=3, discount=0.9)[0]
    seen = POMDP.emitting(model.P, np.eye(3), model.r, 0.9, model.start)
    exact = float(model.start @ optimum(model.hidden).v)
    found = belief_bounds(seen)
    assert found.low <= exact <= found.high
    assert found.high - found.low < 1e-6
    assert belief_bounds(model).low < exact


def test_bounds_enclose_long_horizons():
    """The rest after h steps is at most γ^h max |r| / (1 − γ)."""
    for i in range(5):
        model = emitting_pomdps(np.random.default_rng(i), 1, S=2, A=2, O=2, discount=0.5)[0]
        found, value = belief_bounds(model, 300), float(finite_optimum(model, 8)[0])
        rest = 0.5**8 / 0.5
        assert found.low - rest <= value <= found.high + rest
        assert found.high - found.low < 1e-3  # how far 300 beliefs get, not an error


def test_bounds_of_any_effort_agree_with_each_other_and_with_controllers():
    """What a controller is worth is attained, so below the upper bound; few beliefs give wide bounds, not wrong."""
    for i in range(4):
        model = emitting_pomdps(np.random.default_rng(i), 1, S=3, A=2, O=2, discount=0.9)[0]
        blind_start = POMDP(model.P, model.Z, model.r, model.discount, model.start)
        effort = [belief_bounds(blind_start, n) for n in (1, 10, 400)]
        lows, highs = [b.low for b in effort], [b.high for b in effort]
        assert max(lows) <= min(highs)
        assert best_controller(blind_start, 2)[0] <= min(highs)
        assert highs[2] - lows[2] <= highs[0] - lows[0]


def test_a_controller_that_listens_for_ever_pays_for_ever():
    model = tiger()
    v = controller_values(model, rational([[1, 0, 0]]), rational(np.ones((1, 3, 2, 1), dtype=int)))
    assert (v == -20).all()
    assert best_controller(model, 1)[0] == -20


def test_a_controller_is_worth_what_its_histories_are():
    """γ = 1/2: after 16 steps a tail of at most 100 · 2^(−15) is left."""
    model = tiger("1/2").floats()
    ψ = np.array([[1.0, 0, 0], [0, 1, 0]])
    η = np.zeros((2, 3, 2, 2))
    η[0, :, 0, 0] = η[0, :, 1, 1] = η[1, :, :, 0] = 1
    belief, value = np.array([[0.5, 0], [0.5, 0]]), 0.0
    for k in range(16):
        value += 0.5**k * np.einsum("sz,za,sa->", belief, ψ, model.r)
        belief = np.einsum("sz,za,sat,ato,zaoy->ty", belief, ψ, model.P, model.Z, η)
    assert abs(model.start @ controller_values(model, ψ, η)[:, 0] - value) < 100 * 2.0**-15


def test_memory_pays_where_it_is_needed():
    model = memory_needed()
    assert finite_optimum(model, 2)[0] == rational("9/10")
    π = np.zeros((3, 2, 2, 2), dtype=int)
    π[0, :, 0, 0] = π[1, :, 0, 1] = 1  # remember what was shown
    π[2, 0, 0, 0] = π[2, 1, 1, 1] = 1  # and act on it
    assert model.start @ stateful_values(model, rational(π))[:, 0] == rational("9/10")


def test_one_memory_state_is_no_memory():
    model = emitting_pomdps(np.random.default_rng(2), 4, discount=0.9)
    π = np.random.default_rng(3).dirichlet(np.ones(2), (4, 2))
    from mdplab.exact import values

    expected = values(model.hidden, model.emission @ π)
    got = stateful_values(model, π[..., None, :, None])[..., 0]
    assert np.allclose(got, expected, rtol=1e-12, atol=1e-12)
    visits = stateful_visits(model, π[..., None, :, None])
    assert np.allclose(visits.sum(axis=(-1, -2)), 10)


def test_the_gradient_is_the_limit_of_differences():
    """Central differences of step 1e-5 are off by about 1e-10 third derivatives, and by rounding / 1e-5."""
    rng = np.random.default_rng(4)
    model = emitting_pomdps(rng, 1, discount=0.5)[0]
    θ, δ = rng.normal(size=(2, 2, 2, 2)), rng.normal(size=(2, 2, 2, 2))

    def J(θ):
        π = softmax(θ.reshape(2, 2, 4)).reshape(θ.shape)
        return model.start @ stateful_values(model, π)[:, 0]

    π = softmax(θ.reshape(2, 2, 4)).reshape(θ.shape)
    slope = (J(θ + 1e-5 * δ) - J(θ - 1e-5 * δ)) / 2e-5
    assert (stateful_gradient(model, π) * δ).sum() == pytest.approx(slope, abs=1e-8)


def test_trajectories_are_all_there_is():
    model = memory_needed()
    π = rational(np.ones((3, 2, 2, 2), dtype=int)) / 4
    paths = trajectories(model, π, 2)
    assert paths["probability"].sum() == 1
    assert (paths["probability"] * paths["reward"]).sum() == rational("9/20")
    assert len(np.unique(np.bincount(np.unique(paths["seen"], return_inverse=True)[1]))) == 1


def test_what_has_no_value_is_refused():
    with pytest.raises(ModelError, match="discount < 1 only"):
        belief_bounds(tiger(1))
    with pytest.raises(ModelError, match="discount < 1 only"):
        controller_values(tiger(1), rational([[1, 0, 0]]), rational(np.ones((1, 3, 2, 1), dtype=int)))
    with pytest.raises(ModelError, match="first is missing"):
        stateful_values(tiger(), rational(np.ones((2, 1, 3, 1), dtype=int)) / 3)
    with pytest.raises(ModelError, match="one model"):
        belief_bounds(emitting_pomdps(np.random.default_rng(0), 2))
    with pytest.raises(ModelError, match="controllers"):
        best_controller(tiger(), 4)
