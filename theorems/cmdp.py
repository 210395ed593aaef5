"""Facts about constrained models: duality over occupancy measures, and what descent and ascent achieve on average.

Proofs on the card.  Rewards and utilities are in [0, 1] where a bound says so; v are values normalised by 1 − γ.
"""

import numpy as np
from sympy import Eq, Rational

from mdplab import arrays, exact
from mdplab.arrays import expand, floats, largest, maximum, namespace, rational, rational_number, smallest, total
from mdplab.instances import constrained_mdps, crossing, numbers, opposed_arms, paradox, policies, two_constraints
from mdplab.instances.constrained import ONE_CONSTRAINT, TWO_CONSTRAINTS, garnet_family
from mdplab.solvers import gradient_descent_ascent
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
ξ = Quantity(r"\xi", "room in the constraints: the most by which all can be exceeded at once")
best = Quantity(r"V_r^*", "optimal value under the constraints")
dual = Quantity(r"\left[\mu^\top V^* - \lambda^{*\top} b\right]", "value of the dual program")
by_mixing = Quantity(r"\max_{x = w \, x^{\pi} + (1 - w) \, x^{\pi'}} V_r", "best mixture of two deterministic policies")
relaxed = Quantity(r"\left[\max_\pi V_{r + \lambda^* u}^\pi - \lambda^* b\right]", "the Lagrangian at its multipliers")
unpriced = Quantity(r"\max_\pi V_r^\pi", "optimal value without the constraints")
λ_sum = Quantity(r"\sum_i \lambda_i^*", "optimal multipliers")
idle = Quantity(r"\sum_i \lambda_i^* (V_{u_i}^{\pi^*} - b_i)", "what the multipliers charge for room left over")
randomised = Quantity("R", "actions that the optimal policy takes beyond one a visited state", accuracy="exact")
constraints = Quantity("I", "number of constraints", integer=True)

room = Assumption(
    r"\xi > 0",
    "some policy exceeds all constraints (Slater's condition)",
    lambda mdp: np.asarray(floats(exact.slater(mdp))) > (0 if arrays.is_exact(mdp.P) else 1e-9),
)


def as_share(n, like):
    """A count in the arithmetic of `like`."""
    return rational(n) if arrays.is_exact(like) else np.asarray(n, dtype=float)


with as_printed():
    duality = {
        "strong duality": Eq(best, dual),
        "the Lagrangian": Eq(best, relaxed),
        "complementary slackness": Eq(idle, 0),
    }
    no_price = Eq(best, unpriced)


def slackness_of(mdp, found):
    return total(found.multipliers * exact.slack(mdp, found.policy))


@theorem(
    duality,
    cite="cmdp",
    at="Proposition 1",
    source="recalled",
    judge=identity(),
    on={"mdp": constrained_mdps(constraints=(1, 2), families=TWO_CONSTRAINTS)},
    given=[room],
    named={"paradox": paradox, "opposed arms": opposed_arms, "crossing": crossing, "two constraints": two_constraints},
    near_misses={
        "constraints for nothing": no_price,
        "multipliers of one half": {"λ_of": lambda found: found.multipliers / 2},
        "multipliers of the other sign": {"λ_of": lambda found: -found.multipliers},
    },
    note="The program of Altman (1999).",
)
def lp(mdp, *, λ_of=lambda found: found.multipliers):
    """The occupancy program and its dual have the same value, which is also that of the Lagrangian at λ*.

    The primal value is recomputed from the policy; the dual's V and the Lagrangian's optimum come by separate roads.
    """
    found = exact.constrained_optimum(mdp)
    λ = λ_of(found)
    yield {
        best: exact.payoffs_at_start(mdp, found.policy)[..., 0],
        dual: total(mdp.start * found.v) - total(λ * mdp.least),
        relaxed: total(mdp.start * exact.optimum(mdp.rewarded(mdp.mixed(λ))).v) - total(λ * mdp.least),
        idle: slackness_of(mdp, found),
        unpriced: total(mdp.start * exact.optimum(mdp.mdp).v),
    }


