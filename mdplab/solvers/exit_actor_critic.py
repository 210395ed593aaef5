"""Actor-critic until exit: values of time and place by regression or temporal differences, and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, softmax
from mdplab.models import ExitTimeMDP
from mdplab.sampling import Draws, Trajectories, pair_sums, rewards_to_go, rollouts, td_actor_critic
from mdplab.solvers.exit_reinforce import each_time, exit_step, like_logits


@dataclass(frozen=True, eq=False)
class ExitCriticIterate:
    """The k-th policies of many runs, and their critics.

    Parameters
    ----------
    k : int
        Updates so far.
    θ : array (m, N, S, A) or (m, S, A)
        Logits.
    π : array (m, N, S, A)
        Probabilities.
    v : array (m, N, S)
        The critic inside; outside and at the horizon it is the payoff.
    direction : array like θ
    """

    k: int
    θ: Array
    π: Array
    v: Array
    direction: Array


def offline_critic(v: np.ndarray, trajectories: Trajectories) -> np.ndarray:
    """The payoff's regression on time and place: its mean over the visits of each, the old value where there are none.

    v (m, N·S) and trajectories (m, K) -> (m, N·S).
    """
    seen, rows = trajectories, v.shape[-1]
    paid = seen.weights * rewards_to_go(seen)
    sums, visits = (pair_sums(seen.states, 0 * seen.actions, ψ, rows, 1)[..., 0] for ψ in (paid, seen.weights))
    sums, visits = sums.sum(axis=-2), visits.sum(axis=-2)
    return np.where(visits > 0, sums / np.maximum(visits, 1), v)


def online_critic(step_size: float) -> Callable[[np.ndarray, Trajectories], np.ndarray]:
    """v(i, X_i) ← v(i, X_i) + β (v(i + 1, X_{i+1}) − v(i, X_i)), the payoff for v at the exit, path after path.

    Returns a function of v (m, N·S) and trajectories (m, K).
    """

    def learnt(v: np.ndarray, trajectories: Trajectories) -> np.ndarray:
        rows, runs = v.shape[-1], np.arange(len(v))
        v = np.concatenate([v, np.zeros((len(v), 1))], axis=-1)  # the last entry stands for all that is over
        states = np.minimum(trajectories.states, rows)
        for path in range(states.shape[1]):
            for t in range(trajectories.H):
                here, after = states[:, path, t], states[:, path, t + 1]
                δ = trajectories.rewards[:, path, t] + v[runs, after] - v[runs, here]
                v[runs, here] += np.where(here < rows, step_size * δ, 0)
        return v[:, :rows]

    return learnt


def exit_actor_critic(
    mdp: ExitTimeMDP,
    θ: Array | None = None,
    *,
    draws: Draws,
    critic: Callable[[np.ndarray, Trajectories], np.ndarray] = offline_critic,
    step_size: Any = None,
    batch: int = 1,
) -> Iterator[ExitCriticIterate]:
    """Yield the iterates of θ ← θ + η Σ_{i<τ} (v(i + 1, X_{i+1}) − v(i, X_i)) ∇ log π(α_i | i, X_i), means of a batch.

    Parameters
    ----------
    θ : array (N, S, A) or (S, A), optional
        First logits, the same for all runs; zero and one row for each time by default.
    draws : Draws
        Of shape (m,), one run for each.  Iterate k learns its critic on round 2 k and is improved on round 2 k + 1, so
        that errors of the critic do not depend on what the actor sees.
    critic : function of a critic (m, N·S) and trajectories (m, K)
        `offline_critic`, or `online_critic` with a step size.  The first critic is zero.
    step_size : number
        η; by default 1 / (N max |g|).
    batch : int
        K, trajectories for either.

    References
    ----------
    :cite:`hamd2023`; both critics are named in its abstract, its loop and step sizes could not be read.
    """
    rows, timed = mdp.N * mdp.S, (mdp.N, mdp.S, mdp.A)
    θ = np.zeros(timed) if θ is None else θ
    θ, v = np.broadcast_to(θ, (*draws.shape, *θ.shape)), draws.table(rows)
    η = 1 / (mdp.N * mdp.payoff_bound) if step_size is None else step_size
    for k in count():
        π = each_time(softmax(θ), timed)
        flat = π.reshape(*draws.shape, rows, mdp.A)
        v = critic(v, rollouts(mdp, π, mdp.N, draws.at(2 * k).samples(batch)))
        seen = rollouts(mdp, π, mdp.N, draws.at(2 * k + 1).samples(batch))
        g = like_logits(td_actor_critic(seen, flat, v, 1).mean(axis=-3), mdp, θ)
        yield ExitCriticIterate(k, θ, π, v.reshape(*draws.shape, mdp.N, mdp.S), g)
        θ = exit_step(θ, η, g)
