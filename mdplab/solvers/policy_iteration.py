"""Policy iteration: evaluate the policy, act greedily, repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mdplab.arrays import Array, expand, is_exact, largest, namespace, one_hot, rounding, sup, total
from mdplab.exact import values
from mdplab.models.discounted import DiscountedMDP


def policy_iteration(mdp: DiscountedMDP, action0: Array | None = None) -> Iterator[tuple[Array, Array]]:
    """Yield (action, v) for each policy of Howard's policy iteration, without end.

    Parameters
    ----------
    mdp : DiscountedMDP
    action0 : integer array (..., S), optional
        The first deterministic policy; greedy for the immediate reward by default (lowest index among ties).

    Yields
    ------
    action : integer array (..., S)
    v : array (..., S)
        The values of that policy.

    Notes
    -----
    A state changes its action only for a strictly better one, to the lowest index among the best.  "Strictly" is
    meant exactly in rationals, provably in balls, and by more than rounding in float64; hence ties cannot make the
    iteration cycle, and a policy that repeats is optimal (in float64: as far as rounding can tell).

    References
    ----------
    :cite:`howard1960`; :cite:`puterman1994`, Section 6.4.
    """
    choose = namespace(mdp.r).argmax
    action = choose(mdp.r, axis=-1) if action0 is None else action0
    while True:
        taken = one_hot(action, mdp.A, mdp.r)
        v = values(mdp, taken)
        yield action, v
        q = mdp.action_values(v)
        kept = total(taken * q)
        better = largest(q) > kept + _noise(mdp, v, kept)
        action = namespace(q).where(better, choose(q, axis=-1), action)


def _noise(mdp: DiscountedMDP, v: Array, kept: Array) -> Any:
    # How much q(s, best) − q(s, kept) may be off in float64.  A backup rounds by at most rounding(S + 2) (|r| + γ |v|);
    # the residual v − q(·, kept), with that rounding added, bounds the error of v by a factor 1/(1−γ), of which γ
    # reaches each of the two action values.
    if is_exact(v):
        return 0
    backup = rounding(mdp.S + 2) * (sup(mdp.r, 2) + sup(v))
    residual = sup(v - kept) + backup
    return expand(2 * (backup + mdp.γ(0) * residual / (1 - mdp.γ(0))), 1)
