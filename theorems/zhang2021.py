"""Zhang et al. (2021), On the Convergence and Sample Efficiency of Variance-Reduced Policy Gradient Method.

Utilities F of the occupancy λ(s, a) = Σ_t γ^t P(s_t = s, a_t = a), softmax policies with a logit for each pair:
the paper's l_ψ is 1 and its L_ψ is 0.  Trajectories have H steps, and λ_H counts these.
"""

from dataclasses import replace
from itertools import count, islice, pairwise

from sympy import Eq, Rational, exp, sqrt

from mdplab.arrays import exp as exp_of
from mdplab.arrays import expand, largest, log_softmax, namespace, norm, rational, softmax, total, transposed
from mdplab.arrays import sqrt as root
from mdplab.arrays import sqrt as sqrt_of
from mdplab.exact import flow as exact_flow
from mdplab.exact import (
    pair_visits,
    pair_visits_by_logits,
    rewarded,
    softmax_gradient,
    softmax_utility_gradient,
    truncated_gradient,
    truncated_pair_visits,
)
from mdplab.exact.scalarisations import MeanVariance, Shortfall, SmoothWorst
from mdplab.exact.utilities import Entropy, Linear, NegativeKL, OfReturns, OfStates, SmoothedLog, Sum
from mdplab.instances import (
    Family,
    discounted_mdps,
    logits,
    numbers,
    one_state_loop,
    policies,
    two_armed_bandit,
    two_by_two,
    two_by_two_logits,
)
from mdplab.instances.families import by_name
from mdplab.models import DiscountedMDP
from mdplab.sampling import (
    every_trajectory,
    gpomdp,
    mean,
    off_policy,
    paid,
    prefix_weights,
    rollouts,
    trace_variance,
    trajectory_weight,
    visited_pairs,
)
from mdplab.solvers import tsivr_pg
from mdplab.theorem import (
    Quantity,
    as_printed,
    for_all,
    identity,
    in_expectation,
    positive_start,
    theorem,
    with_probability,
)

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
A = Quantity(r"|\mathcal{A}|", "number of actions", integer=True)
bound_on_slope = Quantity(r"\ell_{\lambda}", "largest entry that ∇F can have", accuracy="exact")
bound_on_curvature = Quantity(
    r"L_{\lambda,\infty}", "Lipschitz constant of ∇F, from the 1-norm to the largest entry", accuracy="exact"
)
distance = Quantity(r"\lVert \theta - \theta' \rVert", "distance of the logits", accuracy="relative")


def seven(mdp, other, σ):
    """One utility of each kind; `other` is a policy to imitate, σ smooths, half of what r can be worth is asked for."""
    half = 1 / (2 * (1 - mdp.γ(1)))
    m = (1 - mdp.γ(2)) * pair_visits(mdp, other)
    xp = namespace(mdp.P)
    pair = xp.stack([mdp.r, mdp.r**2], axis=-3)
    yield Linear(mdp.r)
    yield OfStates(Entropy(mdp.discount))
    yield SmoothedLog(σ)
    yield NegativeKL(m, mdp.discount)
    yield Sum((Linear(mdp.r), OfReturns(pair, Shortfall(half))))
    yield OfReturns(pair, MeanVariance(mdp.discount, 2))
    yield OfReturns(pair, SmoothWorst(σ))


# -- The gradient ------------------------------------------------------------------------------------------------------

slope = Quantity(
    r"\sum_{s',a'} \frac{\partial F}{\partial \lambda(s',a')} \frac{\partial \lambda(s',a')}{\partial \theta(s,a)}",
    "derivative of F(λ(θ)) by a logit",
)
policy_gradient = Quantity(
    r"\frac{\partial V^{\pi_\theta}(r)}{\partial \theta(s,a)} \Big|_{r = \nabla F(\lambda(\theta))}",
    "derivative of the value for the shadow reward, held fixed",
)
with as_printed():
    chain_rule = Eq(slope, policy_gradient)


def shadow_reward(mdp, F, λ):
    """∇F at the occupancy."""
    return F.gradient(λ)


def shadow_of_normalised(mdp, F, λ):
    """∇F at the occupancy that sums to one."""
    return F.gradient((1 - mdp.γ(2)) * λ)


def counted_twice(mdp, F, λ):
    """The reward whose value changes as ⟨∇F(λ), λ⟩ does: also through ∇F."""
    return F.gradient(λ) + F.curvature(λ, λ)


