"""Agarwal, Kakade, Lee, Mahajan (2021), On the Theory of Policy Gradient Methods: tabular policies, exact gradients."""

from functools import partial
from itertools import islice, pairwise

import numpy as np
from sympy import Eq, Max, Rational, log, sqrt

from mdplab.arrays import (
    ball,
    exp,
    expand,
    floats,
    is_exact,
    largest,
    log_softmax,
    minimum,
    namespace,
    norm,
    rational,
    softmax,
    total,
)
from mdplab.exact import (
    action_values,
    advantages,
    direct_gradient,
    fisher,
    fisher_pseudo_inverse,
    gap,
    occupancy,
    optimum,
    softmax_gradient,
    values,
    visits,
)
from mdplab.instances import Domain, bandits, discounted_mdps, distributions, logits, numbers, policies
from mdplab.instances import Family, families
from mdplab.instances.named import forgotten_state, long_chain, two_armed_bandit, two_by_two, two_by_two_logits
from mdplab.models import DiscountedMDP
from mdplab.solvers import (
    geometric,
    log_barrier_gradient,
    log_barrier_pg,
    natural_pg,
    projected_pg,
    softmax_pg,
)
from mdplab.theorem import (
    Assumption,
    Quantity,
    Without,
    as_printed,
    for_all,
    identity,
    positive_start,
    rate,
    rewards_in_unit_interval,
    theorem,
)

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
η = Quantity(r"\eta", "step size", accuracy="exact")
S = Quantity("S", "number of states", integer=True)
A = Quantity("A", "number of actions", integer=True)
t = Quantity("t", "number of updates", integer=True)
T = Quantity("T", "number of updates", integer=True)

# Performance difference

gain = Quantity(r"V^{\pi'}(\rho) - V^\pi(\rho)", "what the new policy gains")
expected_advantage = Quantity(
    r"\mathbb E_{s \sim d^{\pi'}_\rho} \mathbb E_{a \sim \pi'} A^\pi(s, a)",
    "the old policy's advantages where the new policy goes and as it acts",
)
under_old_visits = Quantity(
    r"\mathbb E_{s \sim d^\pi_\rho} \mathbb E_{a \sim \pi'} A^\pi(s, a)", "the same where the old policy goes"
)
reversed_advantage = Quantity(
    r"\mathbb E_{s \sim d^{\pi'}_\rho} \mathbb E_{a \sim \pi} A^{\pi'}(s, a)", "the policies of the advantage exchanged"
)

with as_printed():
    difference = Eq(gain, expected_advantage / (1 - γ))
    old_visits = Eq(gain, under_old_visits / (1 - γ))
    no_horizon = Eq(gain, expected_advantage)
    exchanged = Eq(gain, -reversed_advantage / (1 - γ))


@theorem(
    difference,
    cite="akm2021",
    at="Lemma 3.2",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "old": policies, "new": policies, "ρ": distributions},
    named={"two by two, from the first action to the second": lambda: {"mdp": two_by_two(), "new": rational([[0, 1]] * 2)}},
    near_misses={
        "visits of the old policy": old_visits,
        "without 1 / (1 − γ)": no_horizon,
        "advantages of the new policy": exchanged,
    },
)
def pdl(mdp, old, new, ρ):
    """What a new policy gains is 1 / (1 − γ) times the old policy's mean advantage along the new policy's visits.

    The performance difference lemma of Kakade and Langford (2002), for any rewards, policies and start distribution.
    """
    d, advantage = occupancy(mdp, new, ρ), advantages(mdp, old)
    yield {
        γ: mdp.discount,
        gain: total(ρ * (values(mdp, new) - values(mdp, old))),
        expected_advantage: total(d * total(new * advantage)),
        under_old_visits: total(occupancy(mdp, old, ρ) * total(new * advantage)),
        reversed_advantage: total(d * total(old * advantages(mdp, new))),
    }


# Natural gradient

