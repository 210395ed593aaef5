"""Zhang et al. (2020), Variational Policy Gradient Method for RL with General Utilities.

F is a concave function of the occupancy λ(s, a) = Σ_t γ^t P(s_t = s, a_t = a).  The paper's rates leave constants open;
those below are derived, see the card.
"""

from dataclasses import replace
from itertools import count, pairwise

from sympy import Eq, sqrt

from mdplab.arrays import (
    exp,
    expand,
    identity_like,
    is_exact,
    largest,
    minimum,
    namespace,
    norm,
    rational,
    smallest,
    softmax,
    solve,
    sup,
    total,
    transposed,
)
from mdplab.exact import (
    direct_utility_gradient,
    pair_visits,
    pair_visits_by_logits,
    policy_of,
    rewarded,
    softmax_gradient,
    softmax_utility_gradient,
    variational_gradient,
    visits_from_each,
)
from mdplab.exact.scalarisations import SmoothWorst
from mdplab.exact.utilities import OfReturns, Quadratic, SmoothedLog
from mdplab.instances import (
    deterministic_policies,
    discounted_mdps,
    logits,
    numbers,
    one_state_loop,
    policies,
    two_armed_bandit,
    two_by_two,
    two_by_two_logits,
)
from mdplab.instances.domain import Family
from mdplab.instances.families import by_name
from mdplab.models import DiscountedMDP
from mdplab.sampling import every_trajectory, mean, visited_pairs
from mdplab.solvers import project_to_simplex, projected_utility_pg, utility_pg
from mdplab.theorem import Quantity, as_printed, for_all, identity, positive_start, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
α = Quantity(r"\alpha", "weight of the second occupancy", accuracy="exact")
A = Quantity(r"|\mathcal{A}|", "number of actions", integer=True)


def family(name, **options):
    """One of the usual families with options."""
    text = ",".join(f"{key}={x}" for key, x in options.items())
    return Family(f"{name}:{text}", lambda rng, n: by_name[name](rng, n, **options))


SMALL = (family("garnet", S=2, A=2), family("garnet", S=3, A=2), family("tiny-start", S=2, A=3), family("chain", S=3))
BANDITS = (family("bandits", K=2), family("bandits", K=3))

# -- The variational formula -------------------------------------------------------------------------------------------

δ = Quantity(r"\delta", "how far the formula looks ahead", accuracy="exact")
at_saddle = Quantity(r"\mathcal{L}_\delta(x_\delta, z_\delta)", "the saddle function where x and z are best")
other_x = Quantity(r"\mathcal{L}_\delta(x, z_\delta)", "the saddle function at another x")
other_z = Quantity(r"\mathcal{L}_\delta(x_\delta, z)", "the saddle function at another z")
error = Quantity(r"\lVert x_\delta - \nabla_\theta F(\lambda(\theta)) \rVert", "distance of x_δ from the gradient")
bent = Quantity(r"\lVert \mathcal{J}^\top M \mathcal{J} \nabla_\theta F \rVert", "curvature of F along its gradient")
slope = Quantity(r"\lVert \nabla_\theta F \rVert", "length of the gradient")
with as_printed():
    best_in_x = other_x <= at_saddle
    best_in_z = at_saddle <= other_z
    near = error <= δ * bent
    near_squared = error <= δ**2 * bent
    near_half = error <= δ / 2 * bent


def maximiser(K, g, δ):
    """x_δ for quadratic F: (I + δ K) x = g with K = JᵀMJ."""
    return solve(identity_like(K) + expand(δ, 2) * K, g)


def maximiser_of_negated_penalty(K, g, δ):
    """As if the penalty on x helped: (I − δ K) x = g."""
    return solve(identity_like(K) - expand(δ, 2) * K, g)


@theorem(
    {"best x": best_in_x, "best z": best_in_z, "distance": near},
    cite="zhang2020",
    at="Theorem 3.1 and Lemma E.1(i)",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(2, 3, positive_start=True, families=SMALL),
        "π": policies,
        "other": policies,
        "x": logits,
        "z": logits,
        "ahead": numbers("1/10000", "1/10"),
    },
    named={"two by two": {"mdp": two_by_two(), "other": rational([["1/4", "3/4"], ["2/3", "1/3"]])}},
    near_misses={
        "as the square of δ": near_squared,
        "half of the distance": near_half,
        "without the penalty's sign": {"solver": maximiser_of_negated_penalty},
    },
    note="For F = −½‖λ − m‖², where x_δ is rational: G_δ(x, z) = ⟨z, λ + δJx⟩ − F*(z) − δ/2 ‖x‖², F* the concave "
    "conjugate, M = I.  The statement was read in notes; the constant is derived.",
)
def thm3_1(mdp, π, other, x, z, ahead, *, solver=maximiser):
    """The variational formula has a saddle point, whose x_δ tends to the gradient of F as fast as δ tends to zero."""
    λ, m = pair_visits(mdp, π), pair_visits(mdp, other)
    reshape = namespace(λ).reshape
    flat, J = (*mdp.batch, -1), pair_visits_by_logits(mdp, π)
    toward, K = reshape(m - λ, flat), transposed(J) @ J
    g = (transposed(J) @ toward[..., None])[..., 0]
    best_x = solver(K, g, ahead)
    best_z = toward - expand(ahead, 1) * (J @ best_x[..., None])[..., 0]  # ∇F(λ + δJx)

    def saddle(x, z):
        here = reshape(λ, flat) + expand(ahead, 1) * (J @ x[..., None])[..., 0]
        conjugate = total(z * reshape(m, flat)) - total(z * z) / 2
        return total(z * here) - conjugate - ahead / 2 * total(x * x)

    yield {
        δ: ahead,
        at_saddle: saddle(best_x, best_z),
        other_x: saddle(reshape(x, flat), best_z),
        other_z: saddle(best_x, reshape(z, flat)),
        error: norm(best_x - g),
        bent: norm((K @ g[..., None])[..., 0]),
    }


