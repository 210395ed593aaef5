"""Klein, Zhang, Başar, Weissmann and Döring (2025), Structure Matters: Dynamic Policy Gradient."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, repeat
from operator import mul, truediv

import numpy as np
from sympy import Eq

from mdplab.arrays import (
    expand,
    floats,
    largest,
    maximum,
    namespace,
    rational,
    rational_number,
    smallest,
    sqrt,
    sup,
    total,
)
from mdplab.exact import finite_horizon, optimum, truncated_gradient
from mdplab.exact import values as values_of
from mdplab.exact.values import centred
from mdplab.instances import (
    Domain,
    Family,
    bandits,
    discounted_mdps,
    distributions,
    families,
    numbers,
    one_state_loop,
    policies,
    two_by_two,
    values,
)
from mdplab.models import DiscountedMDP
from mdplab.sampling import gpomdp, rollouts, timed_rollouts
from mdplab.solvers import discounted_from_now, dynpg, first_action, largest_reward, round_bound
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, in_expectation, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
R = Quantity("R^*", "largest absolute reward", accuracy="exact")
h = Quantity("h", "rounds before this one", integer=True)
H = Quantity("H", "rounds", integer=True)


# ------------------------------------------------------------------------------------------------ one round is accurate

ε_h = Quantity(r"\varepsilon_h", "accuracy asked of the round", accuracy="exact")
round_error = Quantity(r"\| T^* V_h - V_{h + 1} \|_\infty", "what the round loses", accuracy="relative")

with as_printed():
    accurate = round_error <= ε_h


def paper_budget(mdp, μ, h, share):
    """N_h = ⌈4 B_h A² ‖1/μ‖ / ε_h⌉ with ε_h = share · B_h."""
    needed = 4 * mdp.A**2 * largest(1 / μ) / share
    ceil = np.vectorize(lambda y: -int((-y).floor()) if hasattr(y, "floor") else int(np.ceil(y)), otypes=[int])
    return ceil(np.asarray(needed))


def a_fiftieth(mdp, μ, h, share):
    """A fiftieth of it."""
    return paper_budget(mdp, μ, h, share) // 50


def a_step_for_each_action(mdp, μ, h, share):
    """A updates."""
    return np.full(mdp.batch, mdp.A)


def _uniform(mdp):
    from hypothesis import strategies as st

    return st.just(rational(np.ones(mdp.S, dtype=int)) / mdp.S)


def _some(rng, mdp):
    return 0.2 / mdp.S + 0.8 * rng.dirichlet(np.ones(mdp.S), mdp.batch)


weights = Domain(_uniform, _some, distributions.simplest, distributions.exact)


def _small(rng, size):
    mdp = families.garnet(rng, size, S=3, A=2)
    return DiscountedMDP(mdp.P, 2 * mdp.r - 1, rng.choice([0.3, 0.5, 0.8], size), mdp.start)


def _chains(rng, size):
    mdp = families.chain(rng, size, S=4)
    return DiscountedMDP(mdp.P, 10 * mdp.r - 3, mdp.discount, mdp.start)


FAMILIES = (Family("garnet:S=3,A=2, signed rewards", _small), Family("chain:S=4, signed rewards", _chains))
signed = discounted_mdps(2, 2, rewards="any", families=FAMILIES)


def two_arms():
    """Two arms that pay 1 and −1."""
    return DiscountedMDP(rational([[[1], [1]]]), rational([[1, -1]]), rational_number("1/2"))


LONGEST = 20_000
PRINTED = rf"N_h \le {LONGEST:,}".replace(",", r"\,")
WORDS = f"no round needs more than {LONGEST:,} updates, which is as many as are run here"
affordable = Assumption(PRINTED, WORDS, lambda mdp, μ, share: paper_budget(mdp, μ, 0, share) <= LONGEST)


@theorem(
    accurate,
    cite="klein2025",
    at="Theorem 4.6",
    judge=for_all(h, up_to=4, exactly_up_to=1),
    on={"mdp": signed, "μ": weights, "share": numbers("1/2", 1)},
    given=[affordable],
    named={"two by two": two_by_two, "two arms": two_arms},
    near_misses={
        "a fiftieth of the updates": {"budget": a_fiftieth},
        "as many updates as actions": {"budget": a_step_for_each_action},
    },
    trivial=2 * R * (1 - γ ** (h + 1)) / (1 - γ),
    uses=["klein2024.rate_dyn_sup"],
    note="The proof goes through a domination that lacks 1/√S, which is false (`klein2024.wpl_dyn_without_S`); the "
    "theorem is true, because states do not touch each other.",
)
def thm46(mdp, μ, share, *, budget=paper_budget):
    """With N_h = 4 B_h A² ‖1/μ‖ / ε_h updates from uniform policies a round is ε_h-accurate in every state."""
    updates = (budget(mdp, μ, n, share) for n in count())
    for x in dynpg(mdp, updates=updates, μ=μ):
        yield {
            h: x.h,
            γ: mdp.discount,
            R: largest_reward(mdp),
            ε_h: share * round_bound(mdp, x.h),
            round_error: lost(x),
        }


def lost(x):
    """‖T* V_h − V_{h+1}‖, a sum of non-negative terms in each state."""
    return largest(total(x.π * finite_horizon.losses(x.q, finite_horizon.greedy(x.q))))


# ------------------------------------------------------------------------------------------------ a policy for ever

v_s = Quantity("V(s)", "any values", accuracy="exact")
v_π = Quantity(r"V^\pi(s)", "value of the policy")
least_step = Quantity(r"\min_{s'} (T^\pi V - V)(s')", "smallest change in one step")
largest_step = Quantity(r"\max_{s'} (T^\pi V - V)(s')", "largest change in one step")

with as_printed():
    from_below = v_s + least_step / (1 - γ) <= v_π
    from_above = v_π <= v_s + largest_step / (1 - γ)
    one_step_only = v_π <= v_s + largest_step
    a_step_less = v_s + least_step * γ / (1 - γ) <= v_π


@theorem(
    {"(a)": from_below, "(b)": from_above},
    cite="klein2025",
    at="Lemma C.2",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "v": values, "π": policies},
    named={"one state": one_state_loop},
    near_misses={"one step for the horizon": one_step_only, "a step less": a_step_less},
    note="The display was reconstructed from its proof.",
)
def lemC2(mdp, v, π):
    """The value of a policy differs from any values by at most one step's change over 1 − γ."""
    P, r = mdp.under(π)
    step = r + mdp.γ(1) * (P @ v[..., None])[..., 0] - v
    yield {
        γ: mdp.γ(1),
        v_s: v,
        v_π: values_of(mdp, π),
        least_step: expand(smallest(step), 1),
        largest_step: expand(largest(step), 1),
    }


