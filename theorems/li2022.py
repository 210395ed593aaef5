"""Li, Lan and Zhao (2022), First-order Policy Optimization for Robust Markov Decision Process."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, pairwise

import numpy as np
from sympy import sqrt

from mdplab import arrays
from mdplab.arrays import expand, largest, log_softmax, one_hot, smallest, sup, total
from mdplab.exact.robust import kernel_visits, robust_optimum, worst_action_values, worst_case
from mdplab.instances import logits, numbers, policies
from mdplab.instances.robust import ANY_PAIR, random_is_best, robust_mdps
from mdplab.solvers import robust_mirror_descent, robust_projected_descent
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, positive_start, theorem

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "updates so far", integer=True)
η = Quantity(r"\eta", "step size", accuracy="exact")
v_k = Quantity("v_k(s)", "worst cost of the k-th policy")
v_next = Quantity("v_{k+1}(s)", "worst cost of the next one")
loss = Quantity(r"\lVert v_k - v^* \rVert_\infty", "what the k-th policy costs too much")
loss_next = Quantity(r"\lVert v_{k+1} - v^* \rVert_\infty", "what the next one does")
surprise = Quantity(r"\kappa_k", "largest −log π_k of a greedy action", accuracy="absolute")

models = robust_mdps("L1Ball", "Segments", about=ANY_PAIR, sizes=((3, 2),))
started = robust_mdps("L1Ball", "Segments", about=ANY_PAIR, positive_start=True, sizes=((3, 2),))
costs_in_unit_interval = Assumption(
    r"c(s, a, s') \in [0, 1]",
    "all costs lie in [0, 1]",
    lambda mdp: (smallest(mdp.c, 3 if mdp.by_transition else 2) >= 0) & (mdp.cost_bound <= 1),
)
positive_discount = Assumption(r"\gamma > 0", "the discount is positive", lambda mdp: mdp.discount > 0)


def greedy_of(q):
    """One-hot of the first best action; balls by their middle."""
    middle = arrays.floats(q) if arrays.is_exact(q) else q
    return one_hot(np.asarray(middle).argmin(axis=-1), q.shape[-1], q)


with as_printed():
    steps = {
        "monotone": v_next <= v_k,
        "contracts": loss_next <= γ * loss + surprise / η,
    }
    contracts_for_free = loss_next <= γ * loss
    contracts_twice = loss_next <= γ**2 * loss + surprise / (10 * η)


def floored(mdp, θ, *, step_size):
    """The same iteration with weights π exp(−η q) in place of their logarithms, kept at 1e-300 or more."""
    least = 1e-300 if not arrays.is_exact(mdp.P) else arrays.rational_number(10) ** -300
    for n in count():
        it = replace(next(robust_mirror_descent(mdp, θ, step_size=step_size)), k=n)
        yield it
        weights = arrays.exp(it.log_π - expand(step_size, 2) * it.q)
        θ = arrays.log(arrays.maximum(weights, 0 * weights + least))


@theorem(
    steps,
    cite="li2022",
    at="monotonicity as a lemma; the contraction derived",
    source="derived",
    judge=for_all(k, up_to=3, exactly_up_to=1),
    on={"mdp": models, "θ": logits, "step": numbers("1/10", 100)},
    near_misses={
        "without the surprise": contracts_for_free,
        "a tenth of the surprise": contracts_twice,
        "weights that stay above 1e-300": {"solver": floored},
    },
    note="Monotonicity as a public set of notes quotes it.",
)
def monotone_and_contracting(mdp, θ, step, *, solver=robust_mirror_descent):
    """A mirror step never makes a state cost more, and comes as near to the optimum as policy iteration but for κ/η.

    π_{k+1} ∝ π_k exp(−η q_k), q_k the worst-case action values, κ_k the largest −log π_k of a greedy action.
    """
    best = robust_optimum(mdp).v
    for it, after in pairwise(solver(mdp, θ, step_size=step)):
        yield {
            k: it.k,
            γ: mdp.discount,
            η: step,
            v_k: it.v,
            v_next: after.v,
            loss: sup(it.v - best),
            loss_next: sup(after.v - best),
            surprise: largest(-total(greedy_of(it.q) * it.log_π)),
        }


with as_printed():
    falls = v_next <= v_k


def overshoot():
    """The policy (3/4, 1/4) is best, nearly; a long step leaves it for its first action alone."""
    mdp = random_is_best()
    θ = arrays.rational([[1, 0]] + [[0, 0]] * (mdp.S - 1))
    return {"mdp": mdp, "θ": θ, "step": arrays.rational_number(100)}


@theorem(
    falls,
    cite="li2022",
    at="monotonicity, carried over to s-rectangular sets",
    source="derived",
    status="refuted",
    judge=for_all(),
    on={"mdp": robust_mdps("StateL1Ball", "StateSegments", sizes=((3, 2),)), "θ": logits, "step": numbers("1/10", 100)},
    named={"overshoot": overshoot},
    note="The paper's sets are (s,a)-rectangular. With constant steps the iteration need not converge either.",
)
def monotone_where_budgets_are_shared(mdp, θ, step):
    """Where the actions of a state share a budget a mirror step along action values under a worst kernel may cost more.

    Best policies are random there, and both pure actions that a long step can end at cost more.
    """
    log_π = log_softmax(θ)
    π = arrays.exp(log_π)
    case = worst_case(mdp, π)
    q = total(case.kernel * mdp.targets(case.v))
    after = arrays.exp(log_softmax(log_π - expand(step, 2) * q))
    yield {v_k: case.v, v_next: worst_case(mdp, after).v}


first_loss = Quantity(r"\lVert v_0 - v^* \rVert_\infty", "what the first policy costs too much")
with as_printed():
    rate = loss <= γ**k * (first_loss + 1 / (1 - γ))
    rate_without_horizon = loss <= γ**k * first_loss


def growing(mdp):
    """η_k = κ_k / γ^(2k + 2), the step of the rate with c_0 = 1; at least 1e-9, for a policy that is greedy already."""

    def step(n, log_π, q):
        κ = largest(-total(greedy_of(q) * log_π))
        least = arrays.rational_number("1/1000000000") if arrays.is_exact(κ) else 1e-9
        return arrays.maximum(κ, 0 * κ + least) / mdp.discount ** (2 * n + 2)

    return step


def constant(mdp):
    """A hundredth, always."""
    return 0 * mdp.P[..., 0, 0, 0] + (arrays.rational_number("1/100") if arrays.is_exact(mdp.P) else 0.01)


@theorem(
    rate,
    cite="li2022",
    at="linear convergence with growing steps",
    source="derived",
    judge=for_all(k, up_to=10, exactly_up_to=1),
    on={"mdp": models, "θ": logits},
    given=[positive_discount],
    near_misses={"without 1 / (1 − γ)": rate_without_horizon, "steps that do not grow": {"steps": constant}},
    uses=["li2022.monotone_and_contracting"],
)
def rpmd_rate(mdp, θ, *, steps=growing):
    """With steps κ_k / γ^(2k + 2) robust mirror descent converges linearly at the rate γ."""
    best, first = robust_optimum(mdp).v, None
    for it in robust_mirror_descent(mdp, θ, step_size=steps(mdp)):
        here = sup(it.v - best)
        first = here if first is None else first
        yield {k: it.k, γ: mdp.discount, loss: here, first_loss: first}


f_loss = Quantity("(f_k - f^*)", "what the k-th policy costs too much from the start")
f_next = Quantity("(f_{k+1} - f^*)", "what the next one does")
M = Quantity("M", "one over the smallest start probability, at least every mismatch", accuracy="relative")
before = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*, u_k}_\rho} \mathrm{KL}(\pi^* \,\|\, \pi_k)(s)", "divergence of the k-th policy"
)
after_ = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*, u_k}_\rho} \mathrm{KL}(\pi^* \,\|\, \pi_{k+1})(s)", "divergence of the next one"
)
with as_printed():
    one_step = f_next <= (1 - (1 - γ) / M) * f_loss + 1 / (M * η) * (before - after_)
    one_step_faster = f_next <= (1 - 1 / M) * f_loss + 1 / (M * η) * (before - after_)
    one_step_for_free = f_next <= (1 - (1 - γ) / M) * f_loss


@theorem(
    one_step,
    cite="li2022",
    at="the recursion of the linear rate",
    source="recalled",
    judge=for_all(k, up_to=12, exactly_up_to=1),
    on={"mdp": started, "θ": logits, "step": numbers("1/10", 10)},
    given=[positive_start],
    near_misses={"1 − 1/M": one_step_faster, "without divergences": one_step_for_free},
    note="As a public set of notes quotes it; for any deterministic optimal policy and any worst kernel u_k.",
)
def rpmd_onestep(mdp, θ, step):
    """One mirror step shrinks the loss by 1 − (1 − γ)/M, up to what it gains in divergence from an optimal policy."""
    best = robust_optimum(mdp)
    at_best = total(mdp.start * best.v)
    for it, after in pairwise(robust_mirror_descent(mdp, θ, step_size=step)):
        u = worst_case(mdp, it.π).kernel
        d = (1 - mdp.γ(1)) * kernel_visits(mdp, best.policy, u)
        yield {
            k: it.k,
            γ: mdp.discount,
            η: step,
            M: 1 / smallest(mdp.start),
            f_loss: total(mdp.start * it.v) - at_best,
            f_next: total(mdp.start * after.v) - at_best,
            before: -total(d * total(best.policy * it.log_π)),
            after_: -total(d * total(best.policy * after.log_π)),
        }


# ------------------------------------------------------------------------------------------------ Squared distances

S = Quantity("S", "number of states", integer=True)
f_first = Quantity("(f_0 - f^*)", "what the first policy costs too much")
sum_between = Quantity(r"\sum_{t=1}^{k-1} (f_t - f^*)", "what the policies in between cost too much, together")
away = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*, u_k}_\rho} \lVert \pi^* - \pi_k \rVert^2(s)", "squared distance of the k-th policy"
)
away_next = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*, u_k}_\rho} \lVert \pi^* - \pi_{k+1} \rVert^2(s)", "and of the next one"
)
path = Quantity(r"\sum_{t<k} \lVert \pi_{t+1} - \pi_t \rVert^2(s)", "squared lengths of the steps in a state")
fall = Quantity("(v_0 - v_k)(s)", "what the state has gained")

with as_printed():
    nearer = f_next <= (1 - (1 - γ) / M) * f_loss + 1 / (M * η) * (away - away_next)
    nearer_faster = f_next <= (1 - 1 / M) * f_loss + 1 / (M * η) * (away - away_next)
    nearer_for_free = f_next <= (1 - (1 - γ) / M) * f_loss
    square_root_rate = f_loss + (1 - γ) / M * sum_between <= f_first + S / M * sqrt(18 * k / (η * (1 - γ)))
    lengths_bounded = {"printed": path <= η * fall, "sharper": path <= η / 2 * fall}
    sum_for_free = f_loss + (1 - γ) / M * sum_between <= f_first
    lengths_by_third = path <= η / 3 * fall
    sharper_rate = {
        "sum": f_loss + (1 - γ) / M * sum_between <= f_first + sqrt(4 * S * k / (η * (1 - γ))) / M,
        "last": f_loss <= (f_first + sqrt(4 * S * k / (η * (1 - γ))) / M) / (1 + (1 - γ) * (k - 1) / M),
    }
    last_without_first = f_loss <= sqrt(4 * S * k / (η * (1 - γ))) / M / (1 + (1 - γ) * (k - 1) / M)


def ball_of(π):
    """An exact policy as balls of radius zero: the rationals of an iteration double their digits at every step."""
    return np.frompyfunc(arrays.ball, 1, 1)(π) if arrays.is_exact(π) else π


def squared(x):
    """‖x‖² by rows, as products: balls around zero have no powers."""
    return total(x * x)


@theorem(
    nearer,
    cite="li2022",
    at="the recursion of the rate, for squared distances",
    source="recalled",
    judge=for_all(k, up_to=12, exactly_up_to=1),
    on={"mdp": started, "π": policies, "step": numbers("1/10", 10)},
    given=[positive_start],
    near_misses={"1 − 1/M": nearer_faster, "without distances": nearer_for_free},
    note="As a public set of notes quotes it for any divergence; `rpmd_onestep` is the case of KL.",
)
def euclidean_onestep(mdp, π, step):
    """One projected step shrinks the loss by 1 − (1 − γ)/M, up to what it gains in squared distance from an optimum."""
    best = robust_optimum(mdp)
    at_best = total(mdp.start * best.v)
    for it, after in pairwise(robust_projected_descent(mdp, ball_of(π), step_size=step)):
        d = (1 - mdp.γ(1)) * kernel_visits(mdp, best.policy, worst_case(mdp, it.π).kernel)
        yield {
            k: it.k,
            γ: mdp.discount,
            η: step,
            M: 1 / smallest(mdp.start),
            f_loss: total(mdp.start * it.v) - at_best,
            f_next: total(mdp.start * after.v) - at_best,
            away: total(d * squared(best.policy - it.π)),
            away_next: total(d * squared(best.policy - after.π)),
        }


@theorem(
    lengths_bounded,
    cite="li2022",
    at="squared lengths of the steps, in the proof of the sublinear rate",
    source="recalled",
    judge=for_all(k, up_to=12, exactly_up_to=1),
    on={"mdp": models, "π": policies, "step": numbers("1/10", 10)},
    near_misses={"a third": lengths_by_third},
    note="The first form as a public set of notes quotes it; the second from the same proof, by strong convexity.",
)
def euclidean_path(mdp, π, step):
    """The squared lengths of all projected steps in a state add up to no more than η times what the state gains."""
    π = ball_of(π)
    run = robust_projected_descent(mdp, π, step_size=step)
    first = before = next(run)
    lengths = 0 * π[..., 0]
    for it in run:
        lengths = lengths + squared(it.π - before.π)
        yield {k: it.k, η: expand(step, 1), path: lengths, fall: first.v - it.v}
        before = it


def sums_of_losses(mdp, π, step):
    """The loss of the k-th policy, of the first, and of those in between, k = 1, 2, ..."""
    at_best = total(mdp.start * robust_optimum(mdp).v)
    first, between = None, 0 * at_best
    for it in robust_projected_descent(mdp, ball_of(π), step_size=step):
        loss_here = total(mdp.start * it.v) - at_best
        if first is None:
            first = loss_here
            continue
        yield {
            k: it.k,
            γ: mdp.discount,
            η: step,
            S: mdp.S,
            M: 1 / smallest(mdp.start),
            f_loss: loss_here,
            f_first: first,
            sum_between: between,
        }
        between = between + loss_here


@theorem(
    square_root_rate,
    cite="li2022",
    at="the sublinear rate with constant steps and squared distances",
    source="recalled",
    judge=for_all(k, up_to=30, exactly_up_to=1),
    on={"mdp": started, "π": policies, "step": numbers("1/1000", 10)},
    given=[positive_start, costs_in_unit_interval],
    near_misses={"without the square root": sum_for_free},
    uses=["li2022.euclidean_onestep", "li2022.euclidean_path"],
    note="As a public set of notes quotes it.",
)
def euclidean_rate(mdp, π, step):
    """With constant steps the losses of robust projected descent add up to O(√k): the best iterate is O(1/√k) off."""
    yield from sums_of_losses(mdp, π, step)


@theorem(
    sharper_rate,
    cite="li2022",
    at="the sublinear rate, sharpened",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=30, exactly_up_to=1),
    on={"mdp": started, "π": policies, "step": numbers("1/1000", 10)},
    given=[positive_start, costs_in_unit_interval],
    near_misses={"without the square root": sum_for_free, "without the first loss": last_without_first},
    uses=["li2022.euclidean_onestep", "li2022.euclidean_path", "li2022.monotone_and_contracting"],
    note="‖π* − π_t‖² − ‖π* − π_{t+1}‖² <= 2√2 ‖π_t − π_{t+1}‖, visits sum to one, and Cauchy and Schwarz; "
    "the last iterate is the best, as losses fall.",
)
def euclidean_rate_sharpened(mdp, π, step):
    """The same with √(4S) in place of S√18, and for the last iterate: it is the best."""
    yield from sums_of_losses(mdp, π, step)


# ------------------------------------------------------------------------------------------- Performance differences

rise = Quantity(r"(v_{\pi'} - v_\pi)(s)", "what the other policy costs more at worst")
linear = Quantity(
    r"\tfrac{1}{1 - \gamma} \mathbb E_{s' \sim d^{\pi', u_{\pi'}}_s} \langle q_\pi, \pi' - \pi \rangle",
    "the same to first order, where the other policy goes",
)
descent = Quantity(
    r"\tfrac{1}{1 - \gamma} \mathbb E_{s' \sim d^{\pi^*, u_\pi}_s} \langle q_\pi, \pi - \pi^* \rangle",
    "first-order loss where an optimal policy goes",
)
above = Quantity(r"(v_\pi - v^*)(s)", "what the policy costs too much")
with as_printed():
    differences = {"upper": rise <= linear, "lower": descent >= above}
    differences_reversed = rise >= linear
    descent_reversed = descent <= above


def from_each(mdp, π, p):
    """Σ_t γ^t P(s_t = ·) from every state: the inverse of I − γ P_π;  (..., S, S)."""
    return np.stack([kernel_visits(mdp, π, p, one) for one in _starts(mdp)], axis=-2)


def _starts(mdp):
    rows = arrays.identity_like(mdp.P[..., 0, 0, :, None] * mdp.P[..., 0, 0, None, :])
    return [np.broadcast_to(rows[s], mdp.start.shape) for s in range(mdp.S)]


@theorem(
    differences,
    cite="li2022",
    at="the two lemmas on performance differences",
    source="recalled",
    judge=for_all(),
    on={"mdp": robust_mdps("L1Ball", about=ANY_PAIR, sizes=((3, 2),)), "θ": logits, "other": logits},
    near_misses={"the first as a lower bound": differences_reversed, "the second as an upper bound": descent_reversed},
    note="As a public set of notes quotes them.",
)
def performance_difference(mdp, θ, other):
    """The worst kernel of one policy is not that of another: performance differences become two inequalities."""
    π, other = arrays.exp(log_softmax(θ)), arrays.exp(log_softmax(other))
    case, case_other, best = worst_case(mdp, π), worst_case(mdp, other), robust_optimum(mdp)
    q = worst_action_values(mdp, case.v)
    change = total(q * (other - π))
    lack = total(q * (π - best.policy))
    yield {
        rise: case_other.v - case.v,
        linear: total(from_each(mdp, other, case_other.kernel) * change[..., None, :]),
        descent: total(from_each(mdp, best.policy, case.kernel) * lack[..., None, :]),
        above: case.v - best.v,
    }