@theorem(
    chain_rule,
    cite="zhang2021",
    at="Section 3, policy gradient by the chain rule",
    judge=identity(),
    on={"mdp": discounted_mdps(positive_start=True), "π": policies, "other": policies, "σ": numbers("1/8", 1)},
    given=[positive_start],
    named={"two by two": {"mdp": two_by_two(), "π": rational([["1/4", "3/4"], ["2/3", "1/3"]])}},
    near_misses={
        "shadow reward at the normalised occupancy": {"shadow": shadow_of_normalised},
        "through the shadow reward as well": {"shadow": counted_twice},
    },
    note="Entropy and Kullback–Leibler divergence alone would not tell λ from (1 − γ) λ: seven utilities are tried.",
)
def chain(mdp, π, other, σ, *, shadow=shadow_reward):
    """The gradient of a utility of the occupancy is the policy gradient for the reward ∇F(λ), held fixed.

    The left side goes through the Jacobian of the occupancy, the right side through advantages.
    """
    λ, jacobian = pair_visits(mdp, π), transposed(pair_visits_by_logits(mdp, π))
    reshape = namespace(λ).reshape
    for F in seven(mdp, other, σ):
        along = (jacobian @ reshape(F.gradient(λ), (*mdp.batch, -1))[..., None])[..., 0]
        yield {
            slope: reshape(along, λ.shape),
            policy_gradient: softmax_gradient(rewarded(mdp, shadow(mdp, F, λ)), π),
        }


# -- Occupancies -------------------------------------------------------------------------------------------------------

H = Quantity("H", "horizon", integer=True)
out = Quantity(
    r"\sum_a \lambda(s,a) - \gamma \sum_{s',a'} P(s \mid s',a') \lambda(s',a')", "occupancy less what flows in"
)
rho = Quantity(r"\rho(s)", "start probability of a state", accuracy="exact")
mass = Quantity(r"\sum_{s,a} \lambda(s,a)", "total occupancy", accuracy="relative")
left_out = Quantity(r"\lVert \lambda - \lambda_H \rVert_1", "what a horizon cuts off")
with as_printed():
    flows = Eq(out, rho)
    sums = Eq(mass, 1 / (1 - γ))
    cuts = Eq(left_out, γ**H / (1 - γ))
    cuts_later = Eq(left_out, γ ** (H + 1) / (1 - γ))
    flows_normalised = Eq(out, (1 - γ) * rho)


@theorem(
    {"flow": flows, "mass": sums, "truncation": cuts},
    cite="zhang2021",
    at="Section 2, occupancy measures",
    source="derived",
    judge=identity(H, up_to=12, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "π": policies},
    near_misses={"a horizon that counts from 0 to H": cuts_later, "normalised": flows_normalised},
)
def flow(mdp, π):
    """Occupancies flow, sum to 1 / (1 − γ), and cutting them off after H steps takes away exactly γ^H / (1 − γ)."""
    λ = pair_visits(mdp, π)
    for horizon in count():
        yield {
            H: horizon,
            γ: mdp.discount,
            rho: mdp.start,
            out: exact_flow(mdp, λ),
            mass: total(λ, 2),
            left_out: total(abs(λ - truncated_pair_visits(mdp, π, horizon)), 2),
        }


change = Quantity(r"\lVert \lambda(\theta) - \lambda(\theta') \rVert_1", "distance of the occupancies")
with as_printed():
    lipschitz_claim = change <= 2 / (1 - γ) ** 2 * distance
    lipschitz_sharp = change <= 1 / (sqrt(2) * (1 - γ) ** Rational(3, 2)) * distance
    lipschitz_half = change <= 1 / (2 * (1 - γ)) * distance
    lipschitz_tenth = change <= 1 / (10 * (1 - γ)) * distance


def turned_round():
    """One state that stays, γ = 1/2, two actions from (1/2, 1/2) almost to (0.622, 0.378)."""
    return {"mdp": one_state_loop("1/2", 2), "θ": rational([[0, 0]]), "other": rational([["1/4", "-1/4"]])}


@theorem(
    lipschitz_claim,
    cite="zhang2021",
    at="Section 5, Lipschitz continuity of the occupancy",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits, "other": logits},
    named={"turned round": turned_round},
    near_misses={"a twentieth and one horizon": lipschitz_tenth, "a quarter and one horizon": lipschitz_half},
    note="With l_ψ = 1.  Loose: see the tabular bound.",
)
def lipschitz(mdp, θ, other):
    """The occupancy is Lipschitz in the parameters with constant 2 / (1 − γ)²."""
    moved = pair_visits(mdp, softmax(θ)) - pair_visits(mdp, softmax(other))
    yield {γ: mdp.discount, distance: norm(θ - other, 2), change: total(abs(moved), 2)}


