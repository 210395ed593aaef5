"""Facts about exact softmax policy gradients that no single paper of the catalogue owns; proofs are on the card."""

from sympy import sqrt

from mdplab.arrays import exp, expand, expm1, log_softmax, norm, rational_number, softmax, total
from mdplab.exact import advantages, soft_gradient, soft_values, softmax_gradient, values, visits
from mdplab.instances import discounted_mdps, logits, numbers, two_armed_bandit, two_by_two, two_by_two_logits
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
η = Quantity(r"\eta", "step size", accuracy="exact")
slope = Quantity(r"\lVert \nabla_\theta V^{\pi_\theta}(\mu) \rVert_2", "length of the gradient")

with as_printed():
    short = slope <= sqrt(2) / (4 * (1 - γ) ** 2)
    too_short = slope <= 1 / (4 * (1 - γ) ** 2)


@theorem(
    short,
    cite="pg",
    at="Proposition 1",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits},
    named=[two_armed_bandit],
    near_misses={"without √2": too_short},
)
def gradnorm(mdp, θ):
    """With rewards in [0, 1] a softmax policy gradient is never longer than √2 / (4 (1 − γ)²)."""
    yield {γ: mdp.discount, slope: norm(softmax_gradient(mdp, softmax(θ)), 2)}


# Slope and gain are taken from the same advantages, whose own error moves both alike: relative to each other they keep
# their digits, however small they are.
steepness = Quantity(
    r"\lVert \nabla_\theta V^{\pi_\theta}(\mu) \rVert_2^2", "square of the gradient's length", accuracy="relative"
)
gain = Quantity(
    r"V^{\pi_{\theta + \eta \nabla}}(\mu) - V^{\pi_\theta}(\mu)",
    "what a step along the gradient gains",
    accuracy="relative",
)

with as_printed():
    ascends = gain >= η / 2 * steepness
    ascends_twice = gain >= η * steepness


def gain_of_step(mdp, θ, η):
    """V^{π'}(μ) − V^π(μ) for π' ∝ π exp(x), x = η ∇V, as a sum of terms that do not cancel;  (...)."""
    log_π = log_softmax(θ)
    π, x = exp(log_π), expand(η, 2) * softmax_gradient(mdp, softmax(θ))
    # Σ_a π'(a) A(a) = Σ_a π(a) A(a) e^{x(a)} / Z, and Σ_a π(a) A(a) = 0 may be taken off before dividing.
    Z = 1 + total(π * expm1(x))
    per_state = total(π * advantages(mdp, π) * expm1(x)) / Z
    return total(visits(mdp, softmax(log_π + x)) * per_state)


def times(factor):
    """The step of the theorem, multiplied."""

    def step_size(mdp):
        return factor * one_over_smoothness(mdp)

    step_size.__name__ = f"{factor}_over_smoothness"
    return step_size


def one_over_smoothness(mdp):
    """(1 − γ)³ / 8."""
    return (1 - mdp.discount) ** 3 / 8


@theorem(
    ascends,
    cite="pg",
    at="Proposition 2",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits},
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()}},
    near_misses={
        "twice the gain": ascends_twice,
        "a step 100 times as long": {"step_size": times(100)},
        "a step 1000 times as long": {"step_size": times(1000)},
        "down the gradient": {"step_size": times(-1)},
    },
    uses=["mei2020.lem7"],
    note="For any step of at most one over a smoothness constant; here η = (1 − γ)³ / 8.",
)
def ascent(mdp, θ, *, step_size=one_over_smoothness):
    """A step of one over the smoothness constant gains at least half of what the gradient promises."""
    length = step_size(mdp)
    gradient = softmax_gradient(mdp, softmax(θ))
    yield {η: length, steepness: total(gradient * gradient, 2), gain: gain_of_step(mdp, θ, length)}


before = Quantity("V^{\\pi_t}(s)", "value of a state")
after = Quantity("V^{\\pi_{t+1}}(s)", "its value after the step")
with as_printed():
    improves = before <= after


def plain(mdp, θ, η):
    """Values before and after a step of softmax policy gradient."""
    π = softmax(θ)
    return values(mdp, π), values(mdp, softmax(θ + expand(η, 2) * softmax_gradient(mdp, π)))


def regularised(mdp, θ, η):
    """The same for the value that counts entropy at the temperature 1/2."""
    τ, log_π = rational_number("1/2") if θ.dtype == object else 0.5, log_softmax(θ)
    stepped = log_softmax(θ + expand(η, 2) * soft_gradient(mdp, log_π, τ))
    return soft_values(mdp, log_π, τ), soft_values(mdp, stepped, τ)


@theorem(
    improves,
    cite="pg",
    at="Proposition 3",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits, "step_size": numbers("1/1000", 10**6)},
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "step_size": rational_number(100)}},
    near_misses={"with entropy": {"values_around": regularised}},
)
def anystep(mdp, θ, step_size, *, values_around=plain):
    """A step along the exact gradient, of whatever length, lowers the value of no state.

    So a falling value is never the symptom of a step that is too long, unless entropy is regularised.
    """
    first, second = values_around(mdp, θ, step_size)
    yield {before: first, after: second}
