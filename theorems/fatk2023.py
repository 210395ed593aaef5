"""Fatkhullin, Barakat, Kireeva and He (2023), Stochastic Policy Gradient Methods for Fisher-non-degenerate Policies.

Tabular softmax, unless said otherwise; trajectories of H steps; J_H is the expected return of these.  The paper's text
was not at hand: see the card.
"""

import numpy as np
from sympy import Abs, Eq, Rational, sqrt

from mdplab.arrays import (
    expand,
    largest,
    maximum,
    namespace,
    norm,
    number,
    rational,
    rational_number,
    smallest,
    softmax,
    total,
)
from mdplab.arrays import sqrt as sqrt_of
from mdplab.exact import (
    advantages,
    fisher_pseudo_inverse,
    gap,
    least_information,
    occupancy,
    optimum,
    softmax_gradient,
    softmax_hessian,
    truncated_gradient,
    truncated_hessian,
    truncated_value,
    values,
    visits,
)
from mdplab.exact.least_information import second_eigenvalue
from mdplab.instances import (
    Domain,
    Family,
    circle_logits,
    circle_points,
    circle_scores,
    discounted_mdps,
    families,
    logits,
    numbers,
    points_of_circle,
    two_by_two,
    two_by_two_logits,
)
from mdplab.instances import values as values_domain
from mdplab.models import DiscountedMDP, bandit
from mdplab.sampling import (
    action_ratios,
    causal_hessian_estimate,
    every_trajectory,
    gpomdp,
    hessian_estimate,
    hessian_vector,
    mean,
    off_policy,
    reinforce,
    rollouts,
    score_sum,
    second_moment,
    trace_variance,
)
from mdplab.solvers import transported
from mdplab.solvers.sampled import unit
from mdplab.theorem import Quantity, as_printed, for_all, identity, in_expectation, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
H = Quantity("H", "length of a trajectory", integer=True)
A = Quantity("A", "number of actions", integer=True)
R = Quantity(r"r_{\max}", "largest absolute reward", accuracy="exact")
η = Quantity(r"\eta_t", "weight of the new estimate", accuracy="exact")
L_h = Rational(16, 5) * R * (1 - γ) ** Rational(-5, 2)  # Lipschitz constant of the Hessian, see `hess_lip`


def constants(mdp):
    """What most statements need of a model."""
    return {γ: mdp.discount, R: largest(abs(mdp.r), 2), A: mdp.A}


def norm_squared(x):
    """‖x‖² over states and actions, not by a power: a ball around zero has none."""
    return total(x * x, 2)


def signed(name, **options):
    """A family with rewards moved from [0, 1] to [−1, 1]."""

    def make(rng, size):
        mdp = families.by_name[name](rng, size, **options)
        return DiscountedMDP(mdp.P, 2 * mdp.r - 1, mdp.discount, mdp.start)

    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"{name}:{text}, signed", make)


# Models whose trajectories are few enough to be listed, whole.
tiny = discounted_mdps(
    2,
    2,
    rewards="any",
    families=(signed("garnet", S=2, A=2), signed("sparse", S=2, A=2), signed("deterministic", S=2, A=2, noise=1e-3)),
)
several = discounted_mdps(
    2, 3, rewards="any", families=(signed("garnet", S=3, A=3), signed("chain", S=5), signed("deterministic", S=4, A=3))
)
on = {"mdp": discounted_mdps(2, 2, rewards="any"), "θ": logits}
two = {"mdp": two_by_two(), "θ": two_by_two_logits()}
turn = rational([["1/2", "-1/2"], ["-1/4", 1]])
moved = {**two, "Δ": turn}


def two_arms(*rewards):
    """One state, two arms that pay 1 and −1 unless told otherwise, θ_1 − θ_2 = 1.3: there the value bends most."""
    return {"mdp": bandit(rational(rewards or (1, -1))), "θ": rational([["13/10", 0]])}


def leave(discount, difference):
    """Stay and be paid 1, or go for good where every step costs 1; start where one may choose."""
    P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
    mdp = DiscountedMDP(P, rational([[1, 1], [-1, -1]]), rational_number(discount), rational([1, 0]))
    return {"mdp": mdp, "θ": rational([[difference, 0], [0, 0]])}


def always_paid(discount):
    """One state, two arms that both pay 1, uniform policy: what varies is what the scores add."""
    P = rational([[[1], [1]]])
    return {"mdp": DiscountedMDP(P, rational([[1, 1]]), rational_number(discount)), "θ": rational([[0, 0]])}


# -- estimators --------------------------------------------------------------------------------------------------------

g = Quantity(r"\mathbb E\, g(\tau, \theta)", "mean of the estimate")
g_R = Quantity(r"\mathbb E\, g^{R}(\tau, \theta)", "mean of the REINFORCE estimate")
slope = Quantity(r"\nabla J_H(\theta)", "gradient of the truncated return")


def discounted_twice(trajectories, policy):
    """GPOMDP whose rewards-to-go are discounted from the present step on: it forgets the weight γ^t of the state."""
    seen = trajectories
    return gpomdp(type(seen)(seen.states, seen.actions, seen.rewards, seen.weights * seen.weights), policy)


with as_printed():
    unbiased_claims = {"GPOMDP": Eq(g, slope), "REINFORCE": Eq(g_R, slope)}
    half = Eq(g, slope / 2)


@theorem(
    unbiased_claims,
    cite="fatk2023",
    at="Section 2, estimators",
    source="derived",
    judge=in_expectation([g, g_R]),
    on=on,
    named={"two by two": two},
    near_misses={"half the gradient": half, "rewards discounted twice": {"estimate": discounted_twice}},
)
def unbiased(mdp, θ, draws, *, estimate=gpomdp, horizon=3):
    """Both score-function estimates have the gradient of the truncated return as their mean."""
    π = softmax(θ)
    seen = rollouts(mdp, π, horizon, draws)
    yield {g: estimate(seen, π), g_R: reinforce(seen, π), slope: truncated_gradient(mdp, π, horizon)}


B = Quantity(r"\mathbb E\, B(\tau, \theta)", "mean of the Hessian estimate")
B_T = Quantity(r"\mathbb E\, B(\tau, \theta)^\top", "mean of its transpose")
B_c = Quantity(r"\mathbb E\, B^c(\tau, \theta)", "mean of the causal Hessian estimate")
curvature = Quantity(r"\nabla^2 J_H(\theta)", "Hessian of the truncated return")

with as_printed():
    hessian_claims = {"B": Eq(B, curvature), "transposed": Eq(B_T, curvature), "causal": Eq(B_c, curvature)}


def outer_part(trajectories, policy):
    """∇Φ S^T alone, without ∇²Φ;  -> (..., S·A, S·A)."""
    ones = np.broadcast_to(trajectories.weights * 0 + 1, trajectories.actions.shape)
    Φ, S = gpomdp(trajectories, policy), score_sum(trajectories, ones, policy)
    Φ, S = (x.reshape(*x.shape[:-2], -1) for x in (Φ, S))
    return Φ[..., :, None] * S[..., None, :]


