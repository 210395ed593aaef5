"""Mei, Xiao, Szepesvári and Schuurmans (2020), On the Global Convergence Rates of Softmax Policy Gradient Methods."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from sympy import Abs, Eq, Max, Min, Rational, exp, log, sqrt

from mdplab import arrays, exact
from mdplab.arrays import expand, largest, namespace, norm, rational, rational_number, smallest, sup, total
from mdplab.instances import (
    Domain,
    bad_start,
    bandits,
    discounted_mdps,
    distributions,
    forgotten_state,
    logits,
    numbers,
    policies,
    rare_best_arm,
    rare_best_policy,
    slow_bandit,
    two_armed_bandit,
    two_by_two,
    two_by_two_logits,
)
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import entropy_pg, geometric, softmax_pg
from mdplab.theorem import (
    Quantity,
    Without,
    as_printed,
    for_all,
    identity,
    positive_start,
    rewards_in_unit_interval,
    theorem,
    unique_optimal_actions,
)

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
η = Quantity(r"\eta", "step size", accuracy="exact")
τ = Quantity(r"\tau", "temperature of the entropy", accuracy="exact")
t = Quantity("t", "iterates, numbered from 1", integer=True)
S = Quantity("S", "number of states", integer=True)
A = Quantity("A", "number of actions", integer=True)
K = Quantity("K", "number of arms", integer=True)
gap = Quantity(r"V^*(\rho) - V^{\pi_{\theta_t}}(\rho)", "sub-optimality at ρ", accuracy="relative")
regret = Quantity(r"(\pi^* - \pi_{\theta_t})^\top r", "sub-optimality of the arms' mixture", accuracy="relative")
δ = Quantity(r"\delta_t", "sub-optimality at μ, the start distribution of the ascent", accuracy="relative")
c = Quantity("c_t", "smallest probability of an optimal action, over states and iterates 1, ..., t", accuracy="relative")
over_start = Quantity(
    r"\left\| d^{\pi^*}_\mu / \mu \right\|_\infty", "mismatch of the optimal visits and μ", accuracy="relative"
)
rarest = Quantity(r"\left\| 1 / \mu \right\|_\infty", "one over the smallest start probability", accuracy="relative")


# ------------------------------------------------------------------------------------------------- what is measured how


def number(mdp, p, q=1):
    """p / q in the arithmetic of the model."""
    return p * (0 * mdp.discount + 1) / q


def indicator(mask, like):
    """One where `mask` is true, else zero, in the arithmetic of `like`."""
    return rational(mask.astype(int)) if arrays.is_exact(like) else namespace(like).astype(mask, like.dtype)


def derivative(mdp, π, q):
    """∂V^π(μ) / ∂θ(s, a), the Bellman equation differentiated: (I − γP) V' = Σ_b π'(b) q(b);  -> (..., S, A).

    `q` (..., S, A) is what one action is worth: Q^π, or Q̃^π − τ log π.  No visits and no advantages enter here.
    """
    P, _ = mdp.under(π)
    one_action = π[..., :, None] * (arrays.identity_like(π) - π[..., None, :])  # ∂π(b | s) / ∂θ(s, a)
    change = arrays.identity_like(P)[:, None, :, None] * one_action[..., None, :]  # (..., s, a, t, b)
    resolvent = arrays.identity_like(P) - mdp.γ(2) * P
    dV = arrays.solve(resolvent[..., None, None, :, :], total(change * q[..., None, None, :, :]))
    return total(dV * mdp.start[..., None, None, :])


def mismatch(d, e):
    """‖d / e‖_∞ of two distributions over states."""
    return largest(d / e)


# ------------------------------------------------------------------------------------------------------- A. Identities

dV = Quantity(r"\frac{\partial V^{\pi_\theta}(\mu)}{\partial \theta(s, a)}", "derivative in one logit")
d = Quantity(r"d^{\pi_\theta}_\mu(s)", "share of time spent in s", accuracy="relative")
μ = Quantity(r"\mu(s)", "start distribution", accuracy="exact")
π_sa = Quantity(r"\pi_\theta(a | s)", "probability of the action", accuracy="relative")
Adv = Quantity(r"A^{\pi_\theta}(s, a)", "advantage")
Q = Quantity(r"Q^{\pi_\theta}(s, a)", "action value")

with as_printed():
    policy_gradient = Eq(dV, 1 / (1 - γ) * d * π_sa * Adv)
    without_horizon = Eq(dV, d * π_sa * Adv)
    action_values = Eq(dV, 1 / (1 - γ) * d * π_sa * Q)
    start_for_visits = Eq(dV, 1 / (1 - γ) * μ * π_sa * Adv)
    without_policy = Eq(dV, 1 / (1 - γ) * d * Adv)


def two_by_two_policy():
    """I1 with probabilities near those of its logits, in rationals."""
    return {"mdp": two_by_two(), "π": rational([["13/20", "7/20"], ["73/100", "27/100"]])}


@theorem(
    policy_gradient,
    cite="mei2020",
    at="Theorem 1 and Lemma 1",
    source="recalled",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "π": policies},
    named={"two by two": two_by_two_policy},
    near_misses={
        "without 1 / (1 − γ)": without_horizon,
        "action values for advantages": action_values,
        "start distribution for visits": start_for_visits,
        "without π(a | s)": without_policy,
    },
    note="Derived again with the same constant.",
)
def lem1(mdp, π):
    """The policy gradient: a logit matters by visits times probability times advantage.

    The left side differentiates the Bellman equation; on rational policies both sides are rational and equal.
    """
    yield {
        γ: mdp.discount,
        dV: derivative(mdp, π, exact.action_values(mdp, π)),
        d: exact.occupancy(mdp, π)[..., None],
        μ: mdp.start[..., None],
        π_sa: π,
        Adv: exact.advantages(mdp, π),
        Q: exact.action_values(mdp, π),
    }


dV_soft = Quantity(r"\frac{\partial \tilde V^{\pi_\theta}(\mu)}{\partial \theta(s, a)}", "derivative of the soft value")
soft_Adv = Quantity(r"\tilde A^{\pi_\theta}(s, a)", r"soft advantage, with −τ log π")
no_entropy = Quantity(r"\tilde Q^{\pi_\theta}(s, a) - \tilde V^{\pi_\theta}(s)", "soft advantage without −τ log π")

with as_printed():
    soft_gradient = Eq(dV_soft, 1 / (1 - γ) * d * π_sa * soft_Adv)
    log_forgotten = Eq(dV_soft, 1 / (1 - γ) * d * π_sa * no_entropy)
    soft_without_horizon = Eq(dV_soft, d * π_sa * soft_Adv)


@theorem(
    soft_gradient,
    cite="mei2020",
    at="Lemma 10",
    source="recalled",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "θ": logits, "temperature": numbers("1/10", 2)},
    named={"two by two": lambda: {"mdp": two_by_two(), "θ": two_by_two_logits(), "temperature": rational_number("1/2")}},
    near_misses={"without −τ log π in the advantage": log_forgotten, "without 1 / (1 − γ)": soft_without_horizon},
    note="Derived again with the same constant.",
)
def lem10(mdp, θ, temperature):
    """The gradient of the soft value is visits times probability times soft advantage.

    With Ã(s, a) = Q̃(s, a) − τ log π(a | s) − Ṽ(s): the entropy at (s, a) itself belongs to the advantage.
    """
    log_π = arrays.log_softmax(θ)
    π, q = arrays.exp(log_π), exact.soft_action_values(mdp, log_π, temperature)
    yield {
        γ: mdp.discount,
        dV_soft: derivative(mdp, π, q - expand(temperature, 2) * log_π),
        d: exact.occupancy(mdp, π)[..., None],
        π_sa: π,
        soft_Adv: exact.soft_advantages(mdp, log_π, temperature),
        no_entropy: q - expand(exact.soft_values(mdp, log_π, temperature), 1),
    }


soft_loss = Quantity(r"\tilde V^*(\rho) - \tilde V^{\pi_\theta}(\rho)", "soft sub-optimality at ρ")
KL = Quantity(
    r"\sum_s d^{\pi_\theta}_\rho(s)\, \mathrm{KL}(\pi_\theta(\cdot|s) \,\|\, \pi^*_\tau(\cdot|s))",
    "mean divergence from the soft optimal policy where the policy goes",
)
KL_reversed = Quantity(
    r"\sum_s d^{\pi_\theta}_\rho(s)\, \mathrm{KL}(\pi^*_\tau(\cdot|s) \,\|\, \pi_\theta(\cdot|s))", "divergence reversed"
)
KL_elsewhere = Quantity(
    r"\sum_s d^{\pi^*_\tau}_\rho(s)\, \mathrm{KL}(\pi_\theta(\cdot|s) \,\|\, \pi^*_\tau(\cdot|s))",
    "mean divergence where the soft optimal policy goes",
)

with as_printed():
    soft_suboptimality = Eq(soft_loss, τ / (1 - γ) * KL)
    kl_reversed = Eq(soft_loss, τ / (1 - γ) * KL_reversed)
    visits_of_optimum = Eq(soft_loss, τ / (1 - γ) * KL_elsewhere)


@theorem(
    soft_suboptimality,
    cite="mei2020",
    at="Lemma 26",
    judge=identity(),
    on={"mdp": discounted_mdps(), "θ": logits, "ρ": distributions, "temperature": numbers("1/10", 2)},
    named={
        "two by two": lambda: {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "ρ": two_by_two().start,
            "temperature": rational_number("1/2"),
        }
    },
    near_misses={"KL reversed": kl_reversed, "visits of the soft optimal policy": visits_of_optimum},
)
def lem26(mdp, θ, ρ, temperature):
    """What a policy lacks of the soft optimal value is τ times its KL divergence from the soft optimal policy."""
    log_π, best = arrays.log_softmax(θ), exact.soft_optimum(mdp, temperature)
    π, optimal = arrays.exp(log_π), arrays.exp(best.log_π)
    here = total(π * (log_π - best.log_π))
    visits = exact.occupancy(mdp, π, ρ)
    yield {
        γ: mdp.discount,
        τ: temperature,
        soft_loss: total(ρ * (best.v - exact.soft_values(mdp, log_π, temperature))),
        KL: total(visits * here),
        KL_reversed: total(visits * total(optimal * (best.log_π - log_π))),
        KL_elsewhere: total(exact.occupancy(mdp, optimal, ρ) * here),
    }


# ------------------------------------------------------------------------------------------------------ B. Smoothness

bend = Quantity(r"u^\top \nabla^2_\theta V^{\pi_\theta}(\rho)\, u", "curvature of the value along u")
arm_bend = Quantity(r"u^\top \nabla^2_\theta (\pi_\theta^\top r)\, u", "curvature of the arms' mixture along u")
entropy_bend = Quantity(r"u^\top \nabla^2_\theta \mathbb H(\rho, \pi_\theta)\, u", "curvature of the entropy along u")
length = Quantity(r"\| u \|_2^2", "squared length of the direction", accuracy="relative")
spread_of_rewards = Quantity(r"(\max r - \min r)", "range of the rewards", accuracy="exact")


def flat(u):
    """(..., S, A) -> (..., S·A)."""
    return namespace(u).reshape(u, (*u.shape[:-2], u.shape[-2] * u.shape[-1]))


def quadratic(H, u):
    """u' H u;  H (..., S·A, S·A), u (..., S, A) -> (...)."""
    u = flat(u)
    return total(u[..., :, None] * H * u[..., None, :], 2)


