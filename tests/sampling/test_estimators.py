"""Gradient estimators: their exact means by all trajectories, in rationals, against recursions; and what is biased."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import expand, floats, rational, softmax, total
from mdplab.exact import (
    action_values,
    advantages,
    gae_mean,
    gae_second_moment,
    gae_variance,
    truncated_action_values,
    truncated_gradient,
    truncated_pair_visits,
    truncated_value,
    truncated_values,
)
from mdplab.instances import strategies
from mdplab.models import DiscountedMDP, MultiObjectiveMDP
from mdplab.sampling import (
    Draws,
    actor_critic,
    all_actions,
    at_pairs,
    at_states,
    by_objective,
    covariance,
    every_trajectory,
    gae,
    gae_gradient,
    gpomdp,
    gradient_increment,
    mean,
    observed_return,
    paid,
    parametric,
    reinforce,
    rewards_to_go,
    rollouts,
    scalarised,
    score_sum,
    second_moment,
    state_baseline,
    td_actor_critic,
    td_steps,
    trace_variance,
    visit_increment,
    visited_pairs,
)


def scores(π):
    """∇ log π(a | s) by the logits of all states, (S, A, S, A)."""
    S, A = π.shape
    states, actions = (rational(np.eye(n, dtype=int)) for n in (S, A))
    return states[:, None, :, None] * (actions[None, :, None, :] - π[:, None, None, :])


def rewarded(case):
    return DiscountedMDP(case.mdp.P, case.r, case.mdp.discount, case.mdp.start)


V = [7, -3, 2]  # of some function of the state


def v_of(case):
    return rational(V[: case.mdp.S])


UNBIASED = {
    "REINFORCE": lambda τ, case: reinforce(τ, case.π),
    "REINFORCE, less a number": lambda τ, case: reinforce(τ, case.π, 5),
    "REINFORCE, less a function of the state": lambda τ, case: reinforce(τ, case.π, state_baseline(τ, v_of(case))),
    "GPOMDP": lambda τ, case: gpomdp(τ, case.π),
    "GPOMDP, less a number": lambda τ, case: gpomdp(τ, case.π, rational(5)[()]),
    "GPOMDP, less a function of the state": lambda τ, case: gpomdp(τ, case.π, state_baseline(τ, v_of(case))),
    "GPOMDP, less the values": lambda τ, case: gpomdp(τ, case.π, state_baseline(τ, to_go(case), timed=True)),
    "actor and critic": lambda τ, case: actor_critic(
        τ, case.π, truncated_action_values(case.mdp, case.π, case.H), timed=True
    ),
    "temporal differences": lambda τ, case: td_actor_critic(τ, case.π, to_go(case), case.mdp.discount, timed=True),
    "advantages with a trace of one": lambda τ, case: gae_gradient(
        τ, case.π, only_before_the_end(case), γ(case), 1, timed=True
    ),
    "advantages with the values": lambda τ, case: gae_gradient(
        τ, case.π, to_go(case), γ(case), rational("1/3")[()], timed=True
    ),
}
BIASED = {
    "discounted from each step on": lambda τ, case: score_sum(τ, rewards_to_go(τ) / τ.weights, case.π),
    "rewards before an action in place of those after": lambda τ, case: score_sum(
        τ, np.cumsum(τ.weights * τ.rewards, axis=-1), case.π
    ),
    "without the last reward": lambda τ, case: score_sum(
        τ, rewards_to_go(τ) - (τ.weights * τ.rewards)[..., -1:], case.π
    ),
    "a baseline that sees the action": lambda τ, case: gpomdp(τ, case.π, at_pairs(case.r, τ)),
    "a baseline of the next state": lambda τ, case: gpomdp(τ, case.π, τ.weights * at_states(v_of(case), τ)[..., 1:]),
    "scores of another policy": lambda τ, case: gpomdp(τ, case.other),
    "a critic of the unending process": lambda τ, case: actor_critic(τ, case.π, action_values(case.mdp, case.π)),
    "temporal differences of a guess": lambda τ, case: td_actor_critic(τ, case.π, v_of(case), γ(case)),
    "a trace below one": lambda τ, case: gae_gradient(
        τ, case.π, only_before_the_end(case), γ(case), rational("1/3")[()], timed=True
    ),
}


def γ(case):
    return case.mdp.discount


def to_go(case):
    return truncated_values(case.mdp, case.π, case.H)


def only_before_the_end(case):
    """A guess of the values that is zero where nothing follows, (H + 1, S)."""
    return np.stack([v_of(case)] * case.H + [0 * v_of(case)])


@pytest.mark.parametrize("estimator", UNBIASED.values(), ids=UNBIASED)
def test_the_mean_is_the_gradient_of_the_first_steps(case, estimator):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    assert (mean(p, estimator(τ, case), 2) == truncated_gradient(case.mdp, case.π, case.H)).all()


@pytest.mark.parametrize("estimator", BIASED.values(), ids=BIASED)
def test_the_mean_of_a_wrong_estimator_is_another_one(case, estimator):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    assert (mean(p, estimator(τ, case), 2) != truncated_gradient(case.mdp, case.π, case.H)).any()


@settings(max_examples=15)
@given(st.data())
def test_gradients_returns_and_visits_are_unbiased_in_drawn_models(data):
    mdp = data.draw(strategies.discounted_mdps(max_states=2, max_actions=2, rewards="any"))
    π, v = data.draw(strategies.policies(mdp.S, mdp.A)), data.draw(strategies.values(mdp.S))
    τ, p = every_trajectory(mdp, π, 3)
    gradient = truncated_gradient(mdp, π, 3)
    assert (mean(p, gpomdp(τ, π, state_baseline(τ, v)), 2) == gradient).all()
    assert (mean(p, reinforce(τ, π, state_baseline(τ, v)), 2) == gradient).all()
    assert mean(p, observed_return(τ)) == truncated_value(mdp, π, 3)
    assert (mean(p, visited_pairs(τ, mdp.S, mdp.A), 2) == truncated_pair_visits(mdp, π, 3)).all()


# -- Trajectory by trajectory -----------------------------------------------------------------------------------------


def test_gpomdp_counts_each_reward_with_the_scores_before_it(case):
    """Σ_h w_h r_h S_h, the other order of summation, step by step."""
    τ, _ = every_trajectory(case.mdp, case.π, case.H)
    x = scores(case.π)
    slow = 0
    for h in range(case.H):
        for t in range(h + 1):
            slow = slow + expand((τ.weights * τ.rewards)[:, h], 2) * x[τ.states[:, t], τ.actions[:, t]]
    assert (gpomdp(τ, case.π) == slow).all()


def test_a_baseline_is_subtracted_from_what_each_score_is_multiplied_by(case):
    τ, _ = every_trajectory(case.mdp, case.π, case.H)
    b = state_baseline(τ, v_of(case))
    for estimate in (reinforce, gpomdp):
        assert (estimate(τ, case.π, b) == estimate(τ, case.π) - score_sum(τ, b, case.π)).all()
    even = paid(τ, 0 * case.r + 1)
    assert (reinforce(even, case.π, observed_return(even)[0]) == 0).all()


def test_temporal_differences_add_up_to_rewards_to_go_less_a_baseline(case):
    τ, _ = every_trajectory(case.mdp, case.π, case.H)
    v = only_before_the_end(case)
    δ = τ.weights * td_steps(τ, v, γ(case), timed=True)
    assert (np.flip(np.cumsum(np.flip(δ, -1), -1), -1) == rewards_to_go(τ) - state_baseline(τ, v, timed=True)).all()


def test_a_gradient_by_logits_becomes_one_by_other_parameters(case):
    """Logits w f(s, a): ∇_w log π = f − Σ π f, and the chain rule from logits to w."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    f = rational(np.random.default_rng(0).integers(-3, 4, size=(*case.π.shape, 2)))
    x = f - (case.π[..., None] * f).sum(axis=1)[:, None]
    slow = sum(expand(rewards_to_go(τ)[:, t], 1) * x[τ.states[:, t], τ.actions[:, t]] for t in range(case.H))
    assert (parametric(gpomdp(τ, case.π), x) == slow).all()
    by_chain_rule = (truncated_gradient(case.mdp, case.π, case.H)[..., None] * f).sum(axis=(0, 1))
    assert (mean(p, slow, 1) == by_chain_rule).all()


