"""Puterman (1994), Markov Decision Processes, Chapter 6: value iteration and policy iteration for discounted reward.

Locators are from memory, see the card.  The book writes λ for γ and L for T; it counts iterates from 0, as we do.
"""

from itertools import islice, pairwise

from sympy import Eq

from mdplab.arrays import (
    expand,
    largest,
    maximum,
    minimum,
    namespace,
    norm,
    one_hot,
    rational,
    rational_number,
    smallest,
    sup,
    total,
)
from mdplab.exact import optimum, values, visits_from_each
from mdplab.instances import (
    deterministic_policies,
    discounted_mdps,
    greedy_loss_values,
    numbers,
    one_state_loop,
    puterman_6_2_1,
    two_by_two,
    two_state_swap,
)
from mdplab.instances import greedy_loss as greedy_loss_model
from mdplab.instances import values as value_functions
from mdplab.models import DiscountedMDP
from mdplab.solvers import enclosures, policy_iteration, value_iteration
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem, witness

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "number of backups, or of improvements of the policy", integer=True)
v_star = Quantity(r"v^\star(s)", "optimal value of a state")
error = Quantity(r"\lVert v_k - v^\star \rVert_\infty", "error of the k-th iterate")
next_error = Quantity(r"\lVert v_{k+1} - v^\star \rVert_\infty", "error of the iterate after the k-th")
first_error = Quantity(r"\lVert v_0 - v^\star \rVert_\infty", "error of the first iterate")
first_step = Quantity(r"\lVert v_1 - v_0 \rVert_\infty", "length of the first step")
step = Quantity(r"\lVert v_{k+1} - v_k \rVert_\infty", "length of the step")
span_of_step = Quantity(r"\mathrm{sp}(v_{k+1} - v_k)", "largest minus smallest entry of the step")


def span(v):
    """Largest minus smallest entry;  (..., S) -> (...)."""
    return largest(v) - smallest(v)


def greedy(mdp, v):
    """The policy that is greedy for v, the first of equal actions;  (..., S) -> (..., S, A)."""
    q = mdp.action_values(v)
    return one_hot(namespace(q).argmax(q, axis=-1), mdp.A, q)


def loss_of(mdp, π, best):
    """‖v* − v^π‖, by the performance-difference identity from every state;  (..., S, A) -> (...)."""
    return largest((visits_from_each(mdp, π) @ total(π * best.loss)[..., None])[..., 0])


# -- The Bellman operator ----------------------------------------------------------------------------------------------

distance = Quantity(r"\lVert v - w \rVert_\infty", "distance of two value functions")
backed_up = Quantity(r"\lVert T v - T w \rVert_\infty", "distance of their backups")
euclidean = Quantity(r"\lVert v - w \rVert_2", "their Euclidean distance")
euclidean_backed_up = Quantity(r"\lVert T v - T w \rVert_2", "Euclidean distance of their backups")
with as_printed():
    contracts = backed_up <= γ * distance
    contracts_twice = backed_up <= γ**2 * distance
    contracts_in_euclid = euclidean_backed_up <= γ * euclidean


@theorem(
    contracts,
    cite="puterman1994",
    at="Proposition 6.2.4",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "v": value_functions, "w": value_functions},
    named={
        "one state": {"mdp": one_state_loop(), "v": rational([1])},
        "two states that swap": {"mdp": two_state_swap(), "v": rational([1, -1])},
    },
    near_misses={"two powers of γ": contracts_twice, "in the Euclidean norm": contracts_in_euclid},
)
def contraction(mdp, v, w):
    """The Bellman operator is a γ-contraction in the supremum norm."""
    change = mdp.bellman(v) - mdp.bellman(w)
    yield {
        γ: mdp.discount,
        distance: sup(v - w),
        backed_up: sup(change),
        euclidean: norm(v - w),
        euclidean_backed_up: norm(change),
    }


lower = Quantity(r"(T \min(v, w))(s)", "backup of the smaller values")
upper = Quantity(r"(T \max(v, w))(s)", "backup of the larger values")
one_backup = Quantity("(T v)(s)", "backup of the one")
other_backup = Quantity("(T w)(s)", "backup of the other")
with as_printed():
    keeps_order = lower <= upper
    makes_order = one_backup <= other_backup


