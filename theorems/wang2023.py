"""Wang, Ho and Petrik (2023), Policy Gradient in Robust MDPs with Global Convergence Guarantee."""

from __future__ import annotations

import numpy as np
from sympy import Abs, Eq, Max, Rational, sqrt

from mdplab import arrays, exact
from mdplab.arrays import (
    expand,
    floats,
    identity_like,
    is_exact,
    largest,
    maximum,
    minimum,
    norm,
    rational,
    rational_number,
    smallest,
    solve,
    total,
)
from mdplab.exact.robust import (
    kernel_action_values,
    kernel_cost_gradient,
    kernel_values,
    kernel_visits,
    policy_cost_gradient,
    robust_optimum,
    tilted_gradient,
    tilted_kernel,
    worst_case,
    worst_response,
)
from mdplab.instances import Domain, numbers, policies
from mdplab.instances.robust import (
    ANY_RECTANGULAR,
    ANY_SET,
    ANY_SOLVED,
    best_of_two_kernels,
    early_stop,
    kernels,
    random_is_best,
    robust_mdps,
    trap,
    two_kernels,
)
from mdplab.models import Segments
from mdplab.models.robust import RobustMDP
from mdplab.solvers import drpg
from mdplab.solvers.drpg import ascent_inner, exact_inner
from mdplab.solvers.proximal import moreau_slope
from mdplab.solvers.simplex import project_to_simplex
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, positive_start, theorem

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
S = Quantity("S", "number of states", integer=True)
A = Quantity("A", "number of actions", integer=True)
D = Quantity("D", "one over the smallest start probability, at least every mismatch", accuracy="relative")
Φ_gap = Quantity(r"\Phi(\pi) - \Phi^*", "how much more than necessary the policy costs at worst")

costs_in_unit_interval = Assumption(
    r"c(s, a, s') \in [0, 1]",
    "all costs lie in [0, 1]",
    lambda mdp: (smallest(mdp.c, 3 if mdp.by_transition else 2) >= 0) & (mdp.cost_bound <= 1),
)
convex_rectangular = Assumption(
    r"\mathcal P \text{ convex and } s\text{-rectangular}",
    "the set of kernels is convex and s-rectangular",
    lambda mdp: np.full(mdp.batch, mdp.ambiguity.rectangular != "no"),
)
later_matters = Assumption(r"\gamma \ge 1/3", "the discount is at least a third", lambda mdp: mdp.discount * 3 >= 1)

models = robust_mdps(about=ANY_SET, sizes=((3, 2),))
small_models = robust_mdps("L1Ball", "StateL1Ball", "Segments", about=ANY_SOLVED, sizes=((3, 2),))
rectangular_models = robust_mdps("L1Ball", "StateL1Ball", "Segments", about=ANY_RECTANGULAR, sizes=((3, 2),))
short_runs = robust_mdps("Segments", about=ANY_RECTANGULAR, positive_start=True, sizes=((2, 2),))
started = robust_mdps("L1Ball", "StateL1Ball", "Segments", about=ANY_RECTANGULAR, positive_start=True, sizes=((3, 2),))
started_with_any_set = robust_mdps(
    "L1Ball", "StateL1Ball", "Segments", about=ANY_SET, positive_start=True, sizes=((3, 2),)
)
any_started = robust_mdps(
    "L1Ball", "StateL1Ball", "Segments", "KLBall", about=ANY_RECTANGULAR, positive_start=True, sizes=((3, 2),)
)


def rarest(mdp):
    """1 / min ρ."""
    return 1 / smallest(mdp.start)


def cost_of(mdp, π, p):
    """J(π, p)."""
    return total(mdp.start * kernel_values(mdp, π, p))


def advantage_of_deviating(π, g):
    """max over policies π' of ⟨π − π', g⟩."""
    return total(total(π * g) - smallest(g))


def stretched(discount="9/10"):
    """One state, one cost: with two actions of cost 1 the gradient in π has norm √2 / (1 − γ), with A = 1 it is L_π."""
    one = rational([[[1], [1]]])
    return RobustMDP(one, rational([[1, 1]]), rational_number(discount), Segments(one))


# --------------------------------------------------------------------------------------------------------- A. Gradients

dJ_π = Quantity(r"\frac{\partial J(\pi, p)}{\partial \pi(a | s)}", "derivative in one probability of the policy")
dJ_p = Quantity(r"\frac{\partial J(\pi, p)}{\partial p(s' | s, a)}", "derivative in one entry of the kernel")
d = Quantity(r"d^{\pi, p}_\rho(s)", "share of time spent in s", accuracy="relative")
q = Quantity(r"q^{\pi, p}(s, a)", "action value under the kernel")
z = Quantity(r"\left[c(s, a, s') + \gamma v^{\pi, p}(s')\right]", "what reaching s' costs")
z_later = Quantity(r"\left[\gamma v^{\pi, p}(s')\right]", "the same without the cost of the transition")
q_later = Quantity(r"\left[\gamma \sum_{s'} p(s' | s, a) v^{\pi, p}(s')\right]", "action value without the next cost")
π_sa = Quantity(r"\pi(a | s)", "probability of the action", accuracy="relative")

with as_printed():
    in_policy = Eq(dJ_π, 1 / (1 - γ) * d * q)
    in_policy_without_horizon = Eq(dJ_π, d * q)
    in_policy_without_cost = Eq(dJ_π, 1 / (1 - γ) * d * q_later)
    in_policy_twice_the_horizon = Eq(dJ_π, 1 / (1 - γ) ** 2 * d * q)
    in_kernel = Eq(dJ_p, 1 / (1 - γ) * d * π_sa * z)
    in_kernel_without_policy = Eq(dJ_p, 1 / (1 - γ) * d * z)
    in_kernel_without_cost = Eq(dJ_p, 1 / (1 - γ) * d * π_sa * z_later)


def derivative(mdp, π, p, change):
    """ρ·V' where (I − γ P_π) V' = e_s change(s, a, ...): the Bellman equation differentiated, without visits."""
    P, _ = mdp.under(π, p)
    here = identity_like(P)
    M = identity_like(P) - mdp.γ(2) * P
    columns = solve(M[..., None, :, :], np.broadcast_to(here, M.shape))  # V' for a unit change in state s
    weight = total(columns * mdp.start[..., None, :])
    return weight.reshape(*weight.shape, *(1,) * (change.ndim - weight.ndim)) * change


