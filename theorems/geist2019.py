"""Geist, Scherrer, Pietquin (2019), A Theory of Regularized Markov Decision Processes: how entropy moves the optimum.

Their results hold for any strongly convex regulariser; here it is τ times the Shannon entropy, between 0 and log A.
"""

from sympy import log as ln

from mdplab.arrays import exp, largest, rational, rational_number, total
from mdplab.exact import optimum, soft_optimum, visits_from_each
from mdplab.instances import discounted_mdps, numbers, one_state_loop
from mdplab.models import DiscountedMDP
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
τ = Quantity(r"\tau", "temperature: what a nat of entropy is worth", accuracy="exact")
A = Quantity("A", "number of actions", integer=True)
value = Quantity(r"V^\star(s)", "optimal value")
soft_value = Quantity(r"\tilde V^\star(s)", "optimal value when entropy counts")
loss = Quantity(
    r"\lVert V^\star - V^{\pi^\star_\tau} \rVert_\infty",
    "what the policy that is best with entropy loses without it",
    accuracy="relative",
)

with as_printed():
    above = {"a": value <= soft_value, "b": soft_value <= value + τ * ln(A) / (1 - γ)}
    entropy_of_one_step = soft_value <= value + τ * ln(A)
    entropy_costs = soft_value <= value


def equal_rewards():
    """One state, two equal actions: entropy is free, and all of it is taken."""
    return {"mdp": one_state_loop(A=2), "temperature": rational_number(1)}


@theorem(
    above,
    cite="geist2019",
    at="Proposition 3, for the entropy",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "temperature": numbers("1/10", 10)},
    named=[equal_rewards],
    near_misses={"the entropy of one step": entropy_of_one_step, "entropy costs": entropy_costs},
    note="Also proved on the card.  (b) is attained where all actions are equal.",
)
def bias(mdp, temperature):
    """Counting entropy raises optimal values, by at most τ log A / (1 − γ)."""
    yield {
        γ: mdp.discount,
        τ: temperature,
        A: mdp.A,
        value: optimum(mdp).v,
        soft_value: soft_optimum(mdp, temperature).v,
    }


with as_printed():
    loses = loss <= τ * ln(A) / (1 - γ)
    loses_one_step = loss <= τ * ln(A)
    loses_square = loss <= τ**2 * ln(A) / (1 - γ)


def one_better_action():
    """One state that stays, two actions that differ by one in reward."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))
    return {"mdp": mdp, "temperature": rational_number("1/2")}


@theorem(
    loses,
    cite="geist2019",
    at="Theorem 2, for the entropy",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "temperature": numbers("1/10", 10)},
    named=[one_better_action],
    near_misses={"the entropy of one step": loses_one_step, "the square of the temperature": loses_square},
    trivial=1 / (1 - γ),
    uses=["geist2019.bias"],
    note="Also proved on the card.",
)
def bias_of_policy(mdp, temperature):
    """The policy that is optimal with entropy loses at most τ log A / (1 − γ) without it."""
    best = optimum(mdp)
    π = exp(soft_optimum(mdp, temperature).log_π)
    lost = (visits_from_each(mdp, π) @ total(π * best.loss)[..., None])[..., 0]
    yield {γ: mdp.discount, τ: temperature, A: mdp.A, loss: largest(lost)}