natural = Quantity(r"\big(F^\dagger \nabla_\theta V(\mu)\big)_{s,a}", "natural gradient")
centred_advantage = Quantity(
    r"A^\pi(s, a) - \tfrac1A \sum_b A^\pi(s, b)", "advantage less its plain mean over the actions"
)
advantage = Quantity(r"A^\pi(s, a)", "advantage")
through_fisher = Quantity(r"\big(F A^\pi\big)_{s,a}", "Fisher matrix times advantages")
gradient = Quantity(r"\partial V(\mu) / \partial \theta_{s,a}", "policy gradient")

with as_printed():
    pseudo_inverse = Eq(natural, centred_advantage / (1 - γ))
    linear_system = Eq(through_fisher / (1 - γ), gradient)
    not_centred = Eq(natural, advantage / (1 - γ))
    natural_without_horizon = Eq(natural, centred_advantage)
    system_without_horizon = Eq(through_fisher, gradient)


def _fisher_of_start(mdp, π):
    """What takes μ(s) for d(s) in the Fisher matrix."""
    return fisher(mdp, π) * expand(mdp.start / occupancy(mdp, π), 2)


@theorem(
    {"Moore-Penrose": pseudo_inverse, "linear system": linear_system},
    cite="akm2021",
    at="Lemma 5.1",
    given=[positive_start],
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any", positive_start=True), "π": policies},
    named={"two by two": two_by_two},
    near_misses={
        "constants of each state kept": not_centred,
        "without 1 / (1 − γ)": natural_without_horizon,
        "without 1 / (1 − γ), through the linear system": system_without_horizon,
        "Fisher matrix of the start distribution": {"information": _fisher_of_start},
    },
)
def npg_fisher(mdp, π, *, information=fisher):
    """The natural gradient is A^π / (1 − γ) up to a constant in each state: Fisher's matrix takes the visits out.

    A constant in a state moves no softmax policy, so θ + η F^† ∇V and θ + η A / (1 − γ) are the same policy.  The second
    part says that A / (1 − γ) solves F w = ∇V, without a pseudo-inverse.
    """
    F, A_π, g = information(mdp, π), advantages(mdp, π), softmax_gradient(mdp, π)
    yield {
        γ: mdp.discount,
        natural: total(fisher_pseudo_inverse(mdp, π) * g[..., None, :]),
        centred_advantage: A_π - expand(total(A_π), 1) / mdp.A,
        advantage: A_π,
        through_fisher: total(F * A_π[..., None, :]),
        gradient: g,
    }


# Gradient domination, direct parametrisation

loss = Quantity(r"V^*(\rho) - V^\pi(\rho)", "what the policy loses", accuracy="relative")
mismatch = Quantity(
    r"\lVert d^{\pi^*}_\rho / \mu \rVert_\infty",
    "distribution mismatch coefficient, with the visits of one deterministic optimal policy",
    accuracy="relative",
)
mismatch_now = Quantity(
    r"\lVert d^{\pi^*}_\rho / d^\pi_\mu \rVert_\infty", "mismatch with the policy's own visits", accuracy="relative"
)
slope = Quantity(
    r"\max_{\bar\pi} (\bar\pi - \pi)^\top \nabla_\pi V^\pi(\mu)", "the most that a direction towards a policy promises"
)
softmax_norm = Quantity(r"\lVert \nabla_\theta V^{\pi_\theta}(\mu) \rVert_2", "norm of the softmax policy gradient")
best_advantages = Quantity(
    r"\mathbb E_{s \sim d^\pi_\mu} \max_a A^\pi(s, a)", "mean of the largest advantage in each state"
)

with as_printed():
    domination = loss <= mismatch_now * slope
    domination_at_start = loss <= 1 / (1 - γ) * mismatch * slope
    slope_in_closed_form = Eq(slope, best_advantages / (1 - γ))
    no_mismatch = loss <= slope / (1 - γ)
    no_slack = loss <= mismatch * slope
    softmax_domination = loss <= mismatch_now * softmax_norm


