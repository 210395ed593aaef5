"""Values, action values and advantages against paths, a second arithmetic, and numbers worked out elsewhere."""

from fractions import Fraction
from itertools import product

import array_api_strict
import numpy as np
import pytest

from mdplab import arrays
from mdplab.arrays import floats, rational, softmax
from mdplab.exact import action_values, advantages, values
from mdplab.models import DiscountedMDP, bandit


def by_paths(mdp, π, s, steps):
    """E Σ_{t < steps} γ^t r_t from state s, one term for each path of states and actions."""
    total = 0
    for path in product(range(mdp.S), range(mdp.A), repeat=steps):
        states, actions = [s, *path[2::2]], path[1::2]
        if path[0]:  # the first state is s, not free
            continue
        weight = 1
        for t in range(steps):
            weight = weight * π[states[t], actions[t]]
            total += weight * mdp.discount**t * mdp.r[states[t], actions[t]] if t == steps - 1 else 0
            if t + 1 < steps:
                weight = weight * mdp.P[states[t], actions[t], states[t + 1]]
    return total


def test_values_are_sums_over_paths(draw):
    """E γ^t r_t summed over t < 5 leaves at most γ^5 max r / (1 − γ) out, exactly, in rationals."""
    mdp = draw(0, S=2, A=2, discount=1 / 8).exact()
    π = rational([["1/3", "2/3"], ["1/4", "3/4"]])
    v = values(mdp, π)
    for s in range(2):
        partial = sum(by_paths(mdp, π, s, steps) for steps in range(1, 6))
        assert 0 <= v[s] - partial <= mdp.discount**5 * mdp.r.max() / (1 - mdp.discount)


def test_values_of_the_worked_instance():
    """S = A = 2, γ = 9/10, logits (1/5, −2/5; 1, 0): V = (5.45179, 5.13102), printed to five decimals."""
    P = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.0, 1.0]]])
    mdp = DiscountedMDP(P, np.array([[1, 0], [0.3, 0.7]]), 0.9, np.array([0.6, 0.4]))
    v = values(mdp, softmax(np.array([[0.2, -0.4], [1.0, 0.0]])))
    assert abs(v - [5.45179, 5.13102]).max() <= 0.5e-5


def test_values_of_a_two_state_swap():
    """Two states swap, r = (1, 0), γ = 1/2: v = (4/3, 2/3)."""
    mdp = DiscountedMDP(rational([[[0, 1]], [[1, 0]]]), rational([[1], [0]]), rational("1/2")[()])
    assert (values(mdp, rational([[1], [1]])) == rational(["4/3", "2/3"])).all()


def test_fractions_and_flint_agree(draw, monkeypatch):
    mdp = draw(1).exact()
    π = rational(np.array([[1, 2, 5], [4, 4, 0], [8, 0, 0], [3, 3, 2]])) / 8
    v, q = values(mdp, π), action_values(mdp, π)
    monkeypatch.setattr(arrays, "_flint", lambda: None)
    plain = draw(1).exact()
    assert type(plain.P.flat[0]) is Fraction
    w, u = values(plain, rational(floats(π))), action_values(plain, rational(floats(π)))
    assert type(w[0]) is Fraction
    assert [Fraction(int(x.p), int(x.q)) for x in v] == list(w)
    assert [Fraction(int(x.p), int(x.q)) for x in q.flat] == list(u.flat)


def test_float_values_lie_within_the_rounding_of_the_solve(draw, logits):
    """LU of a row diagonally dominant matrix of condition (1 + γ)/(1 − γ): 6 S u times that (Higham, Theorem 9.3)."""
    mdp = draw(2, (20,), S=6)
    π = rational(softmax(logits(0, mdp)))
    π = π / π.sum(axis=-1)[..., None]
    exact = values(mdp.exact(), π)
    slack = 4 * 6 * mdp.S * 2**-53 * (1 + 0.875) / (1 - 0.875) * 8  # values are at most 1/(1 − γ) = 8
    assert floats(abs(rational(values(mdp, floats(π))) - exact)).max() <= slack


@pytest.mark.parametrize("batch", [(3,), (2, 3)])
def test_a_batch_is_its_models_one_by_one(draw, batch):
    discount = np.random.default_rng(3).integers(0, 8, size=batch) / 8
    mdp = draw(4, batch, discount=discount).exact()
    π = rational(np.random.default_rng(5).multinomial(8, np.ones(3) / 3, size=(*batch, 4))) / 8
    v, A = values(mdp, π), advantages(mdp, π)
    for i in np.ndindex(batch):
        assert (v[i] == values(mdp[i], π[i])).all()
        assert (A[i] == advantages(mdp[i], π[i])).all()


def test_one_model_takes_many_policies(draw):
    mdp = draw(6).exact()
    π = rational(np.random.default_rng(5).multinomial(8, np.ones(3) / 3, size=(2, 5, 4))) / 8
    assert (action_values(mdp, π)[1, 2] == action_values(mdp, π[1, 2])).all()


def test_advantages_are_action_values_less_values(draw):
    mdp = draw(7).exact()
    π = rational([[1, 2, 5], [4, 4, 0], [8, 0, 0], [3, 3, 2]]) / 8
    assert (advantages(mdp, π) == action_values(mdp, π) - values(mdp, π)[:, None]).all()


@pytest.mark.parametrize("ε", [1e-3, 1e-100, 1e-300])
def test_advantages_of_an_almost_deterministic_policy_are_accurate_relative_to_themselves(draw, ε):
    """A(s, a) of the likely action is about ε: from q − v nothing but rounding would be left."""
    mdp = draw(8)
    π = np.array([[1 - 2 * ε, ε, ε]] * 4)
    exact_π = rational(π)
    exact_π[:, 0] = 1 - exact_π[:, 1] - exact_π[:, 2]
    exact = advantages(mdp.exact(), exact_π)
    # Differences of action values of size 1/50 and more, each off by some 1e-15.
    assert floats(abs(rational(advantages(mdp, π)) / exact - 1)).max() <= 1e-12


def test_a_bandit_is_worth_its_mean():
    one = bandit(np.array([[1.0, 0.0], [0.25, 0.75]]))
    assert values(one, np.full((2, 1, 2), 0.5)).tolist() == [[0.5], [0.5]]


def test_any_array_namespace_will_do(draw, logits):
    mdp = draw(9, (3,))
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    π = softmax(logits(1, mdp))
    v = values(strict, array_api_strict.asarray(π))
    assert type(v) is type(strict.P)
    assert abs(np.asarray(v) - values(mdp, π)).max() == 0
    A = advantages(strict, array_api_strict.asarray(π))
    assert abs(np.asarray(A) - advantages(mdp, π)).max() <= 1e-14  # sums in another order
