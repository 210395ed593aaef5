"""Functions that follow their arithmetic: floats, rationals and balls give the same answers, each to its accuracy."""

import math
from fractions import Fraction

import array_api_strict
import numpy as np
import pytest

from mdplab import arrays
from mdplab.arrays import (
    ball,
    exact_distribution,
    exp,
    expand,
    expm1,
    floats,
    identity_like,
    is_ball,
    is_exact,
    is_finite,
    largest,
    log,
    log1p,
    log_softmax,
    maximum,
    minimum,
    namespace,
    norm,
    number,
    on_gpu,
    one_hot,
    precision,
    rational,
    rational_number,
    root,
    rounding,
    smallest,
    softmax,
    solve,
    sqrt,
    sup,
    total,
    transposed,
)
from mdplab.errors import MissingExtra

THIRD = rational_number("1/3")


@pytest.fixture
def bits():
    """Sets the precision of balls and puts it back."""
    before = precision()
    yield precision
    precision(before)


def balls(x):
    return np.vectorize(ball, otypes=[object])(x)


def test_rationals_come_from_numbers_texts_and_arrays_of_them():
    x = rational([[1, 0.25], ["1/3", Fraction(2, 7)]])
    assert x.dtype == object
    assert x.tolist() == [[1, rational_number("1/4")], [THIRD, rational_number("2/7")]]
    assert rational_number(0.1) == rational_number(Fraction(3602879701896397, 2**55))  # the float itself, not 1/10
    assert rational(np.float64(0.5))[()] == rational_number("1/2")
    assert rational_number(np.int64(3)) == 3


def test_floats_are_the_nearest_to_rationals_and_balls():
    x = rational(["1/3", "2/3", "1/10"])
    assert floats(x).tolist() == [1 / 3, 2 / 3, 0.1]
    assert floats(rational([[1e-300, 1e300]])).tolist() == [[1e-300, 1e300]]
    assert number(ball(THIRD)) == 1 / 3
    assert floats(THIRD) == 1 / 3
    assert floats(array_api_strict.asarray([0.5])).tolist() == [0.5]


@pytest.mark.parametrize("value", [0.0, 5e-324, 0.1, 1e300, -2.5])
def test_floats_survive_the_way_to_rationals_and_back(value):
    assert floats(rational([value]))[0] == value


def test_rows_of_floats_become_exact_distributions():
    x = np.random.default_rng(0).dirichlet(np.ones(7), size=(5, 3))
    rows = exact_distribution(x)
    assert (rows.sum(axis=-1) == 1).all()
    assert abs(floats(rows) - x).max() <= 7 * 2**-53
    assert ((rows == rational(x)).sum(axis=-1) >= 6).all()


def test_arithmetics_are_told_apart():
    mixed = np.array([THIRD, ball(THIRD)], dtype=object)
    assert is_exact(rational([1]))
    assert is_exact(THIRD)
    assert not is_exact(np.zeros(1))
    assert not is_exact(0.5)
    assert is_ball(mixed)
    assert is_ball(ball(THIRD))
    assert not is_ball(rational([1]))
    assert not is_ball(np.zeros(1))
    assert not on_gpu(np.zeros(1))
    assert namespace(mixed) is np


@pytest.mark.parametrize("f", [exp, log, sqrt, log1p, expm1])
def test_functions_of_rationals_are_balls_around_those_of_floats(f):
    x = np.array([0.25, 1.5, 3.0])
    of_balls = f(rational(x))
    # NumPy's functions err by at most 4 units in the last place of numbers below 2^5.
    assert all(float(abs(y - rational_number(z)).lower()) <= 4 * 2.0**-48 for y, z in zip(of_balls, f(x), strict=True))
    assert is_ball(of_balls)
    assert abs(floats(f(array_api_strict.asarray(x))) - f(x)).max() == 0
    assert f(0.25) == f(x)[0]
    assert is_ball(f(THIRD))


def test_functions_of_balls_follow_the_precision(bits):
    bits(200)
    assert exp(log(rational([3])))[0].contains(3)
    assert float(exp(log(rational([3])))[0].rad()) < 1e-55