def entropy_bends(mdp, π, u):
    """u' ∇² H(μ, π_θ) u: as of the value of the surprise −log π held fixed, less visits times the variance of u.

    Along u the surprise changes by −(u − ū) and, twice, by the variance of u under π; together with the change of π
    the first counts −2 times the variance and the second once.
    """
    surprise = DiscountedMDP(mdp.P, -arrays.log(π), mdp.discount, mdp.start)
    variance = total(π * (u - expand(total(π * u), 1)) ** 2)
    return quadratic(exact.softmax_hessian(surprise, π), u) - total(exact.visits(mdp, π) * variance)


def directions(reward=lambda mdp, π: mdp.r):
    """Directions in the space of logits; batched ones follow the strongest curvature of the value."""

    def strongest(mdp, π):
        H = exact.softmax_hessian(DiscountedMDP(mdp.P, reward(mdp, π), mdp.discount, mdp.start), π)
        size, vectors = np.linalg.eigh(H)
        top = abs(size).argmax(axis=-1)[..., None, None]
        return np.take_along_axis(vectors, top, axis=-1)[..., 0].reshape(π.shape)

    return Domain(logits.draw, strongest, logits.simplest)


def sharpest_bandit():
    """r = (1, 0) and π(1) near (1 + 1/√3) / 2, along (1, −1)."""
    return {"mdp": two_armed_bandit(), "π": rational([["789/1000", "211/1000"]]), "u": rational([[1, -1]])}


