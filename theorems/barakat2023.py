"""Barakat, Fatkhullin and He (2023), RL with General Utilities: Simpler Variance Reduction, Large State-Action Space.

N-VR-PG as recalled; the paper's displays were not at hand.  F is a utility of the occupancy, policies are softmax with
a logit for each pair, and trajectories have H steps.  With w the weight of a whole trajectory of θ_t for θ_{t−1},

    λ_t = η λ̂ + (1 − η) (λ_{t−1} + (1 − w) λ̂),   d_t = η g(θ_t, r_{t−1}) + (1 − η) (d_{t−1} + v_t),
    v_t = g(τ_t, θ_t, r_{t−1}) − w g(τ_t, θ_{t−1}, r_{t−2}),   r_t = ∇F(λ_t).
"""

from dataclasses import replace
from functools import partial
from itertools import islice, pairwise, repeat

from sympy import Eq, Rational, sqrt

from mdplab.arrays import exp, expand, floats, is_exact, maximum, norm, rational, smallest, softmax, total
from mdplab.arrays import sqrt as root
from mdplab.exact import (
    least_information,
    pair_visits,
    rewarded,
    softmax_gradient,
    truncated_gradient,
    truncated_pair_visits,
)
from mdplab.exact.utilities import SmoothedLog
from mdplab.instances import Family, discounted_mdps, logits, numbers, one_state_loop, two_by_two, two_by_two_logits
from mdplab.instances.families import by_name
from mdplab.models import DiscountedMDP
from mdplab.sampling import gpomdp, off_policy, paid, recursive_momentum, rollouts, trajectory_weight, visited_pairs
from mdplab.solvers import fitted_occupancy, n_vr_pg, shadow_action_values
from mdplab.theorem import (
    Quantity,
    as_printed,
    for_all,
    identity,
    in_expectation,
    positive_start,
    theorem,
    with_probability,
)

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
η = Quantity(r"\eta_t", "share of the new estimate", accuracy="exact")
H = 3


def family(name, **options):
    """One of the usual families with options."""
    text = ",".join(f"{key}={x}" for key, x in options.items())
    return Family(f"{name}:{text}", lambda rng, n: by_name[name](rng, n, **options))


SMALL = (family("garnet", S=2, A=2), family("garnet", S=3, A=2), family("tiny-start", S=2, A=2))
STEP = {
    "mdp": discounted_mdps(2, 2, families=SMALL),
    "θ": logits,
    "noise": logits,
    "reach": numbers("1/1000", "1/2"),
    "share": numbers("1/10", "9/10"),
    "σ": numbers("1/8", 1),
}


def turned():
    """Two states and actions, logits turned by half a unit, momentum of one half."""
    return {
        "mdp": two_by_two(),
        "θ": two_by_two_logits(),
        "noise": rational([[1, -1], [-1, 1]]),
        "reach": rational(["1/2"])[0],
        "share": rational(["1/2"])[0],
        "σ": rational(["1/4"])[0],
    }


def turned_little():
    """One state that stays, two actions in equal shares, logits turned by (1, −1) / 10."""
    return {
        "mdp": one_state_loop("1/2", 2),
        "θ": rational([[0, 0]]),
        "noise": rational([[1, -1]]),
        "reach": rational(["1/10"])[0],
        "share": rational(["1/10"])[0],
        "σ": rational(["1/4"])[0],
    }


NAMED = {"turned": turned, "turned a little": turned_little}
whole = partial(off_policy, whole=True)


def inverted(trajectory, behaviour, target):
    """The weight π_t / π_{t−1} of the whole trajectory, the wrong way up."""
    w = trajectory_weight(trajectory, behaviour, target)
    return replace(trajectory, weights=trajectory.weights / expand(w, 1))


def two_steps(θ, noise, reach):
    """π_t and π_{t−1}, θ_t = θ_{t−1} + reach · noise."""
    return softmax(θ + expand(reach, 2) * noise), softmax(θ)


# -- Recursions --------------------------------------------------------------------------------------------------------

