"""Hong, Qi, Xu (2024), A Policy Gradient Method for Confounded POMDPs: identification, and what goes wrong without it.

The numbers of the paper's own statements are not at hand, see the card.  Stages are counted t = 0, ..., T − 1 here; the
value is the expected sum of T rewards under a policy that acts on observations and its own past actions.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from hypothesis import strategies as st
from sympy import Eq, Max, Rational, log, sqrt

from mdplab.arrays import (
    expand,
    identity_like,
    largest,
    namespace,
    norm,
    rational,
    rational_number,
    smallest,
    solve,
    total,
    transposed,
)
from mdplab.exact import (
    best_history_policy,
    history_gap,
    history_gradient,
    history_slope,
    history_sum,
    history_value,
    identification,
    identified_slope,
    identified_value,
    naive_gradient,
    naive_value,
    observed_law,
    reach,
    softmax_slope,
    true_rewards,
)
from mdplab.exact.confounded import consistent_solution, uniform_policy
from mdplab.instances import (
    Domain,
    Family,
    blind_twins,
    confounded_pomdps,
    history_policies,
    numbers,
    sign_reversal,
    two_witnesses,
    unconfounded,
)
from mdplab.instances.confounded import SQUARE, confounded
from mdplab.models import ConfoundedPOMDP
from mdplab.sampling import (
    OfflineData,
    bridge_rewards,
    naive_history_rewards,
    offline_data,
    plugin_rewards,
    regularised_inverse,
    seen_laws,
)
from mdplab.theorem import (
    Assumption,
    Quantity,
    Without,
    as_printed,
    for_all,
    identity,
    in_expectation,
    theorem,
    with_probability,
    witness,
)

identified = Assumption(
    r"\operatorname{rank} E = \operatorname{rank} \Pr(S_t \mid O_0, h, a) = |\mathcal S|,\ \pi^b > 0",
    "observations and proxy tell all states apart after every history, and the behaviour policy takes every action",
    lambda model: identification(model).holds,
    lambda model: identification(model).reason,
)
blind = Assumption(
    r"\pi^b(\cdot \mid s) \text{ does not depend on } s",
    "the behaviour policy does not see the state",
    lambda model: (model.behaviour == model.behaviour[..., :1, :]).reshape(*model.batch, -1).all(axis=-1),
)
overlap = Assumption(
    r"\pi^b > 0",
    "the behaviour policy takes every action in every state",
    lambda model: (model.behaviour > 0).reshape(*model.batch, -1).all(axis=-1),
)

V = Quantity(r"V(\theta)", "value of the policy")
bridged = Quantity(
    r"\mathbb{E} \textstyle\sum_a b_V^1(a, O_1)", "mean of the first value bridge, computed from the law of the data"
)
slope = Quantity(r"\partial_\theta V(\theta)", "derivative of the value by a logit")
bridged_slope = Quantity(
    r"\mathbb{E} \textstyle\sum_a b_\nabla^1(a, O_1)", "mean of the first gradient bridge, from the law of the data"
)
with as_printed():
    identifies = {"value": Eq(bridged, V), "gradient": Eq(bridged_slope, slope)}


def without_proxy(model):
    """The model in which the proxy has one value: all that it told is averaged out."""
    one = model.proxy[..., :1] * 0 + 1
    return ConfoundedPOMDP(model.P, model.E, one, model.r, model.behaviour, model.horizon, model.start)


def as_it_is(model):
    return model


def all_stages(model, gradient):
    return gradient


def first_stage(model, gradient):
    """What is left of the gradient if the bridge of the next stage is not carried on: its own stage only."""
    later = gradient[..., model.stage(0).stop :, :, :]
    return namespace(gradient).concat([gradient[..., model.stage(0), :, :], 0 * later], axis=-3)


def policy_once(π):
    return π


def policy_left_out(π):
    return π * 0 + 1


@theorem(
    identifies,
    cite="hong2024",
    at="identification of value and gradient",
    source="recalled",
    judge=identity(),
    on={"model": confounded_pomdps("deficient"), "π": history_policies},
    given=[identified],
    named={
        "sign reversal, one step": lambda: {"model": sign_reversal(1)},
        "sign reversal, two steps": lambda: {"model": sign_reversal(2)},
        "bridges that are not unique": lambda: {"model": two_witnesses(2)},
    },
    near_misses={
        "the proxy averaged out": {"data": without_proxy},
        "π left out of the equations": {"in_equations": policy_left_out},
        "the next gradient bridge not carried on": {"carried": first_stage},
        "without rank conditions": Without(identified),
    },
    note="Recalled and proved again on the card; true for any solution of the equations.  Policies are given by their "
    "probabilities, by which softmax derivatives are rational.",
)
def identify(model, π, *, data=as_it_is, in_equations=policy_once, carried=all_stages):
    """Bridges solved from the law of the data give value and policy gradient, whatever the behaviour policy saw."""
    laws = observed_law(data(model))
    yield {
        V: history_value(model, π),
        bridged: identified_value(model, in_equations(π), laws),
        slope: history_gradient(model, π),
        bridged_slope: softmax_slope(carried(model, identified_slope(model, π, laws)), π),
    }


value = Quantity(r"V(\theta)", "value of the policy", accuracy="relative")
naive = Quantity(
    r"\tilde V(\theta)", "limit of reweighting the data by observed probabilities of actions", accuracy="relative"
)
naive_slope = Quantity(r"\partial_\theta \tilde V(\theta)", "derivative of that limit by a logit")
with as_printed():
    unbiased = {"value": Eq(naive, value), "gradient": Eq(naive_slope, slope)}


def forgetful(model):
    """The model with observations that say nothing: E constant."""
    even = model.E * 0 + (model.E[..., :1, :1] * 0 + 1) / model.O
    return ConfoundedPOMDP(model.P, even, model.proxy, model.r, model.behaviour, model.horizon, model.start)


@theorem(
    unbiased,
    cite="hong2024",
    at="bias of the naive estimator",
    source="derived",
    judge=identity(),
    on={"model": confounded_pomdps("blind"), "π": history_policies},
    given=[blind, overlap],
    named={
        "unconfounded, one step": lambda: {"model": unconfounded(1)},
        "unconfounded, two steps": lambda: {"model": unconfounded(2)},
    },
    near_misses={"a behaviour policy that sees the state": Without(blind), "observations lost": {"data": forgetful}},
)
def naive_bias(model, π, *, data=as_it_is):
    """Without confounding, reweighting data by observed probabilities of actions is right, value and gradient."""
    yield {
        value: history_value(model, π),
        naive: naive_value(data(model), π),
        slope: history_gradient(model, π),
        naive_slope: naive_gradient(data(model), π),
    }


agreement = Quantity(
    r"\langle \nabla_\theta \tilde V(\theta), \nabla_\theta V(\theta) \rangle",
    "their inner product",
)
squared = Quantity(r"\lVert \nabla_\theta V(\theta) \rVert_2^2", "square of the true gradient's length")
with as_printed():
    reverses = agreement <= -Rational(3, 2) * squared
    reverses_twice = agreement <= -2 * squared


def by_observation(gradient):
    """By logits chosen by the observation alone: the sum over histories;  (..., H, O, A) -> (..., O, A)."""
    return gradient.sum(axis=-3)


def bridge_gradient(model, π):
    return softmax_slope(identified_slope(model, π), π)


@theorem(
    reverses,
    cite="hong2024",
    at="bias of the naive estimator, an instance",
    source="derived",
    judge=witness(),
    on={"model": confounded_pomdps(), "π": history_policies},
    named={
        "sign reversal, one step": lambda: {"model": sign_reversal(1)},
        "sign reversal, two steps": lambda: {"model": sign_reversal(2)},
    },
    near_misses={
        "twice as long": reverses_twice,
        "the gradient from bridges": {"estimate": bridge_gradient},
        "a behaviour policy that does not see the state": {"data": lambda model: unconfounded(model.horizon)},
    },
)
def sign_is_reversed(model, π, *, estimate=naive_gradient, data=as_it_is):
    """Taking histories for states can turn the policy gradient around, and ascent makes the policy worse."""
    true = by_observation(history_gradient(model, π))
    yield {agreement: total(by_observation(estimate(data(model), π)) * true, 2), squared: total(true * true, 2)}


values_apart = Quantity(r"|V_1(\theta) - V_2(\theta)|", "how far the values of one policy in two models are apart")
laws_apart = Quantity(r"\lVert \mathbb{P}_1 - \mathbb{P}_2 \rVert_1", "how far the laws of their data are apart")
with as_printed():
    ambiguous = values_apart >= Rational(1, 4) + laws_apart
    more_ambiguous = values_apart >= Rational(1, 2) + laws_apart


def told_apart(model):
    """The same model with an observation that shows the hidden state."""
    E = identity_like(model.P[..., 0, :])
    return ConfoundedPOMDP(model.P, E, model.proxy, model.r, model.behaviour, model.horizon, model.start)


def two_models():
    first, second = blind_twins()
    return {"model": first, "other": second}


@theorem(
    ambiguous,
    cite="hong2024",
    at="rank conditions",
    source="derived",
    judge=witness(),
    on={"model": confounded_pomdps(), "other": Domain(draw=confounded_pomdps().draw)},
    named={"twins": two_models},
    near_misses={"further apart": more_ambiguous, "the state is observed": {"observed": told_apart}},
    note="For rewards of mean r, any law with values 0 and 1: then the means are the whole law.",
)
def rank(model, other, *, observed=as_it_is):
    """With observations that do not tell the states apart, equal data belong to models of different value.

    No method can identify the value then; the library says which condition fails rather than a number.
    """
    values, laws = [], []
    for twin in (model, other):
        values.append(history_value(twin, uniform_policy(twin)))
        laws.append(observed_law(observed(twin))[0])
    yield {
        values_apart: abs(values[0] - values[1]),
        laws_apart: sum(
            abs(getattr(laws[0], part) - getattr(laws[1], part)).sum() for part in ("seen", "reward", "next_seen")
        ),
    }


T = Quantity("T", "number of actions", integer=True)
loss = Quantity(r"\left[V^\star - V^\pi\right]", "what the policy loses against the best one on histories")
mismatch = Quantity(
    r"\max_h \frac{\varrho^{\pi^\star}(h)}{\varrho^\pi(h)}", "largest quotient of products of action probabilities"
)
ascent = Quantity(
    r"\sum_{h, o} \left[\max_a G(h, o, a) - \langle \pi(\cdot \mid o, h), G(h, o, \cdot) \rangle\right]",
    "largest first-order gain, G the gradient by the probabilities",
)
with as_printed():
    dominates = loss <= mismatch * ascent
    dominates_alone = loss <= ascent
    dominates_half = loss <= mismatch * ascent / 2


def everywhere(model, gains):
    return gains


def at_the_end(model, gains):
    return gains[..., model.stage(model.horizon - 1), :]


@theorem(
    dominates,
    cite="hong2024",
    at="global convergence, a substitute",
    source="derived",
    judge=for_all(),
    on={"model": confounded_pomdps("square"), "π": history_policies},
    named={
        "sign reversal, one step": lambda: {"model": sign_reversal(1)},
        "sign reversal, two steps": lambda: {"model": sign_reversal(2)},
    },
    near_misses={
        "without the mismatch": dominates_alone,
        "half of it": dominates_half,
        "gains of the last stage only": {"counted": at_the_end},
    },
    trivial=T,
    note="For rewards in [0, 1] it says something where it is below T.  The paper's own theorem assumes a positive "
    "definite Fisher information and is different.",
)
def gradient_domination(model, π, *, counted=everywhere):
    """On the tree of histories, what a policy loses is at most mismatch times its largest first-order gain."""
    g = true_rewards(model)
    best = best_history_policy(model)[1]
    G = history_slope(model, g, π)
    yield {
        T: model.horizon,
        loss: history_gap(model, g, π),
        mismatch: largest(reach(model, best) / reach(model, π)),
        ascent: total(counted(model, largest(G) - total(π * G)), 2),
    }


# -- What counts estimate ----------------------------------------------------------------------------------------------

counted = Quantity(
    r"\mathbb{E} \bigl(\widehat{\Pr}(o_0, h, a, o, o'), \hat{\mathbb{E}}[R \mathbf{1}\{o_0, h, a, o\}]\bigr)",
    "mean shares of data in which this is seen, and mean sums of their rewards over all data",
)
expected = Quantity(
    r"\bigl(\Pr(o_0, h, a, o, o'), \mathbb{E}[R \mathbf{1}\{o_0, h, a, o\}]\bigr)",
    "probabilities, and expected rewards",
    accuracy="relative",
)
with as_printed():
    counts_claim = Eq(counted, expected)
    half_of_it = Eq(counted, expected / 2)


def flattened(laws):
    """All probabilities and rewards of all stages as one vector;  -> (..., n)."""
    parts = [(x, 4) for law in laws for x in (law.seen, law.reward)] + [(law.next_seen, 5) for law in laws[:-1]]
    return np.concatenate([x.reshape(*x.shape[:-axes], -1) for x, axes in parts], axis=-1)


def alone(data):
    """Each trajectory a data set of its own."""
    return OfflineData(**{name: np.expand_dims(x, len(data.proxy.shape)) for name, x in vars(data).items()})


def late_proxy(data):
    """O_1 in place of the proxy: what the behaviour policy's state shows, with the action it led to."""
    return replace(data, proxy=data.observations[..., 0])


