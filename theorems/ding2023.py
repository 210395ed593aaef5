"""Ding, Wei, Zhang and Ribeiro (2023), Last-iterate convergent policy gradient primal-dual methods.

RPG-PD regularises both players, OPG-PD looks ahead.  Statements on RPG-PD were read in public notes that prove them.

To know the saddle point (π_τ, λ_τ) without searching for it, statements about it are made on models whose bound is
set by it: λ_τ is given, π_τ is the soft optimal policy for r + λ_τ u, and (1 − γ) b = v_u^{π_τ} + τ λ_τ.  Every model
that has a saddle point inside Λ is of this form.
"""

import numpy as np
from sympy import Abs, Eq, Max, Rational, exp, sqrt

from mdplab import arrays, exact
from mdplab.arrays import (
    expand,
    floats,
    is_exact,
    largest,
    maximum,
    minimum,
    rational,
    rational_number,
    smallest,
    total,
)
from mdplab.instances import constrained_mdps, crossing, numbers, opposed_arms, policies
from mdplab.instances.constrained import ONE_CONSTRAINT, garnet_family
from mdplab.models import ConstrainedMDP
from mdplab.solvers import geometric, opg_primal_dual, rpg_primal_dual
from mdplab.solvers.inputs import log_actions
from mdplab.solvers.rpg_primal_dual import shifted
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, rate, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
ξ = Quantity(r"\xi", "room in the constraint, not normalised")
τ = Quantity(r"\tau", "temperature", accuracy="exact")
η = Quantity(r"\eta", "step size", accuracy="exact")
t = Quantity("t", "updates", integer=True)
log_A = Quantity(r"\log A", "logarithm of the number of actions", accuracy="exact")
Φ = Quantity(r"\Phi_t", "divergence from the regularised saddle point, and half the squared distance of multipliers")
Φ_next = Quantity(r"\Phi_{t+1}", "the same one update later")
Φ_first = Quantity(r"\Phi_0", "the same at the start")
ranges = Quantity(
    r"\sum_s d^{\pi_\tau}(s) \left[\max_a Q_t(s, a) - \min_a Q_t(s, a)\right]^2", "squared ranges of the ascent"
)
push = Quantity(r"\left(v_g^{\pi_t} + \tau \lambda_t\right)", "descent of the multiplier")

MOST = 5


def with_saddle_at(mdp, multiplier, temperature):
    """The model whose regularised saddle point has this multiplier, and log π_τ;  (...) -> model, (..., S, A)."""
    λ = expand(multiplier, 1) + 0 * mdp.least
    log_π = exact.soft_optimum(mdp.rewarded(mdp.mixed(λ)), temperature).log_π
    v_u = exact.payoffs_at_start(mdp, arrays.exp(log_π))[..., 1:]
    least = v_u + expand(temperature, 1) * λ / (1 - mdp.γ(1))
    return ConstrainedMDP(mdp.P, mdp.r, mdp.utilities, least, mdp.discount, mdp.start), log_π


def divergences(mdp, run, log_saddle, multiplier):
    """Φ_t along a run, with the iterate;  yields (iterate, (...))."""
    saddle = arrays.exp(log_saddle)
    d = exact.occupancy(mdp.mdp, saddle)
    for it in run:
        off = it.multipliers[..., 0] - multiplier
        yield it, d, total(d * total(saddle * (log_saddle - it.log_π))) + off * off / 2


with as_printed():
    contracts = Φ_next <= (1 - η * τ) * Φ + η**2 * (ranges / 8 + push**2 / 2)
    contracts_alone = Φ_next <= (1 - η * τ) * Φ
    contracts_twice = Φ_next <= (1 - 2 * η * τ) * Φ + η**2 * (ranges / 8 + push**2 / 2)
saddle_inputs = {
    "mdp": constrained_mdps(2, 3, families=ONE_CONSTRAINT[:2]),
    "multiplier": numbers("1/100", 2),
    "temperature": numbers("1/50", "1/5"),
    "step": numbers("1/100", "1/2"),
}


