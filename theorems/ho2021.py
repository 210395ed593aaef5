"""Ho, Petrik and Wiesemann (2021), Partial Policy Iteration for L1-Robust Markov Decision Processes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from sympy import Eq

from mdplab import arrays
from mdplab.arrays import largest, minimum, one_hot, rational, rational_number, sup, total
from mdplab.exact.robust import robust_backup, robust_bellman, robust_optimum, robust_values, worst_response
from mdplab.instances import policies, values
from mdplab.instances.robust import ANY_RECTANGULAR, random_is_best, robust_mdps
from mdplab.models import L1Ball, LInfBall, RobustMDP, StateL1Ball
from mdplab.solvers import partial_policy_iteration, robust_policy_iteration
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "policies so far", integer=True)


def one_step(P, z, ambiguity):
    """State 0 with rows P (A, n) and costs z (A, n) over n further states, which absorb at no cost; γ = 0."""
    P, z = rational(P), rational(z)
    A, n = P.shape
    rows = rational(np.tile(np.eye(n + 1, dtype=int)[:, None, :], (1, A, 1)))
    c = rational(np.zeros((n + 1, A, n + 1), dtype=int))
    rows[0, :, 0], rows[0, :, 1:], c[0, :, 1:] = rational_number(0), P, z
    return RobustMDP(rows, c, rational_number(0), ambiguity(n + 1, A))


def in_first_state(κ, rest=0):
    """Budgets (S, A): κ for the pairs of state 0."""
    return lambda S, A: L1Ball(rational([[κ if s == 0 else rest] * A for s in range(S)]))


# ---------------------------------------------------------------------------------------------- One pair: sort and fill

value = Quantity(r"\max_{\lVert p - P \rVert_1 \le \kappa} p^\top z", "what sorting finds")
dual = Quantity(
    r"\min_{\lambda \ge 0} \Big[\lambda \kappa + \sum_t P_t \max(z_t, z_{\max} - 2 \lambda)\Big]",
    "least value of the dual function, over its kinks",
)
with as_printed():
    sorts = Eq(value, dual)


def dual_l1(mdp, z):
    """Moving a unit of mass to the dearest nominal successor takes two of the budget;  -> (..., S, A)."""
    inside = np.asarray(mdp.P > 0, dtype=bool) | mdp.ambiguity.beyond_support
    top = largest(np.where(inside, z, z.min(axis=-1, keepdims=True)))
    best = None
    for t in range(mdp.S + 1):
        λ = arrays.maximum((top - z[..., t]) / 2, 0 * top) if t < mdp.S else 0 * top
        value_at = λ * mdp.ambiguity.budget + total(mdp.P * arrays.maximum(z, (top - 2 * λ)[..., None]))
        best = value_at if best is None else minimum(best, value_at)
    return best


def full_budget(mdp, v):
    """Moves κ instead of κ / 2."""
    return worst_response(mdp.with_ambiguity(L1Ball(2 * mdp.ambiguity.budget)), v)


def kind_adversary(mdp, v):
    """Moves mass to where it is cheapest."""
    return worst_response(RobustMDP(mdp.P, -mdp.c, mdp.discount, mdp.ambiguity, mdp.start), -v)


def anywhere(mdp, v):
    """Ignores which states the nominal kernel reaches."""
    return worst_response(mdp.with_ambiguity(L1Ball(mdp.ambiguity.budget, True)), v)


@theorem(
    sorts,
    cite="ho2021",
    at="Section 4; for (s,a)-rectangular sets Strehl and Littman (2008)",
    source="recalled",
    judge=identity(),
    on={"mdp": robust_mdps("L1Ball", sizes=((3, 2), (6, 3))), "v": values},
    named={
        "two": lambda: {"mdp": one_step([["1/2", "1/2"]], [[0, 1]], in_first_state("2/5"))},
        "out of reach": lambda: {"mdp": one_step([["1/2", "1/2", 0]], [[0, 1, 5]], in_first_state("2/5"))},
    },
    near_misses={
        "κ for κ / 2": {"respond": full_budget},
        "an adversary who is kind": {"respond": kind_adversary},
        "states that the nominal kernel does not reach": {"respond": anywhere},
    },
    note="The worst values of the named instances are 7/10; the near misses find 9/10, 3/10 and 3/2.",
)
def l1_exact(mdp, v, *, respond=worst_response):
    """Sorting finds the worst kernel of an L1 ball: half the budget goes to the dearest, from the cheapest upwards."""
    z = mdp.targets(v)
    yield {value: total(respond(mdp, v) * z), dual: dual_l1(mdp, z)}


value_box = Quantity(r"\max_{l \le p \le h} p^\top z", "what filling up finds")
dual_box = Quantity(
    r"\min_\eta \Big[\eta + \sum_t h_t (z_t - \eta)_+ - l_t (\eta - z_t)_+\Big]", "least value of the dual function"
)
with as_printed():
    fills = Eq(value_box, dual_box)


def ends(mdp):
    """Lower and upper ends of the box."""
    u = mdp.ambiguity
    if not isinstance(u, LInfBall):
        return u.low, u.high
    κ = u.budget[..., None]
    inside = np.asarray(mdp.P > 0, dtype=bool) | u.beyond_support
    low, high = arrays.maximum(mdp.P - κ, 0 * mdp.P), minimum(mdp.P + κ, 0 * mdp.P + 1)
    return low, np.where(inside, high, 0 * high)


def dual_of_box(mdp, z):
    low, high = ends(mdp)
    best = None
    for t in range(mdp.S):
        η = z[..., t][..., None]
        gain, lack = arrays.maximum(z - η, 0 * z), arrays.maximum(η - z, 0 * z)
        value_at = z[..., t] + total(high * gain - low * lack)
        best = value_at if best is None else minimum(best, value_at)
    return best


@theorem(
    fills,
    cite="ho2021",
    at="for L∞ balls and boxes; Givan, Leach and Dean (2000)",
    source="derived",
    status="folklore",
    judge=identity(),
    on={"mdp": robust_mdps("LInfBall", "Box", sizes=((3, 2), (6, 3))), "v": values},
    near_misses={"an adversary who is kind": {"respond": kind_adversary}},
)
def linf_exact(mdp, v, *, respond=worst_response):
    """Filling up from the lower ends in decreasing order of cost finds the worst kernel of a box."""
    z = mdp.targets(v)
    yield {value_box: total(respond(mdp, v) * z), dual_box: dual_of_box(mdp, z)}


# ------------------------------------------------------------------------------------------ One state: spend and bisect

spent = Quantity(r"(T_\pi v)(s)", "what the shared budget can make of a policy's cost")
spent_dual = Quantity(
    r"\min_{\lambda \ge 0} \Big[\lambda \kappa_s"
    r" + \sum_{a, t} P_{at} \max\big(\pi_a z_{at}, \pi_a z_{a, \max} - 2 \lambda\big)\Big]",
    "least value of the dual function, over its kinks",
)
with as_printed():
    spends = Eq(spent, spent_dual)


def dual_of_state(mdp, z, π):
    inside = np.asarray(mdp.P > 0, dtype=bool)
    top = π * largest(np.where(inside, z, z.min(axis=-1, keepdims=True)))
    z = π[..., None] * z
    best = None
    for a in range(mdp.A):
        for t in range(mdp.S + 1):
            λ = arrays.maximum((top[..., a] - z[..., a, t]) / 2, 0 * top[..., a]) if t < mdp.S else 0 * top[..., a]
            shifted = (top - 2 * λ[..., None])[..., None]
            value_at = λ * mdp.ambiguity.budget + total(mdp.P * arrays.maximum(z, shifted), 2)
            best = value_at if best is None else minimum(best, value_at)
    return best


def without_policy(mdp, v, π):
    """Spends as if all actions were taken as often."""
    return worst_response(mdp, v, 0 * π + 1)


def budget_for_each(mdp, v, π):
    """Gives the state's whole budget to each of its actions."""
    return worst_response(mdp.with_ambiguity(L1Ball(mdp.ambiguity.budget[..., None] + 0 * π)), v)


