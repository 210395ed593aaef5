"""Klein, Weissmann and Döring (2024), Beyond Stationarity: Convergence Analysis of Stochastic Softmax Policy Gradient.

Finite horizon, exact and sampled gradients: all epochs at once (simultaneous) or one by one from the last (dynamic).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise

import numpy as np
from sympy import Abs, Eq, Rational, sqrt

from mdplab.arrays import (
    exp,
    expand,
    is_exact,
    largest,
    log_softmax,
    namespace,
    norm,
    one_hot,
    rational,
    rational_number,
    smallest,
    total,
)
from mdplab.exact import finite_horizon as exact
from mdplab.exact.values import centred
from mdplab.instances import logits, numbers, policies
from mdplab.instances.finite_horizon import (
    SMALL_FAMILIES,
    epoch_distributions,
    finite_horizon_mdps,
    late_choice,
    lock,
    twin_states,
    uneven,
    uniform_in_draws,
)
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import gpomdp, rollouts
from mdplab.solvers import (
    dynamic_pg,
    dynamic_step_sizes,
    epoch_pg,
    first_action,
    geometric,
    moved,
    sampled_epoch_pg,
    sampled_simultaneous_pg,
    simultaneous_pg,
    train_epoch,
)
from mdplab.theorem import (
    Assumption,
    Quantity,
    as_printed,
    for_all,
    identity,
    in_expectation,
    positive_start,
    theorem,
    with_probability,
)

# ---------------------------------------------------------------------------------------------------------- the letters

n = Quantity("n", "iterates, the first numbered 1", integer=True)
H = Quantity("H", "number of epochs", integer=True)
to_go = Quantity("(H - h)", "epochs left, this one counted", integer=True)
S_h = Quantity("S", "number of states of the epoch", integer=True)
S_all = Quantity(r"\tilde S", "number of pairs of an epoch and a state", integer=True)
A = Quantity("A", "number of actions", integer=True)
R = Quantity("R^*", "largest reward", accuracy="exact")
μ_h = Quantity(r"\mu_h(s)", "where epoch h starts", accuracy="exact")
δ = Quantity(r"J^* - J(\theta^{(n)})", "sub-optimality of all epochs", accuracy="relative")
δ_h = Quantity(r"J_h^* - J_h(\theta_h^{(n)})", "sub-optimality in the epoch, later ones frozen", accuracy="relative")
c_h = Quantity("c_h", "smallest probability of a best action over states and iterates 1, ..., n", accuracy="relative")
rarest = Quantity(r"\left\| 1 / \mu_h \right\|_\infty", "one over the rarest start of the epoch", accuracy="relative")

non_negative_rewards = Assumption(
    r"r_h(s, a) \in [0, R^*]", "no reward is negative", lambda mdp: smallest(mdp.rewards, 2) >= 0
)
mdps = finite_horizon_mdps()

# ------------------------------------------------------------------------------------------------- what is measured how


def each_epoch(mdp, numbers_):
    """Numbers (H,), the same for each model, in its arithmetic;  -> (..., H)."""
    like = mdp.per_epoch(0 * mdp.start)
    return like + (np.asarray(numbers_) if is_exact(like) else namespace(like).asarray(np.asarray(numbers_, float)))


def sizes(mdp):
    """S_h and H − h, each (..., H)."""
    return each_epoch(mdp, mdp.sizes), each_epoch(mdp, mdp.H - np.arange(mdp.H))


def norms(mdp, g):
    """Euclidean norms of g (..., S, A) in each epoch;  -> (..., H)."""
    parts = [np.asarray(norm(x, 2)) if is_exact(x) else norm(x, 2) for x in mdp.split(g, 2)]
    return namespace(parts[0]).stack(parts, axis=-1)


def by_moving_rows(mdp, π, read):
    """∂ read(V^softmax(θ)) / ∂θ(s, a), without a gradient;  -> (..., S, A).  `read` takes a change of V and the pair s.

    No path meets a pair twice, so V is affine in each row of π: moving row s by π' = π(a) (e_a − π) changes it by
    exactly its derivative.
    """
    here, found = exact.values(mdp, π), []
    rows, actions = (one_hot(np.arange(m), m, π) if is_exact(π) else np.eye(m) for m in (mdp.S, mdp.A))
    for s in range(mdp.S):
        for a in range(mdp.A):
            moved = π + rows[s][:, None] * expand(π[..., s, a], 2) * (actions[a] - π)
            found.append(np.asarray(read(exact.values(mdp, moved) - here, s)))
    return np.stack(found, axis=-1).reshape(π.shape)


def at_best(π, q):
    """π(a | s) for the action a that is best for q, the lowest of equals;  (..., S, A) -> (..., S)."""
    return total(π * one_hot(exact.greedy(q), q.shape[-1], q))


def lost(π, q):
    """max_a q(s, a) − Σ_a π(a | s) q(s, a), a sum of non-negative terms;  (..., S, A) -> (..., S)."""
    return total(π * exact.losses(q, exact.greedy(q)))


# ----------------------------------------------------------------------------------------------------------- gradients

dJ = Quantity(r"\frac{\partial J(\theta)}{\partial \theta_h(s, a)}", "derivative in one logit")
dJ_h = Quantity(r"\frac{\partial J_h(\theta_h)}{\partial \theta_h(s, a)}", "derivative in one logit of the epoch")
D = Quantity(r"D_h^\pi(s)", "probability to be in s at epoch h, or started there", accuracy="relative")
μ = Quantity(r"\mu(h, s)", "enlarged start distribution", accuracy="exact")
π_sa = Quantity(r"\pi_h(a | s)", "probability of the action", accuracy="relative")
Adv = Quantity(r"A_h^\pi(s, a)", "advantage")
Q = Quantity(r"Q_h^\pi(s, a)", "action value")

with as_printed():
    gradient = Eq(dJ, D * π_sa * Adv)
    gradient_at_start = Eq(dJ, μ * π_sa * Adv)
    gradient_of_values = Eq(dJ, D * π_sa * Q)
    gradient_without_policy = Eq(dJ, D * Adv)

uneven_policy = rational(
    [["1/3", "2/3"], ["1/2", "1/2"], ["1/4", "3/4"], ["4/5", "1/5"], ["1/5", "4/5"], ["2/3", "1/3"]]
)


@theorem(
    gradient,
    cite="klein2024",
    at="policy gradient theorem of the simultaneous scheme",
    source="derived",
    judge=identity(),
    on={"mdp": mdps, "π": policies},
    named={"uneven epochs": lambda: {"mdp": uneven(), "π": uneven_policy}},
    near_misses={
        "start distribution for visits": gradient_at_start,
        "action values for advantages": gradient_of_values,
        "without π(a | s)": gradient_without_policy,
    },
)
def grad_sim(mdp, π):
    """A logit of a time-dependent policy matters by visits of its epoch times probability times advantage.

    The left side moves one row of the policy: values are affine in each.  Rational on both sides, hence equal.
    """
    q = exact.action_values(mdp, π)
    yield {
        dJ: by_moving_rows(mdp, π, lambda change, s: total(mdp.start * change)),
        D: exact.visits(mdp, π)[..., None],
        μ: mdp.start[..., None],
        π_sa: π,
        Adv: exact.advantages(mdp, π),
        Q: q,
    }


with as_printed():
    epoch_gradient = Eq(dJ_h, μ_h * π_sa * Adv)
    epoch_gradient_at_visits = Eq(dJ_h, D * π_sa * Adv)
    epoch_gradient_of_values = Eq(dJ_h, μ_h * π_sa * Q)


def frozen_future(mdp, π):
    """What an action is worth when the later epochs play π."""
    return exact.action_values(mdp, π)


def optimal_future(mdp, π):
    """What an action is worth when the later epochs are played optimally, whatever they were trained to do."""
    return mdp.action_values(exact.optimum(mdp).v)


@theorem(
    epoch_gradient,
    cite="klein2024",
    at="policy gradient theorem of the dynamic scheme",
    source="derived",
    judge=identity(),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions},
    named={"uneven epochs": lambda: {"mdp": uneven(), "π": uneven_policy}},
    near_misses={
        "visits for the start of the epoch": epoch_gradient_at_visits,
        "action values for advantages": epoch_gradient_of_values,
        "an optimal future for the trained one": {"future": optimal_future},
    },
    note="An optimal future in place of the trained one is a bug that final accuracies do not show.",
)
def grad_dyn(mdp, π, start, *, future=frozen_future):
    """With later epochs frozen, an epoch is a contextual bandit with Q̃ under the frozen policies."""
    q = future(mdp, π)
    yield {
        dJ_h: expand(start, 1) * by_moving_rows(mdp, π, lambda change, s: change[..., s]),
        μ_h: start[..., None],
        D: exact.visits(mdp, π)[..., None],
        π_sa: π,
        Adv: centred(q, π),
        Q: q,
    }


# ---------------------------------------------------------------------------------------------------------- smoothness

bend = Quantity(r"u^\top \nabla^2 J(\theta)\, u", "curvature along u")
bend_h = Quantity(r"u^\top \nabla^2 J_h(\theta_h)\, u", "curvature of one epoch along u")
length = Quantity(r"\| u \|_2^2", "squared length of the direction", accuracy="relative")
spread = Quantity(
    r"\max_s \mu_h(s) \left( \max_a \tilde Q_h(s, a) - \min_a \tilde Q_h(s, a) \right)",
    "largest weighted range of action values in the epoch",
)

with as_printed():
    smooth_together = Abs(bend) <= H**2 * R * (2 - 1 / A) * length
    a_tenth_together = Abs(bend) <= H**2 * R * (2 - 1 / A) / 10 * length
    smooth_epoch = Abs(bend_h) <= 2 * to_go * R * length
    a_thirtieth_epoch = Abs(bend_h) <= to_go * R / 15 * length
    smooth_epoch_sharp = Abs(bend_h) <= spread / (3 * sqrt(3)) * length
    too_sharp = Abs(bend_h) <= spread / (3 * sqrt(3) + Rational(1, 100)) * length
    mean_for_max = Abs(bend_h) <= spread / (3 * sqrt(3) * S_h) * length


def sharpest():
    """One epoch, one state, rewards (1, 0), π(1) near (1 + 1/√3) / 2, along (1, −1)."""
    return {"mdp": twin_states(1), "π": rational([["789/1000", "211/1000"]]), "u": rational([[1, -1]])}


@theorem(
    smooth_together,
    cite="klein2024",
    at="smoothness of the simultaneous objective",
    source="recalled",
    judge=for_all(),
    on={"mdp": mdps, "π": policies, "u": logits},
    given=[non_negative_rewards],
    named={"one epoch": sharpest},
    near_misses={"a tenth of the constant": a_tenth_together, "rewards up to 20 R*": {"scale": 20}},
    note="Derived too: E‖∇ log π‖² ≤ 1 − 1/A and ‖∇² log π‖ ≤ 1 along each path.",
)
def smooth_sim(mdp, π, u, *, scale=1):
    """The simultaneous objective is H² R* (2 − 1/A)-smooth in all logits together.  Loose by a factor of eight."""
    _, _, second = exact.derivatives(mdp, π, u)
    yield {
        H: mdp.H,
        A: mdp.A,
        R: mdp.reward_bound,
        bend: scale * total(mdp.start * second),
        length: total(u * u, 2),
    }


def bends(mdp, π, u, start):
    """Curvature of each epoch's objective along u: Σ_s μ_h(s) Σ_a π(a | s) (u − ū)² A(s, a);  -> (..., H)."""
    z = u - expand(total(π * u), 1)
    return mdp.per_epoch(start * total(π * z * z * exact.advantages(mdp, π)))


