"""Hao, Lu, Liang, Zhou, Mou (2023), Adaptive Policy Learning to Additional Tasks: what can be said in its place.

Only the abstract could be read, and the entry is reported as withdrawn.  No statement here is the paper's: they are
derived, for softmax policies over those actions that lose at most ε of the original task's value.
"""

from itertools import pairwise

import numpy as np
from sympy import sqrt

from mdplab import arrays, exact
from mdplab.arrays import expand, norm, rational, rational_number, smallest, total
from mdplab.exact import restricted, safe_actions
from mdplab.instances import Domain, discounted_mdps, logits, numbers, policies
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import adaptive_pg
from mdplab.theorem import (
    Assumption,
    Quantity,
    as_printed,
    for_all,
    positive_start,
    rewards_in_unit_interval,
    theorem,
)

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
ε = Quantity(r"\epsilon", "slack: what a safe action may lose of the original value", accuracy="exact")
T = Quantity("T", "updates so far", integer=True)
original_gap = Quantity(r"J_0^* - J_0(\pi)", "loss of the original task", accuracy="relative")
δ_0 = Quantity(r"\delta_0", "sub-optimality of the first policy for the additional reward", accuracy="relative")
δ_T = Quantity(r"J_1^* - J_1(\theta_T)", "sub-optimality among safe policies", accuracy="relative")
least = Quantity(r"\min_{t < T} \| \nabla J_1(\theta_t) \|^2", "smallest squared gradient so far")
squares = Quantity(r"\sum_{t < T} \| \nabla J_1(\theta_t) \|^2", "sum of squared gradients")
L = (1 - γ) ** (-2)


def _draw_reward(mdp):
    from hypothesis import strategies as st

    entry = st.sampled_from([1, -1, 0, "1/2", "-1/2"])
    return st.lists(entry, min_size=mdp.S * mdp.A, max_size=mdp.S * mdp.A).map(
        lambda x: rational(x).reshape(mdp.S, mdp.A)
    )


def _some_reward(rng, mdp):
    r = rng.uniform(-1, 1, mdp.r.shape)
    return np.where(rng.random((*mdp.batch, 1, 1)) < 0.3, np.sign(r), r)


def _first_against_last(mdp):
    r = np.zeros((*mdp.batch, mdp.S, mdp.A), dtype=int)
    r[..., 0], r[..., -1] = 1, -1
    return rational(r)


additional = Domain(_draw_reward, _some_reward, _first_against_last)  # rewards in [−1, 1]
slacks = numbers("1/100", 1)

# -------------------------------------------------------------------------------------------------- the original task

with as_printed():
    keeps = original_gap <= ε / (1 - γ)
    keeps_without_horizon = original_gap <= ε


