"""Cen, Cheng, Chen, Wei, Chi (2022), Fast Global Convergence of Natural Policy Gradient with Entropy Regularization."""

from itertools import pairwise

from sympy import Eq

from mdplab.arrays import exp, expand, floats, largest, log_softmax, rational, sup, total
from mdplab.exact import (
    occupancy,
    soft_action_values,
    soft_gap,
    soft_optimum,
    soft_values,
)
from mdplab.instances import bandits, discounted_mdps, distributions, logits, numbers
from mdplab.instances.named import two_armed_bandit, two_by_two, two_by_two_logits
from mdplab.solvers import MirrorIterate, entropy_natural_pg
from mdplab.theorem import (
    Assumption,
    Quantity,
    as_printed,
    for_all,
    identity,
    positive_start,
    rewards_in_unit_interval,
    theorem,
)

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
temperature = Quantity(r"\tau", "temperature: what a nat of entropy is worth", accuracy="exact")
step_size = Quantity(r"\eta", "step size", accuracy="exact")
t = Quantity("t", "number of updates", integer=True)

# One update

old_value = Quantity(r"V^{(t)}_\tau(\rho)", "soft value before an update")
new_value = Quantity(r"V^{(t+1)}_\tau(\rho)", "soft value after it")
there = Quantity(
    r"\mathbb E_{s \sim d^{(t+1)}_\rho} \mathrm{KL}(\pi^{(t+1)} \Vert \pi^{(t)})",
    "divergence of the old policy from the new one, where the new one goes",
)
back = Quantity(
    r"\mathbb E_{s \sim d^{(t+1)}_\rho} \mathrm{KL}(\pi^{(t)} \Vert \pi^{(t+1)})",
    "divergence of the new policy from the old one, where the new one goes",
)
there_at_old = Quantity(
    r"\mathbb E_{s \sim d^{(t)}_\rho} \mathrm{KL}(\pi^{(t+1)} \Vert \pi^{(t)})", "the first where the old policy goes"
)
back_at_old = Quantity(
    r"\mathbb E_{s \sim d^{(t)}_\rho} \mathrm{KL}(\pi^{(t)} \Vert \pi^{(t+1)})", "the second where the old policy goes"
)

with as_printed():
    improvement = Eq(new_value, old_value + (1 / step_size - temperature / (1 - γ)) * there + 1 / step_size * back)
    at_old_visits = Eq(
        new_value, old_value + (1 / step_size - temperature / (1 - γ)) * there_at_old + 1 / step_size * back_at_old
    )
    same_coefficient = Eq(new_value, old_value + 1 / step_size * there + 1 / step_size * back)
    one_divergence = Eq(new_value, old_value + 1 / step_size * back)


def _divergence(log_p, log_q):
    """KL(p ‖ q) in each state, from logarithms (..., S, A)."""
    return total(exp(log_p) * (log_p - log_q))


def _step(mdp, τ, share):
    """η = share · (1 − γ) / τ."""
    return share * (1 - mdp.discount) / τ


on_trajectories = {"mdp": discounted_mdps(), "τ": numbers("1/10", 2), "share": numbers("1/20", 1), "θ": logits}


def _two_by_two():
    """Two states, two actions, τ = 1/2 and η = 1/20."""
    return {
        "mdp": two_by_two(),
        "θ": two_by_two_logits(),
        "τ": rational("1/2")[()],
        "share": rational("1/4")[()],
        "ρ": two_by_two().start,
    }


def _without_start(inputs):
    return {name: x for name, x in inputs.items() if name != "ρ"}