def test_without_flint_functions_of_rationals_name_the_extra(monkeypatch):
    monkeypatch.setattr(arrays, "_flint", lambda: None)
    assert type(rational_number("1/3")) is Fraction
    assert precision() == 53
    with pytest.raises(MissingExtra, match=r"mdplab\[exact\]"):
        exp(rational([1]))


def test_the_maximum_of_overlapping_balls_encloses_that_of_their_members():
    """x in [0, 2] and y in [3/4, 5/4]: the maximum is in [3/4, 2] and the minimum in [0, 5/4]."""
    import flint

    x, y = flint.arb(1, 1), flint.arb(1, 0.25)
    assert not x <= y
    assert not x >= y
    for a, b in ((x, y), (y, x)):
        both = np.array([a, b], dtype=object)
        for most in (maximum(a, b), largest(both)):
            assert most.contains(0.8)
            assert most.contains(1.99)
        for least in (minimum(a, b), smallest(both)):
            assert least.contains(0.01)
            assert least.contains(1.2)
    assert largest(np.array([THIRD, ball(THIRD)], dtype=object)).contains(THIRD)


@pytest.mark.parametrize("arithmetic", [np.asarray, array_api_strict.asarray, rational, lambda x: balls(rational(x))])
def test_reductions_run_over_the_last_axes(arithmetic):
    x = np.arange(24.0).reshape(2, 3, 4) - 11
    y = arithmetic(x)
    assert floats(largest(y)).tolist() == x.max(axis=-1).tolist()
    assert floats(largest(y, 2)).tolist() == [0, 12]
    assert floats(smallest(y, 2)).tolist() == [-11, 1]
    assert floats(sup(y, 2)).tolist() == [11, 12]
    assert floats(total(y, 2)).tolist() == x.sum(axis=(-2, -1)).tolist()
    assert floats(total(y)).tolist() == x.sum(axis=-1).tolist()
    assert abs(floats(norm(y, 2)) - np.sqrt((x * x).sum(axis=(-2, -1)))).max() <= 1e-13
    assert floats(maximum(y, -y)).tolist() == abs(x).tolist()
    assert floats(minimum(y, -y)).tolist() == (-abs(x)).tolist()
    assert floats(transposed(y)).tolist() == x.swapaxes(-1, -2).tolist()


def test_expand_adds_axes_to_arrays_and_leaves_numbers_alone():
    assert expand(np.ones((2, 3)), 2).shape == (2, 3, 1, 1)
    assert expand(rational([1, 2]), 1).shape == (2, 1)
    assert expand(0.5, 3) == 0.5
    assert expand(THIRD, 3) == THIRD
    assert np.shape(expand(np.float64(0.5), 2)) == ()


@pytest.mark.parametrize("scale", [1.0, 30.0, 800.0])
def test_log_softmax_keeps_the_relative_accuracy_of_every_log(bits, scale):
    """log π of the likeliest action may be −1e-300; it is compared with balls of 2000 bits, relative to itself.

    The largest other logit z enters as e^z, which the rounding of z changes by |z| u relative: 1600 u < 2e-13.
    """
    bits(2000)
    θ = scale * np.random.default_rng(0).uniform(-1, 1, size=(50, 4))
    computed, true = log_softmax(θ), log_softmax(rational(θ))
    for x, y in zip(computed.flat, true.flat, strict=True):
        if x > -1e-300:
            assert float(y) >= -1e-299
        else:
            assert abs(x / float(y) - 1) <= 2e-13
    assert abs(np.exp(computed).sum(axis=-1) - 1).max() <= 1e-13


def test_log_softmax_by_hand():
    """Logits (0, log 3): π = (1/4, 3/4)."""
    assert abs(np.exp(log_softmax(np.array([0.0, np.log(3)]))) - [0.25, 0.75]).max() <= 2e-16
    x = softmax(np.array([0 * ball(THIRD), log(rational_number(3))], dtype=object))
    assert x[0].contains(rational_number("1/4"))
    assert x[1].contains(rational_number("3/4"))