value_error = Quantity(r"\| V^* - V_H \|_\infty", "error of the values after H rounds")
errors = Quantity(
    r"\sum_{h < H} \gamma^{H - h - 1} \varepsilon_h", "discounted losses of the rounds", accuracy="relative"
)

with as_printed():
    values_converge = value_error <= γ**H * R / (1 - γ) + errors
    a_round_sooner = value_error <= γ ** (H + 1) * R / (1 - γ) + errors
    rounds_are_exact = value_error <= γ**H * R / (1 - γ)
    horizon_forgotten = value_error <= γ**H * R + errors


@theorem(
    values_converge,
    cite="klein2025",
    at="Theorem on the value error, (a)",
    judge=for_all(H, up_to=20, exactly_up_to=2),
    on={"mdp": discounted_mdps(rewards="any", families=FAMILIES), "updates": numbers(0, 20)},
    named={"one state": one_state_loop, "two by two": two_by_two},
    near_misses={
        "a round sooner": a_round_sooner,
        "as if rounds were exact": rounds_are_exact,
        "without 1 / (1 − γ)": horizon_forgotten,
    },
    trivial=R / (1 - γ),
    note="ε_h is measured, so that any number of updates will do.  An equality for one state and one action.",
)
def value_error_of_rounds(mdp, updates):
    """After H rounds the values are wrong by γ^H R* / (1 − γ) and the discounted losses of the rounds."""
    best = optimum(mdp)
    constants = {γ: mdp.discount, R: largest_reward(mdp)}
    sum_of_losses = 0 * constants[R]
    for x in dynpg(mdp, updates=repeat(counts(updates))):
        yield constants | {H: x.h, value_error: sup(best.v - x.v), errors: sum_of_losses}
        sum_of_losses = mdp.discount * sum_of_losses + lost(x)


