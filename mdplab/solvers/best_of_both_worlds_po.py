"""Follow the regularised leader in every state, on importance-weighted losses, with a dilated bonus.

Policy optimisation for losses of episodes that are stochastic or adversarial, after :cite:`bobw2023`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, ball, expand, is_exact, precision, rational_number, smallest, softmax, total
from mdplab.errors import MdplabError
from mdplab.exact import finite_horizon as exact
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import Draws, NotEnumerable, Outcomes, Trajectories, at_pairs, pair_sums, rewards_to_go, rollouts
from mdplab.sampling.chains import zeros

POWERS = {"tsallis": 2, "log-barrier": 1}
REGULARISERS = ("tsallis", "shannon", "log-barrier")


@dataclass(frozen=True, eq=False)
class LossIterate:
    """The policies of one episode, and the mean losses that it meets.

    Parameters
    ----------
    k : int
        Episodes so far.
    π : array (..., S, A)
        One policy for each replicate.
    losses : array (S, A)
        Mean losses of episode k, which the learner does not see.
    """

    k: int
    π: Array
    losses: Array


def best_of_both_worlds_po(
    mdp: FiniteHorizonMDP,
    draws: Draws,
    *,
    losses: Callable[[int], Array] | None = None,
    regulariser: str = "tsallis",
    step: float = 1.0,
    bonus: float = 0.0,
) -> Iterator[LossIterate]:
    """Yield the policies of episode after episode of one model, one run for each draw, without end.

    π_t(· | x) = argmin_p ⟨p, Σ_{τ < t} (Q̂_τ − B_τ)(x, ·)⟩ + Ψ(p) / η_t with η_t = `step` / √t, transitions known.

    Parameters
    ----------
    losses : function of k, optional
        Mean losses (S, A) in [0, 1] of episode k = 0, 1, ...; by default 1 − r in every episode.  Losses are 0 or 1.
    regulariser : {"tsallis", "shannon", "log-barrier"}
    step, bonus : float
        That of η_t, and β.  The paper's we have not read; these are ours, see the card.

    References
    ----------
    :cite:`bobw2023`; for one state with `step` 2, IW Tsallis-INF of :cite:`zimmert2021`.
    """
    if isinstance(draws, Outcomes):
        raise NotEnumerable("a learner that draws in every episode is not enumerated")
    losses = losses or (lambda k: 1 - mdp.rewards)
    draws.require_room(8 * mdp.S * mdp.A)
    L = zeros((*draws.shape, mdp.S, mdp.A), mdp.rewards)
    for k in count():
        η = step / np.sqrt(k + 1)
        π = leader(L, η, regulariser)
        yield LossIterate(k, π, c := losses(k))
        μ = exact.visits(mdp, π)
        L = L + weighted_losses(losing(rollouts(mdp, π, mdp.H, draws.at(k)), c, draws.at(k)), μ, π)
        if bonus:
            L = L - dilated(mdp, π, expand(local_bonus(π, μ, η, mdp.H, bonus, regulariser), 1) + 0 * π)


def leader(L: Array, step: Any, regulariser: str = "tsallis") -> Array:
    """argmin_p ⟨p, L⟩ + Ψ(p) / η over distributions;  (..., A) -> (..., A).

    Ψ is −2 Σ √p (Tsallis), Σ p log p (Shannon) or −Σ log p (log-barrier).  Float64 in float64, else balls.

    Parameters
    ----------
    step : number or array (...,)
        η.
    """
    if regulariser not in REGULARISERS:
        raise MdplabError(f"regulariser is {regulariser!r}; expected one of {REGULARISERS}")
    η = expand(step, 1)
    if regulariser == "shannon":
        return softmax(-(η * L))
    g, power = η * (L - np.asarray(smallest(L))[..., None]), POWERS[regulariser]
    if is_exact(g):
        g = np.asarray(_ball(g))
    p = 1 / (g + _level(g, power)) ** power
    return p if is_exact(p) else p / np.sum(p, axis=-1, keepdims=True)


_ball = np.frompyfunc(ball, 1, 1)
_hull = np.frompyfunc(lambda x, y: x.union(y), 2, 1)


def _level(g: Array, power: int) -> Array:
    """x with Σ_a (g_a + x)^(−power) = 1 for g >= 0 = min g, by bisection between 1 and A;  (..., A) -> (..., 1).

    Newton's steps overshoot from the right, where the sum is flat.  A ball that is cut at its root cannot tell on which
    side that is, so cuts are at 3/7 and 4/7 in turn.
    """
    low, high = (x + 0 * g[..., :1] for x in (1, g.shape[-1]))
    for n in range(precision() * 3 // 2 if is_exact(g) else 70):
        cut = ((3 + n % 2) * low + (4 - n % 2) * high) / 7
        beyond = np.sum(1 / (g + cut) ** power, axis=-1, keepdims=True) - 1
        low = np.where(np.asarray(beyond >= 0, dtype=bool), cut, low)
        high = np.where(np.asarray(beyond <= 0, dtype=bool), cut, high)
    return _hull(low, high) if is_exact(g) else (low + high) / 2


def losing(trajectories: Trajectories, losses: Array, draws: Draws) -> Trajectories:
    """The trajectories with losses 0 or 1 of means `losses` (S, A) in place of rewards."""
    hit = draws.uniforms("loss", trajectories.H) < at_pairs(losses, trajectories)
    return replace(trajectories, rewards=1.0 * hit)


def weighted_losses(trajectories: Trajectories, μ: Array, π: Array) -> Array:
    """Q̂(x, a) = 1{x, a visited} L_x / (μ(x) π(a | x)), L_x what is lost from there on;  -> (..., S, A)."""
    lost = pair_sums(trajectories.states, trajectories.actions, rewards_to_go(trajectories), *π.shape[-2:])
    chance = expand(μ, 1) * π
    return lost / np.where(lost > 0, chance, 1)


def local_bonus(π: Array, μ: Array, step: float, H: int, scale: float, regulariser: str) -> Array:
    """b(x) = β η H² Σ_a √π(a | x) / μ(x), with A in place of the sum for Shannon, at most H;  -> (..., S)."""
    width = π.shape[-1] if regulariser == "shannon" else total(np.sqrt(π))
    return np.minimum(scale * step * H**2 * width / np.maximum(μ, 1e-300), H)


def dilated(mdp: FiniteHorizonMDP, π: Array, b: Array, dilation: Any = None) -> Array:
    """B(x, a) = b(x, a) + (1 + 1/H) Σ_y P(y | x, a) Σ_a' π(a' | y) B(y, a');  (..., S, A) -> (..., S, A).

    Parameters
    ----------
    dilation : number, optional
        In place of 1 + 1/H.
    """
    one = rational_number(1) if is_exact(b) else 1.0
    factor = one + one / mdp.H if dilation is None else one * dilation
    grown = np.asarray([factor ** int(h) for h in mdp.H - mdp.to_go])  # (1 + 1/H)^h
    later = mdp.expected_next(exact.collected(mdp, π, grown * total(π * b)))
    return b + later / grown[:, None]