def swapped(data):
    """The rewards of the stages in reverse order."""
    return replace(data, rewards=1 - data.rewards)


listed = confounded_pomdps("square", families=SQUARE[:3])  # trajectories few enough to be listed


@theorem(
    counts_claim,
    cite="hong2024",
    at="sample version, counts",
    source="derived",
    judge=in_expectation([counted]),
    on={"model": listed},
    named={
        "sign reversal, one step": lambda: {"model": sign_reversal(1)},
        "sign reversal, two steps": lambda: {"model": sign_reversal(2)},
    },
    near_misses={
        "half of it": half_of_it,
        "the first observation for the proxy": {"recorded": late_proxy},
        "losses for rewards": {"recorded": swapped},
    },
)
def counts(model, draws, *, recorded=as_it_is):
    """Frequencies in offline data have the law of the data as their mean, stage by stage, rewards too."""
    laws = seen_laws(model, alone(recorded(offline_data(model, draws))))
    yield {counted: flattened(laws), expected: flattened(observed_law(model))}


n = Quantity("n", "number of trajectories", integer=True)
spread = Quantity(
    r"\mathbb{E} \lVert \widehat{\Pr} - \Pr \rVert_2^2", "mean squared error of the frequencies of (o_0, a, o)"
)
one_alone = Quantity(r"1 - \lVert \Pr \rVert_2^2", "that of one trajectory", accuracy="relative")
with as_printed():
    averages_out = Eq(spread, one_alone / n)
    never_averages_out = Eq(spread, one_alone)


