"""Mei, Xiao, Szepesvári and Schuurmans (2020), On the Global Convergence Rates of Softmax Policy Gradient Methods."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from sympy import Abs, Eq, Min, Rational, exp, log, sqrt

from mdplab import arrays, exact
from mdplab.arrays import expand, largest, namespace, norm, rational, rational_number, smallest, sup, total
from mdplab.instances import (
    Domain,
    Family,
    bad_start,
    bandits,
    discounted_mdps,
    distributions,
    families,
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
    Assumption,
    Quantity,
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
c = Quantity(
    "c_t", "smallest probability of an optimal action, over states and iterates 1, ..., t", accuracy="relative"
)
over_start = Quantity(
    r"\left\| d^{\pi^*}_\mu / \mu \right\|_\infty", "mismatch of the optimal visits and μ", accuracy="relative"
)
rarest = Quantity(r"\left\| 1 / \mu \right\|_\infty", "one over the smallest start probability", accuracy="relative")


several_actions = Assumption(
    r"A \ge 2",
    "there is more than one action",
    lambda mdp: np.full(mdp.batch, mdp.A > 1),
    lambda mdp: "it has one action",
)

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


def lead(mdp, best):
    """Δ*, the smallest loss of an action other than the optimal one; where there is no other, one: nothing is lost."""
    return best.action_gap if mdp.A > 1 else 1 + 0 * best.loss[..., 0, 0]


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
    named={
        "two by two": lambda: {"mdp": two_by_two(), "θ": two_by_two_logits(), "temperature": rational_number("1/2")}
    },
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
    r"\sum_s d^{\pi_\theta}_\rho(s)\, \mathrm{KL}(\pi^*_\tau(\cdot|s) \,\|\, \pi_\theta(\cdot|s))",
    "divergence reversed",
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
    near_misses={"1 / (3√3 + 1/100)": arms_too_sharp, "19/100 for rewards in [0, 1]": arms_too_smooth},
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
        "8 without the horizon": value_smooth_without_horizon,
        "a ninth of it": value_smoother_by_nine,
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
total_regret = Quantity(
    r"\sum_{i=1}^t (\pi^* - \pi_{\theta_i})^\top r", "sum of the sub-optimalities", accuracy="relative"
)

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

    It cannot hold with a constant in place of π(a*): on r = (1, 0, 0), π = (2ε, 1/2 − 2ε, 1/2) the gap is 1 − 2ε and
    the gradient at most 3ε (Remark 1 of the paper).
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


ARM_RUN = 500  # updates in float64
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


def well_started():
    """r = (1, 0) from π(a*) = 0.95, where t c² δ_t comes to 1.1."""
    return {"mdp": two_armed_bandit(), "θ": rational([[3, 0]])}


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
    named={"two arms": two_armed_bandit, "bad start": badly_started, "better arm preferred": well_started},
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
    named={"two arms": two_armed_bandit, "bad start": badly_started, "better arm preferred": well_started},
    near_misses={"1 for 5": arms_rate_fast, "without c": arms_rate_without_c, "step size 1/100": {"step": hundredth}},
    trivial=1,
    note="The constant is derived.  The paper's c is the infimum over all t; the running minimum is larger, and the "
    "proof needs no more.",
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
second_next = Quantity(r"\pi_{\theta_{t+1}}(a^{**})", "probability of the second best arm", accuracy="relative")
second_now = Quantity(r"\pi_{\theta_t}(a^{**})", "probability of the second best arm", accuracy="relative")

with as_printed():
    monotone = others_next <= others
    second_too = second_now <= second_next


@theorem(
    monotone,
    cite="mei2020",
    at="Proposition 2",
    judge=for_all(t, up_to=100, exactly_up_to=6),
    on={"mdp": bandits(unique_best=True), "step": numbers("1/1000", 10)},
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
            second_now: total(second * now.π, 2),
            second_next: total(second * new.π, 2),
        }


progress = Quantity(
    r"(\pi_{\theta_{t+1}} - \pi_{\theta_t})^\top r", "what one update gains; absolute rounding of two close policies"
)
with as_printed():
    arms_lower = regret >= Δ**2 / (6 * t)
    arms_lower_too_high = regret >= 6 * Δ**2 / t
    arms_progress = progress <= (η + Rational(5, 4) * η**2) * (2 / Δ**2) * regret**2
    arms_progress_third = progress <= (η + Rational(5, 4) * η**2) * Rational(1, 3) * regret**2
    arms_progress_sharp = progress <= (2 * η + Rational(1, 2) * η**2) * regret**2
    arms_progress_first_order = progress <= Rational(1, 2) * (2 * η + Rational(1, 2) * η**2) * regret**2


def best_preferred(mdp):
    """Logits close to an optimal policy."""
    return 5 * exact.optimum(mdp).policy


@theorem(
    arms_lower,
    cite="mei2020",
    at="Theorem 9",
    source="recalled",
    judge=for_all(t, up_to=ARM_RUN + 1),
    on={"mdp": bandits(unique_best=True), "step": numbers("1/100", 1)},
    given=[rewards_in_unit_interval, unique_optimal_actions],
    named={"two arms": lambda: {"mdp": two_armed_bandit(), "step": rational_number(1)}, "slow bandit": slow_bandit},
    near_misses={
        "6 for 1/6": arms_lower_too_high,
        "a start close to the optimum": {"start": best_preferred},
    },
    note="The paper has it for all large t and any start; judged here from the uniform policy, where it holds from "
    "t = 1 on.  From a start that is nearly optimal it fails at first.  The constant is derived again.",
)
def thm9(mdp, step, *, start=no_preference):
    """No step size up to 1 makes the sub-optimality of a bandit fall faster than Δ² / (6t)."""
    best = exact.optimum(mdp)
    for it in softmax_pg(mdp, start(mdp), step_size=step, at=geometric(ARM_RUN)):
        yield {t: it.k + 1, Δ: best.action_gap, regret: exact.gap(mdp, it.π, best)}


def gain(mdp, now, new):
    """V^new(μ) − V^now(μ), by the performance-difference identity."""
    return total(exact.visits(mdp, new) * total((new - now) * exact.advantages(mdp, now)))


@theorem(
    arms_progress,
    cite="mei2020",
    at="Theorem 9, one step",
    source="derived",
    judge=for_all(t, up_to=60, exactly_up_to=6),
    on={"mdp": bandits(unique_best=True), "θ": logits, "step": numbers("1/100", 1)},
    given=[rewards_in_unit_interval, unique_optimal_actions],
    named={"two arms": lambda: {"mdp": two_armed_bandit(), "θ": rational([[5, 0]]), "step": rational_number("2/5")}},
    near_misses={"1/3 for 2 / Δ²": arms_progress_third, "half of the sharper bound": arms_progress_first_order},
    uses=["mei2020.lem2", "mei2020.lem17"],
    note="What the proof shows of every update; the theorem follows by summing 1 / δ.",
)
def thm9_step(mdp, θ, step):
    """One update with step η gains at most (η + 5η²/4) 2/Δ² times the squared sub-optimality, from any start."""
    best = exact.optimum(mdp)
    for now, new in pairwise(softmax_pg(mdp, θ, step_size=step)):
        yield {
            t: now.k + 1,
            η: step,
            Δ: best.action_gap,
            regret: exact.gap(mdp, now.π, best),
            progress: gain(mdp, now.π, new.π),
        }


@theorem(
    arms_progress_sharp,
    cite="mei2020",
    at="Theorem 9, one step, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=60, exactly_up_to=6),
    on={"mdp": bandits(), "θ": logits, "step": numbers("1/100", 1)},
    given=[rewards_in_unit_interval],
    named={"two arms": lambda: {"mdp": two_armed_bandit(), "θ": rational([[5, 0]]), "step": rational_number("2/5")}},
    near_misses={"half of it": arms_progress_first_order, "1/3 for 2": arms_progress_third},
    uses=["mei2020.lem7_sharp", "mei2020.lem17_sharp"],
)
def thm9_step_sharp(mdp, θ, step):
    """One update gains at most (2η + η²/2) δ², whatever the lead Δ of the best arm, ties included.

    So the lower bound of Theorem 9 holds, for all large t, with 1 / (2.5 t) in place of Δ² / (6t).
    """
    best = exact.optimum(mdp)
    for now, new in pairwise(softmax_pg(mdp, θ, step_size=step)):
        yield {
            t: now.k + 1,
            η: step,
            regret: exact.gap(mdp, now.π, best),
            progress: gain(mdp, now.π, new.π),
        }


# ----------------------------------------------------------------------------- D. Markov decision processes, no entropy

steep = Quantity(r"\left\| \nabla_\theta V^{\pi_\theta}(\mu) \right\|_2", "length of the gradient")
lost = Quantity(r"[V^*(\rho) - V^{\pi_\theta}(\rho)]", "sub-optimality at ρ", accuracy="relative")
lost_at_μ = Quantity(r"[V^*(\mu) - V^{\pi_\theta}(\mu)]", "sub-optimality at μ", accuracy="relative")
M = Quantity(
    r"\left\| d^{\pi^*}_\rho / d^{\pi_\theta}_\mu \right\|_\infty", "mismatch of visits, π* from ρ", accuracy="relative"
)
p_star = Quantity(r"\min_s \pi_\theta(a^*(s)|s)", "smallest probability of an optimal action", accuracy="relative")
p_other = Quantity(
    r"\min_s \pi_\theta(b^*(s)|s)", "the same of another optimal policy than the one of d^{π*}", accuracy="relative"
)
p_any = Quantity(r"\min_s \max_a \pi_\theta(a|s)", "smallest probability of a likeliest action", accuracy="relative")
p_greedy = Quantity(
    r"\min_s \sum_{a \in \arg\max Q^{\pi_\theta}(s, \cdot)} \pi_\theta(a|s)",
    "smallest probability of the actions that are best for the policy's own action values",
    accuracy="relative",
)
weights = Quantity(
    r"\sum_s \left( \frac{d^{\pi^*}_\rho(s)}{d^{\pi_\theta}_\mu(s)\, \pi_\theta(a^*(s)|s)} \right)^2",
    "squares of mismatch over probability, summed over the states",
    accuracy="relative",
)

with as_printed():
    mdp_lojasiewicz = steep >= 1 / sqrt(S) * M**-1 * p_star * lost
    without_mismatch = steep >= 1 / sqrt(S) * p_star * lost
    without_root_S = steep >= M**-1 * p_star * lost
    likeliest_action = steep >= 1 / sqrt(S) * M**-1 * p_any * lost
    other_policy = steep >= 1 / sqrt(S) * M**-1 * p_other * lost
    mdp_lojasiewicz_sharp = sqrt(1 - 1 / A) * sqrt(weights) * steep >= lost
    mdp_lojasiewicz_too_sharp = (1 - 1 / A) * sqrt(weights) * steep >= lost
    greedy_lojasiewicz = steep >= 1 / sqrt(S * A) * M**-1 * p_greedy * lost
    greedy_without_mismatch = steep >= 1 / sqrt(S * A) * p_greedy * lost
    greedy_without_roots = steep >= M**-1 * p_greedy * lost


def last_optimal(best):
    """One-hot (..., S, A): in each state the last of the tied optimal actions, where `best.policy` has the first."""
    n = best.loss.shape[-1]
    free = best.loss == 0
    xp = np if arrays.is_exact(best.loss) else namespace(best.loss)
    return arrays.one_hot(n - 1 - xp.argmax(xp.flip(free, axis=-1), axis=-1), n, best.loss)


def tied_ways():
    """From state 0 two ways are equally good; μ covers only the one by which π hardly ever goes.

    The optimal policy that goes to state 1 has its visits where μ is, and the other one has its actions where π is.
    """
    P = rational([[[0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]], [[1, 0, 0], [0, 0, 1]]])
    r = rational([["1/2", "1/2"], [1, 1], ["1/2", 1]])
    start = rational([1, 99, 1]) / 101
    return {
        "mdp": DiscountedMDP(P, r, rational_number("9/10"), start),
        "π": rational([["1/20", "19/20"], ["1/2", "1/2"], ["1/2", "1/2"]]),
        "ρ": rational([1, 0, 0]),
    }


def four_bandits():
    """Four separate two-armed bandits alike, γ = 0: 1/√S is needed, and √(A / (A − 1)) is attained."""
    I = rational(np.eye(4, dtype=int))  # noqa: E741
    P = np.stack([I, I], axis=1)
    return {"mdp": DiscountedMDP(P, rational([[1, 0]] * 4), rational_number(0)), "π": rational([["1/2", "1/2"]] * 4)}


@theorem(
    mdp_lojasiewicz,
    cite="mei2020",
    at="Lemma 8",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "π": policies, "ρ": distributions},
    given=[positive_start],
    named={"two ways that tie": tied_ways, "four bandits": four_bandits},
    near_misses={
        "without the mismatch": without_mismatch,
        "without 1/√S": without_root_S,
        "likeliest for optimal action": likeliest_action,
        "a* and d* from two different optimal policies": other_policy,
    },
)
def lem8(mdp, π, ρ):
    """The gradient is at least the sub-optimality times the smallest probability of an optimal action over a mismatch.

    a*(s) are the actions of the policy whose visits are d^{π*}: one deterministic optimal policy, the same in both.
    With ties, actions of one optimal policy and visits of another make the inequality false (last near miss).
    """
    best = exact.optimum(mdp)
    d_star, d = exact.occupancy(mdp, best.policy, ρ), exact.occupancy(mdp, π)
    q = exact.action_values(mdp, π)
    yield {
        S: mdp.S,
        A: mdp.A,
        steep: norm(exact.softmax_gradient(mdp, π), 2),
        M: mismatch(d_star, d),
        p_star: best_probability(π, best),
        p_other: smallest(total(π * last_optimal(best))),
        p_any: smallest(largest(π)),
        p_greedy: smallest(total(π * indicator(q == largest(q)[..., None], π))),
        weights: total((d_star / (d * total(π * best.policy))) ** 2),
        lost: exact.gap(mdp, π, best, ρ),
    }


@theorem(
    mdp_lojasiewicz_sharp,
    cite="mei2020",
    at="Lemma 8, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "π": policies, "ρ": distributions},
    given=[positive_start],
    named={"four bandits": four_bandits, "two ways that tie": tied_ways},
    near_misses={"1 − 1/A without its root": mdp_lojasiewicz_too_sharp, "without the mismatch": without_mismatch},
)
def lem8_sharp(mdp, π, ρ):
    """Lemma 8 with each state's own mismatch and probability, and √(A / (A − 1)) more; attained by equal bandits.

    Cauchy–Schwarz in place of the two maxima, and entries of the gradient that sum to zero in each state.
    """
    yield from lem8(mdp, π, ρ)


@theorem(
    greedy_lojasiewicz,
    cite="mei2020",
    at="Lemma 8, non-unique optimal actions",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "π": policies, "ρ": distributions},
    given=[positive_start],
    named={"four bandits": four_bandits, "two ways that tie": tied_ways},
    near_misses={"without the mismatch": greedy_without_mismatch, "without 1/√(SA)": greedy_without_roots},
)
def lem8_multi(mdp, π, ρ):
    """Lemma 8 with the probability of all actions that are best for the policy's own action values, over √(SA)."""
    yield from lem8(mdp, π, ρ)


