"""Policy gradient with occupancy approximation for general utilities: ascent along any direction, and shadow rewards.

From a follow-up of :cite:`barakat2023` on large state spaces.  Softmax policies with a logit for each pair: the paper's
l_ψ is 1 and its L_ψ is 0.  F(λ) = Σ log(λ + σ), for which l_λ = 1/σ and L_λ = 1/σ².
"""

from dataclasses import replace
from itertools import count, islice

import numpy as np
from sympy import log, sqrt

from mdplab.arrays import expand, norm, rational, softmax, sup, total
from mdplab.exact import pair_visits, rewarded, softmax_gradient, softmax_utility_gradient, utility_gap
from mdplab.exact.utilities import SmoothedLog
from mdplab.instances import discounted_mdps, logits, numbers, one_state_loop, two_by_two, two_by_two_logits
from mdplab.instances.domain import Family
from mdplab.instances.families import by_name
from mdplab.sampling import gpomdp, paid, rollouts
from mdplab.solvers.sampled import first_logits
from mdplab.theorem import Quantity, as_printed, for_all, in_expectation, theorem, with_probability

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
α = Quantity(r"\alpha", "step size", accuracy="exact")
gain = Quantity(r"F(\lambda(\theta + \alpha \bar g)) - F(\lambda(\theta))", "gain of the step")
slope = Quantity(r"\lVert \nabla_\theta F \rVert", "length of the gradient")
wrong = Quantity(r"\lVert \nabla_\theta F - \bar g \rVert", "error of the direction")
length = Quantity(r"\lVert \bar g \rVert", "length of the direction")
with as_printed():
    ascends = gain >= α / 16 * slope**2 - 5 * α / 8 * wrong**2 + α / 8 * length**2
    ascends_always = gain >= α / 16 * slope**2 + α / 8 * length**2
    ascends_too_far = gain >= α * slope**2 - 5 * α / 8 * wrong**2 + α / 8 * length**2


def family(name, **options):
    """One of the usual families with options."""
    text = ",".join(f"{key}={x}" for key, x in options.items())
    return Family(f"{name}:{text}", lambda rng, n: by_name[name](rng, n, **options))


# Steps are as short as 1 / L_θ, so that rounding hides what they gain where γ is near one.
NEAR = (
    family("garnet", S=2, A=2, discount=0.5),
    family("garnet", S=4, A=3, discount=0.3),
    family("chain", S=4, discount=0.6),
    family("bandits", K=3),
)


@theorem(
    ascends,
    cite="pgoma",
    at="ascent lemma in the proof of Theorem 1",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(families=NEAR),
        "θ": logits,
        "noise": logits,
        "share": numbers("1/100", 1),
        "σ": numbers("1/8", 1),
    },
    named={
        "two by two": {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "noise": rational([[1, -1], [0, 1]]),
            "share": rational([1])[0],
            "σ": rational([1])[0],
        }
    },
    near_misses={"whatever the direction": ascends_always, "the whole slope": ascends_too_far},
    uses=["zhang2021.lem5_3"],
    note="α = share / (2 L_θ) with L_θ of Lemma 5.3; the direction is half of the noise beside the gradient.",
)
def ascent(mdp, θ, noise, share, σ):
    """A step of at most 1 / (2 L_θ) along any direction gains what the gradient promises less the direction's error."""
    F, rest = SmoothedLog(σ), 1 - mdp.discount
    steep = 4 / (σ**2 * rest**4) + 8 / (σ * rest**3) + 2 / (σ * rest**2)
    step = share / (2 * steep)
    g = softmax_utility_gradient(mdp, softmax(θ), F)
    d = g + noise / 2
    yield {
        α: step,
        gain: F.value(pair_visits(mdp, softmax(θ + expand(step, 2) * d))) - F.value(pair_visits(mdp, softmax(θ))),
        slope: norm(g, 2),
        wrong: norm(d - g, 2),
        length: norm(d, 2),
    }


