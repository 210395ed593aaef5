"""Iyengar (2005), Robust Dynamic Programming; and Nilim and El Ghaoui (2005), with costs."""

from __future__ import annotations

import numpy as np
from sympy import Eq, Rational, log, sqrt

from mdplab import arrays
from mdplab.arrays import expand, largest, maximum, minimum, sup, total
from mdplab.exact.robust import (
    robust_bellman,
    robust_optimum,
    robust_values,
    worst_action_values,
    worst_response,
)
from mdplab.instances import greedy_loss as greedy_loss_model
from mdplab.instances import greedy_loss_values, numbers, one_state_loop, values
from mdplab.instances.robust import ANY_RECTANGULAR, ANY_SET, DIVERGENCES, RECTANGULAR, kernels, robust_mdps
from mdplab.models import Segments, StateL1Ball, robust
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
models = robust_mdps(*RECTANGULAR, *DIVERGENCES, sizes=((3, 2),))


def without_adversary(mdp):
    """The robust model in which the adversary has no choice; values are those of `mdp`, negated."""
    return robust(mdp, Segments(mdp.P))


# ------------------------------------------------------------------------------------------------ The Bellman operator

images = Quantity(r"\lVert T v - T w \rVert_\infty", "distance after a robust backup")
apart = Quantity(r"\lVert v - w \rVert_\infty", "distance before")
with as_printed():
    contracts = images <= γ * apart
    contracts_faster = images <= Rational(9, 10) * γ * apart


@theorem(
    contracts,
    cite="iyengar2005",
    at="Theorem 3.2",
    source="recalled",
    judge=for_all(),
    on={"mdp": models, "v": values, "w": values},
    named={"one state": lambda: {"mdp": without_adversary(one_state_loop()), "v": arrays.rational([1])}},
    near_misses={"a tenth faster": contracts_faster},
    note="Derived again; for s-rectangular sets by Wiesemann, Kuhn and Rustem (2013). The locator is from memory.",
)
def contraction(mdp, v, w):
    """The robust Bellman operator contracts by γ in the supremum norm.

    For (s,a)-rectangular and for s-rectangular sets.
    """
    yield {γ: mdp.discount, images: sup(robust_bellman(mdp, v)[0] - robust_bellman(mdp, w)[0]), apart: sup(v - w)}


error = Quantity(r"\lVert v - v^* \rVert_\infty", "error of the values")
residual = Quantity(r"\lVert v - T v \rVert_\infty", "what a robust backup changes")
with as_printed():
    bounded = error <= residual / (1 - γ)
    bounded_by_too_little = error <= γ * residual / (1 - γ)
    bounded_without_horizon = error <= residual


@theorem(
    bounded,
    cite="iyengar2005",
    at="Section 3",
    source="derived",
    judge=for_all(),
    on={
        "mdp": robust_mdps(
            "L1Ball", "StateL1Ball", "WassersteinBall", "KLBall", about=ANY_RECTANGULAR, sizes=((3, 2),)
        ),
        "v": values,
    },
    named={"one state": lambda: {"mdp": without_adversary(one_state_loop())}},
    near_misses={"γ / (1 − γ)": bounded_by_too_little, "without 1 / (1 − γ)": bounded_without_horizon},
    uses=["iyengar2005.contraction"],
)
def residual_bound(mdp, v):
    """What a robust backup changes bounds the distance from the robust optimum, and attains it on one state."""
    yield {γ: mdp.discount, error: sup(v - robust_optimum(mdp).v), residual: sup(v - robust_bellman(mdp, v)[0])}


loss = Quantity(r"\lVert v^{\pi} - v^* \rVert_\infty", "what the greedy policy costs more than necessary, at worst")
with as_printed():
    loses = loss <= 2 * γ / (1 - γ) * error
    loses_half = loss <= γ / (1 - γ) * error


def tie_for_the_wrong_action():
    return {"mdp": without_adversary(greedy_loss_model()), "v": -greedy_loss_values()}