def shared_budget(κ, P, z, π):
    def make():
        mdp = one_step(P, z, lambda S, A: StateL1Ball(rational([κ] + [0] * (S - 1))))
        return {"mdp": mdp, "π": rational([π] * mdp.S)}

    return make


@theorem(
    spends,
    cite="ho2021",
    at="Section 4, s-rectangular evaluation",
    source="recalled",
    judge=identity(),
    on={"mdp": robust_mdps("StateL1Ball", max_actions=3, sizes=((3, 2), (4, 3))), "π": policies, "v": values},
    named={
        "rare action": shared_budget(
            "3/10", [["6/10", "4/10"], ["3/10", "7/10"]], [[0, 1], ["2/10", "9/10"]], ["1/5", "4/5"]
        ),
        "two actions": shared_budget(
            "3/10", [["6/10", "4/10"], ["3/10", "7/10"]], [[0, 1], ["2/10", "9/10"]], ["4/5", "1/5"]
        ),
    },
    near_misses={
        "as if all actions were taken as often": {"respond": without_policy},
        "the whole budget for each action": {"respond": budget_for_each},
    },
)
def srect_exact(mdp, π, v, *, respond=worst_response):
    """A budget that the actions share is best spent where probability times slope is largest."""
    z = mdp.targets(v)
    yield {spent: total(π * total(respond(mdp, v, π) * z)), spent_dual: dual_of_state(mdp, z, π)}