@theorem(
    smooth_epoch,
    cite="klein2024",
    at="smoothness of the dynamic objectives",
    source="recalled",
    judge=for_all(),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "u": logits},
    given=[non_negative_rewards],
    named={"one epoch": sharpest},
    near_misses={"a thirtieth of the constant": a_thirtieth_epoch, "rewards up to 100 R*": {"scale": 100}},
    note="Derived too; thirteen times more than needed even with values over the whole range, see `smooth_dyn_sharp`.",
)
def smooth_dyn(mdp, π, start, u, *, scale=1):
    """The objective of epoch h, later ones frozen, is 2 (H − h) R*-smooth in its logits."""
    yield {
        to_go: sizes(mdp)[1],
        R: expand(mdp.reward_bound, 1),
        bend_h: scale * bends(mdp, π, u, start),
        length: mdp.per_epoch(total(u * u)),
    }


@theorem(
    smooth_epoch_sharp,
    cite="klein2024",
    at="smoothness of the dynamic objectives",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "u": logits},
    named={"one epoch": sharpest},
    near_misses={"a little sharper": too_sharp, "a share of each state": mean_for_max},
    note="Step sizes could be ten times as long as the paper's.",
)
def smooth_dyn_sharp(mdp, π, start, u):
    """The smoothness constant of an epoch is max_s μ_h(s) range Q̃_h(s, ·) / (3√3), and no smaller."""
    q = exact.action_values(mdp, π)
    yield {
        S_h: sizes(mdp)[0],
        bend_h: bends(mdp, π, u, start),
        spread: mdp.per_epoch(start * (largest(q) - smallest(q)), largest),
        length: mdp.per_epoch(total(u * u)),
    }


# ---------------------------------------------------------------------------------------------------------- domination

slope_h = Quantity(r"\| \nabla J_h(\theta_h) \|_2", "norm of the gradient of the epoch")
least_h = Quantity(r"\min_s \pi_h(a_h^*(s) | s)", "smallest probability of a best action", accuracy="relative")
most_h = Quantity(r"\max_s \pi_h(a_h^*(s) | s)", "largest probability of a best action", accuracy="relative")
loss_h = Quantity(r"(J_h^* - J_h(\theta_h))", "sub-optimality of the epoch", accuracy="relative")
slope = Quantity(r"\| \nabla J(\theta) \|_2", "norm of the gradient")
least = Quantity(r"\min_{h, s} \pi_h(a_h^*(s) | s)", "smallest probability of an optimal action", accuracy="relative")
loss = Quantity(r"(J^* - J(\theta))", "sub-optimality", accuracy="relative")
mismatch = Quantity(r"\left\| D^{\pi^*} / D^{\pi_\theta} \right\|_\infty", "mismatch of visits", accuracy="relative")

with as_printed():
    dominated_h = slope_h >= 1 / sqrt(S_h) * least_h * loss_h
    dominated_h_without_S = slope_h >= least_h * loss_h
    dominated_h_by_most = slope_h >= 1 / sqrt(S_h) * most_h * loss_h
    dominated = slope >= 1 / sqrt(S_all) * least * mismatch**-1 * loss
    dominated_without_mismatch = slope >= 1 / sqrt(S_all) * least * loss
    dominated_without_S = slope >= least * mismatch**-1 * loss