@theorem(
    loses,
    cite="iyengar2005",
    at="Section 3; without an adversary Singh and Yee (1994)",
    source="derived",
    judge=for_all(),
    on={"mdp": models, "v": values},
    named={"tie for the wrong action": tie_for_the_wrong_action},
    near_misses={"half of it": loses_half},
    uses=["iyengar2005.contraction"],
)
def greedy_loss(mdp, v):
    """A policy that is robust greedy for values wrong by ε costs at most 2γε / (1 − γ) too much at worst."""
    best = robust_optimum(mdp).v
    _, π = robust_bellman(mdp, v)
    yield {γ: mdp.discount, error: sup(v - best), loss: sup(robust_values(mdp, π) - best)}


nominal = Quantity(r"v^*_{\mathrm{nominal}}(s)", "optimal cost without adversary")
by_pair = Quantity(r"v^*_{(s, a), \kappa}(s)", "with a budget for each pair")
shared = Quantity(r"v^*_{s, \sum_a \kappa_{sa}}(s)", "with the sum of the budgets of a state's actions, shared by them")
all_alone = Quantity(r"v^*_{(s, a), \sum_b \kappa_{sb}}(s)", "with that sum for each pair")
with as_printed():
    ordered = {
        "nominal": nominal <= by_pair,
        "shared": by_pair <= shared,
        "one budget": shared <= all_alone,
    }
    shared_costs_less = shared <= by_pair
    alone_costs_no_more = all_alone <= shared


@theorem(
    ordered,
    cite="iyengar2005",
    at="for L1 balls; sets that hold each other",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": robust_mdps("L1Ball", sizes=())},
    near_misses={"sharing costs less": shared_costs_less, "a budget each costs no more": alone_costs_no_more},
)
def order(mdp):
    """The larger the set of kernels the larger the cost: nominal, by pair, by state with the sum, by pair with it."""
    κ = total(mdp.ambiguity.budget)
    each = type(mdp.ambiguity)(κ[..., None] + 0 * mdp.ambiguity.budget)
    yield {
        nominal: robust_optimum(mdp.with_ambiguity(Segments(mdp.P))).v,
        by_pair: robust_optimum(mdp).v,
        shared: robust_optimum(mdp.with_ambiguity(StateL1Ball(κ))).v,
        all_alone: robust_optimum(mdp.with_ambiguity(each)).v,
    }


# ------------------------------------------------------------------------------------------- One step of the adversary

worst = Quantity(r"p^\top z", "what the tilted kernel costs")
κ = Quantity(r"\kappa", "how far the tilted kernel is from the nominal one")
λ = Quantity(r"\lambda", "price of the budget", accuracy="exact")
mean_exp = Quantity(r"\sum_t P_t e^{(z_t - z_{\max}) / \lambda}", "mean of the exponentials, the largest taken out")
z_top = Quantity(r"z_{\max}", "largest cost to come")
other = Quantity(r"\bar p^\top z", "what any other kernel costs")
κ_other = Quantity(r"\bar \kappa", "how far that one is from the nominal one")
with as_printed():
    kl = {
        "attained": Eq(worst, λ * κ + λ * log(mean_exp) + z_top),
        "bound": other <= λ * κ_other + λ * log(mean_exp) + z_top,
    }
    kl_without_budget = Eq(worst, λ * log(mean_exp) + z_top)
    kl_half_budget = other <= λ * κ_other / 2 + λ * log(mean_exp) + z_top


def tilted(P, weights):
    """P times the weights, normalised."""
    return P * weights / total(P * weights)[..., None]


def divergence(p, P):
    """KL(p ‖ P), with 0 log 0 = 0."""
    positive = np.asarray(p > 0, dtype=bool)
    ratio = np.where(positive, p / np.where(positive, P, 0 * P + 1), 0 * p + 1)
    return total(np.where(positive, p, 0 * p) * arrays.log(ratio))


def on_support(p, P):
    """A kernel that goes where P goes only: p weighted with P, mixed with P."""
    return tilted(P, p + (0 * p + 1) / p.shape[-1])


def top_of(z, P):
    """The largest entry of z where P > 0."""
    return largest(np.where(np.asarray(P > 0, dtype=bool), z, z.min(axis=-1, keepdims=True)))


