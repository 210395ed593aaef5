"""Derivatives of utilities and of occupancies by differences in balls; optima by other programs and by hand."""

import array_api_strict
import cvxpy
import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number, softmax
from mdplab.exact import (
    direct_utility_gradient,
    flow,
    pair_visits,
    pair_visits_by_logits,
    pair_visits_by_policy,
    softmax_utility_gradient,
    truncated_pair_visits,
    utility_gap,
    utility_optimum,
    utility_value,
)
from mdplab.exact.scalarisations import (
    Logarithms,
    MeanVariance,
    Reciprocals,
    Roots,
    Shortfall,
    SmoothWorst,
    Weighted,
)
from mdplab.exact.utilities import (
    Entropy,
    Linear,
    NegativeKL,
    OfReturns,
    OfStates,
    Quadratic,
    SmoothedLog,
    Sum,
)
from mdplab.instances.multi_objective import torn, two_queues
from mdplab.solvers import frank_wolfe

H = rational(2.0**-60)[()]
# Third derivatives of these utilities at these points (λ > 1/50, offsets >= 1/4) are below 1e12, so that a central
# difference errs by less than 2^-120 / 6 · 1e12 < 1e-24; balls of 400 bits lose 120 of them.
SLACK = 1e-20


def utilities(mdp):
    """One of each, for a model of 4 states and 3 actions with discount 7/8."""
    r2 = np.stack([mdp.r, mdp.r**2])
    γ = mdp.discount
    m = pair_visits(mdp, softmax(0 * mdp.r) if mdp.r.dtype != object else rational(np.ones(mdp.r.shape, dtype=int)) / 3)
    number = (
        rational_number if mdp.r.dtype == object else (lambda x: float(rational(x)[()].p) / float(rational(x)[()].q))
    )
    return {
        "linear": Linear(mdp.r),
        "entropy": Entropy(γ),
        "state entropy": OfStates(Entropy(γ)),
        "kl": NegativeKL((1 - γ) * m, γ),
        "log": SmoothedLog(number("1/4")),
        "state log": OfStates(SmoothedLog(number("1/4"))),
        "quadratic": Quadratic(m),
        "weighted": OfReturns(r2, Weighted(rational([2, 3]) if mdp.r.dtype == object else np.array([2.0, 3.0]))),
        "reciprocals": OfReturns(r2, Reciprocals(number("1/2"))),
        "barrier": Sum((Linear(mdp.r), OfReturns(r2, Logarithms(number("1/10"), number("1/5"))))),
        "roots": OfReturns(r2, Roots(number("1"))),
        "penalty": Sum((Linear(mdp.r), OfReturns(r2, Shortfall(number("7"), number("3"))))),
        "worst": OfReturns(r2, SmoothWorst(number("1/2"))),
        "mean-variance": OfReturns(r2, MeanVariance(γ, number("2"))),
    }


NAMES = [
    *("linear", "entropy", "state entropy", "kl", "log", "state log", "quadratic", "weighted", "reciprocals"),
    *("barrier", "roots", "penalty", "worst", "mean-variance"),
]


def differences(f, x):
    steps = H * rational(np.eye(x.size, dtype=int)).reshape(x.size, *x.shape)
    return np.stack([(f(x + h) - f(x - h)) / (2 * H) for h in steps])


@pytest.mark.parametrize("name", NAMES)
def test_gradients_and_curvatures_are_derivatives(draw, wide_balls, name):
    mdp = draw(0).exact()
    F = utilities(mdp)[name]
    λ = rational(np.random.default_rng(1).integers(1, 50, mdp.r.shape)) / 50
    x = rational(np.random.default_rng(2).integers(-5, 6, mdp.r.shape))
    gradient = differences(F.value, λ).reshape(mdp.r.shape)
    assert abs(floats(F.gradient(λ) - gradient)).max() <= SLACK
    along = (F.gradient(λ + H * x) - F.gradient(λ - H * x)) / (2 * H)
    assert abs(floats(F.curvature(λ, x) - along)).max() <= 100 * SLACK