value_here = Quantity(
    r"F(\lambda + \delta \mathcal{J} x_\delta) - \tfrac{\delta}{2} \lVert x_\delta \rVert^2", "objective at x_δ"
)
value_there = Quantity(
    r"F(\lambda + \delta \mathcal{J} x) - \tfrac{\delta}{2} \lVert x \rVert^2", "objective at another x"
)
off = Quantity(
    r"\lVert x_\delta - \mathcal{J}^\top \nabla F(\lambda + \delta \mathcal{J} x_\delta) \rVert",
    "what a computed x_δ leaves of its equation",
)
size = Quantity(r"\lVert x_\delta \rVert", "length of x_δ")
away = Quantity(r"\lVert x - x_\delta \rVert", "distance of the other x")
κ = Quantity(r"\kappa", "bound on the curvature ‖Jᵀ∇²F J‖ of F")
with as_printed():
    best_of_all = value_there <= value_here + δ * (off * away - away**2 / 2)
    near_gradient = error <= δ * κ * size + off
    too_concave = value_there <= value_here + δ * (off * away - away**2)
    near_gradient_squared = error <= δ**2 * κ * size + off
    near_gradient_third = error <= δ / 3 * κ * size + off


def smooth_utilities(mdp, J, σ):
    """Two utilities that are not quadratic, with κ: a smoothed logarithm, and a smooth minimum of ⟨r, λ⟩, ⟨1 − r, λ⟩.

    The one bends by at most 1/σ² in each direction, the other by (1/4σ) wwᵀ, w = 2 r − 1.
    """
    along = (transposed(J) @ namespace(J).reshape(2 * mdp.r - 1, (*mdp.batch, -1))[..., None])[..., 0]
    yield SmoothedLog(σ), total(J * J, 2) / σ**2
    yield OfReturns(namespace(mdp.P).stack([mdp.r, 1 - mdp.r], axis=-3), SmoothWorst(σ)), total(along * along) / (4 * σ)


@theorem(
    {"best x": best_of_all, "distance": near_gradient},
    cite="zhang2020",
    at="Theorem 3.1 and Lemma E.1(i), for any smooth F",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(2, 2, positive_start=True, families=SMALL),
        "π": policies,
        "x": logits,
        "ahead": numbers("1/10000", "1/10"),
        "σ": numbers("1/4", 1),
    },
    named={"two by two": {"mdp": two_by_two(), "x": rational([[1, 0], [-1, 2]]), "ahead": rational(["1/10"])[0]}},
    near_misses={
        "as the square of δ": near_gradient_squared,
        "a third of the distance": near_gradient_third,
        "twice as concave": too_concave,
    },
    uses=["zhang2020.thm3_1"],
    note="Read in notes: x_δ = Jᵀ∇F(λ + δJx_δ) is δ-near the gradient; the constant is derived.  x_δ is computed in "
    "float64, and what it leaves of its equation is counted on the right: so the statement is true of any x.",
)
def thm3_1_smooth(mdp, π, x, ahead, σ):
    """For smooth F the variational maximiser is best, and differs from the gradient by at most δ κ times its length."""
    λ, J = pair_visits(mdp, π), pair_visits_by_logits(mdp, π)
    back = transposed(J)

    def row(y):
        return namespace(λ).reshape(y, (*mdp.batch, -1))

    def times(M, y):
        return (M @ y[..., None])[..., 0]

    def ahead_of(y):
        return λ + namespace(λ).reshape(expand(ahead, 1) * times(J, y), λ.shape)

    # Short enough for the logarithm: δ J y stays above −σ/2.
    y = row(x) / expand(1 + 2 * ahead * norm(J, 2) * norm(row(x)) / σ, 1)
    for F, bend in smooth_utilities(mdp, J, σ):
        best = row(variational_gradient(mdp, π, F, ahead))
        best = rational(best) if is_exact(λ) else best
        yield {
            δ: ahead,
            κ: bend,
            value_here: F.value(ahead_of(best)) - ahead / 2 * total(best * best),
            value_there: F.value(ahead_of(y)) - ahead / 2 * total(y * y),
            away: norm(y - best),
            off: norm(best - times(back, row(F.gradient(ahead_of(best))))),
            error: norm(best - times(back, row(F.gradient(λ)))),
            size: norm(best),
        }