def bent_part(trajectories, policy):
    """∇²Φ alone, as if the probabilities of trajectories did not move."""
    return hessian_estimate(trajectories, policy) - outer_part(trajectories, policy)


@theorem(
    hessian_claims,
    cite="fatk2023",
    at="Section 2, Hessian estimator",
    source="derived",
    judge=in_expectation([B, B_T, B_c]),
    on={"mdp": tiny, "θ": logits},
    named={"two by two": two},
    near_misses={"without ∇Φ Sᵀ": {"estimate": bent_part}, "without ∇²Φ": {"estimate": outer_part}},
)
def hessian_unbiased(mdp, θ, draws, *, estimate=hessian_estimate, horizon=2):
    """The Hessian estimate, which is not symmetric, its transpose and its causal form have ∇²J_H as their mean."""
    π = softmax(θ)
    seen = rollouts(mdp, π, horizon, draws)
    matrix = estimate(seen, π)
    yield {
        B: matrix,
        B_T: np.swapaxes(matrix, -1, -2),
        B_c: causal_hessian_estimate(seen, π),
        curvature: truncated_hessian(mdp, π, horizon),
    }


g_ω = Quantity(r"\mathbb E\, g_\omega(\tau | \theta_1, \theta_2)", "mean of the weighted estimate")
g_whole = Quantity(r"\mathbb E\, \omega_{H-1} g(\tau, \theta_2)", "the same with the weight of the whole trajectory")
there = Quantity(r"\nabla J_H(\theta_2)", "gradient at the other policy")

with as_printed():
    off_policy_claims = {"prefix": Eq(g_ω, there), "whole": Eq(g_whole, there)}


def inverted(trajectories, behaviour, target, *, whole=False):
    """π_{θ_1} / π_{θ_2} for π_{θ_2} / π_{θ_1}."""
    return off_policy(trajectories, target, behaviour, whole=whole)


def present_step_only(trajectories, behaviour, target, *, whole=False):
    """The ratio of the present step alone, not of all that led to it."""
    seen = trajectories
    ratios = action_ratios(seen, behaviour, target)
    return type(seen)(seen.states, seen.actions, seen.rewards, seen.weights * ratios)


def unweighted(trajectories, behaviour, target, *, whole=False):
    """No weights."""
    return trajectories


@theorem(
    off_policy_claims,
    cite="fatk2023",
    at="Section 2, off-policy estimator",
    source="derived",
    judge=in_expectation([g_ω, g_whole]),
    on={"mdp": tiny, "θ": logits, "Δ": logits},
    named={"two by two": moved},
    near_misses={
        "inverted weights": {"weighted": inverted},
        "the ratio of the present step only": {"weighted": present_step_only},
        "no weights": {"weighted": unweighted},
    },
)
def off_policy_unbiased(mdp, θ, Δ, draws, *, weighted=off_policy, horizon=3):
    """Weighted by prefix or as a whole, trajectories of one policy give the gradient at another in mean."""
    behaviour, target = softmax(θ), softmax(θ + Δ)
    seen = rollouts(mdp, behaviour, horizon, draws)
    yield {
        g_ω: gpomdp(weighted(seen, behaviour, target), target),
        g_whole: gpomdp(weighted(seen, behaviour, target, whole=True), target),
        there: truncated_gradient(mdp, target, horizon),
    }


# -- gradients along a line --------------------------------------------------------------------------------------------

M = Quantity("M", "number of points on the line", integer=True)
line_error = Quantity(
    r"\Bigl\| \frac1M \sum_i \mathbb E\, B(\hat\tau_i, \hat\theta_i) (\theta - \theta') "
    r"- \nabla J_H(\theta) + \nabla J_H(\theta') \Bigr\|",
    "how far increments at the middles of M pieces of the line are off in mean",
)
move = Quantity(r"\lVert \theta - \theta' \rVert", "length of the step", accuracy="relative")

with as_printed():
    on_the_line = line_error <= L_h * move**2 / (4 * M)


def half_pieces(m):
    """The middles of m equal pieces of [0, 1], as rationals."""
    return [rational_number(2 * i + 1) / (2 * m) for i in range(m)]


def at_the_end(m):
    """q = 1 in all m pieces."""
    return [rational_number(1)] * m


def drawn_there(mdp, policy, between, horizon):
    """All trajectories of the policy between."""
    return every_trajectory(mdp, between, horizon)


def drawn_at_the_iterate(mdp, policy, between, horizon):
    """All trajectories of the newest policy, for the estimate at a policy between."""
    return every_trajectory(mdp, policy, horizon)


def in_arithmetic_of(x, q):
    """A rational as what multiplies the array x: itself, or the nearest float."""
    return q if x.dtype == object else number(q)


@theorem(
    on_the_line,
    cite="fatk2023",
    at="HARPG, Hessian correction",
    source="derived",
    judge=for_all(M, up_to=64, exactly_up_to=8),
    on={"mdp": tiny, "θ": logits, "Δ": logits},
    named={
        "two by two": moved,
        "two arms": lambda: two_arms() | {"Δ": rational([["1/2", "-1/2"]])},
    },
    near_misses={
        "q = 1 for all pieces": {"points": at_the_end},
        "trajectories of the newest policy": {"drawn": drawn_at_the_iterate},
    },
    note="As M grows: E v_t = ∇J_H(θ_t) − ∇J_H(θ_{t−1}) for q uniform on [0, 1], with the rate of the midpoint rule.",
)
def harpg_line(mdp, θ, Δ, *, points=half_pieces, drawn=drawn_there, horizon=2):
    """Hessian-vector products at a uniform point between two policies are the change of the gradient in mean.

    On each of M pieces of the line the Hessian differs from that in the middle by at most L_h times the distance.
    """
    π = softmax(θ + Δ)
    truth = truncated_gradient(mdp, π, horizon) - truncated_gradient(mdp, softmax(θ), horizon)
    for m in (1, 2, 4, 8, 16, 32, 64):
        change = 0
        for q in points(m):
            between = softmax(θ + in_arithmetic_of(θ, q) * Δ)
            seen, p = drawn(mdp, π, between, horizon)
            change = change + mean(p, hessian_vector(seen, between, Δ), 2)
        yield constants(mdp) | {M: m, move: norm(Δ, 2), line_error: norm(change / m - truth, 2)}


# -- errors of one update, exactly -------------------------------------------------------------------------------------

