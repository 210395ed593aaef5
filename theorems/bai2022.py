"""Bai, Agarwal and Aggarwal (2022), Joint Optimization of Concave Scalarized Multi-Objective RL.

J(θ) is the vector of expected returns of M objectives; the aim is f(J(θ)) for concave f, not the expectation of f.
"""

from functools import partial

from sympy import Eq, sqrt

from mdplab.arrays import expand, largest, namespace, norm, one_hot, rational, smallest, softmax, total, transposed
from mdplab.exact import (
    objective_values,
    pair_visits,
    pair_visits_by_logits,
    returns,
    softmax_gradient,
    softmax_utility_gradient,
    truncated_gradient,
)
from mdplab.exact.scalarisations import Logarithms, Reciprocals, SmoothWorst
from mdplab.exact.utilities import OfReturns
from mdplab.instances import Family, logits, numbers, policies
from mdplab.instances.multi_objective import multi_objective_mdps, objectives_garnet, torn, two_queues
from mdplab.models import DiscountedMDP, MultiObjectiveMDP
from mdplab.sampling import by_objective, every_trajectory, gpomdp, mean, observed_return, trace_variance
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, theorem

unit_rewards = Assumption(
    r"r_i(s, a) \in [0, 1]",
    "all rewards of all objectives lie in [0, 1]",
    lambda mdp: (smallest(mdp.rewards, 3) >= 0) & (largest(mdp.rewards, 3) <= 1),
)
slope = Quantity(
    r"\frac{\partial f(J(\theta))}{\partial \theta(s,a)}", "derivative of the scalarised return by a logit"
)
summed = Quantity(
    r"\sum_i \partial_i f(J(\theta)) \frac{\partial J_i(\theta)}{\partial \theta(s,a)}",
    "gradients of the objectives, weighted",
)
scalar = Quantity(
    r"\frac{\partial}{\partial \theta(s,a)} \mathbb{E} \sum_t \gamma^t \langle c, r(s_t, a_t) \rangle "
    r"\Big|_{c = \nabla f(J(\theta))}",
    "policy gradient for the reward that the weights c make, held fixed",
)
with as_printed():
    by_objectives = Eq(slope, summed)
    by_one_reward = Eq(summed, scalar)


def at_returns(mdp, π, f):
    """Σ_i ∂_i f(J) ∇J_i."""
    weights = f.gradient(returns(mdp, π))
    parts = softmax_gradient(_each(mdp), π[..., None, :, :])
    return _weighted(weights, parts)


def state_by_state(mdp, π, f):
    """The gradient of Σ_s ρ(s) f(V(s)), where f is applied in each state of the start."""
    v, out = objective_values(mdp, π), 0
    each = _each(mdp)
    for s in range(mdp.S):
        start = one_hot(namespace(v).full(v[..., 0].shape, s, dtype=int), mdp.S, mdp.P)
        parts = softmax_gradient(each, π[..., None, :, :], start)
        out = out + mdp.start[..., s, None, None] * _weighted(f.gradient(v[..., s]), parts)
    return out


def at_normalised_returns(mdp, π, f):
    """Weights taken at (1 − γ) J."""
    weights = f.gradient((1 - mdp.γ(1)) * returns(mdp, π))
    return _weighted(weights, softmax_gradient(_each(mdp), π[..., None, :, :]))


def _each(mdp):
    """The objectives as a batch of models."""
    xp, shape = namespace(mdp.P), (*mdp.batch, mdp.M)
    discount = mdp.γ(1) + 0 * mdp.rewards[..., 0, 0]
    P = xp.broadcast_to(mdp.P[..., None, :, :, :], (*shape, *mdp.P.shape[-3:]))
    return DiscountedMDP(P, mdp.rewards, discount, xp.broadcast_to(mdp.start[..., None, :], (*shape, mdp.S)))


def _weighted(weights, parts):
    return total(namespace(parts).moveaxis(weights[..., None, None] * parts, -3, -1))


def scalarisations(offset):
    """−Σ 1/(x + offset), Σ log(x + offset) and a smooth minimum."""
    yield Reciprocals(offset)
    yield Logarithms(-offset[..., None] if getattr(offset, "shape", ()) else -offset)
    yield SmoothWorst(offset)