tracked = Quantity(r"\mathbb E\, \lambda_t - \lambda_H(\theta_t)", "mean error of the tracked occupancy")
tracked_before = Quantity(r"\lambda_{t-1} - \lambda_H(\theta_{t-1})", "error one step before")
followed = Quantity(
    r"\mathbb E\, d_t - \nabla \langle r_{t-1}, \lambda_H(\theta_t) \rangle", "mean error of the tracked gradient"
)
followed_before = Quantity(
    r"d_{t-1} - \nabla \langle r_{t-2}, \lambda_H(\theta_{t-1}) \rangle", "its error one step before"
)
with as_printed():
    shrinks = Eq(tracked, (1 - η) * tracked_before)
    stays = Eq(tracked, tracked_before)
    shrinks_too = Eq(followed, (1 - η) * followed_before)


@theorem(
    shrinks,
    cite="barakat2023",
    at="Algorithm 1, the occupancy",
    source="derived",
    judge=in_expectation([tracked]),
    on=STEP,
    named=NAMED,
    near_misses={"inverted weights": {"weigh": inverted}, "as without momentum": stays},
    uses=["zhang2021.unbiased"],
    note="Given the past, from λ_{t−1} = λ_H / 2.",
)
def recursion(mdp, θ, noise, reach, share, σ, draws, *, weigh=whole):
    """In mean an update shrinks the error of the tracked occupancy by 1 − η, wherever the policy has gone."""
    π, before = two_steps(θ, noise, reach)
    λ = truncated_pair_visits(mdp, before, H) / 2
    τ = rollouts(mdp, π, H, draws)
    seen, back = (visited_pairs(x, mdp.S, mdp.A) for x in (τ, weigh(τ, π, before)))
    now = recursive_momentum(λ[..., None, :, :], seen, seen - back, expand(share, 3))
    yield {
        η: expand(share, 2),
        tracked: now - truncated_pair_visits(mdp, π, H)[..., None, :, :],
        tracked_before: λ - truncated_pair_visits(mdp, before, H),
    }


def of_policy_before(trajectory, π, before):
    """The weighted estimate with the scores of the policy before."""
    return gpomdp(trajectory, before)


def of_current_policy(trajectory, π, before):
    """The weighted estimate with the scores of the current policy."""
    return gpomdp(trajectory, π)


def lagged(F, seen, r):
    """r_{t−1}, which does not depend on the trajectory."""
    return r[..., None, :, :]


def up_to_date(F, seen, r):
    """∇F at the visits of the trajectory itself."""
    return F.gradient(seen)


@theorem(
    shrinks_too,
    cite="barakat2023",
    at="Algorithm 1, the gradient",
    source="derived",
    judge=in_expectation([followed]),
    on=STEP,
    named=NAMED,
    near_misses={
        "inverted weights": {"weigh": inverted},
        "scores of the current policy": {"correction": of_current_policy},
        "a reward that does not lag": {"reward": up_to_date},
    },
    uses=["zhang2021.unbiased"],
    note="Given the past, from d_{t−1} = noise, with F = Σ log(λ + σ) and r's at the occupancies of the two policies.",
)
def recursion_of_gradient(
    mdp, θ, noise, reach, share, σ, draws, *, weigh=whole, correction=of_policy_before, reward=lagged
):
    """In mean an update shrinks the error of the tracked gradient by 1 − η, if rewards lag behind."""
    F, (π, before) = SmoothedLog(σ), two_steps(θ, noise, reach)
    r, r_before = (F.gradient(truncated_pair_visits(mdp, x, H)) for x in (before, π))
    τ = rollouts(mdp, π, H, draws)
    r_seen = reward(SmoothedLog(expand(σ, 1)), visited_pairs(τ, mdp.S, mdp.A), r)
    g = gpomdp(paid(τ, r_seen), π)
    back = correction(weigh(paid(τ, r_before), π, before), π, before)
    now = recursive_momentum(noise[..., None, :, :], g, g - back, expand(share, 3))
    yield {
        η: expand(share, 2),
        followed: now - truncated_gradient(rewarded(mdp, r), π, H)[..., None, :, :],
        followed_before: noise - truncated_gradient(rewarded(mdp, r_before), before, H),
    }


# -- Errors ------------------------------------------------------------------------------------------------------------

