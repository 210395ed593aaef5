"""Zaki, Mohan, Gopalan, Mannor (2022), Actor-Critic based Improper Reinforcement Learning.

Mixtures of given controllers.  Only abstracts, an introduction and the list of notation could be read.  The definitions
behind the gradient are the paper's; the Łojasiewicz inequality and the rate are from memory, and false as remembered:
the paper may carry a condition.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from sympy import Abs, Eq, Rational, sqrt

from mdplab import arrays, exact
from mdplab.arrays import expand, largest, namespace, norm, rational, rational_number, smallest, total
from mdplab.exact import truncated_gradient, truncated_values
from mdplab.instances import (
    Domain,
    Family,
    bandits,
    controllers,
    discounted_mdps,
    families,
    mixtures,
    numbers,
    one_action_each,
    stay_or_switch,
    stay_or_switch_controllers,
    two_armed_bandit,
    weight_logits,
    weights,
)
from mdplab.models import DiscountedMDP, bandit
from mdplab.sampling import (
    controller_rollouts,
    observed_return,
    rewards_to_go,
    rollouts,
    td_steps,
    weight_scores,
)
from mdplab.solvers import geometric, improper_pg, softmax_pg, sphere
from mdplab.theorem import (
    Assumption,
    Quantity,
    Without,
    as_printed,
    for_all,
    identity,
    in_expectation,
    positive_start,
    rewards_in_unit_interval,
    theorem,
)
from mdplab.theorem import one_state as in_one_state

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
M = Quantity("M", "number of controllers", integer=True)
t = Quantity("t", "iterates, numbered from 1", integer=True)
w_m = Quantity("w(m)", "weight of the controller", accuracy="exact")
dV = Quantity(r"\frac{\partial V^w(\mu)}{\partial \theta_m}", "derivative in one logit of the weights")
slope = Quantity(r"\| \nabla_\theta V^w(\mu) \|_2", "length of the gradient")
mean_advantage = Quantity(r"\sum_s d^w_\mu(s) \tilde A^w(s, m)", "mean advantage of the controller")
mean_value = Quantity(r"\sum_s d^w_\mu(s) \tilde Q^w(s, m)", "mean action value of the controller")
alone = Quantity(
    r"\left(V^{K_m}(\mu) - \textstyle\sum_n w(n) V^{K_n}(\mu)\right)",
    "what the controller is worth alone, minus the mean of all of them",
)

# ------------------------------------------------------------------------------------------------------------- gradient

with as_printed():
    gradient = Eq(dV, 1 / (1 - γ) * w_m * mean_advantage)
    action_values = Eq(dV, 1 / (1 - γ) * w_m * mean_value)
    without_weight = Eq(dV, 1 / (1 - γ) * mean_advantage)
    without_horizon = Eq(dV, w_m * mean_advantage)
    once_an_episode = Eq(dV, w_m * alone)


def uneven():
    """Staying pays 8/10 in the second state; weights near those of θ = (7/10, 0)."""
    return {
        "mdp": stay_or_switch("4/5"),
        "controllers": stay_or_switch_controllers(),
        "w": rational(["67/100", "33/100"]),
    }


def by_differentiation(mdp, K, w):
    """∂V^w(μ) / ∂θ(m), the Bellman equation differentiated;  (..., M).  No visits and no advantages."""
    along = (0 * w + u for u in arrays.identity_like(w))
    parts = [total(mdp.start * exact.improper_derivatives(mdp, K, w, u)[1]) for u in along]
    return (
        np.stack([np.asarray(x) for x in parts], axis=-1) if arrays.is_exact(w) else namespace(w).stack(parts, axis=-1)
    )


def values_alone(mdp, K):
    """V^{K_m}(μ) of each controller alone;  (..., M)."""
    parts = [total(mdp.start * exact.values(mdp, K[..., m, :, :])) for m in range(K.shape[-3])]
    return (
        np.stack([np.asarray(x) for x in parts], axis=-1) if arrays.is_exact(K) else namespace(K).stack(parts, axis=-1)
    )


def means(mdp, K, w):
    """Σ_s d(s) Ã(s, m) and Σ_s d(s) Q̃(s, m), d normalised;  each (..., M)."""
    d = expand(exact.occupancy(mdp, exact.mixture(K, w)), 1)
    return [(d * f(mdp, K, w)).sum(axis=-2) for f in (exact.controller_advantages, exact.controller_action_values)]


@theorem(
    gradient,
    cite="zaki2022",
    at="policy gradient",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "controllers": controllers, "w": weights},
    named={"stay or switch": uneven},
    near_misses={
        "action values for advantages": action_values,
        "without w(m)": without_weight,
        "without 1 / (1 − γ)": without_horizon,
        "one controller for a whole episode": once_an_episode,
    },
    note="The definitions were read, the display was not.  A controller is drawn anew at every step; drawn once for an "
    "episode the value would be linear in w.",
)
def grad(mdp, controllers, w):
    """The value of a mixture changes with a logit by weight times mean advantage of the controller.

    The left side differentiates the Bellman equation; on rational weights both sides are rational and equal.
    """
    advantage, value = means(mdp, controllers, w)
    each = values_alone(mdp, controllers)
    yield {
        alone: each - expand(total(w * each), 1),
        γ: mdp.discount,
        dV: by_differentiation(mdp, controllers, w),
        w_m: w,
        mean_advantage: advantage,
        mean_value: value,
    }


through_fisher = Quantity(
    r"\left( (\operatorname{diag} w - w w^\top)\, x \right)(m)",
    "Fisher matrix of the weights times the natural direction x, mean advantages over 1 − γ",
)

with as_printed():
    natural = Eq(through_fisher, dV)
    natural_without_horizon = Eq(through_fisher, (1 - γ) * dV)


@theorem(
    natural,
    cite="zaki2022",
    at="natural actor-critic, exact direction",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "controllers": controllers, "w": weights},
    named={"stay or switch": uneven},
    near_misses={
        "without 1 / (1 − γ)": natural_without_horizon,
        "weights in the direction": {"direction": lambda w, x: w * x},
    },
)
def nac(mdp, controllers, w, *, direction=lambda w, x: x):
    """The natural gradient of the logits is the mean advantage over 1 − γ: weights are multiplied by its exp."""
    x = direction(w, means(mdp, controllers, w)[0]) / (1 - mdp.γ(1))
    yield {
        γ: mdp.discount,
        through_fisher: w * (x - expand(total(w * x), 1)),
        dV: by_differentiation(mdp, controllers, w),
    }


# ----------------------------------------------------------------------------------------------------------- smoothness

bend = Quantity(r"u^\top \nabla^2_\theta V^{w_\theta}(\mu)\, u", "curvature of the value along u")
length = Quantity(r"\| u \|_2^2", "squared length of the direction", accuracy="relative")

with as_printed():
    smooth_as_recalled = Abs(bend) <= (7 * γ**2 + 4 * γ + 5) / (2 * (1 - γ) ** 2) * length
    smooth_proved = Abs(bend) <= 1 / (2 * (1 - γ) ** 2) * length
    too_smooth = Abs(bend) <= Rational(19, 100) * length
    too_smooth_with_horizon = Abs(bend) <= Rational(19, 100) / (1 - γ) * length


def sharpest(discount=0):
    """One state, r = (1, 0), a controller for each action, weights near (1 ± 1/√3) / 2, along (1, −1)."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number(discount))
    w = rational(["789/1000", "211/1000"])
    return {"mdp": mdp, "controllers": one_action_each(mdp), "w": w, "u": rational([1, -1])}


