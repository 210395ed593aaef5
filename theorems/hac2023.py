"""Zhou, Sekhari, Song and Sun (2023), Offline Data Enhanced On-Policy Policy Gradient with Provable Guarantees."""

from __future__ import annotations

import numpy as np
from sympy import Eq, Rational, log

from mdplab.arrays import expand, largest, one_hot, rational, rational_number, smallest, sup, total
from mdplab.exact import action_values, gap, occupancy, optimum, visits
from mdplab.exact import finite_horizon as exact
from mdplab.instances import Domain, baited_lock, discounted_mdps, distributions, logits, numbers, policies
from mdplab.models import DiscountedMDP, FiniteHorizonMDP
from mdplab.solvers import hybrid_evaluation, hybrid_npg
from mdplab.theorem import (
    Assumption,
    Quantity,
    as_printed,
    for_all,
    identity,
    rewards_in_unit_interval,
    theorem,
)

# -- the critic --------------------------------------------------------------------------------------------------------

k = Quantity("k", "iterates of the critic", integer=True)
γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
before = Quantity(r"\lVert f_{k-1} - Q^\pi \rVert_\infty", "error of the critic before")
after = Quantity(r"\lVert f_k - Q^\pi \rVert_\infty", "error of the critic")
most = Quantity(r"\max_{s, a} \frac{\nu}{\nu + \lambda \tilde d^\pi}", "largest share of the offline data")
least = Quantity(r"\min_{s, a} \frac{\nu}{\nu + \lambda \tilde d^\pi}", "smallest share of the offline data")

with as_printed():
    contraction = after <= γ * most * before
    by_least = after <= γ * least * before

covered = Assumption(
    r"\nu + \tilde d^\pi > 0",
    "every pair is in the offline data or visited by the policy",
    lambda mdp, π, ρ, b: smallest(expand(ρ, 1) * b + expand(occupancy(mdp, π), 1) * π, 2) > 0,
)


def loop_of_two():
    """One state, two actions that pay 1 and 0, γ = 9/10."""
    return DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))


data = {"ρ": rational([1]), "b": rational([["9/10", "1/10"]])}


def offline_only(mdp, π, ν, *, weight, f):
    """The fit without its on-policy term."""
    return hybrid_evaluation(mdp, π, ν, weight=0 * weight, f=f)


@theorem(
    contraction,
    cite="hac2023",
    at="hybrid policy evaluation, population version",
    source="derived",
    judge=for_all(k, up_to=4, exactly_up_to=3),
    on={
        "mdp": discounted_mdps(),
        "π": policies,
        "ρ": distributions,
        "b": policies,
        "weight": numbers("1/10", 10),
        "f0": logits,
    },
    given=[covered],
    named={
        "loop of two": lambda: {
            "mdp": loop_of_two(),
            "π": rational([["1/2", "1/2"]]),
            "weight": rational_number(1),
            "f0": rational([[3, -1]]),
            **data,
        }
    },
    near_misses={"the smallest share": by_least, "without the on-policy term": {"evaluation": offline_only}},
    note="The fixed point is Q^π whatever the data; returns of the policy speed it up where the policy goes.",
)
def contract(mdp, π, ρ, b, weight, f0, *, evaluation=hybrid_evaluation):
    """The critic contracts towards Q^π by γ times the largest share that offline data have in a pair."""
    ν, q = expand(ρ, 1) * b, action_values(mdp, π)
    on_policy = expand(weight, 2) * expand(occupancy(mdp, π), 1) * π
    share = ν / (ν + on_policy)
    constants = {γ: mdp.discount, most: largest(share, 2), least: smallest(share, 2)}
    error = None
    for n, f in enumerate(evaluation(mdp, π, ν, weight=weight, f=f0)):
        if n:
            yield constants | {k: n, before: error, after: sup(f - q, 2)}
        error = sup(f - q, 2)


# -- the actor ---------------------------------------------------------------------------------------------------------

T = Quantity("T", "updates of the policy", integer=True)
A = Quantity("A", "number of actions", integer=True)
η = Quantity(r"\eta", "step size", accuracy="exact")
W = Quantity("W", "bound of the critic, 1 / (1 − γ)", accuracy="exact")
lost = Quantity(r"\sum_{t < T} (J^* - J^{\pi_t})", "what the policies lose in all", accuracy="relative")
critic_error = Quantity(
    r"\sum_{t < T} \sum_s d^{\pi^*}(s) \langle \pi^* - \pi_t, Q^{\pi_t} - f_t \rangle",
    "errors of the critic that count",
)

