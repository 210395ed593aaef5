"""Values and visits of one large sparse Markov chain, by sweeps until only rounding changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import rounding
from mdplab.exact.enclosure import product_rounding


def swept_values(γ: float, P: Any, r: np.ndarray) -> np.ndarray:
    """(I − γ P)^{-1} r for a sparse transition matrix P (S, S) and reward r (S,);  -> (S,).

    The error is at most γ / (1 − γ) times the rounding of one sweep.
    """
    v, successors = np.zeros_like(r), np.diff(P.indptr).max()
    while True:
        new = r + γ * (P @ v)
        change = new - v
        # A change that is the same in all states would go on as a geometric series, whose sum is added at once.
        v = new + γ / (1 - γ) * (change.max() + change.min()) / 2
        if np.ptp(change) <= 4 * product_rounding(successors, r, γ, v):
            return v


def swept_visits(γ: float, P: Any, start: np.ndarray) -> np.ndarray:
    """(I − γ P^T)^{-1} start, accurate entry by entry down to 1e-290;  (S,) -> (S,)."""
    transposed = P.T.tocsr()
    # Sums of non-negative terms: an entry errs relative to itself, by the rounding of as many terms as it has origins.
    noise = 4 * rounding(int(np.diff(transposed.indptr).max()) + 8)
    d = start
    while True:
        new = (1 - γ) * start + γ * (transposed @ d)
        if (abs(new - d) <= noise * new + 1e-305).all():
            return new / (1 - γ)
        d = new
