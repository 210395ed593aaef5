"""Zhu, Chen, Schlegel, White (2023), Generalized Munchausen Reinforcement Learning using Tsallis KL Divergence.

The q-logarithm is ln_q x = (x^(q−1) − 1) / (q − 1); in the other convention, of statistical physics, it is ln_{2−q}.
"""

from itertools import pairwise

import numpy as np
from sympy import Eq, Rational

from mdplab.arrays import exp, expand, is_exact, largest, log, number, rational, rational_number, softmax, sup, total
from mdplab.exact import (
    TsallisEntropy,
    exp_q,
    largest_entropy,
    log_q,
    optimum,
    regularised_bellman,
    regularised_optimum,
    tsallis_divergence,
    tsallis_entropy,
    tsallis_greedy,
    visits_from_each,
)
from mdplab.instances import (
    Domain,
    discounted_mdps,
    logits,
    numbers,
    one_state_loop,
    policies,
    two_by_two,
    two_by_two_logits,
)
from mdplab.instances import values as value_functions
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import tsallis_munchausen_vi
from mdplab.theorem import Quantity, as_printed, for_all, identity, rate, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
τ = Quantity(r"\tau", "temperature: what a unit of entropy or divergence is worth", accuracy="exact")
q = Quantity("q", "entropic index; for q = 1 logarithms are natural", accuracy="exact")
k = Quantity("k", "number of updates", integer=True)


def indices(*choices):
    """An entropic index, the same for all models of a batch."""

    def draw():
        from hypothesis import strategies as st

        return st.sampled_from([rational_number(x) for x in choices])

    def batch(rng):
        return np.float64(rng.choice([number(rational_number(x)) for x in choices]))

    return Domain(draw, batch, lambda: rational_number(choices[0]))


INDEX = indices(2, 1, "3/2", 3, 4)
ABOVE_ONE = indices(2, "3/2", 3, 4)
MDP, TEMPERATURE = discounted_mdps(), numbers("1/10", 2)


# -- Greedy policies ---------------------------------------------------------------------------------------------------

best_value = Quantity(
    r"\left[\langle \pi, Q \rangle + \tau S_q(\pi)\right]", "value of the greedy policy, entropy counted"
)
other_value = Quantity(
    r"\left[\langle \mu, Q \rangle + \tau S_q(\mu)\right]", "value of any other policy, entropy counted"
)
mass = Quantity(r"\textstyle\sum_a \pi(a \mid s)", "sum of the greedy policy's probabilities")
with as_printed():
    maximal = {"maximal": other_value <= best_value, "normalised": Eq(mass, Rational(1))}


def sparsest(Q, τ, q):
    """The greedy policy for q = 2."""
    return tsallis_greedy(Q, τ, 2).π


def warm(Q, τ, q):
    """The greedy policy for twice the temperature."""
    return tsallis_greedy(Q, 2 * τ, q).π


def plain_softmax(Q, τ, q):
    """softmax(Q / τ)."""
    return softmax(Q / expand(τ, 2))


def greedy_for_entropy(Q, τ, q):
    """[(q−1)(Q − ν) / (q τ)]_+^(1/(q−1))."""
    return tsallis_greedy(Q, τ, q).π


def two_arms(index=2):
    """One state, Q = (1, 0), τ = 1."""
    return {
        "mdp": bandit(rational([1, 0])),
        "Q": rational([[1, 0]]),
        "temperature": rational_number(1),
        "index": rational_number(index),
    }


def two_arms_entropy():
    """q = 2: sparsemax(Q / 2) = (3/4, 1/4) is the best policy, and here also the other one."""
    return two_arms() | {"other": rational([["3/4", "1/4"]])}


def two_arms_cubic():
    """q = 3, against the sparsemax policy (3/4, 1/4)."""
    return two_arms(3) | {"other": rational([["7/10", "3/10"]])}


