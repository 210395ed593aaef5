"""Tsallis entropies and divergences: by hand, by enumeration of supports, by a conic solver, in balls."""

import itertools

import numpy as np
import pytest

from mdplab.arrays import EPS, exp, floats, log, number, rational, rational_number, softmax, total
from mdplab.errors import MdplabError
from mdplab.exact import (
    TsallisDivergence,
    TsallisEntropy,
    exp_q,
    largest_entropy,
    log_q,
    tsallis_divergence,
    tsallis_entropy,
    tsallis_greedy,
)
from mdplab.theorem.exactly import working_precision

INDICES = [1, 1.01, 1.5, 2, 3, 4]


def sparsemax(z):
    """By sorting (Martins and Astudillo, 2016)."""
    order = np.sort(z)[::-1]
    sums = order.cumsum()
    K = max(k for k in range(1, len(z) + 1) if 1 + k * order[k - 1] > sums[k - 1])
    return np.maximum(z - (sums[K - 1] - 1) / K, 0)


def by_supports(z, w, q, τ):
    """Over all supports: bisection for the normaliser; the best of the policies found is the maximiser."""
    best, value = None, -np.inf
    for size in range(1, len(z) + 1):
        for support in itertools.combinations(range(len(z)), size):
            at = list(support)
            c = (q - 1) / (q * τ)
            top = z[at].max()
            low, high = top - 1 / (c * w[at].min() ** (q - 1)), z[at].min()
            if high <= low:
                continue
            for _ in range(200):
                middle = (low + high) / 2
                too_much = (w[at] * (c * (z[at] - middle)) ** (1 / (q - 1))).sum() > 1
                low, high = (middle, high) if too_much else (low, middle)
            π = np.zeros(len(z))
            π[at] = w[at] * (c * (z[at] - low)) ** (1 / (q - 1))
            if abs(π.sum() - 1) < 1e-9:
                found = π @ z - τ * ((π**q * w ** (1 - q)).sum() - 1) / (q - 1)
                best, value = (π, found) if found > value else (best, value)
    return best


def test_two_actions_by_hand():
    """μ = (1/2, 1/2), z = (1, 0), τ = 1, q = 2: (5/8, 3/8) by the divergence, (3/4, 1/4) by the entropy, exactly."""
    z, μ, one = rational([[1, 0]]), rational([["1/2", "1/2"]]), rational_number(1)
    best = tsallis_greedy(z, one, 2, μ)
    assert (best.π == rational([["5/8", "3/8"]])).all()
    assert (best.ψ == rational(["1/4"])).all()  # ν = −3/2, and ψ = ν / (q τ) + 1 / (q − 1)
    assert (tsallis_greedy(z, one, 2).π == rational([["3/4", "1/4"]])).all()
    assert (tsallis_greedy(z, rational_number("1/2"), 2).π == rational([[1, 0]])).all()
    assert (TsallisDivergence(one, μ, 2).conjugate(z) == rational(["9/16"])).all()
    assert (TsallisEntropy(one, 2).conjugate(z) == rational(["9/8"])).all()