# -- Constants of the estimator, which are exact -----------------------------------------------------------------------

z_max = Quantity(r"\lVert z \rVert_\infty", "largest entry of a reward", accuracy="exact")
policy_slope = Quantity(
    r"\lVert \nabla_\theta \langle \pi_\theta(\cdot|s), z(s,\cdot) \rangle \rVert",
    "largest slope of a mean of z over actions",
)
value_slope = Quantity(r"\lVert \nabla_\theta V(\theta; z) \rVert", "length of the policy gradient for the reward z")
with as_printed():
    policy_lipschitz = policy_slope <= z_max / sqrt(2)
    value_lipschitz = value_slope <= z_max / (sqrt(2) * (1 - γ) ** 2)
    policy_lipschitz_half = policy_slope <= z_max / 2
    value_lipschitz_less = value_slope <= z_max / 2


def undecided_agent():
    """One state, two actions, a fair coin between 1 and −1: the slope is 1/√2."""
    return {"mdp": two_armed_bandit(), "θ": rational([[0, 0]]), "z": rational([[1, -1]])}


@theorem(
    {"policy": policy_lipschitz, "value": value_lipschitz},
    cite="zhang2020",
    at="Theorem 3.2, its constant C for a table of logits",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits, "z": logits},
    named={"undecided": undecided_agent},
    near_misses={"1/2 for 1/√2": policy_lipschitz_half, "without the horizon": value_lipschitz_less},
    note="The paper assumes ‖∇π(·|s)‖ <= C from the largest entry to the 2-norm; for a table of logits C = 1/√2, as "
    "Σ π² (z − z̄)² <= max π |z − z̄| · E|z − z̄| <= ½.",
)
def softmax_constant(mdp, θ, z):
    """For a table of logits the slope of a mean over actions is at most 1/√2, and of a value 1/(√2 (1 − γ)²)."""
    π = softmax(θ)
    terms = π * (z - total(π * z)[..., None])
    yield {
        γ: mdp.discount,
        z_max: sup(z, 2),
        policy_slope: largest(norm(terms)),
        value_slope: norm(softmax_gradient(rewarded(mdp, z), π), 2),
    }


# -- Hidden concavity --------------------------------------------------------------------------------------------------

between = Quantity(r"\lambda^{\pi_{\lambda_\alpha}}(s,a)", "occupancy of the policy that belongs to the mixture")
mixture = Quantity(r"\lambda_\alpha(s,a)", "mixture of the two occupancies", accuracy="relative")
value = Quantity(r"F(\lambda^\pi)", "utility of the one policy")
other_value = Quantity(r"F(\lambda^{\pi'})", "utility of the other policy")
value_between = Quantity(r"F(\lambda^{\pi_{\lambda_\alpha}})", "utility of the policy between")
with as_printed():
    mixes = Eq(between, mixture)
    concave = value_between >= (1 - α) * value + α * other_value
    more_concave = value_between >= (1 - α / 2) * value + α * other_value


def mixed_occupancies(mdp, π, other, weight):
    """The policy whose occupancy is the mixture."""
    w = expand(weight, 2)
    return policy_of((1 - w) * pair_visits(mdp, π) + w * pair_visits(mdp, other))


def mixed_policies(mdp, π, other, weight):
    """The mixture of the policies in each state."""
    w = expand(weight, 2)
    return (1 - w) * π + w * other


def committed():
    """Two states, action 0 stays and action 1 swaps: both never to swap and always to swap divide time evenly."""
    mdp = DiscountedMDP(
        rational([[[1, 0], [0, 1]], [[0, 1], [1, 0]]]), rational([[0, 0], [0, 0]]), rational(["9/10"])[0],
        rational([1, 0]),
    )  # fmt: skip
    return {
        "mdp": mdp,
        "π": rational([["99/100", "1/100"], ["99/100", "1/100"]]),
        "other": rational([["1/100", "99/100"], ["99/100", "1/100"]]),
        "weight": rational(["1/2"])[0],
        "σ": rational([1])[0],
    }


@theorem(
    {"occupancy": mixes, "utility": concave},
    cite="zhang2020",
    at="Section 4, hidden convexity",
    source="derived",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(positive_start=True),
        "π": policies,
        "other": policies,
        "weight": numbers(0, 1),
        "σ": numbers("1/8", 1),
    },
    near_misses={"policies mixed instead": {"mix": mixed_policies}, "more than concave": more_concave},
    named={"committed": committed},
    note="For F = Σ log(λ + σ) and F = −½‖λ − λ^π‖².  The claim is the paper's idea, its form derived.",
)
def hidden(mdp, π, other, weight, σ, *, mix=mixed_occupancies):
    """Occupancies of policies mix, and so a concave utility is concave along the policies that belong to mixtures."""
    λ, far = pair_visits(mdp, π), pair_visits(mdp, other)
    found = pair_visits(mdp, mix(mdp, π, other, weight))
    for F in (SmoothedLog(σ), Quadratic(λ)):
        yield {
            α: weight,
            between: found,
            mixture: (1 - expand(weight, 2)) * λ + expand(weight, 2) * far,
            value: F.value(λ),
            other_value: F.value(far),
            value_between: F.value(found),
        }


