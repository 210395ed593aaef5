"""Fatkhullin, Barakat, Kireeva and He (2023), Stochastic Policy Gradient Methods for Fisher-non-degenerate Policies.

Tabular softmax; trajectories of H steps; J_H is the expected return of these.  The paper's text was not at hand.
"""

from sympy import Eq, Rational

from mdplab.arrays import largest, softmax, total
from mdplab.exact import truncated_gradient
from mdplab.instances import discounted_mdps, logits
from mdplab.sampling import gpomdp, prefix_weights, reinforce, rollouts
from mdplab.theorem import Quantity, as_printed, in_expectation, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
H = Quantity("H", "length of a trajectory", integer=True)
A = Quantity("A", "number of actions", integer=True)
R = Quantity(r"r_{\max}", "largest absolute reward", accuracy="exact")

on = {"mdp": discounted_mdps(2, 2, rewards="any"), "θ": logits}

# -- estimators --------------------------------------------------------------------------------------------------------

g = Quantity(r"\mathbb E\, g(\tau, \theta)", "mean of the estimate")
g_R = Quantity(r"\mathbb E\, g^{R}(\tau, \theta)", "mean of the REINFORCE estimate")
slope = Quantity(r"\nabla J_H(\theta)", "gradient of the truncated return")


def discounted_twice(trajectories, policy):
    """GPOMDP whose rewards-to-go are discounted from the present step on: it forgets the weight γ^t of the state."""
    seen = trajectories
    return gpomdp(type(seen)(seen.states, seen.actions, seen.rewards, seen.weights * seen.weights), policy)


with as_printed():
    unbiased_claims = {"GPOMDP": Eq(g, slope), "REINFORCE": Eq(g_R, slope)}
    half = Eq(g, slope / 2)


@theorem(
    unbiased_claims,
    cite="fatk2023",
    at="Section 2, estimators",
    source="derived",
    judge=in_expectation([g, g_R]),
    on=on,
    near_misses={"half the gradient": half, "rewards discounted twice": {"estimate": discounted_twice}},
)
def unbiased(mdp, θ, draws, *, estimate=gpomdp, horizon=3):
    """Both score-function estimates have the gradient of the truncated return as their mean."""
    π = softmax(θ)
    seen = rollouts(mdp, π, horizon, draws)
    yield {g: estimate(seen, π), g_R: reinforce(seen, π), slope: truncated_gradient(mdp, π, horizon)}


# -- variance ----------------------------------------------------------------------------------------------------------

square = Quantity(r"\mathbb E \lVert g(\tau, \theta) \rVert^2", "second moment of the estimate")

with as_printed():
    second_moment = square <= R**2 * (1 - 1 / A) / (1 - γ) ** 3
    half_of_it = square <= Rational(1, 2) * R**2 * (1 - 1 / A) / (1 - γ) ** 3


@theorem(
    second_moment,
    cite="fatk2023",
    at="Lemma on the variance (σ_g²)",
    source="derived",
    judge=in_expectation({square: (0, 2 * R**2 * H**2 / (1 - γ) ** 2)}),
    on=on,
    near_misses={"half of it": half_of_it},
    note="With the constant G² = 1 − 1/A of tabular softmax, where the paper has M_g².",
)
def variance(mdp, θ, draws, *, horizon=4):
    """The second moment of GPOMDP grows like the third power of the horizon 1 / (1 − γ), at most."""
    π = softmax(θ)
    estimate = gpomdp(rollouts(mdp, π, horizon, draws), π)
    size = largest(abs(mdp.r), 2)
    yield {γ: mdp.discount, H: horizon, A: mdp.A, R: size, square: total(estimate * estimate, 2)}