square = Quantity(r"\mathbb E \lVert e_t \rVert^2", "mean square of the error d_t − ∇J_H(θ_t)")
error = Quantity(r"\mathbb E\, e_t", "mean error")
old = Quantity(r"e_{t-1}", "error before")
bias = Quantity(r"b", "E v_t − ∇J_H(θ_t) + ∇J_H(θ_{t−1}), whose mean over q is zero")
carried = Quantity(r"\lVert e_{t-1} + b \rVert^2", "square of the error before, moved")
unmoved = Quantity(r"\lVert e_{t-1} \rVert^2", "square of the error before")
var_v = Quantity(r"\operatorname{Var}(v_t)", "trace of the covariance of the increment")
var_g = Quantity(r"\operatorname{Var}(g(\tau_t, \theta_t))", "trace of the covariance of the estimate")

with as_printed():
    harpg_claims = {
        "mean": Eq(error, (1 - η) * (old + bias)),
        "square": Eq(square, (1 - η) ** 2 * (carried + var_v) + η**2 * var_g),
    }
    variance_once = Eq(square, (1 - η) ** 2 * carried + (1 - η) * var_v + η**2 * var_g)
    share_once = Eq(square, (1 - η) ** 2 * (carried + var_v) + η * var_g)


def independent(p, p_hat):
    """Both trajectories drawn on their own;  (..., N), (..., N̂) -> (..., N, N̂)."""
    return p[..., :, None] * p_hat[..., None, :]


def one_and_the_same(p, p_hat):
    """One trajectory for both, where q = 1."""
    return p[..., :, None] * np.eye(p.shape[-1], dtype=int)


update = {"mdp": tiny, "θ": logits, "Δ": logits, "d": logits, "share": numbers("1/10", 1)}
one_update = {**moved, "d": rational([["1/3", "-1/3"], ["1/5", "-1/5"]]), "share": rational_number("1/3")}


@theorem(
    harpg_claims,
    cite="fatk2023",
    at="HARPG, error recursion",
    source="derived",
    judge=identity(),
    on=update | {"q": numbers(0, 1)},
    named={
        "two by two": {**one_update, "q": rational_number("1/4")},
        "at the iterate": {**one_update, "q": rational_number(1)},
    },
    near_misses={
        "(1 − η) for its square": variance_once,
        "η for its square": share_once,
        "one trajectory for both": {"joint": one_and_the_same},
    },
    note="Given q; b has mean zero for q uniform on [0, 1], see harpg_line, and its variance joins that of v_t.",
)
def harpg_error(mdp, θ, Δ, d, share, q, *, joint=independent, horizon=2):
    """What one update of HARPG does to the error, in mean and mean square: an equality, as τ and τ̂ are independent.

    Every pair of trajectories is listed.
    """
    π, between = softmax(θ + Δ), softmax(θ + expand(q, 2) * Δ)
    slopes = [truncated_gradient(mdp, y, horizon) for y in (softmax(θ), π)]
    (seen, p), (seen_hat, p_hat) = (every_trajectory(mdp, y, horizon) for y in (π, between))
    estimate, v = gpomdp(seen, π), hessian_vector(seen_hat, between, Δ)
    x, weight = expand(share, 4), joint(p, p_hat)
    moved_on = d[..., None, None, :, :] + v[..., None, :, :, :]
    e = (1 - x) * moved_on + x * estimate[..., :, None, :, :] - slopes[1][..., None, None, :, :]
    weight, e = weight.reshape(*p.shape[:-1], -1), e.reshape(*p.shape[:-1], -1, *π.shape[-2:])
    off = mean(p_hat, v, 2) - (slopes[1] - slopes[0])
    before = d - slopes[0]
    yield {
        η: share,
        error: mean(weight, e, 2),
        old: before,
        bias: off,
        square: second_moment(weight, e, 2),
        carried: norm_squared(before + off),
        var_v: trace_variance(p_hat, v, 2),
        var_g: trace_variance(p, estimate, 2),
    }


advanced = Quantity(r"\lVert (1 - \eta_t) e_{t-1} + Z_t \rVert^2", "square of the error before, transported")
var_ahead = Quantity(
    r"\operatorname{Var}(g(\tau_t, \tilde\theta_t))", "trace of the covariance where the trajectory is drawn"
)
Z_entry = Quantity(r"Z_t", "(1 − η)(∇J_H(θ_{t−1}) − ∇J_H(θ_t)) + η(∇J_H(θ̃_t) − ∇J_H(θ_t))")

with as_printed():
    igt_claims = {
        "mean": Eq(error, (1 - η) * old + Z_entry),
        "square": Eq(square, advanced + η**2 * var_ahead),
    }
    unbiased_ahead = Eq(square, (1 - η) ** 2 * unmoved + η**2 * var_ahead)
    variance_here = Eq(square, advanced + η**2 * var_g)


def shifted(gradient, mdp, θ, Δ, ahead, η, *rest):
    """Z_t for a step Δ from θ, and an estimate made at `ahead`; `gradient` of the model and a policy."""
    before, here, there = (gradient(mdp, softmax(x), *rest) for x in (θ, θ + Δ, ahead))
    return (1 - η) * (before - here) + η * (there - here)


@theorem(
    igt_claims,
    cite="fatk2023",
    at="N-PG-IGT, error recursion",
    source="derived",
    judge=identity(),
    on=update,
    named={"two by two": one_update},
    near_misses={
        "as if nothing were left of the step": unbiased_ahead,
        "variance at the iterate": variance_here,
    },
    note="With θ̃_t = θ_t, near miss of igt, the same formula is that of plain momentum.",
)
def igt_error(mdp, θ, Δ, d, share, *, horizon=2):
    """What one update of N-PG-IGT does to the error, in mean and mean square, with every trajectory listed."""
    x, here = expand(share, 2), softmax(θ + Δ)
    ahead = transported(θ + Δ, θ, share)
    π = softmax(ahead)
    seen, p = every_trajectory(mdp, π, horizon)
    estimate, truth = gpomdp(seen, π), truncated_gradient(mdp, here, horizon)
    e = ((1 - x) * d - truth)[..., None, :, :] + expand(share, 3) * estimate
    before = d - truncated_gradient(mdp, softmax(θ), horizon)
    Z = shifted(truncated_gradient, mdp, θ, Δ, ahead, x, horizon)
    again, q = every_trajectory(mdp, here, horizon)
    yield {
        η: share,
        error: mean(p, e, 2),
        old: before,
        Z_entry: Z,
        square: second_moment(p, e, 2),
        advanced: norm_squared((1 - x) * before + Z),
        unmoved: norm_squared(before),
        var_ahead: trace_variance(p, estimate, 2),
        var_g: trace_variance(q, gpomdp(again, here), 2),
    }


var_step = Quantity(
    r"\operatorname{Var}(g(\tau_t, \theta_t) - (1 - \eta_t) g_\omega(\tau_t, \theta_{t-1}))",
    "trace of the covariance of what one trajectory adds",
)
var_change = Quantity(
    r"\operatorname{Var}(g(\tau_t, \theta_t) - g_\omega(\tau_t, \theta_{t-1}))", "trace of the covariance of the change"
)

