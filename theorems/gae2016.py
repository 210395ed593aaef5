"""Schulman, Moritz, Levine, Jordan and Abbeel (2016), High-Dimensional Continuous Control Using GAE: bias and variance.

V̂ is any guess of V^π, e = V̂ − V^π its error.  The paper's text was not at hand; all but the telescope is derived.
"""

from functools import partial

import numpy as np
from sympy import Eq

from mdplab.arrays import expand, rational, rational_number, sup, total
from mdplab.exact import action_values, advantages, gae_mean, gae_second_moment, gae_variance, td_errors
from mdplab.exact import values as values_of
from mdplab.instances import Family, discounted_mdps, families, numbers, policies, two_by_two, values
from mdplab.models import DiscountedMDP
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
λ = Quantity(r"\lambda", "decay of the trace", accuracy="exact")
mean = Quantity(r"\mathbb E[\hat A_t | s, a]", "mean of the estimate")
Adv = Quantity(r"A^\pi(s, a)", "advantage")
e = Quantity(r"e(s)", "error of the guessed value")
ahead = Quantity(r"[P (I - \gamma \lambda P_\pi)^{-1} e](s, a)", "discounted sum of the errors to come")

on = {"mdp": discounted_mdps(rewards="any"), "π": policies, "v": values, "λ_": numbers(0, 1)}


def errors_ahead(mdp, π, error, trace):
    """P (I − γλ P_π)^{-1} e, by summing the errors of the states as rewards of another model;  -> (..., S, A)."""
    paid = DiscountedMDP(mdp.P, error[..., None] + 0 * mdp.r, mdp.discount * trace, mdp.start)
    return mdp.expected_next(values_of(paid, π))


with as_printed():
    mean_of_estimate = Eq(mean, Adv - e + γ * (1 - λ) * ahead)
    without_baseline = Eq(mean, Adv + γ * (1 - λ) * ahead)
    without_errors_ahead = Eq(mean, Adv - e)
    other_sign = Eq(mean, Adv - e - γ * (1 - λ) * ahead)


@theorem(
    mean_of_estimate,
    cite="gae2016",
    at="Section 3, on the bias",
    source="derived",
    judge=identity(),
    on=on,
    near_misses={
        "without the baseline": without_baseline,
        "without the errors to come": without_errors_ahead,
        "the other sign": other_sign,
    },
    note="With λ = 1 the mean is Q^π − V̂: a baseline, no bias.  With V̂ = V^π it is A^π for every λ.",
)
def mean_of(mdp, π, v, λ_):
    """What the estimate is on average: the advantage, less a baseline, and the errors of values to come."""
    error = v - values_of(mdp, π)
    yield {
        γ: expand(mdp.discount, 2),
        λ: expand(λ_, 2),
        mean: gae_mean(mdp, π, v, λ_),
        Adv: advantages(mdp, π),
        e: error[..., None],
        ahead: errors_ahead(mdp, π, error, λ_),
    }


mean_at_one = Quantity(r"\mathbb E[\hat A^{\lambda = 1}_t | s, a]", "mean of the estimate for λ = 1")
mean_of_true = Quantity(r"\mathbb E[\hat A_t | s, a]_{\hat V = V^\pi}", "mean of the estimate where the guess is right")
Q = Quantity(r"Q^\pi(s, a)", "action value")
guess = Quantity(r"\hat V(s)", "guessed value")
with as_printed():
    unbiased_at_one = Eq(mean_at_one, Q - guess)
    unbiased_if_true = Eq(mean_of_true, Adv)
    unbiased_always = Eq(mean, Q - guess)
    unbiased_without_baseline = Eq(mean_at_one, Adv)


@theorem(
    {"λ = 1": unbiased_at_one, "true values": unbiased_if_true},
    cite="gae2016",
    at="Section 3, γ-just estimators",
    source="derived",
    judge=identity(),
    on=on,
    near_misses={"for every λ": unbiased_always, "λ = 1 without the baseline": unbiased_without_baseline},
    uses=["gae2016.mean_of"],
)
def just(mdp, π, v, λ_):
    """With λ = 1, or where the guess is right, the estimate has no bias but a baseline."""
    yield {
        mean_at_one: gae_mean(mdp, π, v, 0 * λ_ + 1),
        mean_of_true: gae_mean(mdp, π, values_of(mdp, π), λ_),
        mean: gae_mean(mdp, π, v, λ_),
        Q: action_values(mdp, π),
        guess: v[..., None],
        Adv: advantages(mdp, π),
    }


bias = Quantity(
    r"\max_{s,a} \left| \mathbb E[\hat A_t | s, a] + e(s) - A^\pi(s, a) \right|", "largest bias other than a baseline"
)
worst = Quantity(r"\lVert e \rVert_\infty", "largest error of the guess")
with as_printed():
    bounded = bias <= γ * (1 - λ) / (1 - γ * λ) * worst
    too_small = bias <= γ * (1 - λ) * worst
    half = bias <= γ * (1 - λ) / (2 * (1 - γ * λ)) * worst