@theorem(
    kl,
    cite="iyengar2005",
    at="Section 4, Kullback–Leibler balls; Nilim and El Ghaoui (2005), Section 5",
    source="recalled",
    judge=identity(),
    on={
        "mdp": robust_mdps("Segments", about=ANY_SET, sizes=((3, 2),)),
        "v": values,
        "price": numbers("1/10", 10),
        "p": kernels,
    },
    near_misses={"without λκ": kl_without_budget, "half the budget": kl_half_budget},
    note="With the budget that the price λ spends: strong duality without solving for λ. Derived again.",
)
def kl_dual(mdp, v, price, p):
    """The worst kernel of a Kullback–Leibler ball is P tilted by exp(z / λ), and the dual function is exact there.

    For every kernel λ KL(p ‖ P) + λ log Σ P exp(z / λ) is a bound; with the tilted one it is its cost.
    """
    z, P = mdp.targets(v), mdp.P
    top = top_of(z, P)
    lam = expand(price, 2)
    inside = np.asarray(P > 0, dtype=bool)
    weights = arrays.exp(np.where(inside, (z - top[..., None]) / expand(lam, 1), 0 * z))
    tilt, away = tilted(P, weights), on_support(p, P)
    yield {
        λ: lam,
        z_top: top,
        worst: total(tilt * z),
        κ: divergence(tilt, P),
        mean_exp: total(P * weights),
        other: total(away * z),
        κ_other: divergence(away, P),
    }


η = Quantity(r"\eta", "threshold below which the worst kernel leaves nothing")
second_moment = Quantity(r"\sum_t P_t (z_t - \eta)_+^2", "second moment above the threshold")
with as_printed():
    chi2 = {
        "attained": Eq(worst, η + sqrt((1 + κ) * second_moment)),
        "bound": other <= η + sqrt((1 + κ_other) * second_moment),
    }
    chi2_without_one = other <= η + sqrt(κ_other * second_moment)
    chi2_linear = Eq(worst, η + (1 + κ) * sqrt(second_moment))


@theorem(
    chi2,
    cite="iyengar2005",
    at="Section 4, χ² balls",
    source="recalled",
    judge=identity(),
    on={
        "mdp": robust_mdps("Segments", about=ANY_SET, sizes=((3, 2),)),
        "v": values,
        "depth": numbers("1/10", 10),
        "p": kernels,
    },
    near_misses={"κ for 1 + κ": chi2_without_one, "1 + κ outside of the root": chi2_linear},
    note="With the budget that the threshold spends, as for `kl_dual`. Derived again.",
)
def chi2_dual(mdp, v, depth, p):
    """The worst kernel of a χ² ball is P weighted with (z − η)_+, and the dual function is exact there."""
    z, P = mdp.targets(v), mdp.P
    threshold = top_of(z, P) - expand(depth, 2)
    above = maximum(z - threshold[..., None], 0 * z)
    tilt, away = tilted(P, above), on_support(p, P)

    def distance(x):
        inside = np.asarray(P > 0, dtype=bool)
        return total(np.where(inside, (x - P) ** 2 / np.where(inside, P, 0 * P + 1), 0 * P))

    yield {
        η: threshold,
        worst: total(tilt * z),
        κ: distance(tilt),
        second_moment: total(P * above * above),
        other: total(away * z),
        κ_other: distance(away),
    }


spent = Quantity(r"\mathrm{D}(p, P)", "divergence of the kernel found")
allowed = Quantity(r"\kappa(s, a)", "budget", accuracy="exact")
found_value = Quantity(r"p^\top z_{sa}", "what the kernel found costs")
inner_value = Quantity(r"q^\top z_{sa}", "what another kernel of the ball costs")
with as_printed():
    answers = {"in the ball": spent <= allowed, "worst": inner_value <= found_value}


def divergence_of(mdp):
    """KL or χ², as the set has it."""
    if type(mdp.ambiguity).__name__ == "KLBall":
        return lambda p: divergence(p, mdp.P)
    inside = np.asarray(mdp.P > 0, dtype=bool)
    return lambda p: total(np.where(inside, (p - mdp.P) ** 2 / np.where(inside, mdp.P, 0 * mdp.P + 1), 0 * mdp.P))


def budgets(factor):
    """The adversary's answer as if all budgets were so many times as large."""

    def respond(mdp, v):
        return worst_response(mdp.with_ambiguity(type(mdp.ambiguity)(factor(mdp.ambiguity.budget))), v)

    return respond