def greedy_for_the_trained_future(mdp, q):
    """Best for the given values."""
    return exact.greedy(q)


def globally_optimal(mdp, q):
    """Best if the later epochs were played optimally."""
    return exact.optimum(mdp).action


def misled():
    """Epoch 1 does not choose, so that its sure state is the better one; epoch 0 mostly goes to the other."""
    first = ["97/100", "1/100", "1/100", "1/100"]
    return {"mdp": late_choice(), "π": rational([first, ["1/4"] * 4, ["1/4"] * 4])}


def twins(S=3):
    """Identical states, no preference: the gradient's norm is √(1/(8S)), the sub-optimality 1/2."""
    return {"mdp": twin_states(S), "π": rational([["1/2", "1/2"]] * S)}


@theorem(
    dominated_h,
    cite="klein2024",
    at="weak Polyak–Łojasiewicz inequality of the dynamic scheme",
    source="derived",
    judge=for_all(),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions},
    named={"three identical states": twins, "a misleading future": misled},
    near_misses={
        "without 1/√S": dominated_h_without_S,
        "the largest probability for the smallest": dominated_h_by_most,
        "the globally optimal action": {"best": globally_optimal},
    },
    note="a* is greedy for the frozen future, not the globally optimal action.",
)
def wpl_dyn(mdp, π, start, *, best=greedy_for_the_trained_future):
    """The gradient of an epoch vanishes no faster than its sub-optimality times the rarest best action."""
    q = exact.action_values(mdp, π)
    chosen = total(π * one_hot(best(mdp, q), mdp.A, q))
    yield {
        S_h: sizes(mdp)[0],
        slope_h: norms(mdp, exact.epoch_gradients(mdp, π, start)),
        least_h: mdp.per_epoch(chosen, smallest),
        most_h: mdp.per_epoch(chosen, largest),
        loss_h: mdp.per_epoch(start * lost(π, q)),
    }


@theorem(
    dominated_h_without_S,
    cite="klein2025",
    at="Lemmas D.2 and C.5, as their proofs need it",
    source="derived",
    status="refuted",
    judge=for_all(),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions},
    named={"three identical states": twins},
    note="Inferred from constants of the follow-up (Klein et al., 2025), which says that it argues as the 2024 paper.  "
    "The factor on the right is off by √(S/2) for S identical states and two actions.  What is proved from it "
    "survives in the sup norm: see `rate_dyn_sup`.",
)
def wpl_dyn_without_S(mdp, π, start):
    """False: without 1/√S the domination of an epoch fails, by √(S/2) for S identical states."""
    yield from wpl_dyn(mdp, π, start)


def lost_in_the_lock(epochs=3):
    """A combination lock that starts nearly always alive; a policy that mostly takes the wrong action there."""
    return {"mdp": lock(epochs, "1/1000"), "θ": rational([[0, 2], [0, 0]] * epochs)}


@theorem(
    dominated,
    cite="klein2024",
    at="weak Polyak–Łojasiewicz inequality of the simultaneous scheme",
    source="derived",
    judge=for_all(),
    on={"mdp": mdps, "θ": logits},
    given=[positive_start],
    named={
        "lock": lost_in_the_lock,
        "three identical states": lambda: twin_states(3),
    },
    near_misses={
        "without the mismatch": dominated_without_mismatch,
        "without the number of pairs": dominated_without_S,
    },
)
def wpl_sim(mdp, θ):
    """The gradient of all epochs vanishes no faster than the sub-optimality, the rarest optimal action, the mismatch.

    The same deterministic optimal policy stands for a* and for its visits, so that ties do no harm.
    """
    best = exact.optimum(mdp)
    π = exp(log_softmax(θ))
    yield {
        S_all: mdp.S,
        slope: norm(exact.softmax_gradient(mdp, π), 2),
        least: smallest(total(π * best.policy)),
        mismatch: largest(exact.visits(mdp, best.policy) / exact.visits(mdp, π)),
        loss: exact.gap(mdp, π, best),
    }


# ------------------------------------------------------------------------------------------------- the dynamic scheme

δ_s = Quantity(
    r"\left\| \max_a \tilde Q_h(\cdot, a) - V_h^{(n)} \right\|_\infty",
    "largest sub-optimality of a state in the epoch",
    accuracy="relative",
)

with as_printed():
    rate_h = δ_h <= 4 * to_go * R * S_h / (c_h**2 * n)
    rate_h_squared = δ_h <= 4 * to_go * R * S_h / (c_h**2 * n**2)
    rate_h_without_S = δ_h <= 4 * to_go * R / (c_h**2 * n)
    rate_h_sup = δ_s <= 4 * to_go * R / (c_h**2 * n) * rarest
    rate_h_sup_without_start = δ_s <= 4 * to_go * R / (c_h**2 * n)
    rate_h_sup_squared = δ_s <= 4 * to_go * R / (c_h**2 * n**2) * rarest


TENTH, TWENTIETH = Fraction(1, 10), Fraction(1, 20)


def scaled(x, scale):
    """`scale` times x, which is exact or float64."""
    return x * (rational_number(scale) if is_exact(x) else float(scale))


def paper_steps(mdp, scale=1):
    """η_h = 1 / (2 (H − h) R*) times `scale`, for each pair."""
    return mdp.over_states(scaled(dynamic_step_sizes(mdp), scale))


def epoch_runs(mdp, π, start, θ, scale=1):
    """Bindings of runs in all epochs, each against the frozen π, with `scale` times the paper's steps."""
    q = exact.action_values(mdp, π)
    losses = exact.losses(q, exact.greedy(q))
    states, left = sizes(mdp)
    constants = {
        S_h: states,
        to_go: left,
        R: expand(mdp.reward_bound, 1),
        rarest: mdp.per_epoch(1 / start, largest),
    }
    for x in epoch_pg(q, start, θ, step_sizes=paper_steps(mdp, scale), at=geometric()):
        here = total(x.π * losses)
        yield constants | {
            n: x.k + 1,
            c_h: mdp.per_epoch(x.least, smallest),
            δ_h: mdp.per_epoch(start * here),
            δ_s: mdp.per_epoch(here, largest),
        }


@theorem(
    rate_h,
    cite="klein2024",
    at="convergence of the dynamic scheme in one epoch",
    source="recalled",
    judge=for_all(n, up_to=1000, exactly_up_to=8),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "θ": logits},
    given=[non_negative_rewards],
    named={
        "three identical states": lambda: twin_states(3),
        "uneven epochs": lambda: {"mdp": uneven(), "π": uneven_policy},
    },
    near_misses={"as the square of n": rate_h_squared, "steps a tenth as long": {"scale": TENTH}},
    trivial=to_go * R,
    uses=["klein2024.wpl_dyn", "klein2024.smooth_dyn"],
    note="Derived too.  Any frozen later epochs, any start; loose by a factor of about four.",
)
def rate_dyn(mdp, π, start, θ, *, scale=1):
    """With step 1 / (2 (H − h) R*) an epoch's sub-optimality falls like 1/n."""
    yield from epoch_runs(mdp, π, start, θ, scale)