RUN = 250  # updates in float64
LONG_RUN = 5_000  # where the bound begins to say something more than 1 / (1 − γ)
c_top = Quantity(r"\min_{i \le t} \max_s \pi_{\theta_i}(a^*(s)|s)", "the same for the best state", accuracy="relative")

with as_printed():
    rate = gap <= 16 * S / (c**2 * (1 - γ) ** 6 * t) * over_start**2 * rarest
    without_rarest = gap <= 16 * S / (c**2 * (1 - γ) ** 6 * t) * over_start**2
    misquoted = gap <= 16 * S / (c**2 * (1 - γ) ** 6 * t) * over_start
    c_of_best_state = gap <= 16 * S / (c_top**2 * (1 - γ) ** 6 * t) * over_start**2 * rarest
    without_c = gap <= 16 * S / ((1 - γ) ** 6 * t) * over_start**2 * rarest
    rate_at_start = δ <= 16 * S / (c**2 * (1 - γ) ** 5 * t) * over_start**2
    rate_at_start_without_c = δ <= 16 * S / ((1 - γ) ** 5 * t) * over_start**2
    rate_at_start_of_best_state = δ <= 16 * S / (c_top**2 * (1 - γ) ** 5 * t) * over_start**2


def separate_bandits(rewards, start=None):
    """States that never meet, γ = 0."""
    n, k = len(rewards), len(rewards[0])
    P = np.stack([rational(np.eye(n, dtype=int))] * k, axis=1)
    return DiscountedMDP(P, rational(rewards), rational_number(0), start)