@theorem(
    improvement,
    cite="cen2022",
    at="Lemma 1",
    source="recalled",
    judge=identity(t, up_to=10, exactly_up_to=3),
    on=on_trajectories | {"ρ": distributions},
    named={"two by two": _two_by_two},
    near_misses={
        "visits of the old policy": at_old_visits,
        "1 / η for both": same_coefficient,
        "the first divergence forgotten": one_divergence,
    },
    note="Also proved: the soft performance difference lemma with the update put in for the action values.",
)
def improve(mdp, τ, share, θ, ρ, *, solver=entropy_natural_pg):
    """What an update of natural policy gradient with entropy gains is a sum of two divergences, both non-negative."""
    η = _step(mdp, τ, share)
    for now, then in pairwise(solver(mdp, θ, temperature=τ, step_size=η)):
        forth, home = _divergence(then.log_π, now.log_π), _divergence(now.log_π, then.log_π)
        d, d_old = occupancy(mdp, then.π, ρ), occupancy(mdp, now.π, ρ)
        yield {
            γ: mdp.discount,
            temperature: τ,
            step_size: η,
            t: now.k,
            old_value: total(ρ * soft_values(mdp, now.log_π, τ)),
            new_value: total(ρ * soft_values(mdp, then.log_π, τ)),
            there: total(d * forth),
            back: total(d * home),
            there_at_old: total(d_old * forth),
            back_at_old: total(d_old * home),
        }


# Linear convergence

old_q = Quantity(r"Q^{(t)}_\tau(s, a)", "soft action value before an update")
new_q = Quantity(r"Q^{(t+1)}_\tau(s, a)", "soft action value after it")
error = Quantity(r"\lVert Q^*_\tau - Q^{(t+1)}_\tau \rVert_\infty", "error of the soft action values")
old_error = Quantity(r"\lVert Q^*_\tau - Q^{(t)}_\tau \rVert_\infty", "the same before the update")
error_of_values = Quantity(r"\lVert V^*_\tau - V^{(t+1)}_\tau \rVert_\infty", "error of the soft values")
error_of_policy = Quantity(
    r"\lVert \log \pi^*_\tau - \log \pi^{(t+1)} \rVert_\infty", "error of the logarithm of the policy"
)
first_error = Quantity(r"\lVert Q^*_\tau - Q^{(0)}_\tau \rVert_\infty", "first error of the soft action values")
first_error_of_policy = Quantity(
    r"\lVert \log \pi^*_\tau - \log \pi^{(0)} \rVert_\infty", "first error of the logarithm of the policy"
)

with as_printed():
    C1 = first_error + 2 * temperature * (1 - step_size * temperature / (1 - γ)) * first_error_of_policy
    linear = (1 - step_size * temperature) ** t
    rising = new_q >= old_q
    falling_fast = new_q >= old_q + step_size
    action_values_converge = error <= C1 * γ * linear
    policies_converge = error_of_policy <= 2 * C1 / temperature * linear
    values_converge = error_of_values <= 3 * C1 * linear
    policies_sharp = error_of_policy <= C1 / temperature * linear
    values_sharp = error_of_values <= C1 * linear
    wrong_rate = error <= C1 * γ * (1 - step_size * temperature / (1 - γ)) ** t
    without_policy = error <= first_error * γ * linear
    policies_too_sharp = error_of_policy <= C1 / (2 * temperature) * linear
    values_too_sharp = error_of_values <= γ * C1 * linear
    contraction = error <= γ * old_error
    half_as_near = error <= γ * old_error / 2


def _moves(mdp, τ, θ):
    best = soft_optimum(mdp.floats(), floats(τ))
    return floats(sup(best.log_π - log_softmax(floats(θ)), 2)) > 1e-6


# Where they do not hold both sides of the bounds are zero.
first_policy_not_optimal = Assumption(
    r"\pi^{(0)} \ne \pi^*_\tau", "the first policy is not optimal, by more than a millionth", _moves
)
away = Assumption(
    r"\gamma > 0,\ \pi^{(0)} \ne \pi^*_\tau",
    "the discount is positive and the first policy is not optimal",
    lambda mdp, τ, θ: (floats(mdp.discount) > 0) & _moves(mdp, τ, θ),
)


