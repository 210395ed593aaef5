"""Guidobene, Benedetti and Arapovic (2025), Variance Reduced Policy Gradient Method for Multi-Objective RL.

MO-TSIVR-PG as the authors' public code has it; the paper's theorem was not at hand.  Policies are softmax with a logit
for each pair, J_H(θ) is the vector of expected returns of H steps, R̂ that of one trajectory, and ω_t the weight
Π_{t' <= t} π_{θ_{j−1}} / π_{θ_j} that makes a trajectory of θ_j count for θ_{j−1}.
"""

from dataclasses import replace
from functools import partial
from itertools import islice

from sympy import Eq

from mdplab.arrays import exp, expand, largest, minimum, norm, rational, softmax, sqrt, total
from mdplab.exact import truncated_gradient, truncated_pair_visits
from mdplab.exact.scalarisations import Reciprocals
from mdplab.instances import Family, logits, numbers
from mdplab.instances.multi_objective import multi_objective_mdps, objectives_garnet, torn, two_queues
from mdplab.sampling import (
    by_objective,
    every_trajectory,
    gpomdp,
    mean,
    observed_return,
    off_policy,
    prefix_weights,
    rollouts,
    scalarised,
    trace_variance,
    visited_pairs,
)
from mdplab.solvers import mo_tsivr_pg
from mdplab.theorem import Quantity, as_printed, for_all, identity, in_expectation, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
M = Quantity("M", "number of objectives", integer=True)
H = 3


def small(S, A):
    """Models so small that all trajectories of three steps can be listed."""
    return Family(f"objectives-garnet:S={S},A={A}", partial(objectives_garnet, S=S, A=A))


SMALL = (small(2, 2), small(3, 2))
STEP = {
    "mdp": multi_objective_mdps(2, 2, families=SMALL),
    "θ": logits,
    "noise": logits,
    "share": numbers("1/1000", "1/2"),
    "offset": numbers("1/2", 1),
}


def truncated_returns(mdp, π):
    """J_H(π) of all objectives;  (..., S, A) -> (..., M)."""
    return total(mdp.rewards * truncated_pair_visits(mdp.mdp, π, H)[..., None, :, :], 2)


def slopes(mdp, π, c):
    """∇⟨c, J_H(π)⟩ with the weights c (..., M) held fixed."""
    return truncated_gradient(mdp.weighted(c), π, H)


def inverted(trajectory, behaviour, target):
    """The weight π_{θ_j} / π_{θ_{j−1}}, as the public code has it."""
    return replace(trajectory, weights=trajectory.weights / prefix_weights(trajectory, behaviour, target))


def returns_of(trajectory):
    """R̂ of all objectives;  -> (..., M)."""
    return observed_return(by_objective(trajectory))


def two_steps(θ, noise, share):
    """π_{θ_j} and π_{θ_{j−1}}, θ_j = θ_{j−1} + share · noise."""
    return softmax(θ + expand(share, 2) * noise), softmax(θ)


def turned():
    """One state, two opposed actions, γ = 1/2, logits turned by a tenth of (1, −1) from equal shares."""
    return {
        "mdp": torn("1/2"),
        "noise": rational([[1, -1]]),
        "share": rational(["1/10"])[0],
        "offset": rational([1])[0],
    }


def queues_turned():
    """Two queues of capacity one, the server turned to the second by a fifth of a logit."""
    noise = rational([[0, 0], [0, 1], [1, 0], [-1, 1]])
    return {"mdp": two_queues(1), "noise": noise, "share": rational(["1/5"])[0], "offset": rational([1])[0]}


NAMED = {"turned": turned, "queues": queues_turned}

# -- The recursion -----------------------------------------------------------------------------------------------------

tracked = Quantity(r"\mathbb E\, J_j - J_H(\theta_j)", "mean error of the tracked returns")
tracked_before = Quantity(r"J_{j-1} - J_H(\theta_{j-1})", "error one step before")
followed = Quantity(
    r"\mathbb E\, g_j - \nabla \langle c_j, J_H(\theta_j) \rangle", "mean error of the tracked gradient"
)
followed_before = Quantity(
    r"g_{j-1} - \nabla \langle c_{j-1}, J_H(\theta_{j-1}) \rangle", "error of the gradient one step before"
)
with as_printed():
    keeps_returns = Eq(tracked, tracked_before)
    keeps_gradient = Eq(followed, followed_before)