@theorem(
    bounded,
    cite="gae2016",
    at="Section 3, on the bias",
    source="derived",
    judge=for_all(),
    on=on,
    named={"an error of 1": lambda: constant_error()},
    near_misses={"without 1 / (1 − γλ)": too_small, "half of it": half},
    uses=["gae2016.mean_of"],
    note="Attained wherever the error is the same in all states.",
)
def bias_of(mdp, π, v, λ_):
    """Apart from a baseline the bias is at most γ (1 − λ) / (1 − γλ) times the largest error of the guess."""
    error = v - values_of(mdp, π)
    off = gae_mean(mdp, π, v, λ_) + error[..., None] - advantages(mdp, π)
    yield {γ: mdp.discount, λ: λ_, bias: sup(off, 2), worst: sup(error)}


def constant_error():
    """Two by two, the uniform policy, values guessed 1 too high everywhere, λ = 1/2."""
    mdp = two_by_two()
    π = rational(np.ones((2, 2), dtype=int)) / 2
    return {"mdp": mdp, "π": π, "v": values_of(mdp, π) + 1, "λ_": rational_number("1/2")}


# -- Variance ----------------------------------------------------------------------------------------------------------

enumerated = Quantity(
    r"\sum_\tau P(\tau | s, a) \hat A_t(\tau)^2", "mean square of the estimate, trajectory by trajectory"
)
second = Quantity(r"c(s, a) + (\gamma \lambda)^2 (P y)(s, a)", "mean square of the estimate by the recursion")
enumerated_mean = Quantity(r"\sum_\tau P(\tau | s, a) \hat A_t(\tau)", "mean of the estimate, trajectory by trajectory")
uncorrelated = Quantity(
    r"\sum_l (\gamma \lambda)^{2l} \mathbb E[\delta_{t+l}^2 | s, a]",
    "the same as if temporal differences had no correlation",
)


def unrolled(mdp, v, π, layers):
    """The model for that many steps: states (layer, s), then an end that pays nothing and is guessed to; also v, π."""
    S, n = mdp.S, layers * mdp.S + 1
    P = np.zeros((*mdp.batch, n, mdp.A, n), dtype=mdp.P.dtype) + expand(0 * mdp.r[..., 0, 0], 3)
    r, new_π, new_v = P[..., 0] * 0, P[..., 0] * 0, P[..., 0, 0] * 0
    for layer in range(layers):
        here = slice(layer * S, layer * S + S)
        r[..., here, :], new_π[..., here, :], new_v[..., here] = mdp.r, π, v
        if layer + 1 < layers:
            P[..., here, :, S * (layer + 1) : S * (layer + 2)] = mdp.P
        else:
            P[..., here, :, -1] += 1
    P[..., -1, :, -1] += 1
    new_π[..., -1, 0] += 1
    start = np.concatenate([mdp.start, np.zeros((*mdp.batch, n - S), dtype=int) * expand(P[..., 0, 0, 0], 1)], axis=-1)
    return DiscountedMDP(P, r, mdp.discount, start), new_v, new_π


def every_trajectory(mdp, π, v, trace):
    """Probabilities and estimates of ways from (s, a) through two more states to the end; (..., S, A, S, A, S, A)."""
    κ = expand(mdp.discount * trace, 6)
    within = td_errors(mdp, v)  # (..., S, A, S)
    last = mdp.r - v[..., None]  # the end is guessed to pay nothing
    step = mdp.P[..., None] * π[..., None, None, :, :]  # (..., s, a, t, b)
    chance = step[..., None, None] * step[..., None, None, :, :, :, :]
    δ = within[..., None, None, None], within[..., None, None, :, :, :, None], last[..., None, None, None, None, :, :]
    return chance, δ[0] + κ * δ[1] + κ * κ * δ[2]


small = tuple(
    Family(f"{name}:S={S},A={A}", partial(families.by_name[name], S=S, A=A))
    for name, S, A in (("garnet", 2, 2), ("garnet", 3, 2), ("deterministic", 3, 3), ("sparse", 2, 3))
)
with as_printed():
    squares = Eq(enumerated, second)
    averages = Eq(enumerated_mean, mean)
    without_correlation = Eq(enumerated, uncorrelated)
    square_of_mean = Eq(enumerated, mean**2)