def recentred(mdp, v):
    """T v with its mean taken out, as relative value iteration does."""
    backup = mdp.bellman(v)
    return backup - expand(total(backup), 1) / mdp.S


@theorem(
    keeps_order,
    cite="puterman1994",
    at="Section 6.2",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "v": value_functions, "w": value_functions},
    named={"two states that swap": {"mdp": two_state_swap(), "v": rational([1, 0])}},
    near_misses={"values that are not ordered": makes_order, "recentred after each backup": {"bellman": recentred}},
)
def monotonicity(mdp, v, w, *, bellman=DiscountedMDP.bellman):
    """The Bellman operator keeps the order of value functions."""
    yield {
        lower: bellman(mdp, minimum(v, w)),
        upper: bellman(mdp, maximum(v, w)),
        one_backup: bellman(mdp, v),
        other_backup: bellman(mdp, w),
    }


c = Quantity("c", "a constant added to all values", accuracy="exact")
shifted = Quantity(r"(T(v + c \mathbf{1}))(s)", "backup of the shifted values")
with as_printed():
    shifts = Eq(shifted, one_backup + γ * c)
    shifts_without_discount = Eq(shifted, one_backup + c)
    shifts_by_horizon = Eq(shifted, one_backup + γ / (1 - γ) * c)


@theorem(
    shifts,
    cite="puterman1994",
    at="Section 6.6",
    source="recalled",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "v": value_functions, "amount": numbers(-10, 10)},
    named={"one state": {"mdp": one_state_loop(), "amount": rational_number(1)}},
    near_misses={"not discounted": shifts_without_discount, "summed up over all steps": shifts_by_horizon},
)
def constant_shift(mdp, v, amount):
    """A constant added to all values comes through a backup discounted once."""
    yield {γ: mdp.discount, c: amount, one_backup: mdp.bellman(v), shifted: mdp.bellman(v + expand(amount, 1))}


α = Quantity(r"\alpha", "largest total variation distance of two rows of P", accuracy="relative")
α_fixed = Quantity(r"\alpha_A", "the same for rows of one action only", accuracy="relative")
span_before = Quantity(r"\mathrm{sp}(v - w)", "largest minus smallest entry of v − w")
span_after = Quantity(r"\mathrm{sp}(T v - T w)", "largest minus smallest entry of T v − T w")
with as_printed():
    contracts_span = span_after <= γ * α * span_before
    contracts_span_by_action = span_after <= γ * α_fixed * span_before
    contracts_span_twice = span_after <= γ**2 * α * span_before


def variation(rows):
    """Largest total variation distance of two of the rows;  (..., n, S) -> (...)."""
    return largest(total(abs(rows[..., :, None, :] - rows[..., None, :, :])), 2) / 2


@theorem(
    contracts_span,
    cite="puterman1994",
    at="Theorem 6.6.6",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "v": value_functions, "w": value_functions},
    named={
        "two states that swap": {"mdp": two_state_swap(), "v": rational([1, -1])},
        "two actions that part": {
            "mdp": DiscountedMDP(
                rational([[[1, 0], [0, 1]], [[1, 0], [0, 1]]]), rational([[0, -9], [-9, 0]]), rational_number("1/2")
            ),
            "v": rational([1, -1]),
        },
    },
    near_misses={"rows of one action only": contracts_span_by_action, "two powers of γ": contracts_span_twice},
    note="As α <= 1, also sp(T v − T w) <= γ sp(v − w). Proved on the card.",
)
def span_contraction(mdp, v, w):
    """The span contracts by the discount and by how much the rows of P overlap."""
    rows = namespace(mdp.P).reshape(mdp.P, (*mdp.batch, mdp.S * mdp.A, mdp.S))
    by_action = [variation(mdp.P[..., a, :]) for a in range(mdp.A)]
    widest = by_action[0]
    for distance_of_rows in by_action[1:]:
        widest = maximum(widest, distance_of_rows)
    yield {
        γ: mdp.discount,
        α: variation(rows),
        α_fixed: widest,
        span_before: span(v - w),
        span_after: span(mdp.bellman(v) - mdp.bellman(w)),
    }


# -- Value iteration ---------------------------------------------------------------------------------------------------