@pytest.mark.parametrize("arithmetic", [np.asarray, array_api_strict.asarray, rational])
def test_softmax_neither_overflows_nor_underflows_and_is_invariant_to_shifts(arithmetic):
    π = floats(softmax(arithmetic(np.array([[1e6, 1e6], [-1e6, -1e6 - 1]]))))
    assert π[0].tolist() == [0.5, 0.5]
    assert abs(π[1, 1] - 1 / (1 + math.e)) <= 1e-15


def test_exact_systems_are_solved_exactly(monkeypatch):
    M, b = rational([[0, 2, 1], [3, 0, 1], [1, 1, "1/7"]]), rational([1, "1/2", "1/3"])
    x = solve(M, b)
    assert (M @ x == b).all()
    monkeypatch.setattr(arrays, "_flint", lambda: None)  # elimination has to exchange rows here
    M, b = rational([[0, 2, 1], [3, 0, 1], [1, 1, "1/7"]]), rational([1, "1/2", "1/3"])
    y = solve(M, b)
    assert (M @ y == b).all()
    assert [Fraction(int(z.p), int(z.q)) for z in x] == list(y)


def test_systems_of_balls_enclose_the_solution(bits):
    bits(100)
    M, b = rational([[2, 1], [1, 3]]), rational([1, "1/3"])
    for A, c in ((balls(M), b), (M, balls(b))):
        x = solve(A, c)
        assert all(y.contains(z) for y, z in zip(x, solve(M, b), strict=True))
        assert all(float(y.rad()) < 1e-27 for y in x)


@pytest.mark.parametrize("arithmetic", [np.asarray, array_api_strict.asarray, rational])
def test_batches_of_systems_are_solved_one_by_one(arithmetic):
    rng = np.random.default_rng(0)
    M = rng.integers(-3, 4, (2, 3, 4, 4)) + 16.0 * np.eye(4)
    for shape in ((2, 3, 4), (4,), (3, 4)):
        b = rng.integers(-3, 4, shape).astype(float)
        x = floats(solve(arithmetic(M), arithmetic(b)))
        assert x.shape == (2, 3, 4)
        # Row sums of |M| are at most 28 and diagonal dominance at least 4: condition number 7; 6 n u · 7 · |x|.
        assert abs((M @ x[..., None])[..., 0] - b).max() <= 28 * 6 * 4 * 2**-53 * 7


@pytest.mark.parametrize("arithmetic", [np.asarray, array_api_strict.asarray, rational])
def test_identities_and_one_hot_vectors_follow_the_arithmetic(arithmetic):
    like = arithmetic(np.zeros((2, 3, 3)))
    assert type(identity_like(like)) is type(like)
    assert floats(identity_like(like)).tolist() == np.eye(3).tolist()
    index = namespace(like).asarray([[0, 2], [1, 1]])
    hot = one_hot(index, 3, like)
    assert type(hot) is type(like)
    assert is_exact(hot) == is_exact(like)
    assert floats(hot).tolist() == np.eye(3)[[[0, 2], [1, 1]]].tolist()


def test_rounding_bounds_the_error_of_sums():
    """Recursive summation of n terms errs by at most γ_{n−1} Σ|x| (Higham, equation 4.4); decided in rationals."""
    x = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.random.default_rng(1).integers(-8, 8, 1000)
    s = 0.0
    for y in x:
        s += y
    error = abs(rational_number(s) - rational(x).sum())
    assert 0 < error <= rational_number(rounding(1000)) * abs(rational(x)).sum()
    assert rounding(2) >= 2 * 2**-53


def test_finiteness_is_seen_in_every_arithmetic():
    assert is_finite(np.ones(3))
    assert not is_finite(np.array([1.0, np.nan]))
    assert not is_finite(array_api_strict.asarray([np.inf]))
    assert not is_finite(math.inf)
    assert is_finite(0.5)
    assert is_finite(rational([1, 2]))
    assert not is_finite(np.array([ball(1) / 0], dtype=object))
    assert is_finite(ball(THIRD))


def test_the_root_of_what_cannot_be_negative_takes_balls_that_reach_below_zero():
    x = sqrt(rational([2])) * sqrt(rational([2])) - 2
    assert not sqrt(x)[0].is_finite()
    assert root(x)[0].is_finite()
    assert root(x)[0].contains(0)
    assert root(np.array([-1e-17, 4.0])).tolist() == [0.0, 2.0]
