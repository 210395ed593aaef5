"""Xiao (2022), On the Convergence Rates of Policy Gradient Methods: mirror descent with growing and constant steps.

The statements are derived, see the card; the paper's own constants depend on how it normalises the divergence D.
"""

from itertools import repeat

import numpy as np

from mdplab.arrays import (
    floats,
    identity_like,
    largest,
    log_softmax,
    rational,
    rational_number,
    solve,
    total,
    transposed,
)
from mdplab.exact import gap, occupancy, optimum
from mdplab.instances import discounted_mdps, distributions, logits, numbers, two_by_two, two_by_two_logits
from mdplab.models import DiscountedMDP
from mdplab.solvers import geometric, geometric_steps, mirror_descent
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, positive_start, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
η = Quantity(r"\eta", "step size", accuracy="exact")
η_0 = Quantity(r"\eta_0", "first step size", accuracy="exact")
k = Quantity("k", "number of updates", integer=True)
mismatch = Quantity(
    r"\vartheta_\rho", "largest ratio of the optimal policy's occupancy to ρ, over 1 − γ", accuracy="relative"
)
D_0 = Quantity("D_0", "divergence of the first policy from an optimal one, where that one goes", accuracy="relative")
δ = Quantity(r"\delta_k(\rho)", "what the k-th policy loses from ρ", accuracy="relative")
δ_0 = Quantity(r"\delta_0(\rho)", "what the first policy loses from ρ", accuracy="relative")
δ_0_there = Quantity(
    r"\delta_0(d^{\pi^\star}_\rho)", "what the first policy loses from where the optimal one goes", accuracy="relative"
)

discounting = Assumption(
    r"\gamma > 0",
    "the future counts, γ > 0",
    lambda mdp: np.broadcast_to(floats(mdp.discount) > 0, mdp.batch),
)


def divergence(log_π, best, d):
    """Σ_s d(s) KL(π*(s) ‖ π(s)) for the deterministic optimal policy;  (..., S, A) and (..., S) -> (...)."""
    return -total(d * total(best.policy * log_π))


def constant_steps(first, ratio):
    """η_0 again and again."""
    return repeat(first)


# -- Steps that grow ---------------------------------------------------------------------------------------------------

with as_printed():
    linear = δ <= (1 - 1 / mismatch) ** k * (δ_0 + D_0 / ((1 - γ) * η_0 * (mismatch - 1)))
    at_rate_γ = δ <= γ**k * (δ_0 + D_0 / ((1 - γ) * η_0 * (mismatch - 1)))
    without_divergence = δ <= (1 - 1 / mismatch) ** k * δ_0


@theorem(
    linear,
    cite="xiao2022",
    at="Section 4, linear convergence with geometrically increasing steps",
    source="derived",
    judge=for_all(k, up_to=300, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "θ": logits, "first": numbers("1/100", 10)},
    given=[positive_start, discounting],
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "first": rational_number(1)}},
    near_misses={
        "rate γ for any ρ": at_rate_γ,
        "without the divergence": without_divergence,
        "steps that do not grow": {"steps": constant_steps},
    },
    trivial=1 / (1 - γ),
    note="ρ is the start distribution of the model.  Proved on the card.",
)
def geo(mdp, θ, first, *, steps=geometric_steps):
    """With steps that grow by ϑ / (ϑ − 1), mirror descent converges linearly with rate 1 − 1/ϑ from any first step."""
    best = optimum(mdp)
    d = occupancy(mdp, best.policy)
    ratio = largest(d / mdp.start) / (1 - mdp.discount)
    log_π = log_softmax(θ)
    constants = {γ: mdp.discount, η_0: first, mismatch: ratio, D_0: divergence(log_π, best, d)}
    for x in mirror_descent(mdp, log_π, step_sizes=steps(first, ratio), at=geometric(300)):
        loses = gap(mdp, x.π, best)
        constants.setdefault(δ_0, loses)
        if x.k:  # at first there is nothing to show
            yield constants | {k: x.k, δ: loses}


with as_printed():
    linear_at_γ = δ <= γ**k * (δ_0 + D_0 / (γ * η_0))
    linear_at_γ_sooner = δ <= γ ** (2 * k) * (δ_0 + D_0 / (γ * η_0))
    at_γ_without_divergence = δ <= γ**k * δ_0