@pytest.mark.parametrize("name", NAMES)
def test_utilities_agree_in_float64_batches_and_namespaces(draw, name):
    mdp = draw(3, (2,))
    π = np.full(mdp.r.shape, 1 / 3)
    for i in range(2):
        F, G = utilities(mdp[i])[name], utilities(mdp[i].exact())[name]
        exact = softmax_utility_gradient(mdp[i].exact(), rational(np.ones((4, 3), dtype=int)) / 3, G)
        # Shadow rewards of at most 1e3, values 8 times that; solves of condition number 15.
        assert abs(softmax_utility_gradient(mdp[i], π[i], F) - floats(exact)).max() <= 1e-8
        strict = mdp[i].map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
        H_ = F.map(lambda x: x if isinstance(x, float) else array_api_strict.asarray(x))
        found = softmax_utility_gradient(strict, array_api_strict.asarray(π[i]), H_)
        assert abs(np.asarray(found) - floats(exact)).max() <= 1e-8


@pytest.mark.parametrize("name", ["log", "quadratic", "state entropy", "worst"])
def test_policy_gradients_of_utilities_are_derivatives(draw, logits, wide_balls, name):
    mdp = draw(2).exact()
    F, θ = utilities(mdp)[name], rational(logits(1, mdp))
    found = differences(lambda θ: utility_value(mdp, softmax(θ), F), θ).reshape(θ.shape)
    assert abs(floats(softmax_utility_gradient(mdp, softmax(θ), F) - found)).max() <= SLACK
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=4) + 1) / 11
    found = differences(lambda π: utility_value(mdp, π, F), π).reshape(π.shape)
    assert abs(floats(direct_utility_gradient(mdp, π, F) - found)).max() <= SLACK


def test_occupancy_jacobians_are_derivatives(draw, logits, wide_balls):
    mdp = draw(4).exact()
    θ = rational(logits(1, mdp))
    expected = differences(lambda θ: pair_visits(mdp, softmax(θ)), θ).reshape(12, 12).T
    assert abs(floats(pair_visits_by_logits(mdp, softmax(θ)) - expected)).max() <= SLACK
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=4)) / 8
    expected = differences(lambda π: pair_visits(mdp, π), π).reshape(12, 12).T
    assert abs(floats(pair_visits_by_policy(mdp, π) - expected)).max() <= SLACK


def test_jacobians_of_a_batch_are_those_of_its_models(draw):
    mdp = draw(5, (3,))
    π = np.random.default_rng(0).dirichlet(np.ones(3), (3, 4))
    for jacobian in (pair_visits_by_logits, pair_visits_by_policy):
        found = jacobian(mdp, π)
        assert abs(found[1] - jacobian(mdp[1], π[1])).max() <= 1e-12


def test_occupancies_flow(draw):
    mdp = draw(6).exact()
    π = rational(np.random.default_rng(3).multinomial(8, np.ones(3) / 3, size=4)) / 8
    λ = pair_visits(mdp, π)
    assert (flow(mdp, λ) == mdp.start).all()
    assert λ.sum() == 1 / (1 - mdp.discount)
    assert (truncated_pair_visits(mdp, π, 1) == mdp.start[:, None] * π).all()
    assert truncated_pair_visits(mdp, π, 5).sum() == (1 - mdp.discount**5) / (1 - mdp.discount)


CONCAVE = [name for name in NAMES if name != "mean-variance"]


@pytest.mark.parametrize("name", CONCAVE)
def test_the_optimum_is_certified_closely(draw, name):
    mdp = draw(7, (3,))
    for i in range(3):
        found = utility_optimum(mdp[i], utilities(mdp[i])[name])
        assert found.low <= found.high <= found.low + 1e-9 * (1 + abs(found.low))


def test_an_exact_model_has_an_exact_certificate(draw):
    mdp = draw(8).exact()
    found = utility_optimum(mdp, utilities(mdp)["quadratic"])
    assert type(found.low).__name__ == "fmpq"
    assert 0 <= found.high - found.low <= rational_number("1/1000000")
    assert (found.π.sum(axis=-1) == 1).all()