ρ_min = Quantity(r"\rho_{\min}", "smallest start probability", accuracy="exact")
moved = Quantity(r"\lVert \pi_\lambda - \pi_{\lambda'} \rVert_2", "distance of the policies")
apart = Quantity(r"\lVert \lambda - \lambda' \rVert_2", "distance of the occupancies")
most_moved = Quantity(r"\max_s \lVert \pi_\lambda - \pi_{\lambda'} \rVert_1(s)", "largest distance in a state")
most_apart = Quantity(r"\max_s \lVert \lambda - \lambda' \rVert_1(s)", "largest distance of occupancies in a state")
with as_printed():
    inverse_lipschitz = moved <= (1 + sqrt(A)) / ρ_min * apart
    inverse_by_state = most_moved <= 2 / ρ_min * most_apart
    inverse_without_start = moved <= (1 + sqrt(A)) * apart
    inverse_fifth = most_moved <= 1 / (5 * ρ_min) * most_apart


def bandit_of_two_arms():
    """Three states that stay, γ = 0, one with start probability 1/100: there a policy costs nothing to turn."""
    mdp = DiscountedMDP(
        rational([[[int(s == t) for t in range(3)]] * 2 for s in range(3)]), rational([[0, 0]] * 3), rational([0])[0],
        rational(["1/100", "49/100", "1/2"]),
    )  # fmt: skip
    half = ["1/2", "1/2"]
    return {"mdp": mdp, "π": rational([[1, 0], half, half]), "other": rational([[0, 1], half, half])}


@theorem(
    {"": inverse_lipschitz, "by state": inverse_by_state},
    cite="zhang2020",
    at="Section 4, Lipschitz continuity of the inverse",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "π": policies, "other": policies},
    given=[positive_start],
    named={"three states that stay": bandit_of_two_arms},
    near_misses={"without the start": inverse_without_start, "a fifth instead of two": inverse_fifth},
    note="Proved on the card.",
)
def inverse(mdp, π, other):
    """Occupancies determine policies, Lipschitz with a constant over the smallest start probability."""
    λ, far = pair_visits(mdp, π), pair_visits(mdp, other)
    yield {
        A: mdp.A,
        ρ_min: smallest(mdp.start),
        moved: norm(π - other, 2),
        apart: norm(λ - far, 2),
        most_moved: largest(total(abs(π - other))),
        most_apart: largest(total(abs(λ - far))),
    }


# -- Projected ascent --------------------------------------------------------------------------------------------------

k = Quantity("k", "number of updates", integer=True)
L = Quantity("L", "smoothness of F in the probabilities of a policy", accuracy="exact")
lacks = Quantity(r"\delta_k", "F* less the utility of the k-th policy")
lacks_next = Quantity(r"\delta_{k+1}", "F* less the utility of the next policy")
way = Quantity(
    r"\lVert \pi_{(1-\alpha)\lambda_k + \alpha\lambda^\star} - \pi_k \rVert", "way to the policy of the mixture",
    accuracy="absolute",
)  # fmt: skip
with as_printed():
    step = lacks_next <= (1 - α) * lacks + L * way**2
    rate_claim = lacks <= 4 * L * ((1 + sqrt(A)) / ρ_min) ** 2 * (2 / (1 - γ) ** 2) / (k + 1)
    rate_tiny = lacks <= 4 * (2 / (1 - γ) ** 2) / (k + 1) ** 4


def steepness(mdp):
    """L for F = −½‖λ − m‖², with L_{λ,∞} = 1 and l_{λ,∞} = 1/(1−γ), which is between 0 and what any λ(s, a) can be."""
    rest = 1 - mdp.discount
    return mdp.A / rest**4 + 2 * mdp.discount * mdp.A / rest**4


def enclosed(π):
    """The same policy, in balls where it is exact: the digits of rational iterates would double in each step."""
    return π * exp(0 * π) if is_exact(π) else π


def smoother(mdp):
    """A two-thousandth of it, also for the step."""
    return steepness(mdp) / 2000


def half_squares(λ, m):
    """−F(λ)."""
    return -Quadratic(m).value(λ)


def down_hill(mdp, F, π, *, step_size):
    """The same steps, backwards."""
    for n in count():
        yield type("Iterate", (), {"k": n, "π": π})
        π = project_to_simplex(π - expand(step_size, 2) * direct_utility_gradient(mdp, π, F))


ON_STEPS = {
    "mdp": discounted_mdps(2, 2, positive_start=True, families=SMALL + BANDITS),
    "π": policies,
    "goal": deterministic_policies,
}


