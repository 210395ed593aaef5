"""Hong, Qi, Xu (2024), A Policy Gradient Method for Confounded POMDPs: identification, and what goes wrong without it.

The numbers of the paper's own statements are not at hand, see the card.  Stages are counted t = 0, ..., T − 1 here; the
value is the expected sum of T rewards under a policy that acts on observations and its own past actions.
"""

from sympy import Eq, Rational

from mdplab.arrays import identity_like, largest, namespace, total
from mdplab.exact import (
    best_history_policy,
    history_gap,
    history_gradient,
    history_slope,
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
from mdplab.exact.confounded import uniform_policy
from mdplab.instances import (
    Domain,
    blind_twins,
    confounded_pomdps,
    history_policies,
    sign_reversal,
    two_witnesses,
    unconfounded,
)
from mdplab.models import ConfoundedPOMDP
from mdplab.theorem import Assumption, Quantity, Without, as_printed, for_all, identity, theorem, witness

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
    given=[blind],
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
