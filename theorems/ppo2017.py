"""Schulman, Wolski, Dhariwal, Radford and Klimov (2017), Proximal Policy Optimization: what clipping does."""

import numpy as np
from sympy import Eq, Max, Min

from mdplab.arrays import expand, floats, largest, maximum, minimum, rational, rational_number, smallest, total
from mdplab.exact import advantages, values
from mdplab.instances import bandits, changed_policies, discounted_mdps, numbers, policies
from mdplab.models import bandit
from mdplab.solvers import clipped_maximiser, clipped_objective, greedy
from mdplab.theorem import Assumption, Quantity, Without, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
ε = Quantity(r"\epsilon", "width of the clip", accuracy="exact")
r = Quantity("r", "ratio of the new to the old probability", accuracy="exact")
A = Quantity("A", "advantage", accuracy="exact")
clipped = Max(Min(r, 1 + ε), 1 - ε, evaluate=False)

with as_printed():
    as_drift = Eq(Min(r * A, clipped * A), r * A - Max((r - clipped) * A, 0))
    other_sign = Eq(Min(r * A, clipped * A), r * A - Max((clipped - r) * A, 0))
    as_clipped = Eq(Min(r * A, clipped * A), clipped * A)


@theorem(
    as_drift,
    cite="ppo2017",
    at="Equation 7; Kuba et al. (2022)",
    source="recalled",
    judge=identity(),
    on={"mdp": bandits(2), "ratio": numbers(0, 3), "advantage": numbers(-5, 5), "clip": numbers("1/100", "9/10")},
    near_misses={"the other sign": other_sign, "the clipped ratio alone": as_clipped},
    note="A statement about numbers; the bandit that comes first only says how many of them there are.",
)
def clip_identity(mdp, ratio, advantage, clip):
    """The clipped objective is the surrogate less a drift ReLU([r − clip(r)] A), so never above the surrogate."""
    yield {r: ratio, A: advantage, ε: clip}


gain = Quantity(r"V^{\pi'}(s) - V^\pi(s)", "gain in a state")
least = Quantity(r"\min_s J_\pi(\pi'|s)", "clipped objective in the state where it is least")
most = Quantity(r"\max_s J_\pi(\pi'|s)", "clipped objective in the state where it is largest")
with as_printed():
    from_objective = gain >= least / (1 - γ)
    one_step = gain >= least
    from_largest = gain >= most / (1 - γ)


@theorem(
    from_objective,
    cite="ppo2017",
    at="Section 3",
    source="derived",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(rewards="any"),
        "π": policies,
        "new": changed_policies(),
        "clip": numbers("1/100", "9/10"),
    },
    near_misses={"without 1 / (1 − γ)": one_step, "from the largest": from_largest},
    uses=["ppo2017.clip_identity", "ml2022.mono"],
    note="Any new policy.  J is zero at the old policy: where it is not negative in any state, no state loses.",
)
def mono(mdp, π, new, clip):
    """If the clipped objective is nowhere negative no state loses; each gains the least of it in every step to come."""
    J = clipped_objective(π, new, advantages(mdp, π), clip)
    gained = values(mdp, new) - values(mdp, π)
    yield {γ: expand(mdp.discount, 1), gain: gained, least: expand(smallest(J), 1), most: expand(largest(J), 1)}


best = Quantity(r"\max_{\pi'} J_\pi(\pi')", "largest clipped objective in a state")
greedy_objective = Quantity(r"J_\pi(\text{greedy})", "clipped objective of the deterministic greedy policy")
any_objective = Quantity(r"J_\pi(\pi')", "clipped objective of another policy")
formula = Quantity(
    r"\pi(b) (1 + \epsilon) A_b + \sum_{A_a < 0} \pi(a) (1 - \epsilon) A_a",
    "what the maximum is, for the one good action b",
)
surrogate = Quantity(r"\sum_a \pi'(a) A_a", "the surrogate of the greedy policy, not clipped")
with as_printed():
    attained = Eq(greedy_objective, formula)
    largest_of_all = any_objective <= formula
    not_flat = Eq(greedy_objective, surrogate)
    smaller_maximum = any_objective <= formula - ε * best


def _one_good(mdp, π, clip):
    Adv, p, ε = floats(advantages(mdp, π)), floats(π), np.asarray(floats(clip))
    good = ((Adv > 1e-9).sum(axis=-1) == 1) & ((Adv < -1e-9).sum(axis=-1) == Adv.shape[-1] - 1)  # float64 sees no ties
    return (good & ((p * (Adv > 1e-9)).sum(axis=-1) * (1 + ε[..., None]) <= 1)).all(axis=-1)


one_good_action = Assumption(
    r"A_b > 0 > A_a \text{ for all } a \ne b,\ \pi(b) \le \tfrac{1}{1 + \epsilon}",
    "one action has a positive advantage and all others a negative one, and it is not too likely",
    _one_good,
)


def rare_good_arm():
    """π = (1/10, 9/10), rewards 1 and 0: the greedy policy multiplies the first probability by ten."""
    return {"mdp": bandit(rational([1, 0])), "π": rational([["1/10", "9/10"]]), "clip": rational_number("1/5")}


@theorem(
    {"attained": attained, "the largest": largest_of_all},
    cite="ppo2017",
    at="Section 3, what clipping leaves open",
    source="derived",
    judge=for_all(),
    on={
        "mdp": bandits(3),
        "π": policies,
        "new": changed_policies(),
        "clip": numbers("1/100", "9/10"),
    },
    given=[one_good_action],
    named={"rare good arm": rare_good_arm},
    near_misses={
        "as the surrogate": not_flat,
        "less than that": smaller_maximum,
        "any number of good actions": Without(one_good_action),
    },
    note="So clipping bounds no ratio: here it is 1/π(b).  In practice it is the few gradient steps that do.",
)
def unbounded(mdp, π, new, clip):
    """With one good action the greedy policy, however far away, maximises the clipped objective, flat as it is."""
    Adv, ε_ = advantages(mdp, π), expand(clip, 2)
    zero = 0 * Adv
    target = total(π * ((1 + ε_) * maximum(Adv, zero) + (1 - ε_) * minimum(Adv, zero)))
    yield {
        ε: expand(clip, 1),
        greedy_objective: clipped_objective(π, greedy(mdp, π), Adv, clip),
        any_objective: clipped_objective(π, new, Adv, clip),
        best: clipped_objective(π, clipped_maximiser(π, Adv, clip), Adv, clip),
        formula: target,
        surrogate: total(greedy(mdp, π) * Adv),
    }
