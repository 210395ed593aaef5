"""Softmax policy gradient: its steps are gradient steps, and its sums are what enumeration says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise, product

import array_api_strict
import numpy as np
import pytest

import mdplab.kernels.softmax_pg as kernel
from mdplab import kernels
from mdplab.arrays import EPS, ball, floats, number, precision, rational, softmax
from mdplab.errors import MdplabError
from mdplab.exact import optimum, values, visits
from mdplab.models import DiscountedMDP
from mdplab.solvers.checkpoints import geometric
from mdplab.solvers.softmax_pg import Iterate, softmax_pg


@pytest.fixture
def many_bits() -> Iterator[None]:
    bits = precision()
    precision(400)
    yield
    precision(bits)


def only(iterates: Iterable[Iterate]) -> Iterate:
    (it,) = iterates
    return it


def models(*batch: int, S: int = 3, A: int = 2) -> DiscountedMDP:
    """Dyadic, so that float64 and rationals hold the same models."""
    rng = np.random.default_rng([*batch, S, A])
    P = rng.multinomial(256, rng.dirichlet(np.ones(S), (*batch, S, A))) / 256
    discount = rng.integers(4, 14, batch) / 16 if batch else 0.75
    start = rng.multinomial(64, np.full(S, 1 / S), batch or None) / 64
    return DiscountedMDP(P, rng.integers(0, 17, (*batch, S, A)) / 16, discount, start)


@pytest.mark.usefixtures("many_bits")
def test_one_step_is_the_step_size_times_the_derivative_of_the_value() -> None:
    """Central differences in 400-bit balls: h = 2^-80 leaves h² |∂³V| / 6, and |∂³V| < 2^40 for this model."""
    from flint import arb

    mdp = models().exact()
    θ = rational([["1/3", "-1/2"], ["2", "1/7"], ["0", "-3/5"]])
    η, h = rational("1/10")[()], arb(2) ** -80
    _, first = islice(softmax_pg(mdp, θ, step_size=η), 2)

    def value(θ: np.ndarray) -> object:
        return (values(mdp, softmax(θ)) * mdp.start).sum()

    for s, a in np.ndindex(θ.shape):
        e = rational(np.zeros(θ.shape, dtype=int))
        e[s, a] = 1
        derivative = (value(θ + h * e) - value(θ - h * e)) / (2 * h)
        assert abs((first.θ[s, a] - θ[s, a]) / η - derivative) < arb(2) ** -100


def test_least_and_total_gap_are_those_of_all_iterates_by_enumeration() -> None:
    """V* by trying all deterministic policies in rationals; each π_k a rational; also between two checkpoints."""
    mdp, steps = models(), 12
    exact, best = mdp.exact(), optimum(mdp)
    policies = product(range(mdp.A), repeat=mdp.S)
    deterministic = [rational([[int(a == b) for b in range(mdp.A)] for a in actions]) for actions in policies]
    best_value = max((values(exact, π) * exact.start).sum() for π in deterministic)
    gap, least = rational(0)[()], 1.0
    expected = {}
    for it in islice(softmax_pg(mdp, step_size=0.5), steps + 1):
        π = rational(it.π)
        π[:, -1] = 1 - π[:, :-1].sum(axis=-1)  # float64 rows sum to one up to rounding: 2u a row, counted below
        gap += best_value - (values(exact, π) * exact.start).sum()
        least = min(least, it.π[np.arange(mdp.S), best.action].min())
        expected[it.k] = (gap, least)
    for at in (None, [0, 5, 12], [7]):
        for it in softmax_pg(mdp, step_size=0.5, at=at, optimum=best):
            gap, least = expected[it.k]
            # Visits and losses are at most 1 / (1 − γ) = 4: 2u in a row of π moves a gap by at most 2u · 4² · 2, and
            # 3 S A + 12 S² operations on terms of at most 4² round by 16 (3 S A + 12 S²) u.
            bound = (it.k + 1) * 16 * (4 + 3 * mdp.S * mdp.A + 12 * mdp.S**2) * EPS
            assert abs(it.total_gap - number(gap)) <= bound
            assert it.least == least
            if it.k == steps:
                break


def test_checkpoints_choose_iterates_and_change_none() -> None:
    mdp = models(2)
    best = optimum(mdp)
    all_of_them = list(islice(softmax_pg(mdp, step_size=0.25, optimum=best), 31))
    at = [0, 1, 4, 30]
    chosen = list(softmax_pg(mdp, step_size=0.25, at=at, optimum=best))
    assert [it.k for it in chosen] == at
    for it in chosen:
        same = all_of_them[it.k]
        assert (it.θ == same.θ).all()
        assert (it.π == same.π).all()
        assert (it.least == same.least).all()
        assert (it.total_gap == same.total_gap).all()
        assert it.k == same.k


def test_the_compiled_body_takes_over_a_run_unnoticed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    from mdplab.kernels.softmax_pg_lanes import advance as lanes_advance

    mdp = models(3, 5, S=6)
    best = optimum(mdp)
    at = list(geometric(300, 5))
    cost = kernel.seconds_per_update(kernel.Ascent(mdp, 1.0))
    monkeypatch.setattr(kernels, "WORTH_COMPILING", 20.5 * cost)  # portions that end after update 20 are compiled
    ascent = kernel.Ascent(mdp, (1 - mdp.discount) ** 3 / 8, best.action, best.loss)
    θ, sums, k = mdp.r * 0, kernel.nothing_yet(mdp), 0
    for it in softmax_pg(mdp, at=at, optimum=best):
        body = lanes_advance if it.k > 20 else kernel.advance.definition
        θ, sums = body(ascent, θ, k, it.k, sums)
        k = it.k
        assert (it.θ == θ).all()
        last = kernel.gather(ascent, sums, it.π, visits(mdp, it.π))
        assert (it.least == last.least).all()
        # The last term is a sum of S A products of non-negative numbers on two roads (see the kernel's test for κ).
        assert (abs(it.total_gap - last.total_gap) <= 16**2 * 12 * mdp.S**2 * EPS).all()
    assert k == at[-1]


def test_in_balls_the_default_step_never_makes_a_policy_worse() -> None:
    """Mei et al. 2020, Lemma 7: V is 8 / (1 − γ)³ smooth for rewards in [0, 1], so the step (1 − γ)³ / 8 ascends."""
    mdp = models().exact()
    best, totals = optimum(mdp), [ball(0)]
    for it in islice(softmax_pg(mdp, optimum=best), 6):
        totals.append(it.total_gap)
    gaps = [y - x for x, y in pairwise(totals)]
    assert all(y < x for x, y in pairwise(gaps))  # certainly: balls apart


def test_the_default_step_is_each_models_own() -> None:
    mdp = models(4)
    default = only(softmax_pg(mdp, at=[1]))
    given = only(softmax_pg(mdp, at=[1], step_size=(1 - mdp.discount) ** 3 / 8))
    assert (default.θ == given.θ).all()
    alone = only(softmax_pg(mdp[2], at=[1], step_size=(1 - mdp.discount[2]) ** 3 / 8))
    # η H³ = 1/8 in the bound of an update (the kernel's test): 8 κ / 8 with κ < 150 u for three states, on two roads.
    assert abs(alone.θ - default.θ[2]).max() <= 2 * 2 * 150 * EPS


def test_rationals_and_the_array_api_run_the_same_text() -> None:
    mdp = models(2)
    theirs = only(softmax_pg(mdp.map(lambda x: array_api_strict.asarray(x)), step_size=0.25, at=[4]))
    ours = only(softmax_pg(mdp, step_size=0.25, at=[4]))
    assert (np.asarray(theirs.θ) == ours.θ).all()  # array-api-strict computes with NumPy
    assert ours.least is None
    assert ours.total_gap is None
    exact = only(softmax_pg(mdp.exact(), step_size=rational("1/4")[()], at=[1]))
    first = only(softmax_pg(mdp, step_size=0.25, at=[1]))
    # The bound of an update (the kernel's test): 2 η H³ 8 κ with η = 1/4, H <= 16/3 and κ < 150 u.
    assert abs(floats(exact.θ) - first.θ).max() <= 2 * 0.25 * (16 / 3) ** 3 * 8 * 150 * EPS


def test_wrong_shapes_and_checkpoints_are_refused_in_one_sentence() -> None:
    mdp = models(2)
    with pytest.raises(MdplabError, match=r"θ has shape \(3, 2\); logits of this model have shape \(2, 3, 2\)"):
        next(softmax_pg(mdp, np.zeros((3, 2))))
    with pytest.raises(MdplabError, match=r"step_size has shape \(3,\); expected one number or shape \(2,\)"):
        next(softmax_pg(mdp, step_size=np.ones(3)))
    with pytest.raises(MdplabError, match="checkpoint 2 comes after 2; expected increasing"):
        list(softmax_pg(mdp, at=[0, 2, 2]))
    with pytest.raises(MdplabError, match="checkpoint -3 "):
        list(softmax_pg(mdp, at=[-3]))