@theorem(
    in_policy,
    cite="wang2023",
    at="Section 3",
    judge=identity(),
    on={"mdp": models, "π": policies, "p": kernels},
    near_misses={
        "without 1 / (1 − γ)": in_policy_without_horizon,
        "action values without the next cost": in_policy_without_cost,
        "visits that are not shares, and 1 / (1 − γ)": in_policy_twice_the_horizon,
    },
    note="As the authors' code has it. The entries of π are free variables, also off the simplex.",
)
def grad_pi(mdp, π, p):
    """The gradient of the cost in the policy is visits times action values.

    For any kernel, whatever the set of kernels.
    """
    v = kernel_values(mdp, π, p)
    values = kernel_action_values(mdp, π, p)
    yield {
        γ: mdp.discount,
        dJ_π: derivative(mdp, π, p, values),
        d: ((1 - mdp.γ(1)) * kernel_visits(mdp, π, p))[..., None],
        q: values,
        q_later: total(p * (mdp.γ(3) * v[..., None, None, :])),
    }


@theorem(
    in_kernel,
    cite="wang2023",
    at="Section 4",
    judge=identity(),
    on={"mdp": models, "π": policies, "p": kernels},
    near_misses={
        "without π(a | s)": in_kernel_without_policy,
        "without the cost of the transition": in_kernel_without_cost,
    },
    note="As the authors' code has it.",
)
def grad_p(mdp, π, p):
    """The gradient of the cost in the kernel is visits times the policy times what the next state costs."""
    v = kernel_values(mdp, π, p)
    targets = mdp.targets(v)
    yield {
        γ: mdp.discount,
        dJ_p: derivative(mdp, π, p, π[..., None] * targets),
        d: ((1 - mdp.γ(1)) * kernel_visits(mdp, π, p))[..., None, None],
        π_sa: π[..., None],
        z: targets,
        z_later: mdp.γ(3) * v[..., None, None, :] + 0 * targets,
    }


dJ_θ = Quantity(r"\frac{\partial J}{\partial \theta_i}", "derivative in a weight of the state features")
dJ_λ = Quantity(r"\frac{\partial J}{\partial \lambda_j}", "derivative in a weight of the features of pairs")
by_φ = Quantity(
    r"\Big[\tfrac{1}{1 - \gamma} \sum_{s, a} d(s) \pi(a|s) \tfrac{\mathrm{Cov}(\phi_i, X)}{w(s, a)}\Big]",
    "covariance of a state feature and what the next state costs, by visits",
)
by_ψ = Quantity(
    r"\Big[\tfrac{1}{1 - \gamma} \sum_{s, a} d(s) \pi(a|s) \mathrm{Cov}(\theta^\top \phi, X)"
    r" \tfrac{\psi_j(s, a)}{w(s, a)^2}\Big]",
    "the same for the score, by the features of pairs",
)
with as_printed():
    in_parameters = {"θ": Eq(dJ_θ, by_φ), "λ": Eq(dJ_λ, -by_ψ)}
    with_plus = Eq(dJ_λ, by_ψ)


def through_softmax(mdp, π, θ, λ):
    """∂J/∂θ and ∂J/∂λ by the chain rule: the gradient in the kernel times the Jacobian of the softmax."""
    u, p = mdp.ambiguity, tilted_kernel(mdp, θ, λ)
    w = (λ[..., :, None, None] * u.pair_features).sum(axis=-3)
    score = (θ[..., :, None] * u.state_features).sum(axis=-2)
    jacobian = p[..., :, None] * (
        identity_like(mdp.P[..., 0, 0, :, None] * mdp.P[..., 0, 0, None, :]) - p[..., None, :]
    )
    by_logit = (kernel_cost_gradient(mdp, π, p)[..., :, None] * jacobian).sum(axis=-2)  # (..., S, A, S)
    for_θ = total(by_logit[..., None, :, :, :] * u.state_features[..., :, None, None, :] / w[..., None, :, :, None], 3)
    change = -total(by_logit * score[..., None, None, :]) / w**2
    return for_θ, total(change[..., None, :, :] * u.pair_features, 2)


@theorem(
    in_parameters,
    cite="wang2023",
    at="Section 4.2",
    source="derived",
    judge=identity(),
    on={"mdp": robust_mdps("TiltedKernels", sizes=((3, 2),)), "π": policies},
    near_misses={"plus in the gradient of λ": with_plus},
    note="Agrees with the authors' code. At the centre of the set of parameters.",
)
def grad_xi(mdp, π):
    """The gradient of the cost in the parameters of the kernel is a covariance by visits.

    Kernels p(s' | s, a) ∝ P(s' | s, a) exp(θ'φ(s') / w(s, a)) with w = λ'ψ(s, a); X = c(s, a, ·) + γ v.
    """
    θ, λ = mdp.ambiguity.θ_centre, mdp.ambiguity.λ_centre
    left, right = through_softmax(mdp, π, θ, λ), tilted_gradient(mdp, π, θ, λ)
    yield {dJ_θ: left[0], dJ_λ: left[1], by_φ: right[0], by_ψ: -right[1]}


# -------------------------------------------------------------------------------------------------------- B. Smoothness

slope_π = Quantity(r"\lVert \nabla_\pi J(\pi, p) \rVert", "slope in the policy")
slope_p = Quantity(r"\lVert \nabla_p J(\pi, p) \rVert", "slope in the kernel")
change_Φ = Quantity(r"(\Phi(\pi) - \Phi(\pi'))", "change of the worst cost")
apart = Quantity(r"\lVert \pi - \pi' \rVert", "distance of two policies", accuracy="relative")
apart_p = Quantity(r"\lVert p - p' \rVert", "distance of two kernels", accuracy="relative")
bend_π = Quantity(r"\lVert \nabla_\pi J(\pi, p) - \nabla_\pi J(\pi', p) \rVert", "change of the slope in the policy")
bend_p = Quantity(r"\lVert \nabla_p J(\pi, p) - \nabla_p J(\pi, p') \rVert", "change of the slope in the kernel")