with as_printed():
    arms_smooth = Abs(arm_bend) <= Rational(5, 2) * length
    arms_too_smooth = Abs(arm_bend) <= Rational(19, 100) * length
    arms_sharp = Abs(arm_bend) <= spread_of_rewards / (3 * sqrt(3)) * length
    arms_too_sharp = Abs(arm_bend) <= spread_of_rewards / (3 * sqrt(3) + Rational(1, 100)) * length


@theorem(
    arms_smooth,
    cite="mei2020",
    at="Lemma 2",
    judge=for_all(),
    on={"mdp": bandits(), "π": policies, "u": directions()},
    given=[rewards_in_unit_interval],
    named={"two arms": sharpest_bandit},
    near_misses={"19/100 in place of 5/2": arms_too_smooth, "rewards up to 20": {"scale": 20}},
)
def lem2(mdp, π, u, *, scale=1):
    """The expected reward of a softmax mixture of arms is 5/2-smooth in its logits.

    Thirteen times more than needed: see `lem2_sharp`.
    """
    yield {
        arm_bend: quadratic(scale * exact.softmax_hessian(mdp, π), u),
        length: total(u * u, 2),
    }


@theorem(
    arms_sharp,
    cite="mei2020",
    at="Lemma 2, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": bandits(), "π": policies, "u": directions()},
    named={"two arms": sharpest_bandit},
    near_misses={"an eight-hundredth less": arms_too_sharp, "19/100 for rewards in [0, 1]": arms_too_smooth},
    note="Proved for two arms; for more arms only a search for counterexamples that found none.",
)
def lem2_sharp(mdp, π, u):
    """The mixture of arms is (max r − min r) / (3√3)-smooth, 0.19245 for rewards in [0, 1].

    Attained by two arms at π(1) = (1 + 1/√3) / 2: p (1 − p) (1 − 2p) (u_1 − u_2)² is largest there.
    """
    yield {
        arm_bend: quadratic(exact.softmax_hessian(mdp, π), u),
        length: total(u * u, 2),
        spread_of_rewards: mdp.reward_range,
    }