def test_another_reward_is_that_of_another_model(case):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    assert mean(p, observed_return(paid(τ, case.r))) == truncated_value(rewarded(case), case.π, case.H)
    slope = truncated_gradient(rewarded(case), case.π, case.H)
    assert (mean(p, gpomdp(paid(τ, case.r), case.π), 2) == slope).all()


def test_several_objectives_are_estimated_side_by_side(case):
    mdp, other = case.mdp, rewarded(case)
    both = MultiObjectiveMDP(mdp.P, np.stack([mdp.r, case.r]), mdp.discount, mdp.start)
    τ, p = every_trajectory(both, case.π, case.H)
    side_by_side = by_objective(τ)
    J = mean(p, observed_return(side_by_side), 1)
    assert J.tolist() == [truncated_value(model, case.π, case.H) for model in (mdp, other)]
    slopes = np.stack([truncated_gradient(model, case.π, case.H) for model in (mdp, other)])
    assert (mean(p, gpomdp(side_by_side, case.π), 3) == slopes).all()
    c = rational([2, -3])
    assert (mean(p, gpomdp(scalarised(τ, c), case.π), 2) == 2 * slopes[0] - 3 * slopes[1]).all()


def test_a_critic_at_all_actions_weighs_the_visits_of_the_first_steps(case):
    """Σ_{t<H} γ^t P(s_t = s) π A, which tends to the gradient; sampling the action instead has the same mean."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    Q, A = action_values(case.mdp, case.π), advantages(case.mdp, case.π)
    expected = truncated_pair_visits(case.mdp, case.π, case.H) * A
    assert (mean(p, all_actions(τ, case.π, Q), 2) == expected).all()
    assert (mean(p, actor_critic(τ, case.π, A), 2) == expected).all()
    assert trace_variance(p, all_actions(τ, case.π, Q), 2) <= trace_variance(p, actor_critic(τ, case.π, A), 2)


def test_a_shadow_reward_of_the_same_trajectory_is_biased(case):
    """F = ‖λ‖² / 2 with gradient λ: E g(τ, λ̂(τ)) is not the gradient for the reward λ_H."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    λ = truncated_pair_visits(case.mdp, case.π, case.H)
    shadow = DiscountedMDP(case.mdp.P, λ, case.mdp.discount, case.mdp.start)
    slope = truncated_gradient(shadow, case.π, case.H)
    assert (mean(p, gpomdp(paid(τ, λ), case.π), 2) == slope).all()
    assert (mean(p, gpomdp(paid(τ, visited_pairs(τ, *case.π.shape)), case.π), 2) != slope).any()