def test_for_q_2_it_is_sparsemax():
    """Both sides add a few numbers of size z / τ <= 100."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        z, τ = rng.normal(size=5), 10 ** rng.uniform(-1.5, 0.5)
        assert np.abs(tsallis_greedy(z[None], τ, 2).π[0] - sparsemax(z / (2 * τ))).max() < 1e3 * EPS


@pytest.mark.parametrize("q", [1.5, 2, 3])
@pytest.mark.parametrize("with_reference", [False, True])
def test_it_is_the_best_over_all_supports(q, with_reference):
    """The bisection knows its normaliser to rounding, which a (q−1)-th root may raise to the power 1/2 at q = 3."""
    rng = np.random.default_rng(1)
    for _ in range(10):
        z, τ = rng.normal(size=4), 10 ** rng.uniform(-1, 0.5)
        w = rng.dirichlet(np.ones(4)) if with_reference else np.ones(4)
        found = tsallis_greedy(z[None], τ, q, w[None] if with_reference else None).π[0]
        assert np.abs(found - by_supports(z, w, q, τ)).max() < 1e-6


def test_no_conic_solver_does_better():
    cvxpy = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(2)
    for q in (1.5, 3):
        z, μ, τ = rng.normal(size=3), rng.dirichlet(np.ones(3)), 0.7
        π = cvxpy.Variable(3, nonneg=True)
        penalty = cvxpy.sum(cvxpy.multiply(μ ** (1 - q), cvxpy.power(π, q)))
        objective = z @ π - τ * (penalty - 1) / (q - 1)
        best = cvxpy.Problem(cvxpy.Maximize(objective), [cvxpy.sum(π) == 1]).solve()
        # The solver is accurate to about 1e-8.
        assert TsallisDivergence(τ, μ[None], q).conjugate(z[None])[0] == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("q", INDICES)
@pytest.mark.parametrize("with_reference", [False, True])
def test_balls_hold_the_policy_and_float64_is_in_their_middle(q, with_reference):
    """A policy is a power 1/(q − 1) of a number known to a few roundings of z / τ; q = 1.01 costs two digits."""
    rng = np.random.default_rng(3)
    z, τ = rng.normal(size=(3, 4)), 0.3
    μ = rational(rng.integers(1, 9, (3, 4)))
    μ = μ / total(μ)[:, None] if with_reference else None
    near = tsallis_greedy(z, τ, q, None if μ is None else floats(μ))
    with working_precision(200):
        exact_q = rational_number(str(q))
        best = tsallis_greedy(rational(z), rational_number(τ), exact_q, μ)
        assert all(x == 1 or x.contains(1) for x in total(best.π))
        w = 1 if μ is None else μ
        tilt = w * exp_q(rational(z) / (exact_q * rational_number(τ)) - best.ψ[:, None], exact_q)
        assert all(x == y or x.overlaps(y) for x, y in zip(best.π.flat, tilt.flat, strict=True))
        assert all(type(x).__name__ == "fmpq" or float(x.rad()) < 1e-25 for x in best.π.flat)
        ratio = log_q(best.π / w, exact_q)
        assert all(x == y or x.overlaps(y) for x, y in zip(ratio.flat, best.log.flat, strict=True))
    assert np.abs(floats(best.π) - near.π).max() < 1e-11
    assert np.abs(floats(best.log) - near.log).max() < 1e-11 * (1 + np.abs(near.log).max())


def test_a_large_index_keeps_its_digits():
    """q = 50, z = (1, 4/5), τ = 1/2: a bisection on the normaliser returned .67 for the first action; it is .98."""
    z = np.array([[1, 0.8]])
    π = tsallis_greedy(z, 0.5, 50).π[0]
    # Stationarity: z_1 − z_2 = τ q / (q − 1) (π_1^(q−1) − π_2^(q−1)).
    assert 0.5 * 50 / 49 * (π[0] ** 49 - π[1] ** 49) == pytest.approx(0.2, rel=1e-12)
    assert π.sum() == pytest.approx(1, abs=1e-15)
    assert round(float(π[0]), 2) == 0.98


def test_an_action_that_the_reference_drops_never_returns():
    μ = np.array([[0, 0.25, 0.75]])
    for q in (1, 1.5, 2, 3):
        assert tsallis_greedy(np.array([[9.0, 0, 0]]), 1.0, q, μ).π[0, 0] == 0


def test_for_q_1_it_is_the_softmax():
    z = np.array([[1.0, -2.0, 0.5]])
    assert (tsallis_greedy(z, 2.0, 1).π == softmax(z / 2)).all()
    tilted = np.array([[0.5, 0.2, 0.3]]) * np.exp(z / 2)
    found = tsallis_greedy(z, 2.0, 1, np.array([[0.5, 0.2, 0.3]])).π
    assert found == pytest.approx(tilted / tilted.sum(), rel=1e-15)


def test_logarithm_and_exponential_are_inverse_and_right_at_whole_indices():
    x = rational([["1/3", 2]])
    assert (log_q(x, 2) == x - 1).all()
    assert (log_q(x, 3) == (x * x - 1) / 2).all()
    assert (exp_q(log_q(x, 2), 2) == x).all()
    assert (log_q(rational([0]), 3) == rational(["-1/2"])).all()
    assert (exp_q(rational([-5]), 2) == 0).all()
    for q in (1, 1.001, 1.5, 4):
        assert exp_q(log_q(np.array([0.01, 1, 3]), q), q) == pytest.approx([0.01, 1, 3], rel=1e-12)
    assert log_q(np.array([2.0]), 1 + 1e-9) == pytest.approx(np.log(2), rel=1e-8)


def test_entropies_and_divergences_by_hand():
    π, μ = rational([["3/5", "2/5"]]), rational([["9/10", "1/10"]])
    assert tsallis_entropy(π, 2)[0] == rational_number("12/25")  # 1 − (9 + 4) / 25
    assert tsallis_divergence(π, μ, 2)[0] == rational_number("1")  # (9/25) / (9/10) + (4/25) / (1/10) − 1
    with working_precision(100):
        kl = total(π * log(π / μ))[0]
        assert kl.overlaps(tsallis_divergence(π, μ, 1)[0])
    assert largest_entropy(4, rational_number(2)) == rational_number("3/4")
    assert number(largest_entropy(4, rational_number(1))) == pytest.approx(np.log(4), rel=1e-15)
    assert tsallis_entropy(np.array([[1.0, 0.0]]), 1)[0] == 0
    assert tsallis_divergence(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]), 1)[0] == pytest.approx(np.log(2))
    assert tsallis_entropy(exp(np.log(np.full((1, 4), 0.25))), 3)[0] == pytest.approx(15 / 32)


def test_wrong_parameters_are_named():
    with pytest.raises(MdplabError, match=r"q is 0\.5"):
        TsallisEntropy(1.0, 0.5)
    with pytest.raises(MdplabError, match="temperature is -1"):
        TsallisEntropy(-1.0, 2)


@pytest.mark.parametrize("q", [1, 1.0001, 1.2, 2, 3, 8, 50, 200])
def test_hard_inputs_give_distributions(q):
    """Ties, zeros and tiny weights in the reference, values up to 1e6 times the temperature; no warnings."""
    rng = np.random.default_rng(5)
    for scale in (0, 1e-8, 1, 1e3, 1e6):
        z = scale * rng.normal(size=(50, 5))
        z[::7, 1] = z[::7, 0]
        μ = rng.dirichlet(np.full(5, 0.3), 50)
        μ[::5, 2] = 0
        μ = μ / μ.sum(axis=1, keepdims=True)
        for reference in (None, μ):
            π = tsallis_greedy(z, 0.7, q, reference).π
            assert (π >= 0).all()
            assert np.abs(π.sum(axis=1) - 1).max() < 1e-13
            if scale == 0:
                assert π == pytest.approx(np.full((50, 5), 0.2) if reference is None else μ, abs=1e-12)
