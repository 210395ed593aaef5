"""Asymptotic claims, as evidence from dyadic windows; never a proof."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdplab.theorem.quantity import Quantity


@dataclass(frozen=True)
class Rate:
    """``smaller = O(larger)`` along the index: the ratio must stop growing.

    Attributes
    ----------
    index : Quantity
    up_to : int
        Last index, in float64 only.
    growth : float
        The ratio counts as bounded when over the last windows it grows more slowly than ``index**growth``.
        A statement that is off by a power of the index, or by a square root of it, grows by 1 or 1/2.
    """

    index: Quantity
    up_to: int
    growth: float

    def slopes(self, k: np.ndarray, ratio: np.ndarray) -> np.ndarray:
        """Growth exponents of the maxima of ratio (K, n) from each dyadic window to the next; (windows − 1, n)."""
        window = np.floor(np.log2(np.maximum(k, 1))).astype(int)
        if k[-1] + 1 < 2 ** (window[-1] + 1):  # the last window is not whole: part of the one before
            window = np.where(window == window[-1], window[-1] - 1, window)
        tops = np.array([ratio[window == w].max(axis=0) for w in np.unique(window)])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.diff(np.log2(tops), axis=0)

    def stands(self, slopes: np.ndarray) -> np.ndarray:
        """Whether the last third of the slopes is below `growth` on average; (n,).  NaN (0 <= 0) counts as bounded."""
        last = slopes[-max(len(slopes) // 3, 2) :]
        return np.nan_to_num(last, nan=-np.inf).mean(axis=0) <= self.growth


def rate(index: Quantity, *, up_to: int = 4000, growth: float = 0.2) -> Rate:
    """Judge ``smaller = O(larger)`` by slopes over dyadic windows of the index; evidence level 1 at most."""
    return Rate(index, up_to, growth)
