"""Achiam, Held, Tamar and Abbeel (2017), Constrained Policy Optimization: bounds on what a change of policy does."""

from sympy import Rational, sqrt

from mdplab.arrays import floats, sup, total
from mdplab.exact import advantages, divergence, occupancy, surrogate_gain, total_variation, values
from mdplab.instances import (
    changed_policies,
    counterexample,
    discounted_mdps,
    one_way_policies,
    one_way_street,
    policies,
    two_policies,
    two_rooms,
    two_rooms_policies,
)
from mdplab.theorem import Assumption, Quantity, Without, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
old = Quantity(r"\eta(\pi)", "value of the old policy at the start")
new_value = Quantity(r"\eta(\pi')", "value of the new policy at the start")
promised = Quantity(r"L_\pi(\pi')", "surrogate: the new policy's advantages where the old policy goes")
ε = Quantity(r"\epsilon'", "largest mean advantage |Σ_a π'(a|s) A^π(s, a)| over the states")
apart = Quantity(r"\mathbb E_{s \sim d^\pi} \mathrm{TV}(s)", "mean total variation of the two policies")
visits_apart = Quantity(r"\lVert d^{\pi'} - d^\pi \rVert_1", "how far the two occupancies are apart")
kl = Quantity(r"\mathbb E_{s \sim d^\pi} \mathrm{KL}(\pi' \Vert \pi)", "mean divergence of the old from the new policy")

on = {"mdp": discounted_mdps(rewards="any"), "π": policies, "new": changed_policies()}
named = {
    "one-way street": counterexample(one_way_street(), one_way_policies()),
    "two rooms": counterexample(two_rooms(), two_rooms_policies()),
    "a rare way out": two_policies([[0, 0], [0, 1]], [[1, 0], [1, 0]], "1/2", 1, ["1/50"] * 2, ["3/100", "1/100"]),
    "a long stay": two_policies([[0, 0], [0, 1]], [[0, 1], [1, 0]], "19/20", 1, ["49/50", "1/50"], ["97/100", "1/100"]),
    "to and fro": two_policies([[0, 1], [1, 0]], [[0, 1], [0, 1]], "1/2", 0, ["3/4"] * 2, ["13/20", "17/20"]),
    "away and back": two_policies(
        [[1, 0], [1, 0]], [[1, 0], [0, 1]], "19/20", 0, ["1/50", "49/50"], ["3/100", "99/100"]
    ),
}


def both(mdp, π, new):
    """Values of both policies, the surrogate, and how far the policies are apart."""
    d, before = occupancy(mdp, π), total(mdp.start * values(mdp, π))
    return {
        γ: mdp.discount,
        old: before,
        new_value: total(mdp.start * values(mdp, new)),
        promised: before + surrogate_gain(mdp, π, new),
        ε: sup(total(new * advantages(mdp, π))),
        apart: total(d * total_variation(π, new)),
    }


with as_printed():
    visits_bound = visits_apart <= 2 * γ / (1 - γ) * apart
    visits_bound_half = visits_apart <= γ / (1 - γ) * apart
    visits_bound_one_horizon_less = visits_apart <= 2 * γ * apart


@theorem(
    visits_bound,
    cite="cpo2017",
    at="Lemma 3",
    source="recalled",
    judge=for_all(),
    on=on,
    named=named,
    near_misses={"1 in place of 2": visits_bound_half, "without 1 / (1 − γ)": visits_bound_one_horizon_less},
    note="Also proved, see the card.",
)
def dlem(mdp, π, new):
    """Occupancies move at most 2γ / (1 − γ) times as far as the policy does where the old one goes."""
    d = occupancy(mdp, π)
    moved = total(abs(occupancy(mdp, new) - d))
    yield {γ: mdp.discount, visits_apart: moved, apart: total(d * total_variation(π, new))}