# -- Moments ----------------------------------------------------------------------------------------------------------


def test_moments_of_two_outcomes_by_hand():
    """X = (1, 2) or (3, −2) with probabilities 3/4 and 1/4: mean (3/2, 1), deviations (−1/2, 1) and (3/2, −3)."""
    p, X = rational(["3/4", "1/4"]), rational([[1, 2], [3, -2]])
    assert (mean(p, X, 1) == rational(["3/2", 1])).all()
    assert second_moment(p, X, 1) == 7
    assert trace_variance(p, X, 1) == rational("15/4")[()]
    assert (covariance(p, X, 1) == rational([["3/4", "-3/2"], ["-3/2", 3]])).all()


def test_the_mean_square_is_that_of_the_mean_and_the_trace_of_the_covariance(case):
    τ, p = every_trajectory(case.mdp, case.π, min(case.H, 3))
    g = gpomdp(τ, case.π)
    C = covariance(p, g, 2)
    assert trace_variance(p, g, 2) == np.trace(C)
    assert second_moment(p, g, 2) == np.trace(C) + total(mean(p, g, 2) ** 2, 2)


def test_equal_rewards_leave_orthogonal_scores(some_case):
    """r = 1: Ψ_t is no longer random and E‖g‖² = Σ_t Ψ_t² (1 − 1/A) for the uniform policy: `fatk2023.var`, its case.

    The covariance is Σ_t Ψ_t² P(s_t = s) (diag π − π π^T), block by block.
    """
    case = some_case(7, 2, 2, 4, "9/10")
    mdp = DiscountedMDP(case.mdp.P, 0 * case.r + 1, case.mdp.discount, case.mdp.start)
    π = 0 * case.π + rational("1/2")[()]
    τ, p = every_trajectory(mdp, π, 4)
    Ψ = rewards_to_go(τ)[0]
    assert second_moment(p, gpomdp(τ, π), 2) == (Ψ * Ψ).sum() / 2
    assert second_moment(p, reinforce(τ, π), 2) == 4 * Ψ[0] ** 2 / 2
    squares = replace(τ, weights=Ψ * Ψ)
    block = rational([["1/4", "-1/4"], ["-1/4", "1/4"]])
    expected = total(mean(p, visited_pairs(squares, 2, 2), 2))
    C = covariance(p, gpomdp(τ, π), 2).reshape(2, 2, 2, 2)
    for s in range(2):
        assert (C[s, :, s] == expected[s] * block).all()
        assert (C[s, :, 1 - s] == 0).all()


