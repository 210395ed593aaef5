"""Hamdouche, Henry-Labordère, Pham (2023), Policy gradient learning methods for stochastic control with exit time.

Read: the abstract and the problem statement.  The statements are those of the tabular version, derived here: states
inside a region, at most N decisions, payoff g where the state leaves it or at the horizon.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from sympy import Abs, Eq

from mdplab import arrays, exact
from mdplab.arrays import expand, norm, rational, rational_number, total
from mdplab.exact import (
    baseline_weights,
    critic_weights,
    difference_weights,
    exit_derivatives,
    exit_gradient,
    exit_paths,
    exit_values,
    exit_visits,
    payoff_weights,
    score_moments,
)
from mdplab.instances import (
    Domain,
    Family,
    exit_logits,
    exit_policies,
    exit_time_mdps,
    gambler,
    numbers,
    ruin_models,
    share_repurchase,
    walk,
    which_exit,
)
from mdplab.models import ExitTimeMDP
from mdplab.sampling import (
    at_states,
    pair_sums,
    reinforce,
    rewards_to_go,
    rollouts,
    score_sum,
    state_baseline,
    td_actor_critic,
    td_steps,
)
from mdplab.solvers import exit_reinforce, exit_step, exit_time_pg
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, in_expectation, theorem

# ---------------------------------------------------------------------------------------------------------- the letters

N = Quantity("N", "horizon: the largest number of decisions", integer=True)
A = Quantity("A", "number of actions", integer=True)
G = Quantity("G", "largest absolute payoff", accuracy="exact")

dJ = Quantity(r"\partial_{\theta(i, x, a)} J", "derivative of the expected payoff in one logit")
by_payoff = Quantity(r"\mathbb{E} \textstyle\sum_{i < \tau} g(X_\tau) \nabla \log \pi(\alpha_i | i, X_i)", "REINFORCE")
by_critic = Quantity(
    r"\mathbb{E} \textstyle\sum_{i < \tau} V(i + 1, X_{i+1}) \nabla \log \pi(\alpha_i | i, X_i)", "critic form"
)
by_baseline = Quantity(
    r"\mathbb{E} \textstyle\sum_{i < \tau} (g(X_\tau) - V(i, X_i)) \nabla \log \pi(\alpha_i | i, X_i)", "baseline form"
)
by_differences = Quantity(
    r"\mathbb{E} \textstyle\sum_{i < \tau} (V(i + 1, X_{i+1}) - V(i, X_i)) \nabla \log \pi(\alpha_i | i, X_i)",
    "temporal-difference form",
)

# ------------------------------------------------------------------------------------------------------------ gradients

with as_printed():
    four_forms = {
        "payoff": Eq(dJ, by_payoff),
        "critic": Eq(dJ, by_critic),
        "baseline": Eq(dJ, by_baseline),
        "temporal differences": Eq(dJ, by_differences),
    }


few_paths = Assumption(
    r"(A (S + E))^N \le 10^5",
    "the paths are few enough to go through all of them",
    lambda mdp: np.full(mdp.batch, (mdp.A * (mdp.S + mdp.E)) ** mdp.N <= 10**5),
    lambda mdp: f"there are up to {mdp.A * (mdp.S + mdp.E)}^{mdp.N}",
)


def small_walk():
    """Two inner points, three times."""
    return {"mdp": walk(3, horizon=3)}


def every_decision(weights):
    return weights


def all_but_last(weights):
    """A mistake: the decision that causes the exit is left out."""
    return lambda V, path: [*weights(V, path)[:-1], 0 * V[..., 0, 0]]


def next_value_as_baseline(V, path):
    """A mistake: the baseline already knows what the action led to."""
    return [g - v for g, v in zip(payoff_weights(V, path), critic_weights(V, path), strict=True)]


def paid_inside(V, path):
    """A mistake: the payoff counts only where the horizon comes before the exit."""
    at_horizon = len(path.actions) == V.shape[-2] - 1
    return [g if at_horizon else 0 * g for g in payoff_weights(V, path)]


@theorem(
    four_forms,
    cite="hamd2023",
    at="policy gradient representation",
    source="derived",
    judge=identity(),
    on={"mdp": exit_time_mdps(), "π": exit_policies},
    given=[few_paths],
    named={"walk": small_walk},
    near_misses={
        "without the decision that causes the exit": {"decisions": all_but_last},
        "the next value as baseline": {"baseline": next_value_as_baseline},
        "payoff only at the horizon": {"payoff": paid_inside},
    },
    note="Randomised policies are what makes it so simple: for deterministic controls of a diffusion the derivative "
    "along paths misses how the exit time moves.",
)
def pg(mdp, π, *, payoff=payoff_weights, baseline=baseline_weights, decisions=every_decision):
    """Payoff times scores up to exit has the gradient as its mean, and so have three forms with a critic.

    The left side goes by visits and advantages, the right sides by all paths.
    """
    forms = {by_payoff: payoff, by_critic: critic_weights, by_baseline: baseline, by_differences: difference_weights}
    yield {dJ: exit_gradient(mdp, π)} | {q: score_moments(mdp, π, decisions(f))[0] for q, f in forms.items()}


along_u = Quantity(r"\langle u, \nabla J \rangle", "derivative of the expected payoff along u")
by_visits = Quantity(
    r"\sum_{i, x} P(X_i = x, i < \tau) \sum_a \pi(a | i, x)\, u(i, x, a)\, (Q - V)(i, x, a)",
    "visits times probabilities times advantages, along u",
)

with as_printed():
    gradient_claim = Eq(along_u, by_visits)


def buy_below_average(mdp):
    """Buys three times in four where the price is below the average, and once in four elsewhere;  (N, S, 2)."""
    _, price, average = repurchase_states(mdp)
    likely = rational(np.where(price < average, 3, 1)[: mdp.S]) / 4
    row = np.stack([1 - likely, likely], axis=-1)
    return np.stack([row] * mdp.N)


def repurchase():
    """The share repurchase over eight days: far too many paths, but few states."""
    mdp = share_repurchase()
    u = np.arange(mdp.N * mdp.S * mdp.A).reshape(mdp.N, mdp.S, mdp.A) % 7 - 3
    return {"mdp": mdp, "π": buy_below_average(mdp), "u": rational(u)}


def visited(mdp, π):
    return exit_visits(mdp, π)


def visited_later(mdp, π):
    """A mistake: the decision that causes the exit is left out, as the visits are those of the time after."""
    d = exit_visits(mdp, π)
    return arrays.namespace(d).concat([d[..., 1:, :], 0 * d[..., :1, :]], axis=-2)


def not_paid_outside(mdp, π):
    """A mistake: the payoff counts only where the horizon comes before the exit."""
    inside = (np.arange(mdp.S + mdp.E) < mdp.S).astype(int)
    kept = mdp.payoff * (rational(inside) if arrays.is_exact(mdp.payoff) else inside)
    return exact.exit_advantages(ExitTimeMDP(mdp.P, kept, mdp.horizon, mdp.start), π)


@theorem(
    gradient_claim,
    cite="hamd2023",
    at="policy gradient representation, by dynamic programming",
    source="derived",
    judge=identity(),
    on={"mdp": exit_time_mdps(), "π": exit_policies, "u": exit_logits},
    named={"share repurchase": repurchase},
    near_misses={
        "without the decision that causes the exit": {"visits": visited_later},
        "action values for advantages": {"advantages": exact.exit_action_values},
        "payoff only at the horizon": {"advantages": not_paid_outside},
    },
    note="Where paths are too many: the left side differentiates the backward recursion and knows no visits.",
)
def pg_by_recursion(mdp, π, u, *, visits=visited, advantages=exact.exit_advantages):
    """Visits times advantages are the gradient of the recursion for the payoff, on the share repurchase too."""
    slopes = expand(visits(mdp, π), 1) * π * advantages(mdp, π)
    yield {along_u: exit_derivatives(mdp, π, u)[0], by_visits: total(u * slopes, 3)}


square_payoff = Quantity(
    r"\mathbb{E} \| \hat g_{\text{payoff}} \|^2", "second moment of REINFORCE", accuracy="relative"
)
square_critic = Quantity(
    r"\mathbb{E} \| \hat g_{\text{critic}} \|^2", "second moment, critic form", accuracy="relative"
)
square_baseline = Quantity(r"\mathbb{E} \| \hat g_{\text{baseline}} \|^2", "second moment, baseline form")
square_differences = Quantity(r"\mathbb{E} \| \hat g_{\text{TD}} \|^2", "second moment, temporal-difference form")

with as_printed():
    smaller_variance = {"differences": square_differences <= square_baseline, "critic": square_critic <= square_payoff}
    always_better = square_differences <= square_payoff
    baseline_helps = square_baseline <= square_payoff


def likely_first():
    """One decision between exits paid 1 and 0, the first nine times in ten: a critic makes REINFORCE worse."""
    mdp = ExitTimeMDP(which_exit().P, rational([0, 1, 0]), 1)
    return {"mdp": mdp, "π": rational([[["9/10", "1/10"]]])}


@theorem(
    smaller_variance,
    cite="hamd2023",
    at="variance of the estimators",
    source="derived",
    judge=for_all(),
    on={"mdp": exit_time_mdps(), "π": exit_policies},
    given=[few_paths],
    named={"walk": small_walk, "two exits": which_exit, "likely first exit": likely_first},
    near_misses={
        "differences better than the payoff, always": always_better,
        "a baseline always helps": baseline_helps,
    },
    note="g − V(i, X_i) is a sum of martingale differences, and scores of different times are different coordinates.  "
    "All forms have the same mean, so second moments compare as variances do.  Not claimed for shared logits.",
)
def var(mdp, π):
    """With logits for each time, temporal differences vary no more than a baseline does, and V no more than g."""
    forms = {
        square_payoff: payoff_weights,
        square_critic: critic_weights,
        square_baseline: baseline_weights,
        square_differences: difference_weights,
    }
    yield {q: score_moments(mdp, π, f)[1] for q, f in forms.items()}


# ------------------------------------------------------------------------------- what deterministic controls would miss

dJ_da = Quantity(r"J'(a)", "derivative of the mean payoff in the control", accuracy="relative")
α = Quantity(r"\alpha", "slope of the payoff outside: g(y) = α y for y ≤ 0", accuracy="exact")
c = Quantity("c", "payoff of staying inside", accuracy="exact")
σ = Quantity(r"\sigma", "standard deviation of the step", accuracy="exact")
leaves = Quantity(r"\mathbb{P}(X_1 \le 0)", "probability of the exit", accuracy="relative")
density = Quantity(
    r"\varphi((x_0 + a) / \sigma)", "standard normal density at the boundary, seen from the mean", accuracy="relative"
)

with as_printed():
    with_boundary = Eq(dJ_da, α * leaves + c / σ * density)
    pathwise_only = Eq(dJ_da, α * leaves)
    without_σ = Eq(dJ_da, α * leaves + c * density)


def one_step_out():
    """x_0 + a = 7/10, σ = 2, payoff 3/10 y outside and 1 inside."""
    return {x: rational_number(y) for x, y in (("mean", "7/10"), ("deviation", 2), ("slope", "3/10"), ("inside", 1))}


@theorem(
    with_boundary,
    cite="hamd2023",
    at="why policies are randomised",
    source="derived",
    judge=identity(),
    on={
        "mean": numbers(-2, 2),
        "deviation": numbers("1/2", 2),
        "slope": numbers("1/10", 2),
        "inside": numbers("1/10", 2),
    },
    named={"one step": one_step_out},
    near_misses={"along paths only": pathwise_only, "without σ": without_σ},
    note="The one-step case: X_1 = x_0 + a + σ Z with Z normal, exit if X_1 ≤ 0.  Score functions have no such term.",
)
def deterministic(mean, deviation, slope, inside):
    """For a deterministic control the derivative along paths, E[g'(X); exit], misses that the exit itself moves.

    The left side is the derivative, by power series in balls, of J = E[α X_1; X_1 ≤ 0] + c P(X_1 > 0).
    """
    import flint

    m, s, k, stay = map(arrays.ball, (mean, deviation, slope, inside))

    def outside(z):
        """P(Z > z) for a standard normal Z; of a power series too."""
        return (z / flint.arb(2).sqrt()).erfc() / 2

    def bell(z):
        return (-z * z / 2).exp() / (2 * flint.arb.pi()).sqrt()

    x = flint.arb_series([m, 1], prec=2)
    J = k * (x * outside(x / s) - s * bell(x / s)) + stay * (1 - outside(x / s))
    found = {dJ_da: J[1], leaves: outside(m / s), density: bell(m / s)}
    as_given = (lambda y: y) if arrays.is_exact(mean) else arrays.number
    yield {α: slope, c: inside, σ: deviation} | {q: as_given(y) for q, y in found.items()}


later = Quantity(r"\mathbb{E}[G'(X_1);\, X_1 > 0]", "derivative along paths that go on")
G_0 = Quantity("G(0)", "value of going on from the boundary", accuracy="relative")

with as_printed():
    two_steps_claim = Eq(dJ_da, α * leaves + later + G_0 / σ * density)
    two_steps_pathwise = Eq(dJ_da, α * leaves + later)
    two_steps_as_one = Eq(dJ_da, α * leaves + later + c / σ * density)


@theorem(
    two_steps_claim,
    cite="hamd2023",
    at="why policies are randomised, two steps",
    source="derived",
    judge=identity(),
    on={
        "mean": numbers(-2, 2),
        "deviation": numbers("1/2", 2),
        "slope": numbers("1/10", 2),
        "inside": numbers("1/10", 2),
    },
    named={"two steps": one_step_out},
    near_misses={"along paths only": two_steps_pathwise, "the boundary as after one step": two_steps_as_one},
    note="X_1 = x_0 + a + σ Z and X_2 = X_1 + σ Z' unless X_1 ≤ 0; the payoff is α y outside and c inside, and "
    "G(y) = E g(y + σ Z').  Integrals are enclosed by adaptive quadrature in balls.",
)
def two_steps(mean, deviation, slope, inside):
    """What the exit adds to the derivative along paths is the density at the boundary times the value lost there.

    The left side is the score form E[h(X_1) (X_1 − x_0 − a)] / σ² that a randomised control needs alone; h is the
    payoff after an exit, else G.
    """
    import flint

    m, s, k, stay = map(arrays.ball, (mean, deviation, slope, inside))
    one = flint.acb(1)

    def outside(z):
        return (z / flint.arb(2).sqrt()).erfc() / 2

    def bell(z):
        return (-z * z / 2).exp() / (2 * flint.arb.pi()).sqrt()

    def going_on(y):
        return k * (y * outside(y / s) - s * bell(y / s)) + stay * (1 - outside(y / s))

    def slope_of_it(y):
        return k * outside(y / s) + stay * bell(y / s) / s

    def over_inside(f):
        """E[f(X_1); X_1 > 0] for f of linear growth; what lies beyond `far` deviations is less than 2^-precision."""
        bits = flint.ctx.prec
        far = 2 * flint.arb(bits).sqrt() + 10
        area = flint.acb.integral(lambda x, _: f(x) * bell((x - m) / s) / s, 0 * one, one * (abs(m) + far * s))
        return area.real + flint.arb(0, 2.0 ** -min(bits, 1000))

    after_an_exit = k * outside(m / s)  # E[α X_1 (X_1 − m); X_1 ≤ 0] / σ², by parts
    found = {
        dJ_da: after_an_exit + over_inside(lambda x: going_on(x) * (x - m) / (s * s)),
        leaves: outside(m / s),
        density: bell(m / s),
        later: over_inside(slope_of_it),
        G_0: going_on(flint.arb(0)),
    }
    as_given = (lambda y: y) if arrays.is_exact(mean) else arrays.number
    yield {α: slope, c: inside, σ: deviation} | {q: as_given(y) for q, y in found.items()}


# --------------------------------------------------------------------------------------------------------- the critic

i = Quantity("i", "time", integer=True)
mean_stopped = Quantity(r"\mathbb{E} V(i \wedge \tau, X_{i \wedge \tau})", "mean of the stopped critic")
J = Quantity("J", "mean payoff, by all paths")

with as_printed():
    martingale_claim = Eq(mean_stopped, J)


def zero_at_exit(mdp, V):
    """A mistake: the critic is left at zero outside before the horizon."""
    inside = (np.arange(mdp.S + mdp.E) < mdp.S).astype(int)
    return arrays.namespace(V).concat(
        [
            V[..., :-1, :] * (rational(inside) if arrays.is_exact(V) else arrays.namespace(V).asarray(inside)),
            V[..., -1:, :],
        ],
        axis=-2,
    )


def one_step_late(mdp, V):
    """A mistake: the values of the time after."""
    return arrays.namespace(V).concat([V[..., 1:, :], V[..., -1:, :]], axis=-2)


@theorem(
    martingale_claim,
    cite="hamd2023",
    at="martingale property of the critic",
    source="derived",
    judge=identity(i, up_to=3, exactly_up_to=3),
    on={"mdp": exit_time_mdps(), "π": exit_policies},
    given=[few_paths],
    named={"walk": small_walk},
    near_misses={"zero at exit": {"critic": zero_at_exit}, "one step late": {"critic": one_step_late}},
)
def martingale(mdp, π, *, critic=lambda mdp, V: V):
    """The policy's value along its own paths, stopped at exit, keeps its mean: the payoff's."""
    V, paths = critic(mdp, exit_values(mdp, π)), list(exit_paths(mdp, π))
    payoff = sum(p.probability * mdp.payoff[..., p.states[-1]] for p in paths)
    for n in range(mdp.N + 1):
        stopped = [(p, min(n, len(p.actions))) for p in paths]
        yield {i: n, J: payoff, mean_stopped: sum(p.probability * V[..., m, p.states[m]] for p, m in stopped)}


conditional = Quantity(r"\mathbb{E}[g(X_\tau);\, X_i = x,\, i < \tau]", "payoff of the paths through (i, x)")
through = Quantity(r"\mathbb{P}(X_i = x,\, i < \tau)", "probability to be inside at (i, x)", accuracy="relative")
V_x = Quantity("V(i, x)", "value of the policy")
V_start = Quantity("V(0, x)", "value of the policy at time 0")

with as_printed():
    regression_claim = Eq(conditional, through * V_x)
    any_time = Eq(conditional, through * V_start)


@theorem(
    regression_claim,
    cite="hamd2023",
    at="offline critic",
    source="derived",
    judge=identity(),
    on={"mdp": exit_time_mdps(), "π": exit_policies},
    given=[few_paths],
    named={"walk": small_walk},
    near_misses={"values that ignore the time": any_time},
    note="The least-squares fit of a function of (i, x) to payoffs is their mean given that (i, x) is visited.",
)
def regression(mdp, π):
    """The payoff's regression on the time and place of a path is the value function, wherever paths go."""
    V = exit_values(mdp, π)[..., : mdp.S]
    found = 0 * V[..., :-1, :]
    for path in exit_paths(mdp, π):
        for n, x in enumerate(path.states[: len(path.actions)]):
            found[..., n, x] += path.probability * mdp.payoff[..., path.states[-1]]
    yield {conditional: found, through: exit_visits(mdp, π), V_x: V[..., :-1, :], V_start: V[..., :1, :] + 0 * found}


# ----------------------------------------------------------------------------------------------------- gambler's ruin

hits = Quantity(r"\mathbb{P}_x(\text{hit } n)", "probability to reach n before 0", accuracy="relative")
up_to_x = Quantity(r"\sum_{j < x} (q/p)^j", "geometric sum", accuracy="relative")
up_to_n = Quantity(r"\sum_{j < n} (q/p)^j", "geometric sum", accuracy="relative")
fortune = Quantity("x", "fortune", integer=True)
goal = Quantity("n", "the goal", integer=True)

is_gambler = Assumption(
    r"P(x \pm 1 | x) > 0,\ P(x + 1 | x) = p,\ g = 1_{\{n\}}",
    "fortunes 1, ..., n − 1 go up or down by one, with the same chances, and only n is paid",
    lambda mdp: _is_gambler(mdp),
    lambda mdp: "it is another model",
)


def _is_gambler(mdp):
    """Whether a model is `gambler(n, p)`, up to its horizon and start."""
    no = np.zeros(mdp.batch, dtype=bool)
    if mdp.A != 1 or mdp.E != 2:
        return no
    one, zero = (arrays.floats(gambler(mdp.S + 1, p).P) for p in (1, 0))
    P = arrays.floats(mdp.P)
    p = P[..., 0, 0, -1 if mdp.S == 1 else 1][..., None, None, None]
    same = abs(P - p * one - (1 - p) * zero).max(axis=(-3, -2, -1)) < 1e-12
    pays = (arrays.floats(mdp.payoff)[..., -2:] == [0, 1]).all(axis=-1)
    return same & pays & (p[..., 0, 0, 0] > 0)


with as_printed():
    ruin_claim = Eq(hits, up_to_x / up_to_n)
    fair = Eq(hits, fortune / goal)


@theorem(
    ruin_claim,
    cite="hamd2023",
    at="gambler's ruin, a regression test of the exit equations",
    source="derived",
    status="folklore",
    judge=identity(),
    on={"mdp": ruin_models()},
    given=[is_gambler],
    named={"fair, to eight": gambler, "three tenths": lambda: gambler(8, "3/10")},
    near_misses={"as if fair": fair, "p and q exchanged": {"swapped": True}},
    note="((q/p)^x − 1) / ((q/p)^n − 1), and x/n for p = q, written with geometric sums.",
)
def ruin(mdp, *, swapped=False):
    """Without a horizon a gambler who wins with probability p reaches n before 0 as the classical formula says."""
    n = mdp.S + 1
    outside = -1 if n == 2 else 1
    p = mdp.P[..., 0, 0, outside]
    ratio = p / (1 - p) if swapped else (1 - p) / p
    powers = [ratio**j for j in range(n)]
    sums = [sum(powers[:x]) for x in range(1, n + 1)]
    sums = rational(sums) if arrays.is_exact(p) else arrays.namespace(p).stack(sums, axis=-1)
    one_action = mdp.P[..., 0] * 0 + 1
    x = np.arange(1, n) + np.zeros((*mdp.batch, 1), dtype=int)
    yield {
        hits: exact.values_without_horizon(mdp, one_action),
        up_to_x: sums[..., :-1],
        up_to_n: sums[..., -1:],
        fortune: rational(x) if arrays.is_exact(sums) else x,
        goal: n,
    }


# ----------------------------------------------------------------------------------------------------------- smoothness

bend = Quantity(r"u^\top \nabla^2 J\, u", "curvature along u, logits for each time")
bend_shared = Quantity(r"\bar u^\top \nabla^2 J\, \bar u", "curvature along ū, logits shared by all times")
length = Quantity(r"\| u \|^2", "squared length of u", accuracy="relative")
length_shared = Quantity(r"\| \bar u \|^2", "squared length of ū", accuracy="relative")
second_moment = Quantity(r"\mathbb{E} \| \hat g \|^2", "second moment of REINFORCE", accuracy="relative")
second_moment_shared = Quantity(
    r"\mathbb{E} \| \hat g_{\text{shared}} \|^2", "second moment of REINFORCE, shared logits", accuracy="relative"
)

with as_printed():
    smooth_claims = {
        "logits for each time": Abs(bend) <= N * G * length,
        "shared logits": Abs(bend_shared) <= N * G * length_shared,
    }
    a_fifth = Abs(bend) <= G / 5 * length
    a_fifth_shared = Abs(bend_shared) <= G / 5 * length_shared


def sharpest():
    """One decision between payoffs 1 and −1, π near (1 ± 1/√3) / 2: curvature 0.385."""
    return {"mdp": which_exit(), "π": rational([[["789/1000", "211/1000"]]]), "u": rational([[[1, -1]]])}


@theorem(
    smooth_claims,
    cite="hamd2023",
    at="smoothness",
    source="derived",
    judge=for_all(),
    on={"mdp": exit_time_mdps(), "π": exit_policies, "u": exit_logits},
    named={"two exits": sharpest},
    near_misses={"G/5": a_fifth, "G/5, shared logits": a_fifth_shared},
    note="Not near: what was tried stays below 0.4 N G.",
)
def smooth(mdp, π, u):
    """The expected payoff is N G-smooth in the logits, shared by all times or not."""
    shared = u[..., :1, :, :]
    yield {
        N: mdp.N,
        G: mdp.payoff_bound,
        bend: exit_derivatives(mdp, π, u)[1],
        length: total(u * u, 3),
        # The same logits at all times ask for a policy that is the same at all times.
        bend_shared: exit_derivatives(mdp, 0 * π + π[..., :1, :, :], 0 * u + shared)[1],
        length_shared: total(shared * shared, 3),
    }


with as_printed():
    moment_claims = {
        "logits for each time": second_moment <= N * (1 - 1 / A) * G**2,
        "shared logits": second_moment_shared <= N * (1 - 1 / A) * G**2,
    }
    without_N = second_moment <= (1 - 1 / A) * G**2
    half_moment = second_moment <= N * (1 - 1 / A) * G**2 / 2


def undecided():
    """One decision without preference between payoffs 1 and −1: the bound is attained."""
    return {"mdp": which_exit()}


def long_stay():
    """Three decisions that change nothing: g = 1 wherever one ends."""
    return {"mdp": ExitTimeMDP(rational([[[1], [1]]]), rational([1]), 3)}


@theorem(
    moment_claims,
    cite="hamd2023",
    at="second moment of the estimator",
    source="derived",
    judge=for_all(),
    on={"mdp": exit_time_mdps(), "π": exit_policies},
    given=[few_paths],
    named={"two exits": undecided, "three decisions": long_stay},
    near_misses={"without N": without_N, "half of it": half_moment},
    note="Attained by the uniform policy with |g| constant: N scores of mean zero, each of squared length 1 − 1/A; in "
    "general a score's mean squared length is 1 − Σ_a π(a)².",
)
def moment(mdp, π):
    """The mean squared length of payoff times scores is at most N (1 − 1/A) G²."""
    yield {
        N: mdp.N,
        A: mdp.A,
        G: mdp.payoff_bound,
        second_moment: score_moments(mdp, π, payoff_weights)[1],
        second_moment_shared: score_moments(mdp, 0 * π + π[..., :1, :, :], payoff_weights, shared=True)[1],
    }


# --------------------------------------------------------------------------------------------------------------- ascent

k = Quantity("k", "updates so far", integer=True)
gain = Quantity(r"J(\theta_{k+1}) - J(\theta_k)", "what one step gains")
slope = Quantity(r"\| \nabla J(\theta_k) \|_2", "length of the gradient")
η = Quantity(r"\eta", "step size", accuracy="exact")

with as_printed():
    ascends = gain >= η / 2 * slope**2
    ascends_by_all = gain >= η * slope**2


def right_preferred():
    """One decision between payoffs 1 and −1, the better preferred: the curvature is negative."""
    return {"mdp": which_exit(), "θ": rational([[[1, 0]]])}


@theorem(
    ascends,
    cite="hamd2023",
    at="monotone ascent",
    source="derived",
    judge=for_all(k, up_to=20, exactly_up_to=3),
    on={"mdp": exit_time_mdps(), "θ": exit_logits},
    named={"two exits": right_preferred},
    near_misses={"η for η/2": ascends_by_all, "a hundred times the step": {"factor": 100}},
)
def ascent(mdp, θ, *, factor=1):
    """With step 1 / (N G) every update gains at least half of η times the squared gradient."""
    step, before = factor / (mdp.N * (mdp.payoff_bound + unpaid(mdp))), None
    for it in exit_time_pg(mdp, θ, step_size=step):
        if before is not None:
            better = total(exit_visits(mdp, it.π) * total(it.π * exact.exit_advantages(mdp, before.π)), 2)
            yield {k: before.k, η: step, gain: better, slope: norm(before.gradient, 3)}
        before = it


def unpaid(mdp):
    """One where all payoffs are zero, else zero."""
    zero = mdp.payoff_bound == 0
    return int(zero) if arrays.is_exact(mdp.P) else 1.0 * zero


# ------------------------------------------------------------------------------------------------- the share repurchase

spent = Quantity(r"\mathbb{E} \textstyle\sum_{i < \tau} \alpha_i S_i", "money spent", accuracy="relative")
worth = Quantity(r"\mathbb{E}\, S_\tau \textstyle\sum_{i < \tau} \alpha_i", "worth of the shares at the end")
worth_first = Quantity(r"\mathbb{E}\, S_0 \textstyle\sum_{i < \tau} \alpha_i", "their worth at the first price")

with as_printed():
    no_bargain = Eq(spent, worth)
    at_first_price = Eq(spent, worth_first)


def repurchase_states(mdp):
    """(shares, price, average) of each state, those outside last;  each (S + E,)."""
    return np.unravel_index(np.arange(mdp.S + mdp.E), (5, 5, 5))


@lru_cache(64)
def _prices_are_fair(mdp):
    if (mdp.S, mdp.E, mdp.A) != (100, 25, 2):
        return np.zeros(mdp.batch, dtype=bool)
    shares, price, _ = repurchase_states(mdp)
    mean_price, mean_shares = (arrays.floats(mdp.P) @ x.astype(float) for x in (price, shares))
    fair = abs(mean_price - price[: mdp.S, None]) < 1e-9
    return (fair & (abs(mean_shares - shares[: mdp.S, None] - [0, 1]) < 1e-9)).all(axis=(-2, -1))


fair_prices = Assumption(
    r"\mathbb{E}[S_{i+1} | S_i] = S_i",
    "states are (shares, price, average), the second action buys one share, and the price is a martingale",
    _prices_are_fair,
    lambda mdp: "it is another model",
)


def repurchases(rng, size):
    """`share_repurchase` with moves of many probabilities and short horizons."""
    still, moving = (share_repurchase(3, move).floats() for move in (0, "1/2"))
    p = 2 * rng.uniform(0, 0.5, (size, 1, 1, 1))
    g, start = (np.broadcast_to(x, (size, *x.shape)).copy() for x in (still.payoff, still.start))
    return ExitTimeMDP((1 - p) * still.P + p * moving.P, g, 3, start)


def _some_repurchase():
    from hypothesis import strategies as st

    moves = st.sampled_from(["1/4", "1/2", "1/10", 0])
    return st.builds(lru_cache(share_repurchase), st.integers(1, 2), moves, st.sampled_from(["1/3", 0, 1]))


def with_drift(mdp):
    """A mistake: in each state half of what stays goes to the next higher price instead, as far as there is one."""
    P = mdp.P.copy()
    for x, price in enumerate(repurchase_states(mdp)[1]):
        if price < 4:
            P[..., x] -= mdp.P[..., x] / 2
            P[..., x + 5] += mdp.P[..., x] / 2
    return ExitTimeMDP(P, mdp.payoff, mdp.horizon, mdp.start)


@theorem(
    no_bargain,
    cite="hamd2023",
    at="share repurchase on grids",
    source="derived",
    judge=identity(),
    on={
        "mdp": Domain(_some_repurchase, families=(Family("share-repurchase", repurchases),), model=ExitTimeMDP),
        "π": exit_policies,
    },
    given=[fair_prices],
    named={"buying below the average": lambda: {x: y for x, y in repurchase().items() if x != "u"}},
    near_misses={"the first price for the last": at_first_price, "prices that drift": {"of": with_drift}},
    note="Optional stopping: E[S_τ | X_i] = S_i for a bounded martingale.  So the state need not hold the money spent.",
)
def no_free_shares(mdp, π, *, of=lambda mdp: mdp):
    """At fair prices shares cost, on average and whatever the policy, what they are worth at the end.

    What is spent goes by visits, and what shares are worth by the backward recursion for another payoff.
    """
    mdp = of(mdp)
    shares, price, _ = (rational(x) if arrays.is_exact(mdp.P) else x.astype(float) for x in repurchase_states(mdp))

    def at_exit(payoff):
        return exact.exit_value(ExitTimeMDP(mdp.P, 0 * mdp.payoff + payoff, mdp.horizon, mdp.start), π)

    yield {
        spent: total(exit_visits(mdp, π) * π[..., 1] * price[: mdp.S], 2),
        worth: at_exit(shares * price),
        worth_first: at_exit(2 * shares),
    }


# --------------------------------------------------------------------------------------------------------- trajectories

with as_printed():
    half_of_it = Eq(dJ, 2 * by_payoff)

few = exit_time_mdps()


def inner(V, mdp):
    """Values of time and place inside (..., N + 1, S + E) -> (..., N·S)."""
    return V[..., :-1, : mdp.S].reshape(*V.shape[:-2], mdp.N * mdp.S)


def true_critic(mdp, π):
    """The policy's own values."""
    return inner(exit_values(mdp, π), mdp)


def without_exit(seen):
    """A mistake: what is paid at an exit before the horizon is not seen."""
    at_end = seen.weights[..., -1:] > 0
    return replace(seen, rewards=seen.rewards * at_end)


def as_seen(seen):
    """Trajectories as they are."""
    return seen


@theorem(
    four_forms,
    cite="hamd2023",
    at="policy gradient representation, from trajectories",
    source="derived",
    judge=in_expectation([by_payoff, by_critic, by_baseline, by_differences]),
    on={"mdp": few, "π": exit_policies},
    named={"walk": small_walk},
    near_misses={"half of it": half_of_it, "exits that are not paid": {"look": without_exit}},
    uses=["hamd2023.pg"],
    note="The estimators of the solvers, on the trajectories that these are given, over all their outcomes.",
)
def sampled(mdp, π, draws, *, look=as_seen):
    """What the solvers compute from a trajectory has the gradient as its mean, with any of the four weights."""
    rows = π.reshape(*π.shape[:-3], mdp.N * mdp.S, mdp.A)
    seen, v = look(rollouts(mdp, π, mdp.N, draws)), true_critic(mdp, π)
    ahead = seen.rewards + at_states(v, seen)[..., 1:]
    yield {
        dJ: exit_gradient(mdp, π).reshape(rows.shape),
        by_payoff: reinforce(seen, rows),
        by_critic: score_sum(seen, seen.weights * ahead, rows),
        by_baseline: reinforce(seen, rows, state_baseline(seen, v)),
        by_differences: td_actor_critic(seen, rows, v, 1),
    }


offline_defect = Quantity(
    r"\mathbb E [g(X_\tau) - V(i, x);\ X_i = x,\ i < \tau]", "what regression would still change, at (i, x)"
)
online_defect = Quantity(
    r"\mathbb E [V(i + 1, X_{i+1}) - V(i, x);\ X_i = x,\ i < \tau]", "what temporal differences would still change"
)
nothing = Quantity("0", "nothing", accuracy="exact")

with as_printed():
    at_rest = {"offline": Eq(offline_defect, nothing), "online": Eq(online_defect, nothing)}


def values_of_the_start(mdp, π):
    """A mistake: values of the first time for all times."""
    V = exit_values(mdp, π)
    return inner(0 * V + V[..., :1, :], mdp)


@theorem(
    at_rest,
    cite="hamd2023",
    at="critics from trajectories",
    source="derived",
    judge=in_expectation([offline_defect, online_defect]),
    on={"mdp": few, "π": exit_policies},
    named={"walk": small_walk},
    near_misses={
        "values that ignore the time": {"critic": values_of_the_start},
        "exits that are not paid": {"look": without_exit},
    },
)
def critics_at_rest(mdp, π, draws, *, critic=true_critic, look=as_seen):
    """At the policy's own values neither regression nor temporal differences move the critic on average."""
    seen, v = look(rollouts(mdp, π, mdp.N, draws)), critic(mdp, π)
    here = at_states(v, seen)
    regress = seen.weights * (rewards_to_go(seen) - here[..., :-1])
    defects = [
        pair_sums(seen.states, 0 * seen.actions, x, mdp.N * mdp.S, 1)[..., 0]
        for x in (regress, seen.weights * td_steps(seen, v, 1))
    ]
    yield {offline_defect: defects[0], online_defect: defects[1], nothing: 0 * v}


mean_gain = Quantity(r"\mathbb E [J(\theta + \eta \hat g) - J(\theta)]", "mean gain of one sampled update")
square_of_estimate = Quantity(r"\mathbb E \| \hat g \|^2", "mean square of the estimate", accuracy="relative")

with as_printed():
    gains_on_average = mean_gain >= η * slope**2 - N * G / 2 * η**2 * square_of_estimate
    gains_without_noise = mean_gain >= η * slope**2
    gains_with_little_noise = mean_gain >= η * slope**2 - N * G / 8 * η**2 * square_of_estimate


def mostly_right():
    """One decision between payoffs 1 and −1, the better one mostly taken, a step of two."""
    return {"mdp": which_exit(), "θ": rational([[[1, 0]]]), "step_size": rational_number(2)}


@theorem(
    gains_on_average,
    cite="hamd2023",
    at="one update of the direct method from a trajectory",
    source="derived",
    judge=in_expectation([mean_gain, square_of_estimate]),
    on={"mdp": few, "θ": exit_logits, "step_size": numbers("1/10", 4)},
    named={"mostly right": mostly_right},
    near_misses={
        "without the noise": gains_without_noise,
        "a quarter of the noise": gains_with_little_noise,
        "down the gradient": {"sign": -1},
    },
    uses=["hamd2023.smooth"],
)
def sampled_gain(mdp, θ, step_size, draws, *, sign=1):
    """A sampled update gains η‖∇J‖² in the mean, less half of N G times η² times the noise."""
    it = next(exit_reinforce(mdp, θ, draws=draws, step_size=step_size))
    moved = arrays.softmax(exit_step(it.θ, sign * step_size, it.direction))
    behind = mdp.map(lambda x: np.expand_dims(np.asarray(x), len(mdp.batch)))
    change = total((moved - it.π[..., None, :, :, :]) * exact.exit_advantages(mdp, it.π)[..., None, :, :, :])
    yield {
        N: mdp.N,
        G: mdp.payoff_bound,
        η: step_size,
        slope: norm(exit_gradient(mdp, it.π), 3),
        square_of_estimate: total(it.direction * it.direction, 3),
        mean_gain: total(exit_visits(behind, moved) * change, 2),
    }