def crossing_saddle(step="1/2"):
    return {
        "mdp": crossing(),
        "multiplier": rational_number("1/2"),
        "temperature": rational_number("1/10"),
        "step": rational_number(step),
    }


def arms_at_price_one():
    """Long steps and little regularisation, where both arms are worth the same at the saddle point."""
    return {
        "mdp": opposed_arms(),
        "multiplier": rational_number(1),
        "temperature": rational_number("1/50"),
        "step": rational_number("1/2"),
    }


@theorem(
    contracts,
    cite="ding2023",
    at="the contraction of RPG-PD, with realised ranges",
    source="derived",
    status="sharpened",
    judge=for_all(t, up_to=60, exactly_up_to=4),
    on=saddle_inputs,
    named={"crossing": crossing_saddle, "opposed arms at price one": arms_at_price_one},
    near_misses={"without the squares": contracts_alone, "twice as fast": contracts_twice},
    note="The printed constant bounds an unbounded quantity, see q_bound; realised ranges need no such bound.",
)
def onestep(mdp, multiplier, temperature, step, *, solver=rpg_primal_dual):
    """A step of RPG-PD brings policy and multiplier nearer to the regularised saddle point, up to squared steps."""
    mdp, log_π = with_saddle_at(mdp, multiplier, temperature)
    run = solver(mdp, temperature=temperature, step_size=step, most=0 * mdp.γ(0) + MOST)
    before = None
    for it, d, here in divergences(mdp, run, log_π, multiplier):
        if before is not None:
            old, Φ_old = before
            spread = largest(old.ascent) - smallest(old.ascent)
            yield {
                t: old.k,
                η: step,
                τ: temperature,
                Φ: Φ_old,
                Φ_next: here,
                ranges: total(d * spread * spread),
                push: old.descent[..., 0],
            }
        before = it, here


C2 = Quantity(
    r"\max(C^2, C'^2)",
    "largest of the squares of C = (1 + 1/((1 − γ)ξ) + τ log A)/(1 − γ) and C' = (1 + τ/ξ)/(1 − γ)",
    accuracy="relative",
)
with as_printed():
    as_in_the_paper = {
        "one step": Φ_next <= (1 - η * τ) * Φ + η**2 * C2,
        "all steps": Φ_next <= exp(-η * τ * (t + 1)) * Φ_first + η / τ * C2,
    }
    without_constant = Φ_next <= exp(-η * τ * (t + 1)) * Φ_first


def room_of(mdp, multiplier, temperature):
    made, _ = with_saddle_at(mdp, multiplier, temperature)
    top = total(mdp.start * exact.optimum(mdp.rewarded(mdp.utilities[..., 0, :, :])).v)
    return top - made.least[..., 0]


def _inside(mdp, multiplier, temperature):
    room = room_of(mdp, multiplier, temperature)
    positive = np.asarray(room > (0 if is_exact(mdp.P) else 1e-9), dtype=bool)
    price = multiplier * (1 - mdp.γ(0)) * room
    return positive & np.asarray(price <= 1, dtype=bool)


inside = Assumption(
    r"\xi > 0,\ \lambda_\tau \le \tfrac{1}{(1 - \gamma) \xi}",
    "some policy exceeds the constraint, and the multiplier of the saddle point lies in Λ",
    _inside,
)


