"""The exact softmax policy-gradient loop for a batch of discounted models."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mdplab.arrays import (
    Array,
    exp,
    expand,
    identity_like,
    log_softmax,
    minimum,
    one_hot,
    smallest,
    solve,
    total,
    transposed,
)
from mdplab.kernels import kernel
from mdplab.models.discounted import DiscountedMDP


@dataclass(frozen=True, eq=False)
class Ascent:
    """What stays the same over all iterations of softmax policy gradient.

    Parameters
    ----------
    mdp : DiscountedMDP
        One model or a batch.
    step_size : number or array (...,)
        η, one for the batch or one for each of its models.
    action : int array (..., S), optional
        An optimal action of each state.
    loss : array (..., S, A), optional
        V*(s) − Q*(s, a) >= 0.  Both or neither: they are what `Sums` are taken of.
    """

    mdp: DiscountedMDP
    step_size: Array
    action: Array = None
    loss: Array = None

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything in here that is computed with."""
        mdp = self.mdp
        always = (mdp.P, mdp.r, mdp.discount, mdp.start, self.step_size)
        return always if self.loss is None else (*always, self.loss)


@dataclass(frozen=True, eq=False)
class Sums:
    """What is gathered over iterates: the smallest π(action(s) | s) and the sum of V*(μ) − V^π(μ), each (...,)."""

    least: Array
    total_gap: Array


def nothing_yet(mdp: DiscountedMDP) -> Sums:
    """The sums over no iterate at all: one, as no probability is larger, and zero."""
    zero = mdp.r[..., 0, 0] * 0
    return Sums(zero + 1, zero)


def gather(ascent: Ascent, sums: Sums, π: Array, visits: Array) -> Sums:
    """`sums` with one more iterate π (..., S, A), whose visits are Σ_t γ^t P(s_t = s) (..., S)."""
    taken = total(π * one_hot(ascent.action, ascent.mdp.A, π))
    gap = total(visits * total(π * ascent.loss))
    return Sums(minimum(sums.least, smallest(taken)), sums.total_gap + gap)


def visits(mdp: DiscountedMDP, P: Array) -> Array:
    """μ' (I − γ P_π)^{-1} (..., S) for P_π (..., S, S)."""
    return solve(transposed(identity_like(P) - mdp.γ(2) * P), mdp.start)


def seconds_per_update(ascent: Ascent) -> float:
    """About what one update of the whole batch takes in NumPy."""
    S, A = ascent.mdp.S, ascent.mdp.A
    operations = 4 * S * S * A + 4 * S**3 / 3 + 100 * S * A  # P_π and q; two factorisations; softmax and the rest
    return 1.5e-4 + 1.5e-9 * operations * math.prod(ascent.mdp.batch)


def _seconds(ascent: Ascent, θ: Array, first: int, last: int, sums: Sums | None) -> float:
    # Updates that came before count too: a long run in small portions is worth compiling as well.
    return seconds_per_update(ascent) * last if last > first else 0.0


@kernel(seconds=_seconds, cpu="mdplab.kernels.softmax_pg_lanes", cuda="mdplab.kernels.softmax_pg_cuda")
def advance(ascent: Ascent, θ: Array, first: int, last: int, sums: Sums | None) -> tuple[Array, Sums | None]:
    """θ_last from θ_first (..., S, A) by the updates θ(s, a) += η d(s) π(a | s) A^π(s, a), d the visits of π.

    The iterates first, ..., last − 1 are gathered into `sums`, where it is given.
    """
    mdp, η = ascent.mdp, expand(ascent.step_size, 2)
    for _ in range(first, last):
        π = exp(log_softmax(θ))
        P, r = mdp.under(π)
        v = solve(identity_like(P) - mdp.γ(2) * P, r)
        d = visits(mdp, P)
        if sums is not None:
            sums = gather(ascent, sums, π, d)
        advantage = mdp.action_values(v) - v[..., None]
        θ = θ + η * d[..., None] * π * advantage
    return θ, sums