def patient_loop():
    """The sharpest bandit at every step of a single state, γ = 99/100: all second derivatives times 100."""
    return sharpest_bandit() | {
        "mdp": DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("99/100"))
    }


with as_printed():
    value_smooth = Abs(bend) <= 8 / (1 - γ) ** 3 * length
    value_smooth_without_horizon = Abs(bend) <= 8 * length
    value_too_smooth = Abs(bend) <= Rational(19, 100) / (1 - γ) * length
    value_smoother = Abs(bend) <= 1 / (2 * (1 - γ) ** 3) * length
    value_smoother_by_nine = Abs(bend) <= 1 / (18 * (1 - γ) ** 3) * length


@theorem(
    value_smooth,
    cite="mei2020",
    at="Lemma 7",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies, "u": directions()},
    given=[rewards_in_unit_interval],
    named={"two arms": sharpest_bandit, "patient loop": patient_loop},
    near_misses={"8 without the horizon": value_smooth_without_horizon, "19/100 / (1 − γ)": value_too_smooth},
    note="8 / (1 − γ)² and 8 / (1 − γ) were not refuted by anything we tried.",
)
def lem7(mdp, π, u):
    """The value of a softmax policy is 8 / (1 − γ)³-smooth in the logits.

    Every convergence theorem below takes its step size from here; see `lem7_sharp` for a sixteenth of it.
    """
    yield {γ: mdp.discount, bend: quadratic(exact.softmax_hessian(mdp, π), u), length: total(u * u, 2)}