def _greedy_trap():
    """Two arms that pay 1 and 0, a softmax policy that hardly ever takes the better one: its gradient is tiny."""
    return {"mdp": two_armed_bandit(), "π": rational([["1/100", "99/100"]])}


@theorem(
    {"visits of the policy": domination, "start distribution": domination_at_start, "closed form": slope_in_closed_form},
    cite="akm2021",
    at="Lemma 4.1",
    given=[positive_start],
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any", positive_start=True), "π": policies, "ρ": distributions},
    named={"two arms": _greedy_trap},
    near_misses={
        "without the mismatch": no_mismatch,
        "μ for the visits without 1 / (1 − γ)": no_slack,
        "norm of the softmax gradient": softmax_domination,
    },
)
def lem4_1(mdp, π, ρ):
    """If no direction towards another policy improves V(μ) much, the policy is nearly optimal from every ρ.

    An equality in one-state models.  It is the direct parametrisation that has it: the softmax gradient is shorter by
    factors π(a | s) and vanishes at every deterministic policy.
    """
    best, g = optimum(mdp), direct_gradient(mdp, π)
    visited, d = occupancy(mdp, best.policy, ρ), occupancy(mdp, π)
    yield {
        γ: mdp.discount,
        loss: gap(mdp, π, best, ρ),
        mismatch: largest(visited / mdp.start),
        mismatch_now: largest(visited / d),
        slope: total(largest(g) - total(π * g)),
        softmax_norm: norm(softmax_gradient(mdp, π), 2),
        best_advantages: total(d * largest(advantages(mdp, π))),
    }

# Projected policy gradient

positive_discount = Assumption(
    r"\gamma > 0",
    "the discount is positive",
    lambda mdp: np.broadcast_to(floats(mdp.discount) > 0, mdp.batch),
)
change_of_gradient = Quantity(
    r"\lVert \nabla_\pi V^\pi(\mu) - \nabla_\pi V^{\pi'}(\mu) \rVert_2", "change of the gradient from policy to policy"
)
distance = Quantity(r"\lVert \pi - \pi' \rVert_2", "Euclidean distance of two policies")
progress = Quantity(r"V^{(t+1)}(\mu) - V^{(t)}(\mu)", "what one step gains")
square_of_step = Quantity(r"\lVert \pi^{(t+1)} - \pi^{(t)} \rVert_2^2", "squared length of one step")
best_before = Quantity(
    r"\min_{t < T} \{V^*(\rho) - V^{(t)}(\rho)\}", "smallest gap before the last iterate", accuracy="relative"
)
best_so_far = Quantity(
    r"\min_{t \le T} \{V^*(\rho) - V^{(t)}(\rho)\}", "smallest gap so far", accuracy="relative"
)
first_loss = Quantity(r"V^*(\mu) - V^{(0)}(\mu)", "gap of the first policy", accuracy="relative")

with as_printed():
    smooth = change_of_gradient <= 2 * γ * A / (1 - γ) ** 3 * distance
    smooth_square = change_of_gradient <= 2 * γ * A / (1 - γ) ** 2 * distance
    smooth_of_one_action = change_of_gradient <= γ / (1 - γ) ** 3 * distance
    enough_progress = progress >= 1 / (2 * η) * square_of_step
    too_much_progress = progress >= 2 / η * square_of_step
    before = best_before <= sqrt(64 * γ * S * A * mismatch**2 / ((1 - γ) ** 6 * T))
    so_far = best_so_far <= sqrt(64 * γ * S * A * mismatch**2 / ((1 - γ) ** 6 * T))
    sharper = best_so_far <= 1 / (1 - γ) * mismatch * sqrt(16 * γ * S * A * first_loss / ((1 - γ) ** 3 * T))
    blind_to_mismatch = best_so_far <= sqrt(64 * γ * S * A / ((1 - γ) ** 6 * T))


