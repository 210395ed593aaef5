"""Schulman, Levine, Moritz, Jordan and Abbeel (2015), Trust Region Policy Optimization.

The proceedings minimise cost; here reward is maximised, as everywhere, and signs are turned.  Occupancies sum to one.
"""

from functools import partial

from mdplab.arrays import is_exact, largest, namespace, rational, sup, total
from mdplab.exact import action_values, advantages, divergence, improvement, surrogate_gain, total_variation, values
from mdplab.instances import (
    Family,
    changed_policies,
    counterexample,
    discounted_mdps,
    families,
    one_way_policies,
    one_way_street,
    policies,
    two_policies,
    two_rooms,
    two_rooms_policies,
)
from mdplab.solvers import trust_region
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("i", "number of updates", integer=True)
new_value = Quantity(r"\eta(\pi')", "value of the new policy at the start")
promised = Quantity(r"L_\pi(\pi')", "surrogate: the new policy's advantages where the old policy goes")
ε = Quantity(r"\epsilon", "largest |A^π(s, a)|")
ε_new = Quantity(
    r"\max_s \left| \mathbb E_{a \sim \pi'} A^\pi(s, a) \right|", "largest mean advantage of the new policy"
)
ε_change = Quantity(
    r"\max_s \frac{\left| \sum_a (\pi'(a|s) - \pi(a|s)) Q^\pi(s, a) \right|}{\sum_a |\pi'(a|s) - \pi(a|s)|}",
    "largest change of value by the change of the policy",
)
α = Quantity(r"\alpha", "largest total variation of the two policies in a state")
kl = Quantity(r"D_{\mathrm{KL}}^{\max}(\pi, \pi')", "largest divergence KL(π ‖ π') in a state")


def both(mdp, π, new):
    """The new policy's value, what the surrogate promises of it, and the constants of the bounds."""
    A = advantages(mdp, π)
    return {
        γ: mdp.discount,
        promised: total(mdp.start * values(mdp, π)) + surrogate_gain(mdp, π, new),
        new_value: total(mdp.start * values(mdp, new)),
        ε: sup(A, 2),
        ε_new: sup(total(new * A)),
        ε_change: changes(mdp, π, new),
        α: largest(total_variation(π, new)),
    }


def changes(mdp, π, new):
    """max_s |Σ_a (π' − π) Q^π| / Σ_a |π' − π|, where a state without a change counts as zero;  (...)."""
    moved = 2 * total_variation(π, new)
    still = moved == 0
    one = rational(still.astype(int)) if is_exact(π) else namespace(π).astype(still, moved.dtype)
    return largest(abs(total((new - π) * action_values(mdp, π))) / (moved + one))


on = {"mdp": discounted_mdps(rewards="any"), "π": policies, "new": changed_policies()}
on_positive = on | {"new": changed_policies(positive=True)}
street = counterexample(one_way_street(), one_way_policies())
rooms = counterexample(two_rooms(reward=-1), two_rooms_policies())
long_stay = two_policies([[0, 0], [1, 0]], [[0, 1], [0, 1]], "19/20", 1, ["49/50"] * 2, ["97/100", "99/100"])
both_change = two_policies([[0, 0], [1, 0]], [[0, 1], [0, 0]], "1/2", 1, ["1/2", "49/50"], ["49/100", "99/100"])
back = two_policies([[0, 0], [1, 0]], [[1, 0], [0, 1]], "19/20", 1, ["1/50", "49/50"], ["3/100", "99/100"])
small_step = two_policies([[0, 1], [0, 1]], [[0, 1], [1, 0]], "1/2", 1, ["1/2"] * 2, ["51/100"] * 2)

# -- How far the surrogate can be trusted ------------------------------------------------------------------------------

with as_printed():
    policy_improvement = promised - new_value <= 4 * ε * γ / (1 - γ) ** 2 * α**2
    two_for_four = promised - new_value <= 2 * ε * γ / (1 - γ) ** 2 * α**2
    one_horizon_less = promised - new_value <= 4 * ε * γ / (1 - γ) * α**2
    cube_of_α = promised - new_value <= 4 * ε * γ / (1 - γ) ** 2 * α**3


@theorem(
    policy_improvement,
    cite="trpo2015",
    at="Theorem 1 (arXiv version)",
    source="recalled",
    judge=for_all(),
    on=on,
    named={"one-way street": street, "two rooms": rooms, "a long stay": long_stay, "two changes": both_change},
    near_misses={"2 in place of 4": two_for_four, "1 / (1 − γ) once": one_horizon_less, "the cube of α": cube_of_α},
    uses=["cpo2017.thm1"],
    note="Also proved: from the bound of Achiam et al., as ε' is at most 2 α max |A|.",
)
def thm1(mdp, π, new):
    """A policy is worth what the surrogate promises up to 4 ε γ / (1 − γ)² α², α the largest change in a state."""
    yield both(mdp, π, new)


with as_printed():
    with_kl = promised - new_value <= 4 * ε * γ / (1 - γ) ** 2 * kl
    with_kl_by_pinsker = promised - new_value <= 2 * ε * γ / (1 - γ) ** 2 * kl
    half_with_kl = promised - new_value <= ε * γ / (2 * (1 - γ) ** 2) * kl
    square_of_kl = promised - new_value <= 4 * ε * γ / (1 - γ) ** 2 * kl**2


