"""Randomness as an argument: a draw is a function of seed, instance, replicate, round, sample and purpose."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mdplab.errors import MdplabError
from mdplab.kernels import require_memory
from mdplab.kernels.philox import Stream, uniform, words


@dataclass(frozen=True, eq=False)
class Draws:
    """Which replicates of which instances are drawn; all their random numbers follow from it.

    A number depends on its own seed, instance, replicate, round, sample and purpose only: not on which others are drawn
    beside it, nor on threads, workers or device.

    Parameters
    ----------
    seed : int in [0, 2^64)
    replicate : int or int array (...,)
        Independent repetitions of the same experiment.
    instance : int or int array (...,)
        Number of the model; the shapes broadcast.
    round : int in [0, 2^32)
        How often this purpose has been drawn before: the iteration of an algorithm.
    sample : int or int array (...,)
        Number within a batch that one round draws.

    Examples
    --------
    >>> draws = Draws(seed=0, replicate=np.arange(1000))
    >>> draws.at(3).uniforms("start", 2).shape
    (1000, 2)
    """

    seed: int = 0
    replicate: Any = 0
    instance: Any = 0
    round: int = 0
    sample: Any = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**64:
            raise MdplabError(f"seed is {self.seed}; expected an integer in [0, 2^64)")
        if not 0 <= self.round < 2**32:
            raise MdplabError(f"round is {self.round}; expected an integer in [0, 2^32)")

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of what one draw yields."""
        return np.broadcast_shapes(*(np.shape(x) for x in (self.replicate, self.instance, self.sample)))

    def at(self, round: int) -> Draws:
        """The draws of that round, independent of those of other rounds."""
        return replace(self, round=round)

    def samples(self, count: int) -> Draws:
        """`count` independent draws in place of each, along a new last axis."""
        if count < 1:
            raise MdplabError(f"{count} samples of each draw were asked for; expected at least 1")
        self.require_room(3 * count)
        shape = self.shape
        return replace(
            self,
            replicate=np.broadcast_to(self.replicate, shape)[..., None],
            instance=np.broadcast_to(self.instance, shape)[..., None],
            sample=np.broadcast_to(self.sample, shape)[..., None] * count + np.arange(count),
        )

    def require_room(self, numbers: int) -> None:
        """Raise MdplabError, before anything is drawn, unless that many numbers for each draw fit into memory."""
        N = math.prod(self.shape)
        what = f"{N} draws with {numbers} numbers each" if N > 1 else f"a draw of {numbers} numbers"
        require_memory(8 * N * numbers, what, "draw fewer replicates at a time")

    def table(self, *axes: int) -> np.ndarray:
        """Zeros (..., *axes), for what a learner knows in each replicate; raises MdplabError unless they fit."""
        self.require_room(math.prod(axes))
        return np.zeros((*self.shape, *axes))

    def counters(self) -> np.ndarray:
        """The upper three words of the counter of each draw, (..., 3) uint64: round and sample, replicate, instance."""
        self.require_room(6)
        for name, most in (("sample", 32), ("replicate", 64), ("instance", 64)):
            numbers = np.asarray(getattr(self, name))
            if numbers.size and not (numbers.min() >= 0 and numbers.max() < 2**most):
                wrong = numbers.min() if numbers.min() < 0 else numbers.max()
                raise MdplabError(f"{name} is {wrong}; expected integers in [0, 2^{most})")
        round_and_sample = np.uint64(self.round << 32) | np.asarray(self.sample).astype(np.uint64)
        parts = (round_and_sample, self.replicate, self.instance)
        return np.stack([np.broadcast_to(np.asarray(x).astype(np.uint64), self.shape) for x in parts], axis=-1)

    def key(self, purpose: str) -> np.ndarray:
        """The two words of the key, uint64: the seed, and the purpose's first eight letters as a number."""
        letters = purpose.encode("ascii")
        if not 0 < len(letters) <= 8:
            raise MdplabError(f"purpose is {purpose!r}; expected one to eight letters, which become part of the key")
        return np.array([self.seed, int.from_bytes(letters, "little")], dtype=np.uint64)

    def words(self, purpose: str, count: int) -> np.ndarray:
        """The first `count` random words for that purpose, (..., count) uint64."""
        self.require_room(6 + 2 * count)
        counters = self.counters().reshape(-1, 3)
        return words(Stream(self.key(purpose), count), counters).reshape(*self.shape, count)

    def uniforms(self, purpose: str, count: int) -> np.ndarray:
        """The first `count` uniforms in [0, 1) for that purpose, multiples of 2^-53;  (..., count)."""
        return uniform(self.words(purpose, count))

    def normals(self, purpose: str, count: int) -> np.ndarray:
        """The first `count` standard normals for that purpose, (..., count), by Box and Muller's transformation."""
        u = self.uniforms(purpose, 2 * -(-count // 2))
        radius = np.sqrt(-2 * np.log1p(-u[..., 0::2]))
        angle = 2 * np.pi * u[..., 1::2]
        out = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
        return out.reshape(u.shape)[..., :count]
