"""Named examples have the numbers that their papers print."""

from fractions import Fraction

import numpy as np
import pytest

from mdplab.arrays import exp, floats, norm, number, rational, softmax
from mdplab.exact import gap, occupancy, optimum, softmax_gradient
from mdplab.exact import values as policy_values
from mdplab.instances import named


@pytest.mark.parametrize("name", named.by_name)
def test_every_named_example_is_exact_and_has_an_optimum(name):
    mdp = named.by_name[name]()
    assert mdp.start.dtype == object
    if type(mdp).__name__ != "DiscountedMDP":
        return  # other classes have tests of their own
    v = optimum(mdp).v
    assert (mdp.bellman(v) == v).all()  # the optimality equation, in rationals


@pytest.mark.parametrize("name", named.beside)
def test_what_belongs_to_an_example_fits_it(name):
    mdp = named.by_name[name]()
    for parameter, make in named.beside[name].items():
        x = make()
        assert x.shape == ((mdp.S, mdp.A) if parameter in ("π", "θ") else (mdp.S,))
        if parameter == "π":
            assert (x.sum(axis=-1) == 1).all()


def test_logits_of_a_start_give_its_policy():
    θ, π = named.beside["bad-start-bandit"]["θ"](), named.bad_start()
    assert all(p.overlaps(type(p)(q)) for p, q in zip(softmax(θ).flat, π.flat, strict=True))
    assert all(p.rad() < 1e-12 for p in exp(θ).flat)


def test_two_by_two_has_the_numbers_of_the_notes():
    """V = (5.45179, 5.13102), d_μ = (0.52408, 0.47592), gradient rows ±1.44131 and ∓0.23922, to the digits printed."""
    mdp = named.two_by_two().floats()
    π = softmax(floats(named.two_by_two_logits()))
    np.testing.assert_allclose(policy_values(mdp, π), [5.45179, 5.13102], atol=5e-6)
    np.testing.assert_allclose(occupancy(mdp, π), [0.52408, 0.47592], atol=5e-6)
    expected = [[1.44131, -1.44131], [-0.23922, 0.23922]]
    np.testing.assert_allclose(softmax_gradient(mdp, π), expected, atol=5e-6)


@pytest.mark.parametrize("γ", ["19/20", "92/100", "99/100"])
def test_puterman_6_2_1_has_the_optimal_values_of_the_book(γ):
    """For γ > 10/11, v* = ((5 − 5.5γ) / ((1 − 0.5γ)(1 − γ)), −1 / (1 − γ)) and the first action is optimal."""
    found, λ = optimum(named.puterman_6_2_1(γ)), rational(γ)[()]
    half = rational("1/2")[()]
    assert found.v.tolist() == [(5 - 11 * half * λ) / ((1 - half * λ) * (1 - λ)), -1 / (1 - λ)]
    assert found.action.tolist() == [0, 0]  # in state 1 the copy of the only action is not taken


def test_puterman_6_2_1_changes_its_action_at_ten_elevenths():
    assert optimum(named.puterman_6_2_1("10/11")).loss[0].tolist() == [0, 0]
    assert optimum(named.puterman_6_2_1("9/10")).action[0] == 1


def test_values_of_two_state_swap_by_hand():
    """γ = 1/2: V = (1, 1/2) / (1 − 1/4) = (4/3, 2/3)."""
    assert optimum(named.two_state_swap()).v.tolist() == rational(["4/3", "2/3"]).tolist()


@pytest.mark.parametrize(("γ", "ε"), [("9/10", 1), ("1/2", "1/3"), ("99/100", 10)])
def test_the_greedy_policy_of_greedy_loss_loses_exactly_the_bound(γ, ε):
    mdp, v = named.greedy_loss(γ, ε), named.greedy_loss_values(γ, ε)
    best, λ, error = optimum(mdp), rational(γ)[()], rational(ε)[()]
    assert abs(v - best.v).tolist() == [error, error]
    q = mdp.action_values(v)
    assert q[0, 0] == q[0, 1]  # a tie, so that the first action is greedy
    stay = rational([[1, 0], [1, 0]])
    assert (best.v - policy_values(mdp, stay))[0] == 2 * λ * error / (1 - λ)