@theorem(
    {"by objectives": by_objectives, "by one reward": by_one_reward},
    cite="bai2022",
    at="Section 3, gradient of the scalarised objective",
    source="derived",
    judge=identity(),
    on={"mdp": multi_objective_mdps(), "θ": logits, "offset": numbers("1/4", 1)},
    given=[unit_rewards],
    named={"torn": {"mdp": torn()}, "two queues": {"mdp": two_queues(1)}},
    near_misses={
        "f in each state of the start": {"gradient": state_by_state},
        "weights at normalised returns": {"gradient": at_normalised_returns},
    },
    note="The left side goes through the Jacobian of occupancies.",
)
def chain(mdp, θ, offset, *, gradient=at_returns):
    """The gradient of a scalarised return is the policy gradient for one reward, with weights ∂f at the returns."""
    π = softmax(θ)
    λ, jacobian = pair_visits(mdp.mdp, π), transposed(pair_visits_by_logits(mdp.mdp, π))
    reshape = namespace(λ).reshape
    for f in scalarisations(offset):
        F = OfReturns(mdp.rewards, f)
        along = (jacobian @ reshape(F.gradient(λ), (*mdp.batch, -1))[..., None])[..., 0]
        yield {
            slope: reshape(along, λ.shape),
            summed: gradient(mdp, π, f),
            scalar: softmax_gradient(mdp.weighted(f.gradient(returns(mdp, π))), π),
        }


# -- One step of ascent ------------------------------------------------------------------------------------------------

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
α = Quantity(r"\alpha", "step size", accuracy="exact")
largest_slope = Quantity(r"\ell_\lambda", "largest Σ_i ∂_i f r_i there can be: M / offset²", accuracy="exact")
L = Quantity(r"L_{\lambda,\infty}", "Lipschitz constant of R^T ∇f(R λ): 2 M / offset³", accuracy="exact")
distance = Quantity(r"\lVert \theta - \theta' \rVert", "distance of the logits", accuracy="relative")
size = Quantity(r"\lVert \nabla_\theta f(J(\theta)) \rVert", "length of the gradient")
turn = Quantity(r"\lVert \nabla_\theta f(J(\theta)) - \nabla_\theta f(J(\theta')) \rVert", "distance of the gradients")
wrong = Quantity(r"\lVert \nabla_\theta f(J(\theta)) - \bar g \rVert", "error of the direction")
length = Quantity(r"\lVert \bar g \rVert", "length of the direction")
gain = Quantity(r"f(J(\theta + \alpha \bar g)) - f(J(\theta))", "gain of the step")
with as_printed():
    bounded = size <= 2 * largest_slope / (1 - γ) ** 2
    smooth = (
        turn <= (4 * L / (1 - γ) ** 4 + 8 * largest_slope / (1 - γ) ** 3 + 2 * largest_slope / (1 - γ) ** 2) * distance
    )
    bounded_hundredth = size <= largest_slope / 100
    smooth_tenth = turn <= largest_slope / 10 * distance
    ascends = gain >= α / 16 * size**2 - 5 * α / 8 * wrong**2 + α / 8 * length**2
    ascends_always = gain >= α / 16 * size**2 + α / 8 * length**2
    ascends_too_far = gain >= α * size**2 - 5 * α / 8 * wrong**2 + α / 8 * length**2


# Steps are as short as 1 / L_θ, so that rounding hides what they gain where γ is near one.
SHORT = tuple(
    Family(f"objectives-garnet:S={S},A={A},discount={x}", partial(objectives_garnet, S=S, A=A, discount=x))
    for S, A, x in ((2, 2, 0.3), (3, 3, 0.5))
)


def gradient_at(mdp, π, f, weights):
    """Σ_i w_i ∇J_i for any weights, those of an estimate say."""
    return _weighted(weights, softmax_gradient(_each(mdp), π[..., None, :, :]))


def undecided():
    """A state that stays with two opposed actions, γ = 0, logits turned from one to the other."""
    return {"mdp": torn(0), "θ": rational([["1/4", 0]]), "other": rational([[0, "1/4"]])}


def agreeing():
    """A state that stays, two objectives that agree on the second action, γ = 1/2, turned away from it."""
    rewards = rational([[["1/100", "3/4"]], [["1/100", 1]]])
    mdp = MultiObjectiveMDP(rational([[[1], [1]]]), rewards, rational("1/2")[()])
    θ, other = rational([["5/2", 1]]), rational([[3, "1/2"]])
    return {"mdp": mdp, "θ": θ, "other": other, "offset": rational(1)[()]}