@theorem(
    rate_h_without_S,
    cite="klein2025",
    at="proof of Theorem 4.6",
    source="derived",
    status="refuted",
    judge=for_all(n, up_to=50, exactly_up_to=50),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "θ": logits},
    given=[non_negative_rewards],
    named={"forty identical states": lambda: twin_states(40)},
    note="Follows from the domination without 1/√S, and fails with it: forty identical states, no preference, are "
    "moved by gradients of size 1/40.  The bound for J needs the factor S; the sup norm does not, see `rate_dyn_sup`.",
)
def rate_dyn_without_S(mdp, π, start, θ):
    """False: the rate of an epoch does not hold without the number of its states."""
    yield from epoch_runs(mdp, π, start, θ)


@theorem(
    rate_h_sup,
    cite="klein2025",
    at="Theorem 4.6, for a finite horizon and all n",
    source="derived",
    status="sharpened",
    judge=for_all(n, up_to=1000, exactly_up_to=8),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "θ": logits},
    given=[non_negative_rewards],
    named={"three identical states": lambda: twin_states(3), "forty identical states": lambda: twin_states(40)},
    near_misses={
        "without ‖1/μ‖": rate_h_sup_without_start,
        "as the square of n": rate_h_sup_squared,
        "steps a tenth as long": {"scale": TENTH},
    },
    trivial=to_go * R,
    uses=["klein2024.rate_dyn_sup_step"],
    note="States do not touch each other: each has its own recursion, δ⁺ ≤ δ − η μ(s) c² δ² / 2.",
)
def rate_dyn_sup(mdp, π, start, θ, *, scale=1):
    """In every state of an epoch the sub-optimality falls like ‖1/μ‖ / n, and the number of states does not matter."""
    yield from epoch_runs(mdp, π, start, θ, scale)


gain_h = Quantity(r"(J_h(\theta_h^{(n + 1)}) - J_h(\theta_h^{(n)}))", "what one update gains in the epoch")
η_h = Quantity(r"\eta_h", "step size of the epoch", accuracy="exact")
c_n = Quantity("c_n", "smallest probability of a best action in the n-th iterate", accuracy="relative")

with as_printed():
    ascent_h = gain_h >= η_h / 2 * slope_h**2
    recursion_h = gain_h >= c_n**2 / (4 * to_go * R * S_h) * δ_h**2
    too_much_ascent_h = gain_h >= Rational(101, 100) * η_h * slope_h**2
    recursion_h_without_S = gain_h >= Rational(5, 2) * c_n**2 / (to_go * R) * δ_h**2


@theorem(
    {"(a)": ascent_h, "(b)": recursion_h},
    cite="klein2024",
    at="proof of the convergence in one epoch",
    source="derived",
    judge=for_all(n, up_to=100, exactly_up_to=4),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "θ": logits},
    given=[non_negative_rewards],
    named={
        "one state": lambda: {"mdp": twin_states(1), "θ": rational([[0, 1]])},
        "uneven epochs": lambda: {"mdp": uneven(), "π": uneven_policy},
    },
    near_misses={
        "a whole step's gain and one percent": too_much_ascent_h,
        "ten times the progress, without S": recursion_h_without_S,
        "down the gradient": {"scale": -1},
        "steps a hundred times as long": {"scale": 100},
    },
    uses=["klein2024.wpl_dyn", "klein2024.smooth_dyn"],
)
def rate_dyn_step(mdp, π, start, θ, *, scale=1):
    """One update gains half of η‖∇J_h‖², and hence the square of the sub-optimality times c² / (4 (H − h) R* S)."""
    q = exact.action_values(mdp, π)
    states, left = sizes(mdp)
    constants = {S_h: states, to_go: left, R: expand(mdp.reward_bound, 1), η_h: scale * dynamic_step_sizes(mdp)}
    for x, y in pairwise(epoch_pg(q, start, θ, step_sizes=paper_steps(mdp, scale))):
        yield constants | {
            n: x.k + 1,
            c_n: mdp.per_epoch(at_best(x.π, q), smallest),
            δ_h: mdp.per_epoch(start * lost(x.π, q)),
            slope_h: norms(mdp, expand(start, 1) * x.π * centred(q, x.π)),
            gain_h: mdp.per_epoch(start * total((y.π - x.π) * centred(q, x.π))),
        }


gain_s = Quantity(r"(V_h^{(n + 1)}(s) - V_h^{(n)}(s))", "what one update gains in a state")
here_s = Quantity(r"\pi^{(n)}(a_h^*(s) | s)", "probability of a best action in the state", accuracy="relative")
lost_s = Quantity(
    r"\left( \max_a \tilde Q_h(s, a) - V_h^{(n)}(s) \right)", "sub-optimality of the state", accuracy="relative"
)

with as_printed():
    recursion_s = gain_s >= η_h * μ_h / 2 * here_s**2 * lost_s**2
    recursion_s_without_start = gain_s >= η_h / 2 * here_s**2 * lost_s**2
    recursion_s_five = gain_s >= 5 * η_h * μ_h / 2 * here_s**2 * lost_s**2


@theorem(
    recursion_s,
    cite="klein2025",
    at="proof of Theorem 4.6, state by state",
    source="derived",
    judge=for_all(n, up_to=60, exactly_up_to=3),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "θ": logits},
    given=[non_negative_rewards],
    named={
        "one state": lambda: {"mdp": twin_states(1), "θ": rational([[0, 1]])},
        "three identical states": lambda: twin_states(3),
    },
    near_misses={
        "without μ(s)": recursion_s_without_start,
        "five times as much": recursion_s_five,
        "down the gradient": {"scale": -1},
    },
    note="States do not touch each other: each has its own gradient and its own smoothness, and no other state enters.",
)
def rate_dyn_sup_step(mdp, π, start, θ, *, scale=1):
    """One update gains in each state what that state's own sub-optimality promises, η μ(s) π(a*|s)² δ(s)² / 2."""
    q = exact.action_values(mdp, π)
    η = mdp.over_states(dynamic_step_sizes(mdp))
    for x, y in pairwise(epoch_pg(q, start, θ, step_sizes=paper_steps(mdp, scale))):
        yield {
            n: x.k + 1,
            η_h: η,
            μ_h: start,
            here_s: at_best(x.π, q),
            lost_s: lost(x.π, q),
            gain_s: total((y.π - x.π) * centred(q, x.π)),
        }


rise = Quantity(
    r"\left( \pi^{(n + 1)}(a_h^*(s) | s) - \pi^{(n)}(a_h^*(s) | s) \right)", "what the best action gains in one update"
)
more_than_uniform = Quantity(r"\left( \pi^{(n)}(a_h^*(s) | s) - \tfrac 1 A \right)", "its lead over the uniform policy")

with as_printed():
    never_rarer = rise >= Rational(0)
    at_least_uniform = more_than_uniform >= Rational(0)


def best_in_front(θ, q):
    """The logits with that of the best action raised to the largest of its state."""
    best = one_hot(exact.greedy(q), q.shape[-1], q)
    return θ + best * (largest(θ)[..., None] - θ)


def as_they_are(θ, q):
    """Any logits."""
    return θ