def rare_state():
    """Two separate bandits, the second hardly ever started in, and judged by that one."""
    mdp = separate_bandits([[1, 0], [1, 0]], rational(["999/1000", "1/1000"]))
    return {"mdp": mdp, "ρ": rational([0, 1])}


def one_state_learns():
    """Two separate bandits: the first starts near its best arm, the second far from it."""
    return {"mdp": separate_bandits([[1, 0], [1, 0]]), "θ": rational([[5, 0], [-10, 0]])}


@theorem(
    rate,
    cite="mei2020",
    at="Theorem 4",
    judge=for_all(t, up_to=LONG_RUN + 1, exactly_up_to=10),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "ρ": distributions},
    given=[positive_start, rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "rare state": rare_state, "one state learns": one_state_learns},
    near_misses={
        "without ‖1/μ‖": without_rarest,
        "misquoted: mismatch not squared, without ‖1/μ‖": misquoted,
        "c of the best state": c_of_best_state,
        "without c": without_c,
    },
    trivial=1 / (1 - γ),
    uses=["mei2020.lem7", "mei2020.lem8"],
    note="The paper's c is the infimum over all t, and positive where optimal actions are unique (Lemma 9).  The "
    "running minimum for one fixed optimal policy is larger, and the proof needs no more, also with ties.",
)
def thm4(mdp, θ, ρ):
    """Softmax policy gradient with exact gradients and step (1 − γ)³ / 8 converges at rate 1 / t from any start.

    The constant holds c_t, the smallest probability of an optimal action so far, which can be tiny, and six horizons.
    """
    best = exact.optimum(mdp)
    constants = {
        γ: mdp.discount,
        S: mdp.S,
        over_start: mismatch(exact.occupancy(mdp, best.policy), mdp.start),
        rarest: 1 / smallest(mdp.start),
    }
    top = 1
    for it in softmax_pg(mdp, θ, at=geometric(10**8), optimum=best):
        top = arrays.minimum(top + 0 * it.least, largest(total(it.π * best.policy)))
        yield constants | {
            t: it.k + 1,
            c: it.least,
            c_top: top,
            gap: exact.gap(mdp, it.π, best, ρ),
            δ: exact.gap(mdp, it.π, best),
        }


@theorem(
    rate_at_start,
    cite="mei2020",
    at="Theorem 4, at ρ = μ",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=RUN + 1, exactly_up_to=10),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits},
    given=[positive_start, rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "one state learns": one_state_learns},
    near_misses={"without c": rate_at_start_without_c, "c of the best state": rate_at_start_of_best_state},
    trivial=1 / (1 - γ),
)
def thm4_start(mdp, θ):
    """At the ascent's own start distribution Theorem 4 needs one horizon less and no ‖1/μ‖."""
    yield from thm4(mdp, θ, mdp.start)