with as_printed():
    lipschitz = {
        "policy": slope_π <= sqrt(A) / (1 - γ) ** 2,
        "worst cost": Abs(change_Φ) <= sqrt(A) / (1 - γ) ** 2 * apart,
        "smooth in the policy": bend_π <= 2 * γ * A / (1 - γ) ** 3 * apart,
        "kernel": slope_p <= sqrt(S) / (1 - γ) ** 2,
        "smooth in the kernel": bend_p <= 2 * γ * S / (1 - γ) ** 3 * apart_p,
    }
    half_as_steep = slope_π <= sqrt(A) / (2 * (1 - γ) ** 2)
    half_as_steep_in_kernel = slope_p <= sqrt(S) / (2 * (1 - γ) ** 2)
    without_horizon = slope_π <= sqrt(A) / (1 - γ)


@theorem(
    lipschitz,
    cite="wang2023",
    at="Lemma 3.1; in the kernel derived",
    source="recalled",
    judge=for_all(),
    on={"mdp": small_models, "π": policies, "other": policies, "p": kernels, "p_other": kernels},
    given=[costs_in_unit_interval],
    named={"every cost is one": stretched},
    near_misses={
        "half the slope": half_as_steep,
        "half the slope in the kernel": half_as_steep_in_kernel,
        "one power of the horizon less": without_horizon,
    },
    note="The statements in π as two public sets of notes quote them; those in p proved with the same argument.",
)
def lipschitz_and_smooth(mdp, π, other, p, p_other):
    """Costs are Lipschitz and smooth in the policy and in the kernel, and the worst cost is Lipschitz.

    With L_π = √A / (1 − γ)², l_π = 2γA / (1 − γ)³, and S in place of A for the kernel.  Any compact set of kernels.
    """
    g, h = policy_cost_gradient(mdp, π, p), kernel_cost_gradient(mdp, π, p)
    yield {
        γ: mdp.discount,
        S: mdp.S,
        A: mdp.A,
        slope_π: norm(g, 2),
        change_Φ: worst_case(mdp, π).cost - worst_case(mdp, other).cost,
        apart: norm(π - other, 2),
        bend_π: norm(g - policy_cost_gradient(mdp, other, p), 2),
        slope_p: norm(h, 3),
        bend_p: norm(h - kernel_cost_gradient(mdp, π, p_other), 3),
        apart_p: norm(p - p_other, 3),
    }


middle = Quantity(r"\Phi(\tfrac{\pi + \pi'}{2})", "worst cost half-way")
ends = Quantity(r"\tfrac{\Phi(\pi) + \Phi(\pi')}{2}", "mean of the worst costs at the ends")
apart2 = Quantity(r"\lVert \pi - \pi' \rVert^2", "squared distance", accuracy="relative")
with as_printed():
    weakly_convex = middle <= ends + γ * A / (4 * (1 - γ) ** 3) * apart2
    convex = middle <= ends


def crossing():
    """Two states on a ring; leaving and staying cost the same a step until both are mixed."""
    P = rational([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])
    c = rational([[0, 0], [0, 1]])
    first, second = rational([[1, 0], [1, 0]]), rational([[0, 1], [0, 1]])
    mdp = RobustMDP(P, c, rational_number("9/10"), Segments(P), rational([1, 0]))
    return {"mdp": mdp, "π": first, "other": second}


@theorem(
    weakly_convex,
    cite="wang2023",
    at="Lemma 3.1",
    source="recalled",
    judge=for_all(),
    on={"mdp": small_models, "π": policies, "other": policies},
    given=[costs_in_unit_interval],
    named={"both ways": crossing},
    near_misses={"convex": convex},
    note="In the midpoint form: Φ + l_π/2 ‖·‖² is convex with l_π = 2γA / (1 − γ)³. As two public sets of notes "
    "quote it.",
)
def weak_convexity(mdp, π, other):
    """The worst cost is weakly convex in the policy.

    Any compact set of kernels: a maximum of smooth functions is no worse than each of them.
    """
    yield {
        γ: mdp.discount,
        A: mdp.A,
        middle: worst_case(mdp, (π + other) / 2).cost,
        ends: (worst_case(mdp, π).cost + worst_case(mdp, other).cost) / 2,
        apart2: total((π - other) ** 2, 2),
    }


# ------------------------------------------------------------------------------------------------ C. Gradient dominance

gap = Quantity(r"\left[J(\pi, p) - \min_x J(x, p)\right]", "sub-optimality under the kernel", accuracy="relative")
deviation = Quantity(
    r"\max_{\pi'} \langle \pi - \pi', \nabla_\pi J(\pi, p) \rangle", "what the best deviation gains to first order"
)
D_star = Quantity(
    r"\max_s \frac{d^{\pi^*, p}_\rho(s)}{\rho(s)}", "mismatch of optimal visits and start", accuracy="relative"
)
mismatch = Quantity(
    r"\max_s \frac{d^{\pi^*, p}_\rho(s)}{d^{\pi, p}_\rho(s)}", "mismatch of visits", accuracy="relative"
)

with as_printed():
    dominance = {
        "by the start": gap <= D_star / (1 - γ) * deviation,
        "by the visits": gap <= mismatch * deviation,
    }
    dominance_without_horizon = gap <= D_star * deviation
    dominance_without_mismatch = gap <= deviation


@theorem(
    dominance,
    cite="wang2023",
    at="Section 3",
    judge=for_all(),
    on={"mdp": started_with_any_set, "π": policies, "p": kernels},
    given=[positive_start],
    near_misses={
        "without 1 / (1 − γ)": dominance_without_horizon,
        "without mismatch": dominance_without_mismatch,
    },
    note="The first form as in the paper; the second, which implies it, from the same proof.",
)
def dom_fixed_p(mdp, π, p):
    """Under one kernel, what the best deviation gains to first order bounds what all of them gain."""
    nominal = mdp.under_kernel(p)
    best = exact.optimum(nominal)
    optimal, here = exact.occupancy(nominal, best.policy), exact.occupancy(nominal, π)
    yield {
        γ: mdp.discount,
        gap: exact.gap(nominal, π, best),
        deviation: advantage_of_deviating(π, policy_cost_gradient(mdp, π, p)),
        D_star: largest(optimal / mdp.start),
        mismatch: largest(optimal / here),
    }


