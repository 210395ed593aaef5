"""How far is the average of n sampled returns from the value?"""

from mdplab.arrays import softmax, total
from mdplab.exact import values
from mdplab.instances import discounted_mdps, logits, named
from mdplab.sampling import rollouts
from mdplab.theorem import Quantity, as_printed, in_expectation, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
n = Quantity("n", "number of returns", integer=True)
h = Quantity("h", "steps of each", integer=True)
error = Quantity(r"(\hat V_n - V^\pi(\mu))^2", "squared error of the average of n returns")

with as_printed():
    bound = error <= (1 / n + γ ** (2 * h)) / (1 - γ) ** 2
    never_cut = error <= 1 / (n * (1 - γ) ** 2)
    too_fast = error <= (1 / n**2 + γ ** (2 * h)) / (1 - γ) ** 2


@theorem(
    bound,
    cite="folklore",
    at="bias and variance of a Monte Carlo estimate",
    source="derived",
    status="folklore",
    judge=in_expectation({error: (0, 1 / (1 - γ) ** 2)}, index=n, replicates=2**12),
    on={"mdp": discounted_mdps(), "θ": logits},
    named={"one state": named.one_state_loop, "a coin": named.two_armed_bandit},
    near_misses={"as if returns were never cut": never_cut, "1/n²": too_fast},
)
def monte_carlo(mdp, θ, draws):
    """Averages of n returns of h steps: bias falls with γ^h, variance with n."""
    π = softmax(θ)
    value = total(mdp.start * values(mdp, π))
    for m in (4, 16, 64):
        seen = rollouts(mdp, π, 5, draws.at(m).samples(m))
        estimate = total(seen.rewards * seen.weights).mean(axis=-1)
        yield {γ: mdp.discount, n: m, h: 5, error: (estimate - value) ** 2}
