"""Shani, Efroni and Mannor (2020), Adaptive Trust Region Policy Optimization, with exact values: explicit constants.

The paper's rates are Õ(1/√N), and Õ(1/N) with regularisation, for uniform trust region policy optimisation, which is
mirror descent with the divergence of Kullback and Leibler.  The constants below are derived, without logarithms.
"""

from itertools import count

from sympy import sqrt

from mdplab.arrays import exp, floats, is_exact, log_softmax, norm, rational, rational_number, sup, total
from mdplab.exact import divergence, gap, occupancy, optimum, soft_gap, soft_optimum
from mdplab.instances import discounted_mdps, distributions, logits, numbers, two_by_two, two_by_two_logits
from mdplab.models import bandit
from mdplab.solvers import averaging_steps, entropy_mirror_descent, geometric, mirror_descent
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "number of updates", integer=True)
D_0 = Quantity("D_0", "divergence of the first policy from an optimal one, where that one goes", accuracy="relative")

# -- Steps that fall as 1/√k -------------------------------------------------------------------------------------------

t_0 = Quantity("t_0", "first step size", accuracy="exact")
δ = Quantity(r"\delta_k(\rho)", "what the k-th policy loses from ρ", accuracy="relative")
δ_0 = Quantity(
    r"\delta_0(d^{\pi^\star}_\rho)", "what the first policy loses from where the optimal one goes", accuracy="relative"
)
with as_printed():
    one_over_root = δ <= (D_0 / t_0 + δ_0) / (2 * (1 - γ) * (sqrt(k + 2) - 1))
    one_over_k = δ <= (D_0 / t_0 + δ_0) / ((1 - γ) * (k + 1))
    without_horizon = δ <= (D_0 / t_0 + δ_0) / (2 * (sqrt(k + 2) - 1))
    without_divergence = δ <= δ_0 / (2 * (1 - γ) * (sqrt(k + 2) - 1))


def inverse_roots(first):
    """t_k = t_0 / √(k + 1)."""
    for n in count(1):
        root = norm(rational([1] * n)) if is_exact(first) else n**0.5
        yield first / root


def squares(first):
    """t_k = t_0 / (k + 1)²."""
    for n in count(1):
        yield first / n**2


def short_step():
    """Two states, two actions, steps from 1/100 on."""
    return {"mdp": two_by_two(), "θ": two_by_two_logits(), "first": rational_number("1/100")}


@theorem(
    one_over_root,
    cite="shani2020",
    at="rate of uniform trust region policy optimisation, unregularised",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=300, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "ρ": distributions, "first": numbers("1/100", 10)},
    named={"a short step": short_step},
    near_misses={
        "as 1/k": one_over_k,
        "without 1 / (1 − γ)": without_horizon,
        "without the divergence": without_divergence,
        "steps that fall as 1/k²": {"steps": squares},
    },
    trivial=1 / (1 - γ),
    uses=["mdpo2020.decreasing"],
    note="Recalled is Õ(1/√N).  Σ_{j≤k} 1/√(j + 1) ≥ 2 (√(k + 2) − 1), put into mdpo2020.decreasing.",
)
def unregularised(mdp, θ, ρ, first, *, steps=inverse_roots):
    """With steps t_0/√(k + 1), adaptive trust region policy optimisation loses O(1/√k), whatever t_0."""
    best = optimum(mdp)
    d, log_π = occupancy(mdp, best.policy, ρ), log_softmax(θ)
    constants = {γ: mdp.discount, t_0: first, D_0: -total(d * total(best.policy * log_π))}
    for x in mirror_descent(mdp, log_π, step_sizes=steps(first), at=geometric(300)):
        if x.k == 0:
            constants[δ_0] = gap(mdp, x.π, best, d)
        yield constants | {k: x.k, δ: gap(mdp, x.π, best, ρ)}


# -- With entropy, steps that fall as 1/k ------------------------------------------------------------------------------

λ = Quantity(r"\lambda", "what a nat of entropy is worth", accuracy="exact")
soft_δ = Quantity(r"\delta_k(\rho)", "what the k-th policy loses from ρ, entropy counted", accuracy="relative")
soft_δ_0 = Quantity(
    r"\delta_0(d^{\pi^\star}_\rho)",
    "what the first policy loses from where the optimal one goes, entropy counted",
    accuracy="relative",
)
D_k = Quantity("D_k", "divergence of the k-th policy from the optimal one, where that one goes", accuracy="relative")
with as_printed():
    loses = soft_δ <= (λ * D_0 + soft_δ_0) / ((1 - γ) * (k + 1))
    nears = D_k <= (D_0 + soft_δ_0 / λ) / (k + 1)
    nears_by_square = D_k <= (D_0 + soft_δ_0 / λ) / (k + 1) ** 2
    loses_without_divergence = soft_δ <= soft_δ_0 / (k + 1)
    nears_without_loss = D_k <= D_0 / (k + 1)


def _away(mdp, θ, temperature):
    best = soft_optimum(mdp.floats(), floats(temperature))
    return floats(sup(best.log_π - log_softmax(floats(θ)), 2)) > 1e-6


# Where it does not hold both sides of the bounds are zero.
not_optimal_at_first = Assumption(
    r"\pi_0 \ne \pi^\star", "the first policy is not optimal, by more than a millionth", _away
)


def shrinking_squares(temperature):
    """t_k = 1 / (λ (k + 2)²)."""
    for n in count(2):
        yield 1 / (n**2 * temperature)


def far_start():
    """Two equal arms, and a first policy that hardly ever takes the first."""
    return {"mdp": bandit(rational([1, 1])), "θ": rational([[-10, 10]]), "temperature": rational_number(1)}


def deceived():
    """Two states, two actions, a low temperature, and logits that point the wrong way."""
    return {"mdp": two_by_two(), "θ": -4 * two_by_two_logits(), "temperature": rational_number("1/10")}


@theorem(
    {"value": loses, "policy": nears},
    cite="shani2020",
    at="rate of uniform trust region policy optimisation, regularised",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=300, exactly_up_to=4),
    on={"mdp": discounted_mdps(), "θ": logits, "ρ": distributions, "temperature": numbers("1/20", 5)},
    given=[not_optimal_at_first],
    named={"a far start": far_start, "deceived": deceived},
    near_misses={
        "the policy as the square of k": nears_by_square,
        "the policy without the first loss": nears_without_loss,
        "the value without divergence and horizon": loses_without_divergence,
        "steps that fall as 1/k²": {"steps": shrinking_squares},
    },
    note="Recalled is Õ(1/N) for t_k = 1/(λ (k + 2)).  Proved on the card: with these steps the sum telescopes.",
)
def regularised(mdp, θ, ρ, temperature, *, steps=averaging_steps):
    """With entropy and steps 1/(λ (k + 2)), it loses O(1/k), and its policies near the optimal one as fast."""
    best = soft_optimum(mdp, temperature)
    star = exp(best.log_π)
    d = occupancy(mdp, star, ρ)
    constants = {γ: mdp.discount, λ: temperature}
    runs = entropy_mirror_descent(mdp, θ, temperature=temperature, step_sizes=steps(temperature), at=geometric(300))
    for x in runs:
        apart = total(d * divergence(star, x.π))
        if x.k == 0:
            constants |= {D_0: apart, soft_δ_0: soft_gap(mdp, x.log_π, temperature, best, d)}
        yield constants | {k: x.k, D_k: apart, soft_δ: soft_gap(mdp, x.log_π, temperature, best, ρ)}