def _keep_or_lose(discount="99/100"):
    """In state 0 the first action stays and earns 1, the second leads to state 1, where nothing is earned any more."""
    return DiscountedMDP(
        rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]]), rational([[1, 0], [0, 0]]), rational(discount)[()], rational([1, 0])
    )


def _hardly_ever_lose():
    """Two policies for `_keep_or_lose`: never to lose, and to lose once in ten thousand times."""
    never, hardly = [1, 0], ["9999/10000", "1/10000"]
    return {"mdp": _keep_or_lose(), "old": rational([never, never]), "new": rational([hardly, never])}


@theorem(
    smooth,
    cite="akm2021",
    at="Lemma D.3",
    given=[rewards_in_unit_interval],
    judge=for_all(),
    on={"mdp": discounted_mdps(), "old": policies, "new": policies},
    named={"hardly ever lose": _hardly_ever_lose},
    near_misses={"(1 − γ)² for (1 − γ)³": smooth_square, "half of the constant for one action": smooth_of_one_action},
)
def lem_d3(mdp, old, new):
    """V is 2γA / (1 − γ)³-smooth in the probabilities of the policy."""
    yield {
        γ: mdp.discount,
        A: mdp.A,
        change_of_gradient: norm(direct_gradient(mdp, old) - direct_gradient(mdp, new), 2),
        distance: norm(old - new, 2),
    }


def _balls(π):
    """Rational probabilities as balls: the digits of rational iterates double with every projection."""
    return np.frompyfunc(ball, 1, 1)(π) if is_exact(π) else π


def _nearly_linear():
    """Two arms that pay 1 and 0, each to be pulled again with γ = 1/1000; the first policy takes the bad one."""
    P = rational([[[1], [1]]])
    return {"mdp": DiscountedMDP(P, rational([[1, 0]]), rational("1/1000")[()]), "π": rational([[0, 1]])}


def _rarely_started():
    """Two states that never meet, the second hardly ever the first: its policy hardly ever moves.  Both begin badly."""
    P, rare = rational([[[1, 0], [1, 0]], [[0, 1], [0, 1]]]), ["999999/1000000", "1/1000000"]
    mdp = DiscountedMDP(P, rational([[1, 0], [1, 0]]), rational("1/20")[()], rational(rare))
    return {"mdp": mdp, "π": rational([[0, 1], [0, 1]]), "ρ": rational([0, 1])}


def _nearly_linear_models():
    """Models of the usual strategy with a thousandth of its discounts."""
    from mdplab.instances import strategies

    found = strategies.discounted_mdps(positive_start=True)
    return found.map(lambda mdp: DiscountedMDP(mdp.P, mdp.r, mdp.discount / 1000, mdp.start))


def _descent(mdp, π, **options):
    """The wrong sign of the gradient."""
    return projected_pg(mdp, π, step_size=-((1 - mdp.discount) ** 3) / (2 * mdp.discount * mdp.A), **options)


# The bound of Theorem 4.1 falls below the trivial one within a few hundred steps only where S, A and γ are small.
projected_families = tuple(
    Family(f"{name}:{', '.join(f'{k}={v}' for k, v in options.items())}", partial(families.by_name[name], **options))
    for name, options in (
        ("garnet", {"S": 2, "A": 2, "discount": 0.01}),
        ("garnet", {"S": 3, "A": 3, "discount": 0.1}),
        ("garnet", {"S": 4, "A": 4}),
        ("deterministic", {"S": 3, "A": 2, "noise": 1e-3}),
        ("tiny-start", {"S": 2, "A": 3}),
        ("chain", {"S": 5}),
    )
)