def counts(x):
    """Numbers as counts: rounded down."""
    return np.asarray(floats(x)).astype(int)


policy_error = Quantity(r"\| V^* - V^{\hat \pi_{H + 1}} \|_\infty", "what the last policy loses for ever")
enough = Quantity(
    r"\max\left( \sum_{h < H} \gamma^{H - h - 1} \varepsilon_h,\ \tfrac{\varepsilon_H}{1 - \gamma} \right)",
    "discounted losses of the rounds, raised until the last round is as accurate as assumed",
    accuracy="relative",
)

with as_printed():
    policies_converge = policy_error <= 3 / (1 - γ) * (γ**H * R / (1 - γ) + enough)
    without_rounds = policy_error <= 3 / (1 - γ) * γ**H * R
    squared = policy_error <= 3 / (1 - γ) * (γ ** (2 * H) * R / (1 - γ) + enough**2)


@theorem(
    policies_converge,
    cite="klein2025",
    at="Theorem on the overall error, (b)",
    judge=for_all(H, up_to=20, exactly_up_to=2),
    on={"mdp": discounted_mdps(rewards="any", families=FAMILIES), "updates": numbers(0, 20)},
    named={"one state": one_state_loop, "two by two": two_by_two},
    near_misses={"as if rounds were exact, without the horizon": without_rounds, "errors squared": squared},
    trivial=2 * R / (1 - γ),
    note="The assumption ε_H <= (1 − γ) Σ γ^(H−h−1) ε_h is met by raising the ε_h, which only have to bound the "
    "losses of the rounds.  Loose by a factor of a hundred on random models.",
)
def policy_error_of_the_last_round(mdp, updates):
    """The last policy, played for ever, loses at most 3 / (1 − γ) times the bound on the values."""
    best = optimum(mdp)
    constants = {γ: mdp.discount, R: largest_reward(mdp)}
    sum_of_losses = 0 * constants[R]
    for x in dynpg(mdp, updates=repeat(counts(updates))):
        yield constants | {
            H: x.h,
            policy_error: sup(best.v - values_of(mdp, x.π)),
            enough: maximum(sum_of_losses, lost(x) / (1 - mdp.discount)),
        }
        sum_of_losses = mdp.discount * sum_of_losses + lost(x)


# ------------------------------------------------------------------------------------------------ how to share an error

per_accuracy = Quantity(r"\sum_h a_h / \varepsilon_h", "updates for any accuracies, but for a factor")
fewest = Quantity(r"\sum_h a_h / \varepsilon^*_h", "updates for ε*_h in proportion to √(a_h / b_h)")
even = Quantity(r"\sum_h a_h / \bar\varepsilon", "updates for equal accuracies")
least_sum = Quantity(r"\left(\sum_h \sqrt{a_h b_h}\right)^2", "square of the sum of geometric means")
allowed = Quantity(r"\tfrac{\varepsilon}{2}", "what the errors of the rounds may add up to", accuracy="exact")

with as_printed():
    best_shares = {"attained": Eq(fewest, least_sum / allowed), "least": least_sum / allowed <= per_accuracy}
    even_shares = Eq(even, least_sum / allowed)
    half_as_many = Eq(fewest, least_sum / (2 * allowed))