@theorem(
    lipschitz_sharp,
    cite="zhang2021",
    at="Section 5, Lipschitz continuity of the occupancy",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits, "other": logits},
    named={"turned round": turned_round},
    near_misses={"half, and one horizon": lipschitz_half},
    uses=["zhang2021.lipschitz"],
    note="Proved on the card.",
)
def lipschitz_tabular(mdp, θ, other):
    """With a logit for each pair the constant is 1 / (√2 (1 − γ)^{3/2})."""
    yield from lipschitz(mdp, θ, other)


# -- Weights -----------------------------------------------------------------------------------------------------------

n = Quantity("n", "number of factors", integer=True)
log_weight = Quantity(r"\log \omega", "largest logarithm of an importance weight of n factors")
with as_printed():
    weights_bounded = log_weight <= 2 * n * distance
    weights_bounded_sharply = log_weight <= sqrt(2) * n * distance
    weights_smaller = log_weight <= n * distance
    weights_of_one_factor = log_weight <= 2 * distance


def from_a_certain_arm():
    """Two arms, θ = (−6, 6) and half a unit of logit moved to the first: its probability grows almost by a factor e."""
    return {"mdp": two_armed_bandit(), "θ": rational([[-6, 6]]), "other": rational([["-11/2", "11/2"]])}


@theorem(
    weights_bounded,
    cite="zhang2021",
    at="Lemma 5.6",
    source="read",
    judge=for_all(n, up_to=4, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "other": logits},
    named={"from a certain arm": from_a_certain_arm},
    near_misses={"for any number of factors": weights_of_one_factor, "half of the exponent": weights_smaller},
    note="ω <= exp(2 n l_ψ ‖θ' − θ‖) in logarithms, l_ψ = 1; the worst path repeats the worst pair.",
)
def weight(mdp, θ, other):
    """Importance weights of n factors are at most exp(2 n ‖θ' − θ‖)."""
    worst = largest(log_softmax(other) - log_softmax(θ), 2)
    for factors in count(1):
        yield {n: factors, log_weight: factors * worst, distance: norm(θ - other, 2)}


@theorem(
    weights_bounded_sharply,
    cite="zhang2021",
    at="Lemma 5.6",
    source="derived",
    status="sharpened",
    judge=for_all(n, up_to=4, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "other": logits},
    named={"from a certain arm": from_a_certain_arm},
    near_misses={"without the root of two": weights_smaller},
    uses=["zhang2021.weight"],
    note="log π'(a|s)/π(a|s) <= max Δ_s − min Δ_s <= √2 ‖Δ_s‖; attained in the limit of a certain action.",
)
def weight_tabular(mdp, θ, other):
    """With a logit for each pair, importance weights of n factors are at most exp(√2 n ‖θ' − θ‖)."""
    yield from weight(mdp, θ, other)


variance = Quantity(r"\mathrm{Var}(\omega)", "variance of an importance weight of n factors")
W = Quantity("W", "bound on that variance: the variance itself")
with as_printed():
    varies_older = variance <= n * (8 * n + 2) * (W + 1) * distance**2
    varies = variance <= n * (4 * n + 2) * (exp(4 * n * distance) + 1) * distance**2
    varies_sharply = variance <= n * distance**2 * exp(sqrt(2) * n * distance)
    varies_nearly = variance <= Rational(9, 20) * n * distance**2 * exp(sqrt(2) * n * distance)
    varies_once = variance <= distance**2 * exp(sqrt(2) * n * distance)
    varies_without_growth = variance <= n * distance**2
    varies_linearly = variance <= n * distance**2 / 4


def small_turn():
    """One state, two actions, logits turned by (1, −1)/1000 from the uniform policy."""
    loop = one_state_loop("1/2", 2)
    return {"mdp": loop, "θ": rational([[0, 0]]), "noise": rational([[1, -1]]), "share": rational(["1/1000"])[0]}


def large_turn():
    """The same state, from (0.88, 0.12) to equal shares."""
    loop = one_state_loop("1/2", 2)
    return {"mdp": loop, "θ": rational([[1, -1]]), "noise": rational([[-1, 1]]), "share": rational([1])[0]}