@theorem(
    {"(a)": never_rarer, "(b)": at_least_uniform},
    cite="klein2024",
    at="the constant c_h of a uniform start",
    source="derived",
    judge=for_all(n, up_to=60, exactly_up_to=3),
    on={"mdp": mdps, "π": policies, "start": epoch_distributions, "θ": logits, "step_size": numbers("1/100", 100)},
    named={"uneven epochs": lambda: {"mdp": uneven(), "π": uneven_policy, "step_size": rational_number(1)}},
    near_misses={"from any logits": {"begin": as_they_are}},
    note="The follow-up (Klein et al., 2025, Proposition 3.3) states the uniform start: c_h >= 1/A.  The order of the "
    "logits is kept, and with it the sign of each increment.",
)
def c_uniform(mdp, π, start, θ, step_size, *, begin=best_in_front):
    """Where no logit exceeds that of the best action, that action never becomes rarer, whatever the step size."""
    q = exact.action_values(mdp, π)
    η = expand(step_size, 1) + 0 * start
    best, uniform = one_hot(exact.greedy(q), mdp.A, q), (0 * q[..., 0] + 1) / mdp.A
    for x, y in pairwise(epoch_pg(q, start, begin(θ, q), step_sizes=η)):
        yield {n: x.k + 1, rise: total(best * (y.π - x.π)), more_than_uniform: total(best * x.π) - uniform}


error_0 = Quantity(
    r"\max_s \left( V_0^*(s) - V_0^{\tilde \pi}(s) \right)",
    "worst sub-optimality of a first state",
    accuracy="relative",
)
sum_of_losses = Quantity(
    r"\sum_h \max_s \left( \max_a Q_h^{\tilde \pi}(s, a) - V_h^{\tilde \pi}(s) \right)",
    "what the epochs lose against their own best actions, each in its worst state",
    accuracy="relative",
)
largest_loss = Quantity(
    r"\max_{h, s} \left( \max_a Q_h^{\tilde \pi} - V_h^{\tilde \pi} \right)",
    "largest loss of a pair",
    accuracy="relative",
)
mean_losses = Quantity(
    r"\sum_h \frac 1 S \sum_s \left( \max_a Q_h^{\tilde \pi} - V_h^{\tilde \pi} \right)",
    "what the epochs lose, on average over states",
    accuracy="relative",
)

with as_printed():
    telescoped = error_0 <= sum_of_losses
    largest_only = error_0 <= largest_loss
    means_only = error_0 <= mean_losses


@theorem(
    telescoped,
    cite="klein2024",
    at="from epochs to the whole, dynamic scheme",
    source="derived",
    judge=for_all(),
    on={"mdp": mdps, "π": policies},
    named={
        "one epoch": twins,
        "lock": lambda: {"mdp": lock(3), "π": rational([["1/10", "9/10"], ["1/2", "1/2"]] * 3)},
    },
    near_misses={"the largest for the sum": largest_only, "means over states for maxima": means_only},
)
def telescope(mdp, π):
    """A policy loses no more than its epochs lose against their own greedy actions."""
    here = lost(π, exact.action_values(mdp, π))
    worst = mdp.per_epoch(here, largest)
    yield {
        error_0: largest(mdp.split(exact.gaps(mdp, π, exact.optimum(mdp)))[0]),
        sum_of_losses: total(worst),
        largest_loss: largest(worst),
        mean_losses: total(mdp.per_epoch(here) / sizes(mdp)[0]),
    }


ε = Quantity(r"\varepsilon", "accuracy", accuracy="exact")

with as_printed():
    accurate = error_0 <= ε


def whole(x):
    """The smallest integers not below x, which is exact or float64."""
    ceil = np.vectorize(lambda y: -int((-y).floor()) if hasattr(y, "floor") else int(np.ceil(y)), otypes=[int])
    return ceil(np.asarray(x))


def printed_budget(mdp, start, share):
    """N_h = ⌈4 (H − h) H R* S ‖1/μ_h‖ / (c_h² ε)⌉ with c_h = 1/A and ε = share · H R*;  (..., H)."""
    states, left = sizes(mdp)
    return whole(4 * left * states * mdp.A**2 * mdp.per_epoch(1 / start, largest) / expand(share, 1))


def budget_without_S(mdp, start, share):
    """The same without S."""
    _, left = sizes(mdp)
    return whole(4 * left * mdp.A**2 * mdp.per_epoch(1 / start, largest) / expand(share, 1))


def a_fiftieth(mdp, start, share):
    """A fiftieth of the budget."""
    return printed_budget(mdp, start, share) // 50


def backward(mdp, start, updates):
    """The dynamic scheme."""
    *_, last = dynamic_pg(mdp, updates=updates, μ=start)
    return last.π


def forward(mdp, start, updates):
    """Epochs trained from the first to the last, each against later ones that have no preference yet."""
    rows = list(mdp.split(exp(log_softmax(0 * mdp.rewards)), 2))
    for h in range(mdp.H):
        q = mdp.split(exact.action_values(mdp, mdp.joined(rows, 2)), 2)[h]
        η = dynamic_step_sizes(mdp)[..., h]
        rows[h] = train_epoch(q, mdp.split(start)[h], step_size=η, updates=updates[..., h]).π
    return mdp.joined(rows, 2)


def a_late_choice(share="1/8"):
    """Against a second epoch without preference, going to the sure state is better; against a trained one it is not."""
    return {"mdp": late_choice(2, "3/5"), "share": rational_number(share)}


LONGEST = 20_000
affordable = Assumption(
    rf"N_h \le {LONGEST:,}".replace(",", r"\,"),
    f"no epoch needs more than {LONGEST:,} updates, which is as many as are run here",
    lambda mdp, start, share: (printed_budget(mdp, start, share) <= LONGEST).all(axis=-1),
)
few = finite_horizon_mdps(2, 2, 2, families=SMALL_FAMILIES)
THM = {"mdp": few, "start": uniform_in_draws, "share": numbers("1/2", 1)}


def final_accuracy(mdp, start, share, budget, train):
    """The one binding of a whole run."""
    π = train(mdp, start, budget(mdp, start, share))
    yield {
        H: mdp.H,
        R: mdp.reward_bound,
        ε: share * mdp.H * mdp.reward_bound,
        error_0: largest(mdp.split(exact.gaps(mdp, π, exact.optimum(mdp)))[0]),
    }


@theorem(
    accurate,
    cite="klein2024",
    at="Theorem on the dynamic scheme with exact gradients",
    source="recalled",
    judge=for_all(up_to=0, exactly_up_to=40),
    on=THM,
    given=[non_negative_rewards, affordable],
    named={"late choice": a_late_choice},
    near_misses={
        "forward in time": {"train": forward},
        "a fiftieth of the updates": {"budget": a_fiftieth},
    },
    trivial=H * R,
    uses=["klein2024.rate_dyn", "klein2024.c_uniform", "klein2024.telescope"],
    note="Derived too.  From uniform policies, c_h = 1/A.  The updates of all epochs together grow like H³.",
)
def thm_dyn(mdp, start, share, *, budget=printed_budget, train=backward):
    """With N_h updates in each epoch, trained from the last to the first, every first state is ε-optimal."""
    yield from final_accuracy(mdp, start, share, budget, train)


@theorem(
    accurate,
    cite="klein2025",
    at="Theorem 4.6, for a finite horizon",
    source="derived",
    status="sharpened",
    judge=for_all(up_to=0, exactly_up_to=40),
    on=THM,
    given=[non_negative_rewards, affordable],
    named={"late choice": a_late_choice},
    near_misses={"forward in time": {"train": forward}, "a fiftieth of the updates": {"budget": a_fiftieth}},
    trivial=H * R,
    uses=["klein2024.rate_dyn_sup", "klein2024.telescope"],
)
def thm_dyn_sup(mdp, start, share, *, budget=budget_without_S, train=backward):
    """The budget of the dynamic scheme needs no factor S."""
    yield from final_accuracy(mdp, start, share, budget, train)


