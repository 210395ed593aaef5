"""General utilities, facts of no single paper: Frank–Wolfe gaps, gradient domination, ascent along any unit direction.

F is a concave function of the occupancy λ(s, a) = Σ_t γ^t P(s_t = s, a_t = a).  Proofs are on the card.
"""

from itertools import count

import numpy as np
from sympy import sqrt

from mdplab.arrays import (
    exact_distribution,
    expand,
    is_exact,
    namespace,
    norm,
    rational,
    softmax,
    total,
)
from mdplab.exact import (
    least_information,
    optimum,
    pair_visits,
    policy_of,
    rewarded,
    softmax_utility_gradient,
    utility_gap,
)
from mdplab.exact.scalarisations import Reciprocals
from mdplab.exact.utilities import OfReturns, OfStates, Quadratic, SmoothedLog
from mdplab.instances import (
    deterministic_policies,
    discounted_mdps,
    logits,
    numbers,
    one_state_loop,
    two_by_two,
    two_by_two_logits,
)
from mdplab.instances.domain import Family
from mdplab.instances.families import by_name
from mdplab.solvers import OccupancyIterate, frank_wolfe, geometric
from mdplab.solvers.thinning import thinned
from mdplab.theorem import Quantity, as_printed, for_all, positive_start, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
gap = Quantity(
    r"\max_\pi \langle \nabla F(\lambda), \lambda^\pi - \lambda \rangle", "Frank–Wolfe gap", accuracy="relative"
)
lacks = Quantity(r"F(\lambda^{\pi'}) - F(\lambda)", "what another policy has more than this one")
μ_F = Quantity(
    r"\mu_F^+", "smallest second eigenvalue of a state's block of the Fisher information", accuracy="relative"
)
slope = Quantity(r"\lVert \nabla_\theta F(\lambda(\theta)) \rVert", "length of the gradient")


def family(name, **options):
    """One of the usual families with options."""
    text = ",".join(f"{key}={x}" for key, x in options.items())
    return Family(f"{name}:{text}", lambda rng, n: by_name[name](rng, n, **options))


SMALL = (
    family("garnet", S=2, A=2),
    family("garnet", S=4, A=3),
    family("sparse", S=3, A=4),
    family("bandits", K=3),
)
STEPS = 4


def good_policy(mdp, F):
    """A policy that a few steps of Frank–Wolfe with line search find, in the arithmetic of the model."""
    x = next(frank_wolfe(mdp.floats(), F.floats(), steps="line search", at=[STEPS]))
    return exact_distribution(x.π) if is_exact(mdp.P) else x.π


def utilities(mdp, σ):
    """Concave ones: smoothed logarithms of pairs and of states, and a fair split between r and 1 − r."""
    yield SmoothedLog(σ)
    yield OfStates(SmoothedLog(σ))
    yield OfReturns(namespace(mdp.P).stack([mdp.r, 1 - mdp.r], axis=-3), Reciprocals(σ))


# -- Bounds on what is missing -----------------------------------------------------------------------------------------

with as_printed():
    certificate = lacks <= gap
    certificate_half = lacks <= gap / 2
    certificate_normalised = lacks <= (1 - γ) * gap


@theorem(
    certificate,
    cite="gu",
    at="duality gap of Jaggi (2013)",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True, families=SMALL), "θ": logits, "σ": numbers("1/8", 1)},
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()}},
    near_misses={"half of the gap": certificate_half, "the gap of normalised occupancies": certificate_normalised},
    note="Checked against policies that Frank–Wolfe finds, which are nearly the best there are.",
)
def cert(mdp, θ, σ):
    """No policy has more than F(λ) + max ⟨∇F(λ), λ' − λ⟩, which policy iteration for the reward ∇F finds."""
    π = softmax(θ)
    λ = pair_visits(mdp, π)
    for F in utilities(mdp, σ):
        better = F.value(pair_visits(mdp, good_policy(mdp, F))) - F.value(λ)
        yield {γ: mdp.discount, lacks: better, gap: utility_gap(mdp, π, F)}


with as_printed():
    dominated = gap <= sqrt(2) / μ_F * slope
    dominated_three_quarters = gap <= sqrt(2) * 3 / (4 * μ_F) * slope
    dominated_by_slope = gap <= sqrt(2) * slope


@theorem(
    dominated,
    cite="gu",
    at="gradient domination",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True, families=SMALL), "θ": logits, "σ": numbers("1/8", 1)},
    given=[positive_start],
    named={
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()},
        "one state, two actions": {"mdp": one_state_loop("1/2", 2), "θ": rational([[1, 0]])},
    },
    near_misses={
        "three quarters of it": dominated_three_quarters,
        "without the Fisher information": dominated_by_slope,
    },
    uses=["gu.cert"],
    note="With gu.cert: a stationary point of a policy that takes all actions is a global optimum.",
)
def graddom(mdp, θ, σ):
    """The Frank–Wolfe gap is at most √2 / μ_F⁺ times the length of the gradient, for softmax policies."""
    π = softmax(θ)
    for F in utilities(mdp, σ):
        yield {
            γ: mdp.discount,
            gap: utility_gap(mdp, π, F),
            μ_F: least_information(mdp, π),
            slope: norm(softmax_utility_gradient(mdp, π, F), 2),
        }


# -- One step along a unit direction -----------------------------------------------------------------------------------