with as_printed():
    apriori = error <= γ**k / (1 - γ) * first_step
    one_power_too_many = error <= γ ** (k + 1) / (1 - γ) * first_step
    without_the_horizon = error <= γ**k * first_step


@theorem(
    apriori,
    cite="puterman1994",
    at="Theorem 6.3.3(d)",
    source="recalled",
    judge=for_all(k, up_to=20),
    on={"mdp": discounted_mdps(rewards="any"), "v0": value_functions},
    named=[one_state_loop],
    near_misses={"one power of γ too many": one_power_too_many, "without 1 / (1 − γ)": without_the_horizon},
)
def apriori_error(mdp, v0, *, solver=value_iteration):
    """The first step of value iteration bounds the error of every later iterate."""
    best = optimum(mdp).v
    constants = {γ: mdp.discount, first_step: sup(mdp.bellman(v0) - v0)}
    for n, v in enumerate(solver(mdp, v0)):
        yield constants | {k: n, error: sup(v - best)}


with as_printed():
    aposteriori = next_error <= γ / (1 - γ) * step
    aposteriori_one_power_too_many = next_error <= γ**2 / (1 - γ) * step
    aposteriori_without_horizon = next_error <= γ * step


@theorem(
    aposteriori,
    cite="puterman1994",
    at="Section 6.3, in the proof of Theorem 6.3.1(d)",
    source="recalled",
    judge=for_all(k, up_to=8, exactly_up_to=12),
    on={"mdp": discounted_mdps(rewards="any"), "v0": value_functions},
    named=[one_state_loop, two_state_swap],
    near_misses={
        "one power of γ too many": aposteriori_one_power_too_many,
        "without 1 / (1 − γ)": aposteriori_without_horizon,
    },
    uses=["puterman1994.contraction"],
)
def aposteriori_error(mdp, v0, *, solver=value_iteration):
    """The last step of value iteration bounds the error of the iterate that it led to."""
    best = optimum(mdp).v
    for n, (v, backup) in enumerate(pairwise(solver(mdp, v0))):
        yield {γ: mdp.discount, k: n, step: sup(backup - v), next_error: sup(backup - best)}


low = Quantity(
    r"\left[v_{k+1}(s) + \tfrac{\gamma}{1 - \gamma} \min_t (v_{k+1} - v_k)(t)\right]",
    "lower bound by the smallest change",
)
high = Quantity(
    r"\left[v_{k+1}(s) + \tfrac{\gamma}{1 - \gamma} \max_t (v_{k+1} - v_k)(t)\right]",
    "upper bound by the largest change",
)
with as_printed():
    encloses = {"below": low <= v_star, "above": v_star <= high}


def bounds_with(name, scale, at=1):
    """`enclosures` with another factor of the change, or around the iterate before (at = 0)."""

    def bounds(mdp, iterates):
        for pair in pairwise(iterates):
            factor, change = scale(mdp.γ(1)), pair[1] - pair[0]
            yield tuple(pair[at] + factor * expand(end(change), 1) for end in (smallest, largest))

    bounds.__name__ = name
    return bounds


@theorem(
    encloses,
    cite="puterman1994",
    at="Theorem 6.6.3, with m = 0 one of its bounds",
    source="recalled",
    judge=for_all(k, up_to=1, exactly_up_to=12),
    on={"mdp": discounted_mdps(rewards="any"), "v0": value_functions},
    named=[one_state_loop, two_state_swap, two_by_two, puterman_6_2_1],
    near_misses={
        "one power of γ too many": {"bounds": bounds_with("times_γ", lambda γ: γ**2 / (1 - γ))},
        "without 1 / (1 − γ)": {"bounds": bounds_with("by_one_step", lambda γ: γ)},
        "around the iterate before": {"bounds": bounds_with("around_v_k", lambda γ: γ / (1 - γ), at=0)},
    },
    uses=["puterman1994.monotonicity", "puterman1994.constant_shift"],
    note="The bounds are MacQueen's (1966).",
)
def enclosing_bounds(mdp, v0, *, solver=value_iteration, bounds=enclosures):
    """The smallest and the largest change of a step enclose the optimal values.

    In float64 the solver's bounds are wider by its own rounding; in rationals they are the printed ones.
    """
    best = optimum(mdp).v
    for n, (below, above) in enumerate(bounds(mdp, solver(mdp, v0))):
        yield {k: n, low: below, high: above, v_star: best}