# -------------------------------------------------------------------------------------------- the simultaneous scheme

over_start = Quantity(r"\left\| D^{\pi^*} / \mu \right\|_\infty", "mismatch of optimal visits and start")
δ_next = Quantity(r"J^* - J(\theta^{(n + 1)})", "sub-optimality after n updates", accuracy="relative")
c = Quantity(
    "c", "smallest probability of an optimal action over states, epochs, iterates 1, ..., n", accuracy="relative"
)

with as_printed():
    rate_all = δ_next <= Rational(25, 4) * H**2 * R * S_all / (c**2 * n) * over_start**2
    rate_all_squared = δ_next <= Rational(25, 4) * H**2 * R * S_all / (c**2 * n**2) * over_start**2


def with_predecessors(at: Iterable[int]) -> Iterator[int]:
    """k − 1 and k for each k > 0 of `at`, each once."""
    last = -1
    for k in at:
        for x in (k - 1, k):
            if x > last:
                yield (last := x)


@theorem(
    rate_all,
    cite="klein2024",
    at="Theorem on the simultaneous scheme with exact gradients",
    source="derived",
    judge=for_all(n, up_to=1000, exactly_up_to=5),
    on={"mdp": finite_horizon_mdps(families=SMALL_FAMILIES), "θ": logits},
    given=[positive_start, non_negative_rewards],
    named={"uneven epochs": uneven, "three identical states": lambda: twin_states(3)},
    near_misses={"as the square of n": rate_all_squared, "steps a twentieth as long": {"scale": TWENTIETH}},
    trivial=H * R,
    uses=["klein2024.wpl_sim", "klein2024.smooth_sim"],
    note="At least as good as the recalled N = 10 H⁵ R* S ‖d/μ‖² / (c² ε): with D = H d and S̃ = H S, 6.25 for 10.",
)
def thm_sim(mdp, θ, *, scale=1):
    """With step 1 / (5 H² R*) on all epochs at once the sub-optimality falls like 1/n, with H⁵ in front."""
    best = exact.optimum(mdp)
    constants = {
        H: mdp.H,
        R: mdp.reward_bound,
        S_all: mdp.S,
        over_start: largest(exact.visits(mdp, best.policy) / mdp.start),
    }
    step = scaled(1 / (5 * mdp.H**2 * mdp.reward_bound), scale)
    run = simultaneous_pg(mdp, θ, step_size=step, at=with_predecessors(geometric()), optimum=best)
    for x, y in pairwise(run):
        if y.k == x.k + 1:
            yield constants | {n: y.k, c: x.least, δ_next: exact.gap(mdp, y.π, best)}


η = Quantity(r"\eta", "step size", accuracy="exact")
gain = Quantity(r"(J(\theta^{(n + 1)}) - J(\theta^{(n)}))", "what one update gains")

with as_printed():
    ascent = gain >= Rational(4, 5) * η * slope**2
    recursion = gain >= Rational(4, 25) / (H**2 * R) * c_n**2 / S_all * mismatch**-2 * δ**2
    too_much_ascent = gain >= Rational(21, 20) * η * slope**2
    recursion_without_mismatch = gain >= Rational(4, 25) / (H**2 * R) * c_n**2 / S_all * δ**2


@theorem(
    {"(a)": ascent, "(b)": recursion},
    cite="klein2024",
    at="proof of the theorem on the simultaneous scheme",
    source="derived",
    judge=for_all(n, up_to=60, exactly_up_to=3),
    on={"mdp": mdps, "θ": logits},
    given=[positive_start, non_negative_rewards],
    named={"lock": lost_in_the_lock, "uneven epochs": uneven},
    near_misses={
        "more than the whole slope": too_much_ascent,
        "without the mismatch": recursion_without_mismatch,
        "down the gradient": {"scale": -1},
        "steps a thousand times as long": {"scale": 1000},
    },
    uses=["klein2024.wpl_sim", "klein2024.smooth_sim"],
)
def rate_sim_step(mdp, θ, *, scale=1):
    """With η = 1 / (5 H² R*) one update of all epochs gains 4/5 of η‖∇J‖², and hence of the squared sub-optimality."""
    best = exact.optimum(mdp)
    step = scale / (5 * mdp.H**2 * mdp.reward_bound)
    constants = {H: mdp.H, R: mdp.reward_bound, S_all: mdp.S, η: step}
    optimal_visits = exact.visits(mdp, best.policy)
    for x, y in pairwise(simultaneous_pg(mdp, θ, step_size=step)):
        A_x = exact.advantages(mdp, x.π)
        yield constants | {
            n: x.k + 1,
            c_n: smallest(total(x.π * best.policy)),
            mismatch: largest(optimal_visits / exact.visits(mdp, x.π)),
            slope: norm(exact.softmax_gradient(mdp, x.π), 2),
            δ: exact.gap(mdp, x.π, best),
            gain: total(exact.visits(mdp, y.π) * total((y.π - x.π) * A_x)),
        }


# ---------------------------------------------------------------------------------------------------- sampled gradients

ĝ = Quantity(r"\mathbb E\, \hat g", "mean of the estimate of one trajectory, by logit")
ĝ_h = Quantity(r"\mathbb E\, \hat g_h", "mean of the estimate of one trajectory from the epoch on, by logit")

with as_printed():
    unbiased_together = Eq(ĝ, dJ)
    unbiased_half = Eq(ĝ, dJ / 2)
    unbiased_epoch = Eq(ĝ_h, dJ_h)
    unbiased_epoch_half = Eq(ĝ_h, dJ_h / 2)

short = finite_horizon_mdps(3, 2, 2, families=SMALL_FAMILIES)
short_first = finite_horizon_mdps(3, 2, 2, everywhere=False, families=SMALL_FAMILIES)


def without_the_present(seen, policy):
    """A mistake: rewards count from the next epoch on."""
    return gpomdp(replace(seen, rewards=seen.rewards * (np.arange(seen.H) > 0)), policy)


@theorem(
    unbiased_together,
    cite="klein2024",
    at="estimator of the simultaneous scheme",
    source="derived",
    judge=in_expectation([ĝ]),
    on={"mdp": short, "π": policies},
    named={"uneven epochs": lambda: {"mdp": uneven(), "π": uneven_policy}},
    near_misses={"half the gradient": unbiased_half, "the first reward forgotten": {"estimate": without_the_present}},
)
def unbiased_sim(mdp, π, draws, *, estimate=gpomdp):
    """Scores times what is paid from their epoch on have the simultaneous gradient as their mean."""
    yield {ĝ: estimate(rollouts(mdp, π, mdp.H, draws), π), dJ: exact.softmax_gradient(mdp, π)}


def first_epoch(mdp, x, axes=1):
    """The rows of the first epoch, of x (..., S) or (..., S, A)."""
    return x[(..., slice(mdp.sizes[0]), *(slice(None),) * (axes - 1))]


def immediate(seen, policy):
    """A mistake: the score of the first action times the first reward alone."""
    return first_action(replace(seen, rewards=seen.rewards * (np.arange(seen.H) == 0)), policy)


def of_the_epoch(mdp, π, draws, estimate):
    """One estimate of the first epoch's gradient for each draw;  (..., S_0, A)."""
    return first_epoch(mdp, estimate(rollouts(mdp, π, mdp.H, draws), π), 2)


def epoch_slope(mdp, π):
    """∇J_h of the first epoch, later ones frozen;  (..., S_0, A)."""
    return first_epoch(mdp, exact.epoch_gradients(mdp, π, mdp.start), 2)


