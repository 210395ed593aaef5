"""Optimistic gradient descent and ascent on a matrix game over two simplices: two projected steps an update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, expand, namespace
from mdplab.errors import MdplabError
from mdplab.solvers.simplex import project_to_simplex
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class GameIterate:
    """The k-th pair of mixed strategies x (..., n) and y (..., m), and x̂ and ŷ, from which they looked ahead."""

    k: int
    x: Array
    y: Array
    x_base: Array
    y_base: Array


def optimistic_gradient(
    matrix: Array,
    x: Array | None = None,
    y: Array | None = None,
    *,
    step_size: Any,
    look_ahead: bool = True,
    at: Iterable[int] | None = None,
) -> Iterator[GameIterate]:
    """Yield the iterates for min over x of max over y of xᵀ M y, without end.

    x_k = Proj(x̂_k − η M y_{k−1}), y_k = Proj(ŷ_k + η Mᵀ x_{k−1}); the same steps by M y_k and Mᵀ x_k lead from x̂_k, ŷ_k
    to x̂_{k+1}, ŷ_{k+1}.

    Parameters
    ----------
    matrix : array (..., n, m)
        M, what the first player pays.
    x, y : array (..., n) and (..., m), optional
        x̂_0 and ŷ_0; uniform by default, and the iterates before them, from whose gradients x_0 and y_0 are made.
    step_size : number or array (...,)
        η.
    look_ahead : bool
        Whether x_k and y_k look ahead; without it these are projected descent and ascent, which move away.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `x` or `y` has the wrong shape.

    References
    ----------
    :cite:`wei2021`.
    """
    rows, columns = matrix[..., :, 0], matrix[..., 0, :]
    x = (0 * rows + 1) / matrix.shape[-2] if x is None else x
    y = (0 * columns + 1) / matrix.shape[-1] if y is None else y
    for name, given, like in (("x", x, rows), ("y", y, columns)):
        if tuple(given.shape) != tuple(like.shape):
            raise MdplabError(f"{name} has shape {tuple(given.shape)}; expected {tuple(like.shape)}")
    return thinned(_run(matrix, x, y, expand(step_size, 1), look_ahead), at)


def _run(M: Array, x_base: Array, y_base: Array, η: Any, look_ahead: bool) -> Iterator[GameIterate]:
    x, y = x_base, y_base
    for k in count():
        x, y = _stepped(M, x_base, y_base, x, y, η) if look_ahead else (x_base, y_base)
        yield GameIterate(k, x, y, x_base, y_base)
        x_base, y_base = _stepped(M, x_base, y_base, x, y, η)


def _stepped(M: Array, x_base: Array, y_base: Array, x: Array, y: Array, η: Any) -> tuple[Array, Array]:
    """A projected step from the bases by the gradients at (x, y)."""
    My, Mx = _over(M * y[..., None, :], -1), _over(M * x[..., :, None], -2)
    return project_to_simplex(x_base - η * My), project_to_simplex(y_base + η * Mx)


def _over(x: Array, axis: int) -> Array:
    return namespace(x).sum(x, axis=axis)