@theorem(
    enough_progress,
    cite="akm2021",
    at="Theorem 4.1, proof",
    source="recalled",
    given=[positive_discount, rewards_in_unit_interval],
    judge=for_all(),
    on={"mdp": discounted_mdps(), "π": policies},
    near_misses={"four times as much": too_much_progress},
    note="Standard for ascent on a smooth function; also proved here from Lemma D.3.",
)
def thm4_1_progress(mdp, π, *, solver=projected_pg):
    """One step of projected policy gradient gains at least its squared length over 2η, for η = (1 − γ)³ / (2γA).

    From any policy; the length is squared in the measure, so that everything stays rational.
    """
    now, then = islice(solver(mdp, π), 2)
    change = then.π - now.π
    yield {
        η: (1 - mdp.discount) ** 3 / (2 * mdp.discount * mdp.A),
        progress: total(visits(mdp, then.π) * total(change * action_values(mdp, now.π))),
        square_of_step: total(change * change, 2),
    }


MOST_STEPS = 400


def _best_gaps(mdp, π, ρ, solver):
    """Yield (T, smallest gap before iterate T, smallest gap up to it) for checkpoints T = 1, 2, ..."""
    best, least = optimum(mdp), None
    for it in solver(mdp, _balls(π), at=geometric(MOST_STEPS)):
        here = gap(mdp, it.π, best, ρ)
        if least is not None:
            yield it.k, least, minimum(least, here)
        least = here if least is None else minimum(least, here)


def _constants(mdp, ρ):
    visited = occupancy(mdp, optimum(mdp).policy, ρ)
    return {γ: mdp.discount, S: mdp.S, A: mdp.A, mismatch: largest(visited / mdp.start)}


@theorem(
    before,
    cite="akm2021",
    at="Theorem 4.1",
    status="refuted",
    given=[positive_start, positive_discount, rewards_in_unit_interval],
    judge=for_all(T, up_to=3),
    on={"mdp": Domain(_nearly_linear_models, families=projected_families), "π": policies, "ρ": distributions},
    named={"nearly linear": _nearly_linear},
    trivial=1 / (1 - γ),
    note="The paper's T > 64 γ S A mismatch² / ((1 − γ)⁶ ε²) solved for ε.  False at T = 1 for small γ: before the first "
    "step nothing can be promised of the first policy.  Its proof bounds the minimum over t <= T; see thm4_1_corrected.",
)
def thm4_1(mdp, π, ρ, *, solver=projected_pg):
    """Among the first T policies of projected policy gradient one has a gap of order 1 / √T; false as printed."""
    constants = _constants(mdp, ρ)
    for n, least, _ in _best_gaps(mdp, π, ρ, solver):
        yield constants | {T: n, best_before: least}


@theorem(
    {"": so_far, "with the first gap": sharper},
    cite="akm2021",
    at="Theorem 4.1",
    source="derived",
    status="corrected",
    given=[positive_start, positive_discount, rewards_in_unit_interval],
    judge=for_all(T, up_to=MOST_STEPS, exactly_up_to=3),
    on={"mdp": discounted_mdps(positive_start=True, families=projected_families), "π": policies, "ρ": distributions},
    named={"nearly linear": _nearly_linear, "rarely started": _rarely_started},
    near_misses={"without the mismatch": blind_to_mismatch, "descent": {"solver": _descent}},
    trivial=1 / (1 - γ),
    uses=["akm2021.thm4_1_progress", "akm2021.lem4_1"],
    note="t <= T in place of t < T.  The second part keeps the first policy's gap in place of 1 / (1 − γ), and the "
    "diameter √(2S) of the set of policies in place of 2√S.",
)
def thm4_1_corrected(mdp, π, ρ, *, solver=projected_pg):
    """Within T steps of projected policy gradient, from any policy, the smallest gap is of order 1 / √T."""
    constants = _constants(mdp, ρ) | {first_loss: gap(mdp, π, optimum(mdp))}
    for n, _, least in _best_gaps(mdp, π, ρ, solver):
        yield constants | {T: n, best_so_far: least}

# Softmax policy gradient