with as_printed():
    mixtures = Eq(best, by_mixing)
    mixtures_without_constraint = Eq(unpriced, by_mixing)


@theorem(
    mixtures,
    cite="cmdp",
    at="Proposition 1, with one constraint",
    source="derived",
    judge=identity(),
    on={"mdp": constrained_mdps()},
    given=[room],
    named={"paradox": paradox, "opposed arms": opposed_arms, "crossing": crossing},
    near_misses={
        "deterministic policies only": {"second_road": lambda g: best_alone(g)},
        "constraints for nothing": mixtures_without_constraint,
    },
)
def two_policies(mdp, *, second_road=lambda g: g.least):
    """With one constraint some mixture of two deterministic policies is optimal."""
    found = exact.constrained_optimum(mdp)
    free = total(mdp.start * exact.optimum(mdp.mdp).v)
    yield {best: found.value, by_mixing: second_road(exact.dual_function(mdp)), unpriced: free}


def best_alone(g):
    """The best deterministic policy that meets the constraint."""
    met = g.slopes >= 0
    if arrays.is_exact(g.slopes):
        return largest(np.where(met.astype(bool), g.heights, rational_number(-(10**9))))
    return largest(namespace(g.heights).where(met, g.heights, -1e9 + 0 * g.heights))


with as_printed():
    bounded = λ_sum <= 1 / ((1 - γ) * ξ)
    bounded_tighter = λ_sum <= Rational(9, 10) / ((1 - γ) * ξ)
    bounded_without_horizon = λ_sum <= 1 / ξ


@theorem(
    bounded,
    cite="cmdp",
    at="Proposition 2",
    source="recalled",
    judge=for_all(),
    on={"mdp": constrained_mdps(constraints=(1, 2), families=TWO_CONSTRAINTS)},
    given=[room],
    named={
        "a bound that hardly binds": lambda: opposed_arms("0", "1/100"),
        "the same with a future": lambda: opposed_arms("1/2", "1/100"),
        "crossing": crossing,
        "two constraints": two_constraints,
    },
    near_misses={"nine tenths of it": bounded_tighter, "without 1 / (1 − γ)": bounded_without_horizon},
    note="Attained in the limit b → 0 by two opposed arms.  Lemma 1 of Ding et al. (2020) has the constant.",
)
def multipliers(mdp):
    """Optimal multipliers are at most 1 / ((1 − γ) ξ) for rewards in [0, 1]."""
    yield {γ: mdp.discount, ξ: exact.slater(mdp), λ_sum: total(exact.constrained_optimum(mdp).multipliers)}


with as_printed():
    few = randomised <= constraints
    none = randomised <= 0


@theorem(
    few,
    cite="cmdp",
    at="Proposition 3",
    source="recalled",
    judge=for_all(),
    on={"mdp": constrained_mdps(constraints=(1, 2), families=TWO_CONSTRAINTS)},
    given=[room],
    named={"crossing": crossing, "two constraints": two_constraints, "opposed arms": opposed_arms},
    near_misses={"deterministic": none, "the uniform policy": {"x_of": lambda mdp, x: uniform_measure(mdp)}},
)
def randomisation(mdp, *, x_of=lambda mdp, x: x):
    """An optimal basic solution takes at most one action more, over all states, for each constraint."""
    x = x_of(mdp, exact.constrained_optimum(mdp).occupancy)
    taken, visited = (x > 0).sum(axis=(-2, -1)), (total(x) > 0).sum(axis=-1)
    yield {randomised: as_share(taken - visited, mdp.P)[()], constraints: mdp.I}


def uniform_measure(mdp):
    return exact.occupancy_measure(mdp.mdp, 0 * mdp.r + as_share(1, mdp.r) / mdp.A)


# -- Mixtures are of occupancy measures --------------------------------------------------------------------------------

w = Quantity("w", "weight of the first policy", accuracy="exact")
V_mix = Quantity(r"V_f^{\bar\pi}", "value of the policy of the mixed occupancy measure, by reward and utilities")
V_one = Quantity(r"V_f^{\pi}", "value of the first policy")
V_two = Quantity(r"V_f^{\pi'}", "value of the second policy")
with as_printed():
    mixes = Eq(V_mix, w * V_one + (1 - w) * V_two)
    mixes_backwards = Eq(V_mix, (1 - w) * V_one + w * V_two)