@theorem(
    {"printed": with_kl, "by Pinsker's inequality": with_kl_by_pinsker},
    cite="trpo2015",
    at="Equation 9 (arXiv version)",
    source="recalled",
    judge=for_all(),
    on=on_positive,
    named={"a small step": small_step},
    near_misses={
        "1/2 in place of 4": half_with_kl,
        "the square of the divergence": square_of_kl,
    },
    uses=["trpo2015.thm1"],
    note="The paper uses TV² <= KL; Pinsker's TV² <= KL / 2 halves the constant.  KL(π ‖ π'), old policy first: "
    "infinite where the new policy drops an action.",
)
def thm1_kl(mdp, π, new):
    """The same with the largest divergence of the new from the old policy in place of α²."""
    yield both(mdp, π, new) | {kl: largest(divergence(π, new))}


# -- The update --------------------------------------------------------------------------------------------------------

gain = Quantity(r"\eta(\pi_{i+1}) - \eta(\pi_i)", "what the update gains at the start")
guarantee = Quantity(
    r"M_i(\pi_{i+1}) - \eta(\pi_i)",
    "what the surrogate gains, less 4 ε γ / (1 − γ)² times the largest KL(π_i ‖ π_{i+1})",
)
surrogate = Quantity(r"L_{\pi_i}(\pi_{i+1}) - \eta(\pi_i)", "what the surrogate gains")
with as_printed():
    guaranteed = guarantee <= gain
    monotone = guarantee >= 0
    twice_guaranteed = 2 * guarantee <= gain
    as_promised = surrogate <= gain


# Not too near γ = 1, where the penalty leaves steps so short that float64 cannot see what they gain.
moderate = tuple(
    Family(f"{name}:S={S},A={A},discount={discount}", partial(families.by_name[name], S=S, A=A, discount=discount))
    for name, S, A, discount in (("garnet", 2, 2, 0.3), ("garnet", 4, 3, 0.5), ("deterministic", 3, 3, 0.8))
)


def constant(mdp, π):
    """C = 4 ε γ / (1 − γ)²."""
    return 4 * sup(advantages(mdp, π), 2) * mdp.discount / (1 - mdp.discount) ** 2


def fearless(mdp, π):
    """Updates with a thousandth of the first policy's penalty."""
    return trust_region(mdp, π, penalty=constant(mdp, π) / 1000)


@theorem(
    {"gain": guaranteed, "guarantee": monotone},
    cite="trpo2015",
    at="Algorithm 1 and Equation 10",
    source="read",
    judge=for_all(k, up_to=3, exactly_up_to=0),
    on={"mdp": discounted_mdps(rewards="any", families=moderate), "π": policies},
    near_misses={
        "twice the guarantee": twice_guaranteed,
        "all that the surrogate promises": as_promised,
        "a penalty a thousand times as small": {"solver": fearless},
    },
    uses=["trpo2015.thm1_kl"],
)
def mono(mdp, π, *, solver=trust_region):
    """Maximising the surrogate less its penalty in each update never lowers the value at the start."""
    steps = solver(mdp, π)
    now = next(steps)
    for then in steps:
        yield {k: now.k} | compared(mdp, now.π, then.π)
        now = then


def compared(mdp, π, new):
    """What is gained, and what was guaranteed."""
    promise = surrogate_gain(mdp, π, new)
    return {
        gain: improvement(mdp, π, new),
        surrogate: promise,
        guarantee: promise - constant(mdp, π) * largest(divergence(π, new)),
    }


# -- What the proceedings say ------------------------------------------------------------------------------------------

with as_printed():
    proceedings = promised - new_value <= 2 * ε_new * γ / (1 - γ) ** 2 * α**2


@theorem(
    proceedings,
    cite="trpo2015",
    at="Theorem 1 (proceedings)",
    status="refuted",
    judge=for_all(),
    on=on,
    named={"one-way street": street},
    note="trpo2015.thm1 is what holds: 4 for 2, and the largest advantage of any action.",
)
def thm1_proceedings(mdp, π, new):
    """The first printed bound, with the new policy's own mean advantage, is false.

    For mixtures it holds with the mean advantage of the policy that is mixed in (cpi2002.thm); of the mixture itself
    that is only α times as much.
    """
    yield both(mdp, π, new)


with as_printed():
    appendix = promised - new_value <= 2 * ε_change * γ / (1 - γ) ** 2 * α**2
    appendix_doubled = promised - new_value <= 4 * ε_change * γ / (1 - γ) ** 2 * α**2
    appendix_one_horizon_less = promised - new_value <= 4 * ε_change * γ / (1 - γ) * α**2


@theorem(
    appendix,
    cite="trpo2015",
    at="Theorem 1a (proceedings, Appendix B)",
    status="refuted",
    judge=for_all(),
    on=on,
    named={"two rooms": rooms},
    note="The proof bounds |Σ_a (π' − π) Q| by α ε, but Σ_a |π' − π| is twice the total variation.",
)
def thm1a(mdp, π, new):
    """The bound of the appendix, with the largest change of value by a unit of change in the policy, is false."""
    yield both(mdp, π, new)


@theorem(
    appendix_doubled,
    cite="trpo2015",
    at="Theorem 1a (proceedings, Appendix B), with twice the constant",
    status="corrected",
    source="derived",
    judge=for_all(),
    on=on,
    named={"two rooms": rooms, "one-way street": street, "away and back": back},
    near_misses={"2 in place of 4": appendix, "1 / (1 − γ) once": appendix_one_horizon_less},
    uses=["cpo2017.thm1"],
)
def thm1a_doubled(mdp, π, new):
    """With twice its constant the bound of the appendix holds."""
    yield both(mdp, π, new)