robust_deviation = Quantity(
    r"\max_{\pi'} \langle \pi - \pi', \nabla_\pi J(\pi, p_\pi) \rangle", "the same under a worst kernel"
)
robust_mismatch = Quantity(
    r"\max_s \frac{d^{\pi^*, p_\pi}_\rho(s)}{d^{\pi, p_\pi}_\rho(s)}",
    "mismatch under a worst kernel",
    accuracy="relative",
)
with as_printed():
    robust_dominance = {
        "by the start": Φ_gap <= D / (1 - γ) * robust_deviation,
        "by the visits": Φ_gap <= robust_mismatch * robust_deviation,
    }
    robust_dominance_without_horizon = Φ_gap <= D * robust_deviation
    robust_dominance_without_mismatch = Φ_gap <= robust_deviation


def left_behind():
    """From s_0 both actions cost 1, stay or lead to s_1, where staying is free and leaving costs 1; π leaves.

    The gap is 1 / (1 − γ) − 1/2 from the uniform start, the deviation 1/2 and D = 2: 19 times the deviation.
    """
    P = rational([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])
    mdp = RobustMDP(P, rational([[1, 1], [1, 0]]), rational_number("9/10"), Segments(P))
    return {"mdp": mdp, "π": rational([[1, 0], [1, 0]])}


@theorem(
    robust_dominance,
    cite="wang2023",
    at="Section 3, before Theorem 3.2",
    source="derived",
    judge=for_all(),
    on={"mdp": any_started, "π": policies},
    given=[positive_start],
    named={"the better state is left": left_behind},
    near_misses={
        "without 1 / (1 − γ)": robust_dominance_without_horizon,
        "without mismatch": robust_dominance_without_mismatch,
    },
    note="Φ* >= J(π*, p) makes this true for every set. "
    "Convexity and rectangularity make every subgradient a gradient.",
)
def subgrad_dom(mdp, π):
    """The worst cost is dominated by its subgradients of the form ∇_π J(π, p), p a worst kernel.

    What needs a convex s-rectangular set is that there are no other subgradients: see `subgrad_dom_of_mixtures`.
    """
    case, best = worst_case(mdp, π), robust_optimum(mdp)
    optimal = (1 - mdp.γ(1)) * kernel_visits(mdp, best.policy, case.kernel)
    here = (1 - mdp.γ(1)) * kernel_visits(mdp, π, case.kernel)
    yield {
        γ: mdp.discount,
        D: rarest(mdp),
        Φ_gap: case.cost - total(mdp.start * best.v),
        robust_deviation: advantage_of_deviating(π, policy_cost_gradient(mdp, π, case.kernel)),
        robust_mismatch: largest(optimal / here),
    }


moreau = Quantity(r"\lVert \nabla \Phi_{1/2\ell}(\pi) \rVert", "slope of the Moreau envelope")
with as_printed():
    moreau_paper = Φ_gap <= (D * sqrt(S * A) / (1 - γ) + (1 - γ) / (4 * γ * sqrt(A))) * moreau
    moreau_sharp = Φ_gap <= (D * sqrt(2 * S) / (1 - γ) + (1 - γ) / (4 * γ * sqrt(A))) * moreau
    moreau_half_lipschitz = Φ_gap <= (1 - γ) / (4 * γ * sqrt(A)) * moreau


def around_prox(mdp, x):
    """(π, x, slope): a policy whose proximal point is x mixed with the uniform one, and ∇Φ_{1/2l}(π) = 2l(π − x).

    x minimises Φ(·) + l‖· − π‖² if π − x is a subgradient over 2l up to what is normal to the simplex.  Where
    γ >= 1/3 a step of that length stays inside, since entries of x are at least 1/(2A).
    """
    x = (x + (0 * x + 1) / mdp.A) / 2
    g = policy_cost_gradient(mdp, x, worst_case(mdp, x).kernel)
    g = g - expand(total(g) / mdp.A, 1)
    l_π = 2 * mdp.γ(2) * mdp.A / (1 - mdp.γ(2)) ** 3
    return x + g / (2 * l_π), x, g


def moreau_measure(mdp, x):
    π, _, slope = around_prox(mdp, x)
    yield {
        γ: mdp.discount,
        S: mdp.S,
        A: mdp.A,
        D: rarest(mdp),
        Φ_gap: worst_case(mdp, π).cost - total(mdp.start * robust_optimum(mdp).v),
        moreau: norm(slope, 2),
    }


@theorem(
    moreau_paper,
    cite="wang2023",
    at="Theorem 3.2, for convex s-rectangular sets",
    source="recalled",
    status="corrected",
    judge=for_all(),
    on={"mdp": started, "x": policies},
    given=[positive_start, costs_in_unit_interval, later_matters],
    near_misses={"the Lipschitz term alone": moreau_half_lipschitz},
    note="The paper claims it for every compact set, which is false (see `subgrad_dom_of_mixtures`). "
    "L_π/2l_π is written out.",
)
def thm3_2(mdp, x):
    """The slope of the Moreau envelope bounds how much more than necessary a policy costs at worst.

    Policies are made from their proximal points, so that the slope is known exactly.
    """
    yield from moreau_measure(mdp, x)


@theorem(
    moreau_sharp,
    cite="wang2023",
    at="Theorem 3.2, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": started, "x": policies},
    given=[positive_start, costs_in_unit_interval, later_matters],
    near_misses={"the Lipschitz term alone": moreau_half_lipschitz},
    note="The diameter of the set of policies is √(2S).",
)
def moreau_dom(mdp, x):
    """The same with the diameter √(2S) of the policies in place of √(SA)."""
    yield from moreau_measure(mdp, x)


mixture = Quantity(
    r"\max_{\pi'} \Big\langle \pi - \pi', \sum_i w_i \nabla_\pi J(\pi, p_i) \Big\rangle",
    "what the best deviation gains by a subgradient that mixes worst kernels",
)
with as_printed():
    mixtures = Φ_gap <= D / (1 - γ) * mixture


def trapped(x=1):
    y = trap()
    return {"mdp": two_kernels(), "π": rational([[x, 1 - x], [y, 1 - y], [1, 0], [1, 0]])}