bisected = Quantity(r"(T v)(s)", "what bisection finds")
attained = Quantity(r"(T_{\pi^*} v)(s)", "what its policy costs at worst")
any_policy = Quantity(r"(T_\pi v)(s)", "what another policy costs at worst")
with as_printed():
    saddle = {"attained": Eq(attained, bisected), "least": bisected <= any_policy}


def uniform_where_active(mdp, v):
    """The right value, and equal weights on the actions whose nominal cost is below it."""
    u, _ = robust_bellman(mdp, v)
    active = total(mdp.P * mdp.targets(v)) <= u[..., None]
    weight = rational(active.astype(int)) if arrays.is_exact(mdp.P) else active.astype(float)
    return u, weight / total(weight)[..., None]


def cheapest_action(mdp, v):
    """The right value, and the action that is cheapest nominally."""
    u, _ = robust_bellman(mdp, v)
    return u, one_hot(np.asarray(total(mdp.P * mdp.targets(v))).argmin(axis=-1), mdp.A, mdp.P)


@theorem(
    saddle,
    cite="ho2021",
    at="Section 4, Algorithm for the s-rectangular Bellman operator",
    source="recalled",
    judge=identity(),
    on={
        "mdp": robust_mdps(
            "StateL1Ball", "StateSegments", about=ANY_RECTANGULAR, max_actions=3, sizes=((3, 2), (4, 3))
        ),
        "v": values,
        "π": policies,
    },
    named={"random is best": random_is_best},
    near_misses={
        "equal weights": {"backup": uniform_where_active},
        "the action that is cheapest nominally": {"backup": cheapest_action},
    },
    note="In the named instance the value is 51/80 at (3/4, 1/4); equal weights cost 31/40, "
    "single actions 13/20 and 21/20.",
)
def bisection(mdp, v, π, *, backup=robust_bellman):
    """Bisection finds the s-rectangular Bellman value and a policy that attains it, in general a random one.

    Its weights are inverse to the slopes of what each action can be made to cost.
    """
    u, best = backup(mdp, v)
    yield {bisected: u, attained: robust_backup(mdp, v, best), any_policy: robust_backup(mdp, v, π)}


# ----------------------------------------------------------------------------------------------------- Policy iteration

v_k = Quantity("v_k(s)", "worst cost of the k-th policy")
v_next = Quantity("v_{k+1}(s)", "of the next one")
backup_k = Quantity("(T v_k)(s)", "robust backup of the k-th")
second_backup = Quantity("(T^2 v_k)(s)", "two of them")
with as_printed():
    improves = {"backup": backup_k <= v_k, "next": v_next <= backup_k}
    improves_by_two = v_next <= second_backup


def nominal_greedy(mdp, π):
    """Policy iteration whose improvement forgets the adversary."""
    while True:
        v = robust_values(mdp, π)
        yield π, v
        q = total(mdp.P * mdp.targets(v))
        π = one_hot(np.asarray(q).argmin(axis=-1), mdp.A, mdp.P)


any_set = robust_mdps("L1Ball", "StateL1Ball", "StateSegments", about=ANY_RECTANGULAR, sizes=((3, 2),))


@theorem(
    improves,
    cite="ho2021",
    at="Section 5",
    source="derived",
    judge=for_all(),
    on={"mdp": any_set, "π": policies},
    near_misses={
        "two backups": improves_by_two,
        "an improvement that forgets the adversary": {"solver": nominal_greedy},
    },
)
def robust_improvement(mdp, π, *, solver=robust_policy_iteration):
    """Exact robust policy iteration never makes a state cost more, and gains at least a robust backup.

    One step, from any policy.
    """
    (_, v), (_, after) = next(pairwise(solver(mdp, π)))
    backup = robust_bellman(mdp, v)[0]
    yield {v_k: v, v_next: after, backup_k: backup, second_backup: robust_bellman(mdp, backup)[0]}