L = Quantity(r"L_\lambda", "Lipschitz constant of ∇F in the Euclidean norm", accuracy="exact")
apart = Quantity(r"\lVert \lambda - \hat\lambda \rVert_2", "distance of the occupancies")
turn = Quantity(
    r"\lVert \nabla_\theta V(\nabla F(\lambda)) - \nabla_\theta V(\nabla F(\hat\lambda)) \rVert",
    "distance of the policy gradients for the two shadow rewards",
)
with as_printed():
    stable = turn <= 2 * L / (1 - γ) ** 2 * apart
    stable_hundredth = turn <= L / 100 * apart


@theorem(
    stable,
    cite="pgoma",
    at="in the proof of Theorem 1",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits, "other": logits, "σ": numbers("1/8", 10)},
    named={
        "two by two": {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "other": rational([[0, 0], [0, 0]]),
            "σ": rational([10])[0],
        }
    },
    near_misses={"a hundredth and no horizon": stable_hundredth},
    note="The estimate is the occupancy of another policy.",
)
def pseudo(mdp, θ, other, σ):
    """An error of the estimated occupancy makes an error of the policy gradient in proportion."""
    F, π = SmoothedLog(σ), softmax(θ)
    λ, estimate = pair_visits(mdp, π), pair_visits(mdp, softmax(other))
    gradients = [softmax_gradient(rewarded(mdp, F.gradient(x)), π) for x in (λ, estimate)]
    yield {γ: mdp.discount, L: 1 / σ**2, apart: norm(λ - estimate, 2), turn: norm(gradients[0] - gradients[1], 2)}


# -- Samples -----------------------------------------------------------------------------------------------------------

l_r = Quantity(r"\ell_\lambda", "largest entry of the reward", accuracy="exact")
square = Quantity(r"\mathbb E \lVert g(\tau, \theta, r) \rVert^2", "second moment of the gradient estimate")
with as_printed():
    second_claim = square <= 4 * l_r**2 / (1 - γ) ** 4
    second_fortieth = square <= l_r**2 / (10 * (1 - γ) ** 4)
    second_horizon = square <= l_r**2 / (4 * (1 - γ))


@theorem(
    second_claim,
    cite="pgoma",
    at="second moment of the estimator, in the proof of Theorem 1",
    judge=in_expectation([square]),
    on={"mdp": discounted_mdps(2, 2, families=NEAR[:1]), "θ": logits, "r": logits},
    named={"undecided": {"mdp": one_state_loop("1/4", 2), "r": rational([[1, -1]])}},
    near_misses={"a fortieth": second_fortieth, "a quarter and one horizon": second_horizon},
    note="With l_ψ = 1; trajectories of three steps.  Loose: see fatk2023.variance.",
)
def second(mdp, θ, r, draws, *, horizon=3):
    """The second moment of the gradient estimate is at most 4 l² / (1 − γ)⁴."""
    π = softmax(θ)
    g = gpomdp(paid(rollouts(mdp, π, horizon, draws), r), π)
    yield {γ: mdp.discount, l_r: sup(r, 2), square: total(g * g, 2)}


T = Quantity("T", "updates", integer=True)
N = Quantity("N", "trajectories an update", integer=True)
lack = Quantity(r"F^\star - F(\lambda(\theta_1))", "what the first policy lacks, at most")
average = Quantity(
    r"\mathbb E \lVert \nabla_\theta F(\lambda(\theta_\tau)) \rVert^2", "squared slope, of a uniformly drawn iterate"
)
l_F = Quantity(r"\ell_\lambda", "largest entry of ∇F: 1/σ", accuracy="exact")
with as_printed():
    stationary = average <= 16 * lack / (α * T) + 80 * l_F**2 / (N * (1 - γ) ** 4)
    stationary_without_noise = average <= 16 * lack / (α * T)
    most_slope = (2 * l_F / (1 - γ) ** 2) ** 2