@theorem(
    best_shares,
    cite="klein2025",
    at="Theorem on the number of updates, its optimisation problem",
    judge=for_all(H, up_to=12, exactly_up_to=4),
    on={"mdp": bandits(2), "γ_": numbers("1/10", "19/20"), "ε_": numbers("1/100", 1), "x": numbers("1/10", 10)},
    near_misses={"equal accuracies": even_shares, "twice the error": half_as_many},
    note="a_h = 1 − γ^(h+1), b_h = γ^(H−h−1), under Σ b_h ε_h = ε/2; Cauchy and Schwarz.  Any accuracies are "
    "x^h here.  The bandit that comes first only says how many numbers there are.",
)
def shares(mdp, γ_, ε_, x):
    """Accuracies in proportion to √(a_h / b_h) make an allowed error with the fewest updates."""
    for rounds in count(1):
        a = [1 - γ_ ** (h + 1) for h in range(rounds)]
        b = [γ_ ** (rounds - h - 1) for h in range(rounds)]

        def updates(share, a=a, b=b):
            # Σ a / ε for ε = c · share with Σ b ε = ε_ / 2
            return sum(map(mul, b, share)) * sum(map(truediv, a, share)) / (ε_ / 2)

        root = sum(sqrt(p * q) for p, q in zip(a, b, strict=True))
        yield {
            H: rounds,
            allowed: ε_ / 2,
            per_accuracy: updates([x**h for h in range(rounds)]),
            fewest: updates([sqrt(p / q) for p, q in zip(a, b, strict=True)]),
            even: updates([1 + 0 * x] * rounds),
            least_sum: root * root,
        }


# --------------------------------------------------------------------------------------------------- the whole budget

ε = Quantity(r"\varepsilon", "accuracy asked of the values", accuracy="exact")
final_error = Quantity(r"\| V^* - V_H \|_\infty", "error of the values after all rounds")

with as_printed():
    in_the_end = final_error <= ε


def rounds_of(γ_, share):
    """H = ⌈log_γ((1 − γ) ε / (2 R*))⌉ with ε = share · R* / (1 − γ): one number for each model."""
    γ_, share = np.asarray(floats(γ_)), np.asarray(floats(share))
    with np.errstate(divide="ignore"):  # γ = 0 takes one round
        return np.maximum(np.ceil(np.log(share / 2) / np.log(γ_) - 1e-12), 1).astype(int)


def accuracies(γ_, rounds, ε_):
    """ε_h = (ε / 2) √(a_h / b_h) / Σ √(a_j b_j), the fewest updates for Σ b_h ε_h = ε / 2; float64, (..., h)."""
    n = np.arange(int(np.max(rounds)))
    γ_, left = np.asarray(floats(γ_))[..., None], np.asarray(rounds)[..., None] - n - 1
    a, b = 1 - γ_ ** (n + 1), np.where(left >= 0, γ_ ** np.maximum(left, 0), 0)
    with np.errstate(divide="ignore"):
        found = np.asarray(floats(ε_))[..., None] / 2 * np.sqrt(a / b) / np.sqrt(a * b).sum(axis=-1, keepdims=True)
    return np.where(left >= 0, found, np.inf)


def all_updates(mdp, μ, ε_, rounds):
    """N_h = ⌈4 B_h A² ‖1/μ‖ / ε_h⌉ for each round; none for models that are done."""
    wanted = accuracies(mdp.discount, rounds, ε_)
    for n in range(wanted.shape[-1]):
        B = np.asarray(floats(round_bound(mdp, n)))
        # A billionth more, so that rounding takes no update away.
        needed = 4 * B * mdp.A**2 * np.asarray(floats(largest(1 / μ))) / wanted[..., n]
        yield np.ceil(needed * (1 + 1e-9)).astype(int)


def no_updates(mdp, μ, ε_, rounds):
    """Uniform policies in all rounds."""
    return (0 * x for x in all_updates(mdp, μ, ε_, rounds))


def half_the_rounds(γ_, share):
    """H / 2, rounded down."""
    return rounds_of(γ_, share) // 2


def _drawn():
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    discounts = st.sampled_from([rational_number(x) for x in ("1/2", "1/4")])
    models = strategies.discounted_mdps(2, 2, "any", True)
    return st.builds(lambda mdp, γ_: DiscountedMDP(mdp.P, mdp.r, γ_, mdp.start), models, discounts)