@theorem(
    as_in_the_paper,
    cite="ding2023",
    at="Theorem on RPG-PD (number not checked)",
    source="read",
    judge=for_all(t, up_to=60, exactly_up_to=3),
    on={**saddle_inputs, "mdp": constrained_mdps(2, 2, families=ONE_CONSTRAINT[:1])},
    given=[inside],
    named={"crossing": crossing_saddle, "opposed arms at price one": arms_at_price_one},
    near_misses={"without the constant": without_constant},
    note="Very loose: the constant term is in the hundreds.  Its proof uses q_bound, which is false, but only where "
    "probabilities are far smaller than any run from the uniform policy makes them.",
)
def paper(mdp, multiplier, temperature, step, *, solver=rpg_primal_dual):
    """RPG-PD contracts at the rate 1 − ητ to within a multiple of η/τ of the regularised saddle point."""
    room = room_of(mdp, multiplier, temperature)
    mdp, log_π = with_saddle_at(mdp, multiplier, temperature)
    run = solver(mdp, temperature=temperature, step_size=step, most=1 / ((1 - mdp.γ(0)) * room))
    scale = 1 - mdp.γ(0)
    of_policy = (1 + 1 / (scale * room) + temperature * log_actions(mdp.mdp)) / scale
    of_multiplier = (1 + temperature / room) / scale
    constant = maximum(of_policy * of_policy, of_multiplier * of_multiplier)
    first = before = None
    for it, _, here in divergences(mdp, run, log_π, multiplier):
        if before is not None:
            yield {
                t: it.k - 1,
                η: step,
                τ: temperature,
                C2: constant,
                Φ: before,
                Φ_next: here,
                Φ_first: first,
            }
        first, before = here if first is None else first, here


# -- What the saddle point is worth ------------------------------------------------------------------------------------

at_any_policy = Quantity(r"v_{r + \lambda_\tau g}^{\pi}", "Lagrangian at any policy and λ_τ")
at_saddle = Quantity(r"v_{r + \lambda_\tau g}^{\pi_\tau}", "Lagrangian at the saddle point")
at_any_multiplier = Quantity(r"v_{r + \lambda g}^{\pi_\tau}", "Lagrangian at π_τ and any multiplier")
H = Quantity(r"\mathcal H(\pi_\tau)", "entropy of π_τ, normalised")
λ = Quantity(r"\lambda", "any multiplier", accuracy="exact")
with as_printed():
    between = {
        "any policy": at_any_policy - τ * H <= at_saddle,
        "any multiplier": at_saddle <= at_any_multiplier + τ / 2 * λ**2,
    }
    no_entropy = at_any_policy <= at_saddle
    no_square = at_saddle <= at_any_multiplier


@theorem(
    between,
    cite="ding2023",
    at="in the proof for RPG-PD",
    source="read",
    judge=for_all(),
    on={
        "mdp": constrained_mdps(2, 3),
        "multiplier": numbers(0, 2),
        "temperature": numbers("1/50", "1/5"),
        "π": policies,
        "amount": numbers(0, 3),
    },
    named={
        "crossing": {
            "mdp": crossing(),
            "multiplier": rational_number("1/2"),
            "temperature": rational_number("1/5"),
            "π": rational([["99/100", "1/100"], ["1/100", "99/100"]]),
            "amount": rational_number("2/5"),
        }
    },
    near_misses={"without the entropy": no_entropy, "without the square": no_square},
    note="With an optimal policy for π it gives v_r* − v_r^{π_τ} <= τ H(π_τ).",
)
def sandwich(mdp, multiplier, temperature, π, amount):
    """The regularised saddle point is a saddle point of the plain Lagrangian up to τ H and τ λ² / 2."""
    mdp, log_π = with_saddle_at(mdp, multiplier, temperature)
    scale, saddle = 1 - mdp.γ(0), arrays.exp(log_π)
    one, two = exact.payoffs_at_start(mdp, π), exact.payoffs_at_start(mdp, saddle)

    def lagrangian(v, λ):
        return scale * (v[..., 0] + λ * (v[..., 1] - mdp.least[..., 0]))

    yield {
        τ: temperature,
        λ: amount,
        H: scale * exact.entropy(mdp.mdp, log_π),
        at_any_policy: lagrangian(one, multiplier),
        at_saddle: lagrangian(two, multiplier),
        at_any_multiplier: lagrangian(two, amount),
    }


lost = Quantity(r"\left(v_r^{\pi_\tau} - v_r^{\pi}\right)", "difference of normalised values")
KL = Quantity(r"\mathrm{KL}(\rho)", r"divergence of π from π_τ where π_τ goes")
with as_printed():
    loses = lost <= 1 / (1 - γ) * sqrt(2 * KL)
    loses_a_tenth = lost <= sqrt(KL / 50)
    loses_without_root = lost <= 1 / (1 - γ) * KL