def patient_sharpest():
    """The same for ever, γ = 99/100."""
    return sharpest("99/100")


@theorem(
    {"recalled": smooth_as_recalled, "sharper": smooth_proved},
    cite="zaki2022",
    at="smoothness",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "controllers": controllers, "w": weights, "u": weight_logits},
    given=[rewards_in_unit_interval],
    named={"two arms": sharpest, "patient": patient_sharpest},
    near_misses={"19/100": too_smooth, "19/100 / (1 − γ)": too_smooth_with_horizon},
    note="The first constant is from memory; the second, smaller one is proved on the card.",
)
def smooth(mdp, controllers, w, u):
    """The value of a mixture is smooth in the logits of its weights."""
    _, _, second = exact.improper_derivatives(mdp, controllers, w, u)
    yield {γ: mdp.discount, bend: total(mdp.start * second), length: total(u * u)}


gain = Quantity(r"V^{w_{\theta^+}}(\mu) - V^{w_\theta}(\mu)", "what one step gains")
η = Quantity(r"\eta", "step size", accuracy="exact")

with as_printed():
    ascends = gain >= η / 2 * slope**2
    ascends_by_all = gain >= η * slope**2


def recalled_step(mdp):
    γ = mdp.discount
    return 2 * (1 - γ) ** 2 / (7 * γ**2 + 4 * γ + 5)