with as_printed():
    storm_claims = {
        "mean": Eq(error, (1 - η) * old),
        "square": Eq(square, (1 - η) ** 2 * unmoved + var_step),
    }
    as_if_independent = Eq(square, (1 - η) ** 2 * (unmoved + var_change) + η**2 * var_g)


@theorem(
    storm_claims,
    cite="fatk2023",
    at="STORM-PG, error recursion",
    source="derived",
    judge=identity(),
    on=update,
    named={"two by two": one_update},
    near_misses={
        "as if of two trajectories": as_if_independent,
        "inverted weights": {"weighted": inverted},
        "the ratio of the present step only": {"weighted": present_step_only},
    },
)
def storm_error(mdp, θ, Δ, d, share, *, weighted=off_policy, horizon=2):
    """What one update of STORM-PG does to the error, in mean and mean square, with every trajectory listed."""
    before, π = softmax(θ), softmax(θ + Δ)
    seen, p = every_trajectory(mdp, π, horizon)
    estimate, at_old = gpomdp(seen, π), gpomdp(weighted(seen, π, before), before)
    x, truth = expand(share, 3), truncated_gradient(mdp, π, horizon)
    e = estimate + (1 - x) * (d[..., None, :, :] - at_old) - truth[..., None, :, :]
    was = d - truncated_gradient(mdp, before, horizon)
    yield {
        η: share,
        error: mean(p, e, 2),
        old: was,
        square: second_moment(p, e, 2),
        unmoved: norm_squared(was),
        var_step: trace_variance(p, estimate - (1 - x) * at_old, 2),
        var_change: trace_variance(p, estimate - at_old, 2),
        var_g: trace_variance(p, estimate, 2),
    }


# -- implicit gradient transport ---------------------------------------------------------------------------------------

S_t = Quantity(r"S_t", "∇J(θ_{t−1}) − ∇J(θ_t) − ∇²J(θ_t)(θ_{t−1} − θ_t)")
Z_tilde = Quantity(r"\tilde Z_t", "∇J(θ̃_t) − ∇J(θ_t) − ∇²J(θ_t)(θ̃_t − θ_t)")

with as_printed():
    remainders = Eq(Z_entry, (1 - η) * S_t + η * Z_tilde)


def not_transported(θ, before, share):
    """The iterate itself: plain momentum."""
    return θ + 0 * before


def transported_too_far(θ, before, share):
    """θ_t + (θ_t − θ_{t−1}) / η, a factor 1 − η forgotten."""
    return θ + (θ - before) / expand(share, 2)


def transported_by_the_inverse(θ, before, share):
    """θ_t + η / (1 − η) (θ_t − θ_{t−1})."""
    return θ + expand(share / (1 - share), 2) * (θ - before)


@theorem(
    remainders,
    cite="fatk2023",
    at="Lemma 7, error recursion",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(2, 2, rewards="any"), "θ": logits, "Δ": logits, "share": numbers("1/10", "9/10")},
    named={"two by two": {**moved, "share": rational_number("1/3")}},
    near_misses={
        "no transport": {"transport": not_transported},
        "transport by Δ / η": {"transport": transported_too_far},
        "transport by the inverse": {"transport": transported_by_the_inverse},
    },
)
def igt_remainders(mdp, θ, Δ, share, *, transport=transported):
    """The transported point is where the first-order terms of the error cancel: two Taylor remainders are left."""
    x, after = expand(share, 2), θ + Δ
    ahead, π = transport(after, θ, share), softmax(after)
    hessian, here = softmax_hessian(mdp, π), softmax_gradient(mdp, π)

    def remainder(point):
        step = point - after
        linear = (hessian @ step.reshape(*step.shape[:-2], -1, 1))[..., 0].reshape(step.shape)
        return softmax_gradient(mdp, softmax(point)) - here - linear

    yield {
        η: share,
        Z_entry: shifted(softmax_gradient, mdp, θ, Δ, ahead, x),
        S_t: remainder(θ),
        Z_tilde: remainder(ahead),
    }


Z_size = Quantity(r"\lVert Z_t \rVert", "what transport leaves of the change of the gradient")
step_size = Quantity(r"\lVert \theta_t - \theta_{t-1} \rVert", "length of the step", accuracy="relative")
n = Quantity("n", "how often the step has been halved", integer=True)

with as_printed():
    transport = Z_size <= L_h / 2 * ((1 - η) / η) * step_size**2
    transport_without_share = Z_size <= L_h / 2 * (1 - η) * step_size**2 / 100


@theorem(
    transport,
    cite="fatk2023",
    at="N-PG-IGT, transport",
    source="derived",
    judge=for_all(n, up_to=12, exactly_up_to=12),
    on={"mdp": discounted_mdps(2, 2, rewards="any"), "θ": logits, "Δ": logits, "share": numbers("1/10", "9/10")},
    named={
        "two by two": {**moved, "share": rational_number("1/3")},
        "two arms": {
            "mdp": bandit(rational([1, -1])),
            "θ": rational([[0, 0]]),
            "Δ": rational([["1/4", "-1/4"]]),
            "share": rational_number("1/10"),
        },
    },
    near_misses={
        "(1 − η) / 100 for (1 − η) / η": transport_without_share,
        "no transport": {"move": not_transported},
        "transport by the inverse": {"move": transported_by_the_inverse},
    },
    note="Of second order in the step; without transport it is of first order, and the twelfth halving shows it.",
)
def igt(mdp, θ, Δ, share, *, move=transported):
    """Transport leaves an error of second order in the step, (1 − η) / η of it at most."""
    x = expand(share, 2)
    for halvings in range(13):
        short = Δ * (in_arithmetic_of(θ, rational_number(1) / 2**halvings))
        Z = shifted(softmax_gradient, mdp, θ, short, move(θ + short, θ, share), x)
        yield constants(mdp) | {n: halvings, η: share, step_size: norm(short, 2), Z_size: norm(Z, 2)}


# -- smoothness --------------------------------------------------------------------------------------------------------


def _steepest(rng, mdp, θ):
    """The direction in which the value bends most, of length one."""
    return _leading(softmax_hessian(mdp, softmax(θ)), θ)


def _turning(rng, mdp, θ, Δ):
    """The direction in which the bend changes most, of length one."""
    return _leading(softmax_hessian(mdp, softmax(θ + Δ)) - softmax_hessian(mdp, softmax(θ)), θ)


def _leading(matrix, θ):
    eigenvalues, vectors = np.linalg.eigh((matrix + np.swapaxes(matrix, -1, -2)) / 2)
    index = abs(eigenvalues).argmax(axis=-1)[..., None, None]
    return np.take_along_axis(vectors, index, axis=-1)[..., 0].reshape(θ.shape)


steepest = Domain(logits.draw, _steepest, logits.simplest)
turning = Domain(logits.draw, _turning, logits.simplest)