@theorem(
    unbiased_epoch,
    cite="klein2024",
    at="estimator of the dynamic scheme",
    source="derived",
    judge=in_expectation([ĝ_h]),
    on={"mdp": short_first, "π": policies},
    named={"lock": lambda: {"mdp": lock(3), "π": rational([["1/3", "2/3"], ["1/2", "1/2"]] * 3)}},
    near_misses={"half the gradient": unbiased_epoch_half, "the frozen future forgotten": {"estimate": immediate}},
    note="The epoch is the first one of its model: what came before does not matter to it.  Quoted by the follow-up "
    "(Klein et al., 2025, Lemma D.6).",
)
def unbiased_dyn(mdp, π, draws, *, estimate=first_action):
    """The score of the epoch's action times all that is paid from there on has the epoch's gradient as its mean."""
    yield {ĝ_h: of_the_epoch(mdp, π, draws, estimate), dJ_h: epoch_slope(mdp, π)}


square_h = Quantity(r"\mathbb E \| \hat g_h \|_2^2", "mean square of the estimate for one epoch", accuracy="relative")
off = Quantity(r"\mathbb E \| \hat g - \nabla J(\theta) \|_2^2", "variance of the simultaneous estimate")
squares_to_go = Quantity(r"\sum_h (H - h)^2", "sum of the squares of the epochs left", integer=True)

with as_printed():
    moment_h = square_h <= (1 - 1 / A) * (H * R) ** 2
    moment_h_half = square_h <= (1 - 1 / A) * (H * R) ** 2 / 2
    moment_h_one_reward = square_h <= (1 - 1 / A) * H * R**2
    variance_all = off <= (1 - 1 / A) * R**2 * squares_to_go
    variance_first_alone = off <= (1 - 1 / A) * R**2 * H**2
    variance_all_half = off <= (1 - 1 / A) * R**2 * squares_to_go / 2


def steady(epochs=1):
    """One state, two actions, both of which pay one in every epoch: nothing to learn, all is noise."""
    return FiniteHorizonMDP((rational([[[1], [1]]]),) * (epochs - 1), (rational([[1, 1]]),) * epochs)


@theorem(
    moment_h,
    cite="klein2024",
    at="second moment of the estimator, dynamic scheme",
    source="derived",
    judge=in_expectation([square_h]),
    on={"mdp": short_first, "π": policies},
    given=[non_negative_rewards],
    named={"two arms that pay one": steady, "the same for three epochs": lambda: steady(3)},
    near_misses={"half of it": moment_h_half, "as if rewards did not add up": moment_h_one_reward},
    note="Attained: without preference every score has squared length 1 − 1/A.  Here H − h is the whole horizon.  "
    "Quoted by the follow-up (Klein et al., 2025, Lemma D.6).",
)
def moment_dyn(mdp, π, draws):
    """An epoch's estimate from one trajectory has a mean square of at most (1 − 1/A) ((H − h) R*)²; K of them, 1/K."""
    g = of_the_epoch(mdp, π, draws, first_action)
    yield {H: mdp.H, A: mdp.A, R: mdp.reward_bound, square_h: total(g * g, 2)}


@theorem(
    variance_all,
    cite="klein2024",
    at="variance of the estimator, simultaneous scheme",
    source="derived",
    judge=in_expectation([off]),
    on={"mdp": short, "π": policies},
    given=[non_negative_rewards],
    named={"two arms that pay one": steady, "the same for three epochs": lambda: steady(3)},
    near_misses={"half of it": variance_all_half, "as if only the first epoch varied": variance_first_alone},
)
def variance_sim(mdp, π, draws):
    """The simultaneous estimate from one trajectory varies by at most (1 − 1/A) R*² Σ (H − h)²; the mean of K, 1/K."""
    error = gpomdp(rollouts(mdp, π, mdp.H, draws), π) - one_more_axis(exact.softmax_gradient(mdp, π))
    left = sum(h * h for h in range(1, mdp.H + 1))
    yield {H: mdp.H, A: mdp.A, R: mdp.reward_bound, squares_to_go: left, off: total(error * error, 2)}


def after(it, step_size):
    """The policies after the update that an iterate of a sampled run is about to make."""
    return exp(log_softmax(moved(it.θ, step_size, it.direction)))


def one_more_axis(g):
    """g (..., S, A) with an axis of length one for the replicates, before the last two."""
    return g[..., None, :, :]


mean_gain = Quantity(r"\mathbb E [J_h(\theta_h + \eta \hat g_h) - J_h(\theta_h)]", "mean gain of one sampled update")
mean_gain_all = Quantity(r"\mathbb E [J(\theta + \eta \hat g) - J(\theta)]", "mean gain of one sampled update")
square = Quantity(r"\mathbb E \| \hat g \|_2^2", "mean square of the estimate", accuracy="relative")

with as_printed():
    sampled_ascent = {
        "printed": mean_gain >= η * slope_h**2 - H * R * η**2 * square_h,
        "sharper": mean_gain >= η * slope_h**2 - spread / (6 * sqrt(3)) * η**2 * square_h,
    }
    ascent_without_noise = mean_gain >= η * slope_h**2
    ascent_little_noise = mean_gain >= η * slope_h**2 - spread / 100 * η**2 * square_h
    sampled_ascent_all = mean_gain_all >= η * slope**2 - H**2 * R * (1 - 1 / (2 * A)) * η**2 * square
    ascent_all_without_noise = mean_gain_all >= η * slope**2


def mostly_right(step="2"):
    """Two arms that pay 1 and 0, the first nearly always taken: an update mostly gains little, and loses by chance."""
    return {"mdp": twin_states(1), "θ": rational([[1, 0]]), "step_size": rational_number(step)}


@theorem(
    sampled_ascent,
    cite="klein2024",
    at="one sampled update of the dynamic scheme",
    source="derived",
    judge=in_expectation([mean_gain, square_h]),
    on={"mdp": short_first, "θ": logits, "step_size": numbers("1/10", 4)},
    given=[non_negative_rewards],
    named={"mostly right": mostly_right},
    near_misses={
        "without the noise": ascent_without_noise,
        "a twentieth of the curvature": ascent_little_noise,
        "down the gradient": {"sign": -1},
    },
    uses=["klein2024.smooth_dyn", "klein2024.smooth_dyn_sharp"],
    note="Any step size; one trajectory, K of them divide the variance by K.",
)
def sgd_ascent(mdp, θ, step_size, draws, *, sign=1):
    """A sampled update of an epoch gains η‖∇J_h‖² in the mean, less the curvature times η² times the noise."""
    S_0, π = mdp.sizes[0], exp(log_softmax(θ))
    at_first, later = θ[..., :S_0, :], π[..., S_0:, :]
    x = next(sampled_epoch_pg(mdp, later, at_first, draws=draws, step_size=step_size))
    A_x = first_epoch(mdp, exact.advantages(mdp, π), 2)
    start = first_epoch(mdp, mdp.start)
    change = one_more_axis(start[..., None] * A_x) * (after(x, sign * step_size) - one_more_axis(x.π))
    q = first_epoch(mdp, exact.action_values(mdp, π), 2)
    yield {
        H: mdp.H,
        R: mdp.reward_bound,
        η: step_size,
        slope_h: norm(epoch_slope(mdp, π), 2),
        spread: largest(start * (largest(q) - smallest(q))),
        square_h: total(x.direction * x.direction, 2),
        mean_gain: total(change, 2),
    }