def proved_step(mdp):
    return 2 * (1 - mdp.discount) ** 2


def long_step(mdp):
    return 100 + 0 * mdp.discount


def preferred():
    """r = (1, 0), two controllers, the better one preferred: the curvature is negative."""
    mdp = two_armed_bandit()
    return {"mdp": mdp, "controllers": one_action_each(mdp), "θ": rational([1, 0])}


@theorem(
    ascends,
    cite="zaki2022",
    at="ascent",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "controllers": controllers, "θ": weight_logits},
    given=[rewards_in_unit_interval],
    named={"better controller preferred": preferred},
    near_misses={"η for η/2": ascends_by_all, "step size 100": {"steps": (long_step,)}},
    note="For the step 2 (1 − γ)², and for the shorter one of the recalled smoothness.",
)
def ascent(mdp, controllers, θ, *, steps=(proved_step, recalled_step)):
    """With a step of one over the smoothness each update gains at least half of η times the squared gradient."""
    for step_size in (step(mdp) for step in steps):
        run = improper_pg(mdp, controllers, θ, step_size=step_size)
        now, after = next(run), next(run)
        advantage = exact.advantages(mdp, now.π)
        yield {
            η: step_size,
            gain: total(exact.visits(mdp, after.π) * total(after.π * advantage)),
            slope: norm(exact.improper_gradient(mdp, controllers, now.w)),
        }


# --------------------------------------------------------------------------------------------------------- one state

w_t = Quantity("w_t(m)", "weight of the controller after t updates", accuracy="relative")
π_t = Quantity(r"\pi_t(m)", "probability of the arm after t updates of softmax policy gradient", accuracy="relative")
π_later = Quantity(r"\pi_{t+1}(m)", "the same one update later", accuracy="relative")

with as_printed():
    same_run = Eq(w_t, π_t)
    one_late = Eq(w_t, π_later)


def first_row(K):
    """A mistake: the arms' rewards are those of the controllers' first action."""
    return K[..., 0, :1]


@theorem(
    same_run,
    cite="zaki2022",
    at="one state",
    source="derived",
    judge=identity(t, up_to=40, exactly_up_to=6),
    on={"mdp": bandits(), "controllers": controllers, "θ": weight_logits},
    given=[in_one_state],
    named={"better controller preferred": preferred},
    near_misses={"one update late": one_late, "step size doubled": {"factor": 2}},
    note="With arms of reward K_m · r; so every statement on softmax policy gradient for bandits holds.",
)
def one_state(mdp, controllers, θ, *, factor=1):
    """In one state with γ = 0 controllers are arms: ascent on their weights is softmax policy gradient on a bandit."""
    arms = bandit(total(controllers * mdp.r[..., None, :, :], 2))
    step = rational_number("2/5") if arrays.is_exact(mdp.r) else 0.4
    ours = improper_pg(mdp, controllers, θ, step_size=step)
    theirs = pairwise(softmax_pg(arms, θ[..., None, :], step_size=factor * step))
    for it, (now, later) in zip(ours, theirs, strict=False):
        yield {t: it.k + 1, w_t: it.w, π_t: now.π[..., 0, :], π_later: later.π[..., 0, :]}


# --------------------------------------------------------------------------------------- what small gradients tell

