"""Models in the convention of MDPToolbox: one transition matrix for each action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mdplab.errors import InstanceError
from mdplab.models import DiscountedMDP


def from_mdptoolbox(P: Any, R: Any, discount: float, start: Any = None) -> DiscountedMDP:
    """The model that MDPToolbox describes by `P` and `R`.

    Parameters
    ----------
    P : array (A, S, S), or a sequence of A matrices (S, S), dense or sparse
        ``P[a][s, t]``, the probability that action a takes state s to state t.
    R : array (S,), (S, A) or (A, S, S), or a sequence of A matrices (S, S), dense or sparse
        Reward of a state, of a state and an action, or of a transition (then its mean counts).
    discount : number in [0, 1)
        γ.
    start : array (S,), optional
        Start distribution; uniform by default.

    Raises
    ------
    InstanceError
        If the shapes are none of these.
    """
    transitions = _matrices("P", P)
    A, S = transitions.shape[:2]
    r = _rewards(R, transitions, S, A)
    return DiscountedMDP(np.ascontiguousarray(transitions.swapaxes(0, 1)), r, discount, start)


def _dense(x: Any) -> np.ndarray:
    return np.asarray(x.toarray() if hasattr(x, "toarray") else x, dtype=float)


def _is_stack(x: Any) -> bool:
    # A sequence of matrices, or NumPy's object array of them, as in MDPToolbox's own examples with sparse matrices.
    return isinstance(x, Sequence) or (isinstance(x, np.ndarray) and (x.dtype == object or x.ndim == 3))


def _matrices(name: str, x: Any) -> np.ndarray:
    matrices = [_dense(matrix) for matrix in x] if _is_stack(x) else []
    shapes = [matrix.shape for matrix in matrices]
    if not shapes or len(set(shapes)) > 1 or len(shapes[0]) != 2 or shapes[0][0] != shapes[0][1]:
        found = f"matrices of shapes {shapes}" if shapes else f"a {type(x).__name__} of shape {np.shape(x)}"
        raise InstanceError(f"{name} holds {found}; expected one square matrix (S, S) for each action")
    return np.stack(matrices)


def _rewards(R: Any, P: np.ndarray, S: int, A: int) -> np.ndarray:
    if _is_stack(R) and np.ndim(_dense(R[0])) == 2:
        each = _matrices("R", R)
        if each.shape != P.shape:
            raise InstanceError(f"R has shape {each.shape}; expected (S,), (S, A) or (A, S, S) with S={S} and A={A}")
        return np.einsum("ast,ast->sa", P, each)
    r = _dense(R)
    if r.shape == (S,):
        return np.tile(r[:, None], (1, A))
    if r.shape != (S, A):
        raise InstanceError(f"R has shape {r.shape}; expected (S,), (S, A) or (A, S, S) with S={S} and A={A}")
    return r
