"""The first H steps: by recursion, against all trajectories, an unrolled model, differences in balls and the limit."""

import array_api_strict
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import floats, norm, rational, softmax, sup, total
from mdplab.exact import (
    finite_horizon,
    softmax_gradient,
    softmax_hessian,
    truncated_action_values,
    truncated_gradient,
    truncated_hessian,
    truncated_pair_visits,
    truncated_value,
    truncated_values,
    truncated_visits,
)
from mdplab.instances import strategies
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import every_trajectory, mean, observed_return, visited_pairs

H = rational(2.0**-60)[()]


@st.composite
def cases(draw, max_steps=4):
    mdp = draw(strategies.discounted_mdps(rewards="any"))
    return mdp, draw(strategies.policies(mdp.S, mdp.A)), draw(st.integers(1, max_steps))


def unrolled(mdp, steps):
    """The same first steps as epochs of their own, with rewards γ^t r."""
    rewards = [mdp.r]
    for _ in range(steps - 1):
        rewards.append(mdp.discount * rewards[-1])
    return FiniteHorizonMDP((mdp.P,) * (steps - 1), tuple(rewards), mdp.start)


@settings(max_examples=25)
@given(cases())
def test_it_is_the_model_unrolled_into_epochs(case):
    mdp, π, steps = case
    long, every = unrolled(mdp, steps), np.concatenate([π] * steps)
    assert truncated_value(mdp, π, steps) == total(long.start * finite_horizon.values(long, every))
    assert truncated_values(mdp, π, steps)[0].tolist() == long.split(finite_horizon.values(long, every))[0].tolist()
    assert (sum(long.split(finite_horizon.softmax_gradient(long, every), 2)) == truncated_gradient(mdp, π, steps)).all()
    powers = [mdp.discount**0] + [mdp.discount**t for t in range(1, steps)]
    assert (truncated_visits(mdp, π, steps).sum(axis=0)[:, None] * π == truncated_pair_visits(mdp, π, steps)).all()
    for t, q in enumerate(long.split(finite_horizon.action_values(long, every), 2)):
        assert (q == powers[t] * truncated_action_values(mdp, π, steps)[t]).all()


@settings(max_examples=25)
@given(cases(), st.data())
def test_the_hessian_has_the_curvature_of_the_unrolled_model_in_every_direction(case, data):
    mdp, π, steps = case
    u = data.draw(strategies.logits(mdp.S, mdp.A))
    long = unrolled(mdp, steps)
    _, slope, curvature = finite_horizon.derivatives(long, np.concatenate([π] * steps), np.concatenate([u] * steps))
    hessian = truncated_hessian(mdp, π, steps)
    assert (hessian == hessian.T).all()
    assert u.ravel() @ hessian @ u.ravel() == total(long.start * curvature)
    assert total(truncated_gradient(mdp, π, steps) * u, 2) == total(long.start * slope)


@settings(max_examples=10)
@given(st.data())
def test_values_and_visits_are_means_over_all_trajectories(data):
    mdp = data.draw(strategies.discounted_mdps(max_states=2, max_actions=2, rewards="any"))
    π = data.draw(strategies.policies(mdp.S, mdp.A))
    τ, p = every_trajectory(mdp, π, 3)
    assert mean(p, observed_return(τ)) == truncated_value(mdp, π, 3)
    assert (mean(p, visited_pairs(τ, mdp.S, mdp.A), 2) == truncated_pair_visits(mdp, π, 3)).all()


def test_the_gradient_is_the_derivative_by_logits_and_the_hessian_that_of_the_gradient(draw, logits, wide_balls):
    mdp = draw(0, S=3).exact()
    θ, u = rational(logits(1, mdp)), rational(logits(2, mdp))
    π, plus, minus = softmax(θ), softmax(θ + H * u), softmax(θ - H * u)
    slope = (truncated_value(mdp, plus, 5) - truncated_value(mdp, minus, 5)) / (2 * H)
    change = (truncated_gradient(mdp, plus, 5) - truncated_gradient(mdp, minus, 5)) / (2 * H)
    along = (truncated_hessian(mdp, π, 5) @ u.ravel()).reshape(θ.shape)
    # The error of a central difference is h² ‖u‖³ times a third or fourth derivative, below 2^-120 · 1e3 · 1e6.
    assert abs(floats(total(truncated_gradient(mdp, π, 5) * u, 2) - slope)) <= 1e-26
    assert abs(floats(along - change)).max() <= 1e-26


def test_truncation_costs_what_the_tail_can_weigh(draw, logits):
    """‖∇J − ∇J_H‖ <= D_g γ^H and ‖∇²J − ∇²J_H‖ <= D_h γ^H: :cite:`fatk2023`, with the constants of tabular softmax."""
    mdp = draw(1, S=3).exact()
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=3)) / 8
    γ, R = 7 / 8, float(floats(sup(mdp.r, 2)))
    for steps in (1, 5, 20):
        tail, horizon = R * γ**steps / (1 - γ), steps + 1 / (1 - γ)
        gradient = norm(softmax_gradient(mdp, π) - truncated_gradient(mdp, π, steps), 2)
        hessian = norm(softmax_hessian(mdp, π) - truncated_hessian(mdp, π, steps), 2)
        assert gradient <= tail * (2 / 3 * horizon) ** 0.5
        assert hessian <= 9**0.5 * tail * horizon  # the Frobenius norm is at most √9 times the spectral one


def test_batches_and_array_namespaces_agree_with_exact_numbers_one_by_one(draw):
    mdp = draw(3, (2, 3))
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=(2, 3, 4))) / 8
    strict = mdp.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
    for f in (truncated_values, truncated_action_values, truncated_visits, truncated_gradient, truncated_hessian):
        exact = f(mdp.exact(), π, 4)
        assert (f(mdp[1, 2].exact(), π[1, 2], 4) == exact[1, 2]).all()
        # Numbers of at most (1 + H)² = 25, each by fewer than 1000 roundings of 2^-53.
        assert abs(f(mdp, floats(π), 4) - floats(exact)).max() <= 25 * 1000 * 2**-53
        got = np.asarray(f(strict, array_api_strict.asarray(floats(π)), 4))
        assert abs(got - floats(exact)).max() <= 25 * 1000 * 2**-53


def test_many_policies_of_one_model_are_a_batch(draw):
    mdp = draw(4)
    π = np.random.default_rng(3).dirichlet(np.ones(3), size=(5, 4))
    for f in (truncated_value, truncated_values, truncated_action_values, truncated_visits, truncated_hessian):
        assert f(mdp, π, 3).shape == (5, *f(mdp, π[0], 3).shape)