def cone_program(mdp, objective):
    λ = cvxpy.Variable(mdp.r.shape, nonneg=True)
    S, A = mdp.r.shape
    arrivals = mdp.P.reshape(S * A, S).T @ cvxpy.reshape(λ, (S * A,), order="C")
    program = cvxpy.Problem(cvxpy.Maximize(objective(λ)), [cvxpy.sum(λ, axis=1) - mdp.discount * arrivals == mdp.start])
    return program.solve(solver="CLARABEL")


OBJECTIVES = {
    "entropy": lambda mdp, λ: cvxpy.sum(cvxpy.entr((1 - mdp.discount) * λ)),
    "state entropy": lambda mdp, λ: cvxpy.sum(cvxpy.entr((1 - mdp.discount) * cvxpy.sum(λ, axis=1))),
    "log": lambda mdp, λ: cvxpy.sum(cvxpy.log(λ + 0.25)),
    "quadratic": lambda mdp, λ: -cvxpy.sum_squares(λ - 2 * pair_visits(mdp, np.eye(3)[[0, 1, 2, 0]])) / 2,
    "worst": lambda mdp, λ: (
        -0.5 * cvxpy.log_sum_exp(-cvxpy.hstack([cvxpy.sum(cvxpy.multiply(mdp.r**k, λ)) for k in (1, 2)]) / 0.5)
    ),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_cone_solver_finds_the_same_optimum(draw, name):
    mdp = draw(9)
    F = utilities(mdp)[name]
    if name == "quadratic":
        F = Quadratic(2 * pair_visits(mdp, np.eye(3)[[0, 1, 2, 0]]))
    found = utility_optimum(mdp, F)
    # Clarabel stops at relative gaps of 1e-8.
    assert cone_program(mdp, lambda λ: OBJECTIVES[name](mdp, λ)) == pytest.approx(found.low, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("steps", ["open loop", "line search"])
def test_frank_wolfe_approaches_the_optimum_from_below_with_a_gap_that_covers_it(draw, steps):
    mdp = draw(10)
    F = utilities(mdp)["log"]
    best = utility_optimum(mdp, F)
    for x in frank_wolfe(mdp, F, steps=steps, at=[0, 1, 5, 50, 300]):
        value = F.value(x.λ)
        assert value <= best.high + 1e-9
        assert best.low <= value + x.gap + 1e-9
        assert x.gap == pytest.approx(utility_gap(mdp, x.π, F), abs=1e-9)
    assert best.low - value <= 1e-3


def test_the_split_of_a_torn_agent_by_hand():
    """J = (x, 10 − x), f = −Σ 1 / (J + 1/2): x = 5 with f* = −2 / 5.5 = −0.3636..., a single action −2.0952..."""
    model = torn()
    F = OfReturns(model.rewards, Reciprocals(rational_number("1/2")))
    found = utility_optimum(model.mdp, F)
    assert float(floats(found.low)) == pytest.approx(-2 / 5.5, abs=1e-10)
    alone = utility_value(model.mdp, rational([[1, 0]]), F)
    assert alone == rational_number(-2) - rational_number("2/21")


@pytest.mark.parametrize(
    ("capacity", "p", "γ", "best"),
    [
        (2, ("3/10", "3/5"), "9/10", -0.430222),
        (3, ("3/10", "3/5"), "19/20", -0.232881),
        (3, ("1/2", "1/2"), "19/20", -0.203065),
        (2, ("9/10", "9/10"), "9/10", -0.336468),
    ],
)
def test_queues_have_the_optima_computed_elsewhere(capacity, p, γ, best):
    """Found there by Frank–Wolfe, from below, to gaps of 4e-5 and less."""
    model = two_queues(capacity, p, γ).floats()
    found = utility_optimum(model.mdp, OfReturns(model.rewards, Reciprocals(1.0)))
    assert found.high - found.low <= 1e-9
    assert best - 1e-6 <= found.low <= best + 4e-5


def test_a_utility_that_the_uniform_policy_does_not_have_is_refused():
    model = torn().floats()
    with pytest.raises(FloatingPointError, match="not defined"):
        utility_optimum(model.mdp, OfReturns(model.rewards, Logarithms(6.0)))
