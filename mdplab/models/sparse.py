"""Discounted models with few successors a state and action: P as a SciPy sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import EPS, floats
from mdplab.errors import ModelError
from mdplab.models.discounted import DiscountedMDP


@dataclass(frozen=True, eq=False)
class SparseMDP:
    """A finite Markov decision process (S, A, P, r, γ, μ) in float64 whose P is stored sparsely; never a batch.

    Parameters
    ----------
    P : scipy.sparse array or matrix (S·A, S)
        Row ``s * A + a`` is the distribution of the next state after action a in state s; kept in CSR form.
    r : array (S, A)
        Expected one-step reward.
    discount : number in [0, 1)
        γ.
    start : array (S,), optional
        Start distribution μ; uniform by default.

    Raises
    ------
    ModelError
        If shapes disagree, an entry is not finite, a row of `P` or `start` is no distribution, or γ is not in [0, 1).
    """

    P: Any
    r: np.ndarray
    discount: float
    start: Any = None

    batch = ()

    def __post_init__(self) -> None:
        from scipy.sparse import issparse

        if not issparse(self.P):
            raise ModelError(f"P is a {type(self.P).__name__}; a sparse model has a scipy.sparse matrix")
        object.__setattr__(self, "P", self.P.tocsr())
        if self.r.ndim != 2 or self.P.shape != (self.r.size, self.S):
            raise ModelError(
                f"P has shape {self.P.shape} and r {self.r.shape}; expected (S·A, S) and (S, A) with S, A >= 1"
            )
        if self.start is None:
            object.__setattr__(self, "start", np.full(self.S, 1 / self.S))
        if self.start.shape != (self.S,):
            raise ModelError(f"start has shape {self.start.shape}; expected {(self.S,)}")
        if not 0 <= self.discount < 1:
            raise ModelError(f"discount is {self.discount}; discounting needs 0 <= discount < 1")
        self._check_rewards()
        self._check_rows()
        self._check_start()

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.r.shape[0])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r.shape[1])

    @property
    def row_sums(self) -> np.ndarray:
        """Σ_t P(t | s, a);  (S, A)."""
        return np.asarray(self.P.sum(axis=1)).reshape(self.S, self.A)

    @property
    def successors(self) -> int:
        """The largest number of successors of a state and action."""
        return int(np.diff(self.P.indptr).max())

    def γ(self, axes: int) -> float:
        """The discount; `axes` is there for likeness with `DiscountedMDP`."""
        return self.discount

    def action_values(self, v: np.ndarray) -> np.ndarray:
        """q(s, a) = r(s, a) + γ Σ_t P(t | s, a) v(t);  (S,) -> (S, A)."""
        return self.r + self.discount * self.expected_next(v)

    def expected_next(self, v: np.ndarray) -> np.ndarray:
        """Σ_t P(t | s, a) v(t);  (S,) -> (S, A)."""
        return (self.P @ v).reshape(self.S, self.A)

    def bellman(self, v: np.ndarray) -> np.ndarray:
        """(T v)(s) = max_a q(s, a);  (S,) -> (S,)."""
        return self.action_values(v).max(axis=-1)

    def under(self, π: np.ndarray) -> tuple[Any, np.ndarray]:
        """Sparse transition matrix P_π (S, S) and reward r_π (S,) of the Markov chain that π (S, A) makes."""
        from scipy.sparse import csr_array

        n = self.S * self.A
        weights = csr_array((π.reshape(-1), np.arange(n), np.arange(0, n + 1, self.A)), shape=(self.S, n))
        return weights @ self.P, (π * self.r).sum(axis=-1)

    def under_actions(self, action: np.ndarray) -> tuple[Any, np.ndarray]:
        """`under` for the deterministic policy that takes `action` (S,)."""
        rows = np.arange(self.S) * self.A + action
        return self.P[rows], self.r.reshape(-1)[rows]

    def dense(self) -> DiscountedMDP:
        """The same model with a full array for P: S·A·S numbers."""
        return DiscountedMDP(self.P.toarray().reshape(self.S, self.A, self.S), self.r, self.discount, self.start)

    @classmethod
    def of(cls, mdp: DiscountedMDP) -> SparseMDP:
        """The sparse form of one dense model, in float64."""
        from scipy.sparse import csr_array

        if mdp.batch:
            raise ModelError(f"the model is a batch of shape {mdp.batch}; a sparse model is one model: index the batch")
        P = csr_array(floats(mdp.P).reshape(mdp.S * mdp.A, mdp.S))
        return cls(P, floats(mdp.r), float(floats(mdp.discount)), floats(mdp.start))

    def _check_rewards(self) -> None:
        bad = ~np.isfinite(self.r)
        if bad.any():
            s, a = np.argwhere(bad)[0]
            raise ModelError(f"r[{s}, {a}] is {self.r[s, a]}; expected a finite number")

    def _check_rows(self) -> None:
        data = self.P.data
        bad = ~((data >= 0) & np.isfinite(data))
        if bad.any():
            k = int(bad.argmax())
            row = int(np.searchsorted(self.P.indptr, k, side="right")) - 1
            s, a = divmod(row, self.A)
            raise ModelError(f"P[{s}, {a}, {self.P.indices[k]}] is {data[k]}; a probability is at least 0 and finite")
        off = abs(self.row_sums - 1) > self.S * EPS * 2**29  # the slack of the dense model
        if off.any():
            s, a = np.argwhere(off)[0]
            raise ModelError(f"P[{s}, {a}] sums to {self.row_sums[s, a]}; a distribution sums to 1")

    def _check_start(self) -> None:
        bad = ~((self.start >= 0) & np.isfinite(self.start))
        if bad.any():
            s = int(bad.argmax())
            raise ModelError(f"start[{s}] is {self.start[s]}; a probability is at least 0 and finite")
        if abs(self.start.sum() - 1) > self.S * EPS * 2**29:
            raise ModelError(f"start sums to {self.start.sum()}; a distribution sums to 1")