@theorem(
    step,
    cite="zhang2020",
    at="Section 4, the ascent of one step",
    source="derived",
    judge=for_all(k, up_to=20, exactly_up_to=5),
    on={**ON_STEPS, "weight": numbers("1/1000000", 1)},
    given=[positive_start],
    named={
        "two by two": {"mdp": two_by_two(), "goal": rational([[1, 0], [0, 1]]), "weight": rational(["1/1000000"])[0]}
    },
    near_misses={"smoother than F is": {"smooth": smoother}, "downhill": {"solver": down_hill}},
    note="For F = −½‖λ − λ^π*‖² with π* deterministic, so that F* = 0 is known.  Small α say most.",
)
def rate_step(mdp, π, goal, weight, *, solver=projected_utility_pg, smooth=None):
    """A step of length 1/L gains at least what going to the policy of a mixture with the optimal occupancy would."""
    m, steep = pair_visits(mdp, goal), (smooth or steepness)(mdp)
    iterates = solver(mdp, Quadratic(m), enclosed(π), step_size=1 / steep)
    x = next(iterates)
    for after in iterates:
        λ = pair_visits(mdp, x.π)
        target = policy_of((1 - expand(weight, 2)) * λ + expand(weight, 2) * m)
        yield {
            k: x.k,
            α: weight,
            L: steep,
            lacks: half_squares(λ, m),
            lacks_next: half_squares(pair_visits(mdp, after.π), m),
            way: norm(target - x.π, 2),
        }
        x = after


@theorem(
    rate_claim,
    cite="zhang2020",
    at="Section 4, global convergence",
    source="derived",
    judge=for_all(k, up_to=150, exactly_up_to=5),
    on=ON_STEPS,
    given=[positive_start],
    named={"two by two": {"mdp": two_by_two(), "goal": rational([[1, 0], [0, 1]])}},
    near_misses={"without L and the inverse": rate_tiny, "downhill": {"solver": down_hill}},
    trivial=1 / (1 - γ) ** 2,
    uses=["zhang2020.rate_step", "zhang2020.inverse"],
    note="The paper's form O(1/k) with derived constants: 4 L l² D² / (k + 1), l = (1 + √|A|)/ρ_min and "
    "D = √2/(1 − γ), for F = −½‖λ − λ^π*‖².  Loose: within these lengths it says something of bandits only.",
)
def rate(mdp, π, goal, *, solver=projected_utility_pg):
    """Projected ascent on a concave utility loses at most O(1/k), though F is not concave in the policy."""
    m, steep = pair_visits(mdp, goal), steepness(mdp)
    for x in solver(mdp, Quadratic(m), enclosed(π), step_size=1 / steep):
        if x.k:
            yield {
                k: x.k,
                γ: mdp.discount,
                A: mdp.A,
                L: steep,
                ρ_min: smallest(mdp.start),
                lacks: half_squares(pair_visits(mdp, x.π), m),
            }


with as_printed():
    linear_step = lacks - lacks_next >= lacks / (1 + 2 * L * ((1 + sqrt(A)) / ρ_min) ** 2)
    linear_step_without_L = lacks - lacks_next >= lacks / (1 + 2 * ((1 + sqrt(A)) / ρ_min) ** 2)
    halves = lacks - lacks_next >= lacks / 2


@theorem(
    linear_step,
    cite="zhang2020",
    at="Section 4, strongly concave utilities",
    source="derived",
    judge=for_all(k, up_to=40, exactly_up_to=5),
    on=ON_STEPS,
    given=[positive_start],
    named={"two by two": {"mdp": two_by_two(), "goal": rational([[1, 0], [0, 1]])}},
    near_misses={
        "without L": linear_step_without_L,
        "half in every step": halves,
        "downhill": {"solver": down_hill},
    },
    uses=["zhang2020.rate_step", "zhang2020.inverse"],
    note="Recalled is a linear rate where F is strongly concave; the constant is derived, with modulus one for "
    "F = −½‖λ − λ^π*‖².  δ_k falls geometrically as this holds for every k.",
)
def rate_strong(mdp, π, goal, *, solver=projected_utility_pg):
    """On a strongly concave utility each step of projected ascent closes the share 1/(1 + 2 L l²) of the gap."""
    m, steep = pair_visits(mdp, goal), steepness(mdp)
    constants = {A: mdp.A, L: steep, ρ_min: smallest(mdp.start)}
    for x, after in pairwise(solver(mdp, Quadratic(m), enclosed(π), step_size=1 / steep)):
        here, there = (half_squares(pair_visits(mdp, y.π), m) for y in (x, after))
        yield constants | {k: x.k, lacks: here, lacks_next: there}


σ_ = Quantity(r"\sigma", "what smooths the logarithm", accuracy="exact")
behind = Quantity(r"F(\lambda^{\pi'}) - F(\lambda_k)", "what another policy has more than the k-th")
behind_next = Quantity(r"F(\lambda^{\pi'}) - F(\lambda_{k+1})", "what it has more than the next")
way_there = Quantity(
    r"\lVert \pi_{(1-\alpha)\lambda_k + \alpha\lambda'} - \pi_k \rVert", "way to the policy of the mixture"
)
with as_printed():
    step_to_any = behind_next <= (1 - α) * behind + L * way_there**2
    step_for_free = behind_next <= (1 - α) * behind


def steepness_of_logarithm(mdp, σ):
    """L for F = Σ log(λ + σ), with L_{λ,∞} = 1/σ² and l_{λ,∞} = 1/σ."""
    rest = 1 - mdp.discount
    return mdp.A / (σ**2 * rest**4) + 2 * mdp.discount * mdp.A / (σ * rest**3)