def independent(p, size):
    """Probabilities of all `size`-tuples of independent outcomes;  (..., K) -> (..., K, ..., K)."""
    out = p
    for k in range(1, size):
        out = out[..., None] * p[(..., *(None,) * k, slice(None))]
    return out


def one_over_again(p, size):
    """All trajectories equal to the first."""
    K = p.shape[-1]
    same = np.zeros((K,) * size, dtype=int)
    same[(np.arange(K),) * size] = 1
    return p[(..., *(None,) * (size - 1))] * same


@theorem(
    averages_out,
    cite="hong2024",
    at="sample version, counts",
    source="derived",
    judge=identity(n, up_to=3),
    on={"model": confounded_pomdps("square", families=(SQUARE[0], SQUARE[2]))},
    named={"sign reversal, one step": lambda: {"model": sign_reversal(1)}},
    near_misses={"no averaging": never_averages_out, "the same trajectory again": {"joint": one_over_again}},
    note="All data sets of one, two and three trajectories, by what the first stage shows of them.",
)
def variance_of_counts(model, *, joint=independent):
    """The mean squared error of frequencies is that of one trajectory over n: the source of the rate n^(−1/2)."""
    p = observed_law(model)[0].seen
    p = p.reshape(*p.shape[:-4], -1)
    K = p.shape[-1]
    for size in (1, 2, 3) if K <= 8 else (1, 2):
        tuples = np.stack(np.meshgrid(*[np.arange(K)] * size, indexing="ij"), axis=-1).reshape(-1, size)
        seen = identity_like(p[..., None] * p[..., None, :])[tuples].sum(axis=1)
        off = seen / size - p[..., None, :]
        chance = joint(p, size).reshape(*p.shape[:-1], -1)
        yield {n: size, spread: total(chance * total(off * off)), one_alone: total(p * (1 - p))}