bend = Quantity(r"u^\top \nabla^2 J(\theta) u", "second derivative in the direction u")
bend_H = Quantity(r"u^\top \nabla^2 J_H(\theta) u", "second derivative of the truncated return")
uu = Quantity(r"\lVert u \rVert^2", "square of the direction's length", accuracy="relative")

with as_printed():
    smooth_claims = {
        "J": Abs(bend) <= R / (1 - γ) ** 2 * uu,
        "J_H": Abs(bend_H) <= R / (1 - γ) ** 2 * uu,
    }
    without_horizon = Abs(bend) <= R * uu
    too_smooth = Abs(bend) <= Rational(3, 10) * R / (1 - γ) ** 2 * uu
    smooth_printed = {
        "M_g² + M_h": Abs(bend) <= R * (2 + Rational(1, 2)) / (1 - γ) ** 2 * uu,
        "2 − 1/A": Abs(bend) <= R / (1 - γ) ** 2 * (2 - 1 / A) * uu,
    }

first_logit = rational([[1, -1], [0, 0]])
bends = {
    "two arms": lambda: two_arms() | {"u": rational([[1, -1]])},
    "leave": lambda: leave("9/10", "181/50") | {"u": first_logit},
    "leave late": lambda: leave("99/100", "329/100") | {"u": first_logit},
}


def products(matrix, u):
    """u^T M u;  (..., n, n) and (..., S, A) -> (...)."""
    u = u.reshape(*u.shape[:-2], -1, 1)
    return (np.swapaxes(u, -1, -2) @ matrix @ u)[..., 0, 0]


@theorem(
    smooth_claims,
    cite="fatk2023",
    at="smoothness (L_g), tabular softmax",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(2, 3, rewards="any"), "θ": logits, "u": steepest},
    named=bends,
    near_misses={"without the horizon": without_horizon, "three tenths": too_smooth},
    note="A mutant with 1 / (1 − γ) for its square is not refuted by anything known: the worst bends grow like that.",
)
def smooth(mdp, θ, u, *, horizon=5):
    """The return and the truncated return are r_max / (1 − γ)²-smooth in the logits, whatever the number of actions."""
    π = softmax(θ)
    yield constants(mdp) | {
        uu: norm_squared(u),
        bend: products(softmax_hessian(mdp, π), u),
        bend_H: products(truncated_hessian(mdp, π, horizon), u),
    }


@theorem(
    smooth_printed,
    cite="fatk2023",
    at="smoothness (L_g)",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(2, 3, rewards="any"), "θ": logits, "u": steepest},
    named=bends,
    near_misses={"without the horizon": without_horizon, "three tenths": too_smooth},
    note="Implied by smooth.  M_g = √2, M_h = 1/2; the second is that of Yuan, Gower and Lazaric (2022).",
)
def smooth_general(mdp, θ, u):
    """The constants of general parametrisations, for tabular softmax."""
    bent = products(softmax_hessian(mdp, softmax(θ)), u)
    yield constants(mdp) | {uu: norm_squared(u), bend: bent}


with as_printed():
    smooth_unit_claim = Abs(bend) <= R / (2 * (1 - γ) ** 2) * uu
    too_smooth_unit = Abs(bend) <= R * Rational(19, 100) / (1 - γ) ** 2 * uu


@theorem(
    smooth_unit_claim,
    cite="fatk2023",
    at="smoothness (L_g), rewards in [0, r_max]",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(2, 3), "θ": logits, "u": steepest},
    named={"two arms": lambda: two_arms(1, 0) | {"u": rational([[1, -1]])}},
    near_misses={"19/100": too_smooth_unit},
    uses=["fatk2023.smooth"],
)
def smooth_unit(mdp, θ, u):
    """Half of it if no reward is negative: a constant off all rewards moves no policy."""
    yield from smooth_general.measure(mdp, θ, u)


steepness = Quantity(r"\lVert \nabla J(\theta) \rVert", "length of the gradient")

with as_printed():
    slope_claims = {
        "derived": steepness <= R * sqrt(1 - 1 / A) / (1 - γ) ** Rational(3, 2),
        "general": steepness <= R * sqrt(2) / (1 - γ) ** 2,
    }
    half_slope = steepness <= R * sqrt(1 - 1 / A) / (2 * (1 - γ) ** Rational(3, 2))
    slope_without_horizon = steepness <= R * sqrt(1 - 1 / A)


@theorem(
    slope_claims,
    cite="fatk2023",
    at="length of the gradient",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "θ": logits},
    named={
        "two arms": {"mdp": bandit(rational([1, -1])), "θ": rational([[0, 0]])},
        "leave": lambda: leave("9/10", "5/2"),
    },
    near_misses={"half of it": half_slope, "without the horizon": slope_without_horizon},
    note="The general form, r_max M_g / (1 − γ)² with M_g = √2, is recalled.",
)
def gradient_norm(mdp, θ):
    """The gradient is at most r_max √(1 − 1/A) (1 − γ)^(−3/2) long: scores add up like independent ones."""
    yield constants(mdp) | {steepness: norm(softmax_gradient(mdp, softmax(θ)), 2)}


# M_g, M_h, l_2 = √2, 1/2, √2 / (3 √3); the last of the five numbers in the maximum is the largest, whatever γ.
L_h_printed = R * (
    sqrt(2) / 2 / (1 - γ) ** 2
    + 2 * sqrt(2) * (1 + γ) / (1 - γ) ** 3
    + sqrt(2) / (1 - γ) * (2 / (1 - γ) + γ / (2 * (1 + γ)))
)
change = Quantity(r"u^\top (\nabla^2 J(\theta) - \nabla^2 J(\theta')) u", "change of the second derivative")

with as_printed():
    hess_lip_claims = {
        "derived": Abs(change) <= L_h * move * uu,
        "recalled": Abs(change) <= L_h_printed * move * uu,
    }
    half_reward = Abs(change) <= R / 2 * move * uu


@theorem(
    hess_lip_claims,
    cite="fatk2023",
    at="Lipschitz Hessian (L_h)",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(2, 3, rewards="any"), "θ": logits, "Δ": logits, "u": turning},
    named={
        "two arms": {
            "mdp": bandit(rational([1, -1])),
            "θ": rational([[0, 0]]),
            "Δ": rational([["1/10", "-1/10"]]),
            "u": rational([[1, -1]]),
        }
    },
    near_misses={"half the reward": half_reward},
    note="The recalled constant is that of Zhang, Koppel, Zhu and Başar (2020).",
)
def hess_lip(mdp, θ, Δ, u):
    """The Hessian is Lipschitz with 16/5 r_max (1 − γ)^(−5/2)."""
    difference = softmax_hessian(mdp, softmax(θ + Δ)) - softmax_hessian(mdp, softmax(θ))
    yield constants(mdp) | {move: norm(Δ, 2), uu: norm_squared(u), change: products(difference, u)}


# -- variance ----------------------------------------------------------------------------------------------------------