def _trajectory(mdp, τ, share, θ, solver):
    best, η = soft_optimum(mdp, τ), _step(mdp, τ, share)
    before, constants = None, {γ: mdp.discount, temperature: τ, step_size: η}
    for it in solver(mdp, θ, temperature=τ, step_size=η):
        v = soft_values(mdp, it.log_π, τ)
        q = mdp.action_values(v)
        now = sup(best.q - q, 2)
        if before is None:
            constants |= {first_error: now, first_error_of_policy: sup(best.log_π - it.log_π, 2)}
        else:
            yield constants | {
                t: it.k - 1,
                error: now,
                old_error: before,
                error_of_values: sup(best.v - v),
                error_of_policy: sup(best.log_π - it.log_π, 2),
            }
        before = now


def _without_decay(mdp, log_π, *, temperature, step_size):
    """The update that keeps all of the old policy, π^(1), in place of π^(1 − ητ/(1−γ))."""
    k, log_π = 0, log_softmax(log_π)
    while True:
        yield MirrorIterate(k, log_π, exp(log_π))
        slope = expand(step_size / (1 - mdp.discount), 2)
        k, log_π = k + 1, log_softmax(log_π + slope * soft_action_values(mdp, log_π, temperature))


@theorem(
    rising,
    cite="cen2022",
    at="Equation (33)",
    judge=for_all(t, up_to=1),
    on=on_trajectories,
    named={"two by two": lambda: _without_start(_two_by_two())},
    near_misses={"by η at least": falling_fast, "all of the old policy kept": {"solver": _without_decay}},
    uses=["cen2022.improve"],
)
def thm1_monotone(mdp, τ, share, θ, *, solver=entropy_natural_pg):
    """No soft action value ever falls under natural policy gradient with entropy and a step of at most (1 − γ) / τ."""
    η = _step(mdp, τ, share)
    for now, then in pairwise(solver(mdp, θ, temperature=τ, step_size=η)):
        yield {
            step_size: η,
            t: now.k,
            old_q: soft_action_values(mdp, now.log_π, τ),
            new_q: soft_action_values(mdp, then.log_π, τ),
        }


@theorem(
    {"action values": action_values_converge, "policies": policies_converge, "values": values_converge},
    cite="cen2022",
    at="Theorem 1",
    source="recalled",
    given=[rewards_in_unit_interval, away],
    judge=for_all(t, up_to=60, exactly_up_to=6),
    on=on_trajectories,
    named={"two by two": lambda: _without_start(_two_by_two())},
    near_misses={
        "1 − ητ / (1 − γ) for 1 − ητ": wrong_rate,
        "without the first policy": without_policy,
        "all of the old policy kept": {"solver": _without_decay},
    },
    uses=["cen2022.thm1_monotone"],
    note="The text around the displays was read; the display of the values, (24), is recalled with the factor 3.",
)
def thm1(mdp, τ, share, θ, *, solver=entropy_natural_pg):
    """Natural policy gradient with entropy converges linearly from any policy, whatever the sizes of the model.

    For 0 < η <= (1 − γ) / τ, with rate 1 − ητ and C₁ = ‖Q* − Q⁽⁰⁾‖ + 2τ(1 − ητ/(1−γ)) ‖log π* − log π⁽⁰⁾‖.
    """
    yield from _trajectory(mdp, τ, share, θ, solver)


@theorem(
    {"policies": policies_sharp, "values": values_sharp},
    cite="cen2022",
    at="Theorem 1",
    source="derived",
    status="sharpened",
    given=[away],
    judge=for_all(t, up_to=60, exactly_up_to=6),
    on=on_trajectories,
    named={"two by two": lambda: _without_start(_two_by_two())},
    near_misses={"half of it for policies": policies_too_sharp, "γ times it for values": values_too_sharp},
    uses=["cen2022.thm1", "cen2022.thm1_monotone"],
    note="Follow the span of x = Q* − τ log ξ over the actions in place of its size.  As 0 <= Q* − Q⁽ᵗ⁾ <= e_t, with "
    "α = 1 − ητ/(1−γ) the span is at most (1 − α) e_t + α times the span before, which starts at most at "
    "2τ‖log π* − log π⁽⁰⁾‖; so it is at most C₁(1 − ητ)^t after t + 1 updates, and bounds τ‖log π* − log π‖.  Rewards "
    "of any size.",
)
def thm1_sharp(mdp, τ, share, θ, *, solver=entropy_natural_pg):
    """In Theorem 1 half of the bound on policies and a third of the one on values are enough."""
    yield from _trajectory(mdp, τ, share, θ, solver)