ON_TURNS = {"mdp": discounted_mdps(), "θ": logits, "noise": logits, "share": numbers("1/1000", "1/10")}


@theorem(
    {"": varies, "older": varies_older},
    cite="zhang2021",
    at="Lemma 5.7; Barakat et al. (2023)",
    judge=for_all(n, up_to=4, exactly_up_to=4),
    on=ON_TURNS,
    named={"small turn": small_turn, "large turn": large_turn},
    near_misses={"a quarter and no growth": varies_linearly, "without growth": varies_without_growth},
    uses=["zhang2021.weight"],
    note="With l_ψ = 1, L_ψ = 0 and δ = ‖θ' − θ‖; the factor l_ψ in the exponent is restored.  The older constant, "
    "H ((8H + 2) l² + 2L) (W + 1) for variances up to W, is recalled.  The second moment is exact, from the chain "
    "whose steps weigh π'²/π: nothing is sampled.",
)
def lem5_7(mdp, θ, noise, share):
    """The variance of an importance weight is of the order of the squared distance of the parameters."""
    turn = expand(share, 2) * noise
    log_π, log_other = log_softmax(θ), log_softmax(θ + turn)
    weights = exp_of(2 * log_other - log_π)
    moment = total(weights)  # of the n factors from each state on
    for factors in count(1):
        spread = total(mdp.start * moment) - 1
        yield {n: factors, distance: norm(turn, 2), variance: spread, W: spread}
        moment = total(weights * mdp.expected_next(moment))


@theorem(
    varies_sharply,
    cite="zhang2021",
    at="Lemma 5.7",
    source="derived",
    status="sharpened",
    judge=for_all(n, up_to=4, exactly_up_to=4),
    on=ON_TURNS,
    named={"small turn": small_turn, "large turn": large_turn},
    near_misses={
        "nine twentieths": varies_nearly,
        "for any number of factors": varies_once,
        "without the exponential": varies_without_growth,
    },
    uses=["zhang2021.lem5_7"],
    note="Proved on the card; for small steps from uniform policies of two actions half of it is attained.",
)
def lem5_7_tabular(mdp, θ, noise, share):
    """With a logit for each pair, the variance of a weight of n factors is at most n ‖Δ‖² exp(√2 n ‖Δ‖)."""
    yield from lem5_7(mdp, θ, noise, share)


# -- Scores ------------------------------------------------------------------------------------------------------------

score = Quantity(r"\lVert \nabla_\theta \log \pi_\theta(a|s) \rVert", "length of a score")
bend = Quantity(
    r"-u^\top \nabla^2_\theta \log \pi_\theta(a|s)\, u", "curvature of a logarithm of a probability, the same for all a"
)
along = Quantity(r"\lVert u(s, \cdot) \rVert^2", "squared length of the direction in the state", accuracy="relative")
with as_printed():
    scores_bounded = {"score": score <= 2, "curvature": bend <= 2 * along}
    scores_bounded_sharply = {"score": score <= sqrt(2), "curvature": bend <= along / 2}
    scores_shorter = score <= Rational(7, 5)
    scores_straighter = bend <= Rational(9, 20) * along


ON_SCORES = {"mdp": discounted_mdps(), "θ": logits, "u": logits}
SCORES = {
    "a rare arm": {"mdp": two_armed_bandit(), "θ": rational([[-6, 6]])},
    "equal arms": {"mdp": two_armed_bandit(), "θ": rational([[0, 0]]), "u": rational([[1, -1]])},
}


@theorem(
    scores_bounded,
    cite="zhang2021",
    at="Lemma 5.3, scores",
    judge=for_all(),
    on=ON_SCORES,
    named=SCORES,
    near_misses={"7/5 for a score": scores_shorter, "9/20 for a curvature": scores_straighter},
    note="Read as a follow-up quotes it: ‖∇ log π‖ <= 2 l_ψ and ‖∇² log π‖ <= 2 (L_ψ + l_ψ²), l_ψ = 1 and L_ψ = 0.",
)
def scores(mdp, θ, u):
    """Scores are at most two long, and logarithms of probabilities bend by at most two."""
    π = softmax(θ)
    mean = total(π * u)[..., None]
    yield {
        score: sqrt_of(1 - 2 * π + total(π * π)[..., None]),
        bend: total(π * (u - mean) * (u - mean))[..., None],
        along: total(u * u)[..., None],
    }