def of_measures(mdp, one, two, weight):
    weight = expand(weight, 2)
    return exact.policy_of(
        weight * exact.occupancy_measure(mdp.mdp, one) + (1 - weight) * exact.occupancy_measure(mdp.mdp, two)
    )


def of_policies(mdp, one, two, weight):
    return expand(weight, 2) * one + (1 - expand(weight, 2)) * two


@theorem(
    mixes,
    cite="cmdp",
    at="Proposition 4",
    source="derived",
    judge=identity(),
    on={"mdp": constrained_mdps(constraints=(1, 2)), "one": policies, "two": policies, "weight": numbers(0, 1)},
    named={
        "crossing": {
            "mdp": crossing(),
            "one": rational([["9/10", "1/10"]] * 2),
            "two": rational([["1/10", "9/10"]] * 2),
            "weight": rational_number("1/3"),
        }
    },
    near_misses={"the average of the policies": {"mixture": of_policies}, "weights exchanged": mixes_backwards},
)
def mixture(mdp, one, two, weight, *, mixture=of_measures):
    """Averages of values belong to averages of occupancy measures, not of policies."""
    yield {
        w: expand(weight, 1),
        V_mix: exact.payoffs_at_start(mdp, mixture(mdp, one, two, weight)),
        V_one: exact.payoffs_at_start(mdp, one),
        V_two: exact.payoffs_at_start(mdp, two),
    }


# -- What averages achieve ---------------------------------------------------------------------------------------------

K = Quantity("K", "steps", integer=True)
η = Quantity(r"\eta", "step size of the policy, on values that are not normalised", accuracy="exact")
η_μ = Quantity(r"\eta_\mu", "step size of the multiplier, on normalised values", accuracy="exact")
μ = Quantity(r"\mu", "a multiplier to compare with", accuracy="exact")
regret = Quantity(
    r"\sum_{k < K} \left[L(\pi, \mu_k) - L(\pi_k, \mu)\right]",
    "what the players lose together to the pair (π, μ)",
)
KL = Quantity(r"\sum_s d^{\pi}(s) \, \mathrm{KL}(\pi \,\|\, \pi_0)(s)", "divergence of the first policy")
ranges = Quantity(
    r"\sum_{k < K} \sum_s d^{\pi}(s) \left[\max_a Q_k(s, a) - \min_a Q_k(s, a)\right]^2",
    "squared ranges of the action values",
)
pulls = Quantity(r"\sum_{k < K} h_k^2", "squared slacks, normalised")
with as_printed():
    ergodic_bound = regret <= KL / η + η / 8 * ranges + μ**2 / (2 * η_μ) + η_μ / 2 * pulls
    without_ranges = regret <= KL / η + μ**2 / (2 * η_μ) + η_μ / 2 * pulls
    without_pulls = regret <= KL / η + η / 8 * ranges + μ**2 / (2 * η_μ)
    without_distance = regret <= η / 8 * ranges + μ**2 / (2 * η_μ) + η_μ / 2 * pulls


def long_steps():
    """Steps so long that the policy overshoots."""
    arms = opposed_arms("0", "1/2")
    return {
        "mdp": arms,
        "comparator": rational([["1/2", "1/2"]]),
        "amount": rational_number(1),
        "step": rational_number(1),
        "multiplier_step": rational_number(1),
    }


