"""Hao, Lu, Liang, Zhou, Mou (2023), Adaptive Policy Learning to Additional Tasks: what can be said in its place.

Only the abstract could be read, and the entry is reported as withdrawn.  No statement here is the paper's: they are
derived, for softmax policies over those actions that lose at most ε of the original task's value.
"""

import numpy as np

from mdplab import arrays, exact
from mdplab.arrays import expand, rational, rational_number, smallest, total
from mdplab.exact import restricted, safe_actions
from mdplab.instances import Domain, discounted_mdps, logits, numbers, policies
from mdplab.models import DiscountedMDP, bandit
from mdplab.solvers import adaptive_pg
from mdplab.theorem import (
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


μ_squares = Quantity(
    r"\sum_{t < T} \mu_t^2",
    "μ: smallest visit times probability of a safe action, over states with a choice",
    accuracy="relative",
)

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
    given=[positive_start],
    named={"one state": one_state, "worse preferred": worse_preferred, "better preferred": better_preferred},
    near_misses={"without μ": value_without_μ, "thirty times the sum, without L": value_thirty},
    note="By J₁* − J₁ <= √2 ‖∇J₁‖ / μ.  As μ we take the least visit times the least probability of a safe action: the "
    "second eigenvalue of a Fisher block diag π − ππᵀ is at least its smallest probability.",
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
    no_choice = indicator(total(allowed) == 1, mdp.r)
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
        rarest = smallest(it.π + 2 * (1 - allowed)) * exact.occupancy(inner, it.π)
        μ = smallest(rarest + no_choice)
        sum_of_μ = sum_of_μ + μ * μ


def indicator(mask, like):
    """One where `mask` is true, else zero, in the arithmetic of `like`."""
    if arrays.is_exact(like):
        return rational(np.asarray(mask, dtype=bool).astype(int))
    return arrays.namespace(like).astype(mask, like.dtype)