@theorem(
    sampled_ascent_all,
    cite="klein2024",
    at="one sampled update of the simultaneous scheme",
    source="derived",
    judge=in_expectation([mean_gain_all, square]),
    on={"mdp": short, "θ": logits, "step_size": numbers("1/10", 4)},
    given=[non_negative_rewards],
    named={"mostly right": mostly_right},
    near_misses={"without the noise": ascent_all_without_noise, "down the gradient": {"sign": -1}},
    uses=["klein2024.smooth_sim"],
)
def sgd_ascent_sim(mdp, θ, step_size, draws, *, sign=1):
    """A sampled update of all epochs gains η‖∇J‖² in the mean, less the curvature times η² times the noise."""
    x = next(sampled_simultaneous_pg(mdp, θ, draws=draws, step_size=step_size))
    next_π = after(x, sign * step_size)
    weighted = one_more_axis(exact.advantages(mdp, x.π)) * (next_π - one_more_axis(x.π))
    yield {
        H: mdp.H,
        A: mdp.A,
        R: mdp.reward_bound,
        η: step_size,
        slope: norm(exact.softmax_gradient(mdp, x.π), 2),
        square: total(x.direction * x.direction, 2),
        mean_gain_all: total(exact.visits(with_replicates(mdp), next_π) * total(weighted)),
    }


def with_replicates(mdp):
    """The same model with a batch axis of length one for the replicates."""
    axis = len(mdp.batch)
    return mdp.map(lambda x: np.expand_dims(np.asarray(x), axis))


N = Quantity("N", "number of sampled updates", integer=True)
K = Quantity("K", "trajectories for one update", integer=True)
mean_slope = Quantity(
    r"\frac 1 N \sum_{n < N} \mathbb E \| \nabla J_h(\theta_h^{(n)}) \|_2^2", "mean square of the gradients on the way"
)
δ_first = Quantity(r"(J_h^* - J_h(\theta_h^{(0)}))", "sub-optimality of the first policy", accuracy="relative")
β_h, σ_h = 2 * to_go * R, (1 - 1 / A) * (to_go * R) ** 2

with as_printed():
    sampled_rate = mean_slope <= 2 * δ_first / (η * N) + β_h * η * σ_h / K
    sampled_rate_squared = mean_slope <= 2 * δ_first / (η * N**2) + β_h * η * σ_h / K**2
    sampled_rate_noise_alone = mean_slope <= β_h * η * σ_h / K

one_epoch = finite_horizon_mdps(1, 2, 2, families=SMALL_FAMILIES[:1])


@theorem(
    sampled_rate,
    cite="klein2024",
    at="mean gradients of the sampled dynamic scheme",
    source="derived",
    judge=in_expectation({mean_slope: (0, (to_go * R) ** 2 / 8)}, replicates=2**13),
    on={"mdp": one_epoch},
    given=[non_negative_rewards],
    named={"two arms": lambda: twin_states(1), "two states": lambda: twin_states(2)},
    near_misses={
        "N and K squared": sampled_rate_squared,
        "the noise alone": sampled_rate_noise_alone,
        "steps a hundredth as long": {"scale": Fraction(1, 100)},
    },
    uses=["klein2024.sgd_ascent", "klein2024.moment_dyn"],
    note="N = 32 updates of K = 32 trajectories with step 1/β, in one epoch from uniform policies.  A state's part of "
    "‖∇J_h‖² is at most the square of its range of values over 8.",
)
def sgd_rate(mdp, draws, *, scale=1, updates=32, batch=32):
    """With steps up to 1/β the gradients of the sampled dynamic scheme become small on average, down to the noise."""
    step = 1 / (2 * mdp.H * mdp.reward_bound)
    nothing = 0 * mdp.r[-1][..., :0, :]
    run = sampled_epoch_pg(mdp, nothing, draws=draws, step_size=scaled(step, scale), batch=batch)
    q = mdp.r[0]
    squares = [total((mdp.start[..., None] * it.π * centred(q, it.π)) ** 2, 2) for it in islice(run, updates)]
    yield {
        N: updates,
        K: batch,
        to_go: mdp.H,
        A: mdp.A,
        R: mdp.reward_bound,
        η: step,
        δ_first: total(mdp.start * lost(0 * q + rational_or_float(mdp, 1) / mdp.A, q)),
        mean_slope: sum(squares) / updates + 0 * draws.uniforms("none", 1)[..., 0],
    }


def rational_or_float(mdp, x):
    """A number in the arithmetic of the model."""
    return rational_number(x) if is_exact(mdp.start) else float(x)


distance = Quantity(r"\| \bar\theta_h^{(n)} - \theta_h^{(n)} \|_2", "distance of the sampled run from the exact one")
c_star = Quantity("c_h", "smallest probability of a best action in the exact run, at least 1/A", accuracy="exact")
here_sampled = Quantity(
    r"\min_s \bar\pi_h^{(n)}(a_h^*(s) | s)", "smallest probability of a best action in the sampled run"
)
failing = Quantity(r"\delta", "probability of leaving the tube that is put up with", accuracy="exact")

with as_printed():
    in_the_tube = {"tube": distance <= c_star / 4, "best actions": here_sampled >= c_star / 2}
    in_a_thin_tube = distance <= c_star / 200


def printed_batch(A, updates, δ):
    """K = ⌈5 n³ / (c² δ²)⌉ with c = 1/A."""
    return int(np.ceil(5 * updates**3 * A**2 / δ**2))


def one_trajectory(A, updates, δ):
    """A mistake: K = 1."""
    return 1


def steady_pair():
    """Two arms that both pay one: only noise moves the logits."""
    return steady(1)


@theorem(
    in_the_tube,
    cite="klein2024",
    at="stopping time of the sampled dynamic scheme",
    source="recalled",
    judge=with_probability(1 - failing, jointly=n, replicates=256),
    on={"mdp": one_epoch},
    given=[non_negative_rewards],
    named={"only noise": steady_pair, "two arms": lambda: twin_states(1)},
    near_misses={
        "a fiftieth of the tube": in_a_thin_tube,
        "one trajectory an update": {"batches": one_trajectory},
    },
    note="n = 2 updates, δ = 1/2, K = ⌈5 n³ / (c² δ²)⌉ = 640 for two actions, η = 1/(√n L), in one epoch.  The batch "
    "is quoted by the follow-up (Klein et al., 2025, Lemma D.9), the radius c/4 is remembered.  Very loose.",
)
def stopping_time(mdp, draws, *, batches=printed_batch, updates=2, δ_=0.5):
    """With the batch of the theorem the sampled run stays near the exact one, and best actions stay likely."""
    η_ = 1 / (2 * mdp.H * mdp.reward_bound * float(updates) ** 0.5)
    nothing, q = 0 * mdp.r[-1][..., :0, :], mdp.r[0]
    sampled = sampled_epoch_pg(mdp, nothing, draws=draws, step_size=η_, batch=batches(mdp.A, updates, δ_))
    exactly = epoch_pg(q, mdp.start, step_sizes=η_)
    zero = 0 * draws.uniforms("none", 1)[..., 0]
    for x, y in islice(zip(sampled, exactly, strict=False), updates + 1):
        yield {
            n: x.k,
            failing: δ_,
            c_star: 1 / mdp.A,
            distance: norm(x.θ - y.θ, 2) + zero,
            here_sampled: smallest(at_best(x.π, q)) + zero,
        }