value_progress = Quantity(
    r"V^{\pi_{\theta_{t+1}}}(\mu) - V^{\pi_{\theta_t}}(\mu)", "what one update gains; absolute rounding"
)
c_now = Quantity(
    r"\min_s \pi_{\theta_t}(a^*(s)|s)", "smallest probability of an optimal action now", accuracy="relative"
)
M_now = Quantity(
    r"\left\| d^{\pi^*}_\mu / d^{\pi_{\theta_t}}_\mu \right\|_\infty", "mismatch of visits now", accuracy="relative"
)
weights_now = Quantity(
    r"\sum_s \left( \frac{d^{\pi^*}_\mu(s)}{d^{\pi_{\theta_t}}_\mu(s)\, \pi_{\theta_t}(a^*(s)|s)} \right)^2",
    "squares of mismatch over probability, summed over the states, now",
    accuracy="relative",
)
harmonic = Quantity(
    r"\sum_{i < t} \Big[ \sum_s \Big( \frac{d^{\pi^*}_\mu(s)}{d^{\pi_{\theta_i}}_\mu(s)\, \pi_{\theta_i}(a^*(s)|s)} "
    r"\Big)^2 \Big]^{-1}",
    "one over those sums, added up over the updates made",
    accuracy="relative",
)
δ_first = Quantity(r"\delta_1", "sub-optimality at μ before the first update", accuracy="relative")

with as_printed():
    one_step = value_progress >= (1 - γ) ** 3 / (16 * S) * c_now**2 * M_now**-2 * δ**2
    one_step_thrice = value_progress >= 3 * (1 - γ) ** 3 / (16 * S) * c_now**2 * M_now**-2 * δ**2
    one_step_likely = value_progress >= (1 - γ) ** 3 / (16 * S) * M_now**-2 * δ**2
    one_step_sharp = (1 - 1 / A) * value_progress >= Rational(31, 256) * (1 - γ) ** 3 * weights_now**-1 * δ**2
    one_step_too_sharp = (1 - 1 / A) * value_progress >= Rational(36, 256) * (1 - γ) ** 3 * weights_now**-1 * δ**2
    one_step_twice_A = (1 - 1 / A) ** 2 * value_progress >= Rational(31, 256) * (1 - γ) ** 3 * weights_now**-1 * δ**2
    summed = δ <= δ_first / (1 + Rational(31, 256) * (1 - γ) ** 3 * harmonic * δ_first)
    summed_four_times = δ <= δ_first / (1 + Rational(31, 64) * (1 - γ) ** 3 * harmonic * δ_first)
    summed_without_horizon = δ <= δ_first / (1 + (1 - γ) * harmonic * δ_first)


def each_update(mdp, θ):
    """Yield the quantities of one update after the other, of softmax policy gradient with step (1 − γ)³ / 8."""
    best = exact.optimum(mdp)
    d_star, taken, done = exact.occupancy(mdp, best.policy), None, 0
    first = exact.gap(mdp, arrays.softmax(θ), best)
    for now, new in pairwise(softmax_pg(mdp, θ)):
        d, taken = exact.occupancy(mdp, now.π), total(now.π * best.policy)
        squares = total((d_star / (d * taken)) ** 2)
        yield {
            t: now.k + 1,
            γ: mdp.discount,
            S: mdp.S,
            A: mdp.A,
            δ: exact.gap(mdp, now.π, best),
            δ_first: first,
            value_progress: gain(mdp, now.π, new.π),
            c_now: smallest(taken),
            M_now: mismatch(d_star, d),
            weights_now: squares,
            harmonic: done,
        }
        done = done + 1 / squares


def almost_decided():
    """One state, three arms, γ = 3/4, the best arm all but certain: an update gains almost three times the bound."""
    mdp = DiscountedMDP(rational([[[1]] * 3]), rational([["1/4", 1, "1/4"]]), rational_number("3/4"))
    return {"mdp": mdp, "θ": rational([["-3/2", "11/2", "-3/2"]])}


@theorem(
    one_step,
    cite="mei2020",
    at="Theorem 4, one step",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=40, exactly_up_to=6),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits},
    given=[positive_start, rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "three arms, almost decided": almost_decided},
    near_misses={"three times as much": one_step_thrice, "without c": one_step_likely},
    uses=["mei2020.lem7", "mei2020.lem8"],
)
def thm4_step(mdp, θ):
    """Each update gains at least (1 − γ)³ / (16S) times the squares of c, of the mismatch's inverse and of the gap.

    The proof of Theorem 4 before it takes worst cases over the whole run: far more selective than the rate.
    """
    yield from each_update(mdp, θ)


@theorem(
    one_step_sharp,
    cite="mei2020",
    at="Theorem 4, one step, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=20, exactly_up_to=6),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits},
    given=[positive_start, rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "four bandits": lambda: four_bandits()["mdp"]},
    near_misses={"36/256 for 31/256": one_step_too_sharp, "1 − 1/A squared": one_step_twice_A},
    uses=["mei2020.lem7_sharp", "mei2020.lem8_sharp"],
)
def thm4_step_sharp(mdp, θ):
    """What one update gains at least, with the smoothness of `lem7_sharp` and the inequality of `lem8_sharp`.

    η = (1 − γ)³ / 8 and β = 1 / (2 (1 − γ)³) gain at least η (1 − βη/2) = 31/256 (1 − γ)³ times the squared gradient.
    """
    yield from each_update(mdp, θ)


@theorem(
    summed,
    cite="mei2020",
    at="Theorem 4, along the trajectory",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=100, exactly_up_to=8),
    on={"mdp": discounted_mdps(positive_start=True)},
    given=[positive_start, rewards_in_unit_interval],
    named={"two arms": two_armed_bandit, "four bandits": lambda: four_bandits()["mdp"]},
    near_misses={"four times the progress": summed_four_times, "one horizon for three": summed_without_horizon},
    trivial=1 / (1 - γ),
    uses=["mei2020.thm4_step_sharp"],
    note="True from any start; judged from the uniform policy, where the sum is not lost in rounding.",
)
def thm4_sum(mdp):
    """One over the gap grows by what each update gains at least: a bound that is informative from the start.

    Only quantities of the iterates so far are in it; Theorem 4 follows with their worst cases.
    """
    for binding in each_update(mdp, no_preference(mdp)):
        if binding[t] > 1:  # before the first update it says δ <= δ
            yield binding


Δ_star = Quantity(r"\Delta^*", "smallest loss of a suboptimal action", accuracy="relative")
with as_printed():
    steep_at_most = steep <= sqrt(2) / ((1 - γ) * Δ_star) * lost_at_μ
    steep_at_most_one = steep <= 1 / ((1 - γ) * Δ_star) * lost_at_μ
    steep_without_Δ = steep <= Rational(9, 10) * sqrt(2) * lost_at_μ
    steep_at_most_S = steep <= sqrt(2 * S) / (1 - γ) * lost_at_μ
    steep_at_most_one_S = steep <= sqrt(S) / (1 - γ) * lost_at_μ