def _half_a_step(mdp, θ, *, temperature, step_size):
    return entropy_natural_pg(mdp, θ, temperature=temperature, step_size=step_size / 2)


@theorem(
    contraction,
    cite="cen2022",
    at="Equation (40)",
    source="recalled",
    given=[away],
    judge=for_all(t, up_to=12, exactly_up_to=0),
    on={"mdp": discounted_mdps(), "τ": numbers("1/10", 2), "θ": logits},
    named={"two by two": lambda: {x: y for x, y in _two_by_two().items() if x in ("mdp", "τ", "θ")}},
    near_misses={
        "half of it": half_as_near,
        "half a step": {"solver": _half_a_step},
    },
    uses=["cen2022.thm1_monotone"],
)
def spi(mdp, τ, θ, *, solver=entropy_natural_pg):
    """Soft policy iteration, η = (1 − γ) / τ, brings the soft action values nearer by a factor γ at every step."""
    yield from _trajectory(mdp, τ, 1, θ, solver)


# Bandits

policy_error = Quantity(
    r"\lVert \log \pi^{(t)} - \log \pi^*_\tau \rVert_\infty", "error of the logarithm of the policy"
)

with as_printed():
    bandit_converges = policy_error <= 2 * (1 - temperature * step_size) ** t * first_error_of_policy
    bandit_faster = policy_error <= 2 * (1 - temperature * step_size) ** (2 * t) * first_error_of_policy
    bandit_half = policy_error <= (1 - temperature * step_size) ** t * first_error_of_policy / 2


@theorem(
    bandit_converges,
    cite="cen2022",
    at="Proposition 1",
    given=[first_policy_not_optimal],
    judge=for_all(t, up_to=40, exactly_up_to=6),
    on={"mdp": bandits(), "τ": numbers("1/10", 2), "share": numbers("1/20", "19/20"), "θ": logits},
    named={"two arms": two_armed_bandit},
    near_misses={"the square of the rate": bandit_faster, "1 / 2 for 2": bandit_half},
)
def prop1(mdp, τ, share, θ, *, solver=entropy_natural_pg):
    """On a bandit the logarithm of the policy converges linearly in every entry, with rate 1 − ητ, for η <= 1 / τ."""
    best, η, first = soft_optimum(mdp, τ), _step(mdp, τ, share), None
    for it in solver(mdp, θ, temperature=τ, step_size=η):
        now = sup(it.log_π - best.log_π, 2)
        first = now if first is None else first
        yield {temperature: τ, step_size: η, t: it.k, policy_error: now, first_error_of_policy: first}


# Soft policy iteration near the optimum

soft_loss = Quantity(r"V^*_\tau(\rho) - V^{(t)}_\tau(\rho)", "gap before an update")
next_soft_loss = Quantity(r"V^*_\tau(\rho) - V^{(t+1)}_\tau(\rho)", "gap after it")
optimal_value = Quantity(r"V^*_\tau(\rho)", "soft optimal value")
to_update = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*_\tau}_\rho} \mathrm{KL}(\pi^{(t)} \Vert \pi^{(t+1)})",
    "divergence of the new policy from the old one, where the optimal policy goes",
)
to_optimum = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*_\tau}_\rho} \mathrm{KL}(\pi^*_\tau \Vert \pi^{(t+1)})",
    "divergence of the new policy from the optimal one, where the optimal one goes",
)
visits_ratio = Quantity(
    r"\lVert d^{\pi^*_\tau}_\rho / d^{(t+1)}_\rho \rVert_\infty",
    "mismatch of the optimal policy's visits with the new policy's",
    accuracy="relative",
)