square_g = Quantity(r"\mathbb E \lVert g(\tau, \theta) \rVert^2", "second moment of the estimate")
square_R = Quantity(r"\mathbb E \lVert g^R(\tau, \theta) \rVert^2", "second moment of the REINFORCE estimate")
paid_steps = Quantity(r"\sum_{h < H} \gamma^h", "what steps weigh together", accuracy="relative")
counted_steps = Quantity(r"\sum_{h < H} (h + 1) \gamma^h", "the same with the scores they carry", accuracy="relative")
G2 = 1 - 1 / A

with as_printed():
    second_moment_claims = {
        "any length": square_g <= R**2 * G2 / (1 - γ) ** 3,
        "this length": square_g <= R**2 * G2 * paid_steps * counted_steps,
        "REINFORCE": square_R <= H * G2 * R**2 / (1 - γ) ** 2,
    }
    half_of_it = square_g <= Rational(1, 2) * R**2 * G2 / (1 - γ) ** 3
    square_of_horizon = square_g <= R**2 * G2 / (1 - γ) ** 2
    reinforce_without_length = square_R <= G2 * R**2 / (1 - γ) ** 2


@theorem(
    second_moment_claims,
    cite="fatk2023",
    at="Lemma on the variance (σ_g²)",
    source="derived",
    status="sharpened",
    judge=in_expectation(
        {square_g: (0, 2 * R**2 * H**2 / (1 - γ) ** 2), square_R: (0, 2 * R**2 * H**2 / (1 - γ) ** 2)}
    ),
    on={"mdp": tiny, "θ": logits},
    named={"always paid": lambda: always_paid("1/2"), "two by two": two},
    near_misses={
        "half of it": half_of_it,
        "the horizon squared": square_of_horizon,
        "REINFORCE without the length": reinforce_without_length,
    },
    note="With the constant G² = 1 − 1/A of tabular softmax, where the paper has M_g² = 2.",
)
def variance(mdp, θ, draws, *, horizon=4):
    """The second moment of GPOMDP grows like the third power of the horizon 1 / (1 − γ), at most."""
    π = softmax(θ)
    seen = rollouts(mdp, π, horizon, draws)
    weights = [mdp.discount**h for h in range(horizon)]
    yield constants(mdp) | {
        H: horizon,
        paid_steps: sum(weights),
        counted_steps: sum((h + 1) * w for h, w in enumerate(weights)),
        square_g: norm_squared(gpomdp(seen, π)),
        square_R: norm_squared(reinforce(seen, π)),
    }


square_B = Quantity(r"\mathbb E \lVert B(\tau, \theta) u \rVert^2", "second moment of the Hessian estimate along u")

with as_printed():
    hessian_moment_claims = {
        "derived": square_B <= R**2 * (2 * H + Rational(1, 2)) ** 2 / (1 - γ) ** 4 * uu,
        "recalled": square_B <= R**2 * (4 * H**2 + Rational(1, 4)) / (1 - γ) ** 4 * uu,
    }
    a_hundredth = square_B <= R**2 * (2 * H + Rational(1, 2)) ** 2 / (100 * (1 - γ) ** 4) * uu
    hessian_without_horizon = square_B <= R**2 * (2 + Rational(1, 2)) ** 2 * uu


@theorem(
    hessian_moment_claims,
    cite="fatk2023",
    at="Lemma on the variance (σ_h²)",
    source="derived",
    judge=in_expectation([square_B]),
    on={"mdp": tiny, "θ": logits, "u": steepest},
    named={
        "paid once": lambda: always_paid(0) | {"u": rational([[1, -1]])},
        "always paid": lambda: always_paid("9/10") | {"u": rational([[1, -1]])},
    },
    near_misses={"a hundredth": a_hundredth, "without H and the horizon": hessian_without_horizon},
    note="The recalled σ_h² lacks the cross term 4 H M_g² M_h / 2 of the square; both are very loose.",
)
def hessian_variance(mdp, θ, u, draws, *, horizon=3):
    """The second moment of the Hessian estimate along a direction, M_g² = 2 and M_h = 1/2."""
    π = softmax(θ)
    product = hessian_vector(rollouts(mdp, π, horizon, draws), π, u)
    yield constants(mdp) | {H: horizon, uu: norm_squared(u), square_B: norm_squared(product)}


# -- truncation --------------------------------------------------------------------------------------------------------

lost_value = Quantity(r"\lvert J(\theta) - J_H(\theta) \rvert", "value after H steps")
lost_slope = Quantity(r"\lVert \nabla J(\theta) - \nabla J_H(\theta) \rVert", "gradient after H steps")
lost_bend = Quantity(r"\lvert u^\top (\nabla^2 J(\theta) - \nabla^2 J_H(\theta)) u \rvert", "curvature after H steps")
D_g = sqrt(1 - 1 / A) * R / (1 - γ) * sqrt(1 / (1 - γ) + H)
D_h = R / (1 - γ) * (H + 1 / (1 - γ))

with as_printed():
    trunc_claims = {
        "value": lost_value <= R * γ**H / (1 - γ),
        "gradient": lost_slope <= D_g * γ**H,
        "Hessian": lost_bend <= D_h * γ**H * uu,
    }
    without_D = lost_slope <= sqrt(1 - 1 / A) * R * γ**H
    one_step_more = lost_value <= R * γ ** (H + 1) / (1 - γ)


@theorem(
    trunc_claims,
    cite="fatk2023",
    at="Lemma on truncation (D_g, D_h)",
    source="derived",
    status="sharpened",
    judge=for_all(H, up_to=40, exactly_up_to=6),
    on={"mdp": several, "θ": logits, "u": steepest},
    named={
        "always paid": lambda: always_paid("9/10") | {"u": rational([[1, -1]])},
        "leave": lambda: leave("9/10", "5/2") | {"u": first_logit},
    },
    near_misses={"a constant for D_g": without_D, "one step more": one_step_more},
    note="With G = √(1 − 1/A) for the paper's M_g; equality for the value where all rewards are r_max.",
)
def trunc(mdp, θ, u):
    """What H steps do not show falls like γ^H, up to the square root of H for gradients and H for Hessians."""
    π = softmax(θ)
    whole = total(mdp.start * values(mdp, π)), softmax_gradient(mdp, π), softmax_hessian(mdp, π)
    for h in (1, 2, 3, 5, 10, 20, 40):
        yield constants(mdp) | {
            H: h,
            uu: norm_squared(u),
            lost_value: abs(whole[0] - truncated_value(mdp, π, h)),
            lost_slope: norm(whole[1] - truncated_gradient(mdp, π, h), 2),
            lost_bend: abs(products(whole[2] - truncated_hessian(mdp, π, h), u)),
        }


# -- one normalised step -----------------------------------------------------------------------------------------------

