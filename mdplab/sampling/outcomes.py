"""Every outcome in place of a draw, with its probability: expectations by enumeration."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from mdplab.arrays import Array, is_exact, rational
from mdplab.errors import MdplabError
from mdplab.models.discounted import DiscountedMDP
from mdplab.sampling.trajectories import Trajectories


class NotEnumerable(MdplabError):
    """What is asked of `Outcomes` has no finite list of outcomes, or too long a one."""


@dataclass(eq=False)
class Outcomes:
    """Stands where `Draws` may stand, for measures that draw once: the replicate axis then holds every outcome.

    Attributes
    ----------
    most : int
        Longest list of outcomes that is made.
    probability : array (N,) or None
        Of each outcome, once it has been drawn from; sums to one.
    """

    most: int = 4096
    probability: Array = field(default=None, init=False)

    def at(self, round: int) -> Outcomes:
        """Itself: one may draw only once, in whatever round."""
        return self

    def samples(self, count: int) -> Outcomes:
        """Itself for one sample; several independent ones are not enumerated."""
        if count != 1:
            raise NotEnumerable(f"{count} samples at once are not enumerated; expected 1")
        return self

    def uniforms(self, purpose: str, count: int) -> np.ndarray:
        """Raises NotEnumerable: uniforms have no finite list of values."""
        raise NotEnumerable(f"uniforms for {purpose!r} have no finite list of values")

    normals = words = uniforms

    def take(self, probability: Array) -> None:
        """Use the one draw: the outcomes have these probabilities (N,)."""
        if self.probability is not None:
            raise NotEnumerable("a second draw depends on the outcome of the first; only one is enumerated")
        self.probability = probability


def every_trajectory(mdp: DiscountedMDP, policy: Array, horizon: int, most: int = 10**6) -> tuple[Trajectories, Array]:
    """All trajectories of `horizon` steps and their probabilities (..., N), in the arithmetic of the model.

    States and actions are (N, H + 1) and (N, H), the same for every model of a batch; rewards (..., N, H).

    Raises
    ------
    NotEnumerable
        If there are more than `most`.
    """
    S, A = mdp.S, mdp.A
    count = S * (S * A) ** horizon
    if count > most:
        raise NotEnumerable(f"{S} states, {A} actions and {horizon} steps make {count} trajectories; at most {most}")
    paths = np.array(list(product(range(S), *[range(A), range(S)] * horizon)), dtype=np.intp)
    states, actions = paths[:, 0::2], paths[:, 1::2]
    probability = mdp.start[..., states[:, 0]]
    for h in range(horizon):
        s, a, t = states[:, h], actions[:, h], states[:, h + 1]
        probability = probability * policy[..., s, a] * mdp.P[..., s, a, t]
    rewards = np.stack([mdp.r[..., states[:, h], actions[:, h]] for h in range(horizon)], axis=-1)
    return Trajectories(states, actions, rewards, powers(mdp, horizon)), probability


def powers(mdp: Any, horizon: int) -> Array:
    """γ^h for h = 0, ..., H − 1;  (..., 1, H), or (H,) where one discount serves all."""
    γ = mdp.discount
    one = rational(1)[()] if is_exact(np.asarray(γ)) or is_exact(γ) else 1.0
    out = [γ * 0 + one]
    for _ in range(horizon - 1):
        out.append(out[-1] * γ)
    stacked = np.stack([np.asarray(x) for x in out], axis=-1)
    return stacked[..., None, :] if stacked.ndim > 1 else stacked