α = Quantity(r"\alpha", "length of the step", accuracy="exact")
L = Quantity(r"L_\theta", "smoothness of F(λ(θ)): L_λ / (2(1−γ)³) + l / (1−γ)²", accuracy="exact")
lacks_next = Quantity(r"F(\lambda^{\pi'}) - F(\lambda(\theta_{t+1}))", "what it has more than the next policy")
lacks_now = Quantity(r"F(\lambda^{\pi'}) - F(\lambda(\theta_t))", "what another policy has more")
wrong = Quantity(r"\lVert d_t - \nabla_\theta F \rVert", "error of the direction")
with as_printed():
    descends = lacks_next <= (1 - α * μ_F / sqrt(2)) * lacks_now + 2 * α * wrong + L * α**2 / 2
    descends_straight = lacks_next <= (1 - α * μ_F / sqrt(2)) * lacks_now + 2 * α * wrong
    descends_without_error = lacks_next <= (1 - α * μ_F / sqrt(2)) * lacks_now + L * α**2 / 2


@theorem(
    descends,
    cite="gu",
    at="normalised ascent",
    source="derived",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(positive_start=True, families=SMALL),
        "θ": logits,
        "noise": logits,
        "length": numbers("1/100000", 1),
        "σ": numbers("1/8", 1),
    },
    given=[positive_start],
    named={
        "two by two": {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "noise": rational([[-6, 6], [6, -6]]),
            "length": rational(["1/1000"])[0],
        }
    },
    near_misses={
        "without curvature": descends_straight,
        "whatever the direction": descends_without_error,
    },
    uses=["gu.graddom", "zhang2021.lem5_3_tabular"],
    note="Of any d_t, so of every estimate.  F = Σ log(λ + σ).  Stated for any other policy π', not only the best.",
)
def normalised(mdp, θ, noise, length, σ):
    """A step of length α along any direction d_t closes the share α μ_F⁺ / √2 of the gap, up to its error."""
    F, π, rest = SmoothedLog(σ), softmax(θ), 1 - mdp.discount
    g = softmax_utility_gradient(mdp, π, F)
    d = g + noise
    d = d + _corner(d) / 1000  # never zero in exact draws, whose noise is a multiple of a half
    after = softmax(θ + expand(length, 2) * d / expand(norm(d, 2), 2))
    best = F.value(pair_visits(mdp, good_policy(mdp, F)))
    yield {
        α: length,
        μ_F: least_information(mdp, π),
        L: 1 / (2 * σ**2 * rest**3) + 1 / (σ * rest**2),
        wrong: norm(d - g, 2),
        lacks_now: best - F.value(pair_visits(mdp, π)),
        lacks_next: best - F.value(pair_visits(mdp, after)),
    }


def _corner(x):
    """One for the first state and action."""
    one = np.zeros(x.shape[-2:])
    one[0, 0] = 1
    return rational(one.astype(int)) if is_exact(x) else one


# -- Frank–Wolfe -------------------------------------------------------------------------------------------------------

k = Quantity("k", "number of updates", integer=True)
missing = Quantity(r"F^\star - F(\lambda_k)", "what the k-th occupancy lacks")
with as_printed():
    frank_wolfe_rate = missing <= 4 / ((1 - γ) ** 2 * (k + 2))
    frank_wolfe_third = missing <= 4 / (10 * (k + 2))
    frank_wolfe_fast = missing <= 1 / (4 * (1 - γ) ** 2 * (k + 2) ** 2)


def stubborn(mdp, F, π, *, at):
    """Half of the way in every step."""

    def run(λ):
        for n in count():
            yield OccupancyIterate(n, λ, policy_of(λ), 0 * total(λ, 2))
            λ = (λ + pair_visits(mdp, optimum(rewarded(mdp, F.gradient(λ))).policy)) / 2

    yield from thinned(run(pair_visits(mdp, π)), at)


@theorem(
    frank_wolfe_rate,
    cite="gu",
    at="Theorem 1 of Jaggi (2013)",
    source="recalled",
    judge=for_all(k, up_to=60, exactly_up_to=6),
    on={
        "mdp": discounted_mdps(positive_start=True, families=SMALL),
        "first": deterministic_policies,
        "goal": deterministic_policies,
        "other": deterministic_policies,
    },
    named={"one state, two actions": {"mdp": one_state_loop("1/2", 2), "first": rational([[0, 1]])}},
    near_misses={
        "half of the way in every step": {"solver": stubborn},
        "a tenth and no horizon": frank_wolfe_third,
        "as the square of k": frank_wolfe_fast,
    },
    trivial=1 / (1 - γ) ** 2,
    note="2C/(k + 2) with C = max ‖λ − λ'‖² <= 2/(1 − γ)² for F = −½‖λ − m‖²; m is between two occupancies, so that "
    "F* = 0.",
)
def fw(mdp, first, goal, other, *, solver=frank_wolfe):
    """Frank–Wolfe with steps 2 / (k + 2) on the occupancies loses at most 2C / (k + 2)."""
    m = (pair_visits(mdp, goal) + pair_visits(mdp, other)) / 2
    for x in solver(mdp, Quadratic(m), first, at=geometric(per_decade=6)):
        if x.k:
            yield {k: x.k, γ: mdp.discount, missing: -Quadratic(m).value(x.λ)}