with as_printed():
    gap_by_divergences = Eq(optimal_value, old_value + temperature / (1 - γ) * (to_update - to_optimum))
    gap_without_optimum = Eq(optimal_value, old_value + temperature / (1 - γ) * to_update)
    gap_without_horizon = Eq(optimal_value, old_value + temperature * (to_update - to_optimum))
    gap_contracts = next_soft_loss + soft_loss / visits_ratio <= soft_loss
    gap_contracts_twice = next_soft_loss + 2 * soft_loss / visits_ratio <= soft_loss
    tenfold_gap_contracts = 10 * next_soft_loss + soft_loss / visits_ratio <= soft_loss


@theorem(
    gap_by_divergences,
    cite="cen2022",
    at="Lemma 5",
    source="derived",
    judge=identity(t, up_to=8, exactly_up_to=2),
    on={"mdp": discounted_mdps(), "τ": numbers("1/10", 2), "θ": logits, "ρ": distributions},
    named={"two by two": lambda: {x: y for x, y in _two_by_two().items() if x != "share"}},
    near_misses={"without the optimal policy": gap_without_optimum, "without 1 / (1 − γ)": gap_without_horizon},
    note="The paper's display could not be read; this is what the soft performance difference lemma gives.",
)
def lem5(mdp, τ, θ, ρ, *, solver=entropy_natural_pg):
    """Under soft policy iteration the gap is a difference of two divergences, where the optimal policy goes."""
    best = soft_optimum(mdp, τ)
    d = occupancy(mdp, exp(best.log_π), ρ)
    for now, then in pairwise(solver(mdp, θ, temperature=τ)):
        yield {
            γ: mdp.discount,
            temperature: τ,
            t: now.k,
            optimal_value: total(ρ * best.v),
            old_value: total(ρ * soft_values(mdp, now.log_π, τ)),
            to_update: total(d * _divergence(now.log_π, then.log_π)),
            to_optimum: total(d * _divergence(best.log_π, then.log_π)),
        }


# An equality wherever visits do not depend on the policy; what float64 leaves open there is decided in balls.
_all = discounted_mdps(positive_start=True).families
small_models = discounted_mdps(positive_start=True, families=tuple(f for f in _all if f.name[-1] in "23"))


@theorem(
    gap_contracts,
    cite="cen2022",
    at="Equation (60)",
    source="derived",
    given=[positive_start, first_policy_not_optimal],
    judge=for_all(t, up_to=0),
    on={"mdp": small_models, "τ": numbers("1/10", 2), "θ": logits},
    named={"two by two": lambda: {x: y for x, y in _two_by_two().items() if x in ("mdp", "τ", "θ")}},
    near_misses={"twice as much taken off": gap_contracts_twice, "a tenth of the rest": tenfold_gap_contracts},
    uses=["cen2022.improve", "cen2022.lem5"],
    note="The paper's display could not be read, its factor stands in the text; proved from Lemmas 1 and 5.",
)
def eq60(mdp, τ, θ, *, solver=entropy_natural_pg):
    """Soft policy iteration contracts the gap by 1 − 1 / ‖d*/d⁽ᵗ⁺¹⁾‖, which tends to zero as the policies converge.

    That is where its quadratic convergence (Theorem 3) comes from.  Gaps are at the start distribution.
    """
    best = soft_optimum(mdp, τ)
    d = occupancy(mdp, exp(best.log_π))
    for now, then in pairwise(solver(mdp, θ, temperature=τ)):
        yield {
            t: now.k,
            soft_loss: soft_gap(mdp, now.log_π, τ, best),
            next_soft_loss: soft_gap(mdp, then.log_π, τ, best),
            visits_ratio: largest(d / occupancy(mdp, then.π)),
        }
