"""Projection onto the simplex against its optimality conditions, a convex solver, and worked cases."""

import cvxpy
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mdplab.arrays import ball, rational
from mdplab.solvers import project_to_simplex

numbers = st.fractions(min_value=-3, max_value=3, max_denominator=12)
rows = st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=3))


@given(rows)
@settings(max_examples=200, deadline=None)
def test_it_satisfies_the_optimality_conditions_exactly(x):
    x = rational(x)
    for point, p in zip(x, project_to_simplex(x), strict=True):
        assert (p >= 0).all()
        assert p.sum() == 1
        # Nearest: x − p is one multiplier where p > 0 and at most that where p = 0.
        λ = max((point - p)[np.asarray(p > 0, dtype=bool)])
        assert all(d == λ if q > 0 else d <= λ for d, q in zip(point - p, p, strict=True))


def test_cases_by_hand():
    assert (project_to_simplex(rational([1, "1/2"])) == rational(["3/4", "1/4"])).all()
    assert (project_to_simplex(rational(["5/4", "1/4"])) == rational([1, 0])).all()
    assert (project_to_simplex(rational([7, 7, 7])) == rational(["1/3"] * 3)).all()
    assert (project_to_simplex(rational(["1/5", "3/10", "1/2"])) == rational(["1/5", "3/10", "1/2"])).all()
    assert (project_to_simplex(rational([-4])) == 1).all()


def test_a_convex_solver_finds_the_same_point():
    x = np.random.default_rng(3).normal(size=(5, 4))
    for row, p in zip(x, project_to_simplex(x), strict=True):
        q = cvxpy.Variable(4)
        cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(q - row)), [q >= 0, cvxpy.sum(q) == 1]).solve(
            solver=cvxpy.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12
        )
        # The objective is 2-strongly convex: a gap of 1e-12 leaves the point off by at most sqrt(1e-12) = 1e-6.
        assert np.abs(q.value - p).max() <= 2e-6


def test_float64_agrees_with_rationals_to_rounding():
    x = np.random.default_rng(4).normal(size=(200, 5)) * 10.0 ** np.arange(-3, 2)
    p, exact = project_to_simplex(x), project_to_simplex(rational(x))
    # A sum of five terms of size m and a division make λ, a subtraction makes p: 5 + 2 roundings of at most 5 m.
    slack = 7 * 5 * 2**-53 * np.abs(x).max(axis=-1, keepdims=True)
    assert (np.abs(p - np.array([[float(y.p) / float(y.q) for y in row] for row in exact])) <= slack).all()


def test_balls_enclose_the_projection_also_where_entries_tie(digits):
    x = rational([["1/2", "1/2", "1/3"], [2, "-1/7", "1/9"], ["1/3", "1/3", "1/3"]])
    exact = project_to_simplex(x)
    with digits(80):
        wide = np.vectorize(lambda y: ball(y) + type(ball(0))(0, 2.0**-60), otypes=[object])(x)
        enclosure = project_to_simplex(wide)
    for p, b in zip(exact.flat, enclosure.flat, strict=True):
        assert b.overlaps(ball(p))
        assert float(b.rad()) < 2.0**-56
