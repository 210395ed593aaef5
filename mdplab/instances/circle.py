"""Policies of three actions whose logits lie on a circle, one angle a state: their Fisher information is not singular.

Logits are B (cos ϑ, sin ϑ, 0).  A point of the circle is a pair (cos ϑ, sin ϑ), so that exact models have exact logits:
points are arrays (..., S, 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import Array, namespace, rational, rational_number, softmax, total
from mdplab.instances.domain import Domain

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def circle_points(t: Array) -> Array:
    """(1 − t², 2 t) / (1 + t²), the point at the angle 2 arctan t, rational where t is;  (...) -> (..., 2)."""
    return namespace(t).stack([(1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)], axis=-1)


def circle_logits(points: Array, B: Any = 1) -> Array:
    """θ(s, ·) = B (cos ϑ_s, sin ϑ_s, 0);  (..., S, 2) -> (..., S, 3)."""
    return _with_zero(B * points)


def circle_scores(points: Array, B: Any = 1) -> Array:
    """∂ log π(a | s) / ∂ϑ_s, other angles have no part in it;  (..., S, 2) -> (..., S, 3), balls for exact points."""
    c, s = points[..., 0], points[..., 1]
    turned = _with_zero(B * namespace(points).stack([-s, c], axis=-1))
    return turned - total(softmax(circle_logits(points, B)) * turned)[..., None]


def circle_information(points: Array, B: Any = 1) -> Array:
    """I(ϑ_s) = Σ_a π(a | s) (∂ log π(a | s) / ∂ϑ_s)², the information of each angle;  (..., S, 2) -> (..., S)."""
    scores = circle_scores(points, B)
    return total(softmax(circle_logits(points, B)) * scores * scores)  # not a power: a ball around zero has none


def _with_zero(x: Array) -> Array:
    return namespace(x).concat([x, 0 * x[..., :1]], axis=-1)


def _draw_points(mdp: Any) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    slopes = st.sampled_from([rational_number(x) for x in (0, 1, -1, "1/2", "-1/2", 2, -2, "1/5", -5)])
    return st.lists(slopes, min_size=mdp.S, max_size=mdp.S).map(lambda t: circle_points(rational(t)))


def _some_points(rng: np.random.Generator, mdp: Any) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi, (*mdp.batch, mdp.S))
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _first_points(mdp: Any) -> np.ndarray:
    return circle_points(rational(np.zeros((*mdp.batch, mdp.S), dtype=int)))


# For each state of a model with three actions a point of the circle.
points_of_circle = Domain(_draw_points, _some_points, _first_points)