@theorem(
    maximal,
    cite="tsallis2023",
    at="Section 3, the policy of Tsallis entropy",
    source="derived",
    judge=for_all(),
    on={"mdp": MDP, "Q": logits, "temperature": TEMPERATURE, "index": INDEX, "other": policies},
    named={"sparsemax": two_arms_entropy, "q = 3": two_arms_cubic},
    near_misses={
        "softmax for any q": {"greedy": plain_softmax},
        "sparsemax for any q": {"greedy": sparsest},
        "half of the factor 2 of sparsemax(Q / 2τ)": {"greedy": warm},
    },
    note="For q = 2 it is sparsemax(Q / 2τ): the factor 2 goes where the entropy is defined with a factor 1/2.",
)
def greedy_E(mdp, Q, temperature, index, other, *, greedy=greedy_for_entropy):
    """With Tsallis entropy the greedy policy is a power of the clipped action values, sparse for q > 1."""
    π = greedy(Q, temperature, index)

    def value(policy):
        return total(policy * Q) + expand(temperature, 1) * tsallis_entropy(policy, index)

    yield {best_value: value(π), other_value: value(other), mass: total(π)}


best_near = Quantity(
    r"\left[\langle \pi, Q \rangle - \tau D_q(\pi \Vert \mu)\right]", "value of the greedy policy less its divergence"
)
other_near = Quantity(
    r"\left[\langle \pi', Q \rangle - \tau D_q(\pi' \Vert \mu)\right]", "value of any other policy less its divergence"
)
probability = Quantity(r"\pi(a \mid s)", "probability under the greedy policy")
q_exponential = Quantity(
    r"\left[\mu \exp_q\left(\tfrac{Q}{q\tau} - \psi\right)\right](s, a)", "the policy μ tilted by a q-exponential"
)
literal_policy = Quantity(
    r"\left[\tfrac{1}{Z}\, \mu \exp_q(Q / \tau)\right](s, a)", "tilted by a q-exponential, then divided by its sum"
)
with as_printed():
    tilted = {"maximal": other_near <= best_near, "q-exponential": Eq(probability, q_exponential)}
    literal = Eq(probability, literal_policy)


def near(Q, τ, q, μ):
    """μ exp_q(Q / (q τ) − ψ) and ψ."""
    best = tsallis_greedy(Q, τ, q, μ)
    return best.π, best.ψ


def divided(Q, τ, q, μ):
    """μ exp_q(Q / τ), divided by its sum."""
    weights = μ * exp_q(Q / expand(τ, 2), q)
    return weights / expand(total(weights), 1), 0 * Q[..., 0]


def divided_with_index(Q, τ, q, μ):
    """μ exp_q(Q / (q τ)), divided by its sum."""
    return divided(Q, q * τ, q, μ)


def half_half():
    """μ = (1/2, 1/2), Q = (1, 0), τ = 1, q = 2: the best policy is (5/8, 3/8)."""
    return two_arms() | {"μ": rational([["1/2", "1/2"]]), "other": rational([["5/8", "3/8"]])}


NEAR = {"mdp": MDP, "Q": logits, "temperature": TEMPERATURE, "index": INDEX, "μ": policies, "other": policies}


@theorem(
    tilted,
    cite="tsallis2023",
    at="Section 3, the policy of Tsallis KL regularisation",
    source="derived",
    status="corrected",
    judge=for_all(),
    on=NEAR,
    named={"half and half": half_half},
    near_misses={
        "the normaliser outside": {"greedy": divided},
        "the normaliser outside, q τ for τ": {"greedy": divided_with_index},
    },
    note="The shape π ∝ μ exp_q(Q / τ), recalled, holds for q = 1 only; see `greedy_literal`.",
)
def greedy_KL(mdp, Q, temperature, index, μ, other, *, greedy=near):
    """With Tsallis KL the greedy policy is the old one times a q-exponential, its normaliser inside."""
    π, ψ = greedy(Q, temperature, index, μ)

    def value(policy):
        return total(policy * Q) - expand(temperature, 1) * tsallis_divergence(policy, μ, index)

    tilt = exp_q(Q / (index * expand(temperature, 2)) - expand(ψ, 1), index)
    yield {best_near: value(π), other_near: value(other), probability: π, q_exponential: μ * tilt}


@theorem(
    literal,
    cite="tsallis2023",
    at="Section 3, read literally",
    source="recalled",
    status="refuted",
    judge=identity(),
    on={"mdp": MDP, "Q": policies, "temperature": TEMPERATURE, "index": INDEX, "μ": policies},
    named={"half and half": lambda: {name: x for name, x in half_half().items() if name != "other"}},
    note="For μ = (1/2, 1/2), Q = (1, 0), τ = 1, q = 2 the best policy is (5/8, 3/8); the formula says (2/3, 1/3), and "
    "changes when a constant is added to Q.  `greedy_KL` is the corrected statement.",
)
def greedy_literal(mdp, Q, temperature, index, μ):
    """Refuted: the greedy policy with Tsallis KL is proportional to the old one times exp_q(Q / τ)."""
    yield {probability: near(Q, temperature, index, μ)[0], literal_policy: divided(Q, temperature, index, μ)[0]}


