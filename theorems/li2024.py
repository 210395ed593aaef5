"""Li, Yuan, Fan, Schmidt, Horváth, Gower, Takáč (2024), Enhancing Policy Gradient with the Polyak Step-Size Adaption.

The paper gives the step size; it has no convergence theorem that we know of.  What follows about softmax policies is
derived here, for exact gradients and for single trajectories.
"""

import numpy as np
from sympy import Eq, Rational, exp, sqrt

from mdplab import arrays, exact
from mdplab.arrays import largest, norm, rational, rational_number, smallest, total
from mdplab.instances import (
    Domain,
    Family,
    bad_start,
    bandits,
    discounted_mdps,
    families,
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
from mdplab.solvers import batch_estimates, polyak_pg, polyak_step, sampled_polyak_pg
from mdplab.theorem import (
    Assumption,
    Quantity,
    as_printed,
    for_all,
    identity,
    in_expectation,
    one_state,
    positive_start,
    rewards_in_unit_interval,
    theorem,
)

# ---------------------------------------------------------------------------------------------------------- the letters

t = Quantity("t", "updates so far", integer=True)
γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
c = Quantity("c", "the linear model of a step predicts that a c-th part of the gap is closed", accuracy="exact")
S = Quantity("S", "number of states", integer=True)
δ = Quantity(r"\delta_t", "sub-optimality at μ", accuracy="relative")
δ_0 = Quantity(r"\delta_0", "sub-optimality of the first policy", accuracy="relative")
δ_next = Quantity(r"\delta_{t+1}", "sub-optimality of the next policy", accuracy="relative")
slope = Quantity(r"\| \nabla V^{\pi_{\theta_t}}(\mu) \|_2", "length of the gradient by all logits")
along = Quantity(r"\langle \nabla V, \theta_{t+1} - \theta_t \rangle", "gain that the linear model predicts")
step = δ / (c * slope**2)

something_to_gain = Assumption(
    r"V^* > V^\pi",
    "some action is worse than another, so that no softmax policy is optimal",
    lambda mdp: arrays.floats(largest(exact.optimum(mdp).loss, 2)) > 0,
    lambda mdp: "all actions are optimal",
)
shares = numbers("1/2", 10)


def not_long(mdp, θ):
    """Logits that leave room for long steps: halves between −3/2 and 3/2 of the ones drawn."""
    return θ / 4


# ------------------------------------------------------------------------------------------------------ the step itself

with as_printed():
    predicted = Eq(along, δ / c)
    whole_gap = Eq(along, δ)
    twice_predicted = Eq(along, 2 * δ / c)


def two_by_two_run():
    return {"mdp": two_by_two(), "θ": two_by_two_logits(), "part": rational_number(2)}


@theorem(
    predicted,
    cite="li2024",
    at="Polyak step size",
    source="derived",
    judge=identity(t, up_to=2, exactly_up_to=2),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "part": shares},
    given=[positive_start, something_to_gain],
    named={"two by two": two_by_two_run},
    near_misses={"the whole gap, for c other than 1": whole_gap, "twice as much": twice_predicted},
)
def linear(mdp, θ, part):
    """Without a cap the linear model of each step predicts that exactly a c-th part of the gap is closed.

    Measured on the logits of the run: the gradient times the difference of two iterates.
    """
    before = None
    for it in polyak_pg(mdp, not_long(mdp, θ), c=part):
        if before is not None:
            moved = total(before.gradient * (it.θ - before.θ), 2)
            yield {t: before.k, c: part, along: moved, δ: before.gap}
        before = it


# ----------------------------------------------------------------------------------------------- how long the steps are

spread = Quantity(r"(\max r - \min r)", "range of the rewards", accuracy="exact")
β = spread / (3 * sqrt(3))

with as_printed():
    arms_step = step >= 1 / (2 * c * β)
    arms_twice = step >= 1 / (c * β)
    arms_without_c = step >= 1 / (2 * β)
    value_step = step >= (1 - γ) ** 2 / c
    value_four = step >= 4 * (1 - γ) ** 2 / c
    value_without_horizon = step >= 1 / c


def two_thirds():
    """r = (1, 0) and π(1) near 2/3, where the step is shortest: 27 / (8 c)."""
    return {"mdp": two_armed_bandit(), "θ": rational([["7/10", 0]]), "part": rational_number(2)}