@theorem(
    ergodic_bound,
    cite="cmdp",
    at="Proposition 5",
    source="derived",
    judge=for_all(K, up_to=100, exactly_up_to=8),
    on={
        "mdp": constrained_mdps(2, 3, families=ONE_CONSTRAINT[:2]),
        "comparator": policies,
        "amount": numbers(0, 2),
        "step": numbers("1/100", 1),
        "multiplier_step": numbers("1/100", 1),
    },
    named={"opposed arms": long_steps},
    near_misses={
        "without the ranges": without_ranges,
        "without the slacks": without_pulls,
        "without the divergence": without_distance,
    },
    note="With both steps of the order of 1/√K this is the O(1/√K) rate of averages.",
)
def ergodic(mdp, comparator, amount, step, multiplier_step, *, solver=gradient_descent_ascent):
    """Against any pair, descent and ascent lose no more than distances over steps plus steps times squared gradients.

    Stated with what the run itself shows, so that nothing is hidden in a worst case; L = v_r + μ (v_u − (1 − γ) b).
    The policy's step on normalised values is η / (1 − γ).
    """
    scale, d = 1 - mdp.γ(0), exact.occupancy(mdp.mdp, comparator)
    v = exact.payoffs_at_start(mdp, comparator)
    v_r, h = scale * v[..., 0], scale * (v[..., 1] - mdp.least[..., 0])
    first, sums = None, [0 * v_r, 0 * v_r, 0 * v_r]
    for it in solver(mdp, step_size=step / (1 - mdp.discount), multiplier_step_size=multiplier_step):
        if first is None:
            first = total(d * total(comparator * (arrays.log(comparator) - it.log_π)))
        yield {
            K: it.k,
            η: step,
            η_μ: multiplier_step,
            μ: amount,
            KL: first,
            regret: sums[0],
            ranges: sums[1],
            pulls: sums[2],
        }
        q = mixed_action_values(mdp, it)
        spread = largest(q) - smallest(q)
        value, slack = scale * it.value, scale * it.slack[..., 0]
        lost = (v_r + it.multipliers[..., 0] * h) - (value + amount * slack)
        sums = [sums[0] + lost, sums[1] + total(d * spread * spread), sums[2] + slack * slack]


def mixed_action_values(mdp, it):
    """Q^{π_k} of the reward of the Lagrangian, not normalised;  -> (..., S, A)."""
    q = exact.payoff_action_values(mdp, it.π)
    return q[..., 0, :, :] + expand(it.multipliers[..., 0], 2) * q[..., 1, :, :]


total_short = Quantity(r"\sum_{k < K} (-h_k)", "what the iterates lack of the bound together, normalised")
μ_last = Quantity(r"\mu_K", "the multiplier after K steps")
μ_first = Quantity(r"\mu_0", "the first multiplier", accuracy="exact")
with as_printed():
    telescopes = total_short <= (μ_last - μ_first) / η_μ
    half_of_it = total_short <= (μ_last - μ_first) / (2 * η_μ)
    not_at_all = total_short <= 0


@theorem(
    telescopes,
    cite="cmdp",
    at="Proposition 7",
    source="derived",
    judge=for_all(K, up_to=6, exactly_up_to=6),
    on={
        "mdp": constrained_mdps(2, 3, families=ONE_CONSTRAINT[:2]),
        "step": numbers("1/100", 1),
        "multiplier_step": numbers("1/100", 1),
        "first": numbers(0, 2),
    },
    named={
        "a bound that is missed at first": lambda: {
            "mdp": opposed_arms("1/2", "9/5"),
            "step": rational_number(1),
            "multiplier_step": rational_number(1),
            "first": rational_number(0),
        }
    },
    near_misses={"half of it": half_of_it, "no violation on average": not_at_all},
    note="An equality as long as the multiplier is not clipped; so a few steps are enough, decided exactly.  Where the "
    "multipliers stay bounded the average violation vanishes, though the last iterate may circle.",
)
def telescope(mdp, step, multiplier_step, first, *, solver=gradient_descent_ascent):
    """The multiplier remembers the violations: on average they are at most its rise over the step and the time."""
    scale, short = 1 - mdp.γ(0), 0 * mdp.γ(0) * first
    λ = 0 * mdp.least + expand(first, 1)
    for it in solver(mdp, multipliers=λ, step_size=step / (1 - mdp.discount), multiplier_step_size=multiplier_step):
        yield {K: it.k, η_μ: multiplier_step, total_short: short, μ_last: it.multipliers[..., 0], μ_first: first}
        short = short - scale * it.slack[..., 0]


# -- From regrets to the average occupancy measure ---------------------------------------------------------------------

