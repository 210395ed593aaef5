"""Policy gradient with occupancy approximation for general utilities: ascent along any direction, and shadow rewards.

From a follow-up of :cite:`barakat2023` on large state spaces.  Softmax policies with a logit for each pair: the paper's
l_ψ is 1 and its L_ψ is 0.  F(λ) = Σ log(λ + σ), for which l_λ = 1/σ and L_λ = 1/σ².
"""

from mdplab.arrays import expand, norm, rational, softmax
from mdplab.exact import pair_visits, rewarded, softmax_gradient, softmax_utility_gradient
from mdplab.exact.utilities import SmoothedLog
from mdplab.instances import discounted_mdps, logits, numbers, two_by_two, two_by_two_logits
from mdplab.instances.domain import Family
from mdplab.instances.families import by_name
from mdplab.theorem import Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
α = Quantity(r"\alpha", "step size", accuracy="exact")
gain = Quantity(r"F(\lambda(\theta + \alpha \bar g)) - F(\lambda(\theta))", "gain of the step")
slope = Quantity(r"\lVert \nabla_\theta F \rVert", "length of the gradient")
wrong = Quantity(r"\lVert \nabla_\theta F - \bar g \rVert", "error of the direction")
length = Quantity(r"\lVert \bar g \rVert", "length of the direction")
with as_printed():
    ascends = gain >= α / 16 * slope**2 - 5 * α / 8 * wrong**2 + α / 8 * length**2
    ascends_always = gain >= α / 16 * slope**2 + α / 8 * length**2
    ascends_too_far = gain >= α * slope**2 - 5 * α / 8 * wrong**2 + α / 8 * length**2


def family(name, **options):
    """One of the usual families with options."""
    text = ",".join(f"{key}={x}" for key, x in options.items())
    return Family(f"{name}:{text}", lambda rng, n: by_name[name](rng, n, **options))


# Steps are as short as 1 / L_θ, so that rounding hides what they gain where γ is near one.
NEAR = (
    family("garnet", S=2, A=2, discount=0.5),
    family("garnet", S=4, A=3, discount=0.3),
    family("chain", S=4, discount=0.6),
    family("bandits", K=3),
)


@theorem(
    ascends,
    cite="pgoma",
    at="ascent lemma in the proof of Theorem 1",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(families=NEAR),
        "θ": logits,
        "noise": logits,
        "share": numbers("1/100", 1),
        "σ": numbers("1/8", 1),
    },
    named={
        "two by two": {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "noise": rational([[1, -1], [0, 1]]),
            "share": rational([1])[0],
            "σ": rational([1])[0],
        }
    },
    near_misses={"whatever the direction": ascends_always, "the whole slope": ascends_too_far},
    uses=["zhang2021.lem5_3"],
    note="α = share / (2 L_θ) with L_θ of Lemma 5.3; the direction is half of the noise beside the gradient.",
)
def ascent(mdp, θ, noise, share, σ):
    """A step of at most 1 / (2 L_θ) along any direction gains what the gradient promises less the direction's error."""
    F, rest = SmoothedLog(σ), 1 - mdp.discount
    steep = 4 / (σ**2 * rest**4) + 8 / (σ * rest**3) + 2 / (σ * rest**2)
    step = share / (2 * steep)
    g = softmax_utility_gradient(mdp, softmax(θ), F)
    d = g + noise / 2
    yield {
        α: step,
        gain: F.value(pair_visits(mdp, softmax(θ + expand(step, 2) * d))) - F.value(pair_visits(mdp, softmax(θ))),
        slope: norm(g, 2),
        wrong: norm(d - g, 2),
        length: norm(d, 2),
    }


L = Quantity(r"L_\lambda", "Lipschitz constant of ∇F in the Euclidean norm", accuracy="exact")
apart = Quantity(r"\lVert \lambda - \hat\lambda \rVert_2", "distance of the occupancies")
turn = Quantity(
    r"\lVert \nabla_\theta V(\nabla F(\lambda)) - \nabla_\theta V(\nabla F(\hat\lambda)) \rVert",
    "distance of the policy gradients for the two shadow rewards",
)
with as_printed():
    stable = turn <= 2 * L / (1 - γ) ** 2 * apart
    stable_hundredth = turn <= L / 100 * apart


@theorem(
    stable,
    cite="pgoma",
    at="in the proof of Theorem 1",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "θ": logits, "other": logits, "σ": numbers("1/8", 10)},
    named={
        "two by two": {
            "mdp": two_by_two(),
            "θ": two_by_two_logits(),
            "other": rational([[0, 0], [0, 0]]),
            "σ": rational([10])[0],
        }
    },
    near_misses={"a hundredth and no horizon": stable_hundredth},
    note="The estimate is the occupancy of another policy.",
)
def pseudo(mdp, θ, other, σ):
    """An error of the estimated occupancy makes an error of the policy gradient in proportion."""
    F, π = SmoothedLog(σ), softmax(θ)
    λ, estimate = pair_visits(mdp, π), pair_visits(mdp, softmax(other))
    gradients = [softmax_gradient(rewarded(mdp, F.gradient(x)), π) for x in (λ, estimate)]
    yield {γ: mdp.discount, L: 1 / σ**2, apart: norm(λ - estimate, 2), turn: norm(gradients[0] - gradients[1], 2)}