# -- Estimates from counts ---------------------------------------------------------------------------------------------

ridge = Quantity(r"\varrho", "strength of the ridge", accuracy="exact")
by_ridge = Quantity(r"\hat V(\theta)", "value by ridge regression, one linear form for each history")
by_saddle = Quantity(r"\tilde V(\theta)", "value by the bridges of the saddle point")
ridge_slope = Quantity(r"\partial_\theta \hat V(\theta)", "derivative of the former by a logit")
saddle_slope = Quantity(r"\tilde\partial_\theta V(\theta)", "mean of the gradient bridges of the saddle point")
with as_printed():
    reduces = {"value": Eq(by_saddle, by_ridge), "gradient": Eq(saddle_slope, ridge_slope)}


def saddle_point(size, strength):
    """What solves min_b max_f E_n[(M b − Y) f − f²/2] + λ/(2n) ‖b‖², as a function of M and Y in joint probabilities.

    By the two first-order conditions at once: M b − Y = f wherever data are, and E_n[Mᵀ f] + λ/n b = 0.
    """

    def solved(M, Y):
        shrinks = strength / size * identity_like(transposed(M) @ M) + 0 * (transposed(M) @ M)
        weight = total(M)[..., None] * identity_like(M @ transposed(M))  # Pr(q, h, a)
        system = np.block([[shrinks, transposed(M)], [M, -weight]])
        right = np.concatenate([0 * M[..., 0, :, None] + 0 * Y[..., :1, :], Y], axis=-2)
        return transposed(solve(system[..., None, :, :], transposed(right)))[..., : M.shape[-1], :]

    return solved


