"""Several objectives, facts of no single paper: what can be attained, what weights find, and hypervolume.

J(π) is the vector of expected discounted returns from the start distribution.
"""

import numpy as np
from sympy import Eq, sqrt

from mdplab.arrays import largest, namespace, norm, one_hot, rational, softmax, total
from mdplab.exact import (
    all_returns,
    best_returns,
    coverage_set,
    hull_hypervolume,
    hypervolume,
    least_information,
    pair_visits,
    policy_of,
    returns,
    softmax_utility_gradient,
    undominated,
    utility_gap,
    utility_optimum,
)
from mdplab.exact.scalarisations import Reciprocals, SmoothWorst
from mdplab.exact.utilities import OfReturns
from mdplab.instances import logits, numbers, policies
from mdplab.instances.multi_objective import multi_objective_mdps, torn, two_queues, weights
from mdplab.theorem import Quantity, as_printed, for_all, identity, positive_start, theorem, witness

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
support = Quantity(r"\max_\pi \langle w, J(\pi) \rangle", "the most along w, by policy iteration")
enumerated = Quantity(
    r"\max_{\pi\ \mathrm{deterministic}} \langle w, J(\pi) \rangle", "the most along w, by enumeration"
)
attained = Quantity(r"\langle w, J(\pi) \rangle", "what a policy has along w")
with as_printed():
    same_support = Eq(support, enumerated)
    inside = attained <= enumerated


def best_by_weights(mdp, w):
    """⟨w, J⟩ of a policy that is best for the reward ⟨w, r⟩."""
    return total(w * best_returns(mdp, w))


def best_at_once(mdp, w):
    """What a greedy policy for the reward ⟨w, r⟩ has, without a look ahead."""
    r = mdp.weighted(w).r
    return total(w * returns(mdp, one_hot(namespace(r).argmax(r, axis=-1), mdp.A, r)))


def any_direction(w):
    """Weights moved so that some are negative."""
    return 2 * w - 2 / (3 * w.shape[-1] + 0 * w)


@theorem(
    {"support": same_support, "inside": inside},
    cite="morl",
    at="attainable set",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": multi_objective_mdps(), "w": weights, "π": policies},
    named={"torn": {"mdp": torn()}},
    near_misses={"greedy for the weighted reward": {"plan": best_at_once}},
    note="For weights of any sign, so that no point of the convex hull of deterministic policies is missed.",
)
def polytope(mdp, w, π, *, plan=best_by_weights):
    """Policies attain the convex hull of what deterministic ones do, and planning for weights finds its vertices."""
    w = any_direction(w)
    every = total(w * all_returns(mdp))
    yield {
        support: plan(mdp, w),
        enumerated: largest(np.moveaxis(every, 0, -1)),
        attained: total(w * returns(mdp, π)),
    }


# -- Mixtures ----------------------------------------------------------------------------------------------------------

combined = Quantity(r"J_i(\pi_{(1-\alpha)\lambda + \alpha\lambda'})", "return of the policy of the mixed occupancy")
on_line = Quantity(r"(1-\alpha) J_i(\pi) + \alpha J_i(\pi')", "point of the line between the returns")
with as_printed():
    convex = Eq(combined, on_line)


def mixed_occupancies(mdp, π, other, w):
    """The policy whose occupancy is the mixture."""
    return policy_of((1 - w) * pair_visits(mdp.mdp, π) + w * pair_visits(mdp.mdp, other))


def mixed_policies(mdp, π, other, w):
    """The mixture of the policies in each state."""
    return (1 - w) * π + w * other


@theorem(
    convex,
    cite="morl",
    at="attainable set",
    source="derived",
    status="folklore",
    judge=identity(),
    on={"mdp": multi_objective_mdps(), "π": policies, "other": policies, "weight": numbers(0, 1)},
    named={
        "two queues": {
            "mdp": two_queues(1),
            "other": rational([["9/10", "1/10"]] * 4),
            "weight": rational(["1/2"])[0],
        }
    },
    near_misses={"policies mixed instead": {"mix": mixed_policies}},
)
def mixing(mdp, π, other, weight, *, mix=mixed_occupancies):
    """Every point between the returns of two policies is attained, by the policy of the mixed occupancy."""
    w = weight[..., None, None] if getattr(weight, "shape", ()) else weight
    v = weight[..., None] if getattr(weight, "shape", ()) else weight
    yield {
        combined: returns(mdp, mix(mdp, π, other, w)),
        on_line: (1 - v) * returns(mdp, π) + v * returns(mdp, other),
    }


best_mixed = Quantity("f^\\star", "the best scalarised return of all policies")
best_single = Quantity(r"\max_{\pi\ \mathrm{deterministic}} f(J(\pi))", "the best of a deterministic policy")
with as_printed():
    mixing_helps = best_mixed >= best_single + 1
    mixing_helps_too_much = best_mixed >= best_single + 2