with as_printed():
    penalty = 2 * γ * ε / (1 - γ) ** 2 * apart
    at_least = promised - new_value <= penalty
    at_most = new_value - promised <= penalty
    at_least_half = promised - new_value <= γ * ε / (1 - γ) ** 2 * apart
    at_most_half = new_value - promised <= γ * ε / (1 - γ) ** 2 * apart
    one_horizon_less = promised - new_value <= 2 * γ * ε / (1 - γ) * apart
    no_penalty = promised <= new_value


@theorem(
    {"lower": at_least, "upper": at_most},
    cite="cpo2017",
    at="Corollary 1 and Theorem 1",
    source="recalled",
    judge=for_all(),
    on=on,
    named=named,
    near_misses={
        "half of the penalty, below": at_least_half,
        "half of the penalty, above": at_most_half,
        "1 / (1 − γ) once": one_horizon_less,
        "the surrogate alone": no_penalty,
    },
    uses=["cpo2017.dlem"],
    note="ε' depends on the new policy: with max |A| in its place the bound holds too, but no longer as the square of "
    "a small step.",
)
def thm1(mdp, π, new):
    """The surrogate is wrong by at most 2 γ ε' / (1 − γ)² times the mean total variation, on either side."""
    yield both(mdp, π, new)


with as_printed():
    with_kl = promised - new_value <= 2 * γ * ε / (1 - γ) ** 2 * sqrt(Rational(1, 2) * kl)
    half_with_kl = promised - new_value <= γ * ε / (1 - γ) ** 2 * sqrt(Rational(1, 2) * kl)
    kl_without_root = promised - new_value <= 2 * γ * ε / (1 - γ) ** 2 * kl
    kl_one_horizon_less = promised - new_value <= 2 * γ * ε / (1 - γ) * sqrt(Rational(1, 2) * kl)


@theorem(
    with_kl,
    cite="cpo2017",
    at="Corollary 3",
    source="recalled",
    judge=for_all(),
    on=on,
    named=named,
    near_misses={
        "half of the penalty": half_with_kl,
        "the divergence without its root": kl_without_root,
        "1 / (1 − γ) once": kl_one_horizon_less,
    },
    uses=["cpo2017.thm1"],
    note="Pinsker's inequality in each state and Jensen's over the states.",
)
def thm1_kl(mdp, π, new):
    """The bound with the mean divergence KL(π' ‖ π) in place of the total variation."""
    yield both(mdp, π, new) | {kl: total(occupancy(mdp, π) * divergence(new, π))}


other_way = two_policies([[1, 0], [1, 1]], [["1/2", "1/4"], [0, "1/4"]], "1/2", 0, ["13/20", "13/20"], ["1/20", "9/20"])
δ = Quantity(r"\delta", "mean divergence of the old from the new policy, the size of the trust region")
promising = Assumption(
    r"L_\pi(\pi') \ge \eta(\pi)",
    "the surrogate promises no loss",
    lambda mdp, π, new: floats(surrogate_gain(mdp, π, new)) >= 0,
)
with as_printed():
    worst_case = old - new_value <= sqrt(2 * δ) * γ * ε / (1 - γ) ** 2
    quarter_of_it = old - new_value <= sqrt(2 * δ) * γ * ε / (4 * (1 - γ) ** 2)
    never_worse = old <= new_value


@theorem(
    worst_case,
    cite="cpo2017",
    at="Proposition 1",
    source="recalled",
    judge=for_all(),
    on=on,
    given=[promising],
    named={"the other way": other_way},
    near_misses={
        "no loss at all": never_worse,
        "a quarter of the loss": quarter_of_it,
        "a surrogate that promises a loss": Without(promising),
    },
    uses=["cpo2017.thm1_kl"],
)
def tr(mdp, π, new):
    """In a trust region of size δ a policy whose surrogate promises no loss loses at most √(2δ) γ ε' / (1 − γ)²."""
    yield both(mdp, π, new) | {δ: total(occupancy(mdp, π) * divergence(new, π))}
