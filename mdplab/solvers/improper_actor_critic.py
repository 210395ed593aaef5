"""Actor-critic over given controllers: values learnt by temporal differences, weights along their advantages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, softmax
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling import Draws, Trajectories, controller_rollouts, td_steps, weight_scores
from mdplab.solvers.improper_pg import weight_logits


@dataclass(frozen=True, eq=False)
class ImproperCriticIterate:
    """Many runs: updates so far, logits and weights (m, M), the critic (m, S) and the direction (m, M) it leads to."""

    k: int
    θ: Array
    w: Array
    v: Array
    direction: Array


def improper_actor_critic(
    mdp: DiscountedMDP,
    controllers: Array,
    θ: Array | None = None,
    *,
    draws: Draws,
    horizon: int,
    step_size: Any,
    critic_step_size: Any,
    natural: bool = False,
    v: Array | None = None,
) -> Iterator[ImproperCriticIterate]:
    """Yield the mixtures of θ_{k+1} = θ_k + η Σ_t γ^t δ_t ∇ log w(m_t), one trajectory an update, a run for each draw.

    Parameters
    ----------
    controllers : array (M, S, A)
    θ : array (M,), optional
        First logits; zero by default.
    horizon : int
        Steps of a trajectory.
    critic_step_size : number
        β of v(s_t) ← v(s_t) + β δ_t, step by step along the same trajectory, after the actor's estimate is taken.
    natural : bool
        Whether the direction is multiplied by the inverse of the Fisher matrix diag w − w wᵀ, that is divided by w.
    v : array (S,), optional
        First critic; zero by default.

    References
    ----------
    :cite:`zaki2022`; the tabular critic and one trajectory an update are our reading, the algorithm could not be read.
    """
    θ = np.broadcast_to(weight_logits(mdp, controllers, θ), (*draws.shape, controllers.shape[-3]))
    v = np.broadcast_to(np.zeros(mdp.S) if v is None else v, (*draws.shape, mdp.S)).copy()
    γ = float(mdp.discount)
    for k in count():
        w = softmax(θ)
        seen = controller_rollouts(mdp, controllers, w, horizon, draws.at(k))
        g = weight_scores(seen, seen.weights * td_steps(seen, v, γ), w)
        g = g / w if natural else g
        yield ImproperCriticIterate(k, θ, w, v.copy(), g)
        θ = θ + step_size * g
        learn(v, seen, γ, critic_step_size)


def learn(v: np.ndarray, trajectories: Trajectories, discount: float, step_size: Any) -> None:
    """TD(0) along each trajectory, step by step, in place;  v (m, S)."""
    runs = np.arange(len(v))
    for t in range(trajectories.H):
        s, after = trajectories.states[:, t], trajectories.states[:, t + 1]
        δ = trajectories.rewards[:, t] + discount * v[runs, after] - v[runs, s]
        v[runs, s] += step_size * δ