n = Quantity("n", "1 / (q − 1)", integer=True)
far = Quantity(r"\lVert \pi^{(1 + 1/n)} - \pi^{(1)} \rVert_\infty", "distance of the greedy policies for q and 1")
with as_printed():
    linear = far <= 1 / n
    quadratic = far <= 1 / n**2


@theorem(
    linear,
    cite="tsallis2023",
    at="Section 3, the limit q → 1",
    source="derived",
    judge=rate(n, up_to=16384),
    on={"mdp": MDP, "Q": policies, "temperature": numbers("1/2", 2), "μ": policies},
    near_misses={"as the square of q − 1": quadratic},
)
def limit1(mdp, Q, temperature, μ):
    """As q falls to 1, greedy policies with Tsallis KL become those with KL, at a rate linear in q − 1."""
    limit = tsallis_greedy(Q, temperature, 1, μ).π
    for power in range(15):
        π = tsallis_greedy(Q, temperature, 1 + 2.0**-power, μ).π
        distance = sup(π - limit, 2)
        yield {n: 2**power, far: distance * (distance > 1e-11)}  # what is left below is rounding


# -- Divergences and products ------------------------------------------------------------------------------------------

D_half = Quantity(r"D_{1/2}(\pi \Vert \mu)", "Tsallis divergence for q = 1/2", accuracy="absolute")
KL = Quantity(r"\mathrm{KL}(\pi \Vert \mu)", "Kullback-Leibler divergence")
D = Quantity(r"D_q(\pi \Vert \mu)", "Tsallis divergence")
D_more = Quantity(r"D_{q + 1/2}(\pi \Vert \mu)", "Tsallis divergence for a larger index")
with as_printed():
    ordered = {
        "not negative": Rational(0) <= D_half,
        "below": D_half <= KL,
        "above": KL <= D,
        "increasing": D_more >= D,
    }
    decreasing = D_more <= D


def other_convention(π, μ, q):
    """⟨π, −ln_q(μ / π)⟩ with the q-logarithm of the file: zero for q = 2, whatever π and μ are."""
    return -total(π * log_q(μ / π, q))


@theorem(
    ordered,
    cite="tsallis2023",
    at="Section 3, Tsallis KL divergence",
    source="derived",
    judge=for_all(),
    on={"mdp": MDP, "π": policies, "μ": policies, "index": ABOVE_ONE},
    named={
        "two arms": lambda: {
            "mdp": bandit(rational([1, 0])),
            "π": rational([["3/5", "2/5"]]),
            "μ": rational([["9/10", "1/10"]]),
        }
    },
    near_misses={"the conventions mixed": {"divergence": other_convention}, "decreasing": decreasing},
)
def divergence(mdp, π, μ, index, *, divergence=tsallis_divergence):
    """Tsallis divergences are not negative and increase with q; KL is the one for q = 1."""
    half = rational_number("1/2") if is_exact(π) else 0.5
    yield {
        D_half: tsallis_divergence(π, μ, half),
        KL: tsallis_divergence(π, μ, 1),
        D: divergence(π, μ, index),
        D_more: tsallis_divergence(π, μ, index + half),
    }


ln_a, ln_b = Quantity(r"\ln_q a", "q-logarithm of one number"), Quantity(r"\ln_q b", "q-logarithm of the other")
ln_ab = Quantity(r"\ln_q(ab)", "q-logarithm of their product")
with as_printed():
    pair = Eq(ln_ab, ln_a + ln_b + (q - 1) * ln_a * ln_b)
    additive = Eq(ln_ab, ln_a + ln_b)
    other_sign = Eq(ln_ab, ln_a + ln_b + (1 - q) * ln_a * ln_b)


@theorem(
    pair,
    cite="tsallis2023",
    at="Appendix, the q-logarithm of a product",
    source="recalled",
    judge=identity(),
    on={"mdp": MDP, "a": numbers("1/10", 10), "b": numbers("1/10", 10), "index": INDEX},
    named={"two and three": {"mdp": one_state_loop(), "a": rational_number(2), "b": rational_number(3)}},
    near_misses={"additive": additive, "the sign of the other convention": other_sign},
    note="Also proved: (q−1) ln_q x + 1 = x^(q−1).",
)
def product(mdp, a, b, index):
    """The q-logarithm of a product is the sum of q-logarithms and q − 1 times their product."""
    yield {q: index, ln_a: log_q(a, index), ln_b: log_q(b, index), ln_ab: log_q(a * b, index)}


