"""Ding, Zhang, Basar and Jovanovic (2020), Natural policy gradient primal-dual method for constrained MDPs.

The statement is recalled; its constants were tried on many models and hold with room to spare.
"""

from itertools import count

import numpy as np
from sympy import sqrt

from mdplab import arrays, exact
from mdplab.arrays import floats, is_exact, rational_number
from mdplab.instances import constrained_mdps, crossing, opposed_arms
from mdplab.instances.constrained import ONE_CONSTRAINT
from mdplab.solvers import npg_primal_dual
from mdplab.solvers.inputs import log_actions
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
ξ = Quantity(r"\xi", "room in the constraint")
T = Quantity("T", "steps", integer=True)
gap = Quantity(r"\frac1T \sum_{t < T} \left(V_r^* - V_r^{(t)}\right)", "average gap")
short = Quantity(r"\frac1T \sum_{t < T} \left(b - V_u^{(t)}\right)", "average shortfall of the constraint")

room = Assumption(
    r"\xi > 0",
    "some policy exceeds the constraint (Slater's condition)",
    lambda mdp: np.asarray(floats(exact.slater(mdp))) > (0 if is_exact(mdp.P) else 1e-9),
)
with as_printed():
    rate = {
        "gap": gap <= 7 / ((1 - γ) ** 2 * sqrt(T)),
        "violation": short <= (2 / ξ + 4 * ξ) / ((1 - γ) ** 2 * sqrt(T)),
    }
    faster = gap <= 1 / ((1 - γ) ** 2 * T**2)


def price_never_seen(cmdp, log_π=None, multipliers=None, *, step_size, multiplier_step_size, most=None, at=None):
    """The policy follows the reward alone."""
    return npg_primal_dual(cmdp, step_size=step_size, multiplier_step_size=0 * multiplier_step_size, most=most, at=at)


def price_of_the_other_sign(cmdp, log_π=None, multipliers=None, *, step_size, multiplier_step_size, most=None, at=None):
    """The multiplier rises where there is room."""
    return npg_primal_dual(cmdp, step_size=step_size, multiplier_step_size=-multiplier_step_size, most=most, at=at)


def lengths():
    """1, 4, 16, 64, 256, ... without end."""
    return (4**i for i in count())


@theorem(
    rate,
    cite="ding2020",
    at="Theorem 1",
    source="recalled",
    judge=for_all(T, up_to=256, exactly_up_to=4),
    on={"mdp": constrained_mdps(2, 3, families=ONE_CONSTRAINT)},
    given=[room],
    named={"opposed arms": lambda: opposed_arms(0, "13/20"), "crossing": crossing},
    near_misses={
        "1 / T² for the gap": faster,
        "the multiplier is never seen": {"solver": price_never_seen},
        "the multiplier of the other sign": {"solver": price_of_the_other_sign},
    },
    trivial=1 / (1 - γ),
    note="η_1 = 2 log A, η_2 = 2 (1 − γ) / √T, multipliers up to 2 / ((1 − γ) ξ).  The violation is the positive part "
    "of the shortfall, and the bound is positive.  Loose: see cmdp.ergodic.",
)
def thm1(mdp, *, solver=npg_primal_dual):
    """After T steps the average gap and the average violation of NPG-PD are of the order of 1 / √T.

    The dual step depends on T, so each T is a run of its own.
    """
    ξ_now, best = exact.slater(mdp), exact.dual_function(mdp).least
    for n in lengths():
        root = arrays.sqrt(rational_number(n)) if is_exact(mdp.P) else np.sqrt(n)
        run = solver(
            mdp,
            step_size=2 * log_actions(mdp.mdp),
            multiplier_step_size=2 * (1 - mdp.discount) / root,
            most=2 / ((1 - mdp.γ(0)) * ξ_now),
        )
        value, slack = 0 * best, 0 * best
        for it, _ in zip(run, range(n), strict=False):
            value, slack = value + it.value, slack + it.slack[..., 0]
        yield {γ: mdp.discount, ξ: ξ_now, T: n, gap: best - value / n, short: -slack / n}


def random_model(S=20, A=10, least=3.0, seed=10):
    """The random model of the paper's experiment: legacy generator, rows normalised, then reward, then utility."""
    from mdplab.models import ConstrainedMDP

    rng = np.random.RandomState(seed)
    P = rng.uniform(0, 1, (S * A, S))
    P = (P / P.sum(axis=1, keepdims=True)).reshape(S, A, S)
    r, u = rng.uniform(0, 1, S * A).reshape(S, A), rng.uniform(0, 1, S * A).reshape(S, A)
    return ConstrainedMDP(P, r, u[None], np.array([least]), 0.8)