def test_the_values_as_a_baseline_take_variance_away(some_case):
    case = some_case(7, 2, 2, 4, "9/10")
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    plain, less = gpomdp(τ, case.π), gpomdp(τ, case.π, state_baseline(τ, to_go(case), timed=True))
    assert trace_variance(p, less, 2) < trace_variance(p, plain, 2) < trace_variance(p, reinforce(τ, case.π), 2)


# -- Generalised advantages -------------------------------------------------------------------------------------------


def ending():
    """From state 0 to 1 or 2, from there to 3, where nothing is paid: after two steps every difference is zero."""
    rows = {(0, 0): (0, 1, 3, 0), (0, 1): (0, 2, 2, 0), (1, 0): (0, 0, 0, 4), (1, 1): (0, 0, 1, 3)}
    P = rational(np.array([[rows.get((s, a), (0, 0, 0, 4)) for a in range(2)] for s in range(4)])) / 4
    r = rational([[1, -2], [3, 5], [-1, 4], [0, 0]])
    return DiscountedMDP(P, r, rational("9/10")[()], rational([1, 0, 0, 0]))


@pytest.mark.parametrize("trace", [0, "1/3", 1])
def test_advantage_estimates_have_the_mean_and_the_variance_of_the_closed_forms(trace):
    mdp, λ = ending(), rational(trace)[()]
    π, v = rational([["1/4", "3/4"], ["1/2", "1/2"], ["1/8", "7/8"], [1, 0]]), rational([2, -1, 4, 0])
    τ, p = every_trajectory(mdp, π, 4)
    Â = gae(τ, v, mdp.discount, λ)[..., 0]
    for a in range(2):
        first = τ.actions[:, 0] == a
        given_a = p[first] / π[0, a]
        assert mean(given_a, Â[first]) == gae_mean(mdp, π, v, λ)[0, a]
        assert second_moment(given_a, Â[first]) == gae_second_moment(mdp, π, v, λ)[0, a]
        assert trace_variance(given_a, Â[first]) == gae_variance(mdp, π, v, λ)[0, a]
        assert mean(given_a, gae(τ, v, mdp.discount, λ / 2 + 1)[first][..., 0]) != gae_mean(mdp, π, v, λ)[0, a]


# -- Batches, balls and floats ----------------------------------------------------------------------------------------