def only(make):
    """A domain with one model."""

    def draw():
        from hypothesis import strategies as st

        return st.builds(make)

    return Domain(draw, simplest=make)


@theorem(
    mixtures,
    cite="wang2023",
    at="Theorem 3.2 and its proof, for every compact set",
    source="recalled",
    status="refuted",
    judge=for_all(),
    on={"mdp": only(two_kernels), "π": only(lambda: trapped()["π"])},
    given=[positive_start],
    named={"two kernels": trapped},
    note="Kitamura et al. (2026) refute the claim; the instance is ours. The proof swaps min and max over mixtures.",
)
def subgrad_dom_of_mixtures(mdp, π):
    """For finite sets of kernels subgradients do not dominate: a strict local minimum has slope zero and is not best.

    Between two worst kernels a mixture of their gradients is a subgradient too; here it vanishes on the policies while
    the worst cost is three times the least.  The gap is measured from a policy that is nearly the best.
    """
    second, reference = mdp.ambiguity.others[..., 0, :, :, :], best_of_two_kernels()
    g, h = (policy_cost_gradient(mdp, π, p) for p in (mdp.P, second))
    tilts = [x[..., 1, 0] - x[..., 1, 1] for x in (g, h)]
    w = tilts[1] / (tilts[1] - tilts[0])  # both actions of s_1 weigh the same then; in s_0 the policy is at a corner
    yield {
        γ: mdp.discount,
        D: rarest(mdp),
        Φ_gap: worst_case(mdp, π).cost - worst_case(mdp, reference if is_exact(mdp.P) else floats(reference)).cost,
        mixture: advantage_of_deviating(π, w * g + (1 - w) * h),
    }


@theorem(
    moreau_paper,
    cite="wang2023",
    at="Theorem 3.2, for every compact set",
    source="recalled",
    status="refuted",
    judge=for_all(),
    on={"mdp": only(two_kernels), "π": only(lambda: trapped()["π"])},
    given=[positive_start, costs_in_unit_interval],
    named={"two kernels": trapped},
    note="As two public sets of notes quote it. Measured is an upper bound on the slope: with m the deviation by a "
    "subgradient, 2 √(l m). The trap is its own proximal point.",
)
def thm3_2_for_every_set(mdp, π):
    """The Moreau slope does not dominate for finite sets of kernels: at the trap it is zero, the gap 0.3879."""
    (found,) = subgrad_dom_of_mixtures(mdp, π)
    l_π = 2 * mdp.discount * mdp.A / (1 - mdp.discount) ** 3
    yield {
        γ: mdp.discount,
        S: mdp.S,
        A: mdp.A,
        D: found[D],
        Φ_gap: found[Φ_gap],
        moreau: 2 * arrays.sqrt(l_π * maximum(found[mixture], 0 * l_π)),
    }


# ---------------------------------------------------------------------------------------------------- D. The outer loop

to_x = Quantity(r"\lVert \pi_t - x \rVert^2", "squared distance to a policy", accuracy="relative")
next_to_x = Quantity(r"\lVert \pi_{t+1} - x \rVert^2", "the same after the step", accuracy="absolute")
Φ_x = Quantity(r"\Phi(x)", "worst cost of x")
J_t = Quantity(r"J(\pi_t, p_t)", "cost under the kernel that the inner loop found")
α = Quantity(r"\alpha", "step size", accuracy="exact")

with as_printed():
    step_towards = next_to_x <= to_x + 2 * α * (Φ_x - J_t + γ * A / (1 - γ) ** 3 * to_x) + α**2 * A / (1 - γ) ** 4
    step_towards_as_if_convex = next_to_x <= to_x + 2 * α * (Φ_x - J_t) + α**2 * A / (1 - γ) ** 4
    step_towards_for_free = next_to_x <= to_x + 2 * α * (Φ_x - J_t + γ * A / (1 - γ) ** 3 * to_x)


def convex_trouble():
    """`crossing`, begun far from a policy that costs less half-way."""
    given = crossing()
    return {
        "mdp": given["mdp"],
        "π": given["π"],
        "x": given["other"],
        "p": given["mdp"].P,
        "step": rational_number("1/10"),
    }


@theorem(
    step_towards,
    cite="wang2023",
    at="Theorem 3.3, in the proof",
    source="derived",
    judge=for_all(),
    on={"mdp": small_models, "π": policies, "x": policies, "step": numbers("1/1000", 10)},
    given=[costs_in_unit_interval],
    near_misses={"without what the length of the step costs": step_towards_for_free},
    note="With ε_t = Φ(π_t) − J(π_t, p_t). The engine of the proof: "
    "the projection does not expand, and J(·, p) is weakly convex.",
)
def outer_step(mdp, π, x, step):
    """A projected step under any kernel moves towards every policy that costs enough less."""
    p = worst_case(mdp, π).kernel
    after = project_to_simplex(π - expand(step, 2) * policy_cost_gradient(mdp, π, p))
    yield {
        γ: mdp.discount,
        A: mdp.A,
        α: step,
        to_x: total((π - x) ** 2, 2),
        next_to_x: total((after - x) ** 2, 2),
        Φ_x: worst_case(mdp, x).cost,
        J_t: cost_of(mdp, π, p),
    }