@theorem(
    value_smoother,
    cite="mei2020",
    at="Lemma 7, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies, "u": directions()},
    given=[rewards_in_unit_interval],
    named={"two arms": sharpest_bandit, "patient loop": patient_loop},
    near_misses={
        "half of it is one half without the horizon": value_smooth_without_horizon,
        "a tenth of it": value_smoother_by_nine,
        "19/100 / (1 − γ)": value_too_smooth,
    },
)
def lem7_sharp(mdp, π, u):
    """The value of a softmax policy is 1 / (2 (1 − γ)³)-smooth in the logits.

    Along a unit direction Σ_a |π'| <= 1/√2 and Σ_a |π''| <= 1; signed measures of mass zero see half the range of Q.
    """
    yield {γ: mdp.discount, bend: quadratic(exact.softmax_hessian(mdp, π), u), length: total(u * u, 2)}


def indifferent_loop():
    """One state, two actions alike, γ = 99/100, at the uniform policy: the entropy bends by 1 / (2 (1 − γ))."""
    return {
        "mdp": DiscountedMDP(rational([[[1], [1]]]), rational([[1, 1]]), rational_number("99/100")),
        "π": rational([["1/2", "1/2"]]),
        "u": rational([[1, -1]]),
    }


with as_printed():
    entropy_smooth = Abs(entropy_bend) <= (4 + 8 * log(A)) / (1 - γ) ** 3 * length
    entropy_without_horizon = Abs(entropy_bend) <= (4 + 8 * log(A)) * length
    entropy_too_smooth = Abs(entropy_bend) <= Rational(49, 100) / (1 - γ) * length


@theorem(
    entropy_smooth,
    cite="mei2020",
    at="Lemma 14",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies, "u": directions(lambda mdp, π: -arrays.log(π))},
    named={"indifferent loop": indifferent_loop},
    near_misses={"4 + 8 log A without the horizon": entropy_without_horizon, "49/100 / (1 − γ)": entropy_too_smooth},
)
def lem14(mdp, π, u):
    """The discounted entropy of a softmax policy is (4 + 8 log A) / (1 − γ)³-smooth in the logits."""
    yield {γ: mdp.discount, A: mdp.A, entropy_bend: entropy_bends(mdp, π, u), length: total(u * u, 2)}


# --------------------------------------------------------------------------------------------------------- C. Bandits

slope = Quantity(r"\left\| \nabla_\theta\, \pi_\theta^\top r \right\|_2", "length of the gradient")
p_best = Quantity(r"\pi_\theta(a^*)", "probability of the best arm", accuracy="relative")
p_most = Quantity(r"\max_a \pi_\theta(a)", "probability of the likeliest arm", accuracy="relative")
lacks = Quantity(r"(\pi^* - \pi_\theta)^\top r", "sub-optimality of the mixture", accuracy="relative")
Δ = Quantity(r"\Delta", "lead of the best arm over the second", accuracy="exact")
total_regret = Quantity(r"\sum_{i=1}^t (\pi^* - \pi_{\theta_i})^\top r", "sum of the sub-optimalities", accuracy="relative")

with as_printed():
    lojasiewicz = slope >= p_best * lacks
    lojasiewicz_of_likeliest = slope >= p_most * lacks
    lojasiewicz_of_half = slope >= Rational(1, 2) * lacks
    lojasiewicz_sharp = sqrt(1 - 1 / K) * slope >= p_best * lacks
    lojasiewicz_too_sharp = (1 - 1 / K) * slope >= p_best * lacks


