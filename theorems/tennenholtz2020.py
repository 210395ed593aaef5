"""Tennenholtz, Shalit, Mannor (2020), Off-Policy Evaluation in Partially Observable Environments: the tabular identity.

The proxy of a stage is the observation before it; at the first stage it is O_0.  Stages are counted t = 1, ..., T.
"""

from itertools import pairwise

from sympy import Eq

from mdplab.arrays import expand, namespace, solve, transposed
from mdplab.exact import (
    history_sum,
    history_value,
    invertible,
    one_step_laws,
    proxy_weights,
    weighted_rewards,
)
from mdplab.exact.one_step_back import OneStepLaw
from mdplab.instances import confounded_pomdps, history_policies, sign_reversal
from mdplab.theorem import Assumption, Quantity, as_printed, identity, theorem

all_invertible = Assumption(
    r"\Pr(O_t \mid a_t, O_{t-1}) \text{ invertible for all } t, a_t",
    "every matrix of an observation given an action and the observation before is square and invertible",
    lambda model: invertible(model),
)
V = Quantity(r"\textstyle\sum_t \mathbb{E}^\pi[R_t]", "value of the policy")
weighted = Quantity(
    r"\sum_t \sum_{o_{1:t}, a_{1:t}} \prod_{i \le t} \pi(a_i \mid o_i, h_{i-1}) "
    r"\mathbb{E}[R_t \mathbf{1}\{O_t = o_t\} \mid a_t, O_{t-1}] W_t",
    "sum of matrix products over histories, from the law of the data",
)
with as_printed():
    evaluates = Eq(weighted, V)


def transposed_laws(model):
    """Rows and columns of every matrix exchanged."""
    start, laws = one_step_laws(model)
    return start, [
        OneStepLaw(transposed(x.seen), transposed(x.reward), transposed(x.onwards), x.marginal) for x in laws
    ]


def first_proxy(model):
    """The laws given O_0 at every stage."""
    return one_step_laws(model, always_first=True)


def marginal_weights(start, laws):
    """The law of the observation before under the behaviour policy in place of W_t, from the second stage on."""
    out = proxy_weights(start, laws)
    return out[:1] + [0 * W + law.marginal[..., None, None, :] for W, law in zip(out[1:], laws[1:], strict=True)]


def weights_with_the_next_action(start, laws):
    """a_i in place of a_{i−1} in the joint factor."""
    xp = namespace(start)
    out = [solve(laws[0].seen, start[..., None, :] + 0 * laws[0].seen[..., 0])[..., None, :, :]]
    for law, following in pairwise(laws):
        W = out[-1][..., :, :, None, None, :, None]  # n, a, next action, o, q
        coming = (law.onwards[..., None, None, :, :, :, :] @ W)[..., 0]  # n, a, next action, o, o'
        coming = xp.moveaxis(coming, -2, -4)  # n, o, a, next action, o'
        coming = xp.reshape(coming, (*coming.shape[:-5], -1, *coming.shape[-2:]))
        out.append(solve(following.seen[..., None, :, :, :] + 0 * expand(coming, 1), coming))
    return out


@theorem(
    evaluates,
    cite="tennenholtz2020",
    at="Theorem 1",
    source="recalled",
    judge=identity(),
    on={"model": confounded_pomdps("square"), "π": history_policies},
    given=[all_invertible],
    named={
        "sign reversal, one step": lambda: {"model": sign_reversal(1)},
        "sign reversal, two steps": lambda: {"model": sign_reversal(2)},
    },
    near_misses={
        "matrices transposed": {"laws_of": transposed_laws},
        "the behaviour's marginal for W": {"weights_of": marginal_weights},
        "the next action in the joint factor": {"weights_of": weights_with_the_next_action},
    },
)
def thm1(model, π, *, laws_of=one_step_laws, weights_of=proxy_weights):
    """Products of matrices of consecutive observations give the value of any policy on histories."""
    start, laws = laws_of(model)
    g = weighted_rewards(model, laws, weights_of(start, laws))
    yield {V: history_value(model, π), weighted: history_sum(model, g, π)}


weighted_by_first = Quantity(
    r"\sum_t \sum_{o_{1:t}, a_{1:t}} \prod_{i \le t} \pi(a_i \mid o_i, h_{i-1}) "
    r"\mathbb{E}[R_t \mathbf{1}\{O_t = o_t\} \mid a_t, O_0] W_t",
    "the same sum with O_0 for the observation before",
)
with as_printed():
    evaluates_by_first = Eq(weighted_by_first, V)

first_invertible = Assumption(
    r"\Pr(O_t \mid a_t, O_0) \text{ invertible for all } t, a_t",
    "every matrix of an observation given an action and the first proxy is square and invertible",
    lambda model: invertible(model, always_first=True),
)


@theorem(
    evaluates_by_first,
    cite="tennenholtz2020",
    at="Theorem 1, with another proxy",
    source="derived",
    judge=identity(),
    on={"model": confounded_pomdps("square"), "π": history_policies},
    given=[first_invertible],
    named={
        "sign reversal, one step": lambda: {"model": sign_reversal(1)},
        "sign reversal, two steps": lambda: {"model": sign_reversal(2)},
    },
    near_misses={
        "the first proxy's law for W": {"weights_of": marginal_weights},
        "the next action in the joint factor": {"weights_of": weights_with_the_next_action},
    },
)
def thm1_first_proxy(model, π, *, weights_of=proxy_weights):
    """The first proxy may stand for the observation before at every stage: it too is independent given the state."""
    start, laws = first_proxy(model)
    g = weighted_rewards(model, laws, weights_of(start, laws))
    yield {V: history_value(model, π), weighted_by_first: history_sum(model, g, π)}