def smoother_logarithm(mdp, σ):
    """A thousandth of it, also for the step."""
    return steepness_of_logarithm(mdp, σ) / 1000


@theorem(
    step_to_any,
    cite="zhang2020",
    at="Section 4, the ascent of one step",
    source="derived",
    judge=for_all(k, up_to=10, exactly_up_to=2),
    on={
        "mdp": discounted_mdps(2, 2, positive_start=True, families=SMALL + BANDITS),
        "π": policies,
        "other": policies,
        "weight": numbers("1/1000", 1),
        "σ": numbers("1/4", 1),
    },
    given=[positive_start],
    named={"two by two": {"mdp": two_by_two(), "other": rational([["1/10", "9/10"], ["9/10", "1/10"]])}},
    near_misses={
        "without the way": step_for_free,
        "smoother than F is": {"smooth": smoother_logarithm},
    },
    uses=["zhang2020.hidden"],
    note="For F = Σ log(λ + σ).  The proof takes any λ' in the place of the optimal occupancy: no optimum is needed.",
)
def rate_step_log(mdp, π, other, weight, σ, *, smooth=steepness_of_logarithm):
    """A step of length 1/L gains what going to the policy of any mixture would, for a smoothed logarithm too."""
    F, steep, far = SmoothedLog(σ), smooth(mdp, σ), pair_visits(mdp, other)
    most = F.value(far)
    for x, after in pairwise(projected_utility_pg(mdp, F, enclosed(π), step_size=1 / steep)):
        λ = pair_visits(mdp, x.π)
        yield {
            k: x.k,
            α: weight,
            L: steep,
            behind: most - F.value(λ),
            behind_next: most - F.value(pair_visits(mdp, after.π)),
            way_there: norm(policy_of((1 - expand(weight, 2)) * λ + expand(weight, 2) * far) - x.π, 2),
        }


# -- Stationary points -------------------------------------------------------------------------------------------------

least_slope = Quantity(r"\min_{j < k} \lVert \nabla_\theta F(\lambda(\theta_j)) \rVert^2", "least squared slope so far")
lacks_first = Quantity(r"F^\star - F(\lambda(\theta_0))", "what the first policy lacks")
L_θ = Quantity(r"L_\theta", "smoothness of F in the logits: 3 / (2 (1 − γ)³)", accuracy="exact")
with as_printed():
    stationary = least_slope <= 2 * L_θ * lacks_first / k
    stationary_square = least_slope <= 2 * L_θ * lacks_first / k**2
    stationary_rough = least_slope <= lacks_first / (100 * k)


def crawling(mdp, F, θ, *, step_size):
    """Steps a hundredth as long."""
    return utility_pg(mdp, F, θ, step_size=step_size / 100)


@theorem(
    stationary,
    cite="zhang2020",
    at="Section 4, first-order stationary points",
    source="derived",
    judge=for_all(k, up_to=100, exactly_up_to=5),
    on={
        "mdp": discounted_mdps(2, 3, positive_start=True, families=SMALL + BANDITS),
        "θ": logits,
        "goal": deterministic_policies,
    },
    named={
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "goal": rational([[1, 0], [0, 1]])},
        "two arms": {"mdp": two_armed_bandit(), "goal": rational([[1, 0]])},
    },
    near_misses={
        "a hundredth and no smoothness": stationary_rough,
        "as the square of k": stationary_square,
        "steps a hundredth as long": {"solver": crawling},
    },
    uses=["zhang2021.lem5_3_tabular"],
    note="Recalled is Õ(ε^{-2}) steps to a slope of ε; for F = −½‖λ − λ^π*‖², l = 1/(1 − γ) and L_λ = 1, so that the "
    "tabular L_θ is 3 / (2 (1 − γ)³).",
)
def stationary_points(mdp, θ, goal, *, solver=utility_pg):
    """Gradient ascent on logits finds a slope of ε within 2 L_θ (F* − F_0) / ε² steps of length 1/L_θ."""
    m, steep = pair_visits(mdp, goal), 3 / (2 * (1 - mdp.discount) ** 3)
    F, constants, least = Quadratic(m), {L_θ: steep}, None
    for x in solver(mdp, F, θ, step_size=1 / steep):
        if x.k:
            yield constants | {k: x.k, least_slope: least}
        else:
            constants[lacks_first] = half_squares(pair_visits(mdp, x.π), m)
        here = norm(softmax_utility_gradient(mdp, x.π, F), 2) ** 2
        least = here if least is None else minimum(least, here)


# -- The estimate from paths -------------------------------------------------------------------------------------------

K = Quantity("K", "steps of a path", integer=True)
n = Quantity("n", "number of paths", integer=True)
path_value = Quantity(r"|\tilde V(\theta; z)|", "largest observed value of a path")
path_slope = Quantity(r"\lVert \nabla \tilde V(\theta; z) \rVert^2", "square of the largest slope of a path")
cut = Quantity(
    r"\lVert \mathbb E \nabla \tilde V(\theta; z) - \nabla V(\theta; z) \rVert^2", "square of the bias of the slope"
)
with as_printed():
    path_bounded = path_value <= z_max / (1 - γ)
    path_slope_bounded = path_slope <= z_max**2 / (2 * (1 - γ) ** 4)
    path_bounded_less = path_value <= z_max / (2 * (1 - γ))
    path_slope_half = path_slope <= z_max**2 / (4 * (1 - γ) ** 4)
    cut_off = cut <= γ ** (2 * K) * z_max**2 / (2 * (1 - γ) ** 4)
    cut_off_later = cut <= γ ** (2 * K + 2) * z_max**2 / (8 * (1 - γ) ** 4)