against = Quantity(
    r"\tfrac{1}{1 - \gamma} \sum_s d^w_\mu(s) \sum_m w'(m) \tilde A^w(s, m)",
    "mean advantage of w' where w goes",
)
ratio = Quantity(r"\| w' / w \|_2", "length of the ratios of weights", accuracy="relative")
lead = Quantity(r"V^{w'}(\mu) - V^w(\mu)", "by how much w' is better")
biggest = Quantity(r"\| \nabla_\theta V^w(\mu) \|_\infty", "largest entry of the gradient")

with as_printed():
    surrogate_bound = against <= ratio * slope
    without_ratio = against <= slope
    own_visits = lead <= ratio * slope


def symmetric(discount="9/10"):
    """Equal weights, where the gradient vanishes, though either controller alone is better by γ / (2 (1 − γ))."""
    return {
        "mdp": stay_or_switch(1, discount),
        "controllers": stay_or_switch_controllers(),
        "w": rational(["1/2", "1/2"]),
        "other": rational([1, 0]),
    }


@theorem(
    surrogate_bound,
    cite="zaki2022",
    at="surrogate inequality",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "controllers": controllers, "w": weights, "other": mixtures},
    named={"equal weights": symmetric, "stay or switch": uneven},
    near_misses={"without the ratio": without_ratio, "visits of w' itself: the gap": own_visits},
    note="Cauchy and Schwarz.  The visits are those of the current weights: a local statement, not a global one.",
)
def surrogate(mdp, controllers, w, other):
    """Where the gradient is small no mixture has a large advantage on the states that are visited now."""
    A, d = exact.controller_advantages(mdp, controllers, w), exact.visits(mdp, exact.mixture(controllers, w))
    yield {
        against: total(d * total(A * other[..., None, :])),
        ratio: norm(other / w),
        slope: norm(exact.improper_gradient(mdp, controllers, w)),
        lead: difference(mdp, controllers, other, w),
    }


def difference(mdp, K, other, w):
    """V^{w'}(μ) − V^w(μ) by the performance difference."""
    A = exact.controller_advantages(mdp, K, w)
    return total(exact.visits(mdp, exact.mixture(K, other)) * total(A * other[..., None, :]))


rarest = Quantity(r"\min_{m : w'(m) > 0} w(m)", "least weight of a controller that w' uses", accuracy="relative")
mismatch = Quantity(r"\| d^{w'}_\mu / d^w_\mu \|_\infty", "mismatch of visits", accuracy="relative")

with as_printed():
    dominated = rarest / mismatch * lead <= biggest
    without_rarest = 1 / mismatch * lead <= biggest
    without_mismatch = rarest * lead <= biggest

one_sign = Assumption(
    r"\tilde A^w(\cdot, m) \ge 0 \text{ or } \tilde A^w(\cdot, m) \le 0 \text{ for } w'(m) > 0",
    "each controller of w' is better than the mixture in all states, or worse in all",
    lambda mdp, controllers, w, other: _one_sign(mdp, controllers, w, other),
    lambda mdp, controllers, w, other: "some controller is better in one state and worse in another",
)


def _one_sign(mdp, K, w, other):
    A = exact.controller_advantages(mdp, K, w)
    either = (largest(A.swapaxes(-1, -2)) <= 0) | (smallest(A.swapaxes(-1, -2)) >= 0)
    return arrays.floats(either | (other == 0)).astype(bool).all(axis=-1)


def rare_controller():
    """Two states that both stay; the better controller has weight 1/100, and little is visited of the second state."""
    mdp = DiscountedMDP(rational([[[1, 0]] * 2, [[0, 1]] * 2]), rational([[1, 0]] * 2), rational_number("9/10"))
    return {
        "mdp": mdp,
        "controllers": one_action_each(mdp),
        "w": rational(["1/100", "99/100"]),
        "other": rational([1, 0]),
    }


def late_controller():
    """The better controller leaves a state that pays nothing for one that pays 1; starts in the second with 1/100."""
    P = rational([[[0, 1], [1, 0]], [[0, 1], [0, 1]]])
    mdp = DiscountedMDP(P, rational([[0, 0], [1, "9/10"]]), rational_number("9/10"), rational(["99/100", "1/100"]))
    return rare_controller() | {"mdp": mdp, "controllers": one_action_each(mdp), "w": rational(["1/10", "9/10"])}