# -- What a greedy policy loses ----------------------------------------------------------------------------------------

loss = Quantity(r"\lVert v^\star - v^{\pi} \rVert_\infty", "what the greedy policy loses")
ε = Quantity(r"\lVert v - v^\star \rVert_\infty", "error of the values")
with as_printed():
    loses = loss <= 2 * γ / (1 - γ) * ε
    loses_half = loss <= γ / (1 - γ) * ε
    loses_one_power_less = loss <= 2 * γ**2 / (1 - γ) * ε
    attained = loss >= 2 * γ / (1 - γ) * ε
    more_than_attained = loss >= 2 / (1 - γ) * ε


def sharp_greedy_loss():
    return {"mdp": greedy_loss_model(), "v": greedy_loss_values()}


@theorem(
    loses,
    cite="puterman1994",
    at="Section 6.3; in this form Singh and Yee (1994)",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "v": value_functions},
    named={"tie for the wrong action": sharp_greedy_loss},
    near_misses={"half of it": loses_half, "one power of γ more": loses_one_power_less},
    note="As far as we recall the book has the argument (Theorem 6.3.1) and Singh and Yee the statement.",
)
def greedy_loss(mdp, v):
    """A policy that is greedy for values wrong by ε loses at most 2γε / (1 − γ)."""
    best = optimum(mdp)
    yield {γ: mdp.discount, ε: sup(v - best.v), loss: loss_of(mdp, greedy(mdp, v), best)}


def last_greedy(mdp, v):
    """The policy that is greedy for v, the last of equal actions."""
    q = mdp.action_values(v)
    return one_hot(mdp.A - 1 - namespace(q).argmax(q[..., ::-1], axis=-1), mdp.A, q)


@theorem(
    attained,
    cite="puterman1994",
    at="Section 6.3; in this form Singh and Yee (1994)",
    source="recalled",
    judge=witness(),
    on={"mdp": discounted_mdps(rewards="any"), "v": value_functions},
    named={"tie for the wrong action": sharp_greedy_loss},
    near_misses={"without γ": more_than_attained, "ties go to the last action": {"choose": last_greedy}},
)
def greedy_loss_is_attained(mdp, v, *, choose=greedy):
    """On two states with a tie the loss 2γε / (1 − γ) is attained.

    The tie is the point: rounding breaks it, rationals keep it.
    """
    best = optimum(mdp)
    yield {γ: mdp.discount, ε: sup(v - best.v), loss: loss_of(mdp, choose(mdp, v), best)}


next_loss = Quantity(r"\lVert v^\star - v^{\pi_{k+1}} \rVert_\infty", "what the policy greedy for v_{k+1} loses")
with as_printed():
    stops = next_loss <= 2 * γ / (1 - γ) * step
    stops_at_half = next_loss <= γ / (1 - γ) * step
    stops_without_horizon = next_loss <= 2 * γ * step
    stops_by_span = next_loss <= γ**2 / (1 - γ) * span_of_step
    stops_one_power_later = next_loss <= γ**3 / (1 - γ) * span_of_step
    stops_without_horizon_by_span = next_loss <= γ**2 * span_of_step


def late_tie(discount="9/10", unit=1):
    """Staying in state 0 pays nothing, leaving 2γ²ε at once; after one backup of (ε, −ε) the two tie."""
    γ, ε = rational_number(discount), rational_number(unit)
    P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
    return {"mdp": DiscountedMDP(P, rational([[0, 2 * γ**2 * ε], [0, 0]]), γ), "v0": rational([ε, -ε])}


def along_value_iteration(mdp, v0):
    """For each k the step from v_k and what the policy greedy for v_{k+1} loses."""
    best = optimum(mdp)
    for n, (v, backup) in enumerate(pairwise(value_iteration(mdp, v0))):
        yield {
            γ: mdp.discount,
            k: n,
            step: sup(backup - v),
            span_of_step: span(backup - v),
            next_loss: loss_of(mdp, greedy(mdp, backup), best),
        }