def patient_two_thirds():
    """The same at every step of a single state, γ = 9/10."""
    P = rational([[[1], [1]]])
    return two_thirds() | {"mdp": DiscountedMDP(P, rational([[1, 0]]), rational_number("9/10"))}


def lengths(mdp, θ, part):
    """Gap and gradient at one point."""
    π = arrays.softmax(θ)
    return {
        γ: mdp.discount,
        c: part,
        S: mdp.S,
        δ: exact.gap(mdp, π, exact.optimum(mdp)),
        slope: norm(exact.softmax_gradient(mdp, π), 2),
    }


@theorem(
    arms_step,
    cite="li2024",
    at="lower bound of the step, bandits",
    source="derived",
    judge=for_all(),
    on={"mdp": bandits(), "θ": logits, "part": shares},
    given=[one_state, something_to_gain],
    named={"two arms": two_thirds},
    near_misses={"twice as long": arms_twice, "without c": arms_without_c},
    uses=["mei2020.lem2_sharp"],
    note="A β-smooth function has ‖∇V‖² <= 2β times its gap; β = (max r − min r) / (3√3) is proved for two arms.",
)
def lower_bandit(mdp, θ, part):
    """On bandits a Polyak step is at least 1 / (2 c β), with β the smoothness in the logits."""
    yield lengths(mdp, θ, part) | {spread: mdp.reward_range}


@theorem(
    value_step,
    cite="li2024",
    at="lower bound of the step",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "part": shares},
    given=[rewards_in_unit_interval, positive_start, something_to_gain],
    named={"two arms": two_thirds, "patient loop": patient_two_thirds},
    near_misses={"four times as long": value_four, "without the horizon": value_without_horizon},
    note="By smoothness with 1 / (2 (1 − γ)²), proved on the card.",
)
def lower(mdp, θ, part):
    """A Polyak step is at least 1 / (2 c β) = (1 − γ)² / c: never shorter than half of 1/β, for c = 1."""
    yield lengths(mdp, θ, part)


C = Quantity(
    r"C(\theta)",
    "Łojasiewicz coefficient: least probability of an optimal action over √S and the mismatch of visits",
    accuracy="relative",
)

with as_printed():
    no_longer = step <= 1 / (c * C**2 * δ)
    without_C = step <= 1 / (c * δ)
    C_once = step <= 1 / (c * C * δ)


def badly_started():
    return {"mdp": slow_bandit(), "θ": arrays.log(bad_start())}


def nearly_hopeless():
    """π = (2ε, 1/2 − 2ε, 1/2) for r = (1, 0, 0): the gradient is as small as the Łojasiewicz inequality allows."""
    return {"mdp": rare_best_arm(), "θ": arrays.log(rare_best_policy())}


@theorem(
    no_longer,
    cite="li2024",
    at="upper bound of the step",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "part": shares},
    given=[rewards_in_unit_interval, positive_start, something_to_gain],
    named={"bad start": badly_started, "rare best arm": nearly_hopeless},
    near_misses={"without C": without_C, "C not squared": C_once},
    uses=["mei2020.lem8"],
)
def upper(mdp, θ, part):
    """A Polyak step is at most 1 / (c C² δ): it may grow as one over the gap, and it does."""
    π, best = arrays.softmax(θ), exact.optimum(mdp)
    mismatch = largest(exact.occupancy(mdp, best.policy) / exact.occupancy(mdp, π))
    rarest = smallest(total(π * best.policy))
    root = arrays.sqrt(rational_number(mdp.S)) if arrays.is_exact(π) else np.sqrt(mdp.S)
    yield lengths(mdp, θ, part) | {C: rarest / (root * mismatch)}


# -------------------------------------------------------------------------------------------------- what the steps give

loss = Quantity(r"V^*(s) - V^{\pi_t}(s)", "sub-optimality in a state", accuracy="relative")
loss_next = Quantity(r"V^*(s) - V^{\pi_{t+1}}(s)", "sub-optimality in a state, next policy", accuracy="relative")
best_probability = Quantity(r"\pi_t(a^*(s) | s)", "probability of an optimal action", accuracy="relative")
best_probability_next = Quantity(r"\pi_{t+1}(a^*(s) | s)", "the same, next policy", accuracy="relative")

