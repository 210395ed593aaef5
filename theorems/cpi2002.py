"""Kakade and Langford (2002), Approximately Optimal Approximate Reinforcement Learning: conservative steps."""

from functools import partial
from itertools import count

import numpy as np

from mdplab.arrays import expand, floats, largest, minimum, rational, rational_number, sup, total
from mdplab.exact import advantages, improvement, occupancy, surrogate_gain, values
from mdplab.instances import (
    Family,
    changed_policies,
    discounted_mdps,
    families,
    numbers,
    one_way_policies,
    one_way_street,
    policies,
    two_policies,
)
from mdplab.models import DiscountedMDP
from mdplab.solvers import conservative_policy_iteration, conservative_weight, greedy
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
share = Quantity(r"\alpha", "share of the policy that is mixed in", accuracy="exact")
old = Quantity(r"\eta(\pi)", "value of the old policy at the start")
new_value = Quantity(r"\eta(\pi_{\mathrm{new}})", "value of the mixture at the start")
promised = Quantity(r"L_\pi(\pi_{\mathrm{new}})", "surrogate: the mixture's advantages where the old policy goes")
ε = Quantity(r"\epsilon", "largest mean advantage |Σ_a π^g(a|s) A^π(s, a)| of the policy that is mixed in")
ε_new = Quantity(r"\epsilon_{\mathrm{new}}", "the same for the mixture itself")

with as_printed():
    mixture = promised - new_value <= 2 * ε * γ * share**2 / ((1 - γ) * (1 - γ * (1 - share)))
    simpler = promised - new_value <= 2 * ε * γ / (1 - γ) ** 2 * share**2
    half = promised - new_value <= ε * γ * share**2 / ((1 - γ) * (1 - γ * (1 - share)))
    of_the_mixture = promised - new_value <= 2 * ε_new * γ * share**2 / ((1 - γ) * (1 - γ * (1 - share)))
    one_horizon_less = promised - new_value <= 2 * ε * γ * share**2 / (1 - γ * (1 - share))


def street_mixture():
    """One-way street; a tenth of the way from π(0|1) = 1/10 to the policy that always stays."""
    π, _ = one_way_policies()
    return {"mdp": one_way_street(), "π": π, "other": rational([[0, 1], [0, 1]]), "α": rational_number("1/10")}


def half_way_out():
    """A state that is hardly ever left: half of the way to leaving it at once."""
    both = two_policies([[0, 0], [0, 1]], [[0, 1], [0, 0]], "1/2", 1, ["1/50"] * 2, [1, 1])
    return {"mdp": both["mdp"], "π": both["π"], "other": both["new"], "α": rational_number("1/2")}


@theorem(
    {"printed": mixture, "simpler": simpler},
    cite="cpi2002",
    at="Theorem 4.1; Equations 6 to 8 of Schulman et al. (2015)",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(rewards="any"),
        "π": policies,
        "other": changed_policies(),
        "α": numbers("1/100", 1),
    },
    named={"one-way street": street_mixture, "a rare way out": half_way_out},
    near_misses={
        "half of the penalty": half,
        "ε of the mixture itself": of_the_mixture,
        "without 1 / (1 − γ)": one_horizon_less,
    },
    note="Seen as it is quoted by Schulman et al. (2015).",
)
def thm(mdp, π, other, α):
    """A mixture of two policies is worth what the surrogate promises up to a term in α²."""
    new, A = (1 - expand(α, 2)) * π + expand(α, 2) * other, advantages(mdp, π)
    yield {
        γ: mdp.discount,
        share: α,
        promised: total(mdp.start * values(mdp, π)) + surrogate_gain(mdp, π, new),
        new_value: total(mdp.start * values(mdp, new)),
        ε: sup(total(other * A)),
        ε_new: sup(total(new * A)),
    }