@theorem(
    scores_bounded_sharply,
    cite="zhang2021",
    at="Lemma 5.3, scores",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on=ON_SCORES,
    named=SCORES,
    near_misses={"7/5 for a score": scores_shorter, "9/20 for a curvature": scores_straighter},
    uses=["zhang2021.scores"],
    note="A score is e_a − π, and the curvature is the variance of u under π, at most a quarter of its squared range.",
)
def scores_tabular(mdp, θ, u):
    """With a logit for each pair scores are at most √2 long, and logarithms bend by at most a half."""
    yield from scores(mdp, θ, u)


# -- Smoothness --------------------------------------------------------------------------------------------------------

size = Quantity(r"\lVert \nabla_\theta F(\lambda(\theta)) \rVert", "length of the gradient")
turn = Quantity(
    r"\lVert \nabla_\theta F(\lambda(\theta)) - \nabla_\theta F(\lambda(\theta')) \rVert", "distance of the gradients"
)
with as_printed():
    bounded = size <= 2 * bound_on_slope / (1 - γ) ** 2
    smooth = turn <= (
        4 * bound_on_curvature / (1 - γ) ** 4 + 8 * bound_on_slope / (1 - γ) ** 3 + 2 * bound_on_slope / (1 - γ) ** 2
    ) * distance  # fmt: skip
    bounded_tabular = size <= bound_on_slope * sqrt(1 - 1 / A) / (1 - γ) ** Rational(3, 2)
    smooth_tabular = turn <= (
        bound_on_curvature / (2 * (1 - γ) ** 3) + bound_on_slope / (1 - γ) ** 2
    ) * distance  # fmt: skip
    bounded_tenth = size <= bound_on_slope * sqrt(1 - 1 / A) / 10
    smooth_without_slope = turn <= bound_on_slope / 10 * distance
    smooth_linear = turn <= bound_on_slope / 4 * distance


def smoothness(mdp, θ, other, σ):
    """The measure of the bounds below, for the smoothed logarithm: l = 1/σ and L = 1/σ²."""
    F, π, also = SmoothedLog(σ), softmax(θ), softmax(other)
    g = softmax_utility_gradient(mdp, π, F)
    yield {
        γ: mdp.discount,
        A: mdp.A,
        bound_on_slope: 1 / σ,
        bound_on_curvature: 1 / σ**2,
        distance: norm(θ - other, 2),
        size: norm(g, 2),
        turn: norm(g - softmax_utility_gradient(mdp, also, F), 2),
    }


ON_LOGITS = {"mdp": discounted_mdps(positive_start=True), "θ": logits, "other": logits, "σ": numbers("1/20", 10)}


def rare_pair():
    """A state that ends in a sink by one action; the logits turn from the one action to the other."""
    mdp = DiscountedMDP(
        rational([[[0, 1], [1, 0]], [[0, 1], [0, 1]]]), rational([[0, 0], [0, 0]]), rational(["9/10"])[0],
        rational(["99/100", "1/100"]),
    )  # fmt: skip
    θ = rational([["-1/2", "1/2"], [0, 0]])
    return {"mdp": mdp, "θ": θ, "other": θ + rational([["1/10", "-1/10"], [0, 0]]), "σ": rational([10])[0]}


@theorem(
    {"gradient": bounded, "smoothness": smooth},
    cite="zhang2021",
    at="Lemma 5.3",
    judge=for_all(),
    on=ON_LOGITS,
    named={
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "σ": rational([1])[0]},
        "rare pair": rare_pair,
    },
    near_misses={"a tenth without any horizon": bounded_tenth, "smooth as the slope alone": smooth_without_slope},
    note="Read as a follow-up quotes it, with l_ψ = 1 and L_ψ = 0; checked for F = Σ log(λ + σ).",
)
def lem5_3(mdp, θ, other, σ):
    """The gradient of F is at most 2l / (1 − γ)² long, and Lipschitz with the constant of the paper."""
    yield from smoothness(mdp, θ, other, σ)


@theorem(
    {"gradient": bounded_tabular, "smoothness": smooth_tabular},
    cite="zhang2021",
    at="Lemma 5.3",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on=ON_LOGITS,
    named={
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "σ": rational([1])[0]},
        "rare pair": rare_pair,
    },
    near_misses={"a tenth without any horizon": bounded_tenth, "smooth as the slope alone": smooth_linear},
    uses=["zhang2021.lem5_3"],
    note="Proved on the card; checked for F = Σ log(λ + σ).",
)
def lem5_3_tabular(mdp, θ, other, σ):
    """With a logit for each pair both constants are smaller by powers of the horizon."""
    yield from smoothness(mdp, θ, other, σ)


