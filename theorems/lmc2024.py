"""Ishfaq et al. (2024), Efficient Exploration in Reinforcement Learning via Langevin Monte Carlo: law and regret."""

from __future__ import annotations

from itertools import count, islice

import numpy as np
from sympy import Eq, sqrt

from mdplab.arrays import (
    exp,
    expand,
    floats,
    identity_like,
    is_exact,
    largest,
    log,
    rational,
    rational_number,
    smallest,
    solve,
)
from mdplab.exact import finite_horizon as exact
from mdplab.instances import Domain, discounted_mdps, episodic_riverswim, numbers, values
from mdplab.models import DiscountedMDP, FiniteHorizonMDP, bandit
from mdplab.sampling import Draws
from mdplab.solvers import lmc_lsvi, posterior
from mdplab.theorem import Quantity, as_printed, for_all, identity, rate, theorem

# -- the law of the chain ----------------------------------------------------------------------------------------------

k = Quantity("k", "episodes", integer=True)
mean_steps = Quantity(r"\mathbb E\, w_h^k", "mean of the parameters, step by step", accuracy="absolute")
mean_sum = Quantity(
    r"A_k^{J_k} \cdots A_1^{J_1} w^0 + \sum_{i \le k} A_k^{J_k} \cdots A_{i+1}^{J_{i+1}} (I - A_i^{J_i}) \hat w^i",
    "mean of the parameters, summed over episodes",
    accuracy="absolute",
)
covariance_steps = Quantity(r"\mathrm{Cov}\, w_h^k", "covariance of the parameters, step by step", accuracy="absolute")
covariance_sum = Quantity(
    r"\sum_{i \le k} \beta_i^{-1} A_k^{J_k} \cdots A_{i+1}^{J_{i+1}} (I - A_i^{2 J_i}) (\Lambda^i)^{-1} (I + A_i)^{-1} "
    r"A_{i+1}^{J_{i+1}} \cdots A_k^{J_k}",
    "covariance of the parameters, summed over episodes",
    accuracy="absolute",
)
covariance_plain = Quantity(
    r"\sum_{i \le k} \beta_i^{-1} A_k^{J_k} \cdots (I - A_i^{2 J_i}) (\Lambda^i)^{-1} \cdots A_k^{J_k}",
    "the same without (I + A)^(−1)",
    accuracy="absolute",
)

with as_printed():
    law_claims = {"mean": Eq(mean_steps, mean_sum), "covariance": Eq(covariance_steps, covariance_sum)}
    without_inverse = Eq(covariance_steps, covariance_plain)

JS = (3, 5, 2, 7)  # inner steps of episodes 1, ..., 4


def powers(M, n):
    """M^n by products;  (..., d, d)."""
    out = identity_like(M) + 0 * M
    for _ in range(n):
        out = out @ M
    return out


def inverse(M):
    """M^(−1) of a symmetric M;  (..., d, d)."""
    return solve(M[..., None, :, :], identity_like(M) + 0 * M)


def product(M, v):
    return (M @ v[..., None])[..., 0]


def regressions(mdp):
    """Λ^i and Σ φ y for episodes i = 1, 2, ...: features are rows of the kernel, targets rewards times i."""
    Λ, b = identity_like(mdp.P[..., 0, :]) + 0 * mdp.P[..., 0, :], 0 * mdp.r[..., 0]
    for i in count():
        s, a = divmod(i % (mdp.S * mdp.A), mdp.A)
        φ = mdp.P[..., s, a, :]
        Λ, b = Λ + φ[..., :, None] * φ[..., None, :], b + φ * (i + 1) * mdp.r[..., s, a, None]
        yield Λ, b


@theorem(
    law_claims,
    cite="lmc2024",
    at="law of the parameters",
    source="recalled",
    judge=identity(k, up_to=4),
    on={"mdp": discounted_mdps(), "w0": values, "temperature": numbers("1/10", 10)},
    named={
        "two features": lambda: {
            "mdp": DiscountedMDP(
                rational([[["1/2", "1/2"], [1, 0]], [["1/4", "3/4"], ["1/10", "9/10"]]]),
                rational([[1, "1/2"], ["1/3", "3/4"]]),
                rational_number("1/2"),
            ),
            "w0": rational([1, -2]),
            "temperature": rational_number(1),
        }
    },
    near_misses={"A = I − ηΛ": {"factor": 1}, "without (I + A)^(−1)": without_inverse},
    note="Given the targets.  λ = 1, η_i = 1/(4 tr Λ^i), J = 3, 5, 2, 7; 1/β_i grows by a half each episode.",
)
def law(mdp, w0, temperature, *, factor=2):
    """The parameters of Langevin Monte Carlo have the mean and covariance of a sum over episodes, in closed form.

    Normal they are, as sums of normals.  Here step by step on one side, on the other the sum by Horner's rule.
    """
    I = identity_like(mdp.P[..., 0, :])  # noqa: E741
    m, mean, C = w0, w0, 0 * mdp.P[..., 0, :]
    closed, plain = C, C
    heat = expand(temperature, 2)
    for n, (Λ, b) in enumerate(islice(regressions(mdp), len(JS))):
        trace = sum(Λ[..., i, i] for i in range(mdp.S))
        step = 1 / (4 * trace)
        η, one_step = expand(step, 2), I - 2 * expand(step, 2) * Λ
        for _ in range(JS[n]):
            m = m - 2 * expand(step, 1) * (product(Λ, m) - b)
            C = one_step @ C @ one_step + 2 * η * heat * I
        A = I - factor * η * Λ
        kept, Λ_inverse = powers(A, JS[n]), inverse(Λ)
        mean = product(kept, mean) + product(I - kept, product(Λ_inverse, b))
        added = heat * ((I - kept @ kept) @ Λ_inverse)
        closed = kept @ closed @ kept + added @ inverse(I + A)
        plain = kept @ plain @ kept + added
        yield {
            k: n + 1,
            mean_steps: m,
            mean_sum: mean,
            covariance_steps: C,
            covariance_sum: closed,
            covariance_plain: plain,
        }
        heat = heat * 3 / 2