def weighed(laws, size, strength):
    """Least squares whose equations weigh as much as the values of the proxy occur."""
    return bridge_rewards(laws, size, strength, weighted=True)


def unweighed(laws, size, strength):
    """As recalled, (MᵀM + λ/n_{h,a})⁻¹ Mᵀ Y: all values of the proxy weigh the same."""
    return bridge_rewards(laws, size, strength)


def twice_the_ridge(laws, size, strength):
    return bridge_rewards(laws, size, 2 * strength, weighted=True)


def amounts(low, high):
    """One number for each model."""
    domain = numbers(low, high)
    return replace(domain, batch=lambda rng, model: domain.batch(rng, model))


everything_seen = Assumption(
    r"\Pr(q, h, a) > 0",
    "every action is taken after every history, with every value of the proxy",
    lambda model: np.all([smallest(total(law.seen), 3) > 0 for law in observed_law(model)], axis=0),
)
estimates = {"model": confounded_pomdps(), "π": history_policies, "size": amounts(1, 1000), "strength": amounts(1, 3)}


def some_data(horizon, size=100):
    return {"model": sign_reversal(horizon), "size": rational_number(size), "strength": rational_number(1)}


@theorem(
    reduces,
    cite="hong2024",
    at="min-max estimator",
    source="derived",
    judge=identity(),
    on=estimates,
    given=[everything_seen],
    named={
        "sign reversal, one step": lambda: some_data(1),
        "sign reversal, two steps": lambda: some_data(2),
        "more observations than states": lambda: {**some_data(2), "model": two_witnesses(2)},
    },
    near_misses={"all equations weigh the same": {"fitted": unweighed}, "twice the ridge": {"fitted": twice_the_ridge}},
    note="For any law of data with positive frequencies, that of n data among them.  The weights are those of the norm "
    "E_n f²; with all equations alike, as recalled, it is another estimator with the same limit.",
)
def min_max(model, π, size, strength, *, fitted=weighed):
    """With all functions as classes the min-max estimator is weighted ridge regression, value and gradient."""
    laws, saddle = observed_law(model), saddle_point(expand(size, 4), expand(strength, 4))
    g = fitted(laws, expand(size, 2), expand(strength, 2))
    yield {
        by_ridge: history_sum(model, g, π),
        by_saddle: identified_value(model, π, laws, saddle),
        ridge_slope: history_gradient(model, π, g),
        saddle_slope: softmax_slope(identified_slope(model, π, laws, saddle), π),
    }


estimated_slope = Quantity(r"\widehat{\partial_	heta V}(	heta)", "mean of the estimated gradient bridges")
slope_of_estimate = Quantity(r"\partial_	heta \hat V(	heta)", "derivative of the estimated value by a logit")
with as_printed():
    differentiates = Eq(estimated_slope, slope_of_estimate)


def same_ridge(strength):
    return strength


def ridge_of_its_own(strength):
    return 2 * strength


@theorem(
    differentiates,
    cite="hong2024",
    at="plug-in estimator",
    source="derived",
    judge=identity(),
    on=estimates,
    named={
        "sign reversal, one step": lambda: some_data(1),
        "sign reversal, two steps": lambda: some_data(2),
    },
    near_misses={
        "another ridge for the gradient": {"for_gradient": ridge_of_its_own},
        "the next gradient bridge not carried on": {"carried": first_stage},
    },
)
def gradient_of_the_estimate(model, π, size, strength, *, for_gradient=same_ridge, carried=all_stages):
    """Estimated gradient bridges give the derivative of the estimated value: ascent climbs one fixed function."""
    laws, size = observed_law(model), expand(size, 2)

    def solution(M, Y):
        return regularised_inverse(M, size, for_gradient(expand(strength, 2))) @ Y

    g = bridge_rewards(laws, size, expand(strength, 2))
    yield {
        estimated_slope: softmax_slope(carried(model, identified_slope(model, π, laws, solution)), π),
        slope_of_estimate: history_gradient(model, π, g),
    }


bias = Quantity(
    r"\lVert \hat g_n - g \rVert_\infty", "error that the ridge makes of the rewards on histories, with the true law"
)
start_law = Quantity(r"\lVert \Pr(O_1) \rVert_2", "length of the law of the first observation", accuracy="relative")
pulled = Quantity(
    r"\max_{o, a} \frac{\lVert M_a^{-1} \rVert_F^2 \lVert b_{o, a} \rVert_2}{\Pr(a)}",
    "squared ill-posedness of the equations times length of the bridge, over the frequency of the action",
)
with as_printed():
    vanishes = bias <= ridge * start_law * pulled / n
    vanishes_faster = bias <= ridge * start_law * pulled / n**2
    vanishes_sooner = bias <= ridge * start_law * pulled / (100 * n)


