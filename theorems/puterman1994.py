"""Puterman (1994), Markov Decision Processes, Chapter 6: value iteration and policy iteration."""

from mdplab.arrays import sup
from mdplab.exact import optimum
from mdplab.instances import discounted_mdps, values
from mdplab.models import DiscountedMDP
from mdplab.arrays import rational
from mdplab.solvers import value_iteration
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "number of backups", integer=True)
error = Quantity(r"\lVert v_k - v^\star \rVert_\infty", "error of the k-th iterate")
step = Quantity(r"\lVert v_1 - v_0 \rVert_\infty", "length of the first step")

with as_printed():
    apriori = error <= γ**k / (1 - γ) * step
    one_power_too_many = error <= γ ** (k + 1) / (1 - γ) * step
    without_the_horizon = error <= γ**k * step


def loop():
    return DiscountedMDP(rational([[[1]]]), rational([[1]]), rational("9/10")[()])


@theorem(
    apriori,
    cite="puterman1994",
    at="Theorem 6.3.3(d)",
    source="recalled",
    judge=for_all(k, up_to=40),
    on={"mdp": discounted_mdps(rewards="any"), "v0": values},
    named=[loop],
    near_misses={"one power of γ too many": one_power_too_many, "without 1 / (1 − γ)": without_the_horizon},
)
def apriori_error(mdp, v0, *, solver=value_iteration):
    """The first step of value iteration bounds the error of every later iterate."""
    v_star = optimum(mdp).v
    constants = {γ: mdp.discount, step: sup(mdp.bellman(v0) - v0)}
    for n, v in enumerate(solver(mdp, v0)):
        yield constants | {k: n, error: sup(v - v_star)}