@theorem(
    loses,
    cite="ding2023",
    at="in the proof for RPG-PD",
    source="read",
    judge=for_all(),
    on={"mdp": constrained_mdps(2, 3), "one": policies, "two": policies},
    named={
        "arms": {
            "mdp": opposed_arms(),
            "one": rational([["3/5", "2/5"]]),
            "two": rational([["2/5", "3/5"]]),
        }
    },
    near_misses={"a tenth of the root": loses_a_tenth, "without the root": loses_without_root},
    note="Pinsker's inequality and the performance difference; it holds for any two policies.",
)
def value_of_divergence(mdp, one, two):
    """A policy near another one in divergence is near it in value."""
    d = exact.occupancy(mdp.mdp, one)
    v = [(1 - mdp.γ(0)) * exact.payoffs_at_start(mdp, π)[..., 0] for π in (one, two)]
    yield {γ: mdp.discount, lost: v[0] - v[1], KL: total(d * total(one * arrays.log(one / two)))}


v_star = Quantity(r"v_r^*", "optimal normalised value under the constraint")
v_saddle = Quantity(r"v_r^{\pi_\tau}", "normalised value of π_τ")
short_saddle = Quantity(r"\left(-v_g^{\pi_\tau}\right)", "what π_τ lacks of the bound")
λ_τ = Quantity(r"\lambda_\tau", "multiplier of the regularised saddle point", accuracy="exact")
with as_printed():
    of_the_saddle = {"value": v_star - v_saddle <= τ * H, "bound": Eq(short_saddle, τ * λ_τ)}
    no_loss = v_star <= v_saddle
    no_violation = Eq(short_saddle, 0)


def feasible(mdp, multiplier, temperature):
    """Whether some policy meets the constraint of the model whose saddle point this is."""
    return np.asarray(room_of(mdp, multiplier, temperature) > (0 if is_exact(mdp.P) else 1e-9), dtype=bool)


meets = Assumption(r"\xi > 0", "some policy exceeds the constraint", feasible)


def crossing_at_half():
    """`crossing` at λ_τ = 1/2 and τ = 1/10."""
    return {name: x for name, x in crossing_saddle().items() if name != "step"}


@theorem(
    of_the_saddle,
    cite="ding2023",
    at="consequence for the regularised saddle point",
    source="read",
    judge=for_all(),
    on={
        "mdp": constrained_mdps(2, 2, families=ONE_CONSTRAINT[:1]),
        "multiplier": numbers("1/100", 2),
        "temperature": numbers("1/50", "1/5"),
    },
    given=[meets],
    named={"crossing": crossing_at_half},
    near_misses={"as good as the optimum": no_loss, "within the constraint": no_violation},
    uses=["ding2023.sandwich"],
    note="The value is in the notes; the bound is stationarity in λ, as λ_τ is inside Λ.",
)
def of_saddle(mdp, multiplier, temperature):
    """The regularised saddle point loses at most τ H of the optimal value, and misses the bound by exactly τ λ_τ."""
    mdp, log_π = with_saddle_at(mdp, multiplier, temperature)
    scale, v = 1 - mdp.γ(0), exact.payoffs_at_start(mdp, arrays.exp(log_π))
    yield {
        τ: temperature,
        λ_τ: multiplier,
        H: scale * exact.entropy(mdp.mdp, log_π),
        v_star: scale * optimal_value(mdp),
        v_saddle: scale * v[..., 0],
        short_saddle: -scale * (v[..., 1] - mdp.least[..., 0]),
    }


def optimal_value(mdp):
    """V_r*, the minimum of the dual function over λ >= 0; in balls too."""
    return exact.dual_function(mdp).least