of_exponentials = Quantity(r"\textstyle\prod_{i \le A} \exp_q x_i", "product of q-exponentials")
of_sums = Quantity(
    r"\exp_q\Big(\textstyle\sum_{j \ge 1} (q-1)^{j-1} \sum_{i_1 < \dots < i_j} x_{i_1} \cdots x_{i_j}\Big)",
    "q-exponential of the sum and of all products of two, three, ... of the numbers",
)
power_of_product = Quantity(
    r"\big(\textstyle\prod_{i \le A} \exp^T_{2-q} x_i\big)^{1-(2-q)}", "a power of the product, other convention"
)
power_and_products = Quantity(
    r"\exp^T_{2-q}\big(\textstyle\sum_i x_i\big)^{1-(2-q)} "
    r"+ \textstyle\sum_{j \ge 2} (1-(2-q))^j \sum_{i_1 < \dots < i_j} x_{i_1} \cdots x_{i_j}",
    "that power of the q-exponential of the sum, and the products of two, three, ... of the numbers",
)
with as_printed():
    all_products = {"": Eq(of_exponentials, of_sums), "other convention": Eq(power_of_product, power_and_products)}


def symmetric(x):
    """Elementary symmetric polynomials e_1, ..., e_A of the entries;  (..., A) -> list of (...)."""
    found = [1 + 0 * x[..., 0]]
    for a in range(x.shape[-1]):
        longer = [*found, 0 * x[..., 0]]
        for j in range(1, len(longer)):
            longer[j] = longer[j] + found[j - 1] * x[..., a]
        found = longer
    return found[1:]


def sum_alone(x):
    """The first of them, and no cross terms."""
    return symmetric(x)[:1]


def sum_and_pairs(x):
    """Twice the second: each pair counted in both orders."""
    return [e if j != 1 else 2 * e for j, e in enumerate(symmetric(x))]


@theorem(
    all_products,
    cite="tsallis2023",
    at="Theorem on the product of q-exponentials",
    source="recalled",
    judge=identity(),
    on={"mdp": MDP, "π": policies, "index": INDEX},
    named={"two arms": {"mdp": bandit(rational([1, 0])), "π": rational([["9/10", "1/10"]])}},
    near_misses={
        "without the cross terms": {"polynomials": sum_alone},
        "each pair twice": {"polynomials": sum_and_pairs},
    },
    uses=["tsallis2023.product"],
    note="The numbers are x_a = π(a) − 1/4, so that all brackets are positive for q up to 4.  The second form is the "
    "paper's, as recalled, for its index 2 − q.",
)
def product_of_exponentials(mdp, π, index, *, polynomials=symmetric):
    """A product of q-exponentials is one q-exponential, of the sum and of all products with powers of q − 1."""
    x = π - (rational_number("1/4") if is_exact(π) else 0.25)
    left, right, weight = 1 + 0 * x[..., 0], 0 * x[..., 0], 1
    for a in range(mdp.A):
        left = left * exp_q(x[..., a], index)
    for e in polynomials(x):
        right, weight = right + weight * e, weight * (index - 1)
    cross = (index - 1) * (right - total(x))
    yield {
        of_exponentials: left,
        of_sums: exp_q(right, index),
        power_of_product: power(left, index - 1),
        power_and_products: power(exp_q(total(x), index), index - 1) + cross,
    }


def power(x, exponent):
    """x^exponent for x > 0."""
    return exp(exponent * log(x))


# -- MVI(q) ------------------------------------------------------------------------------------------------------------

Q_next = Quantity(
    r"Q_{k+1}(s, a) - \alpha\tau \ln_q \pi_{k+1}(a \mid s)", "action values without the bonus of the last step"
)
backup = Quantity(
    r"\Big[r + \gamma P \big(\langle \pi_{k+1}, Q'_k \rangle - \alpha\tau B_q(\pi_{k+1}, \pi_k) "
    r"+ (1 - \alpha)\tau S_q(\pi_{k+1})\big)\Big](s, a)",
    "one step that pays B_q for leaving the last policy",
)
bracket = Quantity(
    r"\left[\langle \pi_{k+1}, Q'_k \rangle - \alpha\tau B_q(\pi_{k+1}, \pi_k) "
    r"+ (1 - \alpha)\tau S_q(\pi_{k+1})\right]",
    "what the policy of the step attains",
)
other_bracket = Quantity(
    r"\left[\langle \pi, Q'_k \rangle - \alpha\tau B_q(\pi, \pi_k) + (1 - \alpha)\tau S_q(\pi)\right]",
    "what any other policy attains",
)
with as_printed():
    reparametrised = {"recursion": Eq(Q_next, backup), "greedy": other_bracket <= bracket}