def _meeting_state(mdp):
    # A state that all states reach under an optimal policy: then there is one stationary distribution.
    π = optimum(mdp).policy
    reach = (identity_like(mdp.under(π)[0]) + mdp.under(π)[0]) / 2
    for _ in range(mdp.S.bit_length()):
        reach = reach @ reach
    return (floats(reach) > 0).all(axis=-2).any(axis=-1)


one_class = Assumption(
    r"P_{\pi^\star}\ \text{has one recurrent class}", "an optimal policy has a single recurrent class", _meeting_state
)


def stationary(mdp, π):
    """The distribution that the chain of π keeps: ρ P_π = ρ;  (..., S, A) -> (..., S)."""
    P, _ = mdp.under(π)
    # Any row added to the singular equations makes them regular; ones on both sides fix the sum.
    return solve(transposed(identity_like(P) - P + 1), 1 + 0 * P[..., 0])


@theorem(
    linear_at_γ,
    cite="xiao2022",
    at="Section 4, the case of a stationary ρ",
    source="derived",
    judge=for_all(k, up_to=300, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "first": numbers("1/100", 10)},
    given=[discounting, one_class],
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "first": rational_number(1)}},
    near_misses={
        "twice as fast": linear_at_γ_sooner,
        "without the divergence": at_γ_without_divergence,
        "steps that do not grow": {"steps": constant_steps},
    },
    trivial=1 / (1 - γ),
    uses=["xiao2022.geo"],
    note="The occupancy d^{π*}_ρ is then ρ itself and ϑ = 1 / (1 − γ).  No state needs positive probability.",
)
def geo_stationary(mdp, θ, first, *, steps=geometric_steps):
    """From the stationary distribution of an optimal policy, steps that grow by 1/γ give the rate γ."""
    best = optimum(mdp)
    ρ = stationary(mdp, best.policy)
    log_π = log_softmax(θ)
    constants = {γ: mdp.discount, η_0: first, D_0: divergence(log_π, best, occupancy(mdp, best.policy, ρ))}
    horizon = 1 / (1 - mdp.discount)
    for x in mirror_descent(mdp, log_π, step_sizes=steps(first, horizon), at=geometric(300)):
        loses = gap(mdp, x.π, best, ρ)
        constants.setdefault(δ_0, loses)
        if x.k:
            yield constants | {k: x.k, δ: loses}


# -- A constant step ---------------------------------------------------------------------------------------------------

with as_printed():
    sublinear = δ <= 1 / (k + 1) * (D_0 / (η * (1 - γ)) + δ_0_there / (1 - γ))
    sublinear_one_horizon_less = δ <= 1 / (k + 1) * (D_0 / η + δ_0_there / (1 - γ))
    sublinear_without_divergence = δ <= 1 / (k + 1) * (δ_0_there / (1 - γ))
    sublinear_squared = δ <= 1 / (k + 1) ** 2 * (D_0 / (η * (1 - γ)) + δ_0_there / (1 - γ))


def short_steps():
    """One state that keeps being visited, two actions, and steps so short that the divergence decides."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))
    return {"mdp": mdp, "step_size": rational_number("1/100")}


@theorem(
    sublinear,
    cite="xiao2022",
    at="Section 4, sublinear convergence with a constant step",
    source="derived",
    judge=for_all(k, up_to=300, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "ρ": distributions, "step_size": numbers("1/100", 10)},
    named={
        "short steps": short_steps,
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "step_size": rational_number(1)},
    },
    near_misses={
        "without 1 / (1 − γ) at the divergence": sublinear_one_horizon_less,
        "without the divergence": sublinear_without_divergence,
        "as the square of k": sublinear_squared,
    },
    trivial=1 / (1 - γ),
    note="Any ρ, also one that leaves states out.  Proved on the card.",
)
def const(mdp, θ, ρ, step_size):
    """With a constant step of any size, mirror descent loses at most O(1/k)."""
    best = optimum(mdp)
    d = occupancy(mdp, best.policy, ρ)
    log_π = log_softmax(θ)
    constants = {γ: mdp.discount, η: step_size, D_0: divergence(log_π, best, d)}
    for x in mirror_descent(mdp, log_π, step_sizes=repeat(step_size), at=geometric(300)):
        if x.k == 0:
            constants[δ_0_there] = gap(mdp, x.π, best, d)
        yield constants | {k: x.k, δ: gap(mdp, x.π, best, ρ)}
