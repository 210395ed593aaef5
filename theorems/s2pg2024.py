"""Al-Hafez, Zhao, Peters, Tateo (2024), Time-Efficient Reinforcement Learning with Stochastic Stateful Policies.

A stateful policy π(a, z' | o, z) draws the action and its next memory state at once.  The paper's theorems were not at
hand; these are the statements for finitely many memory states, derived again, see the card.
"""

import numpy as np
from sympy import Eq, Rational

from mdplab.arrays import expand, namespace, rational, rational_number, solve, sup, total
from mdplab.exact import stateful_action_values, stateful_values, stateful_visits
from mdplab.exact.stateful import product_chain, slope_of, start_pairs, trajectories
from mdplab.exact.values import resolvent
from mdplab.instances import Domain, memory_needed, pomdps, stateful_policies
from mdplab.instances.pomdp import FAMILIES
from mdplab.models import POMDP
from mdplab.sampling import joint_reinforce, marginal_reinforce, stateful_rollouts
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, in_expectation, theorem


def emission_alone(model):
    """Whether the observation before an action, the first one too, depends on the state alone."""
    if model.first is None:
        return np.zeros(model.batch, dtype=bool)
    return np.asarray(model.first[..., None, :, :] == model.Z, dtype=bool).all(axis=(-1, -2, -3))


emits = Assumption(
    r"O_t \sim E(\cdot \mid s_t) \text{ for all } t \ge 0",
    "each state emits an observation before one acts, the first one too, whatever was done before",
    lambda model: emission_alone(model),
)


def draw_directions(model, π):
    """A direction in the space of logits, integers from −2 to 2."""
    from hypothesis import strategies as st

    entries = st.lists(st.integers(-2, 2), min_size=π.size, max_size=π.size)
    return entries.map(lambda x: rational(x).reshape(π.shape))


directions = Domain(
    draw_directions,
    lambda rng, π: rng.uniform(-1, 1, π.shape),
    lambda π: rational(np.arange(π.size).reshape(π.shape) % 3 - 1),
)


def horizons(*choices):
    """How many steps a trajectory has."""

    def draw():
        from hypothesis import strategies as st

        return st.sampled_from(choices)

    return Domain(draw, lambda rng: choices[-1], lambda: choices[-1])


def centred(π, δ):
    """⟨∇_θ log π(a, z' | o, z), δ⟩ = δ(o, z, a, z') − Σ π δ, for softmax logits θ;  (..., O, Z, A, Z)."""
    return δ - expand(total(π * δ, 2), 2)


# -- The policy gradient theorem --------------------------------------------------------------------------------------

slope = Quantity(
    r"\tfrac{d}{d\varepsilon} J(\theta + \varepsilon \delta)",
    "derivative of the value along a direction",
)
formula = Quantity(
    r"\sum_{s,z} d(s, z) \sum_o E(o \mid s) \sum_{a,z'} "
    r"\langle \nabla_\theta \pi_\theta(a, z' \mid o, z), \delta \rangle "
    r"Q(s, a, z')",
    "the policy gradient theorem along that direction",
)
with as_printed():
    is_gradient = Eq(formula, slope)


def slope_by_dual_numbers(model, π, δ):
    """d/dε of J where π moves as π + ε π (δ − Σ π δ): one linear system for the value and its derivative together."""
    xp, S, Z = namespace(π), model.S, π.shape[-1]
    flat = [
        (xp.reshape(K, (*K.shape[:-4], S * Z, S * Z)), xp.reshape(r, (*r.shape[:-2], S * Z)))
        for K, r in (product_chain(model, π), product_chain(model, π * centred(π, δ)))
    ]
    (K, r), (K1, r1) = flat
    here, none = resolvent(model, K), 0 * K
    both = xp.concat(
        [xp.concat([here, none], axis=-1), xp.concat([-model.γ(2) * K1, here], axis=-1)],
        axis=-2,
    )
    v = solve(both, xp.concat([r, r1], axis=-1))
    return total(xp.reshape(start_pairs(model, π), (*r.shape[:-1], S * Z)) * v[..., S * Z :])


def whole_score(π, slope):
    """Σ_{a,z'} ∇π(a, z') Q(s, a, z')."""
    return π * (slope - expand(total(π * slope, 2), 2))


def score_of_the_action(π, slope):
    """The same with the score of the action's marginal alone: how the memory moves is not differentiated."""
    acts = total(π)[..., None]
    mean = total(π * slope)[..., None] / acts
    return π * (mean + 0 * slope - expand(total(π * slope, 2), 2))