square = Quantity(r"\mathbb E \lVert \lambda_t - \lambda_H(\theta_t) \rVert^2", "mean square error of the occupancy")
square_before = Quantity(r"\lVert \lambda_{t-1} - \lambda_H(\theta_{t-1}) \rVert^2", "square of the error before")
time = Quantity(r"\Lambda", "discounted number of steps, Σ_{t<H} γ^t", accuracy="relative")
weight = Quantity(
    r"H \lVert \theta_t - \theta_{t-1} \rVert^2 e^{\sqrt2 H \lVert \theta_t - \theta_{t-1} \rVert}",
    "bound on the variance of a whole weight",
    accuracy="relative",
)
with as_printed():
    errs = square <= (1 - η) ** 2 * square_before + 2 * η**2 * time**2 + 2 * (1 - η) ** 2 * time**2 * weight
    errs_tenth = square <= (1 - η) ** 2 * square_before + (η**2 + (1 - η) ** 2 * weight) * time**2 / 10
    errs_with_past = square <= (1 - η) ** 2 * square_before


def varying(d):
    """H d² exp(√2 H d)."""
    return H * d**2 * exp(root(0 * d + 2) * H * d)


@theorem(
    errs,
    cite="barakat2023",
    at="Lemma on the error of the occupancy",
    source="derived",
    judge=in_expectation([square]),
    on=STEP,
    named=NAMED,
    near_misses={"a twentieth of the noise": errs_tenth, "no noise": errs_with_past},
    uses=["barakat2023.recursion", "zhang2021.lem5_7_tabular"],
    note="‖λ̂‖ <= Λ, and λ̂ − w λ̂ has the variance of w at most.",
)
def error(mdp, θ, noise, reach, share, σ, draws):
    """The square of the error shrinks by (1 − η)², up to η² and the square of the step."""
    π, before = two_steps(θ, noise, reach)
    λ = truncated_pair_visits(mdp, before, H) / 2
    τ = rollouts(mdp, π, H, draws)
    seen, back = (visited_pairs(x, mdp.S, mdp.A) for x in (τ, whole(τ, π, before)))
    now = recursive_momentum(λ[..., None, :, :], seen, seen - back, expand(share, 3))
    off = now - truncated_pair_visits(mdp, π, H)[..., None, :, :]
    yield {
        η: share,
        time: sum(mdp.γ(0) ** t for t in range(H)),
        weight: varying(norm(expand(reach, 2) * noise, 2)),
        square: total(off * off, 2),
        square_before: total((λ - truncated_pair_visits(mdp, before, H)) ** 2, 2),
    }


t = Quantity("t", "updates so far", integer=True)
V = Quantity(
    "V_t", "Λ² at first, then (1−η_t)² V_{t−1} + 2 η_t² Λ² + 2 (1−η_t)² Λ² H α² e^{√2 H α}", accuracy="relative"
)
U = Quantity("U_t", "bound on ‖λ_t‖_1 on every path: Λ, then Λ + (1−η_t) (U_{t−1} + e^{√2 H α} Λ)", accuracy="relative")
with as_printed():
    tracks = square <= V
    tracks_eighth = square <= V / 16


@theorem(
    tracks,
    cite="barakat2023",
    at="Lemma on the error of the occupancy",
    source="derived",
    judge=in_expectation({square: (0, (U + time) ** 2)}, index=t, up_to=3, replicates=2**14),
    on={"mdp": discounted_mdps(2, 2, families=SMALL[:1]), "σ": numbers("1/4", 1)},
    named={"two by two": two_by_two, "one state": one_state_loop("1/2", 2)},
    near_misses={"a sixteenth": tracks_eighth},
    uses=["barakat2023.error"],
    note="η_t = 2/(t + 1), steps of length 1/20, H = 3, F = Σ log(λ + σ), and λ_t clipped inside ∇F only.",
)
def tracking(mdp, σ, draws, *, solver=n_vr_pg):
    """Along N-VR-PG the error of the occupancy falls with the momentum, as far as steps are short."""
    α = (0 * mdp.discount + 1) / 20
    Λ, grown = sum(mdp.γ(0) ** n for n in range(H)), exp(root(0 * α + 2) * H * α)
    v, u = Λ**2, Λ
    for it in islice(solver(mdp, SmoothedLog(σ), draws=draws, horizon=H, step_sizes=repeat(α)), 4):
        if it.k:
            rest = 1 - 2 / (it.k + 1)
            v = rest**2 * v + 2 * (1 - rest) ** 2 * Λ**2 + 2 * rest**2 * Λ**2 * varying(α)
            u = Λ + rest * (u + grown * Λ)
        off = it.λ - truncated_pair_visits(mdp, it.π, H)
        yield {t: it.k, V: v, U: u, time: Λ, square: total(off * off, 2)}