@theorem(
    {"gradient": bounded, "smoothness": smooth},
    cite="bai2022",
    at="smoothness of the scalarised objective, by Lemma 5.3 of Zhang et al. (2021)",
    source="derived",
    judge=for_all(),
    on={"mdp": multi_objective_mdps(), "θ": logits, "other": logits, "offset": numbers("1/4", 1)},
    given=[unit_rewards],
    named={
        "undecided": undecided,
        "one-sided": {"mdp": torn(0), "θ": rational([[-2, 0]])},
        "agreeing": agreeing,
    },
    near_misses={"a hundredth and no horizon": bounded_hundredth, "smooth as the slope alone": smooth_tenth},
    uses=["zhang2021.lem5_3"],
    note="For F(λ) = f(R λ), f(x) = −Σ 1/(x_i + offset) and rewards in [0, 1]: ∂_i f <= 1/offset², and ∇f is "
    "2/offset³-Lipschitz, so L_{λ,∞} <= M · 2/offset³.",
)
def smoothness(mdp, θ, other, offset):
    """A scalarised return has the slopes and the smoothness of a general utility with l = max Σ_i ∂_i f r_i."""
    F = OfReturns(mdp.rewards, Reciprocals(offset))
    here, there = (softmax_utility_gradient(mdp.mdp, softmax(x), F) for x in (θ, other))
    yield {
        γ: mdp.discount,
        largest_slope: mdp.M / offset**2,
        L: 2 * mdp.M / offset**3,
        distance: norm(θ - other, 2),
        size: norm(here, 2),
        turn: norm(here - there, 2),
    }


@theorem(
    ascends,
    cite="bai2022",
    at="one step of plug-in policy gradient, by the ascent lemma of its follow-ups",
    source="derived",
    judge=for_all(),
    on={
        "mdp": multi_objective_mdps(families=SHORT),
        "θ": logits,
        "estimate": logits,
        "share": numbers("1/100", 1),
        "offset": numbers("1/2", 1),
    },
    given=[unit_rewards],
    named={"torn": {"mdp": torn(0), "θ": rational([[2, 0]]), "estimate": rational([[-2, 2]])}},
    near_misses={"whatever the weights": ascends_always, "the whole slope": ascends_too_far},
    uses=["bai2022.smoothness", "pgoma.ascent"],
    note="The direction is Σ_i ∂_i f(Ĵ) ∇J_i at the returns Ĵ of another policy, as a batch may misjudge them; "
    "α = share / (2 L_θ).",
)
def ascent(mdp, θ, estimate, share, offset):
    """A plug-in step gains what the gradient promises less what weights at wrong returns cost."""
    f, rest = Reciprocals(offset), 1 - mdp.discount
    F, π = OfReturns(mdp.rewards, f), softmax(θ)
    l_, L_ = mdp.M / offset**2, 2 * mdp.M / offset**3
    step = share / (2 * (4 * L_ / rest**4 + 8 * l_ / rest**3 + 2 * l_ / rest**2))
    g = softmax_utility_gradient(mdp.mdp, π, F)
    d = gradient_at(mdp, π, f, f.gradient(returns(mdp, softmax(estimate))))
    yield {
        α: step,
        gain: f.value(returns(mdp, softmax(θ + expand(step, 2) * d))) - f.value(returns(mdp, π)),
        size: norm(g, 2),
        wrong: norm(d - g, 2),
        length: norm(d, 2),
    }


# -- Weights from a batch ----------------------------------------------------------------------------------------------

N = Quantity("N", "trajectories in the batch for the returns", integer=True)
M = Quantity("M", "number of objectives", integer=True)
L_f = Quantity("L_f", "Lipschitz constant of ∇f: 2 / offset³", accuracy="exact")
third = Quantity(r"\sup |f'''|", "largest third derivative of a term of f: 6 / offset⁴", accuracy="exact")
time = Quantity(r"\sum_{t<H} \gamma^t", "discounted number of steps", accuracy="relative")
spread = Quantity(r"\mathrm{tr\,Var}(\hat R)", "variance of the returns of a trajectory")
bias = Quantity(
    r"\lVert \mathbb E \nabla f(\hat J_N) - \nabla f(J_H) \rVert", "bias of the weights, in the Euclidean norm"
)
bias_1 = Quantity(r"\lVert \mathbb E \nabla f(\hat J_N) - \nabla f(J_H) \rVert_1", "the same, in the 1-norm")
least = Quantity(r"\min_i \mathbb E\, \partial_i f(\hat J_N) - \partial_i f(J_H)", "least bias of a weight")
with as_printed():
    bias_root = bias <= L_f * sqrt(spread / N)
    bias_whole = bias_1 <= third * spread / (2 * N)
    bias_upward = least >= 0
    varies = spread <= M * time**2 / 4
    unbiased = bias_1 <= 0
    bias_square = bias_1 <= third * spread / (20 * N**2)
    bias_root_tenth = bias <= L_f * sqrt(spread / N) / 10

