"""The variational policy gradient: the best direction of logits for a utility a step ahead, less a square of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, expand, floats, total, transposed
from mdplab.exact.pair_visits import pair_visits, pair_visits_by_logits
from mdplab.exact.utilities import Utility
from mdplab.models import DiscountedMDP

STEPS = 40  # of Newton's method; damped, a dozen bring it near, and the last five double the digits


def variational_gradient(mdp: DiscountedMDP, π: Array, F: Utility, δ: Any) -> Array:
    """x_δ, the maximiser of F(λ + δ J x) − δ/2 ‖x‖² with J = ∂λ/∂θ, for concave F;  (..., S, A) -> (..., S, A).

    As δ falls to zero it becomes the gradient of F(λ(θ)).  In float64 on the CPU, whatever the arithmetic of the model:
    its equation x = Jᵀ∇F(λ + δ J x) holds up to rounding.

    Notes
    -----
    Newton's method, each step divided by one plus its decrement, which keeps λ + δ J x where a logarithm is defined.

    References
    ----------
    :cite:`zhang2020`, Theorem 3.1.
    """
    λ, J = floats(pair_visits(mdp, π)), floats(pair_visits_by_logits(mdp, π))
    F, δ, back = F.floats(), np.asarray(floats(δ)), transposed(J)

    def row(y: np.ndarray) -> np.ndarray:
        return y.reshape(*y.shape[:-2], -1)

    def table(y: np.ndarray) -> np.ndarray:
        return y.reshape(λ.shape)

    x = 0 * row(λ)
    for _ in range(STEPS):
        ahead = λ + table(expand(δ, 1) * _times(J, x))
        rise = _times(back, row(F.gradient(ahead))) - x
        bends = [row(F.curvature(ahead, table(J[..., i]))) for i in range(J.shape[-1])]
        curvature = np.eye(J.shape[-1]) - expand(δ, 2) * (back @ np.stack(bends, axis=-1))
        step = np.linalg.solve(curvature, rise[..., None])[..., 0]
        decrement = np.sqrt(np.maximum(δ * total(step * rise), 0))
        x = x + step / (1 + expand(decrement, 1))
    return table(x)


def _times(M: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (M @ x[..., None])[..., 0]