T = Quantity("T", "outer iterations", integer=True)
slopes = Quantity(
    r"\sum_{t < T} \lVert \nabla \Phi_{1/2\ell}(\pi_t) \rVert^2", "squared slopes of the Moreau envelope along the run"
)
first_gap = Quantity(r"\left[\Phi(\pi_0) - \Phi^*\right]", "how much more than necessary the first policy costs")
lacks = Quantity(r"\sum_{t < T} \epsilon_t", "what the kernels of the inner loop lack of the worst, together")
ε_0 = Quantity(r"\epsilon_0", "first tolerance of the inner loop", accuracy="exact")
with as_printed():
    slopes_printed = slopes <= 4 * (2 * γ * A / (1 - γ) ** 3) * S / α + 2 * T * α * (2 * γ * A / (1 - γ) ** 3) * (
        A / (1 - γ) ** 4
    ) + 4 * (2 * γ * A / (1 - γ) ** 3) * ε_0 / (1 - γ)
    slopes_without_diameter = slopes <= 2 * T * α * (2 * γ * A / (1 - γ) ** 3) * (A / (1 - γ) ** 4) + 4 * (
        2 * γ * A / (1 - γ) ** 3
    ) * ε_0 / (1 - γ)
    slopes_of_run = (
        slopes
        <= 2 / α * first_gap
        + 2 * T * α * (2 * γ * A / (1 - γ) ** 3) * (A / (1 - γ) ** 4)
        + 4 * (2 * γ * A / (1 - γ) ** 3) * lacks
    )
    slopes_without_steps = slopes <= 2 / α * first_gap + 4 * (2 * γ * A / (1 - γ) ** 3) * lacks
    slopes_without_gap = (
        slopes <= 2 * T * α * (2 * γ * A / (1 - γ) ** 3) * (A / (1 - γ) ** 4) + 4 * (2 * γ * A / (1 - γ) ** 3) * lacks
    )


def lazy_inner(mdp, π, p, ε):
    """Of nine kernels on the way from a worst one to the nominal one the last that lacks at most ε of the worst."""
    case = worst_case(mdp, π)
    chosen = case.kernel
    for i in range(1, 9):
        mixed = case.kernel + (mdp.P - case.kernel) * i / 8
        enough = np.asarray(case.cost - cost_of(mdp, π, mixed) <= ε, dtype=bool)
        chosen = np.where(expand(enough, 3) if enough.shape else enough, mixed, chosen)
    return chosen


def in_balls(π):
    """An exact policy as balls of radius zero: the rationals of an iteration double their digits at every step."""
    return np.frompyfunc(arrays.ball, 1, 1)(π) if is_exact(π) else π


def slopes_along(mdp, π, step, ε):
    """Sums over the first T = 1, 2, ... iterates of a run with tolerances ε γ^t."""
    l_π = 2 * mdp.discount * mdp.A / (1 - mdp.discount) ** 3
    best = total(mdp.start * robust_optimum(mdp).v)
    squares, lack, first = 0 * step, 0 * step, None
    run = drpg(mdp, in_balls(π), step_size=step, tolerances=lambda t: ε * mdp.discount**t, inner=lazy_inner)
    for it in run:
        Φ, slope = worst_case(mdp, it.π).cost, moreau_slope(mdp, it.π, l_π, steps=12)
        first = Φ if first is None else first
        squares, lack = squares + slope * slope, lack + (Φ - it.cost)
        yield {
            T: it.k + 1,
            γ: mdp.discount,
            S: mdp.S,
            A: mdp.A,
            α: step,
            ε_0: ε,
            slopes: squares,
            first_gap: first - best,
            lacks: lack,
        }


def short_steps():
    """`two_arms` with steps and tolerances that are next to nothing."""
    return two_arms() | {"step": rational_number("1/1000"), "ε": rational_number("1/1000")}


def long_steps():
    """A budget that two actions share: the best policy is (3/4, 1/4), and a long step from it ends far away."""
    mdp = random_is_best()
    mdp = RobustMDP(mdp.P, mdp.c / 3, rational_number("1/10"), mdp.ambiguity, mdp.start)
    best = rational([["3/4", "1/4"], [1, 0], [1, 0]])
    return {"mdp": mdp, "π": best, "step": rational_number(10), "ε": rational_number("1/1000")}


positive_discount = Assumption(r"\gamma > 0", "the discount is positive", lambda mdp: mdp.discount > 0)


def two_arms():
    """One state, γ = 3/20: small enough that the bounds begin to say something within two thousand iterations."""
    P = rational([[[1], [1]]])
    mdp = RobustMDP(P, rational([[0, 1]]), rational_number("3/20"), Segments(P))
    return {"mdp": mdp, "π": rational([["1/10", "9/10"]])}


on_runs = {
    "mdp": rectangular_models,
    "π": policies,
    "step": numbers("1/1000", 10),
    "ε": numbers("1/1000", 10),
}


@theorem(
    slopes_printed,
    cite="wang2023",
    at="Theorem 3.3, in the proof",
    source="recalled",
    judge=for_all(T, up_to=12, exactly_up_to=2),
    on=on_runs,
    given=[costs_in_unit_interval, positive_discount],
    named={"short steps": short_steps, "long steps": long_steps},
    near_misses={"without the diameter of the policies": slopes_without_diameter},
    note="As two public sets of notes quote it. Slopes lie between rigorous bounds; float64 takes the upper one.",
)
def moreau_sum(mdp, π, step, ε):
    """The squared slopes of the Moreau envelope along a run with shrinking tolerances add up to O(1/α + αT).

    Any compact set: it says that slopes become small, not what that is worth.
    """
    yield from slopes_along(mdp, π, step, ε)


@theorem(
    slopes_of_run,
    cite="wang2023",
    at="Theorem 3.3, in the proof, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(T, up_to=12, exactly_up_to=2),
    on=on_runs,
    given=[costs_in_unit_interval, positive_discount],
    named={"short steps": short_steps, "long steps": long_steps},
    near_misses={
        "without what the steps cost": slopes_without_steps,
        "without what the first policy costs": slopes_without_gap,
    },
    uses=["wang2023.outer_step"],
    note="The envelope lies between min Φ and Φ: hence 2 (Φ(π_0) − Φ*) for 4lS.",
)
def moreau_sum_of_run(mdp, π, step, ε):
    """The same with what the first policy costs too much and what the kernels lack in place of their bounds."""
    yield from slopes_along(mdp, π, step, ε)


best_gap = Quantity(r"\min_{t < T} \Phi(\pi_t) - \Phi^*", "excess of the best iterate")
δ = Quantity(r"\delta", "step size times √T", accuracy="exact")
L_over_l = (1 - γ) / (4 * γ * sqrt(A))  # L_π / (2 l_π)
with as_printed():
    outer_rate = best_gap <= (sqrt(2 * S) * D / (1 - γ) + (1 - γ) / (4 * γ * sqrt(A))) / T ** Rational(1, 4) * sqrt(
        2 / (δ * (1 - γ)) + 2 * δ * (2 * γ * A / (1 - γ) ** 3) * (A / (1 - γ) ** 4)
    )
    outer_paper = best_gap <= (sqrt(S * A) * D / (1 - γ) + (1 - γ) / (4 * γ * sqrt(A))) / T ** Rational(1, 4) * sqrt(
        4 * (2 * γ * A / (1 - γ) ** 3) * S / δ
        + 2 * δ * (2 * γ * A / (1 - γ) ** 3) * (A / (1 - γ) ** 4)
        + 4 * (2 * γ * A / (1 - γ) ** 3) / (1 - γ)
    )
    outer_too_fast = best_gap <= 1 / T**2