ON_REWARDS = {"mdp": discounted_mdps(2, 2, families=SMALL[:2]), "π": policies, "z": logits}


def rewards_of_values(mdp, π, z):
    """Q^π for rewards z (..., N, S, A), many of each model."""
    reshape, γ_ = namespace(z).reshape, expand(mdp.discount, 2)
    moves = reshape(mdp.P, (*mdp.batch, mdp.S * mdp.A, mdp.S))
    v = total(π[..., None, :, :] * z) @ transposed(visits_from_each(mdp, π))
    return z + reshape(γ_ * (v @ transposed(moves)), z.shape)


def slope_of_paths(mdp, π, λ, z):
    """Σ_t γ^t Σ_a Q(s_t, a; z) ∇π(a | s_t) of paths with visits λ, for rewards z: both (..., N, S, A)."""
    q, π = rewards_of_values(mdp, π, z), π[..., None, :, :]
    return expand(total(λ), 1) * π * (q - expand(total(π * q), 1))


def from_now(mdp, π, steps):
    """Visits of all paths of that many steps, and their probabilities."""
    τ, p = every_trajectory(mdp, π, steps)
    return visited_pairs(τ, mdp.S, mdp.A), p


def from_next(mdp, π, steps):
    """As printed in notes: sums that begin at k = 1."""
    τ, p = every_trajectory(mdp, π, steps + 1)
    later = τ.weights + 0 * τ.rewards
    later[..., 0] = 0 * later[..., 0]
    return visited_pairs(replace(τ, weights=later), mdp.S, mdp.A), p


@theorem(
    {"value": path_bounded, "slope": path_slope_bounded},
    cite="zhang2020",
    at="Theorem 3.2, bounds of one path",
    judge=for_all(K, up_to=3),
    on=ON_REWARDS,
    named={
        "undecided": {"mdp": one_state_loop("1/2", 2), "z": rational([[1, -1]])},
        "two stays": {"mdp": one_state_loop("1/2", 2), "z": rational([[1, 1]])},
    },
    near_misses={"half of the value": path_bounded_less, "half of the square": path_slope_half},
    uses=["zhang2020.softmax_constant"],
    note="With C = 1/√2 of a table of logits; exact action values, all actions.",
)
def path(mdp, π, z):
    """No path has an observed value beyond ‖z‖ / (1 − γ), or a slope beyond C ‖z‖ / (1 − γ)²."""
    for steps in range(1, 4):
        λ, _ = from_now(mdp, π, steps)
        g = slope_of_paths(mdp, π, λ, z[..., None, :, :] + 0 * λ)
        yield {
            K: steps,
            γ: mdp.discount,
            z_max: sup(z, 2),
            path_value: largest(abs(total(z[..., None, :, :] * λ, 2))),
            path_slope: largest(total(g * g, 2)),
        }


@theorem(
    cut_off,
    cite="zhang2020",
    at="Theorem 3.2, its bias",
    status="corrected",
    judge=for_all(K, up_to=3),
    on=ON_REWARDS,
    named={
        "undecided": {"mdp": one_state_loop("1/2", 2), "z": rational([[1, -1]])},
        "two by two": {"mdp": two_by_two(), "z": rational([[1, -1], [-1, 1]])},
    },
    near_misses={"one step more": cut_off_later, "sums from one on": {"visits": from_next}},
    uses=["zhang2020.softmax_constant"],
    note="C² = 1/2.  Sums over k = 0, ..., K − 1; notes print them from k = 1, see zhang2020.cut_as_printed.",
)
def truncation(mdp, π, z, *, visits=from_now):
    """Cutting paths off after K steps biases the slope by at most C γ^K ‖z‖ / (1 − γ)²."""
    for steps in range(1, 4):
        λ, p = visits(mdp, π, steps)
        off = mean(p, slope_of_paths(mdp, π, λ, z[..., None, :, :] + 0 * λ), 2)
        off = off - softmax_gradient(rewarded(mdp, z), π)
        yield {K: steps, γ: mdp.discount, z_max: sup(z, 2), cut: total(off * off, 2)}


@theorem(
    cut_off,
    cite="zhang2020",
    at="Theorem 3.2, its bias",
    status="refuted",
    judge=for_all(K, up_to=3),
    on=ON_REWARDS,
    named={"undecided": {"mdp": one_state_loop("1/2", 2), "z": rational([[1, -1]])}},
    note="The notes' sums over k = 1, ..., K, a misprint for k = 0, ..., K − 1: an error remains that no K removes.",
)
def cut_as_printed(mdp, π, z):
    """As if what happens at time zero did not count, and only paths were cut off after K steps."""
    yield from truncation(mdp, π, z, visits=from_next)