def exact_occupancy(mdp, F, θ, draws, step, batch):
    """Yield policies: θ moves by step times a mean of g(τ, θ, ∇F(λ(θ))), λ exact, trajectories of one step."""
    for k in count():
        π = softmax(θ)
        yield π
        r = F.gradient(pair_visits(mdp, π))
        τ = rollouts(mdp, π, 1, draws.at(k).samples(batch))
        θ = θ + step * gpomdp(paid(τ, r), π).mean(axis=-3)


@theorem(
    stationary,
    cite="pgoma",
    at="Theorem 1",
    judge=in_expectation({average: (0, most_slope)}, replicates=2**10),
    on={
        "mdp": discounted_mdps(2, 2, families=(family("garnet", S=2, A=2, discount=0.0),)),
        "θ": logits,
        "σ": numbers("1/2", 1),
    },
    named={
        "at the optimum": {"mdp": one_state_loop(0, 2), "θ": rational([[0, 0]]), "σ": rational([1])[0]},
        "on the way": {"mdp": two_by_two(), "θ": two_by_two_logits(), "σ": rational([1])[0]},
    },
    near_misses={"as with exact gradients": stationary_without_noise},
    trivial=most_slope,
    uses=["pgoma.ascent", "pgoma.second"],
    note="γ = 0, where one step is the whole trajectory and nothing is cut off; exact occupancies, T = 12, N = 32, "
    "α = 1 / (2 L_θ).  For N <= 20 the second term alone exceeds the trivial bound, see the card.",
)
def thm1(mdp, θ, σ, draws):
    """The slope of a randomly drawn iterate is of the order of 1 / (α T) + 1 / N."""
    F, updates, batch, model = SmoothedLog(σ), 12, 32, replace(mdp, discount=0 * mdp.discount)
    step = 1 / (2 * (4 / σ**2 + 8 / σ + 2 / σ))
    start, squares = first_logits(model, θ, draws), 0
    for π in islice(exact_occupancy(model, F, start, draws, step, batch), updates):
        λ = pair_visits(model, π)
        g = λ * (F.gradient(λ) - expand(total(π * F.gradient(λ)), 1))
        squares = squares + total(g * g, 2) / updates
    yield {
        γ: 0 * mdp.discount,
        α: step,
        T: updates,
        N: batch,
        l_F: 1 / σ,
        lack: utility_gap(model, softmax(θ), F),
        average: squares,
    }


n = Quantity("n", "samples", integer=True)
m = Quantity("m", "number of parameters, one for each pair", integer=True)
miss = Quantity(r"\Delta", "probability with which it may fail", accuracy="exact")
apart_1 = Quantity(r"\lVert \hat\lambda - \lambda \rVert_1", "distance of the fitted occupancy, normalised")
with as_printed():
    likely = apart_1 <= 6 * sqrt(12 * m * log(2 * m * n / miss) / n)
    likely_root = apart_1 <= 1 / (2 * sqrt(n))


@theorem(
    likely,
    cite="pgoma",
    at="maximum likelihood of the occupancy",
    judge=with_probability(1 - miss, replicates=2**10),
    on={"mdp": discounted_mdps(2, 2, families=(family("garnet", S=2, A=2),)), "θ": logits},
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()}},
    near_misses={"half a root": likely_root},
    trivial=2,
    note="All distributions over pairs: parameters are probabilities, B_ω = 1 and B_L = m, and likelihood is largest "
    "for what is seen how often.  n = 10000; below about 6000 the bound exceeds two.",
)
def mle(mdp, θ, draws):
    """The occupancy that maximises likelihood is near, with high probability."""
    λ = (1 - mdp.discount) * pair_visits(mdp, softmax(θ))
    size, p = 10000, λ.reshape(-1)
    u = draws.uniforms("pairs", size)
    below = np.stack([(u < edge).sum(axis=-1) for edge in np.cumsum(p)], axis=-1)
    below[..., -1] = size
    seen = np.diff(below, prepend=0, axis=-1) / size
    yield {n: size, m: len(p), miss: 0 * mdp.discount + 1 / 20, apart_1: abs(seen - p).sum(axis=-1)}