with as_printed():
    improves = loss_next <= loss
    halves = loss_next <= loss / 2
    learns = best_probability_next >= best_probability


def state_gaps(mdp, π, best):
    """V*(s) − V^π(s) for every state, the values of the loss: no subtraction;  (..., S)."""
    return exact.values(DiscountedMDP(mdp.P, best.loss, mdp.discount, mdp.start), π)


@theorem(
    improves,
    cite="li2024",
    at="monotone improvement",
    source="derived",
    judge=for_all(t, up_to=8, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "part": shares},
    given=[something_to_gain],
    named={"two arms": two_thirds, "bad start": badly_started},
    near_misses={"each gap halves": halves, "optimal actions become likelier": learns},
    note="True of softmax policy gradient with exact gradients and any positive step size: an action of positive "
    "advantage gains weight, one of negative advantage loses it.",
)
def mono(mdp, θ, part):
    """However long the steps are, no state's value ever falls.

    The run has a cap of 200 on its steps, which leaves logits that can be computed with.  With sampled gradients or an
    entropy bonus the claim is false.
    """
    best, before = exact.optimum(mdp), None
    for it in polyak_pg(mdp, not_long(mdp, θ), c=part, cap=200, best=best):
        now = (state_gaps(mdp, it.π, best), total(it.π * best.policy))
        if before is not None:
            yield {
                t: it.k - 1,
                loss: before[0],
                loss_next: now[0],
                best_probability: before[1],
                best_probability_next: now[1],
            }
        before = now


x = Quantity("x_t", "logit of the better arm less that of the other")
x_next = Quantity("x_{t+1}", "the same, next iterate")
p = Quantity("p_t", "probability of the better arm", accuracy="relative")

with as_printed():
    closed_form = Eq(x_next, x + 1 / (c * p))
    without_p = Eq(x_next, x + 1 / c)
    factor_forgotten = Eq(x_next, x + 2 / (c * p))
    contraction = δ_next <= exp(-1 / c) * δ
    contraction_sharper = δ_next <= Rational(19, 20) * exp(-1 / c) * δ
    contraction_without_c = δ_next <= exp(-1) * δ


def _two_arms():
    def draw():
        from mdplab.instances import strategies

        return strategies.bandits(2, True)

    def arms(rng, size):
        return families.by_name["bandits"](rng, size, K=2)

    def close_arms(rng, size):
        return families.by_name["bandits"](rng, size, K=2, rewards="near-ties")

    found = (Family("two arms", arms), Family("two close arms", close_arms))
    return Domain(draw, families=found, model=DiscountedMDP)


two_armed = _two_arms()
two_arms = Assumption(
    r"|\mathcal S| = 1,\ \gamma = 0,\ |\mathcal A| = 2,\ r_1 \ne r_2",
    "the model is a bandit with two different arms",
    lambda mdp: one_state.met_by({"mdp": mdp}) & (mdp.A == 2) & (arrays.floats(mdp.reward_range) > 0),
    lambda mdp: f"it has {mdp.S} states and {mdp.A} actions",
)


def eight_and_three():
    """r = (8/10, 3/10) from x = 3/10, c = 1: the next gap is 0.0574917."""
    return {"mdp": bandit(rational(["4/5", "3/10"])), "θ": rational([["3/10", 0]]), "part": rational_number(1)}


def uniform_two_arms():
    """r = (1, 0), no preference, c = 2."""
    return {"mdp": two_armed_bandit(), "part": rational_number(2)}


@theorem(
    closed_form,
    cite="li2024",
    at="two arms",
    source="derived",
    judge=identity(t, up_to=6, exactly_up_to=4),
    on={"mdp": two_armed, "θ": logits, "part": shares},
    given=[two_arms],
    named={"8/10 and 3/10": eight_and_three, "no preference": uniform_two_arms},
    near_misses={"without p": without_p, "factor 2 of the squared norm forgotten": factor_forgotten},
)
def two_arm(mdp, θ, part):
    """On two arms the logits' difference grows by 1 / (c p): it does not matter how far apart the rewards are."""
    best, before = exact.optimum(mdp), None
    for it in polyak_pg(mdp, not_long(mdp, θ), c=part, best=best):
        sign = 2 * best.policy - 1
        now = (total(sign * it.θ, 2), total(it.π * best.policy, 2))
        if before is not None:
            yield {t: it.k - 1, c: part, x: before[0], p: before[1], x_next: now[0]}
        before = now