@theorem(
    {"mean square": squares, "mean": averages},
    cite="gae2016",
    at="Section 3, on the variance",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(2, 2, rewards="any", families=small), "π": policies, "v": values, "λ_": numbers(0, 1)},
    near_misses={"uncorrelated differences": without_correlation, "the square of the mean": square_of_mean},
    note="x = (I − γλ P_π)^{-1} b, c = E[δ² + 2γλ δ x(s')], y = (I − (γλ)² P_π)^{-1} c, rewards without noise.  "
    "Checked on models that end after three steps, where there are finitely many trajectories.",
)
def var(mdp, π, v, λ_):
    """A recursion gives the mean square of the estimate, and so its variance."""
    chance, estimate = every_trajectory(mdp, π, v, λ_)
    ending, guess_there, policy = unrolled(mdp, v, π, 3)
    S, κ = mdp.S, mdp.discount * λ_
    squares_of_δ = total(ending.P * td_errors(ending, guess_there) ** 2)
    later = values_of(DiscountedMDP(ending.P, squares_of_δ, κ * κ, ending.start), policy)
    yield {
        enumerated: total(chance * estimate**2, 4),
        enumerated_mean: total(chance * estimate, 4),
        second: gae_second_moment(ending, policy, guess_there, λ_)[..., :S, :],
        mean: gae_mean(ending, policy, guess_there, λ_)[..., :S, :],
        uncorrelated: (squares_of_δ + expand(κ * κ, 2) * ending.expected_next(later))[..., :S, :],
    }


variance = Quantity(r"\mathrm{Var}_\lambda[\hat A_t | s, a]", "variance of the estimate")
variance_more = Quantity(r"\mathrm{Var}_{\lambda'}[\hat A_t | s, a]", "variance for some λ' >= λ")
with as_printed():
    grows = variance <= variance_more
    falls = variance >= variance_more


def guessed(mdp, π, v):
    """The guess as it is, right or wrong."""
    return v


@theorem(
    grows,
    cite="gae2016",
    at="Section 3, on the variance",
    source="derived",
    judge=for_all(),
    on=on | {"share": numbers(0, 1)},
    near_misses={"any guess": {"guess_of": guessed}, "it falls": falls},
    uses=["gae2016.var"],
    note="λ' = λ + share · (1 − λ).  With true values temporal differences are uncorrelated, so squares add up.",
)
def var_grows(mdp, π, v, λ_, share, *, guess_of=lambda mdp, π, v: values_of(mdp, π)):
    """Where the guessed values are right, the variance grows with λ in every state and action."""
    v = guess_of(mdp, π, v)
    yield {
        variance: gae_variance(mdp, π, v, λ_),
        variance_more: gae_variance(mdp, π, v, λ_ + share * (1 - λ_)),
    }


# -- One trajectory ----------------------------------------------------------------------------------------------------

k_step = Quantity(r"\sum_{l < k} \gamma^l \delta_{t+l}", "k-step estimate as a sum of temporal differences")
returns = Quantity(r"\sum_{l < k} \gamma^l r_{t+l}", "discounted rewards of k steps")
first_guess = Quantity(r"\hat V(s_t)", "guessed value where the trajectory is")
last_guess = Quantity(r"\gamma^k \hat V(s_{t+k})", "discounted guessed value k steps later")
traced = Quantity(r"\sum_{l < T} (\gamma \lambda)^l \delta_{t+l}", "the estimate")
averaged = Quantity(
    r"(1 - \lambda) \sum_{k < T} \lambda^{k-1} \hat A^{(k)}_t + \lambda^{T-1} \hat A^{(T)}_t",
    "exponential average of the k-step estimates",
)
plainly_averaged = Quantity(
    r"(1 - \lambda) \sum_{k \le T} \lambda^{k-1} \hat A^{(k)}_t", "the average without what is left for the last one"
)
with as_printed():
    telescopes = Eq(k_step, -first_guess + returns + last_guess)
    averages_out = Eq(traced, averaged)
    without_last_guess = Eq(k_step, -first_guess + returns)
    without_the_rest = Eq(traced, plainly_averaged)


@theorem(
    {"k steps": telescopes, "average": averages_out},
    cite="gae2016",
    at="Equations 11 to 16",
    source="recalled",
    judge=identity(),
    on={"mdp": discounted_mdps(4, 2, rewards="any"), "v": values, "λ_": numbers(0, 1)},
    near_misses={"without the last guess": without_last_guess, "without what is left": without_the_rest},
    note="On the trajectory that takes the first action in each state in turn and ends after T = S steps, as if it had "
    "been seen: identities of numbers, whatever the model.  The paper sums to infinity.",
)
def telescope(mdp, v, λ_):
    """Sums of temporal differences telescope, and the estimate is an exponential average of k-step estimates."""
    γ_, T = mdp.discount, mdp.S
    guesses = [v[..., t] for t in range(T)] + [0 * v[..., 0]]
    δ = [mdp.r[..., t, 0] + γ_ * guesses[t + 1] - guesses[t] for t in range(T)]
    steps = [sum(γ_**t * δ[t] for t in range(k)) for k in range(1, T + 1)]
    plain = sum((1 - λ_) * λ_ ** (k - 1) * steps[k - 1] for k in range(1, T + 1))
    for k in range(1, T + 1):
        yield {
            k_step: steps[k - 1],
            first_guess: guesses[0],
            returns: sum(γ_**t * mdp.r[..., t, 0] for t in range(k)),
            last_guess: γ_**k * guesses[k],
            traced: sum((γ_ * λ_) ** t * δ[t] for t in range(T)),
            averaged: plain + λ_**T * steps[-1],
            plainly_averaged: plain,
        }