loss_k = Quantity(r"\lVert v^{\pi_k} - v^* \rVert_\infty", "what the k-th policy costs too much")
loss_next = Quantity(r"\lVert v^{\pi_{k+1}} - v^* \rVert_\infty", "what the next one does")
ε_k = Quantity(r"\lVert w_k - v^{\pi_k} \rVert_\infty", "error of the evaluation")
with as_printed():
    ppi = loss_next <= γ * loss_k + 2 * γ * ε_k / (1 - γ)
    ppi_without_horizon = loss_next <= γ * loss_k + 2 * γ * ε_k
    ppi_for_free = loss_next <= γ * loss_k


@theorem(
    ppi,
    cite="ho2021",
    at="Section 5, in the proof of the rate of partial policy iteration",
    source="derived",
    judge=for_all(),
    on={"mdp": any_set, "π": policies, "w": values},
    named={"wrong values": lambda: wrong_values()},
    near_misses={"without 1 / (1 − γ)": ppi_without_horizon, "as if evaluation were exact": ppi_for_free},
)
def ppi_step(mdp, π, w):
    """The robust greedy policy for approximate values costs γ times what was lost before and 2γε / (1 − γ) too much."""
    best, v = robust_optimum(mdp).v, robust_values(mdp, π)
    _, after = robust_bellman(mdp, w)
    yield {
        γ: mdp.discount,
        loss_k: sup(v - best),
        loss_next: sup(robust_values(mdp, after) - best),
        ε_k: sup(w - v),
    }


def wrong_values():
    """Values so wrong for the best policy that the greedy one stays for ever (see `greedy_loss`)."""
    from mdplab.instances import greedy_loss, greedy_loss_values
    from mdplab.models import Segments, robust

    mdp = greedy_loss()
    return {"mdp": robust(mdp, Segments(mdp.P)), "π": rational([[0, 1], [0, 1]]), "w": -greedy_loss_values()}


short_horizon = Assumption(
    r"\gamma \le 9/10", "the discount is at most 9/10", lambda mdp: mdp.discount * 10 <= 9
)  # of the check, not of the theorem: rational sweeps grow long digits
certified = Quantity(r"\tfrac{1}{1 - \gamma} \lVert T w_k - w_k \rVert_\infty", "the solver's bound on its error")
error_k = Quantity(r"\lVert w_k - v^* \rVert_\infty", "error of the approximate values")
tolerance = Quantity(r"\epsilon_k", "tolerance of the evaluation")
first_loss = Quantity(r"\lVert v^{\pi_0} - v^* \rVert_\infty", "what the first policy costs too much")
with as_printed():
    ppi_run = {
        "tolerance": ε_k <= tolerance,
        "certificate": error_k <= certified,
        "rate": loss_k <= γ**k * (first_loss + 2 / (1 - γ) ** 2),
    }
    ppi_run_too_fast = loss_k <= γ ** (3 * k) * first_loss


@theorem(
    ppi_run,
    cite="ho2021",
    at="Section 5, rate of partial policy iteration",
    source="derived",
    judge=for_all(k, up_to=3, exactly_up_to=1),
    on={"mdp": robust_mdps("L1Ball", "Segments", about=ANY_RECTANGULAR, sizes=((3, 2),)), "π": policies},
    given=[short_horizon],
    near_misses={"three times as fast": ppi_run_too_fast},
    uses=["ho2021.ppi_step"],
    note="With ε_0 = 1 and ε_{k+1} = γ² ε_k: Σ_j γ^(k−1−j) 2γ γ^(2j) / (1 − γ) is at most γ^k 2 / (1 − γ)². "
    "The bound on γ is the check's, not the theorem's.",
)
def ppi_rate(mdp, π, *, solver=partial_policy_iteration):
    """Partial policy iteration keeps its tolerances, certifies its error, and converges at the rate γ."""
    best = robust_optimum(mdp).v
    first = sup(robust_values(mdp, π) - best)
    allowed = 0 * mdp.discount + 1
    for it in solver(mdp, π):
        v = robust_values(mdp, it.π)
        yield {
            k: it.k,
            γ: mdp.discount,
            ε_k: sup(it.w - v),
            tolerance: allowed,
            error_k: sup(it.w - best),
            certified: it.gap,
            loss_k: sup(v - best),
            first_loss: first,
        }
        allowed = allowed * mdp.discount**2