@theorem(
    steep_at_most,
    cite="mei2020",
    at="Lemma 17, MDPs",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies},
    given=[rewards_in_unit_interval, unique_optimal_actions],
    named={"nearly best": nearly_best},
    near_misses={"1 for √2": steep_at_most_one, "9√2/10, without Δ* and horizon": steep_without_Δ},
    note="Derived again with the same constant; without 1 / (1 − γ) it was not refuted by anything we tried.",
)
def lem17_mdp(mdp, π):
    """The gradient is at most √2 / ((1 − γ) Δ*) times the sub-optimality at μ."""
    best = exact.optimum(mdp)
    yield {
        γ: mdp.discount,
        S: mdp.S,
        Δ_star: lead(mdp, best),
        steep: norm(exact.softmax_gradient(mdp, π), 2),
        lost_at_μ: exact.gap(mdp, π, best),
    }


@theorem(
    steep_at_most_S,
    cite="mei2020",
    at="Lemma 17, MDPs, without the gap",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies},
    named={"nearly best": nearly_best},
    near_misses={"√S for √(2S)": steep_at_most_one_S, "9√2/10 without horizon": steep_without_Δ},
)
def lem17_mdp_sharp(mdp, π):
    """The gradient is at most √(2S) / (1 − γ) times the sub-optimality at μ, ties and any rewards included.

    In each state the positive entries add up to at most visits times V* − V^π; and from μ one cannot lose less than
    what is lost from s on, discounted until the first visit: visits(s) (V*(s) − V^π(s)) <= δ(μ) / (1 − γ).
    """
    best = exact.optimum(mdp)
    yield {
        γ: mdp.discount,
        S: mdp.S,
        steep: norm(exact.softmax_gradient(mdp, π), 2),
        lost_at_μ: exact.gap(mdp, π, best),
    }


with as_printed():
    lower = δ >= (1 - γ) ** 5 * Δ_star**2 / (12 * t)
    lower_too_high = δ >= 6 * Δ_star**2 / t
    progress_at_most = value_progress <= (η + 4 / (1 - γ) ** 3 * η**2) * 2 / ((1 - γ) ** 2 * Δ_star**2) * δ**2
    progress_at_most_S = value_progress <= (η + η**2 / (4 * (1 - γ) ** 3)) * 2 * S / (1 - γ) ** 2 * δ**2
    progress_at_most_half = value_progress <= η / 2 * δ**2


def theorem_step(mdp):
    """η = (1 − γ)³ / 8."""
    return (1 - mdp.discount) ** 3 / 8


def patient_arms():
    """Two arms at every step of a single state, γ = 9/10: the discount makes the step of a bandit far too long."""
    return DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))


@theorem(
    lower,
    cite="mei2020",
    at="Theorem 10",
    source="recalled",
    judge=for_all(t, up_to=RUN + 1),
    on={"mdp": discounted_mdps()},
    given=[rewards_in_unit_interval, several_actions, unique_optimal_actions],
    named={"two arms": two_armed_bandit, "patient arms": patient_arms},
    near_misses={
        "6 for (1 − γ)⁵ / 12": lower_too_high,
        "a start close to the optimum": {"start": lambda mdp: 4 * best_preferred(mdp)},
    },
    note="The paper has it for all large t, any start and steps up to 1; judged here from the uniform policy with the "
    "step of Theorem 4, where it holds from t = 1 on.  The constant is derived again.",
)
def thm10(mdp, *, start=no_preference):
    """Softmax policy gradient cannot fall faster than (1 − γ)⁵ Δ*² / (12t)."""
    best = exact.optimum(mdp)
    for it in softmax_pg(mdp, start(mdp), at=geometric(RUN)):
        yield {t: it.k + 1, γ: mdp.discount, Δ_star: lead(mdp, best), δ: exact.gap(mdp, it.π, best)}


def each_gain(mdp, θ, step):
    """Yield gap and gain of one update after the other, with step size η."""
    best = exact.optimum(mdp)
    for now, new in pairwise(softmax_pg(mdp, θ, step_size=step)):
        yield {
            t: now.k + 1,
            γ: mdp.discount,
            η: step,
            S: mdp.S,
            Δ_star: lead(mdp, best),
            δ: exact.gap(mdp, now.π, best),
            value_progress: gain(mdp, now.π, new.π),
        }


def nearly_solved():
    return {"mdp": two_armed_bandit(), "θ": rational([[5, 0]]), "step": rational_number("2/5")}


@theorem(
    progress_at_most,
    cite="mei2020",
    at="Theorem 10, one step",
    source="derived",
    judge=for_all(t, up_to=30, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "step": numbers("1/100", 1)},
    given=[rewards_in_unit_interval, unique_optimal_actions],
    named={"two arms": nearly_solved},
    near_misses={"half of η alone": progress_at_most_half, "steps a hundred times as long": {"factor": 100}},
    uses=["mei2020.lem7", "mei2020.lem17_mdp"],
    note="What the proof shows of every update, with the smoothness of Lemma 7.",
)
def thm10_step(mdp, θ, step, *, factor=1):
    """One update with step η gains at most a constant times the squared sub-optimality, from any start."""
    for binding in each_gain(mdp, θ, factor * step):
        yield binding | {η: step}


@theorem(
    progress_at_most_S,
    cite="mei2020",
    at="Theorem 10, one step, without the gap",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=30, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "step": numbers("1/100", 1)},
    given=[rewards_in_unit_interval],
    named={"two arms": nearly_solved},
    near_misses={"half of η alone": progress_at_most_half, "steps a hundred times as long": {"factor": 100}},
    uses=["mei2020.lem7_sharp", "mei2020.lem17_mdp_sharp"],
)
def thm10_step_sharp(mdp, θ, step, *, factor=1):
    """The lower bound of Theorem 10 does not need Δ* > 0: S takes the place of 1 / Δ*², ties included."""
    for binding in each_gain(mdp, θ, factor * step):
        yield binding | {η: step}


forgotten = Quantity(r"\theta_t(s_0, a)", "logits of a state that μ does not reach")
forgotten_first = Quantity(r"\theta_1(s_0, a)", "the same before the first update")
with as_printed():
    never_moves = Eq(forgotten, forgotten_first)


def isolated_models():
    """States that never meet, the last of them with start probability zero."""

    def isolated(mdp):
        n = mdp.S
        exactly = (lambda x: rational(x.astype(int))) if arrays.is_exact(mdp.r) else np.asarray
        stay = np.broadcast_to(np.eye(n)[:, None, :], mdp.P.shape)
        start = np.broadcast_to(np.arange(n) < n - 1, (*mdp.batch, n))
        return DiscountedMDP(exactly(stay), mdp.r, mdp.discount, exactly(start) / (n - 1))

    def draw():
        from mdplab.instances import strategies

        return strategies.discounted_mdps().filter(lambda mdp: mdp.S > 1).map(isolated)

    return Domain(
        draw, families=(Family("isolated", lambda rng, size: isolated(families.garnet(rng, size, S=4, A=3))),)
    )