def given_action(law):
    """(M_a (..., A, Q, O), Pr(a) (..., A)) of a one-step model: Pr(o | q, a), from joint probabilities."""
    size = total(law.seen[..., 0, :, :, :])
    return law.seen[..., 0, :, :, :] / size[..., None], total(size)


def reward_bridges(law):
    """b_{o,a}(o') with Σ_o' Pr(o' | q, a) b_{o,a}(o') = E[R 1{O = o} | q, a];  -> (..., A, O', O)."""
    return consistent_solution(law.seen, law.reward)[..., 0, :, :, :]


def ill_posedness(M):
    """‖M_a⁻¹‖_F² of square matrices;  (..., A, n, n) -> (..., A)."""
    inverse = solve(M[..., None, :, :], identity_like(M) + 0 * M)  # its rows are the columns
    return total(inverse * inverse, 2)


one_step = confounded_pomdps("square", families=(SQUARE[0], SQUARE[2]))
one_step = replace(
    one_step,
    draw=lambda draw=one_step.draw: draw().filter(lambda model: model.horizon == 1),
    excludes=lambda model: (
        None
        if model.horizon == 1 and model.S == model.O == model.Q
        else "it is about one step, with as many observations and values of the proxy as states"
    ),
)


@theorem(
    vanishes,
    cite="hong2024",
    at="plug-in estimator, bias of the ridge",
    source="derived",
    judge=for_all(n, up_to=10**6, exactly_up_to=10**6),
    on={"model": one_step, "strength": amounts(1, 3)},
    given=[identified],
    named={"sign reversal": lambda: {"model": sign_reversal(1), "strength": rational_number(1)}},
    near_misses={"n² for n": vanishes_faster, "a hundredth": vanishes_sooner},
    trivial=1,
    note="T = 1.  Rewards on histories, g(o, a), give value and gradient of every policy.",
)
def ridge_bias(model, strength):
    """The bias that the ridge brings falls as 1/n, faster than what chance does."""
    (law,) = observed_law(model)
    M, p = given_action(law)
    b, g = reward_bridges(law), true_rewards(model)
    first = total(namespace(M).moveaxis(law.seen[..., 0, :, :, :], -1, -3), 2)
    for size in (10**k for k in range(7)):
        off = bridge_rewards([law], size, expand(strength, 2)) - g
        yield {
            n: size,
            ridge: strength,
            bias: largest(abs(off), 3),
            start_law: norm(first),
            pulled: largest(ill_posedness(M) * largest(norm(namespace(b).moveaxis(b, -1, -2))) / p),
        }


# -- Errors with high probability --------------------------------------------------------------------------------------

δ = Quantity(r"\delta", "probability with which it may fail", accuracy="exact")
S_O = Quantity(r"|\mathcal O|", "number of observations", integer=True)
S_A = Quantity(r"|\mathcal A|", "number of actions", integer=True)
S_Q = Quantity(r"|\mathcal O_0|", "number of values of the proxy", integer=True)
cell = Quantity("i", "number of the pair (o, a)", integer=True)
error = Quantity(r"|\hat g(o, a) - g(o, a)|", "error of the estimated reward on a history")
width = Quantity(r"\max b_{o, a} - \min b_{o, a}", "width of the bridge")
leverage = Quantity(
    r"D_{o, a} \sum_q |\hat u_a(q)| / \sqrt{n_{q, a}}",
    "width of R 1{O = o} − b(O), times the weights of the equations over roots of numbers of data",
)
pull = Quantity(r"|\hat p^\top b_{o, a} - \hat u_a^\top \hat M_a b_{o, a}|", "what the ridge takes off the bridge")
each = log(2 * S_O * S_A * (S_Q + 1) / δ)
with as_printed():
    likely = error <= width * sqrt(each / (2 * n)) + leverage * sqrt(each / 2) + pull
    likely_fast = error <= width * sqrt(each) / n + leverage * sqrt(each / n) + pull
    likely_tenth = error <= (width * sqrt(each / (2 * n)) + leverage * sqrt(each / 2)) / 10 + pull


def some_sizes():
    """Few data: a race takes many data sets."""
    return st.sampled_from([256, 1024])


sizes = Domain(some_sizes, lambda rng, model: np.full(model.batch, 1024), lambda: 1024)


def rarity(model):
    """The smallest probability of an action with a value of the proxy, of one-step models."""
    (law,) = observed_law(model)
    return smallest(total(law.seen[..., 0, :, :, :]), 2)