def best_probability(π, best):
    """Smallest π(a*(s) | s) over the states."""
    return smallest(total(π * best.policy))


def rare_best():
    return {"mdp": rare_best_arm(), "π": rare_best_policy()}


def one_good_arm():
    """r = (1, 0, 0) at the uniform policy, where both other arms pull alike."""
    return {"mdp": rare_best_arm(), "π": rational([["1/3", "1/3", "1/3"]])}


@theorem(
    lojasiewicz,
    cite="mei2020",
    at="Lemma 3",
    source="recalled",
    judge=for_all(),
    on={"mdp": bandits(), "π": policies},
    named={"rare best arm": rare_best, "one good arm": one_good_arm},
    near_misses={
        "likeliest for best arm": lojasiewicz_of_likeliest,
        "a constant for π(a*)": lojasiewicz_of_half,
        "sharper than `lem3_sharp`": lojasiewicz_too_sharp,
    },
    note="Derived again with the same constant.",
)
def lem3(mdp, π):
    """The gradient is at least π(a*) times the sub-optimality: a Łojasiewicz inequality of degree zero.

    It cannot hold with a constant in place of π(a*): on r = (1, 0, 0), π = (2ε, 1/2 − 2ε, 1/2) the gap is 1 − 2ε and the
    gradient at most 3ε (Remark 1 of the paper).
    """
    best = exact.optimum(mdp)
    yield {
        K: mdp.A,
        slope: norm(exact.softmax_gradient(mdp, π), 2),
        p_best: best_probability(π, best),
        p_most: largest(π, 2),
        lacks: exact.gap(mdp, π, best),
    }


@theorem(
    lojasiewicz_sharp,
    cite="mei2020",
    at="Lemma 3, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": bandits(), "π": policies},
    named={"one good arm": one_good_arm, "rare best arm": rare_best},
    near_misses={"1 − 1/K without its root": lojasiewicz_too_sharp, "likeliest for best arm": lojasiewicz_of_likeliest},
)
def lem3_sharp(mdp, π):
    """The gradient is at least √(K / (K − 1)) π(a*) times the sub-optimality.

    Its entries sum to zero, so the others weigh at least 1 / (K − 1) of the square at a*; equality when they agree.
    """
    yield from lem3(mdp, π)


with as_printed():
    reversed_lojasiewicz = slope <= sqrt(2) / Δ * lacks
    reversed_without_root = slope <= 1 / Δ * lacks
    reversed_sharp = slope <= sqrt(2) * lacks
    reversed_too_sharp = slope <= sqrt(2) * p_best * lacks * Rational(99, 100)
    reversed_one = slope <= lacks


def nearly_best():
    """r = (1, 0) with π(a*) = 99/100: the gradient is 0.99 √2 times the gap."""
    return {"mdp": two_armed_bandit(), "π": rational([["99/100", "1/100"]])}


@theorem(
    reversed_lojasiewicz,
    cite="mei2020",
    at="Lemma 17",
    source="recalled",
    judge=for_all(),
    on={"mdp": bandits(unique_best=True), "π": policies},
    given=[rewards_in_unit_interval, unique_optimal_actions],
    named={"nearly best": nearly_best},
    near_misses={"1 / Δ for √2 / Δ": reversed_without_root, "with π(a*) and a hundredth less": reversed_too_sharp},
    note="Derived again with the same constant.  1 / Δ is not needed: see `lem17_sharp`.",
)
def lem17(mdp, π):
    """The gradient is at most √2 / Δ times the sub-optimality, which bounds progress from above."""
    best = exact.optimum(mdp)
    yield {
        slope: norm(exact.softmax_gradient(mdp, π), 2),
        lacks: exact.gap(mdp, π, best),
        Δ: best.action_gap,
        p_best: best_probability(π, best),
    }