value_gain = Quantity(r"V^{(t+1)}(s) - V^{(t)}(s)", "what one step gains at a state")
action_value_gain = Quantity(r"Q^{(t+1)}(s, a) - Q^{(t)}(s, a)", "what one step gains after an action")
mean_loss = Quantity(r"\tfrac1S \sum_s \{V^*(s) - V^{(t)}(s)\}", "gap, all states alike", accuracy="relative")

with as_printed():
    values_rise = value_gain >= 0
    action_values_rise = action_value_gain >= 0
    values_rise_fast = value_gain >= Rational(1, 1000)
    convergence = mean_loss <= 1 / sqrt(t)
    too_fast = mean_loss <= 1 / t**2


def _softmax_descent(mdp, θ, step_size):
    """The wrong sign of the gradient."""
    return softmax_pg(mdp, θ, step_size=-step_size)


def _myopic(mdp, θ, step_size):
    """The gradient of the next reward in place of the value's."""
    return softmax_pg(DiscountedMDP(mdp.P, mdp.r, 0 * mdp.discount, mdp.start), θ, step_size=step_size)


@theorem(
    {"values": values_rise, "action values": action_values_rise},
    cite="akm2021",
    at="Lemma C.2",
    given=[rewards_in_unit_interval],
    judge=for_all(t, up_to=2),
    on={"mdp": discounted_mdps(), "θ": logits},
    named={"two by two": lambda: {"mdp": two_by_two(), "θ": two_by_two_logits()}, "long chain": long_chain},
    near_misses={"descent": {"solver": _softmax_descent}, "the next reward's gradient": {"solver": _myopic}},
)
def lem_c2(mdp, θ, *, solver=softmax_pg):
    """Softmax policy gradient with η <= (1 − γ)² / 5 lowers no value, at no state and after no action.

    For μ of any support.  In fact no step is too long for it (Liu, Li and Wei, 2024).
    """
    for now, then in pairwise(solver(mdp, θ, step_size=(1 - mdp.discount) ** 2 / 5)):
        before, after = values(mdp, now.π), values(mdp, then.π)
        change = after - before
        yield {t: now.k, value_gain: change, action_value_gain: mdp.action_values(after) - mdp.action_values(before)}


LONG = 50_000


def _garnets_from_everywhere(rng, size, discount):
    return families.garnet(rng, size, S=3, A=3, discount=discount).starting(np.full((size, 3), 1 / 3))


from_everywhere = tuple(
    Family(f"garnet:S=3,A=3,discount={x}, uniform start", partial(_garnets_from_everywhere, discount=x))
    for x in (0.0, 0.3, 0.5)
)
far_from_ties = Assumption(
    r"\Delta^* \ge \tfrac1{10}",
    "every other action than the optimal one loses at least 1/10",
    lambda mdp: floats(optimum(mdp).action_gap) >= 0.1,
)


@theorem(
    convergence,
    cite="akm2021",
    at="Theorem 5.1",
    given=[positive_start, rewards_in_unit_interval, far_from_ties],
    judge=rate(t, up_to=LONG),
    on={"mdp": discounted_mdps(positive_start=True, families=from_everywhere)},
    near_misses={
        "of order 1 / t²": too_fast,
        "μ of one state only": {"seen_from": lambda mdp: np.eye(mdp.S)[0] + 0 * mdp.start},
    },
    note="The theorem names no rate; a gap of order 1 / √t in these runs is evidence that it tends to zero, no more.",
)
def thm5_1(mdp, *, seen_from=lambda mdp: mdp.start):
    """Softmax policy gradient with η <= (1 − γ)³ / 8 tends to the optimal value of every state, if μ > 0 everywhere.

    Watched where gaps fall within a few thousand steps: from the uniform policy, with a uniform μ and without near-ties.
    Elsewhere they may stay for as long as one likes before they fall.
    """
    best, everywhere = optimum(mdp), 0 * mdp.start + 1 / mdp.S
    for it in softmax_pg(mdp.starting(seen_from(mdp)), at=geometric(LONG)):
        if it.k:
            yield {t: it.k, mean_loss: gap(mdp, it.π, best, everywhere)}