often = Assumption(
    r"n \min_{q, a} \Pr(q, a) \ge 10",
    "ten data or more are expected of every action with every value of the proxy",
    lambda model, size: np.asarray(size * rarity(model) >= 10, dtype=bool),
)


def widths(b):
    """(width of b_{o,a}, width of what R 1{O = o} − b_{o,a}(O) may be for R in [0, 1]);  (A, O', O) -> (A, O) twice."""
    most, least = b.max(axis=-2), b.min(axis=-2)
    paid = 1 - np.diagonal(b, axis1=-2, axis2=-1)
    return most - least, np.maximum(-least, paid) - np.minimum(-most, paid)


@theorem(
    likely,
    cite="hong2024",
    at="statistical bound, one step",
    source="derived",
    judge=with_probability(1 - δ, jointly=cell, replicates=2**10),
    on={"model": one_step, "size": sizes},
    given=[identified, often],
    named={"sign reversal": lambda: {"model": sign_reversal(1), "size": 4096}},
    near_misses={
        "n^(−1) for n^(−1/2)": likely_fast,
        "a tenth of the noise": likely_tenth,
    },
    trivial=1,
    note="T = 1, rewards 0 or 1, ridge 1, δ = 1/10.  Without data of an action it may be an equality, hence the "
    "assumption.  The right side is seen in the data but for b: no constant is claimed in print.  All pairs (o, a) at "
    "once, so all policies, values and gradients.",
)
def plugin_error(model, size, draws, *, δ_=0.1):
    """The error of the estimate is noise of n^(−1/2), as the equations magnify it, and what the ridge takes.

    Hoeffding's inequality for R 1{O = o} − b(O), whose mean given (O_0, A) is zero, and for b(O).
    """
    (law,), size = observed_law(model), int(size)
    data = offline_data(model, draws.samples(size))
    (seen,) = seen_laws(model, data)
    counts, b = total(seen.seen)[..., 0, :, :], reward_bridges(law)  # (m, A, Q), (A, O', O)
    first = seen.seen[..., 0, :, :, :].sum(axis=(-2, -3))  # (m, O)
    u = (first[..., None, None, :] @ regularised_inverse(seen.seen, size)[..., 0, :, :, :])[..., 0, :]  # (m, A, Q)
    narrow, wide = widths(b)
    weights = total(abs(u) * np.sqrt(counts / size))  # |û(q)| / √n_q, where u is û over the frequency of q
    taken = first[..., None, None, :] @ b - u[..., None, :] @ (seen.seen[..., 0, :, :, :] @ b)
    off = abs(plugin_rewards(model, data)[..., 0, :, :] - true_rewards(model)[0])
    for i, (a, o) in enumerate(np.ndindex(model.A, model.O)):
        yield {
            n: size,
            δ: δ_,
            S_O: model.O,
            S_A: model.A,
            S_Q: model.Q,
            cell: i,
            error: off[..., o, a],
            width: narrow[a, o],
            leverage: wide[a, o] * weights[..., a],
            pull: abs(taken[..., a, 0, o]),
        }


τ = Quantity(r"\tau", "ill-posedness: the largest length of an inverse of the equations of an action")
rarest = Quantity("p", "smallest probability of an action with a value of the proxy", accuracy="relative")
worst = Quantity(r"\max_{o, a} |\hat g(o, a) - g(o, a)|", "largest error of the estimated rewards on histories")
narrowest = Quantity(r"W", "largest width of a bridge")
widest = Quantity(r"D", "largest width of R 1{O = o} − b(O)")
longest = Quantity(r"B", "largest length of a bridge")
every = log(S_A * (4 * S_Q * S_O + 2 * S_O + S_Q) / δ)
enough = 4 * every * Max(2, S_Q * S_O * τ**2) / rarest
noise = narrowest / sqrt(2) + 2 * τ * widest * sqrt(S_Q / rarest)
with as_printed():
    uniformly = worst <= noise * sqrt(every / n) + 8 * ridge * τ**2 * longest / (S_Q * rarest * n)
    uniformly_fast = worst <= noise * sqrt(every) / n + 8 * ridge * τ**2 * longest / (S_Q * rarest * n)
    uniformly_less = worst <= noise * sqrt(every / n) / 30


@dataclass(frozen=True)
class Constants:
    """What the uniform bound needs of a one-step model."""

    τ: float
    rarest: float
    narrowest: float
    widest: float
    longest: float


def constants(model):
    """Of one model, in float64."""
    model = model.floats()
    (law,) = observed_law(model)
    M, b = given_action(law)[0], reward_bridges(law)
    narrow, wide = widths(b)
    return Constants(
        τ=float(largest(ill_posedness(M)) ** 0.5),
        rarest=float(rarity(model)),
        narrowest=float(narrow.max()),
        widest=float(wide.max()),
        longest=float(norm(np.moveaxis(b, -1, -2)).max()),
    )