@theorem(
    dominated,
    cite="zaki2022",
    at="Łojasiewicz inequality, advantages of one sign",
    source="derived",
    status="corrected",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(max_states=2, positive_start=True),
        "controllers": controllers,
        "w": weights,
        "other": mixtures,
    },
    given=[positive_start, one_sign],
    named={"a rare controller": rare_controller, "a late controller": late_controller},
    near_misses={
        "without the least weight": without_rarest,
        "without the mismatch": without_mismatch,
        "advantages of both signs": Without(one_sign),
    },
    note="What the proof gives where Σ_s d(s) |Ã(s, m)| = |Σ_s d(s) Ã(s, m)|; no factor 1/√M, the largest entry of the "
    "gradient, and w' need not be optimal.",
)
def loj_one_sign(mdp, controllers, w, other):
    """If no controller changes sides between states, the gradient bounds how much better any other mixture is."""
    there = exact.occupancy(mdp, exact.mixture(controllers, other))
    yield {
        rarest: smallest(w + 2 * unused(other)),
        mismatch: largest(there / exact.occupancy(mdp, exact.mixture(controllers, w))),
        lead: difference(mdp, controllers, other, w),
        biggest: arrays.sup(exact.improper_gradient(mdp, controllers, w)),
    }


def unused(w):
    """One where a controller has no weight, else zero."""
    return rational((w == 0).astype(int)) if arrays.is_exact(w) else 1.0 * (w == 0)


# --------------------------------------------------------------------- recalled, and false without a further condition

gap = Quantity(r"V^*(\mu) - V^w(\mu)", "sub-optimality within the class", accuracy="relative")
c = Quantity("c_t", "least weight of the best controller so far", accuracy="relative")
best_mismatch = Quantity(r"\| d^{w^*}_\mu / d^w_\mu \|_\infty", "mismatch of visits", accuracy="relative")
over_start = Quantity(r"\| d^{w^*}_\mu / \mu \|_\infty", "mismatch of the best visits and μ", accuracy="relative")
least_start = Quantity(r"\| 1 / \mu \|_\infty", "one over the smallest start probability", accuracy="exact")

with as_printed():
    lojasiewicz = c / (sqrt(M) * best_mismatch) * gap <= slope
    rate_as_recalled = gap <= M * (7 * γ**2 + 4 * γ + 5) / (c**2 * (1 - γ) ** 3 * t) * over_start**2 * least_start


def _symmetric_models():
    def draw():
        from hypothesis import strategies as st

        return st.sampled_from(["1/2", "1/4", "9/10"]).map(lambda γ: stay_or_switch(1, γ))

    def make(rng, size):
        one = stay_or_switch().floats()
        P, r = (np.stack([x] * size) for x in (one.P, one.r))
        return DiscountedMDP(P, r, rng.uniform(0.6, 0.9, size))

    return Domain(draw, families=(Family("stay or switch", make),), model=DiscountedMDP)


is_stay_or_switch = Assumption(
    r"P, r, \mu \text{ are those of stay-or-switch}",
    "staying in either of the two states pays 1, and switching nothing",
    lambda mdp: _is_stay_or_switch(mdp),
    lambda mdp: "it is another model",
)


def _is_stay_or_switch(mdp):
    one = stay_or_switch().floats()
    if mdp.r.shape[-2:] != (2, 2):
        return np.zeros(mdp.batch, dtype=bool)
    parts = [(x, arrays.floats(y)) for x, y in ((one.P, mdp.P), (one.r, mdp.r), (one.start, mdp.start))]
    return np.all([(x == y).reshape(*mdp.batch, -1).all(axis=-1) for x, y in parts], axis=0)


both_stay = _symmetric_models()  # where each of the two controllers alone is optimal in the class