@theorem(
    answers,
    cite="iyengar2005",
    at="Section 4, inner problems for balls of a divergence",
    source="derived",
    judge=for_all(),
    on={"mdp": robust_mdps(*DIVERGENCES, sizes=((3, 2),)), "v": values, "p": kernels},
    near_misses={
        "with half the budget": {"respond": budgets(lambda κ: κ / 2)},
        "with twice the budget": {"respond": budgets(lambda κ: 2 * κ)},
    },
    uses=["iyengar2005.kl_dual", "iyengar2005.chi2_dual"],
    note="Any kernel becomes one of the ball when it is mixed with P, as divergences are convex. In exact arithmetic "
    "the kernel found is a rational one of the ball, and the worst value lies between its own and that of the dual.",
)
def divergence_balls(mdp, v, p, *, respond=worst_response):
    """Bisection on the price of the budget finds a kernel of the ball that costs no less than any other of it."""
    z, far = mdp.targets(v), divergence_of(mdp)
    answer, away = respond(mdp, v), on_support(p, mdp.P)
    distance = far(away)
    κ_sa = mdp.ambiguity.budget
    share = minimum(κ_sa / np.where(np.asarray(distance > 0, dtype=bool), distance, 0 * distance + 1), 0 * κ_sa + 1)
    inner = mdp.P + share[..., None] * (away - mdp.P)
    worst_value = worst_action_values(mdp, v) if respond is worst_response else total(answer * z)
    yield {spent: far(answer), allowed: κ_sa, inner_value: total(inner * z), found_value: worst_value}


greedy_value = Quantity(r"\max_{W_1(p, P) \le \kappa} p^\top z", "what the adversary's transport costs")
dual_value = Quantity(
    r"\min_{\lambda \ge 0} \Big[\lambda \kappa + \sum_t P_t \max_u \big(z_u - \lambda \delta(t, u)\big)\Big]",
    "least value of the dual function, over its kinks",
)
with as_printed():
    transports = Eq(greedy_value, dual_value)


def transport_dual(mdp, z):
    """The dual function at zero and at its kinks (z_u − z_w) / (δ(t, u) − δ(t, w)), the least;  -> (..., S, A)."""
    u = mdp.ambiguity
    δ = u.distance
    run = δ[..., :, :, None] - δ[..., :, None, :]  # (..., t, u, w)
    rise = z[..., None, :, None] - z[..., None, None, :]  # (..., s, a, 1, u, w)
    run = run[..., None, None, :, :, :] + 0 * rise
    rise = rise + 0 * run
    usable = np.asarray((run != 0) & (rise * run > 0), dtype=bool)
    kinks = np.where(usable, rise / np.where(usable, run, 0 * run + 1), 0 * run)
    kinks = kinks.reshape(*kinks.shape[:-3], -1)  # (..., s, a, kinks), zero among them
    best = None
    for i in range(kinks.shape[-1]):
        lam = kinks[..., i]
        reach = largest(z[..., None, :] - lam[..., None, None] * δ[..., None, None, :, :])
        value = lam * u.budget + total(mdp.P * reach)
        best = value if best is None else arrays.minimum(best, value)
    return best


def double_budget(mdp, v):
    """The response with twice the budget."""
    u = mdp.ambiguity
    return worst_response(mdp.with_ambiguity(type(u)(2 * u.budget, u.distance)), v)


@theorem(
    transports,
    cite="iyengar2005",
    at="for Wasserstein-1 balls; transport duality",
    source="derived",
    status="folklore",
    judge=identity(),
    on={"mdp": robust_mdps("WassersteinBall", sizes=((3, 2),)), "v": values},
    near_misses={"twice the budget": {"respond": double_budget}},
)
def w1_dual(mdp, v, *, respond=worst_response):
    """Spending the budget on the steepest moves first is worst within a Wasserstein-1 ball.

    The dual function is piecewise linear: its least value at zero or a kink is exact in rationals.
    """
    z = mdp.targets(v)
    yield {greedy_value: total(respond(mdp, v) * z), dual_value: transport_dual(mdp, z)}
