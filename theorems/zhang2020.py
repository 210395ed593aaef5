"""Zhang et al. (2020), Variational Policy Gradient Method for RL with General Utilities, with exact gradients.

F is a concave function of the occupancy λ(s, a) = Σ_t γ^t P(s_t = s, a_t = a).  The paper's rates leave constants open;
those below are derived, see the card.
"""

from itertools import count

from sympy import Eq, sqrt

from mdplab.arrays import (
    exp,
    expand,
    identity_like,
    is_exact,
    largest,
    namespace,
    norm,
    rational,
    smallest,
    solve,
    total,
    transposed,
)
from mdplab.exact import direct_utility_gradient, pair_visits, pair_visits_by_logits, policy_of
from mdplab.exact.utilities import Quadratic, SmoothedLog
from mdplab.instances import deterministic_policies, discounted_mdps, logits, numbers, policies, two_by_two
from mdplab.instances.domain import Family
from mdplab.instances.families import by_name
from mdplab.models import DiscountedMDP
from mdplab.solvers import project_to_simplex, projected_utility_pg
from mdplab.theorem import Quantity, as_printed, for_all, positive_start, theorem

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
