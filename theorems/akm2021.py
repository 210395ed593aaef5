"""Agarwal, Kakade, Lee, Mahajan (2021), On the Theory of Policy Gradient Methods: tabular policies, exact gradients."""

from functools import partial
from itertools import islice, pairwise

import numpy as np
from sympy import Eq, log, sqrt

from mdplab.arrays import (
    ball,
    exp,
    expand,
    floats,
    is_exact,
    largest,
    log_softmax,
    minimum,
    norm,
    rational,
    rational_number,
    softmax,
    total,
)
from mdplab.arrays import (
    log as log_of,
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
from mdplab.instances import (
    Domain,
    Family,
    bandits,
    discounted_mdps,
    distributions,
    families,
    logits,
    numbers,
    policies,
)
from mdplab.instances.named import long_chain, two_armed_bandit, two_by_two, two_by_two_logits
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
step_size = Quantity(r"\eta", "step size", accuracy="exact")
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
    named={
        "two by two, from the first action to the second": lambda: {"mdp": two_by_two(), "new": rational([[0, 1]] * 2)}
    },
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

    A constant in a state moves no softmax policy, so θ + η F^† ∇V and θ + η A / (1 − γ) are the same policy.  The
    second part says that A / (1 − γ) solves F w = ∇V, without a pseudo-inverse.
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
    {
        "visits of the policy": domination,
        "start distribution": domination_at_start,
        "closed form": slope_in_closed_form,
    },
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
best_so_far = Quantity(r"\min_{t \le T} \{V^*(\rho) - V^{(t)}(\rho)\}", "smallest gap so far", accuracy="relative")
first_loss = Quantity(r"V^*(\mu) - V^{(0)}(\mu)", "gap of the first policy", accuracy="relative")

with as_printed():
    smooth = change_of_gradient <= 2 * γ * A / (1 - γ) ** 3 * distance
    smooth_square = change_of_gradient <= 2 * γ * A / (1 - γ) ** 2 * distance
    smooth_of_one_action = change_of_gradient <= γ / (1 - γ) ** 3 * distance
    enough_progress = progress >= 1 / (2 * step_size) * square_of_step
    too_much_progress = progress >= 2 / step_size * square_of_step
    before = best_before <= sqrt(64 * γ * S * A * mismatch**2 / ((1 - γ) ** 6 * T))
    so_far = best_so_far <= sqrt(64 * γ * S * A * mismatch**2 / ((1 - γ) ** 6 * T))
    sharper = best_so_far <= 1 / (1 - γ) * mismatch * sqrt(32 * γ * S * A * first_loss / ((1 - γ) ** 3 * T))
    blind_to_mismatch = best_so_far <= sqrt(64 * γ * S * A / ((1 - γ) ** 6 * T))


def _keep_or_lose(discount="99/100"):
    """In state 0 the first action stays and earns 1, the second leads to state 1, where nothing is earned any more."""
    return DiscountedMDP(
        rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]]),
        rational([[1, 0], [0, 0]]),
        rational(discount)[()],
        rational([1, 0]),
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
        step_size: (1 - mdp.discount) ** 3 / (2 * mdp.discount * mdp.A),
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
    note="The paper's T > 64 γ S A mismatch² / ((1 − γ)⁶ ε²) solved for ε.  False at T = 1 for small γ: nothing can be "
    "promised of the first policy, before any step.  The proof bounds the minimum over t <= T; see thm4_1_corrected.",
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

    Watched where gaps fall within a few thousand steps: from the uniform policy, with a uniform μ, without near-ties.
    Elsewhere they may stay for as long as one likes before they fall.
    """
    best, everywhere = optimum(mdp), 0 * mdp.start + 1 / mdp.S
    for it in softmax_pg(mdp.starting(seen_from(mdp)), at=geometric(LONG)):
        if it.k:
            yield {t: it.k, mean_loss: gap(mdp, it.π, best, everywhere)}


# Logarithmic barrier

strength = Quantity(r"\lambda", "strength of the barrier", accuracy="exact")
accuracy = Quantity(r"\epsilon", "accuracy asked for", accuracy="exact")
barrier_loss = Quantity(r"V^*(\rho) - V^{\pi_\theta}(\rho)", "what the policy loses", accuracy="relative")
steepest = Quantity(r"\max_{s,a} \partial L_\lambda / \partial \theta_{s,a}", "largest entry of the gradient")

with as_printed():
    near_optimal = barrier_loss <= 2 * strength / (1 - γ) * mismatch
    strength_alone = barrier_loss <= 2 * strength
    blind_barrier = barrier_loss <= 2 * strength / (1 - γ)
    barrier_sharp = barrier_loss <= mismatch_now * (strength * (1 - 1 / A) + S * steepest)
    barrier_too_sharp = barrier_loss <= mismatch_now * (strength * (1 - 2 / A) + S * steepest)


def _stationary(mdp, λ, rounds=15):
    """Logits (..., S, A) in float64 where ∇L_λ nearly vanishes, mostly.

    In each round every state takes the policy that maximises u ⟨Q, π⟩ + w Σ log π, with visits u, action values Q and
    w = λ / (SA): π = w / (c − uQ), where Newton's method finds the c for which it sums to one.
    """
    w = expand(λ, 2) / (mdp.S * mdp.A)
    π = 0 * mdp.r + 1 / mdp.A
    for _ in range(rounds):
        uq = expand(visits(mdp, π), 1) * action_values(mdp, π)
        c = expand(largest(uq), 1) + w
        for _ in range(8):
            p = w / (c - uq)
            c = c + (expand(total(p), 1) - 1) / expand(total(p * p / w), 1)
        p = w / (c - uq)
        π = p / expand(total(p), 1)
    return np.log(π)


def _draw_nearly_stationary(mdp, λ):
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    θ = rational(np.round(_stationary(mdp.floats(), floats(λ)), 6))
    return st.builds(
        lambda noise, size: θ + size * noise,
        strategies.logits(mdp.S, mdp.A),
        st.sampled_from(rational([0, "1/10000", "1/100", 1]).tolist()),
    )


def _some_nearly_stationary(rng, mdp, λ):
    noise = rng.choice([0.0, 1e-4, 1e-2, 1.0], (*mdp.batch, 1, 1))
    return _stationary(mdp, λ) + noise * rng.normal(size=(*mdp.batch, mdp.S, mdp.A))


nearly_stationary = Domain(_draw_nearly_stationary, _some_nearly_stationary)


# The thresholds are missed by a millionth, so that rounding decides nothing.
short_gradient = Assumption(
    r"\lVert \nabla L_\lambda(\theta) \rVert_2 \le \tfrac{\lambda}{2SA}",
    "the gradient of the objective with the barrier is no longer than λ / (2SA)",
    lambda mdp, θ, λ: (
        floats(norm(log_barrier_gradient(mdp, softmax(θ), λ), 2)) < 0.499999 * floats(λ) / (mdp.S * mdp.A)
    ),
)
no_steep_ascent = Assumption(
    r"\max_{s,a} \partial L_\lambda / \partial \theta_{s,a} \le \tfrac{\lambda}{SA}",
    "no entry of the gradient of the objective with the barrier is above λ / (SA)",
    lambda mdp, θ, λ: (
        floats(largest(log_barrier_gradient(mdp, softmax(θ), λ), 2)) < 0.999999 * floats(λ) / (mdp.S * mdp.A)
    ),
)
two_actions = Assumption(
    r"A \ge 2",
    "there are at least two actions",
    lambda mdp: np.full(mdp.batch, mdp.A >= 2),
)
on_barrier = {
    "mdp": discounted_mdps(positive_start=True),
    "λ": numbers("1/1000", 1),
    "θ": nearly_stationary,
    "ρ": distributions,
}


def _at_barrier(mdp, λ, θ, ρ):
    """All quantities of Theorem 5.2 at one point."""
    best, π = optimum(mdp), softmax(θ)
    visited = occupancy(mdp, best.policy, ρ)
    return {
        γ: mdp.discount,
        S: mdp.S,
        A: mdp.A,
        strength: λ,
        barrier_loss: gap(mdp, π, best, ρ),
        mismatch: largest(visited / mdp.start),
        mismatch_now: largest(visited / occupancy(mdp, π)),
        steepest: largest(log_barrier_gradient(mdp, π, λ), 2),
    }


@theorem(
    near_optimal,
    cite="akm2021",
    at="Theorem 5.2",
    given=[positive_start, rewards_in_unit_interval, short_gradient],
    judge=for_all(),
    on=on_barrier,
    near_misses={
        "2λ alone": strength_alone,
        "without the mismatch": blind_barrier,
        "a gradient of any length": Without(short_gradient),
    },
    trivial=1 / (1 - γ),
)
def thm5_2(mdp, λ, θ, ρ):
    """Where the objective with a logarithmic barrier is nearly stationary, the policy is nearly optimal.

    Gradient short: ‖∇L_λ(θ)‖₂ <= λ / (2SA), L_λ = V(μ) + λ / (SA) Σ log π + λ log A.  Instances are stationary points
    found numerically, some of them moved a little.
    """
    yield _at_barrier(mdp, λ, θ, ρ)


def _two_arms_at_barrier():
    """The stationary policy (99/100, 1/100) of two arms that pay 1 and 0, for λ = 99/4900."""
    return {"mdp": two_armed_bandit(), "λ": rational("99/4900")[()], "θ": log_of(rational([["99/100", "1/100"]]))}


@theorem(
    barrier_sharp,
    cite="akm2021",
    at="Theorem 5.2",
    source="derived",
    status="sharpened",
    given=[positive_start, rewards_in_unit_interval, two_actions, no_steep_ascent],
    judge=for_all(),
    on=on_barrier,
    named={"two arms at the barrier": _two_arms_at_barrier},
    near_misses={
        "1 − 2 / A for 1 − 1 / A": barrier_too_sharp,
        "a gradient of any size": Without(no_steep_ascent),
    },
    trivial=1 / (1 - γ),
    note="From ∂L/∂θ = u π A + (λ/S)(1/A − π) with u = d / (1 − γ): where no entry is above ε <= λ / (SA), "
    "u A <= λ/S + (ε − λ/(SA)) / π <= λ/S + ε − λ/(SA) wherever A > 0.  Then the performance difference lemma.",
)
def thm5_2_sharp(mdp, λ, θ, ρ):
    """Near a stationary point of the objective with a barrier the gap is at most λ(1 − 1/A), times the mismatch.

    Only ascent directions have to be short, twice as long ones are allowed, the mismatch is with the policy's own
    visits, and the bound is attained as λ → 0 for two arms.
    """
    yield _at_barrier(mdp, λ, θ, ρ)


least_loss = Quantity(r"\min_{t \le T} \{V^*(\rho) - V^{(t)}(\rho)\}", "smallest gap so far", accuracy="relative")

with as_printed():
    accurate = least_loss <= accuracy


def _enough(mdp, worst, ε):
    """T = 320 S² A² ‖d^{π*}_ρ / μ‖² / ((1 − γ)⁶ ε²)."""
    return 320 * mdp.S**2 * mdp.A**2 * worst**2 / ((1 - mdp.discount) ** 6 * ε**2)


def _too_few(mdp, worst, ε):
    return _enough(mdp, worst, ε) / 2000


@theorem(
    accurate,
    cite="akm2021",
    at="Corollary 5.1",
    status="corrected",
    given=[positive_start, rewards_in_unit_interval],
    judge=for_all(),
    on={
        "mdp": Domain(bandits(3).draw, families=bandits().families[:2]),
        "ε": numbers("3/10", "9/10"),
        "ρ": distributions,
    },
    named={"two arms": lambda: {"mdp": two_armed_bandit(), "ε": rational("3/10")[()]}},
    near_misses={"a two-thousandth of the steps": {"steps": _too_few}},
    uses=["akm2021.thm5_2"],
    note="Corrected as its proof says: from the uniform policy (the paper has any θ⁽⁰⁾, from which the way back may be "
    "as long as one likes) and with β_λ = 8 / (1 − γ)³ + 2λ / S (the paper has 8γ).",
)
def cor5_1(mdp, ε, ρ, *, steps=_enough):
    """With λ = ε(1 − γ) / (2‖d^{π*}_ρ/μ‖), 320 S²A²‖d^{π*}_ρ/μ‖² / ((1 − γ)⁶ε²) steps on the barrier reach accuracy ε.

    Run on bandits, where that is some thousand steps.  A run ends once every model has reached its accuracy, which more
    steps cannot undo.
    """
    best = optimum(mdp)
    worst = largest(occupancy(mdp, best.policy, ρ) / mdp.start)
    λ = ε * (1 - mdp.discount) / (2 * worst)
    step_size = 1 / (8 / (1 - mdp.discount) ** 3 + 2 * λ / mdp.S)
    end, least = floats(steps(mdp, worst, ε)), largest(best.v)  # rewards are at least zero
    for it in log_barrier_pg(mdp, strength=λ, step_size=step_size, at=geometric(int(end.max()))):
        here, late = minimum(least, gap(mdp, it.π, best, ρ)), it.k > end
        least = np.where(late, least, here) if late.any() else here
        if (floats(least) < 0.99 * floats(ε)).all():
            break
    yield {accuracy: ε, least_loss: least}


# Natural policy gradient

last_loss = Quantity(r"V^*(\rho) - V^{(T)}(\rho)", "gap after T updates", accuracy="relative")
climbed = Quantity(
    r"V^{(T+1)}(d^{\pi^*}_\rho) - V^{(0)}(d^{\pi^*}_\rho)", "what T + 1 updates gain where the optimal policy goes"
)
log_normaliser = Quantity(r"\mathbb E_{s \sim \rho} \log Z_t(s)", "mean logarithm of the normaliser of the update")
old_value = Quantity(r"V^{(t)}(\rho)", "value before an update")
new_value = Quantity(r"V^{(t+1)}(\rho)", "value after it")
divergences = Quantity(
    r"\mathbb E_{s \sim d^{(t+1)}_\rho} \big[\mathrm{KL}(\pi^{(t+1)} \Vert \pi^{(t)})"
    r" + \mathrm{KL}(\pi^{(t)} \Vert \pi^{(t+1)})\big]",
    "both divergences of the two policies, where the new one goes",
)
old_divergences = Quantity(
    r"\mathbb E_{s \sim d^{(t)}_\rho} \big[\mathrm{KL}(\pi^{(t+1)} \Vert \pi^{(t)})"
    r" + \mathrm{KL}(\pi^{(t)} \Vert \pi^{(t+1)})\big]",
    "both divergences, where the old policy goes",
)

with as_printed():
    global_rate = last_loss <= log(A) / (step_size * T) + 1 / ((1 - γ) ** 2 * T)
    only_first = last_loss <= log(A) / (step_size * T)
    only_second = last_loss <= 1 / ((1 - γ) ** 2 * T)
    one_horizon_too_few = last_loss <= log(A) / (step_size * T) + 1 / T
    long_steps = last_loss <= 2 / ((1 - γ) ** 2 * T)
    long_steps_one_horizon = last_loss <= 2 / T
    long_steps_square = last_loss <= 2 / ((1 - γ) ** 2 * T**3)
    sharp_rate = last_loss <= (log(A) / step_size + climbed / (1 - γ)) / (T + 1)
    sharp_without_climb = last_loss <= log(A) / step_size / (T + 1)
    sharp_without_entropy = last_loss <= climbed / (1 - γ) / (T + 1)
    sharp_one_horizon = last_loss <= (log(A) / step_size + climbed) / (T + 1)
    improvement = new_value >= old_value + (1 - γ) / step_size * log_normaliser
    monotone = new_value >= old_value
    twice_the_improvement = new_value >= old_value + 2 * (1 - γ) / step_size * log_normaliser
    improvement_one_horizon = new_value >= old_value + log_normaliser / step_size
    both_divergences = Eq(new_value, old_value + divergences / step_size)
    both_at_old_visits = Eq(new_value, old_value + old_divergences / step_size)
    half_of_both = Eq(new_value, old_value + divergences / (2 * step_size))


@theorem(
    global_rate,
    cite="akm2021",
    at="Theorem 5.3",
    given=[rewards_in_unit_interval],
    judge=for_all(T, up_to=300, exactly_up_to=6),
    on={"mdp": discounted_mdps(), "multiple": numbers("1/1000", 1000), "ρ": distributions},
    named={
        "long chain, long steps": lambda: {"mdp": long_chain(), "multiple": rational(1000)[()]},
        "two by two": two_by_two,
        "two arms, short steps": lambda: {"mdp": two_armed_bandit(), "multiple": rational("1/1000")[()]},
    },
    near_misses={
        "without log A / ηT": only_second,
        "without the second term": only_first,
        "1 / T there": one_horizon_too_few,
    },
    trivial=1 / (1 - γ),
    uses=["akm2021.pdl", "akm2021.lem5_2"],
)
def thm5_3(mdp, multiple, ρ, *, solver=natural_pg):
    """Natural policy gradient from the uniform policy has a gap of order 1 / T, whatever S, the mismatch and η > 0.

    Steps are drawn as multiples of (1 − γ)².
    """
    yield from _natural_gaps(mdp, multiple * (1 - mdp.discount) ** 2, ρ, solver)


@theorem(
    long_steps,
    cite="akm2021",
    at="Theorem 5.3",
    given=[rewards_in_unit_interval],
    judge=for_all(T, up_to=300, exactly_up_to=6),
    on={"mdp": discounted_mdps(), "multiple": numbers(1, 1000), "ρ": distributions},
    named={"two by two": two_by_two},
    near_misses={"1 / T for 1 / ((1 − γ)² T)": long_steps_one_horizon, "T³ for T": long_steps_square},
    trivial=1 / (1 - γ),
    uses=["akm2021.thm5_3"],
)
def thm5_3_long_steps(mdp, multiple, ρ, *, solver=natural_pg):
    """With η >= (1 − γ)² log A the gap of natural policy gradient is at most 2 / ((1 − γ)² T), whatever A is."""
    shortest = (1 - mdp.discount) ** 2 * log_of(rational_number(mdp.A) if is_exact(mdp.P) else float(mdp.A))
    yield from _natural_gaps(mdp, multiple * shortest, ρ, solver)


def _natural_gaps(mdp, η, ρ, solver):
    best = optimum(mdp)
    for it in solver(mdp, step_size=η, at=geometric(300)):
        if it.k:
            yield {γ: mdp.discount, A: mdp.A, step_size: η, T: it.k, last_loss: gap(mdp, it.π, best, ρ)}


@theorem(
    sharp_rate,
    cite="akm2021",
    at="Theorem 5.3",
    source="derived",
    status="sharpened",
    given=[two_actions],
    judge=for_all(T, up_to=40, exactly_up_to=5),
    on={"mdp": discounted_mdps(), "multiple": numbers("1/1000", 1000), "ρ": distributions},
    named={
        "two by two": two_by_two,
        "two arms, short steps": lambda: {"mdp": two_armed_bandit(), "multiple": rational("1/1000")[()]},
    },
    near_misses={
        "without what was climbed": sharp_without_climb,
        "without log A / η": sharp_without_entropy,
        "without 1 / (1 − γ)": sharp_one_horizon,
    },
    trivial=1 / (1 - γ),
    uses=["akm2021.pdl", "akm2021.lem5_2"],
    note="The sum over t = 0, ..., T of the proof, its telescope kept: T + 1 gaps, none below the last, add up to at "
    "most log A / η + (V^(T+1)(d) − V^(0)(d)) / (1 − γ), d the visits of the optimal policy.  Rewards of any size.",
)
def thm5_3_sharp(mdp, multiple, ρ, *, solver=natural_pg):
    """The gap of natural policy gradient after T updates, by what T + 1 updates gain where the optimal policy goes."""
    best = optimum(mdp)
    d = occupancy(mdp, best.policy, ρ)
    η = multiple * (1 - mdp.discount) ** 2
    first, constants = None, {γ: mdp.discount, A: mdp.A, step_size: η}
    for now, then in pairwise(solver(mdp, step_size=η)):
        first = values(mdp, now.π) if first is None else first
        yield constants | {
            T: now.k,
            last_loss: gap(mdp, now.π, best, ρ),
            climbed: total(d * (values(mdp, then.π) - first)),
        }


def _divergence(log_p, log_q):
    """KL(p ‖ q) in each state, from logarithms (..., S, A)."""
    return total(exp(log_p) * (log_p - log_q))


def _updates(mdp, θ, multiple, ρ, solver):
    η = multiple * (1 - mdp.discount) ** 2
    for now, then in pairwise(solver(mdp, θ, step_size=η)):
        there, back = _divergence(then.log_π, now.log_π), _divergence(now.log_π, then.log_π)
        scaled = now.log_π + expand(η / (1 - mdp.discount), 2) * advantages(mdp, now.π)
        yield {
            γ: mdp.discount,
            step_size: η,
            t: now.k,
            old_value: total(ρ * values(mdp, now.π)),
            new_value: total(ρ * values(mdp, then.π)),
            log_normaliser: total(ρ * (scaled - log_softmax(scaled))[..., 0]),
            divergences: total(occupancy(mdp, then.π, ρ) * (there + back)),
            old_divergences: total(occupancy(mdp, now.π, ρ) * (there + back)),
        }


something_to_earn = Assumption(
    r"V(\rho) > 0",
    "the uniform policy earns something",
    lambda mdp, ρ: floats(total(ρ * values(mdp, softmax(0 * mdp.r)))) > 0,
)
on_updates = {"mdp": discounted_mdps(), "θ": logits, "multiple": numbers("1/100", 100), "ρ": distributions}


def _two_by_two_from_logits():
    return {"mdp": two_by_two(), "θ": two_by_two_logits(), "multiple": rational(5)[()]}


@theorem(
    {"improvement": improvement, "monotone": monotone},
    cite="akm2021",
    at="Lemma 5.2",
    given=[something_to_earn],
    judge=for_all(t, up_to=2),
    on=on_updates,
    named={"two by two": _two_by_two_from_logits},
    near_misses={"twice as much": twice_the_improvement, "1 / η for (1 − γ) / η": improvement_one_horizon},
    uses=["akm2021.pdl"],
)
def lem5_2(mdp, θ, multiple, ρ, *, solver=natural_pg):
    """An update of natural policy gradient gains at least (1 − γ) / η times E log Z_t, Z_t its normaliser.

    From any start distribution.  The second part says that log Z_t >= 0 has for a consequence: no value falls.
    """
    yield from _updates(mdp, θ, multiple, ρ, solver)


@theorem(
    both_divergences,
    cite="akm2021",
    at="Lemma 5.2",
    source="derived",
    status="sharpened",
    judge=identity(t, up_to=5, exactly_up_to=3),
    on=on_updates,
    named={"two by two": _two_by_two_from_logits},
    near_misses={"visits of the old policy": both_at_old_visits, "half of it": half_of_both},
    uses=["akm2021.pdl"],
    note="log Z_t = KL(π_t ‖ π_{t+1}), and the step before the lemma's inequality is this identity.",
)
def lem5_2_identity(mdp, θ, multiple, ρ, *, solver=natural_pg):
    """An update gains exactly 1 / η times both divergences of the two policies, along the new policy's visits."""
    yield from _updates(mdp, θ, multiple, ρ, solver)
