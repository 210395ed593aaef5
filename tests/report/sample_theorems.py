"""Statements of every kind a report has to show: a decay, one point, an identity, parts, a falsehood, chance."""

import numpy as np
from sympy import Eq, Rational, log, sqrt

from mdplab import exact
from mdplab.arrays import largest, norm, rational, smallest, softmax, sup, total
from mdplab.instances import bandits, discounted_mdps, logits, named, policies, values
from mdplab.models import bandit
from mdplab.sampling import rollouts
from mdplab.solvers import geometric, softmax_pg, value_iteration
from mdplab.theorem import (
    Quantity,
    Without,
    as_printed,
    for_all,
    identity,
    in_expectation,
    positive_start,
    rate,
    theorem,
    with_probability,
    witness,
)

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
S = Quantity("S", "number of states", integer=True)
k = Quantity("k", "number of backups", integer=True)
t = Quantity("t", "iterate, from 1", integer=True)
error = Quantity(r"\lVert v_k - v^\star \rVert_\infty", "error of the k-th iterate")
step = Quantity(r"\lVert v_1 - v_0 \rVert_\infty", "length of the first step")
gap = Quantity(r"V^*(\mu) - V^{\pi_t}(\mu)", "how far the t-th policy is from optimal", accuracy="relative")
c = Quantity("c_t", "smallest probability of an optimal action so far", accuracy="relative")
mismatch = Quantity(
    r"\left\lVert \tfrac{d^{\pi^*}_\mu}{\mu} \right\rVert_\infty",
    "mismatch of the start with where an optimal policy goes",
    accuracy="relative",
)
rarest = Quantity(r"\bigl\lVert \tfrac{1}{\mu} \bigr\rVert_\infty", "one over the rarest start", accuracy="relative")
gradient = Quantity(r"\lVert \nabla_\theta V^{\pi_\theta}(\mu) \rVert_2", "length of the gradient")
gain = Quantity(r"V^{\pi'}(s) - V^\pi(s)", "what the new policy gains")
advantage = Quantity(
    r"\mathbb{E}_{s' \sim d_s^{\pi'},\, a \sim \pi'(\cdot|s')}[A^\pi(s', a)]", "advantage of the new policy"
)

with as_printed():
    apriori = error <= γ**k / (1 - γ) * step
    one_power_too_many = error <= γ ** (k + 1) / (1 - γ) * step
    rate_of_pg = gap <= 16 * S / (c**2 * (1 - γ) ** 6 * t) * mismatch**2 * rarest
    without_the_horizon = gap <= Rational(1, 1000) / (c * t)
    flat = gradient <= 1 / (1 - γ) ** 2
    too_flat = gradient <= Rational(1, 4)


@theorem(
    apriori,
    cite="puterman1994",
    at="Theorem 6.3.3(d)",
    source="recalled",
    judge=for_all(k, up_to=200),
    on={"mdp": discounted_mdps(rewards="any"), "v0": values},
    named={"one state": named.one_state_loop, "two by two": named.two_by_two},
    near_misses={"one power of γ too many": one_power_too_many},
)
def contraction(mdp, v0, *, solver=value_iteration):
    """The first step of value iteration bounds the error of every later iterate.

    Any finite discounted model and any start; an equality for one state with constant reward.
    """
    v_star = exact.optimum(mdp).v
    constants = {γ: mdp.discount, step: sup(mdp.bellman(v0) - v0)}
    for n, v in enumerate(solver(mdp, v0)):
        yield constants | {k: n, error: sup(v - v_star)}


def backwards(mdp, θ=None, *, at=None, optimum=None):
    """Softmax policy gradient with the sign of its step wrong."""
    return softmax_pg(mdp, θ, step_size=-((1 - mdp.discount) ** 3) / 8, at=at, optimum=optimum)


@theorem(
    rate_of_pg,
    cite="mei2020softmax",
    at="Theorem 4",
    source="read",
    judge=for_all(t, up_to=4000, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits},
    given=[positive_start],
    named={"two by two": named.two_by_two, "two-armed bandit": named.two_armed_bandit},
    near_misses={
        "a thousandth of 1 / (c t)": without_the_horizon,
        "a start that misses states": Without(positive_start),
    },
    trivial=1 / (1 - γ),
    note="The running minimum c_t stands for the infimum over the whole run.",
)
def sublinear(mdp, θ, *, solver=softmax_pg):
    """Softmax policy gradient with exact gradients reaches optimal values at the rate 1/t."""
    best = exact.optimum(mdp)
    d = exact.occupancy(mdp, best.policy)
    constants = {
        S: mdp.S,
        γ: mdp.discount,
        mismatch: largest(d / mdp.start),
        rarest: 1 / smallest(mdp.start),
    }
    for it in solver(mdp, θ, at=geometric(4000), optimum=best):
        yield constants | {t: it.k + 1, c: it.least, gap: exact.gap(mdp, it.π, best)}