def values_before_moving(model, π):
    """r(s, a) + γ Σ_t P(t | s, a) V(t, z) with the memory state from before the step;  (..., S, Z, A, Z)."""
    ahead = model.r[..., None] + model.γ(3) * (model.P @ stateful_values(model, π)[..., None, :, :])
    ahead = namespace(π).moveaxis(ahead, -1, -2)  # s, z, a
    return ahead[..., None] + 0 * π[..., :1, :1, :1, :]


def normalised_visits(model, π):
    return (1 - model.γ(2)) * stateful_visits(model, π)


@theorem(
    is_gradient,
    cite="s2pg2024",
    at="policy gradient theorem for stateful policies",
    source="recalled",
    judge=identity(),
    given=[emits],
    on={"model": pomdps(), "π": stateful_policies(), "δ": directions},
    named={"memory needed": memory_needed},
    near_misses={
        "the score of the action alone": {"score": score_of_the_action},
        "values at the memory state before": {"q_of": values_before_moving},
        "visits that sum to one": {"visits_of": normalised_visits},
    },
    note="Also proved; with one memory state it is the gradient of a memoryless policy.",
)
def policy_gradient(model, π, δ, *, score=whole_score, q_of=stateful_action_values, visits_of=stateful_visits):
    """The gradient of a stateful policy needs no derivative of its memory: act and next memory are one draw."""
    gradient = score(π, slope_of(model, π, visits_of(model, π), q_of(model, π)))
    yield {slope: slope_by_dual_numbers(model, π, δ), formula: total(gradient * δ, 4)}


# -- The estimator ----------------------------------------------------------------------------------------------------

mean = Quantity(r"\mathbb{E} \langle \hat g, \delta \rangle", "mean of the estimator along a direction")
finite_slope = Quantity(
    r"\tfrac{d}{d\varepsilon} J_T(\theta + \varepsilon \delta)", "derivative of the value of T steps along it"
)
with as_printed():
    unbiased_mean = Eq(mean, finite_slope)


def finite_slope_by_dual_numbers(model, π, δ, steps):
    """d/dε of the value of so many steps, carried forwards through the recursion for it."""
    xp, S, Z = namespace(π), model.S, π.shape[-1]
    (K, r), (K1, r1) = product_chain(model, π), product_chain(model, π * centred(π, δ))
    flat = [xp.reshape(x, (*x.shape[:-4], S * Z, S * Z)) for x in (K, K1)]
    r, r1 = (xp.reshape(x, (*x.shape[:-2], S * Z)) for x in (r, r1))
    v, dv = 0 * r, 0 * r
    for _ in range(steps):
        moved = (flat[1] @ v[..., None] + flat[0] @ dv[..., None])[..., 0]
        v, dv = r + model.γ(1) * (flat[0] @ v[..., None])[..., 0], r1 + model.γ(1) * moved
    return total(xp.reshape(start_pairs(model, π), r.shape) * dv)


def all_scores(π, x):
    """A number of each draw (o, z, a, z'), flat;  (..., O, Z, A, Z) -> (..., K)."""
    return namespace(π).reshape(x, (*x.shape[:-4], -1))


def drawn_whole(π, δ):
    return all_scores(π, centred(π, δ))


def drawn_action(π, δ):
    """⟨∇ log Σ_z' π(a, z' | o, z), δ⟩: the memory's part of the score left out."""
    acts = total(π)[..., None]
    return all_scores(π, total(π * δ)[..., None] / acts + 0 * π - expand(total(π * δ, 2), 2))


def every_step(scores):
    return scores


def last_step(scores):
    return scores[-1:]


@theorem(
    unbiased_mean,
    cite="s2pg2024",
    at="unbiasedness of the estimator",
    source="derived",
    judge=identity(),
    given=[emits],
    on={"model": pomdps(), "π": stateful_policies(), "δ": directions, "steps": horizons(1, 2)},
    named={"memory needed": memory_needed},
    near_misses={
        "the score of the action alone": {"score": drawn_action},
        "the score of the last step": {"counted": last_step},
    },
    note="By enumeration of all trajectories.",
)
def unbiased(model, π, δ, steps, *, score=drawn_whole, counted=every_step):
    """The sum of joint scores times the return is an unbiased estimate of the gradient of T steps."""
    paths = trajectories(model, π, steps)
    scores = counted([score(π, δ)[..., row] for row in paths["visited"]])
    yield {
        mean: total(paths["probability"] * sum(scores) * paths["reward"]),
        finite_slope: finite_slope_by_dual_numbers(model, π, δ, steps),
    }


γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
T = Quantity("T", "number of steps", integer=True)
R = Quantity("R", "largest absolute reward", accuracy="exact")
variance = Quantity(
    r"\operatorname{tr} \operatorname{Var}(\hat g)", "total variance of the estimator from one trajectory"
)
information = Quantity(
    r"\sum_{t < T} \mathbb{E} \lVert \nabla_\theta \log \pi_\theta(a_t, z_{t+1} \mid o_t, z_t) \rVert^2",
    "sum of mean squared scores",
)
square_of_sum = Quantity(
    r"\mathbb{E} \lVert \textstyle\sum_{t < T} \nabla_\theta \log \pi_\theta(a_t, z_{t+1} \mid o_t, z_t) \rVert^2",
    "mean square of the summed score",
)
with as_printed():
    variance_bounded = {
        "variance": variance <= R**2 * (1 - γ**T) ** 2 / (1 - γ) ** 2 * information,
        "scores do not correlate": Eq(square_of_sum, information),
    }
    variance_over_T = variance <= R**2 * (1 - γ**T) ** 2 / ((1 - γ) ** 2 * T) * information
    variance_of_one_reward = variance <= R**2 * information
    double_sum = Eq(square_of_sum, 2 * information)


def score_table(π):
    """∇_θ log π(draw) by all logits: (..., K draws, K logits), the softmax of each row (o, z) on its own."""
    n = π.shape[-1] * π.shape[-2]
    rows = np.arange(π.size // max(1, int(np.prod(π.shape[:-4])))) // n
    same = (rows[:, None] == rows[None, :]).astype(int)
    unit = np.eye(len(rows), dtype=int)
    if π.dtype == object:
        same, unit = rational(same), rational(unit)
    return unit - same * all_scores(π, π)[..., None, :]


def moments(model, π, steps):
    """Probabilities (..., N), returns (..., N), summed scores (..., N, K), paths and the squares of each step."""
    paths, table = trajectories(model, π, steps), score_table(π)
    scores = [table[..., row, :] for row in paths["visited"]]
    squares = sum(total(paths["probability"] * total(x * x)) for x in scores)
    return paths, sum(scores), squares


def spread(probability, estimates):
    """tr Var of estimates (..., N, K)."""
    off = estimates - (probability[..., None, :] @ estimates)
    return total(probability * total(off * off))


def steady():
    """One state, one observation, both actions pay 1, two memory states: the return is certain, the score is not."""
    one = rational([[[1], [1]]])
    return POMDP.emitting(one, rational([[1]]), rational([[1, 1]]), rational_number("9/10"))


@theorem(
    variance_bounded,
    cite="s2pg2024",
    at="bound on the variance",
    source="derived",
    judge=for_all(),
    given=[emits],
    on={"model": pomdps(), "π": stateful_policies(), "steps": horizons(1, 2)},
    named={"a certain return": lambda: {"model": steady(), "steps": 2}, "memory needed": memory_needed},
    near_misses={"divided by T": variance_over_T, "of one reward": variance_of_one_reward, "scores add": double_sum},
    note="One trajectory; N of them divide the variance by N.",
)
def variance_bound(model, π, steps):
    """The variance is at most the largest squared return times the summed mean squares of the scores."""
    paths, score, squares = moments(model, π, steps)
    yield {
        γ: model.discount,
        T: steps,
        R: sup(model.r, 2),
        information: squares,
        square_of_sum: total(paths["probability"] * total(score * score)),
        variance: spread(paths["probability"], score * paths["reward"][..., None]),
    }


marginal_variance = Quantity(
    r"\operatorname{tr} \operatorname{Var}(\hat g^{\mathrm{marg}})",
    "the same with the score of the actions' likelihood, memory summed out",
)
marginal_mean = Quantity(r"\mathbb{E} \hat g^{\mathrm{marg}}", "its mean, by logit")
joint_mean = Quantity(r"\mathbb{E} \hat g", "mean of the estimator, by logit")
with as_printed():
    blackwell = {"variance": marginal_variance <= variance, "mean": Eq(marginal_mean, joint_mean)}
    reversed_blackwell = marginal_variance >= variance
    at_most_half = marginal_variance <= Rational(1, 2) * variance


def over_memory(paths, weights):
    """Σ over trajectories that look alike from outside, of (..., N, K); every look has as many of them."""
    order = np.argsort(paths["seen"], kind="stable")
    looks = len(np.unique(paths["seen"]))
    x = namespace(weights).moveaxis(weights[..., order, :], -1, -2)
    return total(namespace(x).reshape(x, (*x.shape[:-1], looks, -1)))  # k, look


def divide(x, y):
    """x / y, zero where nothing of that kind happens."""
    nothing = (y == 0) * 1
    return x / (y + nothing)


@theorem(
    blackwell,
    cite="s2pg2024",
    at="comparison with back-propagation through time",
    source="derived",
    judge=for_all(),
    given=[emits],
    on={"model": pomdps(), "π": stateful_policies(), "steps": horizons(1, 2)},
    named={"memory needed": memory_needed, "a certain return": lambda: {"model": steady(), "steps": 2}},
    near_misses={"the other way round": reversed_blackwell, "at most half": at_most_half},
    note="The tabular kin of the paper's comparison: differentiating through the memory gives the score of the actions "
    "given the observations, the conditional mean of the joint score.",
)
def joint_score_varies_more(model, π, steps):
    """Summing the memory out of the score keeps the mean and lowers the variance (Rao and Blackwell)."""
    paths, score, _ = moments(model, π, steps)
    p, estimate = paths["probability"], score * paths["reward"][..., None]
    look = over_memory(paths, p[..., None])  # 1, look
    marginal = divide(over_memory(paths, p[..., None] * estimate), look)  # k, look: the return is the same in each
    yield {
        variance: spread(p, estimate),
        marginal_variance: spread(look[..., 0, :], namespace(π).moveaxis(marginal, -1, -2)),
        joint_mean: (p[..., None, :] @ estimate)[..., 0, :],
        marginal_mean: total(look * marginal),
    }


# -- Trajectories -----------------------------------------------------------------------------------------------------

joint_along = Quantity(r"\mathbb{E} \langle \hat g, \delta \rangle", "mean of the sampled estimate along a direction")
marginal_along = Quantity(
    r"\mathbb{E} \langle \hat g^{\mathrm{marg}}, \delta \rangle", "the same with the memory summed out"
)
joint_square = Quantity(r"\mathbb{E} \lVert \hat g \rVert^2", "mean square of the sampled estimate")
marginal_square = Quantity(r"\mathbb{E} \lVert \hat g^{\mathrm{marg}} \rVert^2", "the same with the memory summed out")
with as_printed():
    from_trajectories = {
        "joint score": Eq(joint_along, finite_slope),
        "marginal score": Eq(marginal_along, finite_slope),
        "mean squares": marginal_square <= joint_square,
    }
    squares_reversed = joint_square <= marginal_square
    twice_the_slope = Eq(joint_along, 2 * finite_slope)


small_pomdps = pomdps(families=FAMILIES[:1])


def other_memory(seen, π):
    """A mistake: the filter begins in the last memory state."""
    last = np.eye(π.shape[-1], dtype=int)[-1]
    return marginal_reinforce(seen, π, rational(last) if π.dtype == object else 1.0 * last)


@theorem(
    from_trajectories,
    cite="s2pg2024",
    at="estimators from trajectories, and back-propagation through time",
    source="derived",
    judge=in_expectation([joint_along, marginal_along, joint_square, marginal_square]),
    given=[emits],
    on={"model": small_pomdps, "π": stateful_policies(), "δ": directions},
    named={"memory needed": memory_needed},
    near_misses={
        "mean squares the other way round": squares_reversed,
        "twice the gradient": twice_the_slope,
        "a filter that begins elsewhere": {"marginal": other_memory},
    },
    uses=["s2pg2024.unbiased", "s2pg2024.joint_score_varies_more"],
    note="What the solver computes, over all trajectories of two steps; the marginal score by the forward and backward "
    "recursions for the memory, which see observations and actions only.",
)
def sampled(model, π, δ, draws, *, marginal=marginal_reinforce, steps=2):
    """Both estimates from a trajectory have the gradient as their mean, and the marginal one is the shorter."""
    seen = stateful_rollouts(model, π, steps, draws)
    g, ours = joint_reinforce(seen, π), marginal(seen, π)
    along = δ[..., None, :, :, :, :]
    yield {
        finite_slope: finite_slope_by_dual_numbers(model, π, δ, steps),
        joint_along: total(g * along, 4),
        marginal_along: total(ours * along, 4),
        joint_square: total(g * g, 4),
        marginal_square: total(ours * ours, 4),
    }