f_opt = Quantity(r"f^{\mathrm{OPT}}", "optimal value of the convex problem: minus the constrained optimum, normalised")
f_bar = Quantity(r"f(\bar d_K) = \max_\lambda L(\bar d_K, \lambda)", "objective at the average occupancy measure")
low_bar = Quantity(r"\min_d L(d, \bar\lambda_K)", "the other player's answer to the average multiplier")
ε = Quantity(r"\epsilon_K", "average regret of the policy player")
δ = Quantity(r"\delta_K", "average regret of the multiplier player")
with as_printed():
    from_regret = {
        "the average is nearly optimal": f_bar <= f_opt + ε + δ,
        "and not below": f_opt <= f_bar,
        "so is the multiplier": f_opt - ε - δ <= low_bar,
    }
    without_the_policy = f_bar <= f_opt + δ
    without_the_multiplier = f_bar <= f_opt + ε


BINDING = garnet_family(S=2, A=2, opposed=True, share=0.9, discount=0.8)


def average_of_measures(mdp, x_sum, π_sum, n):
    return x_sum / n


def measure_of_average(mdp, x_sum, π_sum, n):
    return exact.occupancy_measure(mdp.mdp, π_sum / n)


@theorem(
    from_regret,
    cite="cmdp",
    at="Proposition 6",
    source="read",
    judge=for_all(K, up_to=32, exactly_up_to=4),
    on={
        "mdp": constrained_mdps(2, 2, families=(BINDING,), discounts=(0, "1/2", "4/5")),
        "step": numbers("1/10", 5),
        "multiplier_step": numbers("1/10", 2),
    },
    given=[room],
    named={"paradox": {"mdp": paradox("4/5"), "step": rational_number(1), "multiplier_step": rational_number(1)}},
    near_misses={
        "without the policy's regret": without_the_policy,
        "without the multiplier's regret": without_the_multiplier,
        "the average of the policies": {"average": measure_of_average},
    },
    note="The average-iterate theorem of Zahavy et al. (2021), with multipliers up to 1 + 1/((1 − γ)ξ).",
)
def meta(mdp, step, multiplier_step, *, average=average_of_measures, solver=gradient_descent_ascent):
    """Two players with small average regret make an average occupancy measure that is nearly optimal.

    L(d, λ) = −⟨r, d⟩ − λ (⟨u, d⟩ − (1 − γ) b) on λ in [0, Λ]; Λ is above λ*, so the optimum is that of the constraints.
    The policy player's best answer is among the deterministic policies, the multiplier's at an end of [0, Λ].
    """
    scale, g = 1 - mdp.γ(0), exact.dual_function(mdp)
    most = 1 + 1 / (scale * exact.slater(mdp))
    x_sum, π_sum, λ_sum, loss_sum = (0 * mdp.r, 0 * mdp.r, 0 * most, 0 * most)
    for it in solver(mdp, step_size=step, multiplier_step_size=multiplier_step):
        λ, n = arrays.minimum(it.multipliers[..., 0], most), it.k + 1
        x_sum, π_sum, λ_sum = x_sum + exact.occupancy_measure(mdp.mdp, it.π), π_sum + it.π, λ_sum + λ
        loss_sum = loss_sum - scale * (it.value + λ * it.slack[..., 0])
        if n & (n - 1):  # powers of two only
            continue
        answer = -scale * g.at(λ_sum / n)
        answered = worst(mdp, average_of_measures(mdp, x_sum, π_sum, n), most)
        yield {
            K: n,
            f_opt: -scale * g.least,
            f_bar: worst(mdp, average(mdp, x_sum, π_sum, n), most),
            low_bar: answer,
            ε: loss_sum / n - answer,
            δ: answered - loss_sum / n,
        }


def worst(mdp, x, most):
    """max over λ in [0, Λ] of −⟨r, x⟩ − λ (⟨u, x⟩ − (1 − γ) b);  (..., S, A) -> (...)."""
    short = (1 - mdp.γ(0)) * mdp.least[..., 0] - total(mdp.utilities[..., 0, :, :] * x, 2)
    return -total(mdp.r * x, 2) + most * maximum(short, 0 * short)