step = Quantity(r"\gamma_t", "length of the step", accuracy="exact")
here = Quantity(r"J(\theta_t)", "value before the step")
after = Quantity(r"J(\theta_{t+1})", "value after the step")
wrong = Quantity(r"\lVert d_t - \nabla J(\theta_t) \rVert", "error of the direction")
wrong_H = Quantity(r"\lVert d_t - \nabla J_H(\theta_t) \rVert", "error of the direction for the truncated return")
L_g = R / (1 - γ) ** 2

with as_printed():
    ascent_claims = {
        "derived": after >= here + step * steepness - 2 * step * wrong - L_g * step**2 / 2,
        "Lemma 5": after
        >= here + step / 3 * steepness - 8 * step / 3 * wrong_H - L_g * step**2 / 2 - 4 * step / 3 * lost_slope,
    }
    ascent_without_bend = after >= here + step * steepness - 2 * step * wrong
    ascent_without_error = after >= here + step * steepness - L_g * step**2 / 2


@theorem(
    ascent_claims,
    cite="fatk2023",
    at="Lemma 5",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(2, 3, rewards="any"), "θ": logits, "d": logits, "length": numbers("1/100", 4)},
    named={
        "two arms": {
            "mdp": bandit(rational([1, -1])),
            "θ": rational([[0, 0]]),
            "d": rational([["1/2", "-1/2"]]),
            "length": rational_number("1/2"),
        },
        "wrong way": {
            "mdp": bandit(rational([1, -1])),
            "θ": rational([[0, 0]]),
            "d": rational([["-1/2", "1/2"]]),
            "length": rational_number("1/10"),
        },
    },
    near_misses={"without the bend": ascent_without_bend, "without the error": ascent_without_error},
    note="Lemma 5, as study notes quote it, is weaker: (1/3, 8/3) for (1, 2), and what truncation adds.",
)
def norm_ascent(mdp, θ, d, length, *, horizon=4):
    """What a step of given length along any direction gains at least: for a wrong direction too."""
    π, moved_on = softmax(θ), softmax(θ + expand(length, 2) * unit(d))
    gradient, truncated = softmax_gradient(mdp, π), truncated_gradient(mdp, π, horizon)
    yield constants(mdp) | {
        step: length,
        here: total(mdp.start * values(mdp, π)),
        after: total(mdp.start * values(mdp, moved_on)),
        steepness: norm(gradient, 2),
        wrong: norm(d - gradient, 2),
        wrong_H: norm(d - truncated, 2),
        lost_slope: norm(gradient - truncated, 2),
    }


# -- gradient domination -----------------------------------------------------------------------------------------------

δ = Quantity(r"J^* - J(\theta)", "sub-optimality", accuracy="relative")
μ = Quantity(r"\mu_F^+(\theta)", "least Fisher information in a direction that moves the policy", accuracy="relative")
least_π = Quantity(r"\min_{s} \tilde d(s) \min_a \pi(a | s)", "rarest state times rarest action", accuracy="relative")
second_π = Quantity(
    r"\min_{s} \tilde d(s) \pi(a_2 | s)", "the same with the rarest action but one", accuracy="relative"
)
d_tilde = Quantity(r"\tilde d(s)", "discounted share of the time in s", accuracy="relative")
ρ = Quantity(r"\rho(s)", "start distribution", accuracy="exact")

with as_printed():
    dominated = δ <= sqrt(2) / μ * steepness
    without_discount = δ <= sqrt(2) / (μ / (1 - γ)) * steepness
    without_fisher = δ <= sqrt(2) / (1 - γ) * steepness
    information_claims = {"least": μ >= least_π, "start": d_tilde >= (1 - γ) * ρ}
    information_second = μ >= second_π
    start_undiscounted = d_tilde >= ρ

positive = discounted_mdps(2, 3, rewards="any", positive_start=True, families=several.families)


def of_uniform_states(mdp, π):
    """The Fisher matrix averaged over all states alike."""
    return smallest(second_eigenvalue(π)) / mdp.S


def greatest_information(mdp, π):
    """A bound of the largest eigenvalues from below in place of the second smallest."""
    return smallest(occupancy(mdp, π) * largest(π * (1 - π)))


@theorem(
    dominated,
    cite="fatk2023",
    at="relaxed weak gradient domination, tabular softmax",
    source="derived",
    judge=for_all(),
    on={"mdp": positive, "θ": logits},
    named={
        "wrong corner": {"mdp": bandit(rational([0, 1])), "θ": rational([[9, 0]])},
        "slow": lambda: leave("99/100", 6),
        "three arms": {"mdp": bandit(rational([1, 0, 0])), "θ": rational([[0, 8, 0]])},
        "rare state": lambda: {"mdp": rare_state(), "θ": rational([[6, 0], [0, 6]])},
    },
    near_misses={
        "μ not multiplied by 1 − γ": without_discount,
        "no Fisher information": without_fisher,
        "Fisher information of uniform states": {"information": of_uniform_states},
        "its largest eigenvalues": {"information": greatest_information},
    },
    note="M_g = √2 and no bias: compatible features are exact, see compatible.",
)
def rwgd(mdp, θ, *, information=least_information):
    """What a policy loses is at most √2 / μ_F⁺ times the length of the gradient, with μ_F⁺ of that policy."""
    π = softmax(θ)
    slope = norm(softmax_gradient(mdp, π), 2)
    yield constants(mdp) | {δ: gap(mdp, π, optimum(mdp)), μ: information(mdp, π), steepness: slope}


def rare_state():
    """Stay where nothing is paid, or go where one action pays: who does not go hardly learns that."""
    P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
    return DiscountedMDP(P, rational([[0, 0], [1, 0]]), rational_number("9/10"), rational(["999/1000", "1/1000"]))


@theorem(
    information_claims,
    cite="fatk2023",
    at="Fisher information of tabular softmax",
    source="derived",
    judge=for_all(),
    on={"mdp": positive, "θ": logits},
    named={"two by two": two, "leave": lambda: leave("9/10", 3)},
    near_misses={"the rarest action but one": information_second, "without 1 − γ": start_undiscounted},
    note="By interlacing.  It tends to zero with the rarest action: tabular softmax is not Fisher-non-degenerate.",
)
def information(mdp, θ):
    """The least information is at least the rarest state's share times the rarest action's probability."""
    π, share = softmax(θ), occupancy(mdp, softmax(θ))
    rarest = smallest(π)
    yield {
        γ: mdp.discount,
        μ: least_information(mdp, π),
        least_π: smallest(share * rarest),
        second_π: smallest(share * (rarest if mdp.A == 1 else second_smallest(π))),
        d_tilde: share,
        ρ: mdp.start,
    }


def second_smallest(π):
    """The smallest probability but one of each row: the least of the larger ones of all pairs;  (..., A) -> (...)."""
    pairs = [maximum(π[..., a], π[..., b]) for a in range(π.shape[-1]) for b in range(a)]
    return smallest(namespace(π).stack(pairs, axis=-1))


compatible_advantage = Quantity(r"u^{*\top} \nabla \log \pi(a | s)", "best linear fit of the advantage, over 1 − γ")
Adv = Quantity(r"A^\pi(s, a)", "advantage")