v_now = Quantity(r"v_r^{\pi_t}", "normalised value of the t-th policy")
short_now = Quantity(r"\left(-v_g^{\pi_t}\right)", "what the t-th policy lacks of the bound")
KL_t = Quantity(r"\mathrm{KL}_t", "divergence of π_t from π_τ where π_τ goes")
with as_printed():
    last_iterate_claims = {
        "value": Max(v_star - v_now - τ * H, 0) ** 2 <= 2 * KL_t / (1 - γ) ** 2,
        "bound": Max(short_now - τ * λ_τ, 0) ** 2 <= 2 * KL_t / (1 - γ) ** 2,
    }
    no_divergence = v_star - v_now <= τ * H
    no_divergence_of_the_bound = short_now <= τ * λ_τ


@theorem(
    last_iterate_claims,
    cite="ding2023",
    at="consequence for the last iterate of RPG-PD",
    source="read",
    judge=for_all(t, up_to=60, exactly_up_to=2),
    on={**saddle_inputs, "mdp": constrained_mdps(2, 2, families=ONE_CONSTRAINT[:1])},
    given=[meets],
    named={"crossing": crossing_saddle, "opposed arms at price one": arms_at_price_one},
    near_misses={"value without the divergence": no_divergence, "bound without it": no_divergence_of_the_bound},
    uses=["ding2023.of_saddle", "ding2023.value_of_divergence", "ding2023.onestep"],
    note="Squared, so that nothing is lost where π_t is π_τ.  Where Φ_t is small, so are gap and violation: for small "
    "η and τ this is the paper's last iterate.",
)
def last_iterates(mdp, multiplier, temperature, step, *, solver=rpg_primal_dual):
    """The last iterate of RPG-PD is as good as its divergence from the regularised saddle point is small."""
    mdp, log_π = with_saddle_at(mdp, multiplier, temperature)
    scale, saddle = 1 - mdp.γ(0), arrays.exp(log_π)
    constants = {
        γ: mdp.discount,
        τ: temperature,
        λ_τ: multiplier,
        H: scale * exact.entropy(mdp.mdp, log_π),
        v_star: scale * optimal_value(mdp),
    }
    d = exact.occupancy(mdp.mdp, saddle)
    for it in solver(mdp, temperature=temperature, step_size=step, most=0 * mdp.γ(0) + MOST):
        divergence, v = total(d * total(saddle * (log_π - it.log_π))), exact.payoffs_at_start(mdp, it.π)
        yield constants | {
            t: it.k,
            v_now: scale * v[..., 0],
            short_now: -scale * (v[..., 1] - mdp.least[..., 0]),
            KL_t: maximum(divergence, 0 * divergence),
        }


# -- The steps as small problems ---------------------------------------------------------------------------------------

toward = Quantity(
    r"\left(\langle \pi_{t+1} - \pi, Q_t \rangle"
    r" - [\mathrm{KL}(\pi_{t+1} \| \pi_t) - \mathrm{KL}(\pi \| \pi_t)] / \eta\right)",
    "by how much the next policy is better than π in the problem of the step",
)
KL_next = Quantity(r"\mathrm{KL}(\pi \| \pi_{t+1})(s)", "divergence from the next policy")
KL_here = Quantity(r"\mathrm{KL}(\pi \| \pi_t)(s)", "divergence from this policy")
price_next = Quantity(
    r"\left[\lambda_{t+1} (v_g + \tau \lambda_t) + (\lambda_{t+1} - \lambda_t)^2 / (2 \eta)\right]",
    "objective of the multiplier's problem at the next multiplier",
)
price_other = Quantity(
    r"\left[\lambda (v_g + \tau \lambda_t) + (\lambda - \lambda_t)^2 / (2 \eta)\right]",
    "the same at another multiplier in Λ",
)
distance = Quantity(r"(\lambda - \lambda_{t+1})^2", "squared distance of the multipliers")
with as_printed():
    steps_solve = {
        "policy": Eq(toward, KL_next / η),
        "multiplier": price_next + distance / (2 * η) <= price_other,
    }
    policy_otherwise = Eq(toward, KL_here / η)
    multiplier_otherwise = price_next + distance / η <= price_other