def _longest(mdp, μ, share):
    wanted = all_updates(mdp, μ, share * largest_reward(mdp) / (1 - mdp.discount), rounds_of(mdp.discount, share))
    return np.max([*wanted], axis=0)


affordable_in_all = Assumption(PRINTED, WORDS, lambda mdp, μ, share: _longest(mdp, μ, share) <= LONGEST)


@theorem(
    in_the_end,
    cite="klein2025",
    at="Theorem on the sample complexity with exact gradients, value error",
    judge=for_all(up_to=0, exactly_up_to=40),
    on={
        "mdp": Domain(_drawn, families=FAMILIES[:1], model=DiscountedMDP),
        "μ": weights,
        "share": numbers("1/2", 1),
    },
    given=[affordable_in_all],
    named={
        "one state": lambda: {"mdp": one_state_loop("1/2"), "share": rational_number("1/10")},
        "two arms": two_arms,
    },
    near_misses={"half of the rounds": {"rounds": half_the_rounds}, "without any update": {"updates": no_updates}},
    trivial=2 * R / (1 - γ),
    uses=["klein2025.thm46", "klein2025.value_error_of_rounds"],
    note="Checked for γ up to 0.8: the updates grow like (1 − γ)^−4.  ε_h solves the paper's optimisation problem; we "
    "solved it again (Lagrange).",
)
def budget(mdp, μ, share, *, rounds=rounds_of, updates=all_updates):
    """H and N_h of the paper make the values ε-accurate."""
    ε_ = share * largest_reward(mdp) / (1 - mdp.discount)
    n = rounds(mdp.discount, share)
    best = optimum(mdp)
    error = sup(best.v)
    for x in dynpg(mdp, updates=updates(mdp, μ, ε_, n), μ=μ):
        now = sup(best.v - x.v_next)
        error = now if not mdp.batch else np.where(n == x.h + 1, now, error)
    yield {γ: mdp.discount, R: largest_reward(mdp), ε: ε_, final_error: error}


# ---------------------------------------------------------------------------------------------------- sampled gradients

dV_h = Quantity(
    r"\mu(s)\, \pi(a | s) \left( \tilde Q_h(s, a) - \tilde V_h(s) \right)", "derivative of the round's objective"
)
ĝ = Quantity(r"\mathbb E\, \hat g", "mean of the estimate from one trajectory of h + 1 steps")
square = Quantity(r"\mathbb E \| \hat g \|_2^2", "its mean square", accuracy="relative")
A = Quantity("A", "number of actions", integer=True)

with as_printed():
    unbiased_round = Eq(ĝ, dV_h)
    unbiased_half = Eq(ĝ, dV_h / 2)
    moment = square <= (1 - 1 / A) * (R * (1 - γ ** (h + 1)) / (1 - γ)) ** 2
    moment_half = square <= (1 - 1 / A) * (R * (1 - γ ** (h + 1)) / (1 - γ)) ** 2 / 2
    moment_one_reward = square <= (1 - 1 / A) * R**2


def first_reward_alone(seen, policy):
    """A mistake: the frozen policies are not waited for."""
    return first_action(replace(seen, rewards=seen.rewards * (np.arange(seen.H) == 0)), policy)


def round_of(mdp, π, later, draws, rounds, estimate):
    """The estimate of DynPG with `later` frozen for all earlier rounds, and the gradient that it estimates."""
    played = namespace(π).stack([π] + [later] * rounds, axis=-3)
    seen = timed_rollouts(mdp, played, draws)
    flat = played.reshape(*played.shape[:-3], (rounds + 1) * mdp.S, mdp.A)
    v = 0 * mdp.start
    for _ in range(rounds):
        v = total(later * mdp.action_values(v))
    slope = mdp.start[..., None] * π * centred(mdp.action_values(v), π)
    return estimate(seen, flat)[..., : mdp.S, :], slope


small = discounted_mdps(2, 2, rewards="any", families=FAMILIES[:1])
SAMPLED = {"mdp": small, "π": policies, "later": policies}