# -- What a trajectory says --------------------------------------------------------------------------------------------

ON_TWO = {"mdp": discounted_mdps(2, 2), "θ": logits, "other": logits, "σ": numbers("1/8", 1)}

seen = Quantity(r"\mathbb E\, \hat\lambda(\tau)", "mean of the visits of one trajectory")
seen_other = Quantity(r"\mathbb E\, \hat\lambda_\omega(\tau)", "mean of its visits, weighted for the other policy")
visited = Quantity(r"\lambda_H(\theta)", "occupancy of the first H steps")
visited_other = Quantity(r"\lambda_H(\theta')", "occupancy of the other policy")
estimate = Quantity(
    r"\mathbb E\, g(\tau, \theta, r)", "mean of the gradient estimate, r = ∇F at the occupancy of the first H steps"
)
estimate_other = Quantity(r"\mathbb E\, g_\omega(\tau, \theta', r)", "mean of the estimate, weighted for the other")
truth = Quantity(r"\nabla \langle r, \lambda_H(\theta) \rangle", "gradient of the truncated value, r held fixed")
truth_other = Quantity(r"\nabla \langle r, \lambda_H(\theta') \rangle", "the same at the other policy")
mean_weight = Quantity(r"\mathbb E\, \omega_{H-1}", "mean of the weight of the whole trajectory")
with as_printed():
    unbiased_claims = {
        "visits": Eq(seen, visited),
        "weighted visits": Eq(seen_other, visited_other),
        "gradient": Eq(estimate, truth),
        "weighted gradient": Eq(estimate_other, truth_other),
        "weight": Eq(mean_weight, 1),
    }


def from_elsewhere(F, trajectory, λ_H):
    """∇F at an occupancy that does not depend on the trajectory, here the right one."""
    return F.gradient(λ_H)


def from_same_trajectory(F, trajectory, λ_H):
    """∇F at the visits of the trajectory whose actions it judges: the classical mistake."""
    return F.gradient(visited_pairs(trajectory, *λ_H.shape[-2:]))


def upside_down(trajectory, behaviour, target):
    """The weight π_θ / π_θ' in the place of π_θ' / π_θ."""
    return replace(trajectory, weights=trajectory.weights / prefix_weights(trajectory, behaviour, target))


def small_two_by_two():
    """Two states, two actions, another policy not far away, σ = 1/8."""
    θ = two_by_two_logits()
    return {"mdp": two_by_two(), "θ": θ, "other": θ + rational([["1/2", 0], [0, "-1/2"]])}


@theorem(
    unbiased_claims,
    cite="zhang2021",
    at="Section 3, off-policy estimators",
    judge=in_expectation([seen, seen_other, estimate, estimate_other, mean_weight]),
    on=ON_TWO,
    named={"two by two": small_two_by_two},
    near_misses={
        "shadow reward from the same trajectory": {"shadow": from_same_trajectory},
        "inverted weights": {"weighted": upside_down},
    },
    uses=["zhang2021.chain"],
    note="F = Σ log(λ + σ).  A shadow reward from the same trajectory depends on the actions that it judges.",
)
def unbiased(mdp, θ, other, σ, draws, *, shadow=from_elsewhere, weighted=off_policy, horizon=3):
    """Visits and gradients from a trajectory are right in mean, also for another policy if weighted by prefixes."""
    π, also = softmax(θ), softmax(other)
    λ_H = truncated_pair_visits(mdp, π, horizon)
    r = SmoothedLog(σ).gradient(λ_H)
    τ = rollouts(mdp, π, horizon, draws)
    here = paid(τ, shadow(SmoothedLog(expand(σ, 1)), τ, λ_H[..., None, :, :]))
    there = weighted(here, π, also)
    yield {
        seen: visited_pairs(τ, mdp.S, mdp.A),
        seen_other: visited_pairs(there, mdp.S, mdp.A),
        visited: λ_H,
        visited_other: truncated_pair_visits(mdp, also, horizon),
        estimate: gpomdp(here, π),
        estimate_other: gpomdp(there, also),
        truth: truncated_gradient(rewarded(mdp, r), π, horizon),
        truth_other: truncated_gradient(rewarded(mdp, r), also, horizon),
        mean_weight: trajectory_weight(τ, π, also),
    }