@theorem(
    contraction,
    cite="li2024",
    at="two arms, linear rate",
    source="derived",
    judge=for_all(t, up_to=24, exactly_up_to=6),
    on={"mdp": two_armed, "θ": logits, "part": shares},
    given=[two_arms],
    named={"8/10 and 3/10": eight_and_three, "no preference": uniform_two_arms},
    near_misses={"a twentieth faster": contraction_sharper, "without c": contraction_without_c},
    note="With p' the next probability, the claim says exp((1 − 1/p) / c) <= p + (1 − p) exp(−1 / (c p)): Jensen's "
    "inequality.  The factor is attained in the limit.",
)
def two_arm_rate(mdp, θ, part):
    """On two arms every step divides the gap by at least e^(1/c): linear, where constant steps give 1/t."""
    before = None
    for it in polyak_pg(mdp, not_long(mdp, θ), c=part):
        if before is not None:
            yield {t: it.k - 1, c: part, δ: before, δ_next: it.gap}
        before = it.gap


with as_printed():
    linear_for_all = δ <= exp(-t / c) * δ_0


def drawn_to_second_arm():
    """r = (1, 9/10, 1/10), π = (1/1000, 3/10, 699/1000), c = 5: ends at the second arm, a tenth below the best."""
    π = rational([["1/1000", "3/10", "699/1000"]])
    return {"mdp": slow_bandit(), "θ": arrays.log(π), "part": rational_number(5)}


@theorem(
    linear_for_all,
    cite="li2024",
    at="linear rate with more than two arms",
    source="derived",
    status="refuted",
    judge=for_all(t, up_to=14, exactly_up_to=14),
    on={"mdp": bandits(), "θ": logits, "part": shares},
    given=[one_state, something_to_gain],
    named={"drawn to the second arm": drawn_to_second_arm},
    note="Nor does the gap tend to zero: after a dozen steps, the last 10¹⁰ long, the second arm has it all.",
)
def many_arms(mdp, θ, part):
    """False: with three arms Polyak steps need not converge to the best one, let alone linearly."""
    yield from run_of_gaps(mdp, θ, part)


def run_of_gaps(mdp, θ, part):
    first = None
    for it in polyak_pg(mdp, θ, c=part):
        first = it.gap if first is None else first
        yield {t: it.k, c: part, δ: it.gap, δ_0: first}


# ----------------------------------------------------------------------------------------------------------- the target

b = Quantity("b", "by how much the target is too high", accuracy="exact")
η = Quantity(r"\eta_t", "step that the solver took", accuracy="relative")

with as_printed():
    explodes = b / (2 * c * δ**2) <= η
    explodes_twice = b / (c * δ**2) <= η


def nearly_there():
    """r = (1, 0), π(1) near 99/100."""
    return {"mdp": two_armed_bandit(), "θ": rational([["9/2", 0]]), "part": rational_number(1)}


@theorem(
    explodes,
    cite="li2024",
    at="overestimated target",
    source="derived",
    judge=for_all(),
    on={"mdp": bandits(), "θ": logits, "part": shares, "excess": numbers("1/100", 1)},
    given=[one_state, something_to_gain],
    named={"nearly there": nearly_there},
    near_misses={"twice as long": explodes_twice, "an exact target": {"target": lambda excess: 0 * excess}},
    uses=["mei2020.lem17_sharp"],
)
def overestimate(mdp, θ, part, excess, *, target=lambda excess: excess):
    """A target that is too high by b makes the step at least b / (2 c δ²): it explodes as the run succeeds."""
    it = next(polyak_pg(mdp, θ, c=part, excess=target(excess)))
    yield {c: part, b: excess, δ: it.gap, η: it.step_size}


# ------------------------------------------------------------------------------------------------------- trajectories

gained = Quantity(
    r"\mathbb E \langle \nabla \hat V, \theta_{t+1} - \theta_t \rangle", "mean gain that the linear model predicts"
)
shortfall = Quantity(
    r"\mathbb E [(V^* - \hat V)^+;\ \nabla \hat V \ne 0]", "mean shortfall of the return where the estimate is not zero"
)
signed_shortfall = Quantity(
    r"\mathbb E [V^* - \hat V;\ \nabla \hat V \ne 0]", "the same, returns above V* counted as less"
)