with as_printed():
    regret = lost <= 1 / (1 - γ) * (log(A) / η + η * T * W**2 / 8) + critic_error
    without_start = lost <= 1 / (1 - γ) * (η * T * W**2 / 8) + critic_error
    without_horizon = lost <= (log(A) / η + η * T * W**2 / 8) + critic_error


@theorem(
    regret,
    cite="hac2023",
    at="natural policy gradient with any critic",
    source="derived",
    judge=for_all(T, up_to=40, exactly_up_to=5),
    on={
        "mdp": discounted_mdps(positive_start=True),
        "ρ": distributions,
        "b": policies,
        "weight": numbers("1/10", 10),
        "step": numbers("1/20", 2),
    },
    given=[rewards_in_unit_interval],
    named={
        "loop of two": lambda: {
            "mdp": loop_of_two(),
            "weight": rational_number(10),
            "step": rational_number("3/20"),
            **data,
        }
    },
    near_misses={"without 1 / (1 − γ)": without_horizon, "without log A / η": without_start},
    note="Any f_t in [0, W]; here one sweep of the hybrid critic, from f = 0.  d is not normalised.",
)
def npg(mdp, ρ, b, weight, step):
    """With any critic natural policy gradient loses no more than mirror descent does, and the errors of the critic."""
    best = optimum(mdp)
    d, sums, errors = visits(mdp, best.policy), 0, 0
    for it in hybrid_npg(mdp, expand(ρ, 1) * b, weight=weight, step_size=step):
        sums = sums + gap(mdp, it.π, best)
        errors = errors + total(d * total((best.policy - it.π) * (action_values(mdp, it.π) - it.f)))
        yield {
            γ: mdp.discount,
            T: it.k + 1,
            A: mdp.A,
            η: step,
            W: 1 / (1 - mdp.discount),
            lost: sums,
            critic_error: errors,
        }


# -- the combination lock ----------------------------------------------------------------------------------------------

H = Quantity("H", "steps of the lock", integer=True)
J_uniform = Quantity(r"J^{\mathrm{uniform}}", "value of the uniform policy", accuracy="relative")
opened = Quantity(r"P(\text{opened})", "probability that the data open the lock", accuracy="relative")

with as_printed():
    lock_claims = {
        "uniform policy": Eq(J_uniform, Rational(1, 20) + Rational(19, 20) * A ** (-H)),
        "data": Eq(opened, (1 - (1 - 1 / A) / H) ** H),
    }
    every_slip_kills = Eq(opened, (1 - 1 / H) ** H)


def _locks():
    from hypothesis import strategies as st

    return st.builds(baited_lock, st.integers(1, 4), st.integers(2, 4))


def near_optimal(mdp, ε):
    """The action that opens, with probability ε any; in the dead state any;  (S, A)."""
    state, anything = np.arange(mdp.S) % 3, uniform(mdp)
    opens = one_hot(state % 2, mdp.A, mdp.start)
    return np.where((state == 2)[:, None], anything, (1 - ε) * opens + ε * anything)


def uniform(mdp):
    """All actions alike;  (S, A)."""
    return (0 * mdp.rewards + 1) / mdp.A


@theorem(
    lock_claims,
    cite="hac2023",
    at="combination lock, tabular core",
    source="derived",
    judge=identity(),
    on={"mdp": Domain(_locks, model=FiniteHorizonMDP)},
    named={"ten steps, ten actions": baited_lock, "three steps": lambda: baited_lock(3, 4)},
    near_misses={"every slip kills": every_slip_kills},
    note="So density ratios are at most 1/P(opened), 2.48 at H = 50 and A = 10, while exploring at random takes A^H.",
)
def lock(mdp):
    """Data of a nearly optimal policy, a random action with probability 1/H, open the lock in 40 runs of 100.

    P(opened) = (1 − (1 − 1/A)/H)^H; the uniform policy is worth 1/20 + (19/20) A^(−H).
    """
    behaviour = near_optimal(mdp, (0 * mdp.start[0] + 1) / mdp.H)
    ends = exact.visits(mdp, behaviour)[-3:-1]
    yield {
        H: mdp.H,
        A: mdp.A,
        J_uniform: total(mdp.start * exact.values(mdp, uniform(mdp))),
        opened: ends[0] * behaviour[-3, 0] + ends[1] * behaviour[-2, 1],
    }