# -- Every path --------------------------------------------------------------------------------------------------------

α = Quantity(r"\alpha", "length of the step", accuracy="exact")
L = Quantity(r"L_\theta", "smoothness of F(λ(θ)): L_λ / (2(1−γ)³) + l / (1−γ)²", accuracy="exact")
μ_F = Quantity(r"\mu_F^+", "smallest second eigenvalue of a state's block of the Fisher information at θ_t")
lacks_next = Quantity(r"F(\lambda^{\pi'}) - F(\lambda(\theta_{t+1}))", "what it has more than the next policy")
lacks_now = Quantity(r"F(\lambda^{\pi'}) - F(\lambda(\theta_t))", "what another policy has more")
wrong = Quantity(r"\lVert d_t - \nabla_\theta F \rVert", "error of the direction")
with as_printed():
    progresses = lacks_next <= (1 - α * μ_F / sqrt(2)) * lacks_now + 2 * α * wrong + L * α**2 / 2
    progresses_always = lacks_next <= (1 - α * μ_F / sqrt(2)) * lacks_now + L * α**2 / 2


@theorem(
    progresses,
    cite="barakat2023",
    at="global convergence, its first step",
    source="derived",
    judge=with_probability(Rational(19, 20), jointly=t, up_to=3, replicates=2**11),
    on={
        "mdp": discounted_mdps(2, 2, positive_start=True, families=SMALL[:1]),
        "other": logits,
        "σ": numbers("1/2", 1),
    },
    given=[positive_start],
    named={"two by two": {"mdp": two_by_two(), "other": two_by_two_logits(), "σ": rational([1])[0]}},
    near_misses={"whatever the direction": progresses_always},
    uses=["gu.normalised"],
    note="True of every path; that it is of 19 in 20 is what so few paths can say.  Steps of length 1/20000.",
)
def progress(mdp, other, σ, draws, *, solver=n_vr_pg):
    """On every path a step closes the share α μ_F⁺ / √2 of the gap, up to the error of its direction."""
    F, rest, length = SmoothedLog(σ), 1 - mdp.discount, (0 * mdp.discount + 1) / 20000
    best = F.value(pair_visits(mdp, softmax(other)))
    steep = 1 / (2 * σ**2 * rest**3) + 1 / (σ * rest**2)
    run = solver(mdp, F, draws=draws, horizon=H, step_sizes=repeat(length))
    for now, after in islice(pairwise(run), 4):
        λ = pair_visits(mdp, now.π)
        q = shadow_action_values(mdp, now.π, F.gradient(λ))
        slope = λ * (q - expand(total(now.π * q), 1))
        yield {
            t: now.k,
            α: length,
            L: steep,
            μ_F: least_information(mdp, now.π),
            lacks_now: best - F.value(λ),
            lacks_next: best - F.value(pair_visits(mdp, after.π)),
            wrong: norm(now.direction - slope, 2),
        }


# -- A fitted occupancy ------------------------------------------------------------------------------------------------

slope = Quantity(r"\nabla_\theta F(\lambda(\theta))", "gradient of the utility")
fitted_slope = Quantity(
    r"\nabla_\theta V(\nabla F(\langle \phi, \omega \rangle))", "policy gradient for the shadow reward of the fit"
)
with as_printed():
    reproduces = Eq(fitted_slope, slope)


def each_pair(mdp):
    """A feature for each pair."""
    n = mdp.S * mdp.A
    return rational([[int(i == k) for k in range(n)] for i in range(n)]).reshape(mdp.S, mdp.A, n)