def best_of_run(mdp, π, scale, solver):
    """For a few T the least worst cost of T iterates with the step δ/√T."""
    best = total(mdp.start * robust_optimum(mdp).v)
    for n in (1, 16, 256, 2048):
        root = n**0.5 if not is_exact(mdp.P) else arrays.sqrt(rational_number(n))
        *_, last = solver(mdp, π, step_size=scale / root, at=range(n))
        yield {T: n, γ: mdp.discount, S: mdp.S, A: mdp.A, D: rarest(mdp), δ: scale, best_gap: last.best - best}


@theorem(
    {"sharpened": outer_rate, "paper": outer_paper},
    cite="wang2023",
    at="Theorem 3.3 and equation (9)",
    source="recalled",
    status="corrected",
    judge=for_all(T, up_to=2048, exactly_up_to=1),
    on={"mdp": short_runs, "π": policies, "scale": numbers("1/100", 1)},
    given=[positive_start, costs_in_unit_interval, positive_discount],
    named={"two arms": lambda: two_arms() | {"scale": rational_number("1/2")}},
    near_misses={"at rate 1/T²": outer_too_fast},
    trivial=1 / (1 - γ),
    uses=["wang2023.outer_step", "wang2023.moreau_dom"],
    note="For convex s-rectangular sets and exact inner loops. The paper's constants as public notes quote them; "
    "they never speak below T = 6000. With uniform ρ on two states even ours do not below T = 90000.",
)
def thm3_3(mdp, π, scale, *, solver=drpg):
    """The best of T iterates with exact inner loops costs O(T^(-1/4)) more than necessary.

    Once with the paper's constants, for any tolerances it allows, and once with our smaller ones for none.  Both are
    formulas rather than curves: hardly ever do they say more than that costs are at most 1 / (1 − γ).
    """
    yield from best_of_run(mdp, π, scale, solver)


Φ_best = Quantity(r"\min_{t < T} \Phi(\pi_t)", "least worst cost of an iterate")
with as_printed():
    stays = Φ_best >= Rational(57, 100)
    stays_above = Φ_best >= Rational(578, 1000)


def near_the_trap():
    return {"mdp": two_kernels(), "π": rational([["9/10", "1/10"], ["1/10", "9/10"], [1, 0], [1, 0]])}


def swapped(π):
    """The same policy with both decisions the other way round."""
    return np.concatenate([π[..., :2, ::-1], π[..., 2:, :]], axis=-2)


@theorem(
    stays,
    cite="wang2023",
    at="Theorem 3.3, for every compact set: what happens instead",
    source="derived",
    judge=for_all(T, up_to=2000, exactly_up_to=3),
    on={"mdp": only(two_kernels), "π": only(lambda: near_the_trap()["π"])},
    named={"two kernels": near_the_trap},
    near_misses={"from the other side": {"begin": swapped}, "a little more": stays_above},
    note="The least worst cost is 0.1891. Steps 0.05 / √(t + 1), exact worst kernels: convergence of the best iterate, "
    "which the paper claims, would need an iterate below 0.57.",
)
def trapped_descent(mdp, π, *, begin=lambda π: π):
    """Descent from x = 9/10, y = 1/10 on two kernels never finds a policy that costs less than 0.57."""
    least = None
    for it in drpg(mdp, in_balls(begin(π)), step_size=step_of(mdp)):
        least = it.cost if least is None else minimum(least, it.cost)
        yield {T: it.k + 1, Φ_best: least}


def step_of(mdp):
    """0.05 / √(t + 1)."""
    if not is_exact(mdp.P):
        return lambda t: 0.05 / (t + 1) ** 0.5
    return lambda t: rational_number("1/20") / arrays.sqrt(rational_number(t + 1))


returned = Quantity(r"\Phi(\pi_{t^\star})", "worst cost of the iterate that is returned")
least_allowed = Quantity(r"\min_{t < T} \left[\Phi(\pi_t) + \epsilon_t\right]", "the same with the tolerances added")
with as_printed():
    returns_best = returned <= Φ_best
    returns_nearly_best = returned <= least_allowed


def fooled(mdp, π, p, k):
    """An inner loop that begins with the kernel that spares action 0 of `early_stop`, then is exact."""
    kernel = exact_inner(mdp, π, p, 0)
    if k > 0:
        return kernel
    lenient = kernel.copy()
    lenient[..., 0, 0, :] = rational([0, 1, 0]) if is_exact(kernel) else np.array([0.0, 1.0, 0.0])
    return lenient


def run_with_tolerance(mdp, step, rule):
    """For each T, Φ at the iterate that `rule` picks from the costs and tolerances so far, and the least of Φ."""
    π = rational([[1, 0]] * 3) if is_exact(mdp.P) else np.array([[1.0, 0.0]] * 3)
    costs, slacks, worst = [], [], []
    first = lambda m, x, p, k: fooled(m, x, p, k)  # noqa: E731
    for it in drpg(mdp, π, step_size=step, tolerances=lambda k: k, inner=first):
        Φ = worst_case(mdp, it.π).cost
        costs, worst = [*costs, it.cost], [*worst, Φ]
        slacks.append(Φ - it.cost)
        chosen = rule(costs, slacks)
        yield {
            T: it.k + 1,
            returned: worst[chosen],
            Φ_best: min(worst),
            least_allowed: min(x + ε for x, ε in zip(worst, slacks, strict=True)),
        }


def by_cost(costs, slacks):
    """The rule of the paper: least J(π_t, p_t)."""
    return min(range(len(costs)), key=costs.__getitem__)


def by_cost_and_tolerance(costs, slacks):
    """Least J(π_t, p_t) + ε_t."""
    return min(range(len(costs)), key=lambda t: costs[t] + slacks[t])