@theorem(
    reversed_sharp,
    cite="mei2020",
    at="Lemma 17, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": bandits(), "π": policies},
    named={"nearly best": nearly_best},
    near_misses={"1 for √2": reversed_one, "with π(a*) and a hundredth less": reversed_too_sharp},
)
def lem17_sharp(mdp, π):
    """The gradient is at most √2 times the sub-optimality, however small the lead of the best arm, ties included.

    Entries sum to zero, so ‖g‖_2 <= √2 Σ g⁺, and Σ g⁺ = Σ π (r − r̄)⁺ <= r(a*) − r̄.
    """
    best = exact.optimum(mdp)
    yield {
        slope: norm(exact.softmax_gradient(mdp, π), 2),
        lacks: exact.gap(mdp, π, best),
        p_best: best_probability(π, best),
    }


ARM_RUN = 2000  # updates in float64
with as_printed():
    arms_rate = regret <= 5 / (t * c**2)
    arms_regret = total_regret <= Min(sqrt(5 * t) / c, 5 * log(t) / c**2 + 1)
    arms_rate_fast = regret <= 1 / (t * c**2)
    arms_regret_fast = total_regret <= Min(sqrt(5 * t) / c, log(t) / c**2 + 1) * Rational(1, 3)
    arms_rate_without_c = regret <= 5 / t


def two_fifths(mdp):
    """η = 2/5, the step of Theorems 2 and 3."""
    return number(mdp, 2, 5)


def hundredth(mdp):
    return number(mdp, 1, 100)


def along_ascent(mdp, θ, η):
    """Yield the quantities of Lemma 4 along softmax policy gradient with step size η."""
    best = exact.optimum(mdp)
    for it in softmax_pg(mdp, θ, step_size=η, at=geometric(ARM_RUN), optimum=best):
        yield {
            t: it.k + 1,
            K: mdp.A,
            c: it.least,
            regret: exact.gap(mdp, it.π, best),
            total_regret: it.total_gap,
        }


def badly_started():
    return {"mdp": slow_bandit(), "θ": arrays.log(bad_start())}


def best_of(n):
    """r = (1, 0, ..., 0) with n arms."""
    return bandit(rational([1] + [0] * (n - 1)))


@theorem(
    {"at t": arms_rate, "up to t": arms_regret},
    cite="mei2020",
    at="Lemma 4",
    source="recalled",
    judge=for_all(t, up_to=ARM_RUN + 1),
    on={"mdp": bandits(), "θ": logits},
    given=[rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "bad start": badly_started, "five arms": lambda: best_of(5)},
    near_misses={
        "1 for 5": arms_rate_fast,
        "a third of the sum's bound": arms_regret_fast,
        "without c": arms_rate_without_c,
        "step size 1/100": {"step": hundredth},
    },
    note="Derived again with the same constants.  c is the running minimum: the proof uses only iterates up to t.",
)
def lem4(mdp, θ, *, step=two_fifths):
    """With step 2/5 the sub-optimality is at most 5 / (t c²), and its sum grows like a root or a logarithm."""
    yield from along_ascent(mdp, θ, step(mdp))


@theorem(
    arms_rate,
    cite="mei2020",
    at="Theorem 2",
    judge=for_all(t, up_to=ARM_RUN + 1),
    on={"mdp": bandits(), "θ": logits},
    given=[rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "bad start": badly_started, "five arms": lambda: best_of(5)},
    near_misses={"1 for 5": arms_rate_fast, "without c": arms_rate_without_c, "step size 1/100": {"step": hundredth}},
    trivial=1,
    note="The paper's c is the infimum over all t; the running minimum is larger, and the proof needs no more.",
)
def thm2(mdp, θ, *, step=two_fifths):
    """From any start, with step 2/5, the sub-optimality of a bandit falls as 5 / (c² t).

    Here c_t is the smallest probability of one fixed best arm so far.  It can be tiny: see the bad start of Figure 1.
    """
    yield from along_ascent(mdp, θ, step(mdp))