def certain():
    """One state, both of two actions pay one."""
    return DiscountedMDP(rational([[[1], [1]]]), rational([[1, 1]]), rational_number("1/2"))


@theorem(
    unbiased_round,
    cite="klein2025",
    at="Lemma D.6, the estimator",
    source="derived",
    judge=in_expectation([ĝ]),
    on=SAMPLED,
    named={"two by two": two_by_two},
    near_misses={"half the gradient": unbiased_half, "the first reward alone": {"estimate": first_reward_alone}},
    note="h = 2, the same policy frozen in both earlier rounds.  The text says so, the display was not seen.",
)
def unbiased_estimate(mdp, π, later, draws, *, estimate=first_action, rounds=2):
    """The score of the first action times the discounted return estimates the gradient of the round without bias."""
    found, slope = round_of(mdp, π, later, draws, rounds, estimate)
    yield {ĝ: found, dV_h: slope}


@theorem(
    moment,
    cite="klein2025",
    at="Lemma D.6, the second moment",
    source="derived",
    judge=in_expectation([square]),
    on=SAMPLED,
    named={"two by two": two_by_two, "a certain reward": certain},
    near_misses={"half of it": moment_half, "as if one reward were paid": moment_one_reward},
    note="Attained where all actions pay the same and none is preferred.",
)
def moment_of_estimate(mdp, π, later, draws, *, rounds=2):
    """One trajectory's estimate has a mean square of at most (1 − 1/A) B_h²."""
    g, _ = round_of(mdp, π, later, draws, rounds, first_action)
    yield {γ: mdp.discount, A: mdp.A, R: largest_reward(mdp), h: rounds, square: total(g * g, 2)}


dJ = Quantity(r"\partial J_H / \partial \theta(s, a)", "derivative of the discounted value of H steps in one logit")
to_go = Quantity(
    r"\mathbb E \textstyle\sum_t \left( \sum_{h \ge t} \gamma^{h - t} r_h \right) \nabla \log \pi(a_t | s_t)",
    "mean of scores times rewards discounted from their own time on",
)
to_go_weighted = Quantity(
    r"\mathbb E \textstyle\sum_t \gamma^t \left( \sum_{h \ge t} \gamma^{h - t} r_h \right) \nabla \log \pi(a_t | s_t)",
    "the same with the weight γ^t of the time",
)

with as_printed():
    as_run = Eq(to_go, dJ)
    weighted = Eq(to_go_weighted, dJ)
    weighted_half = Eq(to_go_weighted, dJ / 2)


@theorem(
    as_run,
    cite="klein2025",
    at="experiment, the vanilla policy gradient",
    source="derived",
    status="refuted",
    judge=in_expectation([to_go]),
    on={"mdp": small, "π": policies},
    named={"two by two": two_by_two},
    note="Not claimed by the paper.  What the experiment's comparison follows, and most programs do, leaves out γ^t.  "
    "In the experiment's model the choice that matters always comes first, where the weight is 1.",
)
def direction_from_now(mdp, π, draws, *, horizon=3):
    """False: REINFORCE without the factor γ^t does not follow the gradient of the discounted value."""
    seen = rollouts(mdp, π, horizon, draws)
    yield {to_go: discounted_from_now(seen, π), dJ: truncated_gradient(mdp, π, horizon)}


@theorem(
    weighted,
    cite="klein2025",
    at="experiment, the vanilla policy gradient",
    source="derived",
    status="corrected",
    judge=in_expectation([to_go_weighted]),
    on={"mdp": small, "π": policies},
    named={"two by two": two_by_two},
    near_misses={"half of it": weighted_half, "without γ^t": {"estimate": discounted_from_now}},
)
def direction_with_weights(mdp, π, draws, *, estimate=gpomdp, horizon=3):
    """With the factor γ^t REINFORCE follows the gradient of the discounted value."""
    seen = rollouts(mdp, π, horizon, draws)
    yield {to_go_weighted: estimate(seen, π), dJ: truncated_gradient(mdp, π, horizon)}