@theorem(
    returns_best,
    cite="wang2023",
    at="Algorithm 1 and the last line of the proof of Theorem 3.3",
    source="recalled",
    status="refuted",
    judge=for_all(T, up_to=100, exactly_up_to=6),
    on={"mdp": only(early_stop), "step": numbers("1/100", 1)},
    named={"early stop": lambda: {"mdp": early_stop(), "step": rational_number("1/20")}},
    note="The first tolerance that the theorem allows is √T, 10 at T = 100, and 7.2 fools it; "
    "the proof bounds the best iterate.",
)
def returned_index(mdp, step):
    """The iterate that Algorithm 1 returns, of least J(π_t, p_t), need not be of least worst cost.

    A lenient first kernel makes the first policy look best for ever, though its worst cost is 3.6 above the optimum.
    """
    yield from run_with_tolerance(mdp, step, by_cost)


@theorem(
    returns_nearly_best,
    cite="wang2023",
    at="Algorithm 1, repaired",
    source="derived",
    status="corrected",
    judge=for_all(T, up_to=30, exactly_up_to=6),
    on={"mdp": only(early_stop), "step": numbers("1/100", 1)},
    named={"early stop": lambda: {"mdp": early_stop(), "step": rational_number("1/20")}},
    near_misses={"the paper's rule": {"rule": by_cost}},
)
def returned_index_repaired(mdp, step, *, rule=by_cost_and_tolerance):
    """Returning the iterate of least J(π_t, p_t) + ε_t loses no more than the tolerances."""
    yield from run_with_tolerance(mdp, step, rule)


# ---------------------------------------------------------------------------------------------------- E. The inner loop

short = Quantity(r"\left[\Phi(\pi) - J(\pi, p)\right]", "what the kernel lacks of the worst")
kernel_deviation = Quantity(
    r"\max_{\bar p \in \mathcal P} \langle \bar p - p, \nabla_p J(\pi, p) \rangle",
    "what the best change of kernel gains to first order",
)
kernel_mismatch = Quantity(
    r"\max_s \frac{d^{\pi, p_\pi}_\rho(s)}{d^{\pi, p}_\rho(s)}",
    "mismatch of visits under two kernels",
    accuracy="relative",
)
start_mismatch = Quantity(
    r"\max_s \frac{d^{\pi, p_\pi}_\rho(s)}{\rho(s)}", "mismatch of visits and start", accuracy="relative"
)
with as_printed():
    kernel_dominance = {
        "by the visits": short <= kernel_mismatch * kernel_deviation,
        "by the start": short <= start_mismatch / (1 - γ) * kernel_deviation,
    }
    kernel_dominance_without_mismatch = short <= kernel_deviation
    kernel_dominance_by_half = short <= kernel_mismatch / 2 * kernel_deviation


@theorem(
    kernel_dominance,
    cite="wang2023",
    at="Section 4",
    source="derived",
    judge=for_all(),
    on={"mdp": started, "π": policies},
    given=[positive_start, convex_rectangular],
    near_misses={"without mismatch": kernel_dominance_without_mismatch, "half of it": kernel_dominance_by_half},
)
def dom_kernel(mdp, π):
    """What the best change of kernel gains to first order bounds what all of them gain: ascent finds a worst kernel.

    At the nominal kernel; for rectangular convex sets.
    """
    p, case = mdp.P, worst_case(mdp, π)
    v = kernel_values(mdp, π, p)
    best = worst_response(mdp, v, π)
    here, there = (kernel_visits(mdp, π, x) for x in (p, case.kernel))
    yield {
        γ: mdp.discount,
        short: case.cost - total(mdp.start * v),
        kernel_deviation: total(here * total(π * total((best - p) * mdp.targets(v)))),
        kernel_mismatch: largest(there / here),
        start_mismatch: (1 - mdp.γ(0)) * largest(there / mdp.start),
    }


k = Quantity("k", "steps of the inner ascent", integer=True)
diameter2 = Quantity(r"\operatorname{diam}(\mathcal P)^2", "squared diameter of the set", accuracy="relative")
first_short = Quantity(r"\left[\Phi(\pi) - J(\pi, p_0)\right]", "what the first kernel lacks")
short_k = Quantity(r"\left[\Phi(\pi) - J(\pi, p_k)\right]", "what the k-th kernel lacks")
gain = Quantity(r"\left[J(\pi, p_k) - J(\pi, p_{k-1})\right]", "gain of the last step")
with as_printed():
    inner_rate = {
        "monotone": gain >= 0,
        "rate": short_k <= 1 / k * Max(16 * (2 * γ * S / (1 - γ) ** 3) * D**2 * diameter2 / (1 - γ) ** 2, first_short),
    }
    inner_at_once = short_k <= first_short / k**2


@theorem(
    inner_rate,
    cite="wang2023",
    at="Section 4",
    source="derived",
    judge=for_all(k, up_to=40, exactly_up_to=2),
    on={
        "mdp": robust_mdps("Segments", about=("Segments", "StateSegments"), positive_start=True, sizes=((3, 2),)),
        "π": policies,
    },
    given=[positive_start, costs_in_unit_interval, positive_discount],
    near_misses={"at rate 1/k² from the start": inner_at_once},
    uses=["wang2023.dom_kernel", "wang2023.lipschitz_and_smooth"],
)
def inner_pga(mdp, π):
    """Projected gradient ascent with step 1/L finds a worst kernel at rate 1/k.

    For sets of segments, where the projection is a formula; L = 2γS / (1 − γ)³.
    """
    case, p = worst_case(mdp, π), mdp.P
    once = ascent_inner(most=1)
    cost = first = cost_of(mdp, π, p)
    n = 0
    while True:
        p = once(mdp, π, p, -1 if not is_exact(p) else rational_number(-1))
        before, cost, n = cost, cost_of(mdp, π, p), n + 1
        yield {
            k: n,
            γ: mdp.discount,
            S: mdp.S,
            D: rarest(mdp),
            diameter2: total((mdp.ambiguity.other - mdp.P) ** 2, 3),
            first_short: case.cost - first,
            short_k: case.cost - cost,
            gain: cost - before,
        }