def test_gradients_of_the_long_chain_vanish_exponentially_although_the_gap_does_not():
    """From state 0 the uniform policy reaches the end with a chance below 3^-H, which the whole gradient shares."""
    for H in (4, 8, 16):
        mdp = named.long_chain(H)
        assert mdp.S == H + 2
        π = rational(np.ones((mdp.S, 4), dtype=int)) / 4
        best = optimum(mdp)
        assert best.v[0] == mdp.discount ** (H + 1) * (H + 1)  # γ^(H+1) / (1 − γ): H + 1 steps to the reward
        assert number(gap(mdp, π, best)) > (H + 1) / 8
        assert number(norm(softmax_gradient(mdp, π), 2)) < 3.0 ** (-H / 4)


def test_policy_gradient_on_the_long_chain_needs_exponentially_many_steps():
    """Iterations to halve the gap from the uniform policy, with step size 1, by a loop of its own."""

    def iterations(H):
        mdp = named.long_chain(H).floats()
        best, θ = optimum(mdp), np.zeros((mdp.S, 4))
        first, k = gap(mdp, softmax(θ), best), 0
        while gap(mdp, softmax(θ), best) >= first / 2:
            θ, k = θ + softmax_gradient(mdp, softmax(θ)), k + 1
        return k

    needed = [iterations(H) for H in (3, 4, 5, 6)]
    assert needed == [167, 313, 643, 1409]


def test_the_gradient_at_the_rare_best_arm_is_at_most_three_ε():
    """r = (1, 0, 0), π = (2ε, 1/2 − 2ε, 1/2): gradient (2ε − 4ε², −ε + 4ε², −ε) by hand, gap 1 − 2ε."""
    mdp = named.rare_best_arm()
    for ε in ("1/100", "1/1000"):
        π, e = named.rare_best_policy(ε), rational(ε)[()]
        assert softmax_gradient(mdp, π)[0].tolist() == [2 * e - 4 * e * e, 4 * e * e - e, -e]
        assert gap(mdp, π, optimum(mdp)) == 1 - 2 * e
    assert Fraction(1, 100) == Fraction(str(named.rare_best_policy()[0, 0])) / 2


def test_a_state_that_no_start_reaches_has_no_gradient():
    mdp = named.forgotten_state()
    π = rational([["1/2", "1/2"], ["1/2", "1/2"]])
    gradient = softmax_gradient(mdp, π)
    assert (gradient[1] == 0).all()
    assert (gradient[0] != 0).all()


def bandit_path(π, steps, η=0.4):
    """π_1, π_2, ... of softmax policy gradient on r = (1, 9/10, 1/10), from the update as the paper writes it."""
    r, θ, path = np.array([1, 0.9, 0.1]), np.log(floats(π)[0]), []
    for _ in range(steps):
        p = np.exp(θ - θ.max())
        p /= p.sum()
        path.append(p)
        θ = θ + η * p * (r - p @ r)
    return np.array(path)


def test_the_bad_start_takes_more_than_seven_thousand_iterations_to_leave_the_second_arm():
    """Figure 1 of the paper and its text; the exact iteration was counted in a separate run."""
    path = bandit_path(named.bad_start(), 7600)  # path[t − 1] is π_t
    assert int(np.argmax(path[:, 0] > path[:, 1])) + 1 == 7526
    assert int(np.argmin(path[:, 0])) + 1 == 1954
    np.testing.assert_allclose(path[:, 0].min(), 0.003831, atol=5e-7)


def test_the_good_start_is_near_the_optimum_after_a_hundred_iterations():
    π = bandit_path(named.good_start(), 100)[-1]
    np.testing.assert_allclose([π[0], 1 - π @ [1, 0.9, 0.1]], [0.967, 0.0228], atol=5e-4)
    assert (floats(named.slow_bandit().r)[0] == [1, 0.9, 0.1]).all()