def start_everywhere(mdp):
    """The uniform start distribution."""
    return (0 * mdp.start + 1) / mdp.S


@theorem(
    never_moves,
    cite="mei2020",
    at="Proposition 3",
    judge=identity(t, up_to=50, exactly_up_to=4),
    on={"mdp": isolated_models(), "θ": logits},
    named={"forgotten state": forgotten_state},
    near_misses={
        "a start that reaches every state": {"start": start_everywhere},
        "a state that is started in": {"asked": 0},
    },
    note="The paper's counterexample, S bandits each in a state of its own, that shows why μ must be positive.",
)
def prop3(mdp, θ, *, start=lambda mdp: mdp.start, asked=-1):
    """Where μ is zero and nothing leads there, the logits never move: convergence needs min μ > 0.

    Softmax policy gradient on separate bandits; what the first policy loses in the forgotten state, it loses for ever.
    """
    mdp = DiscountedMDP(mdp.P, mdp.r, mdp.discount, start(mdp))
    for it in softmax_pg(mdp, θ, step_size=theorem_step(mdp)):
        yield {t: it.k + 1, forgotten: it.θ[..., asked, :], forgotten_first: θ[..., asked, :]}


# ----------------------------------------------------------------------------------------------------------- E. Entropy

ζ = Quantity(r"\| \zeta_t \|_2", "distance of τθ_t from r, both centred")
ζ_next = Quantity(r"\| \zeta_{t+1} \|_2", "the same after one more update")
ζ_first = Quantity(r"\| \zeta_1 \|_2", "the same before the first update")
p_least = Quantity(r"\min_a \pi_{\theta_t}(a)", "smallest probability of an arm now", accuracy="relative")
p_likeliest = Quantity(r"\max_a \pi_{\theta_t}(a)", "largest probability of an arm now", accuracy="relative")
c_all = Quantity("c_t", "smallest probability of any action, over states and iterates 1, ..., t", accuracy="relative")
c_soft = Quantity(r"\min_{s,a} \pi^*_\tau(a|s)", "smallest probability of the soft optimal policy", accuracy="relative")
θ_first = Quantity(r"\| \theta_1 \|_\infty", "size of the first logits", accuracy="relative")
soft_regret = Quantity(r"\tilde\delta_t", "soft sub-optimality")

with as_printed():
    contraction = ζ_next <= (1 - τ * η * p_least) * ζ
    contraction_likeliest = ζ_next <= (1 - τ * η * p_likeliest) * ζ
    contraction_twice = ζ_next <= (1 - 2 * τ * η * p_least) * ζ


def centred(mdp, θ, temperature):
    """ζ = τθ − r less its mean;  (..., S, A)."""
    x = expand(temperature, 2) * θ - mdp.r
    return x - total(x)[..., None] / mdp.A


def entropy_ascent(mdp, θ, temperature, share, factor=1):
    """Yield the quantities of Section 4.1 along Update 2 with η = share / τ, on a bandit."""
    step = share / temperature
    first = norm(centred(mdp, θ, temperature), 2)
    best = exact.soft_optimum(mdp, temperature)
    for now, new in pairwise(entropy_pg(mdp, θ, temperature=temperature, step_size=factor * step)):
        yield {
            t: now.k + 1,
            K: mdp.A,
            τ: temperature,
            η: step,
            ζ_first: first,
            ζ: norm(centred(mdp, now.θ, temperature), 2),
            ζ_next: norm(centred(mdp, new.θ, temperature), 2),
            p_least: smallest(now.π, 2),
            p_likeliest: largest(now.π, 2),
            c_all: now.least,
            c_soft: smallest(arrays.exp(best.log_π), 2),
            θ_first: sup(θ, 2),
            soft_regret: exact.soft_gap(mdp, now.log_π, temperature, best),
        }


def soft_arms():
    """r = (1, 0), τ = 1, full step 1 / τ."""
    return {
        "mdp": two_armed_bandit(),
        "θ": rational([[0, 0]]),
        "temperature": rational_number(1),
        "share": rational_number(1),
    }


def soft_arms_off():
    """The same from logits that prefer the worse arm, τ = 1/2."""
    return soft_arms() | {"θ": rational([[-3, 3]]), "temperature": rational_number("1/2")}


def warm_arms_off():
    """From the same logits with τ = 2."""
    return soft_arms_off() | {"temperature": rational_number(2)}


ENTROPY = {
    "cite": "mei2020",
    "source": "recalled",
    "on": {"mdp": bandits(), "θ": logits, "temperature": numbers("1/10", 2), "share": numbers("1/20", 1)},
    "named": {"two arms": soft_arms, "worse arm preferred": soft_arms_off},
}


@theorem(
    contraction,
    at="Lemma 11",
    judge=for_all(t, up_to=60, exactly_up_to=5),
    near_misses={
        "likeliest for least likely arm": contraction_likeliest,
        "twice the contraction": contraction_twice,
        "steps ten times as long": {"factor": 10},
    },
    note="Derived again with the same constant.",
    **ENTROPY,
)
def lem11(mdp, θ, temperature, share, *, factor=1):
    """With η <= 1/τ each update of entropy policy gradient contracts ζ = τθ − r, centred, by 1 − τη min π.

    An equality from the uniform policy.  Judged with η = share / τ, share in (0, 1].
    """
    yield from entropy_ascent(mdp, θ, temperature, share, factor)


with as_printed():
    kl_by_ζ = soft_regret <= ζ**2 / (2 * τ)
    kl_by_ζ_without_τ = soft_regret <= ζ**2 / 2
    kl_by_ζ_fifth = soft_regret <= ζ**2 / (5 * τ)
    soft_rate = soft_regret <= 2 * (τ * θ_first + 1) ** 2 * K / τ * exp(-2 * τ * η * c_all * (t - 1))
    soft_rate_c_soft = soft_regret <= 2 * (τ * θ_first + 1) ** 2 * K / τ * exp(-2 * τ * η * c_soft * (t - 1))
    soft_rate_without_c = soft_regret <= 2 * (τ * θ_first + 1) ** 2 * K / τ * exp(-2 * τ * η * (t - 1))


@theorem(
    kl_by_ζ,
    at="Lemma 12",
    judge=for_all(t, up_to=60, exactly_up_to=5),
    near_misses={"1/2 without τ": kl_by_ζ_without_τ, "1/5 for 1/2": kl_by_ζ_fifth},
    note="Derived again with the same constant.",
    **ENTROPY,
)
def lem12(mdp, θ, temperature, share):
    """The soft sub-optimality τ KL(π ‖ π*_τ) of a bandit is at most ‖ζ‖² / (2τ)."""
    yield from entropy_ascent(mdp, θ, temperature, share)