def second_best():
    """One state, r = (1, 9/10), γ = 9/10: always the second action loses exactly ε / (1 − γ) for ε = 1/10."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, "9/10"]]), rational_number("9/10"))
    return {"mdp": mdp, "π": rational([["1/1000", "999/1000"]]), "slack": rational_number("1/10")}


def only_safe(π, safe):
    """π given that the action is safe."""
    return π * safe / expand(total(π * safe), 1)


@theorem(
    keeps,
    cite="hao2023",
    at="safety",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies, "slack": slacks},
    given=[rewards_in_unit_interval],
    named={"second best": second_best},
    near_misses={"without 1 / (1 − γ)": keeps_without_horizon, "all actions": {"among": lambda π, safe: π}},
    trivial=1 / (1 - γ),
)
def safe(mdp, π, slack, *, among=only_safe):
    """A policy of actions that lose at most ε each loses at most ε / (1 − γ) of the original task."""
    best = exact.optimum(mdp)
    allowed = safe_actions(best, slack)
    yield {γ: mdp.discount, ε: slack, original_gap: exact.gap(mdp, among(π, allowed), best)}


# ----------------------------------------------------------------------------------------------- the additional reward

with as_printed():
    stationary_claims = {"smallest": least <= 2 * L * δ_0 / T, "sum": squares <= 2 * L * (δ_0 - δ_T)}
    half_sum = squares <= L * (δ_0 - δ_T)
    rate_of_norm = least <= (2 * L * δ_0 / T) ** 2


def one_state():
    """Two arms that tie for the original reward, additional reward (1, −1)."""
    return {"mdp": bandit(rational([1, 1]))}


def worse_preferred():
    """The same with the worse arm preferred by far: the gradient is tiny."""
    return one_state() | {"θ": rational([[-12, 0]])}


def better_preferred():
    """The same with the better arm preferred."""
    return one_state() | {"θ": rational([[3, 0]])}


@theorem(
    stationary_claims,
    cite="hao2023",
    at="convergence to a stationary policy",
    source="derived",
    judge=for_all(T, up_to=60, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "reward": additional, "θ": logits, "slack": slacks},
    given=[positive_start],
    named={"one state": one_state, "worse preferred": worse_preferred, "better preferred": better_preferred},
    near_misses={"half of the sum's bound": half_sum, "the norm for its square": rate_of_norm},
    note="The abstract claims O(1/T); for the smallest squared gradient norm this is true of any smooth ascent.",
)
def stationary(mdp, reward, θ, slack):
    """With step (1 − γ)² the squared gradients along the run sum to at most 2 / (1 − γ)² times what was gained."""
    yield from along_the_run(mdp, reward, θ, slack)


gain = Quantity(r"J_1(\theta_{T+1}) - J_1(\theta_T)", "what one update gains")
square_now = Quantity(r"\| \nabla J_1(\theta_T) \|^2", "squared gradient", accuracy="relative")
with as_printed():
    one_update = gain >= square_now / (2 * L)
    one_update_by_all = gain >= square_now / L


@theorem(
    one_update,
    cite="hao2023",
    at="one update",
    source="derived",
    judge=for_all(T, up_to=60, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "reward": additional, "θ": logits, "slack": slacks},
    given=[positive_start],
    named={"one state": one_state, "worse preferred": worse_preferred, "better preferred": better_preferred},
    near_misses={"twice as much": one_update_by_all, "a quarter of the step": {"parts": 4}},
)
def step(mdp, reward, θ, slack, *, parts=1):
    """With step 1/L = (1 − γ)² each update gains at least the squared gradient over 2L."""
    best = exact.optimum(mdp)
    allowed = safe_actions(best, slack)
    inner = restricted(mdp, reward, allowed, best.action)
    run = adaptive_pg(mdp, reward, θ / 4, slack=slack, step_size=(1 - mdp.discount) ** 2 / parts)
    for now, after in pairwise(run):
        advantage = exact.advantages(inner, now.π)
        yield {
            T: now.k,
            γ: mdp.discount,
            gain: total(exact.visits(inner, after.π) * total(after.π * advantage)),
            square_now: total(now.gradient * now.gradient, 2),
        }


δ = Quantity(r"J_1^* - J_1(\pi)", "sub-optimality among safe policies", accuracy="relative")
slope = Quantity(r"\| \nabla J_1 \|", "length of the gradient")
eigenvalue = Quantity(r"\mu", "least second eigenvalue of a block d(s)(diag π − ππᵀ), of states with a choice")
with as_printed():
    dominated = eigenvalue * δ <= sqrt(2) * slope
    dominated_without_root = eigenvalue * δ <= slope


few_actions = Assumption(
    r"A \le 3",
    "there are at most three actions, so that second eigenvalues have a closed form",
    lambda mdp: np.full(mdp.batch, mdp.A <= 3),
    lambda mdp: f"there are {mdp.A}",
)


def rarely_better():
    """Two arms that tie for the original reward, additional reward (1, −1), the better one taken once in a thousand."""
    return one_state() | {"π": rational([["1/1000", "999/1000"]])}


def of_blocks(inner, π, allowed, pick=smallest):
    """Least second eigenvalue of the Fisher blocks over the states with a choice, or one if there is none;  (...)."""
    counts = total(allowed)
    found = second_eigenvalues(exact.fisher(inner, π), counts)
    most = 1 if pick is smallest else 0
    return pick(found * indicator(counts > 1, inner.r) + most * indicator(counts == 1, inner.r))


def second_eigenvalues(blocks, counts):
    """Each block is zero but for n safe actions and has the constants in its kernel;  (..., S, A, A) -> (..., S).

    For at most three actions: of three the other eigenvalues have the trace t as sum and e₂, the sum of the principal
    minors, as product.
    """
    A = blocks.shape[-1]
    if not arrays.is_exact(blocks):
        order = np.minimum(A - np.asarray(counts).astype(int) + 1, A - 1)
        return np.take_along_axis(np.linalg.eigvalsh(blocks), order[..., None], axis=-1)[..., 0]
    t = sum(blocks[..., i, i] for i in range(A))
    e_2 = sum(
        blocks[..., i, i] * blocks[..., j, j] - blocks[..., i, j] * blocks[..., j, i]
        for j in range(A)
        for i in range(j)
    )
    root = arrays.root(t * t - 4 * e_2)
    three = np.asarray(counts == 3, dtype=bool)
    return np.where(three, 2 * e_2 / (t + root + (t == 0)), t)


@theorem(
    dominated,
    cite="hao2023",
    at="gradient dominance among safe policies",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(positive_start=True), "reward": additional, "π": policies, "slack": slacks},
    given=[positive_start, few_actions],
    named={"rarely better": rarely_better},
    near_misses={"without √2": dominated_without_root, "the largest block": {"pick": arrays.largest}},
    note="In a state with several safe actions max A <= √2 ‖A − mean‖, and a Fisher block stretches what is orthogonal "
    "to the constants by its second eigenvalue at least.",
)
def dominance(mdp, reward, π, slack, *, pick=smallest):
    """Among safe policies a small gradient means a small gap, by the second eigenvalues of the Fisher blocks."""
    best = exact.optimum(mdp)
    allowed = safe_actions(best, slack)
    inner = restricted(mdp, reward, allowed, best.action)
    safe_π = only_safe(π, allowed)
    gradient = exact.softmax_gradient(inner, safe_π)
    yield {
        δ: exact.gap(inner, safe_π, exact.optimum(inner)),
        slope: norm(gradient, 2),
        eigenvalue: of_blocks(inner, safe_π, allowed, pick),
    }


μ_squares = Quantity(r"\sum_{t < T} \mu_t^2", "sum of the squares of the least second eigenvalues, as in dominance")

with as_printed():
    value_claim = δ_T <= δ_0 / (1 + δ_0 * μ_squares / (4 * L))
    value_without_μ = δ_T <= δ_0 / (1 + δ_0 * T / (4 * L))
    value_thirty = δ_T <= δ_0 / (1 + 30 * δ_0 * μ_squares / 4)


@theorem(
    value_claim,
    cite="hao2023",
    at="convergence in value",
    source="derived",
    judge=for_all(T, up_to=60, exactly_up_to=4),
    on={"mdp": discounted_mdps(positive_start=True), "reward": additional, "θ": logits, "slack": slacks},
    given=[positive_start, few_actions],
    named={"one state": one_state, "worse preferred": worse_preferred, "better preferred": better_preferred},
    near_misses={"without μ": value_without_μ, "thirty times the sum, without L": value_thirty},
    uses=["hao2023.step", "hao2023.dominance"],
    note="By J₁* − J₁ <= √2 ‖∇J₁‖ / μ with the second eigenvalues of the blocks of the Fisher matrix.",
)
def value(mdp, reward, θ, slack):
    """Among safe policies the sub-optimality falls like 1/T as long as visits and probabilities stay away from zero."""
    yield from along_the_run(mdp, reward, θ, slack)


def along_the_run(mdp, reward, θ, slack):
    """Gap, gradients and μ, gathered over the iterates before T."""
    best = exact.optimum(mdp)
    allowed = safe_actions(best, slack)
    inner = restricted(mdp, reward, allowed, best.action)
    goal = exact.optimum(inner)
    zero = 0 * mdp.r[..., 0, 0]
    first, smallest_square, sum_of_squares, sum_of_μ = None, None, zero, zero
    for it in adaptive_pg(mdp, reward, θ / 4, slack=slack):
        gap = exact.gap(inner, it.π, goal)
        first = gap if first is None else first
        if it.k > 0:
            sums = {squares: sum_of_squares, μ_squares: sum_of_μ}
            yield {T: it.k, γ: mdp.discount, δ_0: first, δ_T: gap, least: smallest_square} | sums
        square = total(it.gradient * it.gradient, 2)
        smallest_square = square if smallest_square is None else arrays.minimum(smallest_square, square)
        sum_of_squares = sum_of_squares + square
        μ = of_blocks(inner, it.π, allowed)
        sum_of_μ = sum_of_μ + μ * μ


def indicator(mask, like):
    """One where `mask` is true, else zero, in the arithmetic of `like`."""
    if arrays.is_exact(like):
        return rational(np.asarray(mask, dtype=bool).astype(int))
    return arrays.namespace(like).astype(mask, like.dtype)