@theorem(
    flat,
    cite="derived",
    at="without number",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits},
    near_misses={"a quarter, whatever the horizon": too_flat},
)
def short_gradient(mdp, θ):
    """The policy gradient is never longer than the square of the horizon."""
    yield {γ: mdp.discount, gradient: norm(exact.softmax_gradient(mdp, softmax(θ)), 2)}


with as_printed():
    difference = Eq(gain, advantage / (1 - γ))
    without_horizon = Eq(gain, advantage)


@theorem(
    difference,
    cite="kakade2002",
    at="Lemma 6.1",
    source="recalled",
    judge=identity(),
    on={"mdp": discounted_mdps(), "old": policies, "new": policies},
    near_misses={"without 1 / (1 − γ)": without_horizon},
)
def performance_difference(mdp, old, new):
    """What a new policy gains is its discounted sum of the old policy's advantages."""
    A = (new * exact.advantages(mdp, old)).sum(-1)
    for s in range(mdp.S):
        start = mdp.start * 0
        start[..., s] = start[..., s] + 1
        d = exact.occupancy(mdp, new, start)
        yield {
            γ: mdp.discount,
            gain: (exact.values(mdp, new) - exact.values(mdp, old))[..., s],
            advantage: (d * A).sum(-1),
        }


with as_printed():
    best_arm = gap <= 1 / t
    half = gap <= 1 / (2 * t)


@theorem(
    best_arm,
    cite="mei2020softmax",
    at="remark after Theorem 2",
    source="recalled",
    status="refuted",
    judge=for_all(t, up_to=400, exactly_up_to=8),
    on={"mdp": bandits(), "θ": logits},
    named={"rare best arm": named.rare_best_arm},
    near_misses={"half of it": half},
)
def too_good(mdp, θ, *, solver=softmax_pg):
    """On bandits softmax policy gradient would be within 1/t of the best arm."""
    best = exact.optimum(mdp)
    for it in solver(mdp, θ, step_size=_two_fifths(mdp), at=geometric(400), optimum=best):
        yield {t: it.k + 1, gap: exact.gap(mdp, it.π, best)}


def _two_fifths(mdp):
    return rational("2/5")[()] if mdp.P.dtype == object else 0.4


with as_printed():
    twice = error <= 2 * γ**k / (1 - γ) ** 2 * step
    reached = error >= γ**k / (1 - γ) * step


@theorem(
    {"values": apriori, "steps": twice},
    cite="puterman1994",
    at="Corollary 6.3.4",
    source="recalled",
    judge=for_all(k, up_to=60),
    on={"mdp": discounted_mdps(), "v0": values},
    near_misses={},
)
def in_parts(mdp, v0):
    """Two bounds on the error of value iteration, the second much looser."""
    yield from contraction(mdp, v0)


with as_printed():
    vanishing = gap <= 1 / t
    too_fast = gap <= 1 / t**2


@theorem(
    vanishing,
    cite="mei2020softmax",
    at="Theorem 4, as an order",
    source="read",
    judge=rate(t, up_to=2000),
    on={"mdp": bandits(), "θ": logits},
    near_misses={"1/t²": too_fast},
)
def order(mdp, θ, *, solver=softmax_pg):
    """The gap of softmax policy gradient is of order 1/t."""
    best = exact.optimum(mdp)
    for it in solver(mdp, θ, step_size=_two_fifths(mdp), at=geometric(2000), optimum=best):
        yield {t: it.k + 1, gap: exact.gap(mdp, it.π, best)}


@theorem(
    reached,
    cite="puterman1994",
    at="Theorem 6.3.3(d)",
    source="recalled",
    judge=witness(),
    on={"mdp": discounted_mdps(), "v0": values},
    named={"one state": named.one_state_loop, "two by two": named.two_by_two},
    near_misses={},
)
def attained(mdp, v0):
    """Some model attains the bound of value iteration at every iterate."""
    yield from contraction(mdp, v0)


# -- claims about expectations and probabilities -----------------------------------------------------------------------