missed = Quantity(r"\mathbb E \lVert x^* - \hat x \rVert^2", "mean square error of the estimate from n paths")
z_best = Quantity(r"\lVert z^* \rVert_\infty", "largest entry of the true shadow reward")
z_missed = Quantity(r"\mathbb E \lVert z^* - \hat z \rVert_\infty^2", "mean square error of the shadow reward")
with as_printed():
    estimated = missed <= (
        z_best**2 / (1 - γ) ** 4 * (γ ** (2 * K) / (1 - γ) ** 2 + 1 / n) + z_missed / (1 - γ) ** 4
    )  # fmt: skip
    estimated_hundredth = missed <= (
        z_best**2 / (1 - γ) ** 4 * (γ ** (2 * K) / (1 - γ) ** 2 + 1 / n) + z_missed / (1 - γ) ** 4
    ) / 100  # fmt: skip

STEPS = 2  # of a path


def means(λ, p, paths):
    """Mean visits of all tuples of one or two paths (..., N, S, A), and their probabilities."""
    if paths == 1:
        return λ, p
    reshape, N = namespace(λ).reshape, p.shape[-1]
    both = (λ[..., :, None, :, :] + λ[..., None, :, :, :]) / 2
    chance = p[..., :, None] * p[..., None, :]
    return reshape(both, (*p.shape[:-1], N * N, *λ.shape[-2:])), reshape(chance, (*p.shape[:-1], N * N))


ON_TARGETS = {"mdp": discounted_mdps(2, 2, families=SMALL[:2]), "π": policies, "other": policies}


def two_rooms():
    """Two states that stay, a coin chooses; in each the other policy is right and the first takes both actions."""
    mdp = DiscountedMDP(
        rational([[[1, 0], [1, 0]], [[0, 1], [0, 1]]]), rational([[0, 0], [0, 0]]), rational([0])[0],
        rational(["1/2", "1/2"]),
    )  # fmt: skip
    return {"mdp": mdp, "other": rational([[1, 0], [0, 1]])}


@theorem(
    estimated,
    cite="zhang2020",
    at="Lemma E.1(ii)",
    judge=for_all(n, up_to=2),
    on=ON_TARGETS,
    named={"two rooms": two_rooms, "two by two": {"mdp": two_by_two(), "other": rational([[1, 0], [1, 0]])}},
    near_misses={"a hundredth": estimated_hundredth},
    uses=["zhang2020.path", "zhang2020.truncation"],
    note="2 C² = 1.  F = −½‖λ − m‖², m the occupancy of the other policy; one and two paths of two steps, all listed.",
)
def lemE1_ii(mdp, π, other):
    """The estimate errs by what n paths and a horizon leave open, and by the error of its shadow reward."""
    m, λ = pair_visits(mdp, other), pair_visits(mdp, π)
    z, x = m - λ, softmax_gradient(rewarded(mdp, m - λ), π)
    each, chance = from_now(mdp, π, STEPS)
    for paths in (1, 2):
        seen, p = means(each, chance, paths)
        z_seen = m[..., None, :, :] - seen
        off = slope_of_paths(mdp, π, seen, z_seen) - x[..., None, :, :]
        yield {
            n: paths,
            K: STEPS,
            γ: mdp.discount,
            z_best: sup(z, 2),
            missed: mean(p, total(off * off, 2)),
            z_missed: mean(p, sup(z[..., None, :, :] - z_seen, 2) ** 2),
        }


bias_one = Quantity(
    r"\mathbb E\, \hat x_1 - x_\infty", "bias of the estimate from one path, beyond that of the horizon"
)
bias_two = Quantity(r"\mathbb E\, \hat x_2 - x_\infty", "that from two paths")
with as_printed():
    halves = Eq(bias_two, bias_one / 2)
    quarters = Eq(bias_two, bias_one / 4)
    vanishes = Eq(bias_two, 0)


@theorem(
    halves,
    cite="zhang2020",
    at="Theorem 3.2, occupancy and slope from the same paths",
    source="derived",
    judge=identity(),
    on=ON_TARGETS,
    named={"two rooms": two_rooms, "two by two": {"mdp": two_by_two(), "other": rational([[1, 0], [1, 0]])}},
    near_misses={"as the square of n": quarters, "unbiased": vanishes},
    note="F = −½‖λ − m‖², two steps.  x_∞ is the mean slope for the shadow reward at mean visits.  In general the bias "
    "of n paths is the n-th part: of n² terms only the n with equal paths are biased.",
)
def same_paths(mdp, π, other):
    """Occupancy and slope from the same paths make a bias that falls as one over their number."""
    m = pair_visits(mdp, other)[..., None, :, :]
    each, chance = from_now(mdp, π, STEPS)
    centre = mean(chance, each, 2)[..., None, :, :]
    limit = slope_of_paths(mdp, π, centre, m - centre)[..., 0, :, :]

    def bias(paths):
        seen, p = means(each, chance, paths)
        return mean(p, slope_of_paths(mdp, π, seen, m - seen), 2) - limit

    yield {bias_one: bias(1), bias_two: bias(2)}
