"""A race of two betting e-processes decides on which side of a level the mean of bounded numbers lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Side = Literal["above", "below"]

BETS = 0.9 * 0.5 ** np.arange(10)  # of the largest bet that can lose no more than everything


@dataclass
class Race:
    """Is the mean of independent numbers in [0, 1] above or below `level`?

    One process bets that it is above, the other that it is below; each is the average of the wealth of ten gamblers who
    stake a fixed part.  If the mean is at most the level, the first reaches 1 / α with probability at most α, whenever
    one stops (Ville's inequality), and likewise the second.  The numbers are taken one after another, so the
    decision does not depend on the portions in which they come.  The construction is the hedged capital of
    :cite:`waudbysmith2024`.

    Parameters
    ----------
    level : float
        At 0 or below the mean is above for certain, over 1 it is below for certain.
    α : float
        Probability of each kind of error.

    Attributes
    ----------
    side : "above", "below" or None
        The decision.
    taken : int
        Numbers taken until then.
    """

    level: float
    α: float
    side: Side | None = None
    taken: int = 0
    _up: np.ndarray = field(default_factory=lambda: np.zeros(len(BETS)))
    _down: np.ndarray = field(default_factory=lambda: np.zeros(len(BETS)))
    _seen: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.level <= 0:
            self.side = "above"
        elif self.level > 1:
            self.side = "below"

    def take(self, low: np.ndarray, high: np.ndarray) -> None:
        """More numbers, each known to lie in [low, high] (rounding): who bets on above is given the low ends."""
        if self.side is not None:
            return
        up, self._up = _wealth(low, self.level, self._up)
        down, self._down = _wealth(1 - high, 1 - self.level, self._down)
        threshold = -np.log(self.α)
        first_up, first_down = _first(up >= threshold), _first(down >= threshold)
        n = min(first_up, first_down)
        if n < len(low):
            self.side = "above" if first_up <= first_down else "below"
            low, high = low[: n + 1], high[: n + 1]
        self.taken += len(low)
        self._seen.append((low, high))

    def interval(self) -> tuple[float, float]:
        """All means that the numbers taken so far do not exclude, each end with error probability α; within [0, 1]."""
        low = np.concatenate([x for x, _ in self._seen] or [np.empty(0)])
        high = np.concatenate([x for _, x in self._seen] or [np.empty(0)])
        return _lower_end(low, self.α), 1 - _lower_end(1 - high, self.α)


def _wealth(x: np.ndarray, level: float, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of the gamblers' mean wealth after each number, and of each one's at the end; they bet on above."""
    with np.errstate(divide="ignore"):
        gains = np.log1p(BETS[:, None] * (x / max(level, 1e-300) - 1))
    logs = np.cumsum(np.concatenate([before[:, None], gains], axis=1), axis=1)[:, 1:]
    top = logs.max(axis=0)
    return top + np.log(np.exp(logs - top).mean(axis=0)), logs[:, -1] if logs.shape[1] else before


def _lower_end(x: np.ndarray, α: float) -> float:
    """The largest level, to one part in 10^9, at which the bet on above has multiplied its stake by 1 / α."""
    low, high = 0.0, 1.0
    for _ in range(30):
        level = (low + high) / 2
        wealth, _ = _wealth(x, level, np.zeros(len(BETS)))
        low, high = (level, high) if len(x) and wealth[-1] >= -np.log(α) else (low, level)
    return low


def _first(mask: np.ndarray) -> int:
    return int(mask.argmax()) if mask.any() else len(mask)
