"""The circle of logits has the constants found on a fine grid of angles, and scores that are derivatives."""

import numpy as np
import pytest

from mdplab.arrays import floats, rational, softmax, sqrt, total
from mdplab.exact import softmax_gradient
from mdplab.exact import values as policy_values
from mdplab.instances import (
    circle_information,
    circle_logits,
    circle_points,
    circle_scores,
    points_of_circle,
)
from mdplab.instances.families import garnet


def grid(n=20_000):
    angle = np.linspace(0, 2 * np.pi, n)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


@pytest.mark.parametrize(
    ("B", "M_g", "least", "most", "π_min"),
    [(0.5, 0.3949, 0.0252, 0.0925, 0.221), (1, 0.851, 0.0782, 0.4011, 0.1369), (2, 1.968, 0.1434, 1.783, 0.0446)],
)
def test_constants_of_the_circle(B, M_g, least, most, π_min):
    """To the digits printed; the grid of angles is off by less than 1e-6 at a flat extremum."""
    points = grid()
    information = circle_information(points, B)
    found = [np.abs(circle_scores(points, B)).max(), information.min(), information.max()]
    # The published digits are rounded to three or four places; a grid finds the extremes that closely.
    np.testing.assert_allclose(found, [M_g, least, most], atol=6e-4)
    np.testing.assert_allclose(softmax(circle_logits(points, B)).min(), π_min, atol=6e-4)


def test_rational_points_lie_on_the_circle():
    points = circle_points(rational([0, 1, "1/2", -3]))
    assert (total(points * points) == 1).all()
    assert points[:2].tolist() == [[1, 0], [0, 1]]


def test_scores_of_exact_points_have_mean_zero_and_contain_the_float_ones():
    points = circle_points(rational([0, 1, "1/2", -3]))
    scores, π = circle_scores(points, 2), softmax(circle_logits(points, 2))
    assert all(x.contains(0) for x in total(π * scores))
    np.testing.assert_allclose(floats(scores), circle_scores(floats(points), 2), rtol=1e-13, atol=1e-15)


def test_scores_turn_gradients_by_logits_into_gradients_by_angles():
    """Central differences of the value, off by h² times a third derivative and ε / h: both far below 1e-7."""
    rng = np.random.default_rng(0)
    mdp = garnet(rng, 1, S=3, A=3, discount=0.9)[0]
    angle, h = rng.uniform(0, 6, 3), 1e-5

    def value(angle):
        points = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return mdp.start @ policy_values(mdp, softmax(circle_logits(points, 2)))

    differences = [(value(angle + h * e) - value(angle - h * e)) / (2 * h) for e in np.eye(3)]
    points = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    gradient = softmax_gradient(mdp, softmax(circle_logits(points, 2)))
    np.testing.assert_allclose(total(gradient * circle_scores(points, 2)), differences, atol=1e-7)


def test_the_domain_has_a_point_for_each_state():
    mdp = garnet(np.random.default_rng(0), 4, S=3, A=3)
    points = points_of_circle.batch(np.random.default_rng(1), mdp)
    np.testing.assert_allclose(total(points * points), np.ones((4, 3)), rtol=1e-15)
    assert (points_of_circle.simplest(mdp[0]) == rational([[1, 0]] * 3)).all()


def test_a_score_that_may_be_zero_has_an_information():
    """At the angle arctan(1) = π/4 the first two logits move oppositely and the third score is a ball around zero."""
    half = sqrt(rational([["1/2", "1/2"]]))
    information = circle_information(half)
    assert all(x.is_finite() for x in information.flat)