@theorem(
    steps_solve,
    cite="ding2023",
    at="the steps of RPG-PD",
    source="read",
    judge=for_all(t, up_to=8, exactly_up_to=2),
    on={
        "mdp": constrained_mdps(2, 3, families=ONE_CONSTRAINT[:2]),
        "temperature": numbers("1/50", "1/5"),
        "step": numbers("1/100", "1/2"),
        "π": policies,
        "amount": numbers(0, MOST),
    },
    named={
        "crossing": {
            "mdp": crossing(),
            "temperature": rational_number("1/10"),
            "step": rational_number("1/2"),
            "π": rational([["9/10", "1/10"]] * 2),
            "amount": rational_number(2),
        }
    },
    near_misses={
        "the divergence from this policy": policy_otherwise,
        "twice the distance of the multipliers": multiplier_otherwise,
        "half of the step": {"scale": 2},
    },
    note="As the notes define the steps; the solver multiplies by exp and clips.",
)
def proximal(mdp, temperature, step, π, amount, *, scale=1, solver=rpg_primal_dual):
    """Each step of RPG-PD solves a proximal problem: by KL for the policy, by squares for the multiplier in Λ."""
    before = None
    for it in solver(mdp, temperature=temperature, step_size=step / scale, most=0 * mdp.γ(0) + MOST):
        if before is not None:
            η_now = expand(step, 1)
            new, d = arrays.exp(it.log_π), before.descent[..., 0]
            here, there = (total(x * (arrays.log(x) - before.log_π)) for x in (π, new))
            λ_old, λ_new = before.multipliers[..., 0], it.multipliers[..., 0]

            def objective(λ_any, λ_old=λ_old, d=d):
                return expand(λ_any * d + (λ_any - λ_old) * (λ_any - λ_old) / (2 * step), 1)

            yield {
                t: before.k,
                η: η_now,
                toward: total((new - π) * before.ascent) - (there - here) / η_now,
                KL_next: total(π * (arrays.log(π) - it.log_π)),
                KL_here: here,
                price_next: objective(λ_new),
                price_other: objective(amount),
                distance: expand((amount - λ_new) * (amount - λ_new), 1),
            }
        before = it


# -- An erratum --------------------------------------------------------------------------------------------------------

Q = Quantity(r"Q^{\pi}_{r + \lambda g - \tau \log \pi}(s, a)", "regularised action value, its first −τ log π included")
log_π_sa = Quantity(r"\log \pi(a | s)", "logarithm of the probability of the action")
with as_printed():
    q_bounded = Abs(Q) <= (1 + 1 / ((1 - γ) * ξ) + τ * log_A) / (1 - γ)
    q_bounded_later = Abs(Q + τ * log_π_sa) <= (1 + 1 / ((1 - γ) * ξ) + τ * log_A) / (1 - γ)
    q_bounded_less = Abs(Q + τ * log_π_sa) <= (Rational(1, 2) + τ * log_A) / (1 - γ)
has_room = Assumption(
    r"\xi > 0",
    "some policy exceeds the constraint (Slater's condition)",
    lambda mdp: np.asarray(floats(exact.slater(mdp))) > (0 if is_exact(mdp.P) else 1e-9),
)


def rare_action():
    """One state, γ = 1/2, r = (0, 1), and an action that is hardly ever taken."""
    ε = rational_number("1/1000000000000000000000000000000")
    one = rational([[0, 1]])
    cmdp = ConstrainedMDP(rational([[[1], [1]]]), one, one[None], rational([0]), rational_number("1/2"))
    π = rational([[0, 1]])
    π[0, 0], π[0, 1] = ε, 1 - ε
    return {"mdp": cmdp, "π": π, "share": rational_number(0), "temperature": rational_number("1/10")}


def regularised_action_values(mdp, π, share, temperature):
    room = exact.slater(mdp)
    λ_now = expand(share / ((1 - mdp.γ(0)) * room), 1) + 0 * mdp.least
    log_π = arrays.log(π)
    q = exact.soft_action_values(mdp.rewarded(shifted(mdp, λ_now)), log_π, temperature)
    return {
        γ: expand(mdp.discount, 2),
        ξ: expand(room, 2),
        τ: expand(temperature, 2),
        log_A: log_actions(mdp.mdp),
        Q: q - expand(temperature, 2) * log_π,
        log_π_sa: log_π,
    }


