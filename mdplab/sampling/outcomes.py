"""Every outcome in place of a draw, with its probability: expectations by enumeration."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mdplab.arrays import Array
from mdplab.errors import MdplabError
from mdplab.sampling.chains import aligned


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

    @property
    def shape(self) -> tuple[int, ...]:
        """Raises NotEnumerable: how many outcomes there are is known once they are listed."""
        raise NotEnumerable("the number of outcomes is not known before they are listed")

    def at(self, round: int) -> Outcomes:
        """Itself: one may draw only once, in whatever round."""
        return self

    def samples(self, count: int) -> Outcomes:
        """Raises NotEnumerable: several independent samples are not enumerated."""
        raise NotEnumerable(f"{count} samples of each draw are not enumerated; expected one draw without that axis")

    def uniforms(self, purpose: str, count: int) -> np.ndarray:
        """Raises NotEnumerable: uniforms have no finite list of values."""
        raise NotEnumerable(f"uniforms for {purpose!r} have no finite list of values")

    normals = words = uniforms

    def take(self, probability: Array) -> None:
        """Use the one draw: the outcomes have these probabilities (N,)."""
        if self.probability is not None:
            raise NotEnumerable("a second draw depends on the outcome of the first; only one is enumerated")
        self.probability = probability

    def walk(self, start: Array, P: Array, policy: Array, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """All walks of a controlled chain that are possible for some model and policy of the batch, and `take` them.

        States (..., N, H + 1) and actions (..., N, H), the same for the whole batch, as `walk` has them.
        """
        batch = max(start.ndim - 1, P.ndim - 3, policy.ndim - 2)
        start, P, policy = aligned(start, 1, batch), aligned(P, 3, batch), aligned(policy, 2, batch)
        try:
            np.broadcast_shapes(P.shape[:-3], policy.shape[:-2])
        except ValueError:
            found = f"policies of batch shape {policy.shape[:-2]} do not fit models of batch shape {P.shape[:-3]}"
            raise MdplabError(f"{found}; expected the axes of the models first") from None
        paths, probability = self._grown(np.empty((1, 0), dtype=np.intp), 1, start[..., None, :])
        for _ in range(horizon):
            paths, probability = self._grown(paths, probability, policy[..., paths[:, -1], :])
            paths, probability = self._grown(paths, probability, P[..., paths[:, -2], paths[:, -1], :])
        self.take(probability)
        walks = np.broadcast_to(paths, (*probability.shape, 2 * horizon + 1))
        return walks[..., 0::2], walks[..., 1::2]

    def _grown(self, paths: np.ndarray, probability: Array, rows: Array) -> tuple[np.ndarray, Array]:
        """Each path continued in all possible ways, with probabilities `rows` (..., N, K) given the path."""
        p = np.asarray(probability)[..., None] * rows
        K, p = p.shape[-1], p.reshape(*p.shape[:-2], -1)
        possible = ~np.asarray(p == 0, dtype=bool)  # a ball that contains zero is possible
        index = np.flatnonzero(possible.any(axis=tuple(range(p.ndim - 1))))
        if len(index) > self.most:
            raise NotEnumerable(f"there are more than {self.most} trajectories; expected fewer, or draws")
        return np.column_stack([paths[index // K], index % K]), p[..., index]