def reluctant_arms():
    """r = (1, 0), τ = 1/2, from the policy e^8 to 1 for the worse arm."""
    return soft_arms() | {"θ": rational([[-8, 8]]), "temperature": rational_number("1/2")}


@theorem(
    soft_rate,
    at="Theorem 5",
    judge=for_all(t, up_to=200, exactly_up_to=5),
    near_misses={"c of the soft optimal policy": soft_rate_c_soft, "without c": soft_rate_without_c},
    trivial=1 + τ * log(K),
    note="Derived again with the same constant; c_t is the running minimum, which Lemma 13 bounds from below.",
    **(ENTROPY | {"named": ENTROPY["named"] | {"reluctant arms": reluctant_arms}}),
)
def thm5(mdp, θ, temperature, share):
    """Entropy policy gradient with η <= 1/τ converges linearly on a bandit, to the soft optimal policy."""
    yield from entropy_ascent(mdp, θ, temperature, share)


with as_printed():
    floor = c_all >= 1 / K * exp(-(1 + sqrt(2) * ζ_first) / τ)
    floor_without_ζ = c_all >= 1 / K * exp(-1 / τ)
    floor_high = c_all >= exp(-(1 + sqrt(2) * ζ_first) / τ)
    floor_recalled = c_all >= 1 / K * exp(-1 / τ) * exp(-4 * (θ_first + 1 / τ) * sqrt(K))
    floor_recalled_without_θ = c_all >= 1 / K * exp(-1 / τ) * exp(-4 * (1 / τ) * sqrt(K))


@theorem(
    floor_recalled,
    at="Lemma 13",
    judge=for_all(t, up_to=60, exactly_up_to=5),
    near_misses={"without ζ": floor_without_ζ, "without ‖θ_1‖": floor_recalled_without_θ},
    note="The paper's closed form from memory; it follows from `lem13_sharp`.",
    **(ENTROPY | {"named": ENTROPY["named"] | {"worse arm preferred, warm": warm_arms_off}}),
)
def lem13(mdp, θ, temperature, share):
    """Entropy policy gradient keeps all probabilities of a bandit above a constant of the start and τ."""
    yield from entropy_ascent(mdp, θ, temperature, share)


@theorem(
    floor,
    at="Lemma 13, sharpened",
    status="sharpened",
    judge=for_all(t, up_to=60, exactly_up_to=5),
    near_misses={"without ζ": floor_without_ζ, "without 1/K": floor_high},
    **(ENTROPY | {"source": "derived"}),
)
def lem13_sharp(mdp, θ, temperature, share):
    """All probabilities stay above exp(−(1 + √2 ‖ζ_1‖) / τ) / K, because ‖ζ‖ never grows."""
    yield from entropy_ascent(mdp, θ, temperature, share)


soft_steep = Quantity(r"\left\| \nabla_\theta \tilde V^{\pi_\theta}(\mu) \right\|_2", "length of the soft gradient")
soft_gap_ρ = Quantity(r"[\tilde V^*(\rho) - \tilde V^{\pi_\theta}(\rho)]", "soft sub-optimality at ρ")
μ_min = Quantity(r"\min_s \mu(s)", "smallest start probability", accuracy="exact")
π_min = Quantity(r"\min_{s,a} \pi_\theta(a|s)", "smallest probability of any action", accuracy="relative")
π_max = Quantity(r"\max_{s,a} \pi_\theta(a|s)", "largest probability of any action", accuracy="relative")
M_soft = Quantity(
    r"\left\| d^{\pi^*_\tau}_\rho / d^{\pi_\theta}_\mu \right\|_\infty",
    "mismatch of visits, π*_τ from ρ",
    accuracy="relative",
)
soft_steep_arms = Quantity(
    r"\left\| \nabla_\theta\, \pi_\theta^\top (r - \tau \log \pi_\theta) \right\|_2", "its length"
)

with as_printed():
    degree_half = soft_steep**2 >= 2 * τ / S * μ_min * π_min**2 * M_soft**-1 * soft_gap_ρ
    degree_half_no_mismatch = soft_steep**2 >= 2 * τ / S * μ_min * π_min**2 * soft_gap_ρ
    degree_half_likeliest = soft_steep**2 >= 2 * τ / S * μ_min * π_max**2 * M_soft**-1 * soft_gap_ρ
    arms_half = soft_steep_arms**2 >= 2 * τ * π_min**2 * soft_gap_ρ
    arms_half_likeliest = soft_steep_arms**2 >= 2 * τ * π_max**2 * soft_gap_ρ
    arms_half_double = soft_steep_arms**2 >= 4 * τ * Rational(101, 100) * π_min**2 * soft_gap_ρ


def soft_quantities(mdp, θ, ρ, temperature):
    """What Lemma 15 is about, at one point."""
    log_π, best = arrays.log_softmax(θ), exact.soft_optimum(mdp, temperature)
    π, slope = arrays.exp(log_π), norm(exact.soft_gradient(mdp, log_π, temperature), 2)
    d_star = exact.occupancy(mdp, arrays.exp(best.log_π), ρ)
    return {
        S: mdp.S,
        τ: temperature,
        soft_steep: slope,
        soft_steep_arms: slope,
        μ_min: smallest(mdp.start),
        π_min: smallest(π, 2),
        π_max: largest(π, 2),
        M_soft: mismatch(d_star, exact.occupancy(mdp, π)),
        soft_gap_ρ: exact.soft_gap(mdp, log_π, temperature, best, ρ),
    }


def rare_soft_state():
    """Two separate bandits, γ = 0, the first solved and started in, the second neither, and judged by the second."""
    return rare_state() | {"θ": rational([[1, 0], [-1, 1]]), "temperature": rational_number(1)}


@theorem(
    degree_half,
    cite="mei2020",
    at="Lemma 15",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(positive_start=True),
        "θ": logits,
        "ρ": distributions,
        "temperature": numbers("1/10", 2),
    },
    given=[positive_start],
    named={"rare state": rare_soft_state},
    near_misses={
        "without the mismatch": degree_half_no_mismatch,
        "likeliest for least likely action": degree_half_likeliest,
    },
)
def lem15(mdp, θ, ρ, temperature):
    """The soft gradient is at least a constant of the policy times the root of the soft sub-optimality.

    A Łojasiewicz inequality of degree 1/2, which is what makes entropy policy gradient converge linearly.  Both sides
    are squared here, lest a root be taken of a gap that is zero.
    """
    yield soft_quantities(mdp, θ, ρ, temperature)