@theorem(
    mixing_helps,
    cite="morl",
    at="concave scalarisation",
    source="derived",
    judge=witness(),
    on={"mdp": multi_objective_mdps(families=())},
    named={"torn": {"mdp": torn()}},
    near_misses={"by two": mixing_helps_too_much},
    note="f(x) = −Σ 1/(x_i + 1/2), one state, two opposed actions, γ = 9/10: −44/21 alone, −4/11 in equal shares.",
)
def mixing_pays(mdp):
    """For concave scalarisations the best vertex of the coverage set may be far below the optimum."""
    F = OfReturns(mdp.rewards, Reciprocals(rational(["1/2"])[0]))
    yield {best_mixed: utility_optimum(mdp.mdp, F).low, best_single: largest(F.f.value(all_returns(mdp)))}


gap = Quantity(r"\max_\pi \langle \nabla f(J), J(\pi) - J(\theta) \rangle", "Frank–Wolfe gap", accuracy="relative")
μ_F = Quantity(
    r"\mu_F^+", "smallest second eigenvalue of a state's block of the Fisher information", accuracy="relative"
)
slope = Quantity(r"\lVert \nabla_\theta f(J(\theta)) \rVert", "length of the gradient")
with as_printed():
    dominated = gap <= sqrt(2) / μ_F * slope
    dominated_half = gap <= sqrt(2) / (2 * μ_F) * slope
    dominated_by_slope = gap <= sqrt(2) * slope


@theorem(
    dominated,
    cite="morl",
    at="gradient domination",
    source="derived",
    judge=for_all(),
    on={"mdp": multi_objective_mdps(), "θ": logits, "offset": numbers("1/4", 1)},
    given=[positive_start],
    named={"torn": {"mdp": torn(), "θ": rational([[1, 0]])}},
    near_misses={"half of it": dominated_half, "without the Fisher information": dominated_by_slope},
    uses=["gu.graddom"],
    note="The gap is at least f* − f(J(θ)), as f is concave.  For f(x) = −Σ 1/(x_i + offset) and a smooth minimum.",
)
def graddom(mdp, θ, offset):
    """What a scalarised return lacks is at most √2 / μ_F⁺ times the length of its gradient, for softmax policies."""
    π = softmax(θ)
    for f in (Reciprocals(offset), SmoothWorst(offset)):
        F = OfReturns(mdp.rewards, f)
        yield {
            gap: utility_gap(mdp.mdp, π, F),
            μ_F: least_information(mdp.mdp, π),
            slope: norm(softmax_utility_gradient(mdp.mdp, π, F), 2),
        }


# -- Hypervolume -------------------------------------------------------------------------------------------------------

volume = Quantity(r"\mathrm{HV}(D)", "hypervolume of the deterministic policies' returns")
with_one = Quantity(r"\mathrm{HV}(D \cup \{J(\pi)\})", "with one more policy")
of_front = Quantity(r"\mathrm{HV}(\mathrm{front}(D))", "hypervolume of those that no other dominates")
of_hull = Quantity(r"\mathrm{HV}(\mathrm{conv}\, D)", "hypervolume of all policies' returns")
box = Quantity(r"\prod_i (\max J_i - z_i)", "box up to the best of each objective")
with as_printed():
    monotone = volume <= with_one
    front_is_enough = Eq(of_front, volume)
    hull_is_more = with_one <= of_hull
    hull_in_box = of_hull <= box
    hull_is_no_more = of_hull <= volume
    nothing_new = with_one <= volume


@theorem(
    {"monotone": monotone, "front": front_is_enough, "hull": hull_is_more, "box": hull_in_box},
    cite="morl",
    at="hypervolume",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": multi_objective_mdps(objectives=(2,), families=()), "π": policies},
    named={"torn": {"mdp": torn()}, "two queues": {"mdp": two_queues(1)}},
    near_misses={"mixing adds nothing": hull_is_no_more, "no policy adds anything": nothing_new},
    note="Two objectives, reference z = (−1, −1); all volumes are exact.",
)
def volumes(mdp, π):
    """More policies have more hypervolume, dominated ones add none, and all policies have that of the convex hull."""
    points = all_returns(mdp)
    z = 0 * points[0] - 1
    more = np.concatenate([points, returns(mdp, π)[None]])
    yield {
        volume: hypervolume(points, z),
        with_one: hypervolume(more, z),
        of_front: hypervolume(undominated(points), z),
        of_hull: hull_hypervolume(coverage_set(mdp), z),
        box: (points[:, 0].max() + 1) * (points[:, 1].max() + 1),
    }