q_inputs = {
    "mdp": constrained_mdps(2, 3, families=ONE_CONSTRAINT[:1]),
    "π": policies,
    "share": numbers(0, 1),
    "temperature": numbers("1/50", "1/5"),
}


@theorem(
    q_bounded,
    cite="ding2023",
    at="a bound in the proof for RPG-PD",
    source="read",
    status="refuted",
    judge=for_all(),
    on=q_inputs,
    given=[has_room],
    named={"rare action": rare_action},
    note="The flaw is flagged in the notes that prove the theorem.",
)
def q_bound(mdp, π, share, temperature):
    """False: regularised action values are at most C, whatever the policy.

    The action's own term −τ log π(a | s) is unbounded.  The corrected statement is q_bound_later.
    """
    yield regularised_action_values(mdp, π, share, temperature)


@theorem(
    q_bounded_later,
    cite="ding2023",
    at="a bound in the proof for RPG-PD, corrected",
    source="derived",
    status="corrected",
    judge=for_all(),
    on=q_inputs,
    given=[has_room],
    named={"rare action": rare_action},
    near_misses={"without the multiplier": q_bounded_less, "with the first term": q_bounded},
    note="λ is the share given of 1 / ((1 − γ) ξ).",
)
def q_bound_later(mdp, π, share, temperature):
    """Regularised action values without their own first term −τ log π(a | s) are at most C."""
    yield regularised_action_values(mdp, π, share, temperature)


# -- OPG-PD ------------------------------------------------------------------------------------------------------------

steep = Assumption(
    r"\min_{\pi} (1 - \gamma) \lvert V_u^\pi - b \rvert \ge 1/20",
    "every deterministic policy misses or exceeds the constraint by a twentieth",
    lambda mdp: np.asarray(floats((1 - mdp.γ(0)) * exact.dual_function(mdp).shortest_slope)) >= 0.05,
)
error = Quantity(
    r"\max\left(\lvert V_r^{\pi_t} - V_r^* \rvert, b - V_u^{\pi_t}\right) - 10^{-8}",
    "error of the last iterate beyond what counts as solved",
)
with as_printed():
    last_iterate = error <= 1 / sqrt(t + 1)


def without_looking_ahead(cmdp, *, step_size, at):
    """Projected descent and ascent: π_t = π̂_t."""
    return opg_primal_dual(cmdp, step_size=step_size, extrapolate=False, at=at)


def without_multiplier(cmdp, *, step_size, at):
    """The policy follows the reward alone."""
    return opg_primal_dual(cmdp, step_size=step_size, most=0 * cmdp.γ(0), at=at)


@theorem(
    last_iterate,
    cite="ding2023",
    at="Theorem on OPG-PD (number not checked)",
    source="recalled",
    judge=rate(t, up_to=2048),
    on={"mdp": constrained_mdps(families=(garnet_family(S=2, A=2, opposed=True, share=0.9, discount=0.8),))},
    given=[steep],
    near_misses={
        "without looking ahead": {"solver": without_looking_ahead},
        "a multiplier kept at zero": {"solver": without_multiplier},
    },
    note="Recalled: linear last-iterate convergence where the optimal visits are unique and μ > 0; evidence for less, "
    "with steps 1/2, or 25 (1 − γ)² / 2 for γ > 4/5, where those would be too long.",
)
def opgpd(mdp, *, solver=opg_primal_dual):
    """The last iterate of OPG-PD converges, and that of plain projected steps does not."""
    best = exact.dual_function(mdp).least
    step = minimum(12.5 * (1 - mdp.γ(0)) ** 2, 0.5 + 0 * mdp.γ(0))
    for it in solver(mdp, step_size=step, at=geometric()):
        wrong = maximum(abs(it.value - best), -it.slack[..., 0])
        yield {t: it.k, error: maximum(wrong - 1e-8, 0 * wrong)}