@theorem(
    stops,
    cite="puterman1994",
    at="Theorem 6.3.1(c)",
    source="recalled",
    judge=for_all(k, up_to=30),
    on={"mdp": discounted_mdps(rewards="any"), "v0": value_functions},
    named={"late tie": late_tie},
    near_misses={"half of it": stops_at_half, "without 1 / (1 − γ)": stops_without_horizon},
    uses=["puterman1994.aposteriori_error"],
)
def stopping_rule(mdp, v0):
    """When a step is shorter than ε(1 − γ) / (2γ), the greedy policy is ε-optimal.

    The claim says this for the smallest such ε.  In fact the policy is then γε-optimal: see the next theorem.
    """
    yield from along_value_iteration(mdp, v0)


@theorem(
    stops_by_span,
    cite="puterman1994",
    at="Theorem 6.3.1(c)",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=30),
    on={"mdp": discounted_mdps(rewards="any"), "v0": value_functions},
    named={"late tie": late_tie},
    near_misses={"one power of γ more": stops_one_power_later, "without 1 / (1 − γ)": stops_without_horizon_by_span},
    uses=["puterman1994.enclosing_bounds", "puterman1994.span_contraction"],
    note="Proved on the card. It follows the book's span test (Proposition 6.6.5, from memory) by one more backup.",
)
def stopping_rule_by_span(mdp, v0):
    """Value iteration may stop when the span of a step is below ε(1 − γ) / γ², and this is attained.

    As a span is at most twice the norm, the classical test may be relaxed by a factor 1/γ.
    """
    yield from along_value_iteration(mdp, v0)


# -- Policy iteration --------------------------------------------------------------------------------------------------

gain = Quantity("(v_{k+1} - v_k)(s)", "what the next policy gains")
gain_of_backup = Quantity("(T v_k - v_k)(s)", "what a backup gains")
gain_of_two = Quantity("(T^2 v_k - v_k)(s)", "what two backups gain")
with as_printed():
    improves = {"a": gain_of_backup >= 0, "b": gain >= gain_of_backup}
    gains_two_backups = gain >= gain_of_two


def staircase(n=4, discount="9/10"):
    """State i > 1 stops (reward 0) or goes on to i − 1, state 1 stops for reward 0 or 1: v*(i) = γ^(i−1).

    From "always stop" an improvement sees no further than a backup: a state learns that going on pays only when the
    state below has learnt it, because until then the two tie.
    """
    P = rational([[[int(t == 0) for t in range(n + 1)]] * 2 for _ in range(n + 1)])
    for i in range(2, n + 1):
        P[i, 1] = rational([int(t == i - 1) for t in range(n + 1)])
    r = rational([[0, int(i == 1)] for i in range(n + 1)])
    return DiscountedMDP(P, r, rational_number(discount))


def action_of(policy):
    """The actions of a deterministic policy;  one-hot (..., S, A) -> (..., S)."""
    return namespace(policy).argmax(policy, axis=-1)


def myopic(mdp, action):
    """Policy iteration whose improvement looks at the reward and forgets what comes after."""
    while True:
        yield action, values(mdp, one_hot(action, mdp.A, mdp.r))
        action = namespace(mdp.r).argmax(mdp.r, axis=-1)


@theorem(
    improves,
    cite="puterman1994",
    at="Proposition 6.4.1",
    source="recalled",
    judge=for_all(k, up_to=4, exactly_up_to=4),
    on={"mdp": discounted_mdps(rewards="any"), "policy": deterministic_policies},
    named=[staircase, two_by_two, puterman_6_2_1],
    near_misses={"two backups": gains_two_backups, "greedy for the reward alone": {"solver": myopic}},
)
def policy_improvement(mdp, policy, *, solver=policy_iteration):
    """Each policy of policy iteration is at least as good as a backup of the one before, and that as the one before."""
    for n, ((_, v), (_, after)) in enumerate(pairwise(solver(mdp, action_of(policy)))):
        backup = mdp.bellman(v)
        yield {k: n, gain: after - v, gain_of_backup: backup - v, gain_of_two: mdp.bellman(backup) - v}


value_k = Quantity("v_k(s)", "value of the k-th policy")
backups_k = Quantity("(T^k v_0)(s)", "k backups of the first policy's values")
backups_next = Quantity("(T^{k+1} v_0)(s)", "one backup more")
with as_printed():
    outruns = backups_k <= value_k
    outruns_by_one = backups_next <= value_k


