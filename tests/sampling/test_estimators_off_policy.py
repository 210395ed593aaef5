"""Importance weights and variance-reduced increments: exact means by all trajectories, and weights that are wrong."""

from dataclasses import replace

import numpy as np
import pytest

from mdplab.arrays import exp, expand, minimum, norm, rational, softmax, sqrt, total
from mdplab.errors import MdplabError
from mdplab.exact import (
    truncated_gradient,
    truncated_hessian,
    truncated_pair_visits,
    truncated_value,
)
from mdplab.models import DiscountedMDP, MultiObjectiveMDP
from mdplab.sampling import (
    action_ratios,
    by_objective,
    causal_hessian_estimate,
    every_trajectory,
    gpomdp,
    gradient_increment,
    hessian_estimate,
    mean,
    observed_return,
    off_policy,
    paid,
    prefix_weights,
    recursive_momentum,
    reinforce,
    return_increment,
    second_moment,
    state_baseline,
    td_actor_critic,
    trace_variance,
    trajectory_weight,
    visit_increment,
    visited_pairs,
)


def inverted(τ, case):
    return replace(τ, weights=τ.weights * prefix_weights(τ, case.other, case.π))


def of_this_step(τ, case):
    return replace(τ, weights=τ.weights * action_ratios(τ, case.π, case.other))


def without_this_step(τ, case):
    ω = prefix_weights(τ, case.π, case.other)
    return replace(τ, weights=τ.weights * np.concatenate([0 * ω[..., :1] + 1, ω[..., :-1]], axis=-1))


RIGHT = {
    "prefix weights": lambda τ, case: off_policy(τ, case.π, case.other),
    "the whole weight": lambda τ, case: off_policy(τ, case.π, case.other, whole=True),
    "a cap that is never reached": lambda τ, case: off_policy(τ, case.π, case.other, cap=7**4),
}
WRONG = {
    "inverted": inverted,
    "of the current step only": of_this_step,
    "without the current step": without_this_step,
    "none": lambda τ, case: τ,
    "capped": lambda τ, case: off_policy(τ, case.π, case.other, cap=rational("5/4")[()]),
}


def gradient_of(case, π):
    return truncated_gradient(case.mdp, π, case.H)


@pytest.mark.parametrize("reweighted", RIGHT.values(), ids=RIGHT)
def test_trajectories_of_one_policy_have_the_means_of_another(case, reweighted):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    τ, target = reweighted(τ, case), case.other
    S, A = target.shape
    v = rational(np.arange(S) + 1)
    assert mean(p, observed_return(τ)) == truncated_value(case.mdp, target, case.H)
    assert (mean(p, visited_pairs(τ, S, A), 2) == truncated_pair_visits(case.mdp, target, case.H)).all()
    assert (mean(p, gpomdp(τ, target), 2) == gradient_of(case, target)).all()
    assert (mean(p, gpomdp(τ, target, state_baseline(τ, v)), 2) == gradient_of(case, target)).all()
    assert (mean(p, causal_hessian_estimate(τ, target), 2) == truncated_hessian(case.mdp, target, case.H)).all()
    on_policy, q = every_trajectory(case.mdp, target, case.H)
    expected = mean(q, td_actor_critic(on_policy, target, v, case.mdp.discount), 2)
    assert (mean(p, td_actor_critic(τ, target, v, case.mdp.discount), 2) == expected).all()


@pytest.mark.parametrize("reweighted", WRONG.values(), ids=WRONG)
def test_other_weights_have_other_means(case, reweighted):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    τ, target = reweighted(τ, case), case.other
    assert mean(p, observed_return(τ)) != truncated_value(case.mdp, target, case.H)
    assert (mean(p, visited_pairs(τ, *target.shape), 2) != truncated_pair_visits(case.mdp, target, case.H)).any()
    assert (mean(p, gpomdp(τ, target), 2) != gradient_of(case, target)).any()
    hessian = truncated_hessian(case.mdp, target, case.H)
    assert (mean(p, causal_hessian_estimate(τ, target), 2) != hessian).any()


def test_the_scores_must_be_those_of_the_target(case):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    assert (mean(p, gpomdp(off_policy(τ, case.π, case.other), case.π), 2) != gradient_of(case, case.other)).any()


