"""REINFORCE for policies with memory of their own, from trajectories (:cite:`s2pg2024`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from mdplab.arrays import Array, softmax
from mdplab.models import POMDP
from mdplab.sampling import Draws, joint_reinforce, stateful_rollouts
from mdplab.sampling.chains import aligned


@dataclass(frozen=True, eq=False)
class StatefulSample:
    """The k-th stateful policies of many runs: updates so far; logits, probabilities, direction (..., O, Z, A, Z)."""

    k: int
    θ: Array
    π: Array
    direction: Array


def stateful_reinforce(
    pomdp: POMDP,
    θ: Array,
    *,
    draws: Draws,
    horizon: int,
    step_size: float,
    batch: int = 1,
    estimate: Callable[..., Array] = joint_reinforce,
) -> Iterator[StatefulSample]:
    """Yield the iterates of θ_{k+1} = θ_k + η ĝ_k, one run for each draw; the memory starts in state 0.

    Parameters
    ----------
    θ : array (O, Z, A, Z), or with an axis for the replicates
        First logits of action and next memory state.  If all memory states have the same logits, they differ by chance
        only; start from different ones.
    draws : Draws
        Round k makes the trajectories of iterate k.
    horizon : int
        Steps of a trajectory.
    batch : int
        Trajectories for one update.
    estimate : function of (trajectories, policy)
        `joint_reinforce`, the paper's, or `marginal_reinforce`, as differentiating through time has it.
    """
    for k in count():
        π = softmax(θ.reshape(*θ.shape[:-2], -1)).reshape(θ.shape)
        seen = stateful_rollouts(pomdp, π, horizon, draws.at(k) if batch == 1 else draws.at(k).samples(batch))
        g = estimate(seen, π)
        g = g if batch == 1 else g.mean(axis=-5)
        yield StatefulSample(k, θ, π, g)
        θ = aligned(θ, 4, g.ndim - 4) + step_size * g