with as_printed():
    exact_fit = Eq((1 - γ) * compatible_advantage, Adv)
    fit_without_discount = Eq(compatible_advantage, Adv)


@theorem(
    exact_fit,
    cite="fatk2023",
    at="compatible features, tabular softmax",
    source="derived",
    judge=identity(),
    on={"mdp": positive, "θ": logits},
    named={"two by two": two},
    near_misses={"without 1 − γ": fit_without_discount},
    note="So the bias ε_bias is zero.",
)
def compatible(mdp, θ):
    """With u* = F† ∇J the scores of tabular softmax fit the advantages exactly."""
    π = softmax(θ)
    u = (fisher_pseudo_inverse(mdp, π) @ softmax_gradient(mdp, π)[..., None])[..., 0]
    yield {γ: mdp.discount, compatible_advantage: u - total(π * u)[..., None], Adv: advantages(mdp, π)}


# -- a family whose Fisher information is bounded below ----------------------------------------------------------------


def _three_actions():
    return positive.draw().filter(lambda mdp: mdp.A == 3)


three = Domain(
    _three_actions,
    families=(signed("garnet", S=2, A=3), signed("garnet", S=4, A=3), signed("deterministic", S=3, A=3, noise=1e-2)),
    model=DiscountedMDP,
)

μ_circle = Quantity(r"\mu_F(\vartheta)", "least Fisher information of an angle", accuracy="relative")
M_g = Quantity(r"M_g", "longest score of the policy", accuracy="relative")
ρ_min = Quantity(r"\rho_{\min}", "smallest start probability", accuracy="exact")
bias_circle = Quantity(r"\sqrt{\varepsilon_{\mathrm{bias}}}", "root mean square of what scores do not fit")
slope_circle = Quantity(r"\lVert \nabla_\vartheta J \rVert", "length of the gradient by the angles")
# Of all points of the circle B = 1: no information is below I_MIN, no score above M_MAX, no information above I_MAX, no
# second derivative of log π above M_h = H_MAX; a test encloses them.
I_MIN, M_MAX, I_MAX, H_MAX = Rational(78, 1000), Rational(852, 1000), Rational(402, 1000), Rational(914, 1000)

with as_printed():
    circle_claims = {
        "this policy": δ <= M_g / μ_circle * slope_circle + bias_circle / (1 - γ),
        "all policies": δ <= M_MAX / ((1 - γ) * ρ_min * I_MIN) * slope_circle + bias_circle / (1 - γ),
    }
    without_bias = δ <= M_g / μ_circle * slope_circle
    bias_undiscounted = δ <= M_g / μ_circle * slope_circle + bias_circle


def circle_gradient(mdp, π, scores):
    """∂J / ∂ϑ_s;  (..., S)."""
    return visits(mdp, π) * total(π * advantages(mdp, π) * scores)


def circle_bias(mdp, π, scores, information, best):
    """√ε_bias: how badly the scores fit the advantages where the optimal policy goes."""
    A_π = advantages(mdp, π)
    fitted = expand(total(π * A_π * scores) / information, 1) * scores  # (1 − γ) u* ∇ log π
    missed = total(best.policy * (A_π - fitted))
    return norm(sqrt_of(occupancy(mdp, best.policy)) * missed)


@theorem(
    circle_claims,
    cite="fatk2023",
    at="relaxed weak gradient domination",
    source="recalled",
    judge=for_all(),
    on={"mdp": three, "points": points_of_circle},
    named={
        "three arms": lambda: {"mdp": bandit(rational([0, 0, 1])), "points": circle_points(rational(["12/5"]))},
        "slow": lambda: {"mdp": slow_three(), "points": circle_points(rational(["12/5", "12/5"]))},
    },
    near_misses={"without the bias": without_bias, "bias without 1 − γ": bias_undiscounted},
    note="Logits on a circle, one angle a state: I_min = 0.078 and M_g = 0.852 hold for all policies.",
)
def rwgd_circle(mdp, points):
    """For a Fisher-non-degenerate family a small gradient means a small loss, up to the bias of the family."""
    π, scores = softmax(circle_logits(points)), circle_scores(points)
    information, best = total(π * scores * scores), optimum(mdp)
    yield constants(mdp) | {
        δ: gap(mdp, π, best),
        M_g: largest(abs(scores), 2),
        μ_circle: smallest(occupancy(mdp, π) * information),
        ρ_min: smallest(mdp.start),
        slope_circle: norm(circle_gradient(mdp, π, scores)),
        bias_circle: circle_bias(mdp, π, scores, information, best),
    }


def slow_three():
    """Two states that stay, γ = 9/10; the third action pays in the first state."""
    P = rational([[[1, 0]] * 3, [[0, 1]] * 3])
    return DiscountedMDP(P, rational([[0, 0, 1], [0, 0, 0]]), rational_number("9/10"))


bend_circle = Quantity(r"w^\top \nabla_\vartheta^2 J\, w", "second derivative by the angles")
ww = Quantity(r"\lVert w \rVert^2", "square of the direction's length", accuracy="relative")

with as_printed():
    circle_smooth = Abs(bend_circle) <= R * (I_MAX + H_MAX) / (1 - γ) ** 2 * ww
    circle_without_horizon = Abs(bend_circle) <= R * (I_MAX + H_MAX) * ww
    circle_quarter = Abs(bend_circle) <= R * (I_MAX + H_MAX) / (4 * (1 - γ) ** 2) * ww


def _angle_direction(rng, mdp):
    w = rng.normal(size=(*mdp.batch, mdp.S))
    return w / norm(w)[..., None]


@theorem(
    circle_smooth,
    cite="fatk2023",
    at="smoothness (L_g), general form",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={
        "mdp": three,
        "points": points_of_circle,
        "w": Domain(values_domain.draw, _angle_direction, values_domain.simplest),
    },
    named={
        "three arms": lambda: {
            "mdp": bandit(rational([-1, 1, 1])),
            "points": circle_points(rational(["0"])),
            "w": rational([1]),
        }
    },
    near_misses={"without the horizon": circle_without_horizon, "a quarter": circle_quarter},
    note="With the expected information I_max for M_g², as for tabular softmax.",
)
def smooth_circle(mdp, points, w):
    """The return is smooth in the angles with r_max (I_max + M_h) / (1 − γ)²."""
    π = softmax(circle_logits(points))
    c, s = points[..., 0], points[..., 1]
    first = circle_like([-w * s, w * c, 0 * c])
    second = circle_like([-w * w * c, -w * w * s, 0 * c])
    along = products(softmax_hessian(mdp, π), first) + total(softmax_gradient(mdp, π) * second, 2)
    yield constants(mdp) | {bend_circle: along, ww: total(w * w)}


def circle_like(parts):
    """Derivatives of logits, the three actions last."""
    return namespace(parts[0]).stack(parts, axis=-1)