@theorem(
    arms_half,
    cite="mei2020",
    at="Proposition 5",
    judge=for_all(),
    on={"mdp": bandits(), "θ": logits, "temperature": numbers("1/10", 2)},
    named={"near the soft optimum": lambda: soft_arms_off() | {"θ": rational([["9/10", "-1"]])}},
    near_misses={"likeliest for least likely arm": arms_half_likeliest, "twice as much": arms_half_double},
)
def prop5(mdp, θ, temperature):
    """On a bandit the soft gradient is at least √(2τ) min π times the root of the soft sub-optimality; squared here."""
    yield soft_quantities(mdp, θ, mdp.start, temperature)


soft_lost = Quantity(r"\tilde V^*(\rho) - \tilde V^{\pi_{\theta_t}}(\rho)", "soft sub-optimality at ρ")
soft_over_start = Quantity(
    r"\left\| d^{\pi^*_\tau}_\mu / \mu \right\|_\infty",
    "mismatch of the soft optimal visits and μ",
    accuracy="relative",
)
soft_progress = Quantity(
    r"\tilde V^{\pi_{\theta_{t+1}}}(\mu) - \tilde V^{\pi_{\theta_t}}(\mu)", "what one update gains; absolute rounding"
)
soft_M_now = Quantity(
    r"\left\| d^{\pi^*_\tau}_\mu / d^{\pi_{\theta_t}}_\mu \right\|_\infty",
    "mismatch of visits now",
    accuracy="relative",
)
π_now = Quantity(r"\min_{s,a} \pi_{\theta_t}(a|s)", "smallest probability of any action now", accuracy="relative")

with as_printed():
    C = (1 - γ) ** 4 / ((8 / τ + 4 + 8 * log(A)) * S) * μ_min * c_all**2 * soft_over_start**-1
    C_without_c = (1 - γ) ** 4 / ((8 / τ + 4 + 8 * log(A)) * S) * μ_min * soft_over_start**-1
    soft_linear = soft_lost <= rarest * (1 + τ * log(A)) / (1 - γ) ** 2 * exp(-C * (t - 1))
    soft_linear_without_c = soft_lost <= rarest * (1 + τ * log(A)) / (1 - γ) ** 2 * exp(-C_without_c * (t - 1))
    C_soft = (1 - γ) ** 4 / ((8 / τ + 4 + 8 * log(A)) * S) * μ_min * c_soft**2 * soft_over_start**-1
    soft_linear_c_soft = soft_lost <= rarest * (1 + τ * log(A)) / (1 - γ) ** 2 * exp(-C_soft * (t - 1))
    C_now = (1 - γ) ** 3 / ((8 / τ + 4 + 8 * log(A)) * S) * μ_min * π_now**2 * soft_M_now**-1
    C_now_without_c = (1 - γ) ** 3 / ((8 / τ + 4 + 8 * log(A)) * S) * μ_min * soft_M_now**-1
    soft_one_step = soft_progress >= C_now * soft_regret
    soft_one_step_without_c = soft_progress >= C_now_without_c * soft_regret


def soft_ascent(mdp, θ, temperature):
    """What stays the same along entropy policy gradient: (soft optimum, its occupancy from μ, quantities)."""
    best = exact.soft_optimum(mdp, temperature)
    d_star = exact.occupancy(mdp, arrays.exp(best.log_π))
    constants = {
        γ: mdp.discount,
        S: mdp.S,
        A: mdp.A,
        τ: temperature,
        μ_min: smallest(mdp.start),
        rarest: 1 / smallest(mdp.start),
        soft_over_start: mismatch(d_star, mdp.start),
        c_soft: smallest(arrays.exp(best.log_π), 2),
    }
    return best, d_star, constants


def reluctant_soft():
    """r = (1, 0), τ = 1, from a policy that takes the better arm once in e^16 times and keeps it for long."""
    return {"mdp": two_armed_bandit(), "θ": rational([[-8, 8]]), "temperature": rational_number(1)}


@theorem(
    soft_linear,
    cite="mei2020",
    at="Theorem 6",
    judge=for_all(t, up_to=RUN + 1, exactly_up_to=8),
    on={
        "mdp": discounted_mdps(positive_start=True),
        "θ": logits,
        "ρ": distributions,
        "temperature": numbers("1/10", 2),
    },
    given=[positive_start, rewards_in_unit_interval],
    named={"reluctant arms": reluctant_soft, "rare state": rare_soft_state},
    near_misses={"without c": soft_linear_without_c, "c of the soft optimal policy": soft_linear_c_soft},
    trivial=(1 + τ * log(A)) / (1 - γ),
    uses=["mei2020.lem7", "mei2020.lem14", "mei2020.lem15"],
    note="The constant C is derived again.  The paper's c is the infimum over all t (Lemma 16), c_t the running "
    "minimum.",
)
def thm6(mdp, θ, ρ, temperature):
    """Entropy policy gradient with exact gradients converges linearly to the soft optimal policy.

    With step (1 − γ)³ / (8 + τ (4 + 8 log A)); the rate holds the square of c_t, which can be tiny.
    """
    best, _, constants = soft_ascent(mdp, θ, temperature)
    for it in entropy_pg(mdp, θ, temperature=temperature, at=geometric(RUN)):
        yield constants | {
            t: it.k + 1,
            c_all: it.least,
            soft_lost: exact.soft_gap(mdp, it.log_π, temperature, best, ρ),
        }


@theorem(
    soft_one_step,
    cite="mei2020",
    at="Theorem 6, one step",
    source="derived",
    judge=for_all(t, up_to=20, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "temperature": numbers("1/10", 2)},
    given=[positive_start, rewards_in_unit_interval],
    named={"two arms": soft_arms, "worse arm preferred": soft_arms_off},
    near_misses={"without c": soft_one_step_without_c, "a step of 10": {"step": lambda mdp, η: 10}},
    uses=["mei2020.lem7", "mei2020.lem14", "mei2020.lem15"],
    note="What the proof shows of every update; with the visits of the iterate in place of μ one horizon is saved.",
)
def thm6_step(mdp, θ, temperature, *, step=lambda mdp, η: η):
    """Each update gains at least a share of the soft sub-optimality; a step that is too long loses."""
    best, d_star, constants = soft_ascent(mdp, θ, temperature)
    entropy_bonus = 4 + 8 * arrays.log(number(mdp, mdp.A))
    η = step(mdp, (1 - mdp.discount) ** 3 / (8 + temperature * entropy_bonus))
    for now, new in pairwise(entropy_pg(mdp, θ, temperature=temperature, step_size=η)):
        values = [exact.soft_values(mdp, it.log_π, temperature) for it in (now, new)]
        yield constants | {
            t: now.k + 1,
            π_now: smallest(now.π, 2),
            soft_M_now: mismatch(d_star, exact.occupancy(mdp, now.π)),
            soft_regret: exact.soft_gap(mdp, now.log_π, temperature, best),
            soft_progress: total(mdp.start * (values[1] - values[0])),
        }