def B(π, log_π, μ, log_μ, q):
    """B_q(π, μ) = ⟨π, ln_q π − ln_q μ⟩."""
    return total(π * (log_π - log_μ))


def tsallis_KL(π, log_π, μ, log_μ, q):
    """D_q(π ‖ μ)."""
    return tsallis_divergence(π, μ, q)


def backwards(π, log_π, μ, log_μ, q):
    """B_q(μ, π)."""
    return B(μ, log_μ, π, log_π, q)


def warm_start():
    """Two states, two actions, α = 1/2, τ = 3/2, q = 2."""
    return {
        "mdp": two_by_two(),
        "Q0": two_by_two_logits() / 4,
        "strength": rational_number("1/2"),
        "temperature": rational_number("3/2"),
    }


@theorem(
    reparametrised,
    cite="tsallis2023",
    at="Section 4, MVI(q)",
    source="derived",
    status="corrected",
    judge=for_all(k, up_to=10, exactly_up_to=2),
    on={
        "mdp": MDP,
        "Q0": logits,
        "strength": numbers("1/20", 1),
        "temperature": TEMPERATURE,
        "index": INDEX,
        "other": policies,
    },
    named={"two by two": warm_start},
    near_misses={
        "Tsallis KL for B_q": {"penalty": tsallis_KL},
        "B_q the other way round": {"penalty": backwards},
    },
    note="For q = 1, B_q is KL and this is `munchausen2020.equivalence`; for q > 1 see `mviq_bregman`.",
)
def mviq_reparam(mdp, Q0, strength, temperature, index, other, *, penalty=B):
    """MVI(q) is value iteration that pays B_q for leaving the last policy; it is not the Tsallis KL divergence."""
    share, unit = expand(strength, 2), expand(temperature, 2)
    log_other = log_q(other, index)
    runs = tsallis_munchausen_vi(mdp, Q0, strength=strength, temperature=temperature, q=index)
    for now, then in pairwise(runs):
        shifted = now.Q - share * unit * now.log_q

        def attained(π, log_π, now=now, shifted=shifted):
            left = penalty(π, log_π, now.π, now.log_q, index)
            entropy = -total(π * log_π)
            bonus, rest = strength * temperature, (1 - strength) * temperature
            return total(π * shifted) - expand(bonus, 1) * left + expand(rest, 1) * entropy

        here = attained(then.π, then.log_q)
        yield {
            k: now.k,
            Q_next: then.Q - share * unit * then.log_q,
            backup: mdp.action_values(here),
            bracket: here,
            other_bracket: attained(other, log_other),
        }


B_q = Quantity(r"B_q(\pi, \mu)", "what MVI(q) pays for leaving μ")
with as_printed():
    not_negative = Rational(0) <= B_q


@theorem(
    not_negative,
    cite="tsallis2023",
    at="Section 4, MVI(q) as a divergence",
    source="derived",
    status="refuted",
    judge=for_all(),
    on={"mdp": MDP, "π": policies, "μ": policies, "index": ABOVE_ONE},
    named={
        "minus six hundredths": lambda: {
            "mdp": bandit(rational([1, 0])),
            "π": rational([["3/5", "2/5"]]),
            "μ": rational([["9/10", "1/10"]]),
            "index": rational_number(2),
        }
    },
    note="B_2((.6, .4), (.9, .1)) = −.06.  So no divergence makes MVI(q) a mirror descent; `mviq_reparam` stands.",
)
def mviq_bregman(mdp, π, μ, index):
    """Refuted: what MVI(q) pays for leaving the last policy is never negative."""
    yield {B_q: B(π, log_q(π, index), μ, log_q(μ, index), index)}


# -- Value iteration with Tsallis entropy ------------------------------------------------------------------------------