@theorem(
    keeps_returns,
    cite="guid2025",
    at="inner loop of MO-TSIVR-PG",
    source="derived",
    judge=in_expectation([tracked]),
    on=STEP,
    named=NAMED,
    near_misses={"inverted weights": {"weigh": inverted}},
    uses=["zhang2021.unbiased"],
    note="Before the projection, given the past, from a wrong J_{j−1} = J_H / 2.",
)
def recursion(mdp, θ, noise, share, offset, draws, *, weigh=off_policy):
    """In mean an inner update does not change the error of the tracked returns."""
    π, before = two_steps(θ, noise, share)
    J = truncated_returns(mdp, before) / 2
    τ = rollouts(mdp, π, H, draws)
    now = J[..., None, :] + returns_of(τ) - returns_of(weigh(τ, π, before))
    yield {
        tracked: now - truncated_returns(mdp, π)[..., None, :],
        tracked_before: J - truncated_returns(mdp, before),
    }


def of_policy_before(trajectory, π, before):
    """The weighted estimate with the scores of the policy before."""
    return gpomdp(trajectory, before)


def of_current_policy(trajectory, π, before):
    """The weighted estimate with the scores of the current policy, as the public code has it."""
    return gpomdp(trajectory, π)


@theorem(
    keeps_gradient,
    cite="guid2025",
    at="inner loop of MO-TSIVR-PG",
    source="derived",
    judge=in_expectation([followed]),
    on=STEP,
    named=NAMED,
    near_misses={
        "inverted weights": {"weigh": inverted},
        "scores of the current policy": {"correction": of_current_policy},
    },
    uses=["zhang2021.unbiased"],
    note="Given the past and c_j, as the gradient has a batch of its own; from g_{j−1} = noise.",
)
def recursion_of_gradient(mdp, θ, noise, share, offset, draws, *, weigh=off_policy, correction=of_policy_before):
    """In mean an inner update does not change the error of the tracked gradient."""
    f, (π, before) = Reciprocals(offset), two_steps(θ, noise, share)
    c, c_before = f.gradient(truncated_returns(mdp, π)), f.gradient(truncated_returns(mdp, before) / 2)
    τ = rollouts(mdp, π, H, draws)
    there = scalarised(weigh(τ, π, before), c_before)
    now = noise[..., None, :, :] + gpomdp(scalarised(τ, c), π) - correction(there, π, before)
    yield {
        followed: now - slopes(mdp, π, c)[..., None, :, :],
        followed_before: noise - slopes(mdp, before, c_before),
    }


@theorem(
    keeps_returns,
    cite="guid2025",
    at="public code of MO-TSIVR-PG",
    source="read",
    status="refuted",
    judge=in_expectation([tracked]),
    on=STEP,
    named=NAMED,
    note="The code exponentiates log π_current − log π_reference on trajectories of the current policy, as read, not "
    "executed.  See guid2025.recursion for the right weight and guid2025.wrong_sign for what this one does.",
)
def as_coded(mdp, θ, noise, share, offset, draws):
    """With weights the wrong way up an inner update would keep the error of the tracked returns."""
    yield from recursion(mdp, θ, noise, share, offset, draws, weigh=inverted)


distance = Quantity(r"\lVert \theta_j - \theta_{j-1} \rVert", "length of the step", accuracy="relative")
growth = Quantity(
    r"\sum_{t<H} \gamma^t (t+1) e^{\sqrt2 (t+1) \lVert \theta_j - \theta_{j-1} \rVert}",
    "what weights of t + 1 factors vary by, summed",
    accuracy="relative",
)
off_sign = Quantity(
    r"\max_i \left| \mathbb E[\hat R_i - \hat R_{i,1/\omega}] + J_{H,i}(\theta_j) - J_{H,i}(\theta_{j-1}) \right|",
    "distance of the inverted increment from minus the right one",
)
with as_printed():
    has_wrong_sign = off_sign <= distance**2 * growth
    has_wrong_sign_cubed = off_sign <= distance**3 * growth / 100


def growing(mdp, d, horizon):
    """Σ_{t<H} γ^t (t + 1) exp(√2 (t + 1) d)."""
    e, one = exp(sqrt(0 * d + 2) * d), 0 * d + 1
    γ_t, factor, out = one, one, 0 * d
    for t in range(horizon):
        factor = factor * e
        out = out + γ_t * (t + 1) * factor
        γ_t = γ_t * mdp.γ(0)
    return out