def test_policies_and_models_in_front_serve_all_their_trajectories(some_case):
    """The policy given to `rollouts` serves unchanged; each of a batch gets what it gets alone."""
    models = [some_case(seed, 2, 2, 2, "1/2") for seed in (1, 2, 3)]
    mdp = DiscountedMDP(*(np.stack([getattr(c.mdp, x) for c in models]) for x in ("P", "r", "discount", "start")))
    π = np.stack([c.π for c in models])
    draws = Draws(replicate=np.arange(5), instance=np.arange(3)[:, None])
    v = rational(np.arange(6).reshape(3, 2))

    def some_policy(v):  # some policy that differs from model to model
        return np.stack([1 / (v + 2), (v + 1) / (v + 2)], axis=-1)

    τ = rollouts(mdp, π, 4, draws)
    for f in (
        lambda τ, π, v, γ: gpomdp(τ, π, state_baseline(τ, v)),
        lambda τ, π, v, γ: reinforce(τ, π),
        lambda τ, π, v, γ: actor_critic(τ, π, π),
        lambda τ, π, v, γ: all_actions(τ, π, π),
        lambda τ, π, v, γ: gpomdp(paid(τ, π + v[..., None]), π),
        lambda τ, π, v, γ: gradient_increment(τ, π, some_policy(v)),
        lambda τ, π, v, γ: visit_increment(τ, π, some_policy(v), whole=True),
        lambda τ, π, v, γ: td_actor_critic(τ, π, v, γ),
        lambda τ, π, v, γ: gae_gradient(τ, π, np.stack([v] * 5, axis=-2), γ, γ / 2, timed=True),
    ):
        together = f(τ, π, v, mdp.discount)
        assert together.shape == (3, 5, 2, 2)
        for i in range(3):
            alone = rollouts(mdp[i], π[i], 4, Draws(replicate=np.arange(5), instance=i))
            assert (f(alone, π[i], v[i], mdp.discount[i]) == together[i]).all()


def test_scores_and_weights_of_objectives_in_front_serve_all_trajectories(some_case):
    models = [some_case(seed, 2, 2, 2, "1/2") for seed in (4, 5, 7)]
    parts = [np.stack([getattr(c.mdp, x) for c in models]) for x in ("P", "discount", "start")]
    mdp = MultiObjectiveMDP(parts[0], np.stack([[c.mdp.r, c.r] for c in models]), *parts[1:])
    π, c = np.stack([c.π for c in models]), rational(np.arange(6).reshape(3, 2))
    x = rational(np.arange(24).reshape(3, 2, 2, 2))
    τ = rollouts(mdp, π, 4, Draws(replicate=np.arange(5), instance=np.arange(3)[:, None]))
    scalar, several = parametric(gpomdp(scalarised(τ, c), π), x), reinforce(by_objective(τ), π)
    assert scalar.shape == (3, 5, 2)
    assert several.shape == (3, 5, 2, 2, 2)
    for i in range(3):
        alone = rollouts(mdp[i], π[i], 4, Draws(replicate=np.arange(5), instance=i))
        assert (parametric(gpomdp(scalarised(alone, c[i]), π[i]), x[i]) == scalar[i]).all()
        assert (reinforce(by_objective(alone), π[i]) == several[i]).all()


def test_a_random_length_stands_for_the_discount(case):
    """Weights 1 up to a length T with P(T >= h) = γ^h, here cut at H − 1: the same means without a discount."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    tails = [γ(case) ** h for h in range(case.H)]
    lengths = rational([x - y for x, y in zip(tails, [*tails[1:], 0], strict=True)])
    until = rational(np.tri(case.H, dtype=int))
    seen = replace(τ, weights=until[:, None])
    mean_of_each = np.stack([mean(p, gpomdp(replace(seen, weights=w), case.π), 2) for w in until])
    assert (mean(lengths, mean_of_each, 2) == truncated_gradient(case.mdp, case.π, case.H)).all()
    assert mean(lengths, mean(p, observed_return(seen))) == truncated_value(case.mdp, case.π, case.H)


def test_balls_of_a_softmax_policy_overlap_and_floats_are_close(case):
    θ = rational(np.random.default_rng(1).integers(-2, 3, size=case.π.shape))
    π = softmax(θ)
    τ, p = every_trajectory(case.mdp, π, 2)
    expected = truncated_gradient(case.mdp, π, 2)
    for g in (gpomdp(τ, π), reinforce(τ, π)):
        found = mean(p, g, 2)
        assert all(x.overlaps(y) for x, y in zip(found.flat, expected.flat, strict=True))
    mdp, π = case.mdp.floats(), softmax(floats(θ))
    τ, p = every_trajectory(mdp, π, 2)
    # Sums of fewer than 2^9 trajectories, each number of at most 2 H · 4 < 2^5 after fewer than 2^5 roundings.
    assert abs(mean(p, gpomdp(τ, π), 2) - floats(expected)).max() <= 2**10 * 2**5 * 2**-53
