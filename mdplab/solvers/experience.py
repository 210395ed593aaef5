"""What learners that explore have in common: what they have seen, episode by episode, and what they play next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mdplab.arrays import Array
from mdplab.errors import MdplabError
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import Draws, NotEnumerable, Outcomes, Trajectories, rollouts


@dataclass(frozen=True, eq=False)
class LearningIterate:
    """What a learner plays in one episode.

    Parameters
    ----------
    k : int
        Episodes so far.
    π : array (..., S, A)
        Policies of this episode, one for each replicate.
    updates : array (...,)
        How often the policy has been computed anew so far, that of the first episode not counted.
    """

    k: int
    π: Array
    updates: Array


class Experience:
    """Counts of one model for each replicate, which grow with every episode.

    Attributes
    ----------
    visits, paid : array (..., S, A)
        How often each pair was met, and what it paid in all.
    moves : tuple of H − 1 arrays (..., S_h, A, S_{h+1})
        How often it led where.
    """

    def __init__(self, mdp: FiniteHorizonMDP, draws: Draws) -> None:
        if isinstance(draws, Outcomes):
            raise NotEnumerable("a learner that draws in every episode is not enumerated")
        if mdp.batch:
            raise MdplabError(f"the model has batch shape {mdp.batch}; a learner explores one model")
        self.mdp, self.draws = mdp, draws
        draws.require_room(sum(math.prod(P.shape) for P in mdp.P) + 8 * mdp.S * mdp.A)
        self.visits = draws.table(mdp.S, mdp.A)
        self.paid = np.zeros_like(self.visits)
        self.moves = tuple(draws.table(*P.shape) for P in mdp.P)
        self._ends = np.cumsum((0, *mdp.sizes))
        self._runs = tuple(np.indices(draws.shape))

    def meet(self, π: Array, k: int) -> None:
        """Play π (..., S, A) in episode k, one trajectory for each replicate, and count what is seen."""
        self.count(rollouts(self.mdp, π, self.mdp.H, self.draws.at(k)))

    def count(self, seen: Trajectories) -> None:
        """Add trajectories, one for each replicate, which meet no pair twice."""
        for h in range(self.mdp.H):
            s, a = seen.states[..., h], seen.actions[..., h]
            self.visits[(*self._runs, s, a)] += 1
            self.paid[(*self._runs, s, a)] += seen.rewards[..., h]
            if h + 1 < self.mdp.H:
                t = seen.states[..., h + 1] - self._ends[h + 1]
                self.moves[h][(*self._runs, s - self._ends[h], a, t)] += 1

    def backwards(self) -> Iterator[tuple[int, slice]]:
        """Epochs from the last to the first, each with where its states are."""
        for h in reversed(range(self.mdp.H)):
            yield h, slice(int(self._ends[h]), int(self._ends[h + 1]))

    def targets(self, h: int, rows: slice, v: Array | None) -> Array:
        """Σ (reward + v(next state)) over all visits of each pair of epoch h;  v (..., S_{h+1}) -> (..., S_h, A)."""
        paid = self.paid[..., rows, :]
        return paid if v is None else paid + (self.moves[h] @ v[..., None, :, None])[..., 0]


def greedy_rows(q: Array, random: float = 0.0) -> Array:
    """The first best action, or with probability `random` any;  (..., A) -> (..., A)."""
    A = q.shape[-1]
    return (1 - random) * np.eye(A)[q.argmax(axis=-1)] + random / A