def along_the_run(mdp, solver=improper_pg):
    """Ascent from equal weights, on `stay_or_switch`; w* is the first controller."""
    K = stay_or_switch_controllers()
    if not arrays.is_exact(mdp.r):
        K = namespace(mdp.r).asarray(arrays.floats(K)) + 0 * mdp.r[..., None, :, :]
    first = K[..., 0, :, :]
    best = exact.occupancy(mdp, first)
    lead = exact.values(mdp, first)
    for it in solver(mdp, K, at=geometric(per_decade=5)):
        yield {
            t: it.k + 1,
            γ: mdp.discount,
            M: 2,
            c: it.w[..., 0],
            gap: total(mdp.start * (lead - exact.values(mdp, it.π))),
            slope: norm(exact.improper_gradient(mdp, K, it.w)),
            best_mismatch: largest(best / exact.occupancy(mdp, it.π)),
            over_start: largest(best / mdp.start),
            least_start: largest(1 / mdp.start),
        }


def quarter():
    """γ = 1/4: the gap of 1/6 stays for ever."""
    return {"mdp": stay_or_switch(1, "1/4")}


@theorem(
    lojasiewicz,
    cite="zaki2022",
    at="Łojasiewicz inequality, as recalled",
    source="recalled",
    status="refuted",
    judge=for_all(t, up_to=1),
    on={"mdp": both_stay},
    given=[is_stay_or_switch],
    named={"equal weights": quarter},
    note="From memory; the paper's lemma could not be read.  Equal weights have zero gradient, positive "
    "weights and a gap.  True where advantages have one sign over the states: see `loj_one_sign`.",
)
def loj(mdp):
    """False without a further condition: a gap need not make the gradient of the weights positive."""
    yield from along_the_run(mdp)


@theorem(
    rate_as_recalled,
    cite="zaki2022",
    at="convergence, as recalled",
    source="recalled",
    status="refuted",
    judge=for_all(t, up_to=3200, exactly_up_to=1),
    on={"mdp": both_stay},
    given=[is_stay_or_switch],
    named={"equal weights": quarter},
    note="From memory, as above.  The ascent does not move from equal weights; the bound falls below the gap.",
)
def thm(mdp):
    """False without a further condition: gradient ascent on the weights of controllers need not converge like 1/t."""
    yield from along_the_run(mdp)


# ------------------------------------------------------------------------------------------------ where ascent may end

w_1 = Quantity("w_t(1)", "weight of the better controller", accuracy="relative")
w_1_next = Quantity("w_{t+1}(1)", "the same one update later", accuracy="relative")
behind = Quantity(r"V^{K_1}(\mu) - V^{w_t}(\mu)", "how far the mixture is behind the better controller")

with as_printed():
    wrong_way = {"the weight falls": w_1_next <= w_1, "the gap stays": behind >= Rational(19, 10)}
    gap_of_two = behind >= 2


def _the_model():
    def draw():
        from hypothesis import strategies as st

        return st.just(stay_or_switch("4/5"))

    def make(rng, size):
        one = stay_or_switch("4/5").floats()
        return one.map(lambda x: np.stack([np.asarray(x)] * size))

    return Domain(draw, families=(Family("stay or switch", make),), model=DiscountedMDP)


is_four_fifths = Assumption(
    r"P, r, \gamma \text{ are those of stay-or-switch}",
    "staying pays 1 in the first state and 4/5 in the second, γ = 9/10, uniform start",
    lambda mdp: _is_four_fifths(mdp),
    lambda mdp: "it is another model",
)


def _is_four_fifths(mdp):
    one = stay_or_switch("4/5").floats()
    if mdp.r.shape[-2:] != (2, 2):
        return np.zeros(mdp.batch, dtype=bool)
    pairs = [(getattr(one, name), arrays.floats(getattr(mdp, name))) for name in ("P", "r", "start")]
    same = [(x == y).reshape(*mdp.batch, -1).all(axis=-1) for x, y in pairs]
    return np.all([*same, np.asarray(arrays.floats(mdp.discount)) == 0.9], axis=0)


def second_preferred():
    """θ = (−1/2, 0): the second controller is a little preferred."""
    return {"mdp": stay_or_switch("4/5"), "first": rational_number("-1/2")}


def from_preference(mdp, first):
    """Logits (first, 0)."""
    zero = 0 * mdp.start[..., 0] + first
    both = [zero, 0 * zero]
    return np.stack([np.asarray(x) for x in both], axis=-1) if arrays.is_exact(mdp.r) else np.stack(both, axis=-1)