def data_needed(model, δ_):
    """n_0 = 4 L max(2, |O| |O_0| τ²) / p with L = log(|A| (4 |O| |O_0| + 2 |O| + |O_0|) / δ)."""
    c, O, Q = constants(model), model.O, model.Q  # noqa: E741
    return 4 * np.log(model.A * (4 * Q * O + 2 * O + Q) / δ_) * max(2, Q * O * c.τ**2) / c.rarest


clear = Family("confounded:T=1,clear=0.9", partial(confounded, T=1, clear=0.9))
well_posed = Assumption(
    r"n_0 \le 2000",
    "an action with a value of the proxy is not rare and the equations are not ill-posed",
    lambda model: np.array([_is_well_posed(m) for m in each_of(model)]).reshape(model.batch),
)


def _is_well_posed(model):
    return bool(identification(model).holds) and data_needed(model, 0.1) <= 2000


def each_of(model):
    """The models of a batch one by one."""
    return [model[i] for i in np.ndindex(model.batch)] if model.batch else [model]


def clear_view():
    """`sign_reversal` with observations and proxy that are right in 19 of 20 cases and a behaviour less extreme."""
    model = sign_reversal(1)
    E, behaviour = rational([["19/20", "1/20"], ["1/20", "19/20"]]), rational([["3/5", "2/5"], ["2/5", "3/5"]])
    return {"model": ConfoundedPOMDP(model.P, E, E, model.r, behaviour, 1, model.start)}


@theorem(
    uniformly,
    cite="hong2024",
    at="statistical bound, one step",
    source="derived",
    judge=with_probability(1 - δ, replicates=2**10),
    on={"model": replace(one_step, families=(clear,))},
    given=[identified, well_posed],
    named={"clear view": clear_view},
    near_misses={"n^(−1) for n^(−1/2)": uniformly_fast, "a thirtieth of the noise": uniformly_less},
    trivial=1,
    note="T = 1, rewards 0 or 1, ridge 1, n = 4 n_0, δ = 1/10.  The recalled bound has this shape for any T, with the "
    "ill-posedness and the coverage of the target by the data as factors, and no constant.",
)
def plugin_rate(model, draws, *, δ_=0.1):
    """From n_0 data on the error is at most a constant times ill-posedness, over the root of rarity and of n."""
    c, size = constants(model), int(4 * data_needed(model, δ_)) + 1
    g = plugin_rewards(model, offline_data(model, draws.samples(size)))[..., 0, :, :]
    yield {
        n: size,
        δ: δ_,
        ridge: 1,
        S_O: model.O,
        S_A: model.A,
        S_Q: model.Q,
        τ: c.τ,
        rarest: c.rarest,
        narrowest: c.narrowest,
        widest: c.widest,
        longest: c.longest,
        worst: largest(abs(g - true_rewards(model)[0]), 2),
    }


along = Quantity(
    r"\langle \nabla_\theta \hat V(\theta), \nabla_\theta V(\theta) \rangle", "inner product of estimate and truth"
)
along_naive = Quantity(
    r"\langle \nabla_\theta \tilde V(\theta), \nabla_\theta V(\theta) \rangle", "that of the naive estimate"
)
with as_printed():
    tells_apart = {"bridges": along >= 0, "naive": along_naive <= -squared}
    never_short = along >= squared


def nothing_but(model):
    """A domain of one model."""
    return Domain(lambda: st.just(model), model=ConfoundedPOMDP)


@theorem(
    tells_apart,
    cite="hong2024",
    at="bias of the naive estimator, from data",
    source="derived",
    judge=with_probability(Rational(9, 10), replicates=2**10),
    on={"model": nothing_but(sign_reversal(1))},
    named={"sign reversal": lambda: {"model": sign_reversal(1)}},
    near_misses={
        "never short": never_short,
        "a proxy that is the observation": {"recorded": late_proxy},
    },
    note="T = 1, n = 5000, at the policy without preference, where one improves and the other worsens it.",
)
def sign_from_data(model, draws, *, recorded=as_it_is, size=5000):
    """From five thousand data the plug-in points up and the naive estimate points down."""
    data, π = recorded(offline_data(model, draws.samples(size))), uniform_policy(model)
    true = by_observation(history_gradient(model, π))
    found = [
        total(by_observation(history_gradient(model, π, estimate(model, data))) * true, 2)
        for estimate in (plugin_rewards, naive_history_rewards)
    ]
    yield {along: found[0], along_naive: found[1], squared: total(true * true, 2)}