@theorem(
    outruns,
    cite="puterman1994",
    at="Section 6.4, after Theorem 6.4.2",
    source="recalled",
    judge=for_all(k, up_to=5, exactly_up_to=5),
    on={"mdp": discounted_mdps(rewards="any"), "policy": deterministic_policies},
    named=[staircase, two_by_two, puterman_6_2_1],
    near_misses={"one backup more": outruns_by_one, "greedy for the reward alone": {"solver": myopic}},
    uses=["puterman1994.policy_improvement", "puterman1994.monotonicity"],
)
def policy_iteration_is_no_slower(mdp, policy, *, solver=policy_iteration):
    """Policy iteration is at least as far as value iteration from the same values, after any number of steps.

    It need not be further: on the staircase the two agree until the end.
    """
    policies = solver(mdp, action_of(policy))
    _, v0 = next(policies)
    backups = value_iteration(mdp, v0)
    next(backups)
    for n, ((_, v), backup) in enumerate(zip(policies, backups, strict=False), start=1):
        yield {k: n, value_k: v, backups_k: backup, backups_next: mdp.bellman(backup)}


with as_printed():
    linear = error <= γ**k * first_error
    linear_one_power_too_many = error <= γ ** (k + 1) * first_error
    quadratic = error <= γ ** (2 * k) * first_error


@theorem(
    linear,
    cite="puterman1994",
    at="Section 6.4, from Proposition 6.4.1",
    source="derived",
    status="folklore",
    judge=for_all(k, up_to=5, exactly_up_to=5),
    on={"mdp": discounted_mdps(rewards="any"), "policy": deterministic_policies},
    named=[staircase, two_by_two],
    near_misses={
        "one power of γ too many": linear_one_power_too_many,
        "twice as fast": quadratic,
        "greedy for the reward alone": {"solver": myopic},
    },
    uses=["puterman1994.policy_iteration_is_no_slower", "puterman1994.contraction"],
)
def policy_iteration_rate(mdp, policy, *, solver=policy_iteration):
    """Policy iteration converges linearly with rate γ, and on the staircase not faster until it ends."""
    best = optimum(mdp)
    policies = solver(mdp, action_of(policy))
    first = loss_of(mdp, one_hot(next(policies)[0], mdp.A, mdp.r), best)
    for n, (action, _) in enumerate(policies, start=1):
        yield {γ: mdp.discount, k: n, first_error: first, error: loss_of(mdp, one_hot(action, mdp.A, mdp.r), best)}


def one_improvement():
    """One state, and the better of two actions comes second: both policies are seen."""
    return DiscountedMDP(rational([[[1], [1]]]), rational([[0, 1]]), rational_number("1/2"))


S = Quantity("S", "number of states", integer=True)
A = Quantity("A", "number of actions", integer=True)
policies_seen = Quantity("n", "number of different policies before one repeats", integer=True)
final_value = Quantity("v_n(s)", "value of the policy that repeats")
with as_printed():
    ends = {"a": policies_seen <= A**S, "b": Eq(final_value, v_star)}
    ends_within_states = policies_seen <= S
    ends_within_actions = policies_seen <= A


@theorem(
    ends,
    cite="puterman1994",
    at="Theorem 6.4.2",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "policy": deterministic_policies},
    named=[one_improvement, staircase],
    near_misses={
        "as many policies as states": ends_within_states,
        "as many policies as actions": ends_within_actions,
        "greedy for the reward alone": {"solver": myopic},
    },
    uses=["puterman1994.policy_improvement"],
)
def policy_iteration_ends(mdp, policy, *, solver=policy_iteration):
    """Policy iteration ends after at most A^S policies, with an optimal one."""
    steps = islice(pairwise(solver(mdp, action_of(policy))), mdp.A**mdp.S)
    seen = 1 + 0 * action_of(policy)[..., 0]
    for (before, v), (after, _) in steps:  # noqa: B007
        changed = namespace(policy).any(before != after, axis=-1)
        if not changed.any():
            break
        seen = seen + changed
    yield {S: mdp.S, A: mdp.A, policies_seen: seen, final_value: v, v_star: optimum(mdp).v}