with as_printed():
    uniform_rate = regret <= 5 * K**2 / t
    uniform_regret = total_regret <= Min(K * sqrt(5 * t), 5 * K**2 * log(t) + 1)
    uniform_rate_without_K = regret <= 5 / t
    uniform_regret_without_K = total_regret <= Min(sqrt(5 * t), 5 * log(t) + 1)


def no_preference(mdp):
    """θ_1 = 0."""
    return 0 * mdp.r


def worst_preferred(mdp):
    """Logits that prefer an arm the more the less it pays."""
    return -5 * mdp.r


@theorem(
    uniform_rate,
    cite="mei2020",
    at="Theorem 3",
    source="recalled",
    judge=for_all(t, up_to=ARM_RUN + 1),
    on={"mdp": bandits()},
    given=[rewards_in_unit_interval],
    named={"ten arms": lambda: best_of(10), "slow bandit": slow_bandit},
    near_misses={"without K²": uniform_rate_without_K, "bad arms preferred at first": {"start": worst_preferred}},
    trivial=1,
    note="Derived again with the same constant; 5K / t was not refuted by anything we tried.",
)
def thm3(mdp, *, start=no_preference):
    """From the uniform policy, with step 2/5, the sub-optimality of a bandit is at most 5K² / t."""
    yield from along_ascent(mdp, start(mdp), two_fifths(mdp))


@theorem(
    uniform_regret,
    cite="mei2020",
    at="Theorem 3, second part",
    source="recalled",
    judge=for_all(t, up_to=ARM_RUN + 1),
    on={"mdp": bandits()},
    given=[rewards_in_unit_interval],
    named={"ten arms": lambda: best_of(10), "slow bandit": slow_bandit},
    near_misses={"without K": uniform_regret_without_K, "bad arms preferred at first": {"start": worst_preferred}},
    trivial=t,
    note="Derived again with the same constants.",
)
def thm3_sum(mdp, *, start=no_preference):
    """From the uniform policy the summed sub-optimality is at most K√(5t), and at most 5K² log t + 1."""
    yield from along_ascent(mdp, start(mdp), two_fifths(mdp))


others = Quantity(r"1 - \pi_{\theta_t}(a^*)", "probability of the other arms", accuracy="relative")
others_next = Quantity(r"1 - \pi_{\theta_{t+1}}(a^*)", "the same after one more update", accuracy="relative")
worst_next = Quantity(r"\pi_{\theta_{t+1}}(a^{**})", "probability of the second best arm", accuracy="relative")
worst_now = Quantity(r"\pi_{\theta_t}(a^{**})", "probability of the second best arm", accuracy="relative")

with as_printed():
    monotone = others_next <= others
    second_too = worst_now <= worst_next


@theorem(
    monotone,
    cite="mei2020",
    at="Proposition 2",
    judge=for_all(t, up_to=100, exactly_up_to=6),
    on={"mdp": bandits(unique_best=True), "step": numbers("1/1000", 1000)},
    given=[unique_optimal_actions],
    named={
        "slow bandit": lambda: {"mdp": slow_bandit(), "step": rational_number("2/5")},
        "large step": lambda: {"mdp": slow_bandit(), "step": rational_number(10)},
    },
    near_misses={"the second best arm too": second_too, "bad arms preferred at first": {"start": worst_preferred}},
    note="For every step size, by our derivation; the paper has it for its own.",
)
def prop2(mdp, step, *, start=no_preference):
    """From the uniform policy the probability of the best arm never falls, for any step size.

    If θ(a*) is the largest logit, π(a*)(r(a*) − r̄) is the largest entry of the gradient, so the order is kept.
    """
    best = exact.optimum(mdp)
    second = indicator(best.loss == expand(best.action_gap, 2), mdp.r)
    for now, new in pairwise(softmax_pg(mdp, start(mdp), step_size=step)):
        yield {
            t: now.k + 1,
            others: total((1 - best.policy) * now.π, 2),
            others_next: total((1 - best.policy) * new.π, 2),
            worst_now: total(second * now.π, 2),
            worst_next: total(second * new.π, 2),
        }