def test_estimators_that_look_back_need_the_whole_weight(case):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    hessian = truncated_hessian(case.mdp, case.other, case.H)
    for whole in (False, True):
        seen = off_policy(τ, case.π, case.other, whole=whole)
        right = (mean(p, reinforce(seen, case.other), 2) == gradient_of(case, case.other)).all()
        right_too = (mean(p, hessian_estimate(seen, case.other), 2) == hessian).all()
        assert bool(right) is bool(right_too) is whole


def test_weights_are_ratios_of_the_probabilities_of_trajectories(case):
    """Σ over all trajectories: mean one, and weight times one probability is the other."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    _, q = every_trajectory(case.mdp, case.other, case.H)
    assert (trajectory_weight(τ, case.π, case.other) * p == q).all()
    assert (mean(p, prefix_weights(τ, case.π, case.other), 1) == 1).all()
    assert (prefix_weights(τ, case.π, case.other) * prefix_weights(τ, case.other, case.π) == 1).all()


def test_the_mean_of_a_capped_weight_is_what_both_policies_have_in_common(case):
    """E min(ω, 1) = Σ min(p, q) = 1 − the total variation between the laws of the two policies."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    _, q = every_trajectory(case.mdp, case.other, case.H)
    capped = off_policy(replace(τ, weights=0 * τ.weights + 1), case.π, case.other, whole=True, cap=1)
    assert mean(p, capped.weights[..., 0]) == total(minimum(p, q))


def test_a_behaviour_that_never_takes_an_action_of_the_target_is_refused(case):
    τ, _ = every_trajectory(case.mdp, case.π, case.H)
    behaviour, target = case.π.copy(), case.other.copy()
    behaviour[0] = rational([1] + [0] * (target.shape[1] - 1))
    message = rf"behaviour takes action 1 in state 0 with probability 0 and target with {target[0, 1]}; expected"
    with pytest.raises(MdplabError, match=message):
        off_policy(τ, behaviour, target)
    assert (prefix_weights(τ, target, behaviour) >= 0).all()  # the other way round it is no error
    both = np.stack([target, behaviour])
    with pytest.raises(MdplabError, match="action 1 in state 0"):
        prefix_weights(τ, both, np.stack([target, target]))


def test_what_neither_policy_does_is_no_error(case):
    """A batch lists what is possible for one of its policies: it has weight zero for another that never does it."""
    fixed = case.π.copy()
    fixed[0] = rational([1] + [0] * (fixed.shape[1] - 1))
    π = np.stack([case.π, fixed])
    batch = [np.stack([x] * 2) for x in (case.mdp.P, case.mdp.r, case.mdp.start)]
    mdp = DiscountedMDP(*batch[:2], case.mdp.discount, batch[2])
    τ, p = every_trajectory(mdp, π, case.H)
    assert (p == 0).any()
    expected = [truncated_gradient(case.mdp, target, case.H) for target in (case.other, fixed)]
    seen = off_policy(τ, π, np.stack([case.other, fixed]))
    assert (mean(p, gpomdp(seen, np.stack([case.other, fixed])), 2) == np.stack(expected)).all()


# -- Increments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True])
def test_increments_have_the_mean_of_the_change(case, whole):
    """Rewards too may have changed since: `barakat2023.recursion`, `guid2025.recursion`."""
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    before, S, A = case.other, *case.π.shape
    old = DiscountedMDP(case.mdp.P, case.r, case.mdp.discount, case.mdp.start)
    change = mean(p, gradient_increment(τ, case.π, before, earlier=paid(τ, case.r), whole=whole), 2)
    assert (change == gradient_of(case, case.π) - truncated_gradient(old, before, case.H)).all()
    change = mean(p, visit_increment(τ, case.π, before, whole=whole), 2)
    visits = [truncated_pair_visits(case.mdp, π, case.H) for π in (case.π, before)]
    assert change.shape == (S, A)
    assert (change == visits[0] - visits[1]).all()
    both = MultiObjectiveMDP(case.mdp.P, np.stack([case.mdp.r, case.r]), case.mdp.discount, case.mdp.start)
    seen, p = every_trajectory(both, case.π, case.H)
    J = [[truncated_value(model, π, case.H) for model in (case.mdp, old)] for π in (case.π, before)]
    change = mean(p, return_increment(by_objective(seen), case.π, before, whole=whole), 1)
    assert change.tolist() == [new - last for new, last in zip(*J, strict=True)]