distance = Quantity(r"\lVert v - w \rVert_\infty", "distance of two value functions")
backed_up = Quantity(r"\lVert T_q v - T_q w \rVert_\infty", "distance of their backups, entropy counted")
S_max = Quantity("S_{\\max}", "Tsallis entropy of the uniform policy", accuracy="relative")
value = Quantity(r"v^\star(s)", "optimal value")
regularised = Quantity(r"v^\star_{\mathrm{reg}}(s)", "optimal value when entropy counts")
loss = Quantity(
    r"\lVert v^\star - v^\pi \rVert_\infty", "what the policy that is best with entropy loses", accuracy="relative"
)
with as_printed():
    contracts = backed_up <= γ * distance
    contracts_twice = backed_up <= γ**2 * distance
    between = {"above": value <= regularised, "near": regularised <= value + τ * S_max / (1 - γ)}
    near_one_step = regularised <= value + τ * S_max
    below = regularised <= value
    loses = loss <= τ * S_max / (1 - γ)
    loses_one_step = loss <= τ * S_max
    loses_square = loss <= τ**2 * S_max / (1 - γ)


@theorem(
    contracts,
    cite="geist2019",
    at="Proposition 2, for Tsallis entropies",
    source="derived",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(rewards="any"),
        "v": value_functions,
        "w": value_functions,
        "temperature": TEMPERATURE,
        "index": INDEX,
    },
    named={"one state": {"mdp": one_state_loop(), "v": rational([1])}},
    near_misses={"two powers of γ": contracts_twice, "without the entropy of the second": {"second": 0}},
)
def regvi_contraction(mdp, v, w, temperature, index, *, second=1):
    """Value iteration with Tsallis entropy is a γ-contraction in the supremum norm."""
    Ω = TsallisEntropy(temperature, index)
    other = regularised_bellman(mdp, Ω, w) if second else mdp.bellman(w)
    yield {γ: mdp.discount, distance: sup(v - w), backed_up: sup(regularised_bellman(mdp, Ω, v) - other)}


def equal_rewards():
    """One state, two equal actions: entropy is free, and all of it is taken."""
    return {"mdp": one_state_loop(A=2), "temperature": rational_number(1), "index": rational_number(2)}


# Where all actions are equal for ever, as in the last states of grids, (b) is an equality, and costs time.
FEW_TIES = discounted_mdps(families=tuple(f for f in MDP.families if f.name.startswith(("garnet", "sparse", "near"))))
WITH_ENTROPY = {"mdp": FEW_TIES, "temperature": TEMPERATURE, "index": INDEX}


@theorem(
    between,
    cite="geist2019",
    at="Proposition 3, for Tsallis entropies",
    source="derived",
    judge=for_all(),
    on=WITH_ENTROPY,
    named=[equal_rewards],
    near_misses={"the entropy of one step": near_one_step, "entropy costs": below},
    uses=["tsallis2023.regvi_contraction"],
    note="In the shape of Lee et al. (2019), who have Tsallis entropies; for q = 1 this is `geist2019.bias`.",
)
def regvi_bias(mdp, temperature, index):
    """Counting Tsallis entropy raises optimal values, by at most τ S_max / (1 − γ)."""
    yield {
        γ: mdp.discount,
        τ: temperature,
        S_max: largest_entropy(mdp.A, index),
        value: optimum(mdp).v,
        regularised: regularised_optimum(mdp, TsallisEntropy(temperature, index)).v,
    }


def one_better_action():
    """One state that stays, two actions that differ by one in reward."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))
    return {"mdp": mdp, "temperature": rational_number("3/2"), "index": rational_number("3/2")}


@theorem(
    loses,
    cite="geist2019",
    at="Theorem 2, for Tsallis entropies",
    source="derived",
    judge=for_all(),
    on=WITH_ENTROPY,
    named=[one_better_action],
    near_misses={"the entropy of one step": loses_one_step, "the square of the temperature": loses_square},
    trivial=1 / (1 - γ),
    uses=["tsallis2023.regvi_bias"],
)
def regvi_policy(mdp, temperature, index):
    """The policy that is optimal with Tsallis entropy loses at most τ S_max / (1 − γ) without it."""
    best = optimum(mdp)
    π = regularised_optimum(mdp, TsallisEntropy(temperature, index)).π
    lost = (visits_from_each(mdp, π) @ total(π * best.loss)[..., None])[..., 0]
    yield {γ: mdp.discount, τ: temperature, S_max: largest_entropy(mdp.A, index), loss: largest(lost)}