# -- how fast it mixes -------------------------------------------------------------------------------------------------

J = Quantity("J", "inner steps", integer=True)
κ = Quantity(r"\kappa", "condition number of the data", accuracy="exact")
left = Quantity(r"\lVert A^J \rVert", "what J steps leave of where the chain was", accuracy="relative")
H = Quantity("H", "horizon", integer=True)
K = Quantity("K", "number of episodes", integer=True)
d = Quantity("d", "number of features", integer=True)

with as_printed():
    contracts = Eq(left, (1 - 1 / (2 * κ)) ** J)
    contracts_twice = Eq(left, (1 - 1 / κ) ** J)
    mixes = left <= 1 / (4 * H * K * d)


def eigenvalues(mdp, scale):
    """Those of Λ: 1 and more, here 1 + scale · r;  (..., d)."""
    λ = 1 + expand(scale, 2) * mdp.r
    return λ.reshape(*λ.shape[:-2], mdp.S * mdp.A)


def remains(λ, η, J):
    """‖A^J‖ = max |1 − 2 η λ|^J, by its logarithm;  (..., d) -> (...)."""
    one_step = largest(abs(1 - 2 * expand(η, 1) * λ))
    return exp(J * log(one_step))


def quarter_of_top(λ):
    """η = 1 / (4 λ_max)."""
    return 1 / (4 * largest(λ))


def top(λ):
    """η = 1 / λ_max."""
    return 1 / largest(λ)


ill = {"mdp": bandit(rational([1, 0])), "scale": rational_number(9)}


@theorem(
    contracts,
    cite="lmc2024",
    at="contraction of the inner steps",
    source="recalled",
    judge=identity(J, up_to=40),
    on={"mdp": discounted_mdps(), "scale": numbers(1, 1000)},
    named={"condition 10": ill},
    near_misses={"κ for 2 κ": contracts_twice, "four times the step": {"step": top}},
    note="The paper bounds it by that; it is equal, as η λ is least at the least eigenvalue, and 1 − 2ηλ >= 1/2.",
)
def contract(mdp, scale, *, step=quarter_of_top):
    """With η = 1 / (4 λ_max) inner steps contract by 1 − 1 / (2 κ)."""
    λ = eigenvalues(mdp, scale)
    η, one_step = step(λ), None
    for j in count(1):
        one_step = largest(abs(1 - 2 * expand(η, 1) * λ)) if one_step is None else one_step
        yield {J: j, κ: largest(λ) / smallest(λ), left: one_step**j}


def enough(κ, logarithm):
    """J = 2 κ log(4 H K d), rounded up."""
    return np.ceil(2 * floats(κ) * logarithm)


def half_as_many(κ, logarithm):
    """J = κ log(4 H K d), rounded up."""
    return np.ceil(floats(κ) * logarithm)


@theorem(
    mixes,
    cite="lmc2024",
    at="number of inner steps",
    source="recalled",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "scale": numbers(1, 1000)},
    named={"condition 10": ill},
    near_misses={"half as many": {"steps": half_as_many}},
    uses=["lmc2024.contract"],
    note="H = 10 and K = 100, d the number of pairs.",
)
def mix(mdp, scale, *, steps=enough, horizon=10, episodes=100):
    """J = 2 κ log(4 H K d) inner steps leave at most 1 / (4 H K d) of where the chain was."""
    λ = eigenvalues(mdp, scale)
    features = mdp.S * mdp.A
    condition = largest(λ) / smallest(λ)
    n = steps(condition, np.log(4 * horizon * episodes * features))
    n = rational(n) if is_exact(λ) else n
    yield {H: horizon, K: episodes, d: features, left: remains(λ, quarter_of_top(λ), n)}


# -- regret ------------------------------------------------------------------------------------------------------------

regret = Quantity(r"\sum_{k \le K} (V_1^* - V_1^{\pi_k})", "mean regret of four runs", accuracy="relative")

with as_printed():
    sublinear = regret <= sqrt(K)
    constant = regret <= 1


def langevin(mdp, draws):
    """LMC-LSVI, noise 1/2."""
    return lmc_lsvi(mdp, draws, noise=0.5)


def tenth_at_random(mdp, draws):
    """No noise, a random action one time in ten."""
    return lmc_lsvi(mdp, draws, noise=0.0, sampler=posterior, random=0.1)


def _rivers():
    from hypothesis import strategies as st

    return st.just(episodic_riverswim(3, 6))


@theorem(
    sublinear,
    cite="lmc2024",
    at="Theorem on the regret, abstract",
    source="read",
    judge=rate(K, up_to=511),
    on={"mdp": Domain(_rivers, model=FiniteHorizonMDP)},
    named={"short river": lambda: {"mdp": episodic_riverswim(3, 6)}},
    near_misses={"bounded": constant, "a tenth at random": {"solver": tenth_at_random}},
    note="Evidence of one model and the draws of seed 0: d^{3/2} H² √K itself is vacuous for runs that one can afford.",
)
def thm(mdp, *, solver=langevin):
    """The regret of LMC-LSVI grows at most like √K."""
    best, lost = exact.optimum(mdp), 0
    for it in solver(mdp, Draws(0, np.arange(4))):
        lost = lost + exact.gap(mdp, it.π, best).mean()
        yield {K: it.k + 1, regret: lost}