def each_action(mdp):
    """A feature for each action, whatever the state."""
    return rational([[[int(a == b) for b in range(mdp.A)] for a in range(mdp.A)] for _ in range(mdp.S)])


def like(features, λ):
    """The features in the arithmetic of λ."""
    return features if is_exact(λ) else floats(features)


def fit(mdp, λ, features):
    """The least-squares fit, weighted by the start, clipped at 0."""
    found = fitted_occupancy(λ, like(features(mdp), λ), mdp.start)
    return maximum(found, 0 * found)


ON_LOGITS = {"mdp": discounted_mdps(positive_start=True), "θ": logits, "σ": numbers("1/8", 1)}


@theorem(
    reproduces,
    cite="barakat2023",
    at="Section 5, with a feature for each pair",
    source="derived",
    judge=identity(),
    on=ON_LOGITS,
    given=[positive_start],
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()}},
    near_misses={"features of actions only": {"features": each_action}},
    uses=["zhang2021.chain"],
)
def one_hot(mdp, θ, σ, *, features=each_pair):
    """With a feature for each pair and exact regression the fitted occupancy gives the exact gradient."""
    F, π = SmoothedLog(σ), softmax(θ)
    λ = pair_visits(mdp, π)
    yield {
        slope: softmax_gradient(rewarded(mdp, F.gradient(λ)), π),
        fitted_slope: softmax_gradient(rewarded(mdp, F.gradient(fit(mdp, λ, features))), π),
    }


ρ_min = Quantity(r"\rho_{\min}", "smallest start probability", accuracy="exact")
L_λ = Quantity(r"L_\lambda", "Lipschitz constant of ∇F in the Euclidean norm: 1/σ²", accuracy="exact")
misfit = Quantity(
    r"\mathbb E_{s \sim \rho} \sum_a (\langle \phi, \omega \rangle - \lambda)^2(s,a)",
    "error of the fit, weighted by the start",
)
turn = Quantity(
    r"\lVert \nabla_\theta V(\nabla F(\langle \phi, \omega \rangle)) - \nabla_\theta F \rVert^2",
    "square of the error of the gradient",
)
with as_printed():
    fits = turn <= 4 * L_λ**2 / ((1 - γ) ** 4 * ρ_min) * misfit
    fits_without_start = turn <= 4 * L_λ**2 / (1 - γ) ** 4 * misfit
    fits_hundredth = turn <= L_λ**2 / (10**6 * ρ_min) * misfit


def rare_start():
    """A state where hardly any walk starts and every walk ends, with two actions there; γ = 1/2."""
    mdp = DiscountedMDP(
        rational([[[0, 1], [0, 1]], [[0, 1], [0, 1]]]), rational([[0, 0], [0, 0]]), rational(["1/2"])[0],
        rational(["999999/1000000", "1/1000000"]),
    )  # fmt: skip
    return {"mdp": mdp, "θ": rational([[0, 0], [2, -2]]), "σ": rational([1])[0]}


@theorem(
    fits,
    cite="barakat2023",
    at="Section 5, the error of the fit in the gradient",
    source="derived",
    judge=for_all(),
    on=ON_LOGITS,
    given=[positive_start],
    named={"rare start": rare_start},
    near_misses={"without the smallest start probability": fits_without_start, "a millionth": fits_hundredth},
    uses=["pgoma.pseudo"],
    note="Features of actions only, exact regression.  ‖λ − λ̂‖² <= misfit / ρ_min; clipping at 0 only helps.",
)
def misfits(mdp, θ, σ):
    """What the fit misses, weighted by the start, enters the error of the gradient with 1 / ρ_min."""
    F, π = SmoothedLog(σ), softmax(θ)
    λ = pair_visits(mdp, π)
    found = fit(mdp, λ, each_action)
    g, other = (softmax_gradient(rewarded(mdp, F.gradient(x)), π) for x in (λ, found))
    yield {
        γ: mdp.discount,
        ρ_min: smallest(mdp.start),
        L_λ: 1 / σ**2,
        misfit: total(mdp.start * total((found - λ) * (found - λ))),
        turn: total((g - other) * (g - other), 2),
    }