@theorem(
    wrong_way,
    cite="zaki2022",
    at="where ascent may end",
    source="derived",
    judge=for_all(t, up_to=2000, exactly_up_to=6),
    on={"mdp": _the_model(), "first": numbers(-3, "-1/2")},
    given=[is_four_fifths],
    named={"second preferred": second_preferred},
    near_misses={
        "from equal weights": {"shift": lambda first: 0 * first},
        "from θ = −1/5": {"shift": lambda first: 0 * first - one_fifth(first)},
        "the gap is two": gap_of_two,
    },
    note="V^{K_1} = 9.5, V^{K_2} = 7.6; the value is least, 4.44, at w_1 = 0.44, and ascent leaves that on both sides.",
)
def wrong_limit(mdp, first, *, shift=lambda first: first):
    """From a slight preference for the worse of two controllers, ascent gives the better one up."""
    K = stay_or_switch_controllers()
    if not arrays.is_exact(mdp.r):
        K = namespace(mdp.r).asarray(arrays.floats(K)) + 0 * mdp.r[..., None, :, :]
    lead = exact.values(mdp, K[..., 0, :, :])
    run = improper_pg(mdp, K, from_preference(mdp, shift(first)), step_size=one_twentieth(mdp.r))
    for now, after in pairwise(run):
        yield {
            t: now.k + 1,
            w_1: now.w[..., 0],
            w_1_next: after.w[..., 0],
            behind: total(mdp.start * (lead - exact.values(mdp, now.π))),
        }


def one_fifth(like):
    return rational_number("1/5") if arrays.is_exact(like) else 0.2


def one_twentieth(like):
    return rational_number("1/20") if arrays.is_exact(like) else 0.05


# ------------------------------------------------------------------------------------------------------- trajectories

dV_H = Quantity(r"\frac{\partial V_H^w(\mu)}{\partial \theta_m}", "derivative of the value of H steps")
by_rewards = Quantity(
    r"\mathbb E \textstyle\sum_t \Psi_t \nabla \log w(m_t)", "scores of the controllers times the rewards to go"
)
by_critic = Quantity(
    r"\mathbb E \textstyle\sum_t \gamma^t \delta_t \nabla \log w(m_t)", "the same with temporal differences"
)

with as_printed():
    both_unbiased = {"rewards": Eq(by_rewards, dV_H), "critic": Eq(by_critic, dV_H)}
    half_unbiased = Eq(by_rewards, dV_H / 2)

LENGTH = 2


def small_models(rng, size):
    return families.garnet(rng, size, S=2, A=2)


def from_the_next_step(seen):
    """A mistake: the reward of the step itself does not count."""
    return rewards_to_go(replace(seen, rewards=seen.rewards * (np.arange(seen.H) > 0)))


def not_discounted(mdp, seen, v):
    """A mistake: the next value counts in full."""
    return td_steps(seen, v, 1, timed=True)


def discounted_steps(mdp, seen, v):
    """δ_t = r_t + γ v(s_{t+1}) − v(s_t)."""
    return td_steps(seen, v, mdp.discount, timed=True)


@theorem(
    both_unbiased,
    cite="zaki2022",
    at="actor-critic, the actor's estimate",
    source="derived",
    judge=in_expectation([by_rewards, by_critic]),
    on={
        "mdp": discounted_mdps(2, 2, rewards="any", families=(Family("garnet:S=2,A=2", small_models),)),
        "controllers": controllers,
        "w": weights,
    },
    named={"stay or switch": uneven},
    near_misses={
        "half the gradient": half_unbiased,
        "rewards from the next step on": {"to_go": from_the_next_step},
        "the next value not discounted": {"δ": not_discounted},
    },
    note="A controller is drawn at every step and draws the action; the action's own probability does not enter.  The "
    "critic is the truth for the steps that are left.",
)
def unbiased(mdp, controllers, w, draws, *, to_go=rewards_to_go, δ=discounted_steps):
    """The scores of the controllers drawn, times rewards to go or temporal differences, estimate the gradient.

    The gradient is that of a model whose actions are the controllers.
    """
    choice, each = controllers_as_actions(mdp, controllers), 0 * mdp.r[..., :1] + w[..., None, :]
    seen = controller_rollouts(mdp, controllers, w, LENGTH, draws)
    v = truncated_values(choice, each, LENGTH)
    yield {
        dV_H: truncated_gradient(choice, each, LENGTH).sum(axis=-2),
        by_rewards: weight_scores(seen, to_go(seen), w),
        by_critic: weight_scores(seen, seen.weights * δ(mdp, seen, v), w),
    }


