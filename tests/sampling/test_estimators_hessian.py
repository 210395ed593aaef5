"""Estimators of second derivatives: path by path against outer products, in mean against a recursion, in rationals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import rational, total
from mdplab.exact import truncated_gradient, truncated_hessian
from mdplab.instances import strategies
from mdplab.models import DiscountedMDP
from mdplab.sampling import (
    Draws,
    causal_hessian_estimate,
    causal_hessian_vector,
    every_trajectory,
    gpomdp,
    hessian_estimate,
    hessian_vector,
    mean,
    recursive_momentum,
    reinforce,
    rewards_to_go,
    rollouts,
    second_moment,
    trace_variance,
)


def by_definition(τ, π):
    """Per trajectory, with flat scores x_t: x (N, H, n), ∇² log π(a_t | s_t) (N, H, n, n), Ψ and w r (N, H)."""
    S, A = π.shape
    one = rational(np.eye(S * A, dtype=int)).reshape(S, A, S * A)
    x = one - (π[..., None] * one).sum(axis=1)[:, None]
    bend = np.zeros((S, S * A, S * A), dtype=object)
    for s in range(S):
        own = slice(s * A, (s + 1) * A)
        bend[s, own, own] = np.outer(π[s], π[s]) - np.diag(π[s])
    s, a = τ.states[..., :-1], τ.actions
    return x[s, a], bend[s], rewards_to_go(τ), τ.weights * τ.rewards


def outer(x, y):
    return x[..., :, None] * y[..., None, :]


def plain(x, bend, Ψ, wr):
    return outer((Ψ[..., None] * x).sum(axis=1), x.sum(axis=1)) + (Ψ[..., None, None] * bend).sum(axis=1)


def causal(x, bend, Ψ, wr):
    S = np.cumsum(x, axis=1)
    return (wr[..., None, None] * (outer(S, S) + np.cumsum(bend, axis=1))).sum(axis=1)


def without_outer_product(x, bend, Ψ, wr):
    return (Ψ[..., None, None] * bend).sum(axis=1)


def without_second_derivative(x, bend, Ψ, wr):
    return outer((Ψ[..., None] * x).sum(axis=1), x.sum(axis=1))


def step_by_step(x, bend, Ψ, wr):
    return (Ψ[..., None, None] * (outer(x, x) + bend)).sum(axis=1)


def scores_after_the_reward(x, bend, Ψ, wr):
    S = np.cumsum(x, axis=1)
    return (wr[..., None, None] * (outer(S, S) + bend.sum(axis=1)[:, None])).sum(axis=1)


@pytest.mark.parametrize(
    ("estimate", "definition"), [(hessian_estimate, plain), (causal_hessian_estimate, causal)], ids=["B", "causal B"]
)
def test_both_forms_are_their_definitions_and_have_the_mean_of_the_hessian(case, estimate, definition):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    B = estimate(τ, case.π)
    assert (definition(*by_definition(τ, case.π)) == B).all()
    assert (mean(p, B, 2) == truncated_hessian(case.mdp, case.π, case.H)).all()


@pytest.mark.parametrize(
    "wrong", [without_outer_product, without_second_derivative, step_by_step, scores_after_the_reward]
)
def test_a_form_with_a_part_missing_has_another_mean(case, wrong):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    B = wrong(*by_definition(τ, case.π))
    assert (mean(p, B, 2) != truncated_hessian(case.mdp, case.π, case.H)).any()


def test_only_the_causal_form_is_symmetric_and_here_it_varies_less(some_case):
    case = some_case(7, 2, 2, 3, "9/10")
    τ, p = every_trajectory(case.mdp, case.π, 3)
    B, C = hessian_estimate(τ, case.π), causal_hessian_estimate(τ, case.π)
    assert (np.swapaxes(C, -1, -2) == C).all()
    assert (np.swapaxes(B, -1, -2) != B).any()
    assert trace_variance(p, C, 2) < trace_variance(p, B, 2)
    assert (mean(p, np.swapaxes(B, -1, -2), 2) == truncated_hessian(case.mdp, case.π, 3)).all()


def test_causality_can_cost_variance():
    """Two states in turn, start in 0, r = 1 and −2, γ = 1/2, two steps: the return is 1 − 1 = 0 whatever the actions.

    REINFORCE is zero on every trajectory and GPOMDP is not; with Ψ = (0, −1) the causal B has −x_0 x_1^T in addition.
    """
    P, one_half = rational([[[0, 1], [0, 1]], [[1, 0], [1, 0]]]), rational("1/2")[()]
    mdp = DiscountedMDP(P, rational([[1, 1], [-2, -2]]), one_half, rational([1, 0]))
    π = rational([["1/4", "3/4"], ["1/2", "1/2"]])
    τ, p = every_trajectory(mdp, π, 2)
    assert (reinforce(τ, π) == 0).all()
    assert trace_variance(p, gpomdp(τ, π), 2) == one_half  # ‖x_1‖² = 1/2
    extra = causal_hessian_estimate(τ, π) - hessian_estimate(τ, π)
    x, _, _, _ = by_definition(τ, π)
    assert (extra == -outer(x[:, 0], x[:, 1])).all()
    assert trace_variance(p, causal_hessian_estimate(τ, π), 2) > trace_variance(p, hessian_estimate(τ, π), 2)


@settings(max_examples=15)
@given(st.data())
def test_products_with_vectors_are_unbiased_in_drawn_models(data):
    mdp = data.draw(strategies.discounted_mdps(max_states=2, max_actions=2, rewards="any"))
    π, v = data.draw(strategies.policies(mdp.S, mdp.A)), data.draw(strategies.logits(mdp.S, mdp.A))
    τ, p = every_trajectory(mdp, π, 3)
    expected = (truncated_hessian(mdp, π, 3) @ v.ravel()).reshape(v.shape)
    for product in (hessian_vector, causal_hessian_vector):
        assert (mean(p, product(τ, π, v), 2) == expected).all()


def test_errors_of_harpg_follow_their_recursion(case):
    """E‖e_t‖² = (1 − η)² (‖e + E v − Δ∇J‖² + Var v) + η² Var g for independent trajectories of two policies.

    The increment v = B Δ is not in mean the change of the gradient at one point, so the bias stays in the first term;
    averaged over the line between the two policies it vanishes.
    """
    η, d, Δ = rational("1/3")[()], case.r, case.other - case.π
    τ, p = every_trajectory(case.mdp, case.π, 2)
    σ, q = every_trajectory(case.mdp, case.other, 2)
    g, v = gpomdp(τ, case.π), hessian_vector(σ, case.other, Δ)
    both = recursive_momentum(d, g[:, None], v, η) - truncated_gradient(case.mdp, case.π, 2)
    probability = (p[:, None] * q).reshape(-1)
    e = both.reshape(-1, *d.shape)
    bias = d + mean(q, v, 2) - truncated_gradient(case.mdp, case.π, 2)
    expected = (1 - η) ** 2 * (total(bias * bias, 2) + trace_variance(q, v, 2)) + η**2 * trace_variance(p, g, 2)
    assert second_moment(probability, e, 2) == expected


def test_batches_of_policies_and_directions_get_what_each_gets_alone(some_case):
    models = [some_case(seed, 2, 2, 2, "1/2") for seed in (4, 5, 7)]
    mdp = DiscountedMDP(*(np.stack([getattr(c.mdp, x) for c in models]) for x in ("P", "r", "discount", "start")))
    π, v = np.stack([c.π for c in models]), np.stack([c.r for c in models])
    τ = rollouts(mdp, π, 3, Draws(replicate=np.arange(5), instance=np.arange(3)[:, None]))
    for i in range(3):
        alone = rollouts(mdp[i], π[i], 3, Draws(replicate=np.arange(5), instance=i))
        for product in (hessian_vector, causal_hessian_vector):
            assert (product(τ, π, v)[i] == product(alone, π[i], v[i])).all()
        for estimate in (hessian_estimate, causal_hessian_estimate):
            assert estimate(τ, π).shape == (3, 5, 4, 4)
            assert (estimate(τ, π)[i] == estimate(alone, π[i])).all()