gain = Quantity(r"\eta(\pi_{\mathrm{new}}) - \eta(\pi)", "what the update gains at the start")
mean_best = Quantity(r"\mathbb A", "mean over d^π of the largest advantage in a state")
ε_g = Quantity(r"\epsilon_g", "largest advantage of all")
short_step = Assumption(
    r"0 < (1 - \gamma) \mathbb A \le 4 \gamma \epsilon_g",
    "the policy can be improved, and α is at most 1",
    lambda mdp, π: _is_short(mdp, π),
)


def _is_short(mdp, π):
    best = largest(advantages(mdp, π))
    mean_best, ε = floats(total(occupancy(mdp, π) * best)), floats(largest(best))
    γ = np.asarray(floats(mdp.discount))
    return (ε > 1e-9) & (1e-9 * ε < mean_best) & ((1 - γ) * mean_best <= 4 * γ * ε)


with as_printed():
    guaranteed = gain >= mean_best**2 / (8 * γ * ε_g)
    four_for_eight = gain >= mean_best**2 / (4 * γ * ε_g)
    without_eight = gain >= mean_best**2 / (γ * ε_g)


@theorem(
    guaranteed,
    cite="cpi2002",
    at="Theorem 4.1 with the best α",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "π": policies},
    given=[short_step],
    named={
        "stay for the better action": {
            name: x
            for name, x in two_policies(
                [[0, 0], [1, 0]], [["3/4", "3/4"], ["3/4", 1]], "1/2", 1, ["1/50", "49/50"], [0, 0]
            ).items()
            if name != "new"
        }
    },
    near_misses={"without the 8": without_eight, "4 in place of 8": four_for_eight},
    uses=["cpi2002.thm"],
    note="The step of the algorithm maximises the lower bound; where it would be longer than 1 the gain is another.",
)
def gain_of_update(mdp, π, *, solver=conservative_policy_iteration):
    """A step of conservative policy iteration gains at least the square of the mean best advantage over 8 γ ε."""
    steps = solver(mdp, π)
    now, then = next(steps), next(steps)
    best = largest(advantages(mdp, π))
    yield {
        γ: mdp.discount,
        gain: improvement(mdp, now.π, then.π),
        mean_best: total(occupancy(mdp, π) * best),
        ε_g: largest(best),
    }


k = Quantity("k", "number of updates", integer=True)
share_k = Quantity(r"\alpha_k", "share of the greedy policy that is mixed in")
with as_printed():
    penalised = share_k * mean_best / (1 - γ) - 2 * ε_g * γ / (1 - γ) ** 2 * share_k**2 <= gain
    never_worse = gain >= 0
    as_promised = share_k * mean_best / (1 - γ) <= gain


moderate = tuple(
    Family(f"{name}:S={S},A={A},discount={discount}", partial(families.by_name[name], S=S, A=A, discount=discount))
    for name, S, A, discount in (("garnet", 2, 2, 0.3), ("garnet", 3, 3, 0.5), ("sparse", 2, 2, 0.8))
)


def least(mdp, π):
    """The greedy policy's opposite: the action of the least advantage in each state."""
    return greedy(DiscountedMDP(mdp.P, -mdp.r, mdp.discount, mdp.start), π)


@theorem(
    {"gain": penalised, "never worse": never_worse},
    cite="cpi2002",
    at="Theorem 4.1, along the algorithm",
    source="derived",
    judge=for_all(k, up_to=3, exactly_up_to=1),
    on={"mdp": discounted_mdps(2, 2, rewards="any", families=moderate), "π": policies},
    near_misses={"all that the surrogate promises": as_promised, "away from the greedy policy": {"target": least}},
    uses=["cpi2002.thm"],
)
def mono(mdp, π, *, target=greedy):
    """No update of conservative policy iteration lowers the value at the start."""
    for n in count():
        best = largest(advantages(mdp, π))
        α = minimum(conservative_weight(mdp, π), 1 + 0 * mdp.r[..., 0, 0])
        new = (1 - expand(α, 2)) * π + expand(α, 2) * target(mdp, π)
        yield {
            γ: mdp.discount,
            k: n,
            share_k: α,
            gain: improvement(mdp, π, new),
            mean_best: total(occupancy(mdp, π) * best),
            ε_g: largest(best),
        }
        π = new