@theorem(
    has_wrong_sign,
    cite="guid2025",
    at="public code of MO-TSIVR-PG",
    source="derived",
    judge=for_all(),
    on=STEP,
    named=NAMED,
    near_misses={
        "as the cube of the step": has_wrong_sign_cubed,
        "with the right weights": {"weigh": off_policy},
    },
    uses=["zhang2021.lem5_7_tabular"],
    note="(1 − 1/ω) + (1 − ω) = −(ω − 1)²/ω, whose mean under θ_j is minus the variance of 1/ω under θ_{j−1}.  For "
    "rewards in [0, 1].",
)
def wrong_sign(mdp, θ, noise, share, offset, *, weigh=inverted):
    """To first order in the step, weights the wrong way up track the returns backwards."""
    π, before = two_steps(θ, noise, share)
    τ, p = every_trajectory(mdp, π, H)
    increment = mean(p, returns_of(τ) - returns_of(weigh(τ, π, before)), 1)
    right = truncated_returns(mdp, π) - truncated_returns(mdp, before)
    d = norm(expand(share, 2) * noise, 2)
    yield {distance: d, growth: growing(mdp, d, H), off_sign: largest(abs(increment + right))}


# -- Variance ----------------------------------------------------------------------------------------------------------

square = Quantity(r"\mathbb E \lVert J_j - J_H(\theta_j) \rVert^2", "mean square error of the tracked returns")
square_before = Quantity(r"\lVert J_{j-1} - J_H(\theta_{j-1}) \rVert^2", "square of the error before")
variance = Quantity(r"\mathrm{tr\,Var}(\hat R - \hat R_\omega)", "variance of an increment")
variance_of_returns = Quantity(r"\mathrm{tr\,Var}(\hat R)", "variance of the returns of a trajectory")
time = Quantity(r"\sum_{t<H} \gamma^t", "discounted number of steps", accuracy="relative")
with as_printed():
    adds_up = Eq(square, square_before + variance)
    varies = variance <= M * time * growth * distance**2
    varies_twentieth = variance <= M * time * growth * distance**2 / 20
    varies_as_returns = variance <= variance_of_returns * distance**2
    forgets = Eq(square, variance)


def discounted_steps(mdp, horizon):
    """Σ_{t<H} γ^t."""
    return sum(mdp.γ(0) ** t for t in range(horizon))


@theorem(
    adds_up,
    cite="guid2025",
    at="inner loop of MO-TSIVR-PG",
    source="derived",
    judge=identity(),
    on=STEP,
    named=NAMED,
    near_misses={"the past is forgotten": forgets, "inverted weights": {"weigh": inverted}},
    uses=["guid2025.recursion"],
    note="For one trajectory, B = 1; the variance of B independent ones is the B-th part.",
)
def second_moment(mdp, θ, noise, share, offset, *, weigh=off_policy):
    """Increments add their variance to the square of the error, and nothing else."""
    π, before = two_steps(θ, noise, share)
    J = truncated_returns(mdp, before) / 2
    τ, p = every_trajectory(mdp, π, H)
    increment = returns_of(τ) - returns_of(weigh(τ, π, before))
    off = J[..., None, :] + increment - truncated_returns(mdp, π)[..., None, :]
    yield {
        square: mean(p, total(off * off)),
        square_before: total((J - truncated_returns(mdp, before)) ** 2),
        variance: trace_variance(p, increment, 1),
    }


@theorem(
    varies,
    cite="guid2025",
    at="variance of an increment",
    source="derived",
    judge=for_all(),
    on=STEP,
    named=NAMED,
    near_misses={"a twentieth": varies_twentieth, "as returns do": varies_as_returns},
    uses=["zhang2021.lem5_7_tabular"],
    note="Cauchy–Schwarz over the steps, then Var ω_t <= (t + 1) ‖Δ‖² exp(√2 (t + 1) ‖Δ‖).  Rewards in [0, 1].",
)
def increment(mdp, θ, noise, share, offset):
    """The variance of an increment is of the order of the squared step."""
    π, before = two_steps(θ, noise, share)
    τ, p = every_trajectory(mdp, π, H)
    d = norm(expand(share, 2) * noise, 2)
    yield {
        M: mdp.M,
        distance: d,
        growth: growing(mdp, d, H),
        time: discounted_steps(mdp, H),
        variance: trace_variance(p, returns_of(τ) - returns_of(off_policy(τ, π, before)), 1),
        variance_of_returns: trace_variance(p, returns_of(τ), 1),
    }