def controllers_as_actions(mdp, K):
    """The model in which one chooses a controller and is paid what it is paid on average."""
    P = (np.moveaxis(K, -3, -2)[..., None] * mdp.P[..., None, :, :]).sum(axis=-2)
    r = (np.moveaxis(K, -3, -2) * mdp.r[..., None, :]).sum(axis=-1)
    return DiscountedMDP(P, r, mdp.discount, mdp.start)


along_slope = Quantity(
    r"\mathbb E \langle \hat g, \nabla V \rangle / \| \nabla V \|",
    "mean of the estimate along the gradient",
)
α = Quantity(r"\alpha", "radius of the perturbation", accuracy="exact")
spread_of_arms = Quantity(r"(\max \bar r - \min \bar r)", "range of the controllers' rewards")

with as_printed():
    nearly_unbiased = slope - α * spread_of_arms / (3 * sqrt(3)) <= along_slope
    unbiased_twice = 2 * slope <= along_slope


def one_value(θ, u, radius):
    """θ + α u."""
    return θ + radius * u


def unperturbed(θ, u, radius):
    """A mistake: the value is that of θ itself, and says nothing of u."""
    return θ


def a_controller_for_each_arm():
    mdp = two_armed_bandit()
    return {"mdp": mdp, "controllers": one_action_each(mdp), "w": rational(["1/2", "1/2"])}


def first_two():
    """Two controllers that take one of two arms each, in batches too."""
    return Domain(
        lambda mdp: _two_pure(mdp), lambda rng, mdp: np.broadcast_to(np.eye(2)[:, None], (*mdp.batch, 2, 1, 2))
    )


def _two_pure(mdp):
    from hypothesis import strategies as st

    return st.just(one_action_each(mdp))


def one_and_nothing():
    """Two arms, paid 1 and 0, as drawn and as a batch."""

    def draw():
        from hypothesis import strategies as st

        return st.just(two_armed_bandit())

    def batch(rng, size):
        return bandit(np.tile([1.0, 0.0], (size, 1)))

    return Domain(draw, families=(Family("two arms", batch),), model=DiscountedMDP)


@theorem(
    nearly_unbiased,
    cite="zaki2022",
    at="simultaneous perturbation",
    source="derived",
    judge=in_expectation({along_slope: (-M / α, M / α)}, replicates=2**16),
    on={"mdp": one_and_nothing(), "controllers": first_two(), "w": weights},
    given=[in_one_state, rewards_in_unit_interval],
    named={"two arms": a_controller_for_each_arm},
    near_misses={"twice the gradient": unbiased_twice, "the value of θ itself": {"at": unperturbed}},
    note="α = 1/2, two controllers for two arms that are paid 1 and 0, any weights.  The mean is the gradient of V "
    "averaged over a ball of radius α, and V is (max − min) / (3√3)-smooth.  The price is a variance of M² V² / α².",
)
def spsa(mdp, controllers, w, draws, *, at=one_value, radius=0.5):
    """A value at random logits nearby, times M u / α, estimates the gradient up to α times the smoothness."""
    n = w.shape[-1]
    u = sphere(draws, n)
    π = exact.mixture(controllers, arrays.softmax(at(np.log(w) + 0 * u, u, radius)))
    value = observed_return(rollouts(mdp, π, 1, draws))
    g, arms = exact.improper_gradient(mdp, controllers, w), total(controllers * mdp.r, 2)
    size = norm(g)
    yield {
        M: n,
        α: radius,
        slope: size,
        spread_of_arms: largest(arms) - smallest(arms),
        along_slope: n / radius * value * total(u * g) / (size + (size == 0)),
    }