# -- Increments --------------------------------------------------------------------------------------------------------

SMALL = (Family("garnet:S=2,A=2", lambda rng, n: by_name["garnet"](rng, n, S=2, A=2)),)
STEPS = 3  # of a trajectory
spread = Quantity(r"\mathrm{tr\,Var}(\hat\lambda - \hat\lambda_\omega)", "variance of an increment of the occupancy")
time = Quantity(r"\Lambda", "discounted number of steps, Σ_{t<H} γ^t", accuracy="relative")
growth = Quantity(
    r"\sum_{t<H} \gamma^t (t+1) e^{\sqrt2 (t+1) \lVert \theta - \theta' \rVert}",
    "what weights of t + 1 factors vary by, summed",
    accuracy="relative",
)
square = Quantity(r"\mathbb E \lVert \lambda_j - \lambda_H(\theta_j) \rVert^2", "mean square error of the occupancy")
square_before = Quantity(r"\lVert \lambda_{j-1} - \lambda_H(\theta_{j-1}) \rVert^2", "square of the error before")
with as_printed():
    increments_vary = spread <= time * growth * distance**2
    increments_vary_less = spread <= time * growth * distance**2 / 10
    increments_vary_later = spread <= time * growth * distance**3
    adds_up = Eq(square, square_before + spread)
    forgets = Eq(square, spread)


def growing(mdp, d):
    """Σ_{t<H} γ^t (t + 1) exp(√2 (t + 1) d)."""
    e, one = exp_of(root(0 * d + 2) * d), 0 * d + 1
    γ_t, factor, out = one, one, 0 * d
    for step in range(STEPS):
        factor = factor * e
        out = out + γ_t * (step + 1) * factor
        γ_t = γ_t * mdp.γ(0)
    return out


def increments(mdp, π, before, weighted=off_policy):
    """λ̂ − λ̂_ω of all trajectories of three steps, and their probabilities."""
    τ, p = every_trajectory(mdp, π, STEPS)
    back = weighted(τ, π, before)
    return visited_pairs(τ, mdp.S, mdp.A) - visited_pairs(back, mdp.S, mdp.A), p


@theorem(
    {"variance": increments_vary},
    cite="zhang2021",
    at="Lemma on the variance of increments",
    source="derived",
    judge=for_all(),
    on=ON_TURNS | {"mdp": discounted_mdps(2, 2, families=SMALL)},
    named={"small turn": small_turn, "large turn": large_turn},
    near_misses={"a tenth": increments_vary_less, "as the cube of the step": increments_vary_later},
    uses=["zhang2021.lem5_7_tabular"],
    note="‖λ̂ − λ̂_ω‖ <= Σ γ^t |1 − ω_t|, Cauchy–Schwarz, and Var ω_t <= (t + 1) ‖Δ‖² exp(√2 (t + 1) ‖Δ‖).",
)
def increment(mdp, θ, noise, share):
    """The variance of an increment of the occupancy is of the order of the squared step."""
    turn = expand(share, 2) * noise
    X, p = increments(mdp, softmax(θ + turn), softmax(θ))
    d = norm(turn, 2)
    steps = sum(mdp.γ(0) ** t for t in range(STEPS))
    yield {distance: d, time: steps, growth: growing(mdp, d), spread: trace_variance(p, X, 2)}


@theorem(
    adds_up,
    cite="zhang2021",
    at="Algorithm 1, inner loop",
    source="derived",
    judge=identity(),
    on=ON_TURNS | {"mdp": discounted_mdps(2, 2, families=SMALL)},
    named={"small turn": small_turn, "large turn": large_turn},
    near_misses={"the past is forgotten": forgets, "inverted weights": {"weighted": upside_down}},
    uses=["zhang2021.unbiased"],
    note="For one trajectory, B = 1, from λ_{j−1} = λ_H / 2; of B trajectories the variance is the B-th part.",
)
def recursion(mdp, θ, noise, share, *, weighted=off_policy):
    """An inner update adds the variance of its increment to the square of the error of λ_{j−1}, and nothing else."""
    π, before = softmax(θ + expand(share, 2) * noise), softmax(θ)
    λ, λ_now = (truncated_pair_visits(mdp, x, STEPS) for x in (before, π))
    X, p = increments(mdp, π, before, weighted)
    off = (λ / 2 - λ_now)[..., None, :, :] + X
    yield {
        square: mean(p, total(off * off, 2)),
        square_before: total((λ / 2) * (λ / 2), 2),
        spread: trace_variance(p, X, 2),
    }


