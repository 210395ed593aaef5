"""Coverage sets by policy iteration against enumeration and convex hulls; hypervolume against counting cells."""

from itertools import product

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from mdplab.arrays import floats, rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact import (
    all_returns,
    best_returns,
    coverage_set,
    hull_hypervolume,
    hypervolume,
    returns,
    undominated,
    values,
)
from mdplab.instances.multi_objective import deep_sea, objectives_garnet, torn, two_queues


def upper_right_hull(points):
    """Vertices of the hull that are best for some weights >= 0, exact, by the monotone chain over all points."""
    chain = []
    for p in sorted({tuple(x) for x in points}):
        while len(chain) > 1 and cross(chain[-2], chain[-1], p) >= 0:
            chain.pop()
        chain.append(p)
    top = max(range(len(chain)), key=lambda i: (chain[i][1], chain[i][0]))
    return chain[top:][::-1]


def cross(o, a, b):
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


@pytest.mark.parametrize("seed", range(4))
def test_the_dichotomy_finds_the_hull_of_all_deterministic_policies(seed):
    model = objectives_garnet(np.random.default_rng(seed), 1, S=4, A=3, discount=0.875)[0].exact()
    assert [tuple(x) for x in coverage_set(model)] == upper_right_hull(all_returns(model))


@pytest.mark.parametrize("seed", range(4))
def test_in_float64_it_finds_the_same(seed):
    model = objectives_garnet(np.random.default_rng(seed), 1, S=4, A=3, discount=0.875)[0]
    # Values of at most 8 from solves of condition number 15: errors below 8 · 6 S u · 15 = 4e-13.
    assert abs(coverage_set(model) - floats(coverage_set(model.exact()))).max() <= 1e-11


def test_three_objectives_agree_with_quickhull():
    model = objectives_garnet(np.random.default_rng(5), 1, S=3, A=3, M=3, discount=0.5)[0]
    found = {tuple(np.round(x, 9)) for x in coverage_set(model)}
    points = all_returns(model)
    hull = {tuple(np.round(points[i], 9)) for i in ConvexHull(points).vertices}
    assert found <= hull
    # A vertex of the hull is missing exactly if no direction w >= 0 has it best: try many.
    w = np.random.default_rng(0).dirichlet(np.ones(3), 4000)
    best = {tuple(np.round(points[i], 9)) for i in (w @ points.T).argmax(axis=1)}
    assert best <= found


def test_support_is_the_same_by_policy_iteration_and_by_enumeration():
    model = objectives_garnet(np.random.default_rng(3), 20, S=3, A=3, M=3)
    w = np.random.default_rng(4).normal(size=(20, 3))
    found = (w * best_returns(model, w)).sum(axis=-1)
    # Values of at most 100 (γ = 99/100) with condition numbers of 200.
    assert abs(found - (w * all_returns(model)).sum(axis=-1).max(axis=0)).max() <= 1e-9


def test_returns_are_the_values_of_each_objective():
    model = two_queues()
    π = rational(np.ones((9, 2), dtype=int)) / 2
    found = returns(model, π)
    for i in range(2):
        one = model.weighted(rational(np.eye(2, dtype=int)[i]))
        assert found[i] == (one.start * values(one, π)).sum()


@pytest.mark.parametrize(
    ("capacity", "p", "γ", "uniform", "best"),
    [
        (2, ("3/10", "3/5"), "9/10", (2.4684, 4.1004), (2.7, 5.2519)),
        (3, ("3/10", "3/5"), "19/20", (5.3714, 8.8023), (5.7, 10.9578)),
        (2, ("9/10", "9/10"), "9/10", (4.8814, 4.8814), None),
    ],
)
def test_queues_have_the_returns_computed_elsewhere(capacity, p, γ, uniform, best):
    model = two_queues(capacity, p, γ)
    π = rational(np.ones((model.S, 2), dtype=int)) / 2
    assert abs(floats(returns(model, π)) - uniform).max() <= 0.5e-4
    if best is not None:  # the best vertex for −Σ 1 / (J + 1) is the optimum
        assert abs(floats(coverage_set(model)) - best).max(axis=1).min() <= 0.5e-4


def test_equal_objectives_leave_one_vertex():
    model = torn()
    same = type(model)(model.P, rational([[[1, 0]], [[1, 0]]]), model.discount, model.start)
    assert (coverage_set(same) == rational([[10, 10]])).all()


def test_batches_are_refused():
    with pytest.raises(MdplabError, match="take model"):
        coverage_set(objectives_garnet(np.random.default_rng(0), 2))


def test_deep_sea_treasures_are_undominated_and_hidden_from_weights():
    """Five treasures are on the front, 9/10 discounted; the middle ones lie below the chord of the outer two."""
    front = undominated(all_returns(deep_sea()))
    assert len(front) == 5
    assert len(coverage_set(deep_sea())) == 2


@pytest.mark.parametrize("M", [1, 2, 3, 4])
def test_hypervolume_counts_cells(M):
    rng = np.random.default_rng(M)
    points, reference = rational(rng.integers(0, 5, (6, M))), rational(rng.integers(-1, 2, M))
    cells = product(*(range(int(x.p), 5) for x in reference))
    expected = sum(any(all(c < x for c, x in zip(cell, p, strict=True)) for p in points) for cell in cells)
    assert hypervolume(points, reference) == expected


def test_hypervolume_under_a_hull_by_hand():
    """A triangle of legs 10 over (0, 0); above (2, 3) legs of 5; above (8, 8) nothing; beside (−1, 0) ten more."""
    corners = rational([[10, 0], [0, 10]])
    assert hull_hypervolume(corners, rational([0, 0])) == 50
    assert hull_hypervolume(corners, rational([2, 3])) == rational_number("25/2")
    assert hull_hypervolume(corners, rational([8, 8])) == 0
    assert hull_hypervolume(corners, rational([-1, 0])) == 60
    assert hull_hypervolume(rational([[3, 2]]), rational([1, 1])) == 2