def test_with_the_whole_weight_an_increment_is_one_estimate_less_a_multiple_of_another(case):
    τ, _ = every_trajectory(case.mdp, case.π, case.H)
    ω = expand(trajectory_weight(τ, case.π, case.other), 2)
    increment = gradient_increment(τ, case.π, case.other, whole=True)
    assert (increment == gpomdp(τ, case.π) - ω * gpomdp(τ, case.other)).all()
    assert (visit_increment(τ, case.π, case.other, whole=True) == (1 - ω) * visited_pairs(τ, *case.π.shape)).all()


def test_returns_are_rewards_times_visits(case):
    """With the same trajectories the tracked returns are those of the tracked visits: J = ⟨r, λ⟩."""
    τ, _ = every_trajectory(case.mdp, case.π, case.H)
    λ = visit_increment(τ, case.π, case.other)
    assert (return_increment(τ, case.π, case.other) == total(λ * case.mdp.r, 2)).all()


def test_wrong_increments_have_another_mean(case):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    before = case.other
    expected = gradient_of(case, case.π) - gradient_of(case, before)
    wrong = {
        "inverted": gpomdp(τ, case.π) - gpomdp(off_policy(τ, before, case.π), before),
        "scores of the new policy": gpomdp(τ, case.π) - gpomdp(off_policy(τ, case.π, before), case.π),
        "no weight": gpomdp(τ, case.π) - gpomdp(τ, before),
        "the other way": gradient_increment(τ, before, case.π),
    }
    for name, increment in wrong.items():
        assert (mean(p, increment, 2) != expected).any(), name


@pytest.mark.parametrize("share", [0, "1/3", 1])
def test_recursive_momentum_shrinks_the_mean_error_and_adds_variance(case, share):
    """STORM-PG: E e_t = (1 − η) e_{t−1} and E‖e_t‖² = (1 − η)² ‖e_{t−1}‖² + tr Var(g − (1 − η) g_ω)."""
    η, d = rational(share)[()], case.r
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    increment = gradient_increment(τ, case.π, case.other)
    e = recursive_momentum(d, gpomdp(τ, case.π), increment, η) - gradient_of(case, case.π)
    before = d - gradient_of(case, case.other)
    assert (mean(p, e, 2) == (1 - η) * before).all()
    noise = gpomdp(τ, case.π) - (1 - η) * gpomdp(off_policy(τ, case.π, case.other), case.other)
    expected = (1 - η) ** 2 * total(before * before, 2) + trace_variance(p, noise, 2)
    assert second_moment(p, e, 2) == expected


def test_the_variance_of_a_weight_is_that_of_a_short_step():
    """Var ω <= n ‖Δ‖² exp(√2 n ‖Δ‖) and ω <= exp(√2 n ‖Δ‖) for n steps and logits that moved by Δ, in balls.

    This is `zhang2021.weight`.  From the uniform policy of two actions Var ω = n ‖Δ‖² / 2 + O(‖Δ‖³), so that a factor
    of 0.45 is refuted.
    """
    n, zero = 4, rational(np.zeros((1, 2), dtype=int))
    mdp = DiscountedMDP(rational([[[1], [1]]]), zero, rational("1/2")[()])
    for size in ("1/1000", "1/2", 1):
        Δ = rational([[1, -1]]) * rational(size)[()]
        π = softmax(zero)
        τ, p = every_trajectory(mdp, π, n)
        ω = trajectory_weight(τ, π, softmax(Δ))
        length = norm(Δ, 2)
        largest = exp(sqrt(rational(2)[()]) * n * length)
        variance = trace_variance(p, ω)
        # ‖Δ‖ is √2 times the size, the range of Δ its double: the bound on ω is attained at no finite size.
        assert all(w < largest for w in ω)
        assert variance < n * length**2 * largest
    Δ = rational([[1, -1]]) / 1000
    variance = trace_variance(p, trajectory_weight(τ, π, softmax(Δ)))
    assert variance > rational("45/100")[()] * n * total(Δ * Δ, 2)


def test_increments_vary_less_than_estimates_on_short_steps(case):
    τ, p = every_trajectory(case.mdp, case.π, case.H)
    near = case.π + (case.other - case.π) / 64
    assert trace_variance(p, gradient_increment(τ, case.π, near), 2) < trace_variance(p, gpomdp(τ, case.π), 2) / 64
    assert expand(trace_variance(p, visit_increment(τ, case.π, case.π), 2), 0) == 0
