"""The simplex method in rationals: a linear program solved without rounding, from a basis that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdplab.arrays import solve


@dataclass(frozen=True, eq=False)
class Vertex:
    """An optimal basic solution `x` (n,) with its `basis` (m column numbers) and the prices `y` (m,) of the rows."""

    x: np.ndarray
    y: np.ndarray
    basis: list[int]


def simplex_method(A: np.ndarray, b: np.ndarray, c: np.ndarray, basis: list[int]) -> Vertex:
    """max c·x subject to A x = b, x >= 0, from a feasible `basis`;  A (m, n), all in rationals.

    Bland's rule (the lowest index enters, the lowest index leaves), so that it ends on degenerate programs too.

    Raises
    ------
    ArithmeticError
        If the program is unbounded.
    """
    basis = list(basis)
    while True:
        B = A[:, basis]
        x_B = solve(B, b)
        y = solve(B.T, c[basis])
        gains = c - y @ A
        entering = next((j for j in range(len(c)) if gains[j] > 0 and j not in basis), None)
        if entering is None:
            x = 0 * c
            x[basis] = x_B
            return Vertex(x, y, basis)
        direction = solve(B, A[:, entering])
        ratios = [(x_B[i] / direction[i], basis[i], i) for i in range(len(basis)) if direction[i] > 0]
        if not ratios:
            raise ArithmeticError("the linear program is unbounded")
        basis[min(ratios)[2]] = entering