j = Quantity("j", "updates since the epoch began", integer=True)
N = Quantity("N", "large batch", integer=True)
B = Quantity("B", "small batch", integer=True)
δ = Quantity(r"\delta", "longest step", accuracy="exact")
growth_δ = Quantity(
    r"\sum_{t<H} \gamma^t (t+1) e^{\sqrt2 (t+1) \delta}", "what weights vary by in a longest step", accuracy="relative"
)
most = Quantity(r"D_j", "largest error on any path: √2 Λ + j Λ (e^{√2 H δ} − 1)", accuracy="relative")
with as_printed():
    tracks = square <= time**2 / N + j / B * time * growth_δ * δ**2
    tracks_eighth = square <= time**2 / (8 * N) + j / B * time * growth_δ * δ**2 / 8
    tracks_from_nothing = square <= j / B * time * growth_δ * δ**2


@theorem(
    tracks,
    cite="zhang2021",
    at="error of the occupancy along an epoch",
    source="derived",
    judge=in_expectation({square: (0, most**2)}, index=j, up_to=2, replicates=2**14),
    on={"mdp": discounted_mdps(2, 2, families=SMALL), "σ": numbers("1/4", 1)},
    named={"two by two": two_by_two, "one state": one_state_loop("1/2", 2)},
    near_misses={"an eighth": tracks_eighth, "from an exact start": tracks_from_nothing},
    uses=["zhang2021.increment", "zhang2021.recursion"],
    note="N = 8, B = 2, δ = 1/(2 H), H = 3, F = Σ log(λ + σ).",
)
def tracking(mdp, σ, draws, *, solver=tsivr_pg):
    """Along an epoch the error of the occupancy is that of the large batch, and a little for each short step."""
    radius, large, few = (0 * mdp.discount + 1) / (2 * STEPS), 8, 2
    steps = sum(mdp.γ(0) ** t for t in range(STEPS))
    constants = {N: large, B: few, δ: radius, time: steps, growth_δ: growing(mdp, radius)}
    root_2 = root(0 * radius + 2)
    reach = steps * (exp_of(root_2 * STEPS * radius) - 1)
    options = {"step_size": 1.0, "epoch": 100, "large_batch": large, "small_batch": few}
    for it in islice(solver(mdp, SmoothedLog(σ), draws=draws, horizon=STEPS, **options), 3):
        off = it.λ - truncated_pair_visits(mdp, it.π, STEPS)
        yield constants | {j: it.k, square: total(off * off, 2), most: root_2 * steps + it.k * reach}


largest_log = Quantity(r"\max_\tau \log \omega(\tau)", "logarithm of the largest weight that H factors can make")
with as_printed():
    weights_stay = largest_log <= 1
    weights_stay_tabular = largest_log <= 1 / sqrt(2)
    weights_stay_half = largest_log <= Rational(1, 2)


@theorem(
    {"": weights_stay, "tabular": weights_stay_tabular},
    cite="zhang2021",
    at="Algorithm 1, truncated steps",
    source="derived",
    judge=with_probability(Rational(19, 20), jointly=j, up_to=3, replicates=2**11),
    on={"mdp": discounted_mdps(2, 2, families=SMALL), "θ": logits, "σ": numbers("1/8", 1)},
    named={
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "σ": rational(["1/8"])[0]},
        "one state": {"mdp": one_state_loop("1/2", 2), "θ": rational([[2, -2]]), "σ": rational(["1/8"])[0]},
    },
    near_misses={"half": weights_stay_half, "steps that are not truncated": {"longest": 100.0}},
    uses=["zhang2021.weight", "zhang2021.weight_tabular"],
    note="True of every path; that it is of 19 in 20 is what so few paths can say.  H = 3, η = 10, N = 4, B = 2.",
)
def truncation(mdp, θ, σ, draws, *, longest=1 / (2 * STEPS)):
    """Steps of at most 1 / (2 H) keep every importance weight below e, whatever the estimates."""
    options = {"step_size": 10.0, "radius": longest, "large_batch": 4, "small_batch": 2}
    run = tsivr_pg(mdp, SmoothedLog(σ), θ, draws=draws, horizon=STEPS, **options)
    for now, after in islice(pairwise(run), 4):
        yield {j: now.k, largest_log: STEPS * largest(log_softmax(now.θ) - log_softmax(after.θ), 2)}
