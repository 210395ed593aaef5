"""LMC-LSVI: least-squares value iteration whose parameters are samples of Langevin Monte Carlo (:cite:`lmc2024`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import Draws
from mdplab.solvers.experience import Experience, LearningIterate, greedy_rows


@dataclass(frozen=True, eq=False)
class Chain:
    """A Langevin chain for the loss Λ (w − ŵ)² of every pair of a state and an action: features are one-hot.

    Attributes
    ----------
    curvature, centre : array (..., S, A)
        Λ, visits and the ridge; and ŵ, the sum of the targets over Λ.
    step, steps : array (..., 1, 1)
        η and J.
    noise : float
        β^(−1/2).
    """

    curvature: Array
    centre: Array
    step: Any
    steps: Any
    noise: float


Sampler = Callable[[Array, Chain, Callable[[int], Array]], Array]


def lmc_lsvi(
    mdp: FiniteHorizonMDP,
    draws: Draws,
    *,
    noise: float = 1.0,
    ridge: float = 1.0,
    episodes: int = 1000,
    steps: int | None = None,
    sampler: Sampler | None = None,
    random: float = 0.0,
) -> Iterator[LearningIterate]:
    """Yield the policies of episode after episode of one model with rewards in [0, 1], one run for each draw.

    Before an episode each w_h, from the last epoch to the first, makes J steps w ← w − η ∇L_h(w) + √(2 η) `noise` ξ
    from where it was, η = 1 / (4 max Λ_h); then Q_h = w_h cut to [0, H − h], and the greedy policy is played.

    Parameters
    ----------
    noise : float
        β^(−1/2).  The theory's, about H √(S A), explores for longer than one can wait.
    ridge : float
        λ; 1 in the paper.
    episodes : int
        K, how many the number of steps J = 2 κ log(4 H K d) is made for, κ = max Λ / min Λ and d = S_h A.
    steps : int, optional
        J in place of that.
    sampler : `by_law`, `by_steps` or `posterior`, optional
        How w is drawn: all J steps at once (default), one after another, or N(ŵ, noise² / Λ), which is RLSVI.
    random : float
        Probability of a random action in place of the greedy one: for comparison, with `noise` 0.
    """
    sampler = sampler or by_law
    seen = Experience(mdp, draws)
    w = np.zeros_like(seen.visits)
    for k in count():
        q, v, ξ = np.zeros_like(w), None, _normals(draws.at(k), w.shape)
        for h, rows in seen.backwards():
            Λ = seen.visits[..., rows, :] + ridge
            top, bottom = (f(Λ, axis=(-2, -1), keepdims=True) for f in (np.max, np.min))
            J = np.ceil(2 * top / bottom * np.log(4 * mdp.H * episodes * Λ.shape[-2] * mdp.A))
            chain = Chain(Λ, seen.targets(h, rows, v) / Λ, 1 / (4 * top), J if steps is None else steps, noise)
            w[..., rows, :] = sampler(w[..., rows, :], chain, partial(_rows, ξ, rows))
            q[..., rows, :] = np.clip(w[..., rows, :], 0, mdp.H - h)
            v = q[..., rows, :].max(axis=-1)
        π = greedy_rows(q, random)
        yield LearningIterate(k, π, np.full(draws.shape, k))
        seen.meet(π, k)


def _normals(draws: Draws, shape: tuple[int, ...]) -> Callable[[int], Array]:
    """ξ of inner step j for all pairs, (..., S, A)."""
    return cache(lambda j: draws.normals(f"w{j}", shape[-2] * shape[-1]).reshape(shape))


def _rows(ξ: Callable[[int], Array], rows: slice, j: int) -> Array:
    return ξ(j)[..., rows, :]


def langevin_law(w: Array, chain: Chain) -> tuple[Array, Array]:
    """Mean A^J w + (1 − A^J) ŵ and variance (1 − A^2J) / (β Λ (1 + A)) after J steps from w, A = 1 − 2 η Λ."""
    A = 1 - 2 * chain.step * chain.curvature
    kept = A**chain.steps
    return kept * w + (1 - kept) * chain.centre, chain.noise**2 * (1 - kept**2) / (chain.curvature * (1 + A))


def by_law(w: Array, chain: Chain, normals: Callable[[int], Array]) -> Array:
    """All J steps in one draw."""
    mean, variance = langevin_law(w, chain)
    return mean + np.sqrt(variance) * normals(0)


def by_steps(w: Array, chain: Chain, normals: Callable[[int], Array]) -> Array:
    """J steps one after another, the definition: slow."""
    for j in range(int(np.max(chain.steps))):
        slope = 2 * chain.curvature * (w - chain.centre)
        moved = w - chain.step * slope + np.sqrt(2 * chain.step) * chain.noise * normals(j)
        w = np.where(j < np.asarray(chain.steps), moved, w)
    return w


def posterior(w: Array, chain: Chain, normals: Callable[[int], Array]) -> Array:
    """N(ŵ, 1 / (β Λ)), whatever w was: randomised least-squares value iteration."""
    return chain.centre + chain.noise / np.sqrt(chain.curvature) * normals(0)