STEPS = 2  # of a trajectory
LISTED = tuple(
    Family(f"objectives-garnet:S={S},A=2", partial(objectives_garnet, S=S, A=2, opposed=S == 2)) for S in (2, 3)
)


def observed(mdp, π):
    """Returns R̂ (..., n, M) of all trajectories of two steps, and their probabilities (..., n)."""
    τ, p = every_trajectory(mdp, π, STEPS)
    return observed_return(by_objective(τ)), p


def of_pairs(R, p):
    """Mean returns of all pairs of trajectories (..., n², M), and their probabilities."""
    reshape, n = namespace(R).reshape, p.shape[-1]
    both = (R[..., :, None, :] + R[..., None, :, :]) / 2
    return (
        reshape(both, (*p.shape[:-1], n * n, R.shape[-1])),
        reshape(p[..., :, None] * p[..., None, :], (*p.shape[:-1], n * n)),
    )


@theorem(
    {"first order": bias_root, "second order": bias_whole, "upward": bias_upward, "variance": varies},
    cite="bai2022",
    at="bias of the plug-in estimator",
    source="derived",
    judge=for_all(N, up_to=2),
    on={"mdp": multi_objective_mdps(2, 2, families=LISTED), "π": policies, "offset": numbers("1/4", 2)},
    given=[unit_rewards],
    named={"torn": {"mdp": torn("1/2"), "offset": rational([2])[0]}, "two queues": {"mdp": two_queues(1)}},
    near_misses={
        "no bias": unbiased,
        "as the square of N": bias_square,
        "a tenth of the first order": bias_root_tenth,
    },
    note="f(x) = −Σ 1/(x_i + offset), batches of one and of two trajectories of two steps; all of them listed.  "
    "f' is convex, so the bias is upward whenever returns vary.",
)
def plug_in(mdp, π, offset):
    """Weights at observed returns are biased, by the order of 1 / √N in general, of 1 / N for smooth f."""
    f = Reciprocals(offset)
    R, p = observed(mdp, π)
    J = mean(p, R, 1)
    for n, (seen, weight) in enumerate([(R, p), of_pairs(R, p)], 1):
        off = mean(weight, Reciprocals(expand(offset, 1)).gradient(seen), 1) - f.gradient(J)
        yield {
            N: n,
            M: mdp.M,
            L_f: 2 / offset**3,
            third: 6 / offset**4,
            time: 1 + mdp.γ(0),
            spread: trace_variance(p, R, 1),
            bias: norm(off),
            bias_1: total(abs(off)),
            least: smallest(off),
        }


estimate = Quantity(r"\mathbb E\, \hat g", "mean of the gradient estimate")
weighted = Quantity(
    r"\sum_i \mathbb E[\partial_i f(\hat J)] \frac{\partial J_{H,i}(\theta)}{\partial \theta(s,a)}",
    "gradients of the objectives, with mean weights",
)
with as_printed():
    factors = Eq(estimate, weighted)


def with_another(mdp, π, f, τ, p):
    """E ĝ where the weights come from a trajectory of their own."""
    weights = f.gradient(observed_return(by_objective(τ)))
    each = gpomdp(by_objective(τ), π)  # (..., n, M, S, A)
    return _weighted(mean(p, weights, 1), mean(p, each, 3))


def with_the_same(mdp, π, f, τ, p):
    """E ĝ where the weights come from the trajectory whose scores they weigh."""
    weights = f.gradient(observed_return(by_objective(τ)))
    return mean(p, _weighted(weights, gpomdp(by_objective(τ), π)), 2)


@theorem(
    factors,
    cite="bai2022",
    at="gradient estimate from two batches",
    source="derived",
    judge=identity(),
    on={"mdp": multi_objective_mdps(2, 2, families=LISTED), "π": policies, "offset": numbers("1/4", 2)},
    given=[unit_rewards],
    named={"torn": {"mdp": torn("1/2")}, "two queues": {"mdp": two_queues(1)}},
    near_misses={"one batch for both": {"estimator": with_the_same}},
    uses=["bai2022.plug_in"],
    note="For one trajectory each, of two steps.",
)
def two_batches(mdp, π, offset, *, estimator=with_another):
    """With a batch of its own for the weights, the only bias of the gradient is that of the weights."""
    f = Reciprocals(expand(offset, 1))
    τ, p = every_trajectory(mdp, π, STEPS)
    c = mean(p, f.gradient(observed_return(by_objective(τ))), 1)
    yield {
        estimate: estimator(mdp, π, f, τ, p),
        weighted: _weighted(c, truncated_gradient(_each(mdp), π[..., None, :, :], STEPS)),
    }