# -- What it is a case of ----------------------------------------------------------------------------------------------

kept = Quantity(r"\hat R(\tau) - \hat R_\omega(\tau)", "increment of the returns")
implied = Quantity(r"R\, (\hat\lambda(\tau) - \hat\lambda_\omega(\tau))", "rewards times the increment of the visits")
with as_printed():
    same = Eq(kept, implied)


@theorem(
    same,
    cite="guid2025",
    at="MO-TSIVR-PG as TSIVR-PG with F(λ) = f(R λ)",
    source="derived",
    judge=identity(),
    on=STEP,
    named=NAMED,
    near_misses={"whole weights for the visits": {"visits_weighed": partial(off_policy, whole=True)}},
    note="Trajectory by trajectory, so that J_j = R λ_j as long as J_0 = R λ_0 and nothing is projected.",
)
def equivalence(mdp, θ, noise, share, offset, *, visits_weighed=off_policy):
    """Tracked returns are the rewards times TSIVR-PG's occupancy: M numbers are kept in place of S · A."""
    π, before = two_steps(θ, noise, share)
    τ, _ = every_trajectory(mdp, π, H)
    λ = visited_pairs(τ, mdp.S, mdp.A) - visited_pairs(visits_weighed(τ, π, before), mdp.S, mdp.A)
    yield {
        kept: returns_of(τ) - returns_of(off_policy(τ, π, before)),
        implied: total(mdp.rewards[..., None, :, :, :] * λ[..., None, :, :], 2),
    }


# -- Tracking along a run ----------------------------------------------------------------------------------------------

j = Quantity("j", "updates since the epoch began", integer=True)
N = Quantity("N", "large batch", integer=True)
B = Quantity("B", "small batch", integer=True)
δ = Quantity(r"\delta", "longest step", accuracy="exact")
growth_δ = Quantity(
    r"\sum_{t<H} \gamma^t (t+1) e^{\sqrt2 (t+1) \delta}", "what weights vary by in a longest step", accuracy="relative"
)
with as_printed():
    tracks = square <= M * time**2 / (4 * N) + j / B * M * time * growth_δ * δ**2
    tracks_eighth = square <= M * time**2 / (32 * N) + j / B * M * time * growth_δ * δ**2
    tracks_from_nothing = square <= j / B * M * time * growth_δ * δ**2


@theorem(
    tracks,
    cite="guid2025",
    at="an epoch of MO-TSIVR-PG",
    source="derived",
    judge=in_expectation({square: (0, M * time**2)}, index=j, up_to=3, replicates=2**13),
    on={"mdp": multi_objective_mdps(2, 2, families=(small(2, 2),)), "offset": numbers("1/2", 1)},
    named={"torn": {"mdp": torn("1/2")}, "queues": {"mdp": two_queues(1)}},
    near_misses={"an eighth of the first variance": tracks_eighth, "from an exact start": tracks_from_nothing},
    trivial=M * time**2,
    uses=["guid2025.increment", "guid2025.second_moment"],
    note="N = 16, B = 4, δ = 1/(2 H), H = 3.  The projection on a box that contains J_H(θ_j) only helps.",
)
def tracking(mdp, offset, draws, *, solver=mo_tsivr_pg):
    """Along an epoch the error of the tracked returns is that of its large batch, and a little for each short step."""
    large, few, radius = 16, 4, (0 * mdp.discount + 1) / (2 * H)
    options = {"step_size": 1.0, "epoch": 100, "large_batch": large, "small_batch": few}
    constants = {M: mdp.M, N: large, B: few, δ: radius, time: discounted_steps(mdp, H)}
    constants |= {growth_δ: growing(mdp, radius, H)}
    for it in islice(solver(mdp, Reciprocals(offset), draws=draws, horizon=H, **options), 4):
        off = it.J - truncated_returns(mdp, it.π)
        yield constants | {j: it.k, square: minimum(total(off * off), mdp.M * constants[time] ** 2)}