n = Quantity("n", "number of samples", integer=True)
h = Quantity("h", "number of steps", integer=True)
δ = Quantity(r"\delta", "probability of failure", accuracy="exact")
cut = Quantity(r"\sum_{k < h} \gamma^k r_k", "return of the first steps")
value = Quantity(r"V^\pi(\mu)", "value of the policy")
square = Quantity(r"(\bar r_n - \langle \pi, r \rangle)^2", "squared error of the average of n rewards")
miss = Quantity(r"|\bar r_n - \langle \pi, r \rangle|", "error of the average of n rewards")
estimate = Quantity(r"\bar r_n", "average of n rewards")
expected = Quantity(r"\langle \pi, r \rangle", "expected reward")

with as_printed():
    nearly_all = cut >= value - γ**h / (1 - γ)
    nothing_missed = cut >= value
    popoviciu = square <= 1 / (2 * n)
    eighth = square <= 1 / (32 * n)
    hoeffding = miss <= sqrt(log(2 / δ) / (2 * n))
    tenth = miss <= sqrt(log(2 / δ) / (2 * n)) / 10
    not_above = estimate <= expected
    far_below = estimate <= expected - Rational(1, 10)


def fair_coin():
    """Two arms of rewards 0 and 1, each pulled half of the time."""
    return {"mdp": bandit(rational(["0", "1"])), "θ": np.zeros((1, 2))}


@theorem(
    nearly_all,
    cite="derived",
    at="cut returns",
    source="derived",
    judge=in_expectation({cut: (0, 1 / (1 - γ))}),
    on={"mdp": discounted_mdps(), "θ": logits},
    named={"one state": named.one_state_loop},
    near_misses={"nothing is missed": nothing_missed},
)
def cut_return(mdp, θ, draws):
    """The return of two steps misses no more than two steps can hide."""
    π = softmax(θ)
    seen = rollouts(mdp, π, 2, draws)
    yield {
        γ: mdp.discount,
        h: 2,
        cut: total(seen.rewards * seen.weights),
        value: total(mdp.start * exact.values(mdp, π)),
    }


def averages(mdp, θ, draws):
    """Averages of 1, 2, 4, ..., 32 rewards of a bandit, and the mean."""
    π = softmax(θ)
    mean = total(π[..., 0, :] * mdp.r[..., 0, :])
    for m in 2 ** np.arange(6):
        r = rollouts(mdp, π, 1, draws.at(int(m)).samples(int(m))).rewards
        yield m, r[..., 0].mean(-1), mean


@theorem(
    popoviciu,
    cite="derived",
    at="averages",
    source="derived",
    judge=in_expectation({square: (0, 1)}, index=n, replicates=2**13),
    on={"mdp": bandits(), "θ": logits},
    named={"fair coin": fair_coin},
    near_misses={"an eighth of the variance": eighth},
)
def average(mdp, θ, draws):
    """The average of n rewards is off by no more than 1/(2n) in mean square."""
    for m, x, mean in averages(mdp, θ, draws):
        yield {n: m, square: (x - mean) ** 2}


@theorem(
    hoeffding,
    cite="derived",
    at="averages",
    source="derived",
    judge=with_probability(1 - 2 * δ, jointly=n, replicates=2**13),
    on={"mdp": bandits(), "θ": logits},
    named={"fair coin": fair_coin},
    near_misses={"a tenth of it": tenth},
)
def deviation(mdp, θ, draws):
    """Averages of rewards stay near the mean."""
    for m, x, mean in averages(mdp, θ, draws):
        yield {n: m, δ: 0.1, miss: abs(x - mean)}


@theorem(
    not_above,
    cite="derived",
    at="averages",
    source="derived",
    judge=in_expectation({estimate: (0, 1)}, replicates=2**12),
    on={"mdp": bandits(), "θ": logits},
    near_misses={"a tenth less": far_below},
)
def unbiased(mdp, θ, draws):
    """Averages are unbiased: true with equality, so that no race decides it."""
    *_, (_, x, mean) = averages(mdp, θ, draws)
    yield {estimate: x, expected: mean}


@theorem(
    eighth,
    cite="derived",
    at="averages",
    source="derived",
    status="refuted",
    judge=in_expectation({square: (0, 1)}, index=n, replicates=2**13),
    on={"mdp": bandits(), "θ": logits},
    named={"fair coin": fair_coin},
)
def too_small(mdp, θ, draws):
    """An eighth of the variance that there may be."""
    yield from average(mdp, θ, draws)
