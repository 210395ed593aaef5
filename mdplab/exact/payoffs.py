"""What a policy is worth by reward and by each utility of a constrained model, and occupancy measures."""

from __future__ import annotations

from mdplab.arrays import Array, expand, is_exact, namespace, solve, total
from mdplab.exact.values import resolvent
from mdplab.exact.visits import occupancy
from mdplab.models import ConstrainedMDP, DiscountedMDP


def payoff_values(cmdp: ConstrainedMDP, π: Array) -> Array:
    """V_r^π and V_{u_1}^π, ..., V_{u_I}^π from each state;  (..., S, A) -> (..., 1 + I, S)."""
    P, _ = cmdp.mdp.under(π)
    return solve(resolvent(cmdp.mdp, P)[..., None, :, :], total(π[..., None, :, :] * cmdp.payoffs))


def payoff_action_values(cmdp: ConstrainedMDP, π: Array) -> Array:
    """Q^π of the reward and of each utility;  (..., S, A) -> (..., 1 + I, S, A)."""
    v = payoff_values(cmdp, π)
    S, A = cmdp.S, cmdp.A
    P = namespace(cmdp.P).reshape(cmdp.P, (*cmdp.batch, 1, S * A, S))
    following = (P @ v[..., None])[..., 0]
    return cmdp.payoffs + cmdp.γ(3) * namespace(v).reshape(following, (*following.shape[:-1], S, A))


def payoffs_at_start(cmdp: ConstrainedMDP, π: Array) -> Array:
    """V_r^π(μ) and V_{u_i}^π(μ), unnormalised;  (..., S, A) -> (..., 1 + I)."""
    return total(payoff_values(cmdp, π) * cmdp.start[..., None, :])


def slack(cmdp: ConstrainedMDP, π: Array) -> Array:
    """V_{u_i}^π(μ) − b_i, negative where a constraint is violated;  (..., S, A) -> (..., I)."""
    return payoffs_at_start(cmdp, π)[..., 1:] - cmdp.least


def occupancy_measure(mdp: DiscountedMDP, π: Array) -> Array:
    """x^π(s, a) = d^π(s) π(a | s), which sums to one;  (..., S, A) -> (..., S, A)."""
    return expand(occupancy(mdp, π), 1) * π


def policy_of(x: Array) -> Array:
    """The policy with occupancy measure x (..., S, A); uniform where a state is never visited."""
    visited = total(x)
    never = visited == 0
    if is_exact(x):
        never = never.astype(bool).astype(int)
        x = x + never[..., None]
    else:
        x = x + namespace(x).astype(never, x.dtype)[..., None]
    return x / expand(total(x), 1)