with as_printed():
    sampled_prediction = Eq(gained, shortfall / c)
    without_clip = Eq(gained, signed_shortfall / c)
    whole_shortfall = Eq(gained, shortfall)


def _small(rng, size):
    mdp = families.garnet(rng, size, S=2, A=2)
    return DiscountedMDP(mdp.P, 2 * mdp.r - 1, mdp.discount, mdp.start)


few_steps = discounted_mdps(2, 2, rewards="any", families=(Family("garnet:S=2,A=2, signed rewards", _small),))


@theorem(
    sampled_prediction,
    cite="li2024",
    at="Polyak step size from a trajectory",
    source="derived",
    judge=in_expectation([gained, shortfall, signed_shortfall]),
    on={"mdp": few_steps, "π": policies, "part": shares},
    named={"two by two": lambda: {"mdp": two_by_two(), "part": rational_number(2)}},
    near_misses={"without the clip at zero": without_clip, "the whole shortfall, for c other than 1": whole_shortfall},
    note="One trajectory of three steps.  Returns of three steps may exceed V* where rewards are negative later.",
)
def sampled_linear(mdp, π, part, draws):
    """An estimated step is predicted to gain a c-th part of what the return falls short of the optimum, or nothing."""
    best = np.asarray(total(mdp.start * exact.optimum(mdp).v))
    value, g = batch_estimates(mdp, π, 3, draws, 1)
    square, short = total(g * g, 2), best[..., None] - value
    there = present(square, value)
    yield {
        c: part,
        gained: polyak_step(best, value, g, part) * square,
        shortfall: there * arrays.maximum(short, 0 * short),
        signed_shortfall: there * short,
    }


def present(x, like):
    """One where x is not zero, else zero, in the arithmetic of `like`."""
    mask = np.asarray(x != 0, dtype=bool)
    return rational(mask.astype(int)) if arrays.is_exact(like) else mask.astype(float)


next_probability = Quantity(r"\mathbb E\, \pi_{t+1}(a^*)", "mean probability of the better arm after one step")
now_probability = Quantity(r"\pi_t(a^*)", "probability of the better arm", accuracy="relative")

with as_printed():
    better_arm_loses = next_probability <= now_probability
    loses_a_tenth = next_probability <= Rational(9, 10) * now_probability


def one_and_a_half():
    """r = (1, 1/2), the better arm preferred."""
    return {"mdp": bandit(rational([1, "1/2"])), "θ": rational([[4, 0]]), "part": rational_number(1)}


def exact_shortfall(mdp, it, part):
    """The step with the value of the policy itself in place of the return that was seen."""
    δ = np.asarray(exact.gap(mdp, it.π, exact.optimum(mdp)))[..., None]
    return polyak_step(δ, 0 * it.value, it.direction, part)


def seen_shortfall(mdp, it, part):
    """The step of the method."""
    return it.step_size


@theorem(
    better_arm_loses,
    cite="li2024",
    at="Polyak step size from a single trajectory, two arms",
    source="derived",
    judge=in_expectation([next_probability]),
    on={"mdp": two_armed, "θ": logits, "part": shares},
    given=[two_arms, rewards_in_unit_interval],
    named={"1 and 1/2": one_and_a_half, "no preference": uniform_two_arms},
    near_misses={
        "it loses a tenth": loses_a_tenth,
        "the gap for the shortfall that was seen": {"step": exact_shortfall},
    },
    note="On every draw: one of the better arm is at the target, no step; one of the worse arm is below it and makes "
    "that arm likelier, as its reward is not negative.",
)
def sampled_two_arms(mdp, θ, part, draws, *, step=seen_shortfall):
    """With batches of one trajectory and the true optimum as target, the better of two arms never gains."""
    it = next(sampled_polyak_pg(mdp, not_long(mdp, θ), draws=draws, horizon=1, c=part))
    best = exact.optimum(mdp).policy
    moved = arrays.softmax(it.θ[..., None, :, :] + arrays.expand(step(mdp, it, part), 2) * it.direction)
    yield {now_probability: total(it.π * best, 2), next_probability: total(moved * best[..., None, :, :], 2)}
